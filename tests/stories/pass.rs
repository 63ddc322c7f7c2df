//! Retention's session with one service and its containers: each decision becomes a line.

use std::collections::{BTreeMap, BTreeSet};

use apim_dr::domain::decision::{Context, Decision, Measure};
use apim_dr::domain::inventory::Depth;
use apim_dr::domain::observation::{Action, Deletion, Listing, Observation};
use apim_dr::domain::record::{KnownBackup, LastVerified, OldBlob, Record, Stage};
use apim_dr::domain::retention::decide;
use apim_dr::domain::serving::Serving;
use apim_dr::domain::vocabulary::{BackupName, Container, Digest, Etag, InvocationId, Timestamp};
use expect_test::Expect;
use time::Duration;

use super::fixtures::{at, backup, service, short};
use super::telling::{changes, facts, short_blob, tell_action};

/// What belongs to a backup.
const KINDS: [&str; 4] = ["apimbackup", "inventory.json", "inventory-after.json", "manifest.json"];

/// `contoso`, the primary, which was first driven on 1 March and keeps backups for 28 days, and what lies in
/// both containers.
pub(crate) struct Keeper {
    pub(crate) context: Context,
    pub(crate) record: Record,
    /// By name, with the time of the last change.
    blobs: BTreeMap<String, Timestamp>,
    /// What storage answers to a delete, by a part of the blob's name.
    answers: Vec<(&'static str, Deletion)>,
    /// The backups that other records need, or why they cannot be read.
    needed: Result<BTreeSet<BackupName>, String>,
    listing_ends_after: Option<&'static str>,
    late: bool,
    last: Vec<String>,
    lines: Vec<String>,
}

impl Keeper {
    pub(crate) fn new() -> Self {
        let (id, primary) = (service("contoso"), service("contoso").name());
        let context = Context {
            invocation: InvocationId::from("A"),
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
            retention: Duration::days(28),
            storage_time: at("01T00:00"),
        };
        Self {
            context,
            record: Record::new(id, primary, InvocationId::from("-"), at("01T00:00")),
            blobs: BTreeMap::new(),
            answers: Vec::new(),
            needed: Ok(BTreeSet::new()),
            listing_ends_after: None,
            late: false,
            last: Vec::new(),
            lines: Vec::new(),
        }
    }

    // How the settings read, and what lies there.

    /// `RETENTION_DAYS`.
    pub(crate) fn keeping(mut self, days: i64) -> Self {
        self.context.retention = Duration::days(days);
        self
    }

    /// A verified backup, complete, of each of these days at 02:00.
    pub(crate) fn backups(mut self, days: &[&str]) -> Self {
        for day in days {
            let name = backup("contoso", &format!("{day}T02:00"));
            for kind in KINDS {
                self = self.blob(&format!("{name}.{kind}"));
            }
            self.record.last_verified = Some(LastVerified { name: name.clone(), started_at: name.began() });
            self.record.backups.push(KnownBackup {
                digest: Digest::of(b""),
                started_at: name.began(),
                completed_at: name.began(),
                accepted: true,
                suspicious: None,
                counts: None,
                after: None,
                name,
            });
        }
        self
    }

    /// Any blob, written on 1 March.
    pub(crate) fn blob(self, name: &str) -> Self {
        self.blob_written(name, "01T03:00")
    }

    pub(crate) fn blob_written(mut self, name: &str, when: &str) -> Self {
        self.blobs.insert(name.to_owned(), at(when));
        self
    }

    /// Storage answers so to the delete of every blob whose name holds `part`.
    pub(crate) fn deletes_end(mut self, part: &'static str, how: Deletion) -> Self {
        self.answers.push((part, how));
        self
    }

    /// Another service's record needs this backup.
    pub(crate) fn needed_elsewhere(&mut self, began: &[&str]) -> &mut Self {
        self.note(format!("another record needs {}", if began.is_empty() { "none" } else { began[0] }));
        self.needed = Ok(began.iter().map(|began| backup("contoso", began)).collect());
        self
    }

    pub(crate) fn records_unreadable(&mut self, why: Option<&str>) -> &mut Self {
        self.needed = why.map_or_else(|| Ok(BTreeSet::new()), |why| Err(why.to_owned()));
        self
    }

    /// Deletes end as they should from now on.
    pub(crate) fn deletes_are_allowed(&mut self) -> &mut Self {
        self.answers.clear();
        self
    }

    /// The listing is cut off after the blob whose name ends so.
    pub(crate) fn listing_ends_after(mut self, end: &'static str) -> Self {
        self.listing_ends_after = Some(end);
        self
    }

    /// This blob was not there yet when the container was listed.
    pub(crate) fn not_listed(mut self, name: &str) -> Self {
        self.blobs.remove(name);
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Record)) -> Self {
        change(&mut self.record);
        self
    }

    // What happens.

    /// One invocation, to its end.
    pub(crate) fn tick(&mut self, when: &str) -> &mut Self {
        // Storage's clock is two minutes ahead, as it may be.
        self.tick_by_two_clocks(when, at(when) + Duration::minutes(2))
    }

    pub(crate) fn tick_by_two_clocks(&mut self, when: &str, storage_time: Timestamp) -> &mut Self {
        self.context.storage_time = storage_time;
        let mut observation = Observation::Resumed;
        for _ in 0..20 {
            let action = self.decide(&observation, at(when));
            observation = match action {
                Action::Yield => return self,
                _ if std::mem::take(&mut self.late) => Observation::TooLate,
                action => self.perform(&action),
            };
        }
        panic!("it does not come to rest\n{}", self.transcript())
    }

    /// One invocation that is killed once it has saved what it is about to delete.
    pub(crate) fn dies_before_the_delete(&mut self, when: &str) -> &mut Self {
        self.context.storage_time = at(when);
        let mut observation = Observation::Resumed;
        loop {
            let action = self.decide(&observation, at(when));
            if matches!(action, Action::Delete { .. }) {
                self.note("killed".into());
                return self;
            }
            observation = self.perform(&action);
        }
    }

    /// The next invocation has become late before its first action.
    pub(crate) fn too_late(&mut self) -> &mut Self {
        self.late = true;
        self
    }

    fn decide(&mut self, observation: &Observation, now: Timestamp) -> Action {
        let before = facts(&self.record);
        let Decision { record, events, action } = decide(&self.context, &self.record, observation, now);
        self.must_stand(&record, &action);
        let told = format!("{} -> {}", self.tell(observation), tell_action(&action));
        let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
        let names = if names.is_empty() { String::new() } else { format!(" | {}", names.join(" ")) };
        let changes = changes(&before, &facts(&record));
        let changes = if changes.is_empty() { String::new() } else { format!(" {{{}}}", changes.join("; ")) };
        self.note(format!("{} {told}{names}{changes}", short(now)));
        if !events.is_empty() {
            self.last = events.into_iter().map(|event| event.text).collect();
        }
        self.record = record;
        action
    }

    fn perform(&mut self, action: &Action) -> Observation {
        match action {
            Action::ListOld(old) => {
                let is_old = |blob: &str, modified| {
                    let dated = old.stage.dated(&self.context.service.name(), blob, modified);
                    dated.is_some_and(|dated| dated <= old.until)
                };
                let listing = self.list(old.stage, is_old);
                Observation::ListedOld { stage: old.stage, listing }
            }
            Action::Delete { doomed, .. } => Observation::Deleted(self.delete(doomed)),
            other => panic!("retention asks for {other:?}"),
        }
    }

    fn list(&self, stage: Stage, is_old: impl Fn(&str, Timestamp) -> bool) -> Result<Listing, String> {
        let prefix = stage.prefix(&self.context.service.name());
        let mut whole = true;
        let mut blobs = Vec::new();
        for (name, modified) in self.blobs.iter().filter(|(name, _)| name.starts_with(&prefix)) {
            if is_old(name, *modified) {
                blobs.push(OldBlob { blob: name.clone(), etag: Etag::from("1".to_owned()) });
            }
            if self.listing_ends_after.is_some_and(|end| name.ends_with(end)) {
                whole = false;
                break;
            }
        }
        let needed = self.needed.clone()?;
        Ok(Listing { blobs, whole, needed })
    }

    fn delete(&mut self, doomed: &[OldBlob]) -> Vec<Deletion> {
        let mut deletions = Vec::new();
        for OldBlob { blob, .. } in doomed {
            let answer = self.answers.iter().find(|(part, _)| blob.contains(part));
            let deletion = answer.map_or(Deletion::Gone, |(_, deletion)| deletion.clone());
            if deletion == Deletion::Gone {
                self.blobs.remove(blob);
            }
            let breaks_off = matches!(deletion, Deletion::Forbidden(_) | Deletion::NoAnswer(_));
            deletions.push(deletion);
            if breaks_off {
                break;
            }
        }
        deletions
    }

    /// Save, then act; and what must never go is never named.
    fn must_stand(&self, record: &Record, action: &Action) {
        assert_eq!(Record::parse(&record.bytes()).as_ref(), Ok(record));
        let Action::Delete { stage, doomed } = action else { return };
        assert!(!self.context.dry_run, "a delete in a dry run");
        assert_eq!((record.retention.stage, &record.retention.doomed), (Some(*stage), doomed));
        let others = self.needed.as_ref().expect("without the records nothing is deleted");
        for needed in record.needed_backups().into_iter().chain(others.iter().cloned()) {
            let is_part = |blob: &&OldBlob| blob.blob.starts_with(&needed.to_string());
            assert_eq!(doomed.iter().find(is_part), None, "{needed} is needed");
        }
        let doomed_manifest = |known: &&KnownBackup| doomed.iter().any(|b| b.blob == known.name.manifest());
        assert_eq!(record.backups.iter().find(doomed_manifest), None, "the record still vouches for it");
    }

    // What is told.

    fn tell(&self, observation: &Observation) -> String {
        match observation {
            Observation::Resumed => "resumed".into(),
            Observation::TooLate => "too late".into(),
            Observation::ListedOld { listing: Err(why), .. } => why.clone(),
            Observation::ListedOld { listing: Ok(listing), .. } => {
                let cut_off = if listing.whole { "" } else { ", cut off" };
                format!("{} old{cut_off}", listing.blobs.len())
            }
            Observation::Deleted(deletions) => {
                let word = |deletion: &Deletion| match deletion {
                    Deletion::Gone => "gone",
                    Deletion::Changed => "changed",
                    Deletion::Protected(_) => "protected",
                    Deletion::Forbidden(_) => "forbidden",
                    Deletion::NoAnswer(_) => "no answer",
                };
                let mut words: Vec<(&str, usize)> = Vec::new();
                for word in deletions.iter().map(word) {
                    match words.last_mut() {
                        Some((last, count)) if *last == word => *count += 1,
                        _ => words.push((word, 1)),
                    }
                }
                words.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
            }
            other => panic!("retention is told {other:?}"),
        }
    }

    /// Puts the words of what was told last into the transcript.
    pub(crate) fn in_words(&mut self) -> &mut Self {
        let words: Vec<_> = self.last.iter().map(|text| format!("      {text}")).collect();
        self.lines.extend(words);
        self
    }

    /// What is left, by name; `.*` stands for all that belongs to a backup.
    pub(crate) fn left(&self) -> String {
        let of_each = KINDS.map(|kind| format!(".{kind}"));
        let mut left: Vec<String> = self.blobs.keys().map(|blob| short_blob(blob)).collect();
        let names: BTreeSet<_> =
            left.iter().filter_map(|blob| blob.split_once('.')).map(|(n, _)| n.to_owned()).collect();
        for name in names {
            let all: Vec<_> = of_each.iter().map(|kind| format!("{name}{kind}")).collect();
            if all.iter().all(|blob| left.contains(blob)) {
                left.retain(|blob| !all.contains(blob));
                left.push(format!("{name}.*"));
            }
        }
        left.sort();
        left.join(" ")
    }

    pub(crate) fn what_is_left(&mut self) -> &mut Self {
        let left = self.left();
        self.note(format!("left: {}", if left.is_empty() { "nothing" } else { &left }));
        self
    }

    fn note(&mut self, line: String) {
        self.lines.push(line);
    }

    pub(crate) fn check(&self, expected: Expect) {
        expected.assert_eq(&self.transcript());
    }

    fn transcript(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}
