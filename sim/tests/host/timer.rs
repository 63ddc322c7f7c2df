//! What the timer tells, row by row.

use apim_dr_sim::host::TimerCase;
use serde_json::{Value, json};
use time::Duration;
use time::macros::datetime;

use crate::world::World;

fn status(call: &Value) -> [&str; 3] {
    let status = &call["body"]["Data"]["timer"]["ScheduleStatus"];
    ["Last", "Next", "LastUpdated"].map(|name| status[name].as_str().unwrap())
}

fn is_past_due(call: &Value) -> bool {
    call["body"]["Data"]["timer"]["IsPastDue"].as_bool().unwrap()
}

const NEVER: &str = "0001-01-01T00:00:00+00:00";

#[tokio::test]
async fn the_first_run_has_no_last_one() {
    let world = World::new().await;
    let host = world.host().await;
    host.tick().await;
    let call = world.last_call();
    assert_eq!(status(&call), [NEVER, "2026-03-01T02:00:00+00:00", NEVER]);
    assert!(!is_past_due(&call));
    assert_eq!(call["body"]["Data"]["timer"]["Schedule"], json!({ "AdjustForDST": true }));
}

#[tokio::test]
async fn a_run_on_time_names_its_own_occurrence_as_next() {
    let world = World::new().await;
    let host = world.host().await;
    world.clock.set(datetime!(2026-03-01 02:00:00.25 UTC));
    host.tick().await;
    assert_eq!(host.next_tick(), Some(datetime!(2026-03-01 02:01 UTC)));
    world.clock.set(datetime!(2026-03-01 02:00:59.996 UTC));
    host.tick().await;
    let call = world.last_call();
    let (last, this) = ("2026-03-01T02:00:00.25+00:00", "2026-03-01T02:01:00+00:00");
    assert_eq!(status(&call), [last, this, last], "a call may come a little before its minute");
    assert!(!is_past_due(&call));
    world.clock.set(datetime!(2026-03-01 02:02 UTC));
    host.tick().await;
    assert_eq!(status(&world.last_call())[0], this, "and its run then counts as of the occurrence");
}

#[tokio::test]
async fn a_host_that_was_down_fires_once_past_due() {
    let world = World::new().await;
    let host = world.host().await;
    host.tick().await;
    host.stop().await;
    world.clock.set(datetime!(2026-03-01 04:17:20 UTC));
    let host = world.host().await;
    host.tick().await;
    let call = world.last_call();
    let last = "2026-03-01T02:00:00+00:00";
    assert_eq!(status(&call), [last, "2026-03-01T02:01:00+00:00", last]);
    assert!(is_past_due(&call));
    world.clock.set(datetime!(2026-03-01 04:18 UTC));
    host.tick().await;
    let call = world.last_call();
    assert!(!is_past_due(&call));
    assert_eq!(status(&call)[..2], ["2026-03-01T04:17:20+00:00", "2026-03-01T04:18:00+00:00"]);
}

#[tokio::test]
async fn a_host_that_was_down_between_two_occurrences_is_on_time() {
    let world = World::new().await;
    let host = world.host().await;
    host.tick().await;
    drop(host);
    world.clock.set(datetime!(2026-03-01 02:01 UTC));
    let host = world.host().await;
    host.tick().await;
    assert!(!is_past_due(&world.last_call()));
}

#[tokio::test]
async fn a_run_that_took_too_long_is_followed_by_one_that_is_not_past_due() {
    let world = World::new().await;
    let host = world.host().await;
    world.script("sleep 300");
    let pass = async {
        crate::world::eventually("the call", || !world.calls().is_empty()).await;
        world.clock.advance(Duration::seconds(150));
    };
    tokio::join!(host.tick(), pass);
    world.script("");
    assert!(host.next_tick().unwrap() < world.clock.now());
    host.tick().await;
    let call = world.last_call();
    let start = "2026-03-01T02:00:00+00:00";
    assert_eq!(status(&call), [start, "2026-03-01T02:01:00+00:00", start]);
    assert!(!is_past_due(&call));
    assert_eq!(host.next_tick(), Some(datetime!(2026-03-01 02:03 UTC)), "one run makes up for all");
}

#[tokio::test]
async fn every_case_can_be_asked_for() {
    let world = World::new().await;
    let host = world.host().await;
    host.tick().await;
    world.clock.set(datetime!(2026-03-01 02:05:30 UTC));
    let cases = [
        (TimerCase::PastDue, "2026-03-01T02:01:00+00:00", true),
        (TimerCase::Scheduled, "2026-03-01T02:05:00+00:00", false),
        (TimerCase::OnStartup, "2026-03-01T02:06:00+00:00", false),
        (TimerCase::Overran, "2026-03-01T02:06:00+00:00", false),
        (TimerCase::First, "2026-03-01T02:05:00+00:00", false),
    ];
    for (case, next, past_due) in cases {
        host.fire(case).await;
        let call = world.last_call();
        assert_eq!((status(&call)[1], is_past_due(&call)), (next, past_due), "{case:?}");
    }
    assert_eq!(status(&world.last_call())[0], NEVER);
}

#[tokio::test]
async fn a_manual_run_is_told_by_its_input_and_leaves_the_status_alone() {
    let world = World::new().await;
    let host = world.host().await;
    host.tick().await;
    world.clock.advance(Duration::seconds(10));
    host.manual("BackupTimer", Some("he said \"go\"")).await;
    let call = world.last_call();
    assert_eq!(call["body"]["Metadata"]["timer"], r#""he said \"go\"""#);
    let last = "2026-03-01T02:00:00+00:00";
    assert_eq!(status(&call), [last, "2026-03-01T02:01:00+00:00", last]);
    host.manual("BackupTimer", Some("")).await;
    assert_eq!(world.last_call()["body"]["Metadata"]["timer"], "\"\"");
    host.manual("BackupTimer", None).await;
    assert_eq!(world.last_call()["body"]["Metadata"].get("timer"), None);
    world.clock.set(datetime!(2026-03-01 02:01 UTC));
    host.tick().await;
    assert_eq!(status(&world.last_call())[0], last);
    assert_eq!(world.last_call()["body"]["Metadata"].get("timer"), None);
}

#[tokio::test]
async fn a_failed_run_is_not_repeated() {
    let world = World::new().await;
    let host = world.host().await;
    world.script("status 500");
    assert!(host.tick().await.outcome.is_failure());
    assert_eq!(host.next_tick(), Some(datetime!(2026-03-01 02:01 UTC)));
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn a_timer_without_monitor_or_below_a_minute_has_no_status() {
    for (schedule, monitor) in [("0 * * * * *", false), ("*/10 * * * * *", true)] {
        let world = World::new().await;
        let binding =
            json!({ "type": "timerTrigger", "name": "timer", "schedule": schedule, "useMonitor": monitor });
        world.folder.write("BackupTimer/function.json", &json!({ "bindings": [binding] }).to_string());
        let host = world.host().await;
        host.tick().await;
        assert_eq!(world.last_call()["body"]["Data"]["timer"]["ScheduleStatus"], json!(null));
    }
}

#[tokio::test]
async fn runs_of_one_timer_follow_each_other_but_manual_ones_overlap() {
    let world = World::new().await;
    let host = world.host().await;
    world.script("sleep 1000");
    let began = std::time::Instant::now();
    tokio::join!(host.tick(), host.tick());
    assert!(began.elapsed() >= std::time::Duration::from_millis(2_000));
    let began = std::time::Instant::now();
    tokio::join!(host.manual("BackupTimer", None), host.manual("BackupTimer", None));
    assert!(began.elapsed() < std::time::Duration::from_millis(1_900), "{:?}", began.elapsed());
}
