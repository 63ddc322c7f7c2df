//! A deployment, and somebody at a command line.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use apim_dr_sim::clock::Clock;
use apim_dr_sim::cloud::Cloud;
use apim_dr_sim::simulation::{Options, Simulation, Storage};
use apim_dr_sim::storage::StorageClient;
use apim_dr_sim::traffic::ProfileSpec;
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::datetime;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_apim-dr");

pub(crate) const PRIMARY: &str = "contoso-west";
pub(crate) const NORTH: &str = "contoso-north";

pub(crate) const STATE: &str = "apim-dr";

/// When every story begins: between two occurrences of the default schedule.
pub(crate) const START: OffsetDateTime = datetime!(2026-03-02 09:00 UTC);

pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) simulation: Simulation,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) storage: StorageClient,
}

/// What a call of the program came to.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// The answer for machines.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// It ended so, and said this on stdout.
    #[track_caller]
    pub(crate) fn answered(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        for word in words {
            assert!(self.stdout.contains(word), "{word} is not said: {self:?}");
        }
    }

    /// It ended so, and said this on stderr, in one paragraph that begins with the program's name; stdout is empty.
    #[track_caller]
    pub(crate) fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:?}");
        let (_, told) = self.stderr.rsplit_once("apim-dr: ").unwrap_or_else(|| panic!("no reason: {self:?}"));
        for word in words {
            assert!(told.contains(word), "{word} is not said: {self:?}");
        }
        assert!(!self.stderr.contains("panicked"), "{self:?}");
    }
}

impl World {
    /// One primary, one secondary; operations take a few minutes.
    pub(crate) async fn new() -> Self {
        Self::of(Storage::Embedded).await
    }

    pub(crate) async fn of(storage: Storage) -> Self {
        Self::with_options(|options| options.storage(storage)).await
    }

    /// The same behind a Traffic Manager profile.
    pub(crate) async fn routed() -> Self {
        Self::with_options(|options| options.traffic_manager(ProfileSpec::new("contoso"))).await
    }

    async fn with_options(change: impl FnOnce(Options) -> Options) -> Self {
        let clock = Clock::manual(START);
        let options = change(Options::new(clock.clone()));
        let simulation = Simulation::start(options).await.unwrap();
        simulation.cloud().set_durations(time::Duration::minutes(3), time::Duration::minutes(4));
        let settings = simulation.settings_by_secret();
        let storage = simulation.storage().unwrap();
        Self { clock, simulation, settings, storage }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn cloud(&self) -> &Cloud {
        self.simulation.cloud()
    }

    /// The program, with these settings and no others, to be started.
    pub(crate) fn program(&self, line: &str) -> Command {
        program(line, &self.settings)
    }

    /// Runs the program to its end.
    pub(crate) async fn run(&self, line: &str) -> Said {
        run(self.program(line)).await
    }

    /// Runs it while minutes pass outside.
    pub(crate) async fn run_while_time_passes(&self, line: &str) -> Said {
        let running = self.run(line);
        tokio::pin!(running);
        loop {
            let pause = std::time::Duration::from_millis(300);
            match tokio::time::timeout(pause, &mut running).await {
                Ok(said) => return said,
                Err(_) => self.minutes(1).await,
            }
        }
    }

    /// Lets minutes pass, in which nobody does anything.
    pub(crate) async fn minutes(&self, minutes: u32) {
        for _ in 0..minutes {
            self.clock.advance(time::Duration::MINUTE);
            self.cloud().settle().await;
        }
    }

    /// A verified backup that the standby holds, made by the command line alone.
    pub(crate) async fn standby(&self) -> String {
        self.run_while_time_passes("backup --wait").await.answered(0, &["is verified"]);
        let name = self.json_of("status").await["lastVerified"]["name"].as_str().unwrap().to_owned();
        self.run_while_time_passes(&format!("restore {name} --yes --wait")).await.answered(0, &[&name]);
        name
    }

    /// The answer for machines of a call that succeeds.
    pub(crate) async fn json_of(&self, line: &str) -> Value {
        let said = self.run(&format!("{line} --json")).await;
        assert_eq!(said.code, 0, "{said:?}");
        said.json()
    }

    pub(crate) async fn record(&self, service: &str) -> Value {
        let bytes = self.storage.get(STATE, &format!("services/{service}.json")).await.unwrap();
        serde_json::from_slice(&bytes.unwrap_or_else(|| panic!("{service} has no record"))).unwrap()
    }

    /// What must hold whatever happened.
    pub(crate) fn assert_sound(&self) {
        let journal = self.cloud().journal();
        assert!(journal.overlaps().is_empty(), "operations overlap: {:?}", journal.overlaps());
        assert!(journal.unknown().is_empty(), "unknown requests: {:?}", journal.unknown());
    }
}

pub(crate) fn program(line: &str, settings: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(BINARY);
    command.args(line.split_whitespace()).env_clear().envs(settings);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) async fn run(mut command: Command) -> Said {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    Said {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A file that no other test uses.
pub(crate) fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}
