//! A network on which writes go wrong, and something in between answers for lists and blobs.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request, StatusCode};

/// What happens to one write.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It is done, and the reply is lost.
    LosesReply,
    /// It breaks off before it is done.
    LosesRequest,
}

/// Does to the next writes, lists and reads what was asked for, and lets all else pass.
#[derive(Debug)]
pub(crate) struct Flaky {
    network: Arc<dyn HttpClient>,
    faults: Mutex<VecDeque<Fault>>,
    pages: Mutex<VecDeque<&'static str>>,
    blobs: Mutex<VecDeque<&'static str>>,
}

impl Flaky {
    pub(crate) fn new(network: Arc<dyn HttpClient>) -> Self {
        Self { network, faults: Mutex::default(), pages: Mutex::default(), blobs: Mutex::default() }
    }

    /// Lets the next writes meet these faults, one each.
    pub(crate) fn next_writes(&self, faults: &[Fault]) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// Lets the next list be answered by this page.
    pub(crate) fn next_list(&self, page: &'static str) {
        self.pages.lock().unwrap().push_back(page);
    }

    /// Lets the next read of a blob be answered by this page, as a web server would.
    pub(crate) fn next_read(&self, page: &'static str) {
        self.blobs.lock().unwrap().push_back(page);
    }

    /// How many of the faults have met nobody yet.
    pub(crate) fn left(&self) -> usize {
        self.faults.lock().unwrap().len()
    }
}

#[async_trait]
impl HttpClient for Flaky {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let is_list = request.url().query_pairs().any(|(name, value)| (&*name, &*value) == ("comp", "list"));
        if let Some(page) = self.pages.lock().unwrap().pop_front_if(|_| is_list) {
            return Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, Headers::new(), page));
        }
        let is_read = matches!(request.method(), Method::Get | Method::Head) && !is_list;
        if let Some(page) = self.blobs.lock().unwrap().pop_front_if(|_| is_read) {
            return Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, of_a_web_server(page), page));
        }
        let fault = match request.method() {
            Method::Put | Method::Delete => self.faults.lock().unwrap().pop_front(),
            _ => None,
        };
        if !matches!(fault, Some(Fault::LosesRequest)) {
            let answer = self.network.execute_request(request).await?;
            if fault.is_none() {
                return Ok(answer);
            }
        }
        Err(Error::with_message(ErrorKind::Io, "the connection broke"))
    }
}

fn of_a_web_server(page: &str) -> Headers {
    let mut headers = Headers::new();
    headers.insert("etag", "\"5f3c\"");
    headers.insert("last-modified", "Mon, 02 Mar 2026 08:00:00 GMT");
    headers.insert("content-length", page.len().to_string());
    headers
}
