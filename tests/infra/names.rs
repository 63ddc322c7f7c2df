//! Names within Azure's limits, for the longest prefix that a parameter takes.

use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::settings::{PROFILE, parameters};
use crate::template;

/// For each type: the shortest and the longest name, and which characters it may have beside lower-case letters
/// and digits.
const LIMITS: [(&str, usize, usize, &str); 17] = [
    ("Microsoft.Storage/storageAccounts", 3, 24, ""),
    ("Microsoft.Storage/storageAccounts/blobServices", 7, 7, ""),
    ("Microsoft.Storage/storageAccounts/blobServices/containers", 3, 63, "-"),
    ("Microsoft.Storage/storageAccounts/managementPolicies", 7, 7, ""),
    ("Microsoft.OperationalInsights/workspaces", 4, 63, "-"),
    ("Microsoft.Insights/components", 1, 260, "-"),
    ("Microsoft.Insights/actionGroups", 1, 260, "-"),
    ("Microsoft.Insights/scheduledQueryRules", 1, 260, "-"),
    ("Microsoft.Web/serverfarms", 1, 60, "-"),
    // The Functions host makes its id from the first 32 characters.
    ("Microsoft.Web/sites", 2, 32, "-"),
    ("Microsoft.Authorization/roleDefinitions", 36, 36, "-"),
    ("Microsoft.Authorization/roleAssignments", 36, 36, "-"),
    ("Microsoft.ApiManagement/service", 1, 50, "-"),
    ("Microsoft.Network/trafficmanagerprofiles", 1, 63, "-"),
    ("Microsoft.EventGrid/systemTopics", 3, 50, "-"),
    ("Microsoft.EventGrid/systemTopics/eventSubscriptions", 3, 64, "-"),
    ("Microsoft.Resources/deployments", 1, 64, "-"),
];

fn check(kind: &str, name: &str) {
    let limit = LIMITS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(kind));
    let (_, shortest, longest, others) = limit.unwrap_or_else(|| panic!("what may {kind} be called?"));
    let last = name.rsplit('/').next().unwrap();
    assert!((*shortest..=*longest).contains(&last.len()), "{kind} {last} has {} characters", last.len());
    let fits =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || others.contains(letter);
    assert!(last.chars().all(fits), "{kind} {last}");
}

fn check_all(name: &str, parameters: &Value) {
    let template = template(name);
    for resource in Deployment::new(&template, parameters).unwrap().resources().unwrap() {
        check(resource["type"].as_str().unwrap(), resource["name"].as_str().unwrap());
        if let Some(deployment) = resource["#deployment"].as_str() {
            check("Microsoft.Resources/deployments", deployment);
        }
        if resource["type"] == "Microsoft.Authorization/roleDefinitions" {
            let role = resource["properties"]["roleName"].as_str().unwrap();
            assert!(role.len() <= 128, "{role}");
        }
    }
}

/// As many letters as the parameter takes.
fn longest(template_name: &str, parameter: &str) -> String {
    let longest = template(template_name)["parameters"][parameter]["maxLength"].as_u64().unwrap();
    "abcdefghij".chars().cycle().take(usize::try_from(longest).unwrap()).collect()
}

#[test]
fn of_a_standby_on_each_plan() {
    let prefix = longest("standby", "prefix");
    let service = "s".repeat(50);
    let id = format!(
        "/subscriptions/{}/resourceGroups/g/providers/Microsoft.ApiManagement/service/{service}",
        crate::functions::SUBSCRIPTION
    );
    for hosting in ["FlexConsumption", "LinuxConsumption"] {
        let more = json!({
            "hosting": hosting, "prefix": prefix, "primaryId": id, "trafficManagerId": PROFILE,
            "backupAccess": "access-key",
        });
        check_all("standby", &parameters(&more));
    }
}

#[test]
fn of_new_services() {
    let parameters = json!({
        "primaryResourceGroup": "g", "primaryLocation": "westeurope", "prefix": longest("services", "prefix"),
        "publisherName": "x", "publisherEmail": "x",
    });
    check_all("services", &parameters);
}

#[test]
fn of_a_profile() {
    let parameters = json!({ "dnsName": longest("traffic", "dnsName"), "gatewayHosts": ["a.b", "c.d"] });
    check_all("traffic", &parameters);
}

#[test]
fn of_alerts() {
    let parameters = json!({
        "insightsId": "/x", "emails": ["x@example.org"], "prefix": longest("alerts", "prefix"),
    });
    check_all("alerts", &parameters);
    let short = &template("alerts")["resources"][0]["properties"]["groupShortName"];
    assert!(short.as_str().unwrap().len() <= 12, "{short}");
}

#[test]
fn of_events() {
    let app = format!("{}-{}", longest("standby", "prefix"), "u".repeat(13));
    check_all("events", &json!({ "functionApp": app, "backupAccount": longest("events", "backupAccount") }));
}
