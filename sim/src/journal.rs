//! What happened: every request that the simulated Azure answered, every operation that it accepted.
//!
//! Nothing secret is kept: no header, no body, no query but `api-version` and paging.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

use crate::knobs::Request;
use crate::traffic::Served;

/// One request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// When it arrived, in simulated time.
    pub at: OffsetDateTime,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// What kind of request it was; `None` if the simulator has no such route.
    pub request: Option<Request>,
    /// The name of the service that it was about.
    pub service: Option<String>,
    /// The object id of the caller; `None` if the caller was not known.
    pub who: Option<String>,
    /// The status of the answer; `None` if the answer never left.
    pub status: Option<u16>,
    /// The code in the error envelope, if it was an error.
    pub code: Option<String>,
    /// Whether a planned fault had a hand in the answer.
    pub faulted: bool,
}

impl Exchange {
    fn is_read(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD") && !self.is_for_a_token()
    }

    fn is_for_a_token(&self) -> bool {
        matches!(self.request, Some(Request::Identity | Request::Entra))
    }
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// Content of the service into a blob.
    Backup,
    /// Content of a blob into the service.
    Restore,
}

impl OperationKind {
    /// Azure's word for it, as in the id of an operation result.
    pub fn word(self) -> &'static str {
        match self {
            Self::Backup => "Backup",
            Self::Restore => "Restore",
        }
    }
}

/// How an operation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Still at work.
    Running,
    /// The poll answers 200.
    Succeeded,
    /// The poll answers with this error.
    Failed {
        /// The code of the error envelope, for example `RestoreFailed`.
        code: String,
        /// Its message.
        message: String,
    },
}

/// An operation that Azure accepted.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The service's name.
    pub service: String,
    /// Backup or restore.
    pub kind: OperationKind,
    /// The blob container.
    pub container: String,
    /// The blob.
    pub backup: String,
    /// The object id of the caller.
    pub by: String,
    /// When it was accepted.
    pub started: OffsetDateTime,
    /// When it ended; `None` while it runs.
    pub ended: Option<OffsetDateTime>,
    /// How it ended.
    pub outcome: Outcome,
}

impl Operation {
    fn runs_during(&self, other: &Self) -> bool {
        let begins_before_end = |a: &Self, b: &Self| b.ended.is_none_or(|ended| a.started < ended);
        self.service.eq_ignore_ascii_case(&other.service)
            && begins_before_end(self, other)
            && begins_before_end(other, self)
    }
}

/// A shared journal. Clones write into and read from the same one.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    exchanges: Vec<Exchange>,
    operations: Vec<Operation>,
    served: Vec<Served>,
}

impl Journal {
    /// Every request so far, in order of their answers.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.pages().exchanges.clone()
    }

    /// The requests of one kind.
    pub fn of(&self, request: Request) -> Vec<Exchange> {
        self.filtered(|exchange| exchange.request == Some(request))
    }

    /// The requests to back up or restore, accepted or not.
    pub fn posts(&self) -> Vec<Exchange> {
        self.filtered(|exchange| matches!(exchange.request, Some(Request::Backup | Request::Restore)))
    }

    /// How many reads Resource Manager was asked for, answered or not.
    pub fn reads(&self) -> usize {
        self.count(|exchange| exchange.is_read())
    }

    /// How many requests to Resource Manager were answered with 429.
    pub fn throttled(&self) -> usize {
        self.count(|exchange| exchange.status == Some(429) && !exchange.is_for_a_token())
    }

    /// The requests that the simulator has no answer for: a test should find none.
    pub fn unknown(&self) -> Vec<Exchange> {
        self.filtered(|exchange| exchange.request.is_none())
    }

    /// Every operation that was accepted, in order.
    pub fn operations(&self) -> Vec<Operation> {
        self.pages().operations.clone()
    }

    /// Pairs of operations that ran on one service at the same time. Azure's lock prevents them; with
    /// [`CloudBuilder::without_lock`](crate::cloud::CloudBuilder::without_lock) it is the caller who must.
    pub fn overlaps(&self) -> Vec<(Operation, Operation)> {
        let operations = self.operations();
        let mut overlaps = Vec::new();
        for (index, first) in operations.iter().enumerate() {
            let later = operations[index + 1..].iter().filter(|second| first.runs_during(second));
            overlaps.extend(later.map(|second| (first.clone(), second.clone())));
        }
        overlaps
    }

    /// Who answered users, from the beginning, one entry for each change.
    pub fn served(&self) -> Vec<Served> {
        self.pages().served.clone()
    }

    /// Forgets all exchanges; everything else stays.
    pub fn clear_exchanges(&self) {
        self.pages().exchanges.clear();
    }

    pub(crate) fn note(&self, exchange: Exchange) {
        self.pages().exchanges.push(exchange);
    }

    /// Notes an accepted operation and returns its number.
    pub(crate) fn begin(&self, operation: Operation) -> usize {
        let mut pages = self.pages();
        pages.operations.push(operation);
        pages.operations.len() - 1
    }

    pub(crate) fn end(&self, number: usize, at: OffsetDateTime, outcome: Outcome) {
        let mut pages = self.pages();
        let operation = &mut pages.operations[number];
        operation.ended = Some(at);
        operation.outcome = outcome;
    }

    pub(crate) fn serve(&self, served: Served) {
        self.pages().served.push(served);
    }

    fn count(&self, wanted: impl Fn(&Exchange) -> bool) -> usize {
        self.pages().exchanges.iter().filter(|exchange| wanted(exchange)).count()
    }

    fn filtered(&self, wanted: impl Fn(&Exchange) -> bool) -> Vec<Exchange> {
        self.pages().exchanges.iter().filter(|exchange| wanted(exchange)).cloned().collect()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    fn operation(service: &str, start: i64, end: Option<i64>) -> Operation {
        let at = |minute| OffsetDateTime::UNIX_EPOCH + Duration::minutes(minute);
        Operation {
            service: service.to_owned(),
            kind: OperationKind::Backup,
            container: "apim-backups".to_owned(),
            backup: "b".to_owned(),
            by: "caller".to_owned(),
            started: at(start),
            ended: end.map(at),
            outcome: Outcome::Running,
        }
    }

    #[test]
    fn overlaps_are_on_one_service_and_share_time() {
        let journal = Journal::default();
        journal.begin(operation("a", 0, Some(10)));
        journal.begin(operation("b", 5, Some(15)));
        journal.begin(operation("A", 10, Some(20)));
        assert!(journal.overlaps().is_empty(), "touching ends do not overlap");
        journal.begin(operation("a", 19, None));
        assert_eq!(journal.overlaps().len(), 1);
    }
}
