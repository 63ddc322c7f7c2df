//! How fast a crawl reads: no faster than Resource Manager allows, and no slower.

use futures::{StreamExt as _, stream};

use super::super::{Memo, Scene};
use super::script::*;
use crate::domain::id::ServiceId;

/// When each of so many reads left, in milliseconds, so many at a time, if Resource Manager says each time that so
/// many are left.
async fn reads(count: usize, at_once: usize, left: Option<&'static str>) -> Vec<u128> {
    let reply = left.map_or_else(
        || body(200, "{}"),
        |left| with(200, "x-ms-ratelimit-remaining-subscription-reads", left),
    );
    let script = Script::new(vec![reply; count]);
    let (azure, clock) = (azure(&script, &[]), clock());
    let service: ServiceId = PRIMARY.parse().unwrap();
    let scene = Scene { service: &service, clock: &clock, others: &[], memo: &Memo::default() };
    let content = azure.content(&scene);
    let read = || content.arm.get_paced(content.url(&["apis"]));
    let answers: Vec<_> = stream::iter((0..count).map(|_| read())).buffered(at_once).collect().await;
    assert!(answers.iter().all(Result::is_ok));
    script.sent().into_iter().map(|sent| sent.milliseconds).collect()
}

#[tokio::test(start_paused = true)]
async fn a_full_bucket_is_spent_at_once_and_then_the_rate_counts() {
    let left = reads(340, 8, None).await;
    assert_eq!(left.iter().filter(|at| **at == 0).count(), 245, "5 are left for others");
    assert!((3_790..=3_850).contains(left.last().unwrap()), "95 more at 25 a second: {:?}", left.last());
}

#[tokio::test(start_paused = true)]
async fn what_resource_manager_says_is_left_counts_for_more_than_our_own_count() {
    let left = reads(20, 1, Some("5")).await;
    assert!(left.windows(2).all(|pair| pair[1] - pair[0] >= 40), "{left:?}");
}
