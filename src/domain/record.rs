//! The record of one service: everything that outlives an invocation. One blob a service, which makes
//! it the lock as well: a service is in one operation at a time by construction.

use serde::{Deserialize, Serialize};

use super::id::{ServiceId, ServiceName};
use super::vocabulary::{
    AzureWords, BackupName, Container, Digest, Etag, InvocationId, OperationUrl, Tier, Timestamp,
};

/// The version this program writes, and the newest that it reads.
pub const RECORD_VERSION: u32 = 1;

/// What is known of one service, and what is being done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The layout's version; a newer one is left alone.
    pub version: u32,
    /// The service's resource id. A record of another id than the settings' is left alone.
    pub service: ServiceId,
    /// The primary when this record was last driven: a change of roles shows by it.
    pub primary: ServiceName,
    /// The invocation that wrote this version.
    pub writer: InvocationId,
    /// When the service was first driven.
    pub first_driven: Timestamp,
    /// The one operation it is in.
    pub operation: Operation,

    /// Every backup of this service whose manifest stands.
    #[serde(default)]
    pub backups: Vec<KnownBackup>,
    /// The newest verified backup; it never moves backwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_verified: Option<LastVerified>,
    /// The newest occurrence of the schedule that a verified backup covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered: Option<Timestamp>,
    /// The name last claimed, so that what begins again takes another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<BackupName>,
    /// Somebody asked for a backup now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_wish: Option<BackupWish>,
    /// Backups that failed since the last verified one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_failures: Option<Failures>,

    /// What was restored into this service, as far as we know.
    #[serde(default)]
    pub holds: Holds,
    /// The one backup that shall be restored into this service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_wish: Option<RestoreWish>,
    /// `startedAt` of the newest primary's manifest for which a wish was saved here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
    /// An older backup was chosen by hand: no automatic restore until the newest is chosen by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Pin>,
    /// Restores that failed, were refused or lapsed since the last one that was held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_failures: Option<Failures>,
    /// The backup that an automatic wish was refused for, so that ticks do not refuse it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<BackupName>,
    /// Restores of one backup that ended unseen although `Updating` had been seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen_ends: Option<UnseenEnds>,

    /// Since when Azure has been answering that the service is busy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_since: Option<Timestamp>,
    /// Since when no read has said who serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serving_unknown_since: Option<Timestamp>,
    /// The failover latch; on the primary's record only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_over: Option<FailedOver>,
    /// The last `resume`; on the primary's record only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_at: Option<Timestamp>,
    /// Closed runs that the history does not hold yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unwritten_history: Vec<ClosedRun>,
}

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
    /// The inventory taken before, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<InventoryRef>,
    pub phase: BackupPhase,
}

/// How far a backup is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "phase")]
pub enum BackupPhase {
    /// The primary's inventory is being taken.
    Inventory { cursor: String },
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
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
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
    /// The service was seen `Updating` after the POST.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub updating_seen: bool,
    /// The first look that found the service not `Updating`; a second, 5 min later, ends the run unseen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_since: Option<Timestamp>,
    /// Past its deadline, which has been reported.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overdue: bool,
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
    /// Attempts that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failures: Option<Failures>,
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
    /// The last of them.
    pub last: Timestamp,
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
    Unknown { since: Timestamp, backup: BackupName, why: String },
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

/// An older backup was chosen by hand.
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
    pub serving: ServiceName,
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
    Unverified,
    Mismatched,
    Failed,
}

impl Record {
    /// The record of a service that was never driven before.
    pub fn new(service: ServiceId, primary: ServiceName, writer: InvocationId, now: Timestamp) -> Self {
        Self {
            version: RECORD_VERSION,
            service,
            primary,
            writer,
            first_driven: now,
            operation: Operation::Idle,
            backups: Vec::new(),
            last_verified: None,
            covered: None,
            last_name: None,
            backup_wish: None,
            backup_failures: None,
            holds: Holds::Nothing,
            restore_wish: None,
            seen: None,
            pin: None,
            restore_failures: None,
            refused: None,
            unseen_ends: None,
            busy_since: None,
            serving_unknown_since: None,
            failed_over: None,
            resumed_at: None,
            unwritten_history: Vec::new(),
        }
    }

    /// Reads a stored record. The error says what is wrong with it, and nothing else happens to it.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } =
            serde_json::from_slice(bytes).map_err(|error| format!("it is not a record: {error}"))?;
        if version > RECORD_VERSION {
            return Err(format!(
                "it has version {version}, and this program knows {RECORD_VERSION}: a newer apim-dr wrote it; \
                 run that version"
            ));
        }
        serde_json::from_slice(bytes).map_err(|error| format!("it cannot be read: {error}"))
    }

    /// The bytes to be stored.
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Whether a restore stands in the way of one into another service.
    pub fn holds_up_restores(&self) -> bool {
        match &self.operation {
            Operation::Restore(run) => match &run.phase {
                RestorePhase::Requested(_) => true,
                RestorePhase::Running(running) => !running.overdue,
                RestorePhase::Verifying { .. } => false,
            },
            Operation::Idle | Operation::Backup(_) => false,
        }
    }

    /// The newest backup that may be restored.
    pub fn newest_accepted(&self) -> Option<&KnownBackup> {
        self.backups.iter().filter(|backup| backup.accepted).max_by_key(|backup| backup.started_at)
    }

    /// What the record says of a manifest: `startedAt`, if name and digest stand in it, be it as a
    /// backup already committed or as the one about to be.
    pub fn vouches_for(&self, name: &BackupName, digest: &Digest) -> Option<Timestamp> {
        let known = self.backups.iter().find(|backup| backup.name == *name && backup.digest == *digest);
        known.map(|backup| backup.started_at).or_else(|| self.committing(name, digest))
    }

    fn committing(&self, name: &BackupName, digest: &Digest) -> Option<Timestamp> {
        let Operation::Backup(run) = &self.operation else { return None };
        let BackupPhase::Committing { manifest } = &run.phase else { return None };
        (run.name == *name && Digest::of(manifest.as_bytes()) == *digest).then_some(run.started_at)
    }
}

impl AzureWords {
    /// A short line for a record: Azure's words after what was tried.
    pub fn after(&self, tried: &str) -> String {
        format!("{tried}: {self}")
    }
}
