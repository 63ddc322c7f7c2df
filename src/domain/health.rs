//! Health: what somebody has to know, derived from the records alone.
//!
//! A condition is raised while its fact holds and cleared when it no longer does. Each says since when, what the fact
//! is, in Azure's own words where there are any, and what to do next.

use serde::{Deserialize, Serialize};
use time::Duration;

use super::decision::Situation;
use super::event::{Event, EventName};
use super::id::ServiceName;
use super::record::{Failures, Record};
use super::vocabulary::Timestamp;

pub use alert::{Alert, Change};
pub use ledger::{
    CERTIFICATE_MARGIN, CERTIFICATES_AGE, CertificateLook, Health, Raised, StatusWritten, Unjudged,
    UnreadRecord,
};

mod alert;
mod backups;
mod deployment;
mod ledger;
mod restores;

macro_rules! conditions {
    ($($name:ident $level:ident $doc:literal;)*) => {
        /// What may be raised. The names are stable: alerts and alert rules carry them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum ConditionKind {
            $(#[doc = $doc] $name,)*
        }

        impl ConditionKind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name, as alerts carry it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// How much it matters.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$level,)* }
            }

            /// When it is raised, for the documentation.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $doc,)* }
            }
        }
    };
}

/// How much a condition matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Good to know.
    Information,
    /// The standby is, or soon will be, less than it should be.
    Warning,
    /// A failover now would go wrong, or one has happened.
    Error,
}

conditions! {
    FailedOver Error "A secondary serves, or did since the last `resume`; nothing is restored by itself.";
    RecordUnreadable Error "The record of a service could not be read for 5 min, and nothing is done for it.";
    BackupMissing Error "The last verified backup is older than `RPO_TARGET`, or there is none 4 h after the first tick.";
    BackupFailing Error "The last attempt to back up failed or lapsed, or one is past its deadline of 4 h.";
    BackupSuspicious Error "The newest backup lost more than half of the APIs or products, or its inventory; it is not restored by itself.";
    BackupExpiring Error "The newest backup that may be restored expires within 7 days.";
    RestoreFailing Error "The last attempt to restore failed, was refused or lapsed, or one is past its deadline of 6 h.";
    RestoreDeferred Warning "A restore has been waiting for more than 1 h.";
    RestoreUnderTraffic Error "A service carries the traffic while it is being restored.";
    StandbyMismatched Error "A restored service differs from the backup that it holds.";
    StandbyUnknown Error "Nobody knows what a service holds since a restore of it failed.";
    StandbyStale Error "What a secondary holds is older than `RPO_TARGET` and 6 h.";
    StandbyCertificate Error "A custom hostname of a secondary fails its TLS handshake, or its certificate expires within 21 days.";
    ServiceBusy Warning "Azure has been answering for 4 h that a service is busy.";
    HeartbeatSlow Warning "The timer last ran more than 5 min ago.";
    ConfigurationSuspect Error "Something belongs to another deployment, or the settings leave a gap.";
    EventsLost Information "A tick had to take up a manifest whose event did not come in time.";
    DryRun Information "`DRY_RUN` is on: nothing is begun.";
}

impl ConditionKind {
    /// Whether it follows from who is backed up and who does not serve, for which the primary's record vouches. That
    /// somebody else serves is a fact wherever it stands.
    fn follows_from_situation(self) -> bool {
        matches!(self, Self::BackupMissing | Self::BackupExpiring | Self::StandbyStale)
    }
}

/// Something that somebody has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub kind: ConditionKind,
    /// Which service it is about; none where it is the deployment.
    pub service: Option<ServiceName>,
    /// Since when, if the fact itself says so; otherwise since it was first seen.
    pub since: Option<Timestamp>,
    /// What the fact is, with absolute times only, so that it changes when the fact does.
    pub fact: String,
    /// What to do next.
    pub next: String,
}

impl Condition {
    fn of(kind: ConditionKind, service: &ServiceName, fact: String, next: impl Into<String>) -> Self {
        Self { kind, service: Some(service.clone()), since: None, fact, next: sentence(&next.into()) }
    }

    fn of_deployment(kind: ConditionKind, fact: impl Into<String>, next: impl Into<String>) -> Self {
        Self { kind, service: None, since: None, fact: fact.into(), next: sentence(&next.into()) }
    }

    fn since(self, since: Timestamp) -> Self {
        Self { since: Some(since), ..self }
    }
}

/// With a capital letter, as it stands by itself in an alert.
pub(super) fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// What the settings promise, as far as health is measured by it.
#[derive(Clone, Debug)]
pub struct Promise {
    /// How old the last verified backup may become.
    pub rpo_target: Duration,
    /// The longest time between two occurrences of the schedule.
    pub longest_gap: Duration,
    pub dry_run: bool,
}

/// What health is derived from.
#[derive(Clone, Debug)]
pub struct View<'a> {
    pub primary: &'a ServiceName,
    /// The records that could be read, of configured services and of those left over.
    pub records: Vec<&'a Record>,
    /// The records that could not be read.
    pub unread: &'a [UnreadRecord],
    pub secondaries: Vec<ServiceName>,
    pub situation: &'a Situation,
    pub promise: &'a Promise,
    /// What was found to belong to somebody else: the service, and what.
    pub foreign: &'a [(ServiceName, String)],
    /// When the timer last ran, if this is an invocation that knows.
    pub last_run: Option<Timestamp>,
    pub certificates: &'a [CertificateLook],
}

impl View<'_> {
    pub(super) fn record(&self, service: &ServiceName) -> Option<&Record> {
        self.records.iter().copied().find(|record| record.service.name() == *service)
    }

    pub(super) fn is_unread(&self, service: &ServiceName) -> bool {
        self.unread.iter().any(|unread| unread.service == *service)
    }

    /// Whether the settings name its service: what failed or waits on one that was left, nobody tries again.
    pub(super) fn is_named(&self, record: &Record) -> bool {
        let service = record.service.name();
        *self.primary == service || self.is_secondary(&service)
    }

    pub(super) fn is_secondary(&self, service: &ServiceName) -> bool {
        self.secondaries.contains(service)
    }

    /// Whether a verified backup of the service that is backed up began after these failures: what nobody tries again has
    /// been overtaken by that.
    pub(super) fn is_overtaken(&self, failures: &Failures) -> bool {
        let last_verified = self.record(&self.situation.backed_up).and_then(|it| it.last_verified.as_ref());
        last_verified.is_some_and(|last| last.started_at > failures.last)
    }
}

/// Everything that has to be known now.
pub fn conditions(view: &View<'_>, now: Timestamp) -> Vec<Condition> {
    let mut found = backups::conditions(view, now);
    found.extend(restores::conditions(view, now));
    found.extend(deployment::conditions(view, now));
    // Without the primary's record the situation is a guess.
    found.retain(|condition| !(view.is_unread(view.primary) && condition.kind.follows_from_situation()));
    found.sort_by(|a, b| (a.kind, &a.service).cmp(&(b.kind, &b.service)));
    found
}

impl Condition {
    /// The line of the log when it is raised.
    fn raised(&self) -> Event {
        let name = match self.kind.severity() {
            Severity::Information => EventName::ConditionNoted,
            Severity::Warning => EventName::ConditionWarned,
            Severity::Error => EventName::ConditionRaised,
        };
        let text = format!("{}: {}. {}", self.kind.as_str(), self.fact, self.next);
        Event::of_condition((self.kind, self.service.as_ref()), name, text)
    }
}
