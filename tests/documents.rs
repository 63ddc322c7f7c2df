//! What stands in documents and deployment files, held against the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use apim_dr::config::{Config, Presence, SETTINGS};
use apim_dr::domain::health::ConditionKind;
use serde_json::Value;

/// Settings that the Functions host reads and the handler does not.
const OF_THE_HOST: [&str; 2] = ["FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(path: &str) -> Value {
    serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rows of README's table of settings: the names in the first cell, and the second cell.
fn table_of_settings() -> Vec<(Vec<String>, String)> {
    let readme = read("README.md");
    let (_, section) = readme.split_once("## Settings").expect("README has a section on settings");
    let (section, _) = section.split_once("\n## ").expect("another section follows");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        (quoted(cells[0]), cells[1].to_owned())
    })
    .collect()
}

/// What stands between backquotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_readme_lists_exactly_the_settings_that_are_read() {
    let listed: Vec<String> = table_of_settings().into_iter().flat_map(|(names, _)| names).collect();
    let by_hand = SETTINGS.iter().filter(|setting| setting.presence != Presence::Platform);
    let by_hand: BTreeSet<_> = by_hand.map(|setting| setting.name.to_owned()).collect();
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), by_hand);
    assert_eq!(listed.len(), by_hand.len(), "a setting is listed twice");

    let readme = read("README.md");
    for setting in SETTINGS.iter().filter(|setting| setting.presence == Presence::Platform) {
        assert!(readme.contains(&format!("`{}`", setting.name)), "README does not name {}", setting.name);
    }
}

#[test]
fn the_readme_gives_the_defaults_that_count() {
    let rows = table_of_settings();
    for setting in SETTINGS {
        let Presence::Default(default) = setting.presence else { continue };
        let (_, cell) = rows.iter().find(|(names, _)| names.iter().any(|name| name == setting.name)).unwrap();
        assert!(
            quoted(cell).iter().any(|text| text == default),
            "{}: {cell}, and not {default}",
            setting.name
        );
    }
}

#[test]
fn the_runbook_says_what_to_do_about_each_condition() {
    let runbook = read("docs/runbook.md");
    let (_, table) = runbook.split_once("## Conditions").expect("the runbook lists conditions");
    let rows: Vec<_> =
        table.lines().filter(|line| line.starts_with("| `")).map(|row| quoted(row)[0].clone()).collect();
    let kinds: Vec<_> = ConditionKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(rows, kinds);
}

#[test]
fn the_example_settings_are_known_and_sound() {
    let example = json("local.settings.json.example");
    let values = example["Values"].as_object().unwrap();
    let values: BTreeMap<&str, &str> =
        values.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    let known: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.name).chain(OF_THE_HOST).collect();
    for name in values.keys() {
        assert!(known.contains(name), "nobody reads {name}");
    }
    // The bundle of authorities is written by the simulator, when it runs.
    let lookup =
        |name: &str| values.get(name).filter(|_| name != "SSL_CERT_FILE").map(|&value| value.to_owned());
    if let Err(problems) = Config::from_lookup(lookup) {
        panic!("{problems}");
    }
}

#[test]
fn the_functions_are_the_two_that_the_handler_answers() {
    let timer = &json("BackupTimer/function.json")["bindings"];
    assert_eq!(timer.as_array().unwrap().len(), 1);
    assert_eq!((&timer[0]["type"], &timer[0]["name"]), (&"timerTrigger".into(), &"timer".into()));
    let blob = &json("RestoreOnBlob/function.json")["bindings"];
    assert_eq!(blob.as_array().unwrap().len(), 1);
    assert_eq!((&blob[0]["type"], &blob[0]["name"]), (&"blobTrigger".into(), &"manifest".into()));
    assert_eq!(blob[0]["path"], "%BACKUP_CONTAINER%/{name}.manifest.json");
    assert_eq!(blob[0]["connection"], "BackupStorage");
}

/// The host compares the path with the zip's entries word for word: `./apim-dr` would lose its mode.
#[test]
fn the_host_starts_the_binary_by_its_bare_name() {
    let host = json("host.json");
    assert_eq!(host["customHandler"]["description"]["defaultExecutablePath"], env!("CARGO_PKG_NAME"));
    assert_eq!(host["functionTimeout"], "00:05:00");
    let excluded = host["logging"]["applicationInsights"]["samplingSettings"]["excludedTypes"].as_str();
    assert!(excluded.is_some_and(|types| types.split(';').any(|kind| kind == "Trace")), "{excluded:?}");
}

#[test]
fn the_binary_is_built_into_the_repository_but_published() {
    let lines = |path| read(path).lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(lines(".gitignore").contains(&"/apim-dr".to_owned()));
    let left_behind =
        lines(".funcignore").into_iter().filter(|line| !line.starts_with('#')).collect::<String>();
    assert!(!left_behind.contains("apim-dr"), "the binary would not be published");
}
