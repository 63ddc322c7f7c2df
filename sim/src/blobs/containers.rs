//! Operations on containers.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use time::OffsetDateTime;

use super::reply::{Outcome, Refusal, Reply};
use super::request::Request;
use super::store::{Container, Store};

pub(super) fn create(store: &mut Store, request: &Request, now: OffsetDateTime) -> Outcome {
    if !is_container_name(&request.container) {
        return Err(Refusal::bad_request(
            "InvalidResourceName",
            "The specified resource name contains invalid characters.",
        ));
    }
    if store.containers.contains_key(&request.container) {
        return Err(Refusal::conflict("ContainerAlreadyExists", "The specified container already exists."));
    }
    let stamp = store.stamp(now);
    let reply = Reply::new(StatusCode::CREATED).stamp(&stamp);
    let container =
        Container { stamp, metadata: request.metadata(), blobs: BTreeMap::new(), staged: BTreeMap::new() };
    store.containers.insert(request.container.clone(), container);
    Ok(reply)
}

pub(super) fn properties(store: &mut Store, request: &Request, immutable: bool) -> Outcome {
    let container = store.container(&request.container)?;
    Ok(Reply::new(StatusCode::OK)
        .stamp(&container.stamp)
        .metadata(&container.metadata)
        .header("x-ms-lease-state", "available")
        .header("x-ms-lease-status", "unlocked")
        .header("x-ms-has-immutability-policy", immutable.to_string())
        .header("x-ms-has-legal-hold", "false"))
}

pub(super) fn delete(store: &mut Store, request: &Request) -> Outcome {
    store.container(&request.container)?;
    store.containers.remove(&request.container);
    Ok(Reply::new(StatusCode::ACCEPTED))
}

/// Three to 63 lower-case letters, digits and single hyphens, a letter or digit at both ends.
fn is_container_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.chars().all(|c| letter(c) || c == '-')
        && name.starts_with(letter)
        && name.ends_with(letter)
        && !name.contains("--")
}
