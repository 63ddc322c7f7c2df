//! Running other programs from the repository's root.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A chore's end: done, or why not.
pub(crate) type Done = Result<(), String>;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Where cargo puts what it builds with `profile`.
pub(crate) fn built(profile: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join(profile)
}

/// The program's own name on this system.
pub(crate) fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

/// Runs a command to its end, its output shown. `line` is the program and its arguments.
pub(crate) fn run(line: &[&str]) -> Done {
    run_with(line, &[])
}

/// As [`run`], with variables added to the environment.
pub(crate) fn run_with(line: &[&str], variables: &[(&str, &str)]) -> Done {
    let shown = line.join(" ");
    println!("$ {shown}");
    let [program, arguments @ ..] = line else { return Ok(()) };
    let status = Command::new(program)
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(root())
        .status()
        .map_err(|error| format!("`{program}` cannot be run: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed: {status}")) }
}

/// What a command prints, once it has ended well.
pub(crate) fn output(line: &[&str]) -> Result<String, String> {
    let [program, arguments @ ..] = line else { return Ok(String::new()) };
    let ran = Command::new(program).args(arguments).current_dir(root()).output();
    let ran = ran.map_err(|error| format!("`{program}` cannot be run: {error}"))?;
    if !ran.status.success() {
        return Err(format!("`{}` failed: {}", line.join(" "), String::from_utf8_lossy(&ran.stderr)));
    }
    String::from_utf8(ran.stdout).map_err(|error| format!("`{}`: {error}", line.join(" ")))
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| at(path, &error))
}

/// An error of the file system, with the file that it is about.
pub(crate) fn at(path: &Path, error: &dyn Display) -> String {
    format!("{}: {error}", path.display())
}

/// Installs what `pins` lists, unless `stamp` says that this very list is installed already.
pub(crate) fn once(stamp: &Path, pins: &Path, install: impl FnOnce() -> Done) -> Done {
    let pins = read(pins)?;
    if fs::read_to_string(stamp).is_ok_and(|installed| installed == pins) {
        return Ok(());
    }
    install()?;
    fs::write(stamp, pins).map_err(|error| at(stamp, &error))
}
