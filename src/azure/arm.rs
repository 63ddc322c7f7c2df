//! Azure Resource Manager: a thin client on the SDK's pipeline, with our own retry and tokens.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{ACCEPT, CONTENT_TYPE};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{
    ClientOptions, Context, Method, Pipeline, PipelineSendOptions, RawResponse, Request, RetryOptions,
    Transport, Url,
};
use serde_json::Value;

use super::identity::{Bearer, Tokens};
use super::pace::{Paced, Pacing};
use super::request_ids::{self, Hidden};
use super::retry::{Harmless, Repeat, Repeated, Retry};
use super::transport::{Bounded, TooLarge};
use crate::clock::InvocationClock;
use crate::domain::vocabulary::Timestamp;

/// The largest answer that is taken in. A service resource has some 10 KB, a page of a list some 100; the largest
/// thing that API Management keeps is a schema of 4 MB.
pub(super) const LARGEST_ANSWER: usize = 5 << 20;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoReply {
    /// There was no token to send.
    NoToken(String),
    /// Too late for this POST: it was not sent.
    TooLate,
    /// The answer is larger than what is taken in.
    TooLarge,
    /// Nothing came back, or nothing that could be read.
    Silence(String),
}

/// The answer to a POST, and whether the transport had to send it more than once.
pub(super) struct Posted {
    pub(super) answer: RawResponse,
    pub(super) repeated: bool,
}

/// A client for one Resource Manager.
pub(super) struct Arm {
    endpoint: Url,
    pipeline: Pipeline,
}

impl Arm {
    /// A client for the Resource Manager at `endpoint`.
    pub(super) fn new(endpoint: Url, tokens: Tokens, transport: Bounded) -> Self {
        let pacing = Pacing(Arc::default());
        let policies: Vec<Arc<dyn Policy>> =
            vec![Arc::new(Bearer(Arc::new(tokens))), Arc::new(LastMoment), Arc::new(pacing)];
        let options = client_options(transport, Repeat::Reads, policies);
        let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        let pipeline = Pipeline::new(Some(name), Some(version), options, Vec::new(), Vec::new(), None);
        Self { endpoint, pipeline }
    }

    /// The address of `path` in this Resource Manager.
    pub(super) fn url(&self, path: &str, api_version: &str) -> Url {
        let mut url = self.endpoint.clone();
        url.set_path(path);
        url.query_pairs_mut().append_pair("api-version", api_version);
        url
    }

    /// `text` as a URL, if it leads to this Resource Manager: scheme, host and port are equal. A token
    /// goes nowhere else.
    pub(super) fn own_url(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).or_else(|_| self.endpoint.join(text)).ok()?;
        let own = url.origin() == self.endpoint.origin() && url.username().is_empty();
        (own && url.password().is_none()).then_some(url)
    }

    /// Reads a resource.
    pub(super) async fn get(&self, url: Url) -> Result<RawResponse, NoReply> {
        self.send(Request::new(url, Method::Get), &Context::new()).await
    }

    /// Reads a part of what a service holds, as soon as Resource Manager allows it.
    pub(super) async fn get_paced(&self, url: Url) -> Result<RawResponse, NoReply> {
        self.send(Request::new(url, Method::Get), &Context::new().with_value(Paced)).await
    }

    /// Reads how an operation stands; its URL is told to nobody.
    pub(super) async fn poll(&self, url: Url) -> Result<RawResponse, NoReply> {
        self.send(Request::new(url, Method::Get), &Context::new().with_value(Hidden)).await
    }

    /// Posts what only looks something up, so it may be repeated.
    pub(super) async fn look_up(&self, url: Url) -> Result<RawResponse, NoReply> {
        self.send(Request::new(url, Method::Post), &Context::new().with_value(Harmless)).await
    }

    /// Posts `body` at most once, as far as the transport can tell, and not at all if `deadline` has passed
    /// when it is about to leave.
    pub(super) async fn post(&self, url: Url, body: &Value, deadline: Deadline) -> Result<Posted, NoReply> {
        let mut request = Request::new(url, Method::Post);
        request.insert_header(CONTENT_TYPE, "application/json");
        request.set_body(body.to_string());
        let context = Context::new().with_value(Repeated::default()).with_value(deadline);
        let answer = self.send(request, &context).await?;
        let repeated = context.value::<Repeated>().is_some_and(Repeated::get);
        Ok(Posted { answer, repeated })
    }

    async fn send(&self, mut request: Request, context: &Context<'_>) -> Result<RawResponse, NoReply> {
        request.insert_header(ACCEPT, "application/json");
        let options = PipelineSendOptions { skip_checks: true, ..PipelineSendOptions::default() };
        let answer = self.pipeline.send(context, &mut request, Some(options)).await;
        match answer {
            Ok(answer) => {
                // A crawl asks for things that need not be there.
                let is_expected = context.value::<Paced>().is_some() && u16::from(answer.status()) == 404;
                let is_error = answer.status().is_client_error() || answer.status().is_server_error();
                if is_error && !is_expected {
                    request_ids::refused(context, &request, &answer);
                }
                Ok(answer)
            }
            Err(error) if error.downcast_ref::<Late>().is_some() => Err(NoReply::TooLate),
            Err(error) if error.downcast_ref::<TooLarge>().is_some() => Err(NoReply::TooLarge),
            Err(error) if *error.kind() == ErrorKind::Credential => Err(NoReply::NoToken(error.to_string())),
            Err(error) => Err(NoReply::Silence(error.to_string())),
        }
    }
}

/// What every client of ours has: our transport, our retry, and between them `policies`, which authorize or
/// sign each try.
pub(super) fn client_options(
    transport: Bounded,
    repeat: Repeat,
    per_try_policies: Vec<Arc<dyn Policy>>,
) -> ClientOptions {
    ClientOptions {
        per_call_policies: vec![Arc::new(Retry(repeat))],
        per_try_policies,
        retry: RetryOptions::none(),
        transport: Some(Transport::new(Arc::new(transport))),
        ..ClientOptions::default()
    }
}

/// Until when a POST may leave: put into its context, it is asked right before each try does.
pub(super) struct Deadline {
    pub(super) clock: InvocationClock,
    /// When the looks that allow the POST were taken.
    pub(super) looked_at: Timestamp,
}

#[derive(Debug)]
struct LastMoment;

#[async_trait]
impl Policy for LastMoment {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        match context.value::<Deadline>() {
            Some(deadline) if !deadline.clock.allows_post(deadline.looked_at) => {
                Err(Error::new(ErrorKind::Other, Late))
            }
            _ => next[0].send(context, request, &next[1..]).await,
        }
    }
}

#[derive(Debug)]
struct Late;

impl std::fmt::Display for Late {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("too late for this POST")
    }
}

impl std::error::Error for Late {}
