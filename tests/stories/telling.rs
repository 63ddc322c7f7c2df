//! What decisions and records are called in a transcript.

use apim_dr::domain::inventory::{Place, Unit};
use apim_dr::domain::observation::{Action, Looking};
use apim_dr::domain::record::{
    Aside, BackupPhase, By, Claim, ClosedRun, Compared, FailedOver, Failures, Holds, Operation, Progress,
    Record, RestorePhase, Running, Served,
};
use apim_dr::domain::vocabulary::{BackupName, Timestamp};

use super::fixtures::{short, short_name};

/// How far the operation of a record is.
pub(crate) fn tell_phase(operation: &Operation) -> String {
    match operation {
        Operation::Idle => "Idle".into(),
        Operation::Backup(run) => match &run.phase {
            BackupPhase::Inventory(taking) => tell_reading("Inventory", &taking.progress),
            BackupPhase::Prepared => "Prepared".into(),
            BackupPhase::Requested(claim) => tell_claim(claim),
            BackupPhase::Running(running) => tell_running(running),
            BackupPhase::Proving { first: None, .. } => "Proving".into(),
            BackupPhase::Proving { first: Some(first), .. } => {
                format!("Proving(seen {})", short(first.at))
            }
            BackupPhase::Committing { .. } => "Committing".into(),
        },
        Operation::Restore(run) => match &run.phase {
            RestorePhase::Requested(claim) => tell_claim(claim),
            RestorePhase::Running(running) => tell_running(running),
            RestorePhase::Verifying { comparing, .. } => tell_reading("Verifying", &comparing.progress),
        },
    }
}

fn tell_reading(phase: &str, progress: &Progress) -> String {
    let place = match &progress.place {
        Place::Start => None,
        Place::After(Unit::List(name)) => Some(format!("after {name}")),
        Place::After(Unit::Api(name) | Unit::Product(name)) => Some(format!("after all of {name}")),
        Place::End => Some("read".into()),
    };
    let reader = progress.reader.as_ref().map(|reader| format!("by {}", reader.by));
    let parts: Vec<_> = place.into_iter().chain(reader).collect();
    if parts.is_empty() { phase.into() } else { format!("{phase}({})", parts.join(", ")) }
}

fn tell_claim(claim: &Claim) -> String {
    match claim.taken_over {
        true => format!("Requested(taken over by {})", claim.by),
        false => format!("Requested(by {})", claim.by),
    }
}

fn tell_running(running: &Running) -> String {
    let operation = running.operation.as_ref().map(|operation| operation.expose().to_owned());
    let parts = [
        operation,
        running.updating_seen.then(|| "Updating seen".into()),
        running.free_since.map(|since| format!("free since {}", short(since))),
        running.next_poll.map(|next| format!("asked again from {}", short(next))),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "Running".into() } else { format!("Running({})", parts.join(", ")) }
}

/// What is done next.
pub(crate) fn tell_action(action: &Action) -> String {
    match action {
        Action::Yield => "rest".into(),
        Action::Stop(_) => "stop".into(),
        Action::Again => "again".into(),
        Action::Look(Looking::Service) => "look".into(),
        Action::Look(Looking::ForBackup(blob) | Looking::ForRestore(blob, _)) => {
            format!("look for {}", short_name(&blob.backup))
        }
        Action::StartBackup(start) => format!("POST backup {}", short_name(&start.blob.backup)),
        Action::StartRestore(start) => format!("POST restore {}", short_name(&start.blob.backup)),
        Action::Poll(operation) => format!("poll {}", operation.expose()),
        Action::InspectBlob(_) => "inspect blob".into(),
        Action::WriteManifest { .. } => "write manifest".into(),
        Action::WriteHistory { path, .. } => format!("write {path}"),
        Action::ListOld(old) => format!("list {:?} until {}", old.stage, short(old.until)),
        Action::Delete { doomed, .. } => {
            let names: Vec<_> = doomed.iter().map(|blob| short_blob(&blob.blob)).collect();
            match names.as_slice() {
                [first, .., last] if names.len() > 6 => format!("delete {first} … {last} ({})", names.len()),
                _ => format!("delete {}", names.join(" ")),
            }
        }
        Action::TakeInventory(_) => "read".into(),
        Action::JoinInventory(take) => format!("put together {}", take.inventory.name()),
        Action::Compare(_) => "read and compare".into(),
        Action::DropParts(backup) => format!("drop parts of {}", short_name(backup)),
    }
}

/// `contoso@02:00.manifest.json`; what lies under no backup's name, as it is.
pub(crate) fn short_blob(blob: &str) -> String {
    let parts = blob.split_once('.').and_then(|(name, kind)| Some((BackupName::parse(name)?, kind)));
    parts.map_or_else(|| blob.to_owned(), |(name, kind)| format!("{}.{kind}", short_name(&name)))
}

pub(crate) type Facts = Vec<(&'static str, Option<String>)>;

/// What a record says beside its phase, in an operator's words.
pub(crate) fn facts(record: &Record) -> Facts {
    let mut facts = facts_of_backups(record);
    facts.extend(facts_of_restores(record));
    facts.extend([
        ("primary", Some(record.primary.to_string())),
        ("failed over", record.failed_over.as_ref().map(tell_latch)),
        ("served", record.served.as_ref().map(tell_served)),
        ("resumed", record.resumed_at.map(short)),
        ("under traffic", under_traffic(record).map(short)),
        ("busy since", record.busy_since.map(short)),
        ("overdue", is_overdue(record).then(|| "yes".into())),
        ("dry run", record.dry_run.then(|| "yes".into())),
        ("deadlines count from", record.deadlines_from.map(short)),
        ("closed", tell_closed(&record.unwritten_history)),
        ("next pass", record.retention.next_pass.map(short)),
        ("refused delete", record.retention.refused.as_ref().map(|refused| short_blob(&refused.blob))),
    ]);
    facts
}

fn facts_of_backups(record: &Record) -> Facts {
    let known: Vec<_> = record.backups.iter().map(|backup| short_name(&backup.name)).collect();
    vec![
        ("backups", (!known.is_empty()).then(|| known.join(" "))),
        ("last verified", record.last_verified.as_ref().map(|last| short_name(&last.name))),
        ("covered", record.covered.map(short)),
        ("backup wished", record.backup_wish.as_ref().map(|wish| format!("by {}", wish.by))),
        ("backup failures", record.backup_failures.as_ref().map(tell_failures)),
    ]
}

fn facts_of_restores(record: &Record) -> Facts {
    let wish = record.restore_wish.as_ref();
    let deferred = wish.and_then(|wish| wish.deferred.as_ref());
    vec![
        ("holds", tell_held(&record.holds)),
        ("wish", wish.map(|wish| format!("{}{}", short_name(&wish.source.name), tell_by(wish.by)))),
        (
            "deferred",
            deferred.map(|deferred| format!("since {}: {}", short(deferred.since), deferred.reason)),
        ),
        ("attempts", wish.and_then(|wish| wish.failures.as_ref()).map(tell_failures)),
        ("seen", record.seen.map(short)),
        ("pin", record.pin.as_ref().map(|pin| short_name(&pin.backup))),
        ("restore failures", record.restore_failures.as_ref().map(tell_failures)),
        ("refused", record.refused.as_ref().map(short_name)),
        ("event lost", record.event_lost.as_ref().map(|lost| short_name(&lost.backup))),
        ("suspect", record.suspect.as_ref().map(|suspect| short(suspect.at))),
        ("ours", record.ours.then(|| "yes".into())),
        ("aside", record.aside.as_deref().map(tell_aside)),
        ("unseen ends", record.unseen_ends.as_ref().map(|ends| ends.count.to_string())),
    ]
}

fn tell_latch(latch: &FailedOver) -> String {
    let before: Vec<_> = latch.before.iter().map(|name| format!(", {name} before")).collect();
    format!("to {} since {}{}", latch.serving, short(latch.since), before.concat())
}

fn tell_served(served: &Served) -> String {
    let blind =
        served.blind_until.map_or_else(String::new, |until| format!(", blind until {}", short(until)));
    format!("{} at {}{blind}", served.by, short(served.read_at))
}

fn under_traffic(record: &Record) -> Option<Timestamp> {
    match &record.operation {
        Operation::Restore(run) => run.under_traffic,
        _ => None,
    }
}

fn tell_by(by: By) -> &'static str {
    match by {
        By::Automatic => "",
        By::Hand => " by hand",
    }
}

fn tell_failures(failures: &Failures) -> String {
    match failures.count {
        0 => "noted".into(),
        count => format!("{count}, again from {}", short(failures.next_attempt())),
    }
}

fn tell_held(holds: &Holds) -> Option<String> {
    match holds {
        Holds::Nothing => None,
        Holds::Unknown { backup, .. } => Some(format!("unknown after {}", short_name(backup))),
        Holds::Backup(held) => Some(match &held.compared {
            Compared::Verified => format!("{} verified", short_name(&held.backup)),
            Compared::Unverified { .. } => format!("{} unverified", short_name(&held.backup)),
            Compared::Mismatched { .. } => format!("{} mismatched", short_name(&held.backup)),
        }),
    }
}

fn tell_aside(aside: &Aside) -> String {
    match aside {
        Aside::After { backup, taking, .. } => {
            format!("{} of {}", tell_reading("inventory after", &taking.progress), short_name(backup))
        }
        Aside::Again { comparing, .. } => tell_reading("compared again", &comparing.progress),
    }
}

fn is_overdue(record: &Record) -> bool {
    match &record.operation {
        Operation::Idle => false,
        Operation::Backup(run) => run.overdue,
        Operation::Restore(run) => run.overdue,
    }
}

fn tell_closed(runs: &[ClosedRun]) -> Option<String> {
    let told: Vec<_> = runs
        .iter()
        .map(|run| format!("{:?} {}", run.outcome, short_name(&run.backup)).to_lowercase())
        .collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// What the one says otherwise than the other.
pub(crate) fn changes(before: &Facts, after: &Facts) -> Vec<String> {
    let changed = before.iter().zip(after).filter(|(before, after)| before != after);
    changed.map(|(_, (label, value))| format!("{label}: {}", value.as_deref().unwrap_or("-"))).collect()
}
