//! What an alert looks like to whoever takes it.

use serde_json::{Value, json};

use crate::config::AlertFormat;
use crate::domain::health::{Alert, Severity};
use crate::domain::id::ServiceId;

/// The content type and the body of one alert. `primary` says which deployment speaks.
pub(super) fn of(alert: &Alert, format: AlertFormat, primary: &ServiceId) -> (&'static str, String) {
    let (content_type, body) = match format {
        AlertFormat::CloudEvents => ("application/cloudevents+json", cloud_event(alert, primary)),
        AlertFormat::Teams => ("application/json", adaptive_card(alert, primary)),
        AlertFormat::Slack => ("application/json", slack(alert, primary)),
    };
    (content_type, body.to_string())
}

/// A CloudEvents 1.0 event in the structured mode.
fn cloud_event(alert: &Alert, primary: &ServiceId) -> Value {
    json!({
        "specversion": "1.0",
        "id": alert.id(),
        "source": primary.as_str(),
        "type": format!("apim-dr.condition.{}", alert.change.as_str()),
        "subject": alert.service.as_ref().map_or_else(|| primary.name().to_string(), ToString::to_string),
        "time": alert.at,
        "datacontenttype": "application/json",
        "data": {
            "condition": alert.condition,
            "change": alert.change,
            "severity": alert.severity(),
            "service": alert.service,
            "since": alert.since,
            "fact": alert.fact,
            "next": alert.next,
        },
    })
}

/// The message with one adaptive card that Teams' workflows accept.
fn adaptive_card(alert: &Alert, primary: &ServiceId) -> Value {
    let color = match alert.severity() {
        Severity::Error => "attention",
        Severity::Warning => "warning",
        Severity::Information => "good",
    };
    let text = |text: &str| json!({"type": "TextBlock", "text": text, "wrap": true});
    let title = json!({"type": "TextBlock", "text": alert.title(), "wrap": true, "weight": "bolder",
                       "size": "medium", "color": color});
    let facts = json!({"type": "FactSet", "facts": [
        {"title": "Primary", "value": primary.name()},
        {"title": "Since", "value": alert.since},
    ]});
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": [title, text(&alert.fact), text(&alert.next), facts],
            },
        }],
    })
}

fn slack(alert: &Alert, primary: &ServiceId) -> Value {
    let mark = match alert.severity() {
        Severity::Error => ":red_circle:",
        Severity::Warning => ":large_yellow_circle:",
        Severity::Information => ":white_circle:",
    };
    let text = format!(
        "{mark} *{}*\n{}\n_{}_\nprimary {}, since {}",
        escaped(&alert.title()),
        escaped(&alert.fact),
        escaped(&alert.next),
        primary.name(),
        alert.since
    );
    json!({ "text": text })
}

/// Slack's three reserved characters.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
