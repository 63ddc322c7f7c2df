//! When a backup may begin.

use time::{Duration, OffsetDateTime};

use super::record::{Record, moment};
use super::records::Step;
use super::{Invariant, Observer, Verdict, posts};
use crate::world::sent::BACKUPS;

/// A wish that waited longer is given up.
const WISH_LIFETIME: Duration = Duration::hours(1);

impl Observer {
    /// A claim that was just written, if it was, is one that there was a reason for.
    pub(super) fn backup_is_due(&mut self, step: &Step<'_>) {
        let unclaimed = |before: &Record| before.is_idle() || before.is_before_its_claim();
        let begins = step.before.is_none_or(unclaimed) && step.after.phase() == "requested";
        if !begins {
            return;
        }
        let dry = step.call.deployed.dry_run;
        self.check(Invariant::DryRun, !dry, || format!("{} claims in a dry run", step.call.tag()));
        if step.after.kind() == "restore" {
            return self.restore_is_due(step);
        }
        let now = moment(step.after.of_phase("at")).unwrap_or(step.scene.now);
        let verdict = due(step, now);
        self.judge(Invariant::Schedule, verdict, || {
            format!("{} claims a backup of {}", step.call.tag(), step.name())
        });
        let scheduled = step.before.is_none_or(|before| before.at("backupWish").is_null());
        let may = self.backed_up(step.call);
        self.check(Invariant::Schedule, !scheduled || may.contains(&step.service), || {
            format!(
                "{} claims a backup of {} by schedule, which is for {may:?}",
                step.call.tag(),
                step.name()
            )
        });
        // A stranger may have come since the name was chosen, and is seen before the request leaves.
        let blob = format!("{}.apimbackup", step.after.backup());
        let lies =
            step.scene.blobs.peek(BACKUPS, &blob).is_some() && !self.is_strange(step.scene.now, &blob, None);
        let name = step.after.backup();
        let used = self.names.contains_key(name) && !self.turned_down.contains(name);
        let taken = used && posts::taken(step.scene, name) > 0;
        self.check(Invariant::PostedOnce, !lies && !taken, || {
            format!("{} claims {}, a name in use", step.call.tag(), step.after.backup())
        });
    }

    fn restore_is_due(&mut self, step: &Step<'_>) {
        let Some(before) = step.before else { return };
        let wish = before.at("restoreWish");
        let named = wish["source"] == *step.after.of_operation("source");
        let now = moment(step.after.of_phase("at")).unwrap_or(step.scene.now);
        let early = backoff(&wish["failures"]).is_some_and(|next| now < next);
        self.check(Invariant::Schedule, named && !early, || {
            format!(
                "{} claims a restore of {} into {}, which nobody wished for now",
                step.call.tag(),
                step.after.backup(),
                step.name()
            )
        });
    }
}

fn due(step: &Step<'_>, now: OffsetDateTime) -> Verdict {
    let Some(before) = step.before else { return Ok(()) };
    if let Some(at) = moment(&before.at("backupWish")["at"]) {
        let over = before.over_at(at, WISH_LIFETIME);
        let for_ever = before.at("backupWish")["afterResume"] == true;
        return if for_ever || now < over { Ok(()) } else { Err(format!("the wish of {at} has lapsed")) };
    }
    let latest = step.scene.setup.rhythm.latest(now);
    let covered = moment(before.at("covered"));
    // After `resume` a backup stays due until one that began later is proven.
    let resumed = moment(before.at("resumedAt"));
    let waits = resumed.is_some_and(|resumed| before.beginnings().all(|began| began < resumed));
    let never = before.at("lastVerified").is_null() && before.beginnings().next().is_none();
    let first = never || waits;
    if covered.is_some_and(|covered| covered >= latest) && !first {
        return Err(format!("{latest} is covered by {covered:?}"));
    }
    let failures = before.at("backupFailures");
    let attempted = moment(&failures["occurrence"]);
    match backoff(failures) {
        Some(next) if now < next && attempted.is_some_and(|attempted| attempted >= latest) => {
            Err(format!("its next attempt comes at {next}"))
        }
        _ => Ok(()),
    }
}

/// When the next attempt may come: after 5 min, 15 min, 1 h, then every 6 h.
fn backoff(failures: &serde_json::Value) -> Option<OffsetDateTime> {
    let minutes = match failures["count"].as_u64()? {
        0 => 0,
        1 => 5,
        2 => 15,
        3 => 60,
        _ => 360,
    };
    let last = moment(&failures["attempted"]).or_else(|| moment(&failures["since"]))?;
    Some(last + Duration::minutes(minutes))
}
