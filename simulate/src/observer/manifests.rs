//! The backup container: what the handler writes into it, and what it must leave alone.

use apim_dr_sim::cloud::CANCELLED;
use apim_dr_sim::journal::{OperationKind, Outcome};
use axum::http::Method;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::record::{moment, text};
use super::{Invariant, Observer, Scene, Verdict};
use crate::plan::SERVICES;
use crate::world::call::Call;
use crate::world::sent::{Answer, BACKUPS, Sent};

/// What the handler writes there.
const OURS: [&str; 3] = [".manifest.json", ".inventory.json", ".inventory-after.json"];

impl Observer {
    /// A write into the backup container was done or refused.
    pub(super) fn backups_change(
        &mut self,
        scene: &Scene<'_>,
        call: &Call,
        (blob, sent, answer): (&str, &Sent, &Answer),
    ) {
        let tag = || format!("{} {} {BACKUPS}/{blob}", call.tag(), sent.method);
        self.check(Invariant::DryRun, !call.deployed.dry_run, || format!("{} in a dry run", tag()));
        if sent.method == Method::DELETE {
            return;
        }
        let kept = sent.method == Method::PUT && OURS.iter().any(|end| blob.ends_with(end));
        self.check(Invariant::Deletes, kept, tag);
        // A block is no blob before a list names it.
        let staged = sent.url.contains("comp=block&") || sent.url.ends_with("comp=block");
        let conditional = sent.header("if-none-match") == "*" || staged;
        self.check(Invariant::Writes, conditional, || format!("{} without a condition", tag()));
        self.searched(&sent.body, || format!("{BACKUPS}/{blob}"));
        if !answer.status.is_success() || staged {
            return;
        }
        if let Some(name) = blob.strip_suffix(".manifest.json") {
            self.manifest_is_written(scene, call, (name, sent));
        }
        if let Some(name) = blob.strip_suffix(".inventory.json")
            && let Some(service) = service_of(name)
        {
            self.lists_truly(scene, (service, blob));
        }
    }

    fn manifest_is_written(&mut self, scene: &Scene<'_>, call: &Call, (name, sent): (&str, &Sent)) {
        let tag = format!("{} writes the manifest of {name}", call.tag());
        let held = self.committing.get(name).is_some_and(|held| *held == sent.body);
        self.check(Invariant::Manifests, held, || format!("{tag}, and no record held it"));
        let manifest: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
        let verdict = proven(scene, name, &manifest);
        // What strangers do to a backup is not the handler's proof; what the manifest says of it is.
        let strange = self.is_strange(scene.now, &format!("{name}.apimbackup"), None);
        self.judge(Invariant::Manifests, if strange { Ok(()) } else { verdict }, || tag);
        if let Some(began) = moment(&manifest["startedAt"]) {
            self.written.insert(name.to_owned(), began);
        }
    }
}

/// The service that a backup is of.
fn service_of(backup: &str) -> Option<usize> {
    let (service, _) = backup.rsplit_once('-')?;
    SERVICES.iter().position(|(known, _)| *known == service)
}

/// Whether Azure made the backup to its end, and whether it lies there as the manifest says.
fn proven(scene: &Scene<'_>, name: &str, manifest: &Value) -> Verdict {
    let blob = format!("{name}.apimbackup");
    let stored = scene.blobs.peek(BACKUPS, &blob).ok_or("there is no backup")?;
    let says = &manifest["backup"];
    if stored.content.is_empty()
        || says["etag"] != stored.etag.as_str()
        || says["length"] != stored.content.len()
    {
        return Err(format!(
            "it says {says}, and the backup has {} bytes, ETag {}",
            stored.content.len(),
            stored.etag
        ));
    }
    inventory_lies(scene, name, manifest)?;
    let operations = scene.cloud.journal().operations();
    let made = operations.iter().find(|made| made.backup == blob && made.kind == OperationKind::Backup);
    match made.map(|made| &made.outcome) {
        Some(Outcome::Succeeded) => Ok(()),
        // Its blob lay there whole, and Azure's support ended it afterwards: nobody can tell.
        Some(Outcome::Failed { message, .. }) if message == CANCELLED && manifest["proof"] == "blob" => {
            Ok(())
        }
        other => Err(format!("by {} proof, but Azure says {other:?}", text(&manifest["proof"]))),
    }
}

/// Whether the inventory that a manifest names lies there, to the byte, and is a document about this backup.
fn inventory_lies(scene: &Scene<'_>, name: &str, manifest: &Value) -> Verdict {
    let says = &manifest["inventory"];
    if says.is_null() {
        return Ok(());
    }
    let stored = scene.blobs.peek(BACKUPS, text(&says["blob"])).ok_or("its inventory is not there")?;
    let digest: String = Sha256::digest(&stored.content).iter().map(|byte| format!("{byte:02x}")).collect();
    let document: Value = serde_json::from_slice(&stored.content).map_err(|error| error.to_string())?;
    match says["digest"] == digest.as_str() && document["backup"] == name {
        true => Ok(()),
        false => Err(format!("it says {says}, and the inventory of {} has {digest}", document["backup"])),
    }
}
