//! Conditions of the deployment as a whole: failover, heartbeat, settings, certificates.

use std::collections::BTreeMap;

use time::Duration;

use super::ledger::CERTIFICATE_MARGIN;
use super::{CertificateLook, Condition, ConditionKind, UnreadRecord, View};
use crate::domain::id::ServiceName;
use crate::domain::serving::Serving;
use crate::domain::vocabulary::{Timestamp, in_words};

/// A minute timer that last ran longer ago than this has missed several of its occurrences.
const SLOW_HEARTBEAT: Duration = Duration::minutes(5);

/// A record that could not be read for as long is worth telling. A hiccup of storage is over by then, and so is the time
/// in which an old version still meets what a new one has written.
const LONG_UNREAD: Duration = Duration::minutes(5);

pub(super) fn conditions(view: &View<'_>, now: Timestamp) -> Vec<Condition> {
    let mut found: Vec<_> =
        failed_over(view).into_iter().chain(slow(view, now)).chain(dry_run(view)).collect();
    found.extend(foreign(view));
    found.extend(unreadable(view, now));
    found.extend(suspect_manifests(view));
    found.extend(suspect_settings(view));
    found.extend(certificates(view, now));
    found
}

fn failed_over(view: &View<'_>) -> Option<Condition> {
    let latch = view.situation.failed_over.as_ref()?;
    let primary = view.primary;
    let now_served_by =
        view.record(primary).and_then(|record| record.served.as_ref()).map(|served| &served.by);
    let (fact, next) = match now_served_by {
        Some(by) if by == primary => (
            format!(
                "{} carried the traffic since {}, and traffic has returned to the primary {primary} by itself",
                latch.names(),
                latch.since
            ),
            format!(
                "restore what was changed on {} into {primary} by hand if you need it, then say `resume`: until then no \
                 standby is kept up",
                latch.names()
            ),
        ),
        _ => (
            format!(
                "{} carried the traffic since {}, not the primary {primary}",
                latch.names_have(),
                latch.since
            ),
            format!(
                "when {primary} is well: back up {}, restore that into {primary} by hand, move the traffic back, and say \
                 `resume`",
                latch.serving
            ),
        ),
    };
    Some(Condition::of(ConditionKind::FailedOver, primary, fact, next).since(latch.since))
}

fn slow(view: &View<'_>, now: Timestamp) -> Option<Condition> {
    let last_run = view.last_run.filter(|last| now - *last > SLOW_HEARTBEAT)?;
    let fact = format!("before this tick BackupTimer last ran at {last_run}, and it should run every minute");
    let next = "see that the app is not stopped, throttled or out of quota, and that its plan keeps the timer running";
    Some(Condition::of_deployment(ConditionKind::HeartbeatSlow, fact, next))
}

fn dry_run(view: &View<'_>) -> Option<Condition> {
    let next = "set DRY_RUN to false when backups and restores shall be made";
    let on = view.promise.dry_run;
    on.then(|| Condition::of_deployment(ConditionKind::DryRun, "DRY_RUN is on, and nothing is begun", next))
}

fn foreign<'a>(view: &'a View<'_>) -> impl Iterator<Item = Condition> + 'a {
    let next = "a service belongs to one deployment: if it was moved, accept its new id with `apim-dr adopt`; otherwise give \
                this deployment containers of its own";
    view.foreign.iter().map(move |(service, what)| {
        Condition::of(ConditionKind::ConfigurationSuspect, service, what.clone(), next)
    })
}

fn is_foreign(view: &View<'_>, service: &ServiceName) -> bool {
    view.foreign.iter().any(|(foreign, _)| foreign == service)
}

/// What belongs to another deployment has a condition of its own.
fn unreadable<'a>(view: &'a View<'_>, now: Timestamp) -> impl Iterator<Item = Condition> + 'a {
    let lasts =
        move |unread: &&UnreadRecord| now - unread.since >= LONG_UNREAD && !is_foreign(view, &unread.service);
    let next = "nothing is backed up or restored there until it can be: let the app reach its storage, run the version of \
                apim-dr that wrote the record, or put the record right as the runbook says";
    view.unread.iter().filter(lasts).map(move |UnreadRecord { service, since, why }| {
        let fact = format!("the record of {service} cannot be read since {since}: {why}");
        Condition::of(ConditionKind::RecordUnreadable, service, fact, next).since(*since)
    })
}

fn suspect_manifests<'a>(view: &'a View<'_>) -> impl Iterator<Item = Condition> + 'a {
    let records = view
        .records
        .iter()
        .filter(move |record| view.is_named(record) && !is_foreign(view, &record.service.name()));
    records.filter_map(|record| {
        let suspect = record.suspect.as_ref()?;
        let next = "find out who writes into BACKUP_CONTAINER beside this deployment. If you vouch for the backup, restore it \
                    by hand";
        let service = record.service.name();
        let fact = format!("at {}: {}", suspect.at, suspect.what);
        Some(Condition::of(ConditionKind::ConfigurationSuspect, &service, fact, next).since(suspect.at))
    })
}

fn suspect_settings(view: &View<'_>) -> Option<Condition> {
    let mut facts = Vec::new();
    if view.situation.serving == Serving::NotConfigured {
        facts.push(
            "nobody says which service carries the traffic, so nothing is restored by itself: set TRAFFIC_MANAGER_ID, or \
             LIVE_CHECK=off if a restore may run without asking"
                .to_owned(),
        );
    }
    let (gap, target) = (view.promise.longest_gap, view.promise.rpo_target);
    if gap > target {
        facts.push(format!(
            "BACKUP_SCHEDULE leaves {} between two backups, and RPO_TARGET is {}: BackupMissing will be raised in \
             between",
            in_words(gap),
            in_words(target)
        ));
    }
    let is_suspect = !facts.is_empty();
    is_suspect.then(|| {
        let fact = facts.join("; and ");
        Condition::of_deployment(ConditionKind::ConfigurationSuspect, fact, "change the app's settings")
    })
}

/// One for each service, whatever number of its hostnames are at fault.
fn certificates(view: &View<'_>, now: Timestamp) -> impl Iterator<Item = Condition> {
    let mut faults: BTreeMap<&ServiceName, Vec<String>> = BTreeMap::new();
    for look in view.certificates {
        if let Some(fault) = fault(look, now) {
            faults.entry(&look.service).or_default().push(fault);
        }
    }
    let next = "Traffic Manager's probes ignore certificates, so after a failover users would meet this: renew the certificate \
                on the secondary";
    faults
        .into_iter()
        .map(move |(service, faults)| {
            Condition::of(ConditionKind::StandbyCertificate, service, faults.join("; "), next)
        })
        .collect::<Vec<_>>()
        .into_iter()
}

fn fault(look: &CertificateLook, now: Timestamp) -> Option<String> {
    let (service, host) = (&look.service, &look.host);
    match (&look.refused, look.good_until) {
        (Some(why), _) => Some(format!("the gateway of {service} does not prove itself as {host}: {why}")),
        (None, Some(until)) if until - now <= CERTIFICATE_MARGIN => {
            Some(format!("the certificate of {host} on {service} is good until {until} only"))
        }
        _ => None,
    }
}
