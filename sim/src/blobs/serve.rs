//! From an HTTP request to the answer: read, fail on demand, authorise, do, write down.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::faults::{Entry, Fault};
use super::reply::{Outcome, Refusal, Reply};
use super::request::{Operation, Request};
use super::{Blobs, auth, containers, leases, listing, reads, writes};
use crate::storage::Account;

/// An account that listens on a port of this machine until this is dropped.
pub struct Serving {
    /// The account with the endpoint that it is reached at.
    pub account: Account,
    task: JoinHandle<std::io::Result<()>>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Blobs {
    /// Listens on `127.0.0.1:port` over plain http; port 0 takes a free one.
    ///
    /// # Errors
    /// When the port can not be had.
    pub async fn serve(&self, port: u16) -> std::io::Result<Serving> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let path = path_of(&self.account().endpoint);
        let endpoint = format!("http://{}{path}", listener.local_addr()?);
        let account = Account { endpoint, ..self.account().clone() };
        let router = self.router();
        let task = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Serving { account, task })
    }
}

/// Stands among the extensions of a response that must not reach its caller: a transport in process that
/// does not read bodies can tell a broken connection by it.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLost;

/// The path of an endpoint, without a slash at its end.
pub(super) fn path_of(endpoint: &str) -> &str {
    let after_scheme = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    after_scheme.find('/').map_or("", |slash| after_scheme[slash..].trim_end_matches('/'))
}

pub(super) async fn answer(State(blobs): State<Blobs>, request: axum::extract::Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return connection_lost();
    };
    let request = Request::read(path_of(&blobs.account().endpoint), head, body.to_bytes());
    let fault = blobs.faults().take(&request.method, &request.name());
    match &fault {
        Some(Fault::Delay(delay)) => tokio::time::sleep(*delay).await,
        Some(Fault::DropRequest) => return connection_lost(),
        _ => {}
    }
    let outcome = match fault {
        Some(Fault::Refuse(status, code)) => Err(Refusal::new(status, code, "Injected by the simulator.")),
        _ => perform(&blobs, &request),
    };
    let reply = finish(&blobs, &request, outcome);
    if fault == Some(Fault::DropReply) { connection_lost() } else { reply }
}

/// Over a socket hyper closes the connection when a body fails before anything of the answer left; in
/// process, reading the body fails.
fn connection_lost() -> Response {
    let lost = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "dropped by the simulator");
    let body = Body::from_stream(futures::stream::once(async move { Err::<Bytes, _>(lost) }));
    let mut response = Response::new(body);
    response.extensions_mut().insert(ConnectionLost);
    response
}

fn perform(blobs: &Blobs, request: &Request) -> Outcome {
    auth::check(blobs, request)?;
    let operation = request.operation()?;
    let now = blobs.0.clock.now();
    let (guards, store) = (blobs.guards().clone(), &mut *blobs.store());
    guards.allow(operation, request, store)?;
    match operation {
        Operation::CreateContainer => containers::create(store, request, now),
        Operation::ContainerProperties => {
            containers::properties(store, request, guards.keep(&request.container))
        }
        Operation::DeleteContainer => containers::delete(store, request),
        Operation::ListBlobs => {
            listing::list(store, request, &listing::Context { endpoint: &blobs.account().endpoint, now })
        }
        Operation::GetBlob => reads::get(store, request, now),
        Operation::BlobProperties => reads::properties(store, request, now),
        Operation::PutBlob => writes::put(store, request, now),
        Operation::PutBlock => writes::put_block(store, request, now),
        Operation::PutBlockList => writes::put_block_list(store, request, now),
        Operation::SetMetadata => writes::set_metadata(store, request, now),
        Operation::DeleteBlob => writes::delete(store, request, now),
        Operation::Lease => leases::apply(store, request, now),
    }
}

fn finish(blobs: &Blobs, request: &Request, outcome: Outcome) -> Response {
    let reply = outcome.unwrap_or_else(|refusal| Reply::from_refusal(&refusal, request));
    let mut faults = blobs.faults();
    faults.journal.push(Entry {
        method: request.method.clone(),
        name: request.name(),
        comp: request.parameter("comp").to_owned(),
        status: reply.status,
    });
    reply.into_response(request, faults.journal.len(), blobs.0.clock.now())
}

/// Whether an answer with this status to this method carries a body.
pub(super) fn carries_body(method: &Method, status: StatusCode) -> bool {
    method != Method::HEAD && status != StatusCode::NOT_MODIFIED
}
