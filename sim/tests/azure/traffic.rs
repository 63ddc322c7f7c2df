//! Traffic Manager: section 5 of the contract, the published examples for shapes, and Microsoft's article on endpoint
//! monitoring for times and statuses.

use apim_dr_sim::clock::Clock;
use apim_dr_sim::cloud::{Denial, ServiceSpec};
use apim_dr_sim::knobs::{Fault, Request};
use apim_dr_sim::traffic::{ProfileSpec, TrafficHandle};
use serde_json::{Value, json};
use time::Duration;

use crate::world::{Answer, NEU, START, WEU, World};

fn world_with(profile: ProfileSpec) -> World {
    World::with(|builder| {
        let west = ServiceSpec::new(WEU, "West Europe").with_sample();
        builder.service(west).service(ServiceSpec::new(NEU, "North Europe")).traffic_manager(profile)
    })
}

fn world() -> World {
    world_with(ProfileSpec::new("contoso"))
}

impl World {
    fn pass(&self, seconds: i64) {
        self.cloud.clock().advance(Duration::seconds(seconds));
    }

    fn traffic(&self) -> TrafficHandle {
        self.cloud.traffic_manager()
    }

    /// `GET` of the profile or of something below it.
    async fn profile(&self, below: &str) -> Answer {
        self.get(&format!("{}{below}?api-version=2022-04-01", self.traffic().id())).await
    }

    async fn patch(&self, endpoint: &str, properties: Value) -> Answer {
        let path = format!("{}/externalEndpoints/{endpoint}?api-version=2022-04-01", self.traffic().id());
        self.send(("PATCH", &path), Some(&self.token()), &json!({"properties": properties}).to_string()).await
    }

    async fn statuses(&self) -> Vec<String> {
        let profile = self.profile("").await.body["properties"].take();
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let endpoints = profile["endpoints"].as_array().unwrap().iter();
        let endpoints = endpoints.map(|endpoint| word(&endpoint["properties"]["endpointMonitorStatus"]));
        std::iter::once(word(&profile["monitorConfig"]["profileMonitorStatus"])).chain(endpoints).collect()
    }
}

// Profile-GET-WithEndpoints.json; section 5: ids come in mixed case, `location` is `global`.
#[tokio::test(start_paused = true)]
async fn a_profile_looks_as_published() {
    let world = world();
    let id = world.traffic().id();
    let lower = world.get(&format!("{}?api-version=2022-04-01", id.to_lowercase())).await;
    assert_eq!(lower.status.as_u16(), 200);
    let profile = lower.body;
    assert_eq!((&profile["id"], &profile["location"]), (&json!(id), &json!("global")));
    assert_eq!(profile["type"], "Microsoft.Network/trafficManagerProfiles");
    let properties = &profile["properties"];
    assert_eq!(properties["profileStatus"], "Enabled");
    assert_eq!(properties["trafficRoutingMethod"], "Priority");
    assert_eq!(
        properties["dnsConfig"],
        json!({"relativeName": "contoso", "fqdn": "contoso.trafficmanager.net", "ttl": 60})
    );
    let monitor = json!({"profileMonitorStatus": "Online", "protocol": "HTTPS", "port": 443,
                         "path": "/status-0123456789abcdef", "intervalInSeconds": 30,
                         "toleratedNumberOfFailures": 3, "timeoutInSeconds": 10});
    assert_eq!(properties["monitorConfig"], monitor);
    let endpoint = json!({
        "id": format!("{id}/externalEndpoints/{WEU}"), "name": WEU,
        "type": "Microsoft.Network/trafficManagerProfiles/externalEndpoints",
        "properties": {"endpointStatus": "Enabled", "endpointMonitorStatus": "Online",
                       "target": "contoso-weu.azure-api.net", "weight": 1, "priority": 1,
                       "endpointLocation": "West Europe"},
    });
    assert_eq!(properties["endpoints"][0], endpoint);
    assert_eq!(properties["endpoints"][1]["properties"]["priority"], 2);
    let url = format!("/externalendpoints/{}", WEU.to_uppercase());
    assert_eq!(world.profile(&url).await.body, endpoint);
    assert_eq!(world.profile("/azureEndpoints/contoso-weu").await.error(), (404, "ResourceNotFound"));
}

// Section 5: failover takes about (tolerated + 1) probes, and the time for which answers are kept.
#[tokio::test(start_paused = true)]
async fn users_move_to_the_secondary_and_back_by_themselves() {
    let world = world();
    assert_eq!(world.cloud.serving(), [WEU]);
    world.cloud.service(WEU).gateway_down();
    assert_eq!(world.cloud.serving(), [""; 0], "users are still sent to the primary");
    world.pass(90);
    assert_eq!(world.statuses().await, ["Online", "Online", "Online"], "three failures are tolerated");
    world.pass(40);
    assert_eq!(world.statuses().await, ["Degraded", "Degraded", "Online"]);
    assert_eq!(world.cloud.serving(), [NEU]);
    world.pass(120);
    world.cloud.service(WEU).gateway_up();
    assert_eq!(world.statuses().await[1], "Degraded", "until the next probe");
    assert_eq!(world.cloud.serving(), [NEU]);
    world.pass(30);
    assert_eq!(world.statuses().await, ["Online", "Online", "Online"]);
    assert_eq!(world.cloud.serving(), [WEU, NEU], "old answers are still in use");
    world.pass(60);
    assert_eq!(world.cloud.serving(), [WEU]);
    let served = world.cloud.journal().served();
    let told: Vec<_> = served.iter().map(|served| served.services.join(" and ")).collect();
    assert_eq!(told, [WEU, "", NEU, "contoso-weu and contoso-neu", WEU]);
    let after = |index: usize| (served[index].at - START).whole_seconds();
    assert_eq!((after(0), after(1)), (0, 0));
    assert_eq!(after(2), 7 + 3 * 30 + 10, "the fourth probe without an answer");
    assert_eq!(after(4) - after(3), 60);
}

// Section 5: an interval of 10 s with no failure tolerated is the fastest.
#[tokio::test(start_paused = true)]
async fn a_fast_profile_fails_over_fast_by_the_runtimes_time_too() {
    let world = World::by(Clock::of_runtime(START), |builder| {
        let profile = ProfileSpec::new("contoso").probing(10, 5, 0).ttl(0).regional();
        let services = [ServiceSpec::new(WEU, "West Europe"), ServiceSpec::new(NEU, "North Europe")];
        services
            .into_iter()
            .fold(builder.traffic_manager(profile), |builder, service| builder.service(service))
    });
    let target =
        world.profile(&format!("/externalEndpoints/{NEU}")).await.body["properties"]["target"].take();
    assert_eq!(target, "contoso-neu-northeurope-01.regional.azure-api.net");
    world.cloud.service(WEU).gateway_down();
    tokio::time::sleep(std::time::Duration::from_secs(15)).await;
    assert_eq!(world.cloud.serving(), [NEU]);
}

// Section 5: all endpoints Degraded means that all are answered: a half-restored secondary can then get traffic.
#[tokio::test(start_paused = true)]
async fn when_all_are_degraded_all_are_given_out() {
    let world = world();
    world.cloud.service(WEU).gateway_down();
    world.cloud.service(NEU).gateway_down();
    world.pass(300);
    assert_eq!(world.statuses().await, ["Degraded", "Degraded", "Degraded"]);
    assert_eq!(world.cloud.serving(), [""; 0]);
    world.cloud.service(NEU).gateway_up();
    assert_eq!(world.cloud.serving(), [NEU], "it is given out before a probe has found it well");
}

// Section 5: an endpoint is taken out by a PATCH; the article: one that was put in again is checked first.
#[tokio::test(start_paused = true)]
async fn an_endpoint_is_taken_out_and_put_in_by_hand() {
    let world = world();
    let disabled = world.patch(WEU, json!({"endpointStatus": "Disabled"})).await;
    assert_eq!(disabled.status.as_u16(), 200);
    assert_eq!(disabled.body["properties"]["endpointMonitorStatus"], "Disabled");
    assert_eq!(disabled.body["properties"]["priority"], 1, "what the body leaves out stays");
    assert_eq!(world.statuses().await, ["Online", "Disabled", "Online"]);
    world.pass(60);
    assert_eq!(world.cloud.serving(), [NEU]);
    let enabled = world.patch(WEU, json!({"endpointStatus": "Enabled"})).await;
    assert_eq!(enabled.body["properties"]["endpointMonitorStatus"], "CheckingEndpoint");
    assert_eq!(world.statuses().await, ["Online", "CheckingEndpoint", "Online"]);
    assert_eq!(world.cloud.serving(), [WEU, NEU], "an endpoint is given out while it is checked");
    world.pass(30);
    assert_eq!(world.statuses().await, ["Online", "Online", "Online"]);
    let taken = world.patch(NEU, json!({"priority": 1})).await;
    assert_eq!(taken.error().0, 400, "no two endpoints share a priority");
    assert_eq!(world.patch(NEU, json!({"endpointStatus": "Away"})).await.error().0, 400);
}

// The article's tables of endpoint and profile monitor statuses.
#[tokio::test(start_paused = true)]
async fn statuses_follow_what_is_switched_on_and_off() {
    let world = world();
    let traffic = world.traffic();
    traffic.set_enabled(false);
    assert_eq!(world.statuses().await, ["Disabled", "Inactive", "Inactive"]);
    world.pass(60);
    assert_eq!(world.cloud.serving(), [""; 0], "NXDOMAIN");
    traffic.set_enabled(true);
    assert_eq!(world.statuses().await, ["CheckingEndpoints", "CheckingEndpoint", "CheckingEndpoint"]);
    world.pass(30);
    assert_eq!(world.statuses().await[0], "Online");
    traffic.disable(WEU);
    traffic.disable(NEU);
    assert_eq!(world.statuses().await, ["Inactive", "Disabled", "Disabled"]);
    traffic.enable(NEU);
    world.pass(90);
    assert_eq!(world.cloud.serving(), [NEU]);
}

// Section 5: `alwaysServe` means that nobody probes.
#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_always_served_is_served_though_it_is_down() {
    let world = world();
    world.traffic().set_always_serve(WEU, Some(true));
    world.cloud.service(WEU).gateway_down();
    world.pass(600);
    let endpoint = world.profile(&format!("/externalEndpoints/{WEU}")).await.body["properties"].take();
    assert_eq!(
        (&endpoint["alwaysServe"], &endpoint["endpointMonitorStatus"]),
        (&json!("Enabled"), &json!("Unmonitored"))
    );
    assert_eq!(world.cloud.serving(), [""; 0]);
    world.traffic().set_always_serve(WEU, Some(false));
    world.pass(30 + 4 * 30 + 60);
    assert_eq!(world.cloud.serving(), [NEU]);
}

#[tokio::test(start_paused = true)]
async fn what_a_careful_reader_must_not_trust_can_be_set_up() {
    let world = world();
    let traffic = world.traffic();
    traffic.force_status(WEU, Some("Stopped"));
    assert_eq!(world.statuses().await, ["Online", "Stopped", "Online"]);
    world.pass(60);
    assert_eq!(world.cloud.serving(), [NEU]);
    traffic.force_status(WEU, None);
    traffic.set_method("Weighted");
    assert_eq!(world.cloud.serving(), [WEU, NEU], "each user is sent to one of them");
    traffic.set_method("Priority");
    traffic.add_nested("children", 3);
    traffic.add_external("elsewhere", "api.elsewhere.example", 4);
    traffic.set_priority(NEU, 1);
    traffic.set_target(NEU, "api.contoso.example");
    let endpoints = world.profile("").await.body["properties"]["endpoints"].take();
    let told: Vec<_> = endpoints
        .as_array()
        .unwrap()
        .iter()
        .map(|endpoint| {
            (endpoint["type"].as_str().unwrap().rsplit('/').next().unwrap(), &endpoint["properties"])
        })
        .map(|(kind, properties)| {
            (kind, properties["target"].as_str().unwrap(), properties["priority"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("externalEndpoints", "contoso-weu.azure-api.net", 1),
            ("externalEndpoints", "api.contoso.example", 1),
            ("nestedEndpoints", "children.trafficmanager.net", 3),
            ("externalEndpoints", "api.elsewhere.example", 4),
        ]
    );
    traffic.remove("elsewhere");
    assert_eq!(world.statuses().await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn reading_a_profile_can_fail_like_anything_else() {
    let world = world();
    world.cloud.next(Request::Profile, Fault::status(503));
    assert_eq!(world.profile("").await.status.as_u16(), 503);
    world.cloud.deny(Denial::of("Microsoft.Network/trafficManagerProfiles/read"));
    let refused = world.profile("").await;
    assert_eq!(refused.error(), (403, "AuthorizationFailed"));
    assert!(
        refused.message().contains("'Microsoft.Network/trafficManagerProfiles/read'"),
        "{}",
        refused.message()
    );
    assert_eq!(world.patch(WEU, json!({})).await.status.as_u16(), 200, "another action");
    world.cloud.allow_all();
    let id = world.traffic().id().replace("contoso", "other");
    assert_eq!(world.get(&format!("{id}?api-version=2022-04-01")).await.error(), (404, "ResourceNotFound"));
    let old = world.get(&format!("{}?api-version=2010-01-01", world.traffic().id())).await;
    assert_eq!(old.error(), (400, "InvalidResourceType"));
}

#[tokio::test(start_paused = true)]
async fn years_pass_in_a_moment() {
    let world = world();
    for _ in 0..200 {
        world.cloud.clock().advance(Duration::days(10));
        world.cloud.service(WEU).gateway_down();
        world.cloud.clock().advance(Duration::hours(1));
        assert_eq!(world.cloud.serving(), [NEU]);
        world.cloud.service(WEU).gateway_up();
    }
    world.pass(120);
    assert_eq!(world.cloud.serving(), [WEU]);
    assert_eq!(world.cloud.journal().served().len(), 1 + 200 * 4);
}

#[tokio::test(start_paused = true)]
async fn without_traffic_manager_users_go_to_the_first_service() {
    let world = World::new();
    assert_eq!((world.cloud.serving(), world.cloud.profile_id()), (vec![WEU.to_owned()], None));
    world.cloud.service(WEU).gateway_down();
    world.pass(3_600);
    assert_eq!(world.cloud.serving(), [""; 0]);
}
