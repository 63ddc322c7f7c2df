//! Reads of resources as they are, for whoever examines a deployment.

use azure_core::http::RawResponse;
use serde_json::Value;

use super::Azure;
use super::answers::{describe, silence};
use super::arm::NoReply;
use super::store::Store;
use super::trouble::StorageTrouble;
use crate::domain::vocabulary::{Container, Etag};

/// The largest number of pages of one list. A hundred pages of a hundred are more than anybody examines by hand.
const MOST_PAGES: usize = 100;

/// A resource that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The HTTP status; none if there was no answer, or no token to ask with.
    pub status: Option<u16>,
    /// Azure's words, or why there are none.
    pub what: String,
}

/// What is done to blobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageRight {
    Read,
    Write,
    Delete,
}

impl StorageRight {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "its blobs can be listed",
            Self::Write => "blobs may be written",
            Self::Delete => "blobs may be deleted",
        }
    }
}

impl Azure {
    /// Reads the resource at `path`.
    ///
    /// # Errors
    /// When there is no 200 with a JSON body.
    pub async fn read(&self, path: &str, api_version: &str) -> Result<Value, Unread> {
        body_of(self.arm.get(self.arm.url(path, api_version)).await)
    }

    /// Reads all entries of the list at `path`, page by page.
    ///
    /// # Errors
    /// When a page is not a 200 with a JSON body, or leads to another server.
    pub async fn read_list(&self, path: &str, api_version: &str) -> Result<Vec<Value>, Unread> {
        let mut url = Some(self.arm.url(path, api_version));
        let mut entries = Vec::new();
        for _ in 0..MOST_PAGES {
            let Some(page) = url.take() else { return Ok(entries) };
            let mut body = body_of(self.arm.get(page).await)?;
            match body.get_mut("value").map(Value::take) {
                Some(Value::Array(page)) => entries.extend(page),
                _ => return Err(no_list()),
            }
            let next = body["nextLink"].as_str().filter(|next| !next.is_empty());
            url = match next {
                None => return Ok(entries),
                Some(next) => Some(self.arm.own_url(next).ok_or_else(elsewhere)?),
            };
        }
        Err(Unread { status: Some(200), what: format!("the list has more than {MOST_PAGES} pages") })
    }
}

fn no_list() -> Unread {
    Unread { status: Some(200), what: "the answer has no `value`: it is no list".to_owned() }
}

fn elsewhere() -> Unread {
    Unread { status: Some(200), what: "the list goes on at another server, which is not asked".to_owned() }
}

fn body_of(reply: Result<RawResponse, NoReply>) -> Result<Value, Unread> {
    let answer = reply.map_err(|no_reply| Unread { status: None, what: silence(no_reply) })?;
    let status = u16::from(answer.status());
    if status != 200 {
        return Err(Unread { status: Some(status), what: describe(&answer) });
    }
    serde_json::from_slice(answer.body())
        .map_err(|error| Unread { status: Some(status), what: format!("the answer is not JSON: {error}") })
}

impl Store {
    /// Whether `container` lets this caller do something, found out by what changes nothing: a list, or a write and a
    /// delete of a version that no blob ever has.
    ///
    /// # Errors
    /// When storage refuses, does not answer, or has no such container.
    pub async fn try_right(&self, container: &Container, right: StorageRight) -> Result<(), StorageTrouble> {
        let (blob, never) = ("doctor-tries-its-rights", Etag::from("0x0".to_owned()));
        match right {
            StorageRight::Read => self.list_in(container, blob).await.map(drop),
            StorageRight::Write => passed(self.write_if_at(container, blob, &never).await),
            StorageRight::Delete => passed(self.delete_if_at(container, blob, &never).await),
        }
    }
}

/// Rights are judged before conditions: a condition that does not hold means that there is the right.
fn passed(tried: Result<(), StorageTrouble>) -> Result<(), StorageTrouble> {
    match tried {
        Err(trouble) if trouble.is_conflict() || (trouble.is_missing() && !trouble.is_no_container()) => {
            Ok(())
        }
        tried => tried,
    }
}
