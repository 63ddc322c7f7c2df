//! The Azure Functions host's side: its envelope in, outputs and status out, and its clock.
//!
//! The host posts every invocation to `/{function}` as JSON, mostly chunked, and waits for a JSON object:
//! to `null`, an empty body or a 204 it would wait until the function times out, and then kill the process
//! with every other call in it. A body is read to its end before any answer, refusals included, for the host
//! sends all of it and takes an early answer for a broken connection. What a failed answer says is thrown
//! away by the host, so the reason goes to the log first.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::serve::ListenerExt as _;
use futures::future::BoxFuture;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinError;

use crate::clock::{InvocationClock, Stopwatch, start_stopwatch};
use crate::domain::event::{Event, EventName};
use crate::domain::vocabulary::InvocationId;
use crate::log;
use envelope::{Envelope, EnvelopeReader};

pub use blob_uri::BlobUri;
pub use trigger::{Function, Trigger};

mod blob_uri;
mod envelope;
mod trigger;

/// One call of one function by the host.
#[derive(Clone)]
pub struct Invocation {
    /// The host's own id of the call, by which its log names it too.
    pub id: InvocationId,
    /// Shows the host's `sys.UtcNow` and what has elapsed since the call came in.
    pub clock: InvocationClock,
    /// What started it.
    pub trigger: Trigger,
}

/// What an invocation comes to: the lines that a person who started it by hand wants to read, or why the
/// work could not be done.
pub type Outcome = Result<Vec<String>, String>;

/// The work behind both functions.
pub type Work = Arc<dyn Fn(Invocation) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// The host turns each line of `Logs` into a trace; these bounds keep an answer small.
const MOST_LOG_LINES: usize = 200;
const LONGEST_LOG_LINE: usize = 2_000;

/// Serves the host's calls for ever.
pub async fn serve(listener: TcpListener, work: Work) -> std::io::Result<()> {
    // The answers are small, and the host waits for each: none is held back to be sent with another.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router(work)).await
}

/// The routes. Everything is one handler, because a body is read whatever becomes of it.
pub fn router(work: Work) -> Router {
    Router::new().fallback(handle).with_state(work)
}

async fn handle(State(work): State<Work>, request: Request) -> Response {
    let stopwatch = start_stopwatch();
    let (parts, body) = request.into_parts();
    let envelope = read(body).await;
    let function = Function::at(parts.uri.path()).filter(|_| parts.method == Method::POST);
    match function {
        Some(function) => {
            let call = Call { id: id_of(&parts.headers), function, stopwatch };
            answer_call(&work, call, envelope).await
        }
        None if parts.uri.path() == "/" && parts.method == Method::GET => ready(),
        None => not_found(&parts.method, parts.uri.path()),
    }
}

/// Reads a body to its end, whatever is in it.
async fn read(mut body: Body) -> Result<Envelope, String> {
    let mut reader = EnvelopeReader::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| format!("the body broke off: {error}"))?;
        if let Some(chunk) = frame.data_ref() {
            reader.push(chunk);
        }
    }
    reader.finish()
}

/// A call before its envelope is understood.
struct Call {
    id: InvocationId,
    function: Function,
    stopwatch: Stopwatch,
}

async fn answer_call(work: &Work, call: Call, envelope: Result<Envelope, String>) -> Response {
    let id = call.id.clone();
    let understood = envelope.and_then(|envelope| trigger::read(call.function, &envelope));
    let (trigger, now) = match understood {
        Ok(understood) => understood,
        Err(why) => return failed(&id, StatusCode::BAD_REQUEST, &why),
    };
    let hint = hint_for(&trigger);
    if let Some(hint) = &hint {
        log::event(&id, None, hint);
    }
    let clock = InvocationClock::new(now, call.stopwatch);
    let outcome = run(work, Invocation { id: id.clone(), clock, trigger }).await;
    match outcome {
        Ok(lines) => {
            log::event(&id, None, &Event::new(EventName::InvocationDone, "done"));
            succeeded(hint.map(|hint| hint.text).into_iter().chain(lines))
        }
        Err(why) => failed(&id, StatusCode::INTERNAL_SERVER_ERROR, &why),
    }
}

/// A manual run without input cannot be told from the host's own; the person is told how to be heard.
fn hint_for(trigger: &Trigger) -> Option<Event> {
    match trigger {
        Trigger::Timer { looks_manual: true, .. } => Some(Event::new(
            EventName::TimerLooksManual,
            "this looks like a run by hand, but it brought no input and counts as a tick; to ask for a backup \
             now, run BackupTimer with any input",
        )),
        _ => None,
    }
}

/// Does the work in a task of its own, so that a panic costs this invocation and nothing else, and so that
/// a host that hangs up stops nothing halfway.
async fn run(work: &Work, invocation: Invocation) -> Outcome {
    let work = Arc::clone(work);
    match tokio::spawn(async move { work(invocation).await }).await {
        Ok(outcome) => outcome,
        Err(error) => Err(describe(error)),
    }
}

fn describe(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "the invocation was cut short".to_owned() };
    let message = log::panic_message(panic.as_ref());
    format!("the invocation panicked, which is a defect to report: {message}")
}

fn ready() -> Response {
    respond(StatusCode::OK, &json!({ "name": "apim-dr", "version": env!("CARGO_PKG_VERSION") }))
}

fn not_found(method: &Method, path: &str) -> Response {
    let message = format!(
        "there is no {method} {path}: this handler answers POST /BackupTimer and POST /RestoreOnBlob"
    );
    respond(StatusCode::NOT_FOUND, &json!({ "error": { "message": message } }))
}

fn succeeded(lines: impl Iterator<Item = String>) -> Response {
    let lines: Vec<String> =
        lines.take(MOST_LOG_LINES).map(|line| line.chars().take(LONGEST_LOG_LINE).collect()).collect();
    respond(StatusCode::OK, &json!({ "Outputs": {}, "Logs": lines, "ReturnValue": null }))
}

fn failed(id: &InvocationId, status: StatusCode, why: &str) -> Response {
    log::event(id, None, &Event::new(EventName::InvocationFailed, why));
    respond(status, &json!({ "error": { "invocation": id.as_str(), "message": why } }))
}

fn respond(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// The host's id of the call, if it is fit for logs and records, else a random one.
fn id_of(headers: &HeaderMap) -> InvocationId {
    let given = headers.get("x-azure-functions-invocationid").and_then(|value| value.to_str().ok());
    let is_sane = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    match given.filter(is_sane) {
        Some(id) => InvocationId::from(id),
        None => InvocationId::from(azure_core::Uuid::new_v4().to_string()),
    }
}
