//! The end of an invocation: health is derived from the records, what has changed is told, and alerts leave. None of it
//! can hold up a backup or a restore: it comes after them, and its troubles are told and left to the next invocation.

use crate::arrival::Records;
use crate::azure::SaveTrouble;
use crate::config::{Config, Secret, Webhook};
use crate::domain::event::{Event, EventName};
use crate::domain::health::{
    self, Alert, CERTIFICATES_AGE, CertificateLook, Condition, Health, Promise, StatusWritten, Unjudged, View,
};
use crate::domain::id::ServiceName;
use crate::domain::status::Status;
use crate::domain::vocabulary::{Digest, Etag, Timestamp};
use crate::drive::Driver;

mod message;

/// How often a lost race for the health document is run again.
const RACES: usize = 5;

/// What the settings say about health.
#[derive(Clone, Debug)]
pub struct Watch {
    pub promise: Promise,
    pub webhook: Option<Webhook>,
    pub heartbeat_url: Option<Secret>,
}

impl Watch {
    /// What `config` says.
    pub fn of(config: &Config) -> Self {
        let promise = Promise {
            rpo_target: config.rpo_target,
            longest_gap: config.schedule.longest_gap(),
            dry_run: config.dry_run,
        };
        Self { promise, webhook: config.webhook.clone(), heartbeat_url: config.heartbeat_url.clone() }
    }
}

/// What an invocation has learned that no record holds.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What belongs to somebody else: the service, and what.
    pub foreign: Vec<(ServiceName, String)>,
    /// Services whose records could not be read, and why.
    pub unread: Vec<(ServiceName, String)>,
    /// When the timer last ran, in an invocation that the timer started.
    pub last_run: Option<Timestamp>,
}

/// The health document as it was loaded.
struct Kept {
    health: Health,
    etag: Option<Etag>,
}

/// Derives health, saves what has changed, tells it, and delivers what is to be delivered.
///
/// # Errors
/// When the health document can be neither read nor written. Everything else has been done by then.
pub async fn tend(
    driver: &Driver<'_>,
    watch: &Watch,
    records: &Records,
    findings: &Findings,
) -> Result<(), String> {
    let mut kept = judge(driver, watch, records, findings).await?;
    deliver(driver, watch, &mut kept).await?;
    publish(driver, watch, records, (findings, &kept.health)).await
}

/// Writes the status anew if it says something else than before, or was written a while ago.
async fn publish(
    driver: &Driver<'_>,
    watch: &Watch,
    records: &Records,
    (findings, health): (&Findings, &Health),
) -> Result<(), String> {
    let now = driver.clock.now();
    let status = status(driver, watch, records, (findings, health));
    let digest = Digest::of(status.text_without_time().as_bytes());
    if !health.status_is_due(&digest, now) {
        return Ok(());
    }
    let path = Status::path_of(&health.primary);
    let store = driver.azure.store();
    for (ending, text, content_type) in
        [("json", status.text(), "application/json"), ("html", status.page(), "text/html; charset=utf-8")]
    {
        let written = store.publish(&format!("{path}.{ending}"), &text, content_type).await;
        written.map_err(|trouble| trouble.to_string())?;
    }
    change(driver, |health| health.status = Some(StatusWritten { at: now, digest: digest.clone() })).await
}

fn status(
    driver: &Driver<'_>,
    watch: &Watch,
    records: &Records,
    (findings, health): (&Findings, &Health),
) -> Status {
    let now = driver.clock.now();
    let view = view(driver, watch, records, (findings, health));
    let ids: Vec<_> = driver.deployment.all().cloned().collect();
    let next = driver.deployment.schedule.next_after(now.get()).map(Timestamp::new);
    Status::of(&view, &ids, (&health.raised, next), now)
}

/// The status as it would be written now, and when it was last written, which every tick sees to. Nothing is written or
/// delivered.
///
/// # Errors
/// When the health document cannot be read.
pub async fn look(
    driver: &Driver<'_>,
    watch: &Watch,
    records: &Records,
    findings: &Findings,
) -> Result<(Status, Option<Timestamp>), String> {
    // Whoever asks how things stand at three in the morning is told so without this document, too.
    let kept = read(driver).await?.unwrap_or_else(|why| {
        driver.tell(None, &Event::new(EventName::HealthNotKept, why));
        anew(driver)
    });
    let mut health = kept.health;
    let written = health.status.as_ref().map(|status| status.at);
    let now = driver.clock.now();
    let (conditions, unjudged) = find(driver, watch, records, (findings, &mut health, now));
    health.judge(conditions, &unjudged, (false, now));
    Ok((status(driver, watch, records, (findings, &health)), written))
}

/// Changes the health document, whoever else does.
async fn change(driver: &Driver<'_>, mut change: impl FnMut(&mut Health)) -> Result<(), String> {
    for _ in 0..RACES {
        let kept = load(driver).await?;
        let mut health = kept.health.clone();
        change(&mut health);
        let saved = save(driver, kept, health).await.map_err(|trouble| trouble.to_string())?;
        if saved.is_some() {
            return Ok(());
        }
    }
    Err(races_lost())
}

async fn judge(
    driver: &Driver<'_>,
    watch: &Watch,
    records: &Records,
    findings: &Findings,
) -> Result<Kept, String> {
    let mut looks = None;
    for _ in 0..RACES {
        let kept = load(driver).await?;
        let mut health = kept.health.clone();
        if looks.is_none() && health.certificates_are_due(driver.clock.now()) && !driver.clock.is_late() {
            looks = Some(look_at_front_doors(driver, &health).await);
        }
        if let Some((looks, at)) = &looks {
            health.certificates.clone_from(looks);
            health.certificates_looked_at = Some(*at);
        }
        let now = driver.clock.now();
        let (conditions, unjudged) = find(driver, watch, records, (findings, &mut health, now));
        let events = health.judge(conditions, &unjudged, (watch.webhook.is_some(), now));
        health.begin_delivery(&driver.invocation, now);
        let saved = save(driver, kept, health).await;
        // What may have been saved is new to no later tick: it is told now, or never.
        if matches!(saved, Ok(Some(_)) | Err(SaveTrouble::NoAnswer(_))) {
            events.iter().for_each(|event| driver.tell(None, event));
        }
        if let Some(kept) = saved.map_err(|trouble| trouble.to_string())? {
            return Ok(kept);
        }
    }
    Err(races_lost())
}

/// What each secondary's gateway shows for its custom hostnames, and when that was looked at. A service that cannot be
/// read keeps what was seen before, and all are asked again in an hour.
async fn look_at_front_doors(driver: &Driver<'_>, health: &Health) -> (Vec<CertificateLook>, Timestamp) {
    let (mut looks, mut unread) = (Vec::new(), Vec::new());
    for service in &driver.deployment.secondaries {
        match driver.azure.look_at_front_door(service, &driver.clock).await {
            Ok(seen) => looks.extend(seen),
            Err(_) => unread.push(service.name()),
        }
    }
    let before = health.certificates.iter().filter(|look| unread.contains(&look.service));
    looks.extend(before.cloned());
    let now = driver.clock.now();
    let looked_at = if unread.is_empty() { now } else { now + time::Duration::HOUR + -CERTIFICATES_AGE };
    (looks, looked_at)
}

fn races_lost() -> String {
    format!("the health document was written by others {RACES} times in a row; a later tick goes on")
}

/// What holds now, and what cannot be judged.
fn find(
    driver: &Driver<'_>,
    watch: &Watch,
    records: &Records,
    (findings, health, now): (&Findings, &mut Health, Timestamp),
) -> (Vec<Condition>, Unjudged) {
    health.note_unread(&findings.unread, now);
    let view = view(driver, watch, records, (findings, health));
    (health::conditions(&view, now), Unjudged::of(&view))
}

fn view<'a>(
    driver: &'a Driver<'_>,
    watch: &'a Watch,
    records: &'a Records,
    (findings, health): (&'a Findings, &'a Health),
) -> View<'a> {
    View {
        primary: &health.primary,
        records: records.values().map(|loaded| &loaded.record).collect(),
        unread: &health.unread,
        secondaries: driver.deployment.secondaries.iter().map(crate::domain::id::ServiceId::name).collect(),
        situation: &driver.situation,
        promise: &watch.promise,
        foreign: &findings.foreign,
        last_run: findings.last_run,
        certificates: &health.certificates,
    }
}

async fn load(driver: &Driver<'_>) -> Result<Kept, String> {
    read(driver).await?
}

/// The health document; the inner error says that what is stored is none. That is left alone by everybody.
async fn read(driver: &Driver<'_>) -> Result<Result<Kept, String>, String> {
    let path = Health::path_of(&driver.deployment.primary.name());
    let stored = driver.azure.store().load(&path).await.map_err(|trouble| trouble.to_string())?;
    let Some((bytes, etag)) = stored.document else {
        return Ok(Ok(anew(driver)));
    };
    let parsed = Health::parse(&bytes).map(|health| Kept { health, etag: Some(etag) });
    Ok(parsed.map_err(|why| {
        format!(
            "{path} is left alone, no alert leaves, and no status is written: {why}. Move that blob away: what holds is \
             found anew, and only alerts that wait in it are lost"
        )
    }))
}

/// As it is before anything was stored.
fn anew(driver: &Driver<'_>) -> Kept {
    let primary = driver.deployment.primary.name();
    Kept { health: Health::new(primary, driver.invocation.clone()), etag: None }
}

/// Saves `health` over what was loaded, if it differs; none: somebody else was first.
async fn save(driver: &Driver<'_>, kept: Kept, health: Health) -> Result<Option<Kept>, SaveTrouble> {
    if kept.health == health && kept.etag.is_some() {
        return Ok(Some(kept));
    }
    let health = Health { writer: driver.invocation.clone(), ..health };
    let path = Health::path_of(&health.primary);
    match driver.azure.store().save(&path, health.bytes(), kept.etag.as_ref()).await {
        Ok(etag) => Ok(Some(Kept { health, etag: Some(etag) })),
        Err(SaveTrouble::Lost) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Delivers what waits, in order, until something is not taken or it is too late for more.
async fn deliver(driver: &Driver<'_>, watch: &Watch, kept: &mut Kept) -> Result<(), String> {
    let Some(webhook) = &watch.webhook else { return Ok(()) };
    let mut delivered = Vec::new();
    let mut failed = None;
    while failed.is_none() && driver.clock.allows_delivery() {
        let Some(alert) = kept.health.next_alert(&driver.invocation, driver.clock.now()).cloned() else {
            break;
        };
        match send(driver, webhook, &alert).await {
            Ok(()) => {
                kept.health.outbox.retain(|waiting| waiting.id() != alert.id());
                delivered.push(alert);
            }
            Err(why) => failed = Some((alert, why)),
        }
    }
    for alert in &delivered {
        driver.tell(None, &told(alert, EventName::AlertDelivered, "the webhook took it"));
    }
    if let Some((alert, why)) = &failed {
        let text = format!("ALERT_WEBHOOK_URL did not take it ({why}); a later tick tries again");
        driver.tell(None, &told(alert, EventName::AlertNotDelivered, &text));
    }
    let is_held = kept.health.is_delivered_by(&driver.invocation);
    if delivered.is_empty() && failed.is_none() && !is_held {
        return Ok(());
    }
    note_delivery(driver, (&delivered, failed.map(|(alert, _)| alert))).await
}

async fn send(driver: &Driver<'_>, webhook: &Webhook, alert: &Alert) -> Result<(), String> {
    let message = message::of(alert, webhook.format, &driver.deployment.primary);
    driver.azure.send(&webhook.url, Some(message)).await
}

fn told(alert: &Alert, name: EventName, what: &str) -> Event {
    let text = format!("{}: {what}", alert.title());
    Event::of_condition((alert.condition, alert.service.as_ref()), name, text)
}

/// Takes what was delivered out of the outbox, and lets others deliver what is left.
async fn note_delivery(
    driver: &Driver<'_>,
    (delivered, failed): (&[Alert], Option<Alert>),
) -> Result<(), String> {
    let now = driver.clock.now();
    change(driver, |health| health.end_delivery(delivered, failed.as_ref(), (&driver.invocation, now))).await
}

/// Tells the dead man's switch that a tick did its work. Silence is what it listens for, so a failure is only told.
pub async fn beat(driver: &Driver<'_>, watch: &Watch) {
    let Some(url) = &watch.heartbeat_url else { return };
    if let Err(why) = driver.azure.send(url, None).await {
        let text = format!("HEARTBEAT_URL was called and did not take it: {why}");
        driver.tell(None, &Event::new(EventName::HeartbeatNotSent, text));
    }
}
