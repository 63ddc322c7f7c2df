//! The simulated cloud: services, storage accounts, operations, and the knobs on them.

mod buckets;
mod builder;
mod exchange;
mod handle;
mod operation;
mod resource;
mod rights;
mod run;
mod service;
mod storage;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::Duration;

use crate::arm::Lists;
use crate::clock::Clock;
use crate::content::{Comparison, compare};
use crate::ids::Ids;
use crate::journal::Journal;
use crate::knobs::{Fault, Faults, Request};
use crate::tokens::{Directory, Principal};
use crate::traffic::{Profile, Traffic, TrafficHandle};

use buckets::Buckets;
use rights::Rights;

pub(crate) use buckets::{Counted, Remaining, Throttled};
pub use builder::CloudBuilder;
pub(crate) use exchange::{ErrorCode, distorted};
pub use handle::{CANCELLED, ServiceHandle};
pub(crate) use operation::{Operation, Order, Place};
pub(crate) use rights::Object;
pub use rights::{Denial, Role};
pub(crate) use run::{Found, NotAccepted};
pub(crate) use service::SUBSCRIPTION;
pub(crate) use service::Service;
pub use service::{Hostname, IdCase, LineEnds, ServiceSpec};
pub(crate) use storage::Access;
pub use storage::{CorsRule, StorageAccount, StorageSettings};

/// A handle on the simulated cloud. Clones share it.
#[derive(Clone)]
pub struct Cloud(Arc<Inner>);

struct Inner {
    clock: Clock,
    ids: Ids,
    journal: Journal,
    directory: Directory,
    arm_endpoint: String,
    locks: bool,
    throttles: bool,
    state: Mutex<State>,
    /// Held while operations are completed, so that two requests do not complete one twice.
    settling: tokio::sync::Mutex<()>,
}

struct State {
    services: Vec<Service>,
    operations: Vec<Operation>,
    accounts: Vec<StorageAccount>,
    faults: Faults,
    rights: Rights,
    groups: Vec<(String, String)>,
    backup_lasts: Duration,
    restore_lasts: Duration,
    latency: std::time::Duration,
    buckets: Buckets,
    page_size: usize,
    shuffled: Option<u64>,
    traffic: Traffic,
}

impl Cloud {
    /// Begins to build a cloud that lives by `clock`.
    pub fn builder(clock: Clock) -> CloudBuilder {
        CloudBuilder::new(clock)
    }

    /// Resource Manager and Entra in one: served over TLS, or called in the same process.
    pub fn router(&self) -> axum::Router {
        crate::arm::router(self.clone())
    }

    /// The managed identity endpoint of the function app, served over plain HTTP.
    pub fn identity_router(&self) -> axum::Router {
        crate::tokens::identity_router(self.clone())
    }

    /// The cloud's clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// What happened so far.
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// Who may ask for tokens.
    pub fn directory(&self) -> &Directory {
        &self.0.directory
    }

    /// Where Resource Manager is served.
    pub fn arm_endpoint(&self) -> &str {
        &self.0.arm_endpoint
    }

    /// One service, by its name or resource id.
    ///
    /// # Panics
    ///
    /// If there is no such service: the caller made it, so the name is misspelled.
    pub fn service(&self, name_or_id: &str) -> ServiceHandle {
        let state = self.state();
        let found = state.services.iter().position(|service| service.is(name_or_id));
        let index = found.unwrap_or_else(|| panic!("no service {name_or_id} in the simulated cloud"));
        ServiceHandle::new(self.clone(), index)
    }

    /// The resource ids of all services, in the order in which they were added.
    pub fn service_ids(&self) -> Vec<String> {
        self.state().services.iter().map(|service| service.id.clone()).collect()
    }

    /// The resource id of a storage account, by its name; `None` if there is none of that name.
    pub fn storage_account_id(&self, name: &str) -> Option<String> {
        self.account(name).map(|account| account.id())
    }

    /// How the content of two services differs, of what a backup carries.
    pub fn differences(&self, first: &str, second: &str) -> Comparison {
        compare(&self.service(first).content(), &self.service(second).content())
    }

    /// How long backups and restores take that are accepted from now on. Recorded for an empty service: 11
    /// and 19 minutes, which is what they take to begin with.
    pub fn set_durations(&self, backup: Duration, restore: Duration) {
        let mut state = self.state();
        (state.backup_lasts, state.restore_lasts) = (backup, restore);
    }

    /// How many entries a list has at most from now on before it goes on at its `nextLink`.
    pub fn set_page_size(&self, page_size: usize) {
        self.state().page_size = page_size.max(1);
    }

    /// Puts the entries of every list in an order drawn from `seed` from now on; without one they are ordered by
    /// their paths. Azure promises no order.
    pub fn shuffle_lists(&self, seed: Option<u64>) {
        self.state().shuffled = seed;
    }

    /// How long every request to Resource Manager and Entra is under way from now on, by the runtime's time;
    /// nothing to begin with.
    pub fn set_latency(&self, latency: std::time::Duration) {
        self.state().latency = latency;
    }

    /// The Traffic Manager profile.
    ///
    /// # Panics
    ///
    /// If the cloud was built without one.
    pub fn traffic_manager(&self) -> TrafficHandle {
        assert!(self.profile_id().is_some(), "the simulated cloud was built without Traffic Manager");
        TrafficHandle::new(self.clone())
    }

    /// The resource id of the Traffic Manager profile, if there is one.
    pub fn profile_id(&self) -> Option<String> {
        self.state().traffic.profile.as_ref().map(Profile::id)
    }

    /// Who really answers users now, by name: the truth, which no caller of Azure can read. It follows DNS with the
    /// delay that its answers are kept for. Without Traffic Manager users go to the first service. When it changed is
    /// in [`Journal::served`].
    pub fn serving(&self) -> Vec<String> {
        self.advance_traffic();
        self.state().traffic.serving()
    }

    /// Queues a fault for the next request of this kind, on whatever service.
    pub fn next(&self, request: Request, fault: Fault) {
        self.state().faults.plan(request, None, fault);
    }

    /// Takes all queued faults back.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// How many faults still wait for their requests.
    pub fn faults_left(&self) -> usize {
        self.state().faults.len()
    }

    /// Denies something to callers of Resource Manager: 403 `AuthorizationFailed`.
    pub fn deny(&self, denial: Denial) {
        self.state().rights.deny(denial);
    }

    /// Takes all denials and roles back.
    pub fn allow_all(&self) {
        self.state().rights.allow_all();
    }

    /// Gives somebody a role. From then on they may do what their roles allow and nothing else.
    pub fn assign(&self, who: &Principal, role: Role) {
        self.state().rights.assign(who, role);
    }

    /// Places a resource group in a region; those that nobody placed are in North Europe. What is in a group may be
    /// elsewhere.
    pub fn set_group_location(&self, group: &str, location: &str) {
        self.state().groups.insert(0, (group.to_owned(), location.to_owned()));
    }

    /// Changes a storage account, by its name, as the portal would.
    ///
    /// # Panics
    ///
    /// If there is no such account.
    pub fn configure_storage(&self, name: &str, change: impl FnOnce(&mut StorageSettings)) {
        let mut state = self.state();
        let found = state.accounts.iter_mut().find(|account| account.name().eq_ignore_ascii_case(name));
        change(
            found
                .unwrap_or_else(|| panic!("no storage account {name} in the simulated cloud"))
                .settings_mut(),
        );
    }

    /// Takes the role on every storage account away from an identity: backups and restores that use it fail.
    pub fn deny_storage(&self, identity: &Principal) {
        self.state().accounts.iter_mut().for_each(|account| account.deny(&identity.object_id));
    }

    /// Gives the role back.
    pub fn allow_storage(&self, identity: &Principal) {
        self.state().accounts.iter_mut().for_each(|account| account.allow(&identity.object_id));
    }

    pub(crate) fn ids(&self) -> &Ids {
        &self.0.ids
    }

    pub(crate) fn latency(&self) -> std::time::Duration {
        self.state().latency
    }

    pub(crate) fn lists(&self) -> Lists {
        let state = self.state();
        let arm_endpoint = self.0.arm_endpoint.clone();
        Lists { arm_endpoint, page_size: state.page_size, shuffled: state.shuffled }
    }

    pub(crate) fn allows(&self, who: &Principal, action: &str, on: Object<'_>) -> bool {
        self.state().rights.allow(who, action, on)
    }

    pub(crate) fn permissions(&self, who: &Principal, on: Object<'_>) -> Vec<serde_json::Value> {
        self.state().rights.permissions(who, on)
    }

    /// The name as it was written and the region of a resource group that something of this cloud is in.
    pub(crate) fn group(&self, name: &str) -> Option<(String, String)> {
        let state = self.state();
        let services = state.services.iter().map(|service| service.spec.resource_group.as_str());
        let accounts = state.accounts.iter().map(StorageAccount::resource_group);
        let profile = state.traffic.profile.iter().map(|profile| profile.resource_group.as_str());
        let named = state.groups.iter().map(|(group, _)| group.as_str());
        let mut all = services.chain(accounts).chain(profile).chain(named);
        let group = all.find(|group| group.eq_ignore_ascii_case(name))?.to_owned();
        let placed = state.groups.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        Some((group, placed.map_or("northeurope", |(_, location)| location).to_owned()))
    }

    /// Counts one request of `who` to `subscription`, unless too many came before it.
    pub(crate) fn count(
        &self,
        who: &Principal,
        subscription: &str,
        counted: Counted,
    ) -> Result<Remaining, Throttled> {
        if !self.0.throttles {
            return Ok(Remaining::of_full(counted));
        }
        let now = self.clock().now();
        self.state().buckets.take((&who.object_id, subscription), counted, now)
    }

    /// The key of a storage account and its resource group.
    pub(crate) fn account(&self, name: &str) -> Option<StorageAccount> {
        self.state().accounts.iter().find(|account| account.name().eq_ignore_ascii_case(name)).cloned()
    }

    /// Reads a service by its resource id.
    pub(crate) fn read<T>(&self, id: &str, read: impl FnOnce(&Service, bool) -> T) -> Option<T> {
        let state = self.state();
        let service = state.services.iter().find(|service| service.id.eq_ignore_ascii_case(id))?;
        Some(read(service, state.is_busy(&service.id)))
    }

    /// Makes up for all that Traffic Manager did until now.
    pub(crate) fn advance_traffic(&self) {
        let now = self.clock().now();
        let mut state = self.state();
        let State { traffic, services, .. } = &mut *state;
        traffic.advance(services, now).into_iter().for_each(|served| self.journal().serve(served));
    }

    /// Changes the Traffic Manager profile, if there is one, as of now.
    pub(crate) fn change_profile<T>(&self, change: impl FnOnce(&mut Profile) -> T) -> Option<T> {
        self.advance_traffic();
        let changed = self.state().traffic.profile.as_mut().map(change);
        self.advance_traffic();
        changed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether an operation runs on the service of this id.
    fn is_busy(&self, id: &str) -> bool {
        self.operations.iter().any(|operation| operation.service == id && operation.is_running())
    }
}
