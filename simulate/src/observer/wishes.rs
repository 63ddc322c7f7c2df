//! Wishes: how they come, what replaces them, and how they go.

use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::heard::Heard;
use super::record::{Record, moment, text};
use super::records::Step;
use super::restores::{CLOCKS, WISH_LIFETIME};
use super::{Invariant, Observer, Verdict};
use crate::plan::SERVICES;
use crate::world::call::{Call, Said, Trigger};

/// How long an event may take before a tick makes up for it.
const EVENT_PATIENCE: Duration = Duration::minutes(3);

/// How long a person's wish for a backup stands.
const BACKUP_WISH_LIFETIME: Duration = Duration::hours(1);

impl Observer {
    pub(super) fn wishes_follow(&mut self, step: &Step<'_>) {
        for (name, _) in step.after.accepted() {
            self.accepted_at.entry(name.to_owned()).or_insert(step.scene.now);
        }
        let none = Value::Null;
        let before = |field: &str| step.before.map_or(&none, |record| record.at(field)).clone();
        let (was, is) = (before("restoreWish"), step.after.at("restoreWish").clone());
        let tag = || format!("{} by {}", step.name(), step.call.tag());
        if is["id"] != was["id"] || is["source"]["name"] != was["source"]["name"] {
            let verdict = match is.is_null() {
                true => self.restore_wish_goes(step, &was),
                false => self.restore_wish_comes(step, (&was, &is)),
            };
            self.judge(Invariant::Wishes, verdict, tag);
        }
        if is["id"] == was["id"] && is["failures"] != was["failures"] {
            let served = step.before.is_some_and(|before| *before.of_operation("wish") == is["id"]);
            self.check(Invariant::Wishes, served, || {
                format!("{}: what failed did not serve the wish for {}", tag(), is["source"]["name"])
            });
        }
        let (pinned, pin) = (before("pin"), step.after.at("pin"));
        if pinned.is_null() && !pin.is_null() {
            self.pinned_at.insert(step.service, step.scene.now);
        }
        if pinned != *pin || is["by"] == "hand" && is["id"] == step.call.id.as_str() && was["id"] != is["id"]
        {
            let verdict = self.pin_follows(step, &is);
            self.judge(Invariant::Pins, verdict, tag);
        }
        let verdict = self.seen_follows(step, &was);
        self.judge(Invariant::Wishes, verdict, tag);
        let wished = before("backupWish");
        self.wish_for_a_backup_follows(step, &wished);
        if !wished.is_null() && wished["by"] != step.after.at("backupWish")["by"] {
            let verdict = backup_wish_goes(step, &wished);
            self.judge(Invariant::Wishes, verdict, tag);
        }
    }

    fn restore_wish_comes(&self, step: &Step<'_>, (was, is): (&Value, &Value)) -> Verdict {
        let name = text(&is["source"]["name"]);
        if is["id"] != step.call.id.as_str() {
            return Err(format!("the wish for {name} is of {}", is["id"]));
        }
        if step.call.deployed.dry_run {
            return Err(format!("{name} was wished for in a dry run"));
        }
        let manifest = format!("{name}.manifest.json");
        if is["by"] == "hand" {
            let elsewhere = step.call.trigger.target().is_some_and(|target| target != step.service);
            let asked = step.call.trigger.asks_for() == Some(&manifest) && !elsewhere;
            return if asked { Ok(()) } else { Err(format!("nobody asked for {name} by hand")) };
        }
        if was["by"] == "hand" {
            return Err(format!("{name} took the place of {}, asked for by hand", was["source"]["name"]));
        }
        let began = self.written.get(name).or_else(|| self.begun(name)).copied();
        let began = began.ok_or_else(|| format!("no manifest of ours proves {name}"))?;
        let older = moment(&was["source"]["startedAt"]).is_some_and(|standing| standing >= began);
        if older && !step.turns_roles() {
            return Err(format!("{name} took the place of {}, which is newer", was["source"]["name"]));
        }
        if step.before.is_some_and(|before| before.held() == name || before.backup() == name) {
            return Err(format!("{name} is held already"));
        }
        if step.before.and_then(|before| moment(before.at("seen"))).is_some_and(|seen| seen >= began) {
            return Err(format!("{name} is not newer than what was seen"));
        }
        match &step.call.trigger {
            Trigger::Event(_, blob) if *blob == manifest => Ok(()),
            _ => self.is_overdue(step, name),
        }
    }

    /// Without an event, only the newest accepted backup is taken up, and only after a while.
    fn is_overdue(&self, step: &Step<'_>, name: &str) -> Verdict {
        let primary = self.record(step.call.deployed.primary).ok_or("the primary has no record")?;
        let newer = primary.accepted().any(|(other, began)| {
            // What was saved since this call began it may not have been told, though it proved that itself.
            let told = self.accepted_at.get(other).is_some_and(|at| *at < step.call.began);
            other != name
                && told
                && self.written.get(name).is_some_and(|mine| began > *mine + Duration::seconds(300))
        });
        let known = primary.known(name).ok_or_else(|| format!("the record does not know {name}"))?;
        let done = moment(&known["completedAt"]).ok_or("the record does not say when it was done")?;
        match step.now() - done >= EVENT_PATIENCE && !newer {
            true => Ok(()),
            false => Err(format!("a tick took {name} up, which was done at {done}")),
        }
    }

    /// A backup that somebody wants now is one of the service that serves, and what has come of it serves the wish.
    fn wish_for_a_backup_follows(&mut self, step: &Step<'_>, wished: &Value) {
        let tag = || format!("{} by {}", step.name(), step.call.tag());
        let is = step.after.at("backupWish");
        let of_whoever_serves =
            matches!(step.call.trigger, Trigger::Timer("now") | Trigger::Line(Said::Backup(None)));
        if of_whoever_serves && is["by"] == step.call.id.as_str() && is["by"] != wished["by"] {
            let may = self.backed_up(step.call);
            self.check(Invariant::Wishes, may.contains(&step.service), || {
                format!("{}: a backup is wished for, and it is to be one of {may:?}", tag())
            });
        }
        let stands =
            !is.is_null() && step.before.is_some_and(|before| is["by"] == *before.of_operation("wish"));
        self.check(Invariant::Wishes, !stands || !is_counted(step), || {
            format!("{}: what was wished for has come, and the wish stands", tag())
        });
    }

    /// When a backup began whose manifest is about to be written.
    fn begun(&self, name: &str) -> Option<&OffsetDateTime> {
        self.begun.get(name)
    }

    fn restore_wish_goes(&self, step: &Step<'_>, was: &Value) -> Verdict {
        let before = step.before.ok_or("there was none")?;
        let name = text(&was["source"]["name"]);
        let held = step.after.held() == name;
        let told = before.at("restoreFailures") != step.after.at("restoreFailures");
        let automatic = was["by"] == "automatic";
        let dropped = automatic && step.turns_roles();
        let withdrawn = matches!(step.call.trigger, Trigger::Line(Said::Withdraw(of)) if of.is_none_or(|of| of == step.service));
        let resumed = step.call.trigger.resumes().is_some() && step.service == step.call.deployed.primary;
        let primary = self.record(step.call.deployed.primary);
        let given_up = primary.and_then(|record| moment(record.at("resumedAt")));
        let began = moment(&was["source"]["startedAt"]);
        let given_up = automatic && given_up.is_some_and(|at| began.is_some_and(|began| began < at));
        // Settings that named another primary for a while had it taken in.
        let primary = SERVICES[step.call.deployed.primary].0;
        let of_another = automatic && name.rsplit_once('-').is_some_and(|(service, _)| service != primary);
        if held || dropped || withdrawn || resumed || given_up || of_another {
            return Ok(());
        }
        match told {
            true => self.is_over(step, (before, was)),
            false => Err(format!("the wish for {name} vanished")),
        }
    }

    /// A wish ends aloud when it is too late for it, when its blob was seen not to be the proven one, or when the one
    /// attempt at the primary has failed.
    fn is_over(&self, step: &Step<'_>, (before, was): (&Record, &Value)) -> Verdict {
        let source = &was["source"];
        let name = text(&source["name"]);
        let by_hand = was["by"] == "hand";
        let lapsed = by_hand && moment(&was["at"]).is_some_and(|at| step.now() >= at + WISH_LIFETIME);
        let expired = moment(&source["expiresAt"]).is_some_and(|expires| step.now() >= expires);
        let heard = self.heard.get(&step.call.number);
        let blob = heard.and_then(|heard| heard.blobs.get(&format!("{name}.apimbackup")));
        let is_another = blob.is_some_and(|blob| {
            blob.status == 404 || source["etag"] != blob.etag.as_str() || source["length"] != blob.length
        });
        let attempted = step.service == step.call.deployed.primary
            && before.kind() == "restore"
            && step.after.unwritten().len() > before.unwritten().len();
        let its_own = name.rsplit_once('-').is_some_and(|(service, _)| service == step.name());
        match lapsed || expired || is_another || attempted || its_own {
            true => Ok(()),
            false => Err(format!(
                "the wish for {name} was refused although nothing is wrong with it: {}",
                step.after.at("restoreFailures")
            )),
        }
    }

    /// An older backup chosen by hand pins the service; only the newest, chosen by hand, ends that.
    fn pin_follows(&self, step: &Step<'_>, wish: &Value) -> Verdict {
        let chosen = wish["by"] == "hand" && wish["id"] == step.call.id.as_str();
        if !chosen {
            return Err("a pin came or went without a person's choice".to_owned());
        }
        let primary = step.call.deployed.primary;
        let name = text(&wish["source"]["name"]);
        let (source, _) = name.rsplit_once('-').unwrap_or_default();
        if source != SERVICES[primary].0 {
            return match step.before.is_none_or(|before| before.at("pin") == step.after.at("pin")) {
                true => Ok(()),
                false => Err(format!("{name} is not the primary's, and changes a pin")),
            };
        }
        let was_pinned = step.before.is_some_and(|before| !before.at("pin").is_null());
        let pinned = !step.after.at("pin").is_null();
        let accepted =
            self.record(primary).is_some_and(|record| record.accepted().any(|(known, _)| known == name));
        if was_pinned && !pinned && !accepted {
            return Err(format!("{name} ends a pin, and no record accepts it"));
        }
        let began = moment(&wish["source"]["startedAt"]).ok_or("the wish has no date")?;
        let heard = self.heard.get(&step.call.number);
        let newest_before = heard.and_then(|heard| heard.accepted.get(&primary).copied()).flatten();
        if newest_before.is_some_and(|newest| newest > began) && !pinned {
            return Err(format!("{name} is older than the newest and pins nothing"));
        }
        // Whoever could not read which backup is the newest has pinned any, and a forged manifest ends no pin.
        let could_read = heard.is_some_and(|heard| heard.always_read(primary));
        let strange = self.is_strange(step.scene.now, &format!("{name}.manifest.json"), None);
        if !could_read || strange || self.found_spoilt(step.call, primary) {
            return Ok(());
        }
        let newest_now = self.newest_accepted(primary);
        // An earlier pin ends by what is accepted; a new one needs something newer.
        let is_newest = match was_pinned {
            true => newest_now == Some(began),
            false => newest_now.is_none_or(|newest| newest <= began),
        };
        if pinned && is_newest && step.after.at("pin")["backup"] == name {
            return Err(format!("{name} is the newest and pins"));
        }
        Ok(())
    }

    /// `seen` is the beginning of a backup that was taken up, or goes back when a person's wish comes to nothing.
    fn seen_follows(&self, step: &Step<'_>, wished: &Value) -> Verdict {
        let before = step.before.and_then(|before| moment(before.at("seen")));
        let after = moment(step.after.at("seen"));
        if step.turns_roles() {
            let now = after.is_some_and(|after| (step.now() - after).abs() < Duration::seconds(121));
            return if now { Ok(()) } else { Err(format!("roles turned and seen is {after:?}")) };
        }
        let given_back = wished["by"] == "hand" && step.after.at("restoreWish").is_null();
        let held = |field: &str| moment(&step.after.at("holds")[field]);
        // A forged manifest may claim to be of any day.
        let is_given_back = after == held("startedAt").min(held("restoredAt"));
        let resumed = step.call.trigger.resumes().is_some();
        let comes_to_nothing = given_back && step.after.held() != wished["source"]["name"] && !resumed;
        if comes_to_nothing && !is_given_back {
            return Err(format!("a person's wish comes to nothing, and seen stays {after:?}"));
        }
        if before == after || given_back && is_given_back {
            return Ok(());
        }
        let taken = self.written.values().chain(self.begun.values()).any(|began| Some(*began) == after);
        match taken && after > before {
            true => Ok(()),
            false => Err(format!("seen went from {before:?} to {after:?}")),
        }
    }

    /// What a person took back stands no more, unless it was wished for meanwhile.
    fn is_withdrawn(&mut self, call: &Call, of: Option<usize>) {
        let meant = call.deployed.services().filter(|service| of.is_none_or(|of| of == *service));
        for service in meant.collect::<Vec<_>>() {
            let wished_at = self.record(service).and_then(|record| moment(&record.at("restoreWish")["at"]));
            let stands = wished_at.is_some_and(|at| at < call.utc_now() - CLOCKS);
            self.check(Invariant::Wishes, !stands || self.found_spoilt(call, service), || {
                format!("{}: what is to be restored into {} stands", call.tag(), SERVICES[service].0)
            });
        }
    }

    /// What a person asked for is in the record, or was refused aloud.
    pub(super) fn wish_is_kept(&mut self, call: &Call, heard: &Heard) {
        let told: &[&str] = match call.trigger {
            Trigger::Timer("resume") | Trigger::Line(Said::Resume { .. }) => {
                &["wish.refused", "failover.resumed"]
            }
            Trigger::Timer(_) | Trigger::Line(Said::Backup(_)) => {
                &["backup.wished", "backup.already_running", "wish.refused"]
            }
            Trigger::ByHand(..) | Trigger::Line(Said::Restore { .. }) => {
                &["restore.wished", "restore.refused", "wish.refused"]
            }
            Trigger::Line(Said::Withdraw(of)) if !call.deployed.dry_run => {
                return self.is_withdrawn(call, of);
            }
            _ => return,
        };
        if heard.events.contains("failover.resumed") {
            let since = call.utc_now();
            let dated = self
                .records
                .values()
                .any(|record| moment(record.at("resumedAt")).is_some_and(|at| at >= since));
            self.check(Invariant::Wishes, dated, || {
                format!("{}: resumed, and no record says when", call.tag())
            });
        }
        let kept = told.iter().any(|event| heard.events.contains(*event));
        self.check(Invariant::Wishes, kept, || format!("{}: {} came to nothing", call.tag(), call.trigger));
    }
}

/// Azure took a backup that was asked for, or one attempt at it is over.
fn is_counted(step: &Step<'_>) -> bool {
    let Some(before) =
        step.before.filter(|before| before.kind() == "backup" && before.phase() == "requested")
    else {
        return false;
    };
    let taken = matches!(step.after.phase(), "running" | "proving");
    taken || step.after.unwritten().len() > before.unwritten().len()
}

fn backup_wish_goes(step: &Step<'_>, wished: &Value) -> Verdict {
    let before = step.before.ok_or("there was none")?;
    let spent = before.of_operation("wish") == &wished["by"] && is_counted(step);
    let over = moment(&wished["at"]).map(|at| before.over_at(at, BACKUP_WISH_LIFETIME));
    let lapsed = over.is_some_and(|over| step.now() >= over);
    let replaced = step.after.at("backupWish")["by"] == step.call.id.as_str();
    match spent || lapsed || replaced {
        true => Ok(()),
        false => Err(format!("the wish for a backup of {} vanished", wished["at"])),
    }
}
