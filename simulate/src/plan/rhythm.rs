//! When backups are due, in a form that an observer can reckon with without reading NCRONTAB.

use time::{Duration, OffsetDateTime, Time};

use crate::draws::Draws;

/// One occurrence in every `period`, `offset` after its beginning; periods are counted from midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rhythm {
    pub(crate) text: &'static str,
    pub(crate) period: Duration,
    offset: Duration,
}

const RHYTHMS: [(u32, Rhythm); 5] = [
    (4, Rhythm::of("0 17 * * * *", Duration::HOUR, Duration::minutes(17))),
    (3, Rhythm::of("30 5 */2 * * *", Duration::hours(2), Duration::seconds(330))),
    (2, Rhythm::of("0 */6 * * *", Duration::hours(6), Duration::ZERO)),
    (1, Rhythm::of("0 0 2 * * *", Duration::DAY, Duration::hours(2))),
    (1, Rhythm::of("45 13 * * *", Duration::DAY, Duration::minutes(13 * 60 + 45))),
];

impl Rhythm {
    const fn of(text: &'static str, period: Duration, offset: Duration) -> Self {
        Self { text, period, offset }
    }

    pub(super) fn drawn(draws: &mut Draws) -> Self {
        draws.weighted(&RHYTHMS)
    }

    /// The newest occurrence that `now` has reached.
    pub(crate) fn latest(&self, now: OffsetDateTime) -> OffsetDateTime {
        let since_midnight = now - now.replace_time(Time::MIDNIGHT);
        let into_period = (since_midnight - self.offset).whole_milliseconds();
        let over = into_period.rem_euclid(self.period.whole_milliseconds());
        let over = Duration::milliseconds(i64::try_from(over).unwrap_or_default());
        let whole = now - over;
        whole.replace_nanosecond(0).unwrap_or(whole)
    }
}

#[cfg(test)]
mod tests {
    use apim_dr::domain::schedule::Schedule;

    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_rhythm_is_its_schedule() {
        for (_, rhythm) in RHYTHMS {
            let schedule = Schedule::parse(rhythm.text).unwrap();
            let mut now = datetime!(2026-03-02 00:00:01.25 UTC);
            for _ in 0..500 {
                assert_eq!(schedule.latest_at_or_before(now), Some(rhythm.latest(now)), "{now} {rhythm:?}");
                now += Duration::seconds(997);
            }
        }
    }
}
