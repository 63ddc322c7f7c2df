//! Who serves, as one invocation learns it, and what that means for the records: roles that have changed, the failover
//! latch, `resume`.

use std::collections::BTreeSet;

use crate::arrival::Records;
use crate::domain::decide::turn_roles;
use crate::domain::decision::{Context, Decision};
use crate::domain::failover::{self, Inherited};
use crate::domain::id::{ServiceId, ServiceName};
use crate::domain::record::Record;
use crate::domain::serving::Serving;
use crate::drive::{Driver, Loaded, Trouble};

/// Takes in what the invocation's first read of the profile said, before any wish: roles first, then the latch. `unread`
/// are the services whose records are there and cannot be used.
pub async fn take_in(
    driver: &mut Driver<'_>,
    records: &mut Records,
    (serving, unread): (Serving, &[(ServiceName, String)]),
) -> Result<(), Trouble> {
    learn(driver, records, serving);
    let roles = take_in_roles(driver, records, unread).await;
    note(driver, records).await.and(roles)
}

/// Until a role is turned, its record names the old primary, which the settings may name no more: nobody would look into
/// that one's record afterwards.
async fn take_in_roles(
    driver: &mut Driver<'_>,
    records: &mut Records,
    unread: &[(ServiceName, String)],
) -> Result<(), Trouble> {
    let all_read =
        followed(driver, records).iter().all(|name| unread.iter().all(|(unread, _)| unread != name));
    driver.situation.handed_over = gather_latch(driver, records).await? && all_read;
    match driver.situation.handed_over {
        true => turn_all_roles(driver, records).await,
        false => Ok(()),
    }
}

/// Takes in what a look has read of the profile since, if it is something new.
pub async fn take_in_looks(driver: &mut Driver<'_>, records: &mut Records) -> Result<(), Trouble> {
    match driver.take_looked_up() {
        Some(serving) if serving != driver.situation.serving => {
            learn(driver, records, serving);
            note(driver, records).await
        }
        _ => Ok(()),
    }
}

/// Goes on after a failover, as far as that is allowed.
pub async fn resume(
    driver: &mut Driver<'_>,
    records: &mut Records,
    even_if_unknown: bool,
) -> Result<(), Trouble> {
    let primary = driver.deployment.primary.name();
    if !records.contains_key(&primary) {
        return Err(Trouble::Fails(format!("{primary} has no usable record, and the latch stands there")));
    }
    let now = driver.clock.now();
    change(driver, records, &primary, |context, record| {
        Ok(failover::resume(context, record.clone(), even_if_unknown, now))
    })
    .await?;
    update(driver, records);
    Ok(())
}

/// Takes in what a read said, without a word in any record.
pub fn learn(driver: &mut Driver<'_>, records: &Records, serving: Serving) {
    driver.situation.serving = serving;
    update(driver, records);
}

/// What follows from the records and the newest read. Without the primary's, nothing is known of a latch but what others
/// keep of it; no restore begins then, since the looks before it read that record again. Nor is it known when somebody
/// watched, and a driver begins with that.
fn update(driver: &mut Driver<'_>, records: &Records) {
    let name = driver.deployment.primary.name();
    let (inherited, primary) = (inherited(driver, records), records.get(&name));
    let own = primary.and_then(|primary| primary.record.failed_over.as_ref());
    driver.situation.failed_over = inherited.latch(own, &name);
    let Some(primary) = primary else { return };
    let situation = &mut driver.situation;
    situation.backed_up = failover::backed_up(&primary.record, &situation.serving);
    situation.resumed_at = primary.record.resumed_at;
    situation.blind_until = failover::blind_until(
        primary.record.served.as_ref(),
        driver.azure.reads_profile(),
        driver.clock.now(),
    );
    situation.measure = primary.record.newest_measured().map(|(_, counts)| counts).into();
}

/// A change of roles comes before any wish: what is wished for after it must not be dropped by it. A service that the
/// settings do not name has no role in this deployment, and may have one in another.
async fn turn_all_roles(driver: &Driver<'_>, records: &mut Records) -> Result<(), Trouble> {
    let primary = driver.deployment.primary.name();
    let turned = |loaded: &&mut Loaded| {
        loaded.record.primary != primary && driver.deployment.named(&loaded.record.service.name()).is_some()
    };
    for loaded in records.values_mut().filter(turned) {
        let decide = |context: &_, record: &Record| match record.primary == primary {
            true => Ok(Decision::rest(record.clone())),
            false => Ok(turn_roles(context, record.clone(), driver.clock.now())),
        };
        driver.change(loaded, 1, decide).await?;
    }
    Ok(())
}

/// Latch and `resume` belong to the primary's record. They are put there first and taken away elsewhere afterwards, so
/// that no kill loses them; and before the roles are turned, since until then the records name the old primary. Says
/// whether they stand there.
async fn gather_latch(driver: &mut Driver<'_>, records: &mut Records) -> Result<bool, Trouble> {
    let primary = driver.deployment.primary.name();
    let inherited = inherited(driver, records);
    let is_settled = |loaded: &Loaded| inherited.hand_over(loaded.record.clone()).record == loaded.record;
    if inherited.is_empty() && records.get(&primary).is_none_or(is_settled) {
        return Ok(true);
    }
    change(driver, records, &primary, |_, record| Ok(inherited.hand_over(record.clone()))).await?;
    let Some(kept) = records.get(&primary).map(|loaded| loaded.record.clone()) else { return Ok(false) };
    for name in once_primary(driver, records) {
        change(driver, records, &name, |_, record| Ok(failover::hand_on(record.clone(), &kept))).await?;
    }
    update(driver, records);
    Ok(true)
}

/// What the records of the others say that belongs to the primary's.
fn inherited(driver: &Driver<'_>, records: &Records) -> Inherited {
    let names = once_primary(driver, records);
    Inherited::from(names.iter().filter_map(|name| records.get(name)).map(|loaded| &loaded.record))
}

/// The services of this deployment that may have been its primary: those of the settings, and whoever they follow still.
fn once_primary(driver: &Driver<'_>, records: &Records) -> BTreeSet<ServiceName> {
    let mut names = followed(driver, records);
    names.extend(driver.deployment.secondaries.iter().map(ServiceId::name));
    names
}

/// The services that are followed still, though they are the primary no more.
fn followed(driver: &Driver<'_>, records: &Records) -> BTreeSet<ServiceName> {
    let configured = driver.deployment.all().filter_map(|service| records.get(&service.name()));
    let mut names: BTreeSet<_> = configured.map(|loaded| loaded.record.primary.clone()).collect();
    names.remove(&driver.deployment.primary.name());
    names
}

/// Only a read of the profile is worth remembering: what the settings say stands in the settings.
async fn note(driver: &mut Driver<'_>, records: &mut Records) -> Result<(), Trouble> {
    if driver.azure.reads_profile() {
        let primary = driver.deployment.primary.name();
        let (serving, now) = (driver.situation.serving.clone(), driver.clock.now());
        match (records.contains_key(&primary), serving.service()) {
            (true, _) => {
                let decide = |_: &_, record: &Record| Ok(failover::note(record.clone(), &serving, now));
                change(driver, records, &primary, decide).await?;
            }
            (false, Some(secondary)) if *secondary != primary => {
                let decide =
                    |_: &_, record: &Record| Ok(failover::note_beside(record.clone(), &primary, now));
                change(driver, records, secondary, decide).await?;
            }
            (false, _) => {}
        }
    }
    update(driver, records);
    Ok(())
}

/// Changes one record, if there is a usable one.
async fn change(
    driver: &Driver<'_>,
    records: &mut Records,
    service: &ServiceName,
    decide: impl FnMut(&Context, &Record) -> Result<Decision, String>,
) -> Result<(), Trouble> {
    let Some(loaded) = records.get_mut(service) else { return Ok(()) };
    driver.change(loaded, 1, decide).await.map(|_| ())
}
