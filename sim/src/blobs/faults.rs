//! What goes wrong on request, and the journal of what was asked.

use std::time::Duration;

use axum::http::{Method, StatusCode};

/// What happens to a request instead of, or around, its being served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused with this status and storage error code, and nothing done: `(503, "ServerBusy")`.
    Refuse(StatusCode, &'static str),
    /// Done in full, but the connection breaks before the answer.
    DropReply,
    /// Nothing is done and the connection breaks.
    DropRequest,
    /// Served after this long, by the runtime's time.
    Delay(Duration),
}

/// One request and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The request's method.
    pub method: Method,
    /// `container` or `container/blob`, decoded.
    pub name: String,
    /// The value of `comp`, which tells a `lease` from a write; empty where there is none.
    pub comp: String,
    /// The status that was answered, or would have been had the reply not been dropped.
    pub status: StatusCode,
}

#[derive(Default)]
pub(super) struct Faults {
    rules: Vec<Rule>,
    pub(super) journal: Vec<Entry>,
}

struct Rule {
    left: u32,
    method: Method,
    name: String,
    fault: Fault,
}

impl Faults {
    pub(super) fn inject(&mut self, times: u32, method: &Method, name: &str, fault: Fault) {
        self.rules.push(Rule { left: times, method: method.clone(), name: name.to_owned(), fault });
    }

    /// The fault that this request meets, which is thereby used up once.
    pub(super) fn take(&mut self, method: &Method, name: &str) -> Option<Fault> {
        let matches = |rule: &&mut Rule| rule.left > 0 && rule.method == method && name.contains(&rule.name);
        let rule = self.rules.iter_mut().find(matches)?;
        rule.left -= 1;
        Some(rule.fault.clone())
    }
}
