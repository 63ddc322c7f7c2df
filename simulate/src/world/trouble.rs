//! What Azure, and what stands between it and the handler, answers when something is wrong.

use serde_json::{Value, json};

use super::sent::{About, Answer, Sent};
use crate::draws::Draws;
use crate::plan::Realm;
use crate::secrets;

/// Resource Manager's answers to reads and polls that say nothing of the matter.
const ARM_READS: [u16; 12] = [401, 403, 404, 408, 409, 412, 429, 429, 500, 502, 503, 504];

/// What may answer a request to back up or restore without acting on it.
const ARM_POSTS: [u16; 12] = [400, 401, 403, 404, 408, 409, 409, 412, 429, 500, 503, 504];

/// Storage's refusals of reads, with its codes.
const STORAGE_READS: [(u16, &str); 4] =
    [(403, "AuthorizationFailure"), (500, "InternalError"), (503, "ServerBusy"), (500, "OperationTimedOut")];

/// Storage's refusals of writes.
const STORAGE_WRITES: [(u16, &str); 6] = [
    (403, "AuthorizationPermissionMismatch"),
    (409, "ContainerBeingDeleted"),
    (412, "LeaseIdMissing"),
    (500, "InternalError"),
    (503, "ServerBusy"),
    (408, "RequestTimeout"),
];

const RETRY_AFTER: [&str; 5] = ["", "", "1", "17", "600"];

/// An error in place of the answer; nothing was done.
pub(super) fn error(draws: &mut Draws, sent: &Sent) -> Answer {
    let retry_after = draws.pick(&RETRY_AFTER);
    match sent.about.realm() {
        Some(Realm::Storage) => {
            let (status, code) = match sent.writes() {
                true => draws.pick(&STORAGE_WRITES),
                false => draws.pick(&STORAGE_READS),
            };
            storage(sent, status, code).retried_after(status, retry_after)
        }
        Some(Realm::Tokens) => {
            let status = draws.pick(&[400, 401, 429, 500, 503]);
            let body = json!({ "error": "temporarily_unavailable", "error_description": "AADSTS90033" });
            Answer::new(status, body.to_string()).retried_after(status, retry_after)
        }
        _ => {
            if matches!(sent.about, About::Poll(_)) && draws.chance(100) {
                // Only Azure says of an operation that it failed, and in its own words.
                return Answer::new(400, "<html><body>Bad request</body></html>");
            }
            let posts = matches!(sent.about, About::Post(..));
            let status = if posts { draws.pick(&ARM_POSTS) } else { draws.pick(&ARM_READS) };
            arm(draws, sent, status).retried_after(status, retry_after)
        }
    }
}

/// What was asked for is done, and this is answered all the same.
pub(super) fn after_the_work(draws: &mut Draws, sent: &Sent) -> Answer {
    let status = draws.pick(&[408, 500, 502, 504]);
    match sent.about.realm() {
        Some(Realm::Storage) => storage(sent, status, "OperationTimedOut"),
        _ => arm(draws, sent, status),
    }
}

/// Nobody can be reached behind this address now.
pub(super) fn unavailable(sent: &Sent) -> Answer {
    match sent.about.realm() {
        Some(Realm::Storage) => storage(sent, 503, "ServerBusy"),
        _ => Answer::new(503, ""),
    }
}

/// The caller lacks a role.
pub(super) fn forbidden() -> Answer {
    let error =
        json!({ "code": "AuthorizationFailed", "message": "The client does not have authorization." });
    Answer::new(403, json!({ "error": error }).to_string())
}

/// What a proxy, a maintenance page or a half-deployed front end answers with 200.
pub(super) fn garbled(draws: &mut Draws) -> Answer {
    let bodies = [
        "<html><body>Sign in to continue</body></html>",
        "{}",
        "",
        "null",
        r#"{"properties":{}}"#,
        r#"{"properties":{"provisioningState":null},"sku":{"name":"Standard"}}"#,
        r#"{"name":"contoso-west","sku":{"name":"Standard"},"location":"West Europe"}"#,
    ];
    Answer::new(200, draws.pick(&bodies)).with("content-type", "application/json")
}

fn arm(draws: &mut Draws, sent: &Sent, status: u16) -> Answer {
    let (code, message) = words(sent, status);
    let envelope =
        json!({ "error": { "code": code, "message": message, "details": null, "innerError": null } });
    let body = draws.weighted(&[(4, 0), (1, 1), (1, 2)]);
    let body = match body {
        0 => envelope.to_string(),
        1 => String::new(),
        _ => "<h1>Our services aren't available right now</h1>".to_owned(),
    };
    Answer::new(status, body).with("x-ms-request-id", "00000000-0000-4000-8000-000000000000")
}

/// Azure repeats in its words what it was sent, a key included; a poll, what was sent with the request before it.
fn words(sent: &Sent, status: u16) -> (&'static str, String) {
    match status {
        409 => ("ServiceLocked", "The API Service is transitioning at this time.".to_owned()),
        429 => ("TooManyRequests", "The request is being throttled.".to_owned()),
        400 => {
            let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
            let key = body["accessKey"].as_str().map_or_else(secrets::account_key, str::to_owned);
            ("InvalidParameters", format!("Invalid parameter: accessKey '{key}'"))
        }
        _ => ("Trouble", format!("This is what a {status} says.")),
    }
}

fn storage(sent: &Sent, status: u16, code: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>Trouble.</Message></Error>"
    );
    let body = if sent.method == axum::http::Method::HEAD { String::new() } else { body };
    Answer::new(status, body).with("x-ms-error-code", code).with("content-type", "application/xml")
}

impl Answer {
    fn retried_after(self, status: u16, seconds: &str) -> Self {
        match (status, seconds) {
            (_, "") => self,
            (429 | 503, seconds) => self.with("retry-after", seconds),
            _ => self,
        }
    }
}
