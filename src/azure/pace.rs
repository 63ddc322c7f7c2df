//! Pacing: Resource Manager lets each principal read 250 times from a subscription, and 25 times more each second
//! (contract: apim-arm, section 7). Who asks beyond that is refused for a while, and so is everything else that he
//! asks; a crawl therefore waits for what is left, and leaves something for the others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{AsyncRawResponse, Context, Request, Url};
use tokio::time::{Duration, Instant};

use super::retry::retry_after;
use super::transport::is_write;

const REMAINING: HeaderName = HeaderName::from_static("x-ms-ratelimit-remaining-subscription-reads");

/// How many reads a full bucket allows.
const CAPACITY: f64 = 250.0;

/// How many come back each second.
const RATE: f64 = 25.0;

/// What a crawl leaves in the bucket: the polls and looks of an invocation are fewer.
const RESERVE: f64 = 5.0;

/// Who was turned away and asks again too early renews the wait. No crawl waits for longer than this: a later tick goes
/// on with it.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// What lacks by rounding alone would be waited for without end, each time for no time at all.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// Put into a read's context, it lets the read wait until the bucket allows it.
#[derive(Debug)]
pub(super) struct Paced;

/// Models of the buckets, one for each subscription, put right by what Resource Manager says is left.
///
/// A bucket is as full as it can be when a process first reads, and the first answer tells how full it really is.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<BTreeMap<String, Bucket>>);

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
    /// Reads that have left and were not answered yet.
    on_their_way: f64,
    /// Somebody was turned away, and asked not to come before.
    closed_until: Instant,
}

impl Pace {
    /// Waits until a crawl may read once more. That is a fraction of a second, unless others read as well or somebody was
    /// turned away.
    async fn wait(&self, subscription: &str) {
        loop {
            let now = Instant::now();
            let Some(pause) = self.in_bucket(subscription, |bucket| bucket.take_above(RESERVE, now)) else {
                return;
            };
            pause_for(pause).await;
        }
    }

    fn in_bucket<T>(&self, subscription: &str, work: impl FnOnce(&mut Bucket) -> T) -> T {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(buckets.entry(subscription.to_owned()).or_insert_with(|| Bucket::full(Instant::now())))
    }
}

/// The subscription that a read counts for; what belongs to none has a bucket of its own.
fn subscription_of(url: &Url) -> String {
    let mut segments = url.path_segments().into_iter().flatten();
    let is_in_one = segments.next().is_some_and(|first| first.eq_ignore_ascii_case("subscriptions"));
    segments.next().filter(|_| is_in_one).unwrap_or_default().to_lowercase()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a pause between two reads of one crawl, of a fraction of a second in the normal case"
)]
async fn pause_for(pause: Duration) {
    tokio::time::sleep(pause).await;
}

impl Bucket {
    fn full(now: Instant) -> Self {
        Self { tokens: CAPACITY, at: now, on_their_way: 0.0, closed_until: now }
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * RATE).min(CAPACITY);
        self.at = now;
    }

    /// Takes a token if `reserve` are left afterwards; otherwise says how long that will take.
    fn take_above(&mut self, reserve: f64, now: Instant) -> Option<Duration> {
        if self.closed_until > now {
            return Some(self.closed_until - now);
        }
        self.refill(now);
        let lacking = reserve + 1.0 - self.tokens;
        if lacking > 0.0 {
            return Some(Duration::from_secs_f64(lacking / RATE).max(SHORTEST_WAIT));
        }
        self.take();
        None
    }

    fn take(&mut self) {
        self.tokens -= 1.0;
        self.on_their_way += 1.0;
    }

    /// Takes in an answer. What it says was left does not count those of ours that had not arrived by then.
    fn answered(&mut self, left: Left, now: Instant) {
        self.refill(now);
        self.on_their_way = (self.on_their_way - 1.0).max(0.0);
        match left {
            Left::Untold => {}
            Left::Reads(remaining) => {
                let least = (remaining - self.on_their_way).min(CAPACITY);
                self.tokens = self.tokens.min(remaining).max(least);
            }
            Left::NothingFor(pause) => {
                self.closed_until = self.closed_until.max(now + pause.min(LONGEST_WAIT));
            }
        }
    }
}

/// What an answer says of the bucket.
#[derive(Clone, Copy, Debug)]
enum Left {
    Untold,
    /// So many reads.
    Reads(f64),
    /// The read was turned away, and no other shall come for so long.
    NothingFor(Duration),
}

impl Left {
    fn after(answer: &AsyncRawResponse) -> Self {
        let turned_away = u16::from(answer.status()) == 429;
        match retry_after(answer.headers()).filter(|_| turned_away) {
            Some(pause) => Self::NothingFor(pause.unsigned_abs()),
            None => remaining(answer.headers()).map_or(Self::Untold, Self::Reads),
        }
    }
}

fn remaining(headers: &Headers) -> Option<f64> {
    headers.get_optional_str(&REMAINING)?.trim().parse::<u32>().ok().map(f64::from)
}

/// A read that has left. It comes to an end when it is answered, and as well when nobody waits for it any more.
struct OnItsWay<'a> {
    pace: &'a Pace,
    subscription: &'a str,
    /// What Resource Manager said was left.
    left: Left,
}

impl Drop for OnItsWay<'_> {
    fn drop(&mut self) {
        let left = self.left;
        self.pace.in_bucket(self.subscription, |bucket| bucket.answered(left, Instant::now()));
    }
}

/// The policy: every read is counted, and a paced one waits.
#[derive(Debug)]
pub(super) struct Pacing(pub(super) Arc<Pace>);

#[async_trait]
impl Policy for Pacing {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        if is_write(request.method()) {
            return next[0].send(context, request, &next[1..]).await;
        }
        let subscription = subscription_of(request.url());
        match context.value::<Paced>() {
            Some(Paced) => self.0.wait(&subscription).await,
            None => self.0.in_bucket(&subscription, |bucket| {
                bucket.refill(Instant::now());
                bucket.take();
            }),
        }
        let mut on_its_way = OnItsWay { pace: &self.0, subscription: &subscription, left: Left::Untold };
        let answer = next[0].send(context, request, &next[1..]).await;
        on_its_way.left = answer.as_ref().map_or(Left::Untold, Left::after);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket() -> (Bucket, Instant) {
        let now = Instant::now();
        (Bucket::full(now), now)
    }

    fn take(bucket: &mut Bucket, now: Instant) -> Option<Duration> {
        bucket.take_above(RESERVE, now)
    }

    #[test]
    fn a_full_bucket_is_used_up_but_for_the_reserve_and_then_fills_at_its_rate() {
        let (mut bucket, now) = bucket();
        assert!((0..245).all(|_| take(&mut bucket, now).is_none()));
        assert_eq!(take(&mut bucket, now), Some(Duration::from_millis(40)));
        let later = now + Duration::from_secs(2);
        assert!((0..50).all(|_| take(&mut bucket, later).is_none()));
        assert!(take(&mut bucket, later).is_some());
    }

    #[test]
    fn what_lacks_by_rounding_is_waited_for_and_comes() {
        let (mut bucket, now) = bucket();
        bucket.tokens = RESERVE + 1.0 - f64::EPSILON * RESERVE;
        let pause = take(&mut bucket, now).unwrap();
        assert_eq!(pause, SHORTEST_WAIT);
        assert_eq!(take(&mut bucket, now + pause), None);
    }

    #[test]
    fn an_answer_that_says_less_is_left_makes_the_crawl_wait() {
        let (mut bucket, now) = bucket();
        assert_eq!(take(&mut bucket, now), None);
        bucket.answered(Left::Reads(2.0), now);
        assert_eq!(take(&mut bucket, now), Some(Duration::from_millis(160)));
    }

    #[test]
    fn reads_that_were_lost_are_given_back_by_the_next_answer() {
        let (mut bucket, now) = bucket();
        for _ in 0..20 {
            assert_eq!(take(&mut bucket, now), None);
        }
        (0..19).for_each(|_| bucket.answered(Left::Untold, now));
        bucket.answered(Left::Reads(249.0), now);
        assert_eq!((bucket.tokens, bucket.on_their_way), (249.0, 0.0));
    }

    #[test]
    fn who_is_turned_away_does_not_ask_again_too_early() {
        let (mut bucket, now) = bucket();
        assert_eq!(take(&mut bucket, now), None);
        assert_eq!(take(&mut bucket, now), None);
        let (short, long) = (Duration::from_secs(17), Duration::from_secs(300));
        bucket.answered(Left::NothingFor(short), now);
        // It was let through before.
        bucket.answered(Left::Reads(3.0), now);
        assert_eq!(take(&mut bucket, now), Some(short));
        assert_eq!(take(&mut bucket, now + short), None);
        bucket.answered(Left::NothingFor(long), now + short);
        assert_eq!(take(&mut bucket, now + short), Some(LONGEST_WAIT));
    }

    #[test]
    fn the_headers_of_the_older_hourly_limit_do_not_overfill_it() {
        let (mut bucket, now) = bucket();
        bucket.take();
        bucket.answered(Left::Reads(11_999.0), now);
        assert_eq!(bucket.tokens, CAPACITY);
    }

    #[test]
    fn each_subscription_has_a_bucket_of_its_own() {
        let of = |url: &str| subscription_of(&url.parse().unwrap());
        assert_eq!(of("https://arm.test/subscriptions/A1/resourceGroups/rg?x=/y"), "a1");
        assert_eq!(of("https://arm.test/Subscriptions/a1"), "a1");
        assert_eq!(of("https://arm.test/providers/Microsoft.ApiManagement"), "");
        let pace = Pace::default();
        pace.in_bucket("a", |bucket| bucket.answered(Left::Reads(0.0), Instant::now()));
        assert!(pace.in_bucket("b", |bucket| bucket.tokens) > 200.0);
        assert!(pace.in_bucket("a", |bucket| bucket.tokens) < 200.0);
    }
}
