//! What Azure answers over a longer time: a primary that takes no token, a claim whose answer never came, a
//! backup that does not end, and addresses that are not Azure's.

use std::io::ErrorKind;
use std::net::TcpListener;

use apim_dr_sim::journal::OperationKind;
use apim_dr_sim::knobs::{Fault, Request};
use time::{Duration, OffsetDateTime};

use crate::log::Logged;
use crate::setup::Setup;
use crate::world::{BACKUPS, NORTH, PRIMARY, World};

/// The one line of an event that was to come once.
fn told_once(world: &World, event: &str) -> Logged {
    let told = world.told(event);
    let [logged] = told.as_slice() else { panic!("{event} came {} times: {told:#?}", told.len()) };
    logged.clone()
}

/// The open restore of the secondary goes on beside it, and the wish waits until the token is good again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_takes_no_token_holds_up_no_open_restore() {
    let world = World::new().await;
    world.until("restore.accepted").await;
    world.cloud().service(PRIMARY).next(Request::Backup, Fault::status(401).forever());
    let by_hand = world.by_hand("BackupTimer", "now").await;
    assert!(by_hand.outcome.is_failure(), "{by_hand:?}");
    let failed = told_once(&world, "invocation.failed");
    assert!(failed.message.starts_with("contoso-west: Azure refused the token"), "{failed:?}");
    assert!(failed.message.contains("InvalidAuthenticationToken"), "{failed:?}");

    let invocations = world.troubled_minutes(8).await;
    let mut ticks = invocations.iter().filter(|invocation| invocation.function == "BackupTimer");
    assert!(ticks.all(|tick| tick.outcome.is_failure()), "each tick tells of it");
    assert_eq!(world.record(NORTH).await["holds"]["what"], "backup", "the open restore was followed");
    let record = world.record(PRIMARY).await;
    assert_eq!(record["operation"]["phase"]["phase"], "prepared", "the claim is undone");
    assert!(record.get("backupFailures").is_none(), "nothing is counted: {record:#}");
    assert!(record.get("backupWish").is_some(), "the wish waits: {record:#}");

    world.cloud().clear_faults();
    world.until("backup.verified").await;
    assert_eq!(world.accepted(PRIMARY, OperationKind::Backup).len(), 2);
    world.assert_sound();
}

/// Nobody touches the claim while its writer might still live; then the service's state speaks for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_whose_answer_was_lost_is_adopted_while_it_runs() {
    let durations = (Duration::minutes(12), Duration::minutes(4));
    let world = World::of(Setup { durations, ..Setup::default() }).await;
    world.cloud().next(Request::Backup, Fault::lose_reply());
    world.minutes(1).await;
    told_once(&world, "backup.unanswered");
    let claim = world.record(PRIMARY).await["operation"].clone();
    assert_eq!(claim["phase"]["phase"], "requested", "{claim:#}");
    world.minutes(7).await;
    assert_eq!(world.record(PRIMARY).await["operation"], claim, "a young claim is left alone");
    world.minutes(2).await;
    told_once(&world, "backup.adopted");
    let name = world.until_held_by(&[NORTH]).await;
    let manifest = world.json(BACKUPS, &format!("{name}.manifest.json")).await;
    assert_eq!(manifest["proof"], "blob", "nobody saw how it ended");
    assert_eq!(world.cloud().journal().of(Request::Backup).len(), 1, "it was posted once");
    world.assert_one_cycle(&[NORTH]);
}

/// Another port, another host and another scheme are all foreign, for a backup and for a restore.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_knocks_at_a_foreign_location() {
    let foreign = TcpListener::bind("127.0.0.1:0").unwrap();
    foreign.set_nonblocking(true).unwrap();
    let port = foreign.local_addr().unwrap().port();
    for address in [format!("https://localhost:{port}"), format!("http://127.0.0.1:{port}")] {
        let world = World::of(Setup { story: address.clone(), ..Setup::default() }).await;
        let id = world.cloud().service(PRIMARY).id();
        let location = format!("{address}{id}/operationresults/x?api-version=2024-05-01");
        world.cloud().next(Request::Backup, Fault::location(&location));
        world.cloud().next(Request::Restore, Fault::location(&location));
        world.until_held_by(&[NORTH]).await;
        world.assert_one_cycle(&[NORTH]);
        let compared = &world.record(NORTH).await["holds"]["compared"];
        assert_eq!(compared["result"], "verified", "what it holds shows how the restore ended");
        // Who connects stands in the queue of the listener, whether it was taken out in time or not.
        let knock = foreign.accept().map(|(_, from)| from);
        let nobody = knock.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        assert!(nobody, "{knock:?} came to {address}");
    }
}

/// Time passes in steps of ten minutes: the alarm comes with the first one after 4 h, and once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_never_ends_is_overdue_after_four_hours() {
    let world = World::new().await;
    world.cloud().next(Request::Backup, Fault::never_ends());
    world.minutes(1).await;
    let deadline = world.clock.now() + Duration::hours(4);
    let told_at = until_overdue(&world).await;
    assert!((deadline..=deadline + Duration::minutes(10)).contains(&told_at), "told at {told_at}");
    let overdue = told_once(&world, "backup.overdue");
    assert!(overdue.message.contains("Azure support"), "{overdue:?}");
    assert_eq!(world.record(PRIMARY).await["operation"]["kind"], "backup", "it stays open");

    world.cloud().service(PRIMARY).free();
    let failed = world.until("backup.failed").await;
    assert!(failed.message.contains("BackupFailed: The operation was cancelled."), "{failed:?}");
    world.until_held_by(&[NORTH]).await;
    told_once(&world, "backup.overdue");
    world.assert_sound();
}

/// When the alarm comes, within 5 h.
async fn until_overdue(world: &World) -> OffsetDateTime {
    for _ in 0..30 {
        world.clock.advance(Duration::minutes(9));
        world.minutes(1).await;
        if !world.told("backup.overdue").is_empty() {
            return world.clock.now();
        }
    }
    panic!("no alarm within 5 h")
}
