//! Whether a backup is fit to become a standby by itself: an emptied service must not empty its standbys.

use crate::domain::decision::Context;
use crate::domain::inventory::Counts;
use crate::domain::record::{BackupRun, Record};

/// Why the backup of `run` must not be restored by itself, if so. It is measured by the newest accepted backup that has
/// an inventory; where the service has none, by the primary's.
pub(super) fn of(context: &Context, record: &Record, run: &BackupRun) -> Option<String> {
    let Some(counts) = run.counts.filter(|_| run.inventory.is_some()) else {
        let newest = record.newest_accepted().filter(|newest| newest.counts.is_some())?;
        return Some(format!(
            "it has no inventory, and {}, the newest accepted backup, has one",
            newest.name
        ));
    };
    let measured = record.newest_measured();
    let (measure, whose) = match measured {
        Some((name, measure)) => (measure, name.to_string()),
        None => (context.measure?, format!("the newest accepted backup of {}", context.primary)),
    };
    lost("APIs", (measure.apis, counts.apis), &whose)
        .or_else(|| lost("products", (measure.products, counts.products), &whose))
        .map(|lost| format!("{lost} ({})", both(measure, counts)))
}

fn lost(what: &str, (before, now): (u64, u64), whose: &str) -> Option<String> {
    let more_than_half = now.saturating_mul(2) < before;
    more_than_half.then(|| format!("more than half of the {what} are gone since {whose}"))
}

fn both(before: Counts, now: Counts) -> String {
    format!("{} then, {} now", before.in_words(), now.in_words())
}
