//! Traffic Manager, and where things stand: what is needed in an outage must not stand in the region that is out.

use serde_json::Value;

use super::services::Seen;
use super::{Examination, Finding};
use crate::azure::Unread;
use crate::config::LiveCheck;
use crate::domain::id::{ProfileId, ServiceName};
use crate::domain::serving::{Gateways, Profile, Serving};

/// The version of Resource Manager's own API for groups.
const GROUPS_API_VERSION: &str = "2021-04-01";

/// What a probe has to ask of a gateway: it answers without a key, and says nothing of APIs or backends.
const PROBE: &str = "/status-0123456789abcdef";

pub(super) async fn look(examination: &mut Examination<'_>, services: &[Seen]) {
    let config = examination.config;
    match (&config.profile, config.live_check) {
        (Some(profile), LiveCheck::Off) => {
            nobody_is_asked(examination);
            look_at(examination, profile).await;
        }
        (Some(profile), LiveCheck::On) => look_at(examination, profile).await,
        (None, LiveCheck::Off) => nobody_is_asked(examination),
        (None, LiveCheck::On) => {
            let fix = "set TRAFFIC_MANAGER_ID to the profile that routes to the services, or LIVE_CHECK=off";
            examination.note(Finding::bad(
                "traffic",
                "TRAFFIC_MANAGER_ID",
                "nothing is restored by itself without it",
                fix,
            ));
        }
    }
    groups(examination, services).await;
}

fn nobody_is_asked(examination: &mut Examination<'_>) {
    let fix = "set TRAFFIC_MANAGER_ID and LIVE_CHECK=on, unless no traffic can ever reach a secondary while the primary is up";
    let fact = "it is off: nobody is asked who serves before a restore";
    examination.note(Finding::doubt("traffic", "LIVE_CHECK", fact, fix));
}

async fn look_at(examination: &mut Examination<'_>, id: &ProfileId) {
    let name = id.resource_name();
    let resource = match examination.azure.read(id.as_str(), crate::azure::PROFILE_API_VERSION).await {
        Ok(resource) => resource,
        Err(Unread { what, .. }) => {
            let fix =
                "see that TRAFFIC_MANAGER_ID names the profile, and give the caller the role Reader on it";
            return examination.note(Finding::bad("traffic", name, &what, fix));
        }
    };
    if examination.config.live_check == LiveCheck::On {
        let serving = examination.azure.who_serves().await;
        examination.note(judge_serving(name, serving));
    }
    for finding in endpoints(examination, name, &resource) {
        examination.note(finding);
    }
    examination.note(probe(name, &resource["properties"]["monitorConfig"]));
}

fn judge_serving(name: &str, serving: Serving) -> Finding {
    match serving {
        Serving::Service(service) => Finding::good("traffic", name, &format!("{service} serves")),
        Serving::NotConfigured => {
            Finding::bad("traffic", name, "nobody is asked who serves", "set TRAFFIC_MANAGER_ID")
        }
        Serving::Unknown(why) => {
            let fact = format!("it does not say who serves: {why}");
            Finding::doubt("traffic", name, &fact, "until it does, nothing is restored by itself")
        }
    }
}

/// Each service has an endpoint, and they come in the order of the settings.
fn endpoints(examination: &Examination<'_>, name: &str, resource: &Value) -> Vec<Finding> {
    let config = examination.config;
    let services: Vec<_> = std::iter::once(&config.primary)
        .chain(&config.secondaries)
        .map(crate::domain::id::ServiceId::name)
        .collect();
    let gateways = Gateways { domain: config.cloud.gateways.to_owned(), services: services.clone() };
    let Ok(profile) = Profile::parse(resource.to_string().as_bytes()) else {
        return vec![Finding::bad(
            "endpoints",
            name,
            "the answer is no profile",
            "see the profile in the portal",
        )];
    };
    let line = profile.line(&gateways);
    let missing = services.iter().filter(|service| !line.contains(service));
    let mut findings: Vec<_> =
        missing.map(|service| missing_endpoint(name, service, &gateways.domain)).collect();
    let wanted: Vec<_> = services.iter().filter(|service| line.contains(service)).cloned().collect();
    if line == wanted && findings.is_empty() {
        findings.push(Finding::good("endpoints", name, "each service has one, in the order of the settings"));
    } else if line != wanted {
        let told: Vec<_> = line.iter().map(ServiceName::as_str).collect();
        let fact = format!("by priority they lead to {}", told.join(", then "));
        let fix = "give the primary the lowest priority number, and the secondaries theirs in the order of APIM_SECONDARY_IDS";
        findings.push(Finding::doubt("endpoints", name, &fact, fix));
    }
    findings
}

fn missing_endpoint(name: &str, service: &ServiceName, domain: &str) -> Finding {
    let fact = format!("no endpoint leads to {service}");
    let fix = format!("add an external endpoint with the target {service}.{domain}");
    Finding::bad("endpoints", name, &fact, &fix)
}

fn probe(name: &str, config: &Value) -> Finding {
    let (protocol, path) = (&config["protocol"], &config["path"]);
    let is_https = protocol.as_str().is_some_and(|protocol| protocol.eq_ignore_ascii_case("https"));
    match is_https && path.as_str() == Some(PROBE) {
        true => Finding::good("probe", name, &format!("it asks for {PROBE} over HTTPS")),
        false => {
            let fact = format!("it asks for {path} over {protocol}");
            let fix = format!(
                "probe {PROBE} over HTTPS, port 443: it tells whether the gateway is up, and needs no key"
            );
            Finding::doubt("probe", name, &fact, &fix)
        }
    }
}

/// A group's control plane is its own region's: while that is down, what it holds is read-only.
async fn groups(examination: &mut Examination<'_>, services: &[Seen]) {
    let [_, secondary, ..] = services else { return };
    let Some(region) = secondary.location().map(plain) else { return };
    let config = examination.config;
    let mut groups = vec![("secondary", secondary.id.subscription(), secondary.id.resource_group())];
    if let Some(account) = &config.storage_account_id {
        groups.push(("storage account", account.subscription(), account.resource_group()));
    }
    if let Some(profile) = &config.profile {
        groups.push(("Traffic Manager profile", profile.subscription(), profile.resource_group()));
    }
    for (what, subscription, group) in groups {
        let path = format!("/subscriptions/{subscription}/resourceGroups/{group}");
        let read = examination.azure.read(&path, GROUPS_API_VERSION).await;
        examination.note(judge_group((what, group), &region, read));
    }
}

fn judge_group((what, group): (&str, &str), region: &str, read: Result<Value, Unread>) -> Finding {
    match read {
        Ok(resource) => {
            let location = plain(resource["location"].as_str().unwrap_or_default());
            let fact = format!("the group of the {what} is in {location}");
            match location == region {
                true => Finding::good("region", group, &fact),
                false => {
                    let fix = format!(
                        "while {location} is down nothing in that group can be changed: move the {what} into a \
                                       group in {region}, the secondary's region"
                    );
                    Finding::doubt("region", group, &fact, &fix)
                }
            }
        }
        Err(Unread { what: why, .. }) => {
            let fix = format!(
                "see in the portal that the group of the {what} is in {region}, the secondary's region"
            );
            Finding::unseen("region", group, &why, &fix)
        }
    }
}

/// `West Europe` and `westeurope` are the same.
fn plain(location: &str) -> String {
    location.to_lowercase().replace(' ', "")
}
