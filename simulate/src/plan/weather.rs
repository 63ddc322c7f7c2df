//! How often what goes wrong with a request.

use crate::draws::Draws;

/// What stands behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Realm {
    /// Resource Manager.
    Arm,
    /// Blob storage.
    Storage,
    /// The token endpoint.
    Tokens,
    /// Whoever takes alerts and heartbeats.
    Receivers,
}

/// Everything behind some addresses is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    Of(Realm),
    /// One service cannot be asked about.
    Service(usize),
    /// One service's record can be neither read nor written; all others can.
    Record(usize),
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Nobody listens: the request never left.
    Refused,
    /// It left, and was lost on its way.
    LostRequest,
    /// It arrived, and its answer was lost.
    LostReply,
    /// It arrives long after the caller has given up.
    Late,
    /// The answer takes up to 90 s.
    Slow,
    /// An error in place of the answer; nothing is done.
    Error,
    /// What was asked for is done, and the answer is an error all the same.
    DoneButError,
    /// The body of the answer breaks off.
    Truncated,
    /// The answer is a page of somebody in between.
    Garbled,
    /// The process is killed before the request leaves.
    KilledBefore,
    /// The process is killed while the request is on its way.
    KilledDuring,
    /// The process is killed when the answer has come.
    KilledAfter,
    /// The transport says that it never left; it has.
    SentAfterAll,
}

impl Kind {
    /// All that a world may have of it.
    pub(crate) const ALL: [Self; 13] = [
        Self::Refused,
        Self::LostRequest,
        Self::LostReply,
        Self::Late,
        Self::Slow,
        Self::Error,
        Self::DoneButError,
        Self::Truncated,
        Self::Garbled,
        Self::KilledBefore,
        Self::KilledDuring,
        Self::KilledAfter,
        Self::SentAfterAll,
    ];

    /// As the report names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Refused => "connection refused",
            Self::LostRequest => "request lost",
            Self::LostReply => "reply lost",
            Self::Late => "request delivered late",
            Self::Slow => "answer slow",
            Self::Error => "error answered",
            Self::DoneButError => "done, but error answered",
            Self::Truncated => "body truncated",
            Self::Garbled => "body garbled",
            Self::KilledBefore => "killed before a request",
            Self::KilledDuring => "killed during a request",
            Self::KilledAfter => "killed after a request",
            Self::SentAfterAll => "refused, but sent",
        }
    }

    fn kills(self) -> bool {
        matches!(self, Self::KilledBefore | Self::KilledDuring | Self::KilledAfter)
    }
}

/// The weather of one world: each kind of fault is there or not, so that some worlds have few kinds and go
/// deep with them.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    /// Of a thousand reads of Resource Manager, so many meet a fault.
    arm: u32,
    /// Of a thousand requests to back up or restore.
    posts: u32,
    /// Of a thousand reads of storage.
    reads: u32,
    /// Of a thousand writes.
    writes: u32,
    tokens: u32,
    receivers: u32,
    /// Of a thousand operations that Azure accepts, so many run out of the ordinary.
    pub(crate) courses: u32,
    kinds: Vec<(u32, Kind)>,
}

/// What a request does, as far as the weather is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Asking,
    Posting,
    Writing,
}

impl Weather {
    pub(super) fn drawn(draws: &mut Draws) -> Self {
        let rate = |draws: &mut Draws, rates: &[u32]| draws.pick(rates);
        let kinds = Kind::ALL.into_iter().filter(|_| draws.chance(500)).collect::<Vec<_>>();
        let weight = |kind: &Kind| if kind.kills() { 1 } else { 2 };
        Self {
            arm: rate(draws, &[0, 10, 50, 200]),
            posts: rate(draws, &[0, 100, 300, 600]),
            reads: rate(draws, &[0, 3, 15, 60]),
            writes: rate(draws, &[0, 20, 100, 250]),
            tokens: rate(draws, &[0, 50, 300]),
            receivers: rate(draws, &[0, 0, 300]),
            courses: rate(draws, &[0, 150, 500]),
            kinds: kinds.into_iter().map(|kind| (weight(&kind), kind)).collect(),
        }
    }

    /// What the next request meets, if anything.
    pub(crate) fn fault(&self, draws: &mut Draws, realm: Realm, doing: Doing) -> Option<Kind> {
        let rate = match (realm, doing) {
            (Realm::Arm, Doing::Asking | Doing::Writing) => self.arm,
            (Realm::Arm, Doing::Posting) => self.posts,
            (Realm::Storage, Doing::Asking | Doing::Posting) => self.reads,
            (Realm::Storage, Doing::Writing) => self.writes,
            (Realm::Tokens, _) => self.tokens,
            (Realm::Receivers, _) => self.receivers,
        };
        let meets = !self.kinds.is_empty() && draws.chance(rate);
        meets.then(|| draws.weighted(&self.kinds))
    }
}
