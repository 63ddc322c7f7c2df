//! What is worth a line in the log. The names are stable: alert rules are written against them.

use super::health::ConditionKind;
use super::id::ServiceName;
use super::vocabulary::BackupName;

/// Whether somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Info,
    Warning,
    /// Written to stderr as well: somebody should look.
    Error,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub name: EventName,
    pub backup: Option<BackupName>,
    /// Whose it is, where that is not whoever was being driven.
    pub service: Option<ServiceName>,
    /// The condition that it tells of.
    pub condition: Option<ConditionKind>,
    pub text: String,
}

impl Event {
    /// An event that belongs to no backup.
    pub fn new(name: EventName, text: impl Into<String>) -> Self {
        Self { name, backup: None, service: None, condition: None, text: text.into() }
    }

    /// An event of one backup.
    pub fn of(backup: &BackupName, name: EventName, text: impl Into<String>) -> Self {
        Self { backup: Some(backup.clone()), ..Self::new(name, text) }
    }

    /// An event of one condition, and of the service that it is about, if it is about one.
    pub fn of_condition(
        (condition, service): (ConditionKind, Option<&ServiceName>),
        name: EventName,
        text: String,
    ) -> Self {
        Self { service: service.cloned(), condition: Some(condition), ..Self::new(name, text) }
    }
}

macro_rules! events {
    ($($variant:ident $name:literal $level:ident $doc:literal;)*) => {
        /// The stable names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventName {
            $(#[doc = $doc] $variant,)*
        }

        impl EventName {
            /// Every name, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name as the log shows it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How loud it is.
            pub fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level,)* }
            }

            /// What it means, for the documentation.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

events! {
    BackupWished "backup.wished" Info "A backup was asked for by hand.";
    BackupAlreadyRunning "backup.already_running" Info "A backup was asked for while one is under way, which is named; there is no second one.";
    InventoryInterrupted "inventory.interrupted" Info "Reading what a service holds stopped before the end; a later tick goes on.";
    InventoryTaken "inventory.taken" Info "What the service holds is written down beside a backup.";
    InventoryMissing "inventory.missing" Warning "What the service holds could not be written down; the text says why. A backup goes on without it.";
    BackupWaiting "backup.waiting" Info "A due backup cannot begin yet; the text says what it waits for.";
    BackupRequested "backup.requested" Info "The backup is claimed in the record, which is saved; its POST comes next.";
    BackupAccepted "backup.accepted" Info "Azure took the backup. That is not yet a success.";
    BackupBusy "backup.busy" Info "Azure said that the service is busy; the claim is undone and a later tick tries again.";
    BackupUndone "backup.undone" Info "The claim is undone because what allowed it no longer holds; nothing was sent.";
    BackupUnanswered "backup.unanswered" Warning "Whether Azure took the backup is not known; the claim stands and is looked at when it is old.";
    BackupAdopted "backup.adopted" Warning "A claim whose writer is gone turned out to run; it is followed without its operation's URL.";
    BackupEnded "backup.ended" Info "The backup's operation ended; its blob has to prove it.";
    BackupOverdue "backup.overdue" Error "The backup has been running for longer than 4 h.";
    BackupVerified "backup.verified" Info "The backup is proven and its manifest is written.";
    BackupSuspicious "backup.suspicious" Error "The backup is proven, but lost more than half of the APIs or products, or its inventory; it is not restored by itself.";
    BackupAcceptedByHand "backup.accepted_by_hand" Info "A suspicious backup was restored by hand, and may now be restored by itself.";
    BackupFailed "backup.failed" Error "The backup failed; the text holds Azure's own words.";
    BackupLapsed "backup.lapsed" Error "A backup asked for by hand could not begin within 1 h and was given up.";
    ManifestTakenUp "manifest.taken_up" Warning "A tick took up a manifest whose event had not come within 3 min.";
    RestoreWished "restore.wished" Info "A backup is to be restored into this service.";
    RestoreIgnored "restore.ignored" Info "An event changes nothing; the text says why.";
    RestoreRefused "restore.refused" Error "A restore can never happen as it was asked for; the text says why.";
    RestoreDeferred "restore.deferred" Warning "A restore waits; the text says for what, and what to do about it.";
    RestoreRequested "restore.requested" Info "The restore is claimed in the record, which is saved; its POST comes next.";
    RestoreAccepted "restore.accepted" Info "Azure took the restore. That is not yet a success.";
    RestoreBusy "restore.busy" Info "Azure said that the service is busy; the claim is undone and a later tick tries again.";
    RestoreUndone "restore.undone" Info "The claim is undone because what allowed it no longer holds; nothing was sent.";
    RestoreUnanswered "restore.unanswered" Warning "Whether Azure took the restore is not known; the claim stands and is looked at when it is old.";
    RestoreAdopted "restore.adopted" Warning "A claim whose writer is gone turned out to run; it is followed without its operation's URL.";
    RestoreEnded "restore.ended" Info "The restore's operation ended; what the service holds is looked at next.";
    RestoreOverdue "restore.overdue" Error "The restore has been running for longer than 6 h.";
    RestoreVerified "restore.verified" Info "The service holds the backup, compared and found equal.";
    RestoreUnverified "restore.unverified" Warning "The service holds the backup, which could not be compared.";
    RestoreMismatched "restore.mismatched" Error "The service was compared with the backup and differs.";
    RestoreFailed "restore.failed" Error "The restore failed; the text holds Azure's own words.";
    RestoreLapsed "restore.lapsed" Error "A restore asked for by hand was not done within 4 h and was given up.";
    RestorePinned "restore.pinned" Warning "A backup that is not the newest, or not known to be, was chosen by hand: automatic restores wait until the newest is.";
    RestoreUnpinned "restore.unpinned" Info "The newest backup was chosen by hand: automatic restores go on.";
    RestoreWithdrawn "restore.withdrawn" Info "Somebody took back what was to be restored into this service.";
    RestoreUnderTraffic "restore.under_traffic" Error "The service came to carry the traffic while it is being restored: users may meet half of it.";
    FailoverLatched "failover.latched" Error "A secondary carries the traffic: nothing is restored by itself until `resume`.";
    FailoverReturned "failover.returned" Warning "Traffic has returned to the primary by itself; still nothing is restored until `resume`.";
    FailoverResumed "failover.resumed" Warning "Somebody said `resume`: the primary is backed up anew and followed again.";
    ConditionRaised "condition.raised" Error "A condition that needs somebody was raised; `condition` names it.";
    ConditionWarned "condition.warned" Warning "A condition that can wait was raised; `condition` names it.";
    ConditionNoted "condition.noted" Info "A condition that is only good to know was raised; `condition` names it.";
    ConditionCleared "condition.cleared" Info "A condition is over; `condition` names it.";
    AlertDelivered "alert.delivered" Info "The webhook took an alert.";
    AlertNotDelivered "alert.not_delivered" Warning "The webhook did not take an alert; a later tick tries again.";
    HeartbeatNotSent "heartbeat.not_sent" Warning "HEARTBEAT_URL could not be called.";
    HealthNotKept "health.not_kept" Error "Health or status could not be read or written; backups and restores go on.";
    RetentionDeleted "retention.deleted" Info "Blobs that were kept long enough are deleted; the text names them.";
    RetentionRefused "retention.refused" Warning "Storage refused a delete. It is told once, stands in the record, and is tried again a day later.";
    RetentionPostponed "retention.postponed" Info "What has been kept long enough could not be found out or deleted; it is tried again an hour later.";
    StandbyCompared "standby.compared" Info "What a service holds was compared again.";
    StandbyMismatched "standby.mismatched" Error "A service was compared again with the backup that it holds, and differs from it: somebody has changed it since.";
    StandbyNotProtected "standby.not_protected" Info "What no backup carries is not alike on both services, or not known to be; the record names it, with what to do about it.";
    ServiceNotDriven "service.not_driven" Error "Nothing can be done for this service now: no token, or Azure refuses it; the others go on.";
    RolesChanged "roles.changed" Warning "The settings name another primary than before; automatic wishes are dropped.";
    RecordAdopted "record.adopted" Warning "Somebody said that a service with another resource id is the same one, moved.";
    ConfigurationSuspect "configuration.suspect" Error "Something belongs to another deployment, or nobody says who serves.";
    DryRun "dry_run.would_act" Info "DRY_RUN is on: this is the one thing that would have been done.";
    WishRefused "wish.refused" Warning "A wish was not taken; the text says why.";
    TimerLooksManual "timer.looks_manual" Info "The timer ran outside its schedule and brought no input; a person who wants a backup now sends any input.";
    InvocationFailed "invocation.failed" Error "The invocation could not do its work; the text says why.";
    InvocationDone "invocation.done" Info "The invocation did its work.";
    HandlerStarted "handler.started" Info "The process listens for the Functions host.";
    HandlerPanicked "handler.panicked" Error "A defect ended one invocation; the process goes on. The text says where.";
    RequestRefused "request.refused" Info "Resource Manager answered a request with an error; the ids are what Azure's support asks for.";
    SettingRefused "setting.refused" Error "A setting is missing or wrong; every invocation fails until it is put right.";
}
