//! What was asked for, followed through the records until it is over. Pure: the records say all.

use crate::domain::id::ServiceName;
use crate::domain::record::{Compared, Holds, KnownBackup, Operation, Record, RestoreWish};
use crate::domain::summary;
use crate::domain::vocabulary::{BackupName, Timestamp};

/// One thing that was asked for, of one service.
#[derive(Clone, Debug)]
pub(super) struct Errand {
    pub(super) service: ServiceName,
    pub(super) kind: Kind,
    /// When it was asked for: what happened before is of something else.
    pub(super) asked_at: Timestamp,
}

/// What it is. Another's wish for the same thing does as well: it may have replaced ours.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A backup: this one, or the first that begins from now on.
    Backup(Option<BackupName>),
    /// This backup, restored.
    Restore(BackupName),
}

const GONE: &str = "it is no longer asked for: `apim-dr history` shows what happened";

/// How an errand stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has not begun, for this reason, if one is known.
    Waits(Option<String>),
    Runs(String),
    Done(String),
    Failed(String),
}

impl Errand {
    /// How it stands by the service's record. A backup's name is learned on the way.
    pub(super) fn judge(&mut self, record: &Record, now: Timestamp) -> Standing {
        match self.by_itself(record, now) {
            Standing::Waits(None) if record.operation != Operation::Idle => Standing::Waits(Some(format!(
                "something else runs first: {}",
                summary::operation(record, now)
            ))),
            standing => standing,
        }
    }

    fn by_itself(&mut self, record: &Record, now: Timestamp) -> Standing {
        match (&mut self.kind, &record.operation) {
            (Kind::Backup(name), Operation::Backup(run))
                if name.as_ref() == Some(&run.name) || run.started_at >= self.asked_at =>
            {
                *name = Some(run.name.clone());
                Standing::Runs(summary::operation(record, now))
            }
            // What fails meanwhile was begun before.
            (Kind::Backup(None), _) if record.backup_wish.is_some() => Standing::Waits(None),
            (Kind::Backup(name), _) => match end_of_backup(record, name.as_ref(), self.asked_at) {
                Some(end) => end,
                // A claim that was undone begins again under another name.
                None if record.backup_wish.is_some() => {
                    *name = None;
                    Standing::Waits(None)
                }
                None => Standing::Failed(GONE.into()),
            },
            (Kind::Restore(backup), Operation::Restore(run)) if run.source.name == *backup => {
                Standing::Runs(summary::operation(record, now))
            }
            (Kind::Restore(backup), _) => match &record.restore_wish {
                Some(wish) if wish.source.name == *backup => Standing::Waits(waits_for(wish)),
                _ => end_of_restore(record, backup, self.asked_at),
            },
        }
    }
}

fn waits_for(wish: &RestoreWish) -> Option<String> {
    let failed = wish
        .failures
        .as_ref()
        .map(|failures| format!("{}; the next attempt comes at {}", failures.what, failures.next_attempt()));
    failed.or_else(|| wish.deferred.as_ref().map(|deferred| deferred.reason.clone()))
}

fn end_of_backup(record: &Record, name: Option<&BackupName>, asked_at: Timestamp) -> Option<Standing> {
    let is_ours = |known: &&KnownBackup| match name {
        Some(name) => known.name == *name,
        None => known.started_at >= asked_at,
    };
    if let Some(known) = record.backups.iter().rev().find(is_ours) {
        return Some(match &known.suspicious {
            None => Standing::Done(format!("{} is verified", known.name)),
            Some(_) => Standing::Failed(format!(
                "{} is proven, and suspicious: it is not restored by itself. Look at {}; if it is as it should be, restore \
                 the backup by hand",
                known.name,
                record.service.name()
            )),
        });
    }
    let failures = record.backup_failures.as_ref().filter(|failures| failures.last >= asked_at)?;
    Some(Standing::Failed(failures.what.clone()))
}

fn end_of_restore(record: &Record, backup: &BackupName, asked_at: Timestamp) -> Standing {
    match &record.holds {
        Holds::Backup(held) if held.backup == *backup && held.restored_at >= asked_at => {
            match &held.compared {
                Compared::Verified => Standing::Done(format!("holds {backup}, compared and equal")),
                Compared::Unverified { why } => {
                    Standing::Done(format!("holds {backup}, which was not compared: {why}"))
                }
                Compared::Mismatched { summary } => {
                    Standing::Failed(format!("holds {backup}, and differs from it: {summary}"))
                }
            }
        }
        _ => match record.restore_failures.as_ref().filter(|failures| failures.last >= asked_at) {
            Some(failures) => Standing::Failed(failures.what.clone()),
            None => Standing::Failed(match &record.restore_wish {
                Some(other) => format!("{} was asked for instead", other.source.name),
                None => "it was taken back".into(),
            }),
        },
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::domain::record::{BackupWish, Failures};
    use crate::domain::vocabulary::{Digest, InvocationId};

    fn at(minute: u8) -> Timestamp {
        Timestamp::new(datetime!(2026-03-10 02:00 UTC) + time::Duration::minutes(minute.into()))
    }

    fn record() -> Record {
        let id = "/subscriptions/1/resourceGroups/apis/providers/Microsoft.ApiManagement/service/contoso";
        let id: crate::domain::id::ServiceId = id.parse().unwrap();
        let name = id.name();
        Record::new(id, name, InvocationId::from("-"), at(0))
    }

    fn known(minute: u8, suspicious: Option<&str>) -> KnownBackup {
        let began = at(minute);
        KnownBackup {
            name: BackupName::new(record().service.name(), began),
            digest: Digest::of(b""),
            started_at: began,
            completed_at: began,
            accepted: suspicious.is_none(),
            suspicious: suspicious.map(str::to_owned),
            counts: None,
            after: None,
        }
    }

    fn asked(kind: Kind) -> Errand {
        Errand { service: record().service.name(), kind, asked_at: at(10) }
    }

    #[test]
    fn what_happened_before_it_was_asked_for_is_of_something_else() {
        let mut record = record();
        record.backups.push(known(5, None));
        record.backup_failures = Some(Failures::after(None, at(9), "refused".into()));
        let mut errand = asked(Kind::Backup(None));
        assert_eq!(errand.judge(&record, at(11)), Standing::Failed(GONE.into()));
        record.backup_wish =
            Some(BackupWish { by: InvocationId::from("another"), at: at(10), after_resume: false });
        assert_eq!(errand.judge(&record, at(11)), Standing::Waits(None));
        record.backup_wish = None;
        record.backups.push(known(12, None));
        let name = known(12, None).name;
        assert_eq!(errand.judge(&record, at(20)), Standing::Done(format!("{name} is verified")));
    }

    #[test]
    fn a_suspicious_backup_is_no_success() {
        let mut record = record();
        record.backups.push(known(12, Some("half of the APIs are gone")));
        let standing = asked(Kind::Backup(None)).judge(&record, at(20));
        assert!(matches!(&standing, Standing::Failed(why) if why.contains("suspicious")), "{standing:?}");
    }

    #[test]
    fn a_restore_that_was_replaced_or_taken_back_is_over() {
        let record = record();
        let standing = asked(Kind::Restore(known(5, None).name)).judge(&record, at(20));
        assert_eq!(standing, Standing::Failed("it was taken back".into()));
    }
}
