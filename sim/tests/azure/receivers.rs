//! Receivers of alerts and heartbeats, over a socket.

use apim_dr_sim::clock::Clock;
use apim_dr_sim::knobs::{Broken, Fault};
use apim_dr_sim::receiver::Receiver;
use apim_dr_sim::tls::Authority;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use time::Duration;
use tower_service::Service as _;

use crate::world::START;

async fn post(http: &reqwest::Client, url: &str, body: &Value) -> Option<u16> {
    let request =
        http.post(url).header("content-type", "application/cloudevents+json").body(body.to_string());
    request.send().await.ok().map(|answer| answer.status().as_u16())
}

#[tokio::test]
async fn everything_is_kept_and_answered_as_planned() {
    let (clock, authority) = (Clock::manual(START), Authority::new().unwrap());
    let alerts = Receiver::new(clock.clone());
    let listening = alerts.listen(0, Some(&authority)).await.unwrap();
    let (http, url) = (authority.client().unwrap(), listening.url("/hooks/T0?code=x"));
    assert!(url.starts_with("https://localhost:"));
    alerts.next(Fault::status(503).retry_after(7));
    alerts.next(Fault::lose_reply());
    alerts.next(Fault::refuse());
    assert_eq!(post(&http, &url, &json!({"type": "a"})).await, Some(503));
    clock.advance(Duration::MINUTE);
    assert_eq!(post(&http, &url, &json!({"type": "b"})).await, None);
    assert_eq!(post(&http, &url, &json!({"type": "c"})).await, None);
    assert_eq!(post(&http, &url, &json!({"type": "d"})).await, Some(200));
    let told: Vec<_> = alerts
        .deliveries()
        .iter()
        .map(|delivery| (delivery.json()["type"].as_str().unwrap().to_owned(), delivery.status))
        .collect();
    let expected = [("a", Some(503)), ("b", None), ("d", Some(200))];
    assert_eq!(told, expected.map(|(kind, status)| (kind.to_owned(), status)));
    let first = &alerts.deliveries()[0];
    assert_eq!((first.method.as_str(), first.target.as_str(), first.at), ("POST", "/hooks/T0?code=x", START));
    assert_eq!(first.header("Content-Type"), "application/cloudevents+json");
    alerts.clear();
    assert!(alerts.deliveries().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_receiver_can_be_slow_in_simulated_time_and_needs_no_socket() {
    let heartbeats = Receiver::new(Clock::of_runtime(START));
    let call = || Request::get("/ping/42").body(Body::empty()).unwrap();
    heartbeats.next(Fault::delay(std::time::Duration::from_secs(40)));
    heartbeats.next(Fault::lose_reply().forever());
    let mut router = heartbeats.router();
    assert_eq!(router.call(call()).await.unwrap().status().as_u16(), 200);
    let lost = router.call(call()).await.unwrap();
    assert_eq!(lost.extensions().get::<Broken>(), Some(&Broken::AfterTheWork));
    assert_eq!(heartbeats.deliveries()[0].at - START, Duration::seconds(40));
    heartbeats.clear_faults();
    assert_eq!(router.call(call()).await.unwrap().extensions().get::<Broken>(), None);
}
