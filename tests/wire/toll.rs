//! A toll before everything that the handler asks: every request is told from the others by its words and by how
//! many of the same words came before it, and at one of them the handler is killed.

use std::sync::{Arc, Mutex, MutexGuard};

use apim_dr_sim::knobs::Broken;
use apim_dr_sim::simulation::Between;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tokio::sync::{mpsc, oneshot};

use crate::gate::Order;

/// When the handler is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kill {
    /// Nothing is done.
    Before,
    /// It is done, and the handler does not hear of it.
    After,
}

/// One request of a cycle: its words, and how many of the same words came before it.
pub(crate) type Place = (String, usize);

/// Counts requests, and kills at one of them.
#[derive(Clone)]
pub(crate) struct Toll(Arc<Shared>);

struct Shared {
    plan: Option<(Place, Kill)>,
    orders: mpsc::UnboundedSender<Order>,
    passed: Mutex<Vec<String>>,
}

impl Toll {
    /// With this plan. Orders to kill come out of the receiver.
    pub(crate) fn new(plan: Option<(Place, Kill)>) -> (Self, mpsc::UnboundedReceiver<Order>) {
        let (orders, received) = mpsc::unbounded_channel();
        (Self(Arc::new(Shared { plan, orders, passed: Mutex::default() })), received)
    }

    /// What stands before every server.
    pub(crate) fn between(&self) -> Between {
        let toll = self.clone();
        Between::new(move |router| toll.before(router))
    }

    /// What stands before this one.
    pub(crate) fn before(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), pass))
    }

    /// Every place that was passed, in order.
    pub(crate) fn places(&self) -> Vec<Place> {
        let passed = self.passed();
        let place = |(number, words): (usize, &String)| (words.clone(), count(&passed[..number], words));
        passed.iter().enumerate().map(place).collect()
    }

    fn passed(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.passed.lock().unwrap()
    }

    /// What happens to the request that is noted hereby.
    fn note(&self, words: String) -> Option<Kill> {
        let mut passed = self.passed();
        let place = (words.clone(), count(&passed, &words));
        passed.push(words);
        self.0.plan.as_ref().filter(|(planned, _)| *planned == place).map(|(_, kill)| *kill)
    }

    async fn kill(&self) {
        let (done, ended) = oneshot::channel();
        self.0.orders.send(done).unwrap();
        // The connection ends with the handler, and this call may end with the connection.
        let _ = ended.await;
    }
}

fn count(passed: &[String], words: &str) -> usize {
    passed.iter().filter(|passed| *passed == words).count()
}

async fn pass(State(toll): State<Toll>, request: Request, next: Next) -> Response {
    match in_words(&request).and_then(|words| toll.note(words)) {
        None => next.run(request).await,
        Some(Kill::Before) => {
            toll.kill().await;
            lost()
        }
        Some(Kill::After) => {
            drop(next.run(request).await);
            toll.kill().await;
            lost()
        }
    }
}

/// The server closes the connection.
fn lost() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Broken::AfterTheWork);
    response
}

/// What the handler asks for; none if it is somebody else who asks. Writes of storage are the gate's.
fn in_words(request: &Request) -> Option<String> {
    let path = request.uri().path().replace("%2F", "/");
    let query = request.uri().query().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let service = path.split('/').skip_while(|part| *part != "service").nth(1);
    if let Some(service) = service {
        let what = if path.contains("/operationresults/") { "poll" } else { last };
        return Some(format!("{} {what} of {service}", request.method()));
    }
    if path.contains("/msi/") {
        let storage = query.contains("storage.azure.com");
        return Some(if storage { "a token for storage" } else { "a token for management" }.to_owned());
    }
    if ["/providers/", "/alerts", "/beat"].iter().any(|part| path.contains(part)) {
        return Some(format!("{} {last}", request.method()));
    }
    // The host and the simulated services use storage too, by clients that do not name themselves.
    let by_handler = request.headers().contains_key("user-agent");
    let reads = matches!(request.method().as_str(), "GET" | "HEAD" | "DELETE");
    // The time in a name is that of the run.
    let folder = path.rsplit('/').nth(1).unwrap_or_default();
    let name = last.rsplit_once('Z').map_or(last, |(_, kind)| kind);
    let what = if query.contains("comp=list") { "a list".to_owned() } else { format!("{folder}/{name}") };
    (by_handler && reads).then(|| format!("{} {what}", request.method()))
}
