//! A backup, from due to verified.
//!
//! `Idle` → `Inventory` → `Prepared` → `Requested` → `Running` → `Proving` → `Committing` → `Idle`

use super::decision::{Context, Decision};
use super::event::{Event, EventName};
use super::inventory::compare::Tallies;
use super::manifest::{Manifest, Proven};
use super::observation::{
    Action, Answer, BlobFacts, BlobLook, BlobName, Looking, Looks, NoLook, Observation, Start, WriteOnce,
};
use super::operation::{Followed, UNSEEN_END};
use super::record::{
    Aside, BackupPhase, BackupRun, Claim, ClosedRun, Failures, FirstSight, InventoryRef, KnownBackup,
    LastVerified, Operation, Proof, Record, RunKind, RunOutcome, Running, Suspect, Taking,
};
use super::vocabulary::{BackupName, Digest, ServiceState, Timestamp};

pub use due::{WISH_LIFETIME, is_due, lapse, wish};

use due::occurrence;

mod due;
mod prepare;
mod suspicion;

/// The first look of a backup that is due: the service, and whether the name of this second is free.
pub fn look_first(context: &Context, record: Record, now: Timestamp) -> Decision {
    let mut name = BackupName::new(context.service.name(), now);
    while is_taken(&record, &name) {
        name = name.next_second();
    }
    look(context, record, name)
}

fn is_taken(record: &Record, name: &BackupName) -> bool {
    record.last_name.as_ref() == Some(name) || record.known(name).is_some()
}

fn look(context: &Context, record: Record, backup: BackupName) -> Decision {
    let blob = BlobName { container: context.container.clone(), backup };
    Decision::act(record, Action::Look(Looking::ForBackup(blob)))
}

/// At `Idle`, after the first look: begins with the inventory if nothing stands in the way.
pub fn begin(context: &Context, mut record: Record, looks: &Looks, now: Timestamp) -> Decision {
    let Looking::ForBackup(blob) = &looks.looking else { return Decision::rest(record) };
    if let Some(BlobLook::Found(_)) = looks.blob {
        return look(context, record, blob.backup.next_second());
    }
    let service = match allows(looks) {
        Ok(service) => service.clone(),
        Err(obstacle) => return obstacle.keep_waiting(record, now),
    };
    if context.dry_run {
        let text = format!("would begin the backup {}", blob.backup);
        return Decision::rest(record).telling_of(&blob.backup, EventName::DryRun, text);
    }
    record.last_name = Some(blob.backup.clone());
    record.aside = None;
    record.parts_of = Some(blob.backup.clone());
    record.operation = Operation::Backup(Box::new(BackupRun {
        name: blob.backup.clone(),
        container: blob.container.clone(),
        started_at: now,
        storage_at: context.storage_time,
        occurrence: occurrence(context, now),
        wish: None,
        tier: service.tier,
        location: service.location,
        inventory: None,
        counts: None,
        prepared_at: None,
        overdue: false,
        phase: BackupPhase::Inventory(Box::new(Taking::begin(context.depth, now))),
    }));
    Decision::act(record, Action::Again)
}

/// What keeps a backup from beginning.
enum Obstacle {
    /// The service runs another operation, or is in no state to begin one.
    NotFree(String),
    /// Something could not be seen.
    Unseen(String),
    /// No token: nothing can be done for this service.
    NoToken(String),
}

impl Obstacle {
    fn keep_waiting(self, mut record: Record, now: Timestamp) -> Decision {
        match self {
            Self::NoToken(why) => Decision::act(record, Action::Stop(why)),
            Self::Unseen(why) => Decision::rest(record).telling(Event::new(EventName::BackupWaiting, why)),
            Self::NotFree(why) => {
                record.busy_since.get_or_insert(now);
                Decision::rest(record).telling(Event::new(EventName::BackupWaiting, why))
            }
        }
    }
}

fn allows(looks: &Looks) -> Result<&super::observation::ServiceLook, Obstacle> {
    let service = match &looks.service {
        Ok(service) if service.state.is_free() => service,
        Ok(service) => {
            let text =
                format!("the service is {}, and only Succeeded or Failed can be backed up", service.state);
            return Err(Obstacle::NotFree(text));
        }
        Err(NoLook::NoToken(why)) => return Err(Obstacle::NoToken(why.clone())),
        Err(why) => return Err(Obstacle::Unseen(format!("the service cannot be looked at: {why}"))),
    };
    match &looks.blob {
        Some(BlobLook::Missing) => Ok(service),
        Some(BlobLook::NoAnswer(why)) => {
            Err(Obstacle::Unseen(format!("whether the backup's name is free is not known: {why}")))
        }
        Some(BlobLook::Found(_)) => {
            Err(Obstacle::Unseen("a blob of the backup's name exists already".into()))
        }
        None => Err(Obstacle::Unseen("the backup's blob was not looked at".into())),
    }
}

/// Decides on a backup that is under way.
pub fn decide(
    context: &Context,
    record: Record,
    run: BackupRun,
    (observation, now): (&Observation, Timestamp),
) -> Decision {
    let step = Step { context, record, run, now };
    match step.run.phase.clone() {
        BackupPhase::Inventory(taking) => step.inventory(taking, observation),
        BackupPhase::Prepared => step.prepared(observation),
        BackupPhase::Requested(claim) => step.requested(claim, observation),
        BackupPhase::Running(running) => step.running(running, observation),
        BackupPhase::Proving { proof, first } => step.proving(proof, first, observation),
        BackupPhase::Committing { manifest } => step.committing(manifest, observation),
    }
}

/// One decision on a run.
struct Step<'a> {
    context: &'a Context,
    record: Record,
    run: BackupRun,
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
                self.undo(EventName::BackupUndone, "it became too late in this invocation", Action::Yield)
            }
            Observation::Resumed if claim.is_old(self.now) => {
                claim.take_over(self.context, self.now);
                self.run.phase = BackupPhase::Requested(claim);
                let look = Action::Look(Looking::ForBackup(self.blob()));
                self.go_on(look)
            }
            _ => self.rest(),
        }
    }

    /// The looks that were taken after the claim was saved allow the POST, or the claim is undone.
    fn post(mut self, claim: Claim, looks: &Looks) -> Decision {
        match allows(looks) {
            Ok(service) => {
                (self.run.tier, self.run.location) = (service.tier.clone(), service.location.clone());
                let start = Start { claim, blob: self.blob(), looked_at: looks.at };
                self.go_on(Action::StartBackup(start))
            }
            Err(Obstacle::NoToken(why)) => {
                self.undo(EventName::BackupUndone, &why, Action::Stop(why.clone()))
            }
            Err(Obstacle::NotFree(why) | Obstacle::Unseen(why)) => {
                self.undo(EventName::BackupUndone, &why, Action::Yield)
            }
        }
    }

    /// A claim whose writer is gone, taken over and looked at: did its POST leave?
    fn inherit(mut self, looks: &Looks) -> Decision {
        let state = match &looks.service {
            Ok(service) => &service.state,
            Err(NoLook::NoToken(why)) => return Decision::act(self.record, Action::Stop(why.clone())),
            Err(_) => return self.rest(),
        };
        match (state, &looks.blob) {
            (ServiceState::Updating, _) => {
                self.spend_wish();
                self.record.busy_since = None;
                self.run.phase = BackupPhase::Running(Running::adopted());
                let text =
                    "the writer of the claim is gone, and the service is Updating: taken for this backup";
                self.go_on(Action::Yield).telling_of(&self.run.name, EventName::BackupAdopted, text)
            }
            (state, Some(BlobLook::Found(_))) if state.is_free() => {
                self.spend_wish();
                self.prove(Proof::Blob)
            }
            (state, Some(BlobLook::Missing)) if state.is_free() => {
                self.spend_wish();
                self.fail(
                    "its writer was lost before Azure's answer was saved, and nothing came of it".into(),
                )
            }
            _ => self.rest(),
        }
    }

    fn answered(mut self, answer: &Answer) -> Decision {
        let name = self.run.name.clone();
        match answer {
            Answer::Accepted { operation, retry_after } => {
                self.spend_wish();
                self.record.busy_since = None;
                self.run.phase =
                    BackupPhase::Running(Running::begin(operation.clone(), *retry_after, self.now));
                let text = match operation {
                    Some(_) => "Azure took the backup and named its operation",
                    None => {
                        "Azure took the backup without naming an operation of ours: the service's state is followed"
                    }
                };
                self.go_on(Action::Yield).telling_of(&name, EventName::BackupAccepted, text)
            }
            Answer::Busy(words) => {
                self.record.busy_since.get_or_insert(self.now);
                self.undo(EventName::BackupBusy, &words.after("Azure is busy"), Action::Yield)
            }
            Answer::NoToken(why) => self.undo(EventName::BackupUndone, why, Action::Stop(why.clone())),
            Answer::Refused(words) => {
                self.spend_wish();
                self.record.busy_since = None;
                self.fail(words.after("Azure refused the backup"))
            }
            Answer::Unknown(why) => {
                let text =
                    format!("no usable answer to the backup request ({why}); the claim stands for 8 min");
                self.rest().telling_of(&name, EventName::BackupUnanswered, text)
            }
        }
    }

    fn running(mut self, mut running: Running, observation: &Observation) -> Decision {
        let followed = running.follow(observation, self.record.is_past_deadline(self.now), self.now);
        self.run.phase = BackupPhase::Running(running);
        match followed {
            Followed::Ask(action) => self.go_on(action),
            Followed::Stop(why) => self.go_on(Action::Stop(why)),
            Followed::Wait => self.go_on(Action::Yield),
            Followed::Ended => self.prove(Proof::Operation),
            Followed::EndedUnseen => self.prove(Proof::Blob),
            Followed::Failed(words) => self.fail(words.after("Azure says that the backup failed")),
        }
    }

    fn prove(mut self, proof: Proof) -> Decision {
        let name = self.run.name.clone();
        let text = match proof {
            Proof::Operation => "Azure says that the backup ended; its blob is looked at",
            Proof::Blob => "the backup ended and nobody saw how; its blob has to show it",
        };
        self.run.phase = BackupPhase::Proving { proof, first: None };
        let inspect = Action::InspectBlob(self.blob());
        self.go_on(inspect).telling_of(&name, EventName::BackupEnded, text)
    }

    fn proving(self, proof: Proof, first: Option<FirstSight>, observation: &Observation) -> Decision {
        match (observation, proof) {
            (Observation::Resumed, _) => {
                let inspect = Action::InspectBlob(self.blob());
                self.go_on(inspect)
            }
            (Observation::Inspected(BlobLook::Missing), _) => {
                self.fail("it ended, but there is no backup blob".into())
            }
            (Observation::Inspected(BlobLook::Found(blob)), _) if blob.length == 0 => {
                self.fail("it ended, but the backup blob is empty".into())
            }
            (Observation::Inspected(BlobLook::Found(blob)), Proof::Operation) => self.commit(proof, blob),
            (Observation::Inspected(BlobLook::Found(blob)), Proof::Blob) => self.prove_by_blob(first, blob),
            (Observation::Inspected(BlobLook::NoAnswer(why)), _) => {
                self.go_on(Action::Stop(format!("whether {} is proven is not known: {why}", self.run.name)))
            }
            _ => self.rest(),
        }
    }

    /// Without Azure's word the blob itself has to be convincing, twice, 5 min apart.
    fn prove_by_blob(mut self, first: Option<FirstSight>, blob: &BlobFacts) -> Decision {
        if blob.last_modified < self.run.storage_at.whole_second() {
            return self.fail("it ended unseen, and the backup blob is older than the request".into());
        }
        if blob.leased {
            return self.fail("it ended unseen, and somebody holds a lease on the backup blob".into());
        }
        let Some(first) = first else {
            let sight = FirstSight { at: self.now, length: blob.length, etag: blob.etag.clone() };
            self.run.phase = BackupPhase::Proving { proof: Proof::Blob, first: Some(sight) };
            return self.go_on(Action::Yield);
        };
        if (first.length, &first.etag) != (blob.length, &blob.etag) {
            return self.fail("it ended unseen, and the backup blob was still changing".into());
        }
        if self.now - first.at >= UNSEEN_END { self.commit(Proof::Blob, blob) } else { self.rest() }
    }

    fn commit(mut self, proof: Proof, blob: &BlobFacts) -> Decision {
        let proven = Proven {
            service: self.context.service.clone(),
            api_version: self.context.api_version.clone(),
            proof,
            length: blob.length,
            etag: blob.etag.clone(),
        };
        let suspicious = match suspicion::of(self.context, &self.record, &self.run) {
            Ok(suspicious) => suspicious,
            Err(why) => return self.go_on(Action::Stop(why)),
        };
        let manifest = Manifest { suspicious, ..Manifest::of(&self.run, proven, self.now) }.text();
        self.run.phase = BackupPhase::Committing { manifest: manifest.clone() };
        let write = Action::WriteManifest { at: self.blob(), bytes: manifest };
        self.go_on(write)
    }

    fn committing(mut self, manifest: String, observation: &Observation) -> Decision {
        match observation {
            Observation::Resumed => {
                let write = Action::WriteManifest { at: self.blob(), bytes: manifest };
                self.go_on(write)
            }
            Observation::Wrote(WriteOnce::Written | WriteOnce::Same) => self.verified(&manifest),
            Observation::Wrote(WriteOnce::Other) => {
                let text = format!(
                    "another manifest named {} stands in the container already, as if another deployment wrote there",
                    self.run.name.manifest()
                );
                self.record.suspect = Some(Suspect { at: self.now, what: text.clone() });
                let suspect = Event::of(&self.run.name, EventName::ConfigurationSuspect, text.clone());
                self.fail(text).telling(suspect)
            }
            Observation::Wrote(WriteOnce::NoAnswer(why)) => {
                let text = format!("whether {} is written is not known: {why}", self.run.name.manifest());
                self.go_on(Action::Stop(text))
            }
            _ => self.rest(),
        }
    }

    fn verified(mut self, manifest: &str) -> Decision {
        let run = self.run.clone();
        let written = Manifest::parse(&run.name, manifest.as_bytes()).ok();
        let suspicious = written.as_ref().and_then(|manifest| manifest.suspicious.clone());
        self.record.backups.push(KnownBackup {
            name: run.name.clone(),
            digest: Digest::of(manifest.as_bytes()),
            started_at: run.started_at,
            completed_at: written.map_or(self.now, |manifest| manifest.completed_at),
            accepted: suspicious.is_none(),
            suspicious: suspicious.clone(),
            counts: run.counts,
            after: None,
        });
        let newer = self.record.last_verified.as_ref().is_none_or(|last| run.started_at > last.started_at);
        if newer && suspicious.is_none() {
            self.record.last_verified =
                Some(LastVerified { name: run.name.clone(), started_at: run.started_at });
        }
        self.record.covered = self.record.covered.max(run.occurrence);
        self.record.backup_failures = None;
        if self.context.is_primary() {
            self.record.suspect = None;
        }
        let took = (self.now - run.started_at).whole_minutes();
        let text = format!("proven after {took} min; recovery point {}", run.started_at);
        self.begin_after_inventory();
        match suspicious {
            None => self.close(RunOutcome::Verified, text.clone()).telling_of(
                &run.name,
                EventName::BackupVerified,
                text,
            ),
            Some(why) => {
                let text = format!("{text}. It is not restored by itself: {why}");
                self.close(RunOutcome::Suspicious, text.clone()).telling_of(
                    &run.name,
                    EventName::BackupSuspicious,
                    text,
                )
            }
        }
    }

    /// What changes on the service while the backup runs is told apart by an inventory that is taken afterwards.
    fn begin_after_inventory(&mut self) {
        let Some(InventoryRef { .. }) = &self.run.inventory else { return };
        let taking = Taking::begin(self.context.depth, self.now);
        let (backup, container) = (self.run.name.clone(), self.run.container.clone());
        self.record.aside = Some(Box::new(Aside::After { backup, container, taking }));
    }

    fn fail(mut self, what: String) -> Decision {
        let failures = Failures::after(self.record.backup_failures.take(), self.now, what.clone());
        let next = failures.next_attempt();
        self.record.backup_failures = Some(Failures { occurrence: self.run.occurrence, ..failures });
        let name = self.run.name.clone();
        let text = format!("{what}. While a backup is still due, the next attempt comes at {next}");
        self.close(RunOutcome::Failed, what).telling_of(&name, EventName::BackupFailed, text)
    }

    fn close(mut self, outcome: RunOutcome, what: String) -> Decision {
        self.record.close(ClosedRun {
            version: 1,
            service: self.context.service.name(),
            kind: RunKind::Backup,
            backup: self.run.name,
            started_at: self.run.started_at,
            ended_at: self.now,
            outcome,
            what,
            compared: Tallies::default(),
        });
        Decision::act(self.record, Action::Again)
    }

    /// Takes the claim back. The inventory is kept for the next one: a busy hour shall not leave sixty.
    fn undo(mut self, event: EventName, why: &str, action: Action) -> Decision {
        let text = format!("the claim is undone, nothing is counted: {why}");
        if self.run.prepared_at.is_none() {
            self.record.operation = Operation::Idle;
            return Decision::act(self.record, action).telling_of(&self.run.name, event, text);
        }
        self.run.phase = BackupPhase::Prepared;
        self.go_on(action).telling_of(&self.run.name, event, text)
    }

    fn spend_wish(&mut self) {
        if self.record.backup_wish.as_ref().map(|wish| &wish.by) == self.run.wish.as_ref() {
            self.record.backup_wish = None;
        }
    }

    fn blob(&self) -> BlobName {
        BlobName { container: self.run.container.clone(), backup: self.run.name.clone() }
    }

    /// Keeps the run as it has become.
    fn go_on(&self, action: Action) -> Decision {
        let mut record = self.record.clone();
        record.operation = Operation::Backup(Box::new(self.run.clone()));
        Decision::act(record, action)
    }

    fn rest(&self) -> Decision {
        self.go_on(Action::Yield)
    }
}
