//! Blob storage: the SDK's clients, with our transport, retry and credentials.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::policies::Policy;
use azure_core::http::{ClientOptions, RequestContent, Url};
use azure_core::time::parse_rfc7231;
use azure_storage_blob::models::{
    BlobClientDeleteOptions, BlobClientDownloadOptions, BlobClientGetPropertiesResultHeaders as _,
    BlobClientUploadOptions, BlobContainerClientListBlobsOptions, BlobItem, LeaseState, ListBlobsResponse,
};
use azure_storage_blob::{BlobClient, BlobContainerClient, BlobContainerClientOptions};
use bytes::Bytes;
use futures::TryStreamExt as _;

use super::arm::client_options;
use super::identity::{Bearer, Tokens};
use super::retry::Repeat;
use super::shared_key::SharedKey;
use super::transport::Bounded;
use super::trouble::StorageTrouble;
use crate::config::{Storage, StorageAccess};
use crate::domain::observation::BlobFacts;
use crate::domain::vocabulary::{Container, Etag, Timestamp};

mod parts;

/// The largest answer that is taken in: a page of a listing, or a record and its headers.
pub(super) const LARGEST_ANSWER: usize = 5 << 20;

/// Blobs in one page of a listing. Azure gives 5,000 at most; this many keep the page under 1 MB.
const PAGE: i32 = 1_000;

/// A listing by which blobs are deleted ends after so many pages: 20,000 blobs are five years of daily
/// backups. The oldest come first, and what a pass deletes makes room for the next.
const MOST_PAGES: usize = 20;

const DATE: HeaderName = HeaderName::from_static("date");

/// One storage account.
pub(super) struct Blobs {
    storage: Storage,
    options: ClientOptions,
    clients: Mutex<HashMap<Container, Arc<BlobContainerClient>>>,
}

/// Where a blob lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) container: &'a Container,
    pub(super) blob: &'a str,
}

/// A blob that was read.
pub(super) struct Read {
    pub(super) document: Option<(Vec<u8>, Etag)>,
    /// The storage service's own time when it answered.
    pub(super) date: Option<Timestamp>,
}

/// A blob as a listing shows it.
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) etag: Etag,
    /// By the storage service's clock, to the second.
    pub(super) last_modified: Timestamp,
}

/// What has to hold for a write.
#[derive(Clone, Copy, Debug)]
pub(super) enum Condition<'a> {
    /// There is no such blob.
    New,
    /// The blob is at this version.
    Unchanged(&'a Etag),
}

impl Blobs {
    /// A client for `storage`; `tokens` are used where it is reached with an identity.
    pub(super) fn new(
        storage: Storage,
        tokens: impl FnOnce(&StorageAccess) -> Option<Tokens>,
        transport: Bounded,
    ) -> Self {
        let mut policies: Vec<Arc<dyn Policy>> = Vec::new();
        if let StorageAccess::SharedKey(key) = &storage.access {
            policies.push(Arc::new(SharedKey::new(&storage.account, key.expose())));
        }
        if let Some(tokens) = tokens(&storage.access) {
            policies.push(Arc::new(Bearer(Arc::new(tokens))));
        }
        let options = client_options(transport, Repeat::Everything, policies);
        Self { storage, options, clients: Mutex::default() }
    }

    /// The account that is read and written.
    pub(super) fn storage(&self) -> &Storage {
        &self.storage
    }

    /// What is known of a blob; `None` if there is none.
    pub(super) async fn facts(&self, at: Place<'_>) -> Result<Option<BlobFacts>, StorageTrouble> {
        let found = async { facts(&self.blob(at)?.get_properties(None).await?) }.await;
        match found.map_err(|error| self.trouble(at, &error)) {
            Ok(facts) => Ok(Some(facts)),
            Err(trouble) if trouble.is_missing() => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Reads a blob of at most `largest` bytes.
    pub(super) async fn read(&self, at: Place<'_>, largest: usize) -> Result<Read, StorageTrouble> {
        match self.download(at, largest).await {
            Ok((bytes, ..)) if bytes.len() > largest => {
                Err(StorageTrouble::too_large(self.name(at), largest))
            }
            Ok((bytes, etag, headers)) => {
                Ok(Read { document: Some((bytes.to_vec(), etag)), date: date(&headers) })
            }
            Err(error) => match self.trouble(at, &error) {
                trouble if trouble.is_missing() && !trouble.is_no_container() => {
                    Ok(Read { document: None, date: answer_date(&error) })
                }
                trouble => Err(trouble),
            },
        }
    }

    /// One byte more than `largest` is asked for: if it comes, the blob is too large.
    async fn download(&self, at: Place<'_>, largest: usize) -> azure_core::Result<(Bytes, Etag, Headers)> {
        let most = largest + 1;
        let options = BlobClientDownloadOptions {
            range: Some((0..most as u64).into()),
            partition_size: NonZeroUsize::new(most),
            parallel: NonZeroUsize::new(1),
            ..BlobClientDownloadOptions::default()
        };
        let answer = self.blob(at)?.download(Some(options)).await?;
        answer.properties.blob_type.ok_or_else(|| unreadable(BLOB_TYPE))?;
        let etag = answer.properties.etag.ok_or_else(|| unreadable("ETag"))?;
        let etag = Etag::from(etag.to_string());
        Ok((answer.body.collect().await?, etag, answer.headers))
    }

    /// Writes a JSON document.
    pub(super) async fn write(
        &self,
        at: Place<'_>,
        bytes: &[u8],
        condition: Condition<'_>,
    ) -> Result<Etag, StorageTrouble> {
        self.upload(at, bytes, condition).await.map_err(|error| self.trouble(at, &error))
    }

    async fn upload(
        &self,
        at: Place<'_>,
        bytes: &[u8],
        condition: Condition<'_>,
    ) -> azure_core::Result<Etag> {
        let (if_match, if_none_match) = match condition {
            Condition::New => (None, Some("*".into())),
            Condition::Unchanged(etag) => (Some(etag.quoted().into()), None),
        };
        let options = BlobClientUploadOptions { if_match, if_none_match, ..typed("application/json") };
        let answer = self.blob(at)?.upload(RequestContent::from_slice(bytes), Some(options)).await?;
        answer.etag.map(|etag| Etag::from(etag.to_string())).ok_or_else(|| unreadable("ETag"))
    }

    /// Writes a document over whatever is there.
    pub(super) async fn overwrite(
        &self,
        at: Place<'_>,
        bytes: &[u8],
        content_type: &str,
    ) -> Result<(), StorageTrouble> {
        let upload = async {
            self.blob(at)?.upload(RequestContent::from_slice(bytes), Some(typed(content_type))).await
        };
        upload.await.map(|_| ()).map_err(|error| self.trouble(at, &error))
    }

    /// The names of all blobs that begin with `prefix`, in order.
    pub(super) async fn list(
        &self,
        container: &Container,
        prefix: &str,
    ) -> Result<Vec<String>, StorageTrouble> {
        let at = Place { container, blob: "" };
        self.pages(container, prefix).await.map_err(|error| self.trouble(at, &error))
    }

    async fn pages(&self, container: &Container, prefix: &str) -> azure_core::Result<Vec<String>> {
        let mut pages = self.container(container)?.list_blobs(Some(listing_of(prefix)))?.into_pages();
        let mut names = Vec::new();
        while let Some(page) = pages.try_next().await? {
            names.extend(items_of(container, page.into_model()?)?.into_iter().filter_map(|blob| blob.name));
        }
        Ok(names)
    }

    /// Hands every blob that begins with `prefix` to `keep`, in order; `false` if there are more than are
    /// listed at once.
    pub(super) async fn list_some(
        &self,
        container: &Container,
        prefix: &str,
        keep: impl FnMut(Listed),
    ) -> Result<bool, StorageTrouble> {
        let at = Place { container, blob: "" };
        self.some_pages(container, prefix, keep).await.map_err(|error| self.trouble(at, &error))
    }

    async fn some_pages(
        &self,
        container: &Container,
        prefix: &str,
        mut keep: impl FnMut(Listed),
    ) -> azure_core::Result<bool> {
        let mut pages = self.container(container)?.list_blobs(Some(listing_of(prefix)))?.into_pages();
        for _ in 0..MOST_PAGES {
            let Some(page) = pages.try_next().await? else { return Ok(true) };
            items_of(container, page.into_model()?)?.into_iter().filter_map(listed).for_each(&mut keep);
        }
        Ok(pages.try_next().await?.is_none())
    }

    /// Deletes a blob that is at this version.
    pub(super) async fn delete(&self, at: Place<'_>, etag: &Etag) -> Result<(), StorageTrouble> {
        let options = BlobClientDeleteOptions { if_match: Some(etag.quoted().into()), ..Default::default() };
        let deleted = async { self.blob(at)?.delete(Some(options)).await }.await;
        deleted.map(drop).map_err(|error| self.trouble(at, &error))
    }

    /// Makes a container, unless it is there.
    pub(super) async fn create(&self, container: &Container) -> Result<(), StorageTrouble> {
        let created = async { self.container(container)?.create(None).await }.await;
        let at = Place { container, blob: "" };
        match created.map_err(|error| self.trouble(at, &error)) {
            Err(trouble) if trouble.code != "ContainerAlreadyExists" => Err(trouble),
            _ => Ok(()),
        }
    }

    /// The client for a container, made when it is first asked for.
    fn container(&self, container: &Container) -> azure_core::Result<Arc<BlobContainerClient>> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(container) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(self.client(container)?);
        clients.insert(container.clone(), Arc::clone(&client));
        Ok(client)
    }

    fn client(&self, container: &Container) -> azure_core::Result<BlobContainerClient> {
        let mut url: Url = self.storage.blob_endpoint.clone();
        url.path_segments_mut()
            .map_err(|()| Error::with_message(ErrorKind::Other, "the blob endpoint takes no path"))?
            .pop_if_empty()
            .push(container.as_str());
        let options = BlobContainerClientOptions {
            client_options: self.options.clone(),
            ..BlobContainerClientOptions::default()
        };
        BlobContainerClient::new(url, None, Some(options))
    }

    fn blob(&self, at: Place<'_>) -> azure_core::Result<BlobClient> {
        Ok(self.container(at.container)?.blob_client(at.blob))
    }

    fn trouble(&self, at: Place<'_>, error: &Error) -> StorageTrouble {
        StorageTrouble::new(self.name(at), &self.storage.access, error)
    }

    fn name(&self, at: Place<'_>) -> String {
        let container = format!("container {} of storage account {}", at.container, self.storage.account);
        if at.blob.is_empty() { container } else { format!("blob {} in {container}", at.blob) }
    }
}

/// Storage says it of every blob, and nobody who answers in its place does.
const BLOB_TYPE: &str = "x-ms-blob-type";

fn listing_of(prefix: &str) -> BlobContainerClientListBlobsOptions<'static> {
    BlobContainerClientListBlobsOptions {
        prefix: Some(prefix.to_owned()),
        maxresults: Some(PAGE),
        ..BlobContainerClientListBlobsOptions::default()
    }
}

/// What a list holds. Any page of somebody in between parses as a list that holds nothing: only one that names the container
/// is storage's.
fn items_of(container: &Container, list: ListBlobsResponse) -> azure_core::Result<Vec<BlobItem>> {
    match list.container_name.as_deref() == Some(container.as_str()) {
        true => Ok(list.blob_items),
        false => Err(Error::with_message(
            ErrorKind::DataConversion,
            "the answer is no list of this container: something between may have answered in its place",
        )),
    }
}

/// A blob without an ETag or a time could not be deleted with care, and is left out.
fn listed(blob: BlobItem) -> Option<Listed> {
    let properties = blob.properties?;
    let etag = Etag::from(properties.etag?.to_string());
    Some(Listed { name: blob.name?, etag, last_modified: Timestamp::new(properties.last_modified?) })
}

fn facts(
    answer: &azure_core::http::Response<
        azure_storage_blob::models::BlobClientGetPropertiesResult,
        azure_core::http::NoFormat,
    >,
) -> azure_core::Result<BlobFacts> {
    answer.blob_type()?.ok_or_else(|| unreadable(BLOB_TYPE))?;
    let etag = answer.etag()?.ok_or_else(|| unreadable("ETag"))?;
    let last_modified = answer.last_modified()?.ok_or_else(|| unreadable("Last-Modified"))?;
    Ok(BlobFacts {
        length: answer.content_length()?.ok_or_else(|| unreadable("Content-Length"))?,
        etag: Etag::from(etag.to_string()),
        last_modified: Timestamp::new(last_modified),
        leased: matches!(answer.lease_state()?, Some(LeaseState::Leased | LeaseState::Breaking)),
    })
}

fn typed(content_type: &str) -> BlobClientUploadOptions<'static> {
    BlobClientUploadOptions {
        blob_content_type: Some(content_type.to_owned()),
        // Documents go in one piece: without this the SDK asks the system for its processors at every write.
        parallel: NonZeroUsize::new(1),
        ..BlobClientUploadOptions::default()
    }
}

fn unreadable(header: &str) -> Error {
    Error::with_message(ErrorKind::DataConversion, format!("the answer has no {header}"))
}

fn date(headers: &Headers) -> Option<Timestamp> {
    parse_rfc7231(headers.get_optional_str(&DATE)?).ok().map(Timestamp::new)
}

fn answer_date(error: &Error) -> Option<Timestamp> {
    match error.kind() {
        ErrorKind::HttpResponse { raw_response: Some(answer), .. } => date(answer.headers()),
        _ => None,
    }
}
