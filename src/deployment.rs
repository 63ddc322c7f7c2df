//! What the settings say about the services, in the words of the decisions.

use crate::config::{Config, LiveCheck};
use crate::domain::decision::{Context, Serving};
use crate::domain::id::{ServiceId, ServiceName};
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
    pub serving: Serving,
    pub dry_run: bool,
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
            serving: serving(config),
            dry_run: config.dry_run,
        }
    }

    /// What a decision about `service` is made from.
    pub fn context(
        &self,
        service: &ServiceId,
        invocation: &InvocationId,
        storage_time: Timestamp,
    ) -> Context {
        let is_primary = *service == self.primary;
        Context {
            invocation: invocation.clone(),
            service: service.clone(),
            primary: self.primary.name(),
            container: self.container.clone(),
            api_version: self.api_version.clone(),
            schedule: is_primary.then(|| self.schedule.clone()),
            serving: self.serving.clone(),
            configured: is_primary || self.secondaries.contains(service),
            dry_run: self.dry_run,
            storage_time,
        }
    }

    /// The service that a backup now means: the one that serves, and the primary where nobody knows.
    pub fn serving_service(&self) -> &ServiceId {
        match &self.serving {
            Serving::Service(name) => self.named(name).unwrap_or(&self.primary),
            Serving::NotConfigured | Serving::Unknown(_) => &self.primary,
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

/// Traffic Manager is not read yet: with a profile set nobody knows who serves, and that is said.
fn serving(config: &Config) -> Serving {
    match (config.live_check, &config.profile) {
        (LiveCheck::Off, _) => Serving::Service(config.primary.name()),
        (LiveCheck::On, None) => Serving::NotConfigured,
        (LiveCheck::On, Some(_)) => Serving::Unknown(
            "this version does not read the profile in TRAFFIC_MANAGER_ID; set LIVE_CHECK=off if a restore may run \
             without asking"
                .into(),
        ),
    }
}
