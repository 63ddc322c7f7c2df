//! A manifest arrives: by an event, by hand, or because a tick made up for an event that never came.

use std::collections::BTreeMap;

use crate::azure::{Memo, Scene};
use crate::domain::decision::Decision;
use crate::domain::event::{Event, EventName};
use crate::domain::id::{ServiceId, ServiceName};
use crate::domain::manifest::Manifest;
use crate::domain::observation::{Action, BlobLook, BlobName, Observation};
use crate::domain::offer::{self, Newest, Offer};
use crate::domain::record::{By, Failures, Record, Suspect};
use crate::domain::take_up;
use crate::domain::vocabulary::{BackupName, Container, Digest, Timestamp};
use crate::drive::{Driver, Loaded, Trouble};

/// The records of one invocation, by service name.
pub type Records = BTreeMap<ServiceName, Loaded>;

/// A manifest's blob, and who brought it.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub container: Container,
    /// The blob's name inside the container.
    pub path: String,
    pub by: By,
    /// The one target that is meant; none: every one.
    pub into: Option<ServiceName>,
    /// Restore even into a service that serves; the command line alone can say so.
    pub even_if_live: bool,
}

/// Takes in a manifest for every target it concerns. An error means that the event has to come again.
pub async fn take_in(driver: &Driver<'_>, records: &mut Records, arrival: &Arrival) -> Result<(), Trouble> {
    match addressed(driver, arrival) {
        Ok((backup, source)) => offer_everywhere(driver, records, arrival, (backup, source)).await,
        Err(why) => {
            driver.tell(None, &Event::new(turned_away(arrival.by), why));
            Ok(())
        }
    }
}

fn turned_away(by: By) -> EventName {
    match by {
        By::Automatic => EventName::RestoreIgnored,
        By::Hand => EventName::WishRefused,
    }
}

/// Which backup of which service the blob's name means, if it concerns this deployment.
fn addressed(driver: &Driver<'_>, arrival: &Arrival) -> Result<(BackupName, ServiceId), String> {
    let deployment = driver.deployment;
    let (container, path) = (&arrival.container, &arrival.path);
    let backup = BackupName::of_manifest(path).ok_or_else(|| {
        format!(
            "{container}/{path} is no manifest's name; a manifest is {}/{}-yyyyMMddTHHmmssZ.manifest.json",
            deployment.container,
            deployment.primary.name()
        )
    })?;
    if arrival.by == By::Automatic && *container != deployment.container {
        return Err(format!("{container}/{path} lies outside BACKUP_CONTAINER ({})", deployment.container));
    }
    let source = deployment
        .named(backup.service())
        .ok_or_else(|| format!("{backup} is a backup of a service that the settings do not name"))?;
    if arrival.by == By::Automatic && *source != deployment.primary {
        return Err(format!("{backup} is not the primary's; a secondary's backup is restored by hand alone"));
    }
    Ok((backup, source.clone()))
}

async fn offer_everywhere(
    driver: &Driver<'_>,
    records: &mut Records,
    arrival: &Arrival,
    (backup, source): (BackupName, ServiceId),
) -> Result<(), Trouble> {
    if arrival.by == By::Automatic && !records.contains_key(backup.service()) {
        // To ignore it for that would be to say that it is false; the event has to come again.
        let text =
            format!("whether {} may be trusted is not known: there is no usable record", backup.manifest());
        return Err(Trouble::Fails(text));
    }
    let read = match read(driver, &arrival.container, &backup).await? {
        Ok(read) => read,
        Err(why) => {
            let text = format!("{}: {why}", backup.manifest());
            driver.tell(None, &Event::of(&backup, turned_away(arrival.by), text));
            return Ok(());
        }
    };
    let targets = match targets(driver, arrival, &source) {
        Ok(targets) => targets,
        Err(why) => {
            driver.tell(None, &Event::of(&backup, turned_away(arrival.by), why));
            return Ok(());
        }
    };
    offer_to_each(driver, records, &targets, (&read, Bearer::of(arrival))).await
}

/// The targets that are meant of those that a backup of `source` may be restored into.
fn targets(driver: &Driver<'_>, arrival: &Arrival, source: &ServiceId) -> Result<Vec<ServiceId>, String> {
    let mut targets = driver.deployment.targets_of(source);
    let Some(into) = &arrival.into else { return Ok(targets) };
    let names: Vec<_> = targets.iter().map(|target| target.name().to_string()).collect();
    targets.retain(|target| target.name() == *into);
    if targets.is_empty() {
        let (source, names) = (source.name(), names.join(", "));
        return Err(format!("a backup of {source} is restored into {names}, and not into {into}"));
    }
    Ok(targets)
}

/// Who brings a manifest, and how much they insist.
#[derive(Clone, Copy)]
struct Bearer {
    by: By,
    even_if_live: bool,
}

impl Bearer {
    const AUTOMATIC: Self = Self { by: By::Automatic, even_if_live: false };

    fn of(arrival: &Arrival) -> Self {
        Self { by: arrival.by, even_if_live: arrival.even_if_live }
    }
}

/// Offers a manifest to every target; one that cannot take it holds up no other.
async fn offer_to_each(
    driver: &Driver<'_>,
    records: &mut Records,
    targets: &[ServiceId],
    (read, bearer): (&Read, Bearer),
) -> Result<(), Trouble> {
    let mut failed = Ok(());
    for target in targets {
        if let Err(trouble) = offer_to(driver, records, target, (read, bearer)).await {
            driver.report(Some(&target.name()), &trouble);
            failed = Err(trouble);
        }
    }
    failed
}

/// A manifest as it was read, and its backup's blob as it was looked at.
struct Read {
    manifest: Manifest,
    digest: Digest,
    container: Container,
    blob: BlobLook,
    /// A tick found it, because no event told of it.
    made_up_for: bool,
}

/// Reads a manifest. The inner error says why it is none; the outer one, that it cannot be read now.
async fn read(
    driver: &Driver<'_>,
    container: &Container,
    backup: &BackupName,
) -> Result<Result<Read, String>, Trouble> {
    let bytes = match driver.azure.store().read_manifest(container, backup).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(Err("the manifest is gone".into())),
        Err(trouble) if trouble.is_too_large() => return Ok(Err(trouble.to_string())),
        Err(trouble) => return Err(Trouble::Fails(trouble.to_string())),
    };
    let manifest = match Manifest::parse(backup, &bytes) {
        Ok(manifest) => manifest,
        Err(why) => return Ok(Err(why)),
    };
    let inspect = Action::InspectBlob(BlobName { container: container.clone(), backup: backup.clone() });
    let scene =
        Scene { service: &manifest.service, clock: &driver.clock, others: &[], memo: &Memo::default() };
    let blob = match driver.azure.perform(&scene, &inspect).await {
        Observation::Inspected(blob) => blob,
        _ => BlobLook::NoAnswer("it was not looked at".into()),
    };
    let digest = Digest::of(&bytes);
    Ok(Ok(Read { manifest, digest, container: container.clone(), blob, made_up_for: false }))
}

async fn offer_to(
    driver: &Driver<'_>,
    records: &mut Records,
    target: &ServiceId,
    (read, bearer): (&Read, Bearer),
) -> Result<(), Trouble> {
    let offer = offer_of(driver, records, read, bearer);
    let Some(loaded) = records.get_mut(&target.name()) else {
        tell_of_no_record(driver, target, (&offer.source.name, bearer.by));
        return Ok(());
    };
    let decide =
        |context: &_, record: &Record| offer::take(context, record.clone(), &offer, driver.clock.now());
    driver.change(loaded, 1, decide).await.map(|_| ())
}

/// That the record is of no use was reported when it was loaded; a person has to hear what that means for the wish.
fn tell_of_no_record(driver: &Driver<'_>, target: &ServiceId, (backup, by): (&BackupName, By)) {
    if by == By::Hand {
        let text = format!("{backup} was not taken as a wish: {target} has no usable record");
        driver.tell(Some(&target.name()), &Event::of(backup, EventName::WishRefused, text));
    }
}

fn offer_of(driver: &Driver<'_>, records: &Records, read: &Read, bearer: Bearer) -> Offer {
    let name = &read.manifest.name;
    let source = records.get(name.service()).map(|loaded| &loaded.record);
    let known = source.and_then(|record| record.known(name));
    let primary = records.get(&driver.deployment.primary.name()).map(|loaded| &loaded.record);
    Offer {
        source: read.manifest.source(read.container.clone()),
        by: bearer.by,
        even_if_live: bearer.even_if_live,
        vouched: source.and_then(|record| record.vouches_for(name, &read.digest)),
        // What is about to be committed is accepted unless it says that it is suspicious.
        accepted: known.map_or_else(|| read.manifest.suspicious.is_none(), |known| known.accepted),
        newest: Newest::by(source),
        of_primary: *name.service() == driver.deployment.primary.name(),
        resumed_at: primary.and_then(|record| record.resumed_at),
        made_up_for: read.made_up_for,
        blob: read.blob.clone(),
    }
}

/// Offers the primary's newest backup to each secondary whose event did not come.
pub async fn make_up_for_lost_events(driver: &Driver<'_>, records: &mut Records) -> Result<(), Trouble> {
    let targets: Vec<_> = driver
        .deployment
        .secondaries
        .iter()
        .filter(|target| missed(driver, records, target).is_some())
        .collect();
    let Some(backup) = targets.first().and_then(|target| missed(driver, records, target)) else {
        return Ok(());
    };
    let targets: Vec<_> = targets.into_iter().cloned().collect();
    let read = read(driver, &driver.deployment.container, &backup).await?;
    let read = read.map_err(NotOffered::Unreadable).and_then(|read| vouched_for(driver, records, read));
    match read {
        Ok(read) => {
            let text = "no event has led to its restore within 3 min; this invocation takes it up";
            driver.tell(None, &Event::of(&backup, EventName::ManifestTakenUp, text));
            let read = Read { made_up_for: true, ..read };
            offer_to_each(driver, records, &targets, (&read, Bearer::AUTOMATIC)).await
        }
        Err(why) => {
            for target in &targets {
                give_up_on(driver, records, target, (&backup, &why)).await?;
            }
            Ok(())
        }
    }
}

fn missed(driver: &Driver<'_>, records: &Records, target: &ServiceId) -> Option<BackupName> {
    let source = &records.get(&driver.deployment.primary.name())?.record;
    let target = &records.get(&target.name())?.record;
    if driver.deployment.dry_run {
        return None;
    }
    take_up::missed(source, target, driver.clock.now()).map(|backup| backup.name.clone())
}

/// The manifest, if its bytes are those that the primary's record names.
fn vouched_for(driver: &Driver<'_>, records: &Records, read: Read) -> Result<Read, NotOffered> {
    let primary = records.get(&driver.deployment.primary.name()).map(|loaded| &loaded.record);
    match primary.and_then(|record| record.vouches_for(&read.manifest.name, &read.digest)) {
        Some(_) => Ok(read),
        None => Err(NotOffered::Altered(
            "its bytes are not those that the record names; restore it by hand if you trust it".into(),
        )),
    }
}

/// Why the newest manifest is not offered though the record names it.
enum NotOffered {
    /// It is gone, or no manifest.
    Unreadable(String),
    /// Somebody wrote other bytes in its place.
    Altered(String),
}

/// A manifest that is gone, unreadable or not the one that the record names is not asked for again at every tick.
async fn give_up_on(
    driver: &Driver<'_>,
    records: &mut Records,
    target: &ServiceId,
    (backup, why): (&BackupName, &NotOffered),
) -> Result<(), Trouble> {
    let Some(source) = records.get(&driver.deployment.primary.name()).map(|it| it.record.clone()) else {
        return Ok(());
    };
    let Some(loaded) = records.get_mut(&target.name()) else { return Ok(()) };
    let now = driver.clock.now();
    let decide = |_: &_, record: &Record| {
        let is_missed = take_up::missed(&source, record, now).is_some_and(|missed| missed.name == *backup);
        // Another invocation may have taken it up meanwhile.
        Ok(match is_missed {
            true => put_aside(record.clone(), (backup, why), now),
            false => Decision::rest(record.clone()),
        })
    };
    driver.change(loaded, 1, decide).await.map(|_| ())
}

fn put_aside(mut record: Record, (backup, why): (&BackupName, &NotOffered), now: Timestamp) -> Decision {
    record.refused = Some(backup.clone());
    let (NotOffered::Unreadable(said) | NotOffered::Altered(said)) = why;
    let text = format!("{}: {said}", backup.manifest());
    let name = match why {
        NotOffered::Unreadable(_) => {
            record.restore_failures = Some(Failures::noted(record.restore_failures, now, text.clone()));
            EventName::RestoreRefused
        }
        NotOffered::Altered(_) => {
            record.suspect = Some(Suspect { at: now, what: text.clone() });
            EventName::ConfigurationSuspect
        }
    };
    Decision::rest(record).telling(Event::of(backup, name, text))
}
