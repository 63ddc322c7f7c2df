//! Whether a backup is fit to become a standby by itself: an emptied service must not empty its standbys.

use crate::domain::decision::{Context, Measure};
use crate::domain::inventory::Counts;
use crate::domain::record::{BackupRun, Record};

/// Why the backup of `run` must not be restored by itself, if so. It is measured by the newest accepted backup that has
/// an inventory; where the service has none, by the primary's. An error says why that is not known now.
pub(super) fn of(context: &Context, record: &Record, run: &BackupRun) -> Result<Option<String>, String> {
    let Some(counts) = run.counts.filter(|_| run.inventory.is_some()) else {
        return Ok(lacks_inventory(record));
    };
    let (measure, whose) = match (record.newest_measured(), context.measure) {
        (Some((name, measure)), _) => (measure, name.to_string()),
        (None, Measure::Of(measure)) => {
            (measure, format!("the newest accepted backup of {}", context.primary))
        }
        (None, Measure::Nothing) => return Ok(None),
        (None, Measure::Unread) => {
            return Err(format!(
                "whether {} has lost much of what there was is judged at a later tick: the record of {}, which it is \
                 measured by, cannot be read",
                run.name, context.primary
            ));
        }
    };
    let lost = lost("APIs", (measure.apis, counts.apis), &whose)
        .or_else(|| lost("products", (measure.products, counts.products), &whose));
    Ok(lost.map(|lost| format!("{lost} ({})", both(measure, counts))))
}

fn lacks_inventory(record: &Record) -> Option<String> {
    let newest = record.newest_accepted().filter(|newest| newest.counts.is_some())?;
    Some(format!("it has no inventory, and {}, the newest accepted backup, has one", newest.name))
}

fn lost(what: &str, (before, now): (u64, u64), whose: &str) -> Option<String> {
    let more_than_half = now.saturating_mul(2) < before;
    more_than_half.then(|| format!("more than half of the {what} are gone since {whose}"))
}

fn both(before: Counts, now: Counts) -> String {
    format!("{} then, {} now", before.in_words(), now.in_words())
}
