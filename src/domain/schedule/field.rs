//! The fields of a schedule: what each may hold, and what a text makes of it.

/// The values that a field allows, one bit each; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Values(u64);

impl Values {
    pub(super) fn contains(self, value: u8) -> bool {
        value < 64 && self.0 >> value & 1 == 1
    }

    pub(super) fn first(self) -> u8 {
        self.from(0).unwrap_or_default()
    }

    pub(super) fn last(self) -> u8 {
        self.until(63).unwrap_or_default()
    }

    /// The smallest value that is not below `value`.
    pub(super) fn from(self, value: u8) -> Option<u8> {
        (value..64).find(|candidate| self.contains(*candidate))
    }

    /// The largest value that is not above `value`.
    pub(super) fn until(self, value: u8) -> Option<u8> {
        (0..=value).rev().find(|candidate| self.contains(*candidate))
    }

    /// The largest value below `value`.
    pub(super) fn before(self, value: u8) -> Option<u8> {
        self.until(value.checked_sub(1)?)
    }
}

/// One field of an expression: what it is called, its bounds, and its values' names in order.
pub(super) struct Field {
    name: &'static str,
    lowest: u8,
    highest: u8,
    names: &'static [&'static str],
}

pub(super) const SECOND: Field = Field { name: "second", lowest: 0, highest: 59, names: &[] };
pub(super) const MINUTE: Field = Field { name: "minute", lowest: 0, highest: 59, names: &[] };
pub(super) const HOUR: Field = Field { name: "hour", lowest: 0, highest: 23, names: &[] };
pub(super) const DAY: Field = Field { name: "day of month", lowest: 1, highest: 31, names: &[] };
pub(super) const MONTH: Field = Field { name: "month", lowest: 1, highest: 12, names: &MONTH_NAMES };
pub(super) const WEEKDAY: Field = Field { name: "day of week", lowest: 0, highest: 6, names: &WEEKDAY_NAMES };

const MONTH_NAMES: [&str; 12] = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];
const WEEKDAY_NAMES: [&str; 7] =
    ["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"];

impl Field {
    pub(super) fn parse(&self, list: &str) -> Result<Values, String> {
        let mut bits = 0;
        for item in list.split(',') {
            bits |= self.parse_item(item)?;
        }
        Ok(Values(bits))
    }

    /// `*`, `value` or `low-high`, each with or without `/step`. A value with a step runs to the field's end.
    fn parse_item(&self, item: &str) -> Result<u64, String> {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(self.parse_step(step)?)),
            None => (item, None),
        };
        let (low, high) = match range.split_once('-') {
            _ if range == "*" => (self.lowest, self.highest),
            Some((low, high)) => (self.parse_value(low)?, self.parse_value(high)?),
            None if step.is_some() => (self.parse_value(range)?, self.highest),
            None => (self.parse_value(range)?, self.parse_value(range)?),
        };
        if low > high {
            let (name, lowest, highest) = (self.name, self.lowest, self.highest);
            return Err(format!(
                "{range:?} runs backwards in the field {name}: write two ranges instead, such as \
                 {low}-{highest},{lowest}-{high}"
            ));
        }
        Ok((low..=high).step_by(step.unwrap_or(1)).fold(0, |bits, value| bits | 1 << value))
    }

    fn parse_step(&self, word: &str) -> Result<usize, String> {
        let step = digits(word).filter(|step| (1..=59).contains(step)).map(usize::from);
        step.ok_or_else(|| {
            format!("{word:?} is no step in the field {}: write a number from 1 to 59", self.name)
        })
    }

    fn parse_value(&self, word: &str) -> Result<u8, String> {
        let value = digits(word).or_else(|| self.named(word));
        value.filter(|value| (self.lowest..=self.highest).contains(value)).ok_or_else(|| self.refusal(word))
    }

    /// NCrontab takes any beginning of an English name; here it is three letters at least, so that `M` or
    /// `JU` is not silently March or June.
    fn named(&self, word: &str) -> Option<u8> {
        let matches = |name: &&'static str| {
            word.len() >= 3 && name.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
        };
        let index = self.names.iter().position(matches)?;
        u8::try_from(index).ok().map(|index| index + self.lowest)
    }

    fn refusal(&self, word: &str) -> String {
        let Self { name, lowest, highest, names } = self;
        let or_name = match names {
            [first, .., last] => format!(" or a name from {} to {}", &first[..3], &last[..3]),
            _ => String::new(),
        };
        let sunday = if *name == WEEKDAY.name { " (0 is Sunday)" } else { "" };
        format!("{word:?} is no {name}: write a number from {lowest} to {highest}{sunday}{or_name}, or *")
    }
}

/// A number without sign; the standard parser would take `+5` too.
fn digits(word: &str) -> Option<u8> {
    word.bytes().all(|b| b.is_ascii_digit()).then(|| word.parse().ok())?
}
