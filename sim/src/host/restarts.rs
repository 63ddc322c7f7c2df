//! When the host stops restarting its handler.

use time::{Duration, OffsetDateTime};

/// The error that is one too many.
const MOST: usize = 3;

/// Errors further apart than this have nothing to do with each other.
const GAP: Duration = Duration::minutes(30);

/// The handler's errors since the last long gap.
#[derive(Default)]
pub(super) struct Restarts(Vec<OffsetDateTime>);

impl Restarts {
    /// Counts an error. True: it is one too many, and the host shuts down.
    pub(super) fn exceeded_by_error(&mut self, at: OffsetDateTime) -> bool {
        if self.0.last().is_some_and(|last| at - *last > GAP) {
            self.0.clear();
        }
        self.0.push(at);
        self.0.len() >= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_third_error_without_a_long_gap_is_one_too_many() {
        let mut restarts = Restarts::default();
        let start = datetime!(2026-03-01 02:00 UTC);
        assert!(!restarts.exceeded_by_error(start));
        assert!(!restarts.exceeded_by_error(start + Duration::minutes(30)));
        assert!(restarts.exceeded_by_error(start + Duration::minutes(60)));
    }

    #[test]
    fn a_long_gap_starts_the_count_anew() {
        let mut restarts = Restarts::default();
        let start = datetime!(2026-03-01 02:00 UTC);
        for hours in 0..10 {
            assert!(!restarts.exceeded_by_error(start + Duration::hours(hours)));
        }
        assert!(!restarts.exceeded_by_error(start + Duration::hours(9) + Duration::SECOND));
        assert!(restarts.exceeded_by_error(start + Duration::hours(9) + Duration::minutes(1)));
    }
}
