//! A gate before the blobs: every write of the handler passes it, and at one of them something happens.

use std::sync::{Arc, Mutex, MutexGuard};

use apim_dr_sim::blobs::Blobs;
use apim_dr_sim::clock::Clock;
use apim_dr_sim::knobs::Broken;
use apim_dr_sim::serve::{Server, listen, serve};
use apim_dr_sim::storage::Account;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::world::START;

/// What happens at a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// The handler is killed, and nothing is written.
    KillBefore,
    /// It is written, and the handler is killed before it hears of it.
    KillAfter,
    /// It is refused with this status and this code of storage's.
    Refuse(u16, &'static str),
    /// It is written, and the answer is lost.
    LoseReply,
    /// It never arrives.
    LoseRequest,
}

/// Which writes it happens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// The one of these words that comes after so many others of the same words.
    One(String, usize),
    /// Every second one of the same words, beginning with the first; those that make containers pass.
    EverySecond,
    /// The same of those writes alone that replace a version.
    EverySecondUpdate,
}

/// An order to kill the handler; the sender wants to know when it has ended.
pub(crate) type Order = oneshot::Sender<()>;

/// Blobs of the simulator behind a gate.
pub(crate) struct Gate {
    pub(crate) account: Account,
    shared: Arc<Shared>,
    _server: Server,
}

struct Shared {
    plan: Option<(At, Act)>,
    orders: mpsc::UnboundedSender<Order>,
    writes: Mutex<Vec<String>>,
}

impl Gate {
    /// Listens, with this plan. Orders to kill come out of the receiver. The clock of these blobs stands still
    /// and falls behind the host's: what is compared across the two is found out.
    pub(crate) async fn open(plan: Option<(At, Act)>) -> (Self, mpsc::UnboundedReceiver<Order>) {
        let listener = listen(0).await.unwrap();
        let account = Account::emulator(listener.local_addr().unwrap().port());
        let blobs = Blobs::with(account.clone(), Clock::manual(START), None);
        let (orders, received) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared { plan, orders, writes: Mutex::default() });
        let router = blobs.router().layer(from_fn_with_state(shared.clone(), pass));
        let _server = serve(listener, router, None).unwrap();
        (Self { account, shared, _server }, received)
    }

    /// Every write that came to the gate, in words.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.shared.writes().clone()
    }

    /// The place of every write that came to the gate, but of those that keep the answer to a poll only the
    /// first: whether the next one comes in the same minute hangs on milliseconds.
    pub(crate) fn places(&self) -> Vec<At> {
        let writes = self.writes();
        let place = |(number, words): (usize, &String)| (words.clone(), count(&writes[..number], words));
        let places = writes.iter().enumerate().map(place);
        let steady = places.filter(|(words, earlier)| *earlier == 0 || !words.ends_with("running"));
        steady.map(|(words, earlier)| At::One(words, earlier)).collect()
    }
}

/// Containers' names have no ending.
fn is_blob(write: &str) -> bool {
    write.contains('.')
}

fn count(writes: &[String], words: &str) -> usize {
    writes.iter().filter(|write| *write == words).count()
}

impl Shared {
    fn writes(&self) -> MutexGuard<'_, Vec<String>> {
        self.writes.lock().unwrap()
    }

    /// What happens to the write that is noted hereby, and that replaces a version or makes a new blob.
    fn note(&self, write: String, updates: bool) -> Option<Act> {
        let mut writes = self.writes();
        let meets = |at: &At| match at {
            At::One(words, earlier) => write == *words && count(&writes, words) == *earlier,
            At::EverySecondUpdate if !updates => false,
            At::EverySecond | At::EverySecondUpdate => {
                is_blob(&write) && count(&writes, &write).is_multiple_of(2)
            }
        };
        let act = self.plan.as_ref().filter(|(at, _)| meets(at)).map(|(_, act)| *act);
        writes.push(write);
        act
    }

    async fn kill(&self) {
        let (done, ended) = oneshot::channel();
        self.orders.send(done).unwrap();
        // The connection ends with the handler, and this call may end with the connection.
        let _ = ended.await;
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    // The host and the simulated services write too, by clients that do not name themselves.
    let by_handler = request.headers().contains_key("user-agent");
    if request.method() != Method::PUT || !by_handler {
        return next.run(request).await;
    }
    let path = request.uri().path().to_owned();
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return lost() };
    let act = shared.note(in_words(&path, &body), head.headers.contains_key("if-match"));
    let request = Request::from_parts(head, Body::from(body));
    match act {
        None => next.run(request).await,
        Some(Act::KillBefore) => {
            shared.kill().await;
            lost()
        }
        Some(Act::KillAfter) => {
            drop(next.run(request).await);
            shared.kill().await;
            lost()
        }
        Some(Act::Refuse(status, code)) => refused(status, code),
        Some(Act::LoseReply) => {
            drop(next.run(request).await);
            lost()
        }
        Some(Act::LoseRequest) => lost(),
    }
}

/// A record by its service, operation and phase; anything else by its name.
pub(crate) fn in_words(path: &str, body: &[u8]) -> String {
    let path = path.replace("%2F", "/");
    let name = path.rsplit('/').next().unwrap_or_default();
    let record: Value = serde_json::from_slice(body).unwrap_or_default();
    match (record["operation"]["kind"].as_str(), record["operation"]["phase"]["phase"].as_str()) {
        (Some(kind), Some(phase)) => format!("{name} {kind} {phase}"),
        (Some(kind), None) => format!("{name} {kind}"),
        // The name of a part holds the invocation that wrote it.
        (None, _) if path.contains("/partial/") => "part".to_owned(),
        // The time in a name is that of the run.
        (None, _) => name.rsplit_once('Z').map_or(name, |(_, kind)| kind).to_owned(),
    }
}

fn refused(status: u16, code: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>By the gate.</Message></Error>"
    );
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.headers_mut().insert("x-ms-error-code", code.parse().unwrap());
    response.headers_mut().insert("content-type", "application/xml".parse().unwrap());
    response
}

/// The server closes the connection.
pub(crate) fn lost() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Broken::AfterTheWork);
    response
}
