//! A request to back up or restore, as it leaves and as Azure takes it.

use apim_dr_sim::journal::{Operation, OperationKind};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::heard::{Heard, Look};
use super::record::{Record, moment, text};
use super::{Invariant, Observer, Scene, Verdict};
use crate::plan::SERVICES;
use crate::world::call::Call;
use crate::world::sent::{ACCOUNT, About, Answer, BACKUPS, Sent, Verb};

/// The last moment of an invocation at which a request may leave.
const LAST_MOMENT: Duration = Duration::seconds(120);

/// Looks older than this allow nothing.
const OLDEST_LOOK: Duration = Duration::seconds(30);

/// How often Azure took a backup of that name.
pub(super) fn taken(scene: &Scene<'_>, name: &str) -> usize {
    let operations = scene.cloud.journal().operations();
    let of_name = |operation: &&Operation| {
        operation.kind == OperationKind::Backup && operation.backup.trim_end_matches(".apimbackup") == name
    };
    operations.iter().filter(of_name).count()
}

/// Whether Azure had taken what restores a service when its record was read. Of two that claim at once, one sees the other's
/// claim: both are never past their looks.
fn is_taken(scene: &Scene<'_>, service: usize, read: Option<OffsetDateTime>) -> bool {
    let operations = scene.cloud.journal().operations();
    operations.iter().any(|operation| {
        operation.kind == OperationKind::Restore
            && operation.service == SERVICES[service].0
            && operation.ended.is_none()
            && read.is_some_and(|read| operation.started < read)
    })
}

impl Observer {
    pub(super) fn post_leaves(
        &mut self,
        scene: &Scene<'_>,
        call: &Call,
        (service, verb, sent): (usize, Verb, &Sent),
    ) {
        let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
        let blob = text(&body["backupName"]).to_owned();
        let name = blob.strip_suffix(".apimbackup").unwrap_or_default().to_owned();
        let tag = format!("{} asks for a {verb:?} of {}, {name}", call.tag(), SERVICES[service].0);
        let place = body["storageAccount"] == ACCOUNT && body["containerName"] == BACKUPS;
        let record = self.record(service).cloned();
        let named = record.as_ref().is_some_and(|record| is_named(record, (verb, &name), call));
        self.check(Invariant::SavedFirst, place && named, || {
            format!("{tag}, but the saved record does not name that under this call's claim")
        });
        self.check(Invariant::DryRun, !call.deployed.dry_run, || format!("{tag} in a dry run"));
        let configured = call.deployed.services().any(|known| known == service);
        self.check(Invariant::Looks, configured, || {
            format!("{tag}, a service that the settings do not name")
        });
        self.posts_once(scene, call, (service, verb, &name), &tag);
        let Some(record) = record else { return };
        self.looks_allow(scene, call, (service, verb, &record), &tag);
        match verb {
            Verb::Backup => {}
            Verb::Restore => {
                self.others_wait(scene, call, (service, &tag));
                self.traffic_allows(call, (service, &record), (scene.now, &tag));
                self.may_restore(scene, call, (service, &record), &tag);
            }
        }
    }

    fn posts_once(
        &mut self,
        scene: &Scene<'_>,
        call: &Call,
        (service, verb, name): (usize, Verb, &str),
        tag: &str,
    ) {
        // A 401 did nothing either: it is asked once more with another token.
        let unsent = self.heard.get_mut(&call.number).is_some_and(|heard| {
            let unauthorized =
                heard.posts.last().is_some_and(|post| post.service == service && post.status == 401);
            heard.unsent.remove(&service) || unauthorized
        });
        let claimed = self.record(service).map(|record| text(record.of_phase("at")).to_owned());
        let fresh = self.posted.insert((service, call.id.clone(), claimed.unwrap_or_default()));
        self.check(Invariant::PostedOnce, fresh || unsent, || format!("{tag} a second time"));
        if verb == Verb::Backup {
            let before = self.names.insert(name.to_owned(), call.id.clone());
            // Azure turned it down and nothing had been sent twice: the name was never used.
            let unused = self.turned_down.remove(name);
            let alone = before.is_none_or(|before| before == call.id || unused || taken(scene, name) == 0);
            self.check(Invariant::PostedOnce, alone, || format!("{tag}, as another call did before"));
        }
    }

    fn looks_allow(
        &mut self,
        scene: &Scene<'_>,
        call: &Call,
        (service, verb, record): (usize, Verb, &Record),
        tag: &str,
    ) {
        let Some(heard) = self.heard.get(&call.number) else { return };
        let verdict = Grounds { scene, call, heard, record }.check(service, verb);
        self.judge(Invariant::Looks, verdict, || tag.to_owned());
    }

    /// A restore into a secondary waits for those into the others.
    fn others_wait(&mut self, scene: &Scene<'_>, call: &Call, (service, tag): (usize, &str)) {
        if service == call.deployed.primary {
            return;
        }
        let others: Vec<usize> = call.deployed.services().filter(|other| *other != service).collect();
        for other in others {
            let Some(heard) = self.heard.get(&call.number) else { return };
            let saved = heard.saved.get(&service).copied();
            let read = heard.records.get(&other).copied();
            let seen = read.is_some_and(|asked| saved.is_some_and(|saved| asked >= saved))
                && heard.could_read(other);
            self.check(Invariant::OneTarget, seen, || {
                format!("{tag} without having read the record of {} since its claim", SERVICES[other].0)
            });
            let runs = self.record(other).is_some_and(|record| {
                let is_past_looks = record.phase() == "running" || is_taken(scene, other, read);
                record.kind() == "restore" && is_past_looks && record.holds_up_others(scene.now + call.skew)
            });
            self.check(Invariant::OneTarget, !runs, || format!("{tag} while {} restores", SERVICES[other].0));
        }
    }

    pub(super) fn post_is_done(
        &mut self,
        scene: &Scene<'_>,
        (service, sent): (usize, &Sent),
        answer: &Answer,
    ) {
        if answer.status.as_u16() != 202 {
            return;
        }
        let blob = sent.backup();
        let times = taken(scene, blob.trim_end_matches(".apimbackup"));
        // A transport that says that a request never left has it repeated, and one of the two may come late. Where Azure
        // takes two operations at once, none says so in error.
        let lied = scene.setup.locks && self.told_unsent.contains(&blob);
        self.check(Invariant::PostedOnce, times <= 1 || lied, || {
            format!("Azure took a backup of {blob} {times} times")
        });
        let location = answer.header("location");
        if !location.is_empty() {
            self.locations.insert(location.to_owned());
        }
        let (name, _) = SERVICES[service];
        let operations = scene.cloud.journal().operations();
        let running =
            operations.iter().filter(|operation| operation.service == name && operation.ended.is_none());
        let running = running.count();
        self.check(Invariant::OneAtOnce, running <= 1, || {
            format!("{running} operations run on {name} at once")
        });
    }

    /// A backup that Azure turned down, asked once, does not exist.
    pub(super) fn post_is_heard(&mut self, call: &Call, (sent, answer): (&Sent, &Answer)) {
        let About::Post(service, Verb::Backup) = sent.about else { return };
        let repeated = self.heard.get(&call.number).is_some_and(|heard| heard.repeated.contains(&service));
        if turns_down(answer.status.as_u16()) && !repeated {
            let name = sent.backup().strip_suffix(".apimbackup").unwrap_or_default().to_owned();
            self.turned_down.insert(name);
        }
    }

    /// An operation's URL is used word for word, and no other is asked.
    pub(super) fn poll_leaves(&mut self, call: &Call, sent: &Sent) {
        let known = self.locations.contains(&sent.url);
        self.check(Invariant::Answers, known, || {
            format!("{} polls an address that Azure never gave out: {}", call.tag(), sent.url)
        });
    }

    /// At its end, a call that heard Azure accept something has saved that.
    pub(super) fn answer_is_kept(&mut self, _: &Scene<'_>, call: &Call, heard: &Heard) {
        for post in &heard.posts {
            if !heard.storage_was_well() || self.found_spoilt(call, post.service) {
                continue;
            }
            let Some(record) = self.record(post.service) else { continue };
            let open = record.claimant() == call.id && !record.is_taken_over();
            let kept = !open || matches!(post.status, 408 | 500..=502 | 504..=599);
            let (status, name) = (post.status, SERVICES[post.service].0);
            self.check(Invariant::Answers, kept, || {
                format!("{} heard {status} for {name} and its claim still stands open", call.tag())
            });
        }
    }
}

/// Nothing was done, by what is answered; a 408 says nothing of that.
fn turns_down(status: u16) -> bool {
    matches!(status, 400..=407 | 409..=499 | 503)
}

fn is_named(record: &Record, (verb, name): (Verb, &str), call: &Call) -> bool {
    let kind = match verb {
        Verb::Backup => "backup",
        Verb::Restore => "restore",
    };
    let claimed = record.claimant() == call.id && !record.is_taken_over();
    record.kind() == kind && record.backup() == name && !name.is_empty() && claimed
}

/// What a call has to go on when it sends a request.
struct Grounds<'a> {
    scene: &'a Scene<'a>,
    call: &'a Call,
    heard: &'a Heard,
    record: &'a Record,
}

impl Grounds<'_> {
    fn check(&self, service: usize, verb: Verb) -> Verdict {
        if self.scene.now - self.call.began > LAST_MOMENT {
            return Err("too late in its invocation".to_owned());
        }
        let saved = self.heard.saved.get(&service).copied().ok_or("the claim was not saved by this call")?;
        let look = self.heard.looks.get(&service).ok_or("the service was never seen")?;
        self.is_current(look.asked, saved, "the service")?;
        if !look.is_free() {
            return Err(format!("the service was seen {}", look.state));
        }
        let blob = self.heard.blobs.get(&format!("{}.apimbackup", self.record.backup()));
        let blob = blob.ok_or("the backup's blob was not looked at")?;
        self.is_current(blob.asked, saved, "the blob")?;
        match verb {
            Verb::Backup if blob.status == 404 => Ok(()),
            Verb::Backup => Err(format!("its name was not found free: {}", blob.status)),
            Verb::Restore => self.fits(look, (blob.status, &blob.etag, blob.length)),
        }
    }

    fn is_current(&self, asked: OffsetDateTime, saved: OffsetDateTime, what: &str) -> Verdict {
        if asked < saved {
            return Err(format!("{what} was not looked at after the claim was saved"));
        }
        match self.scene.now - asked > OLDEST_LOOK {
            true => Err(format!("{what} was looked at {} ago", self.scene.now - asked)),
            false => Ok(()),
        }
    }

    fn fits(&self, look: &Look, (status, etag, length): (u16, &str, u64)) -> Verdict {
        let source = self.record.of_operation("source");
        if status != 200 || source["etag"] != etag || source["length"] != length {
            return Err(format!("the blob was answered {status} with ETag {etag} and {length} bytes"));
        }
        if !source["tier"].as_str().is_some_and(|tier| tier.eq_ignore_ascii_case(&look.tier)) {
            return Err(format!(
                "the service was seen in tier {}, the backup is of {}",
                look.tier, source["tier"]
            ));
        }
        let now = self.call.utc_now() + (self.scene.now - self.call.began);
        match moment(&source["expiresAt"]) {
            Some(expires) if now < expires + OLDEST_LOOK => Ok(()),
            _ => Err(format!("the backup expired at {}", source["expiresAt"])),
        }
    }
}
