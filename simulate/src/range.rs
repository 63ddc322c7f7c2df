//! Many seeds on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::observer::Violation;
use crate::seed;
use crate::tally::Tally;
use crate::transcript::Transcript;

/// A seed that ended in a violation.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What must not have happened.
    pub violation: Violation,
}

/// What a range came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was counted.
    pub tally: Tally,
    /// The seeds that failed, lowest first.
    pub failures: Vec<Failure>,
}

/// What a world's futures need of a stack where they are not optimised; a thread has less by itself.
const STACK: usize = 8 << 20;

/// How a range is run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many worlds at once.
    pub threads: usize,
    /// After so many failures no further seed is begun.
    pub most_failures: usize,
}

/// Runs all seeds of a range, in their order as far as threads allow.
pub fn run(seeds: std::ops::Range<u64>, options: Options) -> Outcome {
    let (next, enough) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let outcome = Mutex::new(Outcome::default());
    let work = || {
        while !enough.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let report = seed::run(seed, Transcript::default());
            let mut outcome = outcome.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            outcome.tally.add(&report.tally);
            outcome.failures.extend(report.violation.map(|violation| Failure { seed, violation }));
            enough.store(outcome.failures.len() >= options.most_failures, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..options.threads {
            let thread = std::thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, work).expect("a thread");
        }
    });
    let mut outcome = outcome.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    outcome.failures.sort_by_key(|failure| failure.seed);
    outcome
}
