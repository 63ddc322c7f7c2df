//! One service's session: what is observed goes in, and each decision becomes a line.

use std::collections::BTreeMap;

use apim_dr::domain::backup as backups;
use apim_dr::domain::decide::decide;
use apim_dr::domain::decision::{Context, Decision, Measure};
use apim_dr::domain::failover;
use apim_dr::domain::inventory::Depth;
use apim_dr::domain::observation::{
    Action, Answer, BlobLook, Looking, Looks, Observation, Others, Poll, WriteOnce,
};
use apim_dr::domain::offer::{self, Offer};
use apim_dr::domain::record::{BackupPhase, By, Operation, Record, RestorePhase};
use apim_dr::domain::schedule::Schedule;
use apim_dr::domain::serving::Serving;
use apim_dr::domain::standby::{self, Turn};
use apim_dr::domain::summary;
use apim_dr::domain::take_up;
use apim_dr::domain::vocabulary::{Container, Digest, InvocationId, Timestamp};
use expect_test::Expect;

use super::fixtures::{
    Sight, at, found, service, short, short_name, tell_answer, tell_blob, tell_poll, tell_write,
};
use super::reading::{is_read, untouched};
use super::telling::{changes, facts, tell_action, tell_phase};

/// A session with one service.
pub(crate) struct Story {
    pub(super) context: Context,
    pub(super) record: Record,
    pub(super) now: Timestamp,
    invocations: usize,
    /// What each invocation is about to do, and the record on which it decided that.
    pending: BTreeMap<InvocationId, (Action, Record)>,
    /// The invocations that have come to reading this service, and what for.
    pub(super) reading: BTreeMap<InvocationId, Turn>,
    /// Whether services read well by themselves, as in every story that is about something else.
    pub(super) reads_by_itself: bool,
    last: Vec<String>,
    lines: Vec<String>,
}

impl Story {
    /// `contoso`, the primary, backed up at 02:00 every day, with `LIVE_CHECK=off`; never driven before.
    pub(crate) fn of_primary() -> Self {
        Self::of("contoso").scheduled("0 0 2 * * *")
    }

    /// `contoso-dr`, a secondary into which nothing was ever restored, with `LIVE_CHECK=off`.
    pub(crate) fn of_secondary() -> Self {
        Self::of("contoso-dr")
    }

    /// Any other service, which is no primary.
    pub(crate) fn of_service(name: &str) -> Self {
        Self::of(name)
    }

    fn of(name: &str) -> Self {
        let (id, primary) = (service(name), service("contoso").name());
        let context = Context {
            invocation: InvocationId::from("-"),
            service: id.clone(),
            primary: primary.clone(),
            container: Container::from("apim-backups"),
            api_version: "2024-05-01".into(),
            schedule: None,
            serving: Serving::Service(primary.clone()),
            failed_over: None,
            resumed_at: None,
            blind_until: None,
            handed_over: true,
            depth: Depth::Deep,
            measure: Measure::Nothing,
            may_read: false,
            configured: true,
            dry_run: false,
            retention: time::Duration::days(28),
            storage_time: at("00:00"),
        };
        let record = Record::new(id, primary, InvocationId::from("-"), at("00:00"));
        Self {
            context,
            record,
            now: at("00:00"),
            invocations: 0,
            pending: BTreeMap::new(),
            reading: BTreeMap::new(),
            reads_by_itself: true,
            last: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Does `before` and leaves it out of the transcript.
    pub(crate) fn having(mut self, before: impl FnOnce(&mut Self) -> &mut Self) -> Self {
        before(&mut self);
        self.lines.clear();
        self
    }

    // What happens.

    /// A new invocation, without a wish.
    pub(crate) fn tick(&mut self, when: &str) -> &mut Self {
        self.begin(when).drive()
    }

    /// A new invocation reads the profile: this service carries the traffic. It is the primary's record that takes it in.
    pub(crate) fn reads(&mut self, when: &str, serving: &str) -> &mut Self {
        self.read(when, Serving::Service(service(serving).name()), format!("{serving} serves"))
    }

    /// A new invocation reads the profile, and it does not say who serves.
    pub(crate) fn reads_nothing(&mut self, when: &str) -> &mut Self {
        let serving = Serving::Unknown("the profile is disabled".into());
        self.read(when, serving, "nobody knows who serves".into())
    }

    fn read(&mut self, when: &str, serving: Serving, told: String) -> &mut Self {
        self.begin(when);
        let decision = failover::note(self.record.clone(), &serving, self.now);
        self.context.serving = serving;
        self.apply(decision, told).follow_latch()
    }

    /// A new invocation reads that this secondary serves, and cannot use the primary's record.
    pub(crate) fn serves_beside(&mut self, when: &str) -> &mut Self {
        self.begin(when);
        let decision = failover::note_beside(self.record.clone(), &self.context.primary, self.now);
        self.apply(decision, "it serves, and the primary's record cannot be used".into())
    }

    /// This invocation brings `resume`.
    pub(crate) fn resume(&mut self) -> &mut Self {
        let decision = failover::resume(&self.context, self.record.clone(), false, self.now);
        self.apply(decision, "resume".into()).follow_latch()
    }

    /// This invocation brings `resume --even-if-unknown`.
    pub(crate) fn resume_even_if_unknown(&mut self) -> &mut Self {
        let decision = failover::resume(&self.context, self.record.clone(), true, self.now);
        self.apply(decision, "resume --even-if-unknown".into()).follow_latch()
    }

    /// This service is the primary now, and takes over what the old one's record says of a failover.
    pub(crate) fn inherits(&mut self, when: &str, old: &Self) -> &mut Self {
        self.begin(when);
        let inherited = failover::Inherited::from([&old.record].into_iter());
        let decision = inherited.hand_over(self.record.clone());
        self.apply(decision, "the old primary's latch".into())
    }

    /// This service is not the primary, and `primary`, which is, has taken over what its record says of a failover.
    pub(crate) fn hands_on(&mut self, when: &str, primary: &Self) -> &mut Self {
        self.begin(when);
        let decision = failover::hand_on(self.record.clone(), &primary.record);
        self.apply(decision, "the latch stands elsewhere".into())
    }

    /// As an invocation does it: the primary's record says what holds for all.
    fn follow_latch(&mut self) -> &mut Self {
        self.context.failed_over.clone_from(&self.record.failed_over);
        self.context.resumed_at = self.record.resumed_at;
        let backed_up = failover::backed_up(&self.record, &self.context.serving);
        let scheduled = backed_up == self.record.service.name();
        self.context.schedule = scheduled.then(|| Schedule::parse("0 0 2 * * *").expect("a schedule"));
        self
    }

    pub(super) fn begin(&mut self, when: &str) -> &mut Self {
        let letter = char::from(b'A' + u8::try_from(self.invocations % 26).expect("a letter"));
        let round = if self.invocations < 26 { String::new() } else { (self.invocations / 26).to_string() };
        self.invocations += 1;
        self.now = at(when);
        self.context.invocation = InvocationId::from(format!("{letter}{round}"));
        // Storage's clock is two minutes ahead, as it may be.
        self.context.storage_time = self.now + time::Duration::minutes(2);
        self
    }

    /// This invocation goes on at a later time.
    pub(crate) fn at(&mut self, when: &str) -> &mut Self {
        self.now = at(when);
        self
    }

    /// An earlier invocation goes on, at a later time.
    pub(crate) fn meanwhile(&mut self, invocation: &str, when: &str) -> &mut Self {
        self.context.invocation = InvocationId::from(invocation);
        self.at(when)
    }

    /// This invocation takes the record up.
    pub(crate) fn drive(&mut self) -> &mut Self {
        self.decide(&Observation::Resumed, "resumed".into())
    }

    pub(crate) fn look(&mut self, sight: Sight) -> &mut Self {
        let Action::Look(looking) = self.pending() else {
            panic!("no look is pending\n{}", self.transcript())
        };
        let blob = match &looking {
            Looking::Service => None,
            Looking::ForBackup(_) => Some(sight.blob.clone().unwrap_or(BlobLook::Missing)),
            Looking::ForRestore(..) => Some(sight.blob.clone().unwrap_or_else(found)),
        };
        let others = sight.others.clone().map(|names| Others {
            restoring: names.iter().map(|name| service(name).name()).collect(),
            failed_over: sight.failed_over.clone().or_else(|| self.context.failed_over.clone()),
            resumed_at: sight.resumed_at.or(self.context.resumed_at),
        });
        let asks = matches!(looking, Looking::ForRestore(..));
        let content = sight.content.clone().or_else(|| untouched(&looking));
        let serving = asks.then(|| sight.serving.clone().unwrap_or_else(|| self.context.serving.clone()));
        let service = sight.service.clone();
        let looks = Looks { at: self.now, looking, service, blob, others, serving, content };
        self.decide(&Observation::Looked(Box::new(looks)), format!("look {}", sight.tell()))
    }

    /// A new invocation brings a look that it was never asked for.
    pub(crate) fn stray_look(&mut self, when: &str, looking: Looking, sight: Sight) -> &mut Self {
        self.begin(when);
        self.pending.insert(self.context.invocation.clone(), (Action::Look(looking), self.record.clone()));
        self.look(sight)
    }

    pub(crate) fn answer(&mut self, answer: Answer) -> &mut Self {
        let (Action::StartBackup(start) | Action::StartRestore(start)) = self.pending() else {
            panic!("no POST is pending\n{}", self.transcript())
        };
        let told = tell_answer(&answer);
        self.decide(&Observation::Answered { claim: start.claim, answer }, told)
    }

    pub(crate) fn too_late(&mut self) -> &mut Self {
        self.pending();
        self.decide(&Observation::TooLate, "too late".into())
    }

    pub(crate) fn poll(&mut self, poll: Poll) -> &mut Self {
        let Action::Poll(_) = self.pending() else { panic!("no poll is pending\n{}", self.transcript()) };
        let told = format!("poll {}", tell_poll(&poll));
        self.decide(&Observation::Polled(poll), told)
    }

    pub(crate) fn inspect(&mut self, blob: BlobLook) -> &mut Self {
        let Action::InspectBlob(_) = self.pending() else {
            panic!("no blob is looked at\n{}", self.transcript())
        };
        let told = tell_blob(&blob);
        self.decide(&Observation::Inspected(blob), told)
    }

    pub(crate) fn write(&mut self, written: WriteOnce) -> &mut Self {
        let (Action::WriteManifest { .. } | Action::WriteHistory { .. }) = self.pending() else {
            panic!("nothing is being written\n{}", self.transcript())
        };
        let told = tell_write(&written).to_owned();
        self.decide(&Observation::Wrote(written), told)
    }

    /// A new invocation brings the wish for a backup now.
    pub(crate) fn wish_backup(&mut self, when: &str) -> &mut Self {
        self.begin(when);
        let decision = backups::wish(&self.context, self.record.clone(), self.now);
        self.apply(decision, "a backup now".into())
    }

    /// A new invocation brings a wish that is noted so.
    pub(crate) fn wish(
        &mut self,
        when: &str,
        told: &str,
        note: impl FnOnce(&Context, Record) -> Decision,
    ) -> &mut Self {
        self.begin(when);
        let decision = note(&self.context, self.record.clone());
        self.apply(decision, told.to_owned())
    }

    /// A new invocation brings a manifest.
    pub(crate) fn offer(&mut self, when: &str, manifest: Offer) -> &mut Self {
        self.begin(when);
        let by = match manifest.by {
            By::Automatic => "manifest",
            By::Hand => "by hand",
        };
        let told = format!("{by} {}", short_name(&manifest.source.name));
        match offer::take(&self.context, self.record.clone(), &manifest, self.now) {
            Ok(decision) => self.apply(decision, told),
            Err(why) => {
                let line = format!("{} {} + {told} -> to come again: {why}", self.clock(), self.phase());
                self.note(line);
                self
            }
        }
    }

    /// What a tick would take up of the primary's backups.
    pub(crate) fn takes_up(&mut self, when: &str, primary: &Self) -> &mut Self {
        let missed = take_up::missed(&primary.record, &self.record, at(when));
        let what = missed.map_or_else(|| "nothing".into(), |backup| short_name(&backup.name));
        self.note(format!("{when} a tick takes up {what}"));
        self
    }

    /// Whether a restore into this service stands in the way of others.
    pub(crate) fn holds_up_others(&mut self, when: &str) -> &mut Self {
        let holds_up = self.record.holds_up_restores(at(when));
        self.note(format!("{when} holds up others: {holds_up}"));
        self
    }

    /// Its place in the order in which targets are driven: the smallest goes first.
    pub(crate) fn turn(&self) -> (bool, bool, Option<Timestamp>) {
        take_up::turn(&self.record)
    }

    /// Whether the record names the manifest that is about to be written, or one of its bytes.
    pub(crate) fn vouches_for(&mut self, began: &str, bytes: Option<&str>) -> &mut Self {
        let name = super::fixtures::backup("contoso", began);
        let held = match &self.record.operation {
            Operation::Backup(run) => match &run.phase {
                BackupPhase::Committing { manifest } => Some(manifest.clone()),
                _ => None,
            },
            _ => None,
        };
        let digest = match bytes {
            Some(bytes) => Digest::of(bytes.as_bytes()),
            None => held.map_or_else(
                || self.record.backups.first().expect("a backup").digest.clone(),
                |manifest| Digest::of(manifest.as_bytes()),
            ),
        };
        let vouched = self.record.vouches_for(&name, &digest).map_or_else(|| "no".into(), short);
        self.note(format!("{} the record vouches for the manifest: {vouched}", self.phase()));
        self
    }

    // What is told.

    /// How the service stands, as a person who ran a function by hand reads it; in full, for once.
    pub(crate) fn stands(&mut self, when: &str) -> &mut Self {
        let line = format!("{when} {}", summary::of(&self.record, at(when)));
        self.note(line);
        self
    }

    /// The manifest that is about to be written.
    pub(crate) fn manifest(&self) -> String {
        match self.pending() {
            Action::WriteManifest { bytes, .. } => bytes,
            other => panic!("no manifest is being written, but {other:?}"),
        }
    }

    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    /// The record as it is stored.
    pub(crate) fn stored(&self) -> Vec<u8> {
        self.record.bytes()
    }

    /// Puts the words of what was told last into the transcript.
    pub(crate) fn in_words(&mut self) -> &mut Self {
        let words: Vec<_> = self.last.iter().map(|text| format!("      {text}")).collect();
        self.lines.extend(words);
        self
    }

    /// Compares the transcript with what it should be.
    pub(crate) fn check(&self, expected: Expect) {
        expected.assert_eq(&self.transcript());
    }

    /// What was told so far.
    pub(crate) fn transcript(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    pub(super) fn note(&mut self, line: String) {
        self.lines.push(line);
    }

    pub(super) fn pending(&self) -> Action {
        let pending = self.pending.get(&self.context.invocation);
        pending.map_or(Action::Yield, |(action, _)| action.clone())
    }

    /// What is pending was decided on the record as it is now.
    pub(super) fn again_pending(&mut self) {
        if let Some((_, record)) = self.pending.get_mut(&self.context.invocation) {
            record.clone_from(&self.record);
        }
    }

    /// As `drive` does it: what was observed of one operation says nothing of another.
    pub(super) fn decide(&mut self, observation: &Observation, told: String) -> &mut Self {
        let turn = self.reading.get(&self.context.invocation).copied();
        self.context.may_read = turn.is_some();
        let before = self.pending.get(&self.context.invocation).map(|(_, record)| record);
        let answered = matches!(observation, Observation::Answered { .. });
        let current = answered
            || before.is_none_or(|before| {
                before.operation == self.record.operation
                    && before.unwritten_history.first() == self.record.unwritten_history.first()
                    && (before.aside == self.record.aside || !is_read(observation))
            });
        let (observation, told) = match current {
            true => (observation, told),
            false => (&Observation::Resumed, format!("{told} (of a record that was changed since)")),
        };
        let decide = match turn {
            Some(Turn::After | Turn::Again) => standby::decide,
            Some(Turn::Backup | Turn::Verifying) | None => decide,
        };
        let decision = decide(&self.context, &self.record, observation, self.now);
        self.apply(decision, told);
        self.read_on()
    }

    pub(super) fn apply(&mut self, decision: Decision, told: String) -> &mut Self {
        let before = (self.phase(), facts(&self.record));
        let Decision { record, events, action } = decision;
        self.must_stand(&record, &action);
        self.record = Record { writer: self.context.invocation.clone(), ..record };
        let mut line =
            format!("{} {} + {told} -> {}, {}", self.clock(), before.0, self.phase(), tell_action(&action));
        let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
        if !names.is_empty() {
            line += &format!(" | {}", names.join(" "));
        }
        let changes = changes(&before.1, &facts(&self.record));
        if !changes.is_empty() {
            line += &format!(" {{{}}}", changes.join("; "));
        }
        if !events.is_empty() {
            self.last = events.into_iter().map(|event| event.text).collect();
        }
        let word = |phase: &str| phase.split('(').next().map(str::to_owned);
        let only_aside = changes.iter().all(|change| change.starts_with("aside: "));
        let silent = names.is_empty() && only_aside && word(&before.0) == word(&self.phase());
        if !(silent && self.only_reads(&told, &action)) {
            self.note(line);
        }
        self.pending.insert(self.context.invocation.clone(), (action.clone(), self.record.clone()));
        if action == Action::Again { self.drive() } else { self }
    }

    /// What holds in every story: save, then act; never backwards; nothing leaves in a dry run; what is
    /// stored reads back as it was.
    fn must_stand(&self, record: &Record, action: &Action) {
        match (action, &record.operation) {
            (Action::StartBackup(start), Operation::Backup(run)) => {
                assert_eq!(run.phase, BackupPhase::Requested(start.claim.clone()));
                assert_eq!(run.name, start.blob.backup);
            }
            (Action::StartRestore(start), Operation::Restore(run)) => {
                assert_eq!(run.phase, RestorePhase::Requested(start.claim.clone()));
                assert_eq!(run.source.name, start.blob.backup);
            }
            (Action::WriteManifest { at, bytes }, Operation::Backup(run)) => {
                assert_eq!(run.phase, BackupPhase::Committing { manifest: bytes.clone() });
                assert_eq!(run.name, at.backup);
            }
            (Action::StartBackup(_) | Action::StartRestore(_) | Action::WriteManifest { .. }, _) => {
                panic!("{action:?} is not named by the record\n{}", self.transcript())
            }
            _ => {}
        }
        let changes_something =
            matches!(action, Action::StartBackup(_) | Action::StartRestore(_) | Action::WriteManifest { .. });
        assert!(!(self.context.dry_run && changes_something), "{action:?} in a dry run");
        let verified = |record: &Record| record.last_verified.as_ref().map(|last| last.started_at);
        assert!(verified(record) >= verified(&self.record), "the last verified backup moved backwards");
        assert_eq!(
            Record::parse(&record.bytes()).as_ref(),
            Ok(record),
            "what is stored reads back as it was"
        );
    }

    pub(super) fn clock(&self) -> String {
        format!("{} {}", short(self.now), self.context.invocation)
    }

    fn phase(&self) -> String {
        tell_phase(&self.record.operation)
    }
}
