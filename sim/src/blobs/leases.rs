//! Leases: an exclusive claim on a blob's writes, by an id, for 15 to 60 seconds or for ever.

use axum::http::StatusCode;
use time::{Duration, OffsetDateTime};

use super::conditions;
use super::reply::{Outcome, Refusal, Reply};
use super::request::Request;
use super::store::Store;

#[derive(Clone, Debug, Default)]
pub(super) enum Lease {
    /// Never taken, or given back.
    #[default]
    Available,
    /// Taken; `until` is absent for an endless one. It counts as expired once that time has come.
    Taken { id: String, seconds: i64, until: Option<OffsetDateTime> },
    /// Broken; its holder keeps it until then.
    Broken { id: String, from: OffsetDateTime },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Available,
    Leased,
    Expired,
    Breaking,
    Broken,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Leased => "leased",
            Self::Expired => "expired",
            Self::Breaking => "breaking",
            Self::Broken => "broken",
        }
    }

    fn is_active(self) -> bool {
        matches!(self, Self::Leased | Self::Breaking)
    }
}

impl Lease {
    pub(super) fn state(&self, now: OffsetDateTime) -> State {
        match self {
            Self::Available => State::Available,
            Self::Taken { until: Some(until), .. } if now >= *until => State::Expired,
            Self::Taken { .. } => State::Leased,
            Self::Broken { from, .. } if now >= *from => State::Broken,
            Self::Broken { .. } => State::Breaking,
        }
    }

    /// `locked` or `unlocked`.
    pub(super) fn status(&self, now: OffsetDateTime) -> &'static str {
        if self.state(now).is_active() { "locked" } else { "unlocked" }
    }

    /// `infinite` or `fixed`, for a lease that is held.
    pub(super) fn duration_word(&self, now: OffsetDateTime) -> Option<&'static str> {
        match self {
            Self::Taken { until, .. } if self.state(now) == State::Leased => {
                Some(if until.is_none() { "infinite" } else { "fixed" })
            }
            _ => None,
        }
    }

    /// A write under an expired or broken lease ends it for good: it can not be renewed any more.
    pub(super) fn after_write(&self, now: OffsetDateTime) -> Self {
        if self.state(now).is_active() { self.clone() } else { Self::Available }
    }

    fn id(&self) -> Option<&str> {
        match self {
            Self::Available => None,
            Self::Taken { id, .. } | Self::Broken { id, .. } => Some(id),
        }
    }

    fn taken(id: &str, seconds: i64, now: OffsetDateTime) -> Self {
        let until = (seconds > 0).then(|| now + Duration::seconds(seconds));
        Self::Taken { id: id.to_owned(), seconds, until }
    }
}

/// A write needs the id of an active lease, and must name none otherwise.
pub(super) fn allow_write(lease: &Lease, request: &Request, now: OffsetDateTime) -> Result<(), Refusal> {
    if lease.state(now).is_active() && request.header("x-ms-lease-id").is_empty() {
        return Err(Refusal::precondition(
            "LeaseIdMissing",
            "There is currently a lease on the blob and no lease ID was specified in the request.",
        ));
    }
    allow_read(lease, request, now)
}

/// A read needs no id, but one that it names must be right.
pub(super) fn allow_read(lease: &Lease, request: &Request, now: OffsetDateTime) -> Result<(), Refusal> {
    let given = request.header("x-ms-lease-id");
    match lease.state(now).is_active() {
        _ if given.is_empty() => Ok(()),
        false => Err(Refusal::precondition(
            "LeaseNotPresentWithBlobOperation",
            "There is currently no lease on the blob.",
        )),
        true if same(lease, given) => Ok(()),
        true => Err(Refusal::precondition(
            "LeaseIdMismatchWithBlobOperation",
            "The lease ID specified did not match the lease ID for the blob.",
        )),
    }
}

pub(super) fn apply(store: &mut Store, request: &Request, now: OffsetDateTime) -> Outcome {
    let blob = store.blob(&request.container, &request.blob)?;
    conditions::allow_write(request, Some(&blob.stamp))?;
    let lease = &mut blob.lease;
    let reply = match request.header("x-ms-lease-action") {
        "acquire" => acquire(lease, request, now),
        "renew" => renew(lease, request, now),
        "release" => release(lease, request),
        "change" => change(lease, request, now),
        "break" => break_lease(lease, request, now),
        other => Err(Refusal::bad_request("InvalidHeaderValue", format!("x-ms-lease-action is {other:?}"))),
    }?;
    Ok(reply.stamp(&blob.stamp))
}

fn acquire(lease: &mut Lease, request: &Request, now: OffsetDateTime) -> Outcome {
    let Ok(seconds @ (-1 | 15..=60)) = request.header("x-ms-lease-duration").parse::<i64>() else {
        let why = "x-ms-lease-duration must be -1 or 15 to 60";
        return Err(Refusal::bad_request("InvalidHeaderValue", why));
    };
    // An id of the server's choice needs to be new, not secret.
    let proposed = match request.header("x-ms-proposed-lease-id") {
        "" => format!("1ea5e000-0000-4000-8000-{:012x}", now.unix_timestamp_nanos() & 0xffff_ffff_ffff),
        id => id.to_owned(),
    };
    match lease.state(now) {
        State::Leased | State::Breaking if !same(lease, &proposed) => {
            Err(Refusal::conflict("LeaseAlreadyPresent", "There is already a lease present."))
        }
        State::Breaking => Err(Refusal::conflict(
            "LeaseIsBreakingAndCannotBeAcquired",
            "The lease is breaking and can not be acquired until it is broken.",
        )),
        _ => {
            *lease = Lease::taken(&proposed, seconds, now);
            Ok(Reply::new(StatusCode::CREATED).header("x-ms-lease-id", proposed))
        }
    }
}

fn renew(lease: &mut Lease, request: &Request, now: OffsetDateTime) -> Outcome {
    let id = held_id(lease, request)?;
    match lease {
        Lease::Taken { seconds, .. } => {
            *lease = Lease::taken(&id, *seconds, now);
            Ok(Reply::new(StatusCode::OK).header("x-ms-lease-id", id))
        }
        _ => Err(Refusal::conflict(
            "LeaseIsBrokenAndCannotBeRenewed",
            "The lease was broken and can not be renewed.",
        )),
    }
}

fn release(lease: &mut Lease, request: &Request) -> Outcome {
    held_id(lease, request)?;
    *lease = Lease::Available;
    Ok(Reply::new(StatusCode::OK))
}

fn change(lease: &mut Lease, request: &Request, now: OffsetDateTime) -> Outcome {
    let proposed = request.header("x-ms-proposed-lease-id").to_owned();
    // Whoever repeats a change names the old id, and finds the new one in place.
    if !same(lease, &proposed) {
        held_id(lease, request)?;
    }
    match lease {
        Lease::Taken { id, .. } if !proposed.is_empty() => {
            id.clone_from(&proposed);
            Ok(Reply::new(StatusCode::OK).header("x-ms-lease-id", proposed))
        }
        _ if lease.state(now) == State::Breaking => Err(Refusal::conflict(
            "LeaseIsBreakingAndCannotBeChanged",
            "The lease is breaking and can not be changed.",
        )),
        _ => Err(Refusal::bad_request("MissingRequiredHeader", "x-ms-proposed-lease-id is needed")),
    }
}

fn break_lease(lease: &mut Lease, request: &Request, now: OffsetDateTime) -> Outcome {
    let rest = match lease {
        Lease::Available => {
            return Err(Refusal::conflict(
                "LeaseNotPresentWithLeaseOperation",
                "There is currently no lease on the blob.",
            ));
        }
        Lease::Taken { until, .. } => until.map_or(Duration::ZERO, |until| until - now),
        Lease::Broken { from, .. } => *from - now,
    };
    let asked = request.header("x-ms-lease-break-period").parse::<i64>().ok().map(Duration::seconds);
    let endless = matches!(lease, Lease::Taken { until: None, .. });
    // A break period can shorten what is left of a lease, never lengthen it.
    let period = match asked {
        Some(asked) if endless => asked,
        Some(asked) => asked.min(rest),
        None => rest,
    };
    let period = period.max(Duration::ZERO);
    let id = lease.id().unwrap_or_default().to_owned();
    *lease = Lease::Broken { id, from: now + period };
    let seconds = period.whole_seconds().to_string();
    Ok(Reply::new(StatusCode::ACCEPTED).header("x-ms-lease-time", seconds))
}

/// The id that the request names, if it is the lease's.
fn held_id(lease: &Lease, request: &Request) -> Result<String, Refusal> {
    let given = request.header("x-ms-lease-id");
    match same(lease, given) {
        true => Ok(given.to_owned()),
        false => Err(Refusal::conflict(
            "LeaseIdMismatchWithLeaseOperation",
            "The lease ID specified did not match the lease ID for the blob.",
        )),
    }
}

fn same(lease: &Lease, id: &str) -> bool {
    lease.id().is_some_and(|held| held.eq_ignore_ascii_case(id))
}
