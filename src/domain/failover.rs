//! The failover latch: once a read says that a secondary serves, nothing is restored by itself until somebody says
//! `resume`, even if traffic goes back on its own, as Traffic Manager makes it. All of it stands in the primary's record.

use time::Duration;

use super::decision::{Context, Decision};
use super::event::{Event, EventName};
use super::gate;
use super::id::ServiceName;
use super::record::{BackupWish, FailedOver, Holds, Operation, Record, Served};
use super::serving::Serving;
use super::vocabulary::Timestamp;

/// Nobody knows what happened to a secondary while no read said who serves for longer than this.
pub const BLIND: Duration = Duration::minutes(10);

/// How old the remembered time of the last read may become before it is written anew: an idle tick shall not write.
/// What lies between the last read and this is counted as unwatched too, which errs on the side of asking; but where ticks
/// come every 5 min, one that is passed over, by clocks that differ, must not make 10.
const READ_AGAIN: Duration = Duration::minutes(3);

impl Served {
    /// Whether there was a time after `moment` in which no read said who serves for more than 10 min in a row.
    pub fn was_blind_since(&self, moment: Timestamp) -> bool {
        self.blind_until.is_some_and(|until| until > moment)
    }
}

impl FailedOver {
    /// The latch of all whom `names` name, the last of them the one that served last; `None` where nobody is named.
    fn of(since: Timestamp, names: impl IntoIterator<Item = ServiceName>) -> Option<Self> {
        let mut named: Vec<_> = names.into_iter().collect();
        let serving = named.pop()?;
        let mut before = Vec::new();
        for name in named {
            if name != serving && !before.contains(&name) {
                before.push(name);
            }
        }
        Some(Self { since, serving, before })
    }

    /// Everybody who has served since it closed, whose changes are given up at `resume`; the last one last.
    pub fn everybody(&self) -> impl Iterator<Item = &ServiceName> {
        self.before.iter().chain([&self.serving])
    }

    /// Whether `service` is one of them: it holds what users changed there, and is no standby.
    pub fn led_to(&self, service: &ServiceName) -> bool {
        self.everybody().any(|served| served == service)
    }

    /// Their names, to be read.
    pub fn names(&self) -> String {
        let before: Vec<_> = self.before.iter().map(ServiceName::as_str).collect();
        match before.is_empty() {
            true => self.serving.to_string(),
            false => format!("{} and {}", before.join(", "), self.serving),
        }
    }

    /// Their names and the verb: who has done what follows.
    pub fn names_have(&self) -> String {
        format!("{} {}", self.names(), if self.before.is_empty() { "has" } else { "have" })
    }

    /// One latch of two: it is closed since the earlier of them.
    fn of_both(one: Option<&Self>, other: Option<&Self>) -> Option<Self> {
        let mut both: Vec<_> = one.into_iter().chain(other).collect();
        both.sort_by_key(|latch| latch.since);
        let since = both.first()?.since;
        Self::of(since, both.into_iter().flat_map(Self::everybody).cloned())
    }

    /// What is left of it once `primary` is the primary: its own changes are followed, and those of the others are not.
    fn under(&self, primary: &ServiceName) -> Option<Self> {
        Self::of(self.since, self.everybody().filter(|name| *name != primary).cloned())
    }
}

/// Takes in what this invocation read of the profile. What nobody read changes nothing.
pub fn note(mut record: Record, serving: &Serving, now: Timestamp) -> Decision {
    let Some(name) = serving.service() else { return Decision::rest(record) };
    let before = record.served.take();
    let has_moved = before.as_ref().is_some_and(|before| before.by != *name);
    let event = match *name == record.service.name() {
        true => returned(&record).filter(|_| has_moved),
        false => (latch(&mut record, name, now) || has_moved).then(|| latched(&record, name)),
    };
    record.served = Some(remember(before, name, now));
    let mut decision = Decision::rest(record);
    decision.events.extend(event);
    decision
}

/// Takes in that the secondary whose record this is serves, where the record of `primary` cannot be used: the latch stays
/// there until it can, and is then moved like one that a change of roles has left behind.
pub fn note_beside(mut record: Record, primary: &ServiceName, now: Timestamp) -> Decision {
    let serving = record.service.name();
    let event = latch(&mut record, &serving, now).then(|| latched_beside(primary, &serving));
    let mut decision = Decision::rest(record);
    decision.events.extend(event);
    decision
}

/// Up to when nobody watched who serves. Where the profile is read, but no read of it is remembered, that is until `now`:
/// nobody has read it yet, or what is remembered, which is the primary's record, cannot be had.
pub fn blind_until(remembered: Option<&Served>, reads_profile: bool, now: Timestamp) -> Option<Timestamp> {
    match remembered {
        // Nothing was read since, or it could not be saved.
        Some(served) if reads_profile && now - served.read_at > BLIND => Some(now),
        Some(served) => served.blind_until,
        None => reads_profile.then_some(now),
    }
}

fn remember(before: Option<Served>, by: &ServiceName, now: Timestamp) -> Served {
    // Before the first read nobody watched at all, be it that the settings did not ask for it.
    let blind_until = blind_until(before.as_ref(), true, now);
    let fresh = before.filter(|before| before.by == *by && (now - before.read_at).abs() < READ_AGAIN);
    Served { by: by.clone(), read_at: fresh.map_or(now, |before| before.read_at), blind_until }
}

/// Closes the latch, or lets it name the secondary that serves now as well. Says whether it was open.
fn latch(record: &mut Record, serving: &ServiceName, now: Timestamp) -> bool {
    let before = record.failed_over.take();
    let since = before.as_ref().map_or(now, |latch| latch.since);
    let served = before.iter().flat_map(FailedOver::everybody).chain([serving]);
    record.failed_over = FailedOver::of(since, served.cloned());
    before.is_none()
}

fn latched(record: &Record, serving: &ServiceName) -> Event {
    let primary = record.service.name();
    let text = format!(
        "{serving} carries the traffic, not the primary {primary}: until `resume` nothing is restored by itself, and the \
         schedule backs up the service that serves"
    );
    Event::new(EventName::FailoverLatched, text)
}

fn latched_beside(primary: &ServiceName, serving: &ServiceName) -> Event {
    let text = format!(
        "{serving} carries the traffic, not the primary {primary}, whose record cannot be used: the record of {serving} \
         keeps that until it can, and until `resume` nothing is restored by itself"
    );
    Event::new(EventName::FailoverLatched, text)
}

fn returned(record: &Record) -> Option<Event> {
    let latch = record.failed_over.as_ref()?;
    let (primary, secondary) = (record.service.name(), &latch.serving);
    let text = match &record.holds {
        // Of several that served it holds the changes of one at most.
        Holds::Backup(held)
            if latch.before.is_empty()
                && held.backup.service() == secondary
                && held.started_at > latch.since =>
        {
            format!(
                "traffic has returned to the primary {primary}, which holds {}: what was changed on {secondary} after {} is \
             missing there. Then say `resume`",
                held.backup, held.started_at
            )
        }
        _ => format!(
            "traffic has returned to the primary {primary}. What was changed on {} since {} may be missing \
             there: restore a backup of that into {primary} by hand if you need it, then say `resume`",
            latch.names(),
            latch.since
        ),
    };
    Some(Event::new(EventName::FailoverReturned, text))
}

/// Which service the schedule backs up, and a backup now means: the one that serves while failed over, or that last
/// did as far as is known; the primary at all other times.
pub fn backed_up(primary: &Record, serving: &Serving) -> ServiceName {
    let Some(latch) = &primary.failed_over else { return primary.service.name() };
    let last = primary.served.as_ref().map_or(&latch.serving, |served| &served.by);
    serving.service().unwrap_or(last).clone()
}

/// Goes on after a failover, if the primary serves, no restore into it is open, and what it holds is known. All of it is
/// one save, and what it means for the secondaries follows from `resumed_at`.
pub fn resume(context: &Context, mut record: Record, even_if_unknown: bool, now: Timestamp) -> Decision {
    if let Some(refusal) = refusal(context, &record, even_if_unknown) {
        let text = format!("resume is refused, and nothing is kept of it: {refusal}");
        return Decision::rest(record).telling(Event::new(EventName::WishRefused, text));
    }
    let latch = record.failed_over.take();
    // Somebody whose clock is behind does not take back what was given up by one whose clock is not.
    record.resumed_at = record.resumed_at.max(Some(now));
    record.restore_wish = None;
    record.restore_failures = None;
    record.backup_wish = Some(BackupWish { by: context.invocation.clone(), at: now, after_resume: true });
    let given_up = latch.map_or_else(String::new, |latch| {
        format!(
            ". What was changed on {} since {} and is not in {} is given up when that backup is restored into it",
            latch.names(),
            latch.since,
            context.primary
        )
    });
    let text = format!(
        "resumed: {} is backed up anew, and that backup is the first to be restored by itself{given_up}",
        context.primary
    );
    Decision::rest(record).telling(Event::new(EventName::FailoverResumed, text))
}

fn refusal(context: &Context, record: &Record, even_if_unknown: bool) -> Option<String> {
    if context.dry_run {
        return Some("DRY_RUN is on".into());
    }
    match &context.serving {
        Serving::Service(serving) if *serving == context.primary => {}
        Serving::Service(serving) => {
            return Some(format!(
                "{serving} carries the traffic. Enable the endpoint of {} first, and wait until it is Online",
                context.primary
            ));
        }
        Serving::Unknown(why) => {
            return Some(format!("which service carries the traffic is not known: {why}"));
        }
        Serving::NotConfigured => {
            return Some(
                "nobody says which service carries the traffic: set TRAFFIC_MANAGER_ID or LIVE_CHECK=off"
                    .into(),
            );
        }
    }
    if let Operation::Restore(run) = &record.operation {
        return Some(format!("{} is being restored into it: wait for the end", run.source.name));
    }
    match &record.holds {
        Holds::Unknown { backup, why, .. } if !even_if_unknown => Some(format!(
            "what it holds since the restore of {backup} is not known ({why}). Restore again, or look yourself and then \
             say `apim-dr resume --even-if-unknown`"
        )),
        _ => None,
    }
}

/// An automatic wish for a backup that began before the last `resume` is over, wherever it stands; and so is one for a backup
/// of whoever was the primary for a while, though this record never turned its role for that.
pub fn drop_given_up(context: &Context, record: &mut Record) {
    let is_turned = record.primary == context.primary;
    record.restore_wish.take_if(|wish| {
        gate::is_given_up(wish, context.resumed_at) || (is_turned && gate::is_of_another(context, wish))
    });
}

/// The latch and the time of the last `resume`, found in the record of a service that is not the primary: it was, or it
/// served while the primary's record could not be used. They belong to the primary. If nobody but it has served, the roles
/// now are what the failover made them, and nothing is latched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inherited {
    failed_over: Option<FailedOver>,
    resumed_at: Option<Timestamp>,
    served: Option<Served>,
}

impl Inherited {
    /// What stands in `records`, of which none is the primary's.
    pub fn from<'a>(records: impl Iterator<Item = &'a Record>) -> Self {
        records.fold(Self::default(), |found, record| Self {
            failed_over: FailedOver::of_both(found.failed_over.as_ref(), record.failed_over.as_ref()),
            resumed_at: found.resumed_at.max(record.resumed_at),
            served: found.served.or_else(|| record.served.clone()),
        })
    }

    /// Whether there is nothing to move.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The latch that holds under `primary`, in whose record `own` stands.
    pub fn latch(&self, own: Option<&FailedOver>, primary: &ServiceName) -> Option<FailedOver> {
        FailedOver::of_both(self.failed_over.as_ref(), own)?.under(primary)
    }

    /// Puts it into the primary's record.
    pub fn hand_over(&self, mut record: Record) -> Decision {
        record.failed_over = self.latch(record.failed_over.as_ref(), &record.service.name());
        record.resumed_at = record.resumed_at.max(self.resumed_at);
        record.served = record.served.or_else(|| self.served.clone());
        Decision::rest(record)
    }
}

/// Takes latch and `resume` out of the record of a service that is not the primary, as far as they stand in the primary's:
/// another invocation may have closed the latch here since they were handed over.
pub fn hand_on(mut record: Record, primary: &Record) -> Decision {
    let name = primary.service.name();
    let known: Vec<_> = primary.failed_over.iter().flat_map(FailedOver::everybody).chain([&name]).collect();
    record.failed_over.take_if(|latch| latch.everybody().all(|served| known.contains(&served)));
    record.resumed_at.take_if(|resumed| primary.resumed_at >= Some(*resumed));
    record.served.take_if(|_| primary.served.is_some());
    Decision::rest(record)
}
