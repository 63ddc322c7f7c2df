//! Calls to addresses that are not Azure's: where alerts go, and the dead man's switch. An address is a secret, so
//! neither the log nor an error shows it, and no token goes there.

use std::sync::Arc;
use std::time::Duration;

use azure_core::http::headers::CONTENT_TYPE;
use azure_core::http::{HttpClient, Method, Request, Url};

use super::transport::Bounded;
use crate::config::Secret;

/// Whoever takes longer is tried again at a later tick: health must not hold up anything.
const LONGEST_CALL: Duration = Duration::from_secs(10);

/// Nothing is read of an answer but its status.
const LARGEST_ANSWER: usize = 64 << 10;

/// A client for such addresses.
pub(super) struct Outbound(Bounded);

impl Outbound {
    pub(super) fn new(http: Arc<dyn HttpClient>) -> Self {
        Self(Bounded::new(http, LARGEST_ANSWER))
    }

    /// Posts `body` as `content_type`; without a body, only calls the address.
    ///
    /// # Errors
    /// When it is not taken with a 2xx within 10 s. The address is not part of the error.
    pub(super) async fn send(&self, to: &Secret, body: Option<(&str, String)>) -> Result<(), String> {
        // The settings were checked: what does not parse here was never accepted.
        let url = Url::parse(to.expose()).map_err(|_| "the address cannot be read".to_owned())?;
        let mut request = Request::new(url, if body.is_some() { Method::Post } else { Method::Get });
        if let Some((content_type, body)) = body {
            request.insert_header(CONTENT_TYPE, content_type.to_owned());
            request.set_body(body);
        }
        let call = self.0.execute_request(&request);
        let answer = tokio::time::timeout(LONGEST_CALL, call).await;
        let answer = answer.map_err(|_| format!("no answer within {} s", LONGEST_CALL.as_secs()))?;
        let status = answer.map_err(|error| format!("no answer: {error}"))?.status();
        if status.is_success() { Ok(()) } else { Err(format!("HTTP {}", u16::from(status))) }
    }
}
