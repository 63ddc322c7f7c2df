//! Everything at once, over real sockets: what a handler in another process needs to believe in Azure.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;

use crate::blobs::Blobs;
use crate::clock::Clock;
use crate::cloud::{Cloud, ServiceSpec, StorageAccount};
use crate::control;
use crate::door::FrontDoor;
use crate::serve::{Server, listen, serve};
use crate::storage::{Access, Account, EMULATOR_ACCOUNT, StorageClient};
use crate::tls::Authority;
use crate::tokens::STORAGE_AUDIENCE;
use crate::traffic::ProfileSpec;

/// Where the storage of a simulation is.
#[derive(Clone, Debug, Default)]
pub enum Storage {
    /// The embedded blob server, started with the rest, over plain HTTP: the handler opens it by key.
    #[default]
    Embedded,
    /// The same under TLS: the handler opens it by identity.
    EmbeddedTls,
    /// A server that runs already.
    At(Account),
}

/// The ports to listen on; 0 takes a free one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// Resource Manager and Entra, under TLS.
    pub arm: u16,
    /// The managed identity endpoint, without.
    pub identity: u16,
    /// The embedded blob server, without.
    pub blobs: u16,
}

/// Stands between the handler and a server: whatever a test wants to see of every request, or do to it.
#[derive(Clone)]
pub struct Between(Arc<dyn Fn(axum::Router) -> axum::Router + Send + Sync>);

impl Between {
    /// Puts what `layer` makes of a router in the router's place.
    pub fn new(layer: impl Fn(axum::Router) -> axum::Router + Send + Sync + 'static) -> Self {
        Self(Arc::new(layer))
    }
}

impl std::fmt::Debug for Between {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Between")
    }
}

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time in it.
    pub clock: Clock,
    /// The seed of all ids.
    pub seed: u64,
    /// Where blobs are kept.
    pub storage: Storage,
    /// Where to listen.
    pub ports: Ports,
    /// The first service is the primary, the others its secondaries.
    pub services: Vec<ServiceSpec>,
    /// What the managed identity endpoint wants in `X-IDENTITY-HEADER`.
    pub identity_header: String,
    /// Where the PEM bundle for `SSL_CERT_FILE` is written; a temporary directory, which goes with the
    /// simulation, if none is given.
    pub directory: Option<PathBuf>,
    /// Who signs the server certificates; made anew if there is none.
    pub authority: Option<Authority>,
    /// Whether Azure's lock on a service in transition is there; see
    /// [`CloudBuilder::without_lock`](crate::cloud::CloudBuilder::without_lock).
    pub locks: bool,
    /// Whether Resource Manager's token buckets are there; see
    /// [`CloudBuilder::without_throttling`](crate::cloud::CloudBuilder::without_throttling).
    pub throttles: bool,
    /// The Traffic Manager profile over all services; none to begin with.
    pub traffic_manager: Option<ProfileSpec>,
    /// Whether the gateways listen, each on a port of its own; see [`FrontDoor`].
    pub front_doors: bool,
    /// Whether a person can make things happen by `GET` and `POST` of `/control` on the identity port.
    pub control: bool,
    /// Stands before Resource Manager, the identity endpoint and the embedded blobs, if anything does.
    pub between: Option<Between>,
}

impl Options {
    /// A primary in West Europe with the worked example, an empty secondary in North Europe, embedded storage,
    /// free ports.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            seed: 1,
            storage: Storage::Embedded,
            ports: Ports::default(),
            services: vec![
                ServiceSpec::new("contoso-west", "West Europe").with_sample(),
                ServiceSpec::new("contoso-north", "North Europe"),
            ],
            identity_header: "local-simulator".to_owned(),
            directory: None,
            authority: None,
            locks: true,
            throttles: true,
            traffic_manager: None,
            front_doors: false,
            control: false,
            between: None,
        }
    }

    fn seen(&self, router: axum::Router) -> axum::Router {
        match &self.between {
            Some(between) => (between.0)(router),
            None => router,
        }
    }

    /// Adds a second, empty secondary in Sweden.
    pub fn with_second_secondary(mut self) -> Self {
        self.services.push(ServiceSpec::new("contoso-sweden", "Sweden Central"));
        self
    }

    /// Routes users by this Traffic Manager profile.
    pub fn traffic_manager(self, profile: ProfileSpec) -> Self {
        Self { traffic_manager: Some(profile), ..self }
    }

    /// Lets the gateways listen.
    pub fn with_front_doors(self) -> Self {
        Self { front_doors: true, ..self }
    }

    /// Keeps blobs there.
    pub fn storage(self, storage: Storage) -> Self {
        Self { storage, ..self }
    }
}

/// A running simulation. It stops when it is dropped.
pub struct Simulation {
    cloud: Cloud,
    authority: Authority,
    account: Account,
    blobs: Option<Blobs>,
    files: Files,
    identity: Server,
    /// By the names of their services.
    doors: BTreeMap<String, FrontDoor>,
    _arm: Server,
    _blobs: Option<Server>,
    _settling: Settling,
}

impl Simulation {
    /// Starts everything and returns once it listens.
    ///
    /// # Errors
    ///
    /// If a port is taken, or the bundle can not be written.
    pub async fn start(mut options: Options) -> io::Result<Self> {
        let authority = options.authority.take().map_or_else(Authority::new, Ok)?;
        let arm = listen(options.ports.arm).await?;
        let (account, blobs) = place_storage(&options).await?;
        let cloud = cloud(&options, &authority, (arm.local_addr()?.port(), &account))?;
        let blobs = blobs
            .map(|listener| serve_blobs(listener, &cloud, (&account, &authority, &options)))
            .transpose()?;
        let identity = cloud.identity_router();
        let identity = if options.control { control::beside(identity, cloud.clone()) } else { identity };
        let identity = serve(listen(options.ports.identity).await?, options.seen(identity), None)?;
        let arm = serve(arm, options.seen(cloud.router()), Some(authority.acceptor()))?;
        let files = Files::new(options.directory.take())?;
        authority.write_bundle(&files.bundle())?;
        let (blobs, _blobs) = blobs.unzip();
        let doors = if options.front_doors { open_doors(&cloud, &authority).await? } else { BTreeMap::new() };
        let _settling = Settling::start(cloud.clone());
        Ok(Self { cloud, authority, account, blobs, files, identity, doors, _arm: arm, _blobs, _settling })
    }

    /// The cloud: services, knobs, journal.
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// Who signed the certificate of Resource Manager.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The storage account that backups and records are kept in.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The embedded blob server, for its faults and its journal, if it is that which is used.
    pub fn blobs(&self) -> Option<&Blobs> {
        self.blobs.as_ref()
    }

    /// Where a person makes things happen, if [`Options::control`] was set.
    pub fn control_url(&self) -> String {
        format!("http://127.0.0.1:{}/control", self.identity.port())
    }

    /// The front door of a service's gateway.
    ///
    /// # Panics
    ///
    /// If the gateways do not listen, or there is no such service.
    pub fn front_door(&self, service: &str) -> &FrontDoor {
        let door = self.doors.get(service);
        door.unwrap_or_else(|| panic!("no front door of {service} in the simulation"))
    }

    /// A client of the storage account, by key.
    ///
    /// # Errors
    ///
    /// If the HTTP client can not be built.
    pub fn storage(&self) -> io::Result<StorageClient> {
        Ok(StorageClient::new(self.account.clone(), Access::Key, self.authority.client()?))
    }

    /// The settings under which a handler meets this simulation, by managed identity: what a
    /// `local.settings.json` holds, and what App Service adds. Storage is opened by identity if it is under
    /// TLS, else by key.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let ids = self.cloud.service_ids();
        let directory = self.cloud.directory();
        let identity = format!("http://127.0.0.1:{}{}", self.identity.port(), crate::tokens::IDENTITY_PATH);
        let settings = [
            ("APIM_PRIMARY_ID", ids.first().cloned().unwrap_or_default()),
            ("APIM_SECONDARY_IDS", ids.get(1..).unwrap_or_default().join(",")),
            ("ARM_ENDPOINT", self.cloud.arm_endpoint().to_owned()),
            ("AZURE_AUTHORITY_HOST", self.cloud.arm_endpoint().to_owned()),
            ("IDENTITY_ENDPOINT", identity),
            ("IDENTITY_HEADER", directory.identity_header().to_owned()),
            ("SSL_CERT_FILE", self.files.bundle().display().to_string()),
            self.storage_setting(),
            ("BACKUP_CONTAINER", "apim-backups".to_owned()),
            // Without Traffic Manager there is nobody to ask who carries the traffic.
            match self.cloud.profile_id() {
                Some(profile) => ("TRAFFIC_MANAGER_ID", profile),
                None => ("LIVE_CHECK", "off".to_owned()),
            },
        ];
        settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn storage_setting(&self) -> (&'static str, String) {
        if self.account.endpoint.starts_with("https:") {
            ("BackupStorage__blobServiceUri", self.account.endpoint.clone())
        } else {
            ("BackupStorage", self.account.connection_string())
        }
    }

    /// The same settings by client secret in place of managed identity.
    pub fn settings_by_secret(&self) -> BTreeMap<String, String> {
        let mut settings = self.settings();
        settings.remove("IDENTITY_ENDPOINT");
        settings.remove("IDENTITY_HEADER");
        let directory = self.cloud.directory();
        let application = directory.applications().into_iter().next();
        if let Some(application) = application {
            settings.insert("AZURE_CREDENTIAL".to_owned(), "client-secret".to_owned());
            settings.insert("AZURE_TENANT_ID".to_owned(), directory.tenant().to_owned());
            settings.insert("AZURE_CLIENT_ID".to_owned(), application.principal.client_id);
            settings.insert("AZURE_CLIENT_SECRET".to_owned(), application.secret);
        }
        settings
    }
}

/// Where files are written; removed at the end if it is ours.
struct Files {
    path: PathBuf,
    temporary: bool,
}

impl Files {
    fn new(given: Option<PathBuf>) -> io::Result<Self> {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let temporary = given.is_none();
        let path = given.unwrap_or_else(|| {
            let number = MADE.fetch_add(1, Ordering::Relaxed);
            std::env::temp_dir().join(format!("apim-dr-sim-{}-{number}", std::process::id()))
        });
        std::fs::create_dir_all(&path)?;
        Ok(Self { path, temporary })
    }

    fn bundle(&self) -> PathBuf {
        self.path.join("ca-bundle.pem")
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if self.temporary {
            // What can not be removed is left to the system, which clears its temporary files.
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}

/// The account that is to be used, and where it will be served if that is up to us.
async fn place_storage(options: &Options) -> io::Result<(Account, Option<TcpListener>)> {
    if let Storage::At(account) = &options.storage {
        return Ok((account.clone(), None));
    }
    let listener = listen(options.ports.blobs).await?;
    let port = listener.local_addr()?.port();
    let account = match options.storage {
        Storage::EmbeddedTls => Account::emulator_at(&format!("https://localhost:{port}/{EMULATOR_ACCOUNT}")),
        _ => Account::emulator(port),
    };
    Ok((account, Some(listener)))
}

/// Serves the embedded blobs, which take the tokens that the cloud's directory issues.
fn serve_blobs(
    listener: TcpListener,
    cloud: &Cloud,
    (account, authority, options): (&Account, &Authority, &Options),
) -> io::Result<(Blobs, Server)> {
    let directory = cloud.directory().clone();
    let check =
        move |token: &str| directory.verify(Some(&format!("Bearer {token}")), &[STORAGE_AUDIENCE]).is_ok();
    let blobs = Blobs::with(account.clone(), cloud.clock().clone(), Some(Arc::new(check)));
    let tls = account.endpoint.starts_with("https:").then(|| authority.acceptor());
    let server = serve(listener, options.seen(blobs.router()), tls)?;
    Ok((blobs, server))
}

fn cloud(options: &Options, authority: &Authority, (port, account): (u16, &Account)) -> io::Result<Cloud> {
    let elsewhere = matches!(options.storage, Storage::At(_)) && account.endpoint.starts_with("https:");
    let http = if elsewhere { authority.client_beside_system()? } else { authority.client()? };
    let storage = StorageAccount::new(account.clone(), http);
    let endpoint = format!("https://localhost:{port}");
    let builder = Cloud::builder(options.clock.clone()).arm_endpoint(&endpoint).seed(options.seed);
    let builder = builder.identity_header(&options.identity_header).storage(storage);
    let builder = options.services.iter().cloned().fold(builder, crate::cloud::CloudBuilder::service);
    let builder = match &options.traffic_manager {
        Some(profile) => builder.traffic_manager(profile.clone()),
        None => builder,
    };
    let builder = if options.locks { builder } else { builder.without_lock() };
    let builder = if options.throttles { builder } else { builder.without_throttling() };
    Ok(builder.build())
}

async fn open_doors(cloud: &Cloud, authority: &Authority) -> io::Result<BTreeMap<String, FrontDoor>> {
    let mut doors = BTreeMap::new();
    for id in cloud.service_ids() {
        let service = cloud.service(&id);
        doors.insert(service.name(), FrontDoor::open(service, authority).await?);
    }
    Ok(doors)
}

/// Completes operations while nobody asks, so that a blob appears at its time.
struct Settling(tokio::task::AbortHandle);

impl Settling {
    fn start(cloud: Cloud) -> Self {
        let task = tokio::spawn(async move {
            loop {
                cloud.settle().await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        Self(task.abort_handle())
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        self.0.abort();
    }
}
