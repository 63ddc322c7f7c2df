//! The imperative edge: actions become requests to Azure, and its answers become observations. Nothing is
//! decided here; what an answer means stands in `answers`, table by table.
#![expect(
    elided_lifetimes_in_paths,
    reason = "the SDK's `Policy` leaves the lifetime of its context out, and implementations have to as well"
)]

use std::sync::Arc;

use azure_core::http::HttpClient;
use futures::FutureExt as _;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::clock::InvocationClock;
use crate::config::{BackupAccess, Cloud, Config, Credential, LiveCheck, Secret, StorageAccess};
use crate::domain::health::CertificateLook;
use crate::domain::id::{ProfileId, ServiceId, StorageAccountId};
use crate::domain::observation::{
    Action, Answer, BlobLook, BlobName, Looking, Looks, Observation, Others, Poll, Start,
};
use crate::domain::record::{Record, path_of};
use crate::domain::serving::{Gateways, Serving};
use crate::domain::vocabulary::{OperationUrl, Timestamp};

use arm::{Arm, Deadline};
use blob::Blobs;
use front_door::FrontDoors;
use hidden::WithoutKey;
use identity::Tokens;
use outbound::Outbound;
use retry::Repeat;
use transport::Bounded;

pub use crawl::Memo;
pub use reads::{StorageRight, Unread};
pub use store::{LARGEST_MANIFEST, LARGEST_RECORD, SaveTrouble, Store, Stored};
pub use trouble::StorageTrouble;

mod answers;
mod arm;
mod ask;
mod blob;
mod compare;
mod content;
mod crawl;
mod facts;
mod front_door;
mod handshake;
mod hidden;
mod identity;
mod inventory;
mod outbound;
mod pace;
mod reads;
mod request_ids;
mod retention;
mod retry;
mod shared_key;
mod store;
mod take;
#[cfg(test)]
mod tests;
mod transport;
mod trouble;
mod words;

/// The version of the storage resource provider's API that `listKeys` is called with.
const STORAGE_API_VERSION: &str = "2023-05-01";

/// The newest stable version of the Traffic Manager API that every cloud has.
pub const PROFILE_API_VERSION: &str = "2022-04-01";

/// Azure, as the settings describe it.
pub struct Azure {
    arm: Arm,
    /// Every service that the settings name.
    services: Vec<ServiceId>,
    store: Store,
    live: Live,
    outbound: Outbound,
    front_doors: FrontDoors,
    api_version: String,
    access: BackupAccess,
    account_id: Option<StorageAccountId>,
}

/// What an action is performed for.
pub struct Scene<'a> {
    /// The service that the action is about.
    pub service: &'a ServiceId,
    /// The time of this invocation.
    pub clock: &'a InvocationClock,
    /// The services whose restore could stand in the way of one into this service.
    pub others: &'a [ServiceId],
    /// What a crawl remembers from one stretch to the next.
    pub memo: &'a Memo,
}

/// How it is found out who serves.
enum Live {
    /// By this profile, whose endpoints are matched with these gateways.
    Profile(ProfileId, Gateways),
    /// Not at all: what the settings say.
    Settings(Serving),
}

impl Live {
    fn of(config: &Config) -> Self {
        match (config.live_check, &config.profile) {
            (LiveCheck::Off, _) => Self::Settings(Serving::Service(config.primary.name())),
            (LiveCheck::On, None) => Self::Settings(Serving::NotConfigured),
            (LiveCheck::On, Some(profile)) => {
                let services = std::iter::once(&config.primary).chain(&config.secondaries);
                let services = services.map(ServiceId::name).collect();
                let domain = config.cloud.gateways.to_owned();
                Self::Profile(profile.clone(), Gateways { domain, services })
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Verb {
    Backup,
    Restore,
}

impl Verb {
    fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Restore => "restore",
        }
    }
}

impl Azure {
    /// Azure over the network. Nothing is connected to yet.
    ///
    /// # Errors
    /// When the certificates to trust cannot be loaded.
    pub fn new(config: &Config) -> Result<Self, String> {
        let http = transport::connect(config.authorities.as_deref())?;
        let front_doors = FrontDoors::of(config);
        Ok(Self { front_doors, ..Self::with_transport(config, http) })
    }

    /// Azure over any transport, such as one that reaches a simulation in the same process. No gateway can be shaken
    /// hands with over it.
    pub fn with_transport(config: &Config, http: Arc<dyn HttpClient>) -> Self {
        let tokens = |credential: &Credential, scope: String| {
            tokens_of(credential.clone(), &config.cloud, scope, http.clone())
        };
        let storage_tokens = |access: &StorageAccess| match access {
            StorageAccess::Identity(credential) => {
                Some(tokens(credential, identity::STORAGE_SCOPE.to_owned()))
            }
            StorageAccess::SharedKey(_) => None,
        };
        let blobs = Blobs::new(
            config.storage.clone(),
            storage_tokens,
            Bounded::new(http.clone(), blob::LARGEST_ANSWER),
        );
        let arm_tokens = tokens(&config.credential, config.cloud.arm_scope());
        let transport = Bounded::new(http.clone(), arm::LARGEST_ANSWER);
        Self {
            arm: Arm::new(config.cloud.arm.clone(), arm_tokens, transport),
            store: Store::new(blobs, config.backup_container.clone(), config.state_container.clone()),
            live: Live::of(config),
            services: std::iter::once(&config.primary).chain(&config.secondaries).cloned().collect(),
            outbound: Outbound::new(http.clone()),
            front_doors: FrontDoors::out_of_reach(),
            api_version: config.api_version.clone(),
            access: config.access.clone(),
            account_id: config.storage_account_id.clone(),
        }
    }

    /// The same, for somebody who only looks on: nothing is made that is not there.
    pub fn looking_on(self) -> Self {
        Self { store: self.store.looking_on(), ..self }
    }

    /// Where records and manifests are kept.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whether a profile is read to find out who serves.
    pub fn reads_profile(&self) -> bool {
        matches!(self.live, Live::Profile(..))
    }

    /// Who serves, by a fresh read of the profile, or by the settings where there is none to read.
    pub async fn who_serves(&self) -> Serving {
        match &self.live {
            Live::Settings(serving) => serving.clone(),
            Live::Profile(profile, gateways) => {
                let url = self.arm.url(profile.as_str(), PROFILE_API_VERSION);
                answers::to_serving(self.arm.get(url).await, gateways)
            }
        }
    }

    /// Posts a body to an address of somebody else's, or only calls it.
    ///
    /// # Errors
    /// When it is not taken with a 2xx within 10 s. The address is not part of the error.
    pub async fn send(&self, to: &Secret, body: Option<(&str, String)>) -> Result<(), String> {
        self.outbound.send(to, body).await
    }

    /// Shakes hands with the gateway of `service` as with each of its custom hostnames, and tells what it showed.
    ///
    /// # Errors
    /// When the service cannot be read, so that its hostnames are not known.
    pub async fn look_at_front_door(
        &self,
        service: &ServiceId,
        clock: &InvocationClock,
    ) -> Result<Vec<CertificateLook>, String> {
        let url = self.arm.url(service.as_str(), &self.api_version);
        let door = front_door::of(self.arm.get(url).await)?;
        self.front_doors.look(&service.name(), &door, clock).await
    }

    /// Does what `action` says, once, and tells what was learned. Actions that end an invocation, or that
    /// only ask for another decision, reach nobody.
    pub async fn perform(&self, scene: &Scene<'_>, action: &Action) -> Observation {
        match action {
            Action::Yield | Action::Stop(_) | Action::Again => Observation::Resumed,
            Action::Look(looking) => Observation::Looked(Box::new(self.look(scene, looking).await)),
            Action::StartBackup(start) => self.start(scene, Verb::Backup, start).await,
            Action::StartRestore(start) => self.start(scene, Verb::Restore, start).await,
            Action::Poll(operation) => Observation::Polled(self.poll(operation).await),
            Action::InspectBlob(name) => Observation::Inspected(self.store.inspect(name).await),
            Action::WriteManifest { at, bytes } => {
                Observation::Wrote(self.store.write_manifest(at, bytes).await)
            }
            Action::WriteHistory { path, bytes } => {
                Observation::Wrote(self.store.write_history(path, bytes).await)
            }
            Action::ListOld(old) => self.list_old(scene, *old).await,
            Action::Delete { stage, doomed } => self.delete(scene, *stage, doomed).await,
            Action::TakeInventory(take) => Observation::Took(Box::new(self.take(scene, take).boxed().await)),
            Action::JoinInventory(take) => Observation::Joined(self.join(scene, take).boxed().await),
            Action::Compare(compare) => {
                Observation::Compared(Box::new(self.compare(scene, compare).boxed().await))
            }
            Action::DropParts(backup) => match self.store.drop_parts(backup).await {
                Ok(()) => Observation::DroppedParts(backup.clone()),
                Err(trouble) => Observation::NotDone(trouble.to_string()),
            },
        }
    }

    /// All parts at once: together they must not be older than 30 s when they are used.
    async fn look(&self, scene: &Scene<'_>, looking: &Looking) -> Looks {
        let at = scene.clock.now();
        let (blob, others, asking) = match looking {
            Looking::Service => (None, &[][..], None),
            Looking::ForBackup(name) => (Some(name), &[][..], None),
            Looking::ForRestore(name, asking) => (Some(name), scene.others, Some((name, asking))),
        };
        let url = self.arm.url(scene.service.as_str(), &self.api_version);
        let serving = async { if asking.is_some() { Some(self.who_serves().await) } else { None } };
        let content = async {
            match asking {
                Some(asking) => self.ask(scene, asking).await,
                None => None,
            }
        };
        let (service, blob, others, serving, content) = tokio::join!(
            self.arm.get(url),
            self.inspect(blob),
            self.look_at_others(others, at),
            serving,
            content.boxed()
        );
        let (looking, service) = (looking.clone(), answers::to_look(service));
        Looks { at, looking, service, blob, others, serving, content }
    }

    async fn inspect(&self, name: Option<&BlobName>) -> Option<BlobLook> {
        match name {
            Some(name) => Some(self.store.inspect(name).await),
            None => None,
        }
    }

    /// What the records of `others` say about a restore. Whether a failover is latched stands in the primary's, and not
    /// in that of a service that had its name.
    async fn look_at_others(&self, others: &[ServiceId], now: Timestamp) -> Result<Others, String> {
        let mut found = Others::default();
        for other in others {
            let name = other.name();
            let path = path_of(&name);
            let stored = self.store.load(&path).await.map_err(|trouble| trouble.to_string())?;
            let Some((bytes, _)) = stored.document else { continue };
            let record = Record::parse(&bytes).map_err(|why| format!("the record {path}: {why}"))?;
            if record.service != *other && self.services.first() == Some(other) {
                return Err(format!("the record {path} belongs to {}, and not to {other}", record.service));
            }
            found.resumed_at = found.resumed_at.max(record.resumed_at);
            found.failed_over = found.failed_over.or_else(|| record.failed_over.clone());
            if record.holds_up_restores(now) {
                found.restoring.push(name);
            }
        }
        Ok(found)
    }

    async fn start(&self, scene: &Scene<'_>, verb: Verb, start: &Start) -> Observation {
        let answered = |answer| Observation::Answered { claim: start.claim.clone(), answer };
        let body = match self.body(start).await {
            Ok(body) => body,
            Err(answer) => return answered(answer),
        };
        let url = self.arm.url(&format!("{}/{}", scene.service, verb.as_str()), &self.api_version);
        let deadline = Deadline { clock: scene.clock.clone(), looked_at: start.looked_at };
        let reply = self.arm.post(url, &body, deadline).await;
        let answer = answers::to_post(&self.arm, reply);
        let hidden = WithoutKey(body["accessKey"].as_str());
        answer.map_or(Observation::TooLate, |answer| answered(hidden.answer(answer)))
    }

    /// Exactly one way in, with what belongs to it and nothing else: Azure's schema checks no combination.
    async fn body(&self, start: &Start) -> Result<Value, Answer> {
        let mut body = json!({
            "storageAccount": self.store.account(),
            "containerName": start.blob.container,
            "backupName": start.blob.backup.blob(),
        });
        match &self.access {
            BackupAccess::SystemAssigned => body["accessType"] = "SystemAssignedManagedIdentity".into(),
            BackupAccess::UserAssigned { client_id } => {
                body["accessType"] = "UserAssignedManagedIdentity".into();
                body["clientId"] = client_id.as_str().into();
            }
            BackupAccess::AccessKey => {
                body["accessType"] = "AccessKey".into();
                body["accessKey"] = self.access_key().await?.into();
            }
        }
        Ok(body)
    }

    /// The key that the connection string holds, else one that Resource Manager tells.
    async fn access_key(&self) -> Result<String, Answer> {
        if let Some(key) = self.store.key() {
            return Ok(key.to_owned());
        }
        let account = self.account_id.as_ref().map(StorageAccountId::as_str).unwrap_or_default();
        let url = self.arm.url(&format!("{account}/listKeys"), STORAGE_API_VERSION);
        answers::to_key(self.arm.look_up(url).await)
    }

    async fn poll(&self, operation: &OperationUrl) -> Poll {
        match self.arm.own_url(operation.expose()) {
            Some(url) => WithoutKey(self.store.key()).poll(answers::to_poll(self.arm.poll(url).await)),
            None => Poll::Unknown("the operation's saved URL is not on ARM_ENDPOINT: not asked".to_owned()),
        }
    }
}

/// This machine's time, for somebody whom storage does not tell its own.
pub fn machine_time() -> Timestamp {
    Timestamp::new(wall_clock())
}

/// The time by which signatures are dated and tokens expire: not an invocation's, but this machine's.
#[expect(clippy::disallowed_methods, reason = "storage and Entra compare with the real time")]
fn wall_clock() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Token requests change nothing, so they may be repeated.
fn tokens_of(credential: Credential, cloud: &Cloud, scope: String, http: Arc<dyn HttpClient>) -> Tokens {
    let transport = Bounded::new(http, arm::LARGEST_ANSWER);
    let options = arm::client_options(transport, Repeat::Everything, Vec::new());
    Tokens::new(credential, cloud, scope, options)
}
