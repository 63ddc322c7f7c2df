//! The documents that outlive an invocation: records, manifests, history. Every write is conditional, and
//! a write whose reply was lost is read back before anything is concluded from it.

use std::fmt;

use super::blob::{Blobs, Condition, Listed, Place, Read};
use super::trouble::StorageTrouble;
use crate::domain::observation::{BlobLook, BlobName, Deletion, WriteOnce};
use crate::domain::record::{OldBlob, Stage};
use crate::domain::vocabulary::{BackupName, Container, Etag, Timestamp};

/// The largest record that is read. One of a service with a year of backups has some 100 KB.
pub const LARGEST_RECORD: usize = 4 << 20;

/// The largest manifest that is read. One has some 1 KB; whoever may write the container may write more.
pub const LARGEST_MANIFEST: usize = 64 << 10;

/// Where records and manifests are kept.
pub struct Store {
    pub(super) blobs: Blobs,
    backups: Container,
    state: Container,
    /// Whether a container that is not there is made.
    makes_containers: bool,
}

/// A document as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The bytes and their version; `None` if there is no such document.
    pub document: Option<(Vec<u8>, Etag)>,
    /// The storage service's own time of the answer, or this machine's where the answer had none.
    pub storage_time: Timestamp,
}

/// Why a document was not saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveTrouble {
    /// Somebody else has written it first.
    Lost,
    /// Whether it was saved is not known.
    NoAnswer(String),
    /// Storage refused, and nothing was saved.
    Refused(StorageTrouble),
}

impl fmt::Display for SaveTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost => f.write_str("somebody else has written it first"),
            Self::NoAnswer(why) => f.write_str(why),
            Self::Refused(trouble) => write!(f, "{trouble}"),
        }
    }
}

impl std::error::Error for SaveTrouble {}

/// How a conditional write ended, once it has been read back where that was needed.
enum Ended {
    Written(Etag),
    /// The same bytes lie there although storage did not say that it wrote them.
    Found(Etag),
    Other,
    Unknown(StorageTrouble),
    Refused(StorageTrouble),
}

impl Store {
    pub(super) fn new(blobs: Blobs, backups: Container, state: Container) -> Self {
        Self { blobs, backups, state, makes_containers: true }
    }

    /// The same, for somebody who only looks on: a container that is not there is not made.
    pub(super) fn looking_on(self) -> Self {
        Self { makes_containers: false, ..self }
    }

    /// Reads the document at `path`. The first read of a new deployment makes both containers.
    ///
    /// # Errors
    /// When storage does not answer with the document or its absence, and when it is larger than 4 MiB.
    pub async fn load(&self, path: &str) -> Result<Stored, StorageTrouble> {
        let read = self.read(self.in_state(path), LARGEST_RECORD).await?;
        let storage_time = read.date.unwrap_or_else(|| Timestamp::new(super::wall_clock()));
        Ok(Stored { document: read.document, storage_time })
    }

    /// Saves `bytes` at `path` over the version `etag`, or as a new document. The bytes must differ from
    /// what any other writer would write: a reply that was lost is told from a lost race by them.
    ///
    /// # Errors
    /// As [`SaveTrouble`] says.
    pub async fn save(&self, path: &str, bytes: Vec<u8>, etag: Option<&Etag>) -> Result<Etag, SaveTrouble> {
        let condition = etag.map_or(Condition::New, Condition::Unchanged);
        match self.write(self.in_state(path), &bytes, condition).await {
            Ended::Written(etag) | Ended::Found(etag) => Ok(etag),
            Ended::Other => Err(SaveTrouble::Lost),
            Ended::Unknown(trouble) => Err(SaveTrouble::NoAnswer(trouble.to_string())),
            Ended::Refused(trouble) => Err(SaveTrouble::Refused(trouble)),
        }
    }

    /// Writes what people read, over whatever is there: nothing is decided by it, and the next writing mends it.
    ///
    /// # Errors
    /// When storage does not say that it has written it.
    pub async fn publish(&self, path: &str, text: &str, content_type: &str) -> Result<(), StorageTrouble> {
        self.blobs.overwrite(self.in_state(path), text.as_bytes(), content_type).await
    }

    /// The paths of all documents that begin with `prefix`, in order.
    ///
    /// # Errors
    /// When storage does not answer with a whole list.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, StorageTrouble> {
        match self.blobs.list(&self.state, prefix).await {
            Err(trouble) if trouble.is_no_container() => {
                self.create_containers().await?;
                Ok(Vec::new())
            }
            listed => listed,
        }
    }

    /// The names in any container, for whoever only wants to know whether they may be seen.
    pub(super) async fn list_in(
        &self,
        container: &Container,
        prefix: &str,
    ) -> Result<Vec<String>, StorageTrouble> {
        self.blobs.list(container, prefix).await
    }

    /// Writes an empty document over one version of a blob.
    pub(super) async fn write_if_at(
        &self,
        container: &Container,
        blob: &str,
        etag: &Etag,
    ) -> Result<(), StorageTrouble> {
        self.blobs.write(Place { container, blob }, b"{}", Condition::Unchanged(etag)).await.map(drop)
    }

    /// Deletes one version of a blob.
    pub(super) async fn delete_if_at(
        &self,
        container: &Container,
        blob: &str,
        etag: &Etag,
    ) -> Result<(), StorageTrouble> {
        self.blobs.delete(Place { container, blob }, etag).await
    }

    /// Reads a manifest's bytes; `None` if there is none.
    ///
    /// # Errors
    /// When storage does not answer with the manifest or its absence, and when it is larger than 64 KiB.
    pub async fn read_manifest(
        &self,
        container: &Container,
        backup: &BackupName,
    ) -> Result<Option<Vec<u8>>, StorageTrouble> {
        let blob = backup.manifest();
        let read = self.read(Place { container, blob: &blob }, LARGEST_MANIFEST).await?;
        Ok(read.document.map(|(bytes, _)| bytes))
    }

    /// What is known of a backup's blob.
    pub(super) async fn inspect(&self, name: &BlobName) -> BlobLook {
        let blob = name.backup.blob();
        match self.blobs.facts(Place { container: &name.container, blob: &blob }).await {
            Ok(Some(facts)) => BlobLook::Found(facts),
            Ok(None) => BlobLook::Missing,
            Err(trouble) => BlobLook::NoAnswer(trouble.to_string()),
        }
    }

    /// Writes the manifest of a backup, create-only.
    pub(super) async fn write_manifest(&self, name: &BlobName, bytes: &str) -> WriteOnce {
        let blob = name.backup.manifest();
        self.write_once(Place { container: &name.container, blob: &blob }, bytes).await
    }

    /// Writes a document, create-only.
    pub(super) async fn write_history(&self, path: &str, bytes: &str) -> WriteOnce {
        self.write_once(self.in_state(path), bytes).await
    }

    /// The blobs at `stage` below a prefix that `is_old`, by name and time of their last change, and whether
    /// they are all.
    pub(super) async fn list_old(
        &self,
        (stage, prefix): (Stage, &str),
        is_old: impl Fn(&str, Timestamp) -> bool,
    ) -> Result<(Vec<OldBlob>, bool), StorageTrouble> {
        let mut old = Vec::new();
        let keep = |listed: Listed| {
            if is_old(&listed.name, listed.last_modified) {
                old.push(OldBlob { blob: listed.name, etag: listed.etag });
            }
        };
        match self.blobs.list_some(self.container_of(stage), prefix, keep).await {
            Err(trouble) if trouble.is_no_container() => Ok((Vec::new(), true)),
            listed => listed.map(|whole| (old, whole)),
        }
    }

    /// Deletes a blob at the version that was listed. That a condition is not met is said of a blob that is
    /// gone as well, perhaps by our own first try.
    pub(super) async fn delete(&self, stage: Stage, OldBlob { blob, etag }: &OldBlob) -> Deletion {
        let at = Place { container: self.container_of(stage), blob };
        match self.blobs.delete(at, etag).await {
            Ok(()) => Deletion::Gone,
            Err(trouble) if trouble.is_missing() => Deletion::Gone,
            Err(trouble) if trouble.is_condition_not_met() => match self.blobs.facts(at).await {
                Ok(None) => Deletion::Gone,
                Ok(Some(_)) => Deletion::Changed,
                Err(trouble) => Deletion::NoAnswer(trouble.to_string()),
            },
            Err(trouble) if trouble.is_forbidden() => Deletion::Forbidden(trouble.to_string()),
            Err(trouble) if trouble.is_refusal() => Deletion::Protected(trouble.to_string()),
            Err(trouble) => Deletion::NoAnswer(trouble.to_string()),
        }
    }

    fn container_of(&self, stage: Stage) -> &Container {
        if stage.is_of_backups() { &self.backups } else { &self.state }
    }

    async fn write_once(&self, at: Place<'_>, text: &str) -> WriteOnce {
        match self.write(at, text.as_bytes(), Condition::New).await {
            Ended::Written(_) => WriteOnce::Written,
            Ended::Found(_) => WriteOnce::Same,
            Ended::Other => WriteOnce::Other,
            Ended::Unknown(trouble) | Ended::Refused(trouble) => WriteOnce::NoAnswer(trouble.to_string()),
        }
    }

    async fn read(&self, at: Place<'_>, largest: usize) -> Result<Read, StorageTrouble> {
        match self.blobs.read(at, largest).await {
            Err(trouble) if trouble.is_no_container() && !self.makes_containers => {
                Ok(Read { document: None, date: None })
            }
            Err(trouble) if trouble.is_no_container() => {
                self.create_containers().await?;
                self.blobs.read(at, largest).await
            }
            read => read,
        }
    }

    /// Storage refuses a repeated write because its first try was done after all; so a refusal, like
    /// silence, says nothing before the stored bytes are seen.
    async fn write(&self, at: Place<'_>, bytes: &[u8], condition: Condition<'_>) -> Ended {
        let trouble = match self.try_write(at, bytes, condition).await {
            Ok(etag) => return Ended::Written(etag),
            Err(trouble) if trouble.is_conflict() || trouble.is_leased() || trouble.is_uncertain() => trouble,
            Err(trouble) => return Ended::Refused(trouble),
        };
        match (self.blobs.read(at, LARGEST_RECORD).await, condition) {
            (Ok(Read { document: Some((stored, etag)), .. }), _) if stored == bytes => Ended::Found(etag),
            // What stood in the way of a new document is gone again, or was never there.
            (Ok(Read { document: None, .. }), Condition::New) => Ended::Unknown(trouble),
            (Ok(_), _) if trouble.is_conflict() => Ended::Other,
            (Ok(Read { document: Some(_), .. }), Condition::New) => Ended::Other,
            (Ok(Read { document: Some((_, now)), .. }), Condition::Unchanged(etag)) if now != *etag => {
                Ended::Other
            }
            _ if trouble.is_leased() => Ended::Refused(trouble),
            _ => Ended::Unknown(trouble),
        }
    }

    async fn try_write(
        &self,
        at: Place<'_>,
        bytes: &[u8],
        condition: Condition<'_>,
    ) -> Result<Etag, StorageTrouble> {
        match self.blobs.write(at, bytes, condition).await {
            Err(trouble) if trouble.is_no_container() => {
                self.create_containers().await?;
                self.blobs.write(at, bytes, condition).await
            }
            written => written,
        }
    }

    async fn create_containers(&self) -> Result<(), StorageTrouble> {
        if !self.makes_containers {
            return Ok(());
        }
        self.blobs.create(&self.state).await?;
        self.blobs.create(&self.backups).await
    }

    pub(super) fn in_state<'a>(&'a self, path: &'a str) -> Place<'a> {
        Place { container: &self.state, blob: path }
    }

    /// The account's name, as API Management has to be told it.
    pub(super) fn account(&self) -> &str {
        &self.blobs.storage().account
    }

    /// The account's key, where the settings hold one.
    pub(super) fn key(&self) -> Option<&str> {
        match &self.blobs.storage().access {
            crate::config::StorageAccess::SharedKey(key) => Some(key.expose()),
            crate::config::StorageAccess::Identity(_) => None,
        }
    }
}
