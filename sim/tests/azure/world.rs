//! A cloud in this process, without sockets, and a caller of its Resource Manager.

use apim_dr_sim::blobs::Blobs;
use apim_dr_sim::clock::Clock;
use apim_dr_sim::cloud::{Cloud, CloudBuilder, ServiceSpec, StorageAccount};
use apim_dr_sim::knobs::Broken;
use apim_dr_sim::storage::{Access, Account, StorageClient};
use apim_dr_sim::tokens::Principal;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use tower_service::Service as _;

pub(crate) const START: OffsetDateTime = time::macros::datetime!(2026-06-01 02:00 UTC);
pub(crate) const WEU: &str = "contoso-weu";
pub(crate) const NEU: &str = "contoso-neu";

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    /// Set if no answer would have left.
    pub(crate) broken: Option<Broken>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The status and the code of the error envelope.
    pub(crate) fn error(&self) -> (u16, &str) {
        (self.status.as_u16(), self.body["error"]["code"].as_str().unwrap_or_default())
    }

    pub(crate) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }
}

/// A cloud with a primary, a secondary and blobs, all in this process.
pub(crate) struct World {
    pub(crate) cloud: Cloud,
    pub(crate) blobs: Blobs,
    pub(crate) caller: Principal,
}

impl World {
    pub(crate) fn new() -> Self {
        let services =
            [ServiceSpec::new(WEU, "West Europe").with_sample(), ServiceSpec::new(NEU, "North Europe")];
        Self::with(|builder| services.into_iter().fold(builder, CloudBuilder::service))
    }

    pub(crate) fn with(furnish: impl FnOnce(CloudBuilder) -> CloudBuilder) -> Self {
        Self::by(Clock::manual(START), furnish)
    }

    /// A world that lives by this clock.
    pub(crate) fn by(clock: Clock, furnish: impl FnOnce(CloudBuilder) -> CloudBuilder) -> Self {
        let blobs = Blobs::with(Account::emulator(10_000), clock.clone(), None);
        let storage = StorageAccount::in_process(blobs.account().clone(), blobs.router());
        let cloud = furnish(Cloud::builder(clock).storage(storage)).build();
        let caller = cloud.directory().system_assigned().unwrap();
        Self { cloud, blobs, caller }
    }

    pub(crate) fn advance(&self, minutes: i64) {
        self.cloud.clock().advance(Duration::minutes(minutes));
    }

    pub(crate) fn storage(&self) -> StorageClient {
        StorageClient::in_process(self.blobs.account().clone(), Access::Key, self.blobs.router())
    }

    /// Sends a request as it is; the path is the URL without the host.
    pub(crate) async fn send(&self, (method, path): (&str, &str), token: Option<&str>, body: &str) -> Answer {
        let mut request = Request::builder().method(Method::try_from(method).unwrap()).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response =
            self.cloud.router().call(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let broken = head.extensions.get::<Broken>().copied();
        Answer { status: head.status, headers: head.headers, body, broken }
    }

    pub(crate) fn token(&self) -> String {
        self.cloud.directory().token(&self.caller, "https://management.azure.com")
    }

    /// `GET` of a URL or path, with a good token.
    pub(crate) async fn get(&self, url: &str) -> Answer {
        let path = url.trim_start_matches("https://management.azure.com");
        self.send(("GET", path), Some(&self.token()), "").await
    }

    /// `GET` below a service, with the api-version; `below` may begin with a slash and hold a query.
    pub(crate) async fn read(&self, service: &str, below: &str) -> Answer {
        let mark = if below.contains('?') { '&' } else { '?' };
        let id = self.cloud.service(service).id();
        self.get(&format!("{id}{below}{mark}api-version=2024-05-01")).await
    }

    pub(crate) async fn post(&self, service: &str, action: &str, body: &Value) -> Answer {
        let path = format!("{}/{action}?api-version=2024-05-01", self.cloud.service(service).id());
        self.send(("POST", &path), Some(&self.token()), &body.to_string()).await
    }

    /// Starts an operation by the service's own identity and returns its result URL.
    pub(crate) async fn begin(&self, service: &str, action: &str, backup: &str) -> String {
        let accepted = self.post(service, action, &by_identity(backup)).await;
        assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
        accepted.header("location").to_owned()
    }

    /// Backs the primary up and lets it end.
    pub(crate) async fn back_up(&self, backup: &str) {
        let result = self.begin(WEU, "backup", backup).await;
        self.advance(11);
        assert_eq!(self.get(&result).await.status, StatusCode::OK);
    }
}

pub(crate) fn by_identity(backup: &str) -> Value {
    json!({"storageAccount": "devstoreaccount1", "containerName": "apim-backups", "backupName": backup,
           "accessType": "SystemAssignedManagedIdentity"})
}
