//! Strangers, operators and attackers who write into the containers.

use std::sync::Arc;

use apim_dr_sim::storage::{Access, StorageClient};
use serde_json::{Value, json};
use time::format_description::FormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use super::World;
use super::deployed::service_id;
use super::sent::BACKUPS;
use crate::plan::{Choice, SERVICES, Stranger};

const COMPACT: &[FormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

impl World {
    /// A client that signs with the account's key, whatever the handler does.
    pub(super) fn storage_client(&self) -> StorageClient {
        StorageClient::in_process(self.blobs.account().clone(), Access::Key, self.storage.clone())
    }

    /// Writes a blob, whatever was there. False: a lease forbids it.
    pub(super) async fn put(&self, container: &str, blob: &str, bytes: Vec<u8>) -> bool {
        let client = self.storage_client();
        if client.create_container(container).await.is_err() {
            return false;
        }
        self.observe(|observer, scene| observer.stranger_writes(scene, container, blob));
        client.put(container, blob, bytes, &[]).await.is_ok()
    }

    pub(super) async fn strange(self: &Arc<Self>, step: u32, stranger: Stranger) {
        let (_, newest) = self.chosen(Choice::Newest);
        match stranger {
            Stranger::Blob => self.appear(step, "reports/2026.manifest.json", b"{}".to_vec()).await,
            Stranger::Forged { days } => self.forge(step, days).await,
            Stranger::ManifestUnderWay => {
                let name = self.under_way();
                if !name.is_empty() {
                    let manifest = self.manifest(&name, self.now(), ("0x1", 1)).to_string();
                    self.appear(step, &format!("{name}.manifest.json"), manifest.into_bytes()).await;
                }
            }
            Stranger::Tampered => {
                self.overwrite(&newest.replace(".manifest.json", ".apimbackup"), b"tampered".to_vec()).await;
            }
            Stranger::TamperedManifest => self.tamper_with_manifest(step, &newest).await,
            Stranger::Deleted => {
                let backup = newest.replace(".manifest.json", ".apimbackup");
                self.observe(|observer, scene| observer.stranger_writes(scene, BACKUPS, &backup));
                drop(self.storage_client().delete(BACKUPS, &backup).await);
            }
            Stranger::BackupUnderWay => {
                let name = self.under_way();
                if !name.is_empty() && self.blobs.peek(BACKUPS, &format!("{name}.manifest.json")).is_none() {
                    self.put(BACKUPS, &format!("{name}.apimbackup"), b"a stranger's".to_vec()).await;
                }
            }
        }
    }

    /// A new blob, which has its event like any other.
    async fn appear(self: &Arc<Self>, step: u32, blob: &str, bytes: Vec<u8>) {
        if self.put(BACKUPS, blob, bytes).await && blob.ends_with(".manifest.json") {
            self.send_events(step, blob);
        }
    }

    async fn overwrite(&self, blob: &str, bytes: Vec<u8>) {
        if self.blobs.peek(BACKUPS, blob).is_some() {
            self.put(BACKUPS, blob, bytes).await;
        }
    }

    /// A manifest that fits its blob in every way, and that no record names.
    async fn forge(self: &Arc<Self>, step: u32, days: i64) {
        let primary = SERVICES[self.state().deployed.primary].0;
        let started = self.now() + Duration::days(days);
        let name = format!("{primary}-{}", started.format(COMPACT).unwrap_or_default());
        let (_, newest) = self.chosen(Choice::BackupOfNewest);
        let bytes = self.blobs.peek(BACKUPS, &newest).map(|found| found.content.to_vec());
        let bytes = bytes.unwrap_or_else(|| b"forged".to_vec());
        let length = bytes.len();
        if !self.put(BACKUPS, &format!("{name}.apimbackup"), bytes).await {
            return;
        }
        let Some(stored) = self.blobs.peek(BACKUPS, &format!("{name}.apimbackup")) else { return };
        let manifest = self.manifest(&name, started, (&stored.etag, length));
        self.appear(step, &format!("{name}.manifest.json"), manifest.to_string().into_bytes()).await;
    }

    /// The newest manifest says that its backup is newer than it is.
    async fn tamper_with_manifest(self: &Arc<Self>, step: u32, blob: &str) {
        let Some(stored) = self.blobs.peek(BACKUPS, blob) else { return };
        let Ok(mut manifest) = serde_json::from_slice::<Value>(&stored.content) else { return };
        manifest["startedAt"] = self.now().format(&Rfc3339).unwrap_or_default().into();
        self.appear(step, blob, manifest.to_string().into_bytes()).await;
    }

    fn manifest(&self, name: &str, started: OffsetDateTime, (etag, length): (&str, usize)) -> Value {
        let at = |moment: OffsetDateTime| moment.format(&Rfc3339).unwrap_or_default();
        let service = name.rsplit_once('-').map_or(name, |(service, _)| service);
        json!({
            "version": 1, "name": name, "container": BACKUPS,
            "service": service_id(service),
            "tier": self.plan.setup.tier, "location": "West Europe", "apiVersion": "2024-05-01",
            "startedAt": at(started), "completedAt": at(started + Duration::minutes(11)),
            "expiresAt": at(started + Duration::days(30)),
            "backup": { "blob": format!("{name}.apimbackup"), "length": length, "etag": etag },
            "proof": "operation", "writer": "0.1.0",
        })
    }
}
