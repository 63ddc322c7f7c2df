//! The Functions host of a world: it starts processes, calls functions, and kills what takes too long.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration as StdDuration;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use time::Duration;
use tower_service::Service as _;

use super::World;
use super::call::{Call, Trigger};
use super::process::{Life, Process};
use crate::draws::Draws;

/// `functionTimeout`, and the host's grace: then the process is killed with every other call in it.
const TIMEOUT: StdDuration = StdDuration::from_secs(302);

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// 2xx; the lines of `Logs` are in the text.
    Succeeded(String),
    /// Another status, and the answer's text.
    Failed(u16, String),
    /// The process died first.
    Died,
}

/// Who calls what: a step of the plan, and the instance that is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) step: u32,
    pub(crate) instance: usize,
}

impl World {
    /// Calls a function, and does not wait for it.
    pub(crate) fn call_soon(self: &Arc<Self>, caller: Caller, trigger: Trigger) {
        let world = Arc::clone(self);
        tokio::spawn(async move {
            world.call(caller, trigger).await;
        });
    }

    /// Calls a function and comes back with its end.
    pub(crate) async fn call(self: &Arc<Self>, caller: Caller, trigger: Trigger) -> End {
        let prepared = self.prepare(caller, trigger);
        let (call, life, mut router) = match prepared {
            Ok(prepared) => prepared,
            Err(why) => {
                self.observe(|observer, scene| observer.cannot_start(scene, &why));
                return End::Died;
            }
        };
        self.note(|| {
            format!("{} begins: {} (clock {:+} s)", call.tag(), call.trigger, call.skew.whole_seconds())
        });
        self.tally(|tally| tally.calls += 1);
        self.observe(|observer, scene| observer.called(scene, &call));
        let signed = Draws::of(&[self.plan.seed, 3, call.number.into()]).chance(300);
        let end = match &call.trigger {
            Trigger::Line(said) => self.run_line(&call, said).await,
            _ => self.run_function(&call, (call.request(signed), &life, &mut router)).await,
        };
        self.take_lines();
        self.note(|| format!("{} ends: {}", call.tag(), end.shown()));
        self.observe(|observer, scene| observer.ended(scene, &call, &end));
        end
    }

    async fn run_function(
        &self,
        call: &Call,
        (request, life, router): (Request<Body>, &Life, &mut axum::Router),
    ) -> End {
        let answered = async {
            let Ok(response) = router.call(request).await;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            (head.status, String::from_utf8_lossy(&body).into_owned())
        };
        let answered = tokio::time::timeout(TIMEOUT, life.during(answered)).await;
        match answered {
            Ok(Some((status, text))) if status.is_success() => End::Succeeded(text),
            Ok(Some((status, text))) => End::Failed(status.as_u16(), text),
            Ok(None) => End::Died,
            Err(_) => {
                self.observe(|observer, _| observer.outlived(call));
                life.end();
                End::Died
            }
        }
    }

    fn prepare(
        self: &Arc<Self>,
        caller: Caller,
        trigger: Trigger,
    ) -> Result<(Arc<Call>, Life, axum::Router), String> {
        let mut state = self.state();
        let deployed = Arc::clone(&state.deployed);
        // The command line takes its time from storage.
        let by_line = matches!(trigger, Trigger::Line(_));
        let skew = if by_line { 0 } else { self.plan.setup.skews[caller.instance] };
        let skew = Duration::seconds(skew);
        let slot = &state.processes[caller.instance];
        let usable =
            |process: &Process| !process.life.is_over() && process.deployed.version == deployed.version;
        if !slot.as_ref().is_some_and(usable) {
            // A process with older settings is given up; what it is doing it does to its end.
            state.processes[caller.instance] = Some(Process::start(self, Arc::clone(&deployed))?);
        }
        state.calls += 1;
        let number = state.calls;
        let turn = state.turns.entry(caller.step).or_default();
        *turn += 1;
        let turn = *turn;
        let process = state.processes[caller.instance].as_ref().ok_or("there is no process")?;
        let call = Arc::new(Call {
            number,
            id: Call::id_of(number),
            step: caller.step,
            turn,
            instance: caller.instance,
            trigger,
            deployed,
            began: self.now(),
            skew,
            requests: AtomicU64::new(0),
        });
        process.expect(&call);
        Ok((call, process.life.clone(), process.router.clone()))
    }

    /// Ends the process of an instance, as crashes and the host do.
    pub(crate) fn kill(&self, instance: usize) {
        if let Some(process) = self.state().processes[instance].take() {
            self.note(|| format!("the process of instance {instance} is killed"));
            process.life.end();
        }
    }
}

impl End {
    fn shown(&self) -> String {
        match self {
            Self::Succeeded(text) => text.chars().take(100).collect(),
            Self::Failed(status, text) => format!("{status} {text}"),
            Self::Died => "it died".to_owned(),
        }
    }
}
