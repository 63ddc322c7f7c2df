//! Alerts: a condition that was raised or cleared, on its way to somebody.

use serde::{Deserialize, Serialize};
use time::Duration;

use super::{ConditionKind, Severity};
use crate::domain::id::ServiceName;
use crate::domain::vocabulary::Timestamp;

/// What became of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    Raised,
    Cleared,
}

impl Change {
    /// The word, as alerts carry it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Cleared => "cleared",
        }
    }
}

/// One change that somebody has to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    pub condition: ConditionKind,
    pub change: Change,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceName>,
    /// Since when the condition was raised.
    pub since: Timestamp,
    /// When the change was noticed.
    pub at: Timestamp,
    pub fact: String,
    pub next: String,
    /// Deliveries that failed.
    #[serde(default)]
    pub attempts: u32,
    /// Not before this after a delivery that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
}

impl Alert {
    /// How much it matters: that a condition is over is information.
    pub fn severity(&self) -> Severity {
        match self.change {
            Change::Raised => self.condition.severity(),
            Change::Cleared => Severity::Information,
        }
    }

    /// The same for the same change, however often it is delivered; different for every other.
    pub fn id(&self) -> String {
        let service = self.service.as_ref().map_or("deployment", ServiceName::as_str);
        format!("{}-{service}-{}-{}", self.condition.as_str(), self.change.as_str(), self.at.compact())
    }

    /// One line for a person.
    pub fn title(&self) -> String {
        let service = self.service.as_ref().map_or_else(String::new, |service| format!(" of {service}"));
        format!("{}{service} {}", self.condition.as_str(), self.change.as_str())
    }

    /// Whether this is the time to deliver it.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.next_attempt.is_none_or(|next| now >= next)
    }

    /// Whether it tells of the same condition of the same service.
    pub fn is_of_the_same(&self, other: &Self) -> bool {
        self.condition == other.condition && self.service == other.service
    }

    /// What was refused for 20 min may be refused for good, by a receiver that takes others.
    pub fn lets_others_pass(&self) -> bool {
        self.attempts > 3
    }

    /// A delivery failed: the next comes after 1, 5 and 15 min, then every hour.
    pub fn put_off(&mut self, now: Timestamp) {
        self.attempts += 1;
        let minutes = match self.attempts {
            1 => 1,
            2 => 5,
            3 => 15,
            _ => 60,
        };
        self.next_attempt = Some(now + Duration::minutes(minutes));
    }
}
