//! Conditions of backups.

use time::Duration;

use super::{Condition, ConditionKind, View};
use crate::domain::deadline::BACKUP_DEADLINE;
use crate::domain::manifest::BACKUP_LIFETIME;
use crate::domain::record::{Failures, Operation, Record};
use crate::domain::vocabulary::{Timestamp, in_words};

/// How long the first backup may take to be verified.
const FIRST_BACKUP: Duration = Duration::hours(4);

/// How long before its end a backup is worth an alarm: time enough to find out why there is no newer one.
const BEFORE_EXPIRY: Duration = Duration::days(7);

/// For how long Azure may call a service busy before somebody should look.
const LONG_BUSY: Duration = Duration::hours(4);

pub(super) fn conditions(view: &View<'_>, now: Timestamp) -> Vec<Condition> {
    let mut found: Vec<_> = missing(view, now).into_iter().chain(expiring(view, now)).collect();
    for record in &view.records {
        let is_named = view.is_named(record);
        found.extend(overdue(record).or_else(|| failing(view, record).filter(|_| is_named)));
        if is_named {
            found.extend(suspicious(record));
            found.extend(busy(record, now));
        }
    }
    found
}

/// Only the service that the schedule backs up can miss a backup: the primary, or while failed over the one that serves.
fn missing(view: &View<'_>, now: Timestamp) -> Option<Condition> {
    let record = view.record(&view.situation.backed_up)?;
    let service = record.service.name();
    let (late_since, fact) = match &record.last_verified {
        Some(last) => {
            let target = in_words(view.promise.rpo_target);
            let fact = format!(
                "the last verified backup of {service} is {}, begun at {}, which is longer ago than RPO_TARGET ({target})",
                last.name, last.started_at
            );
            (last.started_at + view.promise.rpo_target, fact)
        }
        None => {
            let since = waiting_since(view, record);
            (
                since + FIRST_BACKUP,
                format!("{service} has no verified backup, and has been waiting for one since {since}"),
            )
        }
    };
    let next = match &record.backup_failures {
        Some(_) => "BackupFailing says what goes wrong",
        None => {
            "see in the status what runs or waits; to ask for a backup now, run BackupTimer with any input or `apim-dr backup`"
        }
    };
    (now > late_since)
        .then(|| Condition::of(ConditionKind::BackupMissing, &service, fact, next).since(late_since))
}

/// A secondary is backed up only since it began to serve.
fn waiting_since(view: &View<'_>, record: &Record) -> Timestamp {
    let failed_over = view.situation.failed_over.as_ref().map(|latch| latch.since);
    failed_over.unwrap_or(record.first_driven).max(record.first_driven)
}

fn expiring(view: &View<'_>, now: Timestamp) -> Option<Condition> {
    let record = view.record(&view.situation.backed_up)?;
    let newest = record.newest_accepted()?;
    let expires_at = newest.started_at + BACKUP_LIFETIME;
    let soon = expires_at + -BEFORE_EXPIRY;
    let fact = format!(
        "{} is the newest backup of {} that may be restored, and API Management refuses it after {expires_at}",
        newest.name,
        record.service.name()
    );
    let next = "find out why there is no newer one: after that time there is nothing to restore";
    (now >= soon)
        .then(|| Condition::of(ConditionKind::BackupExpiring, &record.service.name(), fact, next).since(soon))
}

fn overdue(record: &Record) -> Option<Condition> {
    let Operation::Backup(run) = &record.operation else { return None };
    let service = record.service.name();
    let fact = format!(
        "the backup {} has been under way since {} and is past its deadline",
        run.name, run.started_at
    );
    let next = "a service that never leaves Updating can be freed by Azure support alone: open a request";
    let since = run.started_at + BACKUP_DEADLINE;
    run.overdue.then(|| Condition::of(ConditionKind::BackupFailing, &service, fact, next).since(since))
}

/// A service that the schedule does not back up (any more) is tried again only where somebody wishes for it.
fn failing(view: &View<'_>, record: &Record) -> Option<Condition> {
    let service = record.service.name();
    let is_tried = service == view.situation.backed_up || record.backup_wish.is_some();
    let failures =
        record.backup_failures.as_ref().filter(|failures| is_tried || !view.is_overtaken(failures))?;
    let next = "mend what Azure names; while a backup is due it is tried again by itself, or run BackupTimer with any input";
    Some(Condition::of(ConditionKind::BackupFailing, &service, told(failures), next).since(failures.since))
}

/// What went wrong last, and how often before.
pub(super) fn told(failures: &Failures) -> String {
    match failures.count {
        0 | 1 => format!("at {}: {}", failures.last, failures.what),
        count => {
            format!("{count} attempts in a row failed, the last at {}: {}", failures.last, failures.what)
        }
    }
}

fn suspicious(record: &Record) -> Option<Condition> {
    let newest = record.backups.iter().max_by_key(|backup| backup.started_at)?;
    let why = newest.suspicious.as_ref().filter(|_| !newest.accepted)?;
    let fact = format!("{}: {why}", newest.name);
    let next = "look at the service. If it is as it should be, restore this backup by hand, which accepts it; if it is not, \
                mend it: older backups stand";
    let service = record.service.name();
    Some(Condition::of(ConditionKind::BackupSuspicious, &service, fact, next).since(newest.completed_at))
}

fn busy(record: &Record, now: Timestamp) -> Option<Condition> {
    let since = record.busy_since.filter(|since| now - *since >= LONG_BUSY)?;
    let service = record.service.name();
    let fact =
        format!("Azure has been answering since {since} that {service} is busy, and nothing can begin");
    let next = "see in the activity log who changes the service; one that never leaves Updating can be freed by Azure support alone";
    Some(Condition::of(ConditionKind::ServiceBusy, &service, fact, next).since(since + LONG_BUSY))
}
