//! From the end of a restore to what the service holds.

use super::Step;
use crate::domain::comparison::{self, Judged};
use crate::domain::decision::Decision;
use crate::domain::event::{Event, EventName};
use crate::domain::observation::{Action, Against, Observation};
use crate::domain::record::{
    Compared, Comparing, Held, Holds, InventoryPlace, RestoreEnd, RestorePhase, RunOutcome, UnseenEnds,
};
use crate::domain::vocabulary::{Digest, Timestamp};
use crate::domain::{gate, reading, standby};

impl Step<'_> {
    pub(super) fn verify(mut self, ended: RestoreEnd) -> Decision {
        let text = match ended {
            RestoreEnd::Seen => "Azure says that the restore ended; what the service holds is looked at",
            _ => "the restore ended and nobody saw how; what the service holds has to show it",
        };
        self.run.phase = RestorePhase::Verifying { since: self.now, ended, comparing: Box::default() };
        self.go_on(Action::Again).telling_of(&self.run.source.name, EventName::RestoreEnded, text)
    }

    pub(super) fn verifying(
        mut self,
        (since, ended): (Timestamp, RestoreEnd),
        mut comparing: Box<Comparing>,
        observation: &Observation,
    ) -> Decision {
        if ended == RestoreEnd::Unseen {
            return self.fail_unknown(
                "it ended and Azure no longer says how; the service was never seen Updating after the request".into(),
                None,
            );
        }
        let against = Against { backup: self.run.source.name.clone(), inventory: self.baseline() };
        let step = comparing.follow(since, (self.context, &self.record), (observation, self.now));
        let (unprotected, given_up) = match step {
            reading::Step::Done(unprotected) => (Some(unprotected), None),
            reading::Step::GivenUp(why) => (None, Some(why)),
            reading::Step::ReadOn => {
                let next = comparing.next(against);
                return self.read_on((since, ended), comparing, next);
            }
            reading::Step::Stop(why) => return self.read_on((since, ended), comparing, Action::Stop(why)),
            reading::Step::Wait(why) => {
                let decision = self.read_on((since, ended), comparing, Action::Yield);
                return decision.telling_all(comparison::interrupted(&self.run.source.name, why));
            }
        };
        let judged = comparison::judge(*comparing, (unprotected, given_up), self.now);
        self.conclude(ended, judged)
    }

    fn read_on(
        &mut self,
        (since, ended): (Timestamp, RestoreEnd),
        comparing: Box<Comparing>,
        action: Action,
    ) -> Decision {
        self.run.phase = RestorePhase::Verifying { since, ended, comparing };
        self.go_on(action)
    }

    fn baseline(&self) -> Option<InventoryPlace> {
        let source = &self.run.source;
        let inventory = source.inventory.clone()?;
        Some(InventoryPlace { container: source.container.clone(), inventory })
    }

    /// Azure's 200 counts as held however it compares. An end that nobody saw counts if the service compares equal, or
    /// at its second time.
    fn conclude(mut self, ended: RestoreEnd, mut judged: Judged) -> Decision {
        let earlier = self.unseen_ends_before();
        if ended == RestoreEnd::Seen || judged.compared == Compared::Verified {
            return self.hold(judged);
        }
        let how = judged.in_words();
        if earlier >= 1 {
            judged.compared = match judged.compared {
                Compared::Unverified { why } => Compared::Unverified {
                    why: format!("it ended unseen twice after the service had been Updating, and {why}"),
                },
                compared => compared,
            };
            return self.hold(judged);
        }
        let backup = self.run.source.name.clone();
        self.record.unseen_ends = Some(UnseenEnds { backup, count: earlier + 1 });
        self.fail_unknown(format!("it ended and Azure no longer says how; {how}"), Some(judged))
    }

    fn unseen_ends_before(&self) -> u32 {
        let of_this = self.record.unseen_ends.as_ref().filter(|ends| ends.backup == self.run.source.name);
        of_this.map_or(0, |ends| ends.count)
    }

    fn lists_left(&self, judged: &Judged) -> Option<Digest> {
        let unwatched = gate::unwatched_since(self.context, self.run.started_at);
        standby::lists_left(self.context, unwatched, judged)
    }

    fn hold(mut self, judged: Judged) -> Decision {
        let (event, outcome) = match &judged.compared {
            Compared::Verified => (EventName::RestoreVerified, RunOutcome::Verified),
            Compared::Unverified { .. } => (EventName::RestoreUnverified, RunOutcome::Unverified),
            Compared::Mismatched { .. } => (EventName::RestoreMismatched, RunOutcome::Mismatched),
        };
        let took = (self.now - self.run.started_at).whole_minutes();
        let text =
            format!("{} holds it after {took} min; {}", self.context.service.name(), judged.in_words());
        let (name, compared) = (self.run.source.name.clone(), judged.finding.comparison.types.clone());
        let lists = self.lists_left(&judged);
        // The primary has kept what no backup carries.
        let is_standby = self.context.service.name() != self.context.primary;
        let not_protected = comparison::not_protected(&name, &judged.finding).filter(|_| is_standby);
        self.record.restore_began_at = Some(self.run.started_at);
        self.record.holds = Holds::Backup(Held {
            backup: name.clone(),
            started_at: self.run.source.started_at,
            restored_at: self.now,
            compared: judged.compared,
            lists,
            baseline: self.baseline(),
            finding: Some(Box::new(judged.finding)),
            tried_at: None,
        });
        self.record.restore_failures = None;
        self.record.unseen_ends = None;
        self.record.restore_wish.take_if(|wish| wish.id == self.run.wish);
        let held = Event::of(&name, event, text.clone());
        self.close(outcome, text, compared).telling(held).telling_all(not_protected)
    }

    /// What users did before a restore began is gone once Azure has begun it. One whose answer was lost, or that nobody ever
    /// saw run, may never have begun, and then all of that still stands.
    fn note_beginning(&mut self) {
        let may_never_have = matches!(
            self.run.phase,
            RestorePhase::Requested(_) | RestorePhase::Verifying { ended: RestoreEnd::Unseen, .. }
        );
        let before = gate::restored_from(&self.record).filter(|_| may_never_have);
        self.record.restore_began_at = Some(before.unwrap_or(self.run.started_at));
    }

    /// An accepted restore that failed, or one of which nobody knows: what the service holds is not known, whatever it
    /// compares like.
    pub(super) fn fail_unknown(mut self, what: String, judged: Option<Judged>) -> Decision {
        let lists = judged.as_ref().and_then(|judged| self.lists_left(judged));
        let finding = judged.map(|judged| Box::new(judged.finding));
        let compared = finding.as_ref().map(|finding| finding.comparison.types.clone()).unwrap_or_default();
        self.note_beginning();
        self.record.holds = Holds::Unknown {
            since: self.now,
            backup: self.run.source.name.clone(),
            why: what.clone(),
            baseline: self.baseline(),
            finding,
            lists,
        };
        self.fail_compared(what, compared)
    }
}
