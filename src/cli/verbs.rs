//! What each verb does: it brings a wish in an invocation of its own, and tells what came of it.

use serde_json::Value;

use super::answer::{Answer, Code, Document, complain};
use super::arguments::{Call, Verb, Wait};
use super::errand::{Errand, Kind};
use super::follow::{Follower, Patience, Pauses, event};
use super::session::Session;
use super::{history, question, status};
use crate::arrival::{Arrival, Records};
use crate::config::Config;
use crate::deployment::Deployment;
use crate::doctor::{self, Finding};
use crate::domain::event::EventName;
use crate::domain::id::ServiceName;
use crate::domain::record::{By, Operation, Record};
use crate::domain::take_up::{self, EVENT_PATIENCE};
use crate::domain::vocabulary::{BackupName, Timestamp};
use crate::drive::Told;
use crate::invocation::{Ended, Start, Wish};

/// Names that the answer to a wrong one holds.
const NAMED: usize = 3;

/// Does what was asked for.
pub(super) async fn carry_out(call: &Call, config: &Config) -> Answer {
    let session = match call.verb {
        Verb::Status | Verb::History { .. } | Verb::Doctor => Session::looking_on(config),
        _ => Session::open(config),
    };
    let session = match session {
        Ok(session) => session,
        Err(why) => return Answer::new(Code::Usage, why),
    };
    let done = match &call.verb {
        Verb::Status => show_status(&session).await,
        Verb::History { service, last } => show_history(&session, service.as_ref(), *last).await,
        Verb::Backup { service } => backup(call, &session, service.as_ref()).await,
        Verb::Restore { backup, into, even_if_live } => {
            restore(call, &session, (backup, into.as_ref(), *even_if_live)).await
        }
        Verb::Withdraw { service } => withdraw(&session, service.as_ref()).await,
        Verb::Resume { even_if_unknown } => resume(call, &session, *even_if_unknown).await,
        Verb::Adopt { service } => adopt(call, &session, service).await,
        Verb::Tick => tick(call, &session).await,
        Verb::Doctor => Ok(examined(&session.examine(config).await)),
    };
    done.unwrap_or_else(|answer| answer)
}

fn failed(why: String) -> Answer {
    Answer::new(Code::Failed, why)
}

/// What the doctor has found.
pub(super) fn examined(findings: &[Finding]) -> Answer {
    let code = if doctor::exit_code(findings) == 0 { Code::Done } else { Code::Failed };
    Answer::whole(code, doctor::text(findings), doctor::json(findings))
}

/// One of the settings' services, or the answer that tells their names.
fn configured(session: &Session, service: &ServiceName) -> Result<(), Answer> {
    if session.deployment.named(service).is_some() {
        return Ok(());
    }
    let names: Vec<_> = session.deployment.all().map(|id| id.name().to_string()).collect();
    Err(Answer::new(Code::Usage, format!("the settings name {}, and not {service}", names.join(", "))))
}

async fn show_status(session: &Session) -> Result<Answer, Answer> {
    let looked = session.look().await.map_err(failed)?;
    let never_driven = looked.records.iter().filter(|(_, loaded)| !loaded.is_stored());
    let never_driven = never_driven.map(|(name, _)| name.clone()).collect();
    let beside = status::Beside { written: looked.written, never_driven };
    Ok(Answer::whole(Code::Done, status::text(&looked.status, &beside), looked.status.text()))
}

/// A service that the settings no longer name may have a history; a name that never was one has none.
async fn show_history(
    session: &Session,
    service: Option<&ServiceName>,
    last: usize,
) -> Result<Answer, Answer> {
    let runs = history::newest(session, service, last).await.map_err(failed)?;
    if let (Some(service), true) = (service, runs.is_empty()) {
        configured(session, service)?;
    }
    Ok(history::answer(&runs))
}

async fn backup(call: &Call, session: &Session, service: Option<&ServiceName>) -> Result<Answer, Answer> {
    service.map_or(Ok(()), |service| configured(session, service))?;
    let ended = session.invoke(Wish::Backup(service.cloned()), Start::Hand).await.map_err(failed)?;
    let errands = backups_asked_for(&ended);
    Ok(Follower::new((session, call.wait), ended, (errands, None)).follow().await)
}

fn backups_asked_for(ended: &Ended) -> Vec<Errand> {
    let errand = |told: &Told| {
        let kind = match told.event.name {
            EventName::BackupWished => Kind::Backup(None),
            EventName::BackupAlreadyRunning => Kind::Backup(told.event.backup.clone()),
            _ => return None,
        };
        Some(Errand { service: told.service.clone()?, kind, asked_at: ended.began })
    };
    ended.told.iter().filter_map(errand).collect()
}

async fn restore(
    call: &Call,
    session: &Session,
    (backup, into, even_if_live): (&BackupName, Option<&ServiceName>, bool),
) -> Result<Answer, Answer> {
    let targets = targets(session, backup, into)?;
    let looked = session.look().await.map_err(failed)?;
    let source = looked.records.get(backup.service()).map(|loaded| &loaded.record);
    has_manifest(session, backup, source).await?;
    let question = question::of_restore((backup, &targets), (source, &looked.status), even_if_live);
    question::ask(call, &question)?;
    let arrival = Arrival {
        container: session.deployment.container.clone(),
        path: backup.manifest(),
        by: By::Hand,
        into: into.cloned(),
        even_if_live,
    };
    let ended = session.invoke(Wish::Restore(arrival), Start::Hand).await.map_err(failed)?;
    let errand = |told: &Told| {
        let is_wished =
            told.event.name == EventName::RestoreWished && told.event.backup.as_ref() == Some(backup);
        let kind = Kind::Restore(backup.clone());
        Some(Errand { service: told.service.clone().filter(|_| is_wished)?, kind, asked_at: ended.began })
    };
    let errands = ended.told.iter().filter_map(errand).collect();
    Ok(Follower::new((session, call.wait), ended, (errands, Some(backup))).follow().await)
}

/// A wrong name is answered with right ones before anything is asked.
async fn has_manifest(session: &Session, backup: &BackupName, source: Option<&Record>) -> Result<(), Answer> {
    let container = &session.deployment.container;
    let read = session.azure().store().read_manifest(container, backup).await;
    if read.map_err(|trouble| failed(trouble.to_string()))?.is_some() {
        return Ok(());
    }
    let known = source.map(|record| record.backups.as_slice()).unwrap_or_default();
    let newest: Vec<_> = known.iter().rev().take(NAMED).map(|known| known.name.to_string()).collect();
    let (manifest, service) = (backup.manifest(), backup.service());
    Err(failed(match newest.is_empty() {
        true => format!("there is no {manifest} in {container}, and no backup of {service} at all"),
        false => {
            format!("there is no {manifest} in {container}. The newest of {service}: {}", newest.join(", "))
        }
    }))
}

/// The services that a restore means.
fn targets(
    session: &Session,
    backup: &BackupName,
    into: Option<&ServiceName>,
) -> Result<Vec<ServiceName>, Answer> {
    configured(session, backup.service())?;
    into.map_or(Ok(()), |into| configured(session, into))?;
    let source = session.deployment.named(backup.service());
    let targets = source.map(|source| session.deployment.targets_of(source)).unwrap_or_default();
    let targets: Vec<_> = targets.iter().map(|target| target.name()).collect();
    match into {
        None => Ok(targets),
        Some(into) if targets.contains(into) => Ok(vec![into.clone()]),
        Some(into) => {
            let names: Vec<_> = targets.iter().map(ServiceName::as_str).collect();
            let (source, names) = (backup.service(), names.join(", "));
            let text = format!("a backup of {source} is restored into {names}, and not into {into}");
            Err(Answer::new(Code::Usage, text))
        }
    }
}

async fn withdraw(session: &Session, service: Option<&ServiceName>) -> Result<Answer, Answer> {
    service.map_or(Ok(()), |service| configured(session, service))?;
    let ended = session.invoke(Wish::Withdraw(service.cloned()), Start::Hand).await.map_err(failed)?;
    let nothing = (Code::Done, "nothing was to be restored: there is nothing to take back");
    Ok(told_of(&ended, EventName::RestoreWithdrawn, nothing))
}

async fn adopt(call: &Call, session: &Session, service: &ServiceName) -> Result<Answer, Answer> {
    configured(session, service)?;
    let wish = Wish::Adopt { service: service.clone(), though_open: call.yes };
    let ended = session.invoke(wish, Start::Hand).await.map_err(failed)?;
    let nothing = (Code::Done, "the record has that id already: there is nothing to adopt");
    Ok(told_of(&ended, EventName::RecordAdopted, nothing))
}

/// What the events of one name say, or what was refused, or else `nothing`.
fn told_of(ended: &Ended, name: EventName, (code, nothing): (Code, &str)) -> Answer {
    let texts = |name: EventName| -> Vec<_> {
        ended
            .told
            .iter()
            .filter(|told| told.event.name == name)
            .map(|told| told.event.text.as_str())
            .collect()
    };
    let (done, refused) = (texts(name), texts(EventName::WishRefused));
    let (code, text) = match (&ended.failure, done.is_empty(), refused.is_empty()) {
        (_, _, false) => (Code::Failed, refused.join("\n")),
        (_, false, _) => (Code::Done, done.join("\n")),
        (Some(why), ..) => (Code::Failed, why.clone()),
        (None, ..) => (code, nothing.to_owned()),
    };
    Answer { code, text, document: events_of(ended) }
}

fn events_of(ended: &Ended) -> Document {
    Document::Members(vec![("events", Value::Array(ended.told.iter().map(event).collect()))])
}

async fn resume(call: &Call, session: &Session, even_if_unknown: bool) -> Result<Answer, Answer> {
    let looked = session.look().await.map_err(failed)?;
    question::ask(call, &question::of_resume(&looked.status))?;
    let ended = session.invoke(Wish::Resume { even_if_unknown }, Start::Hand).await.map_err(failed)?;
    let resumed = ended.told.iter().find(|told| told.event.name == EventName::FailoverResumed);
    if let (Some(_), true, Some(pinned)) = (resumed, call.yes, question::pinned(&looked.status)) {
        complain(&format!("{pinned}\n"));
    }
    match (resumed, call.wait) {
        (Some(_), Some(_)) => {
            let service = session.deployment.primary.name();
            let errand = Errand { service, kind: Kind::Backup(None), asked_at: ended.began };
            Ok(Follower::new((session, call.wait), ended, (vec![errand], None)).follow().await)
        }
        _ => Ok(told_of(&ended, EventName::FailoverResumed, (Code::Failed, "nothing came of it"))),
    }
}

async fn tick(call: &Call, session: &Session) -> Result<Answer, Answer> {
    let (mut pauses, mut patience, mut began) = (Pauses::new(), Patience::default(), None);
    loop {
        let ended = match session.invoke(Wish::None, Start::Tick { last_run: None }).await {
            Ok(ended) => ended,
            Err(why) if call.wait.is_none() => return Err(failed(why)),
            Err(why) => {
                patience.bear(why)?;
                pauses.next().await;
                continue;
            }
        };
        patience = Patience::default();
        let began = *began.get_or_insert(ended.began);
        let open = open(&ended.records, &session.deployment, ended.at);
        let goes_on = match call.wait {
            None => false,
            Some(Wait::ToTheEnd) => !open.is_empty(),
            Some(Wait::For(time)) => !open.is_empty() && ended.at - began < time,
        };
        if !goes_on {
            return Ok(tick_answer(&ended, &open, call.wait.is_some()));
        }
        pauses.next().await;
    }
}

fn tick_answer(ended: &Ended, open: &[String], waited: bool) -> Answer {
    let (code, text) = match (&ended.failure, open.is_empty()) {
        (Some(why), _) => (Code::Failed, why.clone()),
        (None, true) => (Code::Done, "done; nothing is open".to_owned()),
        (None, false) => {
            let code = if waited { Code::Open } else { Code::Done };
            (code, format!("done; open: {}", open.join("; ")))
        }
    };
    Answer { code, text, document: events_of(ended) }
}

/// What a next tick would go on with by itself.
fn open(records: &Records, deployment: &Deployment, now: Timestamp) -> Vec<String> {
    let primary = records.get(&deployment.primary.name()).map(|loaded| &loaded.record);
    let open = records.values().filter_map(|loaded| {
        let record = &loaded.record;
        let is_secondary = deployment.secondaries.contains(&record.service);
        // By then a tick has taken up what no event has brought.
        let taken_up = |primary| take_up::missed(primary, record, now + 2 * EVENT_PATIENCE).is_some();
        let comes = is_secondary && primary.is_some_and(taken_up);
        is_open(record, deployment)
            .or_else(|| comes.then(|| format!("{} gets the newest backup", record.service.name())))
    });
    open.collect()
}

fn is_open(record: &Record, deployment: &Deployment) -> Option<String> {
    let service = record.service.name();
    match &record.operation {
        Operation::Backup(run) => return Some(format!("backup {}", run.name)),
        Operation::Restore(run) => return Some(format!("restore of {} into {service}", run.source.name)),
        Operation::Idle => {}
    }
    // Nobody drives what waits at a service that the settings do not name.
    deployment.named(&service)?;
    if record.backup_wish.is_some() {
        return Some(format!("a backup of {service} is asked for"));
    }
    let wish =
        record.restore_wish.as_ref().filter(|wish| wish.deferred.is_none() && wish.failures.is_none())?;
    Some(format!("{} is to be restored into {service}", wish.source.name))
}
