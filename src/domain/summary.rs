//! One line on how a service stands, for a person who ran a function by hand.

use super::record::{Holds, Record};
use super::status::{self, UnderWay};
use super::vocabulary::Timestamp;

/// How `record`'s service stands `now`.
pub fn of(record: &Record, now: Timestamp) -> String {
    let parts =
        [Some(operation(record, now)), verified(record, now), holds(record), wish(record), failure(record)];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    format!("{}: {}", record.service.name(), parts.join("; "))
}

/// What is under way, and for how long.
pub fn operation(record: &Record, now: Timestamp) -> String {
    match status::under_way(&record.operation) {
        None => "nothing runs".into(),
        Some(UnderWay { what, backup, phase, since, .. }) => {
            let name = if what == "restore" { format!("of {backup}") } else { backup.to_string() };
            format!("{what} {name} {phase} for {} min", (now - since).whole_minutes())
        }
    }
}

fn verified(record: &Record, now: Timestamp) -> Option<String> {
    let last = record.last_verified.as_ref()?;
    Some(format!("last verified backup {}, {} min old", last.name, (now - last.started_at).whole_minutes()))
}

fn holds(record: &Record) -> Option<String> {
    match &record.holds {
        Holds::Nothing => None,
        Holds::Unknown { why, .. } => Some(format!("what it holds is unknown: {why}")),
        held @ Holds::Backup(_) => Some(format!("holds {}", status::held(held))),
    }
}

fn wish(record: &Record) -> Option<String> {
    let wish = record.restore_wish.as_ref()?;
    Some(match &wish.deferred {
        Some(deferred) => format!("{} waits to be restored: {}", wish.source.name, deferred.reason),
        None => format!("{} is to be restored", wish.source.name),
    })
}

fn failure(record: &Record) -> Option<String> {
    let failures = record.backup_failures.as_ref().or(record.restore_failures.as_ref())?;
    Some(format!("last failure at {}: {}", failures.last, failures.what))
}
