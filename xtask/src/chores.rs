//! Build and test.

use std::fs;
use std::thread;

use crate::shell::{Done, built, executable, once, root, run, run_with};
use crate::{package, seeds};

/// The tests that need Chromium beside Rust and Node: those of the page.
const BROWSER: &[&str] = &["--features", "apim-dr/browser"];

/// Everything that must hold, but for the page and the packages.
pub(crate) fn test() -> Done {
    prepare(&[])?;
    run_tests(&[])?;
    run_seeds()
}

/// Everything. The packages are made and the seeds run beside the tests, which leave a core idle for much of their time.
pub(crate) fn test_all() -> Done {
    prepare(BROWSER)?;
    thread::scope(|scope| {
        let beside = scope.spawn(|| package::run().and_then(|()| run_seeds()));
        run_tests(BROWSER)?;
        beside.join().unwrap_or_else(|_| Err("making the packages or running the seeds panicked".to_owned()))
    })
}

/// Format, lints, and all that the tests need.
fn prepare(features: &[&str]) -> Done {
    run(&["cargo", "fmt", "--all", "--check"])?;
    let clippy = ["cargo", "clippy", "--workspace", "--all-targets", "--locked"];
    run(&[&clippy, features, &["--", "-D", "warnings"]].concat())?;
    install_azurite()?;
    cargo_test(&[&["--workspace", "--no-run"], features].concat())
}

/// A range of seeds, and what readers are fed with.
fn run_seeds() -> Done {
    seeds::run_fixed()?;
    seeds::feed("20")
}

/// Tests and documentation.
fn run_tests(features: &[&str]) -> Done {
    cargo_test(&[&["--workspace"], features].concat())?;
    let document = ["cargo", "doc", "--workspace", "--no-deps", "--document-private-items", "--locked"];
    run_with(&document, &[("RUSTDOCFLAGS", "-D warnings")])
}

/// Runs tests, those over the wire with an optimised handler.
pub(crate) fn cargo_test(which: &[&str]) -> Done {
    let handler = seeds::build_handler()?.display().to_string();
    let variables = [("TESTED_HANDLER", handler.as_str()), seeds::WITHOUT_BACKTRACES];
    run_with(&[&["cargo", "test", "--locked"], which].concat(), &variables)
}

/// The storage tests run against Azurite, in the version that package-lock.json pins.
fn install_azurite() -> Done {
    once(&root().join("node_modules/.installed-lock"), &root().join("package-lock.json"), || {
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        run(&[npm, "ci", "--no-audit", "--no-fund"])
    })
}

/// The optimised binary, put where host.json wants it.
pub(crate) fn build() -> Done {
    run(&["cargo", "build", "--profile", "dist", "--locked", "--package", "apim-dr", "--bin", "apim-dr"])?;
    let name = executable("apim-dr");
    let (from, to) = (built("dist").join(&name), root().join(&name));
    // A running handler keeps its file: the new one takes its place instead of writing over it.
    let beside = root().join(format!("{name}.new"));
    fs::copy(&from, &beside).map_err(|error| format!("{}: {error}", from.display()))?;
    fs::rename(&beside, &to).map_err(|error| format!("{}: {error}", to.display()))?;
    let size = fs::metadata(&to).map_err(|error| error.to_string())?.len();
    println!("{} ({:.1} MB)", to.display(), size as f64 / 1e6);
    Ok(())
}

/// Serves the simulator for `func start`.
pub(crate) fn serve_simulator(arguments: &[&str]) -> Done {
    let serve = [
        "cargo",
        "run",
        "--quiet",
        "--locked",
        "--package",
        "apim-dr-sim",
        "--bin",
        "apim-dr-sim",
        "--",
        "serve",
    ];
    run(&[&serve, arguments].concat())
}
