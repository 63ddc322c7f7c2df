//! The timer: when it fires, what it tells, what the host remembers of it.

use std::sync::Arc;

use serde_json::Map;
use time::{Duration, OffsetDateTime};

use super::function::{Function, TimerTrigger, Trigger};
use super::invocation::Invocation;
use super::invoke::Call;
use super::{Host, Inner, envelope};

/// The situations in which the host calls a timer's function by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerCase {
    /// On time: `Next` is this occurrence.
    Scheduled,
    /// Never run before: `Last` is in the year 1.
    First,
    /// The host was down at an occurrence: `Next` is the one that was missed, `IsPastDue` is true.
    PastDue,
    /// The run before was still going on at an occurrence: `Next` is in the past, `IsPastDue` is false.
    Overran,
    /// `runOnStartup`: `Next` is in the future.
    OnStartup,
}

/// What the host stores of a timer, and tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    /// `None` before the first run.
    pub(super) last: Option<OffsetDateTime>,
    pub(super) next: OffsetDateTime,
    pub(super) last_updated: Option<OffsetDateTime>,
    /// When the run ended that wrote this.
    pub(super) ended: OffsetDateTime,
    /// Whether this host, not one before it, wrote this.
    pub(super) fired_since_start: bool,
}

/// The value that the trigger passes.
pub(super) struct TimerInfo {
    pub(super) status: Option<Status>,
    pub(super) is_past_due: bool,
}

/// How far ahead of its occurrence a call may come.
const AHEAD: Duration = Duration::SECOND;

impl Host {
    /// Fires the timer now, as its listener would: for the first time, past due if this host finds an
    /// occurrence that was missed while no host ran, catching up if the last run took too long, and
    /// otherwise on time. Calls of one app's timer follow each other.
    pub async fn tick(&self) -> Invocation {
        self.inner.listener_run(None).await
    }

    /// Fires the timer now as if it were that case.
    pub async fn fire(&self, case: TimerCase) -> Invocation {
        self.inner.listener_run(Some(case)).await
    }

    /// When the timer is due next by its schedule and the last run, or `None` if there is no timer.
    pub fn next_tick(&self) -> Option<OffsetDateTime> {
        let (function, timer) = self.inner.find_timer().ok()?;
        match self.inner.memory.timer(&function.name) {
            Some(status) => Some(status.next),
            None => timer.schedule.next(self.inner.clock.now() - Duration::NANOSECOND),
        }
    }
}

impl Inner {
    async fn listener_run(self: &Arc<Self>, case: Option<TimerCase>) -> Invocation {
        let (function, timer) = match self.find_timer() {
            Ok(found) => found,
            Err((name, why)) => return self.not_invoked(&name, "timer", why),
        };
        let _lock = self.memory.timer_lock().await;
        let case = case.unwrap_or_else(|| self.natural_case(&function.name));
        self.run_timer(function, timer, case).await
    }

    fn find_timer(&self) -> Result<(&Function, &TimerTrigger), (String, String)> {
        if let Some(why) = &self.app.no_listeners {
            return Err((String::new(), why.clone()));
        }
        let mut disabled = (String::new(), "the app has no timer".to_owned());
        for function in &self.app.functions {
            match &function.trigger {
                Ok(Trigger::Timer(timer)) => return Ok((function, timer)),
                Err(why) => disabled = (function.name.clone(), format!("the function is disabled: {why}")),
                Ok(Trigger::Blob(_)) => {}
            }
        }
        Err(disabled)
    }

    fn natural_case(&self, function: &str) -> TimerCase {
        let now = self.clock.now();
        match self.memory.timer(function) {
            None => TimerCase::First,
            Some(status) if !status.fired_since_start && status.next < now - AHEAD => TimerCase::PastDue,
            Some(status) if status.fired_since_start && status.ended > status.next => TimerCase::Overran,
            Some(_) => TimerCase::Scheduled,
        }
    }

    async fn run_timer(
        self: &Arc<Self>,
        function: &Function,
        timer: &TimerTrigger,
        case: TimerCase,
    ) -> Invocation {
        let begun = self.clock.now();
        let stored = self.memory.timer(&function.name);
        let told = told(timer, case, stored, begun);
        let cause = match case {
            TimerCase::Scheduled => "timer",
            TimerCase::First => "timer, first run",
            TimerCase::PastDue => "timer, past due",
            TimerCase::Overran => "timer, after an overrun",
            TimerCase::OnStartup => "timer, on start-up",
        };
        let on_time = matches!(case, TimerCase::Scheduled | TimerCase::First);
        let last = if on_time { begun.max(told.next) } else { begun };
        let info =
            TimerInfo { status: timer.monitored.then_some(told), is_past_due: case == TimerCase::PastDue };
        let invocation = self.invoke(timer_call(function, timer, &info, cause)).await;
        self.memory.set_timer(&function.name, self.after_run(timer, last));
        invocation
    }

    /// The status after a run, whether it failed or not: a failed one is not repeated.
    fn after_run(&self, timer: &TimerTrigger, last: OffsetDateTime) -> Status {
        Status {
            last: Some(last),
            next: timer.schedule.next(last).unwrap_or(last),
            last_updated: Some(last),
            ended: self.clock.now(),
            fired_since_start: true,
        }
    }

    /// The call of a timer's function by hand. Its status is shown and not changed, and the lock ignored.
    pub(super) fn manual_timer_call(&self, function: &Function, timer: &TimerTrigger) -> Call {
        let stored = self.memory.timer(&function.name);
        let told = told(timer, TimerCase::OnStartup, stored, self.clock.now());
        let info = TimerInfo { status: timer.monitored.then_some(told), is_past_due: false };
        timer_call(function, timer, &info, "by hand")
    }
}

/// The status as the trigger passes it.
fn told(timer: &TimerTrigger, case: TimerCase, stored: Option<Status>, now: OffsetDateTime) -> Status {
    let never = Status { last: None, next: now, last_updated: None, ended: now, fired_since_start: false };
    let stored = match case {
        TimerCase::First => never,
        _ => stored.unwrap_or(never),
    };
    let future = timer.schedule.next(now).unwrap_or(now);
    let this = if future - now <= AHEAD { future } else { timer.schedule.last(now).unwrap_or(now) };
    let next = match case {
        TimerCase::Scheduled | TimerCase::First => this,
        TimerCase::OnStartup => future,
        // The occurrence after the last run is the one that was missed.
        TimerCase::PastDue | TimerCase::Overran => {
            stored.last.and_then(|last| timer.schedule.next(last)).unwrap_or(this)
        }
    };
    Status { next, ..stored }
}

fn timer_call(function: &Function, timer: &TimerTrigger, info: &TimerInfo, cause: &str) -> Call {
    Call {
        function: function.name.clone(),
        cause: cause.to_owned(),
        data: Map::from_iter([(timer.binding.clone(), envelope::timer(info))]),
        metadata: Map::new(),
    }
}
