//! What a binary needs of the system that it runs on, read from its own tables.

use std::fmt;

use object::Endianness;
use object::elf::{EM_X86_64, FileHeader64};
use object::read::elf::{FileHeader as _, SectionTable};

use crate::shell::Done;

type Header = FileHeader64<Endianness>;

/// The C library of Debian 11, the oldest that Functions images have. A binary for a newer one does not start.
const OLDEST: Version = Version(2, 31);

/// A version of the C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GLIBC_{}.{}", self.0, self.1)
    }
}

/// Fails unless every Functions image can start the binary.
pub(super) fn check(binary: &[u8]) -> Done {
    let newest = newest(&needs(binary)?)?;
    println!("the binary needs {newest} at most");
    no_newer_than(newest, OLDEST)
}

fn no_newer_than(newest: Version, oldest: Version) -> Done {
    if newest > oldest {
        return Err(format!("the binary needs {newest}, and a Functions image may have {oldest} alone"));
    }
    Ok(())
}

/// The newest version of the C library among the names of symbol versions.
fn newest(needs: &[String]) -> Result<Version, String> {
    let versions: Result<Vec<Version>, String> = needs.iter().map(|need| parse(need)).collect();
    versions?.into_iter().max().ok_or_else(|| "the binary names no version of the C library".to_owned())
}

/// Reads `GLIBC_2.31` or `GLIBC_2.2.5`. Anything else would be a need that nobody has thought about.
fn parse(need: &str) -> Result<Version, String> {
    let numbers = need.strip_prefix("GLIBC_").map(|text| text.split('.').map(str::parse::<u32>));
    let mut numbers = numbers.into_iter().flatten().map_while(Result::ok);
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => Ok(Version(major, minor)),
        _ => Err(format!("the binary needs {need}, of which nobody knows whether Functions images have it")),
    }
}

/// The names of the symbol versions that a binary wants to find in shared libraries.
fn needs(binary: &[u8]) -> Result<Vec<String>, String> {
    let read = |error: object::Error| format!("the binary is no readable ELF file: {error}");
    let header = Header::parse(binary).map_err(read)?;
    let endian = header.endian().map_err(read)?;
    if header.e_machine(endian) != EM_X86_64 {
        return Err("the binary is not for x86-64".to_owned());
    }
    let sections = header.sections(endian, binary).map_err(read)?;
    named(&sections, endian, binary).map_err(read)
}

fn named(
    sections: &SectionTable<'_, Header>,
    endian: Endianness,
    binary: &[u8],
) -> object::Result<Vec<String>> {
    let Some((mut libraries, strings)) = sections.gnu_verneed(endian, binary)? else {
        return Ok(Vec::new());
    };
    let strings = sections.strings(endian, binary, strings)?;
    let mut names = Vec::new();
    while let Some((_, mut versions)) = libraries.next()? {
        while let Some(version) = versions.next()? {
            names.push(String::from_utf8_lossy(version.name(endian, strings)?).into_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a binary that is at hand needs of the C library: this test. It needs another library as well,
    /// which zig links into what ships.
    fn own() -> Vec<String> {
        let binary = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let all = needs(&binary).unwrap();
        all.into_iter().filter(|need| need.starts_with("GLIBC_")).collect()
    }

    #[test]
    fn a_binary_that_needs_a_newer_library_than_there_is_fails_by_name() {
        let newest = newest(&own()).unwrap();
        let older = Version(newest.0, newest.1 - 1);
        let expected = format!("the binary needs {newest}, and a Functions image may have {older} alone");
        assert_eq!(no_newer_than(newest, older), Err(expected));
        assert_eq!(no_newer_than(newest, newest), Ok(()));
    }

    #[test]
    fn versions_are_numbers_and_not_text() {
        let needs = ["GLIBC_2.2.5", "GLIBC_2.30", "GLIBC_2.4"].map(str::to_owned);
        assert_eq!(newest(&needs), Ok(Version(2, 30)));
    }

    #[test]
    fn a_need_that_nobody_thought_about_is_not_passed_over() {
        for need in ["GLIBCXX_3.4", "GCC_3.0", "GLIBC_PRIVATE", "GLIBC_"] {
            assert!(parse(need).is_err(), "{need}");
        }
        assert!(newest(&[]).is_err());
        assert!(needs(b"#!/bin/sh").is_err());
    }
}
