//! A stored record that cannot be used is left byte for byte as it is, and reported until somebody looks.

use apim_dr_sim::journal::OperationKind;

use crate::heard::{heard, heard_once};
use crate::world::{NORTH, PRIMARY, STATE, World};

/// What lies at the place of a service's record, as it is.
async fn bytes(world: &World, service: &str) -> Vec<u8> {
    world.storage.get(STATE, &format!("services/{service}.json")).await.unwrap().unwrap()
}

async fn put(world: &World, service: &str, bytes: Vec<u8>) {
    world.storage.put(STATE, &format!("services/{service}.json"), bytes, &[]).await.unwrap();
}

/// A world at rest, in which the record of `service` becomes what `spoil` makes of it.
async fn spoiled(service: &str, spoil: impl FnOnce(String) -> String) -> (World, Vec<u8>) {
    let world = World::new().await;
    world.until_held_by(&[NORTH]).await;
    let record = String::from_utf8(bytes(&world, service).await).unwrap();
    let spoilt = spoil(record.clone()).into_bytes();
    assert_ne!(spoilt, record.as_bytes(), "it is another one now");
    put(&world, service, spoilt.clone()).await;
    (world, spoilt)
}

/// Ticks, an event and a wish for a backup pass, and nothing happens but that each invocation fails.
async fn nothing_happens_to(world: &World, service: &str, spoilt: &[u8]) {
    let posts = world.cloud().journal().posts().len();
    let ticks = world.troubled_minutes(4).await;
    assert!(ticks.iter().all(|tick| tick.outcome.is_failure()), "each tick tells of it: {ticks:?}");
    if service == PRIMARY {
        let by_hand = world.host.manual("BackupTimer", Some("now")).await;
        assert!(by_hand.outcome.is_failure(), "a wish that cannot be saved fails: {by_hand:?}");
    }
    assert_eq!(world.cloud().journal().posts().len(), posts, "nothing was begun");
    assert_eq!(bytes(world, service).await, spoilt, "the record is as it was");
    for failed in heard(world, "invocation.failed").await {
        assert!(failed.message.contains(&format!("the record services/{service}.json")), "{failed:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_truncated_record_is_left_alone() {
    let halve = |record: String| record[..record.len() / 2].to_owned();
    let (world, spoilt) = spoiled(PRIMARY, halve).await;
    nothing_happens_to(&world, PRIMARY, &spoilt).await;
    let told = heard(&world, "service.not_driven").await;
    assert!(told.iter().all(|logged| logged.service == PRIMARY), "{told:?}");
    assert!(told[0].message.contains("is left alone: it is not a record"), "{:?}", told[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_record_is_left_alone() {
    let (world, spoilt) = spoiled(PRIMARY, |_| String::new()).await;
    nothing_happens_to(&world, PRIMARY, &spoilt).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_of_a_newer_version_is_left_alone() {
    let newer = |record: String| record.replacen("\"version\": 1", "\"version\": 2", 1);
    let (world, spoilt) = spoiled(PRIMARY, newer).await;
    nothing_happens_to(&world, PRIMARY, &spoilt).await;
    let told = heard(&world, "service.not_driven").await;
    assert!(told[0].message.contains("a newer apim-dr wrote it"), "{:?}", told[0]);
}

/// One record that cannot be read stops one service: the primary is backed up as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secondarys_truncated_record_does_not_stop_the_backup() {
    let halve = |record: String| record[..record.len() / 2].to_owned();
    let (world, spoilt) = spoiled(NORTH, halve).await;
    nothing_happens_to(&world, NORTH, &spoilt).await;
    let by_hand = world.host.manual("BackupTimer", Some("now")).await;
    assert!(by_hand.outcome.is_failure(), "it could not do all of its work");
    world.troubled_minutes(10).await;
    assert_eq!(world.accepted(PRIMARY, OperationKind::Backup).len(), 2);
    assert_eq!(world.record(PRIMARY).await["operation"]["kind"], "idle");
    assert_eq!(world.accepted(NORTH, OperationKind::Restore).len(), 1, "nothing is restored blindly");
    assert_eq!(bytes(&world, NORTH).await, spoilt);
}

/// It belongs to another deployment, as far as anybody can tell: no invocation fails over it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_of_another_resource_id_is_left_alone() {
    let moved = |record: String| record.replace("/resourceGroups/", "/resourceGroups/old-");
    let (world, spoilt) = spoiled(PRIMARY, moved).await;
    let id = world.cloud().service(PRIMARY).id();
    world.minutes(1).await;
    let told = heard_once(&world, "configuration.suspect").await;
    assert!(told.message.contains("/resourceGroups/old-"), "{told:?}");
    assert!(told.message.contains(&id) && told.message.contains("apim-dr adopt"), "{told:?}");
    world.minutes(3).await;
    let by_hand = world.host.manual("BackupTimer", Some("now")).await;
    assert!(by_hand.outcome.is_failure(), "a wish that cannot be saved fails: {by_hand:?}");
    assert_eq!(bytes(&world, PRIMARY).await, spoilt);
    assert_eq!(world.accepted(PRIMARY, OperationKind::Backup).len(), 1);
}
