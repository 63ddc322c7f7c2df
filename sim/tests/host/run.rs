//! A host left to itself.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use apim_dr_sim::clock::Clock;
use apim_dr_sim::host::{Event, Host};
use time::Duration;

use crate::world::World;

#[tokio::test]
async fn hours_pass_in_seconds_and_no_tick_is_left_out() {
    let world = World::new().await;
    let host = world.host().await;
    let end = world.clock.now() + Duration::minutes(30);
    let mut minutes = Vec::new();
    let began = Instant::now();
    host.run_until(end, |invocation| {
        minutes.push(invocation.begun.minute());
        ControlFlow::Continue(())
    })
    .await;
    assert_eq!(minutes, (0..=30).collect::<Vec<_>>());
    assert_eq!(world.clock.now(), end);
    assert!(began.elapsed() < std::time::Duration::from_secs(30));
}

#[tokio::test]
async fn a_manifest_fires_within_seconds_and_the_caller_says_when_it_is_over() {
    let world = World::new().await;
    let host = world.host().await;
    host.tick().await;
    world.put("a.manifest.json", "{}").await;
    let end = world.clock.now() + Duration::hours(1);
    let mut seen = Vec::new();
    host.run_until(end, |invocation| {
        seen.push(invocation.function.clone());
        match invocation.function.as_str() {
            "RestoreOnBlob" => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    })
    .await;
    assert_eq!(seen, ["RestoreOnBlob"]);
    assert!(world.clock.now() < end);
}

#[tokio::test]
async fn a_running_clock_is_waited_for() {
    let mut world = World::new().await;
    world.clock = Clock::running(120.0);
    let host = world.host().await;
    let end = world.clock.now() + Duration::minutes(5);
    let began = Instant::now();
    let mut ticks = 0;
    host.run_until(end, |_| {
        ticks += 1;
        ControlFlow::Continue(())
    })
    .await;
    assert!((1..=6).contains(&ticks), "{ticks}");
    assert!(began.elapsed() >= std::time::Duration::from_millis(2_000), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_watcher_sees_everything_as_it_happens() {
    let world = World::new().await;
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let mut options = world.options();
    let list = seen.clone();
    options.watcher = Some(Arc::new(move |event: &Event| {
        let word = match event {
            Event::Line(line) if line.text.contains("listens") => "line",
            Event::Line(_) => return,
            Event::HandlerReady { .. } => "ready",
            Event::HandlerEnded { .. } => "ended",
            Event::Invoked(_) => "invoked",
            Event::Poisoned(_) => "poisoned",
            Event::ShutDown(_) => "shut down",
        };
        list.lock().unwrap().push(word.to_owned());
    }));
    let host = Host::start(options).await.unwrap();
    host.tick().await;
    host.kill_handler().await;
    assert!(host.ready().await);
    world.script("status 500");
    world.put("a.manifest.json", "{}").await;
    host.scan().await;
    let seen = seen.lock().unwrap();
    let mut kinds = seen.clone();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, ["ended", "invoked", "line", "poisoned", "ready"]);
    assert_eq!(seen.last().map(String::as_str), Some("poisoned"));
}
