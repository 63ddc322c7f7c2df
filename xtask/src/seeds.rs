//! `cargo xtask simulate`: seeded worlds with the real handler in them, on all cores. And what the handler's readers
//! are fed with.

use std::path::PathBuf;

use crate::shell::{Done, built, executable, run, run_with};

/// The range that every test runs: on two cores it takes a minute or two.
pub(crate) const FIXED: &str = "0..1000";

/// What keeps a run quick: errors of the SDK need no backtraces here.
pub(crate) const WITHOUT_BACKTRACES: (&str, &str) = ("RUST_LIB_BACKTRACE", "0");

/// Builds the simulation and runs what the arguments say.
pub(crate) fn run_with_arguments(arguments: &[&str]) -> Done {
    run_optimised(("apim-dr-simulate", "simulate"), arguments)
}

/// Feeds every reader for so many seconds, all of them together.
pub(crate) fn feed(seconds: &str) -> Done {
    run_optimised(("apim-dr-fuzz", "fuzz"), &["--seconds", seconds])
}

/// Runs the fixed range.
pub(crate) fn run_fixed() -> Done {
    run_with_arguments(&["--seeds", FIXED])
}

/// Builds the simulation; where its program lies.
pub(crate) fn build() -> Result<PathBuf, String> {
    build_optimised("apim-dr-simulate", "simulate")
}

fn run_optimised((package, program): (&str, &str), arguments: &[&str]) -> Done {
    let built = build_optimised(package, program)?.display().to_string();
    run_with(&[&[built.as_str()], arguments].concat(), &[WITHOUT_BACKTRACES])
}

fn build_optimised(package: &str, program: &str) -> Result<PathBuf, String> {
    let what = ["--package", package, "--bin", program];
    run(&[&["cargo", "build", "--locked", "--profile", "simulate"], &what[..]].concat())?;
    Ok(built("simulate").join(executable(program)))
}
