//! Runs by hand over the admin API.

use axum::Router;
use serde_json::json;

use crate::world::{World, eventually};

/// Posts to the admin API and yields the status.
pub(crate) async fn post(admin: Router, function: &str, body: &str) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/admin/functions/{function}", listener.local_addr().unwrap());
    let server = tokio::spawn(async { axum::serve(listener, admin).await });
    let request = reqwest::Client::new().post(url).header("content-type", "application/json");
    let response = request.body(body.to_owned()).send().await.unwrap();
    let status = response.status().as_u16();
    assert_eq!(response.bytes().await.unwrap().len(), 0, "the answer is empty");
    server.abort();
    status
}

#[tokio::test]
async fn a_run_is_accepted_at_once_and_its_input_arrives() {
    let world = World::new().await;
    let host = world.host().await;
    assert_eq!(post(host.admin(), "BackupTimer", r#"{"input":"sleep 100"}"#).await, 202);
    eventually("the run", || host.invocations().len() == 1).await;
    assert_eq!(world.last_call()["body"]["Metadata"]["timer"], "\"sleep 100\"");
    assert_eq!(host.invocations()[0].cause, "by hand");
    assert_eq!(post(host.admin(), "backuptimer", r#"{"input":"resume"}"#).await, 202);
    eventually("the second run", || host.invocations().len() == 2).await;
    assert_eq!(world.last_call()["path"], "/BackupTimer", "the handler sees the folder's spelling");
}

#[tokio::test]
async fn an_absent_input_leaves_no_trace() {
    let world = World::new().await;
    let host = world.host().await;
    for body in ["{}", r#"{"input":null}"#] {
        assert_eq!(post(host.admin(), "BackupTimer", body).await, 202);
    }
    eventually("both runs", || host.invocations().len() == 2).await;
    assert!(world.calls().iter().all(|call| call["body"]["Metadata"].get("timer").is_none()));
}

#[tokio::test]
async fn bad_requests_are_told_apart() {
    let mut world = World::new().await;
    world.set("BACKUP_CONTAINER", "");
    world.folder.write(
        "host.json",
        &json!({ "version": "2.0", "customHandler": { "description": { "defaultExecutablePath": "h" } } })
            .to_string(),
    );
    let host = world.host().await;
    for body in ["", "[]", r#"{"input":1}"#, r#"{"input":{}}"#, "{"] {
        assert_eq!(post(host.admin(), "BackupTimer", body).await, 400, "{body}");
    }
    assert_eq!(post(host.admin(), "Nobody", "{}").await, 404);
    assert_eq!(post(host.admin(), "RestoreOnBlob", "{}").await, 404, "a disabled function is not there");
    assert!(world.calls().is_empty());
}

#[tokio::test]
async fn a_blob_that_does_not_exist_is_accepted_and_fails_in_the_log_alone() {
    let world = World::new().await;
    let host = world.host().await;
    assert_eq!(post(host.admin(), "RestoreOnBlob", r#"{"input":"apim-backups/none"}"#).await, 202);
    let logged = || host.lines().iter().any(|line| line.text.contains("apim-backups/none does not exist"));
    eventually("the line", logged).await;
    assert!(world.calls().is_empty());
}
