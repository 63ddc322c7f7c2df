//! `cargo xtask simulate`: seeded worlds with the real handler in them, on all cores. And what the handler's readers
//! are fed with.

use std::path::PathBuf;

use crate::shell::{Done, built, executable, run, run_with};

/// The range that every test runs: on two cores it takes half a minute or more.
pub(crate) const FIXED: &str = "0..200";

/// The simulation's program.
const SIMULATE: &str = "simulate";

/// The program that feeds the readers.
const FUZZ: &str = "fuzz";

/// The handler itself.
const HANDLER: &str = "apim-dr";

/// What keeps a run quick: errors of the SDK need no backtraces here.
pub(crate) const WITHOUT_BACKTRACES: (&str, &str) = ("RUST_LIB_BACKTRACE", "0");

/// Builds the simulation and runs what the arguments say.
pub(crate) fn run_with_arguments(arguments: &[&str]) -> Done {
    run_optimised(SIMULATE, arguments)
}

/// Feeds every reader for so many seconds, all of them together.
pub(crate) fn feed(seconds: &str) -> Done {
    run_optimised(FUZZ, &["--seconds", seconds])
}

/// Runs the fixed range.
pub(crate) fn run_fixed() -> Done {
    run_with_arguments(&["--seeds", FIXED])
}

/// Builds the simulation; where its program lies.
pub(crate) fn build() -> Result<PathBuf, String> {
    build_optimised(SIMULATE)
}

/// Builds the handler as the simulation has it; where its program lies.
pub(crate) fn build_handler() -> Result<PathBuf, String> {
    build_optimised(HANDLER)
}

fn run_optimised(program: &str, arguments: &[&str]) -> Done {
    let built = build_optimised(program)?.display().to_string();
    run_with(&[&[built.as_str()], arguments].concat(), &[WITHOUT_BACKTRACES])
}

/// All are built at once: by themselves they would ask for other features of what they share, and build that twice.
fn build_optimised(program: &str) -> Result<PathBuf, String> {
    let packages = ["--package", "apim-dr-simulate", "--package", "apim-dr-fuzz", "--package", HANDLER];
    let programs = ["--bin", SIMULATE, "--bin", FUZZ, "--bin", HANDLER];
    let build = ["cargo", "build", "--locked", "--profile", "simulate"];
    run(&[&build[..], &packages, &programs].concat())?;
    Ok(built("simulate").join(executable(program)))
}
