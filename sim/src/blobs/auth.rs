//! Who may ask: the account's key, or a token that the check lets pass.

use axum::http::StatusCode;
use time::{Duration, OffsetDateTime};

use super::reply::Refusal;
use super::request::Request;
use super::{Blobs, shared_key};
use crate::storage::call::parse_http_date;

/// How far a signature's date may be from the real time, either way.
const SIGNATURE_AGE: Duration = Duration::minutes(15);

pub(super) fn check(blobs: &Blobs, request: &Request) -> Result<(), Refusal> {
    let authorization = request.header("authorization");
    match authorization.split_once(' ') {
        Some(("SharedKey", signature)) => check_signature(blobs, request, signature),
        Some(("Bearer", token)) => check_token(blobs, request, token),
        _ => Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "NoAuthenticationInformation",
            "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
        )),
    }
}

fn check_signature(blobs: &Blobs, request: &Request, authorization: &str) -> Result<(), Refusal> {
    let account = blobs.account();
    let Some((name, signature)) = authorization.split_once(':') else {
        return Err(failed("the Authorization header has no signature"));
    };
    let date = ["x-ms-date", "date"].map(|name| parse_http_date(request.header(name)));
    let Some(signed_at) = date.into_iter().flatten().next() else {
        return Err(failed("the request has no date"));
    };
    if (OffsetDateTime::now_utc() - signed_at).abs() > SIGNATURE_AGE {
        return Err(failed("the date is more than fifteen minutes off"));
    }
    let text = shared_key::string_to_sign(name, &request.method, &request.uri, &request.headers);
    match name == account.name && shared_key::verifies(&account.key, &text, signature) {
        true => Ok(()),
        false => Err(failed(&format!("the server signed {text:?}"))),
    }
}

fn check_token(blobs: &Blobs, request: &Request, token: &str) -> Result<(), Refusal> {
    if request.header("x-ms-version").is_empty() {
        return Err(failed("a bearer token needs x-ms-version"));
    }
    match &blobs.0.bearer {
        Some(check) if check(token) => Ok(()),
        _ => Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "InvalidAuthenticationInfo",
            "Server failed to authenticate the request.",
        )),
    }
}

fn failed(why: &str) -> Refusal {
    let message = format!("Server failed to authenticate the request: {why}.");
    Refusal::new(StatusCode::FORBIDDEN, "AuthenticationFailed", message)
}
