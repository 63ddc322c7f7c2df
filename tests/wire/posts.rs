//! What Azure may answer to the request for a backup or a restore.

use std::time::Duration as Wall;

use apim_dr_sim::journal::OperationKind;
use apim_dr_sim::knobs::{Fault, Request};
use futures::FutureExt as _;
use time::Duration;
use tokio::net::TcpListener;

use crate::setup::Setup;
use crate::world::{BACKUPS, NORTH, PRIMARY, SWEDEN, World, assert_succeeded};

/// Busy is no failure: the claim is undone, and a later tick tries again. Nobody waits as long as Azure says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn busy_is_tried_again_at_a_later_tick() {
    for status in [409, 429, 503] {
        let world = World::of(Setup { story: format!("busy with {status}"), ..Setup::default() }).await;
        world.cloud().next(Request::Backup, Fault::status(status).retry_after(3600));
        world.cloud().next(Request::Restore, Fault::status(status).retry_after(3600));
        let tick = world.tick().await;
        assert_succeeded(&tick);
        assert!(tick.duration < Wall::from_secs(10), "it waited: {:?}", tick.duration);
        assert_eq!(world.told("backup.busy").len(), 1);
        let record = world.record(PRIMARY).await;
        assert_eq!(record["operation"]["phase"]["phase"], "prepared", "the claim is undone");
        assert!(record.get("backupFailures").is_none(), "nothing is counted: {record}");

        world.until_held_by(&[NORTH]).await;
        assert_eq!(world.told("restore.busy").len(), 1);
        assert_eq!(world.cloud().journal().posts().len(), 4, "two that were refused, two that were taken");
        world.assert_one_cycle(&[NORTH]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_is_replaced_once() {
    let world = World::new().await;
    world.cloud().next(Request::Backup, Fault::status(401));
    world.minutes(1).await;
    let posts = world.cloud().journal().posts();
    assert_eq!(posts.iter().map(|post| post.status).collect::<Vec<_>>(), [Some(401), Some(202)]);
    assert_eq!(world.cloud().journal().of(Request::Identity).len(), 2, "a second token");
    world.until_held_by(&[NORTH]).await;
    world.assert_one_cycle(&[NORTH]);
}

/// A service that takes no token waits; the others go on, and the invocation says that it could not do all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_takes_no_token_holds_up_no_other() {
    let world = World::of(Setup { secondaries: 2, ..Setup::default() }).await;
    world.cloud().service(NORTH).next(Request::Service, Fault::status(401).forever());
    let invocations = world.troubled_minutes(15).await;
    assert_eq!(world.record(SWEDEN).await["holds"]["what"], "backup");
    assert!(invocations.iter().any(|invocation| invocation.outcome.is_failure()), "it is said");
    assert!(world.told("service.not_driven").iter().all(|logged| logged.service == NORTH));
    assert!(world.told("invocation.failed").iter().all(|logged| logged.message.contains(NORTH)));

    world.cloud().clear_faults();
    world.until_held_by(&[NORTH, SWEDEN]).await;
    world.assert_one_cycle(&[NORTH, SWEDEN]);
}

/// What Azure says no to is a fact, recorded well: the invocation succeeds, and the attempt is made again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_kept_word_for_word() {
    let said = "Invalid parameter: Requested value 'GET,HEAD,PATCH' was not found. (backupStorageAccount)";
    let world = World::new().await;
    world.cloud().next(Request::Backup, Fault::error(400, "InvalidParameters", said));
    world.cloud().next(Request::Restore, Fault::error(403, "AuthorizationFailed", said));
    world.minutes(1).await;
    let told = world.told("backup.failed").pop().unwrap();
    let kept = world.record(PRIMARY).await["backupFailures"]["what"].as_str().unwrap().to_owned();
    for words in [&told.message, &kept] {
        assert!(words.contains(said) && words.contains("InvalidParameters"), "not Azure's words: {words}");
    }
    let restored = world.until("restore.failed").await;
    assert!(restored.message.contains(said) && restored.message.contains("AuthorizationFailed"));
    let north = world.record(NORTH).await;
    assert_eq!(north["holds"]["what"], "nothing", "a refused request leaves what the target holds");

    world.until_held_by(&[NORTH]).await;
    world.assert_one_cycle(&[NORTH]);
    let gap = |posts: Vec<apim_dr_sim::journal::Exchange>| posts[1].at - posts[0].at;
    for request in [Request::Backup, Request::Restore] {
        let gap = gap(world.cloud().journal().of(request));
        assert!(gap >= Duration::minutes(5) && gap <= Duration::minutes(7), "tried again after {gap}");
    }
}

/// Azure took the backup, and nobody heard so: its blob shows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_whose_answer_is_lost_is_proven_by_its_blob() {
    for minutes in [3, 12] {
        let durations = (Duration::minutes(minutes), Duration::minutes(4));
        let story = format!("a backup of {minutes} min");
        let world = World::of(Setup { story, durations, locks: false, ..Setup::default() }).await;
        world.cloud().next(Request::Backup, Fault::lose_reply());
        world.minutes(1).await;
        assert_eq!(world.told("backup.unanswered").len(), 1);
        assert_eq!(
            world.record(PRIMARY).await["operation"]["phase"]["phase"],
            "requested",
            "the claim stands"
        );
        world.minutes(6).await;
        assert_eq!(world.cloud().journal().posts().len(), 1, "a claim is posted once");
        proven_by_its_blob(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_without_a_place_to_ask_is_proven_by_its_blob() {
    let world = World::new().await;
    world.cloud().next(Request::Backup, Fault::without_location());
    proven_by_its_blob(&world).await;
}

/// The token goes nowhere but to the Resource Manager of the settings, whatever a `Location` says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_location_is_never_asked() {
    let stranger = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://localhost:{}/operationresults/abc", stranger.local_addr().unwrap().port());
    let world = World::new().await;
    world.cloud().next(Request::Backup, Fault::location(&url));
    proven_by_its_blob(&world).await;
    assert!(stranger.accept().now_or_never().is_none(), "somebody came to ask");
}

async fn proven_by_its_blob(world: &World) {
    let name = world.until_held_by(&[NORTH]).await;
    let manifest = world.json(BACKUPS, &format!("{name}.manifest.json")).await;
    assert_eq!(manifest["proof"], "blob");
    world.assert_one_cycle(&[NORTH]);
    world.assert_alike(NORTH);
}

/// Nobody knows how a restore ended whose answer was lost: what the service holds is unknown until a second
/// one has ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_whose_answer_is_lost_is_done_again() {
    let world = World::of(Setup { locks: false, ..Setup::default() }).await;
    world.cloud().next(Request::Restore, Fault::lose_reply());
    world.until("restore.unanswered").await;
    world.until("restore.failed").await;
    assert_eq!(world.record(NORTH).await["holds"]["what"], "unknown");
    world.until_held_by(&[NORTH]).await;
    assert_eq!(world.accepted(NORTH, OperationKind::Restore).len(), 2);
    assert_eq!(world.accepted(PRIMARY, OperationKind::Backup).len(), 1);
    world.assert_sound();
    world.assert_alike(NORTH);
}
