//! Which answers the host takes, and what it does with the others.

use std::time::Duration;

use apim_dr_sim::host::{Level, Outcome};

use crate::world::{World, eventually, failure};

#[tokio::test]
async fn logs_of_a_success_become_lines_of_the_function() {
    let world = World::new().await;
    let host = world.host().await;
    world.script("logs one line");
    let invocation = host.tick().await;
    assert_eq!(invocation.outcome, Outcome::Succeeded { logs: vec!["one line".to_owned()] });
    let lines = host.lines();
    let line = lines.iter().find(|line| line.text == "one line").unwrap();
    assert_eq!((line.category.as_str(), line.level), ("Function.BackupTimer.User", Level::Information));
}

#[tokio::test]
async fn another_status_fails_and_its_logs_are_dropped() {
    let world = World::new().await;
    let host = world.host().await;
    world.script("status 503");
    let invocation = host.tick().await;
    let reason = "Response status code does not indicate success: 503 (Service Unavailable).";
    assert_eq!(failure(&invocation), reason);
    assert!(host.lines().iter().all(|line| line.text != "never seen"));
    let told = format!("Exception while executing function: Functions.BackupTimer. {reason}");
    assert!(host.lines().iter().any(|line| line.text == told && line.level == Level::Error));
}

#[tokio::test]
async fn what_is_no_json_object_fails() {
    let world = World::new().await;
    let host = world.host().await;
    for script in ["body []", "body \"ok\"", "body ok", "text {}"] {
        world.script(script);
        let invocation = host.tick().await;
        assert!(failure(&invocation).starts_with("Invalid HttpResponseMessage"), "{script}: {invocation:?}");
    }
    world.script("status 202");
    assert!(host.tick().await.outcome.is_success());
}

#[tokio::test]
async fn null_and_nothing_hang_until_the_timeout_kills_the_handler() {
    let world = World::new().await;
    for script in ["body null", "body ", "status 204"] {
        let mut options = world.options();
        options.function_timeout = Some(Duration::from_millis(300));
        options.timeout_grace = Duration::from_millis(100);
        let host = apim_dr_sim::host::Host::start(options).await.unwrap();
        assert!(host.ready().await);
        let pid = host.handler_pid();
        world.script(script);
        let invocation = host.tick().await;
        let reason = "Timeout value of 300ms was exceeded by function: Functions.BackupTimer.";
        assert_eq!(failure(&invocation), reason, "{script}");
        assert!(invocation.duration >= Duration::from_millis(300));
        eventually("another handler", || host.handler_pid().is_some_and(|new| Some(new) != pid)).await;
        world.script("");
        assert!(host.tick().await.outcome.is_success(), "{script}");
    }
}

#[tokio::test]
async fn a_timeout_takes_every_call_with_it_and_is_not_counted() {
    let world = World::new().await;
    let mut options = world.options();
    options.function_timeout = Some(Duration::from_millis(300));
    options.timeout_grace = Duration::from_millis(100);
    let host = apim_dr_sim::host::Host::start(options).await.unwrap();
    for _ in 0..4 {
        assert!(host.ready().await);
        let pid = host.handler_pid();
        let late = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            host.manual("BackupTimer", Some("sleep 30000")).await
        };
        let (first, second) = tokio::join!(host.manual("BackupTimer", Some("sleep 30000")), late);
        assert!(failure(&first).starts_with("Timeout value"), "{first:?}");
        assert_eq!(failure(&second), "The response ended prematurely.");
        eventually("another handler", || host.handler_pid().is_some_and(|new| Some(new) != pid)).await;
    }
    assert_eq!(host.state(), apim_dr_sim::host::State::Running, "timeouts are not errors of the handler");
}
