//! What a world is made of.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use apim_dr_sim::simulation::{Between, Storage};
use apim_dr_sim::storage::Account;
use apim_dr_sim::tls::Authority;
use time::Duration;

use crate::support::azurite::Azurite;

/// Where blobs are kept.
#[derive(Clone, Debug)]
pub(crate) enum Blobs {
    /// In the simulator, by key.
    Embedded,
    /// In the simulator under TLS, by token.
    EmbeddedTls,
    /// In Azurite, by key.
    AzuriteByKey,
    /// In Azurite under TLS, by token.
    AzuriteByToken,
    /// In a server that the test has started, by key.
    At(Account),
}

/// What a world shall be; `Setup::default()` is one secondary, embedded blobs, and operations that take a few
/// minutes.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// What a failed test calls this world.
    pub(crate) story: String,
    pub(crate) blobs: Blobs,
    pub(crate) secondaries: usize,
    /// App settings in place of those that the simulation gives; an empty value unsets one.
    pub(crate) settings: Vec<(&'static str, String)>,
    /// Tokens by client secret in place of the managed identity.
    pub(crate) by_secret: bool,
    /// How long a backup and a restore take.
    pub(crate) durations: (Duration, Duration),
    /// Whether Azure refuses a second operation on a service.
    pub(crate) locks: bool,
    /// Whether Resource Manager counts requests. Its buckets fill by the worlds' clock, which stands still in an
    /// invocation.
    pub(crate) throttles: bool,
    /// A Traffic Manager profile routes to the services, in place of `LIVE_CHECK=off`.
    pub(crate) traffic_manager: bool,
    /// Stands before everything that the handler asks.
    pub(crate) between: Option<Between>,
    /// The secondary has this custom hostname, and every gateway takes connections.
    pub(crate) hostname: Option<&'static str>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            story: String::new(),
            blobs: Blobs::Embedded,
            secondaries: 1,
            settings: Vec::new(),
            by_secret: false,
            durations: (Duration::minutes(3), Duration::minutes(4)),
            locks: true,
            throttles: true,
            traffic_manager: false,
            between: None,
            hostname: None,
        }
    }
}

impl Setup {
    /// A deployment that Traffic Manager routes to, backed up every hour.
    pub(crate) fn routed(secondaries: usize) -> Self {
        let setup = Self { traffic_manager: true, secondaries, ..Self::default() };
        setup.setting("BACKUP_SCHEDULE", "0 0 * * * *")
    }

    /// The same with one more app setting.
    pub(crate) fn setting(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.push((name, value.into()));
        self
    }
}

/// The blobs' server, if it is a process of its own, and what the simulation needs to know of it.
pub(crate) fn place(blobs: &Blobs, authority: &Authority) -> (Option<Azurite>, Storage) {
    let azurite = match blobs {
        Blobs::Embedded => return (None, Storage::Embedded),
        Blobs::EmbeddedTls => return (None, Storage::EmbeddedTls),
        Blobs::At(account) => return (None, Storage::At(account.clone())),
        Blobs::AzuriteByKey => Azurite::http(),
        Blobs::AzuriteByToken => Azurite::https(authority, &directory()),
    };
    let account = azurite.account().clone();
    (Some(azurite), Storage::At(account))
}

/// A directory that no other test uses.
pub(crate) fn directory() -> PathBuf {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("wire-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}
