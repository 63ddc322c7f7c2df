//! What is counted over all worlds of a range.

use std::collections::BTreeMap;

use time::Duration;

use crate::observer::Checks;

/// Sums over worlds.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Worlds.
    pub seeds: u64,
    /// How much time passed in them.
    pub virtual_time: Duration,
    /// Calls of the handler by the host.
    pub calls: u64,
    /// Requests of the handler to Azure.
    pub requests: u64,
    /// Operations that Azure accepted.
    pub operations: u64,
    /// What went wrong on purpose, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Steps that were taken, by kind.
    pub steps: BTreeMap<&'static str, u64>,
    /// How often each invariant had something to check.
    pub checks: Checks,
}

impl Tally {
    /// Adds another range's sums.
    pub fn add(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.virtual_time += other.virtual_time;
        self.calls += other.calls;
        self.requests += other.requests;
        self.operations += other.operations;
        for (mine, others) in [(&mut self.faults, &other.faults), (&mut self.steps, &other.steps)] {
            others.iter().for_each(|(kind, count)| *mine.entry(kind).or_default() += count);
        }
        self.checks.add(&other.checks);
    }

    /// How much time passed, in years.
    pub fn years(&self) -> f64 {
        self.virtual_time.as_seconds_f64() / (365.25 * 86_400.0)
    }
}
