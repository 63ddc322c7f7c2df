//! Where secrets must not be.

use super::{Invariant, Observer};
use crate::world::call::Call;
use crate::world::sent::Sent;

impl Observer {
    /// A text that leaves the handler holds no secret in any spelling.
    pub(super) fn searched(&mut self, text: &[u8], place: impl FnOnce() -> String) {
        let found = self.marks.stand_in(text);
        self.check(Invariant::Secrets, !found, || format!("a secret stands in {}", place()));
    }

    /// An alert, or a heartbeat: it has no token and tells no secret.
    pub(super) fn receiver_is_told(&mut self, call: &Call, sent: &Sent) {
        let harmless = sent.header("authorization").is_empty();
        self.check(Invariant::Secrets, harmless, || format!("{} sends a token to a receiver", call.tag()));
        self.searched(&sent.body, || "an alert".to_owned());
    }

    /// A request to an address that nobody configured carries no token, and none is made with one.
    pub(super) fn goes_elsewhere(&mut self, call: &Call, sent: &Sent) {
        let harmless = sent.header("authorization").is_empty();
        self.check(Invariant::Secrets, harmless, || {
            format!("{} sends a token to a stranger: {}", call.tag(), sent.url)
        });
        self.searched(&sent.body, || format!("a request to {}", sent.url));
    }
}
