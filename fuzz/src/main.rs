//! Feeds targets for a while: `fuzz [--seconds N] [--seed N] [TARGET…]`, and everything that is left of stored
//! documents when they are cut off or a bit of them is flipped.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use apim_dr_fuzz::mutate::{Seed, cuts, flips};
use apim_dr_fuzz::{TARGETS, Target, target};

/// Stored documents, which a disk may spoil.
const STORED: [&str; 3] = ["record", "manifest", "health"];

/// Inputs between two looks at the clock.
const BATCH: u64 = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(default)
    };
    let named: Vec<_> = arguments.iter().filter_map(|argument| target(argument)).collect();
    let targets = if named.is_empty() { TARGETS.iter().collect() } else { named };
    // What panics is said once, with the bytes that it takes.
    std::panic::set_hook(Box::new(|_| {}));
    let seconds = Duration::from_secs(number("--seconds", 20)) / u32::try_from(targets.len()).unwrap_or(1);
    let failures = targets.iter().filter(|target| !run(target, seconds, number("--seed", 1))).count();
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Feeds one target. False: it panicked.
fn run(target: &Target, lasting: Duration, seed: u64) -> bool {
    let corpus = (target.corpus)();
    let began = Instant::now();
    let mut fed: u64 = 0;
    let mut feed = |bytes: &[u8]| {
        fed += 1;
        is_well(target, bytes)
    };
    let mut well = corpus.iter().all(|bytes| feed(bytes));
    if STORED.contains(&target.name) {
        well = well && corpus.iter().all(|bytes| cuts(bytes).all(&mut feed));
        well = well && corpus.iter().all(|bytes| flips(bytes).all(|flipped| feed(&flipped)));
    }
    let mut seeds = Seed::new(seed);
    while well && began.elapsed() < lasting {
        well = (0..BATCH).all(|_| feed(&seeds.input(&corpus)));
    }
    println!("{:<20} {fed:>9} inputs in {:.1} s", target.name, began.elapsed().as_secs_f64());
    well
}

fn is_well(target: &Target, bytes: &[u8]) -> bool {
    let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.feed)(bytes))) else { return true };
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    eprintln!("{} panicked: {message}\nfed with {:?}", target.name, String::from_utf8_lossy(bytes));
    false
}
