//! One suite for every blob server: Azurite by key and by token, and the simulator's own by both. What the
//! handler believes about storage holds on all of them, or the test of that server fails.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

#[path = "storage/cases.rs"]
mod cases;
#[path = "storage/deployment.rs"]
mod deployment;
#[path = "storage/faults.rs"]
mod faults;

use std::panic::AssertUnwindSafe;

use apim_dr_sim::simulation::Storage;
use apim_dr_sim::tls::Authority;
use futures::FutureExt as _;
use futures::future::join_all;

use deployment::Deployment;
use support::azurite::Azurite;

/// Runs every case, each in containers of its own and all at once, because some have to wait for retries; but
/// the last one takes the tokens from all others, and so runs alone.
async fn conform(server: &str, deployment: &Deployment) {
    let run = |index: usize| async move {
        let (name, case) = cases::ALL[index];
        let outcome = AssertUnwindSafe(case(deployment.containers(index))).catch_unwind().await;
        outcome.is_err().then_some(name)
    };
    let last = cases::ALL.len() - 1;
    let mut failed = join_all((0..last).map(run)).await;
    failed.push(run(last).await);
    let failed: Vec<_> = failed.into_iter().flatten().collect();
    assert!(failed.is_empty(), "{server} fails at {failed:?}: see the panics above");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn azurite_by_key() {
    let azurite = Azurite::http();
    let storage = Storage::At(azurite.account().clone());
    conform("Azurite by key", &Deployment::start("azurite-key", storage, None).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn azurite_by_token() {
    let authority = Authority::new().unwrap();
    let azurite = Azurite::https(&authority, &deployment::directory("azurite-token"));
    let storage = Storage::At(azurite.account().clone());
    conform("Azurite by token", &Deployment::start("azurite-token", storage, Some(authority)).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simulator_by_key() {
    conform("the simulator by key", &Deployment::start("simulator-key", Storage::Embedded, None).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simulator_by_token() {
    let deployment = Deployment::start("simulator-token", Storage::EmbeddedTls, None).await;
    conform("the simulator by token", &deployment).await;
}
