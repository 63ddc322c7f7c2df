//! A manifest is offered to a target: ignored, refused, or kept as the target's wish.

use super::decision::{Context, Decision};
use super::event::{Event, EventName};
use super::gate::{self, Verdict};
use super::observation::BlobLook;
use super::record::{By, EventLost, Failures, Operation, Pin, Record, RestoreSource, RestoreWish, Suspect};
use super::vocabulary::Timestamp;

/// A manifest that was read, with what the records say of it.
#[derive(Clone, Debug)]
pub struct Offer {
    pub source: RestoreSource,
    pub by: By,
    pub even_if_live: bool,
    /// `startedAt` as the record of the backed-up service holds it, if name and digest stand there.
    pub vouched: Option<Timestamp>,
    /// The record accepts the backup: verified and not suspicious, or restored by hand since.
    pub accepted: bool,
    pub newest: Newest,
    /// It is the primary's, which alone moves `seen`.
    pub of_primary: bool,
    /// The last `resume`, by the primary's record.
    pub resumed_at: Option<Timestamp>,
    /// A tick brings it, because no event has.
    pub made_up_for: bool,
    /// The backup's blob as it was just looked at.
    pub blob: BlobLook,
}

/// When the newest accepted backup of a service began, by that service's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newest {
    /// The record could not be read, and nobody knows.
    Unread,
    /// There is no such backup.
    Nothing,
    Began(Timestamp),
}

impl Newest {
    /// By the record of the service, if it could be read.
    pub fn by(record: Option<&Record>) -> Self {
        match record.map(Record::newest_accepted) {
            None => Self::Unread,
            Some(None) => Self::Nothing,
            Some(Some(newest)) => Self::Began(newest.started_at),
        }
    }

    /// Why choosing a backup that began then pins, if it does. Where nobody knows whether it is the newest, the choice
    /// must hold as well.
    fn pins(self, began: Timestamp) -> Option<&'static str> {
        match self {
            Self::Began(newest) if newest > began => Some(
                "a newer backup exists: nothing is restored by itself until the newest is chosen by hand",
            ),
            Self::Unread => Some(
                "whether a newer backup exists is not known, since the record that tells cannot be read: nothing is \
                 restored by itself until the newest is chosen by hand",
            ),
            Self::Began(_) | Self::Nothing => None,
        }
    }
}

/// Decides whether `record`'s service shall be restored from the offered backup. An `Err` means that it
/// cannot be decided now, and says why: the event has to come again.
pub fn take(context: &Context, record: Record, offer: &Offer, now: Timestamp) -> Result<Decision, String> {
    if let Some(reason) = ignored(&record, offer) {
        return Ok(ignore(record, offer, reason, now));
    }
    if let Some(reason) = refused(context, offer, now)? {
        return Ok(refuse(record, offer, reason, now));
    }
    if context.dry_run {
        let text = format!("DRY_RUN is on: {} was not taken as a wish", offer.source.name);
        return Ok(Decision::rest(record).telling_of(&offer.source.name, EventName::WishRefused, text));
    }
    Ok(keep(context, record, offer, now))
}

fn ignore(mut record: Record, offer: &Offer, reason: String, now: Timestamp) -> Decision {
    let is_suspect = offer.vouched.is_none();
    if is_suspect {
        record.suspect = Some(Suspect { at: now, what: reason.clone() });
    }
    let name = if is_suspect { EventName::ConfigurationSuspect } else { EventName::RestoreIgnored };
    Decision::rest(record).telling_of(&offer.source.name, name, reason)
}

/// Why an automatic offer changes nothing.
fn ignored(record: &Record, offer: &Offer) -> Option<String> {
    if offer.by == By::Hand {
        return None;
    }
    let Some(started_at) = offer.vouched else {
        return Some(format!(
            "no record names {} with this digest: whoever can write the container does not thereby decide what \
             is restored. Restore it by hand if you vouch for it",
            offer.source.name.manifest()
        ));
    };
    if record.seen.is_some_and(|seen| started_at <= seen) {
        return Some("not newer than what was already taken up here".into());
    }
    if gate::already_held(record, &offer.source.name) {
        return Some("the service holds it already".into());
    }
    if offer.resumed_at.is_some_and(|resumed| started_at < resumed) {
        return Some("it began before the last `resume`".into());
    }
    let by_hand = record.restore_wish.as_ref().filter(|wish| wish.by == By::Hand);
    by_hand.map(|wish| format!("{} was asked for by hand, and that comes first", wish.source.name))
}

fn refused(context: &Context, offer: &Offer, now: Timestamp) -> Result<Option<String>, String> {
    if let Some(reason) = gate::is_over(&context.service.name(), &offer.source, now) {
        return Ok(Some(reason));
    }
    match gate::blob_is_the_proven_one(&offer.source, Some(&offer.blob)) {
        Verdict::Pass => {}
        Verdict::Refused(reason) => return Ok(Some(reason)),
        Verdict::Deferred(reason) | Verdict::NoToken(reason) => return Err(reason),
    }
    let suspicious = offer.by == By::Automatic && !offer.accepted;
    Ok(suspicious.then(|| "the backup is suspicious: restore it by hand if it is what you want".into()))
}

fn refuse(mut record: Record, offer: &Offer, reason: String, now: Timestamp) -> Decision {
    let text = format!("{} is not restored: {reason}", offer.source.name);
    // What is not accepted is not offered again by a tick; once a person's restore has accepted it, it is.
    if offer.by == By::Automatic && offer.accepted {
        record.refused = Some(offer.source.name.clone());
    }
    record.restore_failures = Some(Failures::noted(record.restore_failures, now, text.clone()));
    Decision::rest(record).telling_of(&offer.source.name, EventName::RestoreRefused, text)
}

fn keep(context: &Context, mut record: Record, offer: &Offer, now: Timestamp) -> Decision {
    if let (true, Some(started_at)) = (offer.of_primary, offer.vouched) {
        record.seen = record.seen.max(Some(started_at));
    }
    if offer.by == By::Automatic {
        let lost = EventLost { at: now, backup: offer.source.name.clone() };
        record.event_lost = offer.made_up_for.then_some(lost);
        record.suspect = None;
    }
    let pin = if offer.by == By::Hand { choose(&mut record, offer, now) } else { None };
    let by_itself = |wish: &RestoreWish| wish.by == By::Automatic && offer.by == By::Automatic;
    let replaced = record.restore_wish.take().filter(by_itself);
    record.restore_wish = Some(RestoreWish {
        id: context.invocation.clone(),
        at: now,
        by: offer.by,
        even_if_live: offer.even_if_live,
        source: offer.source.clone(),
        deferred: None,
        waits_since: replaced.and_then(|wish| wish.waiting_since()),
        failures: None,
    });
    let who = match offer.by {
        By::Automatic => "its manifest arrived",
        By::Hand => "asked for by hand",
    };
    let text = format!("to be restored into {}: {who}", context.service.name());
    let mut decision = Decision::rest(record).telling_of(&offer.source.name, EventName::RestoreWished, text);
    decision.events.extend(pin);
    decision
}

/// Choosing an older backup by hand pins the service to it; choosing the newest ends that. A restore into
/// the primary pins nothing.
fn choose(record: &mut Record, offer: &Offer, now: Timestamp) -> Option<Event> {
    if !offer.of_primary {
        return None;
    }
    let name = &offer.source.name;
    if let Some(why) = offer.newest.pins(offer.source.started_at) {
        record.pin = Some(Pin { since: now, backup: name.clone() });
        return Some(Event::of(name, EventName::RestorePinned, why));
    }
    // Only a backup that the records know and accept can be the newest accepted one.
    offer.vouched.filter(|_| offer.accepted)?;
    record.pin.take()?;
    Some(Event::of(name, EventName::RestoreUnpinned, "the newest backup was chosen by hand"))
}

/// Takes back what is wished to be restored. What Azure has taken goes on to its end, and a pin stays: it ends as it
/// always does.
pub fn withdraw(context: &Context, mut record: Record) -> Decision {
    let Some(wish) = record.restore_wish.clone() else { return Decision::rest(record) };
    if context.dry_run {
        let text = format!("DRY_RUN is on: the wish for {} is not taken back", wish.source.name);
        return Decision::rest(record).telling_of(&wish.source.name, EventName::WishRefused, text);
    }
    record.restore_wish = None;
    let target = context.service.name();
    let mut text = format!("{} is no longer to be restored into {target}", wish.source.name);
    if let Operation::Restore(run) = &record.operation
        && run.wish == wish.id
    {
        text += "; what has begun of it cannot be stopped, and is followed to its end";
    }
    if wish.by == By::Hand {
        give_seen_back(&mut record);
    }
    if let Some(pin) = &record.pin {
        text += &format!(
            "; {target} stays pinned to {}: nothing is restored by itself until the newest backup is restored by hand",
            pin.backup
        );
    }
    Decision::rest(record).telling_of(&wish.source.name, EventName::RestoreWithdrawn, text)
}

/// A wish by hand that ends without being held gives `seen` back, so that the newest backup is taken up.
pub fn give_seen_back(record: &mut Record) {
    record.seen = record.holds.begun_at();
}
