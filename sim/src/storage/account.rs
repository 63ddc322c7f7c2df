//! A storage account, and the connection strings that name one.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::{Result, StorageError};

/// The name of the one account that a storage emulator has.
pub const EMULATOR_ACCOUNT: &str = "devstoreaccount1";

/// The key of that account. It is public and the same everywhere.
pub const EMULATOR_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A storage account and where its blobs are.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// For example `devstoreaccount1`.
    pub name: String,
    /// Base64.
    pub key: String,
    /// The blob endpoint without a slash at its end: `http://127.0.0.1:10000/devstoreaccount1`.
    pub endpoint: String,
}

impl Account {
    /// The emulator's account on a port of this machine.
    pub fn emulator(port: u16) -> Self {
        Self::emulator_at(&format!("http://127.0.0.1:{port}/{EMULATOR_ACCOUNT}"))
    }

    /// The emulator's account behind another endpoint, over TLS for example.
    pub fn emulator_at(endpoint: &str) -> Self {
        Self {
            name: EMULATOR_ACCOUNT.to_owned(),
            key: EMULATOR_KEY.to_owned(),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
        }
    }

    /// Reads a connection string: `UseDevelopmentStorage=true`, or `AccountName` and `AccountKey` with
    /// either `BlobEndpoint` or `DefaultEndpointsProtocol` and `EndpointSuffix`.
    ///
    /// # Errors
    /// [`StorageError::ConnectionString`] says which part is missing or wrong, and never repeats the key.
    pub fn from_connection_string(text: &str) -> Result<Self> {
        let parts = parts(text)?;
        if parts.get("usedevelopmentstorage").is_some_and(|on| on.eq_ignore_ascii_case("true")) {
            return Ok(Self::emulator(10000));
        }
        let part = |name: &str| {
            parts.get(&name.to_lowercase()).cloned().ok_or_else(|| unusable(&format!("no {name}")))
        };
        let (name, key) = (part("AccountName")?, part("AccountKey")?);
        if BASE64.decode(&key).is_err() {
            return Err(unusable("AccountKey is not base64"));
        }
        let endpoint = part("BlobEndpoint").or_else(|_| {
            let protocol = part("DefaultEndpointsProtocol").unwrap_or_else(|_| "https".to_owned());
            let suffix = part("EndpointSuffix").unwrap_or_else(|_| "core.windows.net".to_owned());
            Ok(format!("{protocol}://{name}.blob.{suffix}"))
        })?;
        Ok(Self { name, key, endpoint: endpoint.trim_end_matches('/').to_owned() })
    }

    /// A connection string that names this account and its endpoint.
    pub fn connection_string(&self) -> String {
        // The short form names the emulator's queues as well, which a Functions host needs.
        if *self == Self::emulator(10000) {
            return "UseDevelopmentStorage=true".to_owned();
        }
        let protocol = self.endpoint.split(':').next().unwrap_or("https");
        format!(
            "DefaultEndpointsProtocol={protocol};AccountName={};AccountKey={};BlobEndpoint={}",
            self.name, self.key, self.endpoint
        )
    }
}

/// Shows the account without its key.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("name", &self.name).field("endpoint", &self.endpoint).finish()
    }
}

fn parts(text: &str) -> Result<BTreeMap<String, String>> {
    let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| match part.split_once('=') {
            Some((name, value)) => Ok((name.trim().to_lowercase(), value.trim().to_owned())),
            None => Err(unusable("a part without `=`")),
        })
        .collect()
}

fn unusable(why: &str) -> StorageError {
    StorageError::ConnectionString(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_development_string_is_the_emulator() {
        let account = Account::from_connection_string("UseDevelopmentStorage=true").unwrap();
        assert_eq!(account, Account::emulator(10000));
        assert_eq!(account.endpoint, "http://127.0.0.1:10000/devstoreaccount1");
    }

    #[test]
    fn an_account_survives_its_connection_string() {
        let account = Account::emulator(10123);
        assert_eq!(Account::from_connection_string(&account.connection_string()).unwrap(), account);
    }

    #[test]
    fn a_suffix_makes_the_endpoint() {
        let text = "DefaultEndpointsProtocol=https;AccountName=drbackups;AccountKey=AAAA;EndpointSuffix=core.usgovcloudapi.net";
        let account = Account::from_connection_string(text).unwrap();
        assert_eq!(account.endpoint, "https://drbackups.blob.core.usgovcloudapi.net");
    }

    #[test]
    fn a_missing_part_is_named_and_a_key_is_not_shown() {
        let missing = Account::from_connection_string("AccountName=drbackups").unwrap_err();
        assert_eq!(missing.to_string(), "unusable storage connection string: no AccountKey");
        let wrong = Account::from_connection_string("AccountName=a;AccountKey=s3cret!").unwrap_err();
        assert!(!wrong.to_string().contains("s3cret"), "{wrong}");
        assert!(!format!("{:?}", Account::emulator(1)).contains(EMULATOR_KEY));
    }
}
