//! What is followed to its end, through as many invocations as it takes; and what a tick does without a Functions host.

use apim_dr_sim::journal::OperationKind;
use apim_dr_sim::knobs::{Fault, Request};

use crate::world::{NORTH, PRIMARY, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_and_a_restore_are_followed_to_their_ends() {
    let world = World::new().await;
    let said = world.run_while_time_passes("backup --wait").await;
    said.answered(0, &["contoso-west: contoso-west-20260302T0900", "is verified"]);
    let told: Vec<_> =
        said.stderr.lines().filter_map(|line| line.split_once(' ')).map(|(event, _)| event).collect();
    for event in ["backup.wished", "backup.requested", "backup.accepted", "backup.ended", "backup.verified"] {
        assert!(told.contains(&event), "{event}: {said:?}");
    }
    let name = world.json_of("status").await["lastVerified"]["name"].as_str().unwrap().to_owned();
    let said = world.run_while_time_passes(&format!("restore {name} --yes --wait --json")).await;
    assert_eq!((said.code, &said.json()["result"]), (0, &"done".into()), "{said:?}");
    assert_eq!(said.json()["services"][0]["service"], NORTH);
    assert!(world.cloud().differences(PRIMARY, NORTH).is_alike());
    world.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_on_the_way_ends_the_wait_with_azures_words() {
    let world = World::new().await;
    let fault = Fault::fails("BackupFailed", "The blob could not be written.");
    world.cloud().next(Request::Backup, fault);
    let said = world.run_while_time_passes("backup --wait").await;
    said.failed(1, &["BackupFailed", "The blob could not be written."]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_may_have_an_end() {
    let world = World::new().await;
    world.cloud().next(Request::Backup, Fault::never_ends());
    let said = world.run_while_time_passes("backup --wait=10m").await;
    said.answered(3, &["contoso-west: backup contoso-west-", "running for"]);
    let followed = world.run("status").await;
    followed.answered(0, &["backup contoso-west-20260302T0900", "running"]);
}

/// What somebody else has begun is followed as well: a second process drives the same operation, and it is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_make_one_backup() {
    let world = World::new().await;
    let (one, two) = tokio::join!(
        world.run_while_time_passes("backup --wait"),
        world.run_while_time_passes("backup --wait"),
    );
    one.answered(0, &["is verified"]);
    two.answered(0, &["is verified"]);
    let backups = world.cloud().journal().operations();
    assert!(backups.iter().all(|operation| operation.kind == OperationKind::Backup));
    assert!(backups.len() <= 2, "each wish made one at most: {backups:?}");
    world.assert_sound();
}

/// The Functions host is down: ticks alone make a backup, take it up and restore it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ticks_bring_a_deployment_to_its_standby() {
    let world = World::new().await;
    world.run("tick").await.answered(0, &["done; open: backup contoso-west-"]);
    world.run_while_time_passes("tick --wait").await.answered(0, &["done; nothing is open"]);
    let status = world.json_of("status").await;
    assert_eq!(status["services"][1]["holds"]["what"], "backup", "{status}");
    assert!(world.cloud().differences(PRIMARY, NORTH).is_alike());
    world.run("tick").await.answered(0, &["done; nothing is open"]);
    world.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_troubled_moment_does_not_end_a_wait() {
    let world = World::new().await;
    world.run("backup").await.answered(0, &[]);
    let busy = apim_dr_sim::blobs::Fault::Refuse(axum::http::StatusCode::SERVICE_UNAVAILABLE, "ServerBusy");
    // As often as one request is tried.
    world.simulation.blobs().unwrap().inject(4, &axum::http::Method::GET, "services/contoso-west.json", busy);
    let said = world.run_while_time_passes("tick --wait").await;
    said.answered(0, &["done; nothing is open"]);
    assert!(said.stderr.contains("ServerBusy") && said.stderr.contains("trying again"), "{said:?}");
}
