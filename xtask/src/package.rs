//! `cargo xtask package`: what is deployed. It is made from this source and nothing else, held against what a
//! Functions image offers, and runs the main job once before it may be called a package.

mod archive;
mod bill;
mod compile;
mod elf;
mod proof;

use std::fs;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::shell::{Done, at, read, root};
use archive::Entry;

/// The largest package, and the largest binary in it: an app on Consumption fetches it at each cold start.
const LARGEST_ZIP: usize = 3_000_000;
const LARGEST_BINARY: usize = 5_500_000;

/// The two plans, which ask for different sources of blob events and so for different packages.
#[derive(Clone, Copy)]
enum Plan {
    /// The host polls the container.
    Consumption,
    /// Flex Consumption knows no polling, only Event Grid.
    Flex,
}

impl Plan {
    const ALL: [Self; 2] = [Self::Consumption, Self::Flex];

    /// The file's name in `dist`.
    fn file(self) -> &'static str {
        match self {
            Self::Consumption => "apim-dr-consumption-linux-x64.zip",
            Self::Flex => "apim-dr-flex-linux-x64.zip",
        }
    }
}

/// Makes `dist`, or says what is wrong with what would have been put there.
pub(crate) fn run() -> Done {
    let dist = root().join("dist");
    let binary = compile::binary()?;
    elf::check(&binary)?;
    compile::check_paths(&binary)?;
    at_most("the binary", binary.len(), LARGEST_BINARY)?;
    match fs::remove_dir_all(&dist) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(&dist, &error)),
        _ => fs::create_dir_all(&dist).map_err(|error| at(&dist, &error))?,
    }
    for plan in Plan::ALL {
        let zip = archive::zip(&entries(plan, &binary)?)?;
        at_most(plan.file(), zip.len(), LARGEST_ZIP)?;
        proof::main_job(plan, &zip).map_err(|why| format!("{} does not work: {why}", plan.file()))?;
        write(&dist, plan.file(), &zip)?;
    }
    write(&dist, "apim-dr.cdx.json", bill::of(&binary)?.as_bytes())
}

/// Exactly what a package holds, in the order in which it lies there.
fn entries(plan: Plan, binary: &[u8]) -> Result<Vec<Entry>, String> {
    let text = |name: &'static str| {
        let bytes = fs::read(root().join(name)).map_err(|error| at(&root().join(name), &error))?;
        Ok::<_, String>(Entry { name: name.to_owned(), bytes, mode: 0o644 })
    };
    let mut on_blob = text("RestoreOnBlob/function.json")?;
    if let Plan::Flex = plan {
        on_blob.bytes = with_event_grid(&on_blob.bytes)?;
    }
    let handler = Entry { name: executable()?, bytes: binary.to_vec(), mode: 0o755 };
    Ok(vec![text("host.json")?, text("BackupTimer/function.json")?, on_blob, handler])
}

/// The name that the host starts, word for word: it compares it with the entries' names.
fn executable() -> Result<String, String> {
    let host: Value = read_json("host.json")?;
    let name = host["customHandler"]["description"]["defaultExecutablePath"].as_str();
    name.map(str::to_owned).ok_or_else(|| "host.json names no defaultExecutablePath".to_owned())
}

/// The function as Flex Consumption takes it. Nothing else changes.
fn with_event_grid(function: &[u8]) -> Result<Vec<u8>, String> {
    let mut function: Value = serde_json::from_slice(function).map_err(|error| error.to_string())?;
    let trigger = &mut function["bindings"][0];
    if trigger["type"] != "blobTrigger" || trigger.get("source").is_some() {
        return Err(
            "RestoreOnBlob/function.json is not the blob trigger that Flex Consumption is to get".into()
        );
    }
    trigger["source"] = "EventGrid".into();
    serde_json::to_vec_pretty(&function).map_err(|error| error.to_string())
}

fn read_json(name: &str) -> Result<Value, String> {
    serde_json::from_str(&read(&root().join(name))?).map_err(|error| format!("{name}: {error}"))
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

    #[test]
    fn a_package_holds_four_files_and_the_binary_may_be_run() {
        let expected = [
            ("host.json", 0o644),
            ("BackupTimer/function.json", 0o644),
            ("RestoreOnBlob/function.json", 0o644),
            ("apim-dr", 0o755),
        ];
        let expected = expected.map(|(name, mode)| (name.to_owned(), mode));
        assert_eq!(names_and_modes(Plan::Consumption), expected);
        assert_eq!(names_and_modes(Plan::Flex), expected);
    }

    #[test]
    fn the_packages_differ_in_the_source_of_blob_events_alone() {
        let (consumption, flex) =
            (entries(Plan::Consumption, b"").unwrap(), entries(Plan::Flex, b"").unwrap());
        let differing: Vec<_> =
            consumption.iter().zip(&flex).filter(|(one, other)| one.bytes != other.bytes).collect();
        let [(one, other)] = differing.as_slice() else {
            panic!("one file differs, not {}", differing.len())
        };
        assert_eq!(one.name, "RestoreOnBlob/function.json");
        let (mut one, other): (Value, Value) =
            (serde_json::from_slice(&one.bytes).unwrap(), serde_json::from_slice(&other.bytes).unwrap());
        assert_eq!(other["bindings"][0]["source"], "EventGrid");
        one["bindings"][0]["source"] = "EventGrid".into();
        assert_eq!(one, other);
    }

    #[test]
    fn what_is_too_large_is_no_package() {
        assert_eq!(at_most("it", 3, 3), Ok(()));
        assert_eq!(at_most("it", 4, 3), Err("it has 4 bytes, more than 3".into()));
    }
}
