//! The record of one service: everything that outlives an invocation. One blob a service, which makes
//! it the lock as well: a service is in one operation at a time by construction.

use serde::{Deserialize, Serialize};

use super::id::{ServiceId, ServiceName};
use super::inventory::Counts;
use super::vocabulary::{BackupName, Digest, InvocationId, Timestamp};

pub use kept::{
    BackupWish, By, Compared, Deferred, EventLost, FailedOver, Failures, Held, Holds, InventoryRef,
    KnownBackup, LastVerified, Pin, RestoreSource, RestoreWish, Served, Suspect, UnseenEnds,
};
pub use reading::{
    Aside, Baseline, Chunk, Comparing, Finding, InventoryPlace, OpenInventory, Progress, Reader, Taking,
    folder_of, parts_folder,
};
pub use retention::{OldBlob, RefusedDelete, Retention, Stage};
pub use run::{
    BackupPhase, BackupRun, Claim, ClosedRun, FirstSight, Operation, Proof, RecentRun, RestoreEnd,
    RestorePhase, RestoreRun, RunKind, RunOutcome, Running,
};

mod kept;
mod reading;
mod retention;
mod run;

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
    /// When the restore began that left what it holds. What users did while that ran may be there as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_began_at: Option<Timestamp>,
    /// The one backup that shall be restored into this service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_wish: Option<RestoreWish>,
    /// `startedAt` of the newest primary's manifest for which a wish was saved here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
    /// A backup that is not known to be the newest was chosen by hand: no automatic restore until the newest is chosen by
    /// hand.
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
    /// Azure took a restore of ours into this service and named its operation: what it holds is ours to overwrite.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ours: bool,

    /// What is read of the service at rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<Box<Aside>>,
    /// The backup of whose inventories parts may still lie in the state container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts_of: Option<BackupName>,

    /// The manifest that a tick last had to take up; forgotten when an event comes in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_lost: Option<EventLost>,
    /// The manifest that was last offered although no record names it; forgotten when one that is named is taken up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspect: Option<Suspect>,

    /// Since when Azure has been answering that the service is busy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_since: Option<Timestamp>,
    /// Who served when a read last said so; on the primary's record only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<Served>,
    /// The failover latch. It belongs to the primary's record; that of a secondary that serves keeps it for as long as
    /// the primary's cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_over: Option<FailedOver>,
    /// The last `resume`; on the primary's record only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_at: Option<Timestamp>,
    /// `DRY_RUN` was on when this record was last driven.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// When `DRY_RUN` was last switched off: open deadlines count from then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadlines_from: Option<Timestamp>,
    /// The newest closed runs, 30 of each kind at most, for the status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent_runs: Vec<RecentRun>,
    /// Closed runs that the history does not hold yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unwritten_history: Vec<ClosedRun>,
    /// How far retention is with what this service keeps.
    #[serde(default, skip_serializing_if = "Retention::is_new")]
    pub retention: Retention,
}

/// The folder of the records in the state container.
pub const FOLDER: &str = "services/";

/// Where a service's record lies in the state container.
pub fn path_of(service: &ServiceName) -> String {
    format!("{FOLDER}{service}.json")
}

/// The service whose record lies at `path`, if that is where a record lies.
pub fn service_at(path: &str) -> Option<ServiceName> {
    ServiceName::parse(path.strip_prefix(FOLDER)?.strip_suffix(".json")?).ok()
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
            restore_began_at: None,
            restore_wish: None,
            seen: None,
            pin: None,
            restore_failures: None,
            refused: None,
            unseen_ends: None,
            ours: false,
            aside: None,
            parts_of: None,
            event_lost: None,
            suspect: None,
            busy_since: None,
            served: None,
            failed_over: None,
            resumed_at: None,
            dry_run: false,
            deadlines_from: None,
            recent_runs: Vec::new(),
            unwritten_history: Vec::new(),
            retention: Retention::default(),
        }
    }

    /// Reads a stored record. The error says what is wrong with it, and nothing else happens to it.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let version = version_of(bytes).map_err(|error| format!("it is not a record: {error}"))?;
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

    /// Whether a restore stands in the way of one into another service: claimed or running, and not past
    /// its deadline.
    pub fn holds_up_restores(&self, now: Timestamp) -> bool {
        let Operation::Restore(run) = &self.operation else { return false };
        let open = matches!(run.phase, RestorePhase::Requested(_) | RestorePhase::Running(_));
        open && !self.is_past_deadline(now)
    }

    /// What it knows of this backup, if its manifest stands.
    pub fn known(&self, name: &BackupName) -> Option<&KnownBackup> {
        self.backups.iter().find(|known| known.name == *name)
    }

    /// The newest backup that may be restored.
    pub fn newest_accepted(&self) -> Option<&KnownBackup> {
        self.backups.iter().filter(|backup| backup.accepted).max_by_key(|backup| backup.started_at)
    }

    /// The newest backup that may be restored and has an inventory, and what that counted.
    pub fn newest_measured(&self) -> Option<(&BackupName, Counts)> {
        let measured = self.backups.iter().filter(|backup| backup.accepted && backup.counts.is_some());
        let newest = measured.max_by_key(|backup| backup.started_at)?;
        Some((&newest.name, newest.counts?))
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

/// The version of a stored document, which is asked before anything else is read of it.
pub(super) fn version_of(bytes: &[u8]) -> serde_json::Result<u32> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    serde_json::from_slice(bytes).map(|Version { version }| version)
}
