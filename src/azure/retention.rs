//! What has been kept for long enough: listed, and deleted.

use std::collections::BTreeSet;

use super::{Azure, Scene};
use crate::domain::observation::{Deletion, Listing, Observation, Old};
use crate::domain::record::{FOLDER, OldBlob, Record, Stage};
use crate::domain::vocabulary::BackupName;

impl Azure {
    /// Lists first and reads the records then, so that no wish is older than what it protects.
    pub(super) async fn list_old(&self, scene: &Scene<'_>, Old { stage, until }: Old) -> Observation {
        let service = scene.service.name();
        let is_old =
            |blob: &str, modified| stage.dated(&service, blob, modified).is_some_and(|at| at <= until);
        let listed = self.store.list_old((stage, &stage.prefix(&service)), is_old).await;
        let listing = match listed {
            Ok((blobs, whole)) if stage.is_of_backups() && !blobs.is_empty() => {
                self.needed().await.map(|needed| Listing { blobs, whole, needed })
            }
            Ok((blobs, whole)) => Ok(Listing { blobs, whole, needed: BTreeSet::new() }),
            Err(trouble) => Err(trouble.to_string()),
        };
        Observation::ListedOld { stage, listing }
    }

    /// The backups that any record needs, be its service in the settings or not.
    async fn needed(&self) -> Result<BTreeSet<BackupName>, String> {
        let mut needed = BTreeSet::new();
        for path in self.store.list(FOLDER).await.map_err(|trouble| trouble.to_string())? {
            let stored = self.store.load(&path).await.map_err(|trouble| trouble.to_string())?;
            let Some((bytes, _)) = stored.document else { continue };
            let record = Record::parse(&bytes).map_err(|why| format!("the record {path}: {why}"))?;
            needed.extend(record.needed_backups());
        }
        Ok(needed)
    }

    /// One after the other, until it becomes late or storage refuses everything.
    pub(super) async fn delete(&self, scene: &Scene<'_>, stage: Stage, doomed: &[OldBlob]) -> Observation {
        let mut deletions = Vec::new();
        for blob in doomed {
            if scene.clock.is_late() {
                break;
            }
            let deletion = self.store.delete(stage, blob).await;
            let breaks_off = matches!(deletion, Deletion::Forbidden(_) | Deletion::NoAnswer(_));
            deletions.push(deletion);
            if breaks_off {
                break;
            }
        }
        Observation::Deleted(deletions)
    }
}
