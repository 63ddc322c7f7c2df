//! The manifest: the small proof beside a backup that it can be trusted. Written last, create-only.

use serde::{Deserialize, Serialize};
use time::Duration;

use super::id::ServiceId;
use super::record::{BackupRun, InventoryRef, Proof, RestoreSource, version_of};
use super::vocabulary::{BackupName, Container, Etag, Tier, Timestamp};

/// The version this program writes, and the newest that it reads.
pub const MANIFEST_VERSION: u32 = 1;

/// API Management restores a backup for 30 days from its creation, and refuses it afterwards.
pub const BACKUP_LIFETIME: Duration = Duration::days(30);

/// What a manifest says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub version: u32,
    pub name: BackupName,
    pub container: Container,
    pub service: ServiceId,
    pub tier: Tier,
    pub location: String,
    pub api_version: String,
    /// The recovery point.
    pub started_at: Timestamp,
    pub completed_at: Timestamp,
    pub expires_at: Timestamp,
    pub backup: ProvenBlob,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<InventoryRef>,
    pub proof: Proof,
    /// Why this backup must not be restored by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspicious: Option<String>,
    /// The version of the program that wrote it.
    pub writer: String,
}

/// The backup's blob as it was when it was proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenBlob {
    pub blob: String,
    pub length: u64,
    pub etag: Etag,
}

/// What a manifest needs to know beyond the run that it proves.
pub struct Proven {
    pub service: ServiceId,
    pub api_version: String,
    pub proof: Proof,
    pub length: u64,
    pub etag: Etag,
}

impl Manifest {
    /// The manifest of a run that is proven `now`.
    pub fn of(run: &BackupRun, proven: Proven, now: Timestamp) -> Self {
        Self {
            version: MANIFEST_VERSION,
            name: run.name.clone(),
            container: run.container.clone(),
            service: proven.service,
            tier: run.tier.clone(),
            location: run.location.clone(),
            api_version: proven.api_version,
            started_at: run.started_at,
            completed_at: now,
            expires_at: run.started_at + BACKUP_LIFETIME,
            backup: ProvenBlob { blob: run.name.blob(), length: proven.length, etag: proven.etag },
            inventory: run.inventory.clone(),
            proof: proven.proof,
            suspicious: None,
            writer: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The bytes to be stored, and named in the record first.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads the manifest of the backup `name`. The error says what is wrong with it.
    pub fn parse(name: &BackupName, bytes: &[u8]) -> Result<Self, String> {
        let version = version_of(bytes).map_err(|error| format!("it is not a manifest: {error}"))?;
        if version > MANIFEST_VERSION {
            return Err(format!(
                "it has version {version}, and this program knows {MANIFEST_VERSION}: a newer apim-dr wrote it"
            ));
        }
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("it cannot be read: {error}"))?;
        if manifest.name != *name || manifest.service.name() != *name.service() {
            return Err(format!("it describes {} of {}, not {name}", manifest.name, manifest.service));
        }
        if manifest.backup.blob != name.blob() {
            return Err(format!("it names the blob {}, not {}", manifest.backup.blob, name.blob()));
        }
        Ok(manifest)
    }

    /// What a restore needs of it. The backup lies in `container`, beside its manifest.
    pub fn source(&self, container: Container) -> RestoreSource {
        RestoreSource {
            name: self.name.clone(),
            container,
            started_at: self.started_at,
            expires_at: self.expires_at.min(self.started_at + BACKUP_LIFETIME),
            tier: self.tier.clone(),
            length: self.backup.length,
            etag: self.backup.etag.clone(),
            inventory: self.inventory.clone(),
        }
    }
}
