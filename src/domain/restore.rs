//! A restore, from a wish to what the service holds.
//!
//! `Idle` → `Requested` → `Running` → `Verifying` → `Idle`

use time::Duration;

use super::decide::write_history;
use super::decision::{Context, Decision, Measure};
use super::event::{Event, EventName};
use super::gate::{self, Verdict};
use super::inventory::compare::Tallies;
use super::observation::{Action, Answer, BlobName, Looking, Looks, NoLook, Observation, Start};
use super::offer::give_seen_back;
use super::operation::Followed;
use super::record::{
    By, Claim, ClosedRun, Deferred, Failures, Operation, Record, RestoreEnd, RestorePhase, RestoreRun,
    RestoreSource, RestoreWish, RunKind, RunOutcome, Running,
};
use super::serving::Serving;
use super::vocabulary::{ServiceState, Timestamp};

mod verify;

/// A restore asked for by hand that is not held after this long is given up: an old wish must not fire
/// when the world has changed, nor stand in the way for ever.
pub const WISH_LIFETIME: Duration = Duration::hours(4);

/// Gives up a wish by hand that waited too long, be it for a dry run: the world has changed meanwhile all the same. An open
/// attempt ends first, so this is asked at `Idle`.
pub fn lapse(record: &Record, now: Timestamp) -> Option<Decision> {
    let wish = record.restore_wish.as_ref().filter(|wish| wish.by == By::Hand)?;
    if now < wish.at + WISH_LIFETIME {
        return None;
    }
    let name = &wish.source.name;
    let text = format!("{name} was asked for by hand at {} and not restored within 4 h: ask again", wish.at);
    let mut record = record.clone();
    record.restore_wish = None;
    give_seen_back(&mut record);
    record.restore_failures = Some(Failures::noted(record.restore_failures, now, text.clone()));
    Some(Decision::act(record, Action::Again).telling_of(name, EventName::RestoreLapsed, text))
}

/// At `Idle`: looks, if there is a wish that may begin as far as the record tells.
pub fn look_first(context: &Context, record: Record, now: Timestamp) -> Decision {
    let Some(wish) = record.restore_wish.clone() else { return Decision::rest(record) };
    if is_put_off(&wish, now) {
        return Decision::rest(record);
    }
    match gate::before_looking(context, &record, &wish, now) {
        Verdict::Pass => {
            let look = Action::Look(looking(context, &record, &wish));
            Decision::act(record, look)
        }
        verdict => {
            // What waits for something else is not kept waiting by Azure. What one tick cannot read may be over at the next.
            let is_known =
                context.measure != Measure::Unread && !matches!(context.serving, Serving::Unknown(_));
            let busy_since = record.busy_since.filter(|_| !is_known);
            hold_back(Record { busy_since, ..record }, wish, verdict, now)
        }
    }
}

/// Whether an attempt failed too short a while ago.
fn is_put_off(wish: &RestoreWish, now: Timestamp) -> bool {
    wish.failures.as_ref().is_some_and(|failures| now < failures.next_attempt())
}

fn looking(context: &Context, record: &Record, wish: &RestoreWish) -> Looking {
    Looking::ForRestore(blob_of(&wish.source), gate::asking(context, record, wish))
}

fn blob_of(source: &RestoreSource) -> BlobName {
    BlobName { container: source.container.clone(), backup: source.name.clone() }
}

/// At `Idle`, after the first look: claims the restore if nothing stands in its way.
pub fn claim(context: &Context, mut record: Record, looks: &Looks, now: Timestamp) -> Decision {
    let Some(wish) = record.restore_wish.clone() else { return Decision::rest(record) };
    if looks.looking != looking(context, &record, &wish) {
        // Another backup was chosen meanwhile, or more is asked: a look for the one says nothing about the other.
        return Decision::act(record, Action::Again);
    }
    if is_put_off(&wish, now) {
        // Another invocation has attempted it since this look was taken.
        return Decision::rest(record);
    }
    let verdict = gates(context, &record, &wish, (looks, now));
    if verdict != Verdict::Pass {
        // A service that is free is kept waiting by something else than Azure.
        record.busy_since.take_if(|_| looks.service.as_ref().is_ok_and(|look| look.state.is_free()));
        return hold_back(record, wish, verdict, now);
    }
    let name = wish.source.name.clone();
    if context.dry_run {
        let text = format!("would restore {name} into {}", context.service.name());
        return Decision::rest(record).telling_of(&name, EventName::DryRun, text);
    }
    record.restore_wish = Some(RestoreWish { deferred: None, waits_since: None, ..wish.clone() });
    record.aside = None;
    record.operation = Operation::Restore(Box::new(RestoreRun {
        source: wish.source,
        started_at: now,
        wish: wish.id,
        by: wish.by,
        overdue: false,
        under_traffic: None,
        phase: RestorePhase::Requested(context.claim(now)),
    }));
    let text = format!(
        "restore into {} claimed; it is looked at once more before the request",
        context.service.name()
    );
    Decision::act(record, Action::Look(looks.looking.clone())).telling_of(
        &name,
        EventName::RestoreRequested,
        text,
    )
}

fn gates(
    context: &Context,
    record: &Record,
    wish: &RestoreWish,
    (looks, now): (&Looks, Timestamp),
) -> Verdict {
    match gate::before_looking(context, record, wish, now) {
        Verdict::Pass => gate::after_looking(context, (record, wish), looks),
        verdict => verdict,
    }
}

/// A wish that cannot begin: deferred, refused, or nothing can be done at all.
fn hold_back(mut record: Record, wish: RestoreWish, verdict: Verdict, now: Timestamp) -> Decision {
    let name = wish.source.name.clone();
    match verdict {
        Verdict::Pass => Decision::rest(record),
        Verdict::NoToken(why) => {
            Decision { action: Action::Stop(why.clone()), ..defer(record, wish, why, now) }
        }
        Verdict::Refused(reason) => {
            end_wish(&mut record, &wish);
            let text = format!("{name} is not restored: {reason}");
            record.restore_failures = Some(Failures::noted(record.restore_failures, now, text.clone()));
            Decision::act(record, Action::Again).telling_of(&name, EventName::RestoreRefused, text)
        }
        Verdict::Deferred(reason) => defer(record, wish, reason, now),
    }
}

/// The wish waits, and says why: once for each reason.
fn defer(mut record: Record, wish: RestoreWish, reason: String, now: Timestamp) -> Decision {
    if wish.deferred.as_ref().is_some_and(|before| before.reason == reason) {
        return Decision::rest(record);
    }
    let name = wish.source.name.clone();
    let since = wish.waiting_since().unwrap_or(now);
    let deferred = Some(Deferred { since, reason: reason.clone() });
    record.restore_wish = Some(RestoreWish { deferred, ..wish });
    Decision::rest(record).telling_of(&name, EventName::RestoreDeferred, reason)
}

/// Drops `wish` if it still stands; one by hand that was not held gives `seen` back.
fn end_wish(record: &mut Record, wish: &RestoreWish) {
    if record.restore_wish.take_if(|standing| standing.id == wish.id).is_some() && wish.by == By::Hand {
        give_seen_back(record);
    }
}

/// Decides on a restore that is under way.
pub fn decide(
    context: &Context,
    record: Record,
    run: RestoreRun,
    (observation, now): (&Observation, Timestamp),
) -> Decision {
    let step = Step { context, record, run, now };
    match step.run.phase.clone() {
        RestorePhase::Requested(claim) => step.requested(claim, observation),
        RestorePhase::Running(running) => step.running(running, observation),
        RestorePhase::Verifying { since, ended, comparing } => {
            step.verifying((since, ended), comparing, observation)
        }
    }
}

/// One decision on a run.
struct Step<'a> {
    context: &'a Context,
    record: Record,
    run: RestoreRun,
    now: Timestamp,
}

impl Step<'_> {
    fn requested(mut self, mut claim: Claim, observation: &Observation) -> Decision {
        match observation {
            Observation::Looked(looks) if claim.is_of(self.context) && claim.taken_over => {
                self.inherit(looks)
            }
            Observation::Looked(looks) if claim.is_of(self.context) => self.post(claim, looks),
            Observation::Answered { claim: answered, answer } if *answered == claim => self.answered(answer),
            Observation::TooLate if claim.is_of(self.context) && !claim.taken_over => {
                self.undo(EventName::RestoreUndone, "it became too late in this invocation", Action::Yield)
            }
            Observation::Resumed if claim.is_old(self.now) => {
                claim.take_over(self.context, self.now);
                self.run.phase = RestorePhase::Requested(claim);
                self.go_on(Action::Look(Looking::Service))
            }
            _ => self.rest(),
        }
    }

    /// The looks that were taken after the claim was saved pass every gate again, or the claim is undone.
    fn post(self, claim: Claim, looks: &Looks) -> Decision {
        let Some(wish) = self.standing_wish() else {
            return self.undo(EventName::RestoreUndone, "it is no longer wished for", Action::Yield);
        };
        match gates(self.context, &self.record, &wish, (looks, self.now)) {
            Verdict::Pass => {
                let start = Start { claim, blob: blob_of(&self.run.source), looked_at: looks.at };
                Decision::act(self.record, Action::StartRestore(start))
            }
            Verdict::NoToken(why) => self.undo(EventName::RestoreUndone, &why, Action::Stop(why.clone())),
            Verdict::Deferred(why) | Verdict::Refused(why) => {
                self.undo(EventName::RestoreUndone, &why, Action::Yield)
            }
        }
    }

    /// A claim whose writer is gone, taken over and looked at: did its POST leave?
    fn inherit(mut self, looks: &Looks) -> Decision {
        match &looks.service {
            Ok(service) if service.state == ServiceState::Updating => {
                self.run.phase = RestorePhase::Running(Running::adopted());
                self.record.busy_since = None;
                let text =
                    "the writer of the claim is gone, and the service is Updating: taken for this restore";
                let name = self.run.source.name.clone();
                self.go_on(Action::Yield).telling_of(&name, EventName::RestoreAdopted, text)
            }
            Ok(service) if service.state.is_free() => {
                let text = "its writer was lost before Azure's answer was saved, and no restore runs";
                self.fail_unknown(text.into(), None)
            }
            Err(NoLook::NoToken(why)) => Decision::act(self.record, Action::Stop(why.clone())),
            Ok(_) | Err(_) => self.rest(),
        }
    }

    fn answered(mut self, answer: &Answer) -> Decision {
        let name = self.run.source.name.clone();
        match answer {
            Answer::Accepted { operation, retry_after } => {
                self.record.busy_since = None;
                // Only Azure itself names an operation: a bare 200 may be what a proxy says.
                self.record.ours |= operation.is_some();
                self.run.phase =
                    RestorePhase::Running(Running::begin(operation.clone(), *retry_after, self.now));
                let text = match operation {
                    Some(_) => "Azure took the restore and named its operation",
                    None => {
                        "Azure took the restore without naming an operation of ours: the service's state is followed"
                    }
                };
                self.go_on(Action::Yield).telling_of(&name, EventName::RestoreAccepted, text)
            }
            Answer::Busy(words) => {
                self.record.busy_since.get_or_insert(self.now);
                self.undo(EventName::RestoreBusy, &words.after("Azure is busy"), Action::Yield)
            }
            Answer::NoToken(why) => self.undo(EventName::RestoreUndone, why, Action::Stop(why.clone())),
            Answer::Refused(words) => {
                self.record.busy_since = None;
                self.fail(words.after("Azure refused the restore"))
            }
            Answer::Unknown(why) => {
                let text =
                    format!("no usable answer to the restore request ({why}); the claim stands for 8 min");
                self.rest().telling_of(&name, EventName::RestoreUnanswered, text)
            }
        }
    }

    fn running(mut self, mut running: Running, observation: &Observation) -> Decision {
        let followed = running.follow(observation, self.record.is_past_deadline(self.now), self.now);
        let updating_seen = running.updating_seen;
        self.run.phase = RestorePhase::Running(running);
        let under_traffic = self.note_traffic();
        let mut decision = self.go_on_by(followed, updating_seen);
        decision.events.extend(under_traffic);
        decision
    }

    /// Users that come to a service while it is being restored may meet half of it.
    fn note_traffic(&mut self) -> Option<Event> {
        let target = self.context.service.name();
        let serving = self.context.serving.service()?;
        if *serving != target {
            self.run.under_traffic = None;
            return None;
        }
        if self.run.under_traffic.is_some() {
            return None;
        }
        self.run.under_traffic = Some(self.now);
        let name = &self.run.source.name;
        let text = format!(
            "{target} carries the traffic while {name} is being restored into it: until that ends, users may meet half of it"
        );
        Some(Event::of(name, EventName::RestoreUnderTraffic, text))
    }

    fn go_on_by(self, followed: Followed, updating_seen: bool) -> Decision {
        match followed {
            Followed::Ask(action) => self.go_on(action),
            Followed::Stop(why) => self.go_on(Action::Stop(why)),
            Followed::Wait => self.rest(),
            Followed::Ended => self.verify(RestoreEnd::Seen),
            Followed::EndedUnseen if updating_seen => self.verify(RestoreEnd::UnseenAfterUpdating),
            Followed::EndedUnseen => self.verify(RestoreEnd::Unseen),
            Followed::Failed(words) => {
                self.fail_unknown(words.after("Azure says that the restore failed"), None)
            }
        }
    }

    /// A failed attempt: the wish tries again later, but a restore into the primary is attempted once.
    fn fail(self, what: String) -> Decision {
        self.fail_compared(what, Tallies::default())
    }

    fn fail_compared(mut self, what: String, compared: Tallies) -> Decision {
        self.record.restore_failures =
            Some(Failures::after(self.record.restore_failures.take(), self.now, what.clone()));
        let next = match self.standing_wish() {
            None => "It is no longer wished for".to_owned(),
            Some(wish) if self.context.is_primary() => {
                end_wish(&mut self.record, &wish);
                "A restore into the primary is attempted once: look, then ask again by hand".to_owned()
            }
            Some(wish) => {
                let failures = Failures::after(wish.failures.clone(), self.now, what.clone());
                let next = failures.next_attempt();
                self.record.restore_wish = Some(RestoreWish { failures: Some(failures), ..wish });
                format!("The next attempt comes at {next}")
            }
        };
        let name = self.run.source.name.clone();
        let text = format!("{what}. {next}");
        self.close(RunOutcome::Failed, what, compared).telling_of(&name, EventName::RestoreFailed, text)
    }

    fn close(mut self, outcome: RunOutcome, what: String, compared: Tallies) -> Decision {
        self.record.close(ClosedRun {
            version: 1,
            service: self.context.service.name(),
            kind: RunKind::Restore,
            backup: self.run.source.name,
            started_at: self.run.started_at,
            ended_at: self.now,
            outcome,
            what,
            compared,
        });
        // Whoever holds the oldest backup goes first, and that may be another now: this one begins no
        // restore again in the same invocation, or two of three targets could wait for ever.
        let action = write_history(&self.record);
        Decision::act(self.record, action)
    }

    fn undo(self, event: EventName, why: &str, action: Action) -> Decision {
        let mut record = self.record;
        record.operation = Operation::Idle;
        let text = format!("the claim is undone, nothing is counted: {why}");
        Decision::act(record, action).telling_of(&self.run.source.name, event, text)
    }

    /// The wish that this run serves, if it was not replaced.
    fn standing_wish(&self) -> Option<RestoreWish> {
        self.record.restore_wish.clone().filter(|wish| wish.id == self.run.wish)
    }

    /// Keeps the run as it has become.
    fn go_on(&self, action: Action) -> Decision {
        let mut record = self.record.clone();
        record.operation = Operation::Restore(Box::new(self.run.clone()));
        Decision::act(record, action)
    }

    fn rest(&self) -> Decision {
        self.go_on(Action::Yield)
    }
}
