//! The work behind both functions: what a call of the host wishes for, and the driver that sees to it.

use std::sync::Arc;
use std::time::Duration;

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

/// After this long an invocation is given up. At the host's limit of 5 min (host.json) the whole process would be killed, and
/// every other call in it.
const LONGEST: Duration = Duration::from_secs(285);

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
        let run = tokio::time::timeout(LONGEST, invocation::run(driver, &self.watch, (wish, start)));
        let ended = run.await.map_err(|_| given_up())??;
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

/// It ends as by a kill: what was saved stands, and claims grow old.
fn given_up() -> String {
    format!(
        "this invocation was given up after {} s: what it asked was answered too slowly, or not at all. What it has saved \
         stands, and the next tick goes on from there",
        LONGEST.as_secs()
    )
}

fn start_of(trigger: &Trigger) -> Start {
    match trigger {
        trigger if trigger.is_manual() => Start::Hand,
        Trigger::Timer { last_run, .. } => Start::Tick { last_run: *last_run },
        Trigger::Manifest { .. } => Start::Event,
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use azure_core::http::headers::Headers;
    use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request};
    use tokio::time::Instant;

    use super::*;
    use crate::clock::InvocationClock;
    use crate::domain::vocabulary::{InvocationId, Timestamp};

    #[expect(
        clippy::disallowed_methods,
        reason = "it is Azure that takes its time here, and not the handler"
    )]
    async fn answer_is_on_its_way() {
        tokio::time::sleep(Duration::from_secs(28)).await;
    }

    /// Whatever is asked takes 28 s, which is no silence: storage that holds nothing yet, and nobody else.
    #[derive(Debug)]
    struct Slow;

    #[async_trait]
    impl HttpClient for Slow {
        async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
            answer_is_on_its_way().await;
            let mut headers = Headers::new();
            headers.insert("date", "Mon, 23 Nov 2026 12:00:00 GMT");
            headers.insert("last-modified", "Mon, 23 Nov 2026 12:00:00 GMT");
            headers.insert("etag", "\"1\"");
            let (status, body) = match (request.url().port(), request.method()) {
                (Some(10_000), Method::Put) => (201, ""),
                (Some(10_000), _)
                    if request.url().query().is_some_and(|query| query.contains("comp=list")) =>
                {
                    (
                        200,
                        "<EnumerationResults ContainerName=\"apim-dr\"><Blobs />\
                     <NextMarker /></EnumerationResults>",
                    )
                }
                (Some(10_000), _) => {
                    headers.insert("x-ms-error-code", "BlobNotFound");
                    (404, "")
                }
                _ => (503, ""),
            };
            Ok(AsyncRawResponse::from_bytes(status.into(), headers, body))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_invocation_that_goes_on_too_long_is_given_up_before_the_host_ends_all_of_them() {
        let service = |name: &str| {
            format!("/subscriptions/1/resourceGroups/rg/providers/Microsoft.ApiManagement/service/{name}")
        };
        let settings = [
            ("BackupStorage", "UseDevelopmentStorage=true".to_owned()),
            ("BACKUP_CONTAINER", "apim-backups".to_owned()),
            ("APIM_PRIMARY_ID", service("contoso-weu")),
            ("APIM_SECONDARY_IDS", service("contoso-neu")),
            ("AZURE_CREDENTIAL", "client-secret".to_owned()),
            ("AZURE_TENANT_ID", "contoso.test".to_owned()),
            ("AZURE_CLIENT_ID", "the-client".to_owned()),
            ("AZURE_CLIENT_SECRET", "the-secret".to_owned()),
        ];
        let lookup =
            |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        let config = Config::from_lookup(lookup).unwrap();
        let work = work(&config, Azure::with_transport(&config, Arc::new(Slow)));
        let began = Instant::now();
        let stopwatch = Arc::new(move || time::Duration::try_from(began.elapsed()).unwrap());
        let noon = Timestamp::new(time::macros::datetime!(2026-11-23 12:00 UTC));
        let clock = InvocationClock::new(noon, stopwatch);
        let trigger = Trigger::Timer { manual: None, looks_manual: false, last_run: None };
        let outcome = work(Invocation { id: InvocationId::from("slow"), clock, trigger }).await;
        let why = outcome.unwrap_err();
        assert!(why.contains("given up after 285 s"), "{why}");
        assert_eq!(began.elapsed().as_secs(), 285);
    }
}
