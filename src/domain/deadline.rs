//! How long an operation may take, and what is said of one that takes longer.

use time::Duration;

use super::decision::Decision;
use super::event::{Event, EventName};
use super::observation::{Action, Observation};
use super::record::{Operation, Record};
use super::vocabulary::Timestamp;

/// A backup that runs longer raises an alarm. Recorded: 11 min for an empty service; a large Premium
/// takes longer, and what takes 4 h has most likely hung.
pub const BACKUP_DEADLINE: Duration = Duration::hours(4);

/// A restore that runs longer raises an alarm. Recorded: 19 min for an empty service; a large Premium
/// takes longer, and what takes 6 h has most likely hung.
pub const RESTORE_DEADLINE: Duration = Duration::hours(6);

impl Record {
    /// When what began at `began` has taken longer than `allowed`. What a dry run may have held up is given
    /// its whole time anew when that is switched off.
    pub fn over_at(&self, began: Timestamp, allowed: Duration) -> Timestamp {
        self.deadlines_from.map_or(began, |from| from.max(began)) + allowed
    }

    /// Whether the open operation, if there is one, is past its deadline.
    pub fn is_past_deadline(&self, now: Timestamp) -> bool {
        match &self.operation {
            Operation::Idle => false,
            Operation::Backup(run) => now >= self.over_at(run.started_at, BACKUP_DEADLINE),
            Operation::Restore(run) => now >= self.over_at(run.started_at, RESTORE_DEADLINE),
        }
    }
}

/// Says, once, that an operation is open past its deadline: after all that this invocation could ask, and
/// whatever phase it is in.
pub fn judge(mut decision: Decision, observation: &Observation, now: Timestamp) -> Decision {
    let asked = !matches!(observation, Observation::Resumed | Observation::TooLate);
    let settled = matches!(decision.action, Action::Yield | Action::Stop(_));
    if !asked || !settled || !decision.record.is_past_deadline(now) {
        return decision;
    }
    let (overdue, event) = match &mut decision.record.operation {
        Operation::Idle => return decision,
        Operation::Backup(run) => {
            let text = overdue_since(run.started_at, "4 h; it is followed on");
            (&mut run.overdue, Event::of(&run.name, EventName::BackupOverdue, text))
        }
        Operation::Restore(run) => {
            let text = overdue_since(run.started_at, "6 h; it is followed on and holds up no other service");
            (&mut run.overdue, Event::of(&run.source.name, EventName::RestoreOverdue, text))
        }
    };
    if !std::mem::replace(overdue, true) {
        decision.events.push(event);
    }
    decision
}

fn overdue_since(began: Timestamp, deadline: &str) -> String {
    format!(
        "under way since {began} and past its deadline of {deadline}. A service that never leaves Updating can be \
         freed by Azure support alone: open a request"
    )
}
