//! How an entity is shown: with ids of the service that holds it, and without its secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::content::{Entity, SERVICE, escape_expressions};

/// Properties that no GET shows, by type of entity.
const HIDDEN: [(&str, &[&str]); 6] = [
    ("subscriptions", &["primaryKey", "secondaryKey"]),
    ("certificates", &["data", "password"]),
    ("authorizationservers", &["clientSecret", "resourceOwnerPassword"]),
    ("openidconnectproviders", &["clientSecret"]),
    ("identityproviders", &["clientSecret"]),
    ("gateways", &["primaryKey", "secondaryKey"]),
];

/// In which form a policy is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A well-formed document, which is Azure's default.
    Xml,
    /// As it was written.
    RawXml,
}

/// The entity under the id of `service`.
pub(super) fn shown(service: &str, entity: &Entity, format: Format) -> Value {
    shown_as(service, entity, (&entity.path, format))
}

/// The entity as it appears under another path, for example an API in the list of a product.
pub(super) fn shown_as(service: &str, entity: &Entity, (path, format): (&str, Format)) -> Value {
    let kind: Vec<_> = path.split('/').step_by(2).collect();
    let mut properties = with_ids(&entity.properties, service);
    hide(&mut properties, kind[0]);
    show_policy(&mut properties, &kind, format);
    json!({
        "id": format!("{service}/{path}"),
        "type": format!("Microsoft.ApiManagement/service/{}", kind.join("/")),
        "name": path.rsplit('/').next(),
        "properties": properties,
    })
}

/// The ETag header of an entity.
pub(super) fn etag(entity: &Entity) -> String {
    format!("\"{}\"", BASE64.encode(entity.version.to_be_bytes()))
}

/// The value with every reference into the service made a full id.
pub(super) fn with_ids(value: &Value, service: &str) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix(SERVICE) {
            Some(path) => json!(format!("{service}{path}")),
            None => value.clone(),
        },
        Value::Array(values) => values.iter().map(|value| with_ids(value, service)).collect(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| (name.clone(), with_ids(value, service));
            Value::Object(members.iter().map(member).collect())
        }
        other => other.clone(),
    }
}

fn hide(properties: &mut Value, kind: &str) {
    let kind = kind.to_lowercase();
    let secret_value = kind == "namedvalues" && properties["secret"] == true;
    let Some(members) = properties.as_object_mut() else { return };
    let hidden = HIDDEN.iter().filter(|(of, _)| *of == kind).flat_map(|(_, names)| names.iter());
    hidden.for_each(|name| drop(members.remove(*name)));
    if secret_value {
        members.remove("value");
    }
}

fn show_policy(properties: &mut Value, kind: &[&str], format: Format) {
    let last = kind.last().map(|last| last.to_lowercase());
    let fragment = last.as_deref() == Some("policyfragments");
    if !fragment && last.as_deref() != Some("policies") {
        return;
    }
    let raw = properties["value"].as_str().unwrap_or_default();
    if format == Format::RawXml {
        properties["format"] = json!("rawxml");
        return;
    }
    properties["value"] = json!(escape_expressions(raw));
    if fragment {
        properties["format"] = json!("xml");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;

    fn shown_of(path: &str, format: Format) -> Value {
        shown("/id", Content::sample().get(path).unwrap(), format)
    }

    #[test]
    fn secrets_are_left_out() {
        assert!(shown_of("namedValues/orders-backend-key", Format::Xml)["properties"]["value"].is_null());
        let plain = shown_of("namedValues/shipments-url", Format::Xml);
        assert_eq!(plain["properties"]["value"], "https://shipments.shop.contoso.example");
        let subscription = shown_of("subscriptions/carrier", Format::Xml);
        assert!(subscription["properties"].get("primaryKey").is_none());
        assert_eq!(subscription["properties"]["scope"], "/id/products/partner");
        assert!(shown_of("certificates/carrier-client", Format::Xml)["properties"].get("data").is_none());
    }

    #[test]
    fn a_policy_has_two_forms() {
        let path = "apis/orders/operations/place-order/policies/policy";
        let raw = shown_of(path, Format::RawXml);
        assert_eq!(raw["properties"]["format"], "rawxml");
        assert!(raw["properties"]["value"].as_str().unwrap().contains("?? \"none\")"));
        let xml = shown_of(path, Format::Xml);
        assert!(xml["properties"]["value"].as_str().unwrap().contains("?? &quot;none&quot;)"));
        assert_eq!(xml["type"], "Microsoft.ApiManagement/service/apis/operations/policies");
    }
}
