//! What a test of the host needs: an app in a folder, storage, a clock, and a look at what was called.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use apim_dr_sim::blobs::{Blobs, Serving};
use apim_dr_sim::clock::Clock;
use apim_dr_sim::host::{Host, HostOptions, Invocation, Memory, Outcome};
use apim_dr_sim::storage::{Access, Account, StorageClient};
use serde_json::Value;
use time::macros::datetime;

pub(crate) const BACKUPS: &str = "apim-backups";

const HOST_JSON: &str = r#"{
  "version": "2.0",
  "functionTimeout": "00:05:00",
  "customHandler": { "description": {
    "defaultExecutablePath": "handler", "arguments": ["--container", "%BACKUP_CONTAINER%"]
  } },
  "extensions": { "blobs": { "maxDegreeOfParallelism": 2, "poisonBlobThreshold": 5 } }
}"#;

const TIMER: &str = r#"{ "bindings": [
  { "type": "timerTrigger", "direction": "in", "name": "timer", "schedule": "0 * * * * *", "useMonitor": true }
] }"#;

const BLOB: &str = r#"{ "bindings": [
  { "type": "blobTrigger", "direction": "in", "name": "manifest", "dataType": "binary",
    "path": "%BACKUP_CONTAINER%/{name}.manifest.json", "connection": "BackupStorage" }
] }"#;

pub(crate) struct World {
    pub(crate) folder: Folder,
    pub(crate) clock: Clock,
    pub(crate) storage: StorageClient,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) memory: Memory,
    _serving: Serving,
}

impl World {
    /// An app with a timer and a blob function, at two o'clock, with nothing in its storage.
    pub(crate) async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = Folder::new();
        folder.write("host.json", HOST_JSON);
        folder.write("BackupTimer/function.json", TIMER);
        folder.write("RestoreOnBlob/function.json", BLOB);
        let serving = Blobs::new(Account::emulator(0)).serve(0).await.unwrap();
        let storage = StorageClient::new(serving.account.clone(), Access::Key, reqwest::Client::new());
        storage.create_container(BACKUPS).await.unwrap();
        let connection = serving.account.connection_string();
        let settings = [
            ("AzureWebJobsStorage", connection.as_str()),
            ("BackupStorage", &connection),
            ("BACKUP_CONTAINER", BACKUPS),
            ("HANDLER_SCRIPT", &folder.path("script")),
            ("HANDLER_RECORD", &folder.path("record")),
        ];
        Self {
            settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            clock: Clock::manual(datetime!(2026-03-01 02:00 UTC)),
            memory: Memory::default(),
            folder,
            storage,
            _serving: serving,
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn options(&self) -> HostOptions {
        let mut options = HostOptions::new(&self.folder.0, self.settings.clone(), self.clock.clone());
        options.executable = Some(env!("CARGO_BIN_EXE_scripted-handler").into());
        options.memory = self.memory.clone();
        options.patience = Duration::from_secs(20);
        options
    }

    /// A host whose handler answers.
    pub(crate) async fn host(&self) -> Host {
        let host = Host::start(self.options()).await.unwrap();
        assert!(host.ready().await, "{:?}", host.lines());
        host
    }

    /// Says what every call is answered with from now on.
    pub(crate) fn script(&self, script: &str) {
        self.folder.write("script", script);
    }

    /// Every call that the handler has had, of all its processes. One that it is still writing down does
    /// not count yet.
    pub(crate) fn calls(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path("record")).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn last_call(&self) -> Value {
        self.calls().pop().unwrap()
    }

    pub(crate) async fn put(&self, blob: &str, content: &str) {
        let metadata = [("service", "contoso")];
        self.storage.put(BACKUPS, blob, content.as_bytes().to_vec(), &metadata).await.unwrap();
    }
}

/// A folder of its own, removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("apim-dr-sim-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let file = self.0.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    pub(crate) fn root(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The reason of a failed invocation.
pub(crate) fn failure(invocation: &Invocation) -> &str {
    match &invocation.outcome {
        Outcome::Failed { reason } => reason,
        other => panic!("expected a failure, not {other:?}"),
    }
}

/// The reason of an invocation that never was.
pub(crate) fn not_invoked(invocation: &Invocation) -> &str {
    match &invocation.outcome {
        Outcome::NotInvoked { reason } => reason,
        other => panic!("expected no call, not {other:?}"),
    }
}

/// Waits for something that happens in another task.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("this never came: {what}");
}
