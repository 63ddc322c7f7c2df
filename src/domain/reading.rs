//! Reading what a service holds, over as many invocations as it takes: an inventory that is taken, and a comparison.
//! One invocation reads at a time; whoever comes while it does leaves it alone.

use time::Duration;

use super::decision::Context;
use super::inventory::{Counts, Depth, Place, Unread};
use super::observation::{
    Action, Against, BlobName, Compare, ComparedStretch, Inventory, Joined, Observation, StretchEnd, Take,
    TakenStretch,
};
use super::record::{Comparing, InventoryRef, Progress, Reader, Record, Taking};
use super::unprotected::Unprotected;
use super::vocabulary::Timestamp;

/// How long it may take to read all that a service holds. What has not been read by then is given up.
pub const LONGEST: Duration = Duration::minutes(30);

/// A reader says at each of its stretches, which take 20 s, that it still reads. One that has said nothing for this
/// long is gone, even if its clock is four minutes off from ours.
pub const READER_AGE: Duration = Duration::minutes(5);

/// More lists than this that cannot be read are not a service that can be told by the rest.
const MOST_UNREAD: usize = 100;

/// What comes of one more observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// Read on at once.
    ReadOn,
    /// A later invocation goes on, or this one's later pass; the text says why, if something stood in the way.
    Wait(Option<String>),
    /// Nothing can be done for this service in this invocation.
    Stop(String),
    /// It is done.
    Done(T),
    /// It cannot be done.
    GivenUp(String),
}

impl Progress {
    fn is_read_by_another(&self, context: &Context, now: Timestamp) -> bool {
        let another = self.reader.as_ref().filter(|reader| reader.by != context.invocation);
        another.is_some_and(|reader| (now - reader.at).abs() < READER_AGE)
    }

    fn is_mine(&self, context: &Context) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.by == context.invocation)
    }

    fn take_up(&mut self, context: &Context, now: Timestamp) {
        self.reader = Some(Reader { by: context.invocation.clone(), at: now });
    }

    fn note(&mut self, place: &Place, unread: &[Unread]) -> Result<(), String> {
        self.place = place.clone();
        for list in unread {
            if !self.unread.iter().any(|known| known.list == list.list) {
                self.unread.push(list.clone());
            }
        }
        match self.unread.as_slice() {
            [first, ..] if self.unread.len() > MOST_UNREAD => Err(format!(
                "more than {MOST_UNREAD} lists cannot be read, such as {}: {}",
                first.list, first.why
            )),
            _ => Ok(()),
        }
    }

    /// Whether to read on at once; otherwise the reader steps back.
    fn go_on<T>(&mut self, end: &StretchEnd, (context, now): (&Context, Timestamp)) -> Step<T> {
        let step = match end {
            StretchEnd::Full => {
                self.take_up(context, now);
                return Step::ReadOn;
            }
            StretchEnd::Late => Step::Wait(None),
            StretchEnd::Interrupted(why) => Step::Wait(Some(why.clone())),
            StretchEnd::GivenUp(why) => Step::GivenUp(why.clone()),
            StretchEnd::NoToken(why) => Step::Stop(why.clone()),
        };
        self.reader = None;
        step
    }

    /// What anybody who comes to it does first.
    fn resume<T>(&mut self, context: &Context, now: Timestamp) -> Step<T> {
        if !context.may_read || self.is_read_by_another(context, now) {
            return Step::Wait(None);
        }
        self.take_up(context, now);
        Step::ReadOn
    }

    /// It became too late for reading on.
    fn step_back<T>(&mut self) -> Step<T> {
        self.reader = None;
        Step::Wait(None)
    }
}

/// Whether something that began at `since` has been read for too long.
fn is_over(record: &Record, since: Timestamp, now: Timestamp) -> bool {
    now >= record.over_at(since, LONGEST)
}

fn too_long() -> String {
    format!("it could not be read to its end within {} min", LONGEST.whole_minutes())
}

impl Taking {
    /// An inventory of which nothing has been read yet.
    pub fn begin(depth: Depth, now: Timestamp) -> Self {
        let (progress, counts) = (Progress::default(), Counts::default());
        Self { since: now, depth, progress, counts, chunks: Vec::new() }
    }

    /// Takes in an observation.
    pub fn follow(
        &mut self,
        (context, record): (&Context, &Record),
        (observation, now): (&Observation, Timestamp),
    ) -> Step<InventoryRef> {
        match observation {
            Observation::Resumed if is_over(record, self.since, now) => Step::GivenUp(too_long()),
            Observation::Resumed => self.progress.resume(context, now),
            Observation::Took(taken) if self.progress.is_mine(context) => match self.note(taken) {
                Ok(()) => self.progress.go_on(&taken.end, (context, now)),
                Err(why) => Step::GivenUp(why),
            },
            Observation::Joined(joined) if self.progress.is_mine(context) => {
                self.progress.reader = None;
                match joined {
                    Joined::Stored(stored) => Step::Done(stored.clone()),
                    Joined::Impossible(why) => Step::GivenUp(why.clone()),
                    Joined::NoAnswer(why) => Step::Wait(Some(why.clone())),
                }
            }
            Observation::TooLate if self.progress.is_mine(context) => self.progress.step_back(),
            _ => Step::Wait(None),
        }
    }

    fn note(&mut self, taken: &TakenStretch) -> Result<(), String> {
        self.chunks.extend(taken.chunks.iter().cloned());
        self.counts.apis += taken.counts.apis;
        self.counts.products += taken.counts.products;
        self.counts.entities += taken.counts.entities;
        self.progress.note(&taken.place, &taken.unread)
    }

    /// How to read on; `inventory` is what is being taken.
    pub fn next(&self, inventory: Inventory) -> Action {
        let take = Box::new(Take { inventory, taking: self.clone() });
        match self.progress.place {
            Place::End => Action::JoinInventory(take),
            Place::Start | Place::After(_) => Action::TakeInventory(take),
        }
    }
}

impl Inventory {
    /// The inventory before a backup.
    pub fn before(blob: BlobName) -> Self {
        Self { blob, after: false }
    }

    /// The inventory after it.
    pub fn after(blob: BlobName) -> Self {
        Self { blob, after: true }
    }

    /// The blob that it is stored in.
    pub fn name(&self) -> String {
        if self.after { self.blob.backup.inventory_after() } else { self.blob.backup.inventory() }
    }
}

impl Comparing {
    /// Takes in an observation. `since` is when it began.
    pub fn follow(
        &mut self,
        since: Timestamp,
        (context, record): (&Context, &Record),
        (observation, now): (&Observation, Timestamp),
    ) -> Step<Unprotected> {
        match observation {
            Observation::Resumed if is_over(record, since, now) => Step::GivenUp(too_long()),
            Observation::Resumed => self.progress.resume(context, now),
            Observation::Compared(compared) if self.progress.is_mine(context) => {
                if let Err(why) = self.note(compared) {
                    return Step::GivenUp(why);
                }
                match (self.progress.go_on(&compared.end, (context, now)), &compared.unprotected) {
                    (Step::ReadOn, Some(unprotected)) => Step::Done(unprotected.clone()),
                    (step, _) => step,
                }
            }
            Observation::TooLate if self.progress.is_mine(context) => self.progress.step_back(),
            _ => Step::Wait(None),
        }
    }

    fn note(&mut self, compared: &ComparedStretch) -> Result<(), String> {
        self.baseline = compared.baseline.clone();
        self.found = compared.found.clone();
        self.lists = compared.lists.clone();
        self.lists_hidden = compared.lists_hidden;
        self.progress.note(&compared.place, &compared.unread)
    }

    /// How to read on; `against` is what is compared with.
    pub fn next(&self, against: Against) -> Action {
        Action::Compare(Box::new(Compare { against, comparing: self.clone() }))
    }
}
