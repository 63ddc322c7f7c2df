//! A toll before everything that the handler asks: every request is told from the others by its words and by how
//! many of the same words came before it, and at one of them the handler is killed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use apim_dr_sim::serve::{Server, listen, serve};
use apim_dr_sim::simulation::Between;
use apim_dr_sim::storage::Account;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use reqwest::Client;
use tokio::sync::{mpsc, oneshot};

use crate::gate::{self, Order, lost};
use crate::support::azurite::Azurite;

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

    /// An account of Azurite's that nobody else uses, behind the toll.
    pub(crate) async fn before_an_account(&self, azurite: &Azurite) -> Tolled {
        static TAKEN: AtomicUsize = AtomicUsize::new(0);
        // It may be there already, from another story of this process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Account { name, key, endpoint } = azurite.account().clone();
        let origin = endpoint.replace(&format!("/{name}"), "");
        let forwarding = Router::new().fallback(forward).with_state((Client::new(), origin));
        let listener = listen(0).await.unwrap();
        let name = format!("story{}", TAKEN.fetch_add(1, Ordering::Relaxed));
        let endpoint = format!("http://{}/{name}", listener.local_addr().unwrap());
        let _server = serve(listener, self.before(forwarding), None).unwrap();
        Tolled { account: Account { name, key, endpoint }, _server }
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

/// An account that is reached through a toll alone.
pub(crate) struct Tolled {
    pub(crate) account: Account,
    _server: Server,
}

async fn forward(State((client, origin)): State<(Client, String)>, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    head.headers.remove("host");
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let request = client.request(head.method, format!("{origin}{target}")).headers(head.headers);
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let Ok(answer) = request.body(body).send().await else { return lost() };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove("transfer-encoding");
    let mut response = Response::new(Body::from(answer.bytes().await.unwrap()));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response
}

fn count(passed: &[String], words: &str) -> usize {
    passed.iter().filter(|passed| *passed == words).count()
}

async fn pass(State(toll): State<Toll>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return lost() };
    let words = in_words(&head, &body);
    let request = Request::from_parts(head, Body::from(body));
    match words.and_then(|words| toll.note(words)) {
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

/// What the handler asks for; none if it is somebody else who asks.
fn in_words(request: &Parts, body: &[u8]) -> Option<String> {
    let path = request.uri.path().replace("%2F", "/");
    let query = request.uri.query().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let service = path.split('/').skip_while(|part| *part != "service").nth(1);
    if let Some(service) = service {
        // What a service holds is read in dozens of lists, at once and in no order that lasts.
        let what = match last {
            _ if path.contains("/operationresults/") => "poll",
            "backup" | "restore" => last,
            _ if last == service => "service",
            _ => "content",
        };
        return Some(format!("{} {what} of {service}", request.method));
    }
    if path.contains("/msi/") {
        let storage = query.contains("storage.azure.com");
        return Some(if storage { "a token for storage" } else { "a token for management" }.to_owned());
    }
    if ["/providers/", "/alerts", "/beat"].iter().any(|part| path.contains(part)) {
        return Some(format!("{} {last}", request.method));
    }
    // The host and the simulated services use storage too, by clients that do not name themselves.
    let by_handler = request.headers.contains_key("user-agent");
    // The time in a name is that of the run.
    let folder = path.rsplit('/').nth(1).unwrap_or_default();
    let name = last.rsplit_once('Z').map_or(last, |(_, kind)| kind);
    if by_handler && request.method == Method::PUT {
        return Some(format!("PUT {}", gate::in_words(&path, body)));
    }
    let what = match query.contains("comp=list") {
        true => "a list".to_owned(),
        // An invocation's id is part of the names there.
        false if path.contains("/partial/") => "a part of an inventory".to_owned(),
        false => format!("{folder}/{name}"),
    };
    by_handler.then(|| format!("{} {what}", request.method))
}
