//! Invocations that the command line makes itself: each with an id and a time of its own, and over after 5 min, as those
//! of the Functions app are. Whatever is longer than that is many invocations.

use std::time::Duration;

use crate::azure::{Azure, machine_time};
use crate::clock::{InvocationClock, start_stopwatch};
use crate::config::Config;
use crate::deployment::Deployment;
use crate::doctor::{self, Finding};
use crate::domain::record::path_of;
use crate::domain::vocabulary::{InvocationId, Timestamp};
use crate::drive::Driver;
use crate::health::Watch;
use crate::invocation::{self, Ended, Looked, Start, Wish};

/// The Functions host ends an invocation then; a claim is taken over by others from the moment on at which none of its
/// writer's invocations can still be alive.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// What stays the same from one invocation to the next.
pub(super) struct Session {
    azure: Azure,
    pub(super) deployment: Deployment,
    watch: Watch,
}

impl Session {
    /// For verbs that change something.
    pub(super) fn open(config: &Config) -> Result<Self, String> {
        let azure = Azure::new(config)?;
        Ok(Self { azure, deployment: Deployment::of(config), watch: Watch::of(config) })
    }

    /// For verbs that only look.
    pub(super) fn looking_on(config: &Config) -> Result<Self, String> {
        let session = Self::open(config)?;
        Ok(Self { azure: session.azure.looking_on(), ..session })
    }

    /// One invocation. An error says why none of it could be done.
    pub(super) async fn invoke(&self, wish: Wish, start: Start) -> Result<Ended, String> {
        let invocation = async {
            let driver = self.driver().await?;
            invocation::run(driver, &self.watch, (wish, start)).await
        };
        let ended = tokio::time::timeout(LONGEST, invocation).await;
        ended.unwrap_or_else(|_| {
            Err("it took longer than 5 min and was ended; the next one goes on".to_owned())
        })
    }

    /// How everything stands.
    pub(super) async fn look(&self) -> Result<Looked, String> {
        invocation::look(self.driver().await?, &self.watch).await
    }

    /// What does not hold. Where storage does not answer, that is found too, by this machine's clock.
    pub(super) async fn examine(&self, config: &Config) -> Vec<Finding> {
        let now = self.storage_time().await.unwrap_or_else(|_| machine_time());
        doctor::examine(config, &self.azure, &InvocationClock::new(now, start_stopwatch())).await
    }

    pub(super) fn azure(&self) -> &Azure {
        &self.azure
    }

    /// The time is the storage service's, by its first answer: every invocation of every machine is then dated by clocks
    /// that agree.
    async fn driver(&self) -> Result<Driver<'_>, String> {
        let clock = InvocationClock::new(self.storage_time().await?, start_stopwatch());
        let id = InvocationId::from(format!("cli-{}", azure_core::Uuid::new_v4()));
        Ok(Driver::new(&self.azure, &self.deployment, id, clock))
    }

    async fn storage_time(&self) -> Result<Timestamp, String> {
        let path = path_of(&self.deployment.primary.name());
        let stored = self.azure.store().load(&path).await;
        stored.map(|stored| stored.storage_time).map_err(|trouble| trouble.to_string())
    }
}
