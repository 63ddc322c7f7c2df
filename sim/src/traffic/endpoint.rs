//! One endpoint of a profile: how it is configured, and what its probes have found.

use time::{Duration, OffsetDateTime};

/// The types of endpoint, each a collection of its own below the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    External,
    Nested,
}

impl Kind {
    /// The collection, as ids in answers spell it.
    pub(crate) fn collection(self) -> &'static str {
        match self {
            Self::External => "externalEndpoints",
            Self::Nested => "nestedEndpoints",
        }
    }
}

/// What the probes have found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Checking,
    Online,
    Degraded,
}

/// How a profile probes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probing {
    pub(crate) interval: i64,
    pub(crate) timeout: i64,
    pub(crate) tolerated: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) target: String,
    pub(crate) location: String,
    pub(crate) weight: i64,
    pub(crate) priority: i64,
    pub(crate) enabled: bool,
    /// `None`: not set, and then not shown.
    pub(crate) always_serve: Option<bool>,
    /// A status that a test wants to see, whatever the probes find.
    pub(crate) forced: Option<String>,
    pub(super) health: Health,
    pub(super) failures: u32,
    pub(super) next_probe: OffsetDateTime,
    /// When the probe that is under way without an answer counts as failed.
    pub(super) fails_at: Option<OffsetDateTime>,
}

impl Endpoint {
    /// An enabled endpoint that nobody has probed yet.
    pub(crate) fn new((name, kind): (&str, Kind), target: &str, priority: i64) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            target: target.to_owned(),
            location: "North Europe".to_owned(),
            weight: 1,
            priority,
            enabled: true,
            always_serve: None,
            forced: None,
            health: Health::Checking,
            failures: 0,
            next_probe: OffsetDateTime::UNIX_EPOCH,
            fails_at: None,
        }
    }

    /// Whether this endpoint, which was `before`, has to be probed anew: it was put in again, or leads elsewhere.
    pub(crate) fn has_to_be_checked_after(&self, before: &Self) -> bool {
        let probed = |endpoint: &Self| endpoint.enabled && endpoint.always_serve != Some(true);
        probed(self) && (!probed(before) || self.target != before.target)
    }

    /// Forgets what probes have found; the first one is made an interval later.
    pub(crate) fn check_anew(&mut self, now: OffsetDateTime, probing: Probing) {
        self.health = Health::Checking;
        self.failures = 0;
        self.fails_at = None;
        self.next_probe = now + Duration::seconds(probing.interval);
    }

    /// The monitor status within a profile that is enabled or not.
    pub(crate) fn monitor_status(&self, profile_enabled: bool) -> &str {
        match &self.forced {
            Some(forced) => forced,
            None if !self.enabled => "Disabled",
            None if !profile_enabled => "Inactive",
            None if self.always_serve == Some(true) => "Unmonitored",
            None => match self.health {
                Health::Checking => "CheckingEndpoint",
                Health::Online => "Online",
                Health::Degraded => "Degraded",
            },
        }
    }

    /// Whether DNS may give it out while others are well: Traffic Manager gives out what it is still checking.
    pub(super) fn is_given_out(&self) -> bool {
        matches!(self.monitor_status(true), "Online" | "CheckingEndpoint" | "Unmonitored")
    }
}
