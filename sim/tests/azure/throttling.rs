//! Token buckets of Resource Manager: section 7 of the contract, in simulated time.

use apim_dr_sim::clock::Clock;
use apim_dr_sim::cloud::ServiceSpec;
use apim_dr_sim::tokens::Principal;
use time::Duration;

use crate::world::{START, WEU, World, by_identity};

const READS: &str = "x-ms-ratelimit-remaining-subscription-reads";

fn world() -> World {
    World::by(Clock::of_runtime(START), |builder| builder.service(ServiceSpec::new(WEU, "West Europe")))
}

async fn empty_the_bucket(world: &World) {
    while world.read(WEU, "").await.status.as_u16() == 200 {}
}

async fn pass(seconds: u64) {
    tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
}

// Section 7: reads 250, +25/s; the words are of a public log (SubscriptionRequestsThrottled, aka.ms/arm-throttling).
#[tokio::test(start_paused = true)]
async fn a_burst_of_reads_empties_the_bucket_and_is_told_when_to_come_back() {
    let world = world();
    for left in (0..250).rev() {
        assert_eq!(world.read(WEU, "").await.header(READS), left.to_string());
    }
    let throttled = world.read(WEU, "").await;
    assert_eq!(throttled.error(), (429, "SubscriptionRequestsThrottled"));
    assert_eq!(throttled.header("retry-after"), "10");
    let who = &world.caller.object_id;
    let message = format!(
        "Number of 'read' requests for subscription '11111111-1111-1111-1111-111111111111' actor '{who}' exceeded. Please try again after '10' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information."
    );
    assert_eq!(throttled.message(), message);
    assert_eq!((world.cloud.journal().reads(), world.cloud.journal().throttled()), (251, 1));
    pass(10).await;
    assert_eq!(world.read(WEU, "").await.header(READS), "249");
}

// Section 7: asking early renews the wait.
#[tokio::test(start_paused = true)]
async fn who_asks_early_waits_anew() {
    let world = world();
    empty_the_bucket(&world).await;
    for _ in 0..5 {
        pass(9).await;
        assert_eq!(world.read(WEU, "").await.status.as_u16(), 429);
    }
    pass(10).await;
    assert_eq!(world.read(WEU, "").await.status.as_u16(), 200);
}

// Section 7: 25 reads a second can go on for ever.
#[tokio::test(start_paused = true)]
async fn who_keeps_to_the_rate_is_never_told_to_wait() {
    let world = world();
    for _ in 0..1_000 {
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
        assert_eq!(world.read(WEU, "").await.header(READS), "249");
    }
    assert_eq!(world.cloud.clock().now() - START, Duration::seconds(40));
}

// Section 7: buckets are per principal, subscription and kind of operation.
#[tokio::test(start_paused = true)]
async fn buckets_are_apart_by_principal_subscription_and_kind() {
    let elsewhere = "22222222-2222-2222-2222-222222222222";
    let world = World::with(|builder| {
        let other = ServiceSpec::new("contoso-other", "West Europe").subscription(elsewhere);
        builder.service(ServiceSpec::new(WEU, "West Europe")).service(other)
    });
    empty_the_bucket(&world).await;
    let posted = world.post(WEU, "backup", &by_identity("b")).await;
    assert_eq!(posted.header("x-ms-ratelimit-remaining-subscription-writes"), "199");
    assert_eq!(world.read("contoso-other", "").await.header(READS), "249");
    let stranger =
        world.cloud.directory().token(&Principal::named("stranger"), "https://management.azure.com");
    let path = format!("{}?api-version=2024-05-01", world.cloud.service(WEU).id());
    let answer = world.send(("GET", &path), Some(&stranger), "").await;
    assert_eq!(answer.header(READS), "249");
    let together = "x-ms-ratelimit-remaining-subscription-global-reads";
    assert_eq!(answer.header(together), (3_750 - 251).to_string());
}

#[tokio::test(start_paused = true)]
async fn buckets_can_be_switched_off() {
    let world =
        World::with(|builder| builder.without_throttling().service(ServiceSpec::new(WEU, "West Europe")));
    for _ in 0..300 {
        assert_eq!(world.read(WEU, "").await.header(READS), "249");
    }
}
