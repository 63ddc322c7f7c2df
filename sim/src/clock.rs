//! The simulator's time: a knob for tests and demos, the runtime's own time for whole simulations, or the wall
//! clock at a chosen speed for people.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use time::{Duration, OffsetDateTime};

/// A shared clock. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<Hand>>);

#[derive(Debug)]
enum Hand {
    /// Stands still until it is moved.
    Manual(OffsetDateTime),
    /// Runs from `start`, `speed` simulated seconds for each real one.
    Running { start: OffsetDateTime, since: Instant, speed: f64 },
    /// Runs from `start` by tokio's time, which a test can pause.
    Runtime { start: OffsetDateTime, since: tokio::time::Instant },
}

impl Clock {
    /// A clock that stands at `start` until [`Clock::advance`] or [`Clock::set`] moves it.
    pub fn manual(start: OffsetDateTime) -> Self {
        Self(Arc::new(Mutex::new(Hand::Manual(start))))
    }

    /// A clock that begins at the real time and runs `speed` times as fast.
    pub fn running(speed: f64) -> Self {
        let hand = Hand::Running { start: OffsetDateTime::now_utc(), since: Instant::now(), speed };
        Self(Arc::new(Mutex::new(hand)))
    }

    /// A clock that begins at `start` and runs by tokio's time. Where that is paused, waiting moves it and
    /// nothing else does, so a simulation of years takes seconds and repeats itself.
    pub fn of_runtime(start: OffsetDateTime) -> Self {
        let hand = Hand::Runtime { start, since: tokio::time::Instant::now() };
        Self(Arc::new(Mutex::new(hand)))
    }

    /// The simulated time, UTC.
    pub fn now(&self) -> OffsetDateTime {
        match &*self.hand() {
            Hand::Manual(now) => *now,
            Hand::Running { start, since, speed } => *start + since.elapsed().mul_f64(*speed),
            Hand::Runtime { start, since } => *start + since.elapsed(),
        }
    }

    /// Moves the clock forward by `by`.
    pub fn advance(&self, by: Duration) {
        match &mut *self.hand() {
            Hand::Manual(now) => *now += by,
            Hand::Running { start, .. } | Hand::Runtime { start, .. } => *start += by,
        }
    }

    /// Sets a manual clock, or moves a running one so that it shows `to` now.
    pub fn set(&self, to: OffsetDateTime) {
        let by = to - self.now();
        self.advance(by);
    }

    /// Returns once the clock shows at least `at`: sets a manual clock, waits for a running one.
    pub async fn reach(&self, at: OffsetDateTime) {
        loop {
            let left = at - self.now();
            if !left.is_positive() {
                return;
            }
            let speed = match &mut *self.hand() {
                Hand::Manual(now) => {
                    *now = at;
                    return;
                }
                Hand::Running { speed, .. } => *speed,
                Hand::Runtime { .. } => 1.0,
            };
            // The clock is looked at again every second, in case somebody moves it.
            let wait = left.as_seconds_f64() / speed;
            tokio::time::sleep(std::time::Duration::from_secs_f64(wait.clamp(0.001, 1.0))).await;
        }
    }

    fn hand(&self) -> std::sync::MutexGuard<'_, Hand> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_clock_of_the_runtime_moves_with_it_and_by_hand() {
        let clock = Clock::of_runtime(OffsetDateTime::UNIX_EPOCH);
        let seconds = || (clock.now() - OffsetDateTime::UNIX_EPOCH).whole_seconds();
        tokio::time::sleep(std::time::Duration::from_secs(90)).await;
        assert_eq!(seconds(), 90);
        clock.advance(Duration::HOUR);
        assert_eq!(seconds(), 3_690);
        clock.reach(OffsetDateTime::UNIX_EPOCH + Duration::hours(2)).await;
        assert_eq!(seconds(), 7_200);
    }
}
