//! What was backed up and restored: the closed runs, as the history keeps them.

use futures::StreamExt as _;
use futures::stream;

use super::answer::{Answer, Code, complain};
use super::session::Session;
use super::words::{age, clock, table};
use crate::azure::Store;
use crate::domain::id::ServiceName;
use crate::domain::record::{ClosedRun, RunKind, RunOutcome};

/// Documents that are read at once.
const AT_ONCE: usize = 8;

/// The newest `last` runs of `service`, or of all, oldest first.
pub(super) async fn newest(
    session: &Session,
    service: Option<&ServiceName>,
    last: usize,
) -> Result<Vec<ClosedRun>, String> {
    let prefix = service.map_or_else(|| "history/".to_owned(), |service| format!("history/{service}/"));
    let store = session.azure().store();
    let mut paths = store.list(&prefix).await.map_err(|trouble| trouble.to_string())?;
    // The time comes after the last slash, whatever service it is.
    paths.sort_by(|one, other| began(one).cmp(began(other)));
    let newest = paths.split_off(paths.len().saturating_sub(last));
    let runs: Vec<_> = stream::iter(newest).map(|path| read(store, path)).buffered(AT_ONCE).collect().await;
    runs.into_iter().filter_map(Result::transpose).collect()
}

/// The runs, as they are shown.
pub(super) fn answer(runs: &[ClosedRun]) -> Answer {
    Answer::whole(Code::Done, text(runs), serde_json::to_string_pretty(runs).unwrap_or_default())
}

fn began(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// One that cannot be read is told and left out; that storage does not answer is another matter.
async fn read(store: &Store, path: String) -> Result<Option<ClosedRun>, String> {
    let stored = store.load(&path).await.map_err(|trouble| trouble.to_string())?;
    let Some((bytes, _)) = stored.document else { return Ok(None) };
    match serde_json::from_slice(&bytes) {
        Ok(run) => Ok(Some(run)),
        Err(error) => {
            complain(&format!("apim-dr: {path} is left out: {error}\n"));
            Ok(None)
        }
    }
}

/// Renders runs, oldest first.
pub fn text(runs: &[ClosedRun]) -> String {
    if runs.is_empty() {
        return "nothing was backed up or restored yet\n".into();
    }
    let head = ["BEGAN", "TOOK", "SERVICE", "WHAT", "OUTCOME", "BACKUP", ""].map(str::to_owned).to_vec();
    let rows = runs.iter().map(|run| {
        let what = match run.kind {
            RunKind::Backup => "backup",
            RunKind::Restore => "restore",
        };
        let outcome = match run.outcome {
            RunOutcome::Verified => "verified",
            RunOutcome::Unverified => "not compared",
            RunOutcome::Mismatched => "differs",
            RunOutcome::Suspicious => "suspicious",
            RunOutcome::Failed => "failed",
        };
        // What went well is said by its outcome.
        let words = if run.outcome == RunOutcome::Verified { "" } else { &run.what };
        vec![
            clock(run.started_at),
            age(run.ended_at - run.started_at),
            run.service.to_string(),
            what.to_owned(),
            outcome.to_owned(),
            run.backup.to_string(),
            words.to_owned(),
        ]
    });
    table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}
