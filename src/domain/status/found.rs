//! What a comparison found, in lines for people: what differs, by name, and what no restore puts right.

use super::{Role, ServiceStatus};
use crate::domain::record::{Finding, Holds};

/// Things that are shown under one heading. The JSON document has more of them.
const SHOWN: usize = 10;

/// Lines under one heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub heading: &'static str,
    pub lines: Vec<String>,
}

/// What was found of what a service holds when it was last compared; headings with nothing under them are left out. A
/// primary that was restored has kept what no backup carries, and its values are its own.
pub fn found(service: &ServiceStatus) -> Vec<Found> {
    let finding = match &service.holds {
        Holds::Nothing => None,
        Holds::Backup(held) => held.finding.as_deref(),
        Holds::Unknown { finding, .. } => finding.as_deref(),
    };
    let Some(finding) = finding else { return Vec::new() };
    let mut headings = vec![
        ("Differs", differences(finding)),
        ("Changed", changed(finding)),
        ("Not compared", unread(finding)),
    ];
    if service.role != Role::Primary {
        headings.push(("Not protected", not_protected(finding)));
        headings.push(("Not its own", bounded(finding.ties.iter().cloned(), count(&finding.ties))));
    }
    let found = headings.into_iter().map(|(heading, lines)| Found { heading, lines });
    found.filter(|found| !found.lines.is_empty()).collect()
}

fn differences(finding: &Finding) -> Vec<String> {
    let comparison = &finding.comparison;
    let named = comparison
        .differences
        .iter()
        .map(|difference| format!("{} is {}", difference.path, difference.kind.word()));
    bounded(named, comparison.differing())
}

fn changed(finding: &Finding) -> Vec<String> {
    let comparison = &finding.comparison;
    let named =
        comparison.changed.iter().map(|path| format!("{path} changed on the primary while the backup ran"));
    bounded(named, comparison.changed_meanwhile())
}

fn unread(finding: &Finding) -> Vec<String> {
    let unread = finding.unread.iter();
    bounded(unread.map(|unread| format!("{}: {}", unread.list, unread.why)), count(&finding.unread))
}

fn not_protected(finding: &Finding) -> Vec<String> {
    let topics = finding.not_protected.iter().filter(|topic| topic.standing.is_apart());
    topics.map(|topic| format!("{}: {}. Next: {}", topic.what, topic.detail, topic.next)).collect()
}

/// The first of `lines`, and how many more there are of `count`.
fn bounded(lines: impl Iterator<Item = String>, count: u64) -> Vec<String> {
    let mut lines: Vec<_> = lines.take(SHOWN).collect();
    let more = count.saturating_sub(lines.len() as u64);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

fn count<T>(things: &[T]) -> u64 {
    things.len() as u64
}
