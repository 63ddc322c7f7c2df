//! A profile: its endpoints, its status, and what it answers to DNS.

use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime};

use super::ProfileSpec;
use super::endpoint::{Endpoint, Health, Kind, Probing};
use crate::cloud::{SUBSCRIPTION, Service};

#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) resource_group: String,
    pub(crate) enabled: bool,
    pub(crate) method: String,
    pub(crate) ttl: i64,
    pub(crate) probing: Probing,
    pub(crate) endpoints: Vec<Endpoint>,
}

impl Profile {
    /// The profile over `services`, which have been up and probed for long.
    pub(super) fn new(spec: &ProfileSpec, services: &[Service], now: OffsetDateTime) -> Self {
        let endpoints = services.iter().zip(1_i64..).map(|(service, priority)| {
            let target = if spec.regional { service.regional_host() } else { service.gateway_host() };
            let endpoint = Endpoint::new((&service.spec.name, Kind::External), &target, priority);
            // Endpoints are not probed at one and the same time.
            let next_probe = now + Duration::seconds((priority * 7) % spec.interval.max(1));
            Endpoint {
                location: service.spec.location.clone(),
                health: Health::Online,
                next_probe,
                ..endpoint
            }
        });
        Self {
            name: spec.name.clone(),
            resource_group: spec.resource_group.clone(),
            enabled: true,
            method: "Priority".to_owned(),
            ttl: spec.ttl,
            probing: Probing { interval: spec.interval, timeout: spec.timeout, tolerated: spec.tolerated },
            endpoints: endpoints.collect(),
        }
    }

    /// The resource id, in the letters of Traffic Manager's answers.
    pub(crate) fn id(&self) -> String {
        format!(
            "/subscriptions/{SUBSCRIPTION}/resourceGroups/{}/providers/Microsoft.Network/trafficManagerProfiles/{}",
            self.resource_group, self.name
        )
    }

    pub(super) fn ttl(&self) -> Duration {
        Duration::seconds(self.ttl)
    }

    /// The endpoint of this name, whatever its kind.
    pub(crate) fn endpoint_mut(&mut self, name: &str) -> Option<&mut Endpoint> {
        self.endpoints.iter_mut().find(|endpoint| endpoint.name.eq_ignore_ascii_case(name))
    }

    /// The hosts that DNS gives out. In priority mode that is the first endpoint that is well; if none is, all that
    /// are enabled; in the other modes it depends on who asks, so it is each that is well.
    pub(super) fn answer(&self) -> Vec<String> {
        if !self.enabled {
            return Vec::new();
        }
        let enabled: Vec<_> = self.endpoints.iter().filter(|endpoint| endpoint.enabled).collect();
        let well: Vec<_> = enabled.iter().copied().filter(|endpoint| endpoint.is_given_out()).collect();
        let given = match well.iter().min_by_key(|endpoint| endpoint.priority) {
            None => enabled,
            Some(first) if self.method == "Priority" => vec![*first],
            Some(_) => well,
        };
        given.into_iter().map(|endpoint| endpoint.target.to_lowercase()).collect()
    }

    /// The profile's monitor status: Degraded as soon as one endpoint is.
    fn monitor_status(&self) -> &'static str {
        let has =
            |status: &str| self.endpoints.iter().any(|endpoint| endpoint.monitor_status(true) == status);
        match self.enabled {
            false => "Disabled",
            true if has("Degraded") => "Degraded",
            true if has("Online") || has("Unmonitored") => "Online",
            true if has("CheckingEndpoint") => "CheckingEndpoints",
            true => "Inactive",
        }
    }

    /// The profile as Resource Manager shows it.
    pub(crate) fn resource(&self) -> Value {
        let endpoints: Vec<_> =
            self.endpoints.iter().map(|endpoint| self.endpoint_resource(endpoint)).collect();
        json!({
            "id": self.id(),
            "name": self.name,
            "type": "Microsoft.Network/trafficManagerProfiles",
            "location": "global",
            "tags": {},
            "properties": {
                "profileStatus": if self.enabled { "Enabled" } else { "Disabled" },
                "trafficRoutingMethod": self.method,
                "dnsConfig": {"relativeName": self.name, "fqdn": format!("{}.trafficmanager.net", self.name),
                              "ttl": self.ttl},
                "monitorConfig": {
                    "profileMonitorStatus": self.monitor_status(), "protocol": "HTTPS", "port": 443,
                    "path": "/status-0123456789abcdef", "intervalInSeconds": self.probing.interval,
                    "toleratedNumberOfFailures": self.probing.tolerated, "timeoutInSeconds": self.probing.timeout,
                },
                "endpoints": endpoints,
                "trafficViewEnrollmentStatus": "Disabled",
            },
        })
    }

    /// One of its endpoints as Resource Manager shows it.
    pub(crate) fn endpoint_resource(&self, endpoint: &Endpoint) -> Value {
        let collection = endpoint.kind.collection();
        let mut properties = Map::from_iter([
            ("endpointStatus".to_owned(), json!(if endpoint.enabled { "Enabled" } else { "Disabled" })),
            ("endpointMonitorStatus".to_owned(), json!(endpoint.monitor_status(self.enabled))),
            ("target".to_owned(), json!(endpoint.target)),
            ("weight".to_owned(), json!(endpoint.weight)),
            ("priority".to_owned(), json!(endpoint.priority)),
            ("endpointLocation".to_owned(), json!(endpoint.location)),
        ]);
        if endpoint.kind == Kind::Nested {
            properties.insert("minChildEndpoints".to_owned(), json!(1));
        }
        if let Some(always) = endpoint.always_serve {
            properties.insert("alwaysServe".to_owned(), json!(if always { "Enabled" } else { "Disabled" }));
        }
        json!({
            "id": format!("{}/{collection}/{}", self.id(), endpoint.name),
            "name": endpoint.name,
            "type": format!("Microsoft.Network/trafficManagerProfiles/{collection}"),
            "properties": properties,
        })
    }
}
