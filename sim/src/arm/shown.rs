//! How an entity is shown: with ids of the service that holds it, and without its secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::cloud::{IdCase, LineEnds, Service};
use crate::content::{Entity, SERVICE, TIME, escape_expressions};

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

/// How one service shows what it holds: by its own ids, times and line ends.
pub(super) struct Look {
    service: String,
    id_case: IdCase,
    line_ends: LineEnds,
    since: OffsetDateTime,
}

impl Look {
    pub(super) fn of(service: &Service) -> Self {
        Self {
            service: service.id.clone(),
            id_case: service.spec.id_case,
            line_ends: service.spec.line_ends,
            since: service.content_since,
        }
    }

    #[cfg(test)]
    pub(super) fn plain(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            id_case: IdCase::AsCreated,
            line_ends: LineEnds::AsWritten,
            since: OffsetDateTime::UNIX_EPOCH,
        }
    }

    /// The id of what is at `path` below the service.
    pub(super) fn id(&self, path: &str) -> String {
        self.cased(format!("{}/{path}", self.service))
    }

    fn cased(&self, id: String) -> String {
        match self.id_case {
            IdCase::AsCreated => id,
            IdCase::Lower => id.to_lowercase(),
            IdCase::Upper => id.to_uppercase(),
        }
    }

    /// The entity under its own path.
    pub(super) fn shown(&self, entity: &Entity, format: Format) -> Value {
        self.shown_as(entity, (&entity.path, format))
    }

    /// The entity as it appears under another path, for example an API in the list of a product.
    pub(super) fn shown_as(&self, entity: &Entity, (path, format): (&str, Format)) -> Value {
        let kind: Vec<_> = path.split('/').step_by(2).collect();
        let mut properties = self.rendered(&entity.properties, entity.version);
        hide(&mut properties, kind[0]);
        self.show_policy(&mut properties, &kind, format);
        // Content of the developer portal has ids of its own, which name no service.
        let portal = kind[0].eq_ignore_ascii_case("contentTypes");
        json!({
            "id": if portal { format!("/{path}") } else { self.id(path) },
            "type": type_name(&kind),
            "name": path.rsplit('/').next(),
            "properties": properties,
        })
    }

    /// The value as this service shows it: with every reference into the service made a full id, and with the
    /// service's own times.
    pub(super) fn rendered(&self, value: &Value, version: u64) -> Value {
        match value {
            Value::String(text) if text == TIME => json!(self.time(version)),
            Value::String(text) => match text.strip_prefix(SERVICE) {
                Some(path) => json!(self.cased(format!("{}{path}", self.service))),
                None => value.clone(),
            },
            Value::Array(values) => values.iter().map(|value| self.rendered(value, version)).collect(),
            Value::Object(members) => {
                let member = |(name, value): (&String, &Value)| (name.clone(), self.rendered(value, version));
                Value::Object(members.iter().map(member).collect())
            }
            other => other.clone(),
        }
    }

    /// When this service wrote the version of an entity; a restore writes everything anew.
    fn time(&self, version: u64) -> String {
        let at = self.since + Duration::milliseconds(i64::try_from(version).unwrap_or_default());
        at.format(&Rfc3339).unwrap_or_default()
    }

    fn show_policy(&self, properties: &mut Value, kind: &[&str], format: Format) {
        let last = kind.last().map(|last| last.to_lowercase());
        let fragment = last.as_deref() == Some("policyfragments");
        if !fragment && last.as_deref() != Some("policies") {
            return;
        }
        let raw = self.line_ends.of(properties["value"].as_str().unwrap_or_default());
        if format == Format::RawXml {
            properties["format"] = json!("rawxml");
            properties["value"] = json!(raw);
            return;
        }
        properties["value"] = json!(escape_expressions(&raw));
        if fragment {
            properties["format"] = json!("xml");
        }
    }
}

/// The type as Azure writes it, which is not always as the path is written.
fn type_name(kind: &[&str]) -> String {
    let kind = match kind {
        ["apiVersionSets"] => "api-version-sets".to_owned(),
        ["openidConnectProviders"] => "openidconnectproviders".to_owned(),
        kind => kind.join("/"),
    };
    format!("Microsoft.ApiManagement/service/{kind}")
}

/// The ETag header of an entity.
pub(super) fn etag(entity: &Entity) -> String {
    format!("\"{}\"", BASE64.encode(entity.version.to_be_bytes()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;

    fn shown_by(look: &Look, path: &str, format: Format) -> Value {
        look.shown(Content::sample().get(path).unwrap(), format)
    }

    fn shown_of(path: &str, format: Format) -> Value {
        shown_by(&Look::plain("/id"), path, format)
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

    #[test]
    fn a_service_shows_its_own_ids_times_and_line_ends() {
        let policy = "apis/orders/policies/policy";
        let plain = shown_of(policy, Format::RawXml);
        let unix = Look { line_ends: LineEnds::Lf, ..Look::plain("/id") };
        let value = shown_by(&unix, policy, Format::RawXml)["properties"]["value"].clone();
        assert_eq!(value.as_str().unwrap(), plain["properties"]["value"].as_str().unwrap().replace('\r', ""));
        let loud = Look { id_case: IdCase::Upper, ..Look::plain("/id") };
        let link = shown_by(&loud, "products/partner/apiLinks/shipments", Format::Xml);
        assert_eq!(link["id"], "/ID/PRODUCTS/PARTNER/APILINKS/SHIPMENTS");
        assert_eq!(
            (&link["properties"]["apiId"], &link["name"]),
            (&json!("/ID/APIS/SHIPMENTS"), &json!("shipments"))
        );
        let release = shown_of("apis/orders/releases/r-2026-03", Format::Xml);
        let later = Look { since: OffsetDateTime::UNIX_EPOCH + Duration::DAY, ..Look::plain("/id") };
        let renewed = shown_by(&later, "apis/orders/releases/r-2026-03", Format::Xml);
        let created = |shown: &Value| shown["properties"]["createdDateTime"].as_str().unwrap().to_owned();
        assert!(created(&release).starts_with("1970-01-01T") && created(&renewed).starts_with("1970-01-02T"));
    }

    #[test]
    fn types_and_ids_are_spelled_as_in_the_published_examples() {
        let kind = |path| shown_of(path, Format::Xml)["type"].as_str().unwrap().to_owned();
        assert_eq!(kind("apiVersionSets/catalogue"), "Microsoft.ApiManagement/service/api-version-sets");
        assert_eq!(
            kind("openidConnectProviders/shop"),
            "Microsoft.ApiManagement/service/openidconnectproviders"
        );
        assert_eq!(
            kind("apis/orders/operations/get-order"),
            "Microsoft.ApiManagement/service/apis/operations"
        );
        assert_eq!(shown_of("contentTypes/page", Format::Xml)["id"], "/contentTypes/page");
    }
}
