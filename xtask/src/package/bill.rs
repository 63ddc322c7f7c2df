//! The bill of materials: every crate whose code is in the binary, as CycloneDX 1.6.
//!
//! Cargo says which crates those are: without what only builds or tests, without procedural macros, and with
//! the features that this one binary is built with. The standard library comes from the toolchain.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::compile::LINUX;
use super::hex;
use crate::shell::{output, read, root};

/// A crate, as `cargo tree` tells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    name: String,
    version: String,
    licence: String,
    repository: String,
}

impl Crate {
    /// Reads `name vVERSION (path)|licence|repository (*)`.
    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.trim_end_matches(" (*)").split('|').map(str::trim);
        let (package, licence, repository) = (fields.next()?, fields.next()?, fields.next()?);
        let mut words = package.split(' ');
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        let [name, version, repository] = [name, version, repository].map(str::to_owned);
        // Old manifests divide alternatives with a slash, which is no licence expression.
        Some(Self { name, version, licence: licence.replace('/', " OR "), repository })
    }

    /// What tells it from every other, and what the document calls it.
    fn reference(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }
}

/// The crates in the binary, and which of them uses which.
#[derive(Debug, Default)]
struct Tree {
    crates: BTreeSet<Crate>,
    uses: BTreeMap<String, BTreeSet<String>>,
}

/// The document, for a binary of these bytes.
pub(super) fn of(binary: &[u8]) -> Result<String, String> {
    let format = "|{p}|{l}|{r}";
    let what = ["cargo", "tree", "--locked", "--package", "apim-dr", "--target", LINUX];
    let how = ["--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", format];
    let tree = Tree::parse(&output(&[&what[..], &how[..]].concat())?)?;
    let checksums = checksums(&read(&root().join("Cargo.lock"))?);
    let mut document = document(&tree, &checksums, &hex(binary))?;
    if let Some(components) = document["components"].as_array_mut() {
        components.push(standard_library(&output(&["rustc", "--version"])?));
    }
    serde_json::to_string_pretty(&document).map_err(|error| error.to_string())
}

impl Tree {
    /// Reads lines that begin with their depth. What was shown before is not shown again below a second user.
    fn parse(text: &str) -> Result<Self, String> {
        let mut tree = Self::default();
        let mut above: Vec<String> = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let parsed = line
                .split_once('|')
                .and_then(|(depth, rest)| Some((depth.parse::<usize>().ok()?, Crate::parse(rest)?)));
            let (depth, found) = parsed.ok_or_else(|| format!("cargo tree said {line}"))?;
            let reference = found.reference();
            above.truncate(depth);
            if let Some(user) = above.last() {
                tree.uses.entry(user.clone()).or_default().insert(reference.clone());
            }
            above.push(reference);
            tree.crates.insert(found);
        }
        Ok(tree)
    }
}

/// The checksums of `Cargo.lock`, by reference. The workspace's own crates have none.
fn checksums(lock: &str) -> BTreeMap<String, String> {
    let field = |block: &str, name: &str| {
        let begin = format!("{name} = \"");
        let line = block.lines().find_map(|line| line.strip_prefix(&begin));
        line.and_then(|line| line.strip_suffix('"')).map(str::to_owned)
    };
    let blocks = lock.split("[[package]]").filter_map(|block| {
        let (name, version) = (field(block, "name")?, field(block, "version")?);
        Some((format!("pkg:cargo/{name}@{version}"), field(block, "checksum")?))
    });
    blocks.collect()
}

fn document(tree: &Tree, checksums: &BTreeMap<String, String>, digest: &str) -> Result<Value, String> {
    let own = tree.crates.iter().find(|found| found.name == "apim-dr").ok_or("apim-dr is not in its tree")?;
    let mut components = Vec::new();
    for found in tree.crates.iter().filter(|found| *found != own) {
        let checksum = checksums.get(&found.reference());
        let checksum = checksum.ok_or_else(|| format!("{} has no checksum in Cargo.lock", found.name))?;
        components.push(component(found, "library", checksum));
    }
    let depend = |found: &Crate| {
        let uses = tree.uses.get(&found.reference()).cloned().unwrap_or_default();
        json!({ "ref": found.reference(), "dependsOn": uses })
    };
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "serialNumber": serial_number(digest),
        "metadata": { "component": component(own, "application", digest) },
        "components": components,
        "dependencies": tree.crates.iter().map(depend).collect::<Vec<_>>(),
    }))
}

fn component(found: &Crate, kind: &str, sha256: &str) -> Value {
    let mut component = json!({
        "type": kind,
        "bom-ref": found.reference(),
        "purl": found.reference(),
        "name": found.name,
        "version": found.version,
        "licenses": [{ "expression": found.licence }],
        "hashes": [{ "alg": "SHA-256", "content": sha256 }],
    });
    if !found.repository.is_empty() {
        component["externalReferences"] = json!([{ "type": "vcs", "url": found.repository }]);
    }
    component
}

/// Rust's own part of the binary; `told` is what `rustc --version` says.
fn standard_library(told: &str) -> Value {
    let version = told.split_whitespace().nth(1).unwrap_or_default();
    let reference = format!("pkg:generic/rust-std@{version}");
    json!({
        "type": "library",
        "bom-ref": reference,
        "purl": reference,
        "name": "rust-std",
        "version": version,
        "licenses": [{ "expression": "MIT OR Apache-2.0" }],
        "externalReferences": [{ "type": "vcs", "url": "https://github.com/rust-lang/rust" }],
    })
}

/// The same binary has the same number, so that the document comes out the same as well. The digits of the
/// version and of the variant are those of a UUID that somebody made up (RFC 9562, version 8).
fn serial_number(digest: &str) -> String {
    let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default();
    let parts = [part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32)];
    let [first, second, third, fourth, fifth] = parts;
    format!("urn:uuid:{first}-{second}-8{third}-a{fourth}-{fifth}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "\
0|apim-dr v0.1.0 (/somewhere)|MIT|
1|axum v0.8.9|MIT/Apache-2.0|https://example.org/axum
2|bytes v1.2.3|MIT|https://example.org/bytes
1|bytes v1.2.3|MIT|https://example.org/bytes
1|http v1.0.0|MIT|https://example.org/http
2|axum v0.8.9|MIT/Apache-2.0|https://example.org/axum (*)
";

    const LOCK: &str = "\
version = 4

[[package]]
name = \"apim-dr\"
version = \"0.1.0\"

[[package]]
name = \"axum\"
version = \"0.8.9\"
checksum = \"aa\"

[[package]]
name = \"bytes\"
version = \"1.2.3\"
checksum = \"bb\"

[[package]]
name = \"http\"
version = \"1.0.0\"
checksum = \"cc\"
";

    fn told() -> Value {
        let digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        document(&Tree::parse(TOLD).unwrap(), &checksums(LOCK), digest).unwrap()
    }

    #[test]
    fn each_crate_stands_there_once_with_its_checksum_and_a_licence_expression() {
        let bill = told();
        let components = bill["components"].as_array().unwrap();
        let names: Vec<_> = components.iter().map(|component| &component["name"]).collect();
        assert_eq!(names, ["axum", "bytes", "http"]);
        assert_eq!(components[0]["hashes"][0]["content"], "aa");
        assert_eq!(components[0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(components[0]["externalReferences"][0]["url"], "https://example.org/axum");
        assert_eq!(bill["metadata"]["component"]["name"], "apim-dr");
        assert_eq!(bill["serialNumber"], "urn:uuid:01234567-89ab-8def-a123-456789abcdef");
    }

    #[test]
    fn who_uses_what_is_kept_even_where_cargo_shows_it_only_once() {
        let bill = told();
        let of = |name: &str| {
            let all = bill["dependencies"].as_array().unwrap();
            all.iter().find(|one| one["ref"] == name).unwrap()["dependsOn"].clone()
        };
        let all = json!(["pkg:cargo/axum@0.8.9", "pkg:cargo/bytes@1.2.3", "pkg:cargo/http@1.0.0"]);
        assert_eq!(of("pkg:cargo/apim-dr@0.1.0"), all);
        assert_eq!(of("pkg:cargo/axum@0.8.9"), json!(["pkg:cargo/bytes@1.2.3"]));
        assert_eq!(of("pkg:cargo/http@1.0.0"), json!(["pkg:cargo/axum@0.8.9"]));
    }

    #[test]
    fn the_standard_library_is_that_of_the_compiler() {
        let library = standard_library("rustc 1.95.0 (59807616e 2026-04-14)\n");
        assert_eq!(library["purl"], "pkg:generic/rust-std@1.95.0");
    }

    #[test]
    fn a_crate_without_a_checksum_is_not_listed_as_if_it_had_one() {
        let digest = "0123456789abcdef0123456789abcdef";
        let told = document(&Tree::parse(TOLD).unwrap(), &BTreeMap::new(), digest);
        assert_eq!(told.unwrap_err(), "axum has no checksum in Cargo.lock");
        assert!(Tree::parse("1 axum").is_err());
    }
}
