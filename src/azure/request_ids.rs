//! The ids by which Azure's support finds a request, for the log and for the texts of errors. Never a token,
//! a key or a query.

use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::{Context, RawResponse, Request};
use tracing::info;

use crate::domain::event::EventName;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-ms-correlation-request-id");

/// Put into a request's context, it keeps the path out of the log as well: the URL of an operation is told
/// to nobody.
#[derive(Debug)]
pub(super) struct Hidden;

/// One line for everybody about an error that Resource Manager answered. Azure's words go into the record
/// as they are; the ids by which its support finds the request stand here.
pub(super) fn refused(context: &Context, request: &Request, answer: &RawResponse) {
    let event = EventName::RequestRefused.as_str();
    let (method, path) = (request.method().as_str(), path(context, request));
    let status = u16::from(answer.status());
    let (request_id, correlation_id) = ids(answer.headers());
    info!(event, status, request_id, correlation_id, "{method} {path}");
}

fn path<'a>(context: &Context, request: &'a Request) -> &'a str {
    if context.value::<Hidden>().is_some() { "of an operation" } else { request.url().path() }
}

/// Azure's ids of a request and of what it belongs to; empty where it gave none.
fn ids(headers: &Headers) -> (&str, &str) {
    let id = |name| headers.get_optional_str(name).unwrap_or_default();
    (id(&REQUEST_ID), id(&CORRELATION_ID))
}

/// The ids in brackets, for an error's text; empty where Azure gave none.
pub(super) fn id_note(headers: &Headers) -> String {
    match ids(headers) {
        ("", "") => String::new(),
        (request, "") => format!(" (request {request})"),
        (request, correlation) => format!(" (request {request}, correlation {correlation})"),
    }
}
