//! A service in the hands of a test or a person.

use time::OffsetDateTime;

use super::operation::Operation;
use super::{Cloud, IdCase, LineEnds, Service, ServiceSpec};
use crate::clock::Clock;
use crate::content::Content;
use crate::knobs::{Fault, Request};
use crate::tokens::Principal;

/// What an operation says that Azure's support ended.
pub const CANCELLED: &str = "The operation was cancelled.";

/// One service of a cloud, to look at and to change by hand.
#[derive(Clone)]
pub struct ServiceHandle {
    cloud: Cloud,
    index: usize,
}

impl ServiceHandle {
    pub(super) fn new(cloud: Cloud, index: usize) -> Self {
        Self { cloud, index }
    }

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

    /// Changes what the service is, as a template or the portal would: hostnames, network, tier, identity. Its name,
    /// its place and what it holds stay.
    pub fn configure(&self, change: impl FnOnce(ServiceSpec) -> ServiceSpec) {
        self.with(|service| service.configure(change));
    }

    /// Takes the gateway down: it answers neither users nor probes. Resource Manager goes on.
    pub fn gateway_down(&self) {
        self.switch_gateway(false);
    }

    /// Brings the gateway up again.
    pub fn gateway_up(&self) {
        self.switch_gateway(true);
    }

    /// Whether the gateway answers.
    pub fn is_gateway_up(&self) -> bool {
        self.with(|service| service.gateway_up)
    }

    pub(crate) fn clock(&self) -> &Clock {
        self.cloud.clock()
    }

    /// Shows this URL as the gateway's.
    pub(crate) fn set_gateway_url(&self, url: &str) {
        self.with(|service| service.gateway_url = Some(url.to_owned()));
    }

    /// The custom hostnames of the gateway, and when their certificates expire if that was said.
    pub(crate) fn hostnames(&self) -> Vec<(String, Option<OffsetDateTime>)> {
        let of_gateway = |service: &mut Service| {
            let hostnames = service.spec.hostnames.iter().filter(|hostname| hostname.kind == "Proxy");
            hostnames.map(|hostname| (hostname.name.clone(), hostname.expiry)).collect()
        };
        self.with(of_gateway)
    }

    /// Says when the certificate of a custom hostname expires.
    pub(crate) fn set_expiry(&self, hostname: &str, expiry: OffsetDateTime) {
        self.with(|service| {
            let known = service.spec.hostnames.iter_mut();
            let named = known.filter(|known| known.name.eq_ignore_ascii_case(hostname));
            named.for_each(|known| known.expiry = Some(expiry));
        });
    }

    fn switch_gateway(&self, up: bool) {
        self.cloud.advance_traffic();
        self.with(|service| service.gateway_up = up);
        self.cloud.advance_traffic();
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

    /// Answers requests for this collection (`gateways`, `workspaces`) as a tier that does not have it does, from
    /// now on: 400 `MethodNotAllowedInPricingTier`. For which collections which tiers do so is known in part only.
    pub fn refuse_collection(&self, name: &str) {
        self.with(|service| service.spec.refused.push(name.to_lowercase()));
    }

    /// Writes the ids of what it holds in these letters from now on.
    pub fn set_id_case(&self, id_case: IdCase) {
        self.with(|service| service.spec.id_case = id_case);
    }

    /// Hands out policies with these line ends from now on.
    pub fn set_line_ends(&self, line_ends: LineEnds) {
        self.with(|service| service.spec.line_ends = line_ends);
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
        self.cancel(|_| true);
    }

    /// Frees the service if its operation never ends, and leaves alone one that does.
    pub fn free_if_endless(&self) {
        self.cancel(|operation| operation.order.course.never_ends);
    }

    fn cancel(&self, wanted: impl Fn(&Operation) -> bool) {
        let id = self.id();
        let now = self.cloud.clock().now();
        let mut state = self.cloud.state();
        let running =
            state.operations.iter_mut().filter(|operation| operation.service == id && operation.is_running());
        for operation in running.filter(|operation| wanted(operation)) {
            let word = operation.order.kind.word();
            operation.order.course.fails = Some((format!("{word}Failed"), CANCELLED.to_owned()));
            operation.ends = Some(now);
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Service) -> T) -> T {
        act(&mut self.cloud.state().services[self.index])
    }
}
