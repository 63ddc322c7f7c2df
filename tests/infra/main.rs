//! What the schemas of Azure's templates cannot say: the templates evaluated as Resource Manager would, and held
//! against the code, against Azure's limits and against the rules of Bicep's linter.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alerts;
mod deployment;
mod examples;
mod expression;
mod functions;
mod lint;
mod names;
mod pipelines;
mod rights;
mod settings;

use std::path::Path;

use serde_json::Value;

/// Every template, by its file's name.
const TEMPLATES: [&str; 5] = ["standby", "services", "traffic", "alerts", "events"];

fn json(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn template(name: &str) -> Value {
    json(&format!("infra/{name}.json"))
}
