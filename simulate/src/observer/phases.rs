//! How a record may go from one phase to the next, and what has to have been seen for that.

use time::{Duration, OffsetDateTime};

use super::heard::Heard;
use super::record::{Record, http_date, moment, text};
use super::records::Step;
use super::{Invariant, Observer, Verdict};
use crate::plan::SERVICES;
use crate::world::call::Call;
use crate::world::sent::BACKUPS;

/// A claim younger than this belongs to its writer.
const CLAIM_AGE: Duration = Duration::minutes(8);

/// Two looks this far apart are needed to end what nobody saw ending.
const UNSEEN_END: Duration = Duration::minutes(5);

/// Answers to a poll that say nothing of how the operation stands.
const SAYS_NOTHING: [u16; 7] = [401, 403, 404, 408, 409, 412, 429];

impl Observer {
    pub(super) fn phase_follows(&mut self, step: &Step<'_>) {
        let (invariant, verdict) = match step.before {
            None => (Invariant::Phases, first(step.after)),
            Some(before) if before.is_idle() && step.after.is_idle() => return,
            Some(before) if before.is_idle() => (Invariant::Phases, self.begins(step)),
            Some(before) if step.after.is_idle() => self.ends(step, before),
            Some(before) if before.is_same_run(step.after) => self.goes_on(step, before),
            Some(before) => {
                let what =
                    format!("the run of {} was replaced by that of {}", before.backup(), step.after.backup());
                (Invariant::Phases, Err(what))
            }
        };
        self.judge(invariant, verdict, || {
            let phase = |record: &Record| format!("{} {}", record.kind(), record.phase());
            let was = step.before.map(phase).unwrap_or_default();
            format!("{} by {}: {was} -> {}", step.name(), step.call.tag(), phase(step.after))
        });
    }

    fn begins(&self, step: &Step<'_>) -> Verdict {
        match step.after.phase() {
            "inventory" => Ok(()),
            "requested" => claimed_by(step.after, step),
            _ => Err("an operation begins with a claim".to_owned()),
        }
    }

    fn goes_on(&self, step: &Step<'_>, before: &Record) -> (Invariant, Verdict) {
        let heard = self.heard.get(&step.call.number);
        let Some(heard) = heard else { return (Invariant::Phases, Err("nobody wrote it".to_owned())) };
        let seen = Seen { observer: self, step, before, heard };
        match (before.phase(), step.after.phase()) {
            ("inventory", "inventory") | ("prepared", "prepared") => (Invariant::Phases, Ok(())),
            ("inventory" | "prepared", "requested") => (Invariant::Phases, claimed_by(step.after, step)),
            ("requested", "prepared") => (Invariant::Claims, seen.undone()),
            ("requested", "requested") => (Invariant::Claims, seen.claim()),
            ("requested", "running") => (Invariant::Claims, seen.accepted()),
            ("requested", "proving") => (Invariant::Claims, seen.found()),
            ("running", "running") => (Invariant::Phases, seen.runs_on()),
            ("running", "proving") => {
                (Invariant::Phases, seen.ended(text(step.after.of_phase("proof")) == "operation"))
            }
            ("running", "verifying") => {
                (Invariant::Phases, seen.ended(text(step.after.of_phase("ended")) == "seen"))
            }
            ("proving", "proving") => (Invariant::Phases, seen.same("proof")),
            ("proving", "committing") => (Invariant::Manifests, seen.proven()),
            ("committing", "committing") => (Invariant::Phases, seen.same("manifest")),
            ("verifying", "verifying") => (Invariant::Phases, Ok(())),
            _ => (Invariant::Phases, Err("no such way".to_owned())),
        }
    }

    fn ends(&self, step: &Step<'_>, before: &Record) -> (Invariant, Verdict) {
        let heard = self.heard.get(&step.call.number);
        let Some(heard) = heard else { return (Invariant::Phases, Err("nobody wrote it".to_owned())) };
        let seen = Seen { observer: self, step, before, heard };
        let closed = step.after.unwritten().len() > before.unwritten().len();
        match (before.phase(), closed) {
            ("inventory" | "prepared", false) => (Invariant::Phases, Ok(())),
            ("requested", false) => (Invariant::Claims, seen.undone()),
            ("requested", true) => (
                Invariant::Claims,
                seen.failed_at_once().and_then(|()| seen.is_owned_up_to(before.is_taken_over())),
            ),
            ("running", true) => (Invariant::Phases, seen.failed().and_then(|()| seen.is_owned_up_to(true))),
            ("proving", true) => (Invariant::Phases, seen.unproven()),
            ("committing", true) => (Invariant::Manifests, seen.committed()),
            ("verifying", true) => (
                Invariant::Phases,
                seen.is_held().and_then(|()| seen.is_owned_up_to(step.after.held() != before.backup())),
            ),
            _ => (Invariant::History, Err("a run ended and left nothing for the history".to_owned())),
        }
    }

    /// A call that found a service `Updating` leaves no earlier look standing that found it free: two of those with that
    /// between them prove no end.
    pub(super) fn updating_is_heeded(&mut self, call: &Call, heard: &Heard) {
        if !heard.storage_was_well() {
            return;
        }
        for (service, look) in heard.looks.iter().filter(|(_, look)| look.is_updating()) {
            let (Some((read_at, was)), Some(is)) = (heard.last_read(*service), self.record(*service)) else {
                continue;
            };
            let free_since = was.of_phase("freeSince").clone();
            let is_later = look.asked > read_at && was.is_same_run(is) && was.phase() == "running";
            if free_since.is_null() || !is_later || self.found_spoilt(call, *service) {
                continue;
            }
            let heeded = is.phase() != "running" || *is.of_phase("freeSince") != free_since;
            self.check(Invariant::Phases, heeded, || {
                format!(
                    "{} found {} Updating, and free since {free_since} stays",
                    call.tag(),
                    SERVICES[*service].0
                )
            });
        }
    }
}

fn first(record: &Record) -> Verdict {
    match record.is_idle() || record.phase() == "requested" || record.phase() == "inventory" {
        true => Ok(()),
        false => Err("a record begins idle, or with a claim".to_owned()),
    }
}

fn claimed_by(record: &Record, step: &Step<'_>) -> Verdict {
    let at = moment(record.of_phase("at"));
    let now = at.is_some_and(|at| (step.now() - at).abs() < Duration::seconds(121));
    if record.claimant() != step.call.id || record.is_taken_over() || !now {
        return Err(format!("the claim is {}'s of {at:?}", record.claimant()));
    }
    match record.kind() == "restore" || *record.of_operation("wish") == record.at("backupWish")["by"] {
        true => Ok(()),
        false => Err(format!("it does not serve the wish of {}", record.at("backupWish"))),
    }
}

/// One step of a run, and what its writer has been told.
struct Seen<'a> {
    observer: &'a Observer,
    step: &'a Step<'a>,
    before: &'a Record,
    heard: &'a Heard,
}

impl Seen<'_> {
    fn after(&self) -> &Record {
        self.step.after
    }

    fn is_own(&self) -> bool {
        self.before.claimant() == self.step.call.id
    }

    /// The moment of this call's last save before this one.
    fn since_save(&self) -> OffsetDateTime {
        self.heard.saved.get(&self.step.service).copied().unwrap_or(self.step.call.began)
    }

    fn looked(&self, fits: impl Fn(&super::heard::Look) -> bool) -> bool {
        self.heard
            .looks
            .get(&self.step.service)
            .is_some_and(|look| look.asked >= self.since_save() && fits(look))
    }

    fn same(&self, field: &str) -> Verdict {
        match self.before.of_phase(field) == self.after().of_phase(field) {
            true => Ok(()),
            false => Err(format!("{field} was changed")),
        }
    }

    /// The operation stays the same, and that it was seen to run is noted only by whom it was, or who heard that it does.
    fn runs_on(&self) -> Verdict {
        self.same("operation")?;
        let noted = self.same("updatingSeen").is_err() && self.after().of_phase("updatingSeen") == true;
        let said = self.heard.polls.get(&self.step.service).is_some_and(|poll| poll.status == 202);
        match noted && !said && !self.looked(super::heard::Look::is_updating) {
            true => Err("it was not seen Updating".to_owned()),
            false => Ok(()),
        }
    }

    /// A claim stays as it is, or is taken over when it is old.
    fn claim(&self) -> Verdict {
        let same = ["by", "at", "takenOver"].iter().all(|field| self.same(field).is_ok());
        if same {
            return Ok(());
        }
        let at = moment(self.before.of_phase("at")).ok_or("the claim has no date")?;
        let age = (self.step.now() - at).abs();
        match self.after().is_taken_over() && self.after().claimant() == self.step.call.id {
            true if age >= CLAIM_AGE => Ok(()),
            true => Err(format!("a claim {age} old was taken over")),
            false => Err("the claim was changed".to_owned()),
        }
    }

    /// Azure took it, or it was found to run when the claim was old.
    fn accepted(&self) -> Verdict {
        if !self.is_own() {
            return Err(format!("the claim is {}'s", self.before.claimant()));
        }
        if self.before.is_taken_over() {
            let alone = self.after().of_phase("operation").is_null();
            return match alone && self.looked(super::heard::Look::is_updating) {
                true => Ok(()),
                false => Err("it was not seen Updating".to_owned()),
            };
        }
        let answered =
            self.heard.posts.iter().any(|post| post.service == self.step.service && accepts(post.status));
        if answered { Ok(()) } else { Err("Azure did not accept it".to_owned()) }
    }

    /// An old claim whose backup lies there.
    fn found(&self) -> Verdict {
        let blob = self.heard.blobs.get(&format!("{}.apimbackup", self.before.backup()));
        let free = self.looked(super::heard::Look::is_free);
        match self.is_own()
            && self.before.is_taken_over()
            && free
            && blob.is_some_and(|blob| blob.status == 200)
        {
            true => Ok(()),
            false => Err("no blob was seen, or the claim was not taken over".to_owned()),
        }
    }

    fn ended(&self, by_operation: bool) -> Verdict {
        if by_operation {
            let poll = self.heard.polls.get(&self.step.service);
            let said = poll.is_some_and(|poll| poll.status == 200);
            return if said { Ok(()) } else { Err(format!("the poll was answered {poll:?}")) };
        }
        let seen_to_run = self.before.of_phase("updatingSeen") == true;
        if text(self.after().of_phase("ended")) == "unseenAfterUpdating" && !seen_to_run {
            return Err("it was never seen Updating".to_owned());
        }
        let free_since = moment(self.before.of_phase("freeSince")).ok_or("it was not seen free before")?;
        let age = self.step.now() - free_since;
        match self.looked(super::heard::Look::is_free) && age >= UNSEEN_END {
            true => Ok(()),
            false => Err(format!(
                "it was seen free {age} ago, and now: {:?}",
                self.heard.looks.get(&self.step.service)
            )),
        }
    }

    /// The blob that the manifest names was seen, and seen to be good.
    fn proven(&self) -> Verdict {
        let blob = self.heard.blobs.get(&format!("{}.apimbackup", self.before.backup()));
        let blob = blob.filter(|blob| blob.status == 200).ok_or("its blob was not seen")?;
        let manifest: serde_json::Value = serde_json::from_str(text(self.after().of_phase("manifest")))
            .map_err(|error| error.to_string())?;
        let of_blob = &manifest["backup"];
        if blob.length == 0 || of_blob["length"] != blob.length || of_blob["etag"] != blob.etag.as_str() {
            return Err(format!("the blob was {blob:?}, the manifest says {of_blob}"));
        }
        if text(self.before.of_phase("proof")) == "operation" {
            return Ok(());
        }
        let first = self.before.of_phase("first");
        let at = moment(&first["at"]).ok_or("it was looked at once")?;
        let stable = first["etag"] == blob.etag.as_str() && first["length"] == blob.length;
        let modified = http_date(&blob.modified).ok_or("it has no date")?;
        let requested = moment(self.before.of_operation("storageAt")).ok_or("the request has no date")?;
        let newer = modified >= requested.replace_nanosecond(0).unwrap_or(requested);
        match self.step.now() - at >= UNSEEN_END && stable && newer && !blob.leased {
            true => Ok(()),
            false => Err(format!("it does not prove itself: {blob:?} after {first}")),
        }
    }

    /// A claim is undone by its owner alone.
    fn undone(&self) -> Verdict {
        match self.is_own() && !self.before.is_taken_over() {
            true => Ok(()),
            false => Err(format!("{}'s claim was undone", self.before.claimant())),
        }
    }

    /// Azure refused, or an old claim came to nothing.
    fn failed_at_once(&self) -> Verdict {
        if !self.is_own() {
            return Err(format!("{}'s claim was closed", self.before.claimant()));
        }
        if self.before.is_taken_over() {
            let free = self.looked(super::heard::Look::is_free);
            let blob = self.heard.blobs.get(&format!("{}.apimbackup", self.before.backup()));
            let nothing_came = self.before.kind() == "restore" || blob.is_some_and(|blob| blob.status == 404);
            return match (free, nothing_came) {
                (true, true) => Ok(()),
                (false, _) => Err("the service was not seen free".to_owned()),
                (true, false) => Err(format!("its backup was not seen to be missing: {blob:?}")),
            };
        }
        let service = self.step.service;
        let refused = self.heard.posts.iter().any(|post| post.service == service && refuses(post.status));
        match refused || self.heard.no_key {
            true => Ok(()),
            false => Err(format!("Azure did not refuse it: {:?}", self.heard.posts)),
        }
    }

    /// Azure said at the poll that it failed.
    fn failed(&self) -> Verdict {
        let poll = self.heard.polls.get(&self.step.service);
        let said = poll.is_some_and(|poll| {
            (400..500).contains(&poll.status) && !SAYS_NOTHING.contains(&poll.status) && !poll.code.is_empty()
        });
        if said { Ok(()) } else { Err(format!("the poll was answered {poll:?}")) }
    }

    /// What nobody saw ending is held only if it compares equal, or at its second time.
    fn is_held(&self) -> Verdict {
        let before = self.before;
        let holds = self.after().at("holds");
        let is_held = holds["what"] == "backup" && holds["backup"] == before.backup();
        let equal = holds["compared"]["result"] == "verified";
        let ends = before.at("unseenEnds");
        let second = ends["backup"] == before.backup() && ends["count"].as_u64() >= Some(1);
        let right = match text(before.of_phase("ended")) {
            "seen" => true,
            "unseenAfterUpdating" => equal || second,
            _ => false,
        };
        match is_held && !right {
            true => Err(format!(
                "it ended {}, and is said to be held: {}",
                before.of_phase("ended"),
                holds["compared"]
            )),
            false => Ok(()),
        }
    }

    /// What a restore may have left half done is not said to be known.
    fn is_owned_up_to(&self, failed: bool) -> Verdict {
        let holds = self.after().at("holds");
        let unknown = holds["what"] == "unknown" && holds["backup"] == self.before.backup();
        let is_restore = self.before.kind() == "restore";
        if failed && is_restore && !unknown {
            return Err(format!(
                "it failed, and the record says of what the service holds: {}",
                holds["what"]
            ));
        }
        let into_primary = self.step.service == self.step.call.deployed.primary;
        let wished = &self.after().at("restoreWish")["id"] == self.before.of_operation("wish");
        match is_restore && into_primary && wished {
            true => Err("a restore into the primary is tried again by itself".to_owned()),
            false => Ok(()),
        }
    }

    /// The blob was seen not to prove anything.
    fn unproven(&self) -> Verdict {
        let blob = self.heard.blobs.get(&format!("{}.apimbackup", self.before.backup()));
        let blob = blob.ok_or("its blob was not looked at")?;
        if matches!((blob.status, blob.length), (404, _) | (200, 0)) {
            return Ok(());
        }
        match text(self.before.of_phase("proof")) == "blob" && blob.status == 200 {
            true => Ok(()),
            false => Err(format!("its blob was {blob:?}")),
        }
    }

    /// The manifest lies there, or another in its place.
    fn committed(&self) -> Verdict {
        let name = self.before.backup();
        let stored = self.step.scene.blobs.peek(BACKUPS, &format!("{name}.manifest.json"));
        let ours = text(self.before.of_phase("manifest")).as_bytes();
        let known = self.after().known(name).is_some();
        if self.observer.is_strange(self.step.scene.now, &format!("{name}.manifest.json"), None) {
            if known && !self.observer.written.contains_key(name) {
                return Err("the record knows it, and no manifest of ours was ever written".to_owned());
            }
            return Ok(());
        }
        match stored {
            Some(stored) if stored.content == ours => {
                if known {
                    Ok(())
                } else {
                    Err("its manifest lies there and the record forgot it".to_owned())
                }
            }
            _ if known => Err("the record knows it, and its manifest does not lie there".to_owned()),
            _ => Ok(()),
        }
    }
}

/// What of the answers to a request means that something runs; a 409 does if the transport had to repeat it.
fn accepts(status: u16) -> bool {
    matches!(status, 200 | 202 | 409)
}

fn refuses(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 401 | 408 | 409 | 429)
}
