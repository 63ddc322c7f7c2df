//! A stored record that cannot be used is left byte for byte as it is, and reported until somebody looks.

use apim_dr_sim::journal::OperationKind;

use crate::world::{NORTH, PRIMARY, STATE, World};

/// Where the record of a service lies in the state container.
fn place(service: &str) -> String {
    format!("services/{service}.json")
}

/// What lies there, as it is.
async fn bytes(world: &World, service: &str) -> Vec<u8> {
    world.storage.get(STATE, &place(service)).await.unwrap().unwrap()
}

/// A world in which nothing is left to do.
async fn at_rest() -> World {
    let world = World::new().await;
    world.until_held_by(&[NORTH]).await;
    world
}

/// Writes so many bytes of the record of a service over the whole.
async fn cut(world: &World, service: &str, length: usize) {
    let mut record = bytes(world, service).await;
    record.truncate(length);
    world.storage.put(STATE, &place(service), record, &[]).await.unwrap();
}

/// Ticks pass and somebody asks for a backup; every invocation fails and says which record it is. Nothing is
/// begun for the service, and its record stays as it is.
async fn is_left_alone(world: &World, service: &str, why: &str) {
    let spoilt = bytes(world, service).await;
    let operations = |kind| world.accepted(service, kind).len();
    let before = [OperationKind::Backup, OperationKind::Restore].map(operations);
    let mut invocations = world.troubled_minutes(4).await;
    invocations.push(world.by_hand("BackupTimer", "now").await);
    invocations.extend(world.troubled_minutes(10).await);
    assert!(invocations.iter().all(|invocation| invocation.outcome.is_failure()), "{invocations:?}");
    assert_eq!(bytes(world, service).await, spoilt, "the record is as it was");
    assert_eq!([OperationKind::Backup, OperationKind::Restore].map(operations), before, "nothing was begun");

    let told = world.told("service.not_driven");
    assert!(told.len() >= invocations.len(), "each invocation tells of it");
    for logged in &told {
        assert_eq!(logged.service, service);
        let words = [place(service), format!("is left alone: {why}")];
        assert!(words.iter().all(|words| logged.message.contains(words)), "{logged:?}");
    }
    let failed = world.told("invocation.failed");
    assert!(failed.iter().all(|logged| logged.message.contains(&place(service))), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_truncated_record_is_left_alone() {
    let world = at_rest().await;
    cut(&world, PRIMARY, 400).await;
    is_left_alone(&world, PRIMARY, "it is not a record").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_record_is_left_alone() {
    let world = at_rest().await;
    cut(&world, PRIMARY, 0).await;
    is_left_alone(&world, PRIMARY, "it is not a record").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_of_a_newer_version_is_left_alone() {
    let world = at_rest().await;
    let mut record = world.record(PRIMARY).await;
    record["version"] = 2.into();
    record["operation"] = "in a way that only the newer version knows".into();
    world.write_record(PRIMARY, &record).await;
    is_left_alone(&world, PRIMARY, "it has version 2").await;
    let told = world.told("service.not_driven");
    assert!(told[0].message.contains("a newer apim-dr wrote it; run that version"), "{:?}", told[0]);
}

/// One record that cannot be read stops one service: the primary is backed up as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secondarys_truncated_record_does_not_stop_the_backup() {
    let world = at_rest().await;
    cut(&world, NORTH, 400).await;
    is_left_alone(&world, NORTH, "it is not a record").await;
    assert_eq!(world.accepted(PRIMARY, OperationKind::Backup).len(), 2);
    assert_eq!(world.told("backup.verified").len(), 2);
}

/// It belongs to another deployment, as far as anybody can tell: ticks do not fail over it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_of_another_resource_id_is_left_alone() {
    let world = at_rest().await;
    let id = world.cloud().service(PRIMARY).id();
    let old = id.replace("/resourceGroups/", "/resourceGroups/old-");
    let mut record = world.record(PRIMARY).await;
    record["service"] = old.as_str().into();
    world.write_record(PRIMARY, &record).await;
    let spoilt = bytes(&world, PRIMARY).await;

    world.minutes(4).await;
    let told = world.told("configuration.suspect");
    assert_eq!(told.len(), 4, "each tick tells of it");
    for words in [&old, &id, "apim-dr adopt"] {
        assert!(told[0].message.contains(words), "no {words} in {:?}", told[0]);
    }
    let by_hand = world.by_hand("BackupTimer", "now").await;
    assert!(by_hand.outcome.is_failure(), "a wish that cannot be saved fails: {by_hand:?}");
    assert_eq!(bytes(&world, PRIMARY).await, spoilt, "the record is as it was");
    assert_eq!(world.accepted(PRIMARY, OperationKind::Backup).len(), 1);
}
