//! What goes wrong around the command line: no network, no rights, nobody who reads.

use std::io::{BufRead as _, BufReader, Read as _};

use apim_dr_sim::simulation::Storage;

use crate::world::{World, run};

/// Nothing listens there.
fn closed_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_storage_every_verb_fails_with_what_to_look_at() {
    let mut world = World::new().await;
    let port = closed_port();
    let storage = format!(
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={};BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1",
        apim_dr_sim::storage::EMULATOR_KEY
    );
    world.set("BackupStorage", &storage);
    let (status, backup, tick, history) =
        tokio::join!(world.run("status"), world.run("backup"), world.run("tick"), world.run("history"));
    for said in [status, backup, tick, history] {
        said.failed(1, &["no answer", "can be reached"]);
        assert!(!said.stderr.contains(apim_dr_sim::storage::EMULATOR_KEY), "{said:?}");
    }
}

/// The wish stands in the record, and whoever reaches Resource Manager goes on from it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_resource_manager_a_wish_is_saved_and_waits() {
    let mut world = World::new().await;
    let right = world.settings["ARM_ENDPOINT"].clone();
    world.set("ARM_ENDPOINT", &format!("https://localhost:{}", closed_port()));
    world.run("backup").await.answered(3, &["contoso-west: waits: ", "localhost"]);
    world.set("ARM_ENDPOINT", &right);
    world.run("tick").await.answered(0, &["open: backup contoso-west-"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_told_and_not_shown() {
    let world = World::of(Storage::EmbeddedTls).await;
    let queue = world.settings["BackupStorage__blobServiceUri"].clone();
    let world =
        world.with("AZURE_CLIENT_SECRET", "not-the-secret").with("BackupStorage__queueServiceUri", &queue);
    let said = world.run("backup").await;
    said.failed(1, &["AZURE_CREDENTIAL"]);
    assert!(!said.stderr.contains("not-the-secret"), "{said:?}");
}

/// The rest of a pipe has ended: that is no trouble of this program's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_stdout_changes_nothing() {
    let world = World::new().await;
    for line in ["status", "backup", "history", "--help", "status --json"] {
        let mut child = world.program(line).spawn().unwrap();
        drop(child.stdout.take());
        let said = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        let stderr = String::from_utf8(said.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{line}: {stderr}");
        assert!(line == "--help" || said.status.success(), "{line}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_stderr_changes_nothing() {
    let world = World::new().await;
    let mut child = world.program("backup").spawn().unwrap();
    drop(child.stderr.take());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("contoso-west: backup"));
}

/// To interrupt a wait stops nothing: the next command goes on with what runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_wait_loses_nothing() {
    let world = World::new().await;
    let mut child = world.program("backup --wait").spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut child = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        while !line.starts_with("backup.accepted") {
            line.clear();
            assert_ne!(told.read_line(&mut line).unwrap(), 0, "it is accepted");
        }
        child
    })
    .await
    .unwrap();
    child.kill().unwrap();
    drop(child.stdout.take().unwrap().read_to_end(&mut Vec::new()));
    child.wait().unwrap();
    world.run_while_time_passes("tick --wait").await.answered(0, &["nothing is open"]);
    assert_eq!(world.record("contoso-west").await["backups"].as_array().unwrap().len(), 1);
    world.assert_sound();
}

/// Nobody needs the health document to go on after a failover.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spoilt_health_document_keeps_nobody_from_looking_and_restoring() {
    let world = World::new().await;
    let name = world.standby().await;
    let blob = "health/contoso-west.json";
    world.storage.put("apim-dr", blob, b"{".to_vec(), &[]).await.unwrap();
    let said = run(world.program("status")).await;
    said.answered(0, &["contoso-west, primary", name.as_str()]);
    assert!(said.stderr.contains("Move that blob away"), "{said:?}");
    let said = run(world.program(&format!("restore {name} --into contoso-north --yes"))).await;
    said.answered(0, &[name.as_str()]);
    assert_eq!(world.storage.get("apim-dr", blob).await.unwrap().unwrap(), b"{");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_of_a_newer_version_is_left_alone_and_told_of() {
    let world = World::new().await;
    world.standby().await;
    let mut record = world.record("contoso-north").await;
    record["version"] = 99.into();
    let blob = "services/contoso-north.json";
    world.storage.put("apim-dr", blob, record.to_string().into_bytes(), &[]).await.unwrap();
    let said = run(world.program("status")).await;
    said.answered(0, &["contoso-west, primary"]);
    assert!(said.stderr.contains("version 99"), "{said:?}");
    run(world.program("tick")).await.failed(1, &["contoso-north", "version 99"]);
}
