//! A service that was moved to another resource group or subscription has another id and the same name: somebody has to
//! say that it is the same service.

use super::decision::{Context, Decision};
use super::event::{Event, EventName};
use super::id::ServiceId;
use super::record::{Operation, Record};

/// Accepts `id` for the service of `record`. What is open under the old id is judged by what is found under the new one,
/// and so somebody has to say that this is meant.
pub fn adopt(context: &Context, mut record: Record, id: &ServiceId, though_open: bool) -> Decision {
    let refuse =
        |record: Record, why: String| Decision::rest(record).telling(Event::new(EventName::WishRefused, why));
    if record.service == *id {
        return Decision::rest(record);
    }
    if context.dry_run {
        return refuse(record, "DRY_RUN is on: the record keeps its id".into());
    }
    if let (Some(open), false) = (open(&record.operation), though_open) {
        let text = format!(
            "{open} under the old id {}, and will be judged by what is found under the new one: say `apim-dr adopt {} \
             --yes` if that is meant",
            record.service,
            id.name()
        );
        return refuse(record, text);
    }
    let text = format!("the record accepts {id} in place of {}", record.service);
    record.service = id.clone();
    Decision::rest(record).telling(Event::new(EventName::RecordAdopted, text))
}

/// What is open, in words.
fn open(operation: &Operation) -> Option<String> {
    match operation {
        Operation::Idle => None,
        Operation::Backup(run) => Some(format!("the backup {} is open since {}", run.name, run.started_at)),
        Operation::Restore(run) => {
            Some(format!("the restore of {} is open since {}", run.source.name, run.started_at))
        }
    }
}
