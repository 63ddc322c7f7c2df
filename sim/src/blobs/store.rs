//! What the account holds.

use std::collections::BTreeMap;

use axum::body::Bytes;
use time::OffsetDateTime;

use super::leases::Lease;
use super::reply::Refusal;

/// Ticks of 100 ns from year 1 to 1970: ETags of Azure are such ticks in hexadecimal.
const TICKS_BEFORE_1970: i128 = 621_355_968_000_000_000;

#[derive(Default)]
pub(super) struct Store {
    pub(super) containers: BTreeMap<String, Container>,
    last_tick: i128,
}

/// The version of a container or a blob, and when it came to be.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    /// Without quotes.
    pub(super) etag: String,
    pub(super) modified: OffsetDateTime,
}

pub(super) struct Container {
    pub(super) stamp: Stamp,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) blobs: BTreeMap<String, Blob>,
    /// Blocks that were staged and not yet committed, by blob, then by id.
    pub(super) staged: BTreeMap<String, BTreeMap<String, Bytes>>,
}

pub(super) struct Blob {
    pub(super) stamp: Stamp,
    pub(super) created: OffsetDateTime,
    pub(super) content: Bytes,
    pub(super) content_type: String,
    /// Base64; absent for a blob that was put together from blocks, as in Azure.
    pub(super) content_md5: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    /// What the content was put together from; empty when it was written in one piece.
    pub(super) blocks: Vec<(String, Bytes)>,
    pub(super) lease: Lease,
}

impl Store {
    /// A version that differs from every earlier one, dated by `now`.
    pub(super) fn stamp(&mut self, now: OffsetDateTime) -> Stamp {
        let tick = TICKS_BEFORE_1970 + now.unix_timestamp_nanos() / 100;
        self.last_tick = tick.max(self.last_tick + 1);
        Stamp { etag: format!("0x{:X}", self.last_tick), modified: now }
    }

    pub(super) fn container(&mut self, name: &str) -> Result<&mut Container, Refusal> {
        self.containers.get_mut(name).ok_or_else(|| Refusal::not_found("ContainerNotFound"))
    }

    pub(super) fn blob(&mut self, container: &str, blob: &str) -> Result<&mut Blob, Refusal> {
        self.container(container)?.blobs.get_mut(blob).ok_or_else(|| Refusal::not_found("BlobNotFound"))
    }
}
