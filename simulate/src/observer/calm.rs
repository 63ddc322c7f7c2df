//! After the storm: whether everything is well again, and whether nothing was left behind.

use apim_dr_sim::cloud::Cloud;
use apim_dr_sim::journal::{OperationKind, Outcome};
use serde_json::Value;
use time::OffsetDateTime;

use super::record::text;
use super::{Invariant, Observer, Scene, retention};
use crate::plan::SERVICES;
use crate::world::deployed::Deployed;
use crate::world::sent::BACKUPS;

/// How far a world has come since it is calm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wellness {
    Well,
    /// What is still missing.
    Missing(String),
}

impl Wellness {
    /// A backup that Azure began since, that is verified, and that every secondary holds or a later one, compared and
    /// equal: by the records, and by what the services really hold.
    pub(crate) fn of(
        cloud: &Cloud,
        deployed: &Deployed,
        record: impl Fn(usize) -> Value,
        (since, rare_ticks): (OffsetDateTime, bool),
    ) -> Self {
        let primary = record(deployed.primary);
        let last = text(&primary["lastVerified"]["name"]);
        let operations = cloud.journal().operations();
        let fresh = |backup: &str| {
            let blob = format!("{backup}.apimbackup");
            operations.iter().any(|operation| {
                operation.kind == OperationKind::Backup
                    && operation.backup == blob
                    && operation.started >= since
                    && operation.outcome == Outcome::Succeeded
            })
        };
        if !fresh(last) {
            return Self::Missing(format!("no new verified backup; the last one is {last:?}"));
        }
        for secondary in &deployed.secondaries {
            let name = SERVICES[*secondary].0;
            let record = record(*secondary);
            let holds = &record["holds"];
            if holds["what"] != "backup" || !fresh(text(&holds["backup"])) {
                return Self::Missing(format!(
                    "{name} holds {holds}, wished for is {}",
                    record["restoreWish"]["source"]["name"]
                ));
            }
            // Where ticks are as far apart as they may be, half an hour is two of them.
            let out_of_time =
                rare_ticks && holds["compared"]["why"] == "it could not be read to its end within 30 min";
            if holds["compared"]["result"] != "verified" && !out_of_time {
                return Self::Missing(format!("{name} was compared: {}", holds["compared"]));
            }
            let differs = cloud.differences(SERVICES[deployed.primary].0, name);
            if !differs.is_alike() {
                return Self::Missing(format!("{name} is not what the primary is: {differs}"));
            }
        }
        Self::Well
    }
}

impl Observer {
    /// The end of a world.
    pub(crate) fn finally(&mut self, scene: &Scene<'_>, wellness: &Wellness) {
        self.check(Invariant::Liveness, *wellness == Wellness::Well, || format!("{wellness:?}"));
        if *wellness != Wellness::Well {
            return;
        }
        let written: Vec<String> = self.written.keys().cloned().collect();
        for name in written {
            let service = name.rsplit_once('-').map_or("", |(service, _)| service);
            let known = self.records.get(service).is_some_and(|record| record.known(&name).is_some());
            // A backup of a service that no longer is in the settings may still be on its way.
            let open = self.records.get(service).is_some_and(|record| record.backup() == name);
            let manifest = format!("{name}.manifest.json");
            // What a stranger wrote over ours is no manifest of ours.
            let lies = scene.blobs.peek(BACKUPS, &manifest).is_some()
                && !self.is_strange(scene.now, &manifest, None);
            // One that has been kept for long enough is forgotten first, and refused deletes are tried again later.
            let days = self.deployments.iter().map(|deployed| deployed.retention).min();
            let old = days.is_some_and(|days| retention::is_old(&name, (scene.now, days)));
            self.check(Invariant::Manifests, known || open || old || !lies, || {
                format!("the manifest of {name} lies there and no record knows it")
            });
        }
    }
}
