//! Which hostnames users reach a service by, and what its gateway shows for each.

use azure_core::http::{RawResponse, Url};
use futures::stream::{self, StreamExt as _};
use rustls::pki_types::CertificateDer;
use serde::Deserialize;

use super::answers::{describe, silence};
use super::arm::NoReply;
use super::handshake::{Handshakes, Shown};
use crate::clock::InvocationClock;
use crate::config::Config;
use crate::domain::health::CertificateLook;
use crate::domain::id::ServiceName;

/// How many hostnames are looked at side by side.
const AT_ONCE: usize = 16;

/// How gateways are reached, and whom to trust there.
pub(super) struct FrontDoors {
    /// None: there are no sockets to reach them by.
    authorities: Option<Authorities>,
    /// The domain of the hostnames that Azure itself keeps in order.
    built_in: &'static str,
}

/// Those of the settings, or the system's, which are loaded only when they are needed: once a day.
type Authorities = Option<Vec<CertificateDer<'static>>>;

/// A gateway and its custom hostnames.
pub(super) struct FrontDoor {
    gateway: String,
    hosts: Vec<String>,
}

impl FrontDoors {
    pub(super) fn of(config: &Config) -> Self {
        Self { authorities: Some(config.authorities.clone()), built_in: config.cloud.gateways }
    }

    pub(super) fn out_of_reach() -> Self {
        Self { authorities: None, built_in: "" }
    }

    /// What the gateway shows for each custom hostname.
    pub(super) async fn look(
        &self,
        service: &ServiceName,
        door: &FrontDoor,
        clock: &InvocationClock,
    ) -> Result<Vec<CertificateLook>, String> {
        let hosts: Vec<_> = door.hosts.iter().filter(|host| !self.is_built_in(host)).collect();
        let (Some(authorities), false) = (&self.authorities, hosts.is_empty()) else { return Ok(Vec::new()) };
        let handshakes = Handshakes::new(authorities.as_deref())?;
        let gateway = Url::parse(&door.gateway).ok();
        let host = gateway.as_ref().and_then(Url::host_str);
        let host = host.ok_or_else(|| format!("the gateway's address {:?} cannot be read", door.gateway))?;
        let port = gateway.as_ref().and_then(Url::port_or_known_default).unwrap_or(443);
        let look = async |name: &String| {
            let shown = handshakes.look((host, port), name, clock.now()).await;
            looked(service, name, shown)
        };
        // A gateway that is gone keeps each of them waiting for its whole time.
        Ok(stream::iter(hosts).map(look).buffered(AT_ONCE).collect().await)
    }

    fn is_built_in(&self, host: &str) -> bool {
        host.to_ascii_lowercase().strip_suffix(self.built_in).is_some_and(|rest| rest.ends_with('.'))
    }
}

fn looked(service: &ServiceName, host: &str, shown: Shown) -> CertificateLook {
    let (refused, good_until) = match shown {
        Shown::Good => (None, None),
        Shown::GoodUntil(until) => (None, Some(until)),
        Shown::Refused(why) => (Some(why), None),
    };
    CertificateLook { service: service.clone(), host: host.to_owned(), refused, good_until }
}

#[derive(Deserialize)]
struct Service {
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    #[serde(default)]
    gateway_url: Option<String>,
    #[serde(default)]
    hostname_configurations: Option<Vec<Hostname>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hostname {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    host_name: String,
}

/// The front door of the service in an answer. `Proxy` is Azure's word for the gateway.
pub(super) fn of(reply: Result<RawResponse, NoReply>) -> Result<FrontDoor, String> {
    let answer = reply.map_err(silence)?;
    if u16::from(answer.status()) != 200 {
        return Err(describe(&answer));
    }
    let service: Service = serde_json::from_slice(answer.body())
        .map_err(|error| format!("the answer is no service: {error}"))?;
    let Properties { gateway_url, hostname_configurations } = service.properties;
    let hosts = hostname_configurations.unwrap_or_default().into_iter();
    let hosts = hosts.filter(|host| host.kind.eq_ignore_ascii_case("Proxy")).map(|host| host.host_name);
    Ok(FrontDoor { gateway: gateway_url.unwrap_or_default(), hosts: hosts.collect() })
}
