//! The real handler in a process of its own: its own clients, its own tokens, and a life that can end at any
//! moment.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Poll;

use apim_dr::azure::Azure;
use apim_dr::clock::{InvocationClock, Stopwatch};
use apim_dr::config::Config;
use apim_dr::domain::vocabulary::Timestamp;
use apim_dr::handler;
use apim_dr::host::{self, Invocation, Work};
use futures::FutureExt as _;
use time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::World;
use super::call::Call;
use super::deployed::Deployed;
use super::wire::Wire;

/// Whether a process still lives. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Life(Arc<(AtomicBool, Notify)>);

impl Life {
    pub(crate) fn is_over(&self) -> bool {
        self.0.0.load(Ordering::Relaxed)
    }

    /// Ends it. What the process was doing is not heard of again.
    pub(crate) fn end(&self) {
        self.0.0.store(true, Ordering::Relaxed);
        self.0.1.notify_waiters();
    }

    /// The outcome of `work`, or `None` once the process has died.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let mut death = pin!(self.0.1.notified());
        poll_fn(|context| {
            // The order matters: nothing is done any more once the flag stands.
            let died = death.as_mut().poll(context).is_ready() || self.is_over();
            if died { Poll::Ready(None) } else { work.as_mut().poll(context).map(Some) }
        })
        .await
    }
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Life").field(&!self.is_over()).finish()
    }
}

/// A running handler.
pub(crate) struct Process {
    pub(crate) life: Life,
    pub(crate) deployed: Arc<Deployed>,
    pub(crate) router: axum::Router,
    calls: Calls,
}

/// The calls of a process, by their ids.
type Calls = Arc<Mutex<HashMap<String, Arc<Call>>>>;

impl Process {
    /// Starts the handler with the settings as they are deployed.
    pub(crate) fn start(world: &Arc<World>, deployed: Arc<Deployed>) -> Result<Self, String> {
        let lookup = |name: &str| deployed.setting(&world.plan.setup, &world.tenant, name);
        let config = Config::from_lookup(lookup).map_err(|problems| problems.to_string())?;
        let life = Life::default();
        let wire = Wire { world: Arc::downgrade(world), life: life.clone() };
        let azure = Azure::with_transport(&config, Arc::new(wire));
        let calls = Calls::default();
        let work = in_this_world(handler::work(&config, azure), (life.clone(), calls.clone(), world));
        Ok(Self { life, deployed, router: host::router(work), calls })
    }

    /// Lets the handler know its calls by their ids.
    pub(crate) fn expect(&self, call: &Arc<Call>) {
        lock(&self.calls).insert(call.id.clone(), Arc::clone(call));
    }
}

fn lock(calls: &Calls) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Call>>> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The handler's own work, but for two things: its stopwatch is this world's, and it ends with its process.
fn in_this_world(work: Work, (life, calls, world): (Life, Calls, &Arc<World>)) -> Work {
    let world: Weak<World> = Arc::downgrade(world);
    Arc::new(move |invocation| {
        let (work, life, world) = (Arc::clone(&work), life.clone(), world.clone());
        let call = lock(&calls).get(invocation.id.as_str()).cloned();
        async move {
            let Some(call) = call else { return Err("this call is not known".to_owned()) };
            let clock = InvocationClock::new(Timestamp::new(call.utc_now()), stopwatch());
            let done = Arc::clone(&call).scope(work(Invocation { clock, ..invocation }));
            let done = life.during(done).await;
            if let Some(world) = world.upgrade() {
                world.take_lines();
            }
            done.unwrap_or_else(|| Err("the process was killed".to_owned()))
        }
        .boxed()
    })
}

/// Shows the time that passes in this world.
pub(super) fn stopwatch() -> Stopwatch {
    let started = Instant::now();
    Arc::new(move || Duration::try_from(started.elapsed()).unwrap_or(Duration::MAX))
}
