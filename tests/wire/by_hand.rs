//! What a person does: the portal's Test/Run and the admin endpoint are the same to the handler.

use std::time::Duration as Wall;

use apim_dr_sim::host::Outcome;
use apim_dr_sim::journal::OperationKind;
use apim_dr_sim::knobs::Request;
use apim_dr_sim::serve::{listen, serve};
use serde_json::json;
use time::Duration;

use crate::setup::Setup;
use crate::world::{BACKUPS, NORTH, PRIMARY, World, logs, pause};

async fn back_up(world: &World) -> String {
    logs(&world.by_hand("BackupTimer", "").await)
}

async fn restore(world: &World, backup: &str) -> String {
    let input = format!("{BACKUPS}/{backup}.manifest.json");
    logs(&world.by_hand("RestoreOnBlob", &input).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_now_begins_at_once_and_only_once() {
    let world = World::new().await;
    let first = world.until_held_by(&[NORTH]).await;
    let told = back_up(&world).await;
    assert!(told.contains("backup.wished") && told.contains("backup.accepted"), "{told}");
    let name = world.told("backup.accepted")[1].backup.clone();
    let again = back_up(&world).await;
    assert!(again.contains("backup.already_running") && again.contains(&name), "{again}");

    let second = world.until_held_by(&[NORTH]).await;
    assert_eq!(second, name);
    assert_ne!(first, second);
    world.minutes(10).await;
    assert_eq!(world.accepted(PRIMARY, OperationKind::Backup).len(), 2, "the second wish began nothing");
    assert_eq!(world.accepted(NORTH, OperationKind::Restore).len(), 2);
    world.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_now_waits_while_the_service_is_changed_and_then_lapses() {
    let world = World::new().await;
    world.until_held_by(&[NORTH]).await;
    world.cloud().service(PRIMARY).set_state("Updating");
    let told = back_up(&world).await;
    assert!(told.contains("backup.waiting") && told.contains("Updating"), "{told}");
    world.clock.advance(Duration::hours(1));
    world.minutes(1).await;
    assert_eq!(world.told("backup.lapsed").len(), 1);
    world.cloud().service(PRIMARY).set_state("Succeeded");
    world.minutes(5).await;
    assert_eq!(world.accepted(PRIMARY, OperationKind::Backup).len(), 1, "an old wish does not fire");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_admin_endpoint_starts_a_backup() {
    let world = World::new().await;
    world.until_held_by(&[NORTH]).await;
    let admin = serve(listen(0).await.unwrap(), world.host.admin(), None).unwrap();
    let url = format!("http://127.0.0.1:{}/admin/functions/BackupTimer", admin.port());
    let call = reqwest::Client::builder().no_proxy().build().unwrap().post(url);
    let call = call.header("content-type", "application/json").body(json!({"input": "now"}).to_string());
    assert_eq!(call.send().await.unwrap().status(), 202);
    let begun = async {
        while world.told("backup.accepted").len() < 2 {
            pause().await;
        }
    };
    tokio::time::timeout(Wall::from_secs(30), begun).await.unwrap();
    assert_eq!(world.told("backup.wished").len(), 1);
}

/// An older backup, chosen by hand, stays until the newest is chosen by hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_backup_pins_the_standby() {
    let world = World::new().await;
    let older = world.until_held_by(&[NORTH]).await;
    world.cloud().service(PRIMARY).remove("apis/orders");
    back_up(&world).await;
    world.until_held_by(&[NORTH]).await;
    world.assert_alike(NORTH);

    let told = restore(&world, &older).await;
    assert!(told.contains("restore.pinned"), "{told}");
    world.until("restore.verified").await;
    assert_eq!(world.record(NORTH).await["holds"]["backup"], older.as_str());
    assert!(!world.cloud().differences(PRIMARY, NORTH).is_alike(), "the removed API is back on the standby");

    back_up(&world).await;
    let newest = world.until("backup.verified").await.backup;
    world.minutes(10).await;
    let deferred = world.told("restore.deferred");
    assert_eq!(deferred.len(), 1, "it waits, and says so once: {deferred:?}");
    assert!(deferred[0].message.contains(&older), "{}", deferred[0].message);
    assert_eq!(world.record(NORTH).await["holds"]["backup"], older.as_str());

    let told = restore(&world, &newest).await;
    assert!(told.contains("restore.unpinned"), "{told}");
    assert_eq!(world.until_held_by(&[NORTH]).await, newest);
    world.assert_alike(NORTH);
    world.assert_sound();
}

/// The natural mistake: the backup itself in place of its manifest, and a name that is not there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_name_is_refused_with_the_right_one() {
    let world = World::new().await;
    let name = world.until_held_by(&[NORTH]).await;
    let backup = format!("{BACKUPS}/{name}.apimbackup");
    let told = logs(&world.by_hand("RestoreOnBlob", &backup).await);
    assert!(told.contains("wish.refused") && told.contains(".manifest.json"), "{told}");
    let missing = format!("{BACKUPS}/{PRIMARY}-20260101T000000Z.manifest.json");
    let outcome = world.by_hand("RestoreOnBlob", &missing).await.outcome;
    assert!(matches!(outcome, Outcome::NotInvoked { .. }), "the host does not call: {outcome:?}");
    assert_eq!(world.accepted(NORTH, OperationKind::Restore).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_backup_is_refused() {
    let world = World::new().await;
    let name = world.until_held_by(&[NORTH]).await;
    world.clock.advance(Duration::days(31));
    let told = restore(&world, &name).await;
    assert!(told.contains("restore.refused") && told.contains("expired"), "{told}");
    world.minutes(2).await;
    assert_eq!(world.cloud().journal().of(Request::Restore).len(), 1);
}

/// Without a word on who serves, nothing is overwritten, by itself or by hand; the log says what to set.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_live_check_a_restore_is_deferred_with_advice() {
    let mut world = World::of(Setup::default().setting("LIVE_CHECK", "")).await;
    let deferred = world.until("restore.deferred").await;
    for setting in ["TRAFFIC_MANAGER_ID", "LIVE_CHECK=off"] {
        assert!(deferred.message.contains(setting), "{}", deferred.message);
    }
    let told = restore(&world, &deferred.backup).await;
    assert!(told.contains("restore.deferred") && told.contains("LIVE_CHECK=off"), "{told}");
    world.minutes(5).await;
    assert!(world.cloud().journal().of(Request::Restore).is_empty());

    world.restart_with(&[("LIVE_CHECK", "off")]).await;
    world.until_held_by(&[NORTH]).await;
    world.assert_one_cycle(&[NORTH]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_of_another_tier_waits_until_it_fits() {
    let world = World::new().await;
    world.cloud().service(NORTH).set_tier("Premium", 1);
    let deferred = world.until("restore.deferred").await;
    assert!(
        deferred.message.contains("Premium") && deferred.message.contains("Standard"),
        "{}",
        deferred.message
    );
    world.minutes(10).await;
    assert_eq!(world.told("restore.deferred").len(), 1, "the same reason is told once");
    assert!(world.cloud().journal().of(Request::Restore).is_empty());
    world.cloud().service(NORTH).set_tier("Standard", 1);
    world.until_held_by(&[NORTH]).await;
    world.assert_one_cycle(&[NORTH]);
}

/// Nothing is wished for where nothing can be kept, and whoever asked for it is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_into_a_service_whose_record_is_anothers_is_refused_aloud() {
    let world = World::new().await;
    let backup = world.until_held_by(&[NORTH]).await;
    let own = world.record(NORTH).await;
    let mut other = own.clone();
    other["service"] =
        own["service"].as_str().unwrap().replace("/resourceGroups/", "/resourceGroups/old-").into();
    world.write_record(NORTH, &other).await;
    let told = restore(&world, &backup).await;
    assert!(told.contains("wish.refused") && told.contains("contoso-north has no usable record"), "{told}");
    assert_eq!(world.accepted(NORTH, OperationKind::Restore).len(), 1);
}
