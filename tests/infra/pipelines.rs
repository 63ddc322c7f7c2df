//! The pipelines against the documents: whatever a pipeline runs, a person can run by hand.

use std::path::Path;

use crate::template;

const PIPELINES: [&str; 2] = ["azure-pipelines.yml", ".github/workflows/ci.yml"];

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The commands of a pipeline that do something with the product or with Azure.
fn commands(pipeline: &str) -> Vec<String> {
    let lines = pipeline.lines().map(|line| line.trim().trim_start_matches("- "));
    let lines = lines.map(|line| line.trim_start_matches("run: ").trim_start_matches("script: "));
    let starts = ["cargo ", "az ", "(cd dist"];
    lines.filter(|line| starts.iter().any(|start| line.starts_with(start))).map(str::to_owned).collect()
}

#[test]
fn a_person_can_run_by_hand_what_a_pipeline_runs() {
    let document = text("docs/deploying.md");
    for name in PIPELINES {
        let commands = commands(&text(name));
        assert!(commands.len() > 6, "{name}: {commands:?}");
        for command in commands {
            assert!(document.contains(&command), "{name}: docs/deploying.md does not say {command}");
        }
    }
}

#[test]
fn both_pipelines_run_the_same() {
    let [mut azure, mut github] = PIPELINES.map(|name| commands(&text(name)));
    azure.sort();
    github.sort();
    assert_eq!(azure, github);
}

#[test]
fn documents_name_files_outputs_and_chores_that_there_are() {
    let help = text("xtask/src/main.rs");
    for name in ["docs/deploying.md", "docs/migrating-from-logic-apps.md"] {
        let document = text(name);
        let words = document.split(|letter: char| letter.is_whitespace() || "`()@,\"".contains(letter));
        for file in words.filter(|word| word.starts_with("infra/") || word.starts_with(".github/")) {
            let file = file.trim_end_matches(['.', ':']);
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(file).exists(), "{name}: {file}");
        }
        for rest in document.split("cargo xtask ").skip(1) {
            let chore = rest.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap();
            assert!(help.contains(&format!("cargo xtask {chore}")), "{name}: cargo xtask {chore}");
        }
        for rest in document.split("$(output ").skip(1) {
            let output = rest.split(')').next().unwrap();
            assert!(template("standby")["outputs"].get(output).is_some(), "{name}: {output}");
        }
    }
}

/// Every parameter that the document tells to set.
#[test]
fn documents_name_parameters_that_there_are() {
    let document = text("docs/deploying.md");
    let template = template("standby");
    let parameters = template["parameters"].as_object().unwrap();
    let named = document.split('`').skip(1).step_by(2).filter(|word| {
        let begin = word.chars().next().is_some_and(|letter| letter.is_ascii_lowercase());
        begin && word.chars().any(char::is_uppercase) && word.chars().all(char::is_alphanumeric)
    });
    let of_others = ["primaryId", "secondaryId", "appId", "insightsId", "gatewayHosts", "allPolicies"];
    for name in named.filter(|name| !of_others.contains(name)) {
        assert!(parameters.contains_key(name), "standby.json has no parameter {name}");
    }
}
