//! The blob trigger of a world: events come late, twice, out of order, or never.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;

use super::World;
use super::call::{Call, Trigger};
use super::invoke::{Caller, End};
use super::sent::{Answer, BACKUPS, Sent};
use super::wire::sleep;
use crate::draws::Draws;

/// A delivery that fails is repeated at once, so often in all.
const DELIVERIES: usize = 5;

impl World {
    /// A manifest that was just written has its event, as far as the host does not lose it.
    pub(super) fn look_for_events(self: &Arc<Self>, call: &Call, sent: &Sent, answer: &Answer) {
        if sent.method != axum::http::Method::PUT || answer.status != StatusCode::CREATED {
            return;
        }
        let manifest = sent.about.blob_in(BACKUPS).filter(|blob| blob.ends_with(".manifest.json"));
        let Some(blob) = manifest else { return };
        self.send_events(call.step, blob);
    }

    /// Sends out the events of a blob that has appeared.
    pub(super) fn send_events(self: &Arc<Self>, step: u32, blob: &str) {
        let mut draws = self.event_draws(blob);
        let copies = match self.is_calm() {
            _ if self.plan.setup.deaf => 0,
            true => 1,
            false => draws.weighted(&[(6, 1), (2, 0), (1, 2), (1, 3)]),
        };
        if copies == 0 {
            self.count("event lost");
            self.note(|| format!("the event of {blob} gets lost"));
        }
        if copies > 1 {
            self.count("event repeated");
        }
        for _ in 0..copies {
            let after = delay(&mut draws, self.is_calm());
            if after > Duration::from_secs(60) {
                self.count("event late");
            }
            let instance = draws.index(self.plan.setup.skews.len());
            let (world, blob) = (Arc::clone(self), blob.to_owned());
            tokio::spawn(async move {
                sleep(after).await;
                world.deliver_event(Caller { step, instance }, &blob).await;
            });
        }
    }

    /// Calls the blob function until it succeeds, or until the host gives the event up.
    pub(super) async fn deliver_event(self: &Arc<Self>, caller: Caller, blob: &str) {
        for _ in 0..DELIVERIES {
            let trigger = Trigger::Event(BACKUPS.to_owned(), blob.to_owned());
            if let End::Succeeded(_) = self.call(caller, trigger).await {
                return;
            }
        }
        self.count("event given up");
    }

    fn event_draws(&self, blob: &str) -> Draws {
        let mut state = self.state();
        state.delivered.push(blob.to_owned());
        Draws::of(&[self.plan.seed, 4, state.delivered.len() as u64])
    }
}

fn delay(draws: &mut Draws, calm: bool) -> Duration {
    let seconds = match draws.below(if calm { 4 } else { 10 }) {
        0..7 => draws.between(0, 15),
        7 => draws.between(20, 240),
        8 => draws.between(600, 7_200),
        _ => draws.between(20_000, 200_000),
    };
    Duration::from_secs(seconds.unsigned_abs())
}
