//! Conditional headers: what must hold for a request to be served.

use axum::http::StatusCode;

use super::reply::Refusal;
use super::request::Request;
use super::store::Stamp;
use crate::storage::call::{http_date, parse_http_date};

/// Checks the conditions of a write. `current` is the blob that it would replace, if there is one.
pub(super) fn allow_write(request: &Request, current: Option<&Stamp>) -> Result<(), Refusal> {
    if current.is_some() && request.header("if-none-match") == "*" {
        return Err(Refusal::conflict("BlobAlreadyExists", "The specified blob already exists."));
    }
    match holds(request, current) {
        true => Ok(()),
        false => Err(not_met(StatusCode::PRECONDITION_FAILED)),
    }
}

/// Checks the conditions of a read. What the caller has already is answered with 304.
pub(super) fn allow_read(request: &Request, current: &Stamp) -> Result<(), Refusal> {
    let same = |header: &str| !header.is_empty() && matches(header, Some(current));
    let unchanged = parse_http_date(request.header("if-modified-since"))
        .is_some_and(|since| to_second(current) <= Some(since));
    if same(request.header("if-none-match")) || unchanged {
        return Err(not_met(StatusCode::NOT_MODIFIED));
    }
    match holds(request, Some(current)) {
        true => Ok(()),
        false => Err(not_met(StatusCode::PRECONDITION_FAILED)),
    }
}

fn holds(request: &Request, current: Option<&Stamp>) -> bool {
    let (if_match, if_none_match) = (request.header("if-match"), request.header("if-none-match"));
    let modified = current.and_then(to_second);
    let date = |name| parse_http_date(request.header(name));
    (if_match.is_empty() || matches(if_match, current))
        && (if_none_match.is_empty() || !matches(if_none_match, current))
        && date("if-modified-since").is_none_or(|since| modified > Some(since))
        && date("if-unmodified-since").is_none_or(|since| modified <= Some(since))
}

/// Storage takes an ETag with quotes and without.
fn matches(condition: &str, current: Option<&Stamp>) -> bool {
    current.is_some_and(|stamp| condition == "*" || condition.trim_matches('"') == stamp.etag)
}

/// Headers know whole seconds only.
fn to_second(stamp: &Stamp) -> Option<time::OffsetDateTime> {
    parse_http_date(&http_date(stamp.modified))
}

fn not_met(status: StatusCode) -> Refusal {
    Refusal::new(
        status,
        "ConditionNotMet",
        "The condition specified using HTTP conditional header(s) is not met.",
    )
}
