//! Settings to [`Config`]: every app setting is read here, once, through one lookup, and everything that
//! is wrong is reported together, each by its setting's name and with what to write instead.
//!
//! An empty value counts as unset, and blanks around a value do not count: both are how portals and scripts
//! leave things behind. No message repeats a secret.

use rustls::pki_types::CertificateDer;
use time::Duration;

use crate::domain::id::{ProfileId, ServiceId, StorageAccountId};
use crate::domain::inventory::Depth;
use crate::domain::schedule::Schedule;
use crate::domain::vocabulary::Container;

pub use cloud::Cloud;
pub use credential::Credential;
pub use secret::Secret;
pub use setting::{Presence, Problem, Problems, SETTINGS, Setting};
pub use storage::{Storage, StorageAccess};

use setting::{Reader, Reported};

mod cloud;
mod credential;
mod secret;
pub(crate) mod setting;
mod storage;
#[cfg(test)]
mod tests;
mod value;

/// The Functions host says here which port of 127.0.0.1 it connects to. Read before there is a [`Config`].
pub const PORT: &str = setting::PORT.name;

/// What the platform tells of a managed identity: its address, and the header that it wants.
pub const IDENTITY: [&str; 2] = [setting::IDENTITY_ENDPOINT.name, setting::IDENTITY_HEADER.name];

/// Set on every instance of an app in Azure. Read before there is a [`Config`].
pub const INSTANCE_ID: &str = setting::INSTANCE_ID.name;

/// Everything that the settings say, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The storage account of the blob trigger and of the handler.
    pub storage: Storage,
    /// Where backups and their manifests lie.
    pub backup_container: Container,
    /// Where records lie; never the container of the backups.
    pub state_container: Container,
    /// The service that is backed up.
    pub primary: ServiceId,
    /// The services that are restored into, in this order. Not empty; no two names alike.
    pub secondaries: Vec<ServiceId>,
    /// The `api-version` of API Management requests.
    pub api_version: String,
    /// When a backup is due.
    pub schedule: Schedule,
    /// How API Management reaches the storage account.
    pub access: BackupAccess,
    /// The storage account's own id, to look its key up.
    pub storage_account_id: Option<StorageAccountId>,
    /// The Traffic Manager profile that is asked who serves.
    pub profile: Option<ProfileId>,
    /// Whether to ask at all.
    pub live_check: LiveCheck,
    /// Who the handler is towards Resource Manager.
    pub credential: Credential,
    /// Which Azure.
    pub cloud: Cloud,
    /// How old the last verified backup may become.
    pub rpo_target: Duration,
    /// How long manifests are kept.
    pub retention: Duration,
    /// How much of a service an inventory covers.
    pub inventory: Depth,
    /// Where alerts go, if anywhere.
    pub webhook: Option<Webhook>,
    /// What is called after each tick that did its work.
    pub heartbeat_url: Option<Secret>,
    /// Whether only to say what would be done.
    pub dry_run: bool,
    /// The authorities to trust instead of the system's.
    pub authorities: Option<Vec<CertificateDer<'static>>>,
}

/// How API Management reaches the storage account for a backup or a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupAccess {
    /// Each service by its system-assigned identity.
    SystemAssigned,
    /// Each service by the user-assigned identity with this client id.
    UserAssigned {
        /// The identity's client id.
        client_id: String,
    },
    /// With the account's key: the connection string's, else one that is looked up.
    AccessKey,
}

/// Whether somebody is asked who carries the traffic before a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveCheck {
    /// The Traffic Manager profile is asked; without one, automatic restores are deferred.
    On,
    /// Nobody is asked: the primary serves.
    Off,
}

/// Where alerts go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The address, which is a secret.
    pub url: Secret,
    /// What the address understands.
    pub format: AlertFormat,
}

/// The shape of an alert's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertFormat {
    /// A CloudEvents 1.0 event in structured JSON.
    CloudEvents,
    /// An adaptive card.
    Teams,
    /// A Slack message.
    Slack,
}

impl Config {
    /// Reads every setting through `lookup`, which gives a setting's raw value by its name.
    /// Fails with all that is wrong, not only the first.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        let mut reader = Reader::new(&lookup);
        let config = Self::read(&mut reader);
        reader.finish(config)
    }

    /// Whether any token comes from a managed identity.
    pub fn asks_managed_identity(&self) -> bool {
        let is_managed = |credential: &Credential| matches!(credential, Credential::ManagedIdentity { .. });
        let for_storage = match &self.storage.access {
            StorageAccess::Identity(credential) => is_managed(credential),
            StorageAccess::SharedKey(_) => false,
        };
        is_managed(&self.credential) || for_storage
    }

    /// What works as it is set, but most likely not as it was meant.
    pub fn doubts(&self) -> Vec<String> {
        let queues = "BackupStorage__queueServiceUri is not set: the Functions host disables RestoreOnBlob, and \
                      restores begin by the tick alone, 3 min after a backup; write ";
        let checks = [(!self.storage.host_finds_queues, format!("{queues}{}", setting::QUEUE_SERVICE.write))];
        checks.into_iter().filter(|(doubtful, _)| *doubtful).map(|(_, what)| what).collect()
    }

    /// Everything is read before the first `?`, so that nothing wrong goes unreported.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Reported> {
        let access = read_storage_access(reader);
        let containers = read_containers(reader);
        let services = read_services(reader);
        let routing = read_routing(reader);
        let cloud = Cloud::read(reader);
        let plan = read_plan(reader);
        let webhook = read_webhook(reader);
        let heartbeat_url = reader.optional(&setting::HEARTBEAT_URL, value::webhook);
        let api_version = reader.required(&setting::API_VERSION, value::api_version);
        let dry_run = read_switch(reader, &setting::DRY_RUN);
        let authorities = reader.optional(&setting::CERT_FILE, value::certificates);

        let (credential, storage, storage_account_id, access) = access?;
        let (backup_container, state_container) = containers?;
        let (primary, secondaries) = services?;
        let (profile, live_check) = routing?;
        let Plan { schedule, rpo_target, retention, inventory } = plan?;
        Ok(Self {
            storage,
            backup_container,
            state_container,
            primary,
            secondaries,
            api_version: api_version?,
            schedule,
            access,
            storage_account_id,
            profile,
            live_check,
            credential,
            cloud: cloud?,
            rpo_target,
            retention,
            inventory,
            webhook: webhook?,
            heartbeat_url: heartbeat_url?,
            dry_run: dry_run?,
            authorities: authorities?,
        })
    }
}

type StorageSettings = (Credential, Storage, Option<StorageAccountId>, BackupAccess);

/// Who asks, where the backups lie, and how API Management gets there: each has a say in the next.
fn read_storage_access(reader: &mut Reader<'_>) -> Result<StorageSettings, Reported> {
    let credential = Credential::read(reader);
    let id = reader.optional(&setting::STORAGE_ACCOUNT_ID, parse_id);
    let access = reader.required(&setting::ACCESS, parse_access);
    let known_id = id.as_ref().ok().and_then(Option::as_ref);
    let storage = Storage::read(reader, known_id, credential.as_ref().map_err(|reported| *reported))?;
    let (access, id) = (access?, id?);
    let has_key = matches!(storage.access, StorageAccess::SharedKey(_));
    if access == BackupAccess::AccessKey && !has_key && id.is_none() {
        let why = " although BACKUP_ACCESS is access-key and BackupStorage holds no key";
        return Err(reader.report_missing(&setting::STORAGE_ACCOUNT_ID, why));
    }
    Ok((credential?, storage, id, access))
}

fn parse_access(setting: &Setting, text: &str) -> Result<BackupAccess, String> {
    let client_id = text.split_once(':').filter(|(kind, _)| kind.eq_ignore_ascii_case("user-assigned"));
    if let Some((_, client_id)) = client_id.filter(|(_, client_id)| !client_id.trim().is_empty()) {
        let client_id = value::identifier(setting, client_id.trim())?;
        return Ok(BackupAccess::UserAssigned { client_id });
    }
    let is_key = value::word(setting, text, &[("system-assigned", false), ("access-key", true)])?;
    Ok(if is_key { BackupAccess::AccessKey } else { BackupAccess::SystemAssigned })
}

fn read_containers(reader: &mut Reader<'_>) -> Result<(Container, Container), Reported> {
    let backups = reader.required(&setting::BACKUP_CONTAINER, value::container);
    let state = reader.required(&setting::STATE_CONTAINER, value::container)?;
    let backups = backups?;
    if backups == state {
        let advice = setting::STATE_CONTAINER.write;
        let what = format!("is {state}, which is BACKUP_CONTAINER: write {advice}");
        return Err(reader.report(&setting::STATE_CONTAINER, &what));
    }
    Ok((backups, state))
}

fn read_services(reader: &mut Reader<'_>) -> Result<(ServiceId, Vec<ServiceId>), Reported> {
    let primary = reader.required(&setting::PRIMARY_ID, parse_id);
    let secondaries = reader.required(&setting::SECONDARY_IDS, parse_secondaries)?;
    let primary = primary?;
    match clash(&primary, &secondaries) {
        Some(what) => Err(reader.report(&setting::SECONDARY_IDS, &what)),
        None => Ok((primary, secondaries)),
    }
}

fn parse_id<T: std::str::FromStr<Err: std::fmt::Display>>(_: &Setting, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("is wrong: {error}"))
}

fn parse_secondaries(setting: &Setting, text: &str) -> Result<Vec<ServiceId>, String> {
    let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
    let ids: Vec<ServiceId> = ids.map(|id| parse_id(setting, id)).collect::<Result<_, String>>()?;
    if ids.is_empty() { Err(value::refuse(setting, text)) } else { Ok(ids) }
}

/// Records and backups are called by the service's name alone, which is unique in a cloud: two ids with
/// one name cannot both be right.
fn clash(primary: &ServiceId, secondaries: &[ServiceId]) -> Option<String> {
    for (index, secondary) in secondaries.iter().enumerate() {
        if secondary == primary {
            return Some(format!("holds the primary, {primary}: write only the services to restore into"));
        }
        let before = std::iter::once(primary).chain(&secondaries[..index]);
        let twin = before.into_iter().find(|other| other.name() == secondary.name());
        if let Some(twin) = twin {
            let twice = if twin == secondary { "twice" } else { "under two ids" };
            return Some(format!("names the service {} {twice}: write each service once", secondary.name()));
        }
    }
    None
}

fn read_routing(reader: &mut Reader<'_>) -> Result<(Option<ProfileId>, LiveCheck), Reported> {
    let profile = reader.optional(&setting::PROFILE_ID, parse_id);
    let live_check = read_switch(reader, &setting::LIVE_CHECK);
    Ok((profile?, if live_check? { LiveCheck::On } else { LiveCheck::Off }))
}

fn read_switch(reader: &mut Reader<'_>, setting: &Setting) -> Result<bool, Reported> {
    const WORDS: [(&str, bool); 6] =
        [("on", true), ("off", false), ("true", true), ("false", false), ("1", true), ("0", false)];
    reader.required(setting, |setting, text| value::word(setting, text, &WORDS))
}

/// When to back up, how old a backup may become, and what is kept and compared.
struct Plan {
    schedule: Schedule,
    rpo_target: Duration,
    retention: Duration,
    inventory: Depth,
}

fn read_plan(reader: &mut Reader<'_>) -> Result<Plan, Reported> {
    let schedule = reader.required(&setting::SCHEDULE, |_, text| {
        Schedule::parse(text).map_err(|why| format!("is wrong: {why}"))
    });
    let rpo_target = reader.required(&setting::RPO_TARGET, value::duration);
    let retention = reader.required(&setting::RETENTION_DAYS, parse_retention);
    let depths = [("deep", Depth::Deep), ("lists", Depth::Lists)];
    let inventory = reader.required(&setting::INVENTORY, |setting, text| value::word(setting, text, &depths));
    Ok(Plan { schedule: schedule?, rpo_target: rpo_target?, retention: retention?, inventory: inventory? })
}

fn parse_retention(setting: &Setting, text: &str) -> Result<Duration, String> {
    let days = text.parse().ok().filter(|days| (1..=29).contains(days));
    days.map(Duration::days).ok_or_else(|| value::refuse(setting, text))
}

fn read_webhook(reader: &mut Reader<'_>) -> Result<Option<Webhook>, Reported> {
    let url = reader.optional(&setting::WEBHOOK_URL, value::webhook);
    let formats = [
        ("cloudevents", AlertFormat::CloudEvents),
        ("teams", AlertFormat::Teams),
        ("slack", AlertFormat::Slack),
    ];
    let format =
        reader.required(&setting::ALERT_FORMAT, |setting, text| value::word(setting, text, &formats))?;
    Ok(url?.map(|url| Webhook { url, format }))
}
