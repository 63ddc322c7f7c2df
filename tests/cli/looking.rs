//! What is only looked at: status and history change nothing.

use apim_dr_sim::knobs::{Fault, Request};
use axum::http::Method;
use time::Duration;

use crate::world::{NORTH, STATE, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_anything_has_happened_there_is_a_status_and_nothing_is_made() {
    let world = World::new().await;
    let said = world.run("status").await;
    said.answered(0, &["contoso-west, the primary", "no backup was ever verified", "never driven"]);
    world.run("history").await.answered(0, &["nothing was backed up or restored yet"]);
    let writes = world.simulation.blobs().unwrap().journal();
    assert!(writes.iter().all(|entry| matches!(entry.method, Method::GET | Method::HEAD)), "{writes:?}");
    assert!(world.cloud().journal().exchanges().is_empty(), "LIVE_CHECK=off asks nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_shows_what_stands_and_what_runs() {
    let world = World::new().await;
    let name = world.standby().await;
    world.run("backup").await.answered(0, &[]);
    let before = world.storage.get(STATE, "services/contoso-west.json").await.unwrap();
    let said = world.run("status").await;
    said.answered(
        0,
        &[
            "serves          contoso-west, the primary",
            "within the target of 26 h",
            "next backup     2026-03-03 02:00 UTC",
            &format!("verified      {name}"),
            "now           backup contoso-west-20260302T",
            &format!("holds         {name}"),
        ],
    );
    assert_eq!(said.stderr, "");
    let status = world.json_of("status").await;
    assert_eq!((&status["version"], &status["lastVerified"]["name"]), (&1.into(), &name.as_str().into()));
    assert_eq!(world.storage.get(STATE, "services/contoso-west.json").await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_shows_what_fails_waits_and_has_stopped() {
    let mut world = World::new().await;
    let name = world.standby().await;
    let words = "The account is not reachable.";
    world.cloud().next(Request::Backup, Fault::error(400, "InvalidParameters", words));
    world.run("backup").await.failed(1, &[words]);
    world.set("LIVE_CHECK", "on");
    world.run(&format!("restore {name} --yes")).await.answered(3, &[]);
    world.clock.advance(Duration::hours(30));
    world.run("status").await.answered(
        0,
        &[
            "serves          not known: ",
            "older than the target of 26 h",
            "heartbeat       stopped: ",
            &format!("waits         {name}, asked for by hand, waits since"),
            "failed        backup, at 2026-03-02 ",
            words,
            "raised\n",
            "BackupMissing (contoso-west), since",
            "BackupFailing (contoso-west), since",
            "Next: ",
        ],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_shows_the_newest_runs_last() {
    let world = World::new().await;
    let name = world.standby().await;
    world.cloud().next(Request::Backup, Fault::error(400, "InvalidParameters", "No."));
    world.minutes(1).await;
    world.run("backup").await.failed(1, &["No."]);
    world.run("tick").await.answered(0, &[]);
    let said = world.run("history").await;
    said.answered(0, &["BEGAN", "contoso-west   backup   verified", &name, "InvalidParameters: No."]);
    assert_eq!(said.stdout.lines().count(), 4, "{said:?}");
    world.run(&format!("history {NORTH}")).await.answered(0, &["contoso-north  restore"]);
    let runs = world.json_of("history --last 1").await;
    assert_eq!(runs.as_array().unwrap().len(), 1);
    assert_eq!((&runs[0]["kind"], &runs[0]["outcome"]), (&"backup".into(), &"failed".into()));
}

/// Its own tests tell what it finds; here, how it is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_says_what_holds_and_what_to_mend() {
    let world = World::new().await;
    let said = world.run("doctor").await;
    assert!(said.stdout.contains(" good, ") && said.stdout.contains("ok    service "), "{said:?}");
    let json = world.run("doctor --json").await;
    let healthy = json.json()["healthy"].as_bool().unwrap();
    assert_eq!((json.code == 0, said.code), (healthy, json.code));
    let broken = world.with("BACKUP_CONTAINER", "X").run("doctor").await;
    broken.answered(2, &["BAD   settings  BACKUP_CONTAINER", "->"]);
}
