//! The XML that storage lists blobs with.

use serde::Deserialize;
use time::OffsetDateTime;

use super::call::parse_http_date;
use super::{ETag, Result, StorageError};
use crate::blobs::uri::decode;

/// A blob as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The whole name, slashes included.
    pub name: String,
    /// Its version.
    pub etag: ETag,
    /// Bytes.
    pub length: u64,
    /// When it was first written, to the second; overwriting does not change it.
    pub created: OffsetDateTime,
    /// To the second.
    pub last_modified: OffsetDateTime,
}

pub(super) struct Page {
    pub(super) blobs: Vec<Listed>,
    /// Empty on the last page.
    pub(super) next_marker: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EnumerationResults {
    #[serde(default)]
    blobs: Blobs,
    #[serde(default)]
    next_marker: String,
}

#[derive(Default, Deserialize)]
struct Blobs {
    #[serde(default, rename = "Blob")]
    blobs: Vec<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Blob {
    name: Name,
    properties: BlobProperties,
}

/// Storage encodes a name that XML could not carry, and says so.
#[derive(Deserialize)]
struct Name {
    #[serde(default, rename = "@Encoded")]
    encoded: bool,
    #[serde(default, rename = "$text")]
    text: String,
}

#[derive(Deserialize)]
struct BlobProperties {
    #[serde(rename = "Etag")]
    etag: String,
    #[serde(rename = "Content-Length")]
    length: u64,
    #[serde(rename = "Creation-Time")]
    created: String,
    #[serde(rename = "Last-Modified")]
    last_modified: String,
}

pub(super) fn parse(body: &[u8]) -> Result<Page> {
    let unreadable = |what: String| StorageError::Unreadable(format!("list of blobs: {what}"));
    let text = std::str::from_utf8(body).map_err(|error| unreadable(error.to_string()))?;
    let results: EnumerationResults = quick_xml::de::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| unreadable(error.to_string()))?;
    let blobs = results.blobs.blobs.into_iter().map(|blob| {
        listed(blob).ok_or_else(|| unreadable("no HTTP date in Creation-Time or Last-Modified".to_owned()))
    });
    Ok(Page { blobs: blobs.collect::<Result<_>>()?, next_marker: results.next_marker })
}

fn listed(blob: Blob) -> Option<Listed> {
    Some(Listed {
        name: if blob.name.encoded { decode(&blob.name.text) } else { blob.name.text },
        etag: ETag::new(&blob.properties.etag),
        length: blob.properties.length,
        created: parse_http_date(&blob.properties.created)?,
        last_modified: parse_http_date(&blob.properties.last_modified)?,
    })
}
