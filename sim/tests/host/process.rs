//! How the handler starts, ends and is restarted.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use apim_dr_sim::host::{Event, Host, Level, Outcome, State};

use crate::world::{World, eventually, failure, not_invoked};

#[tokio::test]
async fn output_gets_its_level_from_its_stream_and_words() {
    let world = World::new().await;
    let host = world.host().await;
    for script in ["stdout an error, they say", "stderr hello", "stderr a Warning"] {
        assert!(host.manual("BackupTimer", Some(script)).await.outcome.is_success());
    }
    let level = |text: &str| {
        let lines = host.lines();
        let line = lines.into_iter().find(|line| line.text == text)?;
        assert_eq!(line.category, "Host.Function.Console");
        Some(line.level)
    };
    eventually("all three lines", || level("a Warning").is_some() && level("hello").is_some()).await;
    assert_eq!(level("an error, they say"), Some(Level::Information));
    assert_eq!(level("hello"), Some(Level::Error));
    assert_eq!(level("a Warning"), Some(Level::Warning));
}

#[tokio::test]
async fn a_ping_is_answered_by_whoever_listens() {
    let world = World::new().await;
    let host = world.host().await;
    assert_eq!(host.ping().await, Some(404));
    assert!(world.calls().is_empty());
    host.manual("BackupTimer", Some("exit 0")).await;
    assert_eq!(host.ping().await, None);
}

#[tokio::test]
async fn a_killed_handler_is_restarted_on_the_same_port() {
    let world = World::new().await;
    let host = world.host().await;
    let (pid, port) = (host.handler_pid(), host.handler_port());
    let began = Instant::now();
    assert!(host.kill_handler().await);
    assert!(host.ready().await);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_ne!(host.handler_pid(), pid);
    assert!(host.tick().await.outcome.is_success());
    assert_eq!(world.last_call()["environment"]["FUNCTIONS_CUSTOMHANDLER_PORT"], port.to_string());
}

#[tokio::test]
async fn a_call_dies_with_its_handler() {
    let world = World::new().await;
    let host = world.host().await;
    let kill = async {
        eventually("the call", || !world.calls().is_empty()).await;
        host.kill_handler().await
    };
    let (invocation, killed) = tokio::join!(host.manual("BackupTimer", Some("sleep 30000")), kill);
    assert!(killed);
    assert_eq!(failure(&invocation), "The response ended prematurely.");
    assert!(host.tick().await.outcome.is_success(), "the next call waits for the next handler");
}

#[tokio::test]
async fn the_third_error_without_a_long_gap_ends_the_host() {
    let world = World::new().await;
    let host = world.host().await;
    for _ in 0..3 {
        assert!(host.ready().await);
        host.kill_handler().await;
    }
    eventually("the end", || host.state() != State::Running).await;
    let State::ShutDown(why) = host.state() else { unreachable!("it has just been seen") };
    assert!(
        why.starts_with("Exceeded http worker restart retry count. Shutting down Functions Host"),
        "{why}"
    );
    assert!(why.contains("exit code 137"), "{why}");
    assert_eq!(not_invoked(&host.tick().await), why);
    assert_eq!(host.handler_pid(), None);
}

#[tokio::test]
async fn errors_half_an_hour_apart_are_forgiven() {
    let world = World::new().await;
    let host = world.host().await;
    for _ in 0..5 {
        assert!(host.ready().await);
        host.kill_handler().await;
        eventually("another handler", || host.handler_pid().is_some()).await;
        world.clock.advance(time::Duration::minutes(31));
    }
    assert_eq!(host.state(), State::Running);
}

#[tokio::test]
async fn a_handler_that_exits_at_once_takes_the_host_down_with_its_last_words() {
    let mut world = World::new().await;
    world.set("HANDLER_START", "exit 3");
    let host = Host::start(world.options()).await.unwrap();
    let began = Instant::now();
    assert!(!host.ready().await);
    assert!(began.elapsed() < Duration::from_secs(15));
    let State::ShutDown(why) = host.state() else { panic!("it still runs") };
    assert!(why.ends_with("exit code 3. reason 2\nreason 3\nreason 4"), "{why}");
}

#[tokio::test]
async fn exit_code_200_is_restarted_and_not_counted() {
    let world = World::new().await;
    let host = world.host().await;
    for _ in 0..4 {
        let invocation = host.manual("BackupTimer", Some("exit 200")).await;
        assert_eq!(failure(&invocation), "The response ended prematurely.");
    }
    assert!(host.tick().await.outcome.is_success());
}

#[tokio::test]
async fn exit_code_0_is_the_end_of_every_later_call() {
    let world = World::new().await;
    let host = world.host().await;
    host.manual("BackupTimer", Some("exit 0")).await;
    for _ in 0..2 {
        let invocation = host.tick().await;
        assert_eq!(failure(&invocation), format!("Connection refused (127.0.0.1:{})", host.handler_port()));
    }
    assert_eq!(host.state(), State::Running, "the host notices nothing");
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn a_handler_that_can_not_be_started_is_noticed_by_the_first_call() {
    let world = World::new().await;
    let mut options = world.options();
    options.executable = Some("no-such-handler".into());
    options.patience = Duration::from_millis(200);
    let host = Host::start(options).await.unwrap();
    eventually("the line", || !host.lines().is_empty()).await;
    assert!(
        host.lines()[0].text.starts_with("Failed to start Worker Channel. Process fileName: no-such-handler")
    );
    assert_eq!(host.state(), State::Running, "it looks started");
    assert_eq!(not_invoked(&host.tick().await), "the handler did not become ready");
    assert_ne!(host.state(), State::Running);
}

#[tokio::test]
async fn a_handler_that_never_answers_is_replaced_and_at_last_given_up() {
    let mut world = World::new().await;
    world.set("HANDLER_START", "sleep 60000");
    let mut options = world.options();
    options.initialization_timeout = Some(Duration::from_millis(300));
    let host = Host::start(options).await.unwrap();
    assert!(!host.ready().await);
    let lines = host.lines();
    let timeouts = lines.iter().filter(|line| line.text.starts_with("Initializing HttpWorker timed out."));
    assert_eq!(timeouts.count(), 3);
}

#[tokio::test]
async fn a_slow_start_is_waited_for() {
    let mut world = World::new().await;
    world.set("HANDLER_START", "sleep 400");
    let host = Host::start(world.options()).await.unwrap();
    assert_eq!(host.handler_pid(), None);
    assert!(host.tick().await.outcome.is_success());
}

#[tokio::test]
async fn a_stopping_host_waits_for_its_calls_and_then_kills() {
    let world = World::new().await;
    let seen = Arc::<Mutex<Vec<Outcome>>>::default();
    let list = seen.clone();
    let mut options = world.options();
    options.watcher = Some(Arc::new(move |event: &Event| {
        if let Event::Invoked(invocation) = event {
            list.lock().unwrap().push(invocation.outcome.clone());
        }
    }));
    let host = Host::start(options).await.unwrap();
    assert!(host.ready().await);
    let pid = host.handler_pid().unwrap();
    assert_eq!(crate::admin::post(host.admin(), "BackupTimer", r#"{"input":"sleep 300"}"#).await, 202);
    eventually("the call", || !world.calls().is_empty()).await;
    host.stop().await;
    let outcomes: Vec<_> = seen.lock().unwrap().clone();
    assert_eq!(outcomes, [Outcome::Succeeded { logs: Vec::new() }]);
    eventually("the handler's end", || !alive(pid)).await;
}

#[tokio::test]
async fn a_dropped_host_leaves_no_handler_behind() {
    let world = World::new().await;
    let host = world.host().await;
    let pid = host.handler_pid().unwrap();
    assert!(alive(pid));
    drop(host);
    eventually("the handler's end", || !alive(pid)).await;
}

/// Whether a process runs; one that has ended and was not waited for does not.
fn alive(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

#[tokio::test]
async fn an_app_that_the_stand_in_can_not_act_out_does_not_start() {
    let cases = [
        ("host.json", r#"{"version":"1.0","customHandler":{"description":{"defaultExecutablePath":"h"}}}"#),
        (
            "host.json",
            r#"{"version":"2.0","functionTimeout":"00:11:00","customHandler":{"description":{"defaultExecutablePath":"h"}}}"#,
        ),
        ("host.json", "{"),
        ("Other/function.json", r#"{"bindings":[{"type":"queueTrigger","name":"q"}]}"#),
        (
            "Other/function.json",
            r#"{"bindings":[{"type":"blobTrigger","name":"b","path":"a/{n}","source":"Carrier pigeon"}]}"#,
        ),
        (
            "Other/function.json",
            r#"{"bindings":[{"type":"timerTrigger","name":"t","schedule":"0 * * * * *"}],"retry":{}}"#,
        ),
    ];
    for (file, text) in cases {
        let world = World::new().await;
        world.folder.write(file, text);
        let refused = Host::start(world.options()).await.err();
        let refused = refused.unwrap_or_else(|| panic!("{text} was accepted"));
        assert!(refused.subject.contains(file), "{refused}");
    }
}

#[tokio::test]
async fn a_missing_setting_disables_one_function_and_tells_the_handler_nothing() {
    let mut world = World::new().await;
    world.set("BACKUP_CONTAINER", "");
    world.folder.write(
        "host.json",
        r#"{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"h"}}}"#,
    );
    let host = world.host().await;
    let why = "'%BACKUP_CONTAINER%' does not resolve to a value.";
    assert_eq!(host.disabled(), [("RestoreOnBlob".to_owned(), why.to_owned())]);
    let line = format!("The 'RestoreOnBlob' function failed indexing and will be disabled: {why}");
    assert!(host.lines().iter().any(|found| found.text == line), "{:?}", host.lines());
    world.put("a.manifest.json", "{}").await;
    assert!(host.scan().await.is_empty());
    assert!(host.tick().await.outcome.is_success());
    assert!(
        not_invoked(&host.manual("RestoreOnBlob", Some("apim-backups/a.manifest.json")).await).contains(why)
    );
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn a_missing_connection_disables_one_function_too() {
    let mut world = World::new().await;
    world.settings.remove("BackupStorage");
    let host = world.host().await;
    let why = "Storage account connection string 'BackupStorage' does not exist.";
    assert_eq!(host.disabled(), [("RestoreOnBlob".to_owned(), why.to_owned())]);
}

#[tokio::test]
async fn without_its_own_storage_the_host_starts_no_listener() {
    let mut world = World::new().await;
    world.settings.remove("AzureWebJobsStorage");
    let host = world.host().await;
    world.put("a.manifest.json", "{}").await;
    assert_eq!(not_invoked(&host.tick().await), "AzureWebJobsStorage is not set: no listener starts.");
    assert!(host.scan().await.is_empty());
    assert!(world.calls().is_empty());
}
