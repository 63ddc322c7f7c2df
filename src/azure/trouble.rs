//! Why storage did not do what it was asked: where, what it said, and what to do next.

use std::fmt;

use azure_core::error::{Error, ErrorKind};
use azure_core::http::RawResponse;
use azure_core::http::headers::ERROR_CODE;

use super::request_ids::id_note;
use super::words::one_line;
use crate::config::StorageAccess;

/// A request to storage that did not do what it was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageTrouble {
    /// The account, container and blob, in words.
    place: String,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// Storage's own code, such as `AuthorizationPermissionMismatch`; empty where there was none.
    pub code: String,
    /// What was said, or why there was no answer.
    what: String,
    /// What to do about it.
    next: &'static str,
    /// There is an answer, and more of it than is taken in.
    is_too_large: bool,
}

impl StorageTrouble {
    /// `place` names account, container and blob; `access` is how the account is reached.
    pub(super) fn new(place: String, access: &StorageAccess, error: &Error) -> Self {
        match error.kind() {
            ErrorKind::HttpResponse { status, raw_response: Some(answer), .. } => {
                let status = u16::from(*status);
                let code = code(answer);
                let next = advice(status, &code, access);
                let what = message(answer);
                Self { place, status: Some(status), what, next, code, is_too_large: false }
            }
            ErrorKind::Credential => Self::silent(place, error.to_string(), NO_TOKEN),
            ErrorKind::Connection | ErrorKind::Io => {
                Self::silent(place, format!("no answer: {error}"), NO_ANSWER)
            }
            _ => Self::silent(place, error.to_string(), ""),
        }
    }

    /// A blob that is larger than what is read.
    pub(super) fn too_large(place: String, largest: usize) -> Self {
        let what = format!("it is larger than the {largest} bytes that are read at most");
        Self { is_too_large: true, ..Self::silent(place, what, "look who wrote it") }
    }

    fn silent(place: String, what: String, next: &'static str) -> Self {
        Self { place, status: None, code: String::new(), what, next, is_too_large: false }
    }

    /// The blob is larger than what is read, and reading it again will not change that.
    pub fn is_too_large(&self) -> bool {
        self.is_too_large
    }

    /// The container is not there.
    pub fn is_no_container(&self) -> bool {
        self.status == Some(404) && self.code == "ContainerNotFound"
    }

    /// The blob, or all of its container, is not there.
    pub(super) fn is_missing(&self) -> bool {
        self.status == Some(404) && matches!(self.code.as_str(), "BlobNotFound" | "ContainerNotFound")
    }

    /// A condition of the write does not hold: somebody else has written, or our own first try has. Whoever holds a lease has
    /// written nothing.
    pub(super) fn is_conflict(&self) -> bool {
        (self.status == Some(412) && !self.is_leased())
            || (self.status == Some(409) && self.code == "BlobAlreadyExists")
    }

    /// Somebody holds a lease on the blob.
    pub(super) fn is_leased(&self) -> bool {
        self.code == "LeaseIdMissing"
    }

    /// The blob is at another version than it was asked for.
    pub(super) fn is_condition_not_met(&self) -> bool {
        self.status == Some(412) && self.code == "ConditionNotMet"
    }

    /// A right is missing, which concerns more than one blob.
    pub(super) fn is_forbidden(&self) -> bool {
        matches!(self.status, Some(401 | 403))
    }

    /// Storage understood, and will not.
    pub(super) fn is_refusal(&self) -> bool {
        self.status.is_some_and(|status| (400..500).contains(&status) && !matches!(status, 408 | 429))
    }

    /// Storage may have acted although it did not say so.
    pub(super) fn is_uncertain(&self) -> bool {
        self.status.is_none_or(|status| status == 408 || status >= 500)
    }
}

impl fmt::Display for StorageTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(status) = self.status {
            write!(f, "HTTP {status} {}: ", self.code)?;
        }
        f.write_str(&self.what)?;
        if self.next.is_empty() { Ok(()) } else { write!(f, "; {}", self.next) }
    }
}

impl std::error::Error for StorageTrouble {}

/// Storage's code: in a header, and for those servers that leave the header out, in the body.
fn code(answer: &RawResponse) -> String {
    let header = answer.headers().get_optional_str(&ERROR_CODE).map(str::to_owned);
    header.or_else(|| element(answer, "Code")).unwrap_or_default()
}

/// The message's first line; those after it repeat the request's id and the time.
fn message(answer: &RawResponse) -> String {
    let message = element(answer, "Message").unwrap_or_default();
    let first = one_line(message.lines().next().unwrap_or_default());
    let said = if first.is_empty() { "no message".to_owned() } else { first };
    format!("{said}{}", id_note(answer.headers()))
}

/// The text of an element of storage's XML error. Storage escapes nothing in these that matters here.
fn element(answer: &RawResponse, name: &str) -> Option<String> {
    let body = String::from_utf8_lossy(answer.body());
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text.to_owned())
}

const NO_TOKEN: &str = "check AZURE_CREDENTIAL, or BackupStorage__credential and BackupStorage__clientId";
const NO_ANSWER: &str = "check that the endpoint in BackupStorage can be reached from this app";

fn advice(status: u16, code: &str, access: &StorageAccess) -> &'static str {
    let by_key = matches!(access, StorageAccess::SharedKey(_));
    match (status, code) {
        (403, "AuthenticationFailed") if by_key => {
            "the key in BackupStorage is not this account's, or this machine's clock is wrong: copy the \
             connection string again"
        }
        (403, "AuthorizationFailure") if by_key => {
            "the key in BackupStorage is not this account's, or the account's firewall refuses this app: copy \
             the connection string again, or let the app's network in"
        }
        (403, "KeyBasedAuthenticationNotPermitted") => {
            "the account allows no keys: set BackupStorage__blobServiceUri instead of BackupStorage"
        }
        (403, "AuthorizationFailure") => {
            "the account's firewall refuses this app, or its identity has no role: let the app's network in, \
             and give its identity the role Storage Blob Data Contributor on the account"
        }
        (401 | 403, _) if by_key => "copy the connection string in BackupStorage again",
        (401 | 403, _) => {
            "give the app's identity the role Storage Blob Data Contributor on the account; a new role takes \
             minutes"
        }
        (400, "InvalidHeaderValue") => {
            "the storage emulator is older than the API version: start Azurite with --skipApiVersionCheck"
        }
        (404, "ResourceNotFound" | "") => "check that BackupStorage names a storage account that is there",
        (409, "BlobImmutableDueToPolicy" | "BlobImmutableDueToLegalHold") => {
            "an immutability policy or a legal hold keeps it as it is: leave it so if that is meant, but \
             STATE_CONTAINER must have neither"
        }
        (409, "SnapshotsPresent") => "somebody has taken snapshots of it: delete them first, or leave it so",
        (412, "LeaseIdMissing") => "somebody holds a lease on it, which has to be released first",
        (409, "ContainerBeingDeleted") => "the container is being deleted: it can be made again in a while",
        _ => "",
    }
}
