//! What is deleted: only what has been kept for long enough, and never what is needed.

use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

use super::record::{Record, text};
use super::records::Step;
use super::{Invariant, Observer, Scene, Verdict};
use crate::plan::SERVICES;
use crate::world::call::Call;
use crate::world::sent::{BACKUPS, Sent};

/// What may lie beside a manifest.
const PARTS: [&str; 3] = [".apimbackup", ".inventory.json", ".inventory-after.json"];

impl Observer {
    /// A delete in the backup container leaves.
    pub(super) fn delete_leaves(&mut self, scene: &Scene<'_>, call: &Call, (blob, sent): (&str, &Sent)) {
        let version = (blob.to_owned(), sent.header("if-match").to_owned());
        if self.deleting.contains(&version) {
            return;
        }
        let verdict = self.may_delete(scene, call, (blob, sent));
        if verdict.is_ok() {
            self.deleting.insert(version);
        }
        self.judge(Invariant::Deletes, verdict, || format!("{} deletes {BACKUPS}/{blob}", call.tag()));
    }

    /// A record no longer names what it named to be deleted.
    pub(super) fn retention_follows(&mut self, step: &Step<'_>) {
        let doomed = step.before.into_iter().flat_map(Record::doomed);
        let dropped = doomed.filter(|blob| !step.after.dooms(blob));
        self.dropped.extend(dropped.map(|blob| (blob.to_owned(), step.scene.now)));
    }

    fn may_delete(&self, scene: &Scene<'_>, call: &Call, (blob, sent): (&str, &Sent)) -> Verdict {
        if call.deployed.dry_run {
            return Err("this is a dry run".to_owned());
        }
        if sent.header("if-match").is_empty() {
            return Err("whatever version it has".to_owned());
        }
        let manifest = blob.strip_suffix(".manifest.json");
        let part = PARTS.iter().find_map(|part| blob.strip_suffix(part));
        let name = manifest.or(part).ok_or("it is nothing of ours")?;
        let began = began(name).ok_or("it is nothing of ours")?;
        let (service, _) = name.rsplit_once('-').unwrap_or_default();
        let record = self.records.get(service).ok_or("no record is of its service")?;
        // The earlier of two clocks counts.
        let now = scene.now.min(call.utc_now() + (scene.now - call.began));
        let allowed = Duration::days(call.deployed.retention + if manifest.is_some() { 0 } else { 1 });
        if now - began < allowed {
            return Err(format!("it is only {} old", now - began));
        }
        // Another call may have come to the end of what both have begun.
        let named = self.dropped.get(blob).is_some_and(|at| *at >= call.began);
        if !named && !record.dooms(blob) {
            return Err("no saved record names it".to_owned());
        }
        if let Some(why) = self.needed(name, record) {
            return Err(why);
        }
        let beside = scene.blobs.peek(BACKUPS, &format!("{name}.manifest.json")).is_some();
        match manifest.is_none() && beside {
            // A manifest of a stranger may have come between.
            true if !self.is_strange(scene.now, &format!("{name}.manifest.json"), None) => {
                Err("its manifest lies beside it".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Why a backup has to stay, by what the records said when the deleting call began at the latest.
    fn needed(&self, name: &str, record: &Record) -> Option<String> {
        if let Some(why) = needed_by(record, name) {
            return Some(why.to_owned());
        }
        SERVICES.iter().find_map(|(other, _)| {
            let record = self.records.get(*other)?;
            let wanted = record.at("restoreWish")["source"]["name"] == name;
            let under_way = record.backup() == name && !record.is_idle();
            (wanted || under_way).then(|| format!("{other} wants it"))
        })
    }
}

/// What the record of the service that a backup is of needs it for.
pub(super) fn needed_by(record: &Record, name: &str) -> Option<&'static str> {
    if text(&record.at("lastVerified")["name"]) == name {
        return Some("it is the last verified one");
    }
    let newest = record.accepted().max_by_key(|(_, began)| *began);
    if newest.is_some_and(|(newest, _)| newest == name) {
        return Some("it is the newest accepted one");
    }
    (record.newest_measured() == Some(name)).then_some("the next backup is measured by it")
}

/// When a backup began, by its name.
fn began(name: &str) -> Option<OffsetDateTime> {
    let (service, time) = name.rsplit_once('-')?;
    SERVICES.iter().find(|(known, _)| *known == service)?;
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    PrimitiveDateTime::parse(time, format).ok().map(PrimitiveDateTime::assume_utc)
}

/// Whether a record may have forgotten a backup because it has been kept for long enough.
pub(super) fn is_old(name: &str, (now, days): (OffsetDateTime, i64)) -> bool {
    began(name).is_some_and(|began| now - began >= Duration::days(days))
}
