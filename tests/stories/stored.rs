//! Stored JSON is a contract: what was written once is read for ever.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use apim_dr::domain::manifest::Manifest;
use apim_dr::domain::record::Record;
use expect_test::{ExpectFile, expect, expect_file};
use serde_json::{Value, json};

use super::fixtures::*;
use super::reading::{after_list, some_differ};
use super::story::Story;

#[test]
fn a_record_is_written_as_it_always_was_in_every_phase() {
    let idle = Story::of_primary().having(|story| story.tick("01:00").look(finds("Updating")));
    let inventory = Story::of_primary().reading_by_hand().having(|story| {
        story.tick("02:00").look(finds("Succeeded")).read_services().take(after_list("backends"))
    });
    let prepared = Story::of_primary().having(|story| story.backup_posts("02:00").answer(busy()));
    let requested = Story::of_primary().having(|story| story.backup_posts("02:00"));
    let taken_over = Story::of_primary().having(|story| {
        story.wish_backup("02:00").drive().look(finds("Succeeded"));
        story.tick("02:08")
    });
    let running = Story::of_primary().having(|story| {
        story.backup_posts("02:00").answer(accepted_for("https://management.azure.com/op-1?t=1", 1));
        story.tick("02:10").poll(no_word()).look(finds("Updating"));
        story.tick("02:20").poll(no_word()).look(finds("Succeeded"))
    });
    let overdue = Story::of_primary().having(|story| {
        story.backup_posts("02:00").answer(accepted_without_operation());
        story.tick("06:00").look(finds("Updating"))
    });
    let proving = Story::of_primary().having(|story| {
        story.backup_posts("02:00").answer(unanswered());
        story.tick("02:30").look(finds("Succeeded").blob(found())).inspect(found())
    });
    let committing = Story::of_primary()
        .having(|story| story.backup_runs("02:00").tick("02:11").poll(ended()).inspect(found()));
    let verified = Story::of_primary().having(|story| story.backup_verified("02:00", "02:20"));
    let after = Story::of_primary()
        .having(|story| story.backup_verified("02:00", "02:20"))
        .reading_by_hand()
        .having(|story| {
            story.tick("02:21");
            story.read_services()
        });
    for (story, file) in [
        (idle, expect_file!["../fixtures/records/idle.json"]),
        (inventory, expect_file!["../fixtures/records/backup-inventory.json"]),
        (prepared, expect_file!["../fixtures/records/backup-prepared.json"]),
        (requested, expect_file!["../fixtures/records/backup-requested.json"]),
        (taken_over, expect_file!["../fixtures/records/backup-taken-over.json"]),
        (running, expect_file!["../fixtures/records/backup-running.json"]),
        (overdue, expect_file!["../fixtures/records/backup-overdue.json"]),
        (proving, expect_file!["../fixtures/records/backup-proving.json"]),
        (committing, expect_file!["../fixtures/records/backup-committing.json"]),
        (verified, expect_file!["../fixtures/records/backup-verified.json"]),
        (after, expect_file!["../fixtures/records/inventory-after.json"]),
    ] {
        is_written_as(&story, &file);
    }
}

#[test]
fn a_record_of_a_target_is_written_as_it_always_was_in_every_phase() {
    let wished = Story::of_secondary()
        .having(|story| story.offer("02:30", manifest("02:00")).drive().look(finds("Updating")));
    let requested =
        Story::of_secondary().having(|story| story.restore_posts("02:30", manifest("02:00").by_hand()));
    let running = Story::of_secondary().having(|story| story.restore_runs("02:30", manifest("02:00")));
    let held = Story::of_secondary().having(|story| {
        story.restore_held("02:30", "02:50", manifest("02:00"));
        story.offer("03:00", manifest("01:00").by_hand().though_newest_is("02:00"))
    });
    let verifying = Story::of_secondary().reading_by_hand().having(|story| {
        story.restore_runs("02:30", manifest("02:00").with_inventory());
        story.tick("02:50").poll(ended()).read_services().compare_with(some_differ)
    });
    let compared = Story::of_secondary().having(|story| {
        story.restore_held("02:30", "02:50", manifest("02:00").with_inventory());
        story.tick("09:00")
    });
    let failed = Story::of_secondary()
        .having(|story| story.restore_runs("02:30", manifest("02:00")).tick("02:50").poll(ended_badly()));
    let refused =
        Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00").with_blob(missing())));
    for (story, file) in [
        (wished, expect_file!["../fixtures/records/restore-wished.json"]),
        (requested, expect_file!["../fixtures/records/restore-requested.json"]),
        (running, expect_file!["../fixtures/records/restore-running.json"]),
        (verifying, expect_file!["../fixtures/records/restore-verifying.json"]),
        (compared, expect_file!["../fixtures/records/compared-again.json"]),
        (held, expect_file!["../fixtures/records/restore-held.json"]),
        (failed, expect_file!["../fixtures/records/restore-failed.json"]),
        (refused, expect_file!["../fixtures/records/restore-refused.json"]),
    ] {
        is_written_as(&story, &file);
    }
}

#[track_caller]
fn is_written_as(story: &Story, file: &ExpectFile) {
    file.assert_eq(&(text(&story.stored()) + "\n"));
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Every stored document below `tests/fixtures/{folder}`, by its file's name.
fn stored(folder: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let paths = std::fs::read_dir(folder).expect("a folder of stored documents");
    let paths: Vec<PathBuf> = paths.map(|entry| entry.expect("a file").path()).collect();
    let read = |path: &PathBuf| std::fs::read_to_string(path).expect("a stored document");
    let name = |path: &PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), read(path))).collect()
}

fn record(text: &str) -> Record {
    Record::parse(text.as_bytes()).expect("a stored record")
}

fn read_manifest(text: &str) -> Result<Manifest, String> {
    Manifest::parse(&backup("contoso", "02:00"), text.as_bytes())
}

#[test]
fn every_stored_record_is_read_and_written_again_as_it_was() {
    let stored = stored("records");
    assert!(stored.len() >= 20, "one record for each phase");
    for (name, text) in stored {
        let again = String::from_utf8(record(&text).bytes()).expect("UTF-8");
        assert_eq!(again, text.trim_end(), "{name}");
    }
}

#[test]
fn a_record_with_everything_in_it_loses_nothing() {
    let everything: Value = serde_json::from_str(&stored("records")["everything"]).expect("JSON");
    let read: Value = serde_json::from_slice(&record(&everything.to_string()).bytes()).expect("JSON");
    assert_eq!(read, everything);
    // `Debug` shows every member of the record, indented once.
    let shown = format!("{:#?}", record(&everything.to_string()));
    let member = |line: &&str| line.starts_with("    ") && !line.starts_with("     ") && line.contains(": ");
    let members = everything.as_object().expect("an object").len();
    assert_eq!(members, shown.lines().filter(member).count(), "a new member belongs into everything.json");
}

#[test]
fn members_that_this_version_does_not_know_are_ignored() {
    for (name, text) in stored("records") {
        let mut value: Value = serde_json::from_str(&text).expect("JSON");
        add_unknown(&mut value);
        assert_eq!(record(&value.to_string()), record(&text), "{name}");
    }
    for (name, text) in stored("manifests") {
        let mut value: Value = serde_json::from_str(&text).expect("JSON");
        add_unknown(&mut value);
        assert_eq!(read_manifest(&value.to_string()), read_manifest(&text), "{name}");
    }
}

fn add_unknown(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(add_unknown);
            members.insert("ofALaterVersion".into(), json!({ "deep": [1, null, "x"] }));
        }
        Value::Array(values) => values.iter_mut().for_each(add_unknown),
        _ => {}
    }
}

#[test]
fn a_document_that_is_cut_off_anywhere_is_an_error_or_the_whole_of_it() {
    for (name, text) in stored("records") {
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            if let Ok(read) = Record::parse(&text.as_bytes()[..end]) {
                assert_eq!(read, record(&text), "{name} cut off at {end}");
            }
        }
    }
    for (name, text) in stored("manifests") {
        for end in 0..text.len() {
            if let Ok(read) = Manifest::parse(&backup("contoso", "02:00"), &text.as_bytes()[..end]) {
                assert_eq!(Ok(read), read_manifest(&text), "{name} cut off at {end}");
            }
        }
    }
}

#[test]
fn a_record_that_cannot_be_read_says_why() {
    let idle: Value = serde_json::from_str(&stored("records")["idle"]).expect("JSON");
    let with = |path: &str, value: Value| {
        let mut record = idle.clone();
        record[path] = value;
        record.to_string()
    };
    let documents = [
        String::new(),
        "null".into(),
        "[]".into(),
        "{}".into(),
        "\u{feff}{}".into(),
        with("version", json!(2)),
        with("version", json!(-1)),
        with("version", json!("1")),
        with("service", json!("contoso")),
        with("firstDriven", json!("yesterday")),
        with("operation", json!({ "kind": "migration" })),
        with("lastName", json!("contoso")),
    ];
    let told: String = documents
        .iter()
        .map(|document| match Record::parse(document.as_bytes()) {
            Ok(_) => "read\n".to_owned(),
            Err(why) => format!("{why}\n"),
        })
        .collect();
    expect![[r#"
        it is not a record: EOF while parsing a value at line 1 column 0
        it is not a record: invalid type: null, expected struct Version at line 1 column 4
        it is not a record: invalid length 0, expected struct Version with 1 element at line 1 column 2
        it is not a record: missing field `version` at line 1 column 2
        it is not a record: expected value at line 1 column 1
        it has version 2, and this program knows 1: a newer apim-dr wrote it; run that version
        it is not a record: invalid value: integer `-1`, expected u32 at line 1 column 307
        it is not a record: invalid type: string "1", expected u32 at line 1 column 308
        it cannot be read: "contoso" is not the resource id of an API Management service: write /subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ApiManagement/service/{name} at line 1 column 180
        it cannot be read: `yesterday` is not an RFC 3339 time at line 1 column 74
        it cannot be read: unknown variant `migration`, expected one of `idle`, `backup`, `restore` at line 1 column 144
        it cannot be read: `contoso` is not a backup's name at line 1 column 133
    "#]].assert_eq(&told);
}

#[test]
fn a_manifest_is_written_as_it_always_was() {
    let mut seen = Story::of_primary();
    seen.backup_runs("02:00").tick("02:11").poll(ended()).inspect(found());
    expect_file!["../fixtures/manifests/operation.json"].assert_eq(&(seen.manifest() + "\n"));
    let mut unseen = Story::of_primary();
    unseen.backup_posts("02:00").answer(unanswered());
    unseen.tick("02:30").look(finds("Succeeded").blob(found())).inspect(found());
    unseen.tick("02:35").inspect(found());
    expect_file!["../fixtures/manifests/blob.json"].assert_eq(&(unseen.manifest() + "\n"));
}

#[test]
fn every_stored_manifest_is_read_and_written_again_as_it_was() {
    let stored = stored("manifests");
    assert!(stored.len() >= 3, "one for each proof, and one with everything in it");
    for (name, text) in stored {
        let manifest = read_manifest(&text).expect("a stored manifest");
        assert_eq!(manifest.text(), text.trim_end(), "{name}");
    }
}

#[test]
fn a_manifest_that_cannot_be_read_says_why() {
    let whole: Value = serde_json::from_str(&stored("manifests")["operation"]).expect("JSON");
    let with = |path: &str, value: Value| {
        let mut manifest = whole.clone();
        manifest[path] = value;
        manifest.to_string()
    };
    let of_another = whole["service"].as_str().expect("an id").replace("/contoso", "/contoso-eu");
    let documents = [
        String::new(),
        "{}".into(),
        with("version", json!(2)),
        r#"{ "version": 2, "shape": "another" }"#.into(),
        with("name", json!("contoso-20260310T020001Z")),
        with("name", json!("contoso-eu-20260310T020000Z")),
        with("service", json!(of_another)),
        with("backup", json!({ "blob": "other.apimbackup", "length": 1, "etag": "0x1" })),
        with("backup", json!({ "blob": "contoso-20260310T020000Z.apimbackup", "length": -1, "etag": "0x1" })),
        with("proof", json!("hearsay")),
    ];
    let told: String = documents
        .iter()
        .map(|document| match read_manifest(document) {
            Ok(_) => "read\n".to_owned(),
            Err(why) => format!("{why}\n"),
        })
        .collect();
    expect![[r#"
        it is not a manifest: EOF while parsing a value at line 1 column 0
        it is not a manifest: missing field `version` at line 1 column 2
        it has version 2, and this program knows 1: a newer apim-dr wrote it
        it has version 2, and this program knows 1: a newer apim-dr wrote it
        it describes contoso-20260310T020001Z of /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/apis/providers/Microsoft.ApiManagement/service/contoso, not contoso-20260310T020000Z
        it describes contoso-eu-20260310T020000Z of /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/apis/providers/Microsoft.ApiManagement/service/contoso, not contoso-20260310T020000Z
        it describes contoso-20260310T020000Z of /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/apis/providers/Microsoft.ApiManagement/service/contoso-eu, not contoso-20260310T020000Z
        it names the blob other.apimbackup, not contoso-20260310T020000Z.apimbackup
        it cannot be read: invalid value: integer `-1`, expected u64 at line 1 column 106
        it cannot be read: unknown variant `hearsay`, expected `operation` or `blob` at line 1 column 424
    "#]].assert_eq(&told);
}

#[test]
fn a_manifest_cannot_promise_a_longer_life_than_azure_gives() {
    let mut whole: Value = serde_json::from_str(&stored("manifests")["operation"]).expect("JSON");
    whole["expiresAt"] = json!("2036-01-01T00:00:00Z");
    let source = |text: &str| read_manifest(text).expect("a manifest").source("apim-backups".into());
    assert_eq!(source(&whole.to_string()).expires_at.to_string(), "2026-04-09T02:00:00Z");
    whole["expiresAt"] = json!("2026-03-20T00:00:00Z");
    assert_eq!(source(&whole.to_string()).expires_at.to_string(), "2026-03-20T00:00:00Z");
}

#[test]
fn a_service_is_the_same_however_its_id_is_spelt() {
    let idle = stored("records")["idle"].clone();
    let shouted = idle.replace("resourceGroups/apis", "RESOURCEGROUPS/APIS");
    assert_ne!(idle, shouted);
    assert_eq!(record(&idle).service, record(&shouted).service);
}
