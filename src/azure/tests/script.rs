//! A transport that follows a script, and an Azure over it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request};
use time::Duration;
use tokio::time::Instant;

use super::super::{Azure, Memo, Scene};
use crate::clock::InvocationClock;
use crate::config::Config;
use crate::domain::id::ServiceId;
use crate::domain::observation::{Action, BlobName, Observation, Start};
use crate::domain::record::Claim;
use crate::domain::vocabulary::{BackupName, Container, InvocationId, Timestamp};

pub(super) const PRIMARY: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/\
                                  providers/Microsoft.ApiManagement/service/contoso-weu";
pub(super) const SECONDARY: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/\
                                    providers/Microsoft.ApiManagement/service/contoso-neu";
const ACCOUNT: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/\
                       Microsoft.Storage/storageAccounts/contosobackups";
pub(super) const LOCATION: &str =
    "https://arm.test/operationresults/d2V1OmNvbnRvc28=?api-version=2024-05-01&s=x";

/// What comes of one try.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Answer(u16, Vec<(&'static str, &'static str)>, String),
    /// The connection is refused: nothing was sent.
    Refused,
    /// The connection breaks after the request has left.
    Lost,
    /// Nothing is ever said.
    Silent,
}

pub(super) fn status(status: u16) -> Reply {
    Reply::Answer(status, Vec::new(), String::new())
}

pub(super) fn with(status: u16, name: &'static str, value: &'static str) -> Reply {
    Reply::Answer(status, vec![(name, value)], String::new())
}

pub(super) fn body(status: u16, text: impl Into<String>) -> Reply {
    Reply::Answer(status, Vec::new(), text.into())
}

/// An error in Resource Manager's envelope, with the nulls that it really sends.
pub(super) fn error(status: u16, code: &str, message: &str) -> Reply {
    let error = serde_json::json!({"code": code, "message": message, "details": null, "innerError": null});
    body(status, serde_json::json!({ "error": error }).to_string())
}

/// One request as it left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) token: String,
    pub(super) body: String,
    /// Since the script began.
    pub(super) milliseconds: u128,
}

/// Answers in the order of the script, and token requests with a new token each time.
#[derive(Debug)]
pub(super) struct Script {
    replies: Mutex<VecDeque<Reply>>,
    token_replies: Mutex<VecDeque<Reply>>,
    revoked: Mutex<Option<&'static str>>,
    sent: Mutex<Vec<Sent>>,
    tokens: AtomicUsize,
    began: Instant,
}

impl Script {
    pub(super) fn new(replies: impl IntoIterator<Item = Reply>) -> Arc<Self> {
        let replies = Mutex::new(replies.into_iter().collect());
        let (token_replies, revoked, sent) = (Mutex::default(), Mutex::default(), Mutex::default());
        let tokens = AtomicUsize::default();
        Arc::new(Self { replies, token_replies, revoked, sent, tokens, began: Instant::now() })
    }

    /// Lets the next token requests be answered with these instead of tokens.
    pub(super) fn refuse_tokens(&self, replies: impl IntoIterator<Item = Reply>) {
        self.token_replies.lock().unwrap().extend(replies);
    }

    /// Answers 401 to whatever carries this token, outside of the script.
    pub(super) fn revoke(&self, token: &'static str) {
        *self.revoked.lock().unwrap() = Some(token);
    }

    /// What left for anywhere but the token endpoint.
    pub(super) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// How many token requests there were.
    pub(super) fn tokens(&self) -> usize {
        self.tokens.load(Ordering::SeqCst)
    }

    fn note(&self, request: &Request) {
        let Body::Bytes(body) = request.body() else { panic!("a body in memory") };
        let token = request.headers().get_optional_str(&"authorization".into()).unwrap_or_default();
        self.sent.lock().unwrap().push(Sent {
            method: request.method().as_str().to_owned(),
            url: request.url().to_string(),
            token: token.to_owned(),
            body: String::from_utf8(body.to_vec()).unwrap(),
            milliseconds: self.began.elapsed().as_millis(),
        });
    }

    fn next_reply(&self, request: &Request) -> Reply {
        if request.url().host_str() == Some("login.test") {
            let number = self.tokens.fetch_add(1, Ordering::SeqCst) + 1;
            let token =
                format!(r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"token-{number}"}}"#);
            return self.token_replies.lock().unwrap().pop_front().unwrap_or_else(|| body(200, token));
        }
        self.note(request);
        let token = request.headers().get_optional_str(&"authorization".into());
        if token.is_some() && token == *self.revoked.lock().unwrap() {
            return status(401);
        }
        self.replies.lock().unwrap().pop_front().expect("the script has no more replies")
    }
}

#[async_trait]
impl HttpClient for Script {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let reply = self.next_reply(request);
        // Others get their turn, as they do while a real answer is on its way.
        tokio::task::yield_now().await;
        let (status, headers, body) = match reply {
            Reply::Answer(status, headers, body) => (status, headers, body),
            Reply::Refused => return Err(Error::with_message(ErrorKind::Connection, "connection refused")),
            Reply::Lost => return Err(Error::with_message(ErrorKind::Io, "connection reset")),
            Reply::Silent => std::future::pending().await,
        };
        let mut own = Headers::new();
        headers.into_iter().for_each(|(name, value)| own.insert(name, value));
        Ok(AsyncRawResponse::from_bytes(status.into(), own, body))
    }
}

/// An Azure over `script`, by client secret, with `settings` over the usual ones.
pub(super) fn azure(script: &Arc<Script>, settings: &[(&str, &str)]) -> Azure {
    let usual = [
        ("BackupStorage", "UseDevelopmentStorage=true"),
        ("BACKUP_CONTAINER", "apim-backups"),
        ("APIM_PRIMARY_ID", PRIMARY),
        ("APIM_SECONDARY_IDS", SECONDARY),
        ("ARM_ENDPOINT", "https://arm.test"),
        ("AZURE_AUTHORITY_HOST", "https://login.test"),
        ("AZURE_CREDENTIAL", "client-secret"),
        ("AZURE_TENANT_ID", "contoso.test"),
        ("AZURE_CLIENT_ID", "the-client"),
        ("AZURE_CLIENT_SECRET", "the-secret"),
    ];
    let lookup = |name: &str| {
        let found = settings.iter().chain(&usual).find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let config = Config::from_lookup(lookup).unwrap();
    Azure::with_transport(&config, script.clone())
}

/// Storage by identity, so that `access-key` has to look a key up.
pub(super) const BY_IDENTITY: [(&str, &str); 4] = [
    ("BackupStorage", ""),
    ("BackupStorage__blobServiceUri", "https://contosobackups.blob.core.windows.net"),
    ("BackupStorage__queueServiceUri", "https://contosobackups.queue.core.windows.net"),
    ("BACKUP_STORAGE_ACCOUNT_ID", ACCOUNT),
];

pub(super) fn noon() -> Timestamp {
    Timestamp::new(time::macros::datetime!(2026-11-23 12:00 UTC))
}

/// A clock that follows the paused time.
pub(super) fn clock() -> InvocationClock {
    let began = Instant::now();
    InvocationClock::new(noon(), Arc::new(move || Duration::try_from(began.elapsed()).unwrap()))
}

pub(super) fn blob_name() -> BlobName {
    let backup = BackupName::parse("contoso-weu-20261123T120000Z").unwrap();
    BlobName { container: Container::from("apim-backups"), backup }
}

pub(super) fn start(looked_at: Timestamp) -> Start {
    Start { claim: claim(), blob: blob_name(), looked_at }
}

pub(super) fn claim() -> Claim {
    Claim { by: InvocationId::from("invocation"), at: noon(), taken_over: false }
}

/// Performs `action` for the primary, by `clock`.
pub(super) async fn perform_at(azure: &Azure, clock: &InvocationClock, action: &Action) -> Observation {
    let service: ServiceId = PRIMARY.parse().unwrap();
    azure.perform(&Scene { service: &service, clock, others: &[], memo: &Memo::default() }, action).await
}

/// Performs `action` for the primary, by a clock that starts now.
pub(super) async fn perform(azure: &Azure, action: &Action) -> Observation {
    perform_at(azure, &clock(), action).await
}
