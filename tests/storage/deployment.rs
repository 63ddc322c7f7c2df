//! The handler's settings against one blob server.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use apim_dr::azure::Azure;
use apim_dr::config::Config;
use apim_dr_sim::clock::Clock;
use apim_dr_sim::simulation::{Options, Simulation, Storage};
use apim_dr_sim::storage::StorageClient;
use apim_dr_sim::tls::Authority;
use azure_core::http::HttpClient;

use super::faults::Flaky;

/// A simulated Azure with one storage account.
pub(crate) struct Deployment {
    simulation: Simulation,
}

/// Two containers in that account that nobody else uses.
pub(crate) struct Containers<'a> {
    deployment: &'a Deployment,
    pub(crate) backups: String,
    pub(crate) state: String,
}

/// Files of the test `name`.
pub(crate) fn directory(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("apim-dr-storage-{}-{name}", std::process::id()))
}

impl Deployment {
    pub(crate) async fn start(name: &str, storage: Storage, authority: Option<Authority>) -> Self {
        let directory = Some(directory(name));
        let options = Options { directory, authority, ..Options::new(Clock::running(1.0)).storage(storage) };
        Self { simulation: Simulation::start(options).await.unwrap() }
    }

    pub(crate) fn containers(&self, index: usize) -> Containers<'_> {
        Containers { deployment: self, backups: format!("backups-{index}"), state: format!("state-{index}") }
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        let bundle = self.simulation.settings().remove("SSL_CERT_FILE").map(PathBuf::from);
        let directory = bundle.as_deref().and_then(std::path::Path::parent);
        // Files left behind are no reason to fail.
        drop(directory.map(std::fs::remove_dir_all));
    }
}

impl Containers<'_> {
    /// The handler's own client.
    pub(crate) fn azure(&self) -> Azure {
        Azure::new(&self.config(&[])).unwrap()
    }

    /// The same with other settings.
    pub(crate) fn azure_with(&self, settings: &[(&str, &str)]) -> Azure {
        Azure::new(&self.config(settings)).unwrap()
    }

    /// The handler's client over a network on which things go wrong.
    pub(crate) fn flaky(&self) -> (Azure, Arc<Flaky>) {
        let network: Arc<dyn HttpClient> = Arc::new(self.deployment.simulation.authority().client().unwrap());
        let flaky = Arc::new(Flaky::new(network));
        (Azure::with_transport(&self.config(&[]), flaky.clone()), flaky)
    }

    /// A client that is not the handler's.
    pub(crate) fn other(&self) -> StorageClient {
        self.deployment.simulation.storage().unwrap()
    }

    /// Refuses every token issued so far.
    pub(crate) fn revoke_tokens(&self) {
        self.deployment.simulation.cloud().directory().revoke_all();
    }

    pub(crate) fn opens_by_key(&self) -> bool {
        self.deployment.simulation.settings().contains_key("BackupStorage")
    }

    pub(crate) fn connection_string(&self) -> String {
        self.deployment.simulation.account().connection_string()
    }

    fn config(&self, settings: &[(&str, &str)]) -> Config {
        let mut all: BTreeMap<String, String> = self.deployment.simulation.settings_by_secret();
        if let Some(endpoint) = all.get("BackupStorage__blobServiceUri").cloned() {
            all.insert("BackupStorage__queueServiceUri".to_owned(), endpoint);
        }
        all.insert("BACKUP_CONTAINER".to_owned(), self.backups.clone());
        all.insert("STATE_CONTAINER".to_owned(), self.state.clone());
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Config::from_lookup(|name| all.get(name).cloned()).unwrap()
    }
}
