//! One invocation, of either function: note its wish, then advance whatever is open.

use futures::future::join_all;
use time::Duration;

use crate::arrival::{self, Arrival, Records};
use crate::domain::adoption;
use crate::domain::backup;
use crate::domain::event::{Event, EventName};
use crate::domain::id::{ServiceId, ServiceName};
use crate::domain::offer;
use crate::domain::record::{FOLDER, Operation, Record, service_at};
use crate::domain::serving::Serving;
use crate::domain::standby;
use crate::domain::status::Status;
use crate::domain::summary;
use crate::domain::take_up;
use crate::domain::vocabulary::Timestamp;
use crate::drive::{Driver, Loaded, Told, Trouble};
use crate::health::{self, Findings, Watch};
use crate::serving;

/// An inventory is given up after half an hour: whoever prepared a backup for longer than this is gone.
const FORGOTTEN: Duration = Duration::hours(2);

/// What an invocation was started for.
#[derive(Clone, Debug)]
pub enum Wish {
    /// Nothing: a heartbeat.
    None,
    /// A backup now, of this service or of the one that serves.
    Backup(Option<ServiceName>),
    /// Go on after a failover; even though nobody knows what the primary holds, if the operator says so.
    Resume { even_if_unknown: bool },
    /// This manifest, by event or by hand.
    Restore(Arrival),
    /// What is to be restored into this service, or into any, no longer shall be.
    Withdraw(Option<ServiceName>),
    /// The id that the settings give to this service is that of the service it was before, even though something is
    /// open under its old id, if the operator says so.
    Adopt { service: ServiceName, though_open: bool },
}

/// Who started an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The timer, by its schedule; and when it last ran, if it knows.
    Tick { last_run: Option<Timestamp> },
    /// A blob's event.
    Event,
    /// A person.
    Hand,
}

/// What an invocation came to.
pub struct Ended {
    pub told: Vec<Told>,
    pub records: Records,
    /// When it began, by its own clock.
    pub began: Timestamp,
    /// When it ended.
    pub at: Timestamp,
    /// What could not be done; the rest was.
    pub failure: Option<String>,
}

/// Does one invocation's work. An error says why none of it could be done.
pub async fn run(
    mut driver: Driver<'_>,
    watch: &Watch,
    (wish, start): (Wish, Start),
) -> Result<Ended, String> {
    let began = driver.clock.now();
    if let Wish::Adopt { service, though_open } = &wish {
        adopt(&driver, service, *though_open).await.map_err(|trouble| trouble.to_string())?;
    }
    let (serving, loaded) = tokio::join!(driver.azure.who_serves(), load_all(&driver));
    let (mut records, mut report) = loaded?;
    let read = (serving, report.findings.unread.as_slice());
    if let Err(trouble) = serving::take_in(&mut driver, &mut records, read).await {
        report.failures.push(format!("who serves could not be saved: {trouble}"));
    }
    if let Err(trouble) = note(&mut driver, &mut records, &wish).await {
        report.failures.push(format!("the wish could not be saved: {trouble}"));
    }
    drive_all(&mut driver, &mut records, &mut report).await;
    tidy_all(&driver, &mut records, &mut report).await;
    tend(&driver, watch, &records, (&mut report, start)).await;
    let at = driver.clock.now();
    Ok(Ended { told: driver.into_told(), records, began, at, failure: report.conclude().err() })
}

/// Who looks on waits for an answer, and most of what there is to see is in the records.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// How everything stands, as somebody sees it who only looks on.
pub struct Looked {
    pub status: Status,
    pub records: Records,
    /// When the status was last written, which every tick sees to.
    pub written: Option<Timestamp>,
}

/// Reads what an invocation would begin with, and changes nothing. An error says why it cannot be read.
pub async fn look(mut driver: Driver<'_>, watch: &Watch) -> Result<Looked, String> {
    let asked = tokio::time::timeout(PATIENCE, driver.azure.who_serves());
    let (serving, loaded) = tokio::join!(asked, load_all(&driver));
    let (records, report) = loaded?;
    let silence = |_| Serving::Unknown("Resource Manager has not answered within 10 s".into());
    serving::learn(&mut driver, &records, serving.unwrap_or_else(silence));
    let (status, written) = health::look(&driver, watch, &records, &report.findings).await?;
    Ok(Looked { status, records, written })
}

/// The lines that a person who ran a function by hand wants to read: what was told, and how each service stands.
pub fn lines(ended: &Ended, start: Start) -> Vec<String> {
    let told = ended.told.iter().map(ToString::to_string);
    let by_hand = ended.records.values().filter(|_| start == Start::Hand);
    told.chain(by_hand.map(|loaded| summary::of(&loaded.record, ended.at))).collect()
}

/// Comes before everything else: a record of another id than the settings' would be left alone.
async fn adopt(driver: &Driver<'_>, name: &ServiceName, though_open: bool) -> Result<(), Trouble> {
    let (Some(id), Some(mut loaded)) = (driver.deployment.named(name), driver.load_any(name).await?) else {
        let text = format!("{name} has no record: there is nothing to adopt");
        driver.tell(Some(name), &Event::new(EventName::WishRefused, text));
        return Ok(());
    };
    let decide = |context: &_, record: &Record| Ok(adoption::adopt(context, record.clone(), id, though_open));
    driver.change(&mut loaded, 1, decide).await.map(drop)
}

/// Health comes last, whatever went wrong before. The dead man's switch hears of ticks that did all of their work.
async fn tend(driver: &Driver<'_>, watch: &Watch, records: &Records, (report, start): (&mut Report, Start)) {
    if let Start::Tick { last_run } = start {
        report.findings.last_run = last_run;
    }
    let kept = health::tend(driver, watch, records, &report.findings).await;
    if let Err(why) = &kept {
        driver.tell(None, &Event::new(EventName::HealthNotKept, why.clone()));
    }
    let is_tick = matches!(start, Start::Tick { .. });
    match kept {
        // An event that did its work must not come again for this.
        Err(why) if is_tick => report.failures.push(format!("health could not be kept: {why}")),
        Ok(()) if is_tick && report.failures.is_empty() => health::beat(driver, watch).await,
        _ => {}
    }
}

/// What an invocation could not do, and what it found beside its work.
#[derive(Debug, Default)]
struct Report {
    failures: Vec<String>,
    findings: Findings,
}

impl Report {
    fn note(&mut self, driver: &Driver<'_>, service: &ServiceName, trouble: &Trouble) {
        driver.report(Some(service), trouble);
        match trouble {
            Trouble::Fails(why) => self.failures.push(format!("{service}: {why}")),
            Trouble::Foreign(what) => self.findings.foreign.push((service.clone(), what.clone())),
        }
    }

    fn note_unread(&mut self, driver: &Driver<'_>, service: &ServiceName, trouble: &Trouble) {
        self.findings.unread.push((service.clone(), trouble.to_string()));
        self.note(driver, service, trouble);
    }

    /// The settings no longer name it, so that it cannot be read is told and fails nothing.
    fn note_left_over(&mut self, driver: &Driver<'_>, service: &ServiceName, trouble: &Trouble) {
        self.findings.unread.push((service.clone(), trouble.to_string()));
        driver.report(Some(service), trouble);
    }

    /// The first failure speaks for all; the others stand in the log.
    fn conclude(&self) -> Result<(), String> {
        match self.failures.as_slice() {
            [] => Ok(()),
            [only] => Err(only.clone()),
            [first, others @ ..] => Err(format!("{first} (and {} more)", others.len())),
        }
    }
}

/// Loads the record of every service that the settings name, and of those they no longer name.
async fn load_all(driver: &Driver<'_>) -> Result<(Records, Report), String> {
    let listed = driver.azure.store().list(FOLDER).await.map_err(|trouble| trouble.to_string())?;
    let configured: Vec<_> = driver.deployment.all().cloned().collect();
    let (mut records, mut report) = (Records::new(), Report::default());
    let loads = join_all(configured.iter().map(|service| driver.load(service))).await;
    for (service, load) in configured.iter().zip(loads) {
        match load {
            Ok(loaded) => drop(records.insert(service.name(), loaded)),
            Err(trouble) => report.note_unread(driver, &service.name(), &trouble),
        }
    }
    for name in listed.iter().filter_map(|path| service_at(path)) {
        if driver.deployment.named(&name).is_some() {
            continue;
        }
        match driver.load_any(&name).await {
            Ok(Some(loaded)) => drop(records.insert(name, loaded)),
            Ok(None) => {}
            Err(trouble) => report.note_left_over(driver, &name, &trouble),
        }
    }
    Ok((records, report))
}

async fn note(driver: &mut Driver<'_>, records: &mut Records, wish: &Wish) -> Result<(), Trouble> {
    match wish {
        Wish::None | Wish::Adopt { .. } => Ok(()),
        Wish::Backup(service) => note_backup(driver, records, service.as_ref()).await,
        Wish::Resume { even_if_unknown } => serving::resume(driver, records, *even_if_unknown).await,
        Wish::Restore(arrival) => arrival::take_in(driver, records, arrival).await,
        Wish::Withdraw(service) => note_withdrawal(driver, records, service.as_ref()).await,
    }
}

async fn note_backup(
    driver: &Driver<'_>,
    records: &mut Records,
    service: Option<&ServiceName>,
) -> Result<(), Trouble> {
    let service = service.unwrap_or(&driver.situation.backed_up).clone();
    if driver.deployment.dry_run {
        let text = "DRY_RUN is on: no backup was begun";
        driver.tell(Some(&service), &Event::new(EventName::WishRefused, text));
        return Ok(());
    }
    if driver.deployment.named(&service).is_none() {
        let text = format!(
            "{service} was the last to carry the traffic, and the settings name it no longer: no backup was begun. Name it \
             again, or say `resume` once the primary carries it"
        );
        driver.tell(Some(&service), &Event::new(EventName::WishRefused, text));
        return Ok(());
    }
    let Some(loaded) = records.get_mut(&service) else {
        return Err(Trouble::Fails(format!("{service} has no usable record")));
    };
    let decide = |context: &_, record: &Record| Ok(backup::wish(context, record.clone(), driver.clock.now()));
    driver.change(loaded, 1, decide).await.map(|_| ())
}

/// One that cannot be changed holds up no other. What another deployment wishes for in the same state container is its own.
async fn note_withdrawal(
    driver: &Driver<'_>,
    records: &mut Records,
    service: Option<&ServiceName>,
) -> Result<(), Trouble> {
    let mut failed = Ok(());
    let primary = driver.deployment.primary.name();
    let is_ours = |name: &ServiceName, loaded: &Loaded| {
        driver.deployment.named(name).is_some() || loaded.record.primary == primary
    };
    let is_meant = |(name, loaded): &(&ServiceName, &mut Loaded)| {
        service.map_or_else(|| is_ours(name, loaded), |service| *name == service)
    };
    for (name, loaded) in records.iter_mut().filter(is_meant) {
        let decide = |context: &_, record: &Record| Ok(offer::withdraw(context, record.clone()));
        if let Err(trouble) = driver.change(loaded, 1, decide).await {
            driver.report(Some(name), &trouble);
            failed = Err(trouble);
        }
    }
    failed
}

/// Drives every service: the primary first, then the targets, each at its turn, since one restores at a time; then
/// what the settings no longer name. What takes long comes after all of that.
async fn drive_all(driver: &mut Driver<'_>, records: &mut Records, report: &mut Report) {
    accept_what_is_held(driver, records, report).await;
    drive_one(driver, records, &driver.deployment.primary, report).await;
    if let Err(trouble) = arrival::make_up_for_lost_events(driver, records).await {
        report.note(driver, &driver.deployment.primary.name(), &trouble);
    }
    for service in in_turn(driver, records) {
        drive_one(driver, records, &service, report).await;
    }
    let left_over = left_over(driver, records);
    for service in &left_over {
        drive_one(driver, records, service, report).await;
    }
    read_all(driver, records, &left_over, report).await;
}

/// A suspicious backup that some service has come to hold was chosen by hand, and counts as accepted.
async fn accept_what_is_held(driver: &Driver<'_>, records: &mut Records, report: &mut Report) {
    let held: Vec<_> = records.values().filter_map(|loaded| standby::held(&loaded.record).cloned()).collect();
    for (name, loaded) in records.iter_mut() {
        let decide = |_: &_, record: &Record| Ok(standby::accept_what_is_held(record.clone(), &held));
        if let Err(trouble) = driver.change(loaded, 1, decide).await {
            report.note(driver, name, &trouble);
        }
    }
}

/// Reads what services hold, the most urgent first, for as long as there is time.
async fn read_all(
    driver: &mut Driver<'_>,
    records: &mut Records,
    left_over: &[ServiceId],
    report: &mut Report,
) {
    let names = driver.deployment.all().chain(left_over).map(ServiceId::name);
    let turns = names.filter_map(|name| Some((driver.turn(records.get(&name)?)?, name)));
    let mut turns: Vec<_> = turns.collect();
    turns.sort();
    for (turn, service) in turns {
        let Some(loaded) = records.get_mut(&service).filter(|_| driver.clock.allows_crawl()) else {
            continue;
        };
        if let Err(trouble) = driver.read(loaded, turn).await {
            report.note(driver, &service, &trouble);
        }
    }
    if let Err(trouble) = serving::take_in_looks(driver, records).await {
        report.note(driver, &driver.deployment.primary.name(), &trouble);
    }
}

async fn drive_one(driver: &mut Driver<'_>, records: &mut Records, service: &ServiceId, report: &mut Report) {
    let Some(loaded) = records.get_mut(&service.name()) else { return };
    if let Err(trouble) = driver.drive(loaded).await {
        report.note(driver, &service.name(), &trouble);
    }
    if let Err(trouble) = serving::take_in_looks(driver, records).await {
        report.note(driver, &driver.deployment.primary.name(), &trouble);
    }
}

/// After all that is urgent, and for what the settings no longer name as well: what they leave behind would stay for ever.
async fn tidy_all(driver: &Driver<'_>, records: &mut Records, report: &mut Report) {
    for loaded in records.values_mut() {
        if let Err(trouble) = driver.tidy(loaded).await {
            report.note(driver, &loaded.record.service.name(), &trouble);
        }
    }
}

fn in_turn(driver: &Driver<'_>, records: &Records) -> Vec<ServiceId> {
    let mut services = driver.deployment.secondaries.clone();
    services.sort_by_key(|service| records.get(&service.name()).map(|loaded| take_up::turn(&loaded.record)));
    services
}

/// What the settings no longer name and is not finished. It may be another deployment's, which shares the state container:
/// what Azure has been asked for is followed by whoever comes, but what is still being prepared is not given up for it.
fn left_over(driver: &Driver<'_>, records: &Records) -> Vec<ServiceId> {
    let primary = driver.deployment.primary.name();
    let unfinished = |loaded: &&Loaded| match &loaded.record.operation {
        Operation::Idle => !loaded.record.unwritten_history.is_empty(),
        Operation::Backup(run) if !run.is_claimed() => {
            loaded.record.primary == primary || driver.clock.now() - run.started_at > FORGOTTEN
        }
        Operation::Backup(_) | Operation::Restore(_) => true,
    };
    let names = records.iter().filter(|(name, _)| driver.deployment.named(name).is_none());
    names.map(|(_, loaded)| loaded).filter(unfinished).map(|loaded| loaded.record.service.clone()).collect()
}
