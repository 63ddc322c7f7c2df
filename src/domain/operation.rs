//! What backups and restores have in common: claims, and following an operation that Azure has taken.

use time::Duration;

use super::decision::Context;
use super::observation::{Action, Looking, Looks, NoLook, Observation, Poll};
use super::record::{Claim, Running};
use super::vocabulary::{AzureWords, OperationUrl, ServiceState, Timestamp};

/// A claim younger than this belongs to its writer: an invocation lives 5 min, the host kills it 2 s
/// later, clocks differ by up to 2 min, and the rest is margin.
pub const CLAIM_AGE: Duration = Duration::minutes(8);

/// Azure's `Retry-After` delays the next poll by at most this much.
pub const LONGEST_POLL_WAIT: Duration = Duration::minutes(5);

/// Two looks this far apart that both find the service not `Updating` mean that an operation has ended.
pub const UNSEEN_END: Duration = Duration::minutes(5);

impl Claim {
    /// Whether its writer must be gone. A claim far in the future was written by a clock that was wrong;
    /// it is as good as old.
    pub fn is_old(&self, now: Timestamp) -> bool {
        (now - self.at).abs() >= CLAIM_AGE
    }

    /// The same claim in this invocation's hands.
    pub fn take_over(&mut self, context: &Context, now: Timestamp) {
        *self = Self { by: context.invocation.clone(), at: now, taken_over: true };
    }

    /// Whether it was written by this very invocation.
    pub fn is_of(&self, context: &Context) -> bool {
        self.by == context.invocation
    }
}

/// How an operation stands after an observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// Do this to know more.
    Ask(Action),
    /// It runs, or nothing can be said; later invocations ask again.
    Wait,
    /// The service cannot be driven at all.
    Stop(String),
    /// Azure said that it ended well.
    Ended,
    /// Azure no longer says how it ended, and the service is not `Updating`.
    EndedUnseen,
    /// Azure said that it failed.
    Failed(AzureWords),
}

impl Running {
    /// An operation that Azure has taken `now`.
    pub fn begin(operation: Option<OperationUrl>, retry_after: Option<Duration>, now: Timestamp) -> Self {
        let next_poll = retry_after.map(|wait| now + wait.min(LONGEST_POLL_WAIT));
        Self { operation, next_poll, updating_seen: false, free_since: None }
    }

    /// An operation whose answer was lost, found `Updating`.
    pub fn adopted() -> Self {
        Self { operation: None, next_poll: None, updating_seen: true, free_since: None }
    }

    /// Takes in an observation. Past the deadline a 202 alone no longer counts: the service is looked at,
    /// and the operation stays open only while it is `Updating`.
    pub fn follow(&mut self, observation: &Observation, past_deadline: bool, now: Timestamp) -> Followed {
        match observation {
            Observation::Resumed if self.is_waiting(now) => Followed::Wait,
            Observation::Resumed => Followed::Ask(self.question()),
            Observation::Polled(Poll::Running { retry_after }) => {
                self.next_poll = retry_after.map(|wait| now + wait.min(LONGEST_POLL_WAIT));
                if past_deadline {
                    return Followed::Ask(Action::Look(Looking::Service));
                }
                self.updating_seen = true;
                self.free_since = None;
                Followed::Wait
            }
            Observation::Polled(Poll::Ended) => Followed::Ended,
            Observation::Polled(Poll::Failed(words)) => Followed::Failed(words.clone()),
            Observation::Polled(Poll::Unknown(_)) => Followed::Ask(Action::Look(Looking::Service)),
            Observation::Looked(looks) => self.look(looks, now),
            _ => Followed::Wait,
        }
    }

    /// A wait longer than the longest was written by a clock that was wrong.
    fn is_waiting(&self, now: Timestamp) -> bool {
        let longest = LONGEST_POLL_WAIT + Duration::minutes(2);
        self.next_poll.is_some_and(|next| now < next && next - now <= longest)
    }

    fn question(&self) -> Action {
        match &self.operation {
            Some(operation) => Action::Poll(operation.clone()),
            None => Action::Look(Looking::Service),
        }
    }

    fn look(&mut self, looks: &Looks, now: Timestamp) -> Followed {
        match &looks.service {
            Ok(look) if look.state == ServiceState::Updating => {
                self.updating_seen = true;
                self.free_since = None;
                Followed::Wait
            }
            Ok(look) if look.state.is_free() => match self.free_since {
                Some(since) if now - since >= UNSEEN_END => Followed::EndedUnseen,
                Some(_) => Followed::Wait,
                None => {
                    self.free_since = Some(now);
                    Followed::Wait
                }
            },
            Err(NoLook::NoToken(why)) => Followed::Stop(why.clone()),
            Ok(_) | Err(_) => Followed::Wait,
        }
    }
}
