//! What was asked for, and what came of it: told at once, or followed through as many invocations as it takes.

use std::time::Duration;

use serde_json::{Value, json};

use super::answer::{Answer, Code, Document, complain};
use super::arguments::Wait;
use super::errand::{Errand, Standing};
use super::session::Session;
use crate::domain::event::EventName;
use crate::domain::id::ServiceName;
use crate::domain::vocabulary::{BackupName, Timestamp};
use crate::drive::Told;
use crate::invocation::{Ended, Start, Wish};

/// From one invocation to the next, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Invocations in a row of which nothing could be done, before it is given up.
const MOST_TROUBLES: usize = 5;

/// What follows from one wish.
pub(super) struct Follower<'a> {
    session: &'a Session,
    wait: Option<Wait>,
    errands: Vec<Errand>,
    /// What was refused, and of which service.
    refusals: Vec<(Option<ServiceName>, String)>,
    events: Vec<Value>,
    ended: Ended,
    began: Timestamp,
    last_said: Timestamp,
}

impl<'a> Follower<'a> {
    /// Follows `errands`, which came of the invocation that `ended`; `restores` is the backup that it was to restore.
    pub(super) fn new(
        (session, wait): (&'a Session, Option<Wait>),
        ended: Ended,
        (errands, restores): (Vec<Errand>, Option<&BackupName>),
    ) -> Self {
        // What was refused of other restores meanwhile is not the answer to this.
        let refused = |told: &&Told| match told.event.name {
            EventName::WishRefused => true,
            EventName::RestoreRefused => restores.is_some() && told.event.backup.as_ref() == restores,
            _ => false,
        };
        let refusals = ended.told.iter().filter(refused);
        let refusals = refusals.map(|told| (told.service.clone(), told.event.text.clone())).collect();
        let (began, last_said) = (ended.began, ended.at);
        let events = ended.told.iter().map(event).collect();
        Self { session, wait, errands, refusals, events, ended, began, last_said }
    }

    /// Goes on until all is over, or for as long as was said.
    pub(super) async fn follow(mut self) -> Answer {
        let (mut pauses, mut patience) = (Pauses::new(), Patience::default());
        loop {
            let standings = self.judge();
            if self.wait.is_none() || is_over(&standings) || self.is_out_of_time() {
                return self.answer(&standings);
            }
            pauses.next().await;
            match self.session.invoke(Wish::None, Start::Hand).await {
                Ok(ended) => {
                    patience = Patience::default();
                    self.take_in(ended);
                }
                Err(why) => {
                    if let Err(answer) = patience.bear(why) {
                        return answer;
                    }
                }
            }
        }
    }

    fn take_in(&mut self, ended: Ended) {
        let was_silent = ended.told.is_empty();
        self.events.extend(ended.told.iter().map(event));
        self.ended = ended;
        let now = self.ended.at;
        if !was_silent {
            self.last_said = now;
        } else if now - self.last_said >= time::Duration::MINUTE {
            self.last_said = now;
            let standings = self.judge();
            for (errand, standing) in self.errands.iter().zip(&standings) {
                complain(&format!("{}: {}\n", errand.service, in_words(standing)));
            }
        }
    }

    fn judge(&mut self) -> Vec<Standing> {
        let (records, now) = (&self.ended.records, self.ended.at);
        let judged = self.errands.iter_mut().map(|errand| match records.get(&errand.service) {
            Some(loaded) => match errand.judge(&loaded.record, now) {
                Standing::Waits(None) => Standing::Waits(reason(&self.ended, &errand.service)),
                standing => standing,
            },
            None => Standing::Waits(Some("its record cannot be read".into())),
        });
        judged.collect()
    }

    fn is_out_of_time(&self) -> bool {
        match self.wait {
            Some(Wait::For(time)) => self.ended.at - self.began >= time,
            Some(Wait::ToTheEnd) | None => false,
        }
    }

    fn answer(self, standings: &[Standing]) -> Answer {
        let waited = self.wait.is_some();
        let mut parts: Vec<(Option<ServiceName>, Code, String)> = Vec::new();
        for (service, why) in self.refusals {
            parts.push((service, Code::Failed, why));
        }
        for (errand, standing) in self.errands.iter().zip(standings) {
            parts.push((Some(errand.service.clone()), code_of(standing, waited), in_words(standing)));
        }
        if parts.is_empty() {
            let why = self.ended.failure.unwrap_or_else(|| "nothing came of it".into());
            parts.push((None, Code::Failed, why));
        }
        let text = |(service, _, text): &(Option<ServiceName>, Code, String)| match service {
            Some(service) => format!("{service}: {text}"),
            None => text.clone(),
        };
        let text = parts.iter().map(text).collect::<Vec<_>>().join("\n");
        let code = parts.iter().map(|(_, code, _)| *code).max().unwrap_or(Code::Failed);
        let services: Vec<_> = parts
            .iter()
            .map(|(service, code, text)| json!({ "service": service, "result": code.word(), "text": text }))
            .collect();
        let members = vec![("services", Value::Array(services)), ("events", Value::Array(self.events))];
        Answer { code, text, document: Document::Members(members) }
    }
}

/// An event, for a machine.
pub(super) fn event(told: &Told) -> Value {
    let Told { service, event } = told;
    json!({ "event": event.name.as_str(), "service": service, "backup": event.backup, "text": event.text })
}

/// Why something has not begun, by what was told of its service, or by what the invocation could not do.
fn reason(ended: &Ended, service: &ServiceName) -> Option<String> {
    let is_reason = |told: &&Told| {
        told.service.as_ref() == Some(service)
            && matches!(
                told.event.name,
                EventName::BackupWaiting
                    | EventName::BackupBusy
                    | EventName::BackupUndone
                    | EventName::RestoreBusy
                    | EventName::RestoreUndone
                    | EventName::DryRun
            )
    };
    let told = ended.told.iter().rev().find(is_reason);
    told.map(|told| told.event.text.clone()).or_else(|| ended.failure.clone())
}

fn is_over(standings: &[Standing]) -> bool {
    standings.iter().all(|standing| matches!(standing, Standing::Done(_) | Standing::Failed(_)))
}

fn code_of(standing: &Standing, waited: bool) -> Code {
    match standing {
        Standing::Done(_) => Code::Done,
        Standing::Runs(_) if !waited => Code::Done,
        Standing::Runs(_) | Standing::Waits(_) => Code::Open,
        Standing::Failed(_) => Code::Failed,
    }
}

fn in_words(standing: &Standing) -> String {
    match standing {
        Standing::Waits(Some(why)) => format!("waits: {why}"),
        Standing::Waits(None) => "waits for its turn".into(),
        Standing::Runs(text) | Standing::Done(text) | Standing::Failed(text) => text.clone(),
    }
}

/// Invocations of which nothing could be done: a few in a row are borne.
#[derive(Default)]
pub(super) struct Patience {
    troubles: usize,
}

impl Patience {
    /// An error is the answer when there were too many.
    pub(super) fn bear(&mut self, why: String) -> Result<(), Answer> {
        self.troubles += 1;
        if self.troubles == MOST_TROUBLES {
            return Err(Answer::new(Code::Failed, why));
        }
        complain(&format!("apim-dr: {why}; trying again\n"));
        Ok(())
    }
}

/// Ever longer pauses between invocations: what ends soon is seen soon, and what takes an hour is not asked for all the
/// time.
pub(super) struct Pauses(Duration);

impl Pauses {
    pub(super) fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    #[expect(clippy::disallowed_methods, reason = "a person waits here, and no invocation")]
    pub(super) async fn next(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}
