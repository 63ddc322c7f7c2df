//! Get Blob and Get Blob Properties.

use std::ops::Range;

use axum::http::StatusCode;
use time::OffsetDateTime;

use super::reply::{Outcome, Refusal, Reply};
use super::request::Request;
use super::store::{Blob, Store};
use super::{conditions, leases};
use crate::storage::call::http_date;

pub(super) fn get(store: &mut Store, request: &Request, now: OffsetDateTime) -> Outcome {
    let blob = readable(store, request, now)?;
    let length = blob.content.len();
    let Some(range) = asked_range(request) else {
        let reply = describe(Reply::new(StatusCode::OK), blob, now);
        return Ok(md5(reply, "content-md5", blob).body(blob.content.to_vec()));
    };
    let range = range.start..range.end.min(length);
    if range.start >= length {
        return Err(Refusal::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "InvalidRange",
            "The range specified is invalid for the current size of the resource.",
        ));
    }
    let content_range = format!("bytes {}-{}/{length}", range.start, range.end - 1);
    let reply = describe(Reply::new(StatusCode::PARTIAL_CONTENT), blob, now);
    let reply = md5(reply, "x-ms-blob-content-md5", blob).header("content-range", content_range);
    Ok(reply.body(blob.content[range].to_vec()))
}

pub(super) fn properties(store: &mut Store, request: &Request, now: OffsetDateTime) -> Outcome {
    let blob = readable(store, request, now)?;
    let reply = describe(Reply::new(StatusCode::OK), blob, now).length(blob.content.len());
    Ok(md5(reply, "content-md5", blob))
}

fn readable<'a>(store: &'a mut Store, request: &Request, now: OffsetDateTime) -> Result<&'a Blob, Refusal> {
    let blob = store.blob(&request.container, &request.blob)?;
    conditions::allow_read(request, &blob.stamp)?;
    leases::allow_read(&blob.lease, request, now)?;
    Ok(blob)
}

fn describe(reply: Reply, blob: &Blob, now: OffsetDateTime) -> Reply {
    let reply = reply
        .stamp(&blob.stamp)
        .metadata(&blob.metadata)
        .header("content-type", blob.content_type.as_str())
        .header("accept-ranges", "bytes")
        .header("x-ms-blob-type", "BlockBlob")
        .header("x-ms-creation-time", http_date(blob.created))
        .header("x-ms-server-encrypted", "true")
        .header("x-ms-access-tier", "Hot")
        .header("x-ms-access-tier-inferred", "true")
        .header("x-ms-lease-state", blob.lease.state(now).as_str())
        .header("x-ms-lease-status", blob.lease.status(now));
    match blob.lease.duration_word(now) {
        Some(word) => reply.header("x-ms-lease-duration", word),
        None => reply,
    }
}

fn md5(reply: Reply, header: &str, blob: &Blob) -> Reply {
    match &blob.content_md5 {
        Some(md5) => reply.header(header, md5.as_str()),
        None => reply,
    }
}

/// The bytes asked for; the end may lie past the blob's. An unreadable range is no range, as HTTP has it.
fn asked_range(request: &Request) -> Option<Range<usize>> {
    let header = ["x-ms-range", "range"].map(|name| request.header(name));
    let text = header.into_iter().find(|text| !text.is_empty())?;
    let (start, end) = text.strip_prefix("bytes=")?.split_once('-')?;
    let end = if end.is_empty() { usize::MAX } else { end.parse::<usize>().ok()?.saturating_add(1) };
    Some(start.parse().ok()?..end)
}
