//! When a backup is due, and what somebody asked for.

use time::Duration;

use crate::domain::decision::{Context, Decision};
use crate::domain::event::{Event, EventName};
use crate::domain::observation::Action;
use crate::domain::record::{BackupWish, Failures, Operation, Record};
use crate::domain::vocabulary::Timestamp;

/// A backup asked for by hand that could not begin for this long is given up.
pub const WISH_LIFETIME: Duration = Duration::hours(1);

/// Takes in that somebody asked for a backup now.
pub fn wish(context: &Context, mut record: Record, now: Timestamp) -> Decision {
    let running = match &record.operation {
        Operation::Backup(run) => Some(run.clone()),
        Operation::Idle | Operation::Restore(_) => None,
    };
    // Before its claim a run goes no further once nothing asks for it, and then somebody still does.
    if !running.as_ref().is_some_and(|run| run.is_claimed()) {
        // What `resume` asked for is asked for still.
        let after_resume = record.backup_wish.as_ref().is_some_and(|wish| wish.after_resume);
        record.backup_wish = Some(BackupWish { by: context.invocation.clone(), at: now, after_resume });
    }
    if let Some(run) = running {
        let text = format!("{} is already under way; no second backup is begun beside it", run.name);
        return Decision::rest(record).telling_of(&run.name, EventName::BackupAlreadyRunning, text);
    }
    let text = format!("a backup of {} was asked for", context.service.name());
    Decision::rest(record).telling(Event::new(EventName::BackupWished, text))
}

/// Whether a backup shall begin now: somebody asked, the schedule asks, or there has never been one.
pub fn is_due(context: &Context, record: &Record, now: Timestamp) -> bool {
    if record.backup_wish.is_some() {
        return true;
    }
    let Some(occurrence) = occurrence(context, now) else { return false };
    let uncovered = record.covered.is_none_or(|covered| occurrence > covered);
    // A suspicious backup is proven too: where there are no others, one more at every tick would help nobody.
    let never = record.last_verified.is_none() && record.backups.is_empty();
    let wanted = uncovered || never || waits_since_resume(record);
    wanted && record.backup_failures.as_ref().is_none_or(|failures| may_retry(failures, occurrence, now))
}

/// After `resume` nothing older is restored by itself, so a backup stays due until one that began later is proven.
fn waits_since_resume(record: &Record) -> bool {
    let newest = record.backups.iter().map(|backup| backup.started_at).max();
    record.resumed_at.is_some_and(|resumed| newest.is_none_or(|newest| newest < resumed))
}

/// A new occurrence is not held up by what failed before it.
fn may_retry(failures: &Failures, occurrence: Timestamp, now: Timestamp) -> bool {
    failures.occurrence.is_none_or(|attempted| occurrence > attempted) || now >= failures.next_attempt()
}

pub(super) fn occurrence(context: &Context, now: Timestamp) -> Option<Timestamp> {
    context.schedule.as_ref()?.latest_at_or_before(now.get()).map(Timestamp::new)
}

/// Gives up a wish that waited too long. A backup that `resume` asked for waits for ever.
pub fn lapse(record: &Record, now: Timestamp) -> Option<Decision> {
    let wish = record.backup_wish.as_ref().filter(|wish| !wish.after_resume)?;
    if now < record.over_at(wish.at, WISH_LIFETIME) {
        return None;
    }
    let text = format!("the backup asked for at {} could not begin within an hour: ask again", wish.at);
    let mut record = record.clone();
    record.backup_wish = None;
    record.backup_failures = Some(Failures::noted(record.backup_failures, now, text.clone()));
    Some(Decision::act(record, Action::Again).telling(Event::new(EventName::BackupLapsed, text)))
}
