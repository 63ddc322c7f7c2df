//! Storage that refuses, forgets to answer, or is slow: every write of a cycle meets it once, and there is one
//! backup and one restore all the same.

use apim_dr_sim::blobs::Fault;
use axum::http::{Method, StatusCode};
use futures::future::join_all;

use crate::gate::{Act, At, Gate};
use crate::setup::{Blobs, Setup};
use crate::world::{NORTH, STATE, World, assert_succeeded};

/// Every save and every other blob comes about at its second try only; the invocations may fail for it or not.
async fn every_first_write_meets(act: Act) -> World {
    trouble_with(At::EverySecond, act).await.0
}

/// The blobs lie behind the gate, for as long as it is open.
async fn trouble_with(at: At, act: Act) -> (World, Gate) {
    let (gate, _orders) = Gate::open(Some((at, act))).await;
    let blobs = Blobs::At(gate.account.clone());
    let world = World::of(Setup { story: format!("{act:?}"), blobs, ..Setup::default() }).await;
    world.until_held_by(&[NORTH]).await;
    world.assert_one_cycle(&[NORTH]);
    world.assert_alike(NORTH);
    assert!(gate.writes().len() > 25, "some ten writes were met: {:?}", gate.writes());
    (world, gate)
}

/// A reply that is lost was written all the same, which a look tells. The pauses before second tries are real, so the
/// three stories wait for them at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_or_requests_are_lost_or_storage_is_busy() {
    let acts = [Act::LoseReply, Act::LoseRequest, Act::Refuse(503, "ServerBusy")];
    for world in join_all(acts.map(every_first_write_meets)).await {
        world.host.invocations().iter().for_each(assert_succeeded);
    }
}

/// 412 although nobody else has written: it is decided again on what is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn races_are_lost() {
    let (world, _gate) = trouble_with(At::EverySecondUpdate, Act::Refuse(412, "ConditionNotMet")).await;
    world.host.invocations().iter().for_each(assert_succeeded);
}

/// 412 although nothing lies where a new blob was to be: that is nobody else's blob, and it is written later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_blobs_are_refused_for_no_reason() {
    let (world, _gate) = trouble_with(At::EverySecond, Act::Refuse(412, "ConditionNotMet")).await;
    world.troubled_minutes(2).await;
    assert!(world.told("configuration.suspect").is_empty());
    for kind in ["history/contoso-west/", "history/contoso-north/"] {
        assert_eq!(world.blobs(STATE, kind).await.len(), 1, "{kind} holds the one run");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_refused() {
    let world = every_first_write_meets(Act::Refuse(409, "LeaseIdMissing")).await;
    let failed = world.told("invocation.failed");
    assert!(!failed.is_empty(), "an invocation that can not save has not done its work");
    assert!(failed.iter().all(|logged| logged.message.contains("LeaseIdMissing")), "{failed:?}");
}

/// The event's invocation fails, so the host brings it again, at once; the second one finds storage well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_comes_again_after_storage_was_away() {
    let world = World::new().await;
    for _ in 0..5 {
        assert_succeeded(&world.tick().await);
    }
    assert_eq!(world.told("backup.verified").len(), 1);
    let busy = Fault::Refuse(StatusCode::SERVICE_UNAVAILABLE, "ServerBusy");
    // As often as one request is tried.
    world.simulation.blobs().unwrap().inject(4, &Method::GET, "services/contoso-north.json", busy);
    let events = world.scan().await;
    let failed: Vec<_> = events.iter().map(|event| event.outcome.is_failure()).collect();
    assert_eq!(failed, [true, false]);
    assert!(world.told("invocation.failed")[0].message.contains("ServerBusy"));
    assert!(world.host.poison().is_empty());
    world.until_held_by(&[NORTH]).await;
    world.assert_one_cycle(&[NORTH]);
    assert!(world.told("manifest.taken_up").is_empty(), "no tick had to make up for it");
}
