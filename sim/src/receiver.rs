//! Receivers of what the handler sends to others than Azure: alerts to a webhook, heartbeats to a dead man's switch.
//!
//! A receiver keeps everything that it gets and answers 200, unless a fault was planned for it.
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use apim_dr_sim::clock::Clock;
//! use apim_dr_sim::knobs::Fault;
//! use apim_dr_sim::receiver::Receiver;
//!
//! let alerts = Receiver::new(Clock::running(1.0));
//! let listening = alerts.listen(0, None).await?;
//! alerts.next(Fault::status(503).times(2));
//! alerts.next(Fault::lose_reply());
//! // … ALERT_WEBHOOK_URL = listening.url("/hooks/secret") …
//! let bodies: Vec<_> = alerts.deliveries().iter().map(|delivery| delivery.json()).collect();
//! # Ok(()) }
//! ```

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::Value;
use time::OffsetDateTime;

use crate::clock::Clock;
use crate::cloud::distorted;
use crate::knobs::{self, Broken, Fault, Faults};
use crate::serve::{Server, listen, serve};
use crate::tls::Authority;

/// No alert is larger; what is longer is kept as nothing.
const LONGEST_BODY: usize = 1 << 20;

/// One call that a receiver got.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// When, by the receiver's clock.
    pub at: OffsetDateTime,
    /// The HTTP method.
    pub method: String,
    /// The path and the query.
    pub target: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The status of the answer; `None` if the answer was lost.
    pub status: Option<u16>,
}

impl Delivery {
    /// The first value of a header; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// A receiver. Clones share what it got.
#[derive(Clone)]
pub struct Receiver(Arc<Inner>);

struct Inner {
    clock: Clock,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    deliveries: Vec<Delivery>,
    faults: Faults,
}

/// A receiver that listens until this is dropped.
#[derive(Debug)]
pub struct Listening {
    server: Server,
    tls: bool,
}

impl Listening {
    /// The URL of `path`, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        let (scheme, host) = if self.tls { ("https", "localhost") } else { ("http", "127.0.0.1") };
        format!("{scheme}://{host}:{}{path}", self.server.port())
    }
}

impl Receiver {
    /// A receiver that dates what it gets by `clock`.
    pub fn new(clock: Clock) -> Self {
        Self(Arc::new(Inner { clock, kept: Mutex::default() }))
    }

    /// The receiver as a service that needs no socket.
    pub fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(self.clone())
    }

    /// Listens on a loopback port (0 takes a free one), under TLS if there is an authority.
    ///
    /// # Errors
    ///
    /// If the port is taken.
    pub async fn listen(&self, port: u16, authority: Option<&Authority>) -> io::Result<Listening> {
        let tls = authority.map(Authority::acceptor);
        let (listener, under_tls) = (listen(port).await?, tls.is_some());
        Ok(Listening { server: serve(listener, self.router(), tls)?, tls: under_tls })
    }

    /// Queues a fault for the next call: a status, a delay, a lost answer; [`Fault::refuse`] keeps nothing of it.
    pub fn next(&self, fault: Fault) {
        self.kept().faults.plan(knobs::Request::Delivery, None, fault);
    }

    /// Takes all queued faults back.
    pub fn clear_faults(&self) {
        self.kept().faults.clear();
    }

    /// Everything that it got, in order.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.kept().deliveries.clone()
    }

    /// Forgets what it got.
    pub fn clear(&self) {
        self.kept().deliveries.clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(State(receiver): State<Receiver>, request: Request) -> Response {
    let fault = receiver.kept().faults.take(knobs::Request::Delivery, None).unwrap_or_default();
    if let Some(delay) = fault.delay {
        tokio::time::sleep(delay).await;
    }
    let response = distorted(Response::new(Body::empty()), &fault);
    if fault.broken != Some(Broken::BeforeTheWork) {
        let status = fault.broken.is_none().then(|| response.status().as_u16());
        let delivery = read(&receiver.0.clock, request, status).await;
        receiver.kept().deliveries.push(delivery);
    }
    response
}

async fn read(clock: &Clock, request: Request, status: Option<u16>) -> Delivery {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    Delivery {
        at: clock.now(),
        method: parts.method.to_string(),
        target: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: headers.collect(),
        body: to_bytes(body, LONGEST_BODY).await.map(Vec::from).unwrap_or_default(),
        status,
    }
}
