//! The state container: every version of every record, held against the one before it.

use std::collections::BTreeSet;

use axum::http::Method;
use time::{Duration, OffsetDateTime};

use super::record::{Record, moment, text};
use super::{Invariant, Observer, Scene, retention};
use crate::plan::SERVICES;
use crate::secrets::Marks;
use crate::world::call::Call;
use crate::world::sent::{Answer, STATE, Sent};

/// How long a sender waits for an answer of storage's.
const PATIENCE: Duration = Duration::seconds(30);

/// One version of a record and the next, and who wrote it.
pub(super) struct Step<'a> {
    pub(super) service: usize,
    /// None: there was no record.
    pub(super) before: Option<&'a Record>,
    pub(super) after: &'a Record,
    pub(super) call: &'a Call,
    pub(super) scene: &'a Scene<'a>,
    /// When the write left.
    pub(super) at: OffsetDateTime,
}

impl Step<'_> {
    /// The writer's own time when it wrote.
    pub(super) fn now(&self) -> OffsetDateTime {
        self.call.utc_now() + (self.at - self.call.began)
    }

    pub(super) fn name(&self) -> &'static str {
        SERVICES[self.service].0
    }

    /// The settings name another primary than before.
    pub(super) fn turns_roles(&self) -> bool {
        self.before.is_some_and(|before| before.at("primary") != self.after.at("primary"))
    }
}

impl Observer {
    pub(super) fn state_changes(
        &mut self,
        scene: &Scene<'_>,
        call: &Call,
        (blob, sent, answer): (&str, &Sent, &Answer),
    ) {
        // The status is written whatever was there, and a part is deleted that nobody ever changes.
        let part = blob.starts_with("partial/") && sent.method == Method::DELETE;
        let conditional = !sent.header("if-match").is_empty()
            || !sent.header("if-none-match").is_empty()
            || blob.starts_with("status/")
            || part;
        self.check(Invariant::Writes, conditional, || {
            format!("{} writes {blob} without a condition", call.tag())
        });
        if !answer.status.is_success() {
            return;
        }
        match sent.about.record() {
            Some(service) => self.record_changes(scene, call, (service, sent)),
            None => self.searched(&sent.body, || format!("{STATE}/{blob}")),
        }
    }

    fn record_changes(&mut self, scene: &Scene<'_>, call: &Call, (service, sent): (usize, &Sent)) {
        let name = SERVICES[service].0;
        self.leaves_spoilt_alone(call, service);
        let Some(after) = Record::read(&sent.body) else {
            return self
                .check(Invariant::Writes, false, || format!("{} wrote no record of {name}", call.tag()));
        };
        let before = self.records.get(name).cloned();
        let step = Step { service, before: before.as_ref(), after: &after, call, scene, at: sent.at };
        self.signed(&step);
        self.holds_no_secret(&step, &sent.body);
        self.keeps_backups(&step);
        self.keeps_history(&step);
        self.person_vouches(&step);
        self.backup_is_weighed(&step);
        self.only_fit_is_accepted(&step);
        self.restore_settles(&step);
        self.compares_truly(&step);
        self.phase_follows(&step);
        self.wishes_follow(&step);
        self.backup_is_due(&step);
        self.latch_follows(&step);
        self.retention_follows(&step);
        if after.phase() == "committing" {
            let manifest = text(after.of_phase("manifest")).as_bytes().to_vec();
            self.committing.insert(after.backup().to_owned(), manifest);
            if let Some(began) = moment(after.of_operation("startedAt")) {
                self.begun.insert(after.backup().to_owned(), began);
            }
        }
        // What arrives after its sender has given it up tells him nothing. A claim is as old as its first version.
        let awaited = scene.now - sent.at <= PATIENCE;
        let claimed_anew = step.before.is_none_or(|before| !before.is_same_claim(step.after));
        if let Some(heard) = self.heard.get_mut(&call.number).filter(|_| awaited && claimed_anew) {
            heard.saved.insert(service, scene.now);
        }
        self.records.insert(name.to_owned(), after);
    }

    fn signed(&mut self, step: &Step<'_>) {
        let writer = text(step.after.at("writer"));
        self.check(Invariant::Writes, writer == step.call.id, || {
            format!("{} signed the record of {} as {writer}", step.call.tag(), step.name())
        });
        let id = text(step.after.at("service")).to_lowercase();
        self.check(Invariant::Writes, id.ends_with(&format!("/{}", step.name())), || {
            format!("{} wrote {id} into the record of {}", step.call.tag(), step.name())
        });
    }

    /// The operation's URL alone may stand in a record, and only while the operation is open.
    fn holds_no_secret(&mut self, step: &Step<'_>, bytes: &[u8]) {
        let open = text(step.after.of_phase("operation"));
        let allowed = Marks::count(open.as_bytes());
        let found = Marks::count(bytes);
        self.check(Invariant::Secrets, found == allowed, || {
            format!("a secret stands in the record of {}", step.name())
        });
        if found == 0 {
            self.searched(bytes, || format!("the record of {}", step.name()));
        }
        let known = open.is_empty() || self.locations.contains(open);
        self.check(Invariant::Answers, known, || {
            format!("the record of {} holds an address that Azure never gave out: {open}", step.name())
        });
    }

    fn keeps_backups(&mut self, step: &Step<'_>) {
        let Some(before) = step.before else { return };
        let began = |record: &Record| moment(&record.at("lastVerified")["startedAt"]);
        let (was, is) = (began(before), began(step.after));
        self.check(Invariant::LastVerified, is >= was, || {
            format!("{}: the last verified backup went from {was:?} to {is:?}", step.name())
        });
        let known = before.at("backups").as_array().into_iter().flatten();
        for backup in known {
            let name = text(&backup["name"]);
            let kept = step.after.known(name);
            let same = kept.is_some_and(|kept| {
                kept["digest"] == backup["digest"] && (kept["accepted"] == true || backup["accepted"] != true)
            });
            let old = kept.is_none()
                && retention::is_old(name, (step.now().min(step.scene.now), step.call.deployed.retention));
            self.check(Invariant::LastVerified, same || old, || {
                format!("{}: the record forgot {name}, or no longer accepts it", step.name())
            });
            let needed = if kept.is_none() { retention::needed_by(before, name) } else { None };
            self.check(Invariant::Deletes, needed.is_none(), || {
                format!("{}: the record forgot {name}, and {needed:?}", step.name())
            });
        }
    }

    /// What leaves the list of unwritten runs lies in the history.
    fn keeps_history(&mut self, step: &Step<'_>) {
        let Some(before) = step.before else { return };
        let still: BTreeSet<_> = step.after.unwritten().iter().map(ToString::to_string).collect();
        let gone = before.unwritten().iter().filter(|run| !still.contains(&run.to_string()));
        for run in gone {
            let began = text(&run["startedAt"]);
            let compact: String = began.chars().filter(char::is_ascii_alphanumeric).collect();
            let second = compact.get(..15).unwrap_or(&compact);
            let path = format!("history/{}/{second}Z-{}.json", step.name(), text(&run["kind"]));
            let written = step.scene.blobs.peek(STATE, &path).is_some();
            self.check(Invariant::History, written, || format!("{path} was never written"));
        }
    }
}
