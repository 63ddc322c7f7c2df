//! Taking the steps of a plan.

use std::sync::Arc;
use std::time::Duration as StdDuration;

use apim_dr_sim::content::Content;
use time::Duration;

use super::World;
use super::call::Trigger;
use super::content;
use super::invoke::Caller;
use super::sent::{BACKUPS, STATE, record_of};
use super::wire::sleep;
use crate::draws::Draws;
use crate::plan::{Blocked, Change, Choice, Outage, Route, SERVICES, Spoilt, Step, What};

impl World {
    pub(super) async fn take(self: &Arc<Self>, step: &Step) {
        let caller = Caller { step: step.number, instance: step.instance };
        self.settle().await;
        self.tally(|tally| *tally.steps.entry(step.what.name()).or_default() += 1);
        if step.what != What::Tick {
            self.note(|| format!("step {}: {:?}", step.number, step.what));
        }
        match step.what {
            What::Tick => self.call_soon(caller, Trigger::Tick),
            What::BackupByHand => self.call_soon(caller, Trigger::Timer("now")),
            What::ResumeByHand => self.call_soon(caller, Trigger::Timer("resume")),
            What::RestoreByHand(choice) => self.restore_by_hand(caller, choice),
            What::Event(choice) => self.repeat_event(caller, choice),
            What::Nonsense(number) => self.call_soon(caller, Trigger::Nonsense(nonsense(number))),
            What::Stranger(stranger) => self.strange(step.number, stranger).await,
            What::Lease(choice, minutes) => self.lease(choice, minutes).await,
            What::Spoil(service, how, minutes) => self.spoil(service, how, minutes).await,
            What::Edit(service) => self.edit(service, step.number),
            What::EditUnwatched(service, minutes) => self.edit_unwatched((service, step.number), minutes),
            What::Hollow(service) => self.hollow(service, step.number),
            What::Block(service, blocked, minutes) => self.block(service, blocked, minutes),
            What::Tier(service, minutes) => self.move_tier(service, minutes),
            What::Forget(service) => self.cloud.service(SERVICES[service].0).forget_results(),
            What::Free(service) => self.cloud.service(SERVICES[service].0).free(),
            What::Settings(change) => self.change_settings(change),
            What::Kill => self.kill(step.instance),
            What::Hasty => self.resume_in_haste(caller),
            What::Unseen => self.hide_an_end(step.number),
            What::Revoke => self.cloud.directory().revoke_all(),
            What::Outage(outage, how_long) => {
                let until = self.now() + how_long;
                self.state().outages.push((outage, until));
            }
            What::Route(route, minutes) => self.route(route, minutes),
            What::Line(line) => self.call_soon(caller, Trigger::Line(self.said(line))),
            What::Deny(service, minutes) => {
                let until = self.now() + Duration::minutes(minutes);
                self.state().denials.push((service, until));
            }
            What::DenyContent(service, minutes) => {
                let until = self.now() + Duration::minutes(minutes);
                self.state().content_denials.push((service, until));
            }
        }
    }

    fn restore_by_hand(self: &Arc<Self>, caller: Caller, choice: Choice) {
        let (container, blob) = self.chosen(choice);
        self.call_soon(caller, Trigger::ByHand(container, blob));
    }

    fn repeat_event(self: &Arc<Self>, caller: Caller, choice: Choice) {
        let (world, (_, blob)) = (Arc::clone(self), self.chosen(choice));
        tokio::spawn(async move { world.deliver_event(caller, &blob).await });
    }

    /// Which blob that is now, by container and name.
    pub(super) fn chosen(&self, choice: Choice) -> (String, String) {
        let primary = SERVICES[self.state().deployed.primary].0;
        let manifests = |prefix: &str| {
            let names = self.blobs.names(BACKUPS, prefix).into_iter();
            names.filter(|name| name.ends_with(".manifest.json")).collect::<Vec<_>>()
        };
        let missing = || format!("{primary}-20200101T000000Z.manifest.json");
        let newest = || manifests(&format!("{primary}-")).pop().unwrap_or_else(missing);
        let blob = match choice {
            Choice::Newest => newest(),
            Choice::Oldest => manifests("contoso-").into_iter().next().unwrap_or_else(missing),
            Choice::Any(number) => {
                let all = manifests("contoso-");
                let at = usize::try_from(number % all.len().max(1) as u64).unwrap_or_default();
                all.get(at).cloned().unwrap_or_else(missing)
            }
            Choice::BackupOfNewest => newest().replace(".manifest.json", ".apimbackup"),
            Choice::BackupUnderWay => format!("{}.apimbackup", self.under_way()),
            Choice::Record(service) => return (STATE.to_owned(), record_of(service)),
            Choice::Missing => missing(),
            Choice::Foreign => "reports/2026.manifest.json".to_owned(),
        };
        (BACKUPS.to_owned(), blob)
    }

    /// The name of the backup that the primary's record names as under way, else of the last one.
    pub(super) fn under_way(&self) -> String {
        let record = self.record(self.state().deployed.primary);
        let name = |field: &serde_json::Value| field.as_str().map(str::to_owned);
        name(&record["operation"]["name"]).or_else(|| name(&record["lastName"])).unwrap_or_default()
    }

    pub(super) fn record(&self, service: usize) -> serde_json::Value {
        let stored = self.blobs.peek(STATE, &record_of(service));
        stored.and_then(|stored| serde_json::from_slice(&stored.content).ok()).unwrap_or_default()
    }

    fn edit(&self, service: usize, number: u32) {
        self.change(service, |content| content::edit(content, number));
    }

    /// Somebody changes what a service holds, and the observer hears of it.
    pub(super) fn change(&self, service: usize, change: impl FnOnce(&mut Content)) {
        self.cloud.service(SERVICES[service].0).edit(change);
        self.observe(|observer, scene| observer.edited(scene, service));
    }

    fn edit_unwatched(self: &Arc<Self>, (service, number): (usize, u32), minutes: i64) {
        self.route(Route::ProfileOff, minutes);
        self.later(minutes / 2, move |world| world.edit(service, number));
    }

    /// An operation has ended that nobody has seen to end: the first time for each service, somebody sees to it that nobody
    /// does.
    fn hide_an_end(self: &Arc<Self>, number: u32) {
        let services: Vec<_> = self.state().deployed.services().collect();
        let hidden = self.state().hidden.clone();
        let service =
            services.into_iter().find(|service| !hidden.contains(service) && self.has_ended(*service));
        let Some(service) = service else { return };
        self.state().hidden.push(service);
        match self.record(service)["operation"]["kind"] == "restore" && number.is_multiple_of(2) {
            true => self.change_unseen(service, number),
            false => self.busy_between_looks(service),
        }
    }

    /// Azure has ended what the record still calls running.
    fn has_ended(&self, service: usize) -> bool {
        let operations = self.cloud.journal().operations();
        let last = operations.iter().rfind(|operation| operation.service == SERVICES[service].0);
        let is_running = self.record(service)["operation"]["phase"]["phase"] == "running";
        is_running && last.is_some_and(|last| last.ended.is_some())
    }

    /// It cannot be asked about and nobody can tell who serves, and somebody changes something there.
    fn change_unseen(self: &Arc<Self>, service: usize, number: u32) {
        let until = self.now() + Duration::minutes(45);
        self.state().denials.push((service, until));
        self.edit_unwatched((service, number), 30);
    }

    /// Azure forgets how it ended, and somebody else's change comes between two looks at the service.
    fn busy_between_looks(self: &Arc<Self>, service: usize) {
        self.cloud.service(SERVICES[service].0).forget_results();
        let tick = self.plan.setup.tick.whole_minutes();
        let world = Arc::clone(self);
        self.later(tick, move |_| world.block(service, Blocked::Updating, tick));
    }

    fn resume_in_haste(self: &Arc<Self>, caller: Caller) {
        let first = self.state().deployed.secondaries.first().copied();
        let Some(first) = first.filter(|first| self.record(*first)["holds"]["what"] == "unknown") else {
            return;
        };
        self.change_settings(Change::Swap);
        self.route(Route::First(first), 60);
        self.call_soon(caller, Trigger::Timer("resume"));
    }

    fn hollow(&self, service: usize, number: u32) {
        self.cloud.service(SERVICES[service].0).edit(|content| content::hollow(content, number));
        self.observe(|observer, scene| observer.emptied(scene, service));
    }

    pub(super) fn block(self: &Arc<Self>, service: usize, blocked: Blocked, minutes: i64) {
        let state = match blocked {
            Blocked::Updating => "Updating",
            Blocked::Activating => "Activating",
            Blocked::Failed => "Failed",
        };
        self.cloud.service(SERVICES[service].0).set_state(state);
        self.later(minutes, move |world| world.cloud.service(SERVICES[service].0).set_state("Succeeded"));
    }

    fn move_tier(self: &Arc<Self>, service: usize, minutes: i64) {
        let tier = if self.plan.setup.tier == "Premium" { "Standard" } else { "Premium" };
        self.set_tier(service, tier);
        self.later(minutes, move |world| world.set_tier(service, world.plan.setup.tier));
    }

    pub(super) fn set_tier(&self, service: usize, tier: &'static str) {
        self.cloud.service(SERVICES[service].0).set_tier(tier, 1);
        self.observe(|observer, scene| observer.moved_to_tier(scene, service, tier));
    }

    pub(super) fn change_settings(&self, change: Change) {
        let mut state = self.state();
        let next = state.deployed.after(change);
        state.deployed = Arc::new(next.clone());
        drop(state);
        self.note(|| format!("the settings are now {next:?}"));
        self.observe(|observer, scene| observer.deployed(scene, &next));
    }

    /// Spoils a record, and puts the same bytes back: nobody may have touched it meanwhile.
    async fn spoil(self: &Arc<Self>, service: usize, how: Spoilt, minutes: i64) {
        let path = record_of(service);
        let Some(stored) = self.blobs.peek(STATE, &path) else { return };
        let Some(spoilt) = spoilt(&stored.content, how) else { return };
        if self.state().spoilt.contains(&service) {
            return;
        }
        self.state().spoilt.push(service);
        if !self.put(STATE, &path, spoilt).await {
            self.state().spoilt.retain(|spoilt| *spoilt != service);
            return;
        }
        self.observe(|observer, scene| observer.spoilt(scene, service));
        let repaired = stored.content.to_vec();
        self.later_async(minutes, move |world| async move {
            world.repair(service, repaired).await;
        });
    }

    async fn repair(self: Arc<Self>, service: usize, bytes: Vec<u8>) {
        let path = record_of(service);
        self.observe(|observer, scene| observer.repairs(scene, service));
        while !self.put(STATE, &path, bytes.clone()).await {
            // A stranger's lease is in the way.
            sleep(StdDuration::from_secs(1)).await;
        }
        self.state().spoilt.retain(|spoilt| *spoilt != service);
        self.note(|| format!("{path} is as it was"));
    }

    /// Does something after so many minutes, or as soon as it is calm.
    pub(super) fn later(self: &Arc<Self>, minutes: i64, act: impl FnOnce(&Self) + Send + 'static) {
        self.later_async(minutes, |world| async move { act(&world) });
    }

    fn later_async<F>(self: &Arc<Self>, minutes: i64, act: impl FnOnce(Arc<Self>) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        let world = Arc::clone(self);
        let after = StdDuration::from_secs(60 * minutes.unsigned_abs());
        tokio::spawn(async move {
            // What began at the last moment must not miss that it is calm.
            if !world.is_calm() {
                tokio::select! {
                    biased;
                    () = world.calm_begins.notified() => {}
                    () = sleep(after) => {}
                }
            }
            // What has ended by now must not come over it afterwards.
            world.settle().await;
            act(world).await;
        });
    }

    async fn lease(self: &Arc<Self>, choice: Choice, minutes: i64) {
        let (container, blob) = self.chosen(choice);
        let client = self.storage_client();
        if client.acquire_lease(&container, &blob, LEASE).await.is_err() {
            return;
        }
        self.note(|| format!("a stranger leases {container}/{blob}"));
        self.later_async(minutes, move |world| async move {
            drop(world.storage_client().release_lease(&container, &blob, LEASE).await);
        });
    }
}

/// The id of the lease that strangers hold.
const LEASE: &str = "11111111-2222-4333-8444-555555555555";

fn spoilt(bytes: &[u8], how: Spoilt) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let spoilt = match how {
        Spoilt::Cut(thousandths) => {
            let end = usize::try_from(bytes.len() as u64 * thousandths / 1000).ok()?;
            bytes[..end].to_vec()
        }
        Spoilt::Flipped(number) => {
            // One of the characters that make it JSON.
            let marks: Vec<usize> = text.match_indices(['{', '}', ':']).map(|(at, _)| at).collect();
            let at = usize::try_from(number % marks.len().max(1) as u64).ok()?;
            let mut spoilt = bytes.to_vec();
            *spoilt.get_mut(*marks.get(at)?)? ^= 0x40;
            // Within a text it makes another record, and not one that cannot be parsed.
            serde_json::from_slice::<serde_json::Value>(&spoilt).err().map(|_| spoilt)?
        }
        Spoilt::Newer => text.replacen("\"version\": 1", "\"version\": 2", 1).into_bytes(),
        Spoilt::Foreign => text.replacen("/resourceGroups/", "/resourceGroups/moved-", 1).into_bytes(),
    };
    (spoilt != bytes).then_some(spoilt)
}

/// A body that no host sends.
fn nonsense(number: u64) -> Vec<u8> {
    let bodies: [&[u8]; 8] = [
        b"",
        b"null",
        b"[]",
        b"{\"Data\":{}",
        b"{\"Data\":{},\"Metadata\":{}}",
        b"{\"Metadata\":{\"sys\":{\"UtcNow\":\"yesterday\"}}}",
        b"{\"Metadata\":{\"sys\":{\"UtcNow\":\"2026-03-02T00:00:00Z\"},\"Uri\":5}}",
        b"\xff\xfe{\"Metadata\":1}",
    ];
    let mut draws = Draws::of(&[number]);
    draws.pick(&bodies).to_vec()
}

impl What {
    /// As the report names it.
    fn name(&self) -> &'static str {
        match self {
            Self::Tick => "tick",
            Self::BackupByHand => "backup by hand",
            Self::ResumeByHand => "resume by hand",
            Self::RestoreByHand(_) => "restore by hand",
            Self::Event(_) => "event repeated or foreign",
            Self::Nonsense(_) => "payload without sense",
            Self::Stranger(_) => "stranger in the container",
            Self::Lease(..) => "lease by a stranger",
            Self::Spoil(..) => "record spoilt",
            Self::Edit(_) => "service edited",
            Self::EditUnwatched(..) => "service edited unwatched",
            Self::Hollow(_) => "service hollow",
            Self::Block(..) => "service blocked",
            Self::Tier(..) => "service in another tier",
            Self::Forget(_) => "results forgotten",
            Self::Free(_) => "service freed",
            Self::Settings(_) => "settings changed",
            Self::Kill => "process killed",
            Self::Unseen => "end hidden",
            Self::Hasty => "resumed in haste",
            Self::Revoke => "tokens revoked",
            Self::Outage(Outage::Record(_), _) => "record out of reach",
            Self::Outage(..) => "outage",
            Self::Deny(..) => "polls and looks forbidden",
            Self::DenyContent(..) => "content forbidden",
            Self::Route(..) => "users led elsewhere",
            Self::Line(_) => "command line",
        }
    }
}
