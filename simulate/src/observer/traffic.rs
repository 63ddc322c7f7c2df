//! Who serves, as calls were told, and what a failover forbids until somebody says `resume`.

use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::heard::Heard;
use super::record::{Record, moment, text};
use super::records::Step;
use super::{Invariant, Observer, Scene, Verdict};
use crate::plan::{Live, SERVICES};
use crate::world::call::Call;
use crate::world::deployed::Deployed;

/// A call lives five minutes, and one that began in its last moment another five.
const TWO_LIVES: Duration = Duration::minutes(11);

/// What a read of the profile said: a service, or that nobody knows.
pub(super) type Serving = Option<usize>;

/// Who serves by the body of a profile, among the services that a deployment names.
pub(super) fn serving(profile: &Value, deployed: &Deployed) -> Serving {
    let is = |value: &Value, word: &str| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(word));
    let properties = &profile["properties"];
    if !is(&properties["profileStatus"], "enabled") || !is(&properties["trafficRoutingMethod"], "priority") {
        return None;
    }
    let endpoints = properties["endpoints"].as_array()?;
    if endpoints.iter().any(|endpoint| text(&endpoint["type"]).to_lowercase().ends_with("/nestedendpoints")) {
        return None;
    }
    let mut line: Vec<_> = endpoints
        .iter()
        .map(|endpoint| &endpoint["properties"])
        .filter(|endpoint| is(&endpoint["endpointStatus"], "enabled"))
        .map(|endpoint| (endpoint["priority"].as_u64(), endpoint))
        .collect();
    line.sort_by_key(|(priority, _)| *priority);
    for (at, (priority, endpoint)) in line.iter().enumerate() {
        if priority.is_none() || line.iter().skip(at + 1).any(|(other, _)| other == priority) {
            return None;
        }
        if is(&endpoint["endpointMonitorStatus"], "online") || is(&endpoint["alwaysServe"], "enabled") {
            return behind(text(&endpoint["target"]), deployed);
        }
        if is(&endpoint["endpointMonitorStatus"], "checkingendpoint") {
            return None;
        }
    }
    None
}

/// The service whose gateway a host is.
fn behind(host: &str, deployed: &Deployed) -> Serving {
    let label = host.to_lowercase();
    let label = label.strip_suffix(".azure-api.net")?;
    deployed.services().find(|service| {
        let name = SERVICES[*service].0;
        let regional =
            label.strip_suffix(".regional").and_then(|label| label.strip_prefix(&format!("{name}-")));
        label == name || regional.is_some_and(|rest| rest.split('-').count() == 2)
    })
}

impl Observer {
    /// Whether what this call was told of the traffic lets it restore into `service`.
    pub(super) fn traffic_allows(
        &mut self,
        call: &Call,
        (service, record): (usize, &Record),
        (now, tag): (OffsetDateTime, &str),
    ) {
        let by_hand = record.of_operation("by") == "hand";
        let asked = self.by_hand.get(text(record.of_operation("wish")));
        let even_if_live = by_hand && asked.is_some_and(|asked| asked.even_if_live);
        let Some(heard) = self.heard.get(&call.number) else { return };
        let verdict = match call.deployed.live {
            _ if even_if_live => Ok(()),
            Live::Off if service != call.deployed.primary => Ok(()),
            Live::Off => Err("the primary serves, by the settings".to_owned()),
            Live::Unset => Err("nobody says who serves".to_owned()),
            Live::Profile => told(heard, (service, call.deployed.primary), (by_hand, now)),
        };
        self.judge(Invariant::Serving, verdict, || tag.to_owned());
    }

    /// Nothing is restored by itself after a failover until `resume`, and only what began after that.
    pub(super) fn nothing_is_latched(&mut self, call: &Call, backup: &str, tag: &str) {
        let Some(primary) = self.record(call.deployed.primary).cloned() else { return };
        let latched = moment(&primary.at("failedOver")["since"]);
        let read =
            self.heard.get(&call.number).and_then(|heard| heard.records.get(&call.deployed.primary).copied());
        let unread = |at: OffsetDateTime| read.is_none_or(|read| at > read);
        let crossed = self.latched_at.is_some_and(unread);
        self.check(Invariant::Standby, latched.is_none() || crossed, || {
            format!("{tag} although a failover since {latched:?} is not over")
        });
        let resumed = moment(primary.at("resumedAt"));
        let began = self.written.get(backup).copied();
        let given_up = resumed.is_some_and(|resumed| began.is_some_and(|began| began < resumed));
        let crossed = self.resumed_at.is_some_and(unread);
        self.check(Invariant::Standby, !given_up || crossed, || {
            format!("{tag}, which began before `resume` at {resumed:?}")
        });
    }

    /// The latch closes by a read, and opens by `resume` alone.
    pub(super) fn latch_follows(&mut self, step: &Step<'_>) {
        let none = Value::Null;
        let before = step.before.map_or(&none, |record| record.at("failedOver"));
        let after = step.after.at("failedOver");
        if before != after {
            let verdict = self.latch_may_change(step, (before, after));
            self.judge(Invariant::Standby, verdict, || {
                format!("{} by {}: {before} -> {after}", step.name(), step.call.tag())
            });
        }
        let serving = |record: &Record| {
            [&record.at("served")["by"], &record.at("failedOver")["serving"]]
                .map(|name| text(name).to_owned())
        };
        if let Some(named) = step.before.map(serving).filter(|named| *named != serving(step.after)) {
            self.served_before.push((step.scene.now, named));
        }
        if !after.is_null() {
            self.latches.insert(text(&after["since"]).to_owned());
        }
        if before.is_null() && !after.is_null() {
            self.latched_at = Some(step.scene.now);
        }
        let (was, is) = (step.before.map(|record| record.at("resumedAt")), step.after.at("resumedAt"));
        if was.is_some_and(|was| was != is) && !is.is_null() && step.call.trigger.resumes().is_some() {
            self.resumed_at = Some(step.scene.now);
            // What is taken over from the record of who was the primary before was said earlier, by whatever clock.
            let handed_over = self.records.values().any(|record| record.at("resumedAt") == is);
            if !handed_over && moment(is).is_some_and(|at| at >= step.call.utc_now()) {
                let verdict = match self.heard.get(&step.call.number) {
                    Some(heard) => may_resume(step, heard),
                    None => Err("nobody wrote it".to_owned()),
                };
                self.judge(Invariant::Standby, verdict, || {
                    format!("{} resumed by {}", step.name(), step.call.tag())
                });
                let dropped = step.after.at("restoreWish").is_null();
                self.check(Invariant::Standby, dropped, || {
                    format!(
                        "{} resumed by {}, and a restore into it stays wished for",
                        step.name(),
                        step.call.tag()
                    )
                });
            }
        }
    }

    fn latch_may_change(&self, step: &Step<'_>, (before, after): (&Value, &Value)) -> Verdict {
        let heard = self.heard.get(&step.call.number).ok_or("nobody wrote it")?;
        let primary = step.call.deployed.primary;
        let elsewhere = || {
            let mut others = self.records.iter().filter(|(name, _)| name.as_str() != step.name());
            others.any(|(_, record)| !record.at("failedOver").is_null())
        };
        if after.is_null() {
            if step.service != primary {
                let handed = self.record(primary).is_some_and(|record| !record.at("failedOver").is_null());
                let own = before["serving"] == SERVICES[primary].0 && before["before"].is_null();
                return if handed || own { Ok(()) } else { Err("it got lost on its way".to_owned()) };
            }
            // What it kept of itself while it was a secondary.
            if before["serving"] == step.name() && before["before"].is_null() {
                return Ok(());
            }
            return may_resume(step, heard);
        }
        // A call may hand over what another has handed over meanwhile.
        let stood = self.latches.contains(text(&after["since"]));
        let earlier = moment(&after["since"]) < moment(&before["since"]) && stood;
        if !before.is_null() && before["since"] != after["since"] && !earlier {
            return Err("its beginning changed".to_owned());
        }
        let serving = text(&after["serving"]);
        let read = heard.serving_ever.iter().any(|service| SERVICES[*service].0 == serving);
        if step.service != primary {
            return match serving == step.name() && read {
                true => Ok(()),
                false => {
                    Err("it stands in the record of a service that neither is the primary nor serves"
                        .to_owned())
                }
            };
        }
        let known = read || stood || elsewhere() || before["serving"] == after["serving"];
        match serving != step.name() && known {
            true => Ok(()),
            false => Err(format!("no read said that {serving} serves")),
        }
    }

    /// A call that was told that a secondary serves, and did its work, has kept that.
    pub(super) fn failover_is_kept(&mut self, scene: &Scene<'_>, call: &Call, heard: &Heard) {
        let primary = call.deployed.primary;
        let Some(Some((_, Some(serving)))) = heard.profile else { return };
        let resumed = self.resumed_at.is_some_and(|at| at >= call.began);
        // Calls that have begun under other settings go by those to their end: to them nothing is failed over.
        let turned = self.roles_changed_at.is_some_and(|at| scene.now - at < TWO_LIVES);
        if serving == primary || resumed || turned || self.found_spoilt(call, primary) {
            return;
        }
        let latched = self.record(primary).is_some_and(|record| !record.at("failedOver").is_null());
        self.check(Invariant::Standby, latched, || {
            format!("{} read that {} serves and keeps nothing of it", call.tag(), SERVICES[serving].0)
        });
    }

    /// The service that the schedule backs up, as far as this call can know.
    pub(super) fn backed_up(&self, call: &Call) -> Vec<usize> {
        let primary = call.deployed.primary;
        let Some(record) = self.record(primary) else { return vec![primary] };
        let named = |name: &str| SERVICES.iter().position(|(known, _)| *known == name);
        let latch = record.at("failedOver");
        // A latch that closed or opened, or another service that serves, while this call was at work leaves both.
        let before = self.served_before.iter().filter(|(at, _)| *at >= call.began);
        let mut may: Vec<_> = before.flat_map(|(_, names)| names).filter_map(|name| named(name)).collect();
        let crossings = [self.latched_at, self.resumed_at];
        let crossed = !may.is_empty() || crossings.into_iter().flatten().any(|at| at >= call.began);
        // Where nobody is asked, the settings say that the primary serves.
        if latch.is_null() || crossed || call.deployed.live == Live::Off {
            may.push(primary);
        }
        if !latch.is_null() || crossed {
            let heard = self.heard.get(&call.number);
            may.extend(heard.into_iter().flat_map(|heard| heard.serving_ever.iter().copied()));
            may.extend(named(text(&record.at("served")["by"])));
            may.extend(named(text(&latch["serving"])));
        }
        may
    }
}

/// What a call was told of the traffic since its claim.
fn told(
    heard: &Heard,
    (service, primary): (usize, usize),
    (by_hand, now): (bool, OffsetDateTime),
) -> Verdict {
    let saved = heard.saved.get(&service).copied().ok_or("the claim was not saved by this call")?;
    let (asked, serving) = heard.profile.flatten().ok_or("nobody was asked who serves, or did not say")?;
    if asked < saved || now - asked > Duration::seconds(30) {
        return Err(format!("who serves was asked at {asked}, and the claim was saved at {saved}"));
    }
    match serving {
        None => Err("nobody knew who serves".to_owned()),
        Some(serving) if serving == service => Err("the target serves".to_owned()),
        Some(serving) if !by_hand && serving != primary => Err(format!("{} serves", SERVICES[serving].0)),
        Some(_) => Ok(()),
    }
}

/// `resume` is for when the primary serves, nothing is being restored into it, and what it holds is known.
fn may_resume(step: &Step<'_>, heard: &Heard) -> Verdict {
    let even_if_unknown = step.call.trigger.resumes().ok_or("nobody said resume")?;
    let before = step.before.ok_or("there was no record")?;
    let serves = match step.call.deployed.live {
        Live::Off => true,
        Live::Unset => false,
        Live::Profile => heard.profile.flatten().is_some_and(|(_, serving)| serving == Some(step.service)),
    };
    if !serves {
        return Err(format!("the primary was not seen to serve: {:?}", heard.profile));
    }
    if before.kind() == "restore" {
        return Err("it is being restored".to_owned());
    }
    let unknown = before.at("holds")["what"] == "unknown";
    match (unknown && !even_if_unknown, step.call.deployed.dry_run) {
        (true, _) => Err("what it holds is not known".to_owned()),
        (_, true) => Err("this is a dry run".to_owned()),
        _ => Ok(()),
    }
}
