//! What a comparison means, once it is over.

use super::event::{Event, EventName};
use super::inventory::lists::TOP;
use super::inventory::{Depth, Unit, Unread};
use super::record::{Baseline, Compared, Comparing, Finding};
use super::unprotected::Unprotected;
use super::vocabulary::{BackupName, Digest, Timestamp, counted};

/// Lists that are named where not all could be read.
const NAMED: usize = 3;

/// A comparison that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub compared: Compared,
    pub finding: Finding,
    /// Of the target's top-level lists, if all of them were read.
    pub lists: Option<Digest>,
}

impl Judged {
    /// How it compared, in one line.
    pub fn in_words(&self) -> String {
        match &self.compared {
            Compared::Verified => {
                format!("{}: {}", equal(Some(&self.finding)), self.finding.comparison.summary())
            }
            Compared::Unverified { why } => format!("not compared: {why}"),
            Compared::Mismatched { summary } => format!("compared and different: {summary}"),
        }
    }
}

/// What is said of a comparison in which nothing differs: no more than was compared.
pub fn equal(finding: Option<&Finding>) -> &'static str {
    match finding.and_then(|finding| finding.depth) {
        Some(Depth::Lists) => "compared and equal in the top-level lists, and no deeper",
        Some(Depth::Deep) | None => "compared and equal",
    }
}

/// Judges what was found. A comparison may have been given up, and then only says what was found until then.
pub fn judge(
    comparing: Comparing,
    (unprotected, given_up): (Option<Unprotected>, Option<String>),
    now: Timestamp,
) -> Judged {
    let Unprotected { topics, ties } = unprotected.unwrap_or_default();
    let lists = lists_of(&comparing);
    let unread: Vec<_> = comparing.progress.unread.into_iter().filter(|unread| !unread.not_in_tier).collect();
    let found = comparing.found;
    let (depth, absent) = match comparing.baseline {
        Baseline::Open { depth, .. } => (Some(depth), None),
        Baseline::Absent { why } => (None, Some(why)),
        Baseline::Unopened => (None, Some("its inventory was not looked at".to_owned())),
    };
    let compared = match (given_up, absent) {
        (Some(why), _) if found.is_equal() => Compared::Unverified { why },
        (Some(why), _) => Compared::Unverified { why: format!("{why}. Until then: {}", found.summary()) },
        (None, Some(why)) => Compared::Unverified { why },
        (None, None) if !found.is_equal() => Compared::Mismatched { summary: found.summary() },
        (None, None) if !unread.is_empty() => {
            Compared::Unverified { why: but_for(&unread, &found.summary()) }
        }
        (None, None) => Compared::Verified,
    };
    let finding = Finding { at: now, depth, comparison: found, unread, not_protected: topics, ties };
    Judged { compared, finding, lists }
}

fn lists_of(comparing: &Comparing) -> Option<Digest> {
    let last = Unit::List((*TOP.last()?).to_owned());
    let is_whole = comparing.progress.place.is_past(&last) && !comparing.lists_hidden;
    is_whole.then(|| comparing.lists.digest().clone())
}

fn but_for(unread: &[Unread], summary: &str) -> String {
    let named = unread.iter().take(NAMED).map(|list| format!("{} ({})", list.list, list.why));
    let named = named.collect::<Vec<_>>().join(", ");
    let more = unread.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("these could not be read on both services: {named}{more}. The rest: {summary}")
}

/// What is told of a comparison that something stood in the way of.
pub fn interrupted(backup: &BackupName, why: Option<String>) -> Option<Event> {
    let why = why?;
    let text = format!("the service is read on and compared at a later tick: {why}");
    Some(Event::of(backup, EventName::InventoryInterrupted, text))
}

/// What is told of things that a restore does not put right: those that differ, or of which that is not known.
pub fn not_protected(backup: &BackupName, finding: &Finding) -> Option<Event> {
    let apart = finding.not_protected.iter().filter(|topic| topic.standing.is_apart());
    let mut parts: Vec<_> = apart.map(|topic| topic.what.clone()).collect();
    if !finding.ties.is_empty() {
        let values = counted(finding.ties.len(), "value");
        parts.push(format!("{values} of the backed-up service itself or its region"));
    }
    let text =
        format!("no backup carries these, or makes them fit, and they are not alike: {}", parts.join(", "));
    (!parts.is_empty()).then(|| Event::of(backup, EventName::StandbyNotProtected, text))
}
