//! How fast the handler reads a large service: the real crawl, tick by tick, against Resource Manager's real limits, in
//! time that passes as fast as it can be computed.

use std::sync::Arc;
use std::time::Duration as StdDuration;

use apim_dr::azure::Azure;
use apim_dr::clock::InvocationClock;
use apim_dr::config::Config;
use apim_dr::domain::vocabulary::{InvocationId, Timestamp};
use apim_dr::handler;
use apim_dr::host::{Invocation, Trigger, Work};
use apim_dr_sim::blobs::Blobs;
use apim_dr_sim::clock::Clock;
use apim_dr_sim::cloud::{Cloud, ServiceSpec, StorageAccount};
use apim_dr_sim::content::Content;
use apim_dr_sim::journal::OperationKind;
use apim_dr_sim::knobs::Request as Kind;
use apim_dr_sim::storage::{Access, Account, StorageClient};
use apim_dr_sim::tokens::TokenTime;
use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::datetime;

use crate::plan::SERVICES;
use crate::secrets;
use crate::world::deployed::service_id;
use crate::world::sent::{ACCOUNT, ARM, About, BACKUPS, ENTRA, STATE, STORAGE, Sent, record_of};

/// What a bucket of Resource Manager's holds, and what comes back each second.
const BUCKET: (f64, f64) = (250.0, 25.0);

/// Far more than any of these services takes.
const MOST_TICKS: usize = 120;

const START: OffsetDateTime = datetime!(2026-03-02 00:00 UTC);

/// A service that was read to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Crawled {
    pub apis: usize,
    /// Everything that Resource Manager was asked to read meanwhile.
    pub reads: usize,
    /// Reads that were turned away.
    pub throttled: usize,
    /// From the first read of content to the request to back up, or to the end of a comparison, in seconds.
    pub seconds: f64,
    /// Ticks of which each did a part.
    pub ticks: usize,
}

impl Crawled {
    /// What nobody can do faster, in seconds: a full bucket, and then as fast as it fills.
    pub fn least_seconds(&self) -> f64 {
        (self.reads as f64 - BUCKET.0) / BUCKET.1
    }
}

/// Lets the handler take the inventory of a service with so many APIs, where every answer takes `latency`.
pub fn crawl(apis: usize, latency: StdDuration) -> Result<Crawled, String> {
    run(async {
        let place = Place::new(apis, latency);
        let work = place.handler()?;
        for tick in 1..=MOST_TICKS {
            place.tick(&work).await?;
            if let Some(crawled) = place.crawled((apis, tick)) {
                return Ok(crawled);
            }
        }
        Err(format!("{apis} APIs are not read after {MOST_TICKS} ticks"))
    })
}

/// Lets the handler back such a service up, restore it elsewhere, and compare what came of it.
pub fn verify(apis: usize, latency: StdDuration) -> Result<Crawled, String> {
    run(async {
        let place = Place::new(apis, latency);
        let work = place.handler()?;
        let mut comparing = 0;
        for _ in 1..=MOST_TICKS {
            place.tick(&work).await?;
            comparing += usize::from(place.restored().is_some());
            if place.is_verified().await {
                return place.compared((apis, comparing));
            }
        }
        Err(format!("{apis} APIs are not compared after {MOST_TICKS} ticks"))
    })
}

fn run(work: impl Future<Output = Result<Crawled, String>>) -> Result<Crawled, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.map_err(|error| error.to_string())?.block_on(work)
}

struct Place {
    clock: Clock,
    cloud: Cloud,
    blobs: Blobs,
    account: Account,
}

impl Place {
    fn new(apis: usize, latency: StdDuration) -> Self {
        let clock = Clock::of_runtime(START);
        let account =
            Account { name: ACCOUNT.to_owned(), key: secrets::account_key(), endpoint: STORAGE.to_owned() };
        // Who may write blobs is not what is measured.
        let blobs = Blobs::with(account.clone(), clock.clone(), Some(Arc::new(|_: &str| true)));
        let storage = StorageAccount::in_process(account.clone(), blobs.router());
        let [(primary, region), (secondary, elsewhere), ..] = SERVICES;
        let primary = ServiceSpec::new(primary, region).with_content(Content::large(apis, 1));
        let builder = Cloud::builder(clock.clone()).arm_endpoint(ARM).storage(storage).service(primary);
        let cloud = builder.service(ServiceSpec::new(secondary, elsewhere)).build();
        cloud.directory().set_time(TokenTime::Simulated);
        cloud.set_latency(latency);
        Self { clock, cloud, blobs, account }
    }

    fn handler(&self) -> Result<Work, String> {
        let application = self.cloud.directory().applications().remove(0);
        let lookup = |name: &str| {
            Some(match name {
                "BackupStorage" => {
                    let key = &self.account.key;
                    format!("DefaultEndpointsProtocol=https;AccountName={ACCOUNT};AccountKey={key}")
                }
                "BACKUP_CONTAINER" => BACKUPS.to_owned(),
                "STATE_CONTAINER" => STATE.to_owned(),
                "APIM_PRIMARY_ID" => service_id(SERVICES[0].0),
                "APIM_SECONDARY_IDS" => service_id(SERVICES[1].0),
                "LIVE_CHECK" => "off".to_owned(),
                "AZURE_CREDENTIAL" => "client-secret".to_owned(),
                "AZURE_TENANT_ID" => self.cloud.directory().tenant().to_owned(),
                "AZURE_CLIENT_ID" => application.principal.client_id.clone(),
                "AZURE_CLIENT_SECRET" => application.secret.clone(),
                "ARM_ENDPOINT" => ARM.to_owned(),
                "AZURE_AUTHORITY_HOST" => ENTRA.to_owned(),
                _ => return None,
            })
        };
        let config = Config::from_lookup(lookup).map_err(|problems| problems.to_string())?;
        let line = Line { clock: self.clock.clone(), arm: self.cloud.router(), storage: self.blobs.router() };
        Ok(handler::work(&config, Azure::with_transport(&config, Arc::new(line))))
    }

    /// The timer fires at the next full minute: the host does not begin another call of it while one runs.
    async fn tick(&self, work: &Work) -> Result<(), String> {
        let minute = self.clock.now().unix_timestamp() / 60 + 1;
        let next = OffsetDateTime::from_unix_timestamp(minute * 60).map_err(|error| error.to_string())?;
        self.clock.reach(next).await;
        self.cloud.settle().await;
        let began = tokio::time::Instant::now();
        let elapsed = move || time::Duration::try_from(began.elapsed()).unwrap_or(time::Duration::MAX);
        let invocation = Invocation {
            id: InvocationId::from(format!("tick-{minute}")),
            clock: InvocationClock::new(Timestamp::new(self.clock.now()), Arc::new(elapsed)),
            trigger: Trigger::Timer { manual: None, last_run: None, looks_manual: false },
        };
        work(invocation).await.map(drop)
    }

    /// What reading came to, once the backup that waited for it is asked for.
    fn crawled(&self, (apis, ticks): (usize, usize)) -> Option<Crawled> {
        let journal = self.cloud.journal();
        let asked = journal.of(Kind::Backup).first()?.at;
        let began = journal.of(Kind::Content).first()?.at;
        Some(self.between((began, asked), (apis, ticks)))
    }

    /// When the restore ended, if it has.
    fn restored(&self) -> Option<OffsetDateTime> {
        let operations = self.cloud.journal().operations().into_iter();
        operations.filter(|operation| operation.kind == OperationKind::Restore).find_map(|ended| ended.ended)
    }

    /// What comparing came to, from the first read of the target after the restore to the last.
    fn compared(&self, (apis, ticks): (usize, usize)) -> Result<Crawled, String> {
        let restored = self.restored().ok_or("nothing was restored")?;
        let reads = self.cloud.journal().of(Kind::Content).into_iter();
        let mut reads = reads.map(|exchange| exchange.at).filter(|at| *at >= restored);
        let began = reads.next().ok_or("nothing was read of the target")?;
        let ended = reads.next_back().ok_or("nothing more was read of the target")?;
        Ok(self.between((began, ended), (apis, ticks)))
    }

    async fn is_verified(&self) -> bool {
        let storage = StorageClient::in_process(self.account.clone(), Access::Key, self.blobs.router());
        let stored = storage.get(STATE, &record_of(1)).await;
        let record = stored.ok().flatten().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        record.is_some_and(|record| record["holds"]["compared"]["result"] == "verified")
    }

    fn between(
        &self,
        (began, ended): (OffsetDateTime, OffsetDateTime),
        (apis, ticks): (usize, usize),
    ) -> Crawled {
        let journal = self.cloud.journal();
        let meanwhile = journal.exchanges().into_iter().filter(|exchange| {
            exchange.at >= began && exchange.at <= ended && matches!(exchange.method.as_str(), "GET" | "HEAD")
        });
        let (reads, throttled) = (meanwhile.count(), journal.throttled());
        Crawled { apis, reads, throttled, seconds: (ended - began).as_seconds_f64(), ticks }
    }
}

/// The way to the simulated cloud and its storage, without a socket.
#[derive(Debug)]
struct Line {
    clock: Clock,
    arm: axum::Router,
    storage: axum::Router,
}

#[async_trait]
impl HttpClient for Line {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let sent = Sent::read(request, self.clock.now());
        let router = match sent.about {
            About::Blob { .. } | About::Container(_) => self.storage.clone(),
            _ => self.arm.clone(),
        };
        Ok(sent.through(router).await.into_azure())
    }
}
