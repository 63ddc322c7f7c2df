//! `cargo xtask package`: what is deployed. It is made from this source and nothing else, held against what a
//! Functions image offers, and runs the main job once before it may be called a package.

mod archive;
mod bill;
mod compile;
mod elf;
mod proof;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::shell::{Done, at, root};
use archive::Entry;

/// The largest package, and the largest binary in it: an app on Consumption fetches it at each cold start.
const LARGEST_ZIP: usize = 3_000_000;
const LARGEST_BINARY: usize = 6_000_000;

/// Where a package goes: each place asks for something else.
#[derive(Clone, Copy)]
enum Plan {
    /// Linux Consumption. The host polls the container.
    Consumption,
    /// Flex Consumption knows no polling, only Event Grid.
    Flex,
    /// Consumption on Windows, where programs have another name.
    Windows,
}

impl Plan {
    /// The file's name in `dist`.
    fn file(self) -> &'static str {
        match self {
            Self::Consumption => "apim-dr-consumption-linux-x64.zip",
            Self::Flex => "apim-dr-flex-linux-x64.zip",
            Self::Windows => "apim-dr-consumption-windows-x64.zip",
        }
    }
}

/// Makes `dist`, or says what is wrong with what would have been put there.
pub(crate) fn run() -> Done {
    let binary = compile::linux()?;
    elf::check(&binary)?;
    let dist = emptied_dist()?;
    for plan in [Plan::Consumption, Plan::Flex] {
        let zip = packed(plan, &binary)?;
        proof::main_job(plan, &zip).map_err(|why| format!("{} does not work: {why}", plan.file()))?;
        write(&dist, plan.file(), &zip)?;
    }
    write(&dist, "apim-dr.cdx.json", bill::of(&binary)?.as_bytes())
}

/// Adds the package for Windows to `dist`. It cannot be run here.
pub(crate) fn windows() -> Done {
    let dist = root().join("dist");
    fs::create_dir_all(&dist).map_err(|error| at(&dist, &error))?;
    write(&dist, Plan::Windows.file(), &packed(Plan::Windows, &compile::windows()?)?)
}

fn emptied_dist() -> Result<PathBuf, String> {
    let dist = root().join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist).map_err(|error| at(&dist, &error))?;
    }
    fs::create_dir_all(&dist).map_err(|error| at(&dist, &error))?;
    Ok(dist)
}

fn packed(plan: Plan, binary: &[u8]) -> Result<Vec<u8>, String> {
    compile::check_paths(binary)?;
    at_most("the binary", binary.len(), LARGEST_BINARY)?;
    let zip = archive::zip(&entries(plan, binary)?)?;
    at_most(plan.file(), zip.len(), LARGEST_ZIP)?;
    Ok(zip)
}

/// Exactly what a package holds, in the order in which it lies there.
fn entries(plan: Plan, binary: &[u8]) -> Result<Vec<Entry>, String> {
    let text = |name: &'static str| {
        let bytes = fs::read(root().join(name)).map_err(|error| at(&root().join(name), &error))?;
        Ok::<_, String>(Entry { name: name.to_owned(), bytes, mode: 0o644 })
    };
    let (mut host, timer) = (text("host.json")?, text("BackupTimer/function.json")?);
    let mut on_blob = text("RestoreOnBlob/function.json")?;
    match plan {
        Plan::Consumption => {}
        Plan::Flex => on_blob.bytes = with_event_grid(&on_blob.bytes)?,
        Plan::Windows => host.bytes = with_extension(&host.bytes)?,
    }
    let handler = Entry { name: executable(&host.bytes)?, bytes: binary.to_vec(), mode: 0o755 };
    Ok(vec![host, timer, on_blob, handler])
}

/// The name that the host starts, word for word: it compares it with the entries' names.
fn executable(host: &[u8]) -> Result<String, String> {
    let host = parse(host)?;
    let name = host["customHandler"]["description"]["defaultExecutablePath"].as_str();
    name.map(str::to_owned).ok_or_else(|| "host.json names no defaultExecutablePath".to_owned())
}

/// `host.json` as Windows takes it.
fn with_extension(host: &[u8]) -> Result<Vec<u8>, String> {
    let name = format!("{}.exe", executable(host)?);
    let mut host = parse(host)?;
    host["customHandler"]["description"]["defaultExecutablePath"] = name.into();
    serde_json::to_vec_pretty(&host).map_err(|error| error.to_string())
}

/// The function as Flex Consumption takes it. Nothing else changes.
fn with_event_grid(function: &[u8]) -> Result<Vec<u8>, String> {
    let mut function = parse(function)?;
    let trigger = &mut function["bindings"][0];
    if trigger["type"] != "blobTrigger" || trigger.get("source").is_some() {
        return Err("RestoreOnBlob/function.json is not the blob trigger that Flex is to get".to_owned());
    }
    trigger["source"] = "EventGrid".into();
    serde_json::to_vec_pretty(&function).map_err(|error| error.to_string())
}

fn parse(json: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

fn at_most(what: &str, bytes: usize, most: usize) -> Done {
    if bytes > most {
        return Err(format!("{what} has {bytes} bytes, more than {most}"));
    }
    Ok(())
}

/// Writes a file and, beside it, its checksum as `sha256sum --check` reads it.
fn write(dist: &Path, name: &str, bytes: &[u8]) -> Done {
    let path = dist.join(name);
    fs::write(&path, bytes).map_err(|error| at(&path, &error))?;
    let sum = dist.join(format!("{name}.sha256"));
    fs::write(&sum, format!("{}  {name}\n", hex(bytes))).map_err(|error| at(&sum, &error))?;
    println!("dist/{name} ({:.2} MB, sha256 {})", bytes.len() as f64 / 1e6, hex(bytes));
    Ok(())
}

/// The SHA-256 of `bytes` in hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_and_modes(plan: Plan) -> Vec<(String, u32)> {
        let entries = entries(plan, b"binary").unwrap();
        entries.into_iter().map(|entry| (entry.name, entry.mode)).collect()
    }

    /// The names of the files that another package has otherwise than the one for Linux Consumption.
    fn differing(plan: Plan) -> Vec<(String, Value, Value)> {
        let (one, other) = (entries(Plan::Consumption, b"{}").unwrap(), entries(plan, b"{}").unwrap());
        let pairs = one.into_iter().zip(other).filter(|(one, other)| one.bytes != other.bytes);
        pairs
            .map(|(one, other)| (one.name, parse(&one.bytes).unwrap(), parse(&other.bytes).unwrap()))
            .collect()
    }

    #[test]
    fn a_package_holds_four_files_and_the_binary_may_be_run() {
        let expected = |binary: &str| {
            let texts = ["host.json", "BackupTimer/function.json", "RestoreOnBlob/function.json"];
            let texts = texts.map(|name| (name.to_owned(), 0o644));
            [&texts[..], &[(binary.to_owned(), 0o755)]].concat()
        };
        assert_eq!(names_and_modes(Plan::Consumption), expected("apim-dr"));
        assert_eq!(names_and_modes(Plan::Flex), expected("apim-dr"));
        assert_eq!(names_and_modes(Plan::Windows), expected("apim-dr.exe"));
    }

    #[test]
    fn flex_differs_in_the_source_of_blob_events_alone() {
        let [(name, mut one, other)] = differing(Plan::Flex).try_into().unwrap();
        assert_eq!(name, "RestoreOnBlob/function.json");
        assert_eq!(other["bindings"][0]["source"], "EventGrid");
        one["bindings"][0]["source"] = "EventGrid".into();
        assert_eq!(one, other);
    }

    #[test]
    fn windows_differs_in_the_binarys_name_alone() {
        let [(name, mut one, other)] = differing(Plan::Windows).try_into().unwrap();
        assert_eq!(name, "host.json");
        one["customHandler"]["description"]["defaultExecutablePath"] = "apim-dr.exe".into();
        assert_eq!(one, other);
    }

    #[test]
    fn what_is_too_large_is_no_package() {
        assert_eq!(at_most("it", 3, 3), Ok(()));
        assert_eq!(at_most("it", 4, 3), Err("it has 4 bytes, more than 3".into()));
    }
}
