//! `cargo xtask demo`: the main job, from an empty standby to a restored one, in simulated time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use apim_dr_sim::clock::Clock;
use apim_dr_sim::host::{Event, Host, HostOptions, Level, Line, Outcome, State};
use apim_dr_sim::simulation::{Options, Simulation};
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::{datetime, format_description};

use crate::shell::{self, Done, built, executable, root};

/// The cycle takes 11 min for the backup, 19 for the restore, and what the ticks between them add.
pub(crate) const LONGEST_CYCLE_MINUTES: u32 = 60;

/// Builds, runs one cycle, and fails if the secondary does not hold what the primary holds.
pub(crate) fn run() -> Done {
    shell::run(&["cargo", "build", "--quiet", "--locked", "--package", "apim-dr", "--bin", "apim-dr"])?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(show())
}

async fn show() -> Done {
    let began = Instant::now();
    let clock = Clock::manual(datetime!(2026-03-02 08:58 UTC));
    let simulation =
        Simulation::start(Options::new(clock.clone())).await.map_err(|error| error.to_string())?;
    let (primary, secondary) = services(&simulation)?;
    println!("\nPrimary {primary}, secondary {secondary}: both simulated, as is the time.\n");
    let before = simulation.cloud().differences(&primary, &secondary);
    let entities: usize = before.counts.values().map(|count| count.first).sum();
    println!(
        "The primary holds {entities} entities; {} of them differ on the secondary.\n",
        before.differences.len()
    );
    let host = start_host(&simulation, &clock).await?;
    let done = cycle(&host, &clock, &secondary).await;
    host.stop().await;
    done?;
    let comparison = simulation.cloud().differences(&primary, &secondary);
    println!("\n{comparison}");
    if !comparison.is_alike() {
        return Err("the secondary does not hold what the primary holds".into());
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("The secondary holds what the primary held. It took {seconds:.1} s.");
    Ok(())
}

/// The names of the primary and of its first secondary.
pub(crate) fn services(simulation: &Simulation) -> Result<(String, String), String> {
    match simulation.cloud().service_ids().as_slice() {
        [primary, secondary, ..] => {
            Ok((simulation.cloud().service(primary).name(), simulation.cloud().service(secondary).name()))
        }
        _ => Err("the simulation lacks a secondary".into()),
    }
}

async fn start_host(simulation: &Simulation, clock: &Clock) -> Result<Host, String> {
    let mut settings: BTreeMap<String, String> = simulation.settings();
    // The log as Azure would get it: JSON lines, which the timeline below is made from.
    settings.insert("WEBSITE_INSTANCE_ID".into(), "demo".into());
    settings.insert("AzureWebJobsStorage".into(), simulation.account().connection_string());
    let mut options = HostOptions::new(root(), settings, clock.clone());
    options.executable = Some(built("debug").join(executable("apim-dr")));
    let told = clock.clone();
    options.watcher = Some(Arc::new(move |event| show_event(&told, event)));
    Host::start(options).await.map_err(|error| error.to_string())
}

/// One tick a minute, and the blob trigger's scans between them, until the standby holds the backup.
async fn cycle(host: &Host, clock: &Clock, secondary: &str) -> Done {
    println!("{:<9} {:<14} {:<20} what happened", "time", "service", "event");
    for _ in 0..LONGEST_CYCLE_MINUTES {
        clock.advance(time::Duration::MINUTE);
        let mut invocations = vec![host.tick().await];
        invocations.extend(host.scan().await);
        for invocation in invocations {
            if let Outcome::Failed { reason } = &invocation.outcome {
                return Err(format!("{} failed: {reason}", invocation.function));
            }
        }
        if let State::ShutDown(why) = host.state() {
            return Err(format!("the host gave up: {why}"));
        }
        if holds_a_backup(host, secondary) {
            return Ok(());
        }
    }
    Err(format!("nothing was restored in {LONGEST_CYCLE_MINUTES} simulated minutes"))
}

/// Whether the handler has said that the secondary holds a backup.
pub(crate) fn holds_a_backup(host: &Host, secondary: &str) -> bool {
    let held = ["restore.verified", "restore.unverified"];
    host.lines()
        .iter()
        .filter_map(parse)
        .any(|line| text(&line, "service") == secondary && held.contains(&text(&line, "event")))
}

fn show_event(clock: &Clock, event: &Event) {
    match event {
        Event::Line(line) if line.level > Level::Information => println!("{:<9} ! {}", at(clock), line.text),
        Event::Line(line) => {
            if let Some(line) = parse(line).filter(|line| text(line, "event") != "invocation.done") {
                let (service, event) = (text(&line, "service"), text(&line, "event"));
                println!("{:<9} {service:<14} {event:<20} {}", at(clock), text(&line, "message"));
            }
        }
        Event::Invoked(invocation) if invocation.function == "RestoreOnBlob" => {
            println!(
                "{:<9} {:<14} {:<20} the manifest's blob event was delivered",
                at(clock),
                "host",
                "RestoreOnBlob"
            );
        }
        _ => {}
    }
}

/// The handler's own lines, which are JSON; what the host says is not.
fn parse(line: &Line) -> Option<Value> {
    let value: Value = serde_json::from_str(&line.text).ok()?;
    value.get("event")?;
    Some(value)
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn at(clock: &Clock) -> String {
    let now: OffsetDateTime = clock.now();
    now.format(format_description!("[hour]:[minute]:[second]")).unwrap_or_default()
}
