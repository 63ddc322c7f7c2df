//! A small client for blob storage, Azure's, Azurite's or the embedded one: what the simulated services,
//! the host stand-in and the tests need to read and write blobs. It signs by itself.

mod account;
pub(crate) mod call;
mod listing;

use std::collections::BTreeMap;
use std::fmt;

use axum::http::{HeaderMap, Method, StatusCode};
use time::OffsetDateTime;

pub use account::{Account, EMULATOR_ACCOUNT, EMULATOR_KEY};
pub use call::{Answer, Call};
pub use listing::Listed;

/// How a client proves who it is.
#[derive(Clone)]
pub enum Access {
    /// By the account's key: every request is signed.
    Key,
    /// By this token. Azurite and Azure accept one over TLS only.
    Bearer(String),
}

/// The version of a blob, without the quotes that it has in headers and lacks in lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ETag(String);

impl ETag {
    /// Takes an ETag from a header or a list.
    pub fn new(text: &str) -> Self {
        Self(text.trim_matches('"').to_owned())
    }

    /// The ETag without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Writes the ETag as headers have it, in quotes.
impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// What storage tells of a blob beside its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Properties {
    /// Changes with every write, of metadata too.
    pub etag: ETag,
    /// Bytes.
    pub length: u64,
    /// To the second, as headers have it.
    pub last_modified: OffsetDateTime,
    /// `application/octet-stream` unless the writer said something else.
    pub content_type: String,
    /// Base64, when storage knows it.
    pub content_md5: Option<String>,
    /// Whether somebody holds a lease.
    pub leased: bool,
    /// Names in lower case.
    pub metadata: BTreeMap<String, String>,
}

/// Why a call did not do what it was made for.
#[derive(Debug)]
pub enum StorageError {
    /// The connection string can not be used; the text says why.
    ConnectionString(String),
    /// No answer: refused, reset, timed out.
    Transport(Box<dyn std::error::Error + Send + Sync>),
    /// An answer that is not success.
    Refused {
        /// For example 409.
        status: StatusCode,
        /// Storage's word for it, for example `BlobAlreadyExists`; empty when it gave none.
        code: String,
    },
    /// Success, but the answer lacks what it must have; the text names it.
    Unreadable(String),
}

impl StorageError {
    /// Storage's code, if it refused the call with one.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            _ => "",
        }
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConnectionString(why) => write!(f, "unusable storage connection string: {why}"),
            Self::Transport(error) => write!(f, "no answer from storage: {error}"),
            Self::Refused { status, code } => write!(f, "storage answered {status} {code}"),
            Self::Unreadable(what) => write!(f, "unreadable answer from storage: {what}"),
        }
    }
}

impl std::error::Error for StorageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Transport(error) => Some(error.as_ref()),
            _ => None,
        }
    }
}

/// What a call yields.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

/// Reads and writes blobs of one account. Clones share the connections.
#[derive(Clone)]
pub struct StorageClient {
    account: Account,
    access: Access,
    transport: Transport,
}

/// What carries a client's calls.
#[derive(Clone)]
enum Transport {
    /// Sockets.
    Http(reqwest::Client),
    /// A server in the same process: no socket, no time of its own.
    Router(axum::Router),
}

impl StorageClient {
    /// A client for `account`; `http` decides what authorities are trusted and how long to wait.
    pub fn new(account: Account, access: Access, http: reqwest::Client) -> Self {
        Self { account, access, transport: Transport::Http(http) }
    }

    /// A client for `account`, served by `router` in the same process. It works under paused time.
    pub fn in_process(account: Account, access: Access, router: axum::Router) -> Self {
        Self { account, access, transport: Transport::Router(router) }
    }

    /// The account that this client reads and writes.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Creates a container. False: it was there already.
    pub async fn create_container(&self, container: &str) -> Result<bool> {
        let answer = self.send(Call::new(Method::PUT, container).query("restype", "container")).await?;
        match answer.refused() {
            Some(error) if error.code() == "ContainerAlreadyExists" => Ok(false),
            Some(error) => Err(error),
            None => Ok(true),
        }
    }

    /// Writes a block blob, whatever was there before, and yields its new version.
    pub async fn put(
        &self,
        container: &str,
        blob: &str,
        content: Vec<u8>,
        metadata: &[(&str, &str)],
    ) -> Result<ETag> {
        self.write(put_call(container, blob, content).metadata(metadata)).await
    }

    /// Writes a block blob that must not exist yet, else fails with 409 `BlobAlreadyExists`.
    pub async fn put_if_none_match(&self, container: &str, blob: &str, content: Vec<u8>) -> Result<ETag> {
        self.write(put_call(container, blob, content).header("if-none-match", "*")).await
    }

    /// Writes a block blob that must be at this version, else fails with 412 `ConditionNotMet`.
    pub async fn put_if_match(
        &self,
        container: &str,
        blob: &str,
        content: Vec<u8>,
        etag: &ETag,
    ) -> Result<ETag> {
        self.write(put_call(container, blob, content).header("if-match", &etag.to_string())).await
    }

    /// Replaces a blob's metadata. This too makes a new version.
    pub async fn set_metadata(&self, container: &str, blob: &str, metadata: &[(&str, &str)]) -> Result<ETag> {
        let call = Call::new(Method::PUT, &format!("{container}/{blob}"));
        self.write(call.query("comp", "metadata").metadata(metadata)).await
    }

    /// A blob's content, or `None` when there is no such blob or container.
    pub async fn get(&self, container: &str, blob: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.download(container, blob).await?.map(|(_, content)| content))
    }

    /// A blob's properties and content in one call, or `None`.
    pub async fn download(&self, container: &str, blob: &str) -> Result<Option<(Properties, Vec<u8>)>> {
        let answer = self.read(Method::GET, container, blob).await?;
        answer.map(|answer| Ok((properties(&answer.headers)?, answer.body))).transpose()
    }

    /// A blob's properties, or `None`.
    pub async fn head(&self, container: &str, blob: &str) -> Result<Option<Properties>> {
        let answer = self.read(Method::HEAD, container, blob).await?;
        answer.map(|answer| properties(&answer.headers)).transpose()
    }

    /// Every blob whose name begins with `prefix`, all pages, by name.
    pub async fn list(&self, container: &str, prefix: &str) -> Result<Vec<Listed>> {
        let mut found = Vec::new();
        let mut marker = String::new();
        loop {
            let call = Call::new(Method::GET, container).query("restype", "container").query("comp", "list");
            let answer = self.send(call.query("prefix", prefix).query("marker", &marker)).await?;
            let page = listing::parse(&answer.into_success()?.body)?;
            found.extend(page.blobs);
            if page.next_marker.is_empty() {
                return Ok(found);
            }
            marker = page.next_marker;
        }
    }

    /// Deletes a blob. False: there was none.
    pub async fn delete(&self, container: &str, blob: &str) -> Result<bool> {
        Ok(self.read(Method::DELETE, container, blob).await?.is_some())
    }

    /// Takes an endless lease on a blob under the id (a GUID) that the caller chose.
    pub async fn acquire_lease(&self, container: &str, blob: &str, id: &str) -> Result<()> {
        let call = Call::new(Method::PUT, &format!("{container}/{blob}")).query("comp", "lease");
        let call = call.header("x-ms-lease-action", "acquire").header("x-ms-lease-duration", "-1");
        self.send(call.header("x-ms-proposed-lease-id", id)).await?.into_success().map(drop)
    }

    /// Gives a lease back.
    pub async fn release_lease(&self, container: &str, blob: &str, id: &str) -> Result<()> {
        let call = Call::new(Method::PUT, &format!("{container}/{blob}")).query("comp", "lease");
        let call = call.header("x-ms-lease-action", "release").header("x-ms-lease-id", id);
        self.send(call).await?.into_success().map(drop)
    }

    /// Makes one authorised call and yields the answer, whatever its status.
    pub async fn send(&self, call: Call) -> Result<Answer> {
        call::send(self, call).await
    }

    async fn write(&self, call: Call) -> Result<ETag> {
        let answer = self.send(call).await?.into_success()?;
        etag(&answer.headers)
    }

    /// A call on a blob for which "not there" is an answer.
    async fn read(&self, method: Method, container: &str, blob: &str) -> Result<Option<Answer>> {
        let answer = self.send(Call::new(method, &format!("{container}/{blob}"))).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            _ => answer.into_success().map(Some),
        }
    }
}

fn put_call(container: &str, blob: &str, content: Vec<u8>) -> Call {
    let call = Call::new(Method::PUT, &format!("{container}/{blob}")).header("x-ms-blob-type", "BlockBlob");
    call.header("content-type", "application/octet-stream").body(content)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn etag(headers: &HeaderMap) -> Result<ETag> {
    text(headers, "etag").map(ETag::new).ok_or_else(|| StorageError::Unreadable("no ETag".to_owned()))
}

fn properties(headers: &HeaderMap) -> Result<Properties> {
    let length = text(headers, "content-length").and_then(|length| length.parse().ok());
    let missing = |what: &str| StorageError::Unreadable(format!("no {what}"));
    let metadata = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("x-ms-meta-")?;
        Some((name.to_owned(), value.to_str().ok()?.to_owned()))
    });
    Ok(Properties {
        etag: etag(headers)?,
        length: length.ok_or_else(|| missing("Content-Length"))?,
        last_modified: text(headers, "last-modified")
            .and_then(call::parse_http_date)
            .ok_or_else(|| missing("Last-Modified"))?,
        content_type: text(headers, "content-type").unwrap_or_default().to_owned(),
        content_md5: text(headers, "content-md5").map(str::to_owned),
        leased: text(headers, "x-ms-lease-state") == Some("leased"),
        metadata: metadata.collect(),
    })
}
