//! A deployment whose health is followed.

use apim_dr::domain::decision::{Measure, Situation};
use apim_dr::domain::health::{self, CertificateLook, Health, Promise, Unjudged, View};
use apim_dr::domain::id::ServiceName;
use apim_dr::domain::record::Record;
use apim_dr::domain::serving::Serving;
use apim_dr::domain::vocabulary::{InvocationId, Timestamp};
use expect_test::Expect;
use time::Duration;

use super::fixtures::*;
use super::story::Story;

/// `contoso` is the primary and serves, and nothing ever happened.
pub(super) fn situation() -> Situation {
    let primary = service("contoso").name();
    Situation {
        serving: Serving::Service(primary.clone()),
        backed_up: primary,
        failed_over: None,
        resumed_at: None,
        blind_until: None,
        handed_over: true,
        measure: Measure::Nothing,
    }
}

/// A backup a day.
pub(super) fn promise() -> Promise {
    Promise { rpo_target: Duration::hours(26), longest_gap: Duration::hours(24), dry_run: false }
}

/// A deployment whose health is followed, one invocation after the other.
pub(super) struct Watched {
    pub(super) records: Vec<Record>,
    pub(super) situation: Situation,
    pub(super) promise: Promise,
    pub(super) secondaries: Vec<ServiceName>,
    pub(super) foreign: Vec<(ServiceName, String)>,
    pub(super) certificates: Vec<CertificateLook>,
    pub(super) last_run: Option<Timestamp>,
    unread: Vec<(ServiceName, String)>,
    pub(super) health: Health,
    pub(super) lines: Vec<String>,
}

impl Watched {
    pub(super) fn of(stories: &[&Story]) -> Self {
        let primary = service("contoso").name();
        Self {
            records: stories.iter().map(|story| story.record().clone()).collect(),
            situation: situation(),
            promise: promise(),
            secondaries: vec![service("contoso-dr").name()],
            foreign: Vec::new(),
            certificates: Vec::new(),
            last_run: None,
            unread: Vec::new(),
            health: Health::new(primary, InvocationId::from("-")),
            lines: Vec::new(),
        }
    }

    /// The records as they are by now.
    pub(super) fn now_of(&mut self, stories: &[&Story]) -> &mut Self {
        self.records = stories.iter().map(|story| story.record().clone()).collect();
        self
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut Self)) -> &mut Self {
        change(self);
        self
    }

    /// From now on one record cannot be read.
    pub(super) fn unread(&mut self, name: &str, why: &str) -> &mut Self {
        self.records.retain(|record| record.service != service(name));
        self.unread.push((service(name).name(), why.to_owned()));
        self
    }

    /// Every record can be read again.
    pub(super) fn read(&mut self, stories: &[&Story]) -> &mut Self {
        self.unread.clear();
        self.now_of(stories)
    }

    /// An invocation derives health; what it tells becomes a line each.
    pub(super) fn judge(&mut self, when: &str) -> &mut Self {
        self.health.note_unread(&self.unread, at(when));
        let view = View {
            primary: &service("contoso").name(),
            records: self.records.iter().collect(),
            unread: &self.health.unread,
            secondaries: self.secondaries.clone(),
            situation: &self.situation,
            promise: &self.promise,
            foreign: &self.foreign,
            last_run: self.last_run,
            certificates: &self.certificates,
        };
        let (conditions, unjudged) = (health::conditions(&view, at(when)), Unjudged::of(&view));
        let events = self.health.judge(conditions, &unjudged, (true, at(when)));
        let lines = events.iter().map(|event| format!("{when} {} {}", event.name.as_str(), event.text));
        self.lines.extend(lines);
        assert_eq!(
            Health::parse(&self.health.bytes()).as_ref(),
            Ok(&self.health),
            "what is stored reads back"
        );
        self
    }

    pub(super) fn check(&self, expected: Expect) {
        let told: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        expected.assert_eq(&told);
    }

    pub(super) fn raised(&self) -> Vec<String> {
        self.health.raised.iter().map(|raised| raised.condition.as_str().to_owned()).collect()
    }
}

pub(super) fn verified() -> Story {
    Story::of_primary().having(|story| story.backup_verified("02:00", "02:20"))
}

pub(super) fn held() -> Story {
    Story::of_secondary().having(|story| story.restore_held("02:21", "02:45", manifest("02:00")))
}
