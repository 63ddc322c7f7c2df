//! What somebody does at the very moment when a call is at work: users are led elsewhere between a claim and its request,
//! the settings change while Azure answers, somebody wishes for something else between a look and its claim, or says
//! between that claim and its request what forbids it.

use std::sync::Arc;
use std::time::Duration as StdDuration;

use super::World;
use super::call::{Call, Said, Trigger};
use super::invoke::Caller;
use super::sent::{About, Answer, BACKUPS, Sent};
use crate::draws::Draws;
use crate::observer::is_restore_claimed;
use crate::plan::{Ambush, Blocked, Change, Choice, Route, SERVICES};

/// How long an answer is on its way while others act.
const MEANWHILE: StdDuration = StdDuration::from_secs(20);

impl World {
    /// A request was done. Says how long its answer takes.
    pub(super) fn ambush(
        self: &Arc<Self>,
        call: &Call,
        (sent, answer): (&Sent, &Answer),
    ) -> Option<StdDuration> {
        let target = self.walks_into_it(call, sent)?;
        let mut draws = Draws::of(&[self.plan.seed, 12, call.number.into()]);
        // What waits is looked at again and again.
        let chance = if self.plan.ambush == Ambush::Looked { 100 } else { 500 };
        if !answer.status.is_success() || self.is_calm() || !draws.chance(chance) {
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
            Ambush::Looked => {
                let trigger = self.wish_instead(&mut draws, target);
                self.act_meanwhile(call, trigger)
            }
            Ambush::Crossed => self.cross(&mut draws, call, target),
            Ambush::Posted => {
                self.change_settings(draws.pick(&[Change::Swap, Change::DryRun]));
                self.act_meanwhile(call, Trigger::Tick)
            }
        }
    }

    /// The service that a request is about, if it is what somebody lies in wait for.
    fn walks_into_it(&self, call: &Call, sent: &Sent) -> Option<usize> {
        match (self.plan.ambush, &sent.about) {
            // Whom somebody else's wish has called meets no other, or there would be no end of them.
            (Ambush::Looked, About::Service(service)) if call.trigger == Trigger::Tick => {
                Some(*service).filter(|service| self.is_wished(*service))
            }
            (Ambush::Claimed | Ambush::Crossed, about) if sent.writes() => {
                about.record().filter(|_| is_restore_claimed(&sent.body, &call.id))
            }
            (Ambush::Posted, About::Post(service, _)) => Some(*service),
            _ => None,
        }
    }

    /// Whether a service waits for a restore that has not begun.
    fn is_wished(&self, service: usize) -> bool {
        self.record(service)["operation"]["kind"] == "idle" && !self.wished(service).is_empty()
    }

    /// The name of the backup that a service waits for; empty if it waits for none.
    fn wished(&self, service: usize) -> String {
        self.record(service)["restoreWish"]["source"]["name"].as_str().unwrap_or_default().to_owned()
    }

    /// Whoever asks for another target meets nobody there yet: of two that claim at once, one has to see the other.
    fn this_or_another(&self, draws: &mut Draws, service: usize) -> usize {
        let mut others = self.state().deployed.secondaries.clone();
        others.retain(|other| *other != service);
        if others.is_empty() || draws.chance(500) { service } else { draws.pick(&others) }
    }

    /// Another backup, the same one with more emphasis or into another target, or nothing at all.
    fn wish_instead(&self, draws: &mut Draws, service: usize) -> Trigger {
        let any = Choice::Any(draws.below(u64::MAX));
        let blob = match draws.pick(&[any, any, Choice::Newest, Choice::Oldest]) {
            choice if draws.chance(600) => self.chosen(choice).1,
            _ => format!("{}.manifest.json", self.wished(service)),
        };
        let into = Some(self.this_or_another(draws, service));
        let said = Said::Restore { blob: blob.clone(), into, even_if_live: draws.chance(300) };
        match draws.below(5) {
            0 | 1 => Trigger::ByHand(BACKUPS.to_owned(), blob),
            2 | 3 => Trigger::Line(said),
            _ => Trigger::Line(Said::Withdraw(Some(service))),
        }
    }

    /// What a claim could not foresee.
    fn cross(self: &Arc<Self>, draws: &mut Draws, call: &Call, target: usize) -> Option<StdDuration> {
        let minutes = draws.pick(&[3, 12]);
        match draws.below(3) {
            0 => {
                let blocked = draws.pick(&[Blocked::Updating, Blocked::Activating]);
                self.note(|| format!("right then: {} is {blocked:?}", SERVICES[target].0));
                self.block(target, blocked, minutes);
                None
            }
            1 => self.act_meanwhile(call, Trigger::Timer("resume")),
            _ => {
                self.route(Route::ProfileOff, minutes);
                let blob = format!("{}.manifest.json", self.wished(target));
                let said = Said::Restore { blob, into: Some(target), even_if_live: true };
                self.act_meanwhile(call, Trigger::Line(said))
            }
        }
    }

    /// Another instance is called, and the answer is late enough for that to be done first.
    fn act_meanwhile(self: &Arc<Self>, call: &Call, trigger: Trigger) -> Option<StdDuration> {
        let instance = (call.instance + 1) % self.plan.setup.skews.len();
        self.note(|| format!("right then: {trigger}"));
        self.call_soon(Caller { step: call.step, instance }, trigger);
        Some(MEANWHILE)
    }
}

fn elsewhere(draws: &mut Draws) -> Route {
    let other = 1 + draws.index(SERVICES.len() - 1);
    draws.pick(&[Route::First(other), Route::First(other), Route::Beside(other), Route::NoneOnline])
}
