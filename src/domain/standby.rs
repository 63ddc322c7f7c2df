//! What is read of a service at rest: the inventory after a backup, and now and then what a standby still holds. None of
//! it delays an operation, and one that begins drops it.

use time::Duration;

use super::comparison::{self, Judged};
use super::decision::{Context, Decision};
use super::event::{Event, EventName};
use super::gate;
use super::observation::{Action, Against, BlobName, Inventory, Observation};
use super::reading::{LONGEST, Step};
use super::record::{
    Aside, BackupPhase, Compared, Comparing, Held, Holds, InventoryPlace, Operation, Record, RestorePhase,
    Taking,
};
use super::serving::Serving;
use super::vocabulary::{BackupName, Container, Digest, Timestamp};

/// How long a comparison is good for: what somebody changes on a standby by hand is found within this time.
pub const COMPARED_AGAIN: Duration = Duration::hours(6);

/// The same where not even the lists could be read.
const TRIED_AGAIN: Duration = Duration::hours(1);

/// Whose turn it is to be read, first to last. What a backup waits for comes first. What is needed by a comparison comes
/// before the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    Backup,
    After,
    Verifying,
    Again,
}

/// Whether there is something to be read of the record's service, and how urgent that is.
pub fn turn(context: &Context, record: &Record, now: Timestamp) -> Option<Turn> {
    match (&record.operation, record.aside.as_deref()) {
        (Operation::Backup(run), _) => match run.phase {
            BackupPhase::Inventory(_) => Some(Turn::Backup),
            _ => None,
        },
        (Operation::Restore(run), _) => match run.phase {
            RestorePhase::Verifying { .. } => Some(Turn::Verifying),
            _ => None,
        },
        (Operation::Idle, _) if !context.configured => None,
        (Operation::Idle, Some(Aside::After { .. })) => Some(Turn::After),
        (Operation::Idle, Some(Aside::Again { .. })) => Some(Turn::Again),
        (Operation::Idle, None) if record.parts_of.is_some() => Some(Turn::Again),
        (Operation::Idle, None) => to_compare(context, record, now).map(|_| Turn::Again),
    }
}

/// Decides what is read of a service at rest, beside its operations.
pub fn decide(context: &Context, record: &Record, observation: &Observation, now: Timestamp) -> Decision {
    let record = record.clone();
    if record.operation != Operation::Idle {
        return Decision::rest(record);
    }
    match (record.aside.as_deref().cloned(), observation) {
        (Some(Aside::After { backup, container, taking }), _) => {
            take_after(context, record, ((backup, container), taking), (observation, now))
        }
        (Some(Aside::Again { since, comparing }), _) => {
            compare_again(context, record, (since, comparing), (observation, now))
        }
        (None, Observation::DroppedParts(backup)) => {
            let parts_of = record.parts_of.clone().filter(|parts_of| parts_of != backup);
            Decision::rest(Record { parts_of, ..record })
        }
        (None, Observation::Resumed) => begin(context, record, now),
        (None, _) => Decision::rest(record),
    }
}

/// At rest without anything begun: parts that nobody needs go, or it is time to compare again.
fn begin(context: &Context, record: Record, now: Timestamp) -> Decision {
    if let Some(backup) = &record.parts_of {
        let drop = Action::DropParts(backup.clone());
        return Decision::act(record, drop);
    }
    match to_compare(context, &record, now) {
        Some(_) => {
            let aside = Aside::Again { since: now, comparing: Comparing::default() };
            Decision::act(Record { aside: Some(Box::new(aside)), ..record }, Action::Again)
        }
        None => Decision::rest(record),
    }
}

fn take_after(
    context: &Context,
    mut record: Record,
    ((backup, container), mut taking): ((BackupName, Container), Taking),
    (observation, now): (&Observation, Timestamp),
) -> Decision {
    if context.dry_run {
        return Decision::rest(record);
    }
    let inventory = Inventory::after(BlobName { container: container.clone(), backup: backup.clone() });
    let step = taking.follow((context, &record), (observation, now));
    let (counts, next) = (taking.counts, taking.next(inventory));
    record.aside = Some(Box::new(Aside::After { backup: backup.clone(), container, taking }));
    match step {
        Step::ReadOn => Decision::act(record, next),
        Step::Stop(why) => Decision::act(record, Action::Stop(why)),
        Step::Wait(why) => Decision::rest(record).telling_all(comparison::interrupted(&backup, why)),
        Step::Done(stored) => {
            record.aside = None;
            if let Some(known) = record.backups.iter_mut().find(|known| known.name == backup) {
                known.after = Some(stored);
            }
            let text = format!("{} entities are written down after the backup as well", counts.entities);
            Decision::act(record, Action::Again).telling_of(&backup, EventName::InventoryTaken, text)
        }
        Step::GivenUp(why) => {
            record.aside = None;
            let text = format!("what changed while the backup ran will not be told apart: {why}");
            Decision::act(record, Action::Again).telling_of(&backup, EventName::InventoryMissing, text)
        }
    }
}

/// Whether the inventory after `backup` is still being taken, by the record of the service that was backed up. What was
/// compared without it could not tell changes apart that were made while the backup ran. It is given up after half an
/// hour, and by nobody in a record that is no longer driven; so nobody waits for it longer than that.
pub fn takes_after(source: &Record, backup: &BackupName, now: Timestamp) -> bool {
    match source.aside.as_deref() {
        Some(Aside::After { backup: of, taking, .. }) => {
            of == backup && now < source.over_at(taking.since, LONGEST)
        }
        Some(Aside::Again { .. }) | None => false,
    }
}

/// Whether a difference on the record's service would be news. Changes belong on the primary, and on a service that users
/// were led to; of one whose restore failed everything is news that can be had.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Standby,
    /// Nobody can tell who serves: it waits.
    Unknown,
    Serving,
}

fn role(context: &Context, record: &Record) -> Role {
    let service = context.service.name();
    let is_led_to = context.failed_over.as_ref().is_some_and(|latch| latch.led_to(&service));
    let is_unknown = matches!(record.holds, Holds::Unknown { .. });
    match &context.serving {
        Serving::Service(serving) if *serving == service => Role::Serving,
        _ if is_unknown => Role::Standby,
        _ if context.is_primary() || is_led_to => Role::Serving,
        Serving::Unknown(_) => Role::Unknown,
        Serving::Service(_) | Serving::NotConfigured => Role::Standby,
    }
}

/// What the service is compared with again, if it is time for that.
fn to_compare(context: &Context, record: &Record, now: Timestamp) -> Option<Against> {
    let against = against(record)?;
    against.inventory.as_ref()?;
    let is_time = match &record.holds {
        Holds::Nothing => false,
        Holds::Backup(held) => {
            let after = if held.lists.is_some() { COMPARED_AGAIN } else { TRIED_AGAIN };
            now >= last_compared(held) + after
        }
        Holds::Unknown { finding, .. } => finding.is_none(),
    };
    (context.configured && role(context, record) == Role::Standby && is_time).then_some(against)
}

fn last_compared(held: &Held) -> Timestamp {
    let found = held.finding.as_ref().map(|finding| finding.at);
    held.restored_at.max(found.unwrap_or(held.restored_at)).max(held.tried_at.unwrap_or(held.restored_at))
}

fn against(record: &Record) -> Option<Against> {
    let (backup, inventory): (&BackupName, &Option<InventoryPlace>) = match &record.holds {
        Holds::Nothing => return None,
        Holds::Backup(held) => (&held.backup, &held.baseline),
        Holds::Unknown { backup, baseline, .. } => (backup, baseline),
    };
    Some(Against { backup: backup.clone(), inventory: inventory.clone() })
}

fn compare_again(
    context: &Context,
    mut record: Record,
    (since, mut comparing): (Timestamp, Comparing),
    (observation, now): (&Observation, Timestamp),
) -> Decision {
    let role = role(context, &record);
    let Some(against) = against(&record).filter(|_| role != Role::Serving) else {
        return Decision::act(Record { aside: None, ..record }, Action::Again);
    };
    if role == Role::Unknown {
        return Decision::rest(record);
    }
    let step = comparing.follow(since, (context, &record), (observation, now));
    record.aside = Some(Box::new(Aside::Again { since, comparing: comparing.clone() }));
    let end = match step {
        Step::ReadOn => {
            let next = comparing.next(against);
            return Decision::act(record, next);
        }
        Step::Stop(why) => return Decision::act(record, Action::Stop(why)),
        Step::Wait(why) => {
            return Decision::rest(record).telling_all(comparison::interrupted(&against.backup, why));
        }
        Step::Done(unprotected) => (Some(unprotected), None),
        Step::GivenUp(why) => (None, Some(why)),
    };
    record.aside = None;
    let told = note(context, &mut record, (comparison::judge(comparing, end, now), now));
    Decision::act(record, Action::Again).telling(told)
}

/// The lists that were compared, if they are those that the restore left: nobody can have changed them, or nothing differs
/// from the backup. While nobody can tell who serves, the next read alone will show whether that was for too long.
pub fn lists_left(context: &Context, unwatched: Option<Timestamp>, judged: &Judged) -> Option<Digest> {
    let is_watched = context.serving.service().is_some() && unwatched.is_none();
    judged.lists.clone().filter(|_| is_watched || judged.compared == Compared::Verified)
}

/// What could not be compared again leaves standing what was found before. What a service holds of which that is
/// unknown stays so: equal lists are no proof that a restore has ended well.
fn note(context: &Context, record: &mut Record, (judged, now): (Judged, Timestamp)) -> Event {
    let how = judged.in_words();
    let left = lists_left(context, gate::unwatched(context, record), &judged);
    match &mut record.holds {
        Holds::Nothing => Event::new(EventName::StandbyCompared, how),
        Holds::Unknown { backup, finding, lists, .. } => {
            let text =
                format!("what it holds stays unknown; compared with {backup} as far as possible, {how}");
            let told = Event::of(backup, EventName::StandbyCompared, text);
            *finding = Some(Box::new(judged.finding));
            *lists = lists.take().or(left);
            told
        }
        Holds::Backup(held) => {
            held.tried_at = Some(now);
            held.lists = held.lists.take().or(left);
            // What differs as it did before is no news.
            let name = match &judged.compared {
                Compared::Mismatched { .. } if judged.compared != held.compared => {
                    EventName::StandbyMismatched
                }
                _ => EventName::StandbyCompared,
            };
            let told = Event::of(&held.backup, name, format!("looked at again: {how}"));
            if !matches!(judged.compared, Compared::Unverified { .. }) {
                held.compared = judged.compared;
                held.finding = Some(Box::new(judged.finding));
            }
            told
        }
    }
}

/// Marks those of the record's backups as accepted that a service has come to hold although they were suspicious: none
/// of them is restored by itself, so somebody chose it by hand.
pub fn accept_what_is_held(mut record: Record, held: &[BackupName]) -> Decision {
    let mut accepted = Vec::new();
    for backup in record.backups.iter_mut().filter(|backup| !backup.accepted && held.contains(&backup.name)) {
        backup.accepted = true;
        accepted.push(backup.name.clone());
    }
    let mut decision = Decision::rest(record);
    for name in accepted {
        let text = "it was restored by hand, and counts as accepted from now on";
        decision = decision.telling_of(&name, EventName::BackupAcceptedByHand, text);
    }
    decision
}

/// What a record holds, if it is a backup.
pub fn held(record: &Record) -> Option<&BackupName> {
    match &record.holds {
        Holds::Backup(held) => Some(&held.backup),
        Holds::Nothing | Holds::Unknown { .. } => None,
    }
}

const _: () = assert!(LONGEST.whole_minutes() < COMPARED_AGAIN.whole_minutes());
