//! From the inventory to the claim. The inventory never blocks a backup, and what no longer is due is dropped here.

use super::{Obstacle, Step, allows, is_due, lapse, occurrence};
use crate::domain::decision::Decision;
use crate::domain::event::{Event, EventName};
use crate::domain::observation::{Action, BlobLook, Inventory, Looking, Observation};
use crate::domain::reading::{self, LONGEST};
use crate::domain::record::{BackupPhase, Operation, Taking};

impl Step<'_> {
    pub(super) fn inventory(mut self, mut taking: Box<Taking>, observation: &Observation) -> Decision {
        if self.is_dropped(observation) {
            return self.drop();
        }
        let step = taking.follow((self.context, &self.record), (observation, self.now));
        let next = taking.next(Inventory::before(self.blob()));
        self.run.counts = Some(taking.counts);
        self.run.phase = BackupPhase::Inventory(taking);
        match step {
            reading::Step::ReadOn => self.go_on(next),
            reading::Step::Stop(why) => self.go_on(Action::Stop(why)),
            reading::Step::Wait(None) => self.go_on(Action::Yield),
            reading::Step::Wait(Some(why)) => {
                let text = format!("the inventory is read on at a later tick: {why}");
                self.go_on(Action::Yield).telling_of(&self.run.name, EventName::InventoryInterrupted, text)
            }
            reading::Step::Done(stored) => {
                let counts = self.run.counts.unwrap_or_default();
                self.run.inventory = Some(stored);
                let text = format!(
                    "{} entities, {} among them, are written down; the backup comes next",
                    counts.entities,
                    counts.in_words()
                );
                self.claim(Some(Event::of(&self.run.name, EventName::InventoryTaken, text)))
            }
            reading::Step::GivenUp(why) => {
                self.run.counts = None;
                let text = format!("the backup goes on without an inventory, and cannot be compared: {why}");
                self.claim(Some(Event::of(&self.run.name, EventName::InventoryMissing, text)))
            }
        }
    }

    pub(super) fn prepared(mut self, observation: &Observation) -> Decision {
        if self.is_dropped(observation) {
            return self.drop();
        }
        match observation {
            Observation::Resumed => self.go_on(Action::Look(Looking::ForBackup(self.blob()))),
            // The name is somebody else's by now: begin anew under another.
            Observation::Looked(looks) if matches!(looks.blob, Some(BlobLook::Found(_))) => self.drop(),
            Observation::Looked(looks) => match allows(looks) {
                Ok(_) => self.claim(None),
                Err(obstacle @ (Obstacle::NotFree(_) | Obstacle::Unseen(_) | Obstacle::NoToken(_))) => {
                    obstacle.keep_waiting(self.record, self.now)
                }
            },
            _ => self.rest(),
        }
    }

    /// Claims the backup. What the looks before the inventory saw is looked at once more after this is saved.
    fn claim(&mut self, of_inventory: Option<Event>) -> Decision {
        self.run.prepared_at.get_or_insert(self.now);
        self.run.started_at = self.now;
        self.run.storage_at = self.context.storage_time;
        self.run.occurrence = occurrence(self.context, self.now);
        self.run.wish = self.record.backup_wish.as_ref().map(|wish| wish.by.clone());
        self.run.phase = BackupPhase::Requested(self.context.claim(self.now));
        let text = format!(
            "backup of {} claimed; it is looked at once more before the request",
            self.context.service.name()
        );
        let look = Action::Look(Looking::ForBackup(self.blob()));
        let requested = Event::of(&self.run.name, EventName::BackupRequested, text);
        self.go_on(look).telling_all(of_inventory).telling(requested)
    }

    /// Whether the backup shall not begin any more, or its inventory is too old to begin with. A wish may also lapse
    /// while somebody looks.
    fn is_dropped(&self, observation: &Observation) -> bool {
        let (context, record, now) = (self.context, &self.record, self.now);
        let stale = self.run.prepared_at.is_some_and(|at| now >= record.over_at(at, LONGEST));
        let unwanted = !context.configured || context.dry_run || !is_due(context, record, now);
        lapse(record, now).is_some() || (*observation == Observation::Resumed && (unwanted || stale))
    }

    fn drop(mut self) -> Decision {
        self.record.operation = Operation::Idle;
        Decision::act(self.record, Action::Again)
    }
}
