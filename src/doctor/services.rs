//! The services: readable, alike enough for a restore, and reached by API Management's own identity.

use serde_json::Value;

use super::{Examination, Finding};
use crate::azure::Unread;
use crate::config::BackupAccess;
use crate::domain::id::ServiceId;
use crate::domain::vocabulary::{ServiceState, Tier};

/// The oldest version of the API that shows a service's release channel. Where a cloud does not have it, nothing is said.
const CHANNEL_API_VERSION: &str = "2025-03-01-preview";

/// A service as it was read.
pub(super) struct Seen {
    pub(super) id: ServiceId,
    /// The resource; none if it could not be read.
    pub(super) resource: Option<Value>,
}

impl Seen {
    pub(super) fn location(&self) -> Option<&str> {
        self.resource.as_ref()?["location"].as_str()
    }

    fn tier(&self) -> Option<Tier> {
        self.resource.as_ref()?["sku"]["name"].as_str().map(Tier::new)
    }
}

/// Reads every service, the primary first.
pub(super) async fn look(examination: &mut Examination<'_>) -> Vec<Seen> {
    let config = examination.config;
    let mut services = Vec::new();
    for id in std::iter::once(&config.primary).chain(&config.secondaries) {
        let read = examination.azure.read(id.as_str(), &config.api_version).await;
        let (finding, resource) = readable(id, read);
        examination.note(finding);
        if let Some(resource) = &resource {
            state(examination, id, resource);
            minimum_version(examination, id, resource);
            identity(examination, id, resource);
            workspaces(examination, id).await;
        }
        services.push(Seen { id: id.clone(), resource });
    }
    tiers(examination, &services);
    channels(examination).await;
    contents(examination, &services).await;
    services
}

fn readable(id: &ServiceId, read: Result<Value, Unread>) -> (Finding, Option<Value>) {
    let name = id.name();
    match read {
        Ok(resource) => {
            let location = resource["location"].as_str().unwrap_or("an unknown region").to_owned();
            let fact = format!("found in {location}");
            (Finding::good("service", name.as_str(), &fact), Some(resource))
        }
        Err(Unread { status: None, what, .. }) => {
            let fix = "see that AZURE_CREDENTIAL names an identity that this machine has, and that Azure can be reached";
            (Finding::bad("token", name.as_str(), &what, fix), None)
        }
        Err(Unread { status: Some(404), what, .. }) => {
            let fix = "copy the service's resource id from the portal (Properties) into the settings";
            (Finding::bad("service", name.as_str(), &what, fix), None)
        }
        Err(Unread { what, .. }) => {
            let fix =
                "give the caller the role of infra/, or API Management Service Operator Role, on the service";
            (Finding::bad("service", name.as_str(), &what, fix), None)
        }
    }
}

fn state(examination: &mut Examination<'_>, id: &ServiceId, resource: &Value) {
    let state = resource["properties"]["provisioningState"].as_str().unwrap_or("unknown");
    let fact = format!("its provisioningState is {state}");
    let name = id.name();
    examination.note(match ServiceState::parse(state) {
        state if state.is_free() => Finding::good("state", name.as_str(), &fact),
        ServiceState::Updating => Finding::doubt(
            "state",
            name.as_str(),
            &fact,
            "wait until Azure has ended what it does to the service",
        ),
        _ => Finding::bad(
            "state",
            name.as_str(),
            &fact,
            "only a service that Succeeded or Failed is backed up or restored",
        ),
    });
}

fn minimum_version(examination: &mut Examination<'_>, id: &ServiceId, resource: &Value) {
    let Some(minimum) = resource["properties"]["apiVersionConstraint"]["minApiVersion"].as_str() else {
        return;
    };
    let version = &examination.config.api_version;
    let fact = format!("it takes {minimum} and newer, and APIM_API_VERSION is {version}");
    let name = id.name();
    // The versions are dates, so their order is that of their texts.
    examination.note(match minimum <= version.as_str() {
        true => Finding::good("API version", name.as_str(), &fact),
        false => {
            let fix = format!("set APIM_API_VERSION to {minimum}, or lower the service's minApiVersion");
            Finding::bad("API version", name.as_str(), &fact, &fix)
        }
    });
}

/// Whether the service has the identity by which it is told to reach the storage account.
fn identity(examination: &mut Examination<'_>, id: &ServiceId, resource: &Value) {
    let identity = &resource["identity"];
    let name = id.name();
    let storage = "and give it the role Storage Blob Data Contributor on the storage account";
    examination.note(match &examination.config.access {
        BackupAccess::AccessKey => return,
        BackupAccess::SystemAssigned => {
            let kind = identity["type"].as_str().unwrap_or_default();
            match kind.split(',').any(|kind| kind.trim().eq_ignore_ascii_case("SystemAssigned")) {
                true => Finding::good("identity", name.as_str(), "it has a system-assigned identity"),
                false => {
                    let fix = format!("switch it on (Managed identities, System assigned), {storage}");
                    Finding::bad("identity", name.as_str(), "it has no system-assigned identity", &fix)
                }
            }
        }
        BackupAccess::UserAssigned { client_id } => {
            let assigned = identity["userAssignedIdentities"].as_object();
            let mut assigned = assigned.into_iter().flat_map(|identities| identities.values());
            let is_it = |identity: &Value| {
                identity["clientId"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(client_id))
            };
            match assigned.any(is_it) {
                true => Finding::good(
                    "identity",
                    name.as_str(),
                    "it has the user-assigned identity of BACKUP_ACCESS",
                ),
                false => {
                    let fact = format!("it has no user-assigned identity with the client id {client_id}");
                    let fix = format!("add it (Managed identities, User assigned), {storage}");
                    Finding::bad("identity", name.as_str(), &fact, &fix)
                }
            }
        }
    });
}

async fn workspaces(examination: &mut Examination<'_>, id: &ServiceId) {
    let path = format!("{id}/workspaces");
    let read = examination.azure.read(&path, &examination.config.api_version).await;
    let name = id.name();
    examination.note(match read {
        Ok(list) if list["value"].as_array().is_some_and(|value| !value.is_empty()) => {
            let fix = "Azure supports no backup of a service with workspaces: move their APIs into the service itself";
            Finding::bad("workspaces", name.as_str(), "it has workspaces", fix)
        }
        // Tiers without workspaces say so with a 400 or a 404.
        Ok(_) | Err(Unread { status: Some(400 | 404), .. }) => {
            Finding::good("workspaces", name.as_str(), "it has none")
        }
        Err(Unread { what, .. }) => {
            let fix = "let the caller read Microsoft.ApiManagement/service/workspaces/read there";
            Finding::unseen("workspaces", name.as_str(), &what, fix)
        }
    });
}

fn tiers(examination: &mut Examination<'_>, services: &[Seen]) {
    let Some(primary) = services.first().and_then(Seen::tier) else { return };
    for service in services {
        let Some(tier) = service.tier() else { continue };
        let name = service.id.name();
        let fact = format!("its tier is {tier}");
        examination.note(if !tier.has_backup() {
            let fix = "only Developer, Basic, Standard and Premium (classic) have backup and restore";
            Finding::bad("tier", name.as_str(), &fact, fix)
        } else if tier != primary {
            let fix = format!(
                "Azure restores between equal tiers only, and the primary's is {primary}: change one of them"
            );
            Finding::bad("tier", name.as_str(), &fact, &fix)
        } else {
            Finding::good("tier", name.as_str(), &fact)
        });
    }
}

/// Services of other release channels are updated at other times, and a backup may not fit an older schema.
async fn channels(examination: &mut Examination<'_>) {
    let mut channels = Vec::new();
    let config = examination.config;
    for id in std::iter::once(&config.primary).chain(&config.secondaries) {
        let read = examination.azure.read(id.as_str(), CHANNEL_API_VERSION).await;
        let channel = read
            .ok()
            .and_then(|resource| Some(resource["properties"]["releaseChannel"].as_str()?.to_owned()));
        channels.push((id.name(), channel));
    }
    let Some((_, Some(of_primary))) = channels.first().cloned() else { return };
    for (name, channel) in channels.iter().filter_map(|(name, channel)| Some((name, channel.as_ref()?))) {
        let fact = format!("its release channel is {channel}");
        examination.note(match channel.eq_ignore_ascii_case(&of_primary) {
            true => Finding::good("channel", name.as_str(), &fact),
            false => {
                let fix = format!(
                    "the primary's is {of_primary}; updates reach them weeks apart, and a backup may not \
                                   fit the older one: choose the same under Service update settings"
                );
                Finding::doubt("channel", name.as_str(), &fact, &fix)
            }
        });
    }
}

/// What a secondary holds and the primary lacks would be overwritten: the first restore waits for a person then.
async fn contents(examination: &mut Examination<'_>, services: &[Seen]) {
    let config = examination.config;
    let Ok(of_primary) = names(examination, &config.primary).await else { return };
    for secondary in config.secondaries.iter().filter(|id| services.iter().any(|seen| seen.id == **id)) {
        let name = secondary.name();
        let finding = match names(examination, secondary).await {
            Err(Unread { what, .. }) => {
                let fix = "let the caller read the service's APIs and products (Microsoft.ApiManagement/service/*/read)";
                Finding::unseen("content", name.as_str(), &what, fix)
            }
            Ok(own) => {
                let extra: Vec<_> = own.into_iter().filter(|path| !of_primary.contains(path)).collect();
                strangers(name.as_str(), &extra)
            }
        };
        examination.note(finding);
    }
}

fn strangers(service: &str, extra: &[String]) -> Finding {
    let some: Vec<_> = extra.iter().take(5).map(String::as_str).collect();
    match extra.len() {
        0 => Finding::good("content", service, "it holds no API or product that the primary lacks"),
        count => {
            let fact =
                format!("it holds {count} APIs or products that the primary lacks: {}", some.join(", "));
            let fix = "a restore would remove them. If nothing was ever restored there, the first one waits until somebody \
                       asks for it by hand";
            Finding::doubt("content", service, &fact, fix)
        }
    }
}

/// The APIs and products of a service, by path and in lower case.
async fn names(examination: &Examination<'_>, id: &ServiceId) -> Result<Vec<String>, Unread> {
    let mut names = Vec::new();
    for list in ["apis", "products"] {
        let entries =
            examination.azure.read_list(&format!("{id}/{list}"), &examination.config.api_version).await?;
        let entries = entries.iter().filter_map(|entry| entry["name"].as_str());
        names.extend(entries.map(|name| format!("{list}/{}", name.to_lowercase())));
    }
    Ok(names)
}
