//! NCRONTAB: when a timer fires. Five fields, or six with seconds first, in UTC.

use time::{Date, Duration, OffsetDateTime, Time};

/// A parsed schedule: for each field the values that it allows, as bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    seconds: u64,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Schedule {
    /// Reads `{second} {minute} {hour} {day} {month} {day-of-week}`; the second may be left out.
    ///
    /// # Errors
    /// Names the field that can not be read.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<_> = text.split_whitespace().collect();
        let fields = match fields.len() {
            5 => [&["0"], &fields[..]].concat(),
            6 => fields,
            _ => return Err(format!("'{text}' is no schedule: it needs five or six fields")),
        };
        Ok(Self {
            seconds: bits(fields[0], 0..=59, &[])?,
            minutes: bits(fields[1], 0..=59, &[])?,
            hours: bits(fields[2], 0..=23, &[])?,
            days: bits(fields[3], 1..=31, &[])?,
            months: bits(fields[4], 1..=12, &MONTHS)?,
            weekdays: bits(fields[5], 0..=6, &WEEKDAYS)?,
        })
    }

    /// The first occurrence after `at`, or `None` if there is none within five years.
    pub(super) fn next(&self, at: OffsetDateTime) -> Option<OffsetDateTime> {
        let at = at.replace_nanosecond(0).ok()? + Duration::SECOND;
        let mut date = at.date();
        let mut earliest = at.time();
        for _ in 0..5 * 366 {
            if self.has_date(date)
                && let Some(time) = self.first_time(earliest)
            {
                return Some(date.with_time(time).assume_utc());
            }
            date = date.next_day()?;
            earliest = Time::MIDNIGHT;
        }
        None
    }

    /// The last occurrence up to `at`, that moment included, within the last five years.
    pub(super) fn last(&self, at: OffsetDateTime) -> Option<OffsetDateTime> {
        let windows = [Duration::MINUTE, Duration::HOUR, Duration::DAY, Duration::days(5 * 366)];
        windows.into_iter().find_map(|window| {
            let from = self.next(at - window).filter(|first| *first <= at)?;
            let following = |occurrence: &OffsetDateTime| self.next(*occurrence).filter(|next| *next <= at);
            std::iter::successors(Some(from), following).last()
        })
    }

    /// Whether it fires more often than once a minute: the host keeps no status for such a timer.
    pub(super) fn is_sub_minute(&self) -> bool {
        self.seconds.count_ones() > 1
    }

    fn has_date(&self, date: Date) -> bool {
        has(self.days, date.day())
            && has(self.months, date.month().into())
            && has(self.weekdays, date.weekday().number_days_from_sunday())
    }

    fn first_time(&self, earliest: Time) -> Option<Time> {
        let (hour, minute, second) = earliest.as_hms();
        for h in (hour..24).filter(|h| has(self.hours, *h)) {
            let from_minute = if h == hour { minute } else { 0 };
            for m in (from_minute..60).filter(|m| has(self.minutes, *m)) {
                let from_second = if (h, m) == (hour, minute) { second } else { 0 };
                if let Some(s) = (from_second..60).find(|s| has(self.seconds, *s)) {
                    return Time::from_hms(h, m, s).ok();
                }
            }
        }
        None
    }
}

fn has(bits: u64, value: u8) -> bool {
    bits & (1 << value) != 0
}

/// Reads lists of `*`, values and ranges, each with an optional step.
fn bits(field: &str, range: std::ops::RangeInclusive<u8>, names: &[&str]) -> Result<u64, String> {
    let bad = || format!("'{field}' is no field of a schedule");
    let mut bits = 0;
    for item in field.split(',') {
        let (span, step) = item.split_once('/').map_or((item, None), |(span, step)| (span, Some(step)));
        let step = step.map_or(Ok(1), |step| step.parse::<usize>().map_err(|_| bad()))?;
        let value = |text: &str| number(text, *range.start(), names).filter(|n| range.contains(n));
        let (from, to) = match span.split_once('-') {
            _ if span == "*" => (Some(*range.start()), Some(*range.end())),
            Some((from, to)) => (value(from), value(to)),
            // A single value with a step runs to the end of its field.
            None if step > 1 => (value(span), Some(*range.end())),
            None => (value(span), value(span)),
        };
        let (Some(from), Some(to), true) = (from, to, step > 0) else {
            return Err(bad());
        };
        bits |= (from..=to).step_by(step).fold(0, |bits, n| bits | 1 << n);
    }
    Ok(bits)
}

fn number(text: &str, first: u8, names: &[&str]) -> Option<u8> {
    let named = names.iter().position(|name| text.to_lowercase().starts_with(name));
    named.and_then(|at| u8::try_from(at).ok()).map(|at| at + first).or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn next(schedule: &str, at: OffsetDateTime) -> OffsetDateTime {
        Schedule::parse(schedule).unwrap().next(at).unwrap()
    }

    #[test]
    fn occurrences_come_in_order() {
        let at = datetime!(2026-02-28 23:59:30.5 UTC);
        assert_eq!(next("0 * * * * *", at), datetime!(2026-03-01 00:00 UTC));
        assert_eq!(next("* * * * *", at), datetime!(2026-03-01 00:00 UTC));
        assert_eq!(next("0 0 2 * * *", at), datetime!(2026-03-01 02:00 UTC));
        assert_eq!(next("0 30 9 * jan Mon", at), datetime!(2027-01-04 09:30 UTC));
        assert_eq!(next("*/15 * * * * *", at), datetime!(2026-02-28 23:59:45 UTC));
        assert_eq!(next("0 5/20 8-9 1,15 * *", at), datetime!(2026-03-01 08:05 UTC));
        assert_eq!(next("0 0 0 29 2 *", at), datetime!(2028-02-29 00:00 UTC));
    }

    #[test]
    fn an_occurrence_is_not_its_own_next() {
        let at = datetime!(2026-03-01 02:00 UTC);
        assert_eq!(next("0 0 2 * * *", at), datetime!(2026-03-02 02:00 UTC));
        let daily = Schedule::parse("0 0 2 * * *").unwrap();
        assert_eq!(daily.last(at), Some(at));
        assert_eq!(daily.last(at - Duration::SECOND), Some(at - Duration::DAY));
        let minutely = Schedule::parse("0 * * * * *").unwrap();
        assert_eq!(minutely.last(datetime!(2026-03-01 02:00:59.9 UTC)), Some(at));
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in ["", "* * * *", "60 * * * * *", "0 0 2 * * x", "0 */0 * * * *", "0 0 0 0 * *"] {
            assert!(Schedule::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_seconds_make_a_schedule_sub_minute() {
        assert!(Schedule::parse("*/30 * * * * *").unwrap().is_sub_minute());
        assert!(!Schedule::parse("30 * * * * *").unwrap().is_sub_minute());
    }
}
