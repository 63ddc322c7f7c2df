//! The status: what an operator wants to see, derived from the records alone. All times in it are absolute, so that it
//! changes when the facts do.

use std::cmp::Reverse;

use serde::Serialize;
use time::Duration;

use super::comparison;
use super::health::{Raised, Severity, UnreadRecord, View};
use super::id::{ServiceId, ServiceName};
use super::record::{
    BackupPhase, BackupWish, Compared, FailedOver, Failures, Holds, LastVerified, Operation, Pin, RecentRun,
    Record, RefusedDelete, RestorePhase, RestoreWish,
};
use super::serving::Serving;
use super::vocabulary::{BackupName, Timestamp};

pub use found::{Found, found};

mod chart;
mod found;
mod page;

/// The version of the document that this program writes.
const STATUS_VERSION: u32 = 1;

/// A status that is older was not followed by another, though one is written every 15 min: the heartbeat has stopped.
pub const BELIEVED_FOR: Duration = Duration::minutes(30);

/// What `status/{primary}.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    pub version: u32,
    /// When it was so.
    pub as_of: Timestamp,
    /// When it can no longer be believed.
    pub believed_until: Timestamp,
    pub primary: ServiceName,
    pub serving: Serves,
    /// The failover latch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_over: Option<FailedOver>,
    pub dry_run: bool,
    /// How old the last verified backup may become, in minutes.
    pub rpo_target_minutes: i64,
    /// The last verified backup of the service that the schedule backs up.
    pub last_verified: Option<LastVerified>,
    /// Whose record would say which one that is, if it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_verified_unread: Option<ServiceName>,
    /// When the schedule asks for the next one.
    pub next_backup: Option<Timestamp>,
    /// The primary, then the secondaries, then what the settings no longer name.
    pub services: Vec<ServiceStatus>,
    /// Services whose records cannot be read, in the same order. How they stand is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadStatus>,
    /// What is raised, the worst first.
    pub conditions: Vec<Raised>,
}

/// Who carries the traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Serves {
    /// The service, if it is known.
    pub service: Option<ServiceName>,
    /// Why it is not known, or how it is.
    pub why: String,
}

/// What a service is in this deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    Primary,
    Secondary,
    /// The settings no longer name it.
    LeftOver,
}

impl Role {
    /// In a person's words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::LeftOver => "no longer in the settings",
        }
    }
}

/// A service whose record cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnreadStatus {
    pub name: ServiceName,
    pub role: Role,
    /// Since when that is so.
    pub since: Timestamp,
    pub why: String,
}

/// How one service stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    pub name: ServiceName,
    pub id: ServiceId,
    pub role: Role,
    /// What is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub under_way: Option<UnderWay>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_verified: Option<LastVerified>,
    /// Backups whose manifests stand.
    pub backups: usize,
    pub holds: Holds,
    /// The backup that shall be restored into it, and why it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_wish: Option<Wished>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_wish: Option<BackupWish>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<Pin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_failures: Option<Failures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_failures: Option<Failures>,
    /// The delete of an old blob that storage refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_delete: Option<RefusedDelete>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recent_runs: Vec<RecentRun>,
}

/// What a restore is called.
const RESTORE: &str = "restore";

/// An operation that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnderWay {
    /// In a person's words: `backup`, `restore`.
    pub what: &'static str,
    pub backup: BackupName,
    /// In a person's words: `requested`, `running`, …
    pub phase: &'static str,
    pub since: Timestamp,
    pub overdue: bool,
}

/// A backup that shall be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wished {
    pub backup: BackupName,
    pub at: Timestamp,
    pub by: super::record::By,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deferred: Option<super::record::Deferred>,
}

impl Status {
    /// How everything stands `now`. `ids` are the configured services, the primary first.
    pub fn of(
        view: &View<'_>,
        ids: &[ServiceId],
        (raised, next_backup): (&[Raised], Option<Timestamp>),
        now: Timestamp,
    ) -> Self {
        let mut conditions = raised.to_vec();
        conditions.sort_by_key(|raised| (Reverse(raised.condition.severity()), raised.condition));
        let backed_up = view.record(&view.situation.backed_up);
        Self {
            version: STATUS_VERSION,
            as_of: now,
            believed_until: now + BELIEVED_FOR,
            primary: view.primary.clone(),
            serving: serves(view),
            failed_over: view.situation.failed_over.clone(),
            dry_run: view.promise.dry_run,
            rpo_target_minutes: view.promise.rpo_target.whole_minutes(),
            last_verified: backed_up.and_then(|record| record.last_verified.clone()),
            last_verified_unread: last_verified_unread(view),
            next_backup,
            services: services(view, ids),
            unread: view.unread.iter().map(|unread| unread_status(view, unread)).collect(),
            conditions,
        }
    }

    /// The worst of what is raised. That a record cannot be read counts before it is.
    pub fn severity(&self) -> Option<Severity> {
        let unread = (!self.unread.is_empty()).then_some(Severity::Warning);
        self.conditions.iter().map(|raised| raised.condition.severity()).max().max(unread)
    }

    /// Whether it is not known that nothing is failed over: the primary's record cannot be read, and no other says more.
    pub fn is_latch_unread(&self) -> bool {
        self.failed_over.is_none() && self.unread.iter().any(|unread| unread.role == Role::Primary)
    }

    /// All of it in a few words.
    pub fn verdict(&self) -> &'static str {
        let mut standbys = self.services.iter().filter(|service| service.role == Role::Secondary);
        let is_missing = |service: &ServiceStatus| service.holds == Holds::Nothing;
        let is_unproven = |service: &ServiceStatus| matches!(&service.holds, Holds::Backup(held) if !held.compared.is_verified());
        match self.severity() {
            Some(Severity::Error) => "somebody has to look",
            Some(Severity::Warning) if !self.unread.is_empty() => "a record cannot be read",
            Some(Severity::Warning) => "something is not as it should be",
            _ if self.last_verified.is_none() || standbys.clone().any(is_missing) => {
                "there is no standby yet"
            }
            _ if self.serving.service.is_none() => "it is not known who serves",
            _ if standbys.any(is_unproven) => "the standby is kept up, and not proven",
            Some(Severity::Information) | None => "all is well",
        }
    }

    /// Whether there has never been a backup of the primary, and none has been tried: the next tick begins one.
    pub fn awaits_first_backup(&self) -> bool {
        let is_new = |service: &ServiceStatus| {
            service.last_verified.is_none()
                && service.under_way.is_none()
                && service.backup_failures.is_none()
        };
        self.services.iter().any(|service| service.name == self.primary && is_new(service))
    }

    /// What it says, its own time left out: equal texts need not be written twice.
    pub fn text_without_time(&self) -> String {
        let timeless = Self { as_of: Timestamp::EPOCH, believed_until: Timestamp::EPOCH, ..self.clone() };
        timeless.text()
    }

    /// The JSON document.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The page: one file that needs nothing else.
    pub fn page(&self) -> String {
        page::of(self)
    }

    /// Where its documents lie in the state container, without their endings.
    pub fn path_of(primary: &ServiceName) -> String {
        format!("status/{primary}")
    }
}

fn serves(view: &View<'_>) -> Serves {
    match &view.situation.serving {
        Serving::Service(name) => {
            Serves { service: Some(name.clone()), why: "as Traffic Manager or LIVE_CHECK=off says".into() }
        }
        Serving::Unknown(why) => Serves { service: None, why: why.clone() },
        Serving::NotConfigured => {
            Serves { service: None, why: "neither TRAFFIC_MANAGER_ID nor LIVE_CHECK=off is set".into() }
        }
    }
}

fn services(view: &View<'_>, ids: &[ServiceId]) -> Vec<ServiceStatus> {
    let configured = ids.iter().filter_map(|id| view.record(&id.name()));
    let is_configured = |record: &&&Record| ids.iter().any(|id| id.name() == record.service.name());
    let left_over = view.records.iter().filter(|record| !is_configured(record)).copied();
    configured.chain(left_over).map(|record| service(view, record)).collect()
}

/// The primary's record says whose it is.
fn last_verified_unread(view: &View<'_>) -> Option<ServiceName> {
    let asked = [view.primary, &view.situation.backed_up];
    asked.into_iter().find(|service| view.is_unread(service)).cloned()
}

fn unread_status(view: &View<'_>, unread: &UnreadRecord) -> UnreadStatus {
    let UnreadRecord { service, since, why } = unread.clone();
    UnreadStatus { role: role(view, &service), name: service, since, why }
}

fn role(view: &View<'_>, name: &ServiceName) -> Role {
    match name {
        name if name == view.primary => Role::Primary,
        name if view.is_secondary(name) => Role::Secondary,
        _ => Role::LeftOver,
    }
}

fn service(view: &View<'_>, record: &Record) -> ServiceStatus {
    let name = record.service.name();
    ServiceStatus {
        role: role(view, &name),
        name,
        id: record.service.clone(),
        under_way: under_way(&record.operation),
        last_verified: record.last_verified.clone(),
        backups: record.backups.len(),
        holds: record.holds.clone(),
        restore_wish: record.restore_wish.as_ref().map(wished),
        backup_wish: record.backup_wish.clone(),
        pin: record.pin.clone(),
        backup_failures: record.backup_failures.clone(),
        restore_failures: record.restore_failures.clone(),
        refused_delete: record.retention.refused.clone(),
        recent_runs: record.recent_runs.clone(),
    }
}

fn wished(wish: &RestoreWish) -> Wished {
    Wished { backup: wish.source.name.clone(), at: wish.at, by: wish.by, deferred: wish.deferred.clone() }
}

/// What is under way, in a person's words.
pub fn under_way(operation: &Operation) -> Option<UnderWay> {
    match operation {
        Operation::Idle => None,
        Operation::Backup(run) => {
            let phase = match run.phase {
                BackupPhase::Inventory(_) => "taking the inventory",
                BackupPhase::Prepared => "about to begin",
                BackupPhase::Requested(_) => "requested",
                BackupPhase::Running(_) => "running",
                BackupPhase::Proving { .. } => "ended, being proven",
                BackupPhase::Committing { .. } => "proven, writing the manifest",
            };
            let (backup, since) = (run.name.clone(), run.started_at);
            Some(UnderWay { what: "backup", backup, phase, since, overdue: run.overdue })
        }
        Operation::Restore(run) => {
            let phase = match run.phase {
                RestorePhase::Requested(_) => "requested",
                RestorePhase::Running(_) => "running",
                RestorePhase::Verifying { .. } => "ended, being compared",
            };
            let (backup, since) = (run.source.name.clone(), run.started_at);
            Some(UnderWay { what: RESTORE, backup, phase, since, overdue: run.overdue })
        }
    }
}

impl ServiceStatus {
    /// What it holds, in one line. While a restore runs that is being rewritten, and fit for nobody.
    pub fn held(&self) -> String {
        match &self.under_way {
            Some(run) if run.what == RESTORE => format!("{}; it is being overwritten now", held(&self.holds)),
            _ => held(&self.holds),
        }
    }
}

/// What a service holds, in one line.
pub fn held(holds: &Holds) -> String {
    match holds {
        Holds::Nothing => "nothing was ever restored".into(),
        Holds::Unknown { why, .. } => format!("unknown: {why}"),
        Holds::Backup(held) => match &held.compared {
            Compared::Verified => {
                format!("{}, {}", held.backup, comparison::equal(held.finding.as_deref()))
            }
            Compared::Unverified { why } => format!("{}, not compared: {why}", held.backup),
            Compared::Mismatched { summary } => format!("{}, and differs from it: {summary}", held.backup),
        },
    }
}
