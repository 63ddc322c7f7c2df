//! `decide`: what becomes of a record, and what is done next. Save, then act.

use super::decision::{Context, Decision, Measure};
use super::event::{Event, EventName};
use super::observation::{Action, Looking, Observation, WriteOnce};
use super::record::{By, Operation, Record};
use super::vocabulary::Timestamp;
use super::{backup, deadline, failover, restore};

/// Decides on one service's record after one observation. Pure: equal arguments, equal decision.
pub fn decide(context: &Context, record: &Record, observation: &Observation, now: Timestamp) -> Decision {
    // An answer to a POST comes once, so it is taken in before anything else.
    let answered = matches!(observation, Observation::Answered { .. });
    let record = record.clone();
    // Whoever the settings do not name may be another deployment's.
    if record.primary != context.primary && context.handed_over && context.configured && !answered {
        return turn_roles(context, record, now);
    }
    if record.dry_run != context.dry_run && context.configured && !answered {
        return switch_dry_run(context, record, now);
    }
    let decision = match record.operation.clone() {
        Operation::Idle => idle(context, record, observation, now),
        Operation::Backup(run) => backup::decide(context, record, *run, (observation, now)),
        Operation::Restore(run) => restore::decide(context, record, *run, (observation, now)),
    };
    let decision = deadline::judge(decision, observation, now);
    if context.dry_run { without_effect(decision) } else { decision }
}

/// The settings name another primary than when this record was last driven: what was wished for
/// automatically belonged to the old order of things, and what is older than now stays where it is.
pub fn turn_roles(context: &Context, mut record: Record, now: Timestamp) -> Decision {
    let text = format!(
        "the primary was {} and is {} now; automatic wishes are dropped",
        record.primary, context.primary
    );
    record.primary = context.primary.clone();
    record.seen = Some(now);
    record.restore_wish.take_if(|wish| wish.by == By::Automatic);
    Decision::act(record, Action::Again).telling(Event::new(EventName::RolesChanged, text))
}

/// What a dry run held up is not late for that: its deadlines count from the moment it is switched off. What was read
/// before is too old by then to go on with.
fn switch_dry_run(context: &Context, mut record: Record, now: Timestamp) -> Decision {
    record.dry_run = context.dry_run;
    if !context.dry_run {
        record.deadlines_from = Some(now);
        record.read_anew(now);
        match &mut record.operation {
            Operation::Idle => {}
            Operation::Backup(run) => run.overdue = false,
            Operation::Restore(run) => run.overdue = false,
        }
    }
    Decision::act(record, Action::Again)
}

/// A due backup goes first, then a wished restore, then what is left to be written down.
fn idle(context: &Context, record: Record, observation: &Observation, now: Timestamp) -> Decision {
    match observation {
        Observation::Looked(looks) => match &looks.looking {
            Looking::ForBackup(_) if backup::is_due(context, &record, now) => {
                backup::begin(context, record, looks, now)
            }
            Looking::ForRestore(..) => restore::claim(context, record, looks, now),
            _ => Decision::rest(record),
        },
        Observation::Wrote(written) => note_history(record, written),
        // An answer that finds its claim gone, or undone by a save whose own reply was lost, begins nothing anew.
        Observation::TooLate | Observation::Answered { .. } => Decision::rest(record),
        _ if !context.configured => leave(record),
        _ => begin(context, record, now),
    }
}

/// A service that the settings no longer name begins nothing.
fn leave(record: Record) -> Decision {
    let action = write_history(&record);
    Decision::act(record, action)
}

fn begin(context: &Context, mut record: Record, now: Timestamp) -> Decision {
    if let Some(lapsed) = lapse(context, &record, now) {
        return lapsed;
    }
    if backup::is_due(context, &record, now) {
        return backup::look_first(context, record, now);
    }
    failover::drop_given_up(context, &mut record);
    // Which service the schedule backs up stands in the primary's record.
    let knows_what_is_due = context.measure != Measure::Unread;
    if record.restore_wish.is_none() && knows_what_is_due {
        // Nothing wants to begin, so nothing is kept waiting.
        record.busy_since = None;
    }
    match restore::look_first(context, record, now) {
        Decision { action: Action::Yield, record, events } => {
            Decision { action: write_history(&record), record, events }
        }
        decision => decision,
    }
}

/// Gives up a wish by hand that waited too long. One for a backup has its whole time after a dry run.
fn lapse(context: &Context, record: &Record, now: Timestamp) -> Option<Decision> {
    let backup = if context.dry_run { None } else { backup::lapse(record, now) };
    backup.or_else(|| restore::lapse(record, now))
}

/// The oldest closed run that the history lacks; the record forgets it once it is written.
pub(super) fn write_history(record: &Record) -> Action {
    match record.unwritten_history.first() {
        Some(run) => Action::WriteHistory {
            path: run.path(),
            bytes: serde_json::to_string_pretty(run).unwrap_or_default(),
        },
        None => Action::Yield,
    }
}

/// A history blob of the same second that says something else is left as it is: history is written once.
fn note_history(mut record: Record, written: &WriteOnce) -> Decision {
    if matches!(written, WriteOnce::NoAnswer(_)) || record.unwritten_history.is_empty() {
        return Decision::rest(record);
    }
    record.unwritten_history.remove(0);
    let next = write_history(&record);
    Decision::act(record, next)
}

/// In a dry run nothing leaves that changes anything.
fn without_effect(decision: Decision) -> Decision {
    let would = match &decision.action {
        Action::StartBackup(start) | Action::StartRestore(start) => {
            format!("would request {}", start.blob.backup)
        }
        Action::WriteManifest { at, .. } => format!("would write {}", at.backup.manifest()),
        _ => return decision,
    };
    let Decision { record, mut events, .. } = decision;
    events.push(Event::new(EventName::DryRun, would));
    Decision { record, events, action: Action::Yield }
}
