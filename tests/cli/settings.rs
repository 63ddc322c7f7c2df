//! Where settings come from, and what is said of wrong ones.

use std::collections::BTreeMap;

use serde_json::json;

use crate::world::{World, file, program, run};

#[tokio::test]
async fn without_settings_all_that_is_missing_is_named() {
    let said = run(program("status", &BTreeMap::new())).await;
    let names =
        ["BackupStorage", "BACKUP_CONTAINER", "APIM_PRIMARY_ID", "APIM_SECONDARY_IDS", "IDENTITY_ENDPOINT"];
    said.failed(2, &names);
    let said = run(program("status --json", &BTreeMap::new())).await;
    assert_eq!((said.code, &said.json()["result"]), (2, &"usage".into()));
}

/// As with `func start`, what the environment has set comes first; what it has set to nothing is not set.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_gives_what_the_environment_has_not_set() {
    let world = World::new().await;
    let path = file("file.json", &json!({ "IsEncrypted": false, "Values": world.settings }).to_string());
    let from_file = format!("status --settings {}", path.display());
    let mut environment = BTreeMap::new();
    run(program(&from_file, &environment)).await.answered(0, &["contoso-west, the primary"]);
    environment.insert("RPO_TARGET".to_owned(), "90m".to_owned());
    environment.insert("BACKUP_CONTAINER".to_owned(), String::new());
    run(program(&from_file, &environment)).await.answered(0, &["the target is 1 h 30 min"]);
    environment.insert("BACKUP_CONTAINER".to_owned(), "X".to_owned());
    run(program(&from_file, &environment)).await.failed(2, &["BACKUP_CONTAINER is \"X\""]);
}

/// The SDK reads a managed identity's address from the environment alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_managed_identity_may_stand_in_a_file() {
    let world = World::new().await;
    let values = world.simulation.settings();
    assert!(values.contains_key("IDENTITY_ENDPOINT"));
    let path = file("identity.json", &json!({ "Values": values }).to_string());
    let said = run(program(&format!("backup --settings={}", path.display()), &BTreeMap::new())).await;
    said.answered(0, &["contoso-west: backup contoso-west-20260302T0900"]);
}

#[tokio::test]
async fn what_is_no_file_of_settings_says_so_without_repeating_it() {
    for (name, text, told) in [
        ("cut.json", "{ \"Values\": { \"BackupStorage\": \"AccountKey=hush", "is no local.settings.json"),
        (
            "encrypted.json",
            "{ \"IsEncrypted\": true, \"Values\": { \"BackupStorage\": \"hush\" } }",
            "func settings decrypt",
        ),
        (
            "wrong.json",
            "{ \"Values\": { \"BackupStorage\": \"AccountName=a;AccountKey=hush!\" } }",
            "BackupStorage has",
        ),
    ] {
        let path = file(name, text);
        let said = run(program(&format!("status --settings {}", path.display()), &BTreeMap::new())).await;
        said.failed(2, &[told]);
        assert!(!said.stderr.contains("hush"), "{said:?}");
    }
    let said = run(program("status --settings nowhere.json", &BTreeMap::new())).await;
    said.failed(2, &["--settings nowhere.json", "cannot be opened"]);
}

#[tokio::test]
async fn a_file_that_lies_there_is_pointed_at() {
    let directory = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("cli-here-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("local.settings.json"), "{}").unwrap();
    let mut command = program("status", &BTreeMap::new());
    command.current_dir(&directory);
    run(command).await.failed(2, &["--settings local.settings.json reads it"]);
}

/// The port that the Functions host sets is of no matter to somebody who types a verb.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verb_is_done_where_the_host_has_set_its_port() {
    let world =
        World::new().await.with("FUNCTIONS_CUSTOMHANDLER_PORT", "7071").with("WEBSITE_INSTANCE_ID", "i-1");
    let said = world.run("backup").await;
    said.answered(0, &["contoso-west: backup"]);
    assert!(said.stderr.starts_with("backup.wished contoso-west: "), "{said:?}");
}

#[tokio::test]
async fn wrong_words_are_answered_with_what_is_wrong() {
    for (line, told) in [
        ("stauts", "there is no verb \"stauts\""),
        ("status --wait", "status has no option --wait"),
        ("restore", "restore needs a backup's name"),
        ("--json", "say what to do"),
    ] {
        run(program(line, &BTreeMap::new())).await.failed(2, &[told, "apim-dr --help"]);
    }
}

/// One page, no wider than a terminal, that names every verb and every exit code.
#[tokio::test]
async fn the_help_is_one_page_that_suffices() {
    for line in ["--help", "help", "restore --help"] {
        let said = run(program(line, &BTreeMap::new())).await;
        said.answered(
            0,
            &["status", "backup", "restore", "withdraw", "resume", "adopt", "tick", "history", "exit code"],
        );
        assert!(said.stdout.lines().count() <= 50 && said.stdout.lines().all(|line| line.len() <= 102));
    }
}
