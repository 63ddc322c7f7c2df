//! Events get lost: a manifest that no wish has taken up after a while is taken up by a tick.

use time::Duration;

use super::record::{By, KnownBackup, Operation, Record};
use super::vocabulary::Timestamp;

/// How long a manifest's event may take. The host's scan takes 10 s at most while a minute timer keeps
/// the app warm; the rest is for a queue that is slow.
pub const EVENT_PATIENCE: Duration = Duration::minutes(3);

/// The backup in `source` that `target` should have been offered by now: the newest accepted one, if it
/// is newer than all that were taken up there.
pub fn missed<'a>(source: &'a Record, target: &Record, now: Timestamp) -> Option<&'a KnownBackup> {
    let newest = source.newest_accepted()?;
    let unseen = target.seen.is_none_or(|seen| newest.started_at > seen);
    let overdue = now - newest.completed_at >= EVENT_PATIENCE;
    let by_hand = target.restore_wish.as_ref().is_some_and(|wish| wish.by == By::Hand);
    let refused = target.refused.as_ref() == Some(&newest.name);
    let given_up = source.resumed_at.is_some_and(|resumed| newest.started_at < resumed);
    let held = super::gate::already_held(target, &newest.name);
    (unseen && overdue && !by_hand && !refused && !given_up && !held).then_some(newest)
}

/// A target's place in the order in which targets are driven: one that is being restored before all, for its end
/// makes room for another; then one that a person waits for, whose word lapses after a while; then the one that holds the
/// oldest backup, one that holds nothing known before it.
pub fn turn(target: &Record) -> (bool, bool, Option<Timestamp>) {
    let is_waiting = !matches!(target.operation, Operation::Restore(_));
    let by_itself = target.restore_wish.as_ref().is_none_or(|wish| wish.by == By::Automatic);
    (is_waiting, by_itself, target.holds.begun_at())
}
