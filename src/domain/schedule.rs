//! When backups are due: NCRONTAB expressions, as Azure Functions' timers use them, read in UTC.
//!
//! Five fields (minute, hour, day of month, month, day of week) or six with the second before them. A day
//! counts only if day of month **and** day of week allow it, as in NCrontab and unlike Unix cron. Where
//! NCrontab accepts what can only be a slip (a reversed range, which it silently swaps, or a step of 0), this
//! refuses and says what to write.

use std::fmt;

use time::{Date, Duration, Month, OffsetDateTime, Time, UtcOffset};

use field::{DAY, HOUR, MINUTE, MONTH, SECOND, Values, WEEKDAY};

mod field;

/// Longer than any two occurrences of one schedule lie apart: 29 February on a given day of the week skips
/// 40 years around a century that is no leap year.
const LONGEST_SEARCH: Duration = Duration::days(41 * 366);

/// Two occurrences of any 29 February on a given day of the week fall into this many years after 2000.
const YEARS_OF_GAPS: i32 = 60;

/// A parsed schedule. `Display` gives back the text it was parsed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    second: Values,
    minute: Values,
    hour: Values,
    day: Values,
    month: Values,
    weekday: Values,
}

impl Schedule {
    /// Reads five or six fields. Fails with the field at fault and what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let [second, minute, hour, day, month, weekday] = match words[..] {
            [minute, hour, day, month, weekday] => ["0", minute, hour, day, month, weekday],
            [second, minute, hour, day, month, weekday] => [second, minute, hour, day, month, weekday],
            _ => {
                return Err(format!(
                    "{text:?} has {} fields: write six, second minute hour day month weekday, such as \
                     0 0 2 * * * for 02:00 UTC every day",
                    words.len()
                ));
            }
        };
        let schedule = Self {
            second: SECOND.parse(second)?,
            minute: MINUTE.parse(minute)?,
            hour: HOUR.parse(hour)?,
            day: DAY.parse(day)?,
            month: MONTH.parse(month)?,
            weekday: WEEKDAY.parse(weekday)?,
            text: text.to_owned(),
        };
        if schedule.never_occurs() {
            return Err(format!("{text:?} never occurs: none of its months has such a day"));
        }
        Ok(schedule)
    }

    /// The newest occurrence that `now` has reached. None only near the calendar's beginning.
    pub fn latest_at_or_before(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let now = now.to_offset(UtcOffset::UTC);
        if self.allows(now.date())
            && let Some(time) = self.last_time_until(now.time())
        {
            return Some(now.date().with_time(time).assume_utc());
        }
        let mut date = now.date();
        let end = date.saturating_sub(LONGEST_SEARCH);
        while date > end {
            date = date.previous_day()?;
            if self.allows(date) {
                return Some(date.with_time(self.last_time()).assume_utc());
            }
        }
        None
    }

    /// The first occurrence later than `now`. None only near the calendar's end.
    pub fn next_after(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let from = now.to_offset(UtcOffset::UTC).replace_nanosecond(0).ok()?.checked_add(Duration::SECOND)?;
        if self.allows(from.date())
            && let Some(time) = self.first_time_from(from.time())
        {
            return Some(from.date().with_time(time).assume_utc());
        }
        let mut date = from.date();
        let end = date.saturating_add(LONGEST_SEARCH);
        while date < end {
            date = date.next_day()?;
            if self.allows(date) {
                return Some(date.with_time(self.first_time()).assume_utc());
            }
        }
        None
    }

    /// The longest time that passes between one occurrence and the next, as found in the years from 2000
    /// to 2060: to be held against the recovery point objective.
    pub fn longest_gap(&self) -> Duration {
        let day = Span::INSTANT.repeated(self.second, 1).repeated(self.minute, 60).repeated(self.hour, 3600);
        let overnight = |days: i64| days * 86_400 - day.last + day.first;
        let days = self.longest_days_between().map_or(0, overnight);
        Duration::seconds(days.max(day.gap))
    }

    /// How many days the two neighbouring days of this schedule are apart that are furthest apart.
    fn longest_days_between(&self) -> Option<i64> {
        if self.is_daily() {
            return Some(1);
        }
        let start = Date::from_calendar_date(2000, Month::January, 1).ok()?;
        let end = start.replace_year(start.year() + YEARS_OF_GAPS).ok()?;
        let days = (start.to_julian_day()..end.to_julian_day())
            .filter(|day| Date::from_julian_day(*day).is_ok_and(|date| self.allows(date)));
        let mut longest = None;
        let mut previous = None;
        for day in days {
            longest = longest.max(previous.map(|before| i64::from(day - before)));
            previous = Some(day);
        }
        longest
    }

    fn is_daily(&self) -> bool {
        (1..=12).all(|month| self.month.contains(month))
            && (1..=31).all(|day| self.day.contains(day))
            && (0..=6).all(|day| self.weekday.contains(day))
    }

    fn allows(&self, date: Date) -> bool {
        self.month.contains(u8::from(date.month()))
            && self.day.contains(date.day())
            && self.weekday.contains(date.weekday().number_days_from_sunday())
    }

    /// A day such as 30 February. Every other day meets every day of the week in some year.
    fn never_occurs(&self) -> bool {
        // 2000 is a leap year.
        let reaches =
            |month: u8| Month::try_from(month).is_ok_and(|month| self.day.first() <= month.length(2000));
        !(1..=12).any(|month| self.month.contains(month) && reaches(month))
    }

    fn first_time(&self) -> Time {
        time_of(self.hour.first(), self.minute.first(), self.second.first())
    }

    fn last_time(&self) -> Time {
        time_of(self.hour.last(), self.minute.last(), self.second.last())
    }

    fn last_time_until(&self, until: Time) -> Option<Time> {
        let (hour, minute, second) = until.as_hms();
        if self.hour.contains(hour) {
            if self.minute.contains(minute)
                && let Some(second) = self.second.until(second)
            {
                return Some(time_of(hour, minute, second));
            }
            if let Some(minute) = self.minute.before(minute) {
                return Some(time_of(hour, minute, self.second.last()));
            }
        }
        Some(time_of(self.hour.before(hour)?, self.minute.last(), self.second.last()))
    }

    fn first_time_from(&self, from: Time) -> Option<Time> {
        let (hour, minute, second) = from.as_hms();
        if self.hour.contains(hour) {
            if self.minute.contains(minute)
                && let Some(second) = self.second.from(second)
            {
                return Some(time_of(hour, minute, second));
            }
            if let Some(minute) = self.minute.from(minute + 1) {
                return Some(time_of(hour, minute, self.second.first()));
            }
        }
        Some(time_of(self.hour.from(hour + 1)?, self.minute.first(), self.second.first()))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Fields hold only what a clock shows, so the fallback is never taken.
fn time_of(hour: u8, minute: u8, second: u8) -> Time {
    Time::from_hms(hour, minute, second).unwrap_or(Time::MIDNIGHT)
}

/// The occurrences within one minute, hour or day, in seconds from its beginning.
#[derive(Clone, Copy)]
struct Span {
    first: i64,
    last: i64,
    gap: i64,
}

impl Span {
    const INSTANT: Self = Self { first: 0, last: 0, gap: 0 };

    /// The same occurrences at each of `at`, which are `unit` seconds apart.
    fn repeated(self, at: Values, unit: i64) -> Self {
        let seconds = |value: u8| i64::from(value) * unit;
        let mut gap = self.gap;
        let mut value = at.first();
        while let Some(next) = at.from(value + 1) {
            gap = gap.max(seconds(next - value) - self.last + self.first);
            value = next;
        }
        Self { first: seconds(at.first()) + self.first, last: seconds(at.last()) + self.last, gap }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::{datetime, offset};

    use super::*;

    fn schedule(text: &str) -> Schedule {
        Schedule::parse(text).unwrap()
    }

    /// Checks `latest <= now < next` for a schedule; times are UTC.
    #[track_caller]
    fn check(text: &str, now: OffsetDateTime, latest: OffsetDateTime, next: OffsetDateTime) {
        assert_eq!(schedule(text).latest_at_or_before(now), Some(latest), "latest of {text}");
        assert_eq!(schedule(text).next_after(now), Some(next), "next of {text}");
    }

    #[test]
    fn occurrences_around_a_moment() {
        let now = datetime!(2026-11-25 10:20:30 UTC); // A Wednesday.
        let cases = [
            ("0 0 2 * * *", datetime!(2026-11-25 02:00 UTC), datetime!(2026-11-26 02:00 UTC)),
            ("0 2 * * *", datetime!(2026-11-25 02:00 UTC), datetime!(2026-11-26 02:00 UTC)),
            ("* * * * * *", datetime!(2026-11-25 10:20:30 UTC), datetime!(2026-11-25 10:20:31 UTC)),
            ("* * * * *", datetime!(2026-11-25 10:20 UTC), datetime!(2026-11-25 10:21 UTC)),
            ("31 20 10 * * *", datetime!(2026-11-24 10:20:31 UTC), datetime!(2026-11-25 10:20:31 UTC)),
            ("45 19 10 * * *", datetime!(2026-11-25 10:19:45 UTC), datetime!(2026-11-26 10:19:45 UTC)),
            ("0 */15 * * * *", datetime!(2026-11-25 10:15 UTC), datetime!(2026-11-25 10:30 UTC)),
            ("0 7/15 * * * *", datetime!(2026-11-25 10:07 UTC), datetime!(2026-11-25 10:22 UTC)),
            ("0 0 */6 * * *", datetime!(2026-11-25 06:00 UTC), datetime!(2026-11-25 12:00 UTC)),
            ("0 30 9-11 * * *", datetime!(2026-11-25 09:30 UTC), datetime!(2026-11-25 10:30 UTC)),
            ("0 10,25,40 22,23 * * *", datetime!(2026-11-24 23:40 UTC), datetime!(2026-11-25 22:10 UTC)),
            ("0 10-40/15 10 * * *", datetime!(2026-11-25 10:10 UTC), datetime!(2026-11-25 10:25 UTC)),
            ("0 0 2 * * SUN", datetime!(2026-11-22 02:00 UTC), datetime!(2026-11-29 02:00 UTC)),
            ("0 0 2 * * 0", datetime!(2026-11-22 02:00 UTC), datetime!(2026-11-29 02:00 UTC)),
            ("0 0 2 * * 1-5", datetime!(2026-11-25 02:00 UTC), datetime!(2026-11-26 02:00 UTC)),
            ("0 0 2 * * Tues,sat", datetime!(2026-11-24 02:00 UTC), datetime!(2026-11-28 02:00 UTC)),
            ("0 0 2 1 * *", datetime!(2026-11-01 02:00 UTC), datetime!(2026-12-01 02:00 UTC)),
            ("0 0 2 31 * *", datetime!(2026-10-31 02:00 UTC), datetime!(2026-12-31 02:00 UTC)),
            ("0 0 2 1 JAN,jul *", datetime!(2026-07-01 02:00 UTC), datetime!(2027-01-01 02:00 UTC)),
            ("0 0 2 * 3/4 *", datetime!(2026-11-25 02:00 UTC), datetime!(2026-11-26 02:00 UTC)),
            ("0 0 2 29 2 *", datetime!(2024-02-29 02:00 UTC), datetime!(2028-02-29 02:00 UTC)),
            ("  0   0\t2 * * * ", datetime!(2026-11-25 02:00 UTC), datetime!(2026-11-26 02:00 UTC)),
        ];
        for (text, latest, next) in cases {
            check(text, now, latest, next);
        }
    }

    #[test]
    fn day_of_month_and_day_of_week_must_both_match() {
        let now = datetime!(2026-11-25 10:00 UTC);
        check("0 0 2 13 * FRI", now, datetime!(2026-11-13 02:00 UTC), datetime!(2027-08-13 02:00 UTC));
    }

    #[test]
    fn an_occurrence_is_reached_at_its_second_and_over_after_it() {
        let text = "0 0 2 * * *";
        let (before, at) = (datetime!(2026-11-24 02:00 UTC), datetime!(2026-11-25 02:00 UTC));
        check(text, at - Duration::NANOSECOND, before, at);
        check(text, at, at, at + Duration::DAY);
        check(text, at + Duration::milliseconds(4), at, at + Duration::DAY);
        // The same moment elsewhere on earth.
        check(text, at.to_offset(offset!(+13)), at, at + Duration::DAY);
    }

    #[test]
    fn a_year_ends_between_two_occurrences() {
        let now = datetime!(2026-12-31 23:59:59.5 UTC);
        check("* * * * *", now, datetime!(2026-12-31 23:59 UTC), datetime!(2027-01-01 00:00 UTC));
        check("0 0 0 1 1 *", now, datetime!(2026-01-01 00:00 UTC), datetime!(2027-01-01 00:00 UTC));
    }

    #[test]
    fn the_rarest_day_is_found_across_a_century_without_leap_day() {
        let sunday = schedule("0 0 0 29 2 SUN");
        let latest = sunday.latest_at_or_before(datetime!(2103-12-31 00:00 UTC)).unwrap();
        let next = sunday.next_after(datetime!(2103-12-31 00:00 UTC)).unwrap();
        assert_eq!((latest, next), (datetime!(2088-02-29 00:00 UTC), datetime!(2128-02-29 00:00 UTC)));
    }

    #[test]
    fn the_search_ends_at_both_ends_of_the_calendar() {
        let rare = schedule("0 0 0 29 2 *");
        assert_eq!(rare.latest_at_or_before(Date::MIN.midnight().assume_utc()), None);
        assert_eq!(rare.next_after(Date::MAX.midnight().assume_utc()), None);
    }

    #[test]
    fn every_step_back_and_forth_meets_the_same_occurrences() {
        for text in ["7 3/17 */5 */3 * *", "30 0 2 * * MON,THU", "0 0 0 28-31 2,4 *", "*/7 59 23 1 */5 1-3"] {
            let schedule = schedule(text);
            let mut now = datetime!(2026-01-01 00:00 UTC);
            for _ in 0..500 {
                let next = schedule.next_after(now).unwrap();
                assert!(next > now, "{text}");
                assert_eq!(schedule.latest_at_or_before(next), Some(next), "{text}");
                let just_before = schedule.latest_at_or_before(next - Duration::SECOND);
                assert!(just_before.is_none_or(|latest| latest <= now), "{text} skipped {just_before:?}");
                now = next;
            }
        }
    }

    #[test]
    fn the_longest_gap_is_known() {
        let hours = Duration::hours;
        for (text, gap) in [
            ("0 0 2 * * *", hours(24)),
            ("* * * * * *", Duration::SECOND),
            ("* * * * *", Duration::MINUTE),
            ("0 0 */6 * * *", hours(6)),
            ("0 0 */5 * * *", hours(5)),
            ("0 0 2,3 * * *", hours(23)),
            ("0 30 2 * * 1-5", hours(72)),
            ("10,50 0 0 * * *", Duration::seconds(86_360)),
            ("0 0 2 1 * *", hours(31 * 24)),
            ("0 0 2 31 * *", hours(61 * 24)),
            ("0 0 2 29 2 *", hours((4 * 365 + 1) * 24)),
            ("0 0 2 29 2 MON", hours((28 * 365 + 7) * 24)),
        ] {
            assert_eq!(schedule(text).longest_gap(), gap, "{text}");
        }
    }

    #[test]
    fn a_schedule_is_shown_as_it_was_written() {
        assert_eq!(schedule("0 0 2 * * sun").to_string(), "0 0 2 * * sun");
    }

    #[test]
    fn what_is_no_schedule_is_told_what_to_write() {
        for (text, advice) in [
            ("", "has 0 fields: write six"),
            ("0 2 * *", "has 4 fields"),
            ("0 0 2 * * * *", "has 7 fields"),
            ("24:00:00", "has 1 fields"),
            ("60 0 2 * * *", "\"60\" is no second: write a number from 0 to 59"),
            ("0 0 24 * * *", "is no hour: write a number from 0 to 23"),
            ("0 0 2 0 * *", "is no day of month: write a number from 1 to 31"),
            ("0 0 2 * 13 *", "is no month: write a number from 1 to 12 or a name from JAN to DEC"),
            (
                "0 0 2 * * 7",
                "is no day of week: write a number from 0 to 6 (0 is Sunday) or a name from SUN to SAT",
            ),
            ("0 0 2 * JU *", "\"JU\" is no month"),
            ("0 0 2 * * SUNDAYS", "\"SUNDAYS\" is no day of week"),
            (
                "0 0 2 * * FRI-MON",
                "runs backwards in the field day of week: write two ranges instead, such as 5-6,0-1",
            ),
            ("0 */0 2 * * *", "\"0\" is no step in the field minute"),
            ("0 */x 2 * * *", "is no step"),
            ("0 1,,2 2 * * *", "\"\" is no minute"),
            ("0 +5 2 * * *", "\"+5\" is no minute"),
            ("0 -5 2 * * *", "\"\" is no minute"),
            ("0 0 2 ? * *", "\"?\" is no day of month"),
            ("0 0 2 L * *", "\"L\" is no day of month"),
            ("0 0 2 * * é", "is no day of week"),
            ("0 0 2 30 2 *", "never occurs"),
            ("0 0 2 31 2,4,6,9,11 MON", "never occurs"),
        ] {
            let error = Schedule::parse(text).unwrap_err();
            assert!(error.contains(advice), "{text}: {error}");
        }
    }
}
