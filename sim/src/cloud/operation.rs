//! Backup and restore as Azure carries them out: accepted, running for a while, ended.

use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::storage::Access;
use crate::content::Entity;
use crate::journal::{OperationKind, Outcome};
use crate::knobs::Course;

/// How long Azure guarantees that a backup can be restored.
pub(crate) const BACKUP_LIFETIME: Duration = Duration::days(30);

/// Where a backup is written to or read from, and how the service gets there.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) account: String,
    pub(crate) container: String,
    pub(crate) blob: String,
    pub(crate) access: Access,
}

/// A request to back up or restore that may be accepted.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) kind: OperationKind,
    pub(crate) place: Place,
    pub(crate) by: String,
    pub(crate) course: Course,
}

/// An accepted operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// The last segment of the result URL.
    pub(crate) id: String,
    /// The resource id of the service.
    pub(crate) service: String,
    /// Its number in the journal.
    pub(crate) number: usize,
    pub(crate) order: Order,
    pub(crate) started: OffsetDateTime,
    /// `None`: it never ends.
    pub(crate) ends: Option<OffsetDateTime>,
    pub(crate) outcome: Outcome,
    /// The content as it was when the backup began.
    pub(crate) entities: Vec<Entity>,
    pub(crate) blob_written: bool,
}

impl Operation {
    pub(crate) fn is_running(&self) -> bool {
        self.outcome == Outcome::Running
    }

    /// When the blob of a backup appears; `None` for a restore, and when there is nothing to write any more.
    pub(crate) fn blob_due(&self) -> Option<OffsetDateTime> {
        let writes = self.order.kind == OperationKind::Backup && !self.blob_written;
        if !writes || self.order.course.fails.is_some() {
            return None;
        }
        let early = self.order.course.blob_early.unwrap_or(Duration::ZERO);
        self.ends.map(|ends| (ends - early).max(self.started))
    }
}

/// Why an operation came to a bad end: the code and the message of the poll's 400.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn of(kind: OperationKind, why: &str) -> Self {
        let word = kind.word();
        let message = format!("Cannot {}: {why}", word.to_lowercase());
        Self { code: format!("{word}Failed"), message }
    }
}

/// What an API Management backup is inside, as far as this simulator is concerned. The real format is not
/// published; all that callers may know is that it is not empty.
pub(crate) fn backup_bytes(service: &str, tier: &str, at: OffsetDateTime, entities: &[Entity]) -> Vec<u8> {
    let backup = serde_json::json!({
        "format": "simulated API Management backup", "service": service, "sku": tier,
        "createdAt": at.unix_timestamp(), "entities": entities,
    });
    backup.to_string().into_bytes()
}

/// Reads a backup and checks that it may be restored into a service of `tier` at `now`.
pub(crate) fn read_backup(bytes: &[u8], tier: &str, now: OffsetDateTime) -> Result<Vec<Entity>, Failure> {
    let failure = |why: &str| Failure::of(OperationKind::Restore, why);
    let mut backup: Value = serde_json::from_slice(bytes).map_err(|_| failure("backup is corrupt"))?;
    let made = backup["sku"].as_str().unwrap_or_default();
    if made != tier {
        return Err(failure(&format!("current SKU is '{tier}', backup SKU is '{made}'")));
    }
    let created = backup["createdAt"].as_i64().and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    let created = created.ok_or_else(|| failure("backup is corrupt"))?;
    if now - created > BACKUP_LIFETIME {
        return Err(failure("backup expired"));
    }
    serde_json::from_value(backup["entities"].take()).map_err(|_| failure("backup is corrupt"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-06-01 02:00 UTC);

    #[test]
    fn a_backup_is_good_for_thirty_days_and_one_tier() {
        let entities = Content::sample().carried();
        let bytes = backup_bytes("contoso-weu", "Standard", NOW, &entities);
        let read = |tier, after| read_backup(&bytes, tier, NOW + after).map_err(|failure| failure.message);
        assert_eq!(read("Standard", Duration::days(30)).map(|read| read.len()), Ok(entities.len()));
        assert_eq!(read("Standard", Duration::days(31)).unwrap_err(), "Cannot restore: backup expired");
        let other = "Cannot restore: current SKU is 'Premium', backup SKU is 'Standard'";
        assert_eq!(read("Premium", Duration::ZERO).unwrap_err(), other);
        assert!(read_backup(b"{}", "Standard", NOW).is_err());
        assert!(read_backup(b"", "Standard", NOW).is_err());
    }
}
