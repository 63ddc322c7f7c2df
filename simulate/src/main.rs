//! `cargo xtask simulate`: runs a range of seeds, and shows the first that fails.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

use std::collections::BTreeMap;
use std::ops::Range;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use apim_dr_simulate::crawl::{self, Crawled};
use apim_dr_simulate::range::{self, Failure, Outcome};
use apim_dr_simulate::{Invariant, Tally, Transcript, seed};

/// Worlds allocate all the time, and from several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
usage: simulate --seeds A..B [--threads N] [--failures N] [--as-they-are]
       simulate --seed N [--whole]
       simulate --crawl N

--seeds        runs every seed from A to B - 1, and fails if one ends in what must never happen
--threads      how many at once; all cores if it is not said
--failures     ends after so many failures; 1 if it is not said
--as-they-are  does not look for the least of the first seed that fails
--seed         runs one seed and prints what happened in it
--whole        every line of it, not the last screen
--crawl        reads a service with N APIs, and prints how long that took as JSON
";

/// How long Resource Manager takes for an answer, at best.
const LATENCY: Duration = Duration::from_millis(50);

/// A range of fewer seeds need not meet everything.
const MEETS_EVERYTHING: u64 = 1_000;

enum Chore {
    Range { seeds: Range<u64>, options: range::Options, least: bool },
    One { seed: u64, whole: bool },
    Crawl { apis: usize },
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match parse(&arguments) {
        Some(Chore::Range { seeds, options, least }) => simulate(seeds, (options, least)),
        Some(Chore::One { seed, whole }) => show(seed, whole),
        Some(Chore::Crawl { apis }) => read_large(apis),
        None => {
            eprint!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn parse(arguments: &[String]) -> Option<Chore> {
    let is_said = |name: &str| arguments.iter().any(|argument| argument == name);
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).map(String::as_str)
    };
    if let Some(number) = value("--seed") {
        return Some(Chore::One { seed: number.parse().ok()?, whole: is_said("--whole") });
    }
    if let Some(apis) = value("--crawl") {
        return Some(Chore::Crawl { apis: apis.parse().ok()? });
    }
    let (from, to) = value("--seeds")?.split_once("..")?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = value("--threads").map_or(Some(cores), |text| text.parse().ok())?;
    let most_failures = value("--failures").map_or(Some(1), |text| text.parse().ok())?;
    Some(Chore::Range {
        seeds: from.parse().ok()?..to.parse().ok()?,
        options: range::Options { threads, most_failures },
        least: !is_said("--as-they-are"),
    })
}

fn simulate(seeds: Range<u64>, (options, least): (range::Options, bool)) -> ExitCode {
    let (began, asked) = (Instant::now(), seeds.end.saturating_sub(seeds.start));
    let outcome = range::run(seeds, options);
    print(&outcome.tally, began.elapsed().as_secs_f64());
    for Failure { seed, violation } in &outcome.failures {
        println!("seed {seed}: {}: {}", violation.invariant.label(), violation.what);
    }
    match outcome.failures.first() {
        Some(first) if least => show_least(first),
        Some(_) => ExitCode::FAILURE,
        None => met_everything(&outcome, asked),
    }
}

fn show_least(failure: &Failure) -> ExitCode {
    println!("\nthe least of seed {} that still fails:", failure.seed);
    print!("{}", seed::minimised(failure.seed, &failure.violation).transcript);
    ExitCode::FAILURE
}

/// An invariant that never had anything to check holds nothing.
fn met_everything(outcome: &Outcome, asked: u64) -> ExitCode {
    let idle: Vec<_> = outcome.tally.checks.idle().into_iter().map(Invariant::label).collect();
    if asked < MEETS_EVERYTHING || idle.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("never anything to check: {}", idle.join(", "));
    ExitCode::FAILURE
}

fn show(number: u64, whole: bool) -> ExitCode {
    let transcript = if whole { Transcript::whole() } else { Transcript::screen() };
    let report = seed::run(number, transcript);
    print!("{}", report.transcript);
    if report.violation.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// As `cargo xtask bench` reads it.
fn read_large(apis: usize) -> ExitCode {
    match crawl::crawl(apis, LATENCY) {
        Ok(crawled) => {
            let least = crawled.least_seconds();
            let Crawled { apis, reads, throttled, seconds, ticks } = crawled;
            println!(
                r#"{{"apis":{apis},"reads":{reads},"throttled":{throttled},"seconds":{seconds},"least":{least},"ticks":{ticks}}}"#
            );
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
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
    print_counts("steps", &tally.steps);
    print_counts("faults", &tally.faults);
    let checks = Invariant::ALL.iter().map(|invariant| (invariant.label(), tally.checks.of(*invariant)));
    print_counts("checks", &checks.collect());
}

fn print_counts(title: &str, counts: &BTreeMap<&'static str, u64>) {
    let counts: Vec<_> = counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    println!("{title}: {}", counts.join(", "));
}
