//! Build and test.

use std::fs;

use crate::seeds;
use crate::shell::{Done, built, executable, once, root, run, run_with};

/// What a test needs beside Rust and Node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    Nothing,
    /// Chromium, for the page.
    Browser,
}

/// Everything that must hold: format, lints, tests, a range of seeds, documentation.
pub(crate) fn test(beside: Beside) -> Done {
    let features = if beside == Beside::Browser { &["--features", "apim-dr/browser"][..] } else { &[] };
    run(&["cargo", "fmt", "--all", "--check"])?;
    let clippy = ["cargo", "clippy", "--workspace", "--all-targets", "--locked"];
    run(&[&clippy, features, &["--", "-D", "warnings"]].concat())?;
    install_azurite()?;
    run(&[&["cargo", "test", "--workspace", "--locked"], features].concat())?;
    seeds::run_fixed()?;
    seeds::feed("20")?;
    let document = ["cargo", "doc", "--workspace", "--no-deps", "--document-private-items", "--locked"];
    run_with(&document, &[("RUSTDOCFLAGS", "-D warnings")])
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
