//! One seed: its world, its replay, and what of it a violation needs.

use crate::observer::Violation;
use crate::plan::Plan;
use crate::tally::Tally;
use crate::transcript::Transcript;
use crate::world::{self, Ended, Mask};

/// What one world came to.
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What must not have happened, if it did.
    pub violation: Option<Violation>,
    /// What was counted.
    pub tally: Tally,
    /// What led to it.
    pub transcript: Transcript,
}

/// Runs the world of a seed. Nothing but the seed decides what happens in it.
pub fn run(seed: u64, transcript: Transcript) -> Report {
    let Ended { violation, tally, transcript } = world::run(Plan::of(seed), Mask::default(), transcript);
    Report { seed, violation, tally, transcript }
}

/// Runs a world that ends in a violation again and again, each time with less of it, and reports the least that
/// still ends in the same.
pub fn minimised(seed: u64, violation: &Violation) -> Report {
    let plan = Plan::of(seed);
    let fails = |mask: &Mask| {
        let ended = world::run(plan.clone(), mask.clone(), Transcript::default());
        ended.violation.is_some_and(|found| found.invariant == violation.invariant)
    };
    let mut mask = Mask::default();
    let numbers: Vec<u32> = plan.steps.iter().map(|step| step.number).collect();
    reduce(&numbers, |chunk| {
        let mut less = mask.clone();
        less.dropped.extend(chunk);
        let still = fails(&less);
        if still {
            mask = less;
        }
        still
    });
    let left: Vec<u32> = numbers.into_iter().filter(|number| !mask.dropped.contains(number)).collect();
    reduce(&left, |chunk| {
        let mut less = mask.clone();
        less.quiet.extend(chunk);
        let still = fails(&less);
        if still {
            mask = less;
        }
        still
    });
    let Ended { violation, tally, transcript } = world::run(plan, mask, Transcript::screen());
    Report { seed, violation, tally, transcript }
}

/// Offers ever smaller chunks, each of which may go if `goes` says so.
fn reduce(numbers: &[u32], mut goes: impl FnMut(&[u32]) -> bool) {
    let mut left: Vec<u32> = numbers.to_vec();
    let mut size = left.len().div_ceil(2);
    while size > 0 {
        let chunks: Vec<Vec<u32>> = left.chunks(size).map(<[u32]>::to_vec).collect();
        for chunk in chunks.into_iter().rev() {
            if goes(&chunk) {
                left.retain(|number| !chunk.contains(number));
            }
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
}
