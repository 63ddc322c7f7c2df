//! The calm after the storm: faults stop, people put right what only people can, and from then on the clock
//! runs within which everything has to be well again.

use std::sync::Arc;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::World;
use super::call::{Said, Trigger};
use super::content;
use super::invoke::Caller;
use super::sent::BACKUPS;
use crate::draws::Draws;
use crate::observer::Wellness;
use crate::plan::{Live, SERVICES};

/// The deadlines of a backup and of a restore, together.
const DEADLINES: Duration = Duration::hours(10);

/// How long a person lets a restore wait before he asks for it himself.
const LONG: Duration = Duration::hours(3);

impl World {
    pub(super) async fn calm_down(self: &Arc<Self>) {
        self.settle().await;
        self.put_right();
        // Whoever waited to undo what he did does so now.
        self.calm_begins.notify_waiters();
        super::wire::sleep(std::time::Duration::from_secs(1)).await;
        let primary = self.state().deployed.primary;
        self.route_to(primary);
        let since = self.now();
        self.note(|| "it is calm from now on".to_owned());
        let until = since + self.plan.setup.rhythm.period * 2 + DEADLINES;
        let mut draws = Draws::of(&[self.plan.seed, 5]);
        let mut wellness = self.wellness(since);
        while wellness != Wellness::Well && self.now() < until && !self.is_violated() {
            self.fill_again();
            // A request that was on its way may have been taken since it is calm.
            SERVICES.iter().for_each(|(name, _)| self.cloud.service(name).free_if_endless());
            self.chance_to_resume(&mut draws).await;
            self.chance_to_unpin(&mut draws).await;
            let instance = draws.index(self.plan.setup.skews.len());
            self.call(Caller { step: CALM, instance }, Trigger::Tick).await;
            self.chance_to_vouch(&mut draws).await;
            super::wire::sleep(self.calm_tick().unsigned_abs()).await;
            self.settle().await;
            wellness = self.wellness(since);
        }
        self.observe(|observer, scene| observer.finally(scene, &wellness));
    }

    /// There is not much to see until a backup is due: it is waited for at longer steps.
    fn calm_tick(&self) -> Duration {
        let rare = self.plan.setup.rhythm.period > Duration::hours(2);
        self.plan.setup.tick.max(Duration::minutes(if rare { 15 } else { 5 }))
    }

    fn put_right(&self) {
        let mut state = self.state();
        state.calm = true;
        state.outages.clear();
        state.denials.clear();
        state.content_denials.clear();
        let mut deployed = (*state.deployed).clone();
        deployed.version += 1;
        deployed.dry_run = false;
        if deployed.live == Live::Unset {
            deployed.live = Live::Profile;
        }
        let primary = deployed.primary;
        state.deployed = Arc::new(deployed.clone());
        let stuck = std::mem::take(&mut state.stuck);
        drop(state);
        self.observe(|observer, scene| observer.deployed(scene, &deployed));
        stuck.into_iter().for_each(|service| self.cloud.service(SERVICES[service].0).free());
        for (service, (name, _)) in SERVICES.iter().enumerate() {
            self.cloud.service(name).set_state("Succeeded");
            self.set_tier(service, self.plan.setup.tier);
        }
        self.fill(primary);
    }

    fn fill(&self, service: usize) {
        self.change(service, content::fill);
    }

    /// What somebody asked for before the calm may still bring the backup of a nearly empty service into the primary: he
    /// sees that, and puts it right. Until then each of its backups is suspicious, as it should be.
    fn fill_again(&self) {
        let primary = self.state().deployed.primary;
        if content::is_hollow(&self.cloud.service(SERVICES[primary].0).content()) {
            self.fill(primary);
        }
    }

    /// A failover is over when somebody says so, and nothing else ends it.
    async fn chance_to_resume(self: &Arc<Self>, draws: &mut Draws) {
        let primary = self.state().deployed.primary;
        let record = self.record(primary);
        if record["failedOver"].is_null() {
            return;
        }
        let instance = draws.index(self.plan.setup.skews.len());
        let said = Said::Resume { even_if_unknown: record["holds"]["what"] == "unknown" };
        self.call(Caller { step: CALM, instance }, Trigger::Line(said)).await;
    }

    /// A pin ends when somebody chooses the newest backup by hand, and nothing else ends it.
    async fn chance_to_unpin(self: &Arc<Self>, draws: &mut Draws) {
        let deployed = Arc::clone(&self.state().deployed);
        let pinned = |service: &usize| !self.record(*service)["pin"].is_null();
        if !deployed.secondaries.iter().any(pinned) {
            return;
        }
        let newest = self.newest_accepted(deployed.primary);
        let Some(name) = newest else { return };
        let blob = format!("{name}.manifest.json");
        if self.blobs.peek(BACKUPS, &blob).is_some() {
            let instance = draws.index(self.plan.setup.skews.len());
            let caller = Caller { step: CALM, instance };
            self.call(caller, Trigger::ByHand(BACKUPS.to_owned(), blob)).await;
        }
    }

    /// Content that may be somebody else's, or that of users, is overwritten when somebody says so, and not before. He
    /// looks right after a tick: until the next one an event may have told of a newer reason to wait. Where it has waited for
    /// hours, be it for the others' turns, he does not wait to be asked.
    async fn chance_to_vouch(self: &Arc<Self>, draws: &mut Draws) {
        let deployed = Arc::clone(&self.state().deployed);
        let waits = |service: &usize| {
            let record = self.record(*service);
            let deferred = &record["restoreWish"]["deferred"];
            let reason = deferred["reason"].as_str().unwrap_or_default();
            let since =
                deferred["since"].as_str().and_then(|since| OffsetDateTime::parse(since, &Rfc3339).ok());
            let for_hours =
                since.is_some_and(|since| self.now() - since > LONG) && record["restoreWish"]["by"] != "hand";
            reason.contains("restore a backup by hand") || for_hours
        };
        let newest = self.newest_accepted(deployed.primary);
        let (Some(name), true) = (newest, deployed.secondaries.iter().any(waits)) else { return };
        let instance = draws.index(self.plan.setup.skews.len());
        let blob = format!("{name}.manifest.json");
        self.call(Caller { step: CALM, instance }, Trigger::ByHand(BACKUPS.to_owned(), blob)).await;
    }

    /// The newest backup that the record accepts.
    fn newest_accepted(&self, service: usize) -> Option<String> {
        let record = self.record(service);
        let backups = record["backups"].as_array()?;
        let accepted = backups.iter().filter(|backup| backup["accepted"] == true);
        let name = |backup: &serde_json::Value| backup["name"].as_str().map(str::to_owned);
        accepted.filter_map(name).max()
    }

    /// Whether there is a backup that began since, and every secondary holds one that did.
    fn wellness(&self, since: OffsetDateTime) -> Wellness {
        let deployed = Arc::clone(&self.state().deployed);
        let rare_ticks = self.calm_tick() >= Duration::minutes(15);
        Wellness::of(&self.cloud, &deployed, |service| self.record(service), (since, rare_ticks))
    }
}

/// The step that calls of the calm belong to.
const CALM: u32 = u32::MAX;
