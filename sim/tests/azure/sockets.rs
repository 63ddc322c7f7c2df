//! The whole simulation over real sockets, driven by nothing but HTTP and its own settings.

use std::collections::BTreeMap;

use apim_dr_sim::clock::Clock;
use apim_dr_sim::journal::{OperationKind, Outcome};
use apim_dr_sim::knobs::{Fault, Request};
use apim_dr_sim::simulation::{Options, Simulation, Storage};
use apim_dr_sim::traffic::ProfileSpec;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

const START: OffsetDateTime = time::macros::datetime!(2026-06-01 02:00 UTC);
const VERSION: &str = "api-version=2024-05-01";

/// A caller that knows the settings and the PEM bundle, as the handler does.
struct Caller {
    http: reqwest::Client,
    settings: BTreeMap<String, String>,
    token: String,
}

impl Caller {
    async fn of(simulation: &Simulation) -> Self {
        let settings = simulation.settings();
        let bundle = std::fs::read(&settings["SSL_CERT_FILE"]).unwrap();
        let authorities = reqwest::Certificate::from_pem_bundle(&bundle).unwrap();
        let http = reqwest::Client::builder().tls_certs_only(authorities).build().unwrap();
        let token = managed_identity(&http, &settings).await;
        Self { http, settings, token }
    }

    async fn post(&self, id: &str, action: &str, body: Value) -> Result<Response, reqwest::Error> {
        let url = format!("{}{id}/{action}?{VERSION}", self.settings["ARM_ENDPOINT"]);
        let request = self.http.post(url).bearer_auth(&self.token).header("content-type", "application/json");
        request.body(body.to_string()).send().await
    }

    async fn get(&self, url: &str) -> Response {
        self.http.get(url).bearer_auth(&self.token).send().await.unwrap()
    }

    /// Starts an operation and returns its result URL.
    async fn begin(&self, id: &str, action: &str, body: Value) -> String {
        let accepted = self.post(id, action, body).await.unwrap();
        assert_eq!(accepted.status(), StatusCode::ACCEPTED);
        accepted.headers()["location"].to_str().unwrap().to_owned()
    }
}

async fn managed_identity(http: &reqwest::Client, settings: &BTreeMap<String, String>) -> String {
    let url = format!(
        "{}?resource={}&api-version=2019-08-01",
        settings["IDENTITY_ENDPOINT"], settings["ARM_ENDPOINT"]
    );
    let answer =
        http.get(url).header("x-identity-header", &settings["IDENTITY_HEADER"]).send().await.unwrap();
    let body = json_of(answer).await;
    assert!(body["expires_on"].is_string(), "App Service sends epoch seconds as text");
    body["access_token"].as_str().unwrap().to_owned()
}

async fn json_of(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

fn by_identity(name: &str) -> Value {
    json!({"storageAccount": "devstoreaccount1", "containerName": "apim-backups", "backupName": name,
           "accessType": "SystemAssignedManagedIdentity"})
}

async fn start(storage: Storage) -> Simulation {
    Simulation::start(Options::new(Clock::manual(START)).storage(storage)).await.unwrap()
}

/// Backs the primary up, restores that into the secondary, and says how they compare.
async fn cycle(simulation: &Simulation) {
    let cloud = simulation.cloud();
    let caller = Caller::of(simulation).await;
    let ids = cloud.service_ids();
    assert!(!cloud.differences("contoso-west", "contoso-north").is_alike());
    let backup = caller.begin(&ids[0], "backup", by_identity("b.apimbackup")).await;
    assert_eq!(cloud.service("contoso-west").state(), "Updating");
    cloud.clock().advance(Duration::minutes(10));
    assert_eq!(caller.get(&backup).await.status(), StatusCode::ACCEPTED);
    assert!(
        simulation.storage().unwrap().list("apim-backups", "").await.is_err(),
        "no container before the end"
    );
    cloud.clock().advance(Duration::minutes(2));
    assert_eq!(caller.get(&backup).await.status(), StatusCode::OK);
    let restore = caller.begin(&ids[1], "restore", by_identity("b.apimbackup")).await;
    cloud.clock().advance(Duration::minutes(20));
    let ended = caller.get(&restore).await;
    assert_eq!(ended.status(), StatusCode::OK);
    assert_eq!(json_of(ended).await["properties"]["provisioningState"], "Succeeded");
    let comparison = cloud.differences("contoso-west", "contoso-north");
    assert!(comparison.is_alike(), "{comparison}");
    let operations = cloud.journal().operations();
    let told: Vec<_> =
        operations.iter().map(|operation| (operation.kind, operation.outcome.clone())).collect();
    let succeeded = |kind| (kind, Outcome::Succeeded);
    assert_eq!(told, [succeeded(OperationKind::Backup), succeeded(OperationKind::Restore)]);
    assert_eq!(operations[0].ended, Some(START + Duration::minutes(11)));
    assert!(cloud.journal().overlaps().is_empty());
    assert!(cloud.journal().unknown().is_empty());
}

#[tokio::test]
async fn a_backup_becomes_a_standby_with_embedded_blobs() {
    cycle(&start(Storage::Embedded).await).await;
}

#[tokio::test]
async fn a_backup_becomes_a_standby_with_tokens_for_storage() {
    let simulation = start(Storage::EmbeddedTls).await;
    assert!(simulation.settings()["BackupStorage__blobServiceUri"].starts_with("https://localhost:"));
    cycle(&simulation).await;
}

#[tokio::test]
async fn a_lost_reply_closes_the_connection_after_the_work() {
    let simulation = start(Storage::Embedded).await;
    let cloud = simulation.cloud();
    let caller = Caller::of(&simulation).await;
    let id = cloud.service("contoso-west").id();
    cloud.next(Request::Backup, Fault::refuse());
    cloud.next(Request::Backup, Fault::lose_reply());
    assert!(caller.post(&id, "backup", by_identity("a")).await.is_err());
    assert!(cloud.journal().operations().is_empty());
    assert!(caller.post(&id, "backup", by_identity("b")).await.is_err());
    let operations = cloud.journal().operations();
    assert_eq!(operations.iter().map(|operation| operation.backup.as_str()).collect::<Vec<_>>(), ["b"]);
    let posts = cloud.journal().posts();
    assert!(posts.iter().all(|post| post.status.is_none() && post.faulted));
}

#[tokio::test]
async fn simulations_stand_side_by_side_and_clear_up() {
    let (first, second) = (start(Storage::Embedded).await, start(Storage::Embedded).await);
    let bundles = [first.settings(), second.settings()].map(|settings| settings["SSL_CERT_FILE"].clone());
    assert_ne!(bundles[0], bundles[1]);
    let (caller, other) = (Caller::of(&first).await, Caller::of(&second).await);
    let id = first.cloud().service("contoso-west").id();
    let url = |caller: &Caller| format!("{}{id}?{VERSION}", caller.settings["ARM_ENDPOINT"]);
    assert_eq!(caller.get(&url(&caller)).await.status(), StatusCode::OK);
    let strange = caller.http.get(url(&other)).send().await;
    assert!(strange.is_err(), "another simulation's authority is not trusted");
    drop(first);
    assert!(caller.http.get(url(&caller)).send().await.is_err(), "the server is gone");
    assert!(!std::path::Path::new(&bundles[0]).exists() && std::path::Path::new(&bundles[1]).exists());
}

#[tokio::test]
async fn entra_is_beside_resource_manager() {
    let simulation = start(Storage::Embedded).await;
    let settings = simulation.settings_by_secret();
    let url =
        format!("{}/{}/oauth2/v2.0/token", settings["AZURE_AUTHORITY_HOST"], settings["AZURE_TENANT_ID"]);
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope={}%2F.default",
        settings["AZURE_CLIENT_ID"], settings["AZURE_CLIENT_SECRET"], settings["ARM_ENDPOINT"]
    );
    let http = simulation.authority().client().unwrap();
    let answer = http.post(url).body(form).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let token = json_of(answer).await["access_token"].as_str().unwrap().to_owned();
    let caller = Caller { http, settings: simulation.settings(), token };
    let id = simulation.cloud().service("contoso-west").id();
    let url = format!("{}{id}?{VERSION}", caller.settings["ARM_ENDPOINT"]);
    assert_eq!(caller.get(&url).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn settings_name_the_profile_if_there_is_one() {
    let plain = start(Storage::Embedded).await.settings();
    assert_eq!((plain.get("TRAFFIC_MANAGER_ID"), plain["LIVE_CHECK"].as_str()), (None, "off"));
    let options = Options::new(Clock::manual(START)).traffic_manager(ProfileSpec::new("contoso"));
    let simulation = Simulation::start(options).await.unwrap();
    let caller = Caller::of(&simulation).await;
    assert!(!caller.settings.contains_key("LIVE_CHECK"));
    let (arm, profile) = (&caller.settings["ARM_ENDPOINT"], &caller.settings["TRAFFIC_MANAGER_ID"]);
    let profile = json_of(caller.get(&format!("{arm}{profile}?api-version=2022-04-01")).await).await;
    assert_eq!(profile["properties"]["endpoints"][0]["name"], "contoso-west");
}
