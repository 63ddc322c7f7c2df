//! What Azure answers, or somebody in its place: the first line is the status and a `Location`, the second a
//! `Retry-After`, the rest is the body.

use std::sync::Arc;
use std::time::Duration as StdDuration;

use apim_dr::azure::{Azure, Memo, Scene};
use apim_dr::clock::InvocationClock;
use apim_dr::config::Config;
use apim_dr::domain::id::ServiceId;
use apim_dr::domain::observation::{
    Action, Against, Answer, Asking, BlobLook, BlobName, Compare, Looking, Observation, Poll, Start,
    StretchEnd, WriteOnce,
};
use apim_dr::domain::record::{Claim, Comparing};
use apim_dr::domain::vocabulary::{BackupName, Container, InvocationId, OperationUrl, Timestamp};
use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, Url};
use time::Duration;
use time::macros::datetime;

const SERVICE: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/apim/providers/Microsoft.ApiManagement/service/contoso";
const ARM: &str = "https://management.azure.com";

/// Where backups of these tests lie.
fn blob() -> BlobName {
    let backup = BackupName::parse("contoso-20260310T020000Z");
    let Some(backup) = backup else { panic!("a good name is refused") };
    BlobName { container: Container::from("apim-backups"), backup }
}

pub(crate) fn poll(bytes: &[u8]) {
    let url = OperationUrl::new(format!("{ARM}{SERVICE}/operationresults/x?api-version=2024-05-01"));
    let status = status(bytes);
    match observe(bytes, &Action::Poll(url)) {
        Observation::Polled(Poll::Ended) => assert_eq!(status, 200),
        Observation::Polled(Poll::Running { .. }) => assert_eq!(status, 202),
        Observation::Polled(Poll::Failed(words)) => {
            assert!((400..500).contains(&status) && !words.code.is_empty(), "{status}: {words}");
        }
        Observation::Polled(Poll::Unknown(why)) => assert_bounded(&why),
        other => panic!("a poll was answered by {other:?}"),
    }
}

pub(crate) fn post(bytes: &[u8]) {
    let claim = Claim { by: InvocationId::from("fuzz"), at: now(), taken_over: false };
    let start = Start { claim, blob: blob(), looked_at: now() };
    let status = status(bytes);
    let Observation::Answered { answer, .. } = observe(bytes, &Action::StartBackup(start)) else {
        panic!("a request has no answer");
    };
    match answer {
        Answer::Accepted { operation, .. } => {
            assert!(matches!(status, 200 | 202 | 409), "{status}");
            let host = |operation: OperationUrl| {
                let url = Url::parse(operation.expose()).ok()?;
                Some((url.scheme() == "https", url.host_str()?.to_owned(), url.port()))
            };
            // What is no URL by itself is read from Resource Manager's own address.
            let leads = operation.and_then(host);
            let own = (true, "management.azure.com".to_owned(), None);
            assert!(leads.as_ref().is_none_or(|host| *host == own), "a token would leave for {leads:?}");
        }
        Answer::Busy(words) | Answer::Refused(words) => assert_bounded(&words.to_string()),
        Answer::NoToken(why) | Answer::Unknown(why) => assert_bounded(&why),
    }
}

pub(crate) fn look(bytes: &[u8]) {
    let Observation::Looked(looks) =
        observe(bytes, &Action::Look(Looking::ForRestore(blob(), Asking::Nothing)))
    else {
        panic!("a look sees nothing");
    };
    match looks.service {
        Ok(look) => assert!(status(bytes) == 200 && !look.state.to_string().is_empty()),
        Err(why) => assert_bounded(&why.to_string()),
    }
}

/// A page of what a service holds; the same bytes answer for every list, and for what no backup carries.
pub(crate) fn inventory_page(bytes: &[u8]) {
    let against = Against { backup: blob().backup, inventory: None };
    let compare = Compare { against, comparing: Comparing::default() };
    let Observation::Compared(stretch) = observe(bytes, &Action::Compare(Box::new(compare))) else {
        panic!("a comparison has no result");
    };
    stretch.unread.iter().for_each(|unread| assert_bounded(&unread.why));
    match stretch.end {
        StretchEnd::Full => assert!((200..500).contains(&status(bytes))),
        StretchEnd::Late => {}
        StretchEnd::Interrupted(why) | StretchEnd::GivenUp(why) | StretchEnd::NoToken(why) => {
            assert_bounded(&why)
        }
    }
    let asked = Action::Look(Looking::ForRestore(blob(), Asking::Strangers(None)));
    if let Observation::Looked(looks) = observe(bytes, &asked)
        && let Some(Err(why)) = looks.content
    {
        assert_bounded(&why);
    }
}

pub(crate) fn storage(bytes: &[u8]) {
    let status = status(bytes);
    match observe(bytes, &Action::InspectBlob(blob())) {
        Observation::Inspected(BlobLook::Found(_)) => assert!((200..300).contains(&status), "{status}"),
        Observation::Inspected(BlobLook::Missing) => assert_eq!(status, 404),
        Observation::Inspected(BlobLook::NoAnswer(why)) => assert_bounded(&why),
        other => panic!("a blob was {other:?}"),
    }
    let write = Action::WriteManifest { at: blob(), bytes: "{}".to_owned() };
    if let Observation::Wrote(WriteOnce::NoAnswer(why)) = observe(bytes, &write) {
        assert_bounded(&why);
    }
}

/// What Azure says is repeated, but not without end.
fn assert_bounded(why: &str) {
    assert!(why.len() < 8_000, "{} bytes are told", why.len());
}

fn now() -> Timestamp {
    Timestamp::new(datetime!(2026-03-10 02:00 UTC))
}

fn status(bytes: &[u8]) -> u16 {
    Fed::of(bytes).status
}

fn observe(bytes: &[u8], action: &Action) -> Observation {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let Ok(runtime) = runtime else { panic!("there is no runtime") };
    let service: ServiceId = match SERVICE.parse() {
        Ok(service) => service,
        Err(error) => panic!("a good id is refused: {error}"),
    };
    let clock = InvocationClock::new(now(), Arc::new(|| Duration::ZERO));
    let azure = Azure::with_transport(&config(), Arc::new(Fed::of(bytes)));
    runtime.block_on(async {
        let scene = Scene { service: &service, clock: &clock, others: &[], memo: &Memo::default() };
        let performed =
            tokio::time::timeout(StdDuration::from_secs(600), azure.perform(&scene, action)).await;
        performed.unwrap_or_else(|_| panic!("{action:?} takes longer than any invocation"))
    })
}

fn config() -> Config {
    let setting = |name: &str| {
        Some(match name {
            "BackupStorage" => "UseDevelopmentStorage=true",
            "BACKUP_CONTAINER" => "apim-backups",
            "APIM_PRIMARY_ID" => SERVICE,
            "APIM_SECONDARY_IDS" => {
                "/subscriptions/x/resourceGroups/apim/providers/Microsoft.ApiManagement/service/contoso-dr"
            }
            "LIVE_CHECK" => "off",
            "AZURE_CREDENTIAL" => "client-secret",
            "AZURE_TENANT_ID" | "AZURE_CLIENT_ID" => "11111111-1111-1111-1111-111111111111",
            "AZURE_CLIENT_SECRET" => "secret",
            _ => return None,
        })
    };
    match Config::from_lookup(|name| setting(name).map(str::to_owned)) {
        Ok(config) => config,
        Err(problems) => panic!("{problems}"),
    }
}

/// Answers every request but those for tokens with the bytes that are fed.
#[derive(Debug)]
struct Fed {
    status: u16,
    location: String,
    retry_after: String,
    body: Vec<u8>,
}

impl Fed {
    fn of(bytes: &[u8]) -> Self {
        let (first, rest) = split(bytes);
        let (second, body) = split(rest);
        let (status, location) = first.split_once(' ').unwrap_or((&first, ""));
        let status = status.parse().ok().filter(|status| (200..600).contains(status)).unwrap_or(200);
        Self { status, location: location.to_owned(), retry_after: second, body: body.to_vec() }
    }
}

fn split(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let line = String::from_utf8_lossy(&bytes[..end]).into_owned();
    (line, bytes.get(end + 1..).unwrap_or_default())
}

#[async_trait]
impl HttpClient for Fed {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        if request.url().host_str() == Some("login.microsoftonline.com") {
            let token = br#"{"token_type":"Bearer","expires_in":3599,"access_token":"token"}"#;
            return Ok(AsyncRawResponse::from_bytes(200.into(), Headers::new(), token.to_vec()));
        }
        let to_us = request.url().as_str().starts_with(ARM) || request.url().port() == Some(10_000);
        if !to_us {
            return Err(Error::with_message(ErrorKind::Connection, "nobody listens there"));
        }
        let mut headers = Headers::new();
        for (name, value) in [("location", &self.location), ("retry-after", &self.retry_after)] {
            if !value.is_empty() {
                headers.insert(name, value.clone());
            }
        }
        for (name, value) in [("etag", "\"0x1\""), ("last-modified", "Tue, 10 Mar 2026 02:11:00 GMT")] {
            headers.insert(name, value);
        }
        headers.insert("content-length", self.body.len().to_string());
        Ok(AsyncRawResponse::from_bytes(self.status.into(), headers, self.body.clone()))
    }
}
