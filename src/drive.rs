//! The one loop: decide, save, perform, observe, until there is nothing more to do in this invocation.

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use crate::azure::{Azure, Memo, SaveTrouble, Scene};
use crate::clock::InvocationClock;
use crate::deployment::Deployment;
use crate::domain::decide::decide;
use crate::domain::decision::{Context, Decision, Measure, Situation};
use crate::domain::event::{Event, EventName};
use crate::domain::failover;
use crate::domain::id::{ServiceId, ServiceName};
use crate::domain::observation::{Action, Observation};
use crate::domain::record::{Record, path_of};
use crate::domain::retention;
use crate::domain::serving::Serving;
use crate::domain::standby::{self, Turn};
use crate::domain::vocabulary::{Etag, InvocationId, Timestamp};
use crate::log;

/// A service's steps in one invocation. A whole cycle that waits for nothing takes fewer than twenty.
const STEPS: usize = 48;

/// Races for one save that are lost in a row before the invocation gives up.
const RACES: usize = 8;

/// How often a save without an answer is tried again when Azure's answer to a POST hangs on it.
const TRIES_FOR_AN_ANSWER: usize = 3;

/// Drives services on behalf of one invocation.
pub struct Driver<'a> {
    pub azure: &'a Azure,
    pub deployment: &'a Deployment,
    pub invocation: InvocationId,
    pub clock: InvocationClock,
    /// What is known beside the settings and the records; it is kept up as the invocation learns.
    pub situation: Situation,
    /// Who served by the newest look at the profile.
    looked_up: Mutex<Option<Serving>>,
    told: Mutex<Vec<Told>>,
}

/// An event that was told, and which service it is about, if one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub service: Option<ServiceName>,
    pub event: Event,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(service) = &self.service {
            write!(f, "{service}: ")?;
        }
        write!(f, "{}: {}", self.event.name.as_str(), self.event.text)
    }
}

/// A record as it was loaded, or as it begins.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub record: Record,
    /// None: it was never stored.
    etag: Option<Etag>,
    /// The storage service's own time at that moment.
    storage_time: Timestamp,
}

impl Loaded {
    /// Whether it was ever stored.
    pub fn is_stored(&self) -> bool {
        self.etag.is_some()
    }
}

/// Why something could not be done in this invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The record belongs to another deployment: it is left alone, and reported.
    Foreign(String),
    /// Storage, a token, or the record itself: the invocation fails in the end.
    Fails(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(why) | Self::Fails(why) => f.write_str(why),
        }
    }
}

impl<'a> Driver<'a> {
    /// A driver for one invocation, which has not asked yet who serves.
    pub fn new(
        azure: &'a Azure,
        deployment: &'a Deployment,
        invocation: InvocationId,
        clock: InvocationClock,
    ) -> Self {
        let situation = Situation {
            serving: Serving::Unknown("nobody was asked yet".into()),
            backed_up: deployment.primary.name(),
            failed_over: None,
            resumed_at: None,
            blind_until: failover::blind_until(None, azure.reads_profile(), clock.now()),
            handed_over: false,
            measure: Measure::Unread,
        };
        let (looked_up, told) = (Mutex::default(), Mutex::default());
        Self { azure, deployment, invocation, clock, situation, looked_up, told }
    }

    /// Drives one service until it yields.
    pub async fn drive(&self, loaded: &mut Loaded) -> Result<(), Trouble> {
        match self.step(loaded, &OPERATION).await? {
            End::Rest => Ok(()),
            End::OutOfSteps => {
                let text = format!("the service did not come to rest in {STEPS} steps: please report this");
                Err(Trouble::Fails(text))
            }
        }
    }

    /// Reads on what one service holds; a later invocation goes on where this one ends.
    pub async fn read(&self, loaded: &mut Loaded, turn: Turn) -> Result<(), Trouble> {
        let matter = match turn {
            Turn::Backup | Turn::Verifying => &READING,
            Turn::After | Turn::Again => &AT_REST,
        };
        self.step(loaded, matter).await.map(drop)
    }

    /// Whether there is something to be read of a service, and how urgent that is.
    pub fn turn(&self, loaded: &Loaded) -> Option<Turn> {
        standby::turn(&self.context(loaded, true), &loaded.record, self.clock.now())
    }

    /// Lets what one service has kept for long enough go; a later invocation goes on where this one ends.
    pub async fn tidy(&self, loaded: &mut Loaded) -> Result<(), Trouble> {
        self.step(loaded, &RETENTION).await.map(drop)
    }

    async fn step(&self, loaded: &mut Loaded, matter: &Matter) -> Result<End, Trouble> {
        let (mut observation, memo) = (Observation::Resumed, Memo::default());
        for _ in 0..STEPS {
            let before = loaded.record.clone();
            let action = self
                .change_by(matter, loaded, tries_for(&observation), |context, record| {
                    let current = (matter.is_same)(record, &before) || is_answer(&observation);
                    let observation = if current { &observation } else { &Observation::Resumed };
                    Ok((matter.decide)(context, record, observation, self.clock.now()))
                })
                .await?;
            observation = match action {
                Action::Yield => return Ok(End::Rest),
                Action::Stop(why) => return Err(Trouble::Fails(why)),
                Action::Again => Observation::Resumed,
                _ if self.clock.is_late() => Observation::TooLate,
                action => self.perform(&loaded.record.service, &action, &memo).await,
            };
        }
        Ok(End::OutOfSteps)
    }

    async fn perform(&self, service: &ServiceId, action: &Action, memo: &Memo) -> Observation {
        // One target restores at a time, but a restore into the primary is a failback and waits for none.
        let others: Vec<_> = match *service == self.deployment.primary {
            true => Vec::new(),
            false => self.deployment.all().filter(|other| *other != service).cloned().collect(),
        };
        let scene = Scene { service, clock: &self.clock, others: &others, memo };
        let observation = self.azure.perform(&scene, action).await;
        if let Observation::Looked(looks) = &observation
            && let Some(serving) = &looks.serving
        {
            *held(&self.looked_up) = Some(serving.clone());
        }
        observation
    }

    /// Who served when a look last asked; each answer is handed out once.
    pub fn take_looked_up(&self) -> Option<Serving> {
        held(&self.looked_up).take()
    }

    /// Decides on the record and saves it; after a lost race, on the record that won. Events are told
    /// once the save stands, and the action is handed back.
    pub async fn change(
        &self,
        loaded: &mut Loaded,
        tries: usize,
        decide: impl FnMut(&Context, &Record) -> Result<Decision, String>,
    ) -> Result<Action, Trouble> {
        self.change_by(&OPERATION, loaded, tries, decide).await
    }

    async fn change_by(
        &self,
        matter: &Matter,
        loaded: &mut Loaded,
        tries: usize,
        mut decide: impl FnMut(&Context, &Record) -> Result<Decision, String>,
    ) -> Result<Action, Trouble> {
        let mut unanswered = 0;
        for _ in 0..RACES {
            let context = self.context(loaded, matter.may_read);
            let Decision { record, events, action } =
                decide(&context, &loaded.record).map_err(Trouble::Fails)?;
            match self.save(loaded, record).await {
                Ok(()) => {
                    let service = loaded.record.service.name();
                    events.iter().for_each(|event| self.tell(Some(&service), event));
                    return Ok(action);
                }
                Err(SaveTrouble::Lost) => {}
                Err(trouble) if unanswered + 1 >= tries => return Err(Trouble::Fails(trouble.to_string())),
                Err(_) => unanswered += 1,
            }
            match self.load(&loaded.record.service).await {
                Ok(fresh) => *loaded = fresh,
                Err(trouble) if unanswered + 1 >= tries => return Err(trouble),
                // Decided once more on the record as it was: saving finds out whether it still is.
                Err(_) => unanswered += 1,
            }
        }
        Err(Trouble::Fails(format!(
            "the record was written by others {RACES} times in a row; a later tick goes on"
        )))
    }

    async fn save(&self, loaded: &mut Loaded, record: Record) -> Result<(), SaveTrouble> {
        if record == loaded.record && loaded.etag.is_some() {
            return Ok(());
        }
        let record = Record { writer: self.invocation.clone(), ..record };
        let path = path_of(&record.service.name());
        let etag = self.azure.store().save(&path, record.bytes(), loaded.etag.as_ref()).await?;
        loaded.record = record;
        loaded.etag = Some(etag);
        Ok(())
    }

    /// Loads the record of a service that the settings name; one that was never driven begins now.
    pub async fn load(&self, service: &ServiceId) -> Result<Loaded, Trouble> {
        let name = service.name();
        let (loaded, storage_time) = self.fetch(&name).await?;
        let Some(loaded) = loaded else { return Ok(self.fresh(service, storage_time)) };
        if loaded.record.service != *service {
            return Err(Trouble::Foreign(format!(
                "the record {} belongs to {}, and the settings say {service}: it is left alone. If the service \
                 was moved, accept the new id with `apim-dr adopt`",
                path_of(&name),
                loaded.record.service
            )));
        }
        Ok(loaded)
    }

    fn fresh(&self, service: &ServiceId, storage_time: Timestamp) -> Loaded {
        let primary = self.deployment.primary.name();
        let record = Record::new(service.clone(), primary, self.invocation.clone(), self.clock.now());
        Loaded { record, etag: None, storage_time }
    }

    /// Loads a record by the service's name alone.
    pub async fn load_any(&self, name: &ServiceName) -> Result<Option<Loaded>, Trouble> {
        Ok(self.fetch(name).await?.0)
    }

    /// The stored record, if there is one, and the storage service's own time.
    async fn fetch(&self, name: &ServiceName) -> Result<(Option<Loaded>, Timestamp), Trouble> {
        let path = path_of(name);
        let stored =
            self.azure.store().load(&path).await.map_err(|trouble| Trouble::Fails(trouble.to_string()))?;
        let storage_time = stored.storage_time;
        let Some((bytes, etag)) = stored.document else { return Ok((None, storage_time)) };
        let record = Record::parse(&bytes)
            .map_err(|why| Trouble::Fails(format!("the record {path} is left alone: {why}")))?;
        Ok((Some(Loaded { record, etag: Some(etag), storage_time }), storage_time))
    }

    fn context(&self, loaded: &Loaded, may_read: bool) -> Context {
        let of_invocation = (&self.invocation, &self.situation);
        self.deployment.context(&loaded.record.service, of_invocation, (loaded.storage_time, may_read))
    }

    /// Writes one line of the log, and keeps it for a person who started the invocation by hand.
    pub fn tell(&self, service: Option<&ServiceName>, event: &Event) {
        let service = service.or(event.service.as_ref());
        log::event(&self.invocation, service, event);
        held(&self.told).push(Told { service: service.cloned(), event: event.clone() });
    }

    /// Reports trouble by the event that fits it.
    pub fn report(&self, service: Option<&ServiceName>, trouble: &Trouble) {
        let name = match trouble {
            Trouble::Foreign(_) => EventName::ConfigurationSuspect,
            Trouble::Fails(_) => EventName::ServiceNotDriven,
        };
        self.tell(service, &Event::new(name, trouble.to_string()));
    }

    /// What was told so far.
    pub fn into_told(self) -> Vec<Told> {
        self.told.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What a lock guards is whole even where somebody panicked: each change to it is one assignment.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What the loop decides by.
struct Matter {
    decide: fn(&Context, &Record, &Observation, Timestamp) -> Decision,
    /// Whether what was observed while the second record stood still says something of the first.
    is_same: fn(&Record, &Record) -> bool,
    /// Whether the time may be taken to read what a service holds.
    may_read: bool,
}

/// A service's operation, and what is to begin.
const OPERATION: Matter = Matter { decide, is_same: is_same_operation, may_read: false };

/// The same, in the pass that takes its time: an inventory before a backup, and what was restored.
const READING: Matter = Matter { may_read: true, ..OPERATION };

/// What is read of a service at rest: that stands apart from its operation, and is dropped by it.
const AT_REST: Matter = Matter { decide: standby::decide, is_same: is_same_aside, may_read: true };

/// What a service keeps: that stands apart from the operation it is in.
const RETENTION: Matter = Matter {
    decide: retention::decide,
    is_same: |record, before| record.retention == before.retention,
    may_read: false,
};

/// How the loop ended.
enum End {
    Rest,
    OutOfSteps,
}

/// What was observed of one operation says nothing of another, and one closed run's place in the history
/// nothing of the next one's. An answer to a POST names its claim instead.
fn is_same_operation(record: &Record, before: &Record) -> bool {
    record.operation == before.operation
        && record.unwritten_history.first() == before.unwritten_history.first()
}

fn is_same_aside(record: &Record, before: &Record) -> bool {
    record.aside == before.aside && record.operation == before.operation
}

fn is_answer(observation: &Observation) -> bool {
    matches!(observation, Observation::Answered { .. })
}

fn tries_for(observation: &Observation) -> usize {
    if is_answer(observation) { TRIES_FOR_AN_ANSWER } else { 1 }
}
