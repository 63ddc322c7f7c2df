//! How requests leave the process.
//!
//! No redirect is followed, because a token must not travel to an address that nobody configured. No proxy
//! of the environment is used: the identity endpoint and the storage emulator speak plain http, and their
//! secrets would travel to that proxy. Errors never hold a URL, since a URL may hold a signature.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, AsyncResponseBody, Body, HttpClient, Method, Request};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use reqwest::tls::Certificate;
use rustls::pki_types::CertificateDer;

/// One try of one request: a peer that has said nothing for this long is taken for dead.
pub(super) const LONGEST_TRY: Duration = Duration::from_secs(30);

/// Setting up a connection, TLS included, takes well under a second between regions.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

/// Idle connections are dropped by Azure's load balancers after 4 min; ours go before.
const LONGEST_IDLE: Duration = Duration::from_secs(90);

/// A client that trusts `authorities`, or the system's if there are none.
///
/// # Errors
/// When the system's authorities cannot be loaded.
pub(super) fn connect(
    authorities: Option<&[CertificateDer<'static>]>,
) -> Result<Arc<dyn HttpClient>, String> {
    // The second of two calls finds the provider installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .connect_timeout(LONGEST_CONNECT)
        .pool_idle_timeout(LONGEST_IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy();
    if let Some(authorities) = authorities {
        let authorities: Result<Vec<_>, _> =
            authorities.iter().map(|authority| Certificate::from_der(authority)).collect();
        builder = builder.tls_certs_only(authorities.map_err(unloadable)?);
    }
    let client = builder.build().map_err(unloadable)?;
    Ok(Arc::new(Wire(client)))
}

fn unloadable(error: reqwest::Error) -> String {
    format!("the certificates to trust cannot be loaded: {}", describe(error.without_url()))
}

/// reqwest behind the SDK's trait, with errors that keep their cause and lose their URL.
#[derive(Debug)]
struct Wire(reqwest::Client);

#[async_trait]
impl HttpClient for Wire {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let answer = self.0.execute(outgoing(&self.0, request)?).await.map_err(trouble)?;
        let status = answer.status().as_u16().into();
        let mut headers = Headers::new();
        for (name, value) in answer.headers() {
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        let body = Box::pin(answer.bytes_stream().map_err(trouble));
        Ok(AsyncRawResponse::new(status, headers, body))
    }
}

fn outgoing(client: &reqwest::Client, request: &Request) -> azure_core::Result<reqwest::Request> {
    let method = match request.method() {
        Method::Delete => reqwest::Method::DELETE,
        Method::Get => reqwest::Method::GET,
        Method::Head => reqwest::Method::HEAD,
        Method::Patch => reqwest::Method::PATCH,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        other => return Err(Error::with_message(ErrorKind::Other, format!("{other} is not sent"))),
    };
    let Body::Bytes(body) = request.body() else {
        return Err(Error::with_message(ErrorKind::Other, "only bodies in memory are sent"));
    };
    let mut outgoing = client.request(method, request.url().clone()).body(body.clone());
    for (name, value) in request.headers().iter() {
        outgoing = outgoing.header(name.as_str(), value.as_str());
    }
    outgoing.build().map_err(trouble)
}

/// `Connection` promises that nothing was sent; the retry policy relies on it.
fn trouble(error: reqwest::Error) -> Error {
    let kind = match &error {
        error if error.is_connect() => ErrorKind::Connection,
        error if error.is_builder() => ErrorKind::Other,
        _ => ErrorKind::Io,
    };
    Error::with_message(kind, describe(error.without_url()))
}

/// The error and its causes in one line.
fn describe(error: reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// Any client, held to a time and a size: each try ends within [`LONGEST_TRY`], its body read.
pub(super) struct Bounded {
    inner: Arc<dyn HttpClient>,
    largest_body: usize,
}

impl Bounded {
    /// Bodies larger than `largest_body` bytes are not taken in.
    pub(super) fn new(inner: Arc<dyn HttpClient>, largest_body: usize) -> Self {
        Self { inner, largest_body }
    }

    /// The status and headers count as soon as they are there.
    async fn exchange(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let began = tokio::time::Instant::now();
        let answer = tokio::time::timeout(LONGEST_TRY, self.inner.execute_request(request)).await;
        let (status, headers, body) = answer.unwrap_or_else(|_| Err(silence()))?.deconstruct();
        let left = LONGEST_TRY.saturating_sub(began.elapsed());
        let body = tokio::time::timeout(left, self.collect(body)).await.unwrap_or_else(|_| Err(silence()));
        match body {
            Ok(body) => Ok(AsyncRawResponse::from_bytes(status, headers, body)),
            // What a write did stands in its status and headers; losing them would leave it unknown.
            Err(_) if is_write(request.method()) => {
                Ok(AsyncRawResponse::from_bytes(status, headers, Bytes::new()))
            }
            Err(error) => Err(error),
        }
    }

    async fn collect(&self, mut body: AsyncResponseBody) -> azure_core::Result<Bytes> {
        let mut bytes = BytesMut::new();
        while let Some(chunk) = body.try_next().await? {
            if bytes.len() + chunk.len() > self.largest_body {
                return Err(Error::new(ErrorKind::Other, TooLarge(self.largest_body)));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    }
}

/// The answer has more bytes than are taken in.
#[derive(Debug)]
pub(super) struct TooLarge(usize);

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer is larger than {} bytes", self.0)
    }
}

impl std::error::Error for TooLarge {}

/// Whether a request changes something.
pub(super) fn is_write(method: Method) -> bool {
    !matches!(method, Method::Get | Method::Head)
}

fn silence() -> Error {
    Error::with_message(ErrorKind::Io, format!("no answer within {} s", LONGEST_TRY.as_secs()))
}

impl fmt::Debug for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bounded").field("largest_body", &self.largest_body).finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for Bounded {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.exchange(request).await
    }
}
