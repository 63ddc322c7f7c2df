//! One call of a function and how it ended.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::time::Duration;

use time::OffsetDateTime;

/// An invocation that has ended, or that never was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The function's name.
    pub function: String,
    /// The id in `X-Azure-Functions-InvocationId`.
    pub id: String,
    /// What started it, in words for people: `timer, scheduled` or `blob backups/a.json, try 2`.
    pub cause: String,
    /// When it began, by the host's clock.
    pub begun: OffsetDateTime,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, in real time.
    pub duration: Duration,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The handler answered as the host wants it.
    Succeeded {
        /// The `Logs` of the answer.
        logs: Vec<String>,
    },
    /// It did not.
    Failed {
        /// In the host's words.
        reason: String,
    },
    /// The handler was not called: the function is disabled, the host has shut down, the event is stale.
    NotInvoked {
        /// Which of these.
        reason: String,
    },
}

impl Outcome {
    /// Whether the handler answered as the host wants it.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Succeeded { .. })
    }

    /// Whether the handler was called, and failed.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}

/// A GUID that no other host draws: invocations of two hosts must be told apart.
pub(super) fn guid() -> String {
    let [high, low] = [0, 1].map(|half: u8| RandomState::new().hash_one(half));
    let variant = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0x0fff);
    format!("{a:08x}-{b:04x}-4{c:03x}-{:04x}-{:012x}", variant >> 48, variant & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_have_their_form_and_differ() {
        let id = guid();
        assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
        assert_ne!(id, guid());
    }
}
