//! What stands between a manifest and a restore. First match wins.

use super::decision::{Context, Serving};
use super::id::ServiceName;
use super::observation::{BlobLook, Looks, NoLook, ServiceLook};
use super::record::{By, Holds, Operation, Record, RestoreSource, RestoreWish};
use super::vocabulary::{BackupName, ServiceState, Timestamp};

/// What the gates say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    /// Tried again at later ticks.
    Deferred(String),
    /// Never again.
    Refused(String),
    /// No token: nothing can be done for this service in this invocation.
    NoToken(String),
}

/// The gates that need no look.
pub fn before_looking(context: &Context, record: &Record, wish: &RestoreWish, now: Timestamp) -> Verdict {
    if let Some(refusal) = is_over(&context.service.name(), &wish.source, now) {
        return Verdict::Refused(refusal);
    }
    let automatic = wish.by == By::Automatic;
    if let (false, Some(reason)) = (wish.even_if_live, may_serve(context)) {
        return Verdict::Deferred(reason);
    }
    if let (true, Some(pin)) = (automatic, &record.pin) {
        return Verdict::Deferred(format!(
            "{} was chosen by hand at {} although a newer backup existed: restore the newest by hand to go on",
            pin.backup, pin.since
        ));
    }
    Verdict::Pass
}

/// What can never be restored, whoever asks.
pub fn is_over(target: &ServiceName, source: &RestoreSource, now: Timestamp) -> Option<String> {
    if source.name.service() == target {
        return Some(format!("{} is a backup of {target} itself", source.name));
    }
    (now >= source.expires_at).then(|| {
        format!(
            "{} expired at {}: API Management refuses a backup older than 30 days",
            source.name, source.expires_at
        )
    })
}

fn may_serve(context: &Context) -> Option<String> {
    match &context.serving {
        Serving::NotConfigured => Some(
            "nobody says which service carries the traffic: set TRAFFIC_MANAGER_ID to the profile that routes to \
             the services, or LIVE_CHECK=off if a restore may run without asking"
                .into(),
        ),
        Serving::Unknown(why) => Some(format!("which service carries the traffic is not known: {why}")),
        Serving::Service(serving) if *serving == context.service.name() => {
            Some(format!("{serving} carries the traffic, and a restore would overwrite it"))
        }
        Serving::Service(_) => None,
    }
}

/// The gates that need looks: the blob, the other targets, the service.
pub fn after_looking(source: &RestoreSource, looks: &Looks) -> Verdict {
    match blob_is_the_proven_one(source, looks.blob.as_ref()) {
        Verdict::Pass => {}
        verdict => return verdict,
    }
    match &looks.others {
        Ok(others) if others.is_empty() => {}
        Ok(others) => {
            let names: Vec<_> = others.iter().map(ServiceName::as_str).collect();
            return Verdict::Deferred(format!(
                "one service is restored at a time, and now it is {}",
                names.join(", ")
            ));
        }
        Err(why) => return Verdict::Deferred(format!("whether another restore runs is not known: {why}")),
    }
    match &looks.service {
        Ok(service) => fits(source, service),
        Err(NoLook::NoToken(why)) => Verdict::NoToken(why.clone()),
        Err(why) => Verdict::Deferred(format!("the service cannot be looked at: {why}")),
    }
}

/// The blob still is what its manifest proves.
pub fn blob_is_the_proven_one(source: &RestoreSource, blob: Option<&BlobLook>) -> Verdict {
    match blob {
        Some(BlobLook::Found(found)) if found.length == source.length && found.etag == source.etag => {
            Verdict::Pass
        }
        Some(BlobLook::Found(_)) => Verdict::Refused(format!(
            "the blob {} is not the one that was proven: its length or ETag has changed since",
            source.name.blob()
        )),
        Some(BlobLook::Missing) => Verdict::Refused(format!("the blob {} is gone", source.name.blob())),
        Some(BlobLook::NoAnswer(why)) => Verdict::Deferred(format!("the backup cannot be looked at: {why}")),
        None => Verdict::Deferred("the backup was not looked at".into()),
    }
}

fn fits(source: &RestoreSource, service: &ServiceLook) -> Verdict {
    if !service.tier.has_backup() {
        return Verdict::Deferred(format!("the tier {} has no restore", service.tier));
    }
    if service.tier != source.tier {
        return Verdict::Deferred(format!(
            "the service's tier is {} and the backup's is {}: Azure restores between equal tiers only",
            service.tier, source.tier
        ));
    }
    match &service.state {
        state if state.is_free() => Verdict::Pass,
        ServiceState::Updating => Verdict::Deferred("the service is Updating by somebody else".into()),
        state => {
            Verdict::Deferred(format!("the service is {state}, and only Succeeded or Failed can be restored"))
        }
    }
}

/// Whether a backup is what the record's service holds, or is about to.
pub fn already_held(record: &Record, backup: &BackupName) -> bool {
    let held = matches!(&record.holds, Holds::Backup(held) if held.backup == *backup);
    let under_way = matches!(&record.operation, Operation::Restore(run) if run.source.name == *backup);
    held || under_way
}
