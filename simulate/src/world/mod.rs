//! One world: a simulated Azure, a few instances of the real handler, and a plan of what happens to them.
//! Time is tokio's and stands still but for what is slept through, so days pass in milliseconds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration as StdDuration;

use apim_dr_sim::blobs::Blobs;
use apim_dr_sim::clock::Clock;
use apim_dr_sim::cloud::{Cloud, ServiceSpec, StorageAccount};
use apim_dr_sim::storage::Account;
use apim_dr_sim::tokens::{STORAGE_AUDIENCE, TokenTime};
use apim_dr_sim::traffic::ProfileSpec;
use time::{Duration, OffsetDateTime};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::draws::Draws;
use crate::lines;
use crate::observer::{Observer, Scene, Violation};
use crate::plan::{Kind, Outage, Plan, SERVICES};
use crate::secrets::{self, Marks};
use crate::tally::Tally;
use crate::transcript::Transcript;
use call::Call;
use deployed::{Deployed, Tenant};
use process::Process;

pub(crate) use invoke::End;
use sent::{ACCOUNT, ARM, About, STORAGE, Sent};

mod ambush;
pub(crate) mod call;
mod calm;
mod content;
mod course;
pub(crate) mod deployed;
mod events;
mod invoke;
mod line;
mod process;
pub(crate) mod sent;
mod step;
mod strangers;
mod traffic;
mod trouble;
mod wire;

/// What is left out of a plan, to find out what a violation needs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mask {
    /// These steps are not taken.
    pub(crate) dropped: Vec<u32>,
    /// Nothing goes wrong with the requests of these steps.
    pub(crate) quiet: Vec<u32>,
}

/// How a world ended.
pub(crate) struct Ended {
    pub(crate) violation: Option<Violation>,
    pub(crate) tally: Tally,
    pub(crate) transcript: Transcript,
}

/// A world that goes on.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) mask: Mask,
    pub(crate) tenant: Tenant,
    began: Instant,
    pub(crate) clock: Clock,
    pub(crate) cloud: Cloud,
    pub(crate) blobs: Blobs,
    ring: Ring,
    arm: axum::Router,
    storage: axum::Router,
    state: Mutex<State>,
    calm_begins: Notify,
    observer: Mutex<Observer>,
    tally: Mutex<Tally>,
    transcript: Mutex<Transcript>,
}

/// By which storage knows the cloud that knows storage. Opened at the end, or no world would ever be let go.
type Ring = Arc<Mutex<Option<Cloud>>>;

/// What changes in a world beside Azure.
struct State {
    deployed: Arc<Deployed>,
    processes: Vec<Option<Process>>,
    /// What cannot be reached, and until when.
    outages: Vec<(Outage, OffsetDateTime)>,
    /// Polls and looks of this service are forbidden until then.
    denials: Vec<(usize, OffsetDateTime)>,
    /// What this service holds may not be read until then.
    content_denials: Vec<(usize, OffsetDateTime)>,
    calm: bool,
    calls: u32,
    /// How many calls each step has made.
    turns: BTreeMap<u32, u32>,
    /// The manifests whose events the host has sent out, by their versions.
    delivered: Vec<String>,
    /// Services with an operation that never ends.
    stuck: Vec<usize>,
    /// Services whose record is spoilt.
    spoilt: Vec<usize>,
    /// Services of which the end of an operation was hidden.
    hidden: Vec<usize>,
}

/// Runs the world of a plan to its end, or to the first violation.
pub(crate) fn run(plan: Plan, mask: Mask, transcript: Transcript) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => panic!("a runtime cannot be built: {error}"),
    };
    lines::begin();
    let world = runtime.block_on(async move {
        let world = Arc::new(World::new(plan, mask, transcript));
        world.live().await;
        world
    });
    drop(runtime);
    world.end()
}

impl World {
    fn new(plan: Plan, mask: Mask, transcript: Transcript) -> Self {
        let setup = &plan.setup;
        let clock = Clock::manual(setup.start);
        let account =
            Account { name: ACCOUNT.to_owned(), key: secrets::account_key(), endpoint: STORAGE.to_owned() };
        let (cloud, blobs, ring) = azure(&plan, &clock, account);
        cloud.directory().set_time(TokenTime::Simulated);
        cloud.directory().set_lifetime(setup.token);
        let (backup, restore) = setup.lasts;
        cloud.set_durations(backup, restore);
        let application = cloud.directory().applications().remove(0);
        let tenant = Tenant {
            id: cloud.directory().tenant().to_owned(),
            client_id: application.principal.client_id.clone(),
            client_secret: application.secret.clone(),
            account_id: cloud.storage_account_id(ACCOUNT).unwrap_or_default(),
            profile_id: cloud.profile_id().unwrap_or_default(),
        };
        let token = cloud.directory().token(&application.principal, ARM);
        let marks = Marks::new(&application.secret, &token);
        let deployed = Arc::new(Deployed::first(setup));
        let processes = setup.skews.iter().map(|_| None).collect();
        let state = State {
            deployed,
            processes,
            outages: Vec::new(),
            denials: Vec::new(),
            content_denials: Vec::new(),
            calm: false,
            calls: 0,
            turns: BTreeMap::new(),
            delivered: Vec::new(),
            stuck: Vec::new(),
            spoilt: Vec::new(),
            hidden: Vec::new(),
        };
        Self {
            arm: cloud.router(),
            storage: blobs.router(),
            began: Instant::now(),
            calm_begins: Notify::new(),
            observer: Mutex::new(Observer::new(marks)),
            state: Mutex::new(state),
            tally: Mutex::default(),
            transcript: Mutex::new(transcript),
            plan,
            mask,
            tenant,
            ring,
            clock,
            cloud,
            blobs,
        }
    }

    /// The storm, then the calm.
    async fn live(self: &Arc<Self>) {
        let first = Arc::clone(&self.state().deployed);
        self.observe(|observer, scene| observer.deployed(scene, &first));
        self.storm_and_calm().await;
        let lived = self.now() - self.plan.setup.start;
        self.tally(|tally| tally.virtual_time += lived);
    }

    async fn storm_and_calm(self: &Arc<Self>) {
        for step in self.plan.steps.clone() {
            if self.mask.dropped.contains(&step.number) {
                continue;
            }
            self.sleep_until(step.at).await;
            self.take(&step).await;
            if self.is_violated() {
                return;
            }
        }
        self.calm_down().await;
    }

    fn end(&self) -> Ended {
        // A process holds on to its router, and that to much else.
        self.state().processes.clear();
        drop(lock(&self.ring).take());
        let mut tally = std::mem::take(&mut *lock(&self.tally));
        tally.seeds = 1;
        tally.operations += self.cloud.journal().operations().len() as u64;
        tally.checks.add(lock(&self.observer).checks());
        let violation = lock(&self.observer).violation().cloned();
        let transcript = std::mem::take(&mut *lock(&self.transcript));
        Ended { violation, tally, transcript }
    }

    /// The time of this world.
    pub(crate) fn now(&self) -> OffsetDateTime {
        self.plan.setup.start + self.began.elapsed()
    }

    async fn sleep_until(&self, at: Duration) {
        let left = at - (self.now() - self.plan.setup.start);
        wire::sleep(StdDuration::try_from(left).unwrap_or_default()).await;
    }

    /// Azure's clock follows; what has ended by now ends.
    async fn settle(&self) {
        let now = self.now();
        self.clock.set(now);
        self.cloud.settle().await;
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.state().calm
    }

    fn is_violated(&self) -> bool {
        lock(&self.observer).violation().is_some()
    }

    /// Lets the observer see something.
    pub(crate) fn observe(&self, see: impl FnOnce(&mut Observer, &Scene<'_>)) {
        let scene =
            Scene { now: self.now(), setup: &self.plan.setup, blobs: &self.blobs, cloud: &self.cloud };
        let mut observer = lock(&self.observer);
        let well = observer.violation().is_none();
        see(&mut observer, &scene);
        if let Some(violation) = observer.violation().filter(|_| well) {
            self.note(|| format!("VIOLATED {}: {}", violation.invariant.label(), violation.what));
        }
    }

    /// Counts something that went wrong on purpose.
    pub(crate) fn count(&self, fault: &'static str) {
        *lock(&self.tally).faults.entry(fault).or_default() += 1;
    }

    /// An operation on this service will not end until somebody frees it.
    pub(crate) fn stuck(&self, service: usize) {
        self.state().stuck.push(service);
    }

    /// Adds to what is counted.
    pub(crate) fn tally(&self, add: impl FnOnce(&mut Tally)) {
        add(&mut lock(&self.tally));
    }

    /// Notes a line for the transcript, if there is to be one.
    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        lock(&self.transcript).note(self.now() - self.plan.setup.start, line);
    }

    /// Takes up what the handler has logged since, and has it observed.
    pub(crate) fn take_lines(&self) {
        for line in lines::take() {
            self.observe(|observer, _| observer.logged(&line));
            self.note(|| line.shown());
        }
    }

    /// What the weather has for this request.
    fn fault(&self, draws: &mut Draws, call: &Call, sent: &Sent) -> Option<Kind> {
        self.tally(|tally| tally.requests += 1);
        let quiet = self.is_calm() || self.mask.quiet.contains(&call.step);
        let realm = sent.about.realm()?;
        let fault = self.plan.setup.weather.fault(draws, realm, sent.doing())?;
        // A poll that is answered 200 has ended, whatever the body says: nobody in between answers for Azure.
        let no_poll = fault == Kind::Garbled && matches!(sent.about, About::Poll(_));
        // A transport that lies about an operation that Azure took twice would be at fault itself.
        let lies = fault == Kind::SentAfterAll && !self.plan.setup.locks;
        (!quiet && !lies && !no_poll).then_some(fault)
    }

    /// The outage that this request meets.
    fn outage(&self, sent: &Sent) -> Option<Outage> {
        let now = self.now();
        let state = self.state();
        let met = |outage: &Outage| match outage {
            Outage::Of(realm) => sent.about.realm() == Some(*realm),
            Outage::Service(service) => sent.about.service() == Some(*service),
            Outage::Record(service) => sent.about.record() == Some(*service),
        };
        let current = state.outages.iter().filter(|(_, until)| *until > now);
        let mut current = current.map(|(outage, _)| *outage);
        current.find(met)
    }

    /// Whether the caller may not ask this.
    fn is_denied(&self, sent: &Sent) -> bool {
        let now = self.now();
        let state = self.state();
        let (service, denials) = match sent.about {
            About::Service(service) | About::Poll(service) => (service, &state.denials),
            About::Content(service) => (service, &state.content_denials),
            _ => return false,
        };
        denials.iter().any(|(denied, until)| *denied == service && *until > now)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The cloud and its storage account, all services with a little content.
fn azure(plan: &Plan, clock: &Clock, account: Account) -> (Cloud, Blobs, Ring) {
    // Storage asks the tenant whether a token is good, and the tenant is the cloud's: it is built first.
    let tenant: Arc<Mutex<Option<Cloud>>> = Arc::default();
    let asked = Arc::clone(&tenant);
    let check = move |token: &str| {
        let header = format!("Bearer {token}");
        let known = |cloud: &Cloud| cloud.directory().verify(Some(&header), &[STORAGE_AUDIENCE]).is_ok();
        lock(&asked).as_ref().is_some_and(known)
    };
    let blobs = Blobs::with(account.clone(), clock.clone(), Some(Arc::new(check)));
    let storage = StorageAccount::in_process(account, blobs.router());
    let profile = ProfileSpec::new("contoso");
    let profile = if plan.setup.regional { profile.regional() } else { profile };
    let builder = Cloud::builder(clock.clone()).arm_endpoint(ARM).seed(plan.seed).storage(storage);
    let builder = builder.traffic_manager(profile);
    let services = SERVICES.iter().enumerate().map(|(number, (name, location))| {
        ServiceSpec::new(name, location)
            .tier(plan.setup.tier, 1)
            .with_content(content::of(number, plan.setup.handmade))
    });
    let builder = services.fold(builder, apim_dr_sim::cloud::CloudBuilder::service);
    let cloud = if plan.setup.locks { builder } else { builder.without_lock() }.build();
    *lock(&tenant) = Some(cloud.clone());
    (cloud, blobs, tenant)
}

impl Sent {
    /// As a transcript shows it.
    pub(crate) fn shown(&self) -> String {
        let what = match &self.about {
            About::Tokens => "token".to_owned(),
            About::Service(service) => format!("look at {}", SERVICES[*service].0),
            About::Post(service, verb) => format!("{verb:?} of {}", SERVICES[*service].0),
            About::Poll(service) => format!("poll of {}", SERVICES[*service].0),
            About::Content(service) => format!("what {} holds", SERVICES[*service].0),
            About::Profile => "the profile".to_owned(),
            About::Arm => "another address of Resource Manager".to_owned(),
            About::Blob { container, blob } => format!("{container}/{blob}"),
            About::Container(container) => container.clone(),
            About::Receiver => "a receiver".to_owned(),
            About::Elsewhere => "a foreign address".to_owned(),
        };
        let phase = crate::observer::phase_of(&self.body);
        format!("{} {what}{phase}", self.method)
    }
}
