//! What a record keeps of retention: when the next pass comes, what is being deleted, what was refused.

use serde::{Deserialize, Serialize};

use crate::domain::vocabulary::{Etag, Timestamp};

/// How far retention is with one service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retention {
    /// The earliest next pass; none: a day after the service was first driven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_pass: Option<Timestamp>,
    /// How far the pass is that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// What is about to be deleted: named here first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doomed: Vec<OldBlob>,
    /// Storage refused a delete in the pass that is under way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub met_refusal: bool,
    /// The delete that storage refused first, until a whole pass meets no refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedDelete>,
}

impl Retention {
    /// Whether there is nothing to be stored.
    pub fn is_new(&self) -> bool {
        *self == Self::default()
    }
}

/// The stages of a pass, in their order. What belonged to a backup goes in a later pass than its manifest,
/// and so a day later at least, because it comes first in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Backups and inventories that have no manifest, or none any more.
    Leftovers,
    Manifests,
    History,
    /// Inventories that were begun and never finished.
    Partial,
}

/// A blob that has been kept long enough, at the version that was listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OldBlob {
    pub blob: String,
    pub etag: Etag,
}

/// A delete that storage refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedDelete {
    pub since: Timestamp,
    pub blob: String,
    /// In storage's words, with what to do about it.
    pub what: String,
}
