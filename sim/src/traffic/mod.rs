//! Traffic Manager: who answers users, by probes and by DNS, in simulated time.
//!
//! Nothing here runs by itself either: whenever somebody asks, the probes that were due until then are made up for,
//! in their order, with the gateways as they were at each of them. Times and words follow Microsoft's article on
//! endpoint monitoring.

mod dns;
mod endpoint;
mod handle;
mod probing;
mod profile;

use time::OffsetDateTime;

use crate::cloud::Service;

use dns::Answers;
pub use dns::Served;
pub(crate) use endpoint::{Endpoint, Kind};
pub use handle::TrafficHandle;
pub(crate) use profile::Profile;

/// What a Traffic Manager profile is to be: in priority mode, an external endpoint for each service, in their order.
#[derive(Clone, Debug)]
pub struct ProfileSpec {
    name: String,
    resource_group: String,
    regional: bool,
    ttl: i64,
    interval: i64,
    timeout: i64,
    tolerated: u32,
}

impl ProfileSpec {
    /// A profile of this name, as the portal would make it: probes every 30 s, 10 s to answer, three failures
    /// tolerated, DNS answers good for 60 s.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            resource_group: "contoso-traffic".to_owned(),
            regional: false,
            ttl: 60,
            interval: 30,
            timeout: 10,
            tolerated: 3,
        }
    }

    /// Places it in another resource group.
    pub fn resource_group(self, name: &str) -> Self {
        Self { resource_group: name.to_owned(), ..self }
    }

    /// Has the services' regional hosts as targets, in place of their default ones.
    pub fn regional(self) -> Self {
        Self { regional: true, ..self }
    }

    /// How long resolvers and clients keep an answer, in seconds.
    pub fn ttl(self, seconds: u32) -> Self {
        Self { ttl: seconds.into(), ..self }
    }

    /// Probes so often (30 or 10 s), waits so long for an answer, and tolerates so many failures.
    pub fn probing(self, interval: u32, timeout: u32, tolerated: u32) -> Self {
        Self { interval: interval.into(), timeout: timeout.into(), tolerated, ..self }
    }
}

/// The traffic of a cloud: a profile, if there is one, and where users are.
#[derive(Debug)]
pub(crate) struct Traffic {
    pub(crate) profile: Option<Profile>,
    answers: Answers,
}

impl Traffic {
    /// The traffic as it is when everything has been up for long.
    pub(crate) fn new(spec: Option<&ProfileSpec>, services: &[Service], now: OffsetDateTime) -> Self {
        let profile = spec.map(|spec| Profile::new(spec, services, now));
        Self { profile, answers: Answers::default() }
    }

    /// Makes up for everything that happened until `now`, and tells each change of who answers users. To be called
    /// before a gateway or the profile changes, and after.
    pub(crate) fn advance(&mut self, services: &[Service], now: OffsetDateTime) -> Vec<Served> {
        let mut changes = Vec::new();
        loop {
            let probe = self.profile.as_mut().and_then(|profile| profile.next_event(services, now));
            let expiry = self.answers.next_expiry().filter(|at| *at <= now);
            let Some(at) = probe.into_iter().chain(expiry).min() else { break };
            if probe == Some(at) {
                self.profile.iter_mut().for_each(|profile| profile.happen(services, at));
            }
            changes.extend(self.look(services, at));
        }
        changes.extend(self.look(services, now));
        changes
    }

    /// Who answers users at `at`, if that is not who did so before.
    fn look(&mut self, services: &[Service], at: OffsetDateTime) -> Option<Served> {
        let (leads, ttl) = match &self.profile {
            Some(profile) => (profile.answer(), profile.ttl()),
            // Without a profile users come by a name that leads to the first service for good.
            None => (services.first().map(Service::gateway_host).into_iter().collect(), time::Duration::ZERO),
        };
        self.answers.look(services, (leads, ttl), at)
    }

    /// The names of the services that answer users, by the last look.
    pub(crate) fn serving(&self) -> Vec<String> {
        self.answers.serving()
    }
}
