//! The work behind both functions: what a call of the host wishes for, and the driver that sees to it.

use std::sync::Arc;

use futures::FutureExt as _;
use reqwest::Url;

use crate::arrival::Arrival;
use crate::azure::Azure;
use crate::config::Config;
use crate::deployment::Deployment;
use crate::domain::record::By;
use crate::drive::Driver;
use crate::health::Watch;
use crate::host::{Invocation, Outcome, Trigger, Work};
use crate::invocation::{self, Start, Wish};

/// What stays the same from one invocation to the next. None of it is state: any process would make it
/// the same from the same settings.
struct Handler {
    azure: Azure,
    deployment: Deployment,
    watch: Watch,
    /// The account of the blob trigger, below which its addresses lie.
    blob_endpoint: Url,
}

/// The work that `config` asks for, done on `azure`.
pub fn work(config: &Config, azure: Azure) -> Work {
    let handler = Arc::new(Handler {
        azure,
        deployment: Deployment::of(config),
        watch: Watch::of(config),
        blob_endpoint: config.storage.blob_endpoint.clone(),
    });
    Arc::new(move |invocation| {
        let handler = Arc::clone(&handler);
        async move { handler.invoke(invocation).await }.boxed()
    })
}

impl Handler {
    async fn invoke(&self, Invocation { id, clock, trigger }: Invocation) -> Outcome {
        let start = start_of(&trigger);
        let wish = self.wish(trigger)?;
        let driver = Driver::new(&self.azure, &self.deployment, id, clock);
        let ended = invocation::run(driver, &self.watch, (wish, start)).await?;
        match &ended.failure {
            Some(why) => Err(why.clone()),
            None => Ok(invocation::lines(&ended, start)),
        }
    }

    fn wish(&self, trigger: Trigger) -> Result<Wish, String> {
        match trigger {
            Trigger::Timer { manual: None, .. } => Ok(Wish::None),
            Trigger::Timer { manual: Some(input), .. } if input == "resume" => {
                Ok(Wish::Resume { even_if_unknown: false })
            }
            Trigger::Timer { manual: Some(_), .. } => Ok(Wish::Backup(None)),
            Trigger::Manifest { blob, manual } => {
                let (container, path) = blob
                    .within(&self.blob_endpoint)
                    .ok_or("the blob of this call does not lie in the storage account of BackupStorage")?;
                let by = if manual.is_some() { By::Hand } else { By::Automatic };
                Ok(Wish::Restore(Arrival { container, path, by, into: None, even_if_live: false }))
            }
        }
    }
}

fn start_of(trigger: &Trigger) -> Start {
    match trigger {
        trigger if trigger.is_manual() => Start::Hand,
        Trigger::Timer { last_run, .. } => Start::Tick { last_run: *last_run },
        Trigger::Manifest { .. } => Start::Event,
    }
}
