//! Two apps with the same settings and the same storage, as an overlapping deployment or a scale-out leaves
//! them: whatever both do at the same moment is done once.

use apim_dr_sim::host::Outcome;

use crate::setup::Setup;
use crate::world::{NORTH, PRIMARY, SWEDEN, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_handlers_that_tick_at_once_make_one_backup_and_one_restore() {
    let world = World::of(Setup { secondaries: 2, ..Setup::default() }).await;
    let other = world.another_host().await;
    for _ in 0..30 {
        world.clock.advance(time::Duration::MINUTE);
        world.cloud().settle().await;
        let ticks = tokio::join!(world.host.tick(), other.tick());
        let scans = tokio::join!(world.host.scan(), other.scan());
        for invocation in [ticks.0, ticks.1].into_iter().chain(scans.0).chain(scans.1) {
            let outcome = &invocation.outcome;
            assert!(!matches!(outcome, Outcome::Failed { .. }), "{}: {outcome:?}", invocation.function);
        }
    }
    other.stop().await;
    world.assert_one_cycle(&[NORTH, SWEDEN]);
    for service in [PRIMARY, NORTH, SWEDEN] {
        assert_eq!(world.record(service).await["operation"]["kind"], "idle");
    }
    world.assert_alike(NORTH);
    world.assert_alike(SWEDEN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_target_restores_at_a_time() {
    let world = World::of(Setup { secondaries: 2, ..Setup::default() }).await;
    world.until_held_by(&[NORTH, SWEDEN]).await;
    world.assert_one_cycle(&[NORTH, SWEDEN]);
    let mut restores = world.accepted(NORTH, apim_dr_sim::journal::OperationKind::Restore);
    restores.extend(world.accepted(SWEDEN, apim_dr_sim::journal::OperationKind::Restore));
    restores.sort_by_key(|restore| restore.started);
    assert!(restores[0].ended.unwrap() <= restores[1].started, "they overlap: {restores:?}");
}
