//! Conditions of restores, and of what the standby holds.

use time::Duration;

use super::backups::told;
use super::{Condition, ConditionKind, View};
use crate::domain::deadline::RESTORE_DEADLINE;
use crate::domain::record::{Compared, Holds, Operation, Record, RestorePhase};
use crate::domain::vocabulary::{Timestamp, in_words};

/// A restore that waits for longer is worth telling.
const LONG_DEFERRED: Duration = Duration::hours(1);

/// What a restore may take on top of the age of the backup.
const RESTORE_ALLOWANCE: Duration = Duration::hours(6);

pub(super) fn conditions(view: &View<'_>, now: Timestamp) -> Vec<Condition> {
    let mut found = Vec::new();
    for record in &view.records {
        let is_named = view.is_named(record);
        found.extend(overdue(record).or_else(|| failing(view, record).filter(|_| is_named)));
        found.extend(under_traffic(record));
        found.extend(not_as_restored(view, record));
        if is_named {
            found.extend(deferred(record, now));
            found.extend(stale(view, record, now));
            found.extend(events_lost(record).filter(|_| view.is_secondary(&record.service.name())));
        }
    }
    found
}

fn overdue(record: &Record) -> Option<Condition> {
    let Operation::Restore(run) = &record.operation else { return None };
    let service = record.service.name();
    let fact = format!(
        "the restore of {} has been under way since {} and is past its deadline",
        run.source.name, run.started_at
    );
    let next = "a service that never leaves Updating can be freed by Azure support alone: open a request";
    let since = run.started_at + RESTORE_DEADLINE;
    run.overdue.then(|| Condition::of(ConditionKind::RestoreFailing, &service, fact, next).since(since))
}

/// Into the primary nothing is restored by itself, so that only `resume` or a person's next restore would end this for it.
fn failing(view: &View<'_>, record: &Record) -> Option<Condition> {
    let service = record.service.name();
    let is_tried =
        view.is_secondary(&service) || view.situation.failed_over.is_some() || record.restore_wish.is_some();
    let failures =
        record.restore_failures.as_ref().filter(|failures| is_tried || !view.is_overtaken(failures))?;
    let next = match &record.restore_wish {
        Some(_) => "mend what Azure names; it is tried again by itself",
        None => "mend what is named, then restore a backup by hand, or wait for the next one",
    };
    Some(Condition::of(ConditionKind::RestoreFailing, &service, told(failures), next).since(failures.since))
}

fn deferred(record: &Record, now: Timestamp) -> Option<Condition> {
    let wish = record.restore_wish.as_ref()?;
    let deferred = wish.deferred.as_ref().filter(|deferred| now - deferred.since >= LONG_DEFERRED)?;
    let fact =
        format!("{} waits to be restored since {}: {}", wish.source.name, deferred.since, deferred.reason);
    let next = "the restore begins by itself when that no longer holds; `apim-dr withdraw` gives it up";
    let service = record.service.name();
    Some(Condition::of(ConditionKind::RestoreDeferred, &service, fact, next).since(deferred.since))
}

fn under_traffic(record: &Record) -> Option<Condition> {
    let Operation::Restore(run) = &record.operation else { return None };
    let since = run.under_traffic.filter(|_| matches!(run.phase, RestorePhase::Running(_)))?;
    let service = record.service.name();
    let fact = format!("{service} carries the traffic while {} is being restored into it", run.source.name);
    let next =
        "users may meet half of it until the restore ends: move the traffic if another service can take it";
    Some(Condition::of(ConditionKind::RestoreUnderTraffic, &service, fact, next).since(since))
}

/// What was once restored into the primary says something while people fail back to it. After that it is changed all the
/// time, and whoever says `resume` has looked.
fn not_as_restored(view: &View<'_>, record: &Record) -> Option<Condition> {
    let service = record.service.name();
    let is_secondary = view.is_secondary(&service);
    if !is_secondary && view.is_unread(view.primary) {
        return None;
    }
    let resumed_at = view.situation.resumed_at.filter(|_| !is_secondary);
    let is_failing_back = view.situation.failed_over.is_some();
    let is_left = !is_secondary && service != *view.primary && !is_failing_back;
    match &record.holds {
        Holds::Nothing => None,
        Holds::Unknown { .. } if is_left => None,
        Holds::Unknown { since, .. } if resumed_at.is_some_and(|resumed| resumed >= *since) => None,
        Holds::Backup(_) if !is_secondary && !is_failing_back => None,
        Holds::Unknown { since, backup, why, .. } => {
            let fact = format!("what {service} holds since the restore of {backup} is not known: {why}");
            let next = "do not send traffic there before a restore has succeeded; the next one is tried by itself unless \
                        RestoreFailing or RestoreDeferred says otherwise";
            Some(Condition::of(ConditionKind::StandbyUnknown, &service, fact, next).since(*since))
        }
        Holds::Backup(held) => match &held.compared {
            Compared::Mismatched { summary } => {
                let fact = format!("{service} holds {}, and differs from it: {summary}", held.backup);
                let next = "the status names what differs. If it was changed by hand there, change the primary instead; the \
                            next restore overwrites it";
                Some(
                    Condition::of(ConditionKind::StandbyMismatched, &service, fact, next)
                        .since(held.restored_at),
                )
            }
            Compared::Verified | Compared::Unverified { .. } => None,
        },
    }
}

/// A service that users went to in a failover is not a standby, and holds more than any backup.
fn stale(view: &View<'_>, record: &Record, now: Timestamp) -> Option<Condition> {
    let service = record.service.name();
    let is_led_to = view.situation.failed_over.as_ref().is_some_and(|latch| latch.led_to(&service));
    if !view.is_secondary(&service) || is_led_to {
        return None;
    }
    let allowed = view.promise.rpo_target + RESTORE_ALLOWANCE;
    let (since, fact) = match &record.holds {
        Holds::Backup(held) => {
            let fact = format!("{service} holds {}, begun at {}", held.backup, held.started_at);
            (held.begun_at() + allowed, fact)
        }
        // What is unknown has a condition of its own.
        Holds::Unknown { .. } => return None,
        Holds::Nothing => {
            (record.first_driven + allowed, format!("nothing was ever restored into {service}"))
        }
    };
    let allowed = in_words(allowed);
    let next = "BackupMissing, RestoreDeferred or RestoreFailing says why nothing newer has come";
    (now > since).then(|| {
        let fact = format!("{fact}, and a standby may be {allowed} behind at most (RPO_TARGET and 6 h)");
        Condition::of(ConditionKind::StandbyStale, &service, fact, next).since(since)
    })
}

fn events_lost(record: &Record) -> Option<Condition> {
    let lost = record.event_lost.as_ref()?;
    let service = record.service.name();
    let fact = format!(
        "no event has led to the restore of {} into {service} within 3 min, and a tick took it up at {}",
        lost.backup, lost.at
    );
    let next = "nothing has to be done; if it happens with every backup, see that RestoreOnBlob is enabled and its trigger \
                can reach the storage account's queues";
    Some(Condition::of(ConditionKind::EventsLost, &service, fact, next).since(lost.at))
}
