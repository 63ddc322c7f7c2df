//! A profile in the hands of a test or a person.

use super::{Endpoint, Kind, Profile};
use crate::cloud::Cloud;

/// The Traffic Manager profile of a cloud, to look at and to change by hand. Endpoints go by the names of their
/// services.
#[derive(Clone)]
pub struct TrafficHandle {
    cloud: Cloud,
}

impl TrafficHandle {
    pub(crate) fn new(cloud: Cloud) -> Self {
        Self { cloud }
    }

    /// The resource id.
    pub fn id(&self) -> String {
        self.with(|profile| profile.id())
    }

    /// The monitor status of an endpoint now: `Online`, `Degraded`, `CheckingEndpoint`, ….
    pub fn status(&self, endpoint: &str) -> String {
        self.with(|profile| {
            let enabled = profile.enabled;
            found(profile, endpoint).monitor_status(enabled).to_owned()
        })
    }

    /// Takes an endpoint out, as a PATCH of its status does.
    pub fn disable(&self, endpoint: &str) {
        self.change(endpoint, |endpoint| endpoint.enabled = false);
    }

    /// Puts an endpoint in again: it is checked anew.
    pub fn enable(&self, endpoint: &str) {
        self.change(endpoint, |endpoint| endpoint.enabled = true);
    }

    /// Serves an endpoint without probing it, or probes it again; `None` as if it had never been set.
    pub fn set_always_serve(&self, endpoint: &str, always: Option<bool>) {
        self.change(endpoint, |endpoint| endpoint.always_serve = always);
    }

    /// Shows this monitor status whatever the probes find, and routes by it; `None` believes the probes again.
    pub fn force_status(&self, endpoint: &str, status: Option<&str>) {
        self.with(|profile| found(profile, endpoint).forced = status.map(str::to_owned));
    }

    /// Points an endpoint at another host; it is checked anew.
    pub fn set_target(&self, endpoint: &str, host: &str) {
        self.change(endpoint, |endpoint| host.clone_into(&mut endpoint.target));
    }

    /// Sets the priority of an endpoint. Traffic Manager would refuse one that another endpoint has; this does not.
    pub fn set_priority(&self, endpoint: &str, priority: u32) {
        self.with(|profile| found(profile, endpoint).priority = priority.into());
    }

    /// Adds an external endpoint that leads elsewhere.
    pub fn add_external(&self, name: &str, target: &str, priority: u32) {
        self.add(Endpoint::new((name, Kind::External), target, priority.into()));
    }

    /// Adds an endpoint that is another profile.
    pub fn add_nested(&self, name: &str, priority: u32) {
        let target = format!("{name}.trafficmanager.net");
        self.add(Endpoint::new((name, Kind::Nested), &target, priority.into()));
    }

    /// Removes an endpoint.
    pub fn remove(&self, endpoint: &str) {
        self.with(|profile| profile.endpoints.retain(|known| !known.name.eq_ignore_ascii_case(endpoint)));
    }

    /// Sets the routing method: `Priority`, `Weighted`, `Performance`, ….
    pub fn set_method(&self, method: &str) {
        self.with(|profile| method.clone_into(&mut profile.method));
    }

    /// Disables the profile: nobody is given out any more. Enabled again, all endpoints are checked anew.
    pub fn set_enabled(&self, enabled: bool) {
        let now = self.cloud.clock().now();
        self.with(|profile| {
            let probing = profile.probing;
            if enabled && !profile.enabled {
                profile.endpoints.iter_mut().for_each(|endpoint| endpoint.check_anew(now, probing));
            }
            profile.enabled = enabled;
        });
    }

    /// Changes an endpoint, which is then checked anew if it has to be.
    fn change(&self, endpoint: &str, change: impl FnOnce(&mut Endpoint)) {
        let now = self.cloud.clock().now();
        self.with(|profile| {
            let probing = profile.probing;
            let endpoint = found(profile, endpoint);
            let before = endpoint.clone();
            change(endpoint);
            if endpoint.has_to_be_checked_after(&before) {
                endpoint.check_anew(now, probing);
            }
        });
    }

    fn add(&self, mut endpoint: Endpoint) {
        let now = self.cloud.clock().now();
        self.with(|profile| {
            endpoint.check_anew(now, profile.probing);
            profile.endpoints.push(endpoint);
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut Profile) -> T) -> T {
        let acted = self.cloud.change_profile(act);
        acted.expect("a handle is given out for a cloud with a profile")
    }
}

fn found<'a>(profile: &'a mut Profile, name: &str) -> &'a mut Endpoint {
    profile.endpoint_mut(name).unwrap_or_else(|| panic!("no endpoint {name} in the simulated profile"))
}
