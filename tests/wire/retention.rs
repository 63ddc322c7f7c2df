//! Old backups go, day by day, whatever storage they lie in; and where storage keeps them, nothing suffers.

use apim_dr_sim::blobs::Guard;
use apim_dr_sim::journal::OperationKind;
use axum::http::Method;
use time::Duration;

use crate::setup::{Blobs, Setup};
use crate::world::{BACKUPS, NORTH, PRIMARY, STATE, World, assert_succeeded};

fn keeping_a_day(blobs: Blobs) -> Setup {
    Setup { blobs, ..Setup::default() }.setting("RETENTION_DAYS", "1")
}

/// A day later there is one more backup, and the standby holds it; then the day's pass has been made too.
async fn a_day_passes(world: &World) -> String {
    world.clock.advance(Duration::days(1));
    let name = world.until_held_by(&[NORTH]).await;
    world.minutes(5).await;
    name
}

/// What lies in the container under a backup's name, by what follows it.
async fn lies_there(world: &World, backup: &str) -> Vec<String> {
    let blobs = world.blobs(BACKUPS, backup).await;
    blobs.into_iter().map(|blob| blob[backup.len()..].to_owned()).collect()
}

async fn old_backups_go(blobs: Blobs) {
    let world = World::of(keeping_a_day(blobs)).await;
    let first = world.until_held_by(&[NORTH]).await;
    let orphan = "contoso-west-20260228T020000Z.apimbackup";
    let stranger = "contoso-west-dr-20260101T020000Z.apimbackup";
    for blob in [orphan, stranger, "notes.txt"] {
        world.storage.put(BACKUPS, blob, b"?".to_vec(), &[]).await.unwrap();
    }
    let second = a_day_passes(&world).await;
    let whole = [".apimbackup", ".inventory-after.json", ".inventory.json", ".manifest.json"];
    assert_eq!(
        lies_there(&world, &first).await,
        whole,
        "it was the last verified one when the pass was made"
    );
    assert!(lies_there(&world, orphan).await.is_empty());
    let third = a_day_passes(&world).await;
    assert_eq!(lies_there(&world, &first).await, whole[..3], "its manifest has gone");
    assert_eq!(lies_there(&world, &second).await, whole);
    let fourth = a_day_passes(&world).await;
    assert!(lies_there(&world, &first).await.is_empty());
    assert_eq!(lies_there(&world, &second).await, whole[..3]);
    for name in [&third, &fourth] {
        assert_eq!(lies_there(&world, name).await, whole);
    }
    assert_eq!(
        world.blobs(BACKUPS, "").await.len(),
        13,
        "two backups, what is left of one, and two strangers"
    );
    let known = world.record(PRIMARY).await["backups"].as_array().unwrap().clone();
    assert_eq!(
        known.iter().map(|known| known["name"].as_str().unwrap()).collect::<Vec<_>>(),
        [third, fourth]
    );
    world.host.invocations().iter().for_each(assert_succeeded);
    world.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_backups_go_from_the_simulator() {
    old_backups_go(Blobs::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_backups_go_from_azurite() {
    old_backups_go(Blobs::AzuriteByToken).await;
}

/// Day after day it is told once and asked once, and backups and restores go on; once it is allowed, what is old goes.
async fn storage_keeps_everything(guard: Guard, code: &str) {
    let world = World::of(keeping_a_day(Blobs::Embedded)).await;
    let first = world.until_held_by(&[NORTH]).await;
    let blobs = world.simulation.blobs().unwrap();
    blobs.guard(&format!("{BACKUPS}/"), guard);
    a_day_passes(&world).await;
    a_day_passes(&world).await;
    let refused = world.told("retention.refused");
    assert!(refused[0].message.contains(code), "{refused:?}");
    blobs.clear_journal();
    a_day_passes(&world).await;
    world.minutes(30).await;
    let deletes = blobs.journal().into_iter().filter(|entry| entry.method == Method::DELETE).count();
    assert!((1..=4).contains(&deletes), "one pass asks for what is old, once: {deletes}");
    assert_eq!(world.told("retention.refused").len(), 1);
    let refused = world.record(PRIMARY).await["retention"]["refused"]["what"].clone();
    assert!(refused.as_str().unwrap().contains(code), "{refused}");
    assert_eq!(world.accepted(PRIMARY, OperationKind::Backup).len(), 4);
    assert_eq!(world.accepted(NORTH, OperationKind::Restore).len(), 4);

    blobs.lift_guards();
    a_day_passes(&world).await;
    assert_eq!(lies_there(&world, &first).await, [".apimbackup", ".inventory-after.json", ".inventory.json"]);
    assert!(world.record(PRIMARY).await["retention"].get("refused").is_none());
    world.host.invocations().iter().for_each(assert_succeeded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_right_does_no_harm() {
    storage_keeps_everything(Guard::NoRightToDelete, "AuthorizationPermissionMismatch").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_immutability_policy_does_no_harm() {
    storage_keeps_everything(Guard::Immutable, "BlobImmutableDueToPolicy").await;
}

/// What the settings no longer name leaves nothing behind but what must never go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_removed_service_left_goes_too() {
    let mut world = World::of(Setup { secondaries: 2, ..keeping_a_day(Blobs::Embedded) }).await;
    world.until_held_by(&[NORTH, "contoso-sweden"]).await;
    let partial = "partial/contoso-sweden/contoso-sweden-20260302T090000Z/1.json";
    world.storage.put(STATE, partial, b"{}".to_vec(), &[]).await.unwrap();
    world
        .storage
        .put(BACKUPS, "contoso-sweden-20260228T020000Z.apimbackup", b"?".to_vec(), &[])
        .await
        .unwrap();
    let north = world.settings["APIM_SECONDARY_IDS"].split(',').next().unwrap().to_owned();
    world.restart_with(&[("APIM_SECONDARY_IDS", &north)]).await;
    a_day_passes(&world).await;
    a_day_passes(&world).await;
    assert!(world.blobs(BACKUPS, "contoso-sweden").await.is_empty());
    assert!(world.blobs(STATE, "partial/").await.is_empty());
}

/// Two passes at once delete everything once, and neither fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hosts_tidy_at_once() {
    let world = World::of(keeping_a_day(Blobs::Embedded)).await;
    world.until_held_by(&[NORTH]).await;
    for minute in 0..60 {
        let name = format!("contoso-west-20260228T02{minute:02}00Z.manifest.json");
        world.storage.put(BACKUPS, &name, b"{}".to_vec(), &[]).await.unwrap();
    }
    let other = world.another_host().await;
    world.clock.advance(Duration::days(1));
    let (one, two) = tokio::join!(world.host.tick(), other.tick());
    assert_succeeded(&one);
    assert_succeeded(&two);
    world.minutes(1).await;
    assert!(world.blobs(BACKUPS, "contoso-west-20260228").await.is_empty());
    world.assert_sound();
}
