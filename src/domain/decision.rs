//! What a decision is made from besides the record, and what it consists of.

use time::Duration;

use super::event::{Event, EventName};
use super::id::{ServiceId, ServiceName};
use super::inventory::{Counts, Depth};
use super::observation::Action;
use super::record::{Claim, ClosedRun, FailedOver, Failures, RecentRun, Record};
use super::schedule::Schedule;
use super::serving::Serving;
use super::vocabulary::{BackupName, Container, InvocationId, Timestamp};

/// How many runs of each kind a chart shows.
const RECENT_RUNS: usize = 30;

/// What one invocation knows of one service beside its record: the settings, and who serves.
#[derive(Clone, Debug)]
pub struct Context {
    pub invocation: InvocationId,
    pub service: ServiceId,
    /// The primary by the settings.
    pub primary: ServiceName,
    /// Where backups go.
    pub container: Container,
    pub api_version: String,
    /// The schedule, if it is this service that the schedule backs up.
    pub schedule: Option<Schedule>,
    /// Who serves, as this invocation read it first.
    pub serving: Serving,
    /// The failover latch, as the primary's record held it.
    pub failed_over: Option<FailedOver>,
    /// The last `resume`, by the primary's record.
    pub resumed_at: Option<Timestamp>,
    /// Up to when nobody may have watched who serves: the end of the newest time in which no read said so for more than
    /// 10 min in a row.
    pub blind_until: Option<Timestamp>,
    /// What the record of a former primary says of a failover stands in the primary's. No role is turned before that.
    pub handed_over: bool,
    /// How much of a service an inventory covers.
    pub depth: Depth,
    /// What a new backup is measured by where the service has no accepted one of its own that has an inventory.
    pub measure: Measure,
    /// This pass over the services may take the time to read what they hold.
    pub may_read: bool,
    /// The settings name this service. One they no longer name is driven to the end of what it is in.
    pub configured: bool,
    pub dry_run: bool,
    /// How long a manifest is kept.
    pub retention: Duration,
    /// The storage service's own time when the record was loaded.
    pub storage_time: Timestamp,
}

/// What one invocation knows beside the settings and the record at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Situation {
    /// Who serves, by the invocation's newest read.
    pub serving: Serving,
    /// The service that the schedule backs up, and that a backup now means.
    pub backed_up: ServiceName,
    /// The failover latch, by the primary's record.
    pub failed_over: Option<FailedOver>,
    /// The last `resume`, by the primary's record.
    pub resumed_at: Option<Timestamp>,
    /// Up to when nobody may have watched who serves, by the primary's record.
    pub blind_until: Option<Timestamp>,
    /// What the records that are still followed say of a failover stands in the primary's.
    pub handed_over: bool,
    /// What the primary's newest accepted backup counted.
    pub measure: Measure,
}

/// What the newest accepted backup of the primary that has an inventory counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The primary's record could not be read, and nobody knows.
    Unread,
    /// There is no such backup.
    Nothing,
    Of(Counts),
}

impl From<Option<Counts>> for Measure {
    fn from(counts: Option<Counts>) -> Self {
        counts.map_or(Self::Nothing, Self::Of)
    }
}

impl Context {
    /// A claim of this invocation.
    pub fn claim(&self, now: Timestamp) -> Claim {
        Claim { by: self.invocation.clone(), at: now, taken_over: false }
    }

    /// Whether this is the primary.
    pub fn is_primary(&self) -> bool {
        self.service.name() == self.primary
    }
}

/// The record as it shall be saved, what is then worth telling, and what is then done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub record: Record,
    pub events: Vec<Event>,
    pub action: Action,
}

impl Decision {
    /// Saves `record` if it changed, then does `action`.
    pub fn act(record: Record, action: Action) -> Self {
        Self { record, events: Vec::new(), action }
    }

    /// Saves `record` if it changed; nothing more in this invocation.
    pub fn rest(record: Record) -> Self {
        Self::act(record, Action::Yield)
    }

    /// Adds what is told once the record is saved.
    pub fn telling(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    /// Adds what is told, if there is anything, once the record is saved.
    pub fn telling_all(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        self.events.extend(events);
        self
    }

    /// Adds what is told of a backup once the record is saved.
    pub fn telling_of(self, backup: &BackupName, name: EventName, text: impl Into<String>) -> Self {
        self.telling(Event::of(backup, name, text))
    }
}

impl Record {
    /// Notes a closed run for the history.
    pub fn close(&mut self, run: ClosedRun) {
        self.operation = super::record::Operation::Idle;
        self.remember(&run);
        self.unwritten_history.push(run);
    }

    fn remember(&mut self, run: &ClosedRun) {
        let ClosedRun { kind, started_at, ended_at, outcome, .. } = *run;
        self.recent_runs.push(RecentRun { kind, started_at, ended_at, outcome });
        let of_kind = self.recent_runs.iter().filter(|recent| recent.kind == kind).count();
        if of_kind > RECENT_RUNS
            && let Some(oldest) = self.recent_runs.iter().position(|recent| recent.kind == kind)
        {
            self.recent_runs.remove(oldest);
        }
    }
}

impl Failures {
    /// One more failure at `now`, after those in `earlier`.
    pub fn after(earlier: Option<Self>, now: Timestamp, what: String) -> Self {
        let (count, since) = earlier.map_or((0, now), |failures| (failures.count, failures.since));
        Self { count: count + 1, since, last: now, attempted: Some(now), occurrence: None, what }
    }

    /// Something that went wrong without being an attempt: it is told, and delays nothing.
    pub fn noted(earlier: Option<Self>, now: Timestamp, what: String) -> Self {
        match earlier {
            Some(failures) => Self { last: now, what, ..failures },
            None => Self { count: 0, since: now, last: now, attempted: None, occurrence: None, what },
        }
    }

    /// The earliest next attempt: after 5 min, 15 min, 1 h, then every 6 h.
    pub fn next_attempt(&self) -> Timestamp {
        let minutes = match self.count {
            0 => 0,
            1 => 5,
            2 => 15,
            3 => 60,
            _ => 360,
        };
        self.attempted.unwrap_or(self.since) + Duration::minutes(minutes)
    }
}
