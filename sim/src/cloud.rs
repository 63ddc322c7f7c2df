//! The simulated cloud: services, storage accounts, operations, and the knobs on them.

mod buckets;
mod exchange;
mod operation;
mod run;
mod service;
mod storage;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::Duration;

use crate::clock::Clock;
use crate::content::{Comparison, Content, compare};
use crate::ids::Ids;
use crate::journal::Journal;
use crate::knobs::{Fault, Faults, Request};
use crate::tokens::{Directory, Principal};

use buckets::Buckets;

pub(crate) use buckets::{Counted, Remaining, Throttled};
pub(crate) use exchange::ErrorCode;
pub(crate) use operation::{Operation, Order, Place};
pub(crate) use run::{Found, NotAccepted};
pub(crate) use service::Service;
pub use service::ServiceSpec;
pub(crate) use storage::Access;
pub use storage::StorageAccount;

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
    page_size: usize,
    state: Mutex<State>,
    /// Held while operations are completed, so that two requests do not complete one twice.
    settling: tokio::sync::Mutex<()>,
}

struct State {
    services: Vec<Service>,
    operations: Vec<Operation>,
    accounts: Vec<StorageAccount>,
    faults: Faults,
    denials: Vec<Denial>,
    backup_lasts: Duration,
    restore_lasts: Duration,
    latency: std::time::Duration,
    buckets: Buckets,
}

/// Something that a caller may not do, for [`Cloud::deny`].
#[derive(Clone, Debug)]
pub struct Denial {
    action: String,
    who: Option<String>,
    service: Option<String>,
}

impl Denial {
    /// Nobody may do `action`, for example `Microsoft.ApiManagement/service/operationresults/read`. A `*` at
    /// the end stands for the rest.
    pub fn of(action: &str) -> Self {
        Self { action: action.to_lowercase(), who: None, service: None }
    }

    /// Only this principal may not.
    pub fn to(self, principal: &Principal) -> Self {
        Self { who: Some(principal.object_id.clone()), ..self }
    }

    /// Only on this service, by its name.
    pub fn on(self, service: &str) -> Self {
        Self { service: Some(service.to_lowercase()), ..self }
    }

    fn covers(&self, who: &Principal, action: &str, service: Option<&str>) -> bool {
        let action = action.to_lowercase();
        let of_action = match self.action.strip_suffix('*') {
            Some(prefix) => action.starts_with(prefix),
            None => action == self.action,
        };
        let of_caller = self.who.as_ref().is_none_or(|denied| *denied == who.object_id);
        let of_service = self
            .service
            .as_ref()
            .is_none_or(|denied| service.is_some_and(|name| name.eq_ignore_ascii_case(denied)));
        of_action && of_caller && of_service
    }
}

/// Puts a [`Cloud`] together.
pub struct CloudBuilder {
    clock: Clock,
    seed: u64,
    arm_endpoint: String,
    identity_header: Option<String>,
    locks: bool,
    throttles: bool,
    page_size: usize,
    services: Vec<ServiceSpec>,
    accounts: Vec<StorageAccount>,
}

impl CloudBuilder {
    /// Where Resource Manager is served, without a slash at the end: the beginning of every `Location` and
    /// `nextLink`, and the audience of its tokens.
    pub fn arm_endpoint(self, url: &str) -> Self {
        Self { arm_endpoint: url.trim_end_matches('/').to_owned(), ..self }
    }

    /// What the managed identity endpoint wants in `X-IDENTITY-HEADER`; drawn from the seed if not given.
    pub fn identity_header(self, secret: &str) -> Self {
        Self { identity_header: Some(secret.to_owned()), ..self }
    }

    /// The seed of all ids. Two clouds of one seed that are asked the same answer the same.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Adds a service.
    pub fn service(mut self, service: ServiceSpec) -> Self {
        self.services.push(service);
        self
    }

    /// Adds a storage account that services can be told to use.
    pub fn storage(mut self, account: StorageAccount) -> Self {
        self.accounts.push(account);
        self
    }

    /// Accepts an operation although another one runs. Azure's `ServiceLocked` was seen on other calls than
    /// backup and restore: a careful caller does not count on it, and [`Journal::overlaps`] tells.
    pub fn without_lock(self) -> Self {
        Self { locks: false, ..self }
    }

    /// Lets everybody ask as much as they like. For tests whose clock stands still while they ask: a token
    /// bucket fills by the cloud's clock.
    pub fn without_throttling(self) -> Self {
        Self { throttles: false, ..self }
    }

    /// How many entries a list has at most before it goes on at its `nextLink`; 100 to begin with.
    pub fn page_size(self, page_size: usize) -> Self {
        Self { page_size, ..self }
    }

    /// Builds the cloud.
    pub fn build(self) -> Cloud {
        let (ids, journal) = (Ids::new(self.seed), Journal::default());
        let header = self.identity_header.unwrap_or_else(|| ids.guid());
        let directory = Directory::new(self.clock.clone(), ids.clone(), header);
        directory.add_audience(&self.arm_endpoint);
        let now = self.clock.now();
        let state = State {
            services: self.services.into_iter().map(|spec| Service::new(spec, now)).collect(),
            operations: Vec::new(),
            accounts: self.accounts,
            faults: Faults::default(),
            denials: Vec::new(),
            backup_lasts: Duration::minutes(11),
            restore_lasts: Duration::minutes(19),
            latency: std::time::Duration::ZERO,
            buckets: Buckets::default(),
        };
        Cloud(Arc::new(Inner {
            clock: self.clock,
            ids,
            journal,
            directory,
            arm_endpoint: self.arm_endpoint,
            locks: self.locks,
            throttles: self.throttles,
            page_size: self.page_size,
            state: Mutex::new(state),
            settling: tokio::sync::Mutex::new(()),
        }))
    }
}

impl Cloud {
    /// Begins to build a cloud that lives by `clock`.
    pub fn builder(clock: Clock) -> CloudBuilder {
        CloudBuilder {
            clock,
            seed: 1,
            arm_endpoint: "https://management.azure.com".to_owned(),
            identity_header: None,
            locks: true,
            throttles: true,
            page_size: 100,
            services: Vec::new(),
            accounts: Vec::new(),
        }
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
        ServiceHandle { cloud: self.clone(), index }
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

    /// How long every request to Resource Manager and Entra is under way from now on, by the runtime's time;
    /// nothing to begin with.
    pub fn set_latency(&self, latency: std::time::Duration) {
        self.state().latency = latency;
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
        self.state().denials.push(denial);
    }

    /// Takes all denials back.
    pub fn allow_all(&self) {
        self.state().denials.clear();
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

    pub(crate) fn page_size(&self) -> usize {
        self.0.page_size
    }

    pub(crate) fn is_denied(&self, who: &Principal, action: &str, service: Option<&str>) -> bool {
        self.state().denials.iter().any(|denial| denial.covers(who, action, service))
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

/// One service of a cloud, to look at and to change by hand.
#[derive(Clone)]
pub struct ServiceHandle {
    cloud: Cloud,
    index: usize,
}

impl ServiceHandle {
    /// The resource id.
    pub fn id(&self) -> String {
        self.with(|service| service.id.clone())
    }

    /// The name.
    pub fn name(&self) -> String {
        self.with(|service| service.spec.name.clone())
    }

    /// A copy of what the service holds now.
    pub fn content(&self) -> Content {
        self.with(|service| service.content.clone())
    }

    /// Changes the content by hand, as somebody in the portal would.
    pub fn edit(&self, change: impl FnOnce(&mut Content)) {
        self.with(|service| {
            change(&mut service.content);
            service.changes += 1;
        });
    }

    /// Replaces the policy at `scope`: empty for all APIs, `apis/orders`, `products/partner`, ….
    pub fn set_policy(&self, scope: &str, policy: &str) {
        let path = format!("{scope}/policies/policy");
        self.edit(|content| content.put(path.trim_start_matches('/'), serde_json::json!({"value": policy})));
    }

    /// Deletes an entity with everything below it, for example `apis/orders`.
    pub fn remove(&self, path: &str) {
        self.edit(|content| {
            content.remove(path);
        });
    }

    /// The system-assigned identity.
    pub fn identity(&self) -> Option<Principal> {
        self.with(|service| service.identity())
    }

    /// The provisioning state as Resource Manager shows it now.
    pub fn state(&self) -> String {
        let id = self.id();
        self.cloud.read(&id, |service, busy| service.shown_state(busy).to_owned()).unwrap_or_default()
    }

    /// Sets the provisioning state, for example `Updating` when somebody else changes the service.
    pub fn set_state(&self, state: &str) {
        self.with(|service| state.clone_into(&mut service.state));
    }

    /// Moves the service to another tier.
    pub fn set_tier(&self, tier: &str, capacity: u32) {
        self.with(|service| {
            tier.clone_into(&mut service.spec.tier);
            service.spec.capacity = capacity;
        });
    }

    /// Queues a fault for the next request of this kind on this service.
    pub fn next(&self, request: Request, fault: Fault) {
        let name = self.name();
        self.cloud.state().faults.plan(request, Some(&name), fault);
    }

    /// Makes every result URL of this service answer 404 from now on.
    pub fn forget_results(&self) {
        let id = self.id();
        let mut state = self.cloud.state();
        let own = state.operations.iter_mut().filter(|operation| operation.service == id);
        own.for_each(|operation| operation.order.course.forgotten = true);
    }

    /// Frees a service whose operation never ends, as only Azure's support can: the operation ends now, as a
    /// failure.
    pub fn free(&self) {
        let id = self.id();
        let now = self.cloud.clock().now();
        let mut state = self.cloud.state();
        let stuck =
            state.operations.iter_mut().filter(|operation| operation.service == id && operation.is_running());
        for operation in stuck {
            let word = operation.order.kind.word();
            operation.order.course.fails =
                Some((format!("{word}Failed"), "The operation was cancelled.".to_owned()));
            operation.ends = Some(now);
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Service) -> T) -> T {
        act(&mut self.cloud.state().services[self.index])
    }
}

impl Service {
    /// What Resource Manager shows as provisioning state, given whether an operation runs.
    pub(crate) fn shown_state(&self, busy: bool) -> &str {
        if busy { "Updating" } else { &self.state }
    }
}
