//! What was changed on a secondary while nobody could tell who serves: users may have been there.

use time::{Duration, OffsetDateTime};

use super::records::Step;
use super::{Edit, Invariant, Observer, Scene};
use crate::plan::{Live, SERVICES};
use crate::world::call::Call;
use apim_dr_sim::journal::OperationKind;

/// After 10 minutes without a read nothing is certain; clocks differ by two minutes each way.
const BLIND: Duration = Duration::minutes(15);

/// The age of a look, and the time that a request takes.
const CROSSING: Duration = Duration::seconds(60);

impl Observer {
    /// Somebody has changed what a service holds.
    pub(crate) fn edited(&mut self, scene: &Scene<'_>, service: usize) {
        let by_settings = self.deployments.last().is_some_and(|last| last.live == Live::Off);
        self.edits.push(Edit { service, at: scene.now, by_settings, emptied: false });
    }

    /// Somebody has taken away most of what a service holds.
    pub(crate) fn emptied(&mut self, scene: &Scene<'_>, service: usize) {
        self.edits.push(Edit { service, at: scene.now, by_settings: false, emptied: true });
    }

    /// What somebody has changed on one service.
    pub(super) fn edits_of(&self, service: usize) -> impl Iterator<Item = &Edit> {
        self.edits.iter().filter(move |edit| edit.service == service)
    }

    /// A call was told who serves.
    pub(super) fn is_watched(&mut self, at: OffsetDateTime) {
        self.reads.push(at);
    }

    /// A record says what a restore has left on its service.
    pub(super) fn restore_settles(&mut self, step: &Step<'_>) {
        let Some(before) = step.before else { return };
        if before.kind() == "restore" && step.after.is_idle() && before.at("holds") != step.after.at("holds")
        {
            self.settled.insert(step.service, step.scene.now);
        }
    }

    /// Nothing is overwritten by itself that was changed while nobody watched.
    pub(super) fn overwrites_nothing_unwatched(
        &mut self,
        scene: &Scene<'_>,
        (call, service): (&Call, usize),
        tag: &str,
    ) {
        let Some(settled) =
            self.settled.get(&service).copied().filter(|_| call.deployed.live == Live::Profile)
        else {
            return;
        };
        // Azure may have ended it long before the record says so.
        let operations = scene.cloud.journal().operations();
        let restores = operations.iter().filter(|operation| {
            operation.service == SERVICES[service].0 && operation.kind == OperationKind::Restore
        });
        let (mut restored, mut ended_last) = (false, None);
        for restore in restores {
            restored |= restore.ended.is_none_or(|ended| ended > settled);
            ended_last = ended_last.max(restore.ended);
        }
        let left = ended_last.map_or(settled, |ended| ended.min(settled));
        let from = self.resumed_at.map_or(left, |resumed| resumed.max(left));
        // Where the settings said that the primary serves, what a restore left was what it held when that was seen.
        let counts =
            |edit: &&Edit| !edit.emptied && edit.at > from && (edit.at > settled || !edit.by_settings);
        let edits = self.edits_of(service).filter(counts).map(|edit| edit.at);
        let unwatched = edits.filter(|at| scene.now - *at > CROSSING).find(|at| {
            let before =
                self.reads.iter().filter(|read| *read <= at).max().map_or(from, |read| *read.max(&from));
            let after = self.reads.iter().filter(|read| *read > at).min().map_or(scene.now, |read| *read);
            after - before > BLIND
        });
        self.check(Invariant::Standby, unwatched.is_none() || restored, || {
            format!("{tag}, and it was changed at {unwatched:?}, when nobody knew who serves")
        });
    }
}
