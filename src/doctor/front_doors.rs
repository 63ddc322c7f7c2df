//! Custom hostnames: the same on every service, each with a certificate that users' clients believe.

use std::collections::BTreeSet;

use serde_json::Value;

use super::services::Seen;
use super::{Examination, Finding};

pub(super) async fn look(examination: &mut Examination<'_>, services: &[Seen]) {
    hostnames(examination, services);
    for service in services.iter().filter(|seen| seen.resource.is_some()) {
        let name = service.id.name();
        let looks = examination.azure.look_at_front_door(&service.id, examination.clock).await;
        for look in looks.unwrap_or_default() {
            let fix =
                "renew the certificate there: Traffic Manager's probes ignore certificates, users do not";
            examination.note(match (&look.refused, look.good_until) {
                (None, None) => {
                    Finding::good("certificate", name.as_str(), &format!("{} is believed", look.host))
                }
                (Some(why), _) => {
                    Finding::bad("certificate", name.as_str(), &format!("{}: {why}", look.host), fix)
                }
                (None, Some(until)) => Finding::doubt(
                    "certificate",
                    name.as_str(),
                    &format!("{} is good until {until}", look.host),
                    fix,
                ),
            });
        }
    }
}

/// A restore leaves the target's hostnames alone, so users' names have to be set up on both sides.
fn hostnames(examination: &mut Examination<'_>, services: &[Seen]) {
    let built_in = format!(".{}", examination.config.cloud.gateways);
    let Some(primary) = services.first().and_then(|seen| seen.resource.as_ref()) else { return };
    let wanted = custom(primary, &built_in);
    for secondary in &services[1..] {
        let Some(resource) = &secondary.resource else { continue };
        let own = custom(resource, &built_in);
        let missing: Vec<_> = wanted.difference(&own).cloned().collect();
        let name = secondary.id.name();
        examination.note(match missing.as_slice() {
            [] => Finding::good("hostnames", name.as_str(), "it has every custom hostname of the primary"),
            missing => {
                let fact = format!("it lacks {}", missing.join(", "));
                let fix = "add them with their certificates: a backup carries no hostnames, and after a failover users would \
                           meet an error";
                Finding::bad("hostnames", name.as_str(), &fact, fix)
            }
        });
    }
}

fn custom(resource: &Value, built_in: &str) -> BTreeSet<String> {
    let all = resource["properties"]["hostnameConfigurations"].as_array().into_iter().flatten();
    let of_gateway =
        all.filter(|host| host["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("Proxy")));
    let names = of_gateway.filter_map(|host| host["hostName"].as_str()).map(str::to_lowercase);
    names.filter(|name| !name.ends_with(built_in)).collect()
}
