//! What is remembered of health from one invocation to the next: which conditions are raised, which alerts have not been
//! delivered, what was written into the status.

use serde::{Deserialize, Serialize};
use time::Duration;

use super::alert::{Alert, Change};
use super::{Condition, ConditionKind, View};
use crate::domain::event::{Event, EventName};
use crate::domain::id::ServiceName;
use crate::domain::record::{Claim, version_of};
use crate::domain::vocabulary::{Digest, InvocationId, Timestamp};

/// The version this program writes, and the newest that it reads.
const HEALTH_VERSION: u32 = 1;

/// Alerts that wait to be delivered. A webhook that has been down for so many changes has missed them all; the oldest go.
const MOST_ALERTS: usize = 100;

/// A certificate that is good for longer raises nothing. Renewal takes days where people have to approve it.
pub const CERTIFICATE_MARGIN: Duration = Duration::days(21);

/// How often the certificates are looked at.
pub const CERTIFICATES_AGE: Duration = Duration::days(1);

/// The status is written anew when it has changed, and at least this often.
const STATUS_AGE: Duration = Duration::minutes(15);

/// What `health/{primary}.json` holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    pub version: u32,
    pub primary: ServiceName,
    /// The invocation that wrote this version.
    pub writer: InvocationId,
    /// What is raised.
    #[serde(default)]
    pub raised: Vec<Raised>,
    /// What has not been delivered, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outbox: Vec<Alert>,
    /// Who delivers, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivering: Option<Claim>,
    /// What was last written into the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusWritten>,
    /// The newest look at each custom hostname of a secondary.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateLook>,
    /// When the certificates were last looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates_looked_at: Option<Timestamp>,
    /// The records that the newest invocation could not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadRecord>,
}

/// A condition that is raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Raised {
    pub condition: ConditionKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceName>,
    pub since: Timestamp,
    pub fact: String,
    pub next: String,
}

/// The status as it was last written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusWritten {
    pub at: Timestamp,
    /// Of what it said, its time left out.
    pub digest: Digest,
}

/// What a TLS handshake with a gateway showed of one hostname.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateLook {
    pub service: ServiceName,
    pub host: String,
    /// Why the gateway is not believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Until when it will be believed, to the day, where that is less than 21 days ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good_until: Option<Timestamp>,
}

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnreadRecord {
    pub service: ServiceName,
    /// When an invocation first met that; every one since has.
    pub since: Timestamp,
    /// What the newest of them was told.
    pub why: String,
}

/// What an invocation could not judge, so that what is raised of it stays.
#[derive(Clone, Debug, Default)]
pub struct Unjudged {
    /// Services whose records could not be read, or say too little.
    services: Vec<ServiceName>,
    /// The invocation does not know when the timer last ran.
    heartbeat: bool,
    /// The primary's record could not be read, and it is not known who is backed up and who serves.
    situation: bool,
}

impl Unjudged {
    /// What `view` does not show.
    pub fn of(view: &View<'_>) -> Self {
        let situation = view.is_unread(view.primary);
        // Whether what a service holds still matters that is no secondary: that follows from the situation too.
        let read = view.records.iter().filter(|_| situation).map(|record| record.service.name());
        let left_over = read.filter(|service| !view.is_secondary(service));
        let unread = view.unread.iter().map(|unread| unread.service.clone());
        Self { services: unread.chain(left_over).collect(), heartbeat: view.last_run.is_none(), situation }
    }

    fn covers(&self, raised: &Raised) -> bool {
        let heartbeat = self.heartbeat && raised.condition == ConditionKind::HeartbeatSlow;
        let situation = self.situation && raised.condition.follows_from_situation();
        let service = raised.service.as_ref().is_some_and(|service| self.services.contains(service));
        heartbeat || situation || service
    }
}

impl Health {
    /// Nothing raised, nothing delivered.
    pub fn new(primary: ServiceName, writer: InvocationId) -> Self {
        Self {
            version: HEALTH_VERSION,
            primary,
            writer,
            raised: Vec::new(),
            outbox: Vec::new(),
            delivering: None,
            status: None,
            certificates: Vec::new(),
            certificates_looked_at: None,
            unread: Vec::new(),
        }
    }

    /// Where it lies in the state container.
    pub fn path_of(primary: &ServiceName) -> String {
        format!("health/{primary}.json")
    }

    /// Reads what is stored.
    ///
    /// # Errors
    /// When it cannot be read, or a newer version wrote it.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let version = version_of(bytes).map_err(|error| format!("it is no health document: {error}"))?;
        if version > HEALTH_VERSION {
            return Err(format!(
                "it has version {version}, and this program knows {HEALTH_VERSION}: a newer apim-dr wrote it"
            ));
        }
        serde_json::from_slice(bytes).map_err(|error| format!("it cannot be read: {error}"))
    }

    /// The bytes to be stored.
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Takes in which records could not be read, and why. For how long that has been so is remembered.
    pub fn note_unread(&mut self, unread: &[(ServiceName, String)], now: Timestamp) {
        let before = std::mem::take(&mut self.unread);
        let known = |service: &ServiceName| before.iter().find(|unread| unread.service == *service);
        let noted = unread.iter().map(|(service, why)| UnreadRecord {
            service: service.clone(),
            since: known(service).map_or(now, |unread| unread.since),
            why: why.clone(),
        });
        self.unread = noted.collect();
    }

    /// Takes in what holds now. What is new is raised, what is over is cleared, and each change is told once and put into
    /// the outbox if there is somewhere to deliver it.
    pub fn judge(
        &mut self,
        conditions: Vec<Condition>,
        unjudged: &Unjudged,
        (delivers, now): (bool, Timestamp),
    ) -> Vec<Event> {
        let before = std::mem::take(&mut self.raised);
        let (mut events, mut alerts) = (Vec::new(), Vec::new());
        for condition in conditions {
            let known = before.iter().find(|raised| raised.is(&condition));
            let since = condition.since.or_else(|| known.map(|raised| raised.since)).unwrap_or(now);
            if known.is_none() {
                events.push(condition.raised());
            }
            let raised = Raised::from(condition, since);
            if known.is_none() {
                alerts.push(raised.alert(Change::Raised, now));
            }
            self.raised.push(raised);
        }
        for old in before {
            if self.raised.iter().any(|raised| raised.is_same(&old)) {
                continue;
            }
            if unjudged.covers(&old) {
                self.raised.push(old);
                continue;
            }
            events.push(old.cleared());
            alerts.push(old.alert(Change::Cleared, now));
        }
        self.raised.sort_by(|a, b| (a.condition, &a.service).cmp(&(b.condition, &b.service)));
        if delivers {
            self.enqueue(alerts);
        } else {
            self.outbox.clear();
        }
        events
    }

    fn enqueue(&mut self, alerts: Vec<Alert>) {
        self.outbox.extend(alerts);
        let too_many = self.outbox.len().saturating_sub(MOST_ALERTS);
        self.outbox.drain(..too_many);
    }

    /// The alert that is to be delivered next, if this is the time and nobody else is at it: the first, or the first after
    /// those that were refused again and again.
    pub fn next_alert(&self, invocation: &InvocationId, now: Timestamp) -> Option<&Alert> {
        let elsewhere =
            self.delivering.as_ref().is_some_and(|claim| claim.by != *invocation && !claim.is_old(now));
        if elsewhere {
            return None;
        }
        for (index, alert) in self.outbox.iter().enumerate() {
            // Nobody reads that something is over before they read that it began.
            let follows = self.outbox[..index].iter().any(|before| before.is_of_the_same(alert));
            if !follows && alert.is_due(now) {
                return Some(alert);
            }
            if !follows && !alert.lets_others_pass() {
                return None;
            }
        }
        None
    }

    /// Whether this invocation keeps others from delivering.
    pub fn is_delivered_by(&self, invocation: &InvocationId) -> bool {
        self.delivering.as_ref().is_some_and(|claim| claim.by == *invocation)
    }

    /// Keeps others from delivering what this invocation is about to deliver.
    pub fn begin_delivery(&mut self, invocation: &InvocationId, now: Timestamp) {
        if self.next_alert(invocation, now).is_some() {
            self.delivering = Some(Claim { by: invocation.clone(), at: now, taken_over: false });
        }
    }

    /// Takes out what was delivered, puts off what was not taken, and lets others deliver.
    pub fn end_delivery(
        &mut self,
        delivered: &[Alert],
        failed: Option<&Alert>,
        (invocation, now): (&InvocationId, Timestamp),
    ) {
        self.outbox.retain(|alert| delivered.iter().all(|done| done.id() != alert.id()));
        if let Some(failed) = failed
            && let Some(alert) = self.outbox.iter_mut().find(|alert| alert.id() == failed.id())
        {
            alert.put_off(now);
        }
        self.delivering.take_if(|claim| claim.by == *invocation);
    }

    /// Whether the secondaries' certificates have to be looked at.
    pub fn certificates_are_due(&self, now: Timestamp) -> bool {
        self.certificates_looked_at
            .is_none_or(|at| now - at >= CERTIFICATES_AGE || at - now > CERTIFICATES_AGE)
    }

    /// Whether the status has to be written.
    pub fn status_is_due(&self, digest: &Digest, now: Timestamp) -> bool {
        let fresh =
            |written: &StatusWritten| written.digest == *digest && (now - written.at).abs() < STATUS_AGE;
        !self.status.as_ref().is_some_and(fresh)
    }
}

impl Raised {
    fn from(condition: Condition, since: Timestamp) -> Self {
        let Condition { kind, service, fact, next, .. } = condition;
        Self { condition: kind, service, since, fact, next }
    }

    fn is(&self, condition: &Condition) -> bool {
        self.condition == condition.kind && self.service == condition.service
    }

    fn is_same(&self, other: &Self) -> bool {
        self.condition == other.condition && self.service == other.service
    }

    fn alert(&self, change: Change, now: Timestamp) -> Alert {
        Alert {
            condition: self.condition,
            change,
            service: self.service.clone(),
            since: self.since,
            at: now,
            fact: self.fact.clone(),
            next: self.next.clone(),
            attempts: 0,
            next_attempt: None,
        }
    }

    fn cleared(&self) -> Event {
        let text =
            format!("{} is over; it was raised since {}: {}", self.condition.as_str(), self.since, self.fact);
        Event::of_condition((self.condition, self.service.as_ref()), EventName::ConditionCleared, text)
    }
}
