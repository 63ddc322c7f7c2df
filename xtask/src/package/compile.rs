//! The release build: linked by zig against an old C library, with no path of this machine in it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::{Done, at, built, once, output, root, run, run_with};

/// Which system the binaries are for.
pub(super) const LINUX: &str = "x86_64-unknown-linux-gnu";
const WINDOWS: &str = "x86_64-pc-windows-gnu";

/// The C library that the binary for Linux is linked against.
const C_LIBRARY: &str = "2.31";

/// Builds the handler for Linux and yields its bytes.
pub(super) fn linux() -> Result<Vec<u8>, String> {
    build(&format!("{LINUX}.{C_LIBRARY}"), LINUX, "apim-dr")
}

/// Builds the handler for Windows and yields its bytes.
pub(super) fn windows() -> Result<Vec<u8>, String> {
    if !sysroot()?.join("lib/rustlib").join(WINDOWS).exists() {
        return Err(format!("Rust's standard library for {WINDOWS} is missing: rustup target add {WINDOWS}"));
    }
    build(WINDOWS, WINDOWS, "apim-dr.exe")
}

/// Builds for a target as zig calls it; what comes of it lies where cargo calls it.
fn build(zig_target: &str, target: &str, file: &str) -> Result<Vec<u8>, String> {
    let tools = tools()?;
    let folder = built("package");
    let path = env::join_paths([tools.join("bin")].into_iter().chain(search_path()));
    let path = path.map_err(|error| error.to_string())?;
    let c_flags = format!("CFLAGS_{}", target.replace('-', "_"));
    let variables = [
        ("PATH", path.display().to_string()),
        ("CARGO_ENCODED_RUSTFLAGS", remaps("--remap-path-prefix=")?.join("\u{1f}")),
        (c_flags.as_str(), remaps("-ffile-prefix-map=")?.join(" ")),
        // What zig keeps between runs stays beside it, where it disturbs nobody.
        ("CARGO_ZIGBUILD_CACHE_DIR", tools.join("cache").display().to_string()),
        ("ZIG_GLOBAL_CACHE_DIR", tools.join("cache").display().to_string()),
    ];
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let folder_text = folder.display().to_string();
    let build = ["cargo", "zigbuild", "--profile", "dist", "--locked", "--target", zig_target];
    let what = ["--package", "apim-dr", "--bin", "apim-dr", "--target-dir", &folder_text];
    run_with(&[&build[..], &what[..]].concat(), &variables)?;
    let binary = folder.join(target).join("dist").join(file);
    fs::read(&binary).map_err(|error| at(&binary, &error))
}

fn search_path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

/// The linker and what hands it to cargo, in the versions and with the checksums of `package-tools.txt`.
fn tools() -> Result<PathBuf, String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err("packages are made on Linux on x86-64, where they can also be run once".to_owned());
    }
    let (folder, pins) = (built("package-tools"), root().join("xtask/package-tools.txt"));
    once(&folder.join(".installed"), &pins, || {
        let (folder, pins) = (folder.display().to_string(), pins.display().to_string());
        run(&["python3", "-m", "venv", "--clear", &folder])?;
        let pip = format!("{folder}/bin/pip");
        let options =
            ["--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"];
        run(&[&[&pip, "install"], &options[..], &["--requirement", &pins]].concat())
    })?;
    Ok(folder)
}

/// Where paths of this machine would come from, and what stands for them. The last that fits is taken.
fn remaps(flag: &str) -> Result<Vec<String>, String> {
    let cargo = cargo_home();
    let mut places = vec![(cargo.clone(), "/cargo".to_owned()), (sysroot()?, "/rust".to_owned())];
    places.push((root(), "/apim-dr".to_owned()));
    places.push((built("package"), "/target".to_owned()));
    // Each registry's sources lie in a folder that bears the registry's name, wherever it is reached.
    let sources = fs::read_dir(cargo.join("registry/src")).into_iter().flatten().flatten();
    places.extend(sources.map(|source| (source.path(), "/crates".to_owned())));
    Ok(places.into_iter().map(|(from, to)| format!("{flag}{}={to}", from.display())).collect())
}

fn cargo_home() -> PathBuf {
    env::var_os("CARGO_HOME").map_or_else(|| home().join(".cargo"), PathBuf::from)
}

fn home() -> PathBuf {
    env::home_dir().unwrap_or_else(|| "/nowhere".into())
}

fn sysroot() -> Result<PathBuf, String> {
    output(&["rustc", "--print", "sysroot"]).map(|path| path.trim().into())
}

/// Fails if the binary tells where it was built.
pub(super) fn check_paths(binary: &[u8]) -> Done {
    for place in [root(), cargo_home(), sysroot()?, built("package"), home().join(".rustup")] {
        if holds(binary, &place) {
            return Err(format!("the binary holds {}, a path of the machine that built it", place.display()));
        }
    }
    Ok(())
}

fn holds(binary: &[u8], place: &Path) -> bool {
    let text = place.as_os_str().as_encoded_bytes();
    binary.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_this_machine_is_found_in_a_binary() {
        let place = root().join("src/main.rs");
        let binary = [b"\x7fELF", place.as_os_str().as_encoded_bytes(), b"\0"].concat();
        let told = check_paths(&binary).unwrap_err();
        assert!(told.contains(&root().display().to_string()), "{told}");
        assert_eq!(check_paths(b"\x7fELF/apim-dr/src/main.rs"), Ok(()));
    }
}
