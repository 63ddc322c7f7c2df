//! The words that records, actions and observations are made of.

use std::fmt;
use std::ops::{Add, RangeInclusive, Sub};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset};

use super::id::ServiceName;

/// A moment in UTC, to the microsecond; written as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    /// The beginning of 1970.
    pub const EPOCH: Self = Self(OffsetDateTime::UNIX_EPOCH);

    /// The same moment in UTC, cut to whole microseconds so that it survives being stored.
    pub fn new(moment: OffsetDateTime) -> Self {
        let utc = moment.to_offset(UtcOffset::UTC);
        let micros = utc.microsecond();
        Self(utc.replace_microsecond(micros).unwrap_or(utc))
    }

    /// The moment, if anything of ours may have happened then. At the ends of the calendar another offset leaves it, and such
    /// a moment cannot even be written.
    pub fn sensible(moment: OffsetDateTime) -> Option<Self> {
        let utc = moment.checked_to_offset(UtcOffset::UTC).filter(|utc| SENSIBLE_YEARS.contains(&utc.year()));
        utc.map(Self::new)
    }

    /// The moment as the `time` crate's type.
    pub fn get(self) -> OffsetDateTime {
        self.0
    }

    /// Cut to the whole second, as `Last-Modified` and `Date` headers are.
    pub fn whole_second(self) -> Self {
        Self(self.0.replace_nanosecond(0).unwrap_or(self.0))
    }

    /// `yyyyMMddTHHmmssZ`, as in the names of backups and of history blobs.
    pub fn compact(self) -> String {
        self.0.format(COMPACT).unwrap_or_default()
    }

    /// Reads what [`Timestamp::compact`] writes, and nothing else.
    pub fn from_compact(text: &str) -> Option<Self> {
        let moment = Self::new(PrimitiveDateTime::parse(text, COMPACT).ok()?.assume_utc());
        (moment.compact() == text).then_some(moment)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }
}

impl Sub for Timestamp {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.0 - earlier.0
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let moment = OffsetDateTime::parse(&text, &Rfc3339)
            .map_err(|_| serde::de::Error::custom(format!("`{text}` is not an RFC 3339 time")))?;
        Self::sensible(moment)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is in no year of ours")))
    }
}

/// The years in which anything of ours may have happened, or will.
const SENSIBLE_YEARS: RangeInclusive<i32> = 1970..=9998;

const COMPACT: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_newtype! {
    /// The id the Functions host gave to one invocation; it signs what that invocation writes.
    InvocationId
}

text_newtype! {
    /// The name of a blob container.
    Container
}

/// A blob's ETag, without the quotes that headers carry and listings do not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Etag(String);

impl Etag {
    /// The tag as an `If-Match` header carries it.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

impl From<String> for Etag {
    fn from(text: String) -> Self {
        Self(text.trim_matches('"').to_owned())
    }
}

impl From<Etag> for String {
    fn from(etag: Etag) -> Self {
        etag.0
    }
}

/// The SHA-256 of a stored document's bytes, in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// Digests `bytes` as they are stored.
    pub fn of(bytes: &[u8]) -> Self {
        let mut digesting = Digesting::default();
        digesting.take(bytes);
        digesting.end()
    }
}

/// The digest of a document that is not held as a whole.
#[derive(Clone, Debug, Default)]
pub struct Digesting(Sha256);

impl Digesting {
    /// Takes in what comes next.
    pub fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of everything that was taken in.
    pub fn end(self) -> Digest {
        Digest(self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The URL at which Azure reports on one backup or restore, word for word as `Location` gave it.
/// It may carry a signature, so neither `Debug` nor anything else but the record and the request shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationUrl(String);

impl OperationUrl {
    /// Keeps `location` as it came.
    pub fn new(location: String) -> Self {
        Self(location)
    }

    /// The URL, for the request alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OperationUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperationUrl(…)")
    }
}

/// `{service}-{yyyyMMdd}T{HHmmss}Z`: which service was backed up, and when that run began (UTC).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BackupName {
    service: ServiceName,
    began: Timestamp,
}

const MANIFEST_SUFFIX: &str = ".manifest.json";

impl BackupName {
    /// The name of a backup of `service` that begins at `began`, cut to the second.
    pub fn new(service: ServiceName, began: Timestamp) -> Self {
        Self { service, began: began.whole_second() }
    }

    /// Reads a name. The last 16 characters are the time, so that a service whose name begins with
    /// another's is never taken for it.
    pub fn parse(text: &str) -> Option<Self> {
        let (service, time) = text.rsplit_once('-')?;
        let name = Self::new(ServiceName::parse(service).ok()?, Timestamp::from_compact(time)?);
        (name.to_string() == text).then_some(name)
    }

    /// Reads the name out of a manifest blob's name.
    pub fn of_manifest(blob: &str) -> Option<Self> {
        Self::parse(blob.strip_suffix(MANIFEST_SUFFIX)?)
    }

    /// The service that was backed up.
    pub fn service(&self) -> &ServiceName {
        &self.service
    }

    /// When the run began, to the second.
    pub fn began(&self) -> Timestamp {
        self.began
    }

    /// The same name one second later, for a name in use.
    pub fn next_second(&self) -> Self {
        Self::new(self.service.clone(), self.began + Duration::SECOND)
    }

    /// The blob that API Management writes.
    pub fn blob(&self) -> String {
        format!("{self}.apimbackup")
    }

    /// The inventory that was taken before the backup began.
    pub fn inventory(&self) -> String {
        format!("{self}.inventory.json")
    }

    /// The inventory that was taken after the backup was proven.
    pub fn inventory_after(&self) -> String {
        format!("{self}.inventory-after.json")
    }

    /// The blob that proves the backup.
    pub fn manifest(&self) -> String {
        format!("{self}{MANIFEST_SUFFIX}")
    }
}

impl fmt::Display for BackupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.service, self.began.compact())
    }
}

impl TryFrom<String> for BackupName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is not a backup's name"))
    }
}

impl From<BackupName> for String {
    fn from(name: BackupName) -> Self {
        name.to_string()
    }
}

/// `1 API`, `2 APIs`.
pub fn counted(count: impl TryInto<u64>, what: &str) -> String {
    match count.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// Azure's own words: an error's code and message, kept as they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AzureWords {
    /// The HTTP status; 0 where there was no answer.
    pub status: u16,
    /// `error.code`, or empty where the body had none.
    pub code: String,
    /// `error.message`, or what could be read of the body, bounded.
    pub message: String,
}

impl AzureWords {
    /// A short line for a record: Azure's words after what was tried.
    pub fn after(&self, tried: &str) -> String {
        format!("{tried}: {self}")
    }
}

impl fmt::Display for AzureWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code.as_str(), self.message.as_str()) {
            ("", message) if self.status == 0 => f.write_str(message),
            ("", "") => write!(f, "HTTP {}", self.status),
            ("", message) => write!(f, "HTTP {}: {message}", self.status),
            (code, message) => write!(f, "HTTP {} {code}: {message}", self.status),
        }
    }
}

/// A service's `provisioningState`. The documented words are many and open; three of them matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceState {
    /// No service-level operation runs, and the last one succeeded.
    Succeeded,
    /// No service-level operation runs, and the last one failed.
    Failed,
    /// A service-level operation runs: a backup, a restore or anything else; Azure does not say which.
    Updating,
    /// Any other word: neither fit for an operation nor known to be free of one.
    Other(String),
}

impl ServiceState {
    /// Reads Azure's word, case-insensitively.
    pub fn parse(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "succeeded" => Self::Succeeded,
            "failed" => Self::Failed,
            "updating" => Self::Updating,
            _ => Self::Other(word.to_owned()),
        }
    }

    /// Whether a backup or restore may be posted; also, what counts as "not `Updating`".
    pub fn is_free(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

impl fmt::Display for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded => f.write_str("Succeeded"),
            Self::Failed => f.write_str("Failed"),
            Self::Updating => f.write_str("Updating"),
            Self::Other(word) => f.write_str(word),
        }
    }
}

/// A pricing tier by Azure's own name for it (`sku.name`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tier(String);

impl Tier {
    /// Keeps Azure's spelling.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The tiers that have backup and restore: the classic ones but Consumption.
    pub fn has_backup(&self) -> bool {
        ["Developer", "Basic", "Standard", "Premium"].iter().any(|tier| self.0.eq_ignore_ascii_case(tier))
    }
}

impl PartialEq for Tier {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Tier {}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `40 min`, `26 h 5 min`.
pub fn in_words(duration: Duration) -> String {
    match (duration.whole_hours(), duration.whole_minutes() % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
