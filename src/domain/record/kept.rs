//! What a record keeps between operations: backups, wishes, failures, and what a service holds.

use serde::{Deserialize, Serialize};

use super::{Finding, InventoryPlace};
use crate::domain::id::ServiceName;
use crate::domain::inventory::Counts;
use crate::domain::vocabulary::{BackupName, Container, Digest, Etag, InvocationId, Tier, Timestamp};

/// A backup whose manifest stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownBackup {
    pub name: BackupName,
    /// Of the manifest's bytes.
    pub digest: Digest,
    pub started_at: Timestamp,
    pub completed_at: Timestamp,
    /// Verified and not suspicious, or restored by hand since.
    pub accepted: bool,
    /// Why it must not be restored by itself, as its manifest says too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspicious: Option<String>,
    /// What its inventory counted; absent, it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// The inventory that was taken after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<InventoryRef>,
}

/// The newest verified backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastVerified {
    pub name: BackupName,
    pub started_at: Timestamp,
}

/// Somebody asked for a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupWish {
    pub by: InvocationId,
    pub at: Timestamp,
    /// Asked for by `resume`: an open run does not serve it, and it does not lapse.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub after_resume: bool,
}

/// A backup that shall be restored, as its manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreWish {
    /// The invocation that brought it.
    pub id: InvocationId,
    pub at: Timestamp,
    pub by: By,
    /// Restore even into a service that serves; the command line alone can say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub even_if_live: bool,
    pub source: RestoreSource,
    /// Why it waits, since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred: Option<Deferred>,
    /// Since when the wishes waited whose place it took: backups may come more often than somebody is told of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_since: Option<Timestamp>,
    /// Attempts that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failures: Option<Failures>,
}

impl RestoreWish {
    /// Since when it waits, or those whose place it took; none: nothing is known to hold it up.
    pub fn waiting_since(&self) -> Option<Timestamp> {
        self.deferred.as_ref().map(|deferred| deferred.since).or(self.waits_since)
    }
}

/// Who brought a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum By {
    /// An event, or a tick that made up for one.
    Automatic,
    /// A person.
    Hand,
}

/// A backup as its manifest describes it: all that a restore needs, so that none needs the primary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreSource {
    pub name: BackupName,
    pub container: Container,
    pub started_at: Timestamp,
    pub expires_at: Timestamp,
    pub tier: Tier,
    pub length: u64,
    pub etag: Etag,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<InventoryRef>,
}

/// An inventory beside a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryRef {
    pub blob: String,
    pub digest: Digest,
}

/// Why a wish waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deferred {
    pub since: Timestamp,
    pub reason: String,
}

/// Attempts that failed, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    pub count: u32,
    /// The first of them.
    pub since: Timestamp,
    /// When something last went wrong, be it an attempt or not.
    pub last: Timestamp,
    /// The last attempt, from which the next one's time is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempted: Option<Timestamp>,
    /// The newest occurrence of the schedule that had passed when the last attempt began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<Timestamp>,
    /// What happened, in Azure's words where there are any.
    pub what: String,
}

/// What a service holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "what")]
pub enum Holds {
    /// Nothing of ours was ever restored into it.
    #[default]
    Nothing,
    /// A backup.
    Backup(Held),
    /// An accepted restore failed, or ended in a way that nobody saw.
    Unknown {
        since: Timestamp,
        backup: BackupName,
        why: String,
        /// The backup's inventory, to compare with as far as possible.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        baseline: Option<InventoryPlace>,
        /// What was found since. It does not make known what the service holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        finding: Option<Box<Finding>>,
        /// Digest of the target's lists as they were read then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lists: Option<Digest>,
    },
}

/// A backup that a service holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    pub backup: BackupName,
    pub started_at: Timestamp,
    pub restored_at: Timestamp,
    pub compared: Compared,
    /// Digest of the target's lists as they were compared, to find changes made since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lists: Option<Digest>,
    /// The backup's inventory, to compare with again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<InventoryPlace>,
    /// What the newest comparison found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Box<Finding>>,
    /// When it was last tried to compare again, whatever came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried_at: Option<Timestamp>,
}

/// How a restored service compared with the backup's inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "result")]
pub enum Compared {
    Verified,
    /// It could not be compared.
    Unverified {
        why: String,
    },
    Mismatched {
        summary: String,
    },
}

impl Held {
    /// When it was begun, as far as that can be: a manifest that a person vouched for may claim to be of any day, and no
    /// backup began after it was restored.
    pub fn begun_at(&self) -> Timestamp {
        self.started_at.min(self.restored_at)
    }
}

impl Holds {
    /// When the backup that is held was begun, as far as that can be; `None` if none is known to be held.
    pub fn begun_at(&self) -> Option<Timestamp> {
        match self {
            Self::Backup(held) => Some(held.begun_at()),
            Self::Nothing | Self::Unknown { .. } => None,
        }
    }
}

impl Compared {
    /// Whether it was compared, and found equal.
    pub fn is_verified(&self) -> bool {
        matches!(self, Self::Verified)
    }
}

/// A backup that is not known to be the newest was chosen by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pin {
    pub since: Timestamp,
    pub backup: BackupName,
}

/// Restores of one backup that ended unseen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnseenEnds {
    pub backup: BackupName,
    pub count: u32,
}

/// The failover latch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedOver {
    pub since: Timestamp,
    /// The secondary that served last.
    pub serving: ServiceName,
    /// The others that have served since it closed, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<ServiceName>,
}

/// Who served when a read of the profile last said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Served {
    pub by: ServiceName,
    /// When that was; up to 3 min older than it is, so that not every read has to be written down.
    pub read_at: Timestamp,
    /// The end of the newest time in which no read said who serves for more than 10 min in a row, be it the first read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind_until: Option<Timestamp>,
}

/// A manifest that a tick had to take up, because no event had told of it in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventLost {
    pub at: Timestamp,
    pub backup: BackupName,
}

/// A manifest that was offered although no record names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suspect {
    pub at: Timestamp,
    pub what: String,
}
