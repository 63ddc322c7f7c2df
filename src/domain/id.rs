//! Azure resource ids, as the settings name them and as the records keep them.
//!
//! Azure Resource Manager compares ids without regard to case and answers in whatever spelling it likes, so
//! an id here compares, orders and hashes case-insensitively and still shows the spelling it was given.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The resource id of an API Management service.
pub type ServiceId = ResourceId<ApiManagement>;
/// The resource id of a storage account.
pub type StorageAccountId = ResourceId<StorageAccount>;
/// The resource id of a Traffic Manager profile.
pub type ProfileId = ResourceId<TrafficManagerProfile>;

/// What kind of resource an id names: its type's words, and the rule for its name.
pub trait Kind {
    /// The resource type, such as `Microsoft.ApiManagement/service`.
    const TYPE: &'static str;
    /// The kind in a person's words, with its article.
    const NOUN: &'static str;
    /// The rule for the resource's name, as a person should read it.
    const NAME_RULE: &'static str;
    /// Whether Azure could have given a resource of this kind that name.
    fn is_name(name: &str) -> bool;
}

/// API Management services.
#[derive(Clone, Copy, Debug)]
pub struct ApiManagement;

impl Kind for ApiManagement {
    const TYPE: &'static str = "Microsoft.ApiManagement/service";
    const NOUN: &'static str = "an API Management service";
    const NAME_RULE: &'static str =
        "1 to 50 letters, digits and hyphens, beginning with a letter and not ending with a hyphen";

    fn is_name(name: &str) -> bool {
        is_hyphenated(name, 50) && name.starts_with(|c: char| c.is_ascii_alphabetic())
    }
}

/// Storage accounts.
#[derive(Clone, Copy, Debug)]
pub struct StorageAccount;

impl Kind for StorageAccount {
    const TYPE: &'static str = "Microsoft.Storage/storageAccounts";
    const NOUN: &'static str = "a storage account";
    const NAME_RULE: &'static str = "3 to 24 lower-case letters and digits";

    fn is_name(name: &str) -> bool {
        (3..=24).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    }
}

/// Traffic Manager profiles.
#[derive(Clone, Copy, Debug)]
pub struct TrafficManagerProfile;

impl Kind for TrafficManagerProfile {
    const TYPE: &'static str = "Microsoft.Network/trafficManagerProfiles";
    const NOUN: &'static str = "a Traffic Manager profile";
    const NAME_RULE: &'static str =
        "1 to 63 letters, digits and hyphens, not beginning or ending with a hyphen";

    fn is_name(name: &str) -> bool {
        is_hyphenated(name, 63)
    }
}

fn is_hyphenated(name: &str, longest: usize) -> bool {
    (1..=longest).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// A full Azure resource id of one kind:
/// `/subscriptions/{subscription}/resourceGroups/{group}/providers/{type}/{name}`.
pub struct ResourceId<K> {
    text: String,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> ResourceId<K> {
    /// The id in the spelling it was given: what goes into a URL.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The subscription that the resource is in.
    pub fn subscription(&self) -> &str {
        self.segment(1)
    }

    /// The resource group that the resource is in.
    pub fn resource_group(&self) -> &str {
        self.segment(3)
    }

    /// The resource's own name, in the spelling it was given.
    pub fn resource_name(&self) -> &str {
        self.segment(7)
    }

    /// Counted from 0, without the empty one before the first slash; parsing saw to it that there are eight.
    fn segment(&self, index: usize) -> &str {
        self.text.split('/').nth(index + 1).unwrap_or_default()
    }

    fn folded(&self) -> impl Iterator<Item = char> {
        self.text.chars().flat_map(char::to_lowercase)
    }
}

impl ServiceId {
    /// The service's name, by which its blobs are called.
    pub fn name(&self) -> ServiceName {
        ServiceName(self.resource_name().to_ascii_lowercase())
    }
}

impl<K: Kind> FromStr for ResourceId<K> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let segments: Vec<&str> = text.split('/').collect();
        let ["", subscriptions, subscription, groups, group, providers, namespace, kind, name] = segments[..]
        else {
            return Err(IdError::shape::<K>(text));
        };
        let (own_namespace, own_kind) = K::TYPE.split_once('/').unwrap_or((K::TYPE, ""));
        let words = [
            (subscriptions, "subscriptions"),
            (groups, "resourceGroups"),
            (providers, "providers"),
            (namespace, own_namespace),
            (kind, own_kind),
        ];
        if words.iter().any(|(found, wanted)| !found.eq_ignore_ascii_case(wanted)) {
            return Err(IdError::shape::<K>(text));
        }
        if !is_hyphenated(subscription, 64) || !is_resource_group(group) {
            return Err(IdError::shape::<K>(text));
        }
        if !K::is_name(name) {
            return Err(IdError::name::<K>(name));
        }
        Ok(Self { text: text.to_owned(), kind: PhantomData })
    }
}

/// Resource groups may be called in any alphabet; what they may not hold is what would change a URL's shape.
fn is_resource_group(name: &str) -> bool {
    (1..=90).contains(&name.chars().count())
        && name.chars().all(|c| c.is_alphanumeric() || "-_.()".contains(c))
        && !name.ends_with('.')
}

impl<K> Clone for ResourceId<K> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), kind: PhantomData }
    }
}

impl<K: Kind> PartialEq for ResourceId<K> {
    fn eq(&self, other: &Self) -> bool {
        // Most ids are compared with themselves, and folding takes its time.
        self.text == other.text || self.folded().eq(other.folded())
    }
}

impl<K: Kind> Eq for ResourceId<K> {}

impl<K: Kind> PartialOrd for ResourceId<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Kind> Ord for ResourceId<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl<K: Kind> Hash for ResourceId<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().for_each(|c| c.hash(state));
        // A terminator, so that two ids hashed after each other cannot pass for two others.
        0xff_u8.hash(state);
    }
}

impl<K> fmt::Display for ResourceId<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K> fmt::Debug for ResourceId<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl<K> Serialize for ResourceId<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, K: Kind> Deserialize<'de> for ResourceId<K> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The name of an API Management service in lower case. It is unique in a cloud, and so it names the
/// service's backups and its record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceName(String);

impl ServiceName {
    /// Takes a name in any case. Fails with what a name has to look like.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if !ApiManagement::is_name(text) {
            return Err(IdError::name::<ApiManagement>(text));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServiceName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ServiceName {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<ServiceName> for String {
    fn from(name: ServiceName) -> Self {
        name.0
    }
}

impl AsRef<str> for ServiceName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no resource id or no name, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdError(String);

impl IdError {
    fn shape<K: Kind>(found: &str) -> Self {
        Self(format!(
            "{found:?} is not the resource id of {}: write \
             /subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{}/{{name}}",
            K::NOUN,
            K::TYPE
        ))
    }

    fn name<K: Kind>(found: &str) -> Self {
        Self(format!("{found:?} is not the name of {}: write {}", K::NOUN, K::NAME_RULE))
    }
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for IdError {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const CONTOSO: &str =
        "/subscriptions/0f3c/resourceGroups/rg-apim/providers/Microsoft.ApiManagement/service/Contoso-West";

    fn service(text: &str) -> ServiceId {
        text.parse().unwrap()
    }

    #[test]
    fn an_id_gives_its_parts_and_keeps_its_spelling() {
        let id = service(CONTOSO);
        assert_eq!(id.to_string(), CONTOSO);
        assert_eq!(id.subscription(), "0f3c");
        assert_eq!(id.resource_group(), "rg-apim");
        assert_eq!(id.resource_name(), "Contoso-West");
        assert_eq!(id.name().as_str(), "contoso-west");
    }

    #[test]
    fn ids_are_equal_whatever_their_case() {
        let (one, other) = (service(CONTOSO), service(&CONTOSO.to_uppercase()));
        assert_eq!(one, other);
        assert_eq!(one.cmp(&other), Ordering::Equal);
        assert_eq!(HashSet::from([one, other]).len(), 1);
        assert_ne!(service(CONTOSO), service(&CONTOSO.replace("rg-apim", "rg-other")));
    }

    #[test]
    fn an_id_is_a_string_in_json() {
        let id = service(CONTOSO);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("{CONTOSO:?}"));
        assert_eq!(serde_json::from_str::<ServiceId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<ServiceId>("\"contoso\"").is_err());
        assert_eq!(serde_json::from_str::<ServiceName>("\"Contoso\"").unwrap().as_str(), "contoso");
        assert!(serde_json::from_str::<ServiceName>("\"con toso\"").is_err());
    }

    #[test]
    fn what_is_no_id_is_told_the_shape() {
        let wrong = [
            "",
            "contoso",
            &CONTOSO[1..],
            &format!("{CONTOSO}/"),
            &format!("{CONTOSO}/backup"),
            &CONTOSO.replace("service", "services"),
            &CONTOSO.replace("rg-apim", "rg apim"),
            &CONTOSO.replace("rg-apim", "rg?apim"),
            &CONTOSO.replace("0f3c", ""),
            "/subscriptions/0f3c/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/contoso",
        ];
        for text in wrong {
            let error = text.parse::<ServiceId>().unwrap_err().to_string();
            assert!(error.contains("providers/Microsoft.ApiManagement/service/{name}"), "{text}: {error}");
        }
    }

    #[test]
    fn names_follow_the_rule_of_their_kind() {
        for (name, good) in [
            ("a", true),
            ("contoso-2", true),
            (&"a".repeat(50), true),
            (&"a".repeat(51), false),
            ("2contoso", false),
            ("contoso-", false),
            ("con_toso", false),
            ("", false),
        ] {
            assert_eq!(name.parse::<ServiceName>().is_ok(), good, "{name}");
            assert_eq!(CONTOSO.replace("Contoso-West", name).parse::<ServiceId>().is_ok(), good, "{name}");
        }
        let error = "2contoso".parse::<ServiceName>().unwrap_err().to_string();
        assert!(error.contains("beginning with a letter"), "{error}");
    }

    #[test]
    fn the_other_kinds_have_their_own_types() {
        let group = "/subscriptions/0f3c/resourceGroups/Straße (1)/providers";
        let group = group.replace(' ', "");
        let account = format!("{group}/Microsoft.Storage/storageAccounts/apimdr01");
        assert_eq!(account.parse::<StorageAccountId>().unwrap().resource_name(), "apimdr01");
        assert!(account.parse::<ProfileId>().is_err());
        assert!(account.replace("apimdr01", "Apim").parse::<StorageAccountId>().is_err());
        let profile = format!("{group}/Microsoft.Network/trafficmanagerprofiles/tm-apim");
        assert_eq!(profile.parse::<ProfileId>().unwrap().resource_name(), "tm-apim");
    }
}
