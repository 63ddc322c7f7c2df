//! The main job, from an empty standby to a restored one, with each kind of storage.

use apim_dr_sim::journal::OperationKind;
use apim_dr_sim::knobs::Request;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::setup::{Blobs, Setup};
use crate::world::{BACKUPS, NORTH, PRIMARY, START, STATE, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_azurite_by_key() {
    a_standby_comes_to_hold_what_the_primary_holds(Blobs::AzuriteByKey).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_azurite_by_token() {
    a_standby_comes_to_hold_what_the_primary_holds(Blobs::AzuriteByToken).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_simulators_blobs_by_key() {
    a_standby_comes_to_hold_what_the_primary_holds(Blobs::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_simulators_blobs_by_token() {
    a_standby_comes_to_hold_what_the_primary_holds(Blobs::EmbeddedTls).await;
}

/// As long as it was recorded: 11 min for the backup, 19 for the restore.
async fn a_standby_comes_to_hold_what_the_primary_holds(blobs: Blobs) {
    let durations = (Duration::minutes(11), Duration::minutes(19));
    let world = World::of(Setup { blobs, durations, ..Setup::default() }).await;
    assert!(!world.cloud().differences(PRIMARY, NORTH).is_alike());

    world.minutes(1).await;
    assert_eq!(world.told("backup.accepted").len(), 1, "the first tick begins the first backup");
    let verified = world.until("backup.verified").await;
    assert!(world.told("restore.verified").is_empty());
    let held = world.until("restore.verified").await;
    world.minutes(3).await;

    assert!(verified.backup.starts_with("contoso-west-20260302T0900"), "{verified:?}");
    assert_eq!((held.service.as_str(), &held.backup), (NORTH, &verified.backup));
    assert!(world.told("manifest.taken_up").is_empty(), "the event came in time");
    assert_eq!(world.cloud().journal().of(Request::Backup).len(), 1);
    assert_eq!(world.cloud().journal().of(Request::Restore).len(), 1);
    assert!(world.cloud().journal().of(Request::Secrets).is_empty(), "no secret was asked for");
    world.assert_one_cycle(&[NORTH]);
    world.assert_alike(NORTH);
    the_manifest_says_what_was_proven(&world, &verified.backup).await;
    the_inventories_say_what_the_primary_holds(&world, &verified.backup).await;
    the_records_are_at_rest(&world, &verified.backup).await;
    the_history_keeps_both_runs(&world, &verified.backup).await;
    every_line_says_whose_it_is(&world, &verified.backup);
}

async fn the_manifest_says_what_was_proven(world: &World, name: &str) {
    let blob = format!("{name}.apimbackup");
    let kinds = ["apimbackup", "inventory-after.json", "inventory.json", "manifest.json"];
    assert_eq!(world.blobs(BACKUPS, "").await, kinds.map(|kind| format!("{name}.{kind}")));
    let proven = world.storage.head(BACKUPS, &blob).await.unwrap().unwrap();
    let manifest = world.json(BACKUPS, &format!("{name}.manifest.json")).await;
    let completed = OffsetDateTime::parse(manifest["completedAt"].as_str().unwrap(), &Rfc3339).unwrap();
    let started = OffsetDateTime::parse(manifest["startedAt"].as_str().unwrap(), &Rfc3339).unwrap();
    let begun = START + Duration::MINUTE;
    assert!(
        begun <= started && started < begun + Duration::SECOND * 30,
        "{started} is not when it was claimed"
    );
    let backup = &world.accepted(PRIMARY, OperationKind::Backup)[0];
    assert!(completed >= backup.ended.unwrap(), "{completed} is before the end of {backup:?}");
    let etag = manifest["backup"]["etag"].as_str().unwrap().trim_matches('"');
    assert_eq!(etag, proven.etag.as_str());
    let expected = json!({
        "version": 1,
        "name": name,
        "container": BACKUPS,
        "service": world.cloud().service(PRIMARY).id(),
        "tier": "Standard",
        "location": "West Europe",
        "apiVersion": "2024-05-01",
        "startedAt": manifest["startedAt"],
        "completedAt": manifest["completedAt"],
        "expiresAt": (started + Duration::days(30)).format(&Rfc3339).unwrap(),
        "backup": {"blob": blob, "length": proven.length, "etag": manifest["backup"]["etag"]},
        "inventory": {"blob": format!("{name}.inventory.json"), "digest": manifest["inventory"]["digest"]},
        "proof": "operation",
        "writer": env!("CARGO_PKG_VERSION"),
    });
    assert_eq!(normal(&manifest), normal(&expected));
}

/// Both are JSON, bound to the backup by their digests, and say the same: nothing changed while it ran.
async fn the_inventories_say_what_the_primary_holds(world: &World, name: &str) {
    let manifest = world.json(BACKUPS, &format!("{name}.manifest.json")).await;
    let primary = world.record(PRIMARY).await;
    let [before, after] = [&manifest["inventory"], &primary["backups"][0]["after"]];
    for inventory in [before, after] {
        let bytes = world.storage.get(BACKUPS, inventory["blob"].as_str().unwrap()).await.unwrap().unwrap();
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(inventory["digest"], digest);
    }
    let [before, after] = [before, after].map(|inventory| inventory["blob"].as_str().unwrap());
    let (before, after) = (world.json(BACKUPS, before).await, world.json(BACKUPS, after).await);
    assert_eq!(before["entities"], after["entities"]);
    assert_eq!((&before["backup"], &before["depth"]), (&json!(name), &json!("deep")));
    assert_eq!((&before["counts"]["apis"], &before["counts"]["products"]), (&json!(3), &json!(2)));
    let entities = before["entities"].as_object().unwrap();
    assert_eq!(before["counts"]["entities"], entities.len());
    assert!(entities.contains_key("apis/orders/operations/place-order/policies/policy"));
    assert!(!entities.contains_key("loggers/azuremonitor"), "no backup carries it");
    assert_eq!(primary["backups"][0]["counts"], before["counts"]);
    assert!(world.blobs(STATE, "partial/").await.is_empty(), "no part is left");
}

/// Times to the second: an invocation's own time goes on while it runs.
fn normal(manifest: &Value) -> Value {
    let mut manifest = manifest.clone();
    for name in ["startedAt", "completedAt", "expiresAt"] {
        let moment = OffsetDateTime::parse(manifest[name].as_str().unwrap(), &Rfc3339).unwrap();
        manifest[name] = json!(moment.unix_timestamp());
    }
    manifest
}

async fn the_records_are_at_rest(world: &World, name: &str) {
    let (primary, north) = (world.record(PRIMARY).await, world.record(NORTH).await);
    for (record, service) in [(&primary, PRIMARY), (&north, NORTH)] {
        assert_eq!(record["operation"], json!({"kind": "idle"}));
        assert_eq!(record["service"], world.cloud().service(service).id());
    }
    assert_eq!(primary["lastVerified"]["name"], name);
    assert_eq!(primary["backups"][0]["name"], name);
    assert_eq!(primary["backups"][0]["accepted"], true);
    assert_eq!(north["holds"]["what"], "backup");
    assert_eq!(north["holds"]["backup"], name);
    assert_eq!(north["holds"]["compared"]["result"], "verified");
    assert_eq!(north["ours"], true);
    assert!(north.get("restoreWish").is_none(), "the wish is served: {north}");
}

async fn the_history_keeps_both_runs(world: &World, name: &str) {
    let history = world.blobs(STATE, "history/").await;
    let [restore, backup] = history.as_slice() else { panic!("two runs, not {history:?}") };
    // The seconds are the invocation's own: on a busy machine its claim takes more than one.
    assert!(backup.starts_with("history/contoso-west/20260302T0900") && backup.ends_with("Z-backup.json"));
    let (backup, restore) = (world.json(STATE, backup).await, world.json(STATE, restore).await);
    assert_eq!((&backup["outcome"], &backup["backup"]), (&json!("verified"), &json!(name)));
    assert_eq!((&restore["outcome"], &restore["backup"]), (&json!("verified"), &json!(name)));
    assert_eq!((&restore["kind"], &restore["service"]), (&json!("restore"), &json!(NORTH)));
    let compared = restore["compared"].as_array().unwrap();
    assert!(compared.contains(&json!({"type": "apis", "equal": 3})), "how it compared: {compared:?}");
}

fn every_line_says_whose_it_is(world: &World, name: &str) {
    for logged in world.log().iter().filter(|logged| logged.event != "handler.started") {
        assert!(!logged.invocation.is_empty(), "no invocation: {logged:?}");
        let of_an_operation = logged.event.starts_with("backup.") || logged.event.starts_with("restore.");
        if of_an_operation {
            assert!(!logged.service.is_empty(), "no service: {logged:?}");
            assert_eq!(logged.backup, name, "{logged:?}");
        }
    }
}
