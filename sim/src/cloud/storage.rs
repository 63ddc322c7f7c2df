//! How a service reaches the storage account of its backups.

use super::service::SUBSCRIPTION;
use crate::storage::{self, Account, StorageClient, StorageError};
use crate::tokens::{Directory, Principal, STORAGE_AUDIENCE};

/// How a service proves itself to the storage account.
#[derive(Clone)]
pub(crate) enum Access {
    /// By the account's key, as the caller passed it.
    Key(String),
    /// By an identity of the service.
    Identity(Principal),
}

/// Shows the kind and no key.
impl std::fmt::Debug for Access {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(_) => out.write_str("Key"),
            Self::Identity(principal) => write!(out, "Identity({})", principal.object_id),
        }
    }
}

/// How a storage account is set up, as far as it matters to backups.
#[derive(Clone, Debug)]
pub struct StorageSettings {
    /// The region.
    pub location: String,
    /// Who may call blobs from a browser. A rule with the method PATCH makes backups by key fail.
    pub cors: Vec<CorsRule>,
    /// Whether blobs keep their old versions.
    pub versioning: bool,
    /// For how many days deleted blobs can be brought back.
    pub soft_delete_days: Option<u32>,
    /// Whether the account's keys open it.
    pub shared_key: bool,
    /// Whether blobs may be public.
    pub public_blobs: bool,
    /// What happens to callers that no rule of the firewall names: `Allow` or `Deny`.
    pub default_action: String,
    /// `Enabled` or `Disabled`.
    pub public_network_access: String,
}

impl Default for StorageSettings {
    fn default() -> Self {
        Self {
            location: "northeurope".to_owned(),
            cors: Vec::new(),
            versioning: true,
            soft_delete_days: Some(7),
            shared_key: true,
            public_blobs: false,
            default_action: "Allow".to_owned(),
            public_network_access: "Enabled".to_owned(),
        }
    }
}

/// One rule for browsers.
#[derive(Clone, Debug)]
pub struct CorsRule {
    /// From which pages.
    pub origins: Vec<String>,
    /// By which methods.
    pub methods: Vec<String>,
}

/// A storage account of the simulated subscription.
#[derive(Clone)]
pub struct StorageAccount {
    account: Account,
    reach: Reach,
    resource_group: String,
    /// Object ids of identities that lack a role on the account.
    denied: Vec<String>,
    settings: StorageSettings,
}

/// How an account is reached.
#[derive(Clone)]
enum Reach {
    Http(reqwest::Client),
    Router(axum::Router),
}

impl StorageAccount {
    /// The account, reached with `http` (which decides what authorities are trusted). Every identity of a
    /// service has the role that it needs, until [`Cloud::deny_storage`](super::Cloud::deny_storage).
    pub fn new(account: Account, http: reqwest::Client) -> Self {
        Self::reached(account, Reach::Http(http))
    }

    /// The account, served by `router` in the same process: no sockets, so that it works under paused time.
    pub fn in_process(account: Account, router: axum::Router) -> Self {
        Self::reached(account, Reach::Router(router))
    }

    fn reached(account: Account, reach: Reach) -> Self {
        let (resource_group, settings) = ("contoso-storage".to_owned(), StorageSettings::default());
        Self { account, reach, resource_group, denied: Vec::new(), settings }
    }

    /// The account's resource id, under which its keys are listed.
    pub fn id(&self) -> String {
        format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/{}/providers/Microsoft.Storage/storageAccounts/{}",
            self.resource_group, self.account.name
        )
    }

    /// The account's name.
    pub fn name(&self) -> &str {
        &self.account.name
    }

    pub(crate) fn resource_group(&self) -> &str {
        &self.resource_group
    }

    pub(crate) fn settings(&self) -> &StorageSettings {
        &self.settings
    }

    pub(crate) fn settings_mut(&mut self) -> &mut StorageSettings {
        &mut self.settings
    }

    pub(crate) fn blob_endpoint(&self) -> &str {
        &self.account.endpoint
    }

    pub(crate) fn key(&self) -> &str {
        &self.account.key
    }

    pub(crate) fn deny(&mut self, object_id: &str) {
        self.denied.push(object_id.to_owned());
    }

    pub(crate) fn allow(&mut self, object_id: &str) {
        self.denied.retain(|denied| denied != object_id);
    }

    /// A client that has what `access` gives it; `None` if that is no role at all.
    ///
    /// Storage takes a token over TLS only. Where it is served without, the simulated service checks the role
    /// by itself and signs with the account's key.
    pub(crate) fn client(&self, access: &Access, directory: &Directory) -> Option<StorageClient> {
        let (account, access) = match access {
            Access::Key(key) => (Account { key: key.clone(), ..self.account.clone() }, storage::Access::Key),
            Access::Identity(who) if self.denied.contains(&who.object_id) => return None,
            Access::Identity(who) if self.account.endpoint.starts_with("https:") => {
                let token = directory.token(who, STORAGE_AUDIENCE);
                (self.account.clone(), storage::Access::Bearer(token))
            }
            Access::Identity(_) => (self.account.clone(), storage::Access::Key),
        };
        Some(match &self.reach {
            Reach::Http(http) => StorageClient::new(account, access, http.clone()),
            Reach::Router(router) => StorageClient::in_process(account, access, router.clone()),
        })
    }
}

/// Writes `bytes` as a block blob, and first the container if that is missing, as a backup does.
pub(crate) async fn write(
    client: &StorageClient,
    (container, blob): (&str, &str),
    bytes: Vec<u8>,
) -> Result<(), StorageError> {
    match client.put(container, blob, bytes.clone(), &[]).await {
        Err(error) if error.code() == "ContainerNotFound" => {
            client.create_container(container).await?;
            client.put(container, blob, bytes, &[]).await.map(drop)
        }
        answer => answer.map(drop),
    }
}
