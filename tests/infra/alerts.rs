//! The alert rules against the log's events.

use std::collections::BTreeSet;

use apim_dr::domain::event::{EventName, Level};
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::template;

fn rules() -> Vec<Value> {
    let template = template("alerts");
    let parameters = json!({ "insightsId": "/component", "emails": ["one@example.org", "two@example.org"] });
    let resources = Deployment::new(&template, &parameters).unwrap().resources().unwrap();
    resources
        .into_iter()
        .filter(|resource| resource["type"] == "Microsoft.Insights/scheduledQueryRules")
        .collect()
}

fn query(rule: &Value) -> &str {
    rule["properties"]["criteria"]["allOf"][0]["query"].as_str().unwrap()
}

/// The events that a rule asks for.
fn events(rule: &Value) -> BTreeSet<String> {
    let known = |text: &&str| text.contains('.') && !text.contains([' ', '(']);
    query(rule).split(['"', '\'']).filter(known).map(str::to_owned).collect()
}

#[test]
fn rules_name_events_that_there_are() {
    let there_are: BTreeSet<&str> = EventName::ALL.iter().map(|name| name.as_str()).collect();
    for rule in rules() {
        let named = events(&rule);
        assert!(!named.is_empty(), "{}", query(&rule));
        for name in named {
            assert!(there_are.contains(name.as_str()), "there is no event {name}");
        }
    }
}

#[test]
fn whatever_is_an_error_reaches_somebody() {
    let told: BTreeSet<String> = rules().iter().flat_map(events).collect();
    for name in EventName::ALL.iter().filter(|name| name.level() == Level::Error) {
        assert!(told.contains(name.as_str()), "no rule of infra/alerts.json names {}", name.as_str());
    }
}

#[test]
fn silence_is_an_alert_and_leaves_room_for_a_late_log() {
    let rules = rules();
    let silence = rules.iter().find(|rule| events(rule).contains("invocation.done")).unwrap();
    let criterion = &silence["properties"]["criteria"]["allOf"][0];
    assert_eq!((&criterion["operator"], &criterion["threshold"]), (&json!("LessThan"), &json!(1)));
    // Without a row there would be nothing to compare with: the query always yields one.
    assert!(query(silence).ends_with("| summarize invocations = count()"));
    assert_eq!(criterion["metricMeasureColumn"], "invocations");
    let window = silence["properties"]["windowSize"].as_str().unwrap();
    let minutes: u32 = window.strip_prefix("PT").unwrap().strip_suffix('M').unwrap().parse().unwrap();
    assert!(minutes >= 15, "{window}");
}

#[test]
fn every_rule_looks_at_the_app_and_reaches_everybody() {
    let template = template("alerts");
    let parameters = json!({ "insightsId": "/component", "emails": ["one@example.org", "two@example.org"] });
    let resources = Deployment::new(&template, &parameters).unwrap().resources().unwrap();
    let group = &resources[0];
    assert_eq!(group["properties"]["emailReceivers"].as_array().unwrap().len(), 2);
    for rule in rules() {
        assert_eq!(rule["properties"]["scopes"], json!(["/component"]));
        let reached = rule["properties"]["actions"]["actionGroups"][0].as_str().unwrap().to_owned();
        assert!(reached.ends_with(group["name"].as_str().unwrap()), "{reached}");
    }
}
