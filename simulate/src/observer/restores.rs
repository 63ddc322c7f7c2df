//! What may be restored where, and on whose word.

use apim_dr_sim::journal::{Operation, OperationKind};
use serde_json::Value;
use time::Duration;

use super::compared;
use super::record::{Record, text};
use super::{Invariant, Observer, Scene};
use crate::plan::SERVICES;
use crate::world::call::Call;
use crate::world::sent::{BACKUPS, STATE};

/// How long a person's wish for a restore stands.
pub(super) const WISH_LIFETIME: Duration = Duration::hours(4);

/// How long a backup can be restored.
const BACKUP_LIFETIME: Duration = Duration::days(30);

/// The age of a look, and the time that a request takes.
const CROSSING: Duration = Duration::seconds(60);

/// Two clocks that are off by two minutes each way, and a look of 30 s.
pub(super) const CLOCKS: Duration = Duration::seconds(4 * 60 + 30);

impl Observer {
    pub(super) fn may_restore(
        &mut self,
        scene: &Scene<'_>,
        call: &Call,
        (service, record): (usize, &Record),
        tag: &str,
    ) {
        let backup = record.backup().to_owned();
        let source = backup.rsplit_once('-').map_or("", |(source, _)| source).to_owned();
        let wish = text(record.of_operation("wish"));
        let by_hand = record.of_operation("by") == "hand";
        let asked = self.by_hand.get(wish).cloned();
        // A person's wish outlives a change of roles.
        let roles = asked.as_ref().filter(|_| by_hand).map_or(call.deployed.primary, |asked| asked.primary);
        let fits = (source == SERVICES[roles].0) == (service != roles);
        self.check(Invariant::Automatic, fits && source != SERVICES[service].0, || {
            format!("{tag}: a backup of {source} goes elsewhere")
        });
        if by_hand {
            let manifest = format!("{backup}.manifest.json");
            let asked = asked.filter(|asked| asked.blob == manifest);
            self.check(Invariant::Automatic, asked.is_some(), || {
                format!("{tag} by hand, which no hand asked for")
            });
            if let Some(asked) = asked {
                // Be it for a dry run: the world has changed meanwhile.
                let over = asked.at + WISH_LIFETIME;
                self.check(Invariant::Wishes, scene.now < over + CLOCKS, || {
                    format!("{tag}, which was asked for at {} and has lapsed", asked.at)
                });
            }
            return;
        }
        self.may_restore_by_itself(scene, call, (service, record), (&backup, tag));
    }

    fn may_restore_by_itself(
        &mut self,
        scene: &Scene<'_>,
        call: &Call,
        (service, record): (usize, &Record),
        (backup, tag): (&str, &str),
    ) {
        let target = service != call.deployed.primary;
        self.check(Invariant::Automatic, target, || format!("{tag}: into the primary by itself"));
        self.nothing_is_latched(call, backup, tag);
        // Nobody can know of a choice that is saved after the claim, if the record was not read again.
        let heard = self.heard.get(&call.number);
        let knew = heard
            .and_then(|heard| heard.saved.get(&service).copied().max(heard.records.get(&service).copied()));
        let pinned_since = self.pinned_at.get(&service).is_some_and(|at| knew.is_some_and(|knew| *at > knew));
        let unpinned = record.at("pin").is_null();
        self.check(Invariant::Pins, unpinned || pinned_since, || {
            format!("{tag} although a person chose an older backup")
        });
        let began = self.written.get(backup).copied();
        self.check(Invariant::Automatic, began.is_some(), || format!("{tag}: no manifest of ours proves it"));
        let alive = began.is_some_and(|began| scene.now < began + BACKUP_LIFETIME + CLOCKS);
        self.check(Invariant::Automatic, alive, || format!("{tag}: it has expired"));
        let blob = format!("{backup}.apimbackup");
        let now = scene.blobs.peek(BACKUPS, &blob);
        let source = record.of_operation("source");
        let proven = now.is_some_and(|now| source["etag"] == now.etag.as_str());
        // A stranger may come between the look and the request.
        let proven = proven || self.is_strange(scene.now, &blob, Some(60));
        self.check(Invariant::Automatic, proven, || {
            format!("{tag}: its blob is not the one that was proven")
        });
        let primary = self.record(call.deployed.primary);
        let known = primary.and_then(|primary| primary.known(backup));
        let accepted = known.is_none_or(|known| known["accepted"] == true);
        self.check(Invariant::Automatic, accepted, || format!("{tag}: the record does not accept it"));
        let fit = self.is_fit(backup);
        self.check(Invariant::Suspicion, fit, || format!("{tag}: it is suspicious"));
        self.holds_nothing_strange(scene, service, (backup, tag));
        self.overwrites_nothing_unwatched(scene, (call, service), tag);
        let moved = self.tiers.get(&service);
        let current = moved.map_or(scene.setup.tier, |(tier, _)| tier).to_owned();
        let moved = moved.is_some_and(|(_, at)| scene.now - *at < CROSSING);
        let same = text(&source["tier"]).eq_ignore_ascii_case(&current);
        self.check(Invariant::Automatic, same || moved, || format!("{tag}: it is of another tier"));
    }

    /// What nobody of ours put into a service is not overwritten unless the backup brings it back.
    fn holds_nothing_strange(&mut self, scene: &Scene<'_>, service: usize, (backup, tag): (&str, &str)) {
        let operations = scene.cloud.journal().operations();
        let restored = |operation: &Operation| {
            operation.kind == OperationKind::Restore && operation.service == SERVICES[service].0
        };
        // Somebody may come between the look and the request.
        let crossed = self.edits_of(service).any(|edit| scene.now - edit.at < CROSSING);
        if crossed || operations.iter().any(restored) {
            return;
        }
        let stored = scene.blobs.peek(BACKUPS, &format!("{backup}.inventory.json"));
        let inventory: Value =
            stored.and_then(|stored| serde_json::from_slice(&stored.content).ok()).unwrap_or_default();
        let held = compared::held(scene, service);
        let strange = held.iter().find(|path| inventory["entities"][path.as_str()].is_null());
        self.check(Invariant::Automatic, strange.is_none(), || {
            format!("{tag}: it holds {strange:?}, which is not in the backup")
        });
    }

    /// A record that somebody has spoilt is left as it is.
    pub(super) fn leaves_spoilt_alone(&mut self, call: &Call, service: usize) {
        if !self.spoilt.is_empty() {
            let spoilt = self.spoilt.contains(&service);
            self.check(Invariant::Unparsable, !spoilt, || {
                format!(
                    "{} writes over {STATE}/services/{}.json, which is spoilt",
                    call.tag(),
                    SERVICES[service].0
                )
            });
        }
    }
}
