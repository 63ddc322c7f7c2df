//! What of a service no backup carries, and what of its content belongs to it alone: read for the inventory's head, and
//! of the target at the end of a comparison. What cannot be read is told, and holds up nothing.

use serde::Deserialize;
use serde_json::Value;

use super::content::{Content, Outcome, Walk};
use crate::domain::inventory::{Folding, digest_of};
use crate::domain::observation::StretchEnd;
use crate::domain::unprotected::{Facts, Found, Tie, Ties, Vault, user_assigned};

/// Entries of one list that are held at once for this; of a longer one it is told that it was not read.
const LARGEST_LIST: usize = 1_000;

/// Entries of one list that are looked through for ties, and dropped one by one.
const LARGEST_SEARCH: usize = 20_000;

/// Providers and gateways of which the lists below them are read.
const MOST_OWNERS: usize = 20;

/// What is read of a service.
pub(super) struct Reality<'a> {
    pub(super) content: &'a Content<'a>,
    pub(super) folding: &'a Folding,
}

/// The members of a service that no backup carries.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Service {
    location: String,
    properties: Properties,
    identity: Option<Identity>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    hostname_configurations: Option<Vec<Hostname>>,
    certificates: Option<Vec<Authority>>,
    custom_properties: Option<std::collections::BTreeMap<String, Value>>,
    virtual_network_type: Option<String>,
    virtual_network_configuration: Option<Value>,
    public_network_access: Option<String>,
    additional_locations: Option<Vec<Value>>,
    gateway_url: Option<String>,
    gateway_regional_url: Option<String>,
    management_api_url: Option<String>,
    portal_url: Option<String>,
    developer_portal_url: Option<String>,
    scm_url: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Hostname {
    #[serde(rename = "type")]
    kind: String,
    host_name: String,
    certificate_source: Option<String>,
    key_vault_id: Option<String>,
    certificate: Option<Certificate>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Authority {
    store_name: String,
    certificate: Option<Certificate>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Certificate {
    subject: String,
    thumbprint: String,
    expiry: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Identity {
    #[serde(rename = "type")]
    kind: String,
    user_assigned_identities: Option<std::collections::BTreeMap<String, Value>>,
}

impl Reality<'_> {
    /// Everything that can be found out; what cannot says why.
    pub(super) async fn facts(&self, service: &Result<Service, String>) -> Facts {
        let (monitoring, portal, connections, gateways) = tokio::join!(
            self.monitoring(),
            self.portal(),
            self.below("authorizationProviders", &["authorizations"]),
            self.below("gateways", &["hostnameConfigurations", "certificateAuthorities"]),
        );
        let of = |tell: fn(&Service) -> Vec<String>| {
            Some(match service {
                Ok(service) => Found::these(tell(service)),
                Err(why) => Found::Unread(why.clone()),
            })
        };
        Facts {
            hostnames: of(hostnames),
            authorities: of(authorities),
            identities: of(identities),
            network: of(network),
            protocols: of(protocols),
            monitoring: Some(found(monitoring)),
            portal: Some(found(portal)),
            connections: Some(found(connections)),
            gateways: Some(found(gateways)),
        }
    }

    /// The service itself, of which facts and ties tell.
    pub(super) async fn service(&self) -> Result<Service, String> {
        let value = self.read(&[]).await?.ok_or("there is no such service")?;
        serde_json::from_value(value).map_err(|error| format!("the service cannot be read: {error}"))
    }

    async fn read(&self, segments: &[&str]) -> Result<Option<Value>, String> {
        match self.content.entity(self.content.url(segments)).await {
            Ok((_, Outcome::Unread { why, .. })) => Err(why),
            Ok((value, _)) => Ok(value),
            Err(end) => Err(in_words(end)),
        }
    }

    async fn list(&self, segments: &[&str]) -> Result<Vec<Value>, String> {
        self.take(Walk::of(segments, LARGEST_LIST), &Some).await
    }

    /// Reads a list, and keeps of each entry what `take` makes of it.
    async fn take<T>(
        &self,
        walk: Walk<T>,
        take: &(dyn Fn(Value) -> Option<T> + Sync),
    ) -> Result<Vec<T>, String> {
        match self.content.finish(walk, take).await {
            Ok((_, Outcome::Unread { not_in_tier: true, .. } | Outcome::Gone)) => Ok(Vec::new()),
            Ok((_, Outcome::Unread { why, .. })) => Err(why),
            Ok((entries, Outcome::Whole)) => Ok(entries),
            Err(end) => Err(in_words(end)),
        }
    }

    async fn monitoring(&self) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        for list in ["diagnostics", "loggers"] {
            if let Some(entity) = self.read(&[list, "azuremonitor"]).await? {
                let path = format!("{list}/azuremonitor");
                found.push(format!("{path} {}", self.short_digest(&path, &entity)));
            }
        }
        Ok(found)
    }

    /// The portal's pages by name and content.
    async fn portal(&self) -> Result<Vec<String>, String> {
        let pages = self.list(&["contentTypes", "page", "contentItems"]).await?;
        let told = pages.iter().map(|page| {
            let title = page["properties"]["en_us"]["title"].as_str().or_else(|| page["name"].as_str());
            format!(
                "page {} {}",
                title.unwrap_or("without a name"),
                self.short_digest("contentItems/x", page)
            )
        });
        Ok(told.collect())
    }

    fn short_digest(&self, path: &str, entity: &Value) -> String {
        digest_of(path, entity, self.folding).to_string()[..8].to_owned()
    }

    /// What stands in a list, and in the lists below each of its entries.
    async fn below(&self, list: &str, parts: &[&str]) -> Result<Vec<String>, String> {
        let (mut found, owners) = (Vec::new(), self.list(&[list]).await?);
        if owners.len() > MOST_OWNERS {
            return Err(format!("there are {}, and those of {MOST_OWNERS} at most are read", owners.len()));
        }
        for owner in owners.iter().filter_map(name_of) {
            found.push(owner.to_owned());
            for part in parts {
                for entry in self.list(&[list, owner, part]).await? {
                    let state = entry["properties"]["status"].as_str().map(|state| format!(" ({state})"));
                    let name = name_of(&entry).unwrap_or("without a name");
                    found.push(format!("{owner}/{part}/{name}{}", state.unwrap_or_default()));
                }
            }
        }
        Ok(found)
    }

    /// Values of the content that name the service's region or its own hosts, or that are read from a key vault.
    pub(super) async fn ties(&self, service: &Result<Service, String>) -> Ties {
        let belongs = match service {
            Ok(service) => Belongs::of(service),
            Err(why) => return Ties::of(Vec::new(), vec![format!("any list: {why}")]),
        };
        let (mut ties, mut unread) = (Vec::new(), Vec::new());
        for list in ["backends", "namedValues", "loggers", "caches", "certificates"] {
            let tie = |entry: Value| Some(belongs.tie(format!("{list}/{}", name_of(&entry)?), &entry));
            match self.take(Walk::of(&[list], LARGEST_SEARCH), &tie).await {
                Ok(found) => ties.extend(found.into_iter().flatten()),
                Err(why) => unread.push(format!("{list}: {why}")),
            }
        }
        Ties::of(ties, unread)
    }
}

fn found(read: Result<Vec<String>, String>) -> Found {
    read.map_or_else(Found::Unread, Found::these)
}

fn in_words(end: StretchEnd) -> String {
    match end {
        StretchEnd::Full | StretchEnd::Late => "there was no time left".to_owned(),
        StretchEnd::Interrupted(why) | StretchEnd::GivenUp(why) | StretchEnd::NoToken(why) => why,
    }
}

fn name_of(entry: &Value) -> Option<&str> {
    entry["name"].as_str()
}

fn hostnames(service: &Service) -> Vec<String> {
    let all = service.properties.hostname_configurations.iter().flatten();
    let custom = all.filter(|hostname| !is(hostname.certificate_source.as_deref(), "BuiltIn"));
    custom
        .map(|hostname| {
            let vault = hostname.key_vault_id.as_deref().unwrap_or("no key vault");
            let certificate = hostname.certificate.as_ref().map(in_short).unwrap_or_default();
            format!(
                "{} {}, certificate {certificate} by {vault}",
                hostname.kind,
                hostname.host_name.to_lowercase()
            )
        })
        .collect()
}

fn in_short(certificate: &Certificate) -> String {
    format!("{} {} until {}", certificate.subject, certificate.thumbprint, certificate.expiry)
}

fn authorities(service: &Service) -> Vec<String> {
    let all = service.properties.certificates.iter().flatten();
    all.map(|authority| {
        let certificate = authority.certificate.as_ref().map(in_short).unwrap_or_default();
        format!("{} {certificate}", authority.store_name)
    })
    .collect()
}

fn identities(service: &Service) -> Vec<String> {
    let Some(identity) = &service.identity else { return Vec::new() };
    let own = identity.kind.to_lowercase().contains("systemassigned").then(|| "system-assigned".to_owned());
    let assigned = identity.user_assigned_identities.iter().flatten();
    let assigned = assigned.map(|(id, of)| user_assigned(of["clientId"].as_str().unwrap_or(id)));
    own.into_iter().chain(assigned).collect()
}

/// What everybody has by default is not told.
fn network(service: &Service) -> Vec<String> {
    let Properties { virtual_network_type, virtual_network_configuration, public_network_access, .. } =
        &service.properties;
    let mut found = Vec::new();
    if let Some(kind) = virtual_network_type.as_deref().filter(|kind| !kind.eq_ignore_ascii_case("None")) {
        let subnet =
            virtual_network_configuration.as_ref().and_then(|network| network["subnetResourceId"].as_str());
        found.push(format!("{kind} network, subnet {}", subnet.unwrap_or("not told").to_lowercase()));
    }
    if let Some(access) =
        public_network_access.as_deref().filter(|access| !access.eq_ignore_ascii_case("Enabled"))
    {
        found.push(format!("public access {access}"));
    }
    let locations = service.properties.additional_locations.iter().flatten();
    found
        .extend(locations.filter_map(|location| Some(format!("also in {}", location["location"].as_str()?))));
    found
}

fn protocols(service: &Service) -> Vec<String> {
    let all = service.properties.custom_properties.iter().flatten();
    all.map(|(name, value)| {
        let name = name.trim_start_matches("Microsoft.WindowsAzure.ApiManagement.Gateway.");
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{name}={}", value.to_lowercase())
    })
    .collect()
}

fn is(word: Option<&str>, wanted: &str) -> bool {
    word.is_some_and(|word| word.eq_ignore_ascii_case(wanted))
}

/// What belongs to a service alone.
struct Belongs {
    region: String,
    /// The region as hosts and ids write it.
    region_in_hosts: String,
    hosts: Vec<String>,
}

impl Belongs {
    fn of(service: &Service) -> Self {
        let Properties {
            gateway_url,
            gateway_regional_url,
            management_api_url,
            portal_url,
            developer_portal_url,
            scm_url,
            ..
        } = &service.properties;
        let urls = [
            gateway_regional_url,
            gateway_url,
            management_api_url,
            portal_url,
            developer_portal_url,
            scm_url,
        ];
        let host = |url: &Option<String>| {
            let host = url.as_deref()?.trim_start_matches("https://").trim_end_matches('/').to_lowercase();
            (!host.is_empty()).then_some(host)
        };
        Self {
            region: service.location.clone(),
            region_in_hosts: service.location.to_lowercase().replace(' ', ""),
            hosts: urls.into_iter().filter_map(host).collect(),
        }
    }

    /// The tie that an entity is, if it is one. What a text holds beside that is not kept: it may be a secret.
    fn tie(&self, path: String, entity: &Value) -> Option<Tie> {
        let mut texts = Vec::new();
        gather(&entity["properties"], &mut texts);
        let named = |word: &str| !word.is_empty() && texts.iter().any(|text| text.contains(word));
        let region = named(&self.region_in_hosts) || named(&self.region.to_lowercase());
        let host = self.hosts.iter().find(|host| named(host)).cloned();
        let vault = entity["properties"]["keyVault"]["secretIdentifier"].as_str().map(|_| Vault {
            identity: entity["properties"]["keyVault"]["identityClientId"].as_str().map(str::to_owned),
        });
        let region = region.then(|| self.region.clone());
        (region.is_some() || host.is_some() || vault.is_some()).then_some(Tie { path, region, host, vault })
    }
}

/// Every text in a value, in lower case.
fn gather(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.to_lowercase()),
        Value::Array(values) => values.iter().for_each(|value| gather(value, texts)),
        Value::Object(members) => members.values().for_each(|value| gather(value, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
