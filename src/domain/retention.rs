//! Retention: what has been kept for long enough goes, and nothing else.
//!
//! Once a day a *pass* goes through what one service keeps, stage by stage. What it deletes is named in the
//! record first, and is deleted only at the version that was listed. A pass may be cut off anywhere: the next
//! invocation lists again and goes on.

use std::collections::BTreeSet;

use time::Duration;

use super::decision::{Context, Decision};
use super::event::{Event, EventName};
use super::id::ServiceName;
use super::observation::{Action, Deletion, Listing, Observation, Old};
use super::record::{OldBlob, Operation, Record, RefusedDelete, Retention, Stage, parts_folder};
use super::vocabulary::{BackupName, Timestamp};

/// From the end of one pass to the beginning of the next. What belonged to a backup waits as long for its
/// manifest's sake: a wish that was saved while the manifest went is seen by then.
pub const PASS_EVERY: Duration = Duration::days(1);

/// How long a pass waits that found storage or a record unreadable.
pub const AFTER_TROUBLE: Duration = Duration::hours(1);

/// History is kept for a year, leap years included.
pub const HISTORY_KEPT: Duration = Duration::days(366);

/// An inventory is given up after half an hour; what is left of one after two days was forgotten.
pub const PARTIAL_KEPT: Duration = Duration::days(2);

/// Blobs that one save names. It bounds the record, and what is asked in vain of a container that allows no
/// deletes.
pub const BATCH: usize = 25;

/// Names that one line of the log holds.
const NAMED: usize = 5;

/// Decides on what one service has kept. Pure, as every decision is, and apart from the operation that the
/// service is in.
pub fn decide(context: &Context, record: &Record, observation: &Observation, now: Timestamp) -> Decision {
    // The earlier of two clocks counts, so that neither alone can make everything old.
    let now = now.min(context.storage_time);
    let pass = Pass { context, record: record.clone(), now, events: Vec::new() };
    match observation {
        Observation::Resumed if pass.is_due() => pass.go_on(),
        Observation::ListedOld { stage, listing } if pass.is_at(*stage) => pass.doom(*stage, listing),
        Observation::Deleted(deletions) => pass.settle(deletions),
        _ => pass.rest(),
    }
}

/// One decision on a pass.
struct Pass<'a> {
    context: &'a Context,
    record: Record,
    now: Timestamp,
    events: Vec<Event>,
}

impl Pass<'_> {
    fn is_due(&self) -> bool {
        let next = self.record.retention.next_pass;
        self.now >= next.unwrap_or(self.record.first_driven + PASS_EVERY)
    }

    /// Whether the pass still is where this was listed, and was not ended or taken further by another.
    fn is_at(&self, stage: Stage) -> bool {
        self.is_due() && self.record.retention.stage.is_none_or(|at| at <= stage)
    }

    fn go_on(self) -> Decision {
        let stage = self.record.retention.stage.unwrap_or(Stage::Leftovers);
        self.list(stage)
    }

    fn list(self, stage: Stage) -> Decision {
        let until = self.until(stage);
        self.act(Action::ListOld(Old { stage, until }))
    }

    /// What is dated then or before goes at this stage.
    fn until(&self, stage: Stage) -> Timestamp {
        match stage {
            Stage::Leftovers => self.now - (self.context.retention + Duration::DAY),
            Stage::Manifests => self.now - self.context.retention,
            Stage::History => self.now - HISTORY_KEPT,
            // Dated by storage itself, and so compared with storage's clock.
            Stage::Partial => self.context.storage_time - PARTIAL_KEPT,
        }
    }

    fn doom(mut self, stage: Stage, listing: &Result<Listing, String>) -> Decision {
        let listing = match listing {
            Ok(listing) => listing,
            Err(why) => return self.postpone(why),
        };
        if stage == Stage::Manifests {
            self.forget_old_backups(listing);
        }
        let mut doomed = self.doomed(stage, listing);
        if doomed.is_empty() {
            return self.next_stage(stage);
        }
        if self.context.dry_run {
            let text = format!("would delete {}", in_words(stage, &doomed));
            self.events.push(Event::new(EventName::DryRun, text));
            return self.next_stage(stage);
        }
        doomed.truncate(BATCH);
        self.record.retention.stage = Some(stage);
        self.record.retention.doomed.clone_from(&doomed);
        self.act(Action::Delete { stage, doomed })
    }

    /// The record vouches for no manifest that may be gone: it forgets one before the delete leaves.
    fn forget_old_backups(&mut self, listing: &Listing) {
        let until = self.until(Stage::Manifests);
        let needed = self.needed(listing);
        if !self.context.dry_run {
            self.record.backups.retain(|known| known.name.began() > until || needed.contains(&known.name));
        }
    }

    fn doomed(&self, stage: Stage, listing: &Listing) -> Vec<OldBlob> {
        let needed = self.needed(listing);
        let manifests = manifests_in(listing);
        let goes = |blob: &&OldBlob| match stage {
            Stage::History | Stage::Partial => true,
            Stage::Manifests => match backup_at(&blob.blob) {
                Some((name, Part::Manifest)) => !needed.contains(&name),
                _ => false,
            },
            Stage::Leftovers => match backup_at(&blob.blob) {
                // A manifest that was written after the listing is not in it, but in the record: this decision is saved
                // only if nobody has changed that since.
                Some((name, Part::Other)) => {
                    let has_manifest = manifests.contains(&name) || self.record.known(&name).is_some();
                    !needed.contains(&name) && !has_manifest
                }
                _ => false,
            },
        };
        listing.blobs.iter().filter(goes).cloned().collect()
    }

    fn needed(&self, listing: &Listing) -> BTreeSet<BackupName> {
        listing.needed.iter().cloned().chain(self.record.needed_backups()).collect()
    }

    fn settle(mut self, deletions: &[Deletion]) -> Decision {
        let Some(stage) = self.record.retention.stage else { return self.rest() };
        let doomed = std::mem::take(&mut self.record.retention.doomed);
        let mut gone = Vec::new();
        for (blob, deletion) in doomed.iter().zip(deletions) {
            match deletion {
                Deletion::Gone => gone.push(blob.clone()),
                Deletion::Changed | Deletion::NoAnswer(_) => {}
                Deletion::Protected(why) | Deletion::Forbidden(why) => self.note_refusal(blob, why),
            }
        }
        if !gone.is_empty() {
            let text = format!("deleted {}", in_words(stage, &gone));
            self.events.push(Event::new(EventName::RetentionDeleted, text));
        }
        let all_were_asked = deletions.len() == doomed.len() && doomed.len() < BATCH;
        match deletions.last() {
            Some(Deletion::NoAnswer(why)) => self.postpone(why),
            // Where not one of them could be deleted, asking for more is in vain.
            _ if all_were_asked || gone.is_empty() => self.next_stage(stage),
            _ => self.list(stage),
        }
    }

    fn note_refusal(&mut self, blob: &OldBlob, why: &str) {
        self.record.retention.met_refusal = true;
        if self.record.retention.refused.is_none() {
            let (blob, what) = (blob.blob.clone(), why.to_owned());
            let text = format!("{what}. It is tried again once a day, and holds nothing else up");
            self.events.push(Event::new(EventName::RetentionRefused, text));
            self.record.retention.refused = Some(RefusedDelete { since: self.now, blob, what });
        }
    }

    fn next_stage(self, stage: Stage) -> Decision {
        match stage {
            Stage::Leftovers => self.list(Stage::Manifests),
            Stage::Manifests => self.list(Stage::History),
            Stage::History => self.list(Stage::Partial),
            Stage::Partial => self.finish(),
        }
    }

    fn finish(mut self) -> Decision {
        let refused = self.record.retention.refused.take().filter(|_| self.record.retention.met_refusal);
        let next_pass = Some(self.now + PASS_EVERY);
        self.record.retention = Retention { next_pass, refused, ..Retention::default() };
        self.rest()
    }

    fn postpone(mut self, why: &str) -> Decision {
        self.record.retention.next_pass = Some(self.now + AFTER_TROUBLE);
        let text = format!("what has been kept for long enough stays for another hour: {why}");
        self.events.push(Event::new(EventName::RetentionPostponed, text));
        self.rest()
    }

    fn rest(self) -> Decision {
        self.act(Action::Yield)
    }

    fn act(self, action: Action) -> Decision {
        Decision { record: self.record, events: self.events, action }
    }
}

impl Record {
    /// The backups that retention leaves alone for this service's sake, however old they are.
    pub fn needed_backups(&self) -> Vec<BackupName> {
        let under_way = match &self.operation {
            Operation::Idle => None,
            Operation::Backup(run) => Some(&run.name),
            Operation::Restore(run) => Some(&run.source.name),
        };
        let needed = [
            under_way,
            self.restore_wish.as_ref().map(|wish| &wish.source.name),
            self.last_verified.as_ref().map(|last| &last.name),
            self.newest_accepted().map(|newest| &newest.name),
            // The next backup is measured by it, and that may be an older one than the newest.
            self.newest_measured().map(|(name, _)| name),
        ];
        needed.into_iter().flatten().cloned().collect()
    }
}

impl Stage {
    /// What the names of the blobs begin with that this stage lists for `service`.
    pub fn prefix(self, service: &ServiceName) -> String {
        match self {
            Self::Leftovers | Self::Manifests => format!("{service}-"),
            Self::History => format!("history/{service}/"),
            Self::Partial => parts_folder(service),
        }
    }

    /// Whether the blobs lie beside the backups, and not beside the records.
    pub fn is_of_backups(self) -> bool {
        matches!(self, Self::Leftovers | Self::Manifests)
    }

    /// The time by which the age of `service`'s blob is counted; none if this stage leaves it alone. A name's
    /// own time counts where there is one, for a blob that is copied or touched is no younger for it.
    pub fn dated(self, service: &ServiceName, blob: &str, last_modified: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Leftovers | Self::Manifests => {
                let (name, _) = backup_at(blob)?;
                (name.service() == service).then(|| name.began())
            }
            Self::History => {
                let (time, _) = blob.strip_prefix(&self.prefix(service))?.split_once('-')?;
                Timestamp::from_compact(time)
            }
            Self::Partial => blob.starts_with(&self.prefix(service)).then_some(last_modified),
        }
    }
}

/// What a blob is to the backup in whose name it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Manifest,
    Other,
}

const OTHER_PARTS: [&str; 3] = [".apimbackup", ".inventory.json", ".inventory-after.json"];

fn backup_at(blob: &str) -> Option<(BackupName, Part)> {
    if let Some(name) = BackupName::of_manifest(blob) {
        return Some((name, Part::Manifest));
    }
    let name = OTHER_PARTS.iter().find_map(|part| blob.strip_suffix(part))?;
    Some((BackupName::parse(name)?, Part::Other))
}

/// The backups whose manifest was listed, or may have come next where the listing was cut off.
fn manifests_in(listing: &Listing) -> BTreeSet<BackupName> {
    let last = listing.blobs.last().filter(|_| !listing.whole);
    let cut_off = last.and_then(|last| backup_at(&last.blob)).map(|(name, _)| name);
    let listed = listing.blobs.iter().filter_map(|blob| BackupName::of_manifest(&blob.blob));
    listed.chain(cut_off).collect()
}

fn in_words(stage: Stage, blobs: &[OldBlob]) -> String {
    let what = match stage {
        Stage::Leftovers => "what belonged to old backups",
        Stage::Manifests => "old manifests",
        Stage::History => "history of more than a year ago",
        Stage::Partial => "unfinished inventories",
    };
    let named: Vec<_> = blobs.iter().take(NAMED).map(|blob| blob.blob.as_str()).collect();
    let more = match blobs.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{what}: {}{more}", named.join(", "))
}
