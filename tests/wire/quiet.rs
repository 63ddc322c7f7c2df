//! What must not be there: requests while there is nothing to do, and secrets anywhere.

use apim_dr_sim::journal::OperationKind;
use apim_dr_sim::knobs::{Fault, Request};
use apim_dr_sim::storage::EMULATOR_KEY;

use crate::setup::{Blobs, Setup};
use crate::world::{BACKUPS, NORTH, PRIMARY, STATE, World, assert_succeeded};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_tick_asks_storage_three_times_and_azure_nothing() {
    let world = World::new().await;
    world.until_held_by(&[NORTH]).await;
    world.minutes(5).await;
    let blobs = world.simulation.blobs().unwrap();
    blobs.clear_journal();
    world.cloud().journal().clear_exchanges();
    assert_succeeded(&world.tick().await);
    let asked = blobs.journal();
    assert!(!asked.is_empty() && asked.len() <= 3, "{asked:?}");
    let exchanges = world.cloud().journal().exchanges();
    assert!(exchanges.is_empty(), "{exchanges:?}");
}

/// How every token of the simulator begins: `{"` in Base64.
const TOKEN: &str = "eyJ";

/// What the URL of every operation holds.
const OPERATION: &str = "operationresults";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_and_no_token_is_told_when_all_goes_wrong() {
    let setup = Setup::default().setting("BACKUP_ACCESS", "access-key");
    let world = troubled_cycle(setup).await;
    let header = world.settings["IDENTITY_HEADER"].clone();
    nothing_holds(&world, &[EMULATOR_KEY, &header, TOKEN, OPERATION]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_client_secret_is_told_when_all_goes_wrong() {
    let blobs = Blobs::EmbeddedTls;
    let setup = Setup { blobs, by_secret: true, ..Setup::default() };
    let world = troubled_cycle(setup).await;
    let secret = world.settings["AZURE_CLIENT_SECRET"].clone();
    nothing_holds(&world, &[&secret, EMULATOR_KEY, TOKEN, OPERATION]).await;
}

/// Two cycles, in which each kind of request fails in several ways.
async fn troubled_cycle(setup: Setup) -> World {
    let world = World::of(setup).await;
    let tokens =
        if world.settings.contains_key("AZURE_CLIENT_SECRET") { Request::Entra } else { Request::Identity };
    world.cloud().next(tokens, Fault::error(400, "invalid_request", "The request is not valid."));
    world.cloud().next(Request::Backup, Fault::status(401).times(2));
    world.cloud().next(Request::Backup, Fault::error(400, "InvalidParameters", "Invalid parameter."));
    world.cloud().next(Request::Poll, Fault::status(403).times(2));
    world.cloud().next(Request::Restore, Fault::status(500));
    world.cloud().next(Request::Restore, Fault::fails("RestoreFailed", "Cannot restore: backup is corrupt"));
    the_open_record_holds_the_url(&world).await;
    world.until_held_by(&[NORTH]).await;
    drop(world.by_hand("BackupTimer", "again").await);
    world.until_held_by(&[NORTH]).await;
    assert_eq!(world.cloud().faults_left(), 0, "every fault was met");
    world
}

/// While an operation runs, its URL stands in the record, word for word: nobody could follow it otherwise.
async fn the_open_record_holds_the_url(world: &World) {
    while world.accepted(PRIMARY, OperationKind::Backup).is_empty() {
        world.troubled_minutes(1).await;
        assert!(world.clock.now() < crate::world::START + time::Duration::hours(1));
    }
    let record = world.record(PRIMARY).await.to_string();
    assert!(record.contains(OPERATION), "{record}");
}

async fn nothing_holds(world: &World, secrets: &[&str]) {
    let mut texts: Vec<_> = world.host.lines().into_iter().map(|line| line.text).collect();
    for (container, prefix) in [(STATE, ""), (BACKUPS, PRIMARY)] {
        for blob in world.blobs(container, prefix).await {
            if !blob.ends_with(".apimbackup") {
                texts.push(world.json(container, &blob).await.to_string());
            }
        }
    }
    assert!(texts.len() > 40, "there is something to look through");
    for text in &texts {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} stands in {text}");
        }
    }
}
