//! What a comparison says of a service, held against what the service really lists.

use std::collections::BTreeSet;

use serde_json::Value;
use time::Duration;

use super::record::{moment, text};
use super::records::Step;
use super::{Invariant, Observer, Scene};
use crate::plan::SERVICES;
use crate::world::sent::BACKUPS;

/// The lists that are looked at, as content and inventories spell them.
pub(super) const LISTS: [&str; 2] = ["apis", "products"];

/// Reading a service takes several calls; what somebody changes meanwhile may have been read or not.
const READING: Duration = Duration::hours(1);

/// By how much a writer's clock may be off, and the time that a request takes.
const CLOCKS: Duration = Duration::minutes(4);

impl Observer {
    /// A record says from now on that its service holds what the backup's inventory lists.
    pub(super) fn compares_truly(&mut self, step: &Step<'_>) {
        let holds = step.after.at("holds");
        let is_new = step.before.is_none_or(|before| {
            let known = before.at("holds");
            known["compared"] != holds["compared"] || known["backup"] != holds["backup"]
        });
        let changing = self.edits_of(step.service).any(|edit| step.scene.now - edit.at < READING);
        if !is_new || changing || holds["compared"]["result"] != "verified" {
            return;
        }
        let backup = text(&holds["backup"]).to_owned();
        let listed = |part: &str| listed(step.scene, &format!("{backup}.{part}.json"));
        let Some(before) = listed("inventory") else { return };
        let after = listed("inventory-after").unwrap_or_else(|| before.clone());
        let here = held(step.scene, step.service);
        let missing = before.intersection(&after).find(|path| !here.contains(*path));
        let extra = here.iter().find(|path| !before.contains(*path) && !after.contains(*path));
        self.check(Invariant::Compared, missing.is_none() && extra.is_none(), || {
            format!("{} holds {backup}, it is said, but lacks {missing:?} and has {extra:?}", step.name())
        });
    }

    /// An inventory was stored: it lists what the service held while it was taken.
    pub(super) fn lists_truly(&mut self, scene: &Scene<'_>, (service, blob): (usize, &str)) {
        let (Some(document), Some(listed)) = (document(scene, blob), listed(scene, blob)) else { return };
        let Some(taken_at) = moment(&document["takenAt"]) else { return };
        if self.edits_of(service).any(|edit| edit.at > taken_at - CLOCKS) {
            return;
        }
        let unread: Vec<_> = document["unread"].as_array().into_iter().flatten().collect();
        let hides = |path: &&String| unread.iter().any(|unread| path.starts_with(text(&unread["list"])));
        let here = held(scene, service);
        let missing = here.difference(&listed).find(|path| !hides(path));
        let extra = listed.difference(&here).next();
        self.check(Invariant::Compared, missing.is_none() && extra.is_none(), || {
            format!("{blob} lacks {missing:?} and has {extra:?}")
        });
    }
}

/// The APIs and products of an inventory.
pub(super) fn listed(scene: &Scene<'_>, blob: &str) -> Option<BTreeSet<String>> {
    let document = document(scene, blob)?;
    let is_listed = |path: &str| {
        path.split_once('/').is_some_and(|(list, name)| LISTS.contains(&list) && !name.contains('/'))
    };
    let paths = document["entities"].as_object()?.keys().filter(|path| is_listed(path)).cloned();
    Some(paths.collect())
}

fn document(scene: &Scene<'_>, blob: &str) -> Option<Value> {
    serde_json::from_slice(&scene.blobs.peek(BACKUPS, blob)?.content).ok()
}

/// The APIs and products that a service really holds.
pub(super) fn held(scene: &Scene<'_>, service: usize) -> BTreeSet<String> {
    let content = scene.cloud.service(SERVICES[service].0).content();
    let paths = |list| content.children(list).map(|entity| entity.path.clone()).collect::<Vec<_>>();
    LISTS.into_iter().flat_map(paths).collect()
}
