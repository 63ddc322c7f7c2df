//! What all requests have in common, whoever answers them: they are met by planned faults and noted in the
//! journal.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use time::OffsetDateTime;

use super::Cloud;
use crate::arm::envelope;
use crate::journal::Exchange;
use crate::knobs::{self, Broken, Canned, Fault, LocationFault};
use crate::tokens::Principal;

/// The code of the error envelope, carried beside the response for the journal.
#[derive(Clone, Debug)]
pub(crate) struct ErrorCode(pub(crate) String);

/// A request that has arrived and is not answered yet.
pub(crate) struct Arrived {
    at: OffsetDateTime,
    method: String,
    path: String,
    request: Option<knobs::Request>,
    service: Option<String>,
}

impl Arrived {
    /// Says what kind of request it is and which service it is about.
    pub(crate) fn of(self, request: knobs::Request, service: Option<&str>) -> Self {
        Self { request: Some(request), service: service.map(str::to_owned), ..self }
    }

    fn note(self, response: &Response, who: Option<Principal>, faulted: bool) -> Exchange {
        let broken = response.extensions().get::<Broken>().is_some();
        Exchange {
            at: self.at,
            method: self.method,
            path: self.path,
            request: self.request,
            service: self.service,
            who: who.map(|principal| principal.object_id),
            status: (!broken).then(|| response.status().as_u16()),
            code: response.extensions().get::<ErrorCode>().map(|code| code.0.clone()),
            faulted,
        }
    }
}

impl Cloud {
    pub(crate) fn arrived(&self, request: &Request) -> Arrived {
        Arrived {
            at: self.clock().now(),
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            request: None,
            service: None,
        }
    }

    /// The fault that waits for this request, after its delay.
    pub(crate) async fn meet(&self, request: knobs::Request, service: Option<&str>) -> Option<Fault> {
        let fault = self.state().faults.take(request, service)?;
        if let Some(delay) = fault.delay {
            tokio::time::sleep(delay).await;
        }
        Some(fault)
    }

    /// Answers by `respond`, unless and as far as the fault says otherwise, and notes the exchange.
    pub(crate) fn conclude(
        &self,
        arrived: Arrived,
        fault: Option<Fault>,
        respond: impl FnOnce() -> (Option<Principal>, Response),
    ) -> Response {
        let faulted = fault.is_some();
        let fault = fault.unwrap_or_default();
        let works =
            fault.works_first || (fault.canned.is_none() && fault.broken != Some(Broken::BeforeTheWork));
        let (who, answer) = if works { respond() } else { (None, Response::new(Body::empty())) };
        let answer = distorted(answer, &fault);
        self.journal().note(arrived.note(&answer, who, faulted));
        answer
    }

    /// Notes a request that no route answers.
    pub(crate) fn note_unknown(&self, arrived: Arrived, response: &Response) {
        self.journal().note(arrived.note(response, None, false));
    }
}

/// The answer as the fault lets it out.
pub(crate) fn distorted(answer: Response, fault: &Fault) -> Response {
    let mut answer = fault.canned.as_ref().map(canned).unwrap_or(answer);
    relocate(answer.headers_mut(), fault.location.as_ref());
    for (name, value) in &fault.headers {
        let pair = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str()));
        if let (Ok(name), Ok(value)) = pair {
            answer.headers_mut().insert(name, value);
        }
    }
    match fault.broken {
        Some(broken) => broken_off(broken),
        None => answer,
    }
}

fn relocate(headers: &mut HeaderMap, location: Option<&LocationFault>) {
    match location {
        Some(LocationFault::Absent) => drop(headers.remove(LOCATION)),
        Some(LocationFault::Other(url)) => {
            headers.insert(LOCATION, HeaderValue::try_from(url).unwrap_or(HeaderValue::from_static("")));
        }
        None => {}
    }
}

fn canned(canned: &Canned) -> Response {
    let body = canned.body.clone().unwrap_or_else(|| envelope(&canned.code, &canned.message).to_string());
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(canned.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response.extensions_mut().insert(ErrorCode(canned.code.clone()));
    response
}

/// Stands for no answer at all; whoever carries it to the caller breaks the connection instead.
fn broken_off(broken: Broken) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response.extensions_mut().insert(broken);
    response
}
