//! How operations end that Azure has taken.

use apim_dr_sim::cloud::Denial;
use apim_dr_sim::host::Level;
use apim_dr_sim::journal::OperationKind;
use apim_dr_sim::knobs::{Fault, Request};
use time::Duration;

use crate::setup::Setup;
use crate::world::{BACKUPS, NORTH, PRIMARY, World};

/// A role without `operationresults/read` hides the ends, and both operations succeed all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_403_at_the_poll_is_no_failure() {
    let world = World::new().await;
    world.cloud().deny(Denial::of("Microsoft.ApiManagement/service/operationresults/read"));
    let name = world.until_held_by(&[NORTH]).await;
    assert_eq!(world.json(BACKUPS, &format!("{name}.manifest.json")).await["proof"], "blob");
    assert_eq!(world.accepted(PRIMARY, OperationKind::Backup).len(), 1);
    assert!(world.told("backup.failed").is_empty());
    // Nobody saw how the restore ended: what the service holds shows it.
    assert_eq!(world.accepted(NORTH, OperationKind::Restore).len(), 1);
    assert_eq!(world.record(NORTH).await["holds"]["compared"]["result"], "verified");
    world.assert_sound();
    world.assert_alike(NORTH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_result_is_made_up_for_by_the_blob() {
    let world = World::new().await;
    world.cloud().next(Request::Backup, Fault::forgotten());
    let name = world.until_held_by(&[NORTH]).await;
    assert_eq!(world.json(BACKUPS, &format!("{name}.manifest.json")).await["proof"], "blob");
    world.assert_one_cycle(&[NORTH]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_fails_leaves_the_target_unknown() {
    let said = "Cannot restore: the target is newer than the backup";
    let world = World::new().await;
    world.cloud().next(Request::Restore, Fault::fails("RestoreFailed", said).half_done());
    let told = world.until("restore.failed").await;
    assert!(told.message.contains(said) && told.message.contains("RestoreFailed"), "{}", told.message);
    let holds = world.record(NORTH).await["holds"].clone();
    assert_eq!(holds["what"], "unknown");
    assert!(holds["why"].as_str().unwrap().contains(said), "{holds}");

    world.until_held_by(&[NORTH]).await;
    let restores = world.accepted(NORTH, OperationKind::Restore);
    assert_eq!(restores.len(), 2);
    assert!(restores[1].started - restores[0].ended.unwrap() >= Duration::minutes(5), "{restores:?}");
    world.assert_sound();
    world.assert_alike(NORTH);
}

/// Azure's 200 says nothing of the blob: without one, or with an empty one, there is no backup.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_success_without_a_blob_is_a_failure() {
    for (fault, why) in [(Fault::blob_missing(), "no backup blob"), (Fault::blob_empty(), "is empty")] {
        let world = World::of(Setup { story: why.to_owned(), ..Setup::default() }).await;
        world.cloud().next(Request::Backup, fault);
        let failed = world.until("backup.failed").await;
        assert!(failed.message.contains(why), "{}", failed.message);
        let manifests = world.blobs(BACKUPS, &failed.backup).await;
        assert!(!manifests.iter().any(|blob| blob.ends_with("manifest.json")), "{manifests:?}");
        let name = world.until_held_by(&[NORTH]).await;
        assert_ne!(name, failed.backup, "what is begun anew has a new name");
        assert_eq!(world.accepted(PRIMARY, OperationKind::Backup).len(), 2);
        world.assert_sound();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_never_ends_is_an_alarm_and_stays_open() {
    let world = World::new().await;
    world.cloud().next(Request::Backup, Fault::never_ends());
    world.minutes(2).await;
    world.clock.advance(Duration::hours(4));
    world.minutes(10).await;
    let overdue = world.told("backup.overdue");
    assert_eq!(overdue.len(), 1, "it is said once");
    assert!(overdue[0].message.contains("Azure support"), "{}", overdue[0].message);
    let loud = |line: &apim_dr_sim::host::Line| line.level == Level::Error && line.text.contains("overdue");
    assert_eq!(world.host.lines().iter().filter(|line| loud(line)).count(), 1, "and on stderr");
    assert_eq!(world.record(PRIMARY).await["operation"]["phase"]["phase"], "running");
    assert_eq!(world.cloud().journal().posts().len(), 1, "nothing is begun beside it");

    world.cloud().service(PRIMARY).free();
    world.until("backup.failed").await;
    world.until_held_by(&[NORTH]).await;
    assert_eq!(world.accepted(PRIMARY, OperationKind::Backup).len(), 2);
    world.assert_sound();
}

/// A restore past its deadline holds up no other service.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_never_ends_gives_way_after_its_deadline() {
    let world = World::of(Setup { secondaries: 2, ..Setup::default() }).await;
    world.cloud().next(Request::Restore, Fault::never_ends());
    world.until("restore.accepted").await;
    let stuck = world.told("restore.accepted")[0].service.clone();
    let other = if stuck == NORTH { crate::world::SWEDEN } else { NORTH };
    world.minutes(5).await;
    assert!(world.accepted(other, OperationKind::Restore).is_empty(), "one at a time");
    world.clock.advance(Duration::hours(6));
    world.minutes(10).await;
    assert_eq!(world.told("restore.overdue").len(), 1);
    assert_eq!(world.record(other).await["holds"]["what"], "backup");
    assert_eq!(world.record(&stuck).await["operation"]["phase"]["phase"], "running");
    world.assert_sound();
}
