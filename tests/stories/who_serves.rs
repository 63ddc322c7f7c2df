//! Who serves, by what a Traffic Manager profile says.

use apim_dr::domain::serving::{Gateways, Profile, Serving};
use serde_json::{Value, json};

use super::fixtures::service;

/// An external endpoint as Resource Manager shows it.
fn endpoint(target: &str, priority: u32, monitor: &str) -> Value {
    json!({
        "id": format!("/…/trafficManagerProfiles/contoso/externalEndpoints/{target}"),
        "name": format!("e{priority}"),
        "type": "Microsoft.Network/trafficManagerProfiles/externalEndpoints",
        "properties": {
            "endpointStatus": "Enabled", "endpointMonitorStatus": monitor, "target": target,
            "weight": 1, "priority": priority, "endpointLocation": null, "alwaysServe": "Disabled",
        },
    })
}

const PRIMARY: &str = "contoso.azure-api.net";
const SECONDARY: &str = "contoso-dr.azure-api.net";

fn both(primary: &str, secondary: &str) -> Vec<Value> {
    vec![endpoint(SECONDARY, 2, secondary), endpoint(PRIMARY, 1, primary)]
}

fn profile(endpoints: &[Value]) -> Value {
    json!({
        "name": "contoso", "location": "global", "type": "Microsoft.Network/trafficManagerProfiles",
        "properties": {
            "profileStatus": "Enabled", "trafficRoutingMethod": "Priority",
            "monitorConfig": {"profileMonitorStatus": "Online"}, "endpoints": endpoints,
        },
    })
}

fn serving(profile: &Value) -> Serving {
    let services = ["contoso", "contoso-dr", "contoso-westeurope"].map(|name| service(name).name()).to_vec();
    let gateways = Gateways { domain: "azure-api.net".into(), services };
    Profile::parse(profile.to_string().as_bytes()).expect("a profile").serving(&gateways)
}

/// The name of the service that serves, or why that is not known.
fn who(endpoints: &[Value]) -> String {
    told(serving(&profile(endpoints)))
}

fn told(serving: Serving) -> String {
    match serving {
        Serving::Service(name) => name.to_string(),
        Serving::Unknown(why) => format!("? {why}"),
        Serving::NotConfigured => panic!("a profile was read"),
    }
}

#[test]
fn the_online_endpoint_with_the_lowest_priority_serves() {
    assert_eq!(who(&both("Online", "Online")), "contoso");
    assert_eq!(who(&both("Degraded", "Online")), "contoso-dr");
    assert_eq!(who(&both("Stopped", "Online")), "contoso-dr");
    assert_eq!(
        who(&both("Online", "CheckingEndpoint")),
        "contoso",
        "what is checked behind it can not come before"
    );
}

#[test]
fn an_endpoint_that_always_serves_is_not_probed() {
    let mut endpoints = both("Unmonitored", "Online");
    endpoints[1]["properties"]["alwaysServe"] = json!("Enabled");
    assert_eq!(who(&endpoints), "contoso");
}

#[test]
fn a_disabled_endpoint_does_not_count() {
    let mut endpoints = both("Online", "Online");
    endpoints[1]["properties"]["endpointStatus"] = json!("Disabled");
    assert_eq!(who(&endpoints), "contoso-dr");
    endpoints[1]["properties"]["alwaysServe"] = json!("Enabled");
    assert_eq!(who(&endpoints), "contoso-dr", "and not by always serving either");
}

#[test]
fn while_an_endpoint_before_it_is_checked_nobody_knows() {
    assert_eq!(
        who(&both("CheckingEndpoint", "Online")),
        "? Traffic Manager is still checking the endpoint e1"
    );
}

#[test]
fn when_none_answers_users_may_be_sent_anywhere() {
    let nobody = "? no enabled endpoint is Online; Traffic Manager may send users to any of them";
    assert_eq!(who(&both("Degraded", "Degraded")), nobody);
    assert_eq!(who(&[]), nobody);
    let mut disabled = both("Online", "Online");
    disabled.iter_mut().for_each(|endpoint| endpoint["properties"]["endpointStatus"] = json!("Disabled"));
    assert_eq!(who(&disabled), nobody);
}

#[test]
fn words_are_compared_without_case() {
    let mut endpoints = both("ONLINE", "online");
    endpoints[1]["properties"]["endpointStatus"] = json!("enabled");
    let mut profile = profile(&endpoints);
    profile["properties"]["profileStatus"] = json!("ENABLED");
    profile["properties"]["trafficRoutingMethod"] = json!("priority");
    assert_eq!(told(serving(&profile)), "contoso");
}

#[test]
fn only_priority_routing_says_who_serves() {
    for method in ["Performance", "Weighted", "Geographic", "MultiValue", "Subnet"] {
        let mut profile = profile(&both("Online", "Online"));
        profile["properties"]["trafficRoutingMethod"] = json!(method);
        let why = format!("? the profile routes by {method}, and only Priority says who serves");
        assert_eq!(told(serving(&profile)), why);
    }
}

#[test]
fn a_disabled_profile_says_nothing() {
    let mut profile = profile(&both("Online", "Online"));
    profile["properties"]["profileStatus"] = json!("Disabled");
    assert_eq!(told(serving(&profile)), "? the profile is Disabled");
    profile["properties"].as_object_mut().unwrap().remove("profileStatus");
    assert_eq!(told(serving(&profile)), "? the profile is in no state that it names");
}

#[test]
fn nested_endpoints_hide_who_serves_wherever_they_stand() {
    let mut endpoints = both("Online", "Online");
    endpoints[0]["type"] = json!("Microsoft.Network/trafficmanagerprofiles/NestedEndpoints");
    assert_eq!(who(&endpoints), "? the endpoint e2 is another profile, whose choice is not known");
}

#[test]
fn priorities_must_tell_one_from_the_other() {
    let twice = [endpoint(PRIMARY, 1, "Online"), endpoint(SECONDARY, 1, "Online")];
    assert_eq!(who(&twice), "? two endpoints have the priority 1");
    let mut none = both("Online", "Online");
    none[0]["properties"].as_object_mut().unwrap().remove("priority");
    assert_eq!(who(&none), "? the endpoint e2 has no priority");
}

#[test]
fn endpoints_are_matched_by_gateway_and_regional_hosts() {
    let behind = |target: &str| who(&[endpoint(target, 1, "Online")]);
    assert_eq!(behind("Contoso.Azure-API.net"), "contoso");
    assert_eq!(behind("contoso.azure-api.net."), "contoso");
    assert_eq!(behind("contoso-northeurope-01.regional.azure-api.net"), "contoso");
    assert_eq!(behind("CONTOSO-DR-swedencentral-02.Regional.azure-api.net"), "contoso-dr");
    assert_eq!(behind("contoso-westeurope-01.regional.azure-api.net"), "contoso", "by its region");
    assert_eq!(behind("contoso-westeurope-northeurope-01.regional.azure-api.net"), "contoso-westeurope");
}

#[test]
fn a_target_that_fits_no_service_says_nothing() {
    for target in [
        "api.contoso.com",
        "contoso.azure-api.us",
        "contoso.azure-api.net.evil.example",
        "xcontoso.azure-api.net",
        "contoso-dr2.azure-api.net",
        "contoso-westeurope-1a.regional.azure-api.net",
        "contoso--01.regional.azure-api.net",
        "contoso.regional.azure-api.net",
        "contosoazure-api.net",
    ] {
        let why = format!(
            "? the endpoint e1 serves, and its target {target} is the gateway of no service in the settings; use the \
             default host, such as contoso.azure-api.net"
        );
        assert_eq!(who(&[endpoint(target, 1, "Online")]), why);
    }
    let mut untargeted = endpoint(PRIMARY, 1, "Online");
    untargeted["properties"]["target"] = json!(null);
    assert_eq!(who(&[untargeted]), "? the endpoint e1 has no target");
}

#[test]
fn a_strangers_endpoint_matters_only_where_it_serves() {
    let maintenance = endpoint("maintenance.contoso.com", 9, "Online");
    let with = |primary: &str, secondary: &str| {
        let endpoints = [both(primary, secondary), vec![maintenance.clone()]].concat();
        who(&endpoints)
    };
    assert_eq!(with("Online", "Online"), "contoso");
    assert!(with("Degraded", "Degraded").starts_with("? the endpoint e9 serves"));
}

#[test]
fn what_is_no_profile_is_an_error() {
    for body in ["", "null", "[]", "{}", r#"{"properties":{"endpoints":[{"properties":{"priority":-1}}]}}"#] {
        assert!(Profile::parse(body.as_bytes()).is_err(), "{body}");
    }
}
