//! What is wrong before anything can be done: settings, and servers that are not there. The process stays up,
//! because the host gives up on one that ends, and each invocation says what is wrong.

use apim_dr_sim::blobs::Blobs as Server;
use apim_dr_sim::host::{Level, State};
use apim_dr_sim::storage::Account;
use tokio::net::TcpListener;

use crate::setup::{Blobs, Setup};
use crate::world::{NORTH, World};

/// A port on which nobody listens.
async fn silent_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port()
}

/// The invocations of so many minutes fail, each with a line that holds all of `words`, and the process lives.
async fn fails_saying(world: &World, minutes: u32, words: &[&str]) {
    let invocations = world.troubled_minutes(minutes).await;
    assert!(invocations.iter().all(|invocation| invocation.outcome.is_failure()), "{invocations:?}");
    let told = world.told("invocation.failed");
    assert_eq!(told.len(), invocations.len(), "each says why");
    for logged in &told {
        for word in words {
            assert!(logged.message.contains(word), "no {word} in {}", logged.message);
        }
    }
    assert_eq!(world.restarts(), 0, "the process stays up");
    assert_eq!(world.host.state(), State::Running);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_setting_is_named_in_each_invocation() {
    let setup = Setup::default()
        .setting("APIM_PRIMARY_ID", "contoso-west")
        .setting("APIM_SECONDARY_IDS", "")
        .setting("BACKUP_SCHEDULE", "every day at two")
        .setting("LIVE_CHECK", "perhaps");
    let mut world = World::of(setup).await;
    let names = ["APIM_PRIMARY_ID", "APIM_SECONDARY_IDS", "BACKUP_SCHEDULE", "LIVE_CHECK"];
    fails_saying(&world, 3, &names).await;
    for name in names {
        let lines = world.host.lines();
        let loud = lines.iter().filter(|line| line.level == Level::Error && line.text.contains(name));
        let refused = loud.filter(|line| line.text.contains("setting.refused"));
        assert_eq!(refused.count(), 1, "{name} stands on stderr once");
    }
    let right = world.simulation.settings();
    let changes: Vec<_> = names.map(|name| (name, right.get(name).map_or("", String::as_str))).into();
    world.restart_with(&changes).await;
    world.until_held_by(&[NORTH]).await;
    world.assert_one_cycle(&[NORTH]);
}

/// The host reads this one too, and silently disables the function.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_container_is_told_by_the_timer() {
    let world = World::of(Setup::default().setting("BACKUP_CONTAINER", "")).await;
    assert_eq!(world.host.disabled().len(), 1, "the host disables RestoreOnBlob");
    fails_saying(&world, 2, &["BACKUP_CONTAINER"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_bundle_of_authorities_is_named() {
    let world = World::of(Setup::default().setting("SSL_CERT_FILE", "/nowhere/bundle.pem")).await;
    fails_saying(&world, 2, &["SSL_CERT_FILE", "/nowhere/bundle.pem"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_storage_server_invocations_fail_until_there_is_one() {
    let port = silent_port().await;
    let world = World::of(Setup { blobs: Blobs::At(Account::emulator(port)), ..Setup::default() }).await;
    fails_saying(&world, 1, &["no answer", "BackupStorage"]).await;
    let _serving = Server::new(Account::emulator(port)).serve(port).await.unwrap();
    world.until_held_by(&[NORTH]).await;
    world.assert_one_cycle(&[NORTH]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_endpoint_the_log_says_whose_token_is_missing() {
    let endpoint = format!("http://127.0.0.1:{}/msi/token", silent_port().await);
    let mut world = World::of(Setup::default().setting("IDENTITY_ENDPOINT", endpoint)).await;
    fails_saying(&world, 1, &["no token for", "system-assigned identity"]).await;
    assert!(world.cloud().journal().posts().is_empty());
    let right = world.simulation.settings()["IDENTITY_ENDPOINT"].clone();
    world.restart_with(&[("IDENTITY_ENDPOINT", &right)]).await;
    world.until_held_by(&[NORTH]).await;
    world.assert_one_cycle(&[NORTH]);
}
