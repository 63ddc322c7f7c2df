//! A request on its way, and its answer, in the words of the wire.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body as AzureBody, Request};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use time::OffsetDateTime;
use tower_service::Service as _;

use crate::plan::{Doing, Realm, SERVICES};
use crate::secrets;

/// Where Resource Manager is.
pub(crate) const ARM: &str = "https://management.azure.com";
/// Where Entra is.
pub(crate) const ENTRA: &str = "https://login.microsoftonline.com";
/// Where alerts go.
pub(crate) const ALERTS: &str = "https://alerts.contoso.example";
/// What hears of ticks.
pub(crate) const HEARTBEAT: &str = "https://heartbeat.contoso.example";
/// The storage account.
pub(crate) const ACCOUNT: &str = "contosobackups";
/// Where it is.
pub(crate) const STORAGE: &str = "https://contosobackups.blob.core.windows.net";
/// Where backups lie.
pub(crate) const BACKUPS: &str = "apim-backups";
/// Where records lie.
pub(crate) const STATE: &str = "apim-dr";

/// Backup or restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Backup,
    Restore,
}

/// What a request is about. Services are numbers in [`SERVICES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum About {
    Tokens,
    /// The service itself is read.
    Service(usize),
    Post(usize, Verb),
    Poll(usize),
    /// Something of what a service holds is read.
    Content(usize),
    /// The Traffic Manager profile is read.
    Profile,
    /// Anything else of Resource Manager's.
    Arm,
    Blob {
        container: String,
        blob: String,
    },
    /// A container itself, or a list of what it holds.
    Container(String),
    /// Whoever takes alerts or heartbeats.
    Receiver,
    /// An address that nobody in this world has.
    Elsewhere,
}

impl About {
    /// Who answers; `None` if nobody does.
    pub(crate) fn realm(&self) -> Option<Realm> {
        match self {
            Self::Tokens => Some(Realm::Tokens),
            Self::Service(_) | Self::Post(..) | Self::Poll(_) | Self::Content(_) => Some(Realm::Arm),
            Self::Profile | Self::Arm => Some(Realm::Arm),
            Self::Blob { .. } | Self::Container(_) => Some(Realm::Storage),
            Self::Receiver => Some(Realm::Receivers),
            Self::Elsewhere => None,
        }
    }

    /// The service that it is about, if Resource Manager is asked about one.
    pub(crate) fn service(&self) -> Option<usize> {
        match self {
            Self::Service(service) | Self::Post(service, _) => Some(*service),
            Self::Poll(service) | Self::Content(service) => Some(*service),
            _ => None,
        }
    }

    /// The blob's name, if it lies in this container.
    pub(crate) fn blob_in(&self, wanted: &str) -> Option<&str> {
        match self {
            Self::Blob { container, blob } if container == wanted => Some(blob),
            _ => None,
        }
    }

    /// The service whose record it is about.
    pub(crate) fn record(&self) -> Option<usize> {
        let name = self.blob_in(STATE)?.strip_prefix("services/")?.strip_suffix(".json")?;
        SERVICES.iter().position(|(known, _)| *known == name)
    }
}

/// The blob that holds the record of a service.
pub(crate) fn record_of(service: usize) -> String {
    format!("services/{}.json", SERVICES[service].0)
}

/// A request as it leaves a process.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// When it was made.
    pub(crate) at: OffsetDateTime,
    pub(crate) about: About,
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Sent {
    pub(crate) fn read(request: &Request, at: OffsetDateTime) -> Self {
        let url = request.url();
        let path = url.path().trim_start_matches('/');
        let about = match url.origin().ascii_serialization().as_str() {
            ARM => about_arm(path),
            ENTRA => About::Tokens,
            STORAGE => about_storage(path),
            ALERTS | HEARTBEAT => About::Receiver,
            _ => About::Elsewhere,
        };
        let mut headers = HeaderMap::new();
        for (name, value) in request.headers().iter() {
            let name = HeaderName::try_from(name.as_str());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value.as_str())) {
                headers.insert(name, value);
            }
        }
        let body = match request.body() {
            AzureBody::Bytes(bytes) => bytes.clone(),
            _ => Bytes::new(),
        };
        let method = request.method().as_str().parse().unwrap_or(Method::GET);
        Self { at, about, method, url: url.to_string(), headers, body }
    }

    /// Whether it changes something where it goes.
    pub(crate) fn writes(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD)
    }

    /// The blob of the backup that it asks for; empty if it asks for none.
    pub(crate) fn backup(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["backupName"].as_str().unwrap_or_default().to_owned()
    }

    /// The service whose record it reads, if it reads one.
    pub(crate) fn reads_record(&self) -> Option<usize> {
        self.about.record().filter(|_| !self.writes())
    }

    /// What it does, as far as the weather is concerned.
    pub(crate) fn doing(&self) -> Doing {
        match self.about {
            About::Post(..) => Doing::Posting,
            _ if self.writes() => Doing::Writing,
            _ => Doing::Asking,
        }
    }

    /// A header's value, empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Hands it to a server in this process.
    pub(crate) async fn through(&self, mut server: axum::Router) -> Answer {
        let mut request = axum::http::Request::new(Body::from(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.url.parse::<Uri>().unwrap_or_default();
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert("content-length", self.body.len().into());
        let Ok(response) = server.call(request).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        Answer { status: head.status, headers: head.headers, body }.with_signed_location()
    }
}

fn about_arm(path: &str) -> About {
    let lower = path.to_lowercase();
    if lower.contains("/providers/microsoft.network/trafficmanagerprofiles/") {
        return About::Profile;
    }
    let Some((_, below)) = lower.split_once("/providers/microsoft.apimanagement/service/") else {
        return About::Arm;
    };
    let (name, rest) = below.split_once('/').unwrap_or((below, ""));
    let Some(service) = SERVICES.iter().position(|(known, _)| *known == name) else { return About::Arm };
    match rest {
        "" => About::Service(service),
        "backup" => About::Post(service, Verb::Backup),
        "restore" => About::Post(service, Verb::Restore),
        rest if rest.starts_with("operationresults/") => About::Poll(service),
        _ => About::Content(service),
    }
}

fn about_storage(path: &str) -> About {
    // The names of these worlds need no other decoding.
    let path = path.replace("%2F", "/");
    match path.split_once('/') {
        Some((container, blob)) if !blob.is_empty() => {
            About::Blob { container: container.to_owned(), blob: blob.to_owned() }
        }
        _ => About::Container(path.trim_end_matches('/').to_owned()),
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// An answer without headers of its own.
    pub(crate) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: HeaderMap::new(), body: body.into() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// A header's value, empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Other providers' result URLs carry a signature; in these worlds API Management's do too.
    fn with_signed_location(self) -> Self {
        let location = self.header("location").to_owned();
        match location.contains("/operationresults/") {
            true => self.with("location", &format!("{location}&{}", secrets::signature())),
            false => self,
        }
    }

    pub(crate) fn into_azure(self) -> AsyncRawResponse {
        let (status, headers) = (self.status.as_u16().into(), self.azure_headers());
        AsyncRawResponse::from_bytes(status, headers, self.body)
    }

    /// The body ends in an error after so many bytes.
    pub(crate) fn into_truncated(self, after: usize) -> AsyncRawResponse {
        let (status, headers) = (self.status.as_u16().into(), self.azure_headers());
        let begins = self.body.slice(..after.min(self.body.len()));
        let breaks = azure_core::Error::with_message(azure_core::error::ErrorKind::Io, "the body broke off");
        let chunks = vec![Ok(begins), Err(breaks)];
        AsyncRawResponse::new(status, headers, Box::pin(futures::stream::iter(chunks)))
    }

    fn azure_headers(&self) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in &self.headers {
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        headers
    }
}
