//! Zip files that come out the same, byte for byte, wherever and whenever they are made.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::shell::{Done, at};

/// A file in a zip.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its path, with slashes.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// Its rights, as Unix writes them.
    pub(super) mode: u32,
}

/// Packs `entries` in their order. The time of each is the zip format's first: what counts is the content.
pub(super) fn zip(entries: &[Entry]) -> Result<Vec<u8>, String> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(entry.mode);
        zip.start_file(&entry.name, options).map_err(|error| error.to_string())?;
        zip.write_all(&entry.bytes).map_err(|error| error.to_string())?;
    }
    let packed = zip.finish().map_err(|error| error.to_string())?;
    Ok(packed.into_inner())
}

/// Unpacks into a folder that is not there yet.
pub(super) fn unzip(zip: &[u8], folder: &Path) -> Done {
    fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
    let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(|error| error.to_string())?;
    archive.extract(folder).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        let entry = |name: &str, mode| Entry { name: name.into(), bytes: name.into(), mode };
        vec![entry("folder/text.json", 0o644), entry("program", 0o755)]
    }

    #[test]
    fn the_same_files_make_the_same_zip() {
        assert_eq!(zip(&entries()).unwrap(), zip(&entries()).unwrap());
    }

    #[test]
    fn names_order_rights_and_times_are_in_the_zip() {
        let bytes = zip(&entries()).unwrap();
        let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
        let told: Vec<_> = (0..archive.len())
            .map(|index| {
                let file = archive.by_index(index).unwrap();
                let moment = file.last_modified().unwrap();
                (file.name().unwrap().into_owned(), file.unix_mode().unwrap() & 0o777, moment.year())
            })
            .collect();
        assert_eq!(told, [("folder/text.json".into(), 0o644, 1980), ("program".into(), 0o755, 1980)]);
    }
}
