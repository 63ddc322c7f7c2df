//! What a comparison says of a service, held against what the service really lists.

use std::collections::BTreeSet;

use serde_json::Value;
use time::Duration;

use super::record::text;
use super::records::Step;
use super::{Invariant, Observer};
use crate::plan::SERVICES;
use crate::world::sent::BACKUPS;

/// The lists that are looked at, as content and inventories spell them.
const LISTS: [&str; 2] = ["apis", "products"];

/// Reading a service takes several calls; what somebody changes meanwhile may have been read or not.
const READING: Duration = Duration::hours(1);

impl Observer {
    /// A record says from now on that its service holds what the backup's inventory lists.
    pub(super) fn compares_truly(&mut self, step: &Step<'_>) {
        let holds = step.after.at("holds");
        let is_new = step.before.is_none_or(|before| {
            let known = before.at("holds");
            known["compared"] != holds["compared"] || known["backup"] != holds["backup"]
        });
        let mut edits = self.edits.iter().filter(|(edited, _)| *edited == step.service);
        let changing = edits.any(|(_, at)| step.scene.now - *at < READING);
        if !is_new || changing || holds["compared"]["result"] != "verified" {
            return;
        }
        let backup = text(&holds["backup"]).to_owned();
        let Some(before) = listed(step, &format!("{backup}.inventory.json")) else { return };
        let after = listed(step, &format!("{backup}.inventory-after.json")).unwrap_or_else(|| before.clone());
        let content = step.scene.cloud.service(SERVICES[step.service].0).content();
        let here: BTreeSet<String> = LISTS
            .iter()
            .flat_map(|list| content.children(list).map(|entity| entity.path.clone()).collect::<Vec<_>>())
            .collect();
        let missing = before.intersection(&after).find(|path| !here.contains(*path));
        let extra = here.iter().find(|path| !before.contains(*path) && !after.contains(*path));
        self.check(Invariant::Compared, missing.is_none() && extra.is_none(), || {
            format!("{} holds {backup}, it is said, but lacks {missing:?} and has {extra:?}", step.name())
        });
    }
}

/// The APIs and products of an inventory.
fn listed(step: &Step<'_>, blob: &str) -> Option<BTreeSet<String>> {
    let stored = step.scene.blobs.peek(BACKUPS, blob)?;
    let document: Value = serde_json::from_slice(&stored.content).ok()?;
    let is_listed = |path: &str| {
        LISTS.iter().any(|list| {
            let name = path.strip_prefix(list).and_then(|rest| rest.strip_prefix('/'));
            name.is_some_and(|name| !name.contains('/'))
        })
    };
    let paths = document["entities"].as_object()?.keys().filter(|path| is_listed(path)).cloned();
    Some(paths.collect())
}
