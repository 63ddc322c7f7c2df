//! Two secondaries: the one that holds the older backup is restored first, whatever the settings' order.

use apim_dr_sim::journal::OperationKind;

use crate::setup::Setup;
use crate::world::{NORTH, SWEDEN, World, assert_succeeded};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stalest_secondary_is_restored_first() {
    let world = World::of(Setup { secondaries: 2, ..Setup::default() }).await;
    world.until_held_by(&[NORTH, SWEDEN]).await;
    // The last of the settings' order misses a backup, because its tier does not fit for a while.
    world.cloud().service(SWEDEN).set_tier("Premium", 1);
    world.by_hand("BackupTimer", "").await;
    world.until_held_by(&[NORTH]).await;
    assert_eq!(world.told("restore.deferred").pop().unwrap().service, SWEDEN);

    world.by_hand("BackupTimer", "").await;
    for _ in 0..30 {
        if world.told("backup.verified").len() < 3 {
            assert_succeeded(&world.tick().await);
        }
    }
    world.cloud().service(SWEDEN).set_tier("Standard", 1);
    world.scan().await.iter().for_each(assert_succeeded);
    let third = world.until_held_by(&[NORTH, SWEDEN]).await;
    let restores = |service: &str| world.accepted(service, OperationKind::Restore);
    let (north, sweden) = (restores(NORTH).pop().unwrap(), restores(SWEDEN).pop().unwrap());
    assert_eq!((restores(NORTH).len(), restores(SWEDEN).len()), (3, 2), "the one in between was left out");
    assert!(north.backup.starts_with(&third) && sweden.backup.starts_with(&third));
    assert!(sweden.ended.unwrap() <= north.started, "{SWEDEN} first, then {NORTH}: {sweden:?} {north:?}");
    world.assert_sound();
    world.assert_alike(NORTH);
    world.assert_alike(SWEDEN);
}
