//! What is under way with a service, phase by phase, and what is over.

use serde::{Deserialize, Serialize};

use super::{By, Comparing, InventoryRef, RestoreSource, Taking};
use crate::domain::id::ServiceName;
use crate::domain::inventory::Counts;
use crate::domain::inventory::compare::Tallies;
use crate::domain::vocabulary::{BackupName, Container, Etag, InvocationId, OperationUrl, Tier, Timestamp};

/// The operation a service is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Operation {
    Idle,
    Backup(Box<BackupRun>),
    Restore(Box<RestoreRun>),
}

/// A backup that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupRun {
    pub name: BackupName,
    /// Where it goes; kept whatever the settings become.
    pub container: Container,
    /// The recovery point: when `Requested` was saved.
    pub started_at: Timestamp,
    /// The same moment by the storage service's clock: a blob of this run is not older.
    pub storage_at: Timestamp,
    /// The newest occurrence of the schedule that had passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<Timestamp>,
    /// The wish that the first counted attempt spends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wish: Option<InvocationId>,
    /// Tier and location of the service as it was looked at, for the manifest.
    pub tier: Tier,
    pub location: String,
    /// The inventory taken before, where there is one, and what it counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<InventoryRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// When the inventory was finished, or given up: a claim that is undone goes back to there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared_at: Option<Timestamp>,
    /// Past its deadline, which has been reported.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overdue: bool,
    pub phase: BackupPhase,
}

impl BackupRun {
    /// Whether it has gone further than to be prepared.
    pub fn is_claimed(&self) -> bool {
        !matches!(self.phase, BackupPhase::Inventory(_) | BackupPhase::Prepared)
    }
}

/// How far a backup is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "phase")]
pub enum BackupPhase {
    /// The service's inventory is being taken.
    Inventory(Box<Taking>),
    /// The inventory is finished, or given up: the claim comes next.
    Prepared,
    /// Claimed; the POST may or may not have left.
    Requested(Claim),
    /// Azure took it.
    Running(Running),
    /// It ended: its blob has to show that it was a success.
    Proving {
        proof: Proof,
        /// The first of the two looks that `proof: blob` needs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first: Option<FirstSight>,
    },
    /// Proven: the manifest's bytes, which any invocation may write.
    Committing { manifest: String },
}

/// A restore that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreRun {
    pub source: RestoreSource,
    pub started_at: Timestamp,
    /// The wish that it serves.
    pub wish: InvocationId,
    pub by: By,
    /// Past its deadline, which has been reported.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overdue: bool,
    /// Since when a read has said that the target serves while it is being restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under_traffic: Option<Timestamp>,
    pub phase: RestorePhase,
}

/// How far a restore is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "phase")]
pub enum RestorePhase {
    /// Claimed; the POST may or may not have left.
    Requested(Claim),
    /// Azure took it.
    Running(Running),
    /// It ended: what the target holds is compared with the backup's inventory.
    Verifying {
        since: Timestamp,
        ended: RestoreEnd,
        #[serde(default)]
        comparing: Box<Comparing>,
    },
}

/// How a restore came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RestoreEnd {
    /// Azure said 200.
    Seen,
    /// Nobody saw it end, but the service was seen `Updating` after the POST.
    UnseenAfterUpdating,
    /// Nobody saw it end, nor begin.
    Unseen,
}

/// Who may post, and since when. Younger than the claim age it belongs to its writer alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    pub by: InvocationId,
    pub at: Timestamp,
    /// Taken over from an older claim: whether that one was posted is not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub taken_over: bool,
}

/// An operation that Azure has taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Running {
    /// Where to ask; absent when the answer was lost or named no place of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationUrl>,
    /// Azure's `Retry-After`, at most 5 min ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_poll: Option<Timestamp>,
    /// The service was seen `Updating` after the POST, or a poll said that the operation runs (decision 45).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub updating_seen: bool,
    /// The first look that found the service not `Updating`; a second, 5 min later, ends the run unseen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_since: Option<Timestamp>,
}

/// What proves a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Proof {
    /// The operation's own 200.
    Operation,
    /// The blob: newer than the request, not leased, and unchanged over 5 min.
    Blob,
}

/// A blob as it was first seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FirstSight {
    pub at: Timestamp,
    pub length: u64,
    pub etag: Etag,
}

/// A run that is over, as the history keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClosedRun {
    pub version: u32,
    pub service: ServiceName,
    pub kind: RunKind,
    pub backup: BackupName,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    pub outcome: RunOutcome,
    /// What happened, in Azure's words where there are any.
    pub what: String,
    /// What a comparison counted, by type; of a restore that was compared.
    #[serde(default, skip_serializing_if = "Tallies::is_empty")]
    pub compared: Tallies,
}

impl ClosedRun {
    /// Where the history keeps it.
    pub fn path(&self) -> String {
        let kind = match self.kind {
            RunKind::Backup => "backup",
            RunKind::Restore => "restore",
        };
        format!("history/{}/{}-{kind}.json", self.service, self.started_at.compact())
    }
}

/// A run that is over, as far as a chart shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecentRun {
    pub kind: RunKind,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    pub outcome: RunOutcome,
}

/// What kind of run it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunKind {
    Backup,
    Restore,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RunOutcome {
    Verified,
    /// Of a backup: proven, and not to be restored by itself.
    Suspicious,
    Unverified,
    Mismatched,
    Failed,
}
