//! What a record keeps of reading what a service holds: it goes on over invocations, and one at a time reads.

use serde::{Deserialize, Serialize};

use super::{InventoryRef, Operation, Record, RestorePhase};
use crate::domain::id::ServiceName;
use crate::domain::inventory::compare::Comparison;
use crate::domain::inventory::{Chain, Counts, Depth, Place, Unread};
use crate::domain::unprotected::NotProtected;
use crate::domain::vocabulary::{BackupName, Container, Etag, InvocationId, Timestamp};

/// The folder of unfinished inventories in the state container.
const PARTIAL: &str = "partial/";

/// How far a crawl has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Every unit up to there has been read, and what it holds is stored or compared.
    #[serde(default)]
    pub place: Place,
    /// Who reads at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<Reader>,
    /// What could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
}

/// The invocation that reads. Two at once would do no harm, and ask Azure for everything twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reader {
    pub by: InvocationId,
    /// When it last said so.
    pub at: Timestamp,
}

/// An inventory that is being taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Taking {
    pub since: Timestamp,
    pub depth: Depth,
    pub progress: Progress,
    #[serde(default)]
    pub counts: Counts,
    /// What has been read is stored in these, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chunks: Vec<Chunk>,
}

/// A part of an unfinished inventory. Its name holds who wrote it, so that nobody else writes it anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chunk {
    pub by: InvocationId,
    pub number: usize,
    /// Its length in bytes.
    pub length: usize,
}

impl Chunk {
    /// Where the chunk lies in the state container.
    pub fn path(&self, backup: &BackupName) -> String {
        // An invocation's id comes from the host, and is not trusted to be fit for a name.
        let is_fit = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let by: String = self.by.as_str().chars().filter(|letter| is_fit(*letter)).take(64).collect();
        format!("{}{:05}-{by}", folder_of(backup), self.number)
    }
}

/// The folder of the parts of a backup's inventories, in that of its service.
pub fn folder_of(backup: &BackupName) -> String {
    format!("{}{backup}/", parts_folder(backup.service()))
}

/// The folder of the parts of a service's inventories.
pub fn parts_folder(service: &ServiceName) -> String {
    format!("{PARTIAL}{service}/")
}

/// A comparison that is under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparing {
    #[serde(default)]
    pub progress: Progress,
    #[serde(default)]
    pub baseline: Baseline,
    #[serde(default)]
    pub found: Comparison,
    /// Over what the target's top-level lists hold.
    #[serde(default)]
    pub lists: Chain,
    /// One of these lists could not be read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lists_hidden: bool,
}

/// What a target is compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Baseline {
    /// It was not looked at yet.
    #[default]
    Unopened,
    /// The backup's inventory, and the one that was taken after the backup.
    Open {
        depth: Depth,
        before: OpenInventory,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<OpenInventory>,
    },
    /// There is nothing to compare with, for this reason. The target's lists are read all the same.
    Absent { why: String },
}

/// A stored inventory, and how far it has been compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenInventory {
    pub blob: String,
    /// The version whose digest was found right.
    pub etag: Etag,
    /// Where the next entity's line begins, in bytes.
    pub offset: u64,
}

/// Where the inventory of a backup lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryPlace {
    pub container: Container,
    pub inventory: InventoryRef,
}

/// What a comparison found, when it was over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub at: Timestamp,
    /// How deep it was compared; absent, it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<Depth>,
    #[serde(default)]
    pub comparison: Comparison,
    /// What could not be read on the one side or the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
    /// What no backup carries, and how that compares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_protected: Vec<NotProtected>,
    /// Restored values that belong to the backed-up service or its region, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ties: Vec<String>,
}

/// What is read of a service at rest, beside its operations: it delays nothing and is dropped when one begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "what")]
pub enum Aside {
    /// The inventory after a backup, by which changes are told apart that were made while it ran.
    After { backup: BackupName, container: Container, taking: Taking },
    /// What the service holds is compared again: somebody may have changed it since.
    Again { since: Timestamp, comparing: Comparing },
}

impl Record {
    /// Lets whatever is being read of the service begin anew: it was held up, and what was read says nothing of now.
    pub fn read_anew(&mut self, now: Timestamp) {
        if let Operation::Restore(run) = &mut self.operation
            && let RestorePhase::Verifying { since, comparing, .. } = &mut run.phase
        {
            (*since, **comparing) = (now, Comparing::default());
        }
        match self.aside.as_deref_mut() {
            Some(Aside::After { taking, .. }) => *taking = Taking::begin(taking.depth, now),
            Some(Aside::Again { since, comparing }) => (*since, *comparing) = (now, Comparing::default()),
            None => {}
        }
    }
}
