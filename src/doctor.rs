//! `apim-dr doctor`: every precondition is looked at, and each that does not hold is named with its fix.
//!
//! Nothing is changed anywhere. Rights are read from what Resource Manager says that the caller may do, and on storage
//! they are tried with writes whose condition cannot hold.

use crate::azure::Azure;
use crate::clock::InvocationClock;
use crate::config::{Config, Problems};

pub use finding::{Finding, Verdict};

mod finding;
mod front_doors;
mod report;
mod rights;
mod routing;
mod services;
mod storage;

/// What every part of an examination works with.
struct Examination<'a> {
    config: &'a Config,
    azure: &'a Azure,
    clock: &'a InvocationClock,
    findings: Vec<Finding>,
}

impl Examination<'_> {
    fn note(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

/// Looks at everything that the settings name.
pub async fn examine(config: &Config, azure: &Azure, clock: &InvocationClock) -> Vec<Finding> {
    let mut examination = Examination { config, azure, clock, findings: settings(config) };
    let services = services::look(&mut examination).await;
    rights::look(&mut examination).await;
    storage::look(&mut examination).await;
    routing::look(&mut examination, &services).await;
    front_doors::look(&mut examination, &services).await;
    examination.findings
}

/// What the settings alone say.
fn settings(config: &Config) -> Vec<Finding> {
    let doubts = config.doubts();
    if doubts.is_empty() {
        return vec![Finding::good("settings", "", "every setting can be read")];
    }
    let split = |doubt: &str| match doubt.split_once("; write ") {
        Some((fact, fix)) => Finding::doubt("settings", "", fact, &format!("write {fix}")),
        None => Finding::doubt("settings", "", doubt, "see README, settings"),
    };
    doubts.iter().map(|doubt| split(doubt)).collect()
}

/// Settings that cannot be read leave nothing to look at.
pub fn of_problems(problems: &Problems) -> Vec<Finding> {
    let finding = |problem: &crate::config::Problem| {
        let (fact, fix) = problem.what.split_once(": ").unwrap_or((&problem.what, "see README, settings"));
        Finding::bad("settings", problem.setting, fact, fix)
    };
    problems.iter().map(finding).collect()
}

/// For people: a line for each finding, and its fix below those that do not hold.
pub fn text(findings: &[Finding]) -> String {
    report::text(findings)
}

/// For machines.
pub fn json(findings: &[Finding]) -> String {
    report::json(findings)
}

/// 0: everything holds, as far as it can be seen. 1: something does not hold.
pub fn exit_code(findings: &[Finding]) -> u8 {
    u8::from(findings.iter().any(|finding| finding.verdict == Verdict::Bad))
}
