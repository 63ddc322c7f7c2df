//! The handler's transport: every request meets the weather of its world, and is seen by the observer as it
//! leaves, as it is done, and as its answer is heard.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::{AsyncRawResponse, HttpClient, Request};

use super::World;
use super::call::Call;
use super::course;
use super::process::Life;
use super::sent::{About, Answer, Sent};
use super::trouble;
use crate::draws::Draws;
use crate::plan::{Kind, Outage};

/// One process's way out.
pub(crate) struct Wire {
    pub(super) world: Weak<World>,
    pub(super) life: Life,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("life", &self.life).finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for Wire {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let (Some(world), Some(call)) = (self.world.upgrade(), Call::current()) else {
            return Err(Error::with_message(ErrorKind::Connection, "this world is over"));
        };
        let sent = Arc::new(Sent::read(request, world.now()));
        let address = [world.plan.seed, 2, u64::from(call.step), u64::from(call.turn), call.next_request()];
        let exchange = Exchange { world, call, sent, life: self.life.clone(), draws: Draws::of(&address) };
        exchange.run().await
    }
}

/// One request and what becomes of it.
struct Exchange {
    world: Arc<World>,
    call: Arc<Call>,
    sent: Arc<Sent>,
    life: Life,
    draws: Draws,
}

impl Exchange {
    async fn run(mut self) -> azure_core::Result<AsyncRawResponse> {
        if self.sent.about == About::Elsewhere {
            self.world.observe(|observer, scene| observer.leaves(scene, &self.call, &self.sent));
            return self.refused();
        }
        if let Some(outage) = self.world.outage(&self.sent) {
            self.leave().await;
            return self.met(outage);
        }
        if self.world.is_denied(&self.sent) {
            self.leave().await;
            self.world.count("forbidden");
            return self.come_back(trouble::forbidden()).await;
        }
        let fault = self.world.fault(&mut self.draws, &self.call, &self.sent);
        if fault == Some(Kind::KilledBefore) {
            return self.die().await;
        }
        self.leave().await;
        match fault {
            Some(fault) => self.faulty(fault).await,
            None => {
                let answer = self.deliver().await;
                if let Some(longer) = self.world.ambush(&self.call, (&self.sent, &answer)) {
                    sleep(longer).await;
                }
                self.come_back(answer).await
            }
        }
    }

    /// An outage leaves nothing to chance but its face.
    fn met(&mut self, outage: Outage) -> azure_core::Result<AsyncRawResponse> {
        self.world.count("met an outage");
        self.note(match outage {
            Outage::Of(_) => "outage",
            Outage::Service(_) => "cannot be asked",
            Outage::Record(_) => "out of reach",
        });
        match self.draws.below(3) {
            0 => self.refused(),
            1 => Err(silence()),
            _ => Ok(self.hear(trouble::unavailable(&self.sent)).into_azure()),
        }
    }

    /// On its way: from here on it may arrive.
    async fn leave(&mut self) {
        self.world.observe(|observer, scene| observer.leaves(scene, &self.call, &self.sent));
        self.pause().await;
    }

    async fn pause(&mut self) {
        let longest = self.world.plan.setup.latency;
        sleep(Duration::from_millis(self.draws.between(1, longest).unsigned_abs())).await;
    }

    async fn come_back(&mut self, answer: Answer) -> azure_core::Result<AsyncRawResponse> {
        self.pause().await;
        Ok(self.hear(answer).into_azure())
    }

    /// The handler is told that the request never left.
    fn refused(&self) -> azure_core::Result<AsyncRawResponse> {
        self.world.observe(|observer, _| observer.refused(&self.call, &self.sent));
        Err(connection())
    }

    /// The handler gets this answer.
    fn hear(&self, answer: Answer) -> Answer {
        self.world.observe(|observer, _| observer.heard(&self.call, (&self.sent, &answer)));
        answer
    }

    async fn deliver(&mut self) -> Answer {
        let course = course::drawn(&mut self.draws, &self.world, &self.sent);
        deliver(&self.world, &self.call, &self.sent, course).await
    }

    async fn faulty(&mut self, fault: Kind) -> azure_core::Result<AsyncRawResponse> {
        self.world.count(fault.name());
        self.note(fault.name());
        match fault {
            Kind::Refused => self.refused(),
            Kind::SentAfterAll => {
                self.deliver().await;
                self.refused()
            }
            Kind::LostRequest => {
                sleep(Duration::from_secs(self.draws.below(35))).await;
                Err(silence())
            }
            Kind::LostReply => {
                self.deliver().await;
                self.pause().await;
                Err(silence())
            }
            Kind::Late => {
                self.deliver_later(31, 90);
                sleep(Duration::from_secs(120)).await;
                Err(silence())
            }
            Kind::Slow => {
                let answer = self.deliver().await;
                sleep(Duration::from_secs(5 + self.draws.below(85))).await;
                Ok(self.hear(answer).into_azure())
            }
            Kind::Error => {
                let answer = trouble::error(&mut self.draws, &self.sent);
                self.come_back(answer).await
            }
            Kind::DoneButError => {
                self.deliver().await;
                let answer = trouble::after_the_work(&mut self.draws, &self.sent);
                self.come_back(answer).await
            }
            Kind::Truncated => {
                let answer = self.deliver().await;
                let after = self.draws.index(answer.body.len() + 1);
                self.pause().await;
                self.heard_in_part(&answer);
                Ok(answer.into_truncated(after))
            }
            Kind::Garbled => {
                let answer = trouble::garbled(&mut self.draws);
                self.come_back(answer).await
            }
            Kind::KilledBefore => self.die().await,
            Kind::KilledDuring => {
                match self.draws.chance(500) {
                    true => self.deliver_later(0, 60),
                    false => drop(self.deliver().await),
                }
                self.die().await
            }
            Kind::KilledAfter => {
                let answer = self.deliver().await;
                self.pause().await;
                self.hear(answer);
                self.die().await
            }
        }
    }

    /// Status and headers of a write count although its body broke off; of a read nothing does.
    fn heard_in_part(&self, answer: &Answer) {
        if self.sent.writes() {
            self.hear(Answer { body: bytes::Bytes::new(), ..answer.clone() });
        }
    }

    /// It arrives although nobody waits for its answer any more.
    fn deliver_later(&mut self, least: i64, most: i64) {
        let after = Duration::from_secs(self.draws.between(least, most).unsigned_abs());
        let course = course::drawn(&mut self.draws, &self.world, &self.sent);
        let (world, call, sent) = (Arc::clone(&self.world), Arc::clone(&self.call), Arc::clone(&self.sent));
        tokio::spawn(async move {
            sleep(after).await;
            deliver(&world, &call, &sent, course).await;
        });
    }

    async fn die<T>(&self) -> T {
        self.world.note(|| format!("{} is killed with its process", self.call.tag()));
        self.life.end();
        std::future::pending().await
    }

    fn note(&self, what: &str) {
        self.world.note(|| format!("{} {}: {what}", self.call.tag(), self.sent.shown()));
    }
}

/// Hands a request to whoever answers it. What an accepted operation does is drawn beforehand.
async fn deliver(
    world: &Arc<World>,
    call: &Arc<Call>,
    sent: &Arc<Sent>,
    course: Option<apim_dr_sim::knobs::Fault>,
) -> Answer {
    world.settle().await;
    if let (About::Post(service, verb), Some(course)) = (&sent.about, course) {
        course::plan(world, (*service, *verb), course);
    }
    let answer = match sent.about {
        About::Receiver => Answer::new(200, ""),
        About::Blob { .. } | About::Container(_) => sent.through(world.storage.clone()).await,
        _ => sent.through(world.arm.clone()).await,
    };
    world.cloud.clear_faults();
    if sent.writes() && !matches!(sent.about, About::Tokens) {
        world.note(|| format!("{} {} -> {}", call.tag(), sent.shown(), answer.status.as_u16()));
    }
    world.observe(|observer, scene| observer.done(scene, call, (sent, &answer)));
    world.look_for_events(call, sent, &answer);
    answer
}

/// Lets time pass in a world, where it stands still by itself.
pub(crate) async fn sleep(how_long: Duration) {
    tokio::time::sleep(how_long).await;
}

fn connection() -> Error {
    Error::with_message(ErrorKind::Connection, "nobody listens there")
}

fn silence() -> Error {
    Error::with_message(ErrorKind::Io, "the connection was reset")
}
