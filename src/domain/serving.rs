//! Who carries the traffic: what the Traffic Manager profile says, and what is remembered of it.
//!
//! Traffic Manager in priority mode sends users to the endpoint with the lowest priority number among those that
//! are enabled and answer its probes (contract: apim-arm, section 5). Whatever leaves a doubt is `Unknown`: a restore
//! into the service that serves would be the outage that it is meant to end.

use serde::Deserialize;

use super::id::ServiceName;

/// Who carries the traffic, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serving {
    /// This service, by the profile; or the primary, because `LIVE_CHECK=off` says that nobody is asked.
    Service(ServiceName),
    /// There is neither a profile nor `LIVE_CHECK=off`.
    NotConfigured,
    /// The profile does not say, for this reason.
    Unknown(String),
}

impl Serving {
    /// The service that serves, if that is known.
    pub fn service(&self) -> Option<&ServiceName> {
        match self {
            Self::Service(name) => Some(name),
            Self::NotConfigured | Self::Unknown(_) => None,
        }
    }
}

/// A Traffic Manager profile as Resource Manager describes it. Members that are absent are read as what stands in
/// the way of knowing.
#[derive(Clone, Debug, Deserialize)]
pub struct Profile {
    properties: Properties,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    #[serde(default)]
    profile_status: String,
    #[serde(default)]
    traffic_routing_method: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Clone, Debug, Deserialize)]
struct Endpoint {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    properties: EndpointProperties,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EndpointProperties {
    endpoint_status: Option<String>,
    endpoint_monitor_status: Option<String>,
    always_serve: Option<String>,
    target: Option<String>,
    priority: Option<u32>,
}

impl Profile {
    /// Reads the body of a profile.
    ///
    /// # Errors
    /// When it is no profile.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| format!("the answer is not a profile: {error}"))
    }

    /// The services that enabled endpoints lead to, in the order of their priorities.
    pub fn line(&self, gateways: &Gateways) -> Vec<ServiceName> {
        let endpoints = self.properties.endpoints.iter().filter(|endpoint| endpoint.is_enabled());
        let mut line: Vec<_> = endpoints
            .filter_map(|endpoint| match gateways.behind(endpoint) {
                Serving::Service(name) => Some((endpoint.properties.priority, name)),
                Serving::NotConfigured | Serving::Unknown(_) => None,
            })
            .collect();
        line.sort_by_key(|(priority, _)| *priority);
        line.into_iter().map(|(_, name)| name).collect()
    }

    /// Who serves by this profile. First match wins.
    pub fn serving(&self, gateways: &Gateways) -> Serving {
        match self.serving_endpoint() {
            Ok(endpoint) => gateways.behind(endpoint),
            Err(why) => Serving::Unknown(why),
        }
    }

    fn serving_endpoint(&self) -> Result<&Endpoint, String> {
        let Properties { profile_status, traffic_routing_method, endpoints } = &self.properties;
        if !is(Some(profile_status), "Enabled") {
            return Err(format!("the profile is {}", or_unnamed(profile_status)));
        }
        if !is(Some(traffic_routing_method), "Priority") {
            let method = or_unnamed(traffic_routing_method);
            return Err(format!("the profile routes by {method}, and only Priority says who serves"));
        }
        if let Some(nested) = endpoints.iter().find(|endpoint| endpoint.is_nested()) {
            return Err(format!(
                "the endpoint {} is another profile, whose choice is not known",
                nested.name
            ));
        }
        first_in_line(endpoints)
    }
}

/// The endpoint that answers, if none before it may come to answer at any moment, and none beside it.
fn first_in_line(endpoints: &[Endpoint]) -> Result<&Endpoint, String> {
    let mut line: Vec<(u32, &Endpoint)> = Vec::new();
    for endpoint in endpoints.iter().filter(|endpoint| endpoint.is_enabled()) {
        let Some(priority) = endpoint.properties.priority else {
            return Err(format!("the endpoint {} has no priority", endpoint.name));
        };
        line.push((priority, endpoint));
    }
    line.sort_by_key(|(priority, _)| *priority);
    for (index, (priority, endpoint)) in line.iter().enumerate() {
        if line.iter().skip(index + 1).any(|(other, _)| other == priority) {
            return Err(format!("two endpoints have the priority {priority}"));
        }
        if endpoint.answers() {
            return Ok(endpoint);
        }
        if is(endpoint.properties.endpoint_monitor_status.as_ref(), "CheckingEndpoint") {
            return Err(format!("Traffic Manager is still checking the endpoint {}", endpoint.name));
        }
    }
    Err("no enabled endpoint is Online; Traffic Manager may send users to any of them".into())
}

impl Endpoint {
    fn is_enabled(&self) -> bool {
        is(self.properties.endpoint_status.as_ref(), "Enabled")
    }

    fn answers(&self) -> bool {
        let EndpointProperties { endpoint_monitor_status, always_serve, .. } = &self.properties;
        is(endpoint_monitor_status.as_ref(), "Online") || is(always_serve.as_ref(), "Enabled")
    }

    fn is_nested(&self) -> bool {
        self.kind.rsplit('/').next().is_some_and(|kind| kind.eq_ignore_ascii_case("nestedEndpoints"))
    }
}

fn is(word: Option<&String>, wanted: &str) -> bool {
    word.is_some_and(|word| word.eq_ignore_ascii_case(wanted))
}

fn or_unnamed(word: &str) -> &str {
    if word.is_empty() { "in no state that it names" } else { word }
}

/// The hosts of the services' gateways, by which a profile's endpoints are matched. Custom hostnames are the same on
/// both sides and say nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateways {
    /// The domain of all gateways of a cloud, such as `azure-api.net`.
    pub domain: String,
    /// Every configured service.
    pub services: Vec<ServiceName>,
}

impl Gateways {
    fn behind(&self, endpoint: &Endpoint) -> Serving {
        let Some(target) = endpoint.properties.target.as_deref().filter(|target| !target.is_empty()) else {
            return Serving::Unknown(format!("the endpoint {} has no target", endpoint.name));
        };
        let host = target.trim_end_matches('.').to_ascii_lowercase();
        let fitting: Vec<_> =
            self.services.iter().filter(|service| self.is_host_of(service, &host)).collect();
        match fitting[..] {
            [service] => Serving::Service(service.clone()),
            [] => Serving::Unknown(format!(
                "the endpoint {} serves, and its target {target} is the gateway of no service in the settings; use \
                 the default host, such as {}",
                endpoint.name,
                self.example()
            )),
            _ => Serving::Unknown(format!(
                "the endpoint {} serves, and its target {target} fits more than one service",
                endpoint.name
            )),
        }
    }

    /// `{service}.{domain}`, or `{service}-{region}-{number}.regional.{domain}`, where a region is one word.
    fn is_host_of(&self, service: &ServiceName, host: &str) -> bool {
        let Some(label) = host.strip_suffix(&self.domain).and_then(|host| host.strip_suffix('.')) else {
            return false;
        };
        let regional = label.strip_suffix(".regional").and_then(|label| label.strip_prefix(service.as_str()));
        label == service.as_str() || regional.is_some_and(is_region_and_number)
    }

    fn example(&self) -> String {
        let service = self.services.first().map_or("{service}", ServiceName::as_str);
        format!("{service}.{}", self.domain)
    }
}

fn is_region_and_number(text: &str) -> bool {
    let Some((region, number)) = text.strip_prefix('-').and_then(|text| text.split_once('-')) else {
        return false;
    };
    let is_word =
        |text: &str, fits: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|byte| fits(&byte));
    is_word(region, u8::is_ascii_alphanumeric) && is_word(number, u8::is_ascii_digit)
}
