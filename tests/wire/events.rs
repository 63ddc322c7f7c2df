//! Events get lost, repeat, come late, and come for strangers: none of that decides what is restored.

use apim_dr_sim::journal::OperationKind;

use crate::world::{BACKUPS, NORTH, World, assert_succeeded, logs};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tick_makes_up_for_an_event_that_never_comes() {
    let world = World::new().await;
    for _ in 0..30 {
        assert_succeeded(&world.tick().await);
    }
    assert_eq!(world.told("manifest.taken_up").len(), 1);
    world.assert_one_cycle(&[NORTH]);
    world.assert_alike(NORTH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_comes_again_changes_nothing() {
    let world = World::new().await;
    let name = world.until_held_by(&[NORTH]).await;
    let manifest = format!("{name}.manifest.json");
    // Other metadata is another ETag, for which the host fires once more.
    world.storage.set_metadata(BACKUPS, &manifest, &[("seen", "again")]).await.unwrap();
    world.minutes(5).await;
    assert_eq!(world.told("restore.ignored").len(), 1, "the second event is ignored");
    world.assert_one_cycle(&[NORTH]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_that_no_record_names_is_not_restored() {
    let world = World::new().await;
    let name = world.until_held_by(&[NORTH]).await;
    // Somebody who may write the container copies a manifest under a later name.
    let mut manifest = world.json(BACKUPS, &format!("{name}.manifest.json")).await;
    let forged = "contoso-west-20260302T233000Z";
    manifest["name"] = forged.into();
    manifest["startedAt"] = "2026-03-02T23:30:00Z".into();
    manifest["backup"]["blob"] = format!("{forged}.apimbackup").into();
    let blob = world.storage.get(BACKUPS, &format!("{name}.apimbackup")).await.unwrap().unwrap();
    world.storage.put(BACKUPS, &format!("{forged}.apimbackup"), blob, &[]).await.unwrap();
    let bytes = manifest.to_string().into_bytes();
    world.storage.put(BACKUPS, &format!("{forged}.manifest.json"), bytes, &[]).await.unwrap();
    world.minutes(5).await;
    assert!(world.told("configuration.suspect").iter().any(|logged| logged.backup == forged));
    assert_eq!(world.accepted(NORTH, OperationKind::Restore).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_for_strangers_are_ignored() {
    let world = World::new().await;
    world.until_held_by(&[NORTH]).await;
    for blob in ["fabrikam-20260302T090000Z.manifest.json", "notes/readme.manifest.json"] {
        world.storage.put(BACKUPS, blob, b"{}".to_vec(), &[]).await.unwrap();
    }
    // What no manifest of ours could be is not waited for: its event shall not come again.
    let large = vec![b' '; 70_000];
    world.storage.put(BACKUPS, "contoso-west-20260302T090000Z.manifest.json", large, &[]).await.unwrap();
    world.minutes(2).await;
    let ignored = world.told("restore.ignored");
    assert_eq!(ignored.len(), 3);
    assert!(ignored.iter().any(|logged| logged.message.contains("larger than")), "{ignored:?}");
    let by_hand = world.host.manual("RestoreOnBlob", Some("apim-backups/notes/readme.manifest.json")).await;
    assert!(logs(&by_hand).contains("is no manifest's name"), "{}", logs(&by_hand));
    world.assert_one_cycle(&[NORTH]);
}
