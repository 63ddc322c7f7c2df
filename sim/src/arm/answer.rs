//! Answers with the headers and envelopes that Resource Manager sends.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::response::Response;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::{Call, Target};
use crate::cloud::{Cloud, Counted, Remaining, Throttled};
use crate::storage::call::http_date;
use crate::tokens::{Principal, Refusal};

/// An answer before Resource Manager adds its headers.
pub(super) struct Answer {
    status: StatusCode,
    /// `None` is an empty body.
    body: Option<Value>,
    headers: Vec<(Cow<'static, str>, String)>,
    code: Option<String>,
}

impl Answer {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Some(body), headers: Vec::new(), code: None }
    }

    /// An empty 200, for HEAD.
    pub(super) fn empty() -> Self {
        Self { status: StatusCode::OK, body: None, headers: Vec::new(), code: None }
    }

    /// An empty 202 that says where to ask again, in a minute.
    pub(super) fn accepted(location: String) -> Self {
        Self { status: StatusCode::ACCEPTED, body: None, headers: Vec::new(), code: None }
            .header("location", location)
            .header("retry-after", "60".to_owned())
    }

    pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Self {
        Self { status, body: Some(envelope(code, message)), headers: Vec::new(), code: Some(code.to_owned()) }
    }

    /// An error of Resource Manager itself; its envelope has neither `details` nor `innerError`.
    pub(super) fn arm_error(status: StatusCode, code: &str, message: &str) -> Self {
        let body = json!({"error": {"code": code, "message": message}});
        Self { status, body: Some(body), headers: Vec::new(), code: Some(code.to_owned()) }
    }

    pub(super) fn header(mut self, name: impl Into<Cow<'static, str>>, value: String) -> Self {
        self.headers.push((name.into(), value));
        self
    }

    /// Says what is left in the caller's token bucket, and in that of all callers together.
    pub(super) fn remaining(self, counted: Counted, remaining: Remaining) -> Self {
        let (prefix, word) = ("x-ms-ratelimit-remaining-subscription-", counted.word());
        self.header(format!("{prefix}{word}"), remaining.own.to_string())
            .header(format!("{prefix}global-{word}"), remaining.together.to_string())
    }

    pub(super) fn with_body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }
}

/// The error envelope of API Management, nulls included.
pub(crate) fn envelope(code: &str, message: &str) -> Value {
    json!({"error": {"code": code, "message": message, "details": null, "innerError": null}})
}

/// Turns an answer into a response with the headers that every one of Resource Manager's has.
pub(super) fn respond(cloud: &Cloud, answer: Answer) -> Response {
    let mut response = match &answer.body {
        Some(body) => plain_json(answer.status, body),
        None => empty(answer.status),
    };
    if let Some(code) = answer.code {
        response.extensions_mut().insert(crate::cloud::ErrorCode(code));
    }
    let (id, now) = (cloud.ids().guid(), cloud.clock().now());
    let stamp = now.format(&Rfc3339).unwrap_or_default();
    let common = [
        ("cache-control", "no-cache".to_owned()),
        ("pragma", "no-cache".to_owned()),
        ("expires", "-1".to_owned()),
        ("date", http_date(now)),
        ("strict-transport-security", "max-age=31536000; includeSubDomains".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("x-ms-request-id", id.clone()),
        ("x-ms-correlation-request-id", id.clone()),
        ("x-ms-routing-request-id", format!("WESTEUROPE:{stamp}:{id}")),
    ];
    let own = answer.headers.iter().map(|(name, value)| (name.as_ref(), value));
    let all = common.iter().map(|(name, value)| (*name, value)).chain(own);
    all.for_each(|(name, value)| insert(&mut response, name, value));
    response
}

fn insert(response: &mut Response, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        response.headers_mut().insert(name, value);
    }
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

pub(super) fn plain_json(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    if let Some(code) = body["error"].as_str() {
        response.extensions_mut().insert(crate::cloud::ErrorCode(code.to_owned()));
    }
    response
}

pub(super) fn unknown_route(call: &Call) -> Answer {
    let message = format!("the simulator does not answer {} {}", call.method, call.path);
    Answer::error(StatusCode::NOT_IMPLEMENTED, "NotSimulated", &message)
}

pub(super) fn unauthenticated(refusal: &Refusal) -> Answer {
    let (code, message) = match refusal {
        Refusal::Missing => (
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.".to_owned(),
        ),
        Refusal::Invalid => ("InvalidAuthenticationToken", "The access token is invalid.".to_owned()),
        Refusal::Expired(at, now) => (
            "ExpiredAuthenticationToken",
            format!("The access token expiry UTC time '{at}' is earlier than current UTC time '{now}'."),
        ),
        Refusal::Audience(audience) => (
            "InvalidAuthenticationTokenAudience",
            format!("The access token has been obtained for wrong audience or resource '{audience}'."),
        ),
    };
    let challenge = format!(
        "Bearer authorization_uri=\"https://login.windows.net/\", error=\"invalid_token\", error_description=\"{message}\""
    );
    Answer::arm_error(StatusCode::UNAUTHORIZED, code, &message).header("www-authenticate", challenge)
}

pub(super) fn forbidden(caller: &Principal, action: &str, scope: &str) -> Answer {
    let message = format!(
        "The client '{}' with object id '{}' does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
        caller.client_id, caller.object_id
    );
    Answer::arm_error(StatusCode::FORBIDDEN, "AuthorizationFailed", &message)
}

/// The words are those that were seen in public logs; asking again before the wait is over renews it.
pub(super) fn throttled(
    (caller, subscription): (&Principal, &str),
    counted: Counted,
    Throttled { retry_after }: Throttled,
) -> Answer {
    let seconds = retry_after.whole_seconds();
    let message = format!(
        "Number of '{}' requests for subscription '{subscription}' actor '{}' exceeded. Please try again after '{seconds}' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information.",
        counted.singular(),
        caller.object_id
    );
    Answer::arm_error(StatusCode::TOO_MANY_REQUESTS, "SubscriptionRequestsThrottled", &message)
        .header("retry-after", seconds.to_string())
}

pub(super) fn unsupported_version(target: &Target, version: &str, known: &[&str]) -> Answer {
    let namespace = target.kind.namespace();
    let message = format!(
        "The resource type could not be found in the namespace '{namespace}' for api version '{version}'. The supported api-versions are '{}'.",
        known.join(",")
    );
    Answer::arm_error(StatusCode::BAD_REQUEST, "InvalidResourceType", &message)
}

/// A resource that Resource Manager does not have.
pub(super) fn no_resource(kind: &str, name: &str, group: &str) -> Answer {
    let message = format!(
        "The Resource '{kind}/{name}' under resource group '{group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    );
    Answer::arm_error(StatusCode::NOT_FOUND, "ResourceNotFound", &message)
}
