//! One invocation, of either function: note its wish, then advance whatever is open.

use futures::future::join_all;

use crate::arrival::{self, Arrival, Records};
use crate::domain::backup;
use crate::domain::event::{Event, EventName};
use crate::domain::id::{ServiceId, ServiceName};
use crate::domain::record::{FOLDER, Operation, Record, service_at};
use crate::domain::summary;
use crate::domain::take_up;
use crate::drive::{Driver, Loaded, Trouble};
use crate::serving;

/// What an invocation was started for.
#[derive(Clone, Debug)]
pub enum Wish {
    /// Nothing: a heartbeat.
    None,
    /// A backup now.
    Backup,
    /// Go on after a failover; even though nobody knows what the primary holds, if the operator says so.
    Resume { even_if_unknown: bool },
    /// This manifest, by event or by hand.
    Restore(Arrival),
}

/// Does one invocation's work and tells what it did. An error says why it could not be done.
pub async fn run(mut driver: Driver<'_>, wish: Wish, by_hand: bool) -> Result<Vec<String>, String> {
    let (serving, loaded) = tokio::join!(driver.azure.who_serves(), load_all(&driver));
    let (mut records, mut failures) = loaded?;
    if let Err(trouble) = serving::take_in(&mut driver, &mut records, serving).await {
        failures.push(format!("who serves could not be saved: {trouble}"));
    }
    if let Err(trouble) = note(&mut driver, &mut records, &wish).await {
        failures.push(format!("the wish could not be saved: {trouble}"));
    }
    drive_all(&mut driver, &mut records, &mut failures).await;
    if let [first, ..] = failures.as_slice() {
        let more =
            if failures.len() > 1 { format!(" (and {} more)", failures.len() - 1) } else { String::new() };
        return Err(format!("{first}{more}"));
    }
    let now = driver.clock.now();
    let mut told = driver.into_told();
    if by_hand {
        told.extend(records.values().map(|loaded| summary::of(&loaded.record, now)));
    }
    Ok(told)
}

/// Loads the record of every service that the settings name, and of those they no longer name.
async fn load_all(driver: &Driver<'_>) -> Result<(Records, Vec<String>), String> {
    let listed = driver.azure.store().list(FOLDER).await.map_err(|trouble| trouble.to_string())?;
    let configured: Vec<_> = driver.deployment.all().cloned().collect();
    let (mut records, mut failures) = (Records::new(), Vec::new());
    let loads = join_all(configured.iter().map(|service| driver.load(service))).await;
    for (service, load) in configured.iter().zip(loads) {
        match load {
            Ok(loaded) => drop(records.insert(service.name(), loaded)),
            Err(trouble) => note_trouble(driver, &service.name(), (&trouble, &mut failures)),
        }
    }
    for name in listed.iter().filter_map(|path| service_at(path)) {
        if driver.deployment.named(&name).is_some() {
            continue;
        }
        match driver.load_any(&name).await {
            Ok(Some(loaded)) => drop(records.insert(name, loaded)),
            Ok(None) => {}
            Err(trouble) => driver.report(Some(&name), &trouble),
        }
    }
    Ok((records, failures))
}

fn note_trouble(
    driver: &Driver<'_>,
    service: &ServiceName,
    (trouble, failures): (&Trouble, &mut Vec<String>),
) {
    driver.report(Some(service), trouble);
    if let Trouble::Fails(why) = trouble {
        failures.push(format!("{service}: {why}"));
    }
}

async fn note(driver: &mut Driver<'_>, records: &mut Records, wish: &Wish) -> Result<(), Trouble> {
    match wish {
        Wish::None => Ok(()),
        Wish::Backup => note_backup(driver, records).await,
        Wish::Resume { even_if_unknown } => serving::resume(driver, records, *even_if_unknown).await,
        Wish::Restore(arrival) => arrival::take_in(driver, records, arrival).await,
    }
}

async fn note_backup(driver: &Driver<'_>, records: &mut Records) -> Result<(), Trouble> {
    let service = driver.situation.backed_up.clone();
    if driver.deployment.dry_run {
        let text = "DRY_RUN is on: no backup was begun";
        driver.tell(Some(&service), &Event::new(EventName::WishRefused, text));
        return Ok(());
    }
    let Some(loaded) = records.get_mut(&service) else {
        return Err(Trouble::Fails(format!("{service} has no usable record")));
    };
    let decide = |context: &_, record: &Record| Ok(backup::wish(context, record.clone(), driver.clock.now()));
    driver.change(loaded, 1, decide).await.map(|_| ())
}

/// Drives every service: the primary first, then the targets, the stalest first, since one restores at
/// a time; at last what the settings no longer name.
async fn drive_all(driver: &mut Driver<'_>, records: &mut Records, failures: &mut Vec<String>) {
    drive_one(driver, records, &driver.deployment.primary, failures).await;
    if let Err(trouble) = arrival::make_up_for_lost_events(driver, records).await {
        note_trouble(driver, &driver.deployment.primary.name(), (&trouble, failures));
    }
    for service in stalest_first(driver, records) {
        drive_one(driver, records, &service, failures).await;
    }
    for service in left_over(driver, records) {
        drive_one(driver, records, &service, failures).await;
    }
}

async fn drive_one(
    driver: &mut Driver<'_>,
    records: &mut Records,
    service: &ServiceId,
    failures: &mut Vec<String>,
) {
    let Some(loaded) = records.get_mut(&service.name()) else { return };
    if let Err(trouble) = driver.drive(loaded).await {
        note_trouble(driver, &service.name(), (&trouble, failures));
    }
    if let Err(trouble) = serving::take_in_looks(driver, records).await {
        note_trouble(driver, &driver.deployment.primary.name(), (&trouble, failures));
    }
}

fn stalest_first(driver: &Driver<'_>, records: &Records) -> Vec<ServiceId> {
    let mut services = driver.deployment.secondaries.clone();
    services.sort_by_key(|service| {
        records.get(&service.name()).and_then(|loaded| take_up::staleness(&loaded.record))
    });
    services
}

fn left_over(driver: &Driver<'_>, records: &Records) -> Vec<ServiceId> {
    let unfinished = |loaded: &&Loaded| {
        loaded.record.operation != Operation::Idle || !loaded.record.unwritten_history.is_empty()
    };
    let names = records.iter().filter(|(name, _)| driver.deployment.named(name).is_none());
    names.map(|(_, loaded)| loaded).filter(unfinished).map(|loaded| loaded.record.service.clone()).collect()
}
