//! Alerts reach somebody: once for each change, in order, however often the webhook is away. And silence is heard.

use apim_dr_sim::knobs::{Fault, Request};
use apim_dr_sim::receiver::{Delivery, Listening, Receiver};
use serde_json::Value;

use crate::setup::Setup;
use crate::world::{NORTH, PRIMARY, STATE, World, assert_succeeded};

/// Who takes alerts and heartbeats. It stops listening when it is dropped.
struct Taker {
    receiver: Receiver,
    _listening: Listening,
}

impl Taker {
    /// Conditions in the order of their deliveries, as `BackupFailing raised`.
    fn told(&self) -> Vec<String> {
        let deliveries = self.receiver.deliveries();
        deliveries.iter().filter(|delivery| delivery.target.starts_with("/alerts")).map(title).collect()
    }

    fn beats(&self) -> usize {
        self.receiver.deliveries().iter().filter(|delivery| delivery.target.starts_with("/beat")).count()
    }
}

fn title(delivery: &Delivery) -> String {
    let data = &delivery.json()["data"];
    format!("{} {}", data["condition"].as_str().unwrap(), data["change"].as_str().unwrap())
}

/// A world that tells `Taker`, in this format.
async fn world(format: &str) -> (World, Taker) {
    // The address has to be known before the clock of the world is.
    let receiver = Receiver::new(apim_dr_sim::clock::Clock::manual(crate::world::START));
    let listening = receiver.listen(0, None).await.unwrap();
    let setup = Setup::default()
        .setting("ALERT_WEBHOOK_URL", listening.url("/alerts?code=webhook-secret"))
        .setting("ALERT_FORMAT", format)
        .setting("HEARTBEAT_URL", listening.url("/beat/heartbeat-secret"));
    (World::of(setup).await, Taker { receiver, _listening: listening })
}

/// Lets the next backup fail at Azure, and waits until that is known.
async fn fail_a_backup(world: &World) {
    world
        .cloud()
        .next(Request::Backup, Fault::error(400, "InvalidParameters", "the storage account said no"));
    world.by_hand("BackupTimer", "now").await;
    world.minutes(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_change_is_delivered_once_in_azures_own_words() {
    let (world, taker) = world("cloudevents").await;
    world.until_held_by(&[NORTH]).await;
    assert_eq!(taker.told(), Vec::<String>::new(), "all is well");
    fail_a_backup(&world).await;
    world.minutes(10).await;
    world.until_held_by(&[NORTH]).await;
    world.by_hand("BackupTimer", "now").await;
    world.until("backup.verified").await;
    world.minutes(3).await;
    assert_eq!(taker.told(), ["BackupFailing raised", "BackupFailing cleared"]);
    let delivery =
        &taker.receiver.deliveries().into_iter().find(|delivery| delivery.method == "POST").unwrap();
    assert_eq!(delivery.header("content-type"), "application/cloudevents+json");
    let event = delivery.json();
    assert_eq!((&event["specversion"], &event["type"]), (&"1.0".into(), &"apim-dr.condition.raised".into()));
    assert_eq!(event["subject"], PRIMARY);
    assert!(event["source"].as_str().unwrap().ends_with(PRIMARY));
    let fact = event["data"]["fact"].as_str().unwrap();
    assert!(fact.contains("HTTP 400 InvalidParameters: the storage account said no"), "{fact}");
    assert!(event["data"]["next"].as_str().unwrap().contains("run BackupTimer"), "{event}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_is_away_gets_every_change_later_and_holds_up_nothing() {
    let (world, taker) = world("cloudevents").await;
    world.until_held_by(&[NORTH]).await;
    taker.receiver.next(Fault::status(503).times(4));
    fail_a_backup(&world).await;
    world.by_hand("BackupTimer", "now").await;
    world.until("backup.verified").await;
    world.minutes(60).await;
    let told = taker.told();
    assert!(told.starts_with(&["BackupFailing raised".into(), "BackupFailing raised".into()]), "{told:?}");
    assert_eq!(told.last().unwrap(), "BackupFailing cleared");
    // The heartbeats in between meet the other two.
    assert_eq!(world.told("alert.not_delivered").len(), 2);
    assert_eq!(world.told("heartbeat.not_sent").len(), 2);
    assert_eq!(world.told("alert.delivered").len(), 2);
    let ids: Vec<Value> = taker
        .receiver
        .deliveries()
        .iter()
        .filter(|d| d.method == "POST")
        .map(|d| d.json()["id"].clone())
        .collect();
    assert!(ids[..3].iter().all(|id| *id == ids[0]), "the same change has the same id: {ids:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hosts_do_not_deliver_one_change_twice() {
    let (world, taker) = world("cloudevents").await;
    let other = world.another_host().await;
    world.until_held_by(&[NORTH]).await;
    world.cloud().next(Request::Backup, Fault::error(400, "InvalidParameters", "no"));
    world.by_hand("BackupTimer", "now").await;
    for _ in 0..5 {
        world.clock.advance(time::Duration::MINUTE);
        let (one, two) = tokio::join!(world.host.tick(), other.tick());
        assert_succeeded(&one);
        assert_succeeded(&two);
    }
    assert_eq!(taker.told(), ["BackupFailing raised"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn teams_gets_a_card_and_slack_a_text() {
    for (format, pointer) in [("teams", "/attachments/0/content/body/0/text"), ("slack", "/text")] {
        let (world, taker) = world(format).await;
        world.until_held_by(&[NORTH]).await;
        fail_a_backup(&world).await;
        world.minutes(2).await;
        let deliveries = taker.receiver.deliveries();
        let delivery = deliveries.iter().find(|delivery| delivery.method == "POST").unwrap();
        assert_eq!(delivery.header("content-type"), "application/json");
        let body = delivery.json();
        let text = body.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{body}"));
        assert!(text.contains("BackupFailing of contoso-west raised"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dead_mans_switch_hears_of_ticks_that_did_their_work() {
    let (world, taker) = world("cloudevents").await;
    world.minutes(3).await;
    let beats = taker.beats();
    assert!(beats >= 3, "{beats}");
    world.by_hand("BackupTimer", "now").await;
    assert_eq!(taker.beats(), beats, "a run by hand is no heartbeat");
    world.storage.put(STATE, &format!("services/{PRIMARY}.json"), b"{".to_vec(), &[]).await.unwrap();
    let failed = world.tick().await;
    assert!(failed.outcome.is_failure());
    assert_eq!(taker.beats(), beats, "nor is a tick that could not do its work");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_address_is_written_down() {
    let (world, taker) = world("cloudevents").await;
    world.until_held_by(&[NORTH]).await;
    taker.receiver.next(Fault::status(500).times(2));
    fail_a_backup(&world).await;
    world.minutes(20).await;
    let mut texts: Vec<String> = world.host.lines().into_iter().map(|line| line.text).collect();
    for blob in world.blobs(STATE, "").await {
        texts.push(String::from_utf8(world.storage.get(STATE, &blob).await.unwrap().unwrap()).unwrap());
    }
    for secret in ["webhook-secret", "heartbeat-secret"] {
        assert!(texts.iter().all(|text| !text.contains(secret)), "{secret}");
    }
}

/// A health document that somebody spoilt costs no backup, and is not lost either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spoilt_health_document_holds_up_nothing_and_is_named() {
    let (world, taker) = world("cloudevents").await;
    let path = format!("health/{PRIMARY}.json");
    world.minutes(1).await;
    world.storage.put(STATE, &path, b"{\"version\":1".to_vec(), &[]).await.unwrap();
    let beats = taker.beats();
    let invocations = world.troubled_minutes(20).await;
    assert!(invocations.iter().any(|invocation| invocation.outcome.is_failure()));
    assert_eq!(
        world.told("restore.unverified").len() + world.told("restore.verified").len(),
        1,
        "the standby is kept up"
    );
    assert!(world.told("health.not_kept")[0].message.contains(&path));
    assert_eq!(taker.beats(), beats, "the dead man's switch says that somebody has to look");
    let bytes = world.storage.get(STATE, &path).await.unwrap().unwrap();
    assert_eq!(bytes, b"{\"version\":1", "it is left as it is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_is_written_when_something_changes_and_every_quarter_of_an_hour() {
    let (world, _taker) = world("cloudevents").await;
    let held = world.until_held_by(&[NORTH]).await;
    let path = format!("status/{PRIMARY}.json");
    let status = world.json(STATE, &path).await;
    assert_eq!(status["lastVerified"]["name"], held.as_str());
    assert_eq!(status["services"][1]["holds"]["backup"], held.as_str());
    let mut seen = Vec::new();
    for _ in 0..47 {
        world.minutes(1).await;
        seen.push(world.json(STATE, &path).await["asOf"].clone());
    }
    seen.dedup();
    assert!((3..=5).contains(&seen.len()), "about three times in three quarters of an hour: {seen:?}");
    let page = world.storage.get(STATE, &format!("status/{PRIMARY}.html")).await.unwrap().unwrap();
    assert!(String::from_utf8(page).unwrap().contains(&held));
}

/// A secondary whose record is spoilt is missed by nothing else: nobody restores into it, and nobody compares it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_cannot_be_read_is_told_once_it_is_no_hiccup() {
    let (world, taker) = world("cloudevents").await;
    world.until_held_by(&[NORTH]).await;
    let path = format!("services/{NORTH}.json");
    let record = world.storage.get(STATE, &path).await.unwrap().unwrap();
    for (minutes, told) in [(3, &[][..]), (8, &["RecordUnreadable raised", "RecordUnreadable cleared"][..])] {
        world.storage.put(STATE, &path, record[..400].to_vec(), &[]).await.unwrap();
        world.troubled_minutes(minutes).await;
        let status = world.json(STATE, &format!("status/{PRIMARY}.json")).await;
        assert_eq!(status["unread"][0]["name"], NORTH);
        world.storage.put(STATE, &path, record.clone(), &[]).await.unwrap();
        world.minutes(1).await;
        assert_eq!(taker.told(), told);
    }
    let deliveries = taker.receiver.deliveries();
    let raised = deliveries.iter().find(|delivery| delivery.method == "POST").unwrap().json();
    let fact = raised["data"]["fact"].as_str().unwrap();
    assert!(fact.contains(&path) && fact.contains("it is not a record"), "{fact}");
}
