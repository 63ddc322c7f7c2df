//! The time of one invocation: the host's own `sys.UtcNow` plus what has elapsed since.

use std::sync::Arc;

use time::Duration;

use crate::domain::vocabulary::Timestamp;

/// After this long an invocation does nothing new: it leaves room for one slow request and the save
/// before the host's limit of 5 min, at which every call in the process is killed.
pub const LAST_NEW_ACTION: Duration = Duration::seconds(120);

/// After this long a crawl begins nothing new, so that what it has read is saved by the time of
/// [`LAST_NEW_ACTION`]. The tick that fires then goes on from there at once, with what Resource Manager has let
/// gather meanwhile: nothing is lost by stopping.
pub const LAST_CRAWLED: Duration = Duration::seconds(110);

/// What a crawl has begun it may finish until then.
pub const LAST_READ: Duration = Duration::seconds(116);

/// Until then an alert may leave: its receiver has 10 s, and what became of it is saved before the host's limit of 5 min.
/// While Resource Manager is silent an invocation is late whenever it comes to this, and somebody has to be told.
pub const LAST_DELIVERED: Duration = Duration::seconds(210);

/// Looks older than this do not allow a POST.
pub const OLDEST_LOOK: Duration = Duration::seconds(30);

/// Says how much time has passed since it was made, suspend included.
pub type Stopwatch = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The clock of one invocation.
#[derive(Clone)]
pub struct InvocationClock {
    began: Timestamp,
    elapsed: Stopwatch,
}

impl InvocationClock {
    /// A clock that shows `began` now and goes on by `stopwatch`.
    pub fn new(began: Timestamp, stopwatch: Stopwatch) -> Self {
        Self { began, elapsed: stopwatch }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        Timestamp::new((self.began + (self.elapsed)()).get())
    }

    /// Whether the invocation has begun too long ago to do anything new.
    pub fn is_late(&self) -> bool {
        (self.elapsed)() >= LAST_NEW_ACTION
    }

    /// Whether a crawl may begin to read something more.
    pub fn allows_crawl(&self) -> bool {
        (self.elapsed)() < LAST_CRAWLED
    }

    /// Whether a crawl may go on with what it has begun.
    pub fn allows_read(&self) -> bool {
        (self.elapsed)() < LAST_READ
    }

    /// Whether an alert may leave.
    pub fn allows_delivery(&self) -> bool {
        (self.elapsed)() < LAST_DELIVERED
    }

    /// Whether looks taken at `looked_at` still allow a POST.
    pub fn allows_post(&self, looked_at: Timestamp) -> bool {
        !self.is_late() && self.now() - looked_at <= OLDEST_LOOK
    }
}

/// Starts a stopwatch that a suspended machine does not stop: the host's time limit goes on too.
#[cfg(unix)]
pub fn start_stopwatch() -> Stopwatch {
    let read = || {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(now.tv_sec, i32::try_from(now.tv_nsec).unwrap_or_default())
    };
    let started = read();
    Arc::new(move || read() - started)
}

/// Starts a stopwatch. Windows' monotonic clock goes on while the machine sleeps.
#[cfg(not(unix))]
#[expect(
    clippy::disallowed_methods,
    reason = "an invocation's stopwatch is the one lawful use of this clock"
)]
pub fn start_stopwatch() -> Stopwatch {
    let started = std::time::Instant::now();
    Arc::new(move || Duration::try_from(started.elapsed()).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_that_may_begin_nothing_new_may_still_tell_somebody() {
        let after = |seconds| {
            let began = Timestamp::new(time::OffsetDateTime::UNIX_EPOCH);
            InvocationClock::new(began, Arc::new(move || Duration::seconds(seconds)))
        };
        // Resource Manager was silent for three requests of 45 s each.
        assert!(after(135).is_late() && after(135).allows_delivery());
        assert!(!after(210).allows_delivery());
    }
}
