//! What of an entity's content counts: the same on two services if a restore has made them the same.
//!
//! Members are canonical (sorted, nulls dropped, line ends folded); what is Azure's own or changes by itself is left
//! out, ids of the service lose the service, and secrets are not looked at, whoever sends them. Hosts and the order
//! within arrays stay: a restore copies both.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::ContentDigest;
use super::lists::type_of;
use crate::domain::id::ServiceId;

/// Stands for the id of a service in what is digested.
const SERVICE: &str = "{service}";

/// Members of an entity that are Azure's own. Its name stands in its path.
const OF_RESOURCE: [&str; 5] = ["id", "type", "name", "etag", "systemData"];

/// Members of `properties` that change by themselves or tell when something happened, by type of entity; `*` is every
/// type. Taken from the API's description: what is `readOnly` there and not the same on two services, and the times
/// that nobody sets.
const VOLATILE: [(&str, &[&str]); 13] = [
    ("*", &["provisioningState"]),
    ("*", &["createdDateTime"]),
    ("*", &["updatedDateTime"]),
    ("*", &["isKeyVaultRefreshFailed"]),
    ("*", &["keyVault", "lastStatus"]),
    ("*", &["lastStatus"]),
    ("*", &["timeStampUtc"]),
    ("subscriptions", &["createdDate"]),
    ("subscriptions", &["startDate"]),
    ("subscriptions", &["endDate"]),
    ("subscriptions", &["notificationDate"]),
    ("users", &["registrationDate"]),
    ("users", &["groups"]),
];

/// Members of `properties` that are secrets, by type of entity. `*` is every member of a map: its names count, and
/// what they hold does not. A reference to a named value, such as `{{orders-key}}`, is no secret and counts.
const SECRET: [(&str, &[&str]); 18] = [
    ("subscriptions", &["primaryKey"]),
    ("subscriptions", &["secondaryKey"]),
    ("gateways", &["primaryKey"]),
    ("gateways", &["secondaryKey"]),
    ("certificates", &["data"]),
    ("certificates", &["password"]),
    ("authorizationServers", &["clientSecret"]),
    ("authorizationServers", &["resourceOwnerPassword"]),
    ("openidConnectProviders", &["clientSecret"]),
    ("identityProviders", &["clientSecret"]),
    ("users", &["password"]),
    ("caches", &["connectionString"]),
    ("loggers", &["credentials", "connectionString"]),
    ("loggers", &["credentials", "instrumentationKey"]),
    ("backends", &["credentials", "query", "*"]),
    ("backends", &["credentials", "header", "*"]),
    ("backends", &["credentials", "authorization", "parameter"]),
    ("backends", &["proxy", "password"]),
];

/// Digests what counts of the entity at `path`.
pub fn digest_of(path: &str, entity: &Value, folding: &Folding) -> ContentDigest {
    let whole = Sha256::digest(normalised(path, entity, folding));
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    ContentDigest(half)
}

/// What counts of the entity at `path`, as canonical JSON.
fn normalised(path: &str, entity: &Value, folding: &Folding) -> String {
    let rules = Rules { kind: type_of(path), folding };
    let mut kept = BTreeMap::new();
    for (name, value) in entity.as_object().into_iter().flatten() {
        if name == "properties" {
            kept.insert(name.as_str(), rules.properties(value));
        } else if !OF_RESOURCE.contains(&name.as_str()) && !value.is_null() {
            kept.insert(name.as_str(), rules.canonical(value));
        }
    }
    object(kept)
}

/// How the content of one type of entity is made canonical.
struct Rules<'a> {
    kind: String,
    folding: &'a Folding,
}

/// What becomes of a member.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Dropped,
    Secret,
    /// A secret in a map of names that people chose.
    SecretByName,
}

impl Rules<'_> {
    fn properties(&self, properties: &Value) -> String {
        match properties {
            Value::Object(members) => self.filtered(members, &mut Vec::new()),
            other => self.canonical(other),
        }
    }

    /// An object to which members the rules may apply; no rule reaches further down than three names.
    fn filtered<'a>(&self, members: &'a Map<String, Value>, at: &mut Vec<&'a str>) -> String {
        let secret_value =
            at.is_empty() && self.kind == "namedValues" && members.get("secret") == Some(&Value::Bool(true));
        let mut kept = BTreeMap::new();
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            at.push(name);
            let fate = if secret_value && name == "value" { Fate::Secret } else { self.fate(at) };
            let text = match (fate, value) {
                (Fate::Kept, Value::Object(below)) if at.len() < 3 => Some(self.filtered(below, at)),
                (Fate::Kept, value) => Some(self.canonical(value)),
                (Fate::Secret | Fate::SecretByName, value) if is_reference(value) => {
                    Some(self.canonical(value))
                }
                (Fate::SecretByName, _) => Some("\"(secret)\"".to_owned()),
                (Fate::Dropped | Fate::Secret, _) => None,
            };
            at.pop();
            if let Some(text) = text {
                kept.insert(name.as_str(), text);
            }
        }
        object(kept)
    }

    fn fate(&self, at: &[&str]) -> Fate {
        let applies = |(kind, path): &&(&str, &[&str])| {
            (*kind == "*" || *kind == self.kind)
                && path.len() == at.len()
                && path.iter().zip(at).all(|(rule, name)| *rule == "*" || rule == name)
        };
        if VOLATILE.iter().any(|rule| applies(&rule)) {
            return Fate::Dropped;
        }
        match SECRET.iter().find(applies) {
            Some((_, [.., "*"])) => Fate::SecretByName,
            Some(_) => Fate::Secret,
            None => Fate::Kept,
        }
    }

    fn canonical(&self, value: &Value) -> String {
        match value {
            Value::String(text) => quoted(&self.folding.fold(&text.replace("\r\n", "\n"))),
            Value::Array(values) => {
                let values: Vec<_> = values.iter().map(|value| self.canonical(value)).collect();
                format!("[{}]", values.join(","))
            }
            Value::Object(members) => {
                let kept = members.iter().filter(|(_, value)| !value.is_null());
                object(kept.map(|(name, value)| (name.as_str(), self.canonical(value))).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        }
    }
}

/// Sorted whatever order the parser keeps members in.
fn object(members: BTreeMap<&str, String>) -> String {
    let members: Vec<_> = members.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
    format!("{{{}}}", members.join(","))
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Whether a value only refers to named values.
fn is_reference(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let name = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
            name.is_some_and(|name| !name.contains(['{', '}']))
        }
        Value::Array(values) => values.iter().all(is_reference),
        _ => false,
    }
}

/// Takes the services out of ids: what refers to a sibling on one service refers to its counterpart on another.
///
/// The ids of all services of a deployment are folded alike, on every side: a text that names one of them is copied
/// by a restore as it is.
#[derive(Clone, Debug)]
pub struct Folding {
    /// In lower case.
    ids: Vec<String>,
}

impl Folding {
    /// Folds the ids of `services`.
    pub fn of<'a>(services: impl IntoIterator<Item = &'a ServiceId>) -> Self {
        Self { ids: services.into_iter().map(|id| id.as_str().to_lowercase()).collect() }
    }

    /// The text without the services' ids. What is an id as a whole is compared without regard to case.
    fn fold(&self, text: &str) -> String {
        let mut folded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('/') {
            let (before, from) = rest.split_at(at);
            folded.push_str(before);
            match self.ids.iter().find_map(|id| after_id(from, id)) {
                Some(after) => {
                    folded.push_str(SERVICE);
                    rest = after;
                }
                None => {
                    folded.push('/');
                    rest = &from[1..];
                }
            }
        }
        folded.push_str(rest);
        let is_id = folded.starts_with(SERVICE) && !folded.contains(char::is_whitespace);
        if is_id { folded.to_lowercase() } else { folded }
    }
}

/// What follows `id` (in lower case) if `text` begins with it in any case. The id of `contoso` is not the beginning of
/// that of `contoso-dr`.
fn after_id<'a>(text: &'a str, id: &str) -> Option<&'a str> {
    let mut rest = text.chars();
    let mut wanted = id.chars();
    while let Some(next) = wanted.next() {
        let mut lower = rest.next()?.to_lowercase();
        if lower.next() != Some(next) || !lower.all(|more| wanted.next() == Some(more)) {
            return None;
        }
    }
    let ends = rest.clone().next().is_none_or(|next| !next.is_ascii_alphanumeric() && next != '-');
    ends.then_some(rest.as_str())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    const WEST: &str =
        "/subscriptions/0f3c/resourceGroups/Apis/providers/Microsoft.ApiManagement/service/contoso";
    const NORTH: &str =
        "/subscriptions/0f3c/resourceGroups/Apis/providers/Microsoft.ApiManagement/service/contoso-dr";

    fn folding() -> Folding {
        let ids: Vec<ServiceId> = [WEST, NORTH].iter().map(|id| id.parse().unwrap()).collect();
        Folding::of(&ids)
    }

    fn kept(path: &str, properties: Value) -> String {
        normalised(path, &json!({"id": "x", "type": "y", "name": "z", "properties": properties}), &folding())
    }

    #[test]
    fn members_are_sorted_nulls_dropped_and_line_ends_folded() {
        let one = kept("apis/a", json!({"b": 1, "a": [{"d": null, "c": "x\r\ny"}], "e": {}, "f": null}));
        expect![[r#"{"properties":{"a":[{"c":"x\ny"}],"b":1,"e":{}}}"#]].assert_eq(&one);
        assert_eq!(one, kept("apis/a", json!({"e": {}, "a": [{"c": "x\ny"}], "b": 1})));
        assert_ne!(
            kept("apis/a", json!({"a": [1, 2]})),
            kept("apis/a", json!({"a": [2, 1]})),
            "order counts"
        );
    }

    #[test]
    fn what_is_azures_own_is_left_out() {
        let resource = json!({"id": "1", "type": "t", "name": "n", "etag": "e", "systemData": {"by": "me"},
                              "location": "West Europe", "properties": {"provisioningState": "Succeeded"}});
        expect![[r#"{"location":"West Europe","properties":{}}"#]].assert_eq(&normalised(
            "apis/a",
            &resource,
            &folding(),
        ));
        let subscription = json!({"createdDate": "1", "startDate": "2", "endDate": "3", "notificationDate": "4",
                                  "expirationDate": "2030-01-01T00:00:00Z", "state": "active"});
        expect![[r#"{"properties":{"expirationDate":"2030-01-01T00:00:00Z","state":"active"}}"#]]
            .assert_eq(&kept("subscriptions/a", subscription));
        let vault =
            json!({"keyVault": {"secretIdentifier": "https://v/s", "lastStatus": {"timeStampUtc": "1"}}});
        expect![[r#"{"properties":{"keyVault":{"secretIdentifier":"https://v/s"}}}"#]]
            .assert_eq(&kept("certificates/a", vault));
        expect![[r#"{"properties":{"email":"a@b"}}"#]]
            .assert_eq(&kept("users/1", json!({"registrationDate": "1", "groups": [], "email": "a@b"})));
    }

    #[test]
    fn what_people_wrote_is_kept_whatever_it_is_called() {
        let document = json!({"document": {"components": {"createdDateTime": {"provisioningState": "x"}}}});
        expect![[
            r#"{"properties":{"document":{"components":{"createdDateTime":{"provisioningState":"x"}}}}}"#
        ]]
        .assert_eq(&kept("apis/a/schemas/s", document));
        expect![[r#"{"properties":{"createdDate":"by us"}}"#]]
            .assert_eq(&kept("namedValues/a", json!({"createdDate": "by us"})));
    }

    #[test]
    fn secrets_are_not_looked_at_even_if_they_are_sent() {
        for (path, secret) in [
            ("subscriptions/a", json!({"primaryKey": "k", "secondaryKey": "l"})),
            ("namedValues/a", json!({"value": "k"})),
            ("certificates/a", json!({"data": "k", "password": "l"})),
            ("authorizationServers/a", json!({"clientSecret": "k", "resourceOwnerPassword": "l"})),
            ("identityProviders/a", json!({"clientSecret": "k"})),
            ("openidConnectProviders/a", json!({"clientSecret": "k"})),
            ("caches/a", json!({"connectionString": "k"})),
            ("gateways/a", json!({"primaryKey": "k"})),
        ] {
            let mut with = json!({"secret": true, "displayName": "d"});
            let without = kept(path, with.clone());
            with.as_object_mut().unwrap().extend(secret.as_object().unwrap().clone());
            assert_eq!(kept(path, with), without, "{path}");
        }
        let backend = json!({"url": "https://b", "proxy": {"username": "u", "password": "p"},
            "credentials": {"header": {"x-key": ["k"], "x-ref": ["{{k}}"]}, "query": {"code": ["c"]},
                            "authorization": {"scheme": "Basic", "parameter": "p"}}});
        expect![[r#"{"properties":{"credentials":{"authorization":{"scheme":"Basic"},"header":{"x-key":"(secret)","x-ref":["{{k}}"]},"query":{"code":"(secret)"}},"proxy":{"username":"u"},"url":"https://b"}}"#]]
            .assert_eq(&kept("backends/a", backend));
        expect![[r#"{"properties":{"connectionString":"{{cache}}"}}"#]]
            .assert_eq(&kept("caches/a", json!({"connectionString": "{{cache}}"})));
        expect![[r#"{"properties":{"secret":false,"value":"plain"}}"#]]
            .assert_eq(&kept("namedValues/a", json!({"secret": false, "value": "plain"})));
    }

    #[test]
    fn ids_lose_the_service_wherever_they_stand() {
        let fold = |text: &str| folding().fold(text);
        assert_eq!(fold(&format!("{WEST}/apis/Orders")), "{service}/apis/orders");
        assert_eq!(fold(&format!("{}/APIS/Orders", WEST.to_uppercase())), "{service}/apis/orders");
        assert_eq!(fold(WEST), "{service}");
        assert_eq!(fold(&format!("{NORTH}/apis/Orders")), "{service}/apis/orders", "not contoso with a rest");
        assert_eq!(
            fold(&format!("<a id=\"{WEST}\"/> and {NORTH}/Apis")),
            "<a id=\"{service}\"/> and {service}/Apis"
        );
        assert_eq!(
            fold(&format!("https://management.azure.com{WEST}?x=Y")),
            "https://management.azure.com{service}?x=Y"
        );
        let stranger = format!("{WEST}2/apis/Orders");
        assert_eq!(fold(&stranger), stranger);
        assert_eq!(fold("//a//B/"), "//a//B/");
    }

    #[test]
    fn one_character_makes_another_digest() {
        let digest =
            |text: &str| digest_of("policies/policy", &json!({"properties": {"value": text}}), &folding());
        assert_ne!(digest("<rate-limit calls=\"10\" />"), digest("<rate-limit calls=\"11\" />"));
        assert_eq!(digest("<a>\r\n</a>"), digest("<a>\n</a>"));
        assert_eq!(ContentDigest::parse(&digest("a").to_string()), Some(digest("a")));
        assert_eq!(ContentDigest::parse("0f"), None);
    }
}
