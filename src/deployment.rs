//! What the settings say about the services, in the words of the decisions.

use time::Duration;

use crate::config::Config;
use crate::domain::decision::{Context, Situation};
use crate::domain::id::{ServiceId, ServiceName};
use crate::domain::inventory::Depth;
use crate::domain::schedule::Schedule;
use crate::domain::vocabulary::{Container, InvocationId, Timestamp};

/// The services and how they are kept, for the length of one invocation.
#[derive(Clone, Debug)]
pub struct Deployment {
    pub primary: ServiceId,
    pub secondaries: Vec<ServiceId>,
    pub container: Container,
    pub api_version: String,
    pub schedule: Schedule,
    pub dry_run: bool,
    pub retention: Duration,
    /// How much of a service an inventory covers.
    pub depth: Depth,
}

impl Deployment {
    /// What `config` says.
    pub fn of(config: &Config) -> Self {
        Self {
            primary: config.primary.clone(),
            secondaries: config.secondaries.clone(),
            container: config.backup_container.clone(),
            api_version: config.api_version.clone(),
            schedule: config.schedule.clone(),
            dry_run: config.dry_run,
            retention: config.retention,
            depth: config.inventory,
        }
    }

    /// What a decision about `service` is made from.
    pub fn context(
        &self,
        service: &ServiceId,
        (invocation, situation): (&InvocationId, &Situation),
        (storage_time, may_read): (Timestamp, bool),
    ) -> Context {
        let is_backed_up = service.name() == situation.backed_up;
        Context {
            invocation: invocation.clone(),
            service: service.clone(),
            primary: self.primary.name(),
            container: self.container.clone(),
            api_version: self.api_version.clone(),
            schedule: is_backed_up.then(|| self.schedule.clone()),
            serving: situation.serving.clone(),
            failed_over: situation.failed_over.clone(),
            resumed_at: situation.resumed_at,
            blind_until: situation.blind_until,
            handed_over: situation.handed_over,
            depth: self.depth,
            measure: situation.measure,
            may_read,
            configured: self.all().any(|configured| configured == service),
            dry_run: self.dry_run,
            retention: self.retention,
            storage_time,
        }
    }

    /// A configured service by its name.
    pub fn named(&self, name: &ServiceName) -> Option<&ServiceId> {
        self.all().find(|service| service.name() == *name)
    }

    /// Every configured service, the primary first.
    pub fn all(&self) -> impl Iterator<Item = &ServiceId> {
        std::iter::once(&self.primary).chain(&self.secondaries)
    }

    /// The services into which a backup of `source` may be restored: the primary's into every secondary,
    /// a secondary's into the primary.
    pub fn targets_of(&self, source: &ServiceId) -> Vec<ServiceId> {
        match *source == self.primary {
            true => self.secondaries.clone(),
            false => vec![self.primary.clone()],
        }
    }
}
