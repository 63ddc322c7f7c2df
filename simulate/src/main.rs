//! `cargo xtask simulate`: runs a range of seeds, and shows the first that fails.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

use std::process::ExitCode;
use std::time::Instant;

use apim_dr_simulate::{Invariant, Tally, Transcript, range, seed};

const USAGE: &str = "\
usage: simulate --seeds A..B [--threads N] [--failures N]
       simulate --seed N [--whole]

--seeds      runs every seed from A to B - 1, and fails if one ends in what must never happen
--threads    how many at once; all cores if it is not said
--failures   ends after so many failures; 1 if it is not said
--seed       runs one seed and prints what happened in it
--whole      every line of it, not the last screen
";

enum Chore {
    Range(std::ops::Range<u64>, range::Options),
    One(u64, bool),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match parse(&arguments) {
        Some(Chore::Range(seeds, options)) => simulate(seeds, options),
        Some(Chore::One(number, whole)) => show(number, whole),
        None => {
            eprint!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn parse(arguments: &[String]) -> Option<Chore> {
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).map(String::as_str)
    };
    if let Some(number) = value("--seed") {
        return Some(Chore::One(
            number.parse().ok()?,
            arguments.iter().any(|argument| argument == "--whole"),
        ));
    }
    let (from, to) = value("--seeds")?.split_once("..")?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = value("--threads").map_or(Some(cores), |text| text.parse().ok())?;
    let most_failures = value("--failures").map_or(Some(1), |text| text.parse().ok())?;
    Some(Chore::Range(from.parse().ok()?..to.parse().ok()?, range::Options { threads, most_failures }))
}

fn simulate(seeds: std::ops::Range<u64>, options: range::Options) -> ExitCode {
    let began = Instant::now();
    let whole = seeds.end - seeds.start;
    let outcome = range::run(seeds, options);
    print(&outcome.tally, began.elapsed().as_secs_f64());
    for failure in &outcome.failures {
        println!(
            "seed {}: {}: {}",
            failure.seed,
            failure.violation.invariant.label(),
            failure.violation.what
        );
    }
    if let Some(first) = outcome.failures.first() {
        println!("\nthe least of seed {} that still fails:", first.seed);
        let least = seed::minimised(first.seed, &first.violation);
        print!("{}", least.transcript);
        return ExitCode::FAILURE;
    }
    let idle = outcome.tally.checks.idle();
    // A short range need not meet everything.
    if whole >= 1_000 && !idle.is_empty() {
        let names: Vec<_> = idle.into_iter().map(Invariant::label).collect();
        println!("never anything to check: {}", names.join(", "));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn show(number: u64, whole: bool) -> ExitCode {
    let transcript = if whole { Transcript::whole() } else { Transcript::screen() };
    let report = seed::run(number, transcript);
    print!("{}", report.transcript);
    if report.violation.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn print(tally: &Tally, seconds: f64) {
    println!(
        "{} seeds, {:.1} virtual years, {} calls, {} requests, {} operations, in {seconds:.1} s ({:.0} seeds/s)",
        tally.seeds,
        tally.years(),
        tally.calls,
        tally.requests,
        tally.operations,
        tally.seeds as f64 / seconds
    );
    let list = |title: &str, counts: &std::collections::BTreeMap<&'static str, u64>| {
        let counts: Vec<_> = counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        println!("{title}: {}", counts.join(", "));
    };
    list("steps", &tally.steps);
    list("faults", &tally.faults);
    let checks: Vec<_> = Invariant::ALL
        .iter()
        .map(|invariant| format!("{} {}", invariant.label(), tally.checks.of(*invariant)))
        .collect();
    println!("checks: {}", checks.join(", "));
}
