//! One call of the handler, as the host makes it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use http_body_util::StreamBody;
use http_body_util::combinators::BoxBody;
use serde_json::{Map, Value};

use super::envelope;
use super::invocation::{Invocation, Outcome, guid};
use super::outcome::{Answer, Verdict, judge};
use super::process::{Handler, Order};
use super::record::Level;
use super::{Inner, Timing};

/// The host version that the stand-in passes itself off as.
const HOST_VERSION: &str = "4.1037.0.0";

/// How large the pieces of a chunked body are.
const CHUNK: usize = 64 * 1024;

/// How long a handler that broke a connection may take to be gone, if it is going.
const NOTICE: Duration = Duration::from_millis(500);

/// Why an invocation failed.
enum Failure {
    /// The handler answered, and not as the host wants it.
    Answer(String),
    /// It did not answer.
    Transport(String),
}

/// What a function is called with.
pub(super) struct Call {
    pub(super) function: String,
    /// In words for people.
    pub(super) cause: String,
    /// The trigger's value, under the binding's name.
    pub(super) data: Map<String, Value>,
    /// The trigger's metadata without `sys`.
    pub(super) metadata: Map<String, Value>,
}

impl Inner {
    /// Calls the handler and waits for the end of the invocation.
    pub(super) async fn invoke(self: &Arc<Self>, call: Call) -> Invocation {
        let pid = match self.await_handler().await {
            Ok(pid) => pid,
            Err(why) => return self.not_invoked(&call.function, &call.cause, why),
        };
        let _running = Running::begin(self);
        let (id, begun, started) = (guid(), self.clock.now(), Instant::now());
        let post = self.post(&call, &id);
        let outcome = match tokio::time::timeout(self.timing.function_timeout, post).await {
            Ok(Ok(logs)) => Outcome::Succeeded { logs },
            Ok(Err(Failure::Answer(reason))) => Outcome::Failed { reason },
            Ok(Err(Failure::Transport(reason))) => {
                self.notice_end(pid).await;
                Outcome::Failed { reason }
            }
            Err(_) => {
                self.kill_after_grace(pid);
                Outcome::Failed { reason: self.timing.exceeded(&call.function) }
            }
        };
        self.log_outcome(&call.function, &outcome);
        let Call { function, cause, .. } = call;
        let invocation = Invocation { function, id, cause, begun, outcome, duration: started.elapsed() };
        self.record.invocation(&invocation);
        invocation
    }

    /// An invocation that never reached the handler.
    pub(super) fn not_invoked(&self, function: &str, cause: &str, reason: impl Into<String>) -> Invocation {
        let invocation = Invocation {
            function: function.to_owned(),
            id: String::new(),
            cause: cause.to_owned(),
            begun: self.clock.now(),
            outcome: Outcome::NotInvoked { reason: reason.into() },
            duration: Duration::ZERO,
        };
        self.record.invocation(&invocation);
        invocation
    }

    /// Posts the envelope and judges the answer. The `Logs` of a success, or the failure.
    async fn post(&self, call: &Call, id: &str) -> Result<Vec<String>, Failure> {
        let url = format!("http://127.0.0.1:{}/{}", self.port, call.function);
        let body = envelope::seal(call, self.clock.now());
        let request = self
            .http
            .post(url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))
            .header(USER_AGENT, format!("Azure-Functions-Host/{HOST_VERSION}"))
            .header("X-Azure-Functions-HostVersion", HOST_VERSION)
            .header("X-Azure-Functions-InvocationId", id)
            .body(reqwest::Body::wrap(chunked(body)));
        let answer = async {
            let response = request.send().await?;
            let content_type = response.headers().get(CONTENT_TYPE);
            let content_type =
                content_type.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
            Ok(Answer { status: response.status(), content_type, body: response.bytes().await?.to_vec() })
        };
        let answer = answer.await.map_err(|error| Failure::Transport(self.describe(&error)))?;
        match judge(&answer) {
            Verdict::Succeeded(logs) => Ok(logs),
            Verdict::Failed(reason) => Err(Failure::Answer(reason)),
            Verdict::Hangs => std::future::pending().await,
        }
    }

    fn describe(&self, error: &reqwest::Error) -> String {
        match error.is_connect() {
            true => format!("Connection refused (127.0.0.1:{})", self.port),
            false => "The response ended prematurely.".to_owned(),
        }
    }

    /// A connection breaks a moment before the process is seen to be gone. Who asks for the next call must
    /// find the host aware of it.
    async fn notice_end(&self, pid: Option<u32>) {
        let Some(pid) = pid else { return };
        let mut handler = self.handler.subscribe();
        let noticed = handler.wait_for(|state| *state != Handler::Ready(pid));
        let _ = tokio::time::timeout(NOTICE, noticed).await;
    }

    /// A timeout ends the whole process, and every other invocation in it.
    fn kill_after_grace(self: &Arc<Self>, pid: Option<u32>) {
        let (orders, grace) = (self.orders.clone(), self.timing.timeout_grace);
        tokio::spawn(async move {
            tokio::time::sleep(grace).await;
            let _ = pid.map(|pid| orders.send(Order::KillTimedOut(pid)));
        });
    }

    fn log_outcome(&self, function: &str, outcome: &Outcome) {
        match outcome {
            Outcome::Succeeded { logs } => {
                let category = format!("Function.{function}.User");
                logs.iter().for_each(|log| self.record.line(&category, Level::Information, log.as_str()));
            }
            Outcome::Failed { reason } => {
                let text = format!("Exception while executing function: Functions.{function}. {reason}");
                self.record.host_line(Level::Error, text);
            }
            Outcome::NotInvoked { .. } => {}
        }
    }
}

impl Timing {
    fn exceeded(&self, function: &str) -> String {
        let timeout = self.function_timeout;
        format!("Timeout value of {timeout:?} was exceeded by function: Functions.{function}.")
    }
}

/// A body whose length nobody says beforehand, so that it goes out in chunks.
fn chunked(body: Vec<u8>) -> BoxBody<Bytes, Infallible> {
    let body = Bytes::from(body);
    let pieces = (0..body.len()).step_by(CHUNK).map(move |at| {
        let end = body.len().min(at + CHUNK);
        Ok::<_, Infallible>(http_body::Frame::data(body.slice(at..end)))
    });
    BoxBody::new(StreamBody::new(futures::stream::iter(pieces.collect::<Vec<_>>())))
}

/// An invocation that a stopping host waits for.
struct Running(Arc<Inner>);

impl Running {
    fn begin(inner: &Arc<Inner>) -> Self {
        inner.in_flight.send_modify(|count| *count += 1);
        Self(inner.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.in_flight.send_modify(|count| *count -= 1);
    }
}
