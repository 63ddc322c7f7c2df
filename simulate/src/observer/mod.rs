//! What must never happen, watched for from outside: the observer knows the requests that left, the answers
//! that came, what the simulated Azure did, and the bytes that lie in storage. It shares no type with the
//! handler and reads records as anybody would who knows only how they are documented.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use apim_dr_sim::blobs::Blobs;
use apim_dr_sim::cloud::Cloud;
use axum::http::Method;
use time::OffsetDateTime;

use crate::lines::Line;
use crate::plan::{SERVICES, Setup};
use crate::secrets::Marks;
use crate::world::End;
use crate::world::call::{Call, Trigger};
use crate::world::deployed::Deployed;
use crate::world::sent::{About, Answer, BACKUPS, STATE, Sent, Verb};

pub(crate) use calm::Wellness;
pub use invariant::{Checks, Invariant};
pub(crate) use record::{is_restore_claimed, phase_of};

use heard::Heard;
use record::Record;
use suspicion::Weighed;

mod backups;
mod calm;
mod compared;
mod heard;
mod invariant;
mod manifests;
mod phases;
mod posts;
mod record;
mod records;
mod restores;
mod retention;
mod secret;
mod suspicion;
mod traffic;
mod watch;
mod wishes;

/// What the observer may look at beside what it is shown.
pub(crate) struct Scene<'a> {
    pub(crate) now: OffsetDateTime,
    pub(crate) setup: &'a Setup,
    pub(crate) blobs: &'a Blobs,
    pub(crate) cloud: &'a Cloud,
}

/// Something that must never happen did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What does not hold.
    pub invariant: Invariant,
    /// How.
    pub what: String,
}

/// Whether something holds, and if not, why.
type Verdict = Result<(), String>;

/// A wish that a person brought.
#[derive(Clone, Debug)]
struct ByHand {
    /// The blob that was asked for.
    blob: String,
    /// The primary by the settings of then.
    primary: usize,
    at: OffsetDateTime,
    /// Even into a service that serves.
    even_if_live: bool,
}

/// A change that somebody made to what a service holds.
#[derive(Clone, Copy, Debug)]
struct Edit {
    service: usize,
    at: OffsetDateTime,
    /// The settings of then said who serves, so that nobody had to be asked.
    by_settings: bool,
    /// Nothing but taken away, so that nobody's work is lost where a restore goes over it.
    emptied: bool,
}

/// Watches one world.
pub(crate) struct Observer {
    marks: Marks,
    checks: Checks,
    violation: Option<Violation>,
    /// What every call under way has been told.
    heard: HashMap<u32, Heard>,
    /// The records as they stand.
    records: BTreeMap<String, Record>,
    /// Manifests that a record has held in its committing phase, by backup.
    committing: BTreeMap<String, Vec<u8>>,
    /// When the backups began whose manifests the handler has written.
    written: BTreeMap<String, OffsetDateTime>,
    /// When the backups began whose manifests a record holds and that are not written yet.
    begun: BTreeMap<String, OffsetDateTime>,
    /// What persons asked for, by the call that brought it.
    by_hand: HashMap<String, ByHand>,
    /// When a stranger last wrote a blob.
    strange: BTreeMap<(String, String), OffsetDateTime>,
    /// The tier of each service that was moved, and when it last was.
    tiers: BTreeMap<usize, (&'static str, OffsetDateTime)>,
    /// Every result URL that Azure has given out.
    locations: BTreeSet<String>,
    /// Every claim that a request was sent under: of which service, whose, since when.
    posted: BTreeSet<(usize, String, String)>,
    /// Every delete that was allowed, by blob and version: it may be sent again.
    deleting: BTreeSet<(String, String)>,
    /// Every backup that was asked for by name.
    names: BTreeMap<String, String>,
    /// Those of them that Azure turned down and did not make.
    turned_down: BTreeSet<String>,
    /// Services whose record somebody has spoilt.
    spoilt: BTreeSet<usize>,
    /// When a spoilt record was last put back.
    repaired: BTreeMap<usize, OffsetDateTime>,
    /// How the app has been deployed so far.
    deployments: Vec<Deployed>,
    /// When the settings last named another primary.
    roles_changed_at: Option<OffsetDateTime>,
    /// Every backup that a record has held the manifest of, and what it is fit for.
    weighed: BTreeMap<String, Weighed>,
    /// When calls were told who serves.
    reads: Vec<OffsetDateTime>,
    /// What somebody changed, in the order in which it happened.
    edits: Vec<Edit>,
    /// When a record last said what a restore has left on its service.
    settled: BTreeMap<usize, OffsetDateTime>,
    /// When a record last said that a failover has begun.
    latched_at: Option<OffsetDateTime>,
    /// Since when each latch was closed that any record has held.
    latches: BTreeSet<String>,
    /// The services that a record named as serving, and when it named others.
    served_before: Vec<(OffsetDateTime, [String; 2])>,
    /// When a record last dropped a blob that it had named to be deleted.
    dropped: BTreeMap<String, OffsetDateTime>,
    /// When a service was last pinned.
    pinned_at: BTreeMap<usize, OffsetDateTime>,
    /// When a record first said of a backup that it is accepted.
    accepted_at: BTreeMap<String, OffsetDateTime>,
    /// The backups whose request never left, by what the transport said.
    told_unsent: BTreeSet<String>,
    /// When a person last said `resume` and was heard.
    resumed_at: Option<OffsetDateTime>,
}

impl Observer {
    pub(crate) fn new(marks: Marks) -> Self {
        Self {
            marks,
            checks: Checks::default(),
            violation: None,
            heard: HashMap::new(),
            records: BTreeMap::new(),
            committing: BTreeMap::new(),
            written: BTreeMap::new(),
            begun: BTreeMap::new(),
            by_hand: HashMap::new(),
            strange: BTreeMap::new(),
            tiers: BTreeMap::new(),
            locations: BTreeSet::new(),
            posted: BTreeSet::new(),
            deleting: BTreeSet::new(),
            names: BTreeMap::new(),
            turned_down: BTreeSet::new(),
            spoilt: BTreeSet::new(),
            repaired: BTreeMap::new(),
            deployments: Vec::new(),
            roles_changed_at: None,
            weighed: BTreeMap::new(),
            reads: Vec::new(),
            edits: Vec::new(),
            settled: BTreeMap::new(),
            latched_at: None,
            latches: BTreeSet::new(),
            served_before: Vec::new(),
            dropped: BTreeMap::new(),
            pinned_at: BTreeMap::new(),
            accepted_at: BTreeMap::new(),
            told_unsent: BTreeSet::new(),
            resumed_at: None,
        }
    }

    /// The first thing that must not have happened.
    pub(crate) fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    pub(crate) fn checks(&self) -> &Checks {
        &self.checks
    }

    /// Counts a check, and keeps the first that does not hold.
    fn check(&mut self, invariant: Invariant, holds: bool, what: impl FnOnce() -> String) {
        self.checks.count(invariant);
        if !holds && self.violation.is_none() {
            self.violation = Some(Violation { invariant, what: what() });
        }
    }

    /// Counts a check that knows by itself why it does not hold; `who` says of what.
    fn judge(&mut self, invariant: Invariant, verdict: Verdict, who: impl FnOnce() -> String) {
        let why = verdict.as_ref().err().map(String::as_str).unwrap_or_default();
        self.check(invariant, verdict.is_ok(), || format!("{}: {why}", who()));
    }

    /// The host calls a function.
    pub(crate) fn called(&mut self, scene: &Scene<'_>, call: &Call) {
        let accepted = call.deployed.services().map(|service| (service, self.newest_accepted(service)));
        let heard = Heard::new(accepted.collect());
        self.heard.insert(call.number, heard);
        if let Some(blob) = call.trigger.asks_for() {
            let blob = blob.to_owned();
            let primary = call.deployed.primary;
            let even_if_live = call.trigger.insists();
            self.by_hand.insert(call.id.clone(), ByHand { blob, primary, at: scene.now, even_if_live });
        }
    }

    /// The app cannot even start with settings that are right.
    pub(crate) fn cannot_start(&mut self, _: &Scene<'_>, why: &str) {
        self.check(Invariant::Sound, false, || format!("the handler does not start: {why}"));
    }

    /// The host's limit has come over a call: it kills every other call in the process as well.
    pub(crate) fn outlived(&mut self, call: &Call) {
        self.check(Invariant::Sound, false, || format!("{} goes on beyond the host's limit", call.tag()));
    }

    /// A call has ended, or its process has.
    pub(crate) fn ended(&mut self, scene: &Scene<'_>, call: &Call, end: &End) {
        let Some(heard) = self.heard.get(&call.number).cloned() else { return };
        let text = match end {
            End::Succeeded(text) | End::Failed(_, text) => text.as_str(),
            End::Died => return,
        };
        self.searched(text.as_bytes(), || format!("the answer of {}", call.tag()));
        let defect = text.contains("panicked") || text.contains("please report");
        self.check(Invariant::Sound, !defect, || format!("{} ended with {text}", call.tag()));
        if let Trigger::Nonsense(_) = call.trigger {
            let refused = matches!(end, End::Failed(400..=499, _)) && heard.requests() == 0;
            self.check(Invariant::Unparsable, refused, || format!("{} took nonsense: {text}", call.tag()));
        }
        self.answer_is_kept(scene, call, &heard);
        if let End::Succeeded(_) = end {
            self.failover_is_kept(scene, call, &heard);
            self.wish_is_kept(call, &heard);
            self.updating_is_heeded(call, &heard);
        }
    }

    /// A request leaves the handler.
    pub(crate) fn leaves(&mut self, scene: &Scene<'_>, call: &Call, sent: &Sent) {
        match &sent.about {
            About::Elsewhere => self.goes_elsewhere(call, sent),
            About::Post(service, verb) => self.post_leaves(scene, call, (*service, *verb, sent)),
            About::Poll(_) => self.poll_leaves(call, sent),
            About::Receiver => self.receiver_is_told(call, sent),
            About::Blob { container, blob } if container == BACKUPS && sent.method == Method::DELETE => {
                self.delete_leaves(scene, call, (blob, sent));
            }
            _ => {}
        }
        if let Some(heard) = self.heard.get_mut(&call.number) {
            heard.leaves(sent);
        }
    }

    /// A request was done, whatever its sender hears of it.
    pub(crate) fn done(&mut self, scene: &Scene<'_>, call: &Call, (sent, answer): (&Sent, &Answer)) {
        if let Some(heard) = self.heard.get_mut(&call.number) {
            heard.done(sent);
        }
        let known = answer.status.as_u16() != 501;
        self.check(Invariant::Sound, known, || format!("{} asked for what Azure does not have", call.tag()));
        match &sent.about {
            About::Post(service, _) => self.post_is_done(scene, (*service, sent), answer),
            About::Blob { container, blob } if container == BACKUPS && sent.writes() => {
                self.backups_change(scene, call, (blob, sent, answer));
            }
            About::Blob { container, blob } if container == STATE && sent.writes() => {
                self.state_changes(scene, call, (blob, sent, answer));
            }
            _ => {}
        }
    }

    /// The handler hears an answer, be it what was done or what the weather made of it.
    pub(crate) fn heard(&mut self, call: &Call, (sent, answer): (&Sent, &Answer)) {
        if let Some(heard) = self.heard.get_mut(&call.number) {
            heard.hears(call, sent, answer);
            if sent.about == About::Profile && heard.profile.flatten().is_some_and(|(_, by)| by.is_some()) {
                self.is_watched(sent.at);
            }
        }
        self.post_is_heard(call, (sent, answer));
    }

    /// The transport told the handler that this request never left.
    pub(crate) fn refused(&mut self, call: &Call, sent: &Sent) {
        if let (About::Post(service, verb), Some(heard)) = (&sent.about, self.heard.get_mut(&call.number)) {
            heard.unsent.insert(*service);
            heard.repeated.insert(*service);
            if *verb == Verb::Backup {
                self.told_unsent.insert(sent.backup());
            }
        }
    }

    /// The handler has written a line of its log.
    pub(crate) fn logged(&mut self, line: &Line) {
        self.searched(line.message.as_bytes(), || format!("the log's {}: {}", line.event, line.message));
        self.searched(line.others.as_bytes(), || format!("the log's {}: {}", line.event, line.others));
        let defect = line.event == "handler.panicked" || line.message.contains("please report");
        self.check(Invariant::Sound, !defect, || line.message.clone());
        if let Some(heard) = line.call().and_then(|call| self.heard.get_mut(&call)) {
            heard.events.insert(line.event.clone());
        }
    }

    /// The settings have changed.
    pub(crate) fn deployed(&mut self, scene: &Scene<'_>, deployed: &Deployed) {
        if self.deployments.last().is_some_and(|last| last.primary != deployed.primary) {
            self.roles_changed_at = Some(scene.now);
        }
        self.deployments.push(deployed.clone());
    }

    pub(crate) fn moved_to_tier(&mut self, scene: &Scene<'_>, service: usize, tier: &'static str) {
        self.tiers.insert(service, (tier, scene.now));
    }

    pub(crate) fn spoilt(&mut self, _: &Scene<'_>, service: usize) {
        self.spoilt.insert(service);
    }

    pub(crate) fn repairs(&mut self, scene: &Scene<'_>, service: usize) {
        self.spoilt.remove(&service);
        self.repaired.insert(service, scene.now);
    }

    /// Whether a call may have found the service's record spoilt.
    fn found_spoilt(&self, call: &Call, service: usize) -> bool {
        self.spoilt.contains(&service) || self.repaired.get(&service).is_some_and(|at| *at >= call.began)
    }

    /// Somebody else writes or deletes a blob.
    pub(crate) fn stranger_writes(&mut self, scene: &Scene<'_>, container: &str, blob: &str) {
        self.strange.insert((container.to_owned(), blob.to_owned()), scene.now);
    }

    /// Whether a stranger has touched a blob of the backup container within the last `seconds`, or ever.
    fn is_strange(&self, now: OffsetDateTime, blob: &str, seconds: Option<i64>) -> bool {
        let touched = self.strange.get(&(BACKUPS.to_owned(), blob.to_owned()));
        touched.is_some_and(|at| seconds.is_none_or(|seconds| (now - *at).whole_seconds() <= seconds))
    }

    fn record(&self, service: usize) -> Option<&Record> {
        self.records.get(SERVICES[service].0)
    }

    /// When the newest backup began that the service's record accepts.
    fn newest_accepted(&self, service: usize) -> Option<OffsetDateTime> {
        self.record(service)?.accepted().map(|(_, started)| started).max()
    }
}
