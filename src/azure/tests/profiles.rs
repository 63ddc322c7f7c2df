//! Who serves, asked of Traffic Manager.

use super::script::*;
use crate::domain::id::ServiceName;
use crate::domain::serving::Serving;

const PROFILE: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/traffic/providers/\
                       Microsoft.Network/trafficManagerProfiles/contoso";

async fn who_serves(replies: impl IntoIterator<Item = Reply>, settings: &[(&str, &str)]) -> Serving {
    let script = Script::new(replies);
    let serving = azure(&script, settings).who_serves().await;
    let url = format!("https://arm.test{PROFILE}?api-version=2022-04-01");
    assert!(script.sent().iter().all(|sent| sent.method == "GET" && sent.url == url));
    serving
}

fn profile() -> Reply {
    let endpoint = |name: &str, priority: u32, monitor: &str| {
        serde_json::json!({
            "name": name, "type": "Microsoft.Network/trafficManagerProfiles/externalEndpoints",
            "properties": {"endpointStatus": "Enabled", "endpointMonitorStatus": monitor, "priority": priority,
                           "target": format!("{name}.azure-api.net")},
        })
    };
    let endpoints = [endpoint("contoso-weu", 1, "Degraded"), endpoint("contoso-neu", 2, "Online")];
    let text = serde_json::json!({
        "properties": {"profileStatus": "Enabled", "trafficRoutingMethod": "Priority", "endpoints": endpoints},
    });
    body(200, text.to_string())
}

fn service(name: &str) -> Serving {
    Serving::Service(ServiceName::parse(name).unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_profile_is_read_and_says_who_serves() {
    assert_eq!(who_serves([profile()], &[("TRAFFIC_MANAGER_ID", PROFILE)]).await, service("contoso-neu"));
}

#[tokio::test(start_paused = true)]
async fn what_the_settings_say_is_asked_of_nobody() {
    assert_eq!(who_serves([], &[]).await, Serving::NotConfigured);
    let off = [("TRAFFIC_MANAGER_ID", PROFILE), ("LIVE_CHECK", "off")];
    assert_eq!(who_serves([], &off).await, service("contoso-weu"));
}

#[tokio::test(start_paused = true)]
async fn another_cloud_has_gateways_of_its_own() {
    let usgov = [("TRAFFIC_MANAGER_ID", PROFILE), ("AZURE_CLOUD", "usgov")];
    let Serving::Unknown(why) = who_serves([profile()], &usgov).await else { panic!("the hosts do not fit") };
    assert!(why.ends_with("use the default host, such as contoso-weu.azure-api.us"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_cannot_be_read_leaves_it_unknown_in_azures_words() {
    let settings = [("TRAFFIC_MANAGER_ID", PROFILE)];
    let denied = r#"{"error":{"code":"AuthorizationFailed","message":"no read on the profile"}}"#.to_owned();
    for (replies, words) in [
        (vec![body(403, denied)], "HTTP 403 AuthorizationFailed: no read on the profile"),
        (vec![status(401), status(401)], "HTTP 401"),
        (vec![body(200, "{}".to_owned())], "the answer is not a profile"),
        (vec![Reply::Lost, Reply::Lost, Reply::Lost, Reply::Lost], "connection reset"),
    ] {
        let Serving::Unknown(why) = who_serves(replies, &settings).await else { panic!("{words}") };
        assert!(why.starts_with("the profile in TRAFFIC_MANAGER_ID cannot be read: "), "{why}");
        assert!(why.contains(words), "{why}");
    }
}
