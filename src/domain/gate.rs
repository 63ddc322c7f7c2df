//! What stands between a manifest and a restore. First match wins.

use super::decision::Context;
use super::id::ServiceName;
use super::observation::{BlobLook, Looks, NoLook, ServiceLook};
use super::record::{By, FailedOver, Holds, Operation, Record, RestoreSource, RestoreWish};
use super::serving::Serving;
use super::vocabulary::{BackupName, ServiceState, Timestamp};

pub use content::{asking, restored_from, unwatched, unwatched_since};

mod content;

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
    let known = (context.failed_over.as_ref(), &context.serving);
    if let Some(reason) = traffic(context, (record, wish), known) {
        return Verdict::Deferred(reason);
    }
    if let (By::Automatic, Some(pin)) = (wish.by, &record.pin) {
        return Verdict::Deferred(format!(
            "{} was chosen by hand at {}, and was not known to be the newest: restore the newest by hand to go on",
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

/// Why the traffic, past or present, forbids the restore. The latch may stand in the target's own record as well. A record
/// whose role could not be turned still names the old primary, and that one's may say that a failover is not over.
fn traffic(
    context: &Context,
    (record, wish): (&Record, &RestoreWish),
    (failed_over, serving): (Option<&FailedOver>, &Serving),
) -> Option<String> {
    let (before, primary) = (&record.primary, &context.primary);
    match (wish.by, failed_over.or(record.failed_over.as_ref())) {
        (By::Automatic, _) if before != primary => Some(format!(
            "the primary was {before} and is {primary} now, and what the record of {before} says of a failover does not \
             stand in that of {primary} yet: one of the two cannot be used"
        )),
        _ if is_of_another(context, wish) => Some(format!(
            "it is a backup of {}, which was the primary for a while, and the primary is {primary} now",
            wish.source.name.service()
        )),
        (By::Automatic, Some(latch)) => Some(format!(
            "{} carried the traffic since {}, and what was changed there must not be lost: say `resume` when the \
             primary is to be followed again",
            latch.names_have(),
            latch.since
        )),
        _ if wish.even_if_live => None,
        _ => may_serve(context, wish.by, serving),
    }
}

fn may_serve(context: &Context, by: By, serving: &Serving) -> Option<String> {
    match serving {
        Serving::NotConfigured => Some(
            "nobody says which service carries the traffic: set TRAFFIC_MANAGER_ID to the profile that routes to \
             the services, or LIVE_CHECK=off if a restore may run without asking"
                .into(),
        ),
        Serving::Unknown(why) => Some(format!("which service carries the traffic is not known: {why}")),
        Serving::Service(serving) if *serving == context.service.name() => {
            Some(format!("{serving} carries the traffic, and a restore would overwrite it"))
        }
        Serving::Service(serving) if by == By::Automatic && *serving != context.primary => {
            Some(format!("{serving} carries the traffic, not the primary {}", context.primary))
        }
        Serving::Service(_) => None,
    }
}

/// The gates that need looks: the blob, the traffic, the other targets, what the service holds, the service.
pub fn after_looking(context: &Context, (record, wish): (&Record, &RestoreWish), looks: &Looks) -> Verdict {
    let source = &wish.source;
    match blob_is_the_proven_one(source, looks.blob.as_ref()) {
        Verdict::Pass => {}
        verdict => return verdict,
    }
    if let Some(reason) = not_now(context, (record, wish), looks) {
        return Verdict::Deferred(reason);
    }
    if let Err(NoLook::NoToken(why)) = &looks.service {
        return Verdict::NoToken(why.clone());
    }
    if let Some(reason) = content::objects(context, (record, wish), looks) {
        return Verdict::Deferred(reason);
    }
    match &looks.service {
        Ok(service) => fits(source, service),
        Err(why) => Verdict::Deferred(format!("the service cannot be looked at: {why}")),
    }
}

/// Whether an automatic wish is for a backup of a service that is not the primary.
pub fn is_of_another(context: &Context, wish: &RestoreWish) -> bool {
    wish.by == By::Automatic && *wish.source.name.service() != context.primary
}

/// Whether an automatic wish is for a backup that began before the last `resume`.
pub fn is_given_up(wish: &RestoreWish, resumed_at: Option<Timestamp>) -> bool {
    wish.by == By::Automatic && resumed_at.is_some_and(|resumed| wish.source.started_at < resumed)
}

/// What the traffic and the other services have against the restore, by what was just looked at.
fn not_now(context: &Context, (record, wish): (&Record, &RestoreWish), looks: &Looks) -> Option<String> {
    let others = match &looks.others {
        Ok(others) => others,
        Err(why) => return Some(format!("whether another restore runs is not known: {why}")),
    };
    let Some(serving) = &looks.serving else {
        return Some("who carries the traffic was not looked at".into());
    };
    if let Some(reason) = traffic(context, (record, wish), (others.failed_over.as_ref(), serving)) {
        return Some(reason);
    }
    if is_given_up(wish, others.resumed_at) {
        return Some("it began before a `resume` that was said meanwhile".into());
    }
    let names: Vec<_> = others.restoring.iter().map(ServiceName::as_str).collect();
    let others_run = !names.is_empty();
    others_run.then(|| format!("one service is restored at a time, and now it is {}", names.join(", ")))
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
