//! Where users are: what DNS tells them, how long they keep it, and whether anybody answers there.

use time::{Duration, OffsetDateTime};

use crate::cloud::Service;

/// Who answered users from some time on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Since when.
    pub at: OffsetDateTime,
    /// The services, by name. None: users got no answer. Several: while old answers of DNS are still in use, and
    /// where Traffic Manager gives out more than one.
    pub services: Vec<String>,
}

/// The answers that users have.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Hosts that DNS gives out now.
    current: Vec<String>,
    /// Hosts that it gave out, and until when somebody may still have them.
    kept: Vec<(String, OffsetDateTime)>,
    last: Option<Served>,
}

impl Answers {
    /// When the next old answer runs out.
    pub(super) fn next_expiry(&self) -> Option<OffsetDateTime> {
        self.kept.iter().map(|(_, until)| *until).min()
    }

    /// Takes note of what DNS gives out at `at`, and returns who answers users if that has changed.
    pub(super) fn look(
        &mut self,
        services: &[Service],
        (hosts, ttl): (Vec<String>, Duration),
        at: OffsetDateTime,
    ) -> Option<Served> {
        let gone = self.current.iter().filter(|host| !hosts.contains(host));
        self.kept.extend(gone.map(|host| (host.clone(), at + ttl)));
        self.kept.retain(|(host, until)| *until > at && !hosts.contains(host));
        self.current = hosts;
        let known = self.current.iter().chain(self.kept.iter().map(|(host, _)| host));
        let known: Vec<_> = known.collect();
        let answering = services
            .iter()
            .filter(|service| service.gateway_up && known.iter().any(|host| service.answers_as(host)));
        let services: Vec<_> = answering.map(|service| service.spec.name.clone()).collect();
        if self.last.as_ref().is_some_and(|last| last.services == services) {
            return None;
        }
        self.last = Some(Served { at, services });
        self.last.clone()
    }

    pub(super) fn serving(&self) -> Vec<String> {
        self.last.as_ref().map(|last| last.services.clone()).unwrap_or_default()
    }
}
