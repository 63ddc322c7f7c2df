//! `cargo xtask simulate`: seeded worlds with the real handler in them, on all cores.

use std::path::PathBuf;

use crate::shell::{Done, built, executable, run, run_with};

/// The range that every test runs: on two cores it takes a minute or two.
pub(crate) const FIXED: &str = "0..1000";

/// What keeps a run quick: errors of the SDK need no backtraces here.
pub(crate) const WITHOUT_BACKTRACES: (&str, &str) = ("RUST_LIB_BACKTRACE", "0");

/// Builds the simulation and runs what the arguments say.
pub(crate) fn run_with_arguments(arguments: &[&str]) -> Done {
    let program = build()?;
    let program = program.display().to_string();
    run_with(&[&[program.as_str()], arguments].concat(), &[WITHOUT_BACKTRACES])
}

/// Runs the fixed range.
pub(crate) fn run_fixed() -> Done {
    run_with_arguments(&["--seeds", FIXED])
}

fn build() -> Result<PathBuf, String> {
    let package = ["--package", "apim-dr-simulate", "--bin", "simulate"];
    run(&[&["cargo", "build", "--locked", "--profile", "simulate"], &package[..]].concat())?;
    Ok(built("simulate").join(executable("simulate")))
}
