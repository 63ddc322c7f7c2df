//! How blobs become calls.

use std::collections::BTreeMap;
use std::time::Duration;

use apim_dr_sim::blobs::Blobs;
use apim_dr_sim::clock::Clock;
use apim_dr_sim::host::{BlobEvent, Invocation, Memory};
use apim_dr_sim::storage::Account;
use axum::extract::RawQuery;
use axum::http::HeaderMap;
use axum::routing::get;
use serde_json::json;

use crate::world::{BACKUPS, World, failure, not_invoked};

fn causes(invocations: &[Invocation]) -> Vec<&str> {
    invocations.iter().map(|invocation| invocation.cause.as_str()).collect()
}

#[tokio::test]
async fn a_new_manifest_fires_once_with_all_that_is_known_of_it() {
    let world = World::new().await;
    let host = world.host().await;
    world.put("run 1/ü.manifest.json", r#"{"a":1}"#).await;
    world.put("run 1/ü.apimbackup", "not a manifest").await;
    let tries = host.scan().await;
    assert_eq!(causes(&tries), ["blob apim-backups/run 1/ü.manifest.json, try 1"]);
    assert!(tries[0].outcome.is_success());

    let call = world.last_call();
    assert_eq!(call["path"], "/RestoreOnBlob");
    assert_eq!(call["body"]["Data"], json!({ "manifest": "eyJhIjoxfQ==" }));
    let metadata = &call["body"]["Metadata"];
    let endpoint = &world.storage.account().endpoint;
    assert_eq!(metadata["Uri"], format!("\"{endpoint}/apim-backups/run%201/%C3%BC.manifest.json\""));
    assert_eq!(metadata["name"], "\"run 1/ü\"");
    assert_eq!(metadata["Metadata"], json!({ "service": "contoso" }));
    assert_eq!(metadata["Properties"]["ETag"], json!({}));
    assert_eq!(metadata["Properties"]["ContentLength"], 7);
    assert_eq!(metadata["Properties"]["BlobType"], 0);
    assert_eq!(metadata["Properties"]["CacheControl"], json!(null));
    assert_eq!(metadata.get("BlobTrigger"), None);
    assert_eq!(metadata["sys"]["MethodName"], "RestoreOnBlob");
    assert!(host.scan().await.is_empty(), "there is a receipt now");
}

#[tokio::test]
async fn a_container_that_is_not_there_yet_is_no_error() {
    let mut world = World::new().await;
    world.set("BACKUP_CONTAINER", "later");
    let host = world.host().await;
    assert!(host.scan().await.is_empty());
    assert!(host.lines().iter().all(|line| line.category != "Host"), "{:?}", host.lines());
    world.storage.create_container("later").await.unwrap();
    world.storage.put("later", "a.manifest.json", b"{}".to_vec(), &[]).await.unwrap();
    assert_eq!(host.scan().await.len(), 1);
}

#[tokio::test]
async fn a_new_host_id_fires_for_everything_and_an_old_one_for_nothing() {
    let mut world = World::new().await;
    world.put("a.manifest.json", "{}").await;
    world.put("b.manifest.json", "{}").await;
    let host = world.host().await;
    assert_eq!(host.scan().await.len(), 2);
    host.stop().await;
    let again = world.host().await;
    assert!(again.scan().await.is_empty());
    world.memory = Memory::default();
    let renamed = world.host().await;
    assert_eq!(renamed.scan().await.len(), 2);
}

#[tokio::test]
async fn a_new_version_fires_again_be_it_only_its_metadata() {
    let world = World::new().await;
    let host = world.host().await;
    world.put("a.manifest.json", "1").await;
    assert_eq!(host.scan().await.len(), 1);
    world.put("a.manifest.json", "1").await;
    assert_eq!(host.scan().await.len(), 1);
    world.storage.set_metadata(BACKUPS, "a.manifest.json", &[("seen", "1")]).await.unwrap();
    assert_eq!(host.scan().await.len(), 1);
    assert_eq!(world.last_call()["body"]["Metadata"]["Metadata"], json!({ "seen": "1" }));
    assert!(host.scan().await.is_empty());
}

#[tokio::test]
async fn a_failing_event_is_tried_five_times_at_once_and_then_poison() {
    let world = World::new().await;
    let host = world.host().await;
    world.script("status 500");
    world.put("a/b.manifest.json", "{}").await;
    let tries = host.scan().await;
    assert_eq!(tries.len(), 5);
    assert!(tries.iter().all(|invocation| invocation.outcome.is_failure()));
    assert_eq!(tries[4].cause, "blob apim-backups/a/b.manifest.json, try 5");
    assert_eq!(world.calls().len(), 5);
    let etag = world.storage.head(BACKUPS, "a/b.manifest.json").await.unwrap().unwrap().etag;
    let [poisoned] = &host.poison()[..] else { panic!("{:?}", host.poison()) };
    let expected = json!({
        "Type": "BlobTrigger",
        "FunctionId": "Host.Functions.RestoreOnBlob",
        "BlobType": "BlockBlob",
        "ContainerName": "apim-backups",
        "BlobName": "a/b.manifest.json",
        "ETag": etag.to_string(),
    });
    assert_eq!(poisoned.message, expected);
    assert!(poisoned.base64().starts_with("eyJ"));
    world.script("");
    assert!(host.scan().await.is_empty(), "nobody reads the poison queue");
}

#[tokio::test]
async fn an_event_that_succeeds_at_last_is_no_poison() {
    let world = World::new().await;
    let host = world.host().await;
    world.put("a.manifest.json", "{}").await;
    world.script("first 2 exit 200");
    let tries = host.scan().await;
    assert_eq!(tries.len(), 3, "{tries:?}");
    assert_eq!(failure(&tries[0]), "The response ended prematurely.");
    assert!(tries[2].outcome.is_success());
    assert!(host.poison().is_empty());
}

#[tokio::test]
async fn events_can_be_repeated_lost_and_stale() {
    let world = World::new().await;
    let host = world.host().await;
    world.put("a.manifest.json", "1").await;
    let old = world.storage.head(BACKUPS, "a.manifest.json").await.unwrap().unwrap().etag;
    assert_eq!(host.scan().await.len(), 1);

    let again = BlobEvent { blob: "a.manifest.json".to_owned(), etag: None };
    let repeated = host.redeliver("RestoreOnBlob", again).await;
    assert_eq!((repeated.len(), world.calls().len()), (1, 2));

    world.put("a.manifest.json", "2").await;
    let late = BlobEvent { blob: "a.manifest.json".to_owned(), etag: Some(old) };
    let stale = host.redeliver("RestoreOnBlob", late).await;
    assert_eq!(not_invoked(&stale[0]), "the event is stale: the blob has another version");
    assert!(stale[1].outcome.is_success(), "the new version gets its own event");
    assert_eq!(world.last_call()["body"]["Data"]["manifest"], "Mg==");

    let gone = BlobEvent { blob: "none.manifest.json".to_owned(), etag: None };
    assert_eq!(not_invoked(&host.redeliver("RestoreOnBlob", gone).await[0]), "there is no such blob");

    host.lose_events(1);
    world.put("b.manifest.json", "{}").await;
    assert!(host.scan().await.is_empty());
    assert!(host.scan().await.is_empty(), "lost for good");
    assert_eq!(world.calls().len(), 3);
}

#[tokio::test]
async fn only_so_many_calls_run_at_a_time() {
    let world = World::new().await;
    let host = world.host().await;
    world.script("sleep 1000");
    for number in 0..4 {
        world.put(&format!("{number}.manifest.json"), "{}").await;
    }
    let began = std::time::Instant::now();
    assert_eq!(host.scan().await.len(), 4);
    let took = began.elapsed();
    let two_at_a_time = Duration::from_millis(2_000)..Duration::from_millis(3_900);
    assert!(two_at_a_time.contains(&took), "{took:?}");
}

#[tokio::test]
async fn a_host_that_dies_leaves_its_event_to_the_next() {
    let world = World::new().await;
    let host = world.host().await;
    world.script("sleep 30000");
    world.put("a.manifest.json", "{}").await;
    {
        let scan = host.scan();
        let called = crate::world::eventually("the call", || !world.calls().is_empty());
        tokio::select! {
            _ = scan => panic!("the call should hang"),
            () = called => {}
        }
    }
    drop(host);
    world.script("");
    let next = world.host().await;
    let tries = next.scan().await;
    assert_eq!(causes(&tries), ["blob apim-backups/a.manifest.json, try 2"]);
    assert!(tries[0].outcome.is_success());
}

#[tokio::test]
async fn a_manual_run_takes_any_blob_and_its_pattern_is_not_enforced() {
    let world = World::new().await;
    let host = world.host().await;
    world.put("plain.txt", "text").await;
    world.put("a.manifest.json", "{}").await;
    assert!(host.manual("RestoreOnBlob", Some("apim-backups/plain.txt")).await.outcome.is_success());
    let metadata = &world.last_call()["body"]["Metadata"];
    assert_eq!(metadata["manifest"], "\"apim-backups/plain.txt\"");
    assert_eq!(metadata.get("name"), None);
    host.manual("RestoreOnBlob", Some("apim-backups/a.manifest.json")).await;
    assert_eq!(world.last_call()["body"]["Metadata"]["name"], "\"a\"");

    let none = host.manual("RestoreOnBlob", Some("apim-backups/none.json")).await;
    assert_eq!(not_invoked(&none), "the blob apim-backups/none.json does not exist");
    assert!(host.lines().iter().any(|line| line.text.contains("none.json does not exist")));
    assert_eq!(host.scan().await.len(), 1, "a manual run writes no receipt");
}

#[tokio::test]
async fn an_identity_opens_the_account_by_a_token() {
    let mut world = World::new().await;
    let check = std::sync::Arc::new(|token: &str| token == "identity-token");
    let account = Account { name: "drbackups".to_owned(), ..Account::emulator(0) };
    let serving = Blobs::with(account, Clock::running(1.0), Some(check)).serve(0).await.unwrap();
    let token = get(|RawQuery(query): RawQuery, headers: HeaderMap| async move {
        let query = query.unwrap_or_default();
        let asked =
            query.contains("resource=https%3A%2F%2Fstorage.azure.com") && query.contains("client_id=c1");
        let known = headers.get("x-identity-header").is_some_and(|header| header == "secret");
        let token = if asked && known { "identity-token" } else { "wrong" };
        json!({ "access_token": token }).to_string()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let identity = format!("http://{}/msi/token", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, axum::Router::new().route("/msi/token", token)).await });
    world.settings.remove("BackupStorage");
    let settings = BTreeMap::from([
        ("BackupStorage__blobServiceUri", serving.account.endpoint.as_str()),
        ("BackupStorage__queueServiceUri", "https://drbackups.queue.core.windows.net"),
        ("BackupStorage__clientId", "c1"),
        ("IDENTITY_ENDPOINT", &identity),
        ("IDENTITY_HEADER", "secret"),
    ]);
    settings.iter().for_each(|(name, value)| world.set(name, value));
    let storage = serving.account.clone();
    let storage = apim_dr_sim::storage::StorageClient::new(
        storage,
        apim_dr_sim::storage::Access::Key,
        reqwest::Client::new(),
    );
    storage.create_container(BACKUPS).await.unwrap();
    storage.put(BACKUPS, "a.manifest.json", b"{}".to_vec(), &[]).await.unwrap();
    let host = world.host().await;
    assert_eq!(host.scan().await.len(), 1, "{:?}", host.lines());

    world.settings.remove("BackupStorage__queueServiceUri");
    let host = world.host().await;
    assert!(host.disabled()[0].1.contains("BackupStorage__queueServiceUri"), "{:?}", host.disabled());
}

/// An app as it is on Flex Consumption.
async fn subscribed() -> World {
    let world = World::new().await;
    let function = r#"{ "bindings": [
      { "type": "blobTrigger", "direction": "in", "name": "manifest", "source": "EventGrid",
        "path": "%BACKUP_CONTAINER%/{name}.manifest.json", "connection": "BackupStorage" }
    ] }"#;
    world.folder.write("RestoreOnBlob/function.json", function);
    world
}

#[tokio::test]
async fn event_grid_brings_whatever_it_likes_as_often_as_it_likes_and_nobody_scans() {
    let world = subscribed().await;
    let host = world.host().await;
    world.put("a.manifest.json", "1").await;
    assert!(host.scan().await.is_empty(), "a host that waits for events does not look for blobs");
    for _ in 0..2 {
        assert!(host.notify(BACKUPS, "a.manifest.json").await[0].outcome.is_success());
        assert_eq!(world.last_call()["body"]["Metadata"]["name"], "\"a\"");
    }
    world.storage.create_container("other").await.unwrap();
    world.storage.put("other", "b.txt", b"2".to_vec(), &[]).await.unwrap();
    assert!(host.notify("other", "b.txt").await[0].outcome.is_success());
    let call = world.last_call();
    assert_eq!(call["body"]["Data"], json!({ "manifest": "Mg==" }));
    assert_eq!(call["body"]["Metadata"].get("name"), None, "the pattern does not fit, so there is no token");
    assert_eq!(not_invoked(&host.notify("other", "gone").await[0]), "there is no such blob");
    assert_eq!(world.calls().len(), 3);
}

#[tokio::test]
async fn an_event_that_event_grid_brought_is_tried_five_times_as_well() {
    let world = subscribed().await;
    let host = world.host().await;
    world.put("a.manifest.json", "1").await;
    world.script("status 500");
    assert_eq!(host.notify(BACKUPS, "a.manifest.json").await.len(), 5);
    assert_eq!(host.poison().len(), 1);
}
