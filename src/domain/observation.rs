//! The ports: what may be done (`Action`) and what may be learned (`Observation`). Data that can be
//! printed, compared and replayed; `azure` turns one into the other and decides nothing.

use std::collections::BTreeSet;

use super::id::ServiceName;
use super::inventory::compare::Comparison;
use super::inventory::{Chain, Counts, Place, Unread};
use super::record::{
    Baseline, Chunk, Claim, Comparing, FailedOver, InventoryPlace, InventoryRef, OldBlob, Stage, Taking,
};
use super::serving::Serving;
use super::unprotected::Unprotected;
use super::vocabulary::{
    AzureWords, BackupName, Container, Digest, Etag, OperationUrl, ServiceState, Tier, Timestamp,
};

/// What to do next with one service. Every effect is named in a saved record before it is performed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing more in this invocation.
    Yield,
    /// Nothing more in this invocation, which has to fail in the end: the service could not be driven.
    Stop(String),
    /// Decide again on the record just saved.
    Again,
    /// Look at the service, at a blob, and for a restore at who serves and at the other services' records.
    Look(Looking),
    /// `POST …/backup` under this claim.
    StartBackup(Start),
    /// `POST …/restore` under this claim.
    StartRestore(Start),
    /// Ask the operation once how it stands.
    Poll(OperationUrl),
    /// Look at a backup's blob.
    InspectBlob(BlobName),
    /// Write a manifest, create-only.
    WriteManifest { at: BlobName, bytes: String },
    /// Write a closed run into the history, create-only.
    WriteHistory { path: String, bytes: String },
    /// List what one service has kept for long enough, and read every record again.
    ListOld(Old),
    /// Delete these blobs, which were listed at this stage, each only at the version that was listed.
    Delete { stage: Stage, doomed: Vec<OldBlob> },
    /// Read on what the service holds, and store it as parts of an inventory.
    TakeInventory(Box<Take>),
    /// Put the parts of an inventory together, and store it create-only.
    JoinInventory(Box<Take>),
    /// Read on what the service holds, and compare it with the inventories of a backup.
    Compare(Box<Compare>),
    /// Delete the parts of a backup's inventories.
    DropParts(BackupName),
}

/// What is listed: blobs of this stage that were dated then or before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Old {
    pub stage: Stage,
    pub until: Timestamp,
}

/// An inventory of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    pub blob: BlobName,
    /// The one that is taken after the backup, not before it.
    pub after: bool,
}

/// An inventory to be taken, as far as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    pub inventory: Inventory,
    pub taking: Taking,
}

/// What a service is compared with: a backup, and its inventory if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Against {
    pub backup: BackupName,
    pub inventory: Option<InventoryPlace>,
}

/// A comparison to be made, as far as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compare {
    pub against: Against,
    pub comparing: Comparing,
}

/// What a look is for, and so what it takes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looking {
    /// The service alone.
    Service,
    /// The service, and whether the backup's name is free.
    ForBackup(BlobName),
    /// The service, the backup's blob, who serves, the other services' records, and what is asked of the service's
    /// content.
    ForRestore(BlobName, Asking),
}

/// What a restore has to know of its target's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asking {
    Nothing,
    /// Which APIs and products the backup's inventory lacks: nothing of ours was ever restored into the service.
    Strangers(Option<InventoryPlace>),
    /// Whether its lists are as they were: nobody watched for a while whether users came to it.
    Lists,
    /// Both: a restore may have reached it, and nobody knows.
    Both(Option<InventoryPlace>),
}

/// What was asked of a target's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentLook {
    Strangers(Strangers),
    /// The digest of its top-level lists.
    Lists(Digest),
    Both(Strangers, Digest),
}

/// APIs and products of a target that the backup's inventory lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strangers {
    pub apis: usize,
    pub products: usize,
    /// The paths of some.
    pub some: Vec<String>,
}

/// A backup's blob, by container and backup name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobName {
    pub container: Container,
    pub backup: BackupName,
}

/// A backup or restore to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The claim that names it in the saved record; its answer is brought back with it.
    pub claim: Claim,
    /// Where the backup lies or shall lie.
    pub blob: BlobName,
    /// When the looks that allow it were taken; they must not be older than 30 s at the POST.
    pub looked_at: Timestamp,
}

/// What was learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// Nothing yet: an invocation begins, or begins anew on a record that somebody else has written.
    Resumed,
    /// What a look found.
    Looked(Box<Looks>),
    /// What Azure answered to a POST made under this claim.
    Answered { claim: Claim, answer: Answer },
    /// It became too late in this invocation, or the looks too old, for the POST: it was not sent.
    TooLate,
    /// How the operation stands.
    Polled(Poll),
    /// What was found at a backup's blob.
    Inspected(BlobLook),
    /// How a create-only write ended.
    Wrote(WriteOnce),
    /// What has been kept for long enough, or why that is not known.
    ListedOld { stage: Stage, listing: Result<Listing, String> },
    /// How deletes ended, in their order; fewer than there were, if they broke off.
    Deleted(Vec<Deletion>),
    /// What was read and stored for an inventory.
    Took(Box<TakenStretch>),
    /// What became of putting an inventory together.
    Joined(Joined),
    /// What was read and compared.
    Compared(Box<ComparedStretch>),
    /// The parts of a backup's inventories are deleted.
    DroppedParts(BackupName),
    /// Something that nobody waits for could not be done; a later invocation tries it again.
    NotDone(String),
}

/// Old blobs, and what is needed of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// By name.
    pub blobs: Vec<OldBlob>,
    /// Whether they are all; a listing has its bounds.
    pub whole: bool,
    /// The backups that any record needs.
    pub needed: BTreeSet<BackupName>,
}

/// How the delete of one blob ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone, by this delete or by another.
    Gone,
    /// It was written since it was listed, and left as it is.
    Changed,
    /// Storage refuses to delete this blob: a policy, a hold, a lease or a snapshot protects it.
    Protected(String),
    /// Storage refuses to delete anything: a right is missing.
    Forbidden(String),
    /// Not known.
    NoAnswer(String),
}

/// One stretch of a crawl, stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenStretch {
    /// How far the crawl has come.
    pub place: Place,
    /// What was read in this stretch lies there.
    pub chunks: Vec<Chunk>,
    /// How much that is.
    pub counts: Counts,
    pub unread: Vec<Unread>,
    pub end: StretchEnd,
}

/// What became of putting an inventory together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joined {
    Stored(InventoryRef),
    /// It can never be, for this reason.
    Impossible(String),
    /// Not now.
    NoAnswer(String),
}

/// One stretch of a crawl, compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedStretch {
    /// How far the crawl has come.
    pub place: Place,
    pub baseline: Baseline,
    /// What was found up to there.
    pub found: Comparison,
    pub lists: Chain,
    /// One of the target's own lists was not read up to there.
    pub lists_hidden: bool,
    pub unread: Vec<Unread>,
    /// What no backup carries; it is looked at last.
    pub unprotected: Option<Unprotected>,
    pub end: StretchEnd,
}

/// What one look took in. Only what was asked for is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looks {
    /// When the look began: no part of it is older.
    pub at: Timestamp,
    pub looking: Looking,
    pub service: Result<ServiceLook, NoLook>,
    pub blob: Option<BlobLook>,
    /// What the other services' records say, or why that is not known.
    pub others: Result<Others, String>,
    /// Who serves, by a read of its own.
    pub serving: Option<Serving>,
    /// What was asked of the service's content, or why that cannot be said.
    pub content: Option<Result<ContentLook, String>>,
}

/// What the records of the other services say about a restore into this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// Those whose restore stands in the way: one target is restored at a time.
    pub restoring: Vec<ServiceName>,
    /// The failover latch, as the primary's record holds it, or another for it.
    pub failed_over: Option<FailedOver>,
    /// The last `resume`, by the primary's record.
    pub resumed_at: Option<Timestamp>,
}

/// A 200 with a `provisioningState`: nothing less is a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceLook {
    pub state: ServiceState,
    pub tier: Tier,
    pub location: String,
}

/// Why a service could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoLook {
    /// 401 after one new token, or no token: nothing can be done for this service in this invocation.
    NoToken(String),
    /// Azure answered, but not with a look.
    Answer(AzureWords),
    /// No answer, or one that cannot be read.
    NoAnswer(String),
}

impl std::fmt::Display for NoLook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoToken(why) | Self::NoAnswer(why) => f.write_str(why),
            Self::Answer(words) => write!(f, "{words}"),
        }
    }
}

/// What is known of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobLook {
    Found(BlobFacts),
    /// 404.
    Missing,
    /// Anything else: nothing is known.
    NoAnswer(String),
}

/// A blob as its properties describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobFacts {
    pub length: u64,
    pub etag: Etag,
    /// By the storage service's clock, to the second.
    pub last_modified: Timestamp,
    pub leased: bool,
}

/// What Azure's answer to a POST means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 202 or 200. The operation is there if `Location` named one on the configured endpoint.
    Accepted { operation: Option<OperationUrl>, retry_after: Option<time::Duration> },
    /// 409, 429 or 503: another operation runs, or Azure wants fewer requests.
    Busy(AzureWords),
    /// 401 after one new token, or no token.
    NoToken(String),
    /// Any other 4xx.
    Refused(AzureWords),
    /// 408, any other 5xx, or no answer: it may or may not have begun.
    Unknown(String),
}

/// What Azure's answer to a poll means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Poll {
    /// 202.
    Running { retry_after: Option<time::Duration> },
    /// 200.
    Ended,
    /// A 4xx that says why, and is none of those that say nothing.
    Failed(AzureWords),
    /// The answer says nothing about the operation: the service has to be looked at.
    Unknown(String),
}

/// How a stretch of a crawl ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StretchEnd {
    /// It is as long as a stretch may be, or there is nothing more to read: what it has read is to be saved.
    Full,
    /// There is no time left for reading in this invocation.
    Late,
    /// Azure wants fewer requests, or did not answer: a later tick goes on from there.
    Interrupted(String),
    /// This service cannot be read: a right is missing, or it is not there.
    GivenUp(String),
    /// 401 after one new token, or no token.
    NoToken(String),
}

/// How a create-only write ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteOnce {
    Written,
    /// The same bytes were already there.
    Same,
    /// Other bytes were already there.
    Other,
    /// Not known.
    NoAnswer(String),
}
