//! One line on how a service stands, for a person who ran a function by hand.

use super::record::{BackupPhase, Compared, Holds, Operation, Record, RestorePhase};
use super::vocabulary::Timestamp;

/// How `record`'s service stands `now`.
pub fn of(record: &Record, now: Timestamp) -> String {
    let parts =
        [Some(operation(record, now)), verified(record, now), holds(record), wish(record), failure(record)];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    format!("{}: {}", record.service.name(), parts.join("; "))
}

fn operation(record: &Record, now: Timestamp) -> String {
    match &record.operation {
        Operation::Idle => "nothing runs".into(),
        Operation::Backup(run) => {
            let phase = match run.phase {
                BackupPhase::Inventory { .. } => "taking the inventory",
                BackupPhase::Requested(_) => "requested",
                BackupPhase::Running(_) => "running",
                BackupPhase::Proving { .. } => "ended, being proven",
                BackupPhase::Committing { .. } => "proven, writing the manifest",
            };
            format!("backup {} {phase} for {} min", run.name, (now - run.started_at).whole_minutes())
        }
        Operation::Restore(run) => {
            let phase = match run.phase {
                RestorePhase::Requested(_) => "requested",
                RestorePhase::Running(_) => "running",
                RestorePhase::Verifying { .. } => "ended, being compared",
            };
            format!(
                "restore of {} {phase} for {} min",
                run.source.name,
                (now - run.started_at).whole_minutes()
            )
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
        Holds::Backup(held) => Some(match &held.compared {
            Compared::Verified => format!("holds {}, verified", held.backup),
            Compared::Unverified { why } => format!("holds {}, not verified: {why}", held.backup),
            Compared::Mismatched { summary } => format!("holds {}, mismatched: {summary}", held.backup),
        }),
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
