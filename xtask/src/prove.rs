//! `cargo xtask prove`: what takes longer than a test may. Its results stand in docs/proof.md.

mod mutations;

use crate::shell::Done;
use crate::{chores, seeds};

/// Seeds that no test runs.
const LARGE: &str = "100000..200000";

/// How long the readers are fed, in seconds.
const LONG: &str = "1200";

/// Runs what is asked for, or all of it.
pub(crate) fn run(what: &[&str]) -> Done {
    match what {
        [] => {
            mutations::run(&[])?;
            kills()?;
            seeds::feed(LONG)?;
            seeds::run_with_arguments(&["--seeds", LARGE])
        }
        ["mutations", names @ ..] => mutations::run(names),
        ["kills"] => kills(),
        ["seeds"] => seeds::run_with_arguments(&["--seeds", LARGE]),
        ["seeds", range] => seeds::run_with_arguments(&["--seeds", range]),
        ["fuzz"] => seeds::feed(LONG),
        ["fuzz", seconds] => seeds::feed(seconds),
        [other, ..] => {
            Err(format!("there is nothing to prove called {other:?}: mutations, kills, fuzz, seeds"))
        }
    }
}

/// Kills the handler before and after every single request of a cycle.
fn kills() -> Done {
    chores::cargo_test(&["--features", "prove", "--test", "wire", "kills"])
}
