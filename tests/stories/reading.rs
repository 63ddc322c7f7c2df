//! How stories read services: by themselves, where they are about something else, and by hand where they are not.

use apim_dr::domain::decision::Measure;
use apim_dr::domain::inventory::compare::{Comparison, Difference, Kind, Tally};
use apim_dr::domain::inventory::{Chain, Counts, Depth, Place, Unit};
use apim_dr::domain::observation::{
    Action, Asking, Compare, ComparedStretch, ContentLook, Joined, Looking, Observation, Strangers,
    StretchEnd, TakenStretch, WriteOnce,
};
use apim_dr::domain::record::{
    BackupPhase, Baseline, Chunk, InventoryRef, OpenInventory, Operation, RestorePhase,
};
use apim_dr::domain::standby::{self, Turn};
use apim_dr::domain::unprotected::Unprotected;
use apim_dr::domain::vocabulary::{BackupName, Digest, Etag, InvocationId};

use super::fixtures::{accepted, at, ended, finds, found, short_name};
use super::story::Story;

/// Whether an observation tells of a service that was read.
pub(super) fn is_read(observation: &Observation) -> bool {
    matches!(observation, Observation::Took(_) | Observation::Joined(_) | Observation::Compared(_))
}

/// What is found of a target that nobody has touched.
pub(super) fn untouched(looking: &Looking) -> Option<Result<ContentLook, String>> {
    let Looking::ForRestore(_, asking) = looking else { return None };
    match asking {
        Asking::Nothing => None,
        Asking::Strangers(_) => Some(Ok(ContentLook::Strangers(Strangers::default()))),
        Asking::Lists => Some(Ok(ContentLook::Lists(Chain::default().digest().clone()))),
        Asking::Both(_) => {
            let lists = Chain::default().digest().clone();
            Some(Ok(ContentLook::Both(Strangers::default(), lists)))
        }
    }
}

/// What a service holds in every story that does not say otherwise.
pub(crate) fn counts() -> Counts {
    Counts { apis: 3, products: 2, entities: 88 }
}

/// One stretch that reads everything there is.
pub(crate) fn whole() -> TakenStretch {
    let chunk = Chunk { by: InvocationId::from("A"), number: 0, length: 4096 };
    let (place, unread) = (Place::End, Vec::new());
    TakenStretch { place, chunks: vec![chunk], counts: counts(), unread, end: StretchEnd::Full }
}

/// One stretch that reads everything there is, which is so much.
pub(crate) fn taking(counts: Counts) -> TakenStretch {
    TakenStretch { counts, ..whole() }
}

/// One stretch, up to this list.
pub(crate) fn after_list(list: &str) -> TakenStretch {
    TakenStretch { place: Place::After(Unit::List(list.into())), ..whole() }
}

/// The same, and then something stood in the way.
pub(crate) fn interrupted(list: &str, end: StretchEnd) -> TakenStretch {
    TakenStretch { end, ..after_list(list) }
}

/// The inventory is put together.
pub(crate) fn joined(blob: String) -> Joined {
    let digest = Digest::of(blob.as_bytes());
    Joined::Stored(InventoryRef { blob, digest })
}

/// What a comparison finds that goes through at once; equal, if there is something to compare with.
pub(crate) fn equal(compare: &Compare) -> ComparedStretch {
    let baseline = match &compare.against.inventory {
        Some(at) => {
            let etag = Etag::from("0x2".to_owned());
            let before = OpenInventory { blob: at.inventory.blob.clone(), etag, offset: 512 };
            Baseline::Open { depth: Depth::Deep, before, after: None }
        }
        None => Baseline::Absent { why: "the backup has no inventory to compare with".into() },
    };
    ComparedStretch {
        place: Place::End,
        baseline,
        found: Comparison::default(),
        lists: Chain::default(),
        lists_hidden: false,
        unread: Vec::new(),
        unprotected: Some(Unprotected::default()),
        end: StretchEnd::Full,
    }
}

/// What a comparison finds that has come to the end of the lists: some things differ.
pub(crate) fn some_differ(compare: &Compare) -> ComparedStretch {
    let mut found = Comparison::default();
    *found.types.of("apis".into()) = Tally { equal: 2, missing: 1, ..Tally::default() };
    *found.types.of("users".into()) = Tally { equal: 3, different: 1, changed: 1, ..Tally::default() };
    found.differences = vec![
        Difference { path: "apis/orders".into(), kind: Kind::Missing },
        Difference { path: "users/noor".into(), kind: Kind::Different },
    ];
    found.changed = vec!["users/ilse".into()];
    ComparedStretch {
        place: Place::After(Unit::List("users".into())),
        found,
        unprotected: None,
        ..equal(compare)
    }
}

impl Story {
    /// From now on the story says what comes of reading.
    pub(crate) fn reading_by_hand(mut self) -> Self {
        self.reads_by_itself = false;
        self
    }

    /// Whether a decision is one of those that only read on.
    pub(super) fn only_reads(&self, told: &str, action: &Action) -> bool {
        let is_read = match &self.record.operation {
            Operation::Idle => self.context.may_read,
            Operation::Backup(run) => matches!(run.phase, BackupPhase::Inventory(_)),
            Operation::Restore(run) => matches!(run.phase, RestorePhase::Verifying { .. }),
        };
        let of_reading = ["resumed", "read", "joined", "compared", "dropped"].contains(&told);
        let rests =
            matches!(action, Action::Yield | Action::DropParts(_) | Action::Again) || is_reading(action);
        self.reads_by_itself && is_read && of_reading && rests
    }

    /// What comes after a decision: the pass in which services are read, and what is read.
    pub(super) fn read_on(&mut self) -> &mut Self {
        if !self.reads_by_itself {
            return self;
        }
        let action = self.pending();
        if action == Action::Yield && !self.context.may_read {
            return self.begin_reading();
        }
        match action {
            Action::TakeInventory(_) => self.take(whole()),
            Action::JoinInventory(take) => self.join(joined(take.inventory.name())),
            Action::Compare(compare) => self.compare(equal(&compare)),
            Action::DropParts(backup) => self.decide(&Observation::DroppedParts(backup), "dropped".into()),
            _ => self,
        }
    }

    fn begin_reading(&mut self) -> &mut Self {
        match self.reading() {
            Some(turn) if !self.reading.contains_key(&self.context.invocation) => {
                self.reading.insert(self.context.invocation.clone(), turn);
                self.drive()
            }
            _ => self,
        }
    }

    fn reading(&self) -> Option<Turn> {
        standby::turn(&self.context, &self.record, self.now)
    }

    /// This invocation has driven every service, and comes to reading them.
    pub(crate) fn read_services(&mut self) -> &mut Self {
        match self.reading() {
            Some(turn) => {
                self.reading.insert(self.context.invocation.clone(), turn);
                self.drive()
            }
            None => {
                let line = format!("{} nothing is to be read", self.clock());
                self.note(line);
                self
            }
        }
    }

    /// A backup that began at the first time is verified at the second, while reading is told by hand.
    pub(crate) fn backup_verified_by_hand(&mut self, began: &str, verified: &str) -> &mut Self {
        self.tick(began).look(finds("Succeeded")).read_services().take(whole());
        self.join(joined("contoso-20260310T020000Z.inventory.json".into()));
        self.look(finds("Succeeded")).answer(accepted("op-1"));
        self.tick(verified).poll(ended()).inspect(found()).write(WriteOnce::Written).write(WriteOnce::Written)
    }

    /// The run is one of a version that took no inventories.
    pub(crate) fn never_prepared(&mut self) -> &mut Self {
        let Operation::Backup(run) = &mut self.record.operation else { panic!("no backup is under way") };
        run.prepared_at = None;
        self.again_pending();
        self
    }

    /// The record is one of a version that did not note whose content a service holds.
    pub(crate) fn forgets_that_it_is_ours(&mut self) -> &mut Self {
        self.record.ours = false;
        self
    }

    /// No read said who serves for more than ten minutes before this.
    pub(crate) fn nobody_watched_until(&mut self, when: &str) -> &mut Self {
        self.note(format!("nobody could tell who serves until {when}"));
        self.context.blind_until = Some(at(when));
        self
    }

    /// The last `resume` was said then.
    pub(crate) fn resumed_since(&mut self, when: &str) -> &mut Self {
        self.note(format!("resumed at {when}"));
        self.context.resumed_at = Some(at(when));
        self
    }

    /// The primary's record cannot be read, and it is not known whom the schedule backs up.
    pub(crate) fn primary_unread(&mut self) -> &mut Self {
        self.context.schedule = None;
        self.context.measure = Measure::Unread;
        self
    }

    /// What the primary's newest accepted backup counted.
    pub(crate) fn measured_by(&mut self, measure: Option<Counts>) -> &mut Self {
        self.context.measure = measure.into();
        self
    }

    /// A new invocation finds that other services hold these backups.
    pub(crate) fn others_hold(&mut self, when: &str, backups: &[&str]) -> &mut Self {
        self.begin(when);
        let held: Vec<_> = backups.iter().filter_map(|name| BackupName::parse(name)).collect();
        let decision = standby::accept_what_is_held(self.record.clone(), &held);
        let told = held.iter().map(short_name).collect::<Vec<_>>().join(" ");
        self.apply(decision, format!("{told} is held"))
    }

    pub(crate) fn parts_dropped(&mut self) -> &mut Self {
        let Action::DropParts(backup) = self.pending() else {
            panic!("no parts are dropped\n{}", self.transcript())
        };
        self.decide(&Observation::DroppedParts(backup), "dropped".into())
    }

    pub(crate) fn parts_not_dropped(&mut self) -> &mut Self {
        self.decide(&Observation::NotDone("storage timed out".into()), "no answer".into())
    }

    pub(crate) fn take(&mut self, stretch: TakenStretch) -> &mut Self {
        let Action::TakeInventory(_) = self.pending() else {
            panic!("no inventory is being taken\n{}", self.transcript())
        };
        self.decide(&Observation::Took(Box::new(stretch)), "read".into())
    }

    pub(crate) fn join(&mut self, joined: Joined) -> &mut Self {
        let Action::JoinInventory(_) = self.pending() else {
            panic!("no inventory is being put together\n{}", self.transcript())
        };
        self.decide(&Observation::Joined(joined), "joined".into())
    }

    /// What is compared is found so.
    pub(crate) fn compare_with(&mut self, found: fn(&Compare) -> ComparedStretch) -> &mut Self {
        let Action::Compare(compare) = self.pending() else {
            panic!("nothing is being compared\n{}", self.transcript())
        };
        self.compare(found(&compare))
    }

    pub(crate) fn compare(&mut self, stretch: ComparedStretch) -> &mut Self {
        let Action::Compare(_) = self.pending() else {
            panic!("nothing is being compared\n{}", self.transcript())
        };
        self.decide(&Observation::Compared(Box::new(stretch)), "compared".into())
    }
}

fn is_reading(action: &Action) -> bool {
    matches!(action, Action::TakeInventory(_) | Action::JoinInventory(_) | Action::Compare(_))
}
