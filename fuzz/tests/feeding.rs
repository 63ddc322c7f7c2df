//! Every target is fed with its corpus and with what a fixed seed makes of it.

use apim_dr_fuzz::TARGETS;
use apim_dr_fuzz::mutate::Seed;

/// Inputs for each target. The optimised program of this package is fed with more, by `cargo xtask test`.
const INPUTS: usize = 400;

#[test]
fn no_target_panics() {
    for target in TARGETS {
        let corpus = (target.corpus)();
        assert!(!corpus.is_empty(), "{} has something to begin with", target.name);
        corpus.iter().for_each(|bytes| (target.feed)(bytes));
        let mut seed = Seed::new(1);
        (0..INPUTS).for_each(|_| (target.feed)(&seed.input(&corpus)));
    }
}

#[test]
fn a_seed_makes_the_same_of_a_corpus() {
    let corpus = vec![b"0 0 2 * * *".to_vec(), b"{}".to_vec()];
    let inputs = |number| {
        let mut seed = Seed::new(number);
        (0..50).map(|_| seed.input(&corpus)).collect::<Vec<_>>()
    };
    assert_eq!(inputs(7), inputs(7));
    assert_ne!(inputs(7), inputs(8));
}
