//! The stage: a simulated Azure, a host with the real handler, and a clock that is moved on.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Arc;

use apim_dr_sim::clock::Clock;
use apim_dr_sim::cloud::Cloud;
use apim_dr_sim::host::{Host, HostOptions, Invocation, Outcome, State};
use apim_dr_sim::simulation::{Options, Simulation};
use apim_dr_sim::traffic::ProfileSpec;
use serde_json::Value;
use time::macros::datetime;

use super::timeline;
use crate::shell::{Done, built, executable, root};

/// Where backups and manifests lie.
const BACKUPS: &str = "apim-backups";

/// Where records, health and the status lie.
const STATE: &str = "apim-dr";

/// No act takes longer than this, in simulated minutes.
pub(crate) const LONGEST_ACT: u32 = 480;

/// How a restore tells that its target holds the backup.
pub(super) const HELD: [&str; 2] = ["restore.verified", "restore.unverified"];

/// What the acts are played on.
pub(super) struct Stage {
    pub(super) primary: String,
    pub(super) secondary: String,
    simulation: Simulation,
    settings: BTreeMap<String, String>,
    clock: Clock,
    host: Host,
}

impl Stage {
    /// Sets everything up; nothing has happened yet.
    pub(super) async fn set() -> Result<Self, String> {
        let clock = Clock::manual(datetime!(2026-03-02 09:02 UTC));
        let options = Options::new(clock.clone()).traffic_manager(ProfileSpec::new("contoso"));
        let simulation = Simulation::start(options).await.map_err(|error| error.to_string())?;
        let (primary, secondary) = services(&simulation)?;
        let settings = settings(&simulation);
        let host = start_host(&settings, &clock).await?;
        Ok(Self { primary, secondary, simulation, settings, clock, host })
    }

    pub(super) fn cloud(&self) -> &Cloud {
        self.simulation.cloud()
    }

    pub(super) async fn clear(self) {
        self.host.stop().await;
    }

    /// Lets a minute pass: the timer fires, and the blob trigger looks for manifests.
    async fn minute(&self) -> Done {
        self.clock.advance(time::Duration::MINUTE);
        self.cloud().settle().await;
        let mut invocations = vec![self.host.tick().await];
        invocations.extend(self.host.scan().await);
        invocations.iter().try_for_each(succeeded)?;
        match self.host.state() {
            State::ShutDown(why) => Err(format!("the host gave up: {why}")),
            _ => Ok(()),
        }
    }

    /// Lets minutes pass.
    pub(super) async fn minutes(&self, minutes: u32) -> Done {
        for _ in 0..minutes {
            self.minute().await?;
        }
        Ok(())
    }

    /// Lets minutes pass until the handler tells this event of this service, and yields the backup that it names.
    pub(super) async fn until(&self, service: &str, events: &[&str]) -> Result<String, String> {
        let before = self.host.lines().len();
        for _ in 0..LONGEST_ACT {
            self.minute().await?;
            let lines = self.host.lines();
            let told = lines[before..].iter().filter_map(timeline::parse);
            let wanted = |line: &Value| {
                timeline::text(line, "service") == service && events.contains(&timeline::text(line, "event"))
            };
            if let Some(line) = told.into_iter().find(wanted) {
                return Ok(timeline::text(&line, "backup").to_owned());
            }
        }
        Err(format!("none of {events:?} was told of {service} within {LONGEST_ACT} simulated minutes"))
    }

    /// Lets minutes pass until users are answered by this service.
    pub(super) async fn until_serving(&self, service: &str) -> Done {
        for _ in 0..LONGEST_ACT {
            self.minute().await?;
            if self.cloud().serving() == [service] {
                return Ok(());
            }
        }
        Err(format!("{service} did not come to serve"))
    }

    /// Runs a function by hand, as the portal does.
    pub(super) async fn by_hand(&self, function: &str, input: &str) -> Done {
        timeline::say(&self.clock, "operator", &format!("runs {function} with {input:?}"));
        succeeded(&self.host.manual(function, Some(input)).await)
    }

    pub(super) async fn restore_by_hand(&self, backup: &str) -> Done {
        self.by_hand("RestoreOnBlob", &format!("{BACKUPS}/{backup}.manifest.json")).await
    }

    /// Somebody does something that the handler has no part in.
    pub(super) fn say(&self, who: &str, what: &str) {
        timeline::say(&self.clock, who, what);
    }

    /// A document of the state container.
    pub(super) async fn document(&self, path: &str) -> Result<Vec<u8>, String> {
        let storage = self.simulation.storage().map_err(|error| error.to_string())?;
        let bytes = storage.get(STATE, path).await.map_err(|error| error.to_string())?;
        bytes.ok_or_else(|| format!("there is no {path}"))
    }

    /// Runs the operator's program with the app's settings, and yields what it prints.
    pub(super) fn program(&self, words: &[&str]) -> Result<String, String> {
        let program = built("debug").join(executable("apim-dr"));
        let output = Command::new(&program)
            .args(words)
            .env_clear()
            .envs(&self.settings)
            .stderr(Stdio::null())
            .output()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            Ok(text)
        } else {
            Err(format!("`apim-dr {}` failed:\n{text}", words.join(" ")))
        }
    }
}

/// The names of the primary and of its first secondary.
pub(crate) fn services(simulation: &Simulation) -> Result<(String, String), String> {
    let name = |id: &String| simulation.cloud().service(id).name();
    match simulation.cloud().service_ids().as_slice() {
        [primary, secondary, ..] => Ok((name(primary), name(secondary))),
        _ => Err("the simulation lacks a secondary".into()),
    }
}

/// Whether the handler has told that this service holds a backup.
pub(crate) fn holds_a_backup(host: &Host, service: &str) -> bool {
    let lines = host.lines();
    lines.iter().filter_map(timeline::parse).any(|line| {
        timeline::text(&line, "service") == service && HELD.contains(&timeline::text(&line, "event"))
    })
}

fn succeeded(invocation: &Invocation) -> Done {
    match &invocation.outcome {
        Outcome::Failed { reason } => Err(format!("{} failed: {reason}", invocation.function)),
        _ => Ok(()),
    }
}

/// Backups every hour from the afternoon on: often enough for the schedule to show within one demonstration, after some
/// hours in which nothing is restored.
fn settings(simulation: &Simulation) -> BTreeMap<String, String> {
    let mut settings = simulation.settings();
    let account = simulation.cloud().storage_account_id(&simulation.account().name).unwrap_or_default();
    settings.insert("BACKUP_STORAGE_ACCOUNT_ID".into(), account);
    settings.insert("BACKUP_SCHEDULE".into(), "0 0 16-23 * * *".into());
    // The log as Azure would get it: JSON lines, which the timeline is made from.
    settings.insert("WEBSITE_INSTANCE_ID".into(), "demo".into());
    settings.insert("AzureWebJobsStorage".into(), simulation.account().connection_string());
    settings
}

async fn start_host(settings: &BTreeMap<String, String>, clock: &Clock) -> Result<Host, String> {
    let mut options = HostOptions::new(root(), settings.clone(), clock.clone());
    options.executable = Some(built("debug").join(executable("apim-dr")));
    let told = clock.clone();
    options.watcher = Some(Arc::new(move |event| timeline::show(&told, event)));
    Host::start(options).await.map_err(|error| error.to_string())
}
