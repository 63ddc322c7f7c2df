//! The storage account: the one that the blob trigger watches and that the handler keeps everything in.
//!
//! The Functions host reads these settings too, by its own rule: the exact name `BackupStorage` holds a
//! connection string and beats the names that begin with `BackupStorage__`, which ask for an identity.

use std::collections::BTreeMap;

use reqwest::Url;

use super::credential::Credential;
use super::secret::Secret;
use super::setting::{
    BLOB_SERVICE, QUEUE_SERVICE, Reader, Reported, STORAGE, STORAGE_ACCOUNT_ID, STORAGE_CLIENT_ID,
    STORAGE_CREDENTIAL, Setting,
};
use super::value;
use crate::domain::id::StorageAccountId;

/// A storage account and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The account's name, as API Management has to be told it.
    pub account: String,
    /// The blob endpoint. Its path is `/`, or `/{account}` where the host does not name the account.
    pub blob_endpoint: Url,
    /// How requests prove who sends them.
    pub access: StorageAccess,
    /// The Functions host can find the account's queues, which its blob trigger works with.
    pub host_finds_queues: bool,
}

/// How storage requests prove who sends them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageAccess {
    /// Each is signed with the account's key, in Base64.
    SharedKey(Secret),
    /// Each carries a token.
    Identity(Credential),
}

impl Storage {
    /// Reads the account. `id` is `BACKUP_STORAGE_ACCOUNT_ID`, `ambient` what `AZURE_CREDENTIAL` says.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        id: Option<&StorageAccountId>,
        ambient: Result<&Credential, Reported>,
    ) -> Result<Self, Reported> {
        match reader.optional(&STORAGE, parse_connection_string)? {
            Some(storage) => storage.checked_against(id, reader),
            None => Self::read_identity(reader, id, ambient),
        }
    }

    fn read_identity(
        reader: &mut Reader<'_>,
        id: Option<&StorageAccountId>,
        ambient: Result<&Credential, Reported>,
    ) -> Result<Self, Reported> {
        let Some(blob_endpoint) = reader.optional(&BLOB_SERVICE, https_service)? else {
            return Err(reader.report_missing(&STORAGE, ""));
        };
        let queue = reader.optional(&QUEUE_SERVICE, https_service);
        let credential = read_credential(reader, ambient);
        let named = account_of(&blob_endpoint).or_else(|| id.map(|id| id.resource_name().to_owned()));
        let Some(account) = named else {
            let why = " although BackupStorage__blobServiceUri does not tell the account's name";
            return Err(reader.report_missing(&STORAGE_ACCOUNT_ID, why));
        };
        let host_finds_queues = queue?.is_some();
        let access = StorageAccess::Identity(credential?);
        Self { account, blob_endpoint, access, host_finds_queues }.checked_against(id, reader)
    }

    /// Two settings that name two accounts would back up into one and look into the other.
    fn checked_against(
        self,
        id: Option<&StorageAccountId>,
        reader: &mut Reader<'_>,
    ) -> Result<Self, Reported> {
        match id {
            Some(id) if id.resource_name() != self.account => Err(reader.report(
                &STORAGE_ACCOUNT_ID,
                &format!(
                    "names the account {}, but BackupStorage is {}: write the id of {1}, or leave it out",
                    id.resource_name(),
                    self.account
                ),
            )),
            _ => Ok(self),
        }
    }
}

/// `__credential` and `__clientId` if they are set, else what `AZURE_CREDENTIAL` says.
fn read_credential(
    reader: &mut Reader<'_>,
    ambient: Result<&Credential, Reported>,
) -> Result<Credential, Reported> {
    let kind = reader.optional(&STORAGE_CREDENTIAL, |setting, text| {
        value::word(setting, text, &[("managedidentity", ())])
    });
    let client_id = reader.optional(&STORAGE_CLIENT_ID, value::identifier);
    match (kind?, client_id?) {
        (None, None) => ambient.cloned(),
        (_, client_id) => Credential::managed_identity(reader, client_id),
    }
}

fn https_service(setting: &Setting, text: &str) -> Result<Url, String> {
    value::plain_url(text)
        .filter(|url| url.scheme() == "https")
        .ok_or_else(|| format!("is not an https address without a query: write {}", setting.write))
}

/// The account that a blob endpoint belongs to: its host's first label in Azure
/// (`{account}.blob.core.windows.net`, or `{account}.z01.blob.storage.azure.net`), else its path.
fn account_of(endpoint: &Url) -> Option<String> {
    let path = endpoint.path().trim_matches('/');
    if !path.is_empty() {
        return (!path.contains('/')).then(|| path.to_owned());
    }
    let labels: Vec<&str> = endpoint.host_str()?.split('.').collect();
    match labels[..] {
        [account, "blob", ..] | [account, _, "blob", ..] => Some(account.to_owned()),
        _ => None,
    }
}

/// The storage emulator's account and key. Both are the same everywhere and no secret.
const EMULATOR_ACCOUNT: &str = "devstoreaccount1";
const EMULATOR_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const EMULATOR_BLOB_PORT: u16 = 10_000;

/// Reads a connection string. Errors never repeat any of it: it holds the key.
fn parse_connection_string(setting: &Setting, text: &str) -> Result<Storage, String> {
    let parts = split_connection_string(setting, text)?;
    let part = |name: &str| parts.get(name).copied().filter(|value| !value.is_empty());
    if let Some(switch) = part("usedevelopmentstorage") {
        return emulator(setting, switch, part("developmentstorageproxyuri"));
    }
    let key = match (part("accountkey"), part("sharedaccesssignature")) {
        (Some(key), _) => key,
        (None, Some(_)) => {
            return Err(
                "is a connection string with a shared access signature, which expires and cannot be \
                        handed to API Management: write one with an AccountKey, or set \
                        BackupStorage__blobServiceUri to use an identity"
                    .to_owned(),
            );
        }
        (None, None) => return Err(format!("has no AccountKey: write {}", setting.write)),
    };
    if azure_core::base64::decode(key).is_err() {
        return Err(
            "has an AccountKey that is not Base64: copy the connection string again, whole".to_owned()
        );
    }
    let account =
        part("accountname").ok_or_else(|| format!("has no AccountName: write {}", setting.write))?;
    let blob_endpoint = match part("blobendpoint") {
        Some(endpoint) => value::plain_url(endpoint),
        None => {
            let protocol = part("defaultendpointsprotocol").unwrap_or("https");
            let suffix = part("endpointsuffix").unwrap_or("core.windows.net");
            value::plain_url(&format!("{protocol}://{account}.blob.{suffix}"))
        }
    };
    let blob_endpoint =
        blob_endpoint.ok_or("has no usable blob endpoint: copy the connection string again")?;
    Ok(Storage {
        account: account.to_owned(),
        blob_endpoint,
        access: StorageAccess::SharedKey(Secret::new(key)),
        host_finds_queues: true,
    })
}

/// The parts by their names in lower case.
fn split_connection_string<'a>(
    setting: &Setting,
    text: &'a str,
) -> Result<BTreeMap<String, &'a str>, String> {
    let mut parts = BTreeMap::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').ok_or_else(|| {
            format!("is not a connection string (name=value;name=value): write {}", setting.write)
        })?;
        if parts.insert(name.trim().to_ascii_lowercase(), value.trim()).is_some() {
            return Err("is a connection string that says something twice: copy it again, whole".to_owned());
        }
    }
    Ok(parts)
}

/// The emulator on this machine, or on the proxy's host: of the proxy's address, scheme and host count.
fn emulator(setting: &Setting, switch: &str, proxy: Option<&str>) -> Result<Storage, String> {
    if !switch.eq_ignore_ascii_case("true") {
        return Err(format!("has a UseDevelopmentStorage that is not true: write {}", setting.write));
    }
    let endpoint = || {
        let mut url = value::plain_url(proxy.unwrap_or("http://127.0.0.1"))?;
        url.set_port(Some(EMULATOR_BLOB_PORT)).ok()?;
        url.set_path(EMULATOR_ACCOUNT);
        Some(url)
    };
    Ok(Storage {
        account: EMULATOR_ACCOUNT.to_owned(),
        blob_endpoint: endpoint()
            .ok_or("has a DevelopmentStorageProxyUri that is no http address: write http://{host}")?,
        access: StorageAccess::SharedKey(Secret::new(EMULATOR_KEY)),
        host_finds_queues: true,
    })
}
