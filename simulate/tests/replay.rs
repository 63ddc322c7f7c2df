//! A seed is all that decides what happens in its world.

use apim_dr_simulate::{Transcript, seed};

/// Enough for every kind of step to occur; a range of optimised worlds is run by `cargo xtask test`.
const SEEDS: std::ops::Range<u64> = 0..4;

#[test]
fn a_seed_replays_identically() {
    for number in SEEDS {
        let runs = [(); 2].map(|()| {
            let report = seed::run(number, Transcript::whole());
            (report.transcript.to_string(), report.tally.checks, report.violation)
        });
        let [first, second] = &runs;
        assert!(first.0.lines().count() > 50, "seed {number} tells something");
        for (line, (first, second)) in first.0.lines().zip(second.0.lines()).enumerate() {
            assert_eq!(first, second, "seed {number}, line {line}");
        }
        assert_eq!((&first.1, &first.2), (&second.1, &second.2), "seed {number}");
    }
}

#[test]
fn seeds_differ() {
    let told = |number| seed::run(number, Transcript::whole()).transcript.to_string();
    assert_ne!(told(1), told(2));
}
