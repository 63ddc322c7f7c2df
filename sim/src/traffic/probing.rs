//! Probes: every interval a request, which a gateway that is down leaves without an answer.

use time::{Duration, OffsetDateTime};

use super::endpoint::{Endpoint, Health, Probing};
use super::profile::Profile;
use crate::cloud::Service;

impl Profile {
    /// When the next thing happens to an endpoint, if that is by `now`: a probe, or the end of one without answer.
    pub(super) fn next_event(&mut self, services: &[Service], now: OffsetDateTime) -> Option<OffsetDateTime> {
        let probing = self.probing;
        self.probed()
            .for_each(|endpoint| endpoint.pass_over_the_usual(is_up(services, endpoint), probing, now));
        self.probed().map(|endpoint| endpoint.due()).min().filter(|at| *at <= now)
    }

    /// Lets happen what is due at `at`.
    pub(super) fn happen(&mut self, services: &[Service], at: OffsetDateTime) {
        let probing = self.probing;
        let due = self.probed().filter(|endpoint| endpoint.due() == at);
        due.for_each(|endpoint| endpoint.happen(is_up(services, endpoint), probing, at));
    }

    fn probed(&mut self) -> impl Iterator<Item = &mut Endpoint> {
        let enabled = self.enabled;
        self.endpoints
            .iter_mut()
            .filter(move |endpoint| enabled && endpoint.enabled && endpoint.always_serve != Some(true))
    }
}

/// Whether a probe of the endpoint finds a gateway that answers. What is no service of this cloud always does.
fn is_up(services: &[Service], endpoint: &Endpoint) -> bool {
    let service = services.iter().find(|service| service.answers_as(&endpoint.target));
    service.is_none_or(|service| service.gateway_up)
}

impl Endpoint {
    fn due(&self) -> OffsetDateTime {
        self.fails_at.unwrap_or(self.next_probe)
    }

    /// Leaves out probes that find what the last one found: years pass in a few steps.
    fn pass_over_the_usual(&mut self, up: bool, probing: Probing, now: OffsetDateTime) {
        let usual = if up { Health::Online } else { Health::Degraded };
        let passed = (now - self.next_probe).whole_seconds() / probing.interval.max(1);
        if self.health == usual && self.fails_at.is_none() && passed > 0 {
            self.next_probe += Duration::seconds(passed * probing.interval);
            self.failures = if up { 0 } else { self.failures };
        }
    }

    fn happen(&mut self, up: bool, probing: Probing, at: OffsetDateTime) {
        if self.fails_at.take().is_some() {
            self.failures += 1;
            if self.failures > probing.tolerated {
                self.health = Health::Degraded;
            }
            return;
        }
        self.next_probe = at + Duration::seconds(probing.interval.max(1));
        if up {
            self.failures = 0;
            self.health = Health::Online;
        } else {
            self.fails_at = Some(at + Duration::seconds(probing.timeout));
        }
    }
}
