//! Events that come again, come late, or speak of what is no longer there.

use apim_dr_sim::host::{BlobEvent, Outcome};
use apim_dr_sim::journal::OperationKind;
use apim_dr_sim::storage::ETag;

use crate::world::{BACKUPS, NORTH, PRIMARY, World, assert_succeeded};

fn event(backup: &str, etag: Option<&str>) -> BlobEvent {
    BlobEvent { blob: format!("{backup}.manifest.json"), etag: etag.map(ETag::new) }
}

/// While the restore runs, after it, and when a newer backup has long been taken up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_comes_again_or_late_restores_nothing() {
    let world = World::new().await;
    let first = world.until("restore.accepted").await.backup;
    for _ in 0..3 {
        redeliver(&world, &first).await;
    }
    world.until_held_by(&[NORTH]).await;
    redeliver(&world, &first).await;
    assert_eq!(world.told("restore.ignored").len(), 4);
    world.assert_one_cycle(&[NORTH]);

    world.by_hand("BackupTimer", "").await;
    let second = world.until_held_by(&[NORTH]).await;
    redeliver(&world, &first).await;
    world.minutes(10).await;
    assert_eq!(world.record(NORTH).await["holds"]["backup"], second.as_str());
    assert_eq!(world.accepted(NORTH, OperationKind::Restore).len(), 2);
    world.assert_sound();
}

async fn redeliver(world: &World, backup: &str) {
    let invocations = world.host.redeliver("RestoreOnBlob", event(backup, None)).await;
    assert_eq!(invocations.len(), 1);
    assert_succeeded(&invocations[0]);
}

/// The host drops an event for a version that was replaced; the version that is there has had its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_event_does_not_reach_the_handler() {
    let world = World::new().await;
    let backup = world.until_held_by(&[NORTH]).await;
    let invocations = world.host.redeliver("RestoreOnBlob", event(&backup, Some("0x1"))).await;
    assert!(matches!(invocations[0].outcome, Outcome::NotInvoked { .. }), "{invocations:?}");
    world.minutes(2).await;
    world.assert_one_cycle(&[NORTH]);
}

/// Somebody wrote other bytes in the manifest's place while its event was lost. It is told as what it is, and once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tick_that_finds_other_bytes_than_the_record_names_takes_nothing_up_and_says_so() {
    let world = World::new().await;
    world.host.lose_events(2);
    let backup = world.until("backup.verified").await.backup;
    let path = format!("{backup}.manifest.json");
    let mut manifest = world.json(BACKUPS, &path).await;
    manifest["tier"] = "Premium".into();
    world.storage.put(BACKUPS, &path, manifest.to_string().into_bytes(), &[]).await.unwrap();
    world.minutes(10).await;
    let told: Vec<_> = world.told("configuration.suspect").into_iter().map(|line| line.message).collect();
    assert_eq!(told.iter().filter(|said| said.contains("its bytes are not those")).count(), 1, "{told:?}");
    assert_eq!(
        world.record(NORTH).await["suspect"]["what"].as_str().map(|what| what.contains(&path)),
        Some(true)
    );
    assert!(world.told("restore.refused").is_empty());
    assert!(world.accepted(NORTH, OperationKind::Restore).is_empty());
    world.by_hand("BackupTimer", "").await;
    world.until_held_by(&[NORTH]).await;
}

/// An event that is lost with its receipt never comes: three minutes later a tick takes the manifest up, and
/// the event of the next backup comes in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_event_is_made_up_for_within_minutes() {
    let world = World::new().await;
    world.host.lose_events(1);
    let verified = world.until("backup.verified").await;
    let proven = world.clock.now();
    let taken_up = world.until("manifest.taken_up").await;
    assert_eq!(taken_up.backup, verified.backup);
    let after = (world.clock.now() - proven).whole_minutes();
    assert!((3..=4).contains(&after), "the first tick after three minutes, not after {after}");
    world.until_held_by(&[NORTH]).await;
    world.by_hand("BackupTimer", "").await;
    world.until_held_by(&[NORTH]).await;
    assert_eq!(world.told("manifest.taken_up").len(), 1);
    assert_eq!(world.accepted(PRIMARY, OperationKind::Backup).len(), 2);
    assert_eq!(world.accepted(NORTH, OperationKind::Restore).len(), 2);
    world.assert_sound();
}
