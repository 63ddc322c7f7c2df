//! The chores of this repository. `cargo xtask help` lists them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

mod bench;
mod chores;
mod demo;
mod package;
mod prove;
mod seeds;
mod shell;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask demo          build, then show a backup become a restored standby, simulated, in under a minute
cargo xtask test [--all]  format, clippy, every test, documentation; --all adds the page and the packages: Chromium, Python
cargo xtask build         the optimised binary, put where host.json wants it
cargo xtask package       what is deployed, into dist: built, checked, and run once under the host stand-in;
                          `package windows` adds one for Windows, which is not run
cargo xtask sim [ARGS]    serve the simulator on fixed ports for `func start`, and print the settings it needs
cargo xtask simulate ARGS seeded worlds in which everything goes wrong: `--seeds A..B` on all cores, `--seed N` for one
cargo xtask prove [WHAT]  what takes longer: `mutations` (each safeguard taken out must be found), `kills`, `seeds`, `fuzz`
cargo xtask bench         start-up time, memory, size and requests of an idle tick, measured here
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["demo"] => demo::run(),
        ["test"] => chores::test(),
        ["test", "--all"] => chores::test_all(),
        ["package"] => package::run(),
        ["package", "windows"] => package::windows(),
        ["build"] => chores::build(),
        ["sim", rest @ ..] => chores::serve_simulator(rest),
        ["prove", rest @ ..] => prove::run(rest),
        ["simulate", rest @ ..] => seeds::run_with_arguments(rest),
        ["bench"] => bench::run(),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("there is no such chore: {}\n\n{HELP}", words.join(" "));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
