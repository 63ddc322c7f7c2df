//! What somebody does at the very moment when a call is at work: users are led elsewhere between a claim and its request,
//! or the settings change while Azure answers.

use std::sync::Arc;
use std::time::Duration as StdDuration;

use super::World;
use super::call::{Call, Trigger};
use super::invoke::Caller;
use super::sent::{About, Answer, Sent};
use crate::draws::Draws;
use crate::observer::is_restore_claimed;
use crate::plan::{Ambush, Change, Route, SERVICES};

/// How long an answer is on its way while others act.
const MEANWHILE: StdDuration = StdDuration::from_secs(20);

impl World {
    /// A request was done. Says how long its answer takes.
    pub(super) fn ambush(
        self: &Arc<Self>,
        call: &Call,
        (sent, answer): (&Sent, &Answer),
    ) -> Option<StdDuration> {
        let is_it = match self.plan.ambush {
            Ambush::Nobody => false,
            Ambush::Claimed => {
                sent.writes() && sent.about.record().is_some() && is_restore_claimed(&sent.body, &call.id)
            }
            Ambush::Posted => matches!(sent.about, About::Post(..)),
        };
        let mut draws = Draws::of(&[self.plan.seed, 12, call.number.into()]);
        if !is_it || !answer.status.is_success() || self.is_calm() || !draws.chance(500) {
            return None;
        }
        match self.plan.ambush {
            Ambush::Nobody => None,
            Ambush::Claimed => {
                let route = elsewhere(&mut draws);
                self.note(|| format!("right then: {route:?}"));
                self.route(route, draws.pick(&[3, 12]));
                None
            }
            Ambush::Posted => {
                self.change_settings(draws.pick(&[Change::Swap, Change::DryRun]));
                let instance = (call.instance + 1) % self.plan.setup.skews.len();
                self.call_soon(Caller { step: call.step, instance }, Trigger::Tick);
                Some(MEANWHILE)
            }
        }
    }
}

fn elsewhere(draws: &mut Draws) -> Route {
    let other = 1 + draws.index(SERVICES.len() - 1);
    draws.pick(&[Route::First(other), Route::First(other), Route::Beside(other), Route::NoneOnline])
}
