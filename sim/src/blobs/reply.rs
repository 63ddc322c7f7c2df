//! Answers and refusals in the shape that storage gives them.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use time::OffsetDateTime;

use super::request::Request;
use super::serve::carries_body;
use super::store::Stamp;
use crate::storage::call::http_date;

pub(super) type Outcome = Result<Reply, Refusal>;

/// An answer before the headers that every answer has.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Set where the answer speaks of a length without carrying it, as for HEAD.
    length: Option<u64>,
}

impl Reply {
    pub(super) fn new(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), length: None }
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The version of what was read or written.
    pub(super) fn stamp(self, stamp: &Stamp) -> Self {
        self.header("etag", format!("\"{}\"", stamp.etag)).header("last-modified", http_date(stamp.modified))
    }

    pub(super) fn metadata<'a>(self, metadata: impl IntoIterator<Item = (&'a String, &'a String)>) -> Self {
        metadata
            .into_iter()
            .fold(self, |reply, (name, value)| reply.header(&format!("x-ms-meta-{name}"), value.as_str()))
    }

    pub(super) fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// The length of what a GET would have brought.
    pub(super) fn length(mut self, length: usize) -> Self {
        self.length = Some(length as u64);
        self
    }

    pub(super) fn xml(self, xml: String) -> Self {
        self.header("content-type", "application/xml").body(xml.into_bytes())
    }

    pub(super) fn from_refusal(refusal: &Refusal, request: &Request) -> Self {
        let reply = Self::new(refusal.status).header("x-ms-error-code", refusal.code);
        if !carries_body(&request.method, refusal.status) {
            return reply;
        }
        let message = quick_xml::escape::escape(&refusal.message);
        reply.xml(format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{}</Code><Message>{message}</Message></Error>",
            refusal.code
        ))
    }

    /// Adds what every answer carries. `number` counts the requests and makes their ids.
    pub(super) fn into_response(self, request: &Request, number: usize, now: OffsetDateTime) -> Response {
        let carries = carries_body(&request.method, self.status);
        let length = self.length.unwrap_or(self.body.len() as u64);
        let mut response = Response::new(if carries { Body::from(self.body) } else { Body::empty() });
        *response.status_mut() = self.status;
        let common = [
            ("x-ms-version".to_owned(), request.header("x-ms-version").to_owned()),
            ("x-ms-request-id".to_owned(), format!("51a70000-001e-0000-0000-{number:012x}")),
            ("date".to_owned(), http_date(now)),
            ("server".to_owned(), "apim-dr-sim blobs".to_owned()),
        ];
        let client_id = request.header("x-ms-client-request-id");
        let echo = ("x-ms-client-request-id".to_owned(), client_id.to_owned());
        let headers = response.headers_mut();
        for (name, value) in self.headers.into_iter().chain(common).chain([echo]) {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                let _ = (!value.is_empty()).then(|| headers.insert(name, value));
            }
        }
        if self.status != StatusCode::NOT_MODIFIED {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        if length > 0 && !headers.contains_key(CONTENT_TYPE) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        }
        response
    }
}

/// A refusal: the status, storage's code for it, and a sentence for people.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn not_found(code: &'static str) -> Self {
        let what = if code == "ContainerNotFound" { "container" } else { "blob" };
        Self::new(StatusCode::NOT_FOUND, code, format!("The specified {what} does not exist."))
    }

    pub(super) fn conflict(code: &'static str, message: &str) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub(super) fn precondition(code: &'static str, message: &str) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, code, message)
    }
}
