//! A deployment to tell a story of: a simulated Azure, a host with the real handler, and a clock to move.

use std::collections::BTreeMap;
use std::path::PathBuf;

use apim_dr_sim::clock::Clock;
use apim_dr_sim::cloud::{Cloud, ServiceSpec};
use apim_dr_sim::host::{Host, HostOptions, Invocation, Level, Line, Memory, Outcome};
use apim_dr_sim::journal::{Operation, OperationKind};
use apim_dr_sim::simulation::{Options, Simulation};
use apim_dr_sim::storage::StorageClient;
use apim_dr_sim::tls::Authority;
use apim_dr_sim::traffic::ProfileSpec;
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::datetime;

use crate::log::{self, Logged};
use crate::setup::{self, Setup};
use crate::support::azurite::Azurite;

pub(crate) const PRIMARY: &str = "contoso-west";
pub(crate) const NORTH: &str = "contoso-north";
pub(crate) const SWEDEN: &str = "contoso-sweden";

pub(crate) const BACKUPS: &str = "apim-backups";
pub(crate) const STATE: &str = "apim-dr";

/// When every story begins: between two occurrences of the default schedule.
pub(crate) const START: OffsetDateTime = datetime!(2026-03-02 08:59 UTC);

/// How many lines of the log a failed test shows.
const SHOWN: usize = 60;

/// The longest that any cycle of these stories takes, in minutes.
const LONG: u32 = 90;

/// A deployment. When a test fails, dropping it shows the end of the log.
pub(crate) struct World {
    /// What a failed test calls this world.
    pub(crate) story: String,
    pub(crate) clock: Clock,
    pub(crate) simulation: Simulation,
    pub(crate) host: Host,
    /// What the host was started with.
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) storage: StorageClient,
    memory: Memory,
    _azurite: Option<Azurite>,
}

impl World {
    /// One primary, one secondary, blobs in the simulator.
    pub(crate) async fn new() -> Self {
        Self::of(Setup::default()).await
    }

    pub(crate) async fn of(setup: Setup) -> Self {
        let clock = Clock::manual(START);
        let authority = Authority::new().unwrap();
        let (azurite, storage) = setup::place(&setup.blobs, &authority);
        let mut options = Options::new(clock.clone()).storage(storage);
        (options.authority, options.locks) = (Some(authority), setup.locks);
        options.between = setup.between.clone();
        options.throttles = setup.throttles;
        "identity-header-of-the-wire".clone_into(&mut options.identity_header);
        if setup.secondaries == 2 {
            options.services.push(ServiceSpec::new(SWEDEN, "Sweden Central"));
        }
        if setup.traffic_manager {
            options = options.traffic_manager(ProfileSpec::new("contoso"));
        }
        if let Some(hostname) = setup.hostname {
            options.services[1] = options.services[1].clone().hostname(hostname);
            options = options.with_front_doors();
        }
        let simulation = Simulation::start(options).await.unwrap();
        simulation.cloud().set_durations(setup.durations.0, setup.durations.1);
        let settings = settings(&simulation, &setup);
        let memory = Memory::default();
        let host = start_host(&settings, &clock, &memory).await;
        let storage = simulation.storage().unwrap();
        let story = setup.story;
        Self { story, clock, simulation, host, settings, storage, memory, _azurite: azurite }
    }

    pub(crate) fn cloud(&self) -> &Cloud {
        self.simulation.cloud()
    }

    /// A second host of another app, with the same settings and the same storage.
    pub(crate) async fn another_host(&self) -> Host {
        start_host(&self.settings, &self.clock, &Memory::default()).await
    }

    /// Stops the host and starts it with these settings changed; an empty value unsets one.
    pub(crate) async fn restart_with(&mut self, changes: &[(&str, &str)]) {
        for (name, value) in changes {
            self.settings.insert((*name).to_owned(), (*value).to_owned());
        }
        let host = start_host(&self.settings, &self.clock, &self.memory).await;
        std::mem::replace(&mut self.host, host).stop().await;
    }

    /// Lets a minute pass: the timer fires, and the poller looks for new manifests.
    pub(crate) async fn minute(&self) -> Vec<Invocation> {
        let mut invocations = vec![self.tick().await];
        invocations.extend(self.scan().await);
        invocations
    }

    /// Lets the poller look for new manifests and deliver their events.
    pub(crate) async fn scan(&self) -> Vec<Invocation> {
        let invocations = self.host.scan().await;
        for invocation in &invocations {
            self.hear_out(invocation).await;
        }
        invocations
    }

    /// Runs a function by hand, as the portal does.
    pub(crate) async fn by_hand(&self, function: &str, input: &str) -> Invocation {
        let invocation = self.host.manual(function, Some(input)).await;
        self.hear_out(&invocation).await;
        invocation
    }

    /// Waits for the last line of an invocation that was answered: lines come through pipes, and may be slower
    /// than the answer. What failed is said on stderr as well, which is another pipe.
    async fn hear_out(&self, invocation: &Invocation) {
        let (answered, failed) = match &invocation.outcome {
            Outcome::Succeeded { .. } => (true, false),
            Outcome::Failed { reason } => (reason.starts_with("Response status code"), true),
            Outcome::NotInvoked { .. } => (false, false),
        };
        let is_last = |line: &Line| line.text.contains("\"invocation.") && line.text.contains(&invocation.id);
        let is_told = || {
            let lines = self.host.lines();
            let on = |stdout: bool| {
                lines.iter().rev().any(|line| is_last(line) && stdout == (line.level == Level::Information))
            };
            on(true) && (!failed || on(false))
        };
        let heard = async {
            while answered && !is_told() {
                pause().await;
            }
        };
        let patience = std::time::Duration::from_secs(20);
        tokio::time::timeout(patience, heard).await.expect("an answered invocation says that it ended");
    }

    /// Lets a minute pass without a look at the blobs: no event comes.
    pub(crate) async fn tick(&self) -> Invocation {
        self.clock.advance(time::Duration::MINUTE);
        self.cloud().settle().await;
        let invocation = self.host.tick().await;
        self.hear_out(&invocation).await;
        invocation
    }

    /// Lets minutes pass in which every invocation succeeds.
    pub(crate) async fn minutes(&self, minutes: u32) {
        for _ in 0..minutes {
            self.minute().await.iter().for_each(assert_succeeded);
        }
    }

    /// Lets minutes pass, however the invocations end.
    pub(crate) async fn troubled_minutes(&self, minutes: u32) -> Vec<Invocation> {
        let mut invocations = Vec::new();
        for _ in 0..minutes {
            invocations.extend(self.minute().await);
        }
        invocations
    }

    /// Lets minutes pass, in which every invocation succeeds, until the log holds an event of this name.
    pub(crate) async fn until(&self, event: &str) -> Logged {
        let before = self.told(event).len();
        for _ in 0..LONG {
            self.minutes(1).await;
            if let Some(logged) = self.told(event).into_iter().nth(before) {
                return logged;
            }
        }
        panic!("no {event} within {LONG} min")
    }

    /// Lets minutes pass, however the invocations end, until the services hold the newest verified backup and
    /// nothing is under way, and yields the backup's name.
    pub(crate) async fn until_held_by(&self, secondaries: &[&str]) -> String {
        for _ in 0..LONG {
            self.troubled_minutes(1).await;
            if let Some(name) = self.held_by_all(secondaries).await {
                return name;
            }
        }
        panic!("{secondaries:?} do not hold the newest backup after {LONG} min")
    }

    async fn held_by_all(&self, secondaries: &[&str]) -> Option<String> {
        let primary = self.find_record(PRIMARY).await?;
        let name = primary["lastVerified"]["name"].as_str()?.to_owned();
        let mut records = vec![primary];
        for secondary in secondaries {
            let record = self.find_record(secondary).await?;
            let held = &record["holds"];
            (held["what"] == "backup" && held["backup"] == name.as_str()).then_some(())?;
            records.push(record);
        }
        let at_rest = |record: &Value| {
            record["operation"]["kind"] == "idle" && record.get("unwrittenHistory").is_none()
        };
        records.iter().all(at_rest).then_some(name)
    }

    /// The record of a service, which must be there.
    pub(crate) async fn record(&self, service: &str) -> Value {
        self.find_record(service).await.unwrap_or_else(|| panic!("{service} has no record"))
    }

    pub(crate) async fn find_record(&self, service: &str) -> Option<Value> {
        let bytes = self.storage.get(STATE, &format!("services/{service}.json")).await.unwrap()?;
        Some(serde_json::from_slice(&bytes).unwrap())
    }

    /// How often the handler was started again.
    pub(crate) fn restarts(&self) -> usize {
        self.told("handler.started").len() - 1
    }

    /// Writes a record by hand, in place of what is there.
    pub(crate) async fn write_record(&self, service: &str, record: &Value) {
        let blob = format!("services/{service}.json");
        self.storage.put(STATE, &blob, record.to_string().into_bytes(), &[]).await.unwrap();
    }

    /// The names of all blobs of a container that begin with `prefix`.
    pub(crate) async fn blobs(&self, container: &str, prefix: &str) -> Vec<String> {
        let listed = self.storage.list(container, prefix).await.unwrap();
        listed.into_iter().map(|blob| blob.name).collect()
    }

    /// A JSON blob, which must be there.
    pub(crate) async fn json(&self, container: &str, blob: &str) -> Value {
        let bytes = self.storage.get(container, blob).await.unwrap();
        let bytes = bytes.unwrap_or_else(|| panic!("{container}/{blob} is not there"));
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Everything that the handler logged so far.
    pub(crate) fn log(&self) -> Vec<Logged> {
        log::events(&self.host.lines())
    }

    /// The lines of one event.
    pub(crate) fn told(&self, event: &str) -> Vec<Logged> {
        self.log().into_iter().filter(|logged| logged.event == event).collect()
    }

    /// The operations of one kind that Azure accepted on a service.
    pub(crate) fn accepted(&self, service: &str, kind: OperationKind) -> Vec<Operation> {
        let operations = self.cloud().journal().operations().into_iter();
        operations.filter(|operation| operation.service == service && operation.kind == kind).collect()
    }

    /// Azure accepted one backup, one restore into each of `secondaries`, and nothing else.
    pub(crate) fn assert_one_cycle(&self, secondaries: &[&str]) {
        assert_eq!(self.accepted(PRIMARY, OperationKind::Backup).len(), 1, "one backup");
        for secondary in secondaries {
            assert_eq!(
                self.accepted(secondary, OperationKind::Restore).len(),
                1,
                "one restore into {secondary}"
            );
        }
        assert_eq!(self.cloud().journal().operations().len(), 1 + secondaries.len(), "and nothing else");
        self.assert_sound();
    }

    /// What must hold whatever happened: Azure never had two operations at once on one service, and was
    /// asked for nothing that it does not know.
    pub(crate) fn assert_sound(&self) {
        let journal = self.cloud().journal();
        assert!(journal.overlaps().is_empty(), "operations overlap: {:?}", journal.overlaps());
        assert!(journal.unknown().is_empty(), "unknown requests: {:?}", journal.unknown());
    }

    /// What a backup carries is the same on the primary and on `secondary`.
    pub(crate) fn assert_alike(&self, secondary: &str) {
        let comparison = self.cloud().differences(PRIMARY, secondary);
        assert!(comparison.is_alike(), "{secondary} differs:\n{comparison}");
    }
}

impl Drop for World {
    #[expect(clippy::print_stderr, reason = "a failed test shows what led to it")]
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let lines = self.host.lines();
        eprintln!("{}: the last lines of the host's log, which ends at {}:", self.story, self.clock.now());
        for line in &lines[lines.len().saturating_sub(SHOWN)..] {
            eprintln!("  {:?} {}: {}", line.level, line.category, line.text);
        }
    }
}

/// Gives others a moment: what is waited for happens in another process.
#[expect(clippy::disallowed_methods, reason = "nothing tells when another process has come so far")]
pub(crate) async fn pause() {
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
}

pub(crate) fn assert_succeeded(invocation: &Invocation) {
    assert!(!invocation.outcome.is_failure(), "{} failed: {:?}", invocation.function, invocation.outcome);
}

/// The `Logs` of an invocation that succeeded, as one text.
pub(crate) fn logs(invocation: &Invocation) -> String {
    match &invocation.outcome {
        Outcome::Succeeded { logs } => logs.join("\n"),
        outcome => panic!("{} did not succeed: {outcome:?}", invocation.function),
    }
}

fn settings(simulation: &Simulation, setup: &Setup) -> BTreeMap<String, String> {
    let by_secret = setup.by_secret;
    let mut settings = if by_secret { simulation.settings_by_secret() } else { simulation.settings() };
    // The log as Azure gets it: an object on each line.
    settings.insert("WEBSITE_INSTANCE_ID".to_owned(), "wire".to_owned());
    // What the host keeps lies in its memory; that the setting is there is all it asks.
    settings.insert("AzureWebJobsStorage".to_owned(), "UseDevelopmentStorage=true".to_owned());
    if let Some(endpoint) = settings.get("BackupStorage__blobServiceUri").cloned() {
        settings.insert("BackupStorage__queueServiceUri".to_owned(), endpoint);
    }
    settings.extend(setup.settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    settings
}

/// The handler that `TESTED_HANDLER` names, or the one that cargo built beside the tests. `cargo xtask` names an optimised
/// one: these stories start it hundreds of times, and take half as long with it.
#[expect(clippy::disallowed_methods, reason = "it is no setting of the handler")]
fn handler() -> PathBuf {
    std::env::var_os("TESTED_HANDLER").map_or_else(|| env!("CARGO_BIN_EXE_apim-dr").into(), PathBuf::from)
}

async fn start_host(settings: &BTreeMap<String, String>, clock: &Clock, memory: &Memory) -> Host {
    let mut options = HostOptions::new(env!("CARGO_MANIFEST_DIR"), settings.clone(), clock.clone());
    options.executable = Some(handler());
    options.memory = memory.clone();
    let host = Host::start(options).await.unwrap();
    assert!(host.ready().await, "the handler does not become ready: {:?}", host.lines());
    host
}
