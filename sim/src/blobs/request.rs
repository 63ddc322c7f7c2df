//! A request as storage reads it: which operation, on which container and blob.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::header::CONTENT_LENGTH;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri};

use super::reply::Refusal;
use super::uri;

/// What this storage can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    CreateContainer,
    ContainerProperties,
    DeleteContainer,
    ListBlobs,
    GetBlob,
    BlobProperties,
    PutBlob,
    PutBlock,
    PutBlockList,
    SetMetadata,
    DeleteBlob,
    Lease,
}

pub(super) struct Request {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    /// Empty when the path is not below the account.
    pub(super) container: String,
    /// Empty for an operation on the container.
    pub(super) blob: String,
    parameters: BTreeMap<String, String>,
    pub(super) body: Bytes,
}

impl Request {
    /// `prefix` is the path of the account's endpoint.
    pub(super) fn read(prefix: &str, head: Parts, body: Bytes) -> Self {
        let path = head.uri.path().strip_prefix(prefix).unwrap_or_default().trim_start_matches('/');
        let (container, blob) = path.split_once('/').unwrap_or((path, ""));
        let (container, blob) = (uri::decode(container), uri::decode(blob));
        let parameters = uri::query_pairs(&head.uri);
        let parameters = parameters.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        let mut headers = head.headers;
        // A request that came in process has no length yet, but was signed with one.
        if !body.is_empty() && !headers.contains_key(CONTENT_LENGTH) {
            headers.insert(CONTENT_LENGTH, body.len().into());
        }
        Self { method: head.method, uri: head.uri, headers, container, blob, parameters, body }
    }

    /// `container` or `container/blob`.
    pub(super) fn name(&self) -> String {
        let slash = if self.blob.is_empty() { "" } else { "/" };
        format!("{}{slash}{}", self.container, self.blob)
    }

    /// A header's text; empty when there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// A query parameter; empty when there is none.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// The metadata that the request brings, names in lower case.
    pub(super) fn metadata(&self) -> BTreeMap<String, String> {
        let named = self.headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("x-ms-meta-")?;
            Some((name.to_owned(), value.to_str().ok()?.to_owned()))
        });
        named.collect()
    }

    /// Which operation is asked for.
    ///
    /// # Errors
    /// 501 for everything that this storage does not do, so that nobody mistakes silence for success.
    pub(super) fn operation(&self) -> Result<Operation, Refusal> {
        let asked = (self.method.as_str(), self.parameter("restype"), self.parameter("comp"));
        let operation = match (self.container.is_empty(), self.blob.is_empty()) {
            (true, _) => None,
            (false, true) => container_operation(asked),
            (false, false) => self.blob_operation(asked),
        };
        operation.ok_or_else(|| {
            let message = format!("The simulator does not implement {} {}.", self.method, self.uri);
            Refusal::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
        })
    }

    fn blob_operation(&self, asked: (&str, &str, &str)) -> Option<Operation> {
        let of_a_snapshot = ["snapshot", "versionid"].iter().any(|name| !self.parameter(name).is_empty());
        let copies = self.headers.contains_key("x-ms-copy-source");
        if of_a_snapshot || copies {
            return None;
        }
        match asked {
            ("GET", "", "") => Some(Operation::GetBlob),
            ("HEAD", "", "") => Some(Operation::BlobProperties),
            ("PUT", "", "") if self.header("x-ms-blob-type") == "BlockBlob" => Some(Operation::PutBlob),
            ("PUT", "", "block") => Some(Operation::PutBlock),
            ("PUT", "", "blocklist") => Some(Operation::PutBlockList),
            ("PUT", "", "metadata") => Some(Operation::SetMetadata),
            ("PUT", "", "lease") => Some(Operation::Lease),
            ("DELETE", "", "") => Some(Operation::DeleteBlob),
            _ => None,
        }
    }
}

fn container_operation(asked: (&str, &str, &str)) -> Option<Operation> {
    match asked {
        ("PUT", "container", "") => Some(Operation::CreateContainer),
        ("GET" | "HEAD", "container", "") => Some(Operation::ContainerProperties),
        ("DELETE", "container", "") => Some(Operation::DeleteContainer),
        ("GET", "container", "list") => Some(Operation::ListBlobs),
        _ => None,
    }
}
