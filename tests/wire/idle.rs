//! While there is nothing to do, next to nothing is asked.

use crate::world::{NORTH, World, assert_succeeded};

/// One list, two records and what is known of health; nobody asks Resource Manager, nor for a token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_tick_asks_storage_four_times_and_azure_nothing() {
    let world = World::new().await;
    world.until_held_by(&[NORTH]).await;
    world.minutes(5).await;
    let blobs = world.simulation.blobs().unwrap();
    blobs.clear_journal();
    world.cloud().journal().clear_exchanges();
    assert_succeeded(&world.tick().await);
    let asked = blobs.journal();
    assert!(!asked.is_empty() && asked.len() <= 4, "{asked:?}");
    let exchanges = world.cloud().journal().exchanges();
    assert!(exchanges.is_empty(), "{exchanges:?}");
}
