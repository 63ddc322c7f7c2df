//! Serves a router over sockets, plain or under TLS, such that a planned fault can break a connection.

use std::convert::Infallible;
use std::io;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use crate::knobs::Broken;

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Server {
    port: u16,
    task: AbortHandle,
}

impl Server {
    /// The port that it listens on, on the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens on a loopback port; 0 takes a free one.
///
/// # Errors
///
/// If the port is taken.
pub async fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).await
}

/// Serves `router` on `listener`, under TLS if there is an acceptor.
///
/// # Errors
///
/// If the listener has no address.
pub fn serve(listener: TcpListener, router: Router, tls: Option<TlsAcceptor>) -> io::Result<Server> {
    let port = listener.local_addr()?.port();
    let task = tokio::spawn(accept(listener, router, tls)).abort_handle();
    Ok(Server { port, task })
}

async fn accept(listener: TcpListener, router: Router, tls: Option<TlsAcceptor>) {
    // Dropped with this task, and the connections with it: a server that stops lets go of its clients.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(stream, router.clone(), tls.clone()));
    }
}

/// One connection. A client that hangs up or does not trust the certificate is no concern of the server.
pub(crate) async fn connection(stream: TcpStream, router: Router, tls: Option<TlsAcceptor>) {
    drop(stream.set_nodelay(true));
    match tls {
        None => exchange(stream, router).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                exchange(stream, router).await;
            }
        }
    }
}

async fn exchange(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let service = service_fn(move |request: Request<Incoming>| answer(router.clone(), request));
    drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

/// The router's answer; an error, which closes the connection, if a fault wants it so.
async fn answer(mut router: Router, request: Request<Incoming>) -> io::Result<Response> {
    let answer: Result<Response, Infallible> = router.call(request.map(Body::new)).await;
    let response = answer.unwrap_or_else(|never| match never {});
    match response.extensions().get::<Broken>() {
        Some(_) => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
        None => Ok(response),
    }
}
