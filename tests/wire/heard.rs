//! The log once it is complete: a handler's lines come through a pipe, and the last ones of an invocation may
//! arrive a moment after its end.

use apim_dr_sim::host::{Invocation, Outcome};

use crate::log::Logged;
use crate::world::{World, pause};

/// How often the log is looked at before a line counts as lost; some ten seconds.
const LOOKS: usize = 4_000;

/// Every event of the log, once each invocation that has ended has said how.
pub(crate) async fn heard_all(world: &World) -> Vec<Logged> {
    for _ in 0..LOOKS {
        let (log, invocations) = (world.log(), world.host.invocations());
        let closes = |invocation: &Invocation| {
            let ends = log.iter().rev().filter(|logged| logged.event.starts_with("invocation."));
            ends.into_iter().any(|logged| logged.invocation == invocation.id)
        };
        let called = |invocation: &&Invocation| !matches!(invocation.outcome, Outcome::NotInvoked { .. });
        if invocations.iter().rev().filter(called).all(closes) {
            return log;
        }
        pause().await;
    }
    panic!("an invocation did not say how it ended")
}

/// The lines of one event.
pub(crate) async fn heard(world: &World, event: &str) -> Vec<Logged> {
    heard_all(world).await.into_iter().filter(|logged| logged.event == event).collect()
}

/// The one line of an event that was to come once.
pub(crate) async fn heard_once(world: &World, event: &str) -> Logged {
    let heard = heard(world, event).await;
    let [logged] = heard.as_slice() else { panic!("{event} came {} times: {heard:#?}", heard.len()) };
    logged.clone()
}
