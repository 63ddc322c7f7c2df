//! One call to storage: put together, signed, sent.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::BodyExt as _;
use time::OffsetDateTime;
use time::format_description::FormatItem;
use time::macros::format_description;
use tower_service::Service as _;

use super::{Access, Result, StorageClient, StorageError, Transport, text};
use crate::blobs::shared_key;
use crate::blobs::uri::{encode_path, encode_query};

/// A service version that both Azurite 3.35 and Azure know.
const VERSION: &str = "2023-11-03";

const HTTP_DATE: &[FormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// A request before it is signed.
#[derive(Debug)]
pub struct Call {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Call {
    /// A call on `path` below the account: a container, or a container and a blob, not yet encoded.
    pub fn new(method: Method, path: &str) -> Self {
        Self { method, path: path.to_owned(), query: Vec::new(), headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a query parameter; an empty value is left out, which means the same to storage.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.query.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds user metadata as headers.
    pub fn metadata(self, metadata: &[(&str, &str)]) -> Self {
        metadata.iter().fold(self, |call, (name, value)| call.header(&format!("x-ms-meta-{name}"), value))
    }

    /// Sets the body.
    pub fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    fn url(&self, endpoint: &str) -> String {
        let pairs = self.query.iter().map(|(name, value)| format!("{name}={}", encode_query(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{endpoint}/{}{mark}{query}", encode_path(&self.path))
    }

    fn header_map(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        let own = [("x-ms-date", http_date(now())), ("x-ms-version", VERSION.to_owned())];
        let own = own.iter().map(|(name, value)| (*name, value));
        let given = self.headers.iter().map(|(name, value)| (name.as_str(), value));
        for (name, value) in own.chain(given) {
            let bad = || StorageError::Unreadable(format!("header {name} can not be sent"));
            let name = HeaderName::try_from(name).map_err(|_| bad())?;
            headers.insert(name, HeaderValue::try_from(value).map_err(|_| bad())?);
        }
        if self.method == Method::PUT {
            headers.insert("content-length", self.body.len().into());
        }
        Ok(headers)
    }
}

/// What storage answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The refusal, if the status is not a success.
    pub fn refused(&self) -> Option<StorageError> {
        let code = text(&self.headers, "x-ms-error-code").unwrap_or_default().to_owned();
        (!self.status.is_success()).then_some(StorageError::Refused { status: self.status, code })
    }

    /// The answer itself if it is a success.
    ///
    /// # Errors
    /// [`StorageError::Refused`] for every other status.
    pub fn into_success(self) -> Result<Self> {
        self.refused().map_or(Ok(self), Err)
    }
}

pub(super) async fn send(client: &StorageClient, call: Call) -> Result<Answer> {
    let url = call.url(&client.account.endpoint);
    let mut headers = call.header_map()?;
    let authorization = match &client.access {
        Access::Bearer(token) => format!("Bearer {token}"),
        Access::Key => sign(client, &call.method, &url, &headers)?,
    };
    let value = HeaderValue::try_from(authorization);
    let value = value.map_err(|_| StorageError::Unreadable("the token can not be sent".to_owned()))?;
    headers.insert("authorization", value);
    let sent = match &client.transport {
        Transport::Http(http) => {
            over_http(http.request(call.method, url).headers(headers).body(call.body)).await
        }
        Transport::Router(router) => in_process(router.clone(), (call.method, url, headers), call.body).await,
    };
    sent.map_err(StorageError::Transport)
}

type Sent = Result<Answer, Box<dyn std::error::Error + Send + Sync>>;

async fn over_http(request: reqwest::RequestBuilder) -> Sent {
    let response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await?.to_vec();
    Ok(Answer { status, headers, body })
}

async fn in_process(
    mut router: axum::Router,
    (method, url, headers): (Method, String, HeaderMap),
    body: Vec<u8>,
) -> Sent {
    let mut request = Request::builder().method(method).uri(url).body(Body::from(body))?;
    *request.headers_mut() = headers;
    let response = router.call(request).await?;
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes().to_vec();
    Ok(Answer { status: head.status, headers: head.headers, body })
}

fn sign(client: &StorageClient, method: &Method, url: &str, headers: &HeaderMap) -> Result<String> {
    let uri = url.parse::<Uri>().map_err(|_| StorageError::Unreadable(format!("no usable URL: {url}")))?;
    let account = &client.account;
    let text = shared_key::string_to_sign(&account.name, method, &uri, headers);
    shared_key::authorization(&account.name, &account.key, &text)
        .ok_or_else(|| StorageError::ConnectionString("AccountKey is not base64".to_owned()))
}

/// Storage refuses a signature whose date is more than fifteen minutes off, so this is the real time, even
/// where the rest of the simulator lives in its own.
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// The date format of HTTP headers; the year 9999 is as far as it goes.
pub(crate) fn http_date(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC).format(HTTP_DATE).unwrap_or_default()
}

/// Reads a date as HTTP headers have it.
pub(crate) fn parse_http_date(text: &str) -> Option<OffsetDateTime> {
    time::PrimitiveDateTime::parse(text, HTTP_DATE).ok().map(time::PrimitiveDateTime::assume_utc)
}
