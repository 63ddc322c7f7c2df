//! Operations that make, change and delete blobs.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest as _, Md5};
use serde::Deserialize;
use time::OffsetDateTime;

use super::reply::{Outcome, Refusal, Reply};
use super::request::Request;
use super::store::{Blob, Store};
use super::{conditions, leases};

pub(super) fn put(store: &mut Store, request: &Request, now: OffsetDateTime) -> Outcome {
    let md5 = BASE64.encode(Md5::digest(&request.body));
    let given = request.header("content-md5");
    if !given.is_empty() && given != md5 {
        return Err(Refusal::bad_request("Md5Mismatch", "The MD5 value specified did not match."));
    }
    let content = Content { bytes: request.body.clone(), md5: Some(md5.clone()), blocks: Vec::new() };
    Ok(write(store, request, now, content)?.header("content-md5", md5))
}

pub(super) fn put_block(store: &mut Store, request: &Request, now: OffsetDateTime) -> Outcome {
    let id = request.parameter("blockid").to_owned();
    if BASE64.decode(&id).map_or(true, |id| id.is_empty() || id.len() > 64) {
        return Err(Refusal::bad_request(
            "InvalidQueryParameterValue",
            "The block id must be base64 of at most 64 bytes.",
        ));
    }
    let container = store.container(&request.container)?;
    if let Some(blob) = container.blobs.get(&request.blob) {
        leases::allow_write(&blob.lease, request, now)?;
    }
    let staged = container.staged.entry(request.blob.clone()).or_default();
    if staged.keys().next().is_some_and(|other| other.len() != id.len()) {
        return Err(Refusal::bad_request(
            "InvalidBlobOrBlock",
            "All block ids of a blob must be equally long.",
        ));
    }
    staged.insert(id, request.body.clone());
    Ok(Reply::new(StatusCode::CREATED))
}

pub(super) fn put_block_list(store: &mut Store, request: &Request, now: OffsetDateTime) -> Outcome {
    let container = store.container(&request.container)?;
    let no_blocks = BTreeMap::new();
    let staged = container.staged.get(&request.blob).unwrap_or(&no_blocks);
    let committed = container.blobs.get(&request.blob).map_or(&[][..], |blob| &blob.blocks);
    let mut blocks = Vec::new();
    for reference in read_block_list(&request.body)? {
        let (id, bytes) = reference.find(staged, committed).ok_or_else(|| {
            Refusal::bad_request("InvalidBlockList", "The specified block list is invalid.")
        })?;
        blocks.push((id, bytes));
    }
    let bytes = blocks.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
    write(store, request, now, Content { bytes, md5: None, blocks })
}

pub(super) fn set_metadata(store: &mut Store, request: &Request, now: OffsetDateTime) -> Outcome {
    let stamp = store.stamp(now);
    let blob = writable(store, request, now)?;
    blob.stamp = stamp;
    blob.metadata = request.metadata();
    Ok(Reply::new(StatusCode::OK).stamp(&blob.stamp))
}

pub(super) fn delete(store: &mut Store, request: &Request, now: OffsetDateTime) -> Outcome {
    writable(store, request, now)?;
    store.container(&request.container)?.blobs.remove(&request.blob);
    Ok(Reply::new(StatusCode::ACCEPTED).header("x-ms-delete-type-permanent", "true"))
}

/// A blob that exists, once conditions and lease allow a change.
fn writable<'a>(
    store: &'a mut Store,
    request: &Request,
    now: OffsetDateTime,
) -> Result<&'a mut Blob, Refusal> {
    let blob = store.blob(&request.container, &request.blob)?;
    conditions::allow_write(request, Some(&blob.stamp))?;
    leases::allow_write(&blob.lease, request, now)?;
    Ok(blob)
}

struct Content {
    bytes: Bytes,
    md5: Option<String>,
    blocks: Vec<(String, Bytes)>,
}

/// Writes the whole blob: metadata and content type are replaced, creation time and a live lease stay.
fn write(store: &mut Store, request: &Request, now: OffsetDateTime, content: Content) -> Outcome {
    let stamp = store.stamp(now);
    let container = store.container(&request.container)?;
    let current = container.blobs.get(&request.blob);
    conditions::allow_write(request, current.map(|blob| &blob.stamp))?;
    if let Some(blob) = current {
        leases::allow_write(&blob.lease, request, now)?;
    }
    let reply = Reply::new(StatusCode::CREATED).stamp(&stamp).header("x-ms-request-server-encrypted", "true");
    let given_md5 = request.header("x-ms-blob-content-md5");
    let blob = Blob {
        created: current.map_or(now, |blob| blob.created),
        lease: current.map(|blob| blob.lease.after_write(now)).unwrap_or_default(),
        stamp,
        content: content.bytes,
        content_type: content_type(request),
        content_md5: content.md5.or_else(|| (!given_md5.is_empty()).then(|| given_md5.to_owned())),
        metadata: request.metadata(),
        blocks: content.blocks,
    };
    container.blobs.insert(request.blob.clone(), blob);
    container.staged.remove(&request.blob);
    Ok(reply)
}

/// `x-ms-blob-content-type` wins; the type of a block list's own body is never the blob's.
fn content_type(request: &Request) -> String {
    let own = match request.parameter("comp") {
        "blocklist" => "",
        _ => request.header("content-type"),
    };
    let given = [request.header("x-ms-blob-content-type"), own, "application/octet-stream"];
    given.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned()
}

#[derive(Deserialize)]
struct BlockList {
    #[serde(default, rename = "$value")]
    references: Vec<Reference>,
}

/// Where a block is looked for.
#[derive(Deserialize)]
enum Reference {
    Committed(String),
    Uncommitted(String),
    Latest(String),
}

impl Reference {
    fn find(
        self,
        staged: &BTreeMap<String, Bytes>,
        committed: &[(String, Bytes)],
    ) -> Option<(String, Bytes)> {
        let among_staged = |id: &String| staged.get(id).cloned();
        let among_committed =
            |id: &String| committed.iter().find(|(known, _)| known == id).map(|(_, bytes)| bytes.clone());
        let (bytes, id) = match self {
            Self::Committed(id) => (among_committed(&id), id),
            Self::Uncommitted(id) => (among_staged(&id), id),
            Self::Latest(id) => (among_staged(&id).or_else(|| among_committed(&id)), id),
        };
        bytes.map(|bytes| (id, bytes))
    }
}

fn read_block_list(body: &[u8]) -> Result<Vec<Reference>, Refusal> {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let list = quick_xml::de::from_str::<BlockList>(text);
    let list = list.map_err(|error| Refusal::bad_request("InvalidXmlDocument", error.to_string()))?;
    Ok(list.references)
}
