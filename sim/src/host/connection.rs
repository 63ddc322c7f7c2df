//! A storage connection: a connection string, or an account's address and the app's identity.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use super::settings::Settings;
use crate::blobs::uri::encode_query;
use crate::storage::{Access, Account, StorageClient};

#[derive(Clone, Debug)]
pub(super) struct Connection {
    account: Account,
    identity: Option<Identity>,
    /// The authorities that the app trusts, as its own setting names them.
    authorities: Option<String>,
    /// Made when it is first needed, since it reads a file and takes its time.
    http: OnceLock<reqwest::Client>,
}

/// How the host gets a token for the app.
#[derive(Clone, Debug)]
struct Identity {
    endpoint: String,
    header: String,
    /// Empty for the system-assigned identity.
    client_id: String,
}

impl Connection {
    /// Looks a connection up as the host does: the exact name wins over the names that begin with it.
    ///
    /// # Errors
    /// Says which setting is missing or wrong; the function is then disabled.
    pub(super) fn find(name: &str, settings: &Settings) -> Result<Self, String> {
        let authorities = settings.get("SSL_CERT_FILE").map(str::to_owned);
        if let Some(text) = settings.get(name) {
            let account =
                Account::from_connection_string(text).map_err(|error| format!("{name}: {error}"))?;
            return Ok(Self { account, identity: None, authorities, http: OnceLock::new() });
        }
        let part = |part: &str| settings.get(&format!("{name}__{part}"));
        let missing =
            |part: &str| format!("Storage account connection string '{name}{part}' does not exist.");
        let uri = part("blobServiceUri").ok_or_else(|| missing(""))?;
        part("queueServiceUri").ok_or_else(|| missing("__queueServiceUri"))?;
        let needed =
            |name: &str| settings.get(name).map(str::to_owned).ok_or_else(|| format!("{name} is not set"));
        let identity = Identity {
            endpoint: needed("IDENTITY_ENDPOINT")?,
            header: needed("IDENTITY_HEADER")?,
            client_id: part("clientId").unwrap_or_default().to_owned(),
        };
        let endpoint = uri.trim_end_matches('/').to_owned();
        let account = Account { name: String::new(), key: String::new(), endpoint };
        Ok(Self { account, identity: Some(identity), authorities, http: OnceLock::new() })
    }

    /// The address of a blob, percent-encoded as the trigger's `Uri` is.
    pub(super) fn uri_of(&self, container: &str, blob: &str) -> String {
        format!("{}/{container}/{}", self.account.endpoint, crate::blobs::uri::encode_path(blob))
    }

    /// Opens the account. With an identity this asks for a token each time.
    ///
    /// # Errors
    /// When the authorities' file is unusable or the identity endpoint gives no token.
    pub(super) async fn open(&self, app_root: &Path) -> Result<StorageClient, String> {
        let http = self.client(app_root)?;
        let access = match &self.identity {
            Some(identity) => Access::Bearer(identity.token(&http).await?),
            None => Access::Key,
        };
        Ok(StorageClient::new(self.account.clone(), access, http))
    }

    fn client(&self, app_root: &Path) -> Result<reqwest::Client, String> {
        if let Some(http) = self.http.get() {
            return Ok(http.clone());
        }
        let mut builder = reqwest::Client::builder().no_proxy();
        if let Some(file) = &self.authorities {
            let unusable = |error: &dyn std::fmt::Display| format!("SSL_CERT_FILE {file}: {error}");
            let pem = std::fs::read(app_root.join(file)).map_err(|error| unusable(&error))?;
            let certificates =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| unusable(&error))?;
            builder = builder.tls_certs_only(certificates);
        }
        let http = builder.build().map_err(|error| format!("no HTTP client: {error}"))?;
        Ok(self.http.get_or_init(|| http).clone())
    }
}

impl Identity {
    async fn token(&self, http: &reqwest::Client) -> Result<String, String> {
        let resource = encode_query("https://storage.azure.com");
        let mut url = format!("{}?api-version=2019-08-01&resource={resource}", self.endpoint);
        if !self.client_id.is_empty() {
            url += &format!("&client_id={}", encode_query(&self.client_id));
        }
        let request = http.get(url).header("x-identity-header", &self.header);
        let failed = |error: &dyn std::fmt::Display| format!("no token for storage: {error}");
        let response = request.send().await.map_err(|error| failed(&error))?;
        let (status, text) = (response.status(), response.text().await.map_err(|error| failed(&error))?);
        let body: Value = serde_json::from_str(&text).map_err(|error| failed(&error))?;
        match body["access_token"].as_str() {
            Some(token) if status.is_success() => Ok(token.to_owned()),
            _ => Err(failed(&status)),
        }
    }
}
