//! List Blobs: names in order, page by page, as XML.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quick_xml::escape::escape;
use time::OffsetDateTime;

use super::reply::{Outcome, Refusal, Reply};
use super::request::Request;
use super::store::{Blob, Store};
use super::uri;
use crate::storage::call::http_date;

/// The largest page, and the size of a page for which nobody asked.
const PAGE: usize = 5000;

/// What `include` may name; this storage has only metadata to show for it.
const DATASETS: [&str; 10] = [
    "copy",
    "deleted",
    "deletedwithversions",
    "immutabilitypolicy",
    "legalhold",
    "metadata",
    "snapshots",
    "tags",
    "uncommittedblobs",
    "versions",
];

/// What a page is made for: the endpoint that it names and the time that decides about leases.
pub(super) struct Context<'a> {
    pub(super) endpoint: &'a str,
    pub(super) now: OffsetDateTime,
}

pub(super) fn list(store: &mut Store, request: &Request, context: &Context<'_>) -> Outcome {
    let with_metadata = includes_metadata(request)?;
    let (size, start) = (page_size(request)?, first_name(request)?);
    let container = store.container(&request.container)?;
    let (prefix, delimiter) = (request.parameter("prefix"), request.parameter("delimiter"));
    let mut page = Page { with_metadata, ..Page::default() };
    let named = container.blobs.range(start.max(prefix.to_owned())..);
    for (name, blob) in named.take_while(|(name, _)| name.starts_with(prefix)) {
        if page.folder.as_ref().is_some_and(|folder| name.starts_with(folder)) {
            continue;
        }
        if page.length == size {
            page.next = URL_SAFE_NO_PAD.encode(name);
            break;
        }
        page.length += 1;
        match folder_of(name, prefix, delimiter) {
            Some(folder) => page.add_folder(folder),
            None => page.add_blob(name, blob, context.now),
        }
    }
    Ok(Reply::new(StatusCode::OK).xml(page.into_xml(request, context.endpoint)))
}

#[derive(Default)]
struct Page {
    with_metadata: bool,
    length: usize,
    entries: String,
    /// The folder that was listed last; the names below it are its members.
    folder: Option<String>,
    next: String,
}

impl Page {
    fn add_folder(&mut self, folder: &str) {
        self.folder = Some(folder.to_owned());
        self.entries += &format!("<BlobPrefix>{}</BlobPrefix>", name_element(folder));
    }

    fn add_blob(&mut self, name: &str, blob: &Blob, now: OffsetDateTime) {
        let metadata = if self.with_metadata { metadata_element(blob) } else { String::new() };
        self.entries +=
            &format!("<Blob>{}{}{metadata}</Blob>", name_element(name), properties_element(blob, now));
    }

    fn into_xml(self, request: &Request, endpoint: &str) -> String {
        let asked = ["Prefix", "Marker", "MaxResults", "Delimiter"].map(|element| {
            match request.parameter(&element.to_lowercase()) {
                "" => String::new(),
                value => format!("<{element}>{}</{element}>", escape(value)),
            }
        });
        format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"{endpoint}/\" ContainerName=\"{}\">{}<Blobs>{}</Blobs><NextMarker>{}</NextMarker></EnumerationResults>",
            request.container,
            asked.concat(),
            self.entries,
            self.next
        )
    }
}

/// A name with a character that XML can not carry goes encoded, and says so.
fn name_element(name: &str) -> String {
    let unfit = |c: char| c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}');
    match name.contains(unfit) {
        true => format!("<Name Encoded=\"true\">{}</Name>", uri::encode_query(name)),
        false => format!("<Name>{}</Name>", escape(name)),
    }
}

/// Here the ETag has no quotes, other than in headers.
fn properties_element(blob: &Blob, now: OffsetDateTime) -> String {
    let created = http_date(blob.created);
    let modified = http_date(blob.stamp.modified);
    let md5 = blob.content_md5.as_deref().unwrap_or_default();
    format!(
        "<Properties><Creation-Time>{created}</Creation-Time><Last-Modified>{modified}</Last-Modified>\
         <Etag>{}</Etag><Content-Length>{}</Content-Length><Content-Type>{}</Content-Type>\
         <Content-MD5>{md5}</Content-MD5><BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier>\
         <AccessTierInferred>true</AccessTierInferred><LeaseStatus>{}</LeaseStatus>\
         <LeaseState>{}</LeaseState><ServerEncrypted>true</ServerEncrypted></Properties>",
        blob.stamp.etag,
        blob.content.len(),
        escape(&blob.content_type),
        blob.lease.status(now),
        blob.lease.state(now).as_str(),
    )
}

fn metadata_element(blob: &Blob) -> String {
    let pairs = blob.metadata.iter().map(|(name, value)| format!("<{name}>{}</{name}>", escape(value)));
    format!("<Metadata>{}</Metadata>", pairs.collect::<String>())
}

/// The name up to the first delimiter after the prefix.
fn folder_of<'a>(name: &'a str, prefix: &str, delimiter: &str) -> Option<&'a str> {
    let at = (!delimiter.is_empty()).then(|| name[prefix.len()..].find(delimiter)).flatten()?;
    Some(&name[..prefix.len() + at + delimiter.len()])
}

fn includes_metadata(request: &Request) -> Result<bool, Refusal> {
    let asked: Vec<_> = request.parameter("include").split(',').filter(|name| !name.is_empty()).collect();
    match asked.iter().find(|name| !DATASETS.contains(name)) {
        Some(unknown) => Err(Refusal::bad_request(
            "InvalidQueryParameterValue",
            format!("include names {unknown}, which storage does not have"),
        )),
        None => Ok(asked.contains(&"metadata")),
    }
}

fn page_size(request: &Request) -> Result<usize, Refusal> {
    match request.parameter("maxresults") {
        "" => Ok(PAGE),
        text => match text.parse::<usize>() {
            Ok(size) if size > 0 => Ok(size.min(PAGE)),
            _ => Err(Refusal::bad_request("OutOfRangeQueryParameterValue", "maxresults must be 1 to 5000")),
        },
    }
}

/// Where the page begins. A marker is the next name, in a form that nobody should read anything into.
fn first_name(request: &Request) -> Result<String, Refusal> {
    let marker = URL_SAFE_NO_PAD.decode(request.parameter("marker")).ok();
    let name = marker.and_then(|name| String::from_utf8(name).ok());
    name.ok_or_else(|| Refusal::bad_request("InvalidQueryParameterValue", "the marker is not one of ours"))
}
