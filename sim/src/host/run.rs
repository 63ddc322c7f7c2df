//! A host left to itself: the timer on its schedule, the poller every ten seconds.

use std::ops::ControlFlow;

use time::{Duration, OffsetDateTime};

use super::{Host, Invocation, State};

/// How often the poller looks at the container while the app is warm.
const SCAN: Duration = Duration::seconds(10);

impl Host {
    /// Lets the host work until the clock shows `end`, `on_invocation` breaks, or the host shuts down. A
    /// manual clock jumps from event to event; a running one is waited for. The timer and the poller take
    /// turns.
    pub async fn run_until(
        &self,
        end: OffsetDateTime,
        mut on_invocation: impl FnMut(&Invocation) -> ControlFlow<()>,
    ) {
        let mut next_scan = self.inner.clock.now();
        while self.state() == State::Running {
            let next_tick = self.next_tick();
            let next = next_tick.map_or(next_scan, |tick| tick.min(next_scan));
            if next > end {
                self.inner.clock.reach(end).await;
                return;
            }
            self.inner.clock.reach(next).await;
            let ended = if next_tick == Some(next) { vec![self.tick().await] } else { self.scan().await };
            if next_tick != Some(next) {
                next_scan = self.inner.clock.now() + SCAN;
            }
            if ended.iter().any(|invocation| on_invocation(invocation).is_break()) {
                return;
            }
        }
    }
}
