//! Resource Manager's token buckets: what one principal may ask of one subscription, and all of them together.
//!
//! The sizes and rates are those that Microsoft documents since 2024. The wait that an empty bucket imposes is not
//! documented; the one that was seen in public for reads is the time in which the bucket fills.

use std::collections::HashMap;

use time::{Duration, OffsetDateTime};

/// How much more all principals together may ask of a subscription than one of them.
const ALL_TOGETHER: f64 = 15.0;

/// What is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    /// GET and HEAD.
    Reads,
    /// PUT, PATCH and POST.
    Writes,
}

impl Counted {
    /// The word of the headers.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
        }
    }

    /// The word of the message.
    pub(crate) fn singular(self) -> &'static str {
        self.word().trim_end_matches('s')
    }

    /// How many requests a full bucket holds, and how many come back each second.
    fn measure(self) -> (f64, f64) {
        match self {
            Self::Reads => (250.0, 25.0),
            Self::Writes => (200.0, 10.0),
        }
    }

    fn wait(self) -> Duration {
        let (size, rate) = self.measure();
        Duration::seconds_f64(size / rate)
    }
}

/// What is left after a request, for the headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Remaining {
    pub(crate) own: u32,
    pub(crate) together: u32,
}

impl Remaining {
    /// What a first request leaves, and every request where buckets are switched off.
    pub(crate) fn of_full(counted: Counted) -> Self {
        let (size, _) = counted.measure();
        Self { own: size as u32 - 1, together: (size * ALL_TOGETHER) as u32 - 1 }
    }
}

/// Why a request is not let through: ask again after so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Throttled {
    pub(crate) retry_after: Duration,
}

/// All buckets; they are full until somebody asks.
#[derive(Debug, Default)]
pub(crate) struct Buckets(HashMap<(String, Option<String>, Counted), Bucket>);

impl Buckets {
    /// Takes one request of `who` out of the buckets of `subscription`.
    pub(crate) fn take(
        &mut self,
        (who, subscription): (&str, &str),
        counted: Counted,
        now: OffsetDateTime,
    ) -> Result<Remaining, Throttled> {
        let together = self.bucket((subscription, None), (counted, ALL_TOGETHER), now).left(now, counted)?;
        let own = self.bucket((subscription, Some(who)), (counted, 1.0), now).left(now, counted)?;
        self.bucket((subscription, None), (counted, ALL_TOGETHER), now).tokens = together - 1.0;
        self.bucket((subscription, Some(who)), (counted, 1.0), now).tokens = own - 1.0;
        Ok(Remaining { own: (own - 1.0) as u32, together: (together - 1.0) as u32 })
    }

    fn bucket(
        &mut self,
        (subscription, who): (&str, Option<&str>),
        (counted, times): (Counted, f64),
        now: OffsetDateTime,
    ) -> &mut Bucket {
        let (size, rate) = counted.measure();
        let full =
            Bucket { size: size * times, rate: rate * times, tokens: size * times, at: now, shut: None };
        let key = (subscription.to_lowercase(), who.map(str::to_owned), counted);
        self.0.entry(key).or_insert(full)
    }
}

#[derive(Clone, Debug)]
struct Bucket {
    size: f64,
    /// Tokens a second.
    rate: f64,
    tokens: f64,
    at: OffsetDateTime,
    /// Until when nothing is let through after the bucket was found empty.
    shut: Option<OffsetDateTime>,
}

impl Bucket {
    /// The tokens there are now; asking an empty bucket shuts it, and asking a shut one keeps it shut.
    fn left(&mut self, now: OffsetDateTime, counted: Counted) -> Result<f64, Throttled> {
        let passed = (now - self.at).as_seconds_f64().max(0.0);
        self.tokens = (self.tokens + passed * self.rate).min(self.size);
        self.at = now;
        if self.tokens >= 1.0 && self.shut.is_none_or(|until| until <= now) {
            self.shut = None;
            return Ok(self.tokens);
        }
        self.shut = Some(now + counted.wait());
        Err(Throttled { retry_after: counted.wait() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn take(buckets: &mut Buckets, who: &str, seconds: f64) -> Option<u32> {
        let at = NOW + Duration::seconds_f64(seconds);
        buckets.take((who, "s"), Counted::Reads, at).ok().map(|left| left.own)
    }

    #[test]
    fn a_bucket_empties_and_fills_at_its_rate() {
        let mut buckets = Buckets::default();
        assert_eq!(take(&mut buckets, "a", 0.0), Some(249));
        assert_eq!(take(&mut buckets, "a", 0.04), Some(249), "one token came back");
        let left: Vec<_> = (0..250).map(|_| take(&mut buckets, "a", 0.04)).collect();
        assert_eq!((left[248], left[249]), (Some(0), None));
        assert_eq!(take(&mut buckets, "b", 0.04), Some(249), "everybody has a bucket");
    }

    #[test]
    fn asking_early_renews_the_wait() {
        let mut buckets = Buckets::default();
        while take(&mut buckets, "a", 0.0).is_some() {}
        assert_eq!(take(&mut buckets, "a", 9.0), None, "there are tokens again, but the wait is not over");
        assert_eq!(take(&mut buckets, "a", 18.0), None);
        assert_eq!(take(&mut buckets, "a", 28.0), Some(249));
    }

    #[test]
    fn all_together_have_a_bucket_too() {
        let mut buckets = Buckets::default();
        let mut ask = |index: u32| {
            let who = (index % 20).to_string();
            buckets.take((&who, "s"), Counted::Reads, NOW).is_ok()
        };
        assert_eq!((0..4_000).filter(|index| ask(*index)).count(), 3_750);
    }
}
