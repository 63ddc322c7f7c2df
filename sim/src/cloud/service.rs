//! One API Management service: what it is to be, and what it holds.

use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

use crate::content::Content;
use crate::tokens::Principal;

/// The subscription of everything that is not placed elsewhere.
pub(crate) const SUBSCRIPTION: &str = "11111111-1111-1111-1111-111111111111";

/// In which letters a service writes the ids of what it holds. Azure compares them without regard to case, and
/// does not always write them alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdCase {
    /// As they were created.
    #[default]
    AsCreated,
    /// All in lower case.
    Lower,
    /// All in upper case.
    Upper,
}

/// With which line ends a service hands out policies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineEnds {
    /// Those that the policy was written with.
    #[default]
    AsWritten,
    /// Line feeds alone, as in the published example of `rawxml`.
    Lf,
    /// Carriage returns and line feeds, as in the published example of `xml`.
    CrLf,
}

impl LineEnds {
    /// `text` with these line ends.
    pub(crate) fn of(self, text: &str) -> String {
        match self {
            Self::AsWritten => text.to_owned(),
            Self::Lf => text.replace("\r\n", "\n"),
            Self::CrLf => text.replace("\r\n", "\n").replace('\n', "\r\n"),
        }
    }
}

/// A custom hostname of a service and its certificate.
#[derive(Clone, Debug)]
pub struct Hostname {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) source: String,
    pub(crate) expiry: Option<OffsetDateTime>,
}

impl Hostname {
    /// A hostname of the gateway, whose certificate lies in a Key Vault and is good for a year from when the
    /// service was created.
    pub fn gateway(name: &str) -> Self {
        Self { name: name.to_owned(), kind: "Proxy".to_owned(), source: "KeyVault".to_owned(), expiry: None }
    }

    /// Makes it a hostname of something else: `DeveloperPortal`, `Management`, `Scm`, `Portal`.
    pub fn of(self, kind: &str) -> Self {
        Self { kind: kind.to_owned(), ..self }
    }

    /// Where the certificate comes from: `KeyVault`, `Custom`, `Managed`.
    pub fn from(self, source: &str) -> Self {
        Self { source: source.to_owned(), ..self }
    }

    /// When the certificate expires.
    pub fn expires(self, at: OffsetDateTime) -> Self {
        Self { expiry: Some(at), ..self }
    }
}

/// What a service is to be when the simulation begins.
#[derive(Clone, Debug)]
pub struct ServiceSpec {
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) subscription: String,
    pub(crate) resource_group: String,
    pub(crate) tier: String,
    pub(crate) capacity: u32,
    pub(crate) system_assigned: bool,
    pub(crate) user_assigned: Vec<Principal>,
    pub(crate) hostnames: Vec<Hostname>,
    pub(crate) authorities: Vec<(String, String)>,
    pub(crate) network: Option<(String, String)>,
    pub(crate) custom_properties: Vec<(String, String)>,
    pub(crate) additional_locations: Vec<(String, u32)>,
    pub(crate) min_api_version: String,
    pub(crate) release_channel: String,
    pub(crate) tags: Map<String, Value>,
    pub(crate) content: Content,
    pub(crate) id_case: IdCase,
    pub(crate) line_ends: LineEnds,
    /// Collections, in lower case, that are refused whatever the tier.
    pub(crate) refused: Vec<String>,
}

impl ServiceSpec {
    /// A service as Azure creates it in `location` (`West Europe`): tier Standard, one unit, a
    /// system-assigned identity, no content but the built-in.
    pub fn new(name: &str, location: &str) -> Self {
        Self {
            name: name.to_owned(),
            location: location.to_owned(),
            subscription: SUBSCRIPTION.to_owned(),
            resource_group: "contoso-apim".to_owned(),
            tier: "Standard".to_owned(),
            capacity: 1,
            system_assigned: true,
            user_assigned: Vec::new(),
            hostnames: Vec::new(),
            authorities: Vec::new(),
            network: None,
            custom_properties: Vec::new(),
            additional_locations: Vec::new(),
            min_api_version: "2019-01-01".to_owned(),
            release_channel: "Default".to_owned(),
            tags: Map::new(),
            content: Content::built_in(),
            id_case: IdCase::default(),
            line_ends: LineEnds::default(),
            refused: Vec::new(),
        }
    }

    /// Fills it with the worked example, [`Content::sample`].
    pub fn with_sample(self) -> Self {
        self.with_content(Content::sample())
    }

    /// Fills it with `content`.
    pub fn with_content(self, content: Content) -> Self {
        Self { content, ..self }
    }

    /// Sets the tier (`Developer`, `Basic`, `Standard`, `Premium`, `StandardV2`, `Consumption`, …) and the
    /// number of units.
    pub fn tier(self, tier: &str, capacity: u32) -> Self {
        Self { tier: tier.to_owned(), capacity, ..self }
    }

    /// Places it in another resource group.
    pub fn resource_group(self, name: &str) -> Self {
        Self { resource_group: name.to_owned(), ..self }
    }

    /// Places it in another subscription.
    pub fn subscription(self, id: &str) -> Self {
        Self { subscription: id.to_owned(), ..self }
    }

    /// Takes the system-assigned identity away.
    pub fn without_identity(self) -> Self {
        Self { system_assigned: false, ..self }
    }

    /// Adds a user-assigned identity; backup and restore name it by its client id.
    pub fn user_assigned(mut self, identity: Principal) -> Self {
        self.user_assigned.push(identity);
        self
    }

    /// Adds a custom hostname of the gateway, which no backup carries.
    pub fn hostname(self, name: &str) -> Self {
        self.custom_hostname(Hostname::gateway(name))
    }

    /// Adds a custom hostname with its certificate, or replaces the one of that name.
    pub fn custom_hostname(mut self, hostname: Hostname) -> Self {
        self.hostnames.retain(|known| !known.name.eq_ignore_ascii_case(&hostname.name));
        self.hostnames.push(hostname);
        self
    }

    /// Takes a custom hostname away.
    pub fn without_hostname(mut self, name: &str) -> Self {
        self.hostnames.retain(|known| !known.name.eq_ignore_ascii_case(name));
        self
    }

    /// Adds the certificate of an authority, by its subject, to a store: `Root` or `CertificateAuthority`.
    pub fn authority(mut self, subject: &str, store: &str) -> Self {
        self.authorities.push((subject.to_owned(), store.to_owned()));
        self
    }

    /// Places it in a subnet, by the subnet's id; `kind` is `External` or `Internal`.
    pub fn virtual_network(self, kind: &str, subnet: &str) -> Self {
        Self { network: Some((kind.to_owned(), subnet.to_owned())), ..self }
    }

    /// Sets a protocol or cipher, by its name without the prefix that all share:
    /// `Gateway.Security.Protocols.Tls10`.
    pub fn custom_property(mut self, name: &str, value: &str) -> Self {
        self.custom_properties.retain(|(known, _)| known != name);
        self.custom_properties.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a region with so many units.
    pub fn additional_location(mut self, location: &str, capacity: u32) -> Self {
        self.additional_locations.push((location.to_owned(), capacity));
        self
    }

    /// Refuses requests for what the service holds that ask for an older version than this.
    pub fn min_api_version(self, version: &str) -> Self {
        Self { min_api_version: version.to_owned(), ..self }
    }

    /// Sets the release channel: `Preview`, `Default` or `Stable`. Only previews of the API show it.
    pub fn release_channel(self, channel: &str) -> Self {
        Self { release_channel: channel.to_owned(), ..self }
    }

    /// Adds a tag of the resource.
    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.tags.insert(name.to_owned(), value.into());
        self
    }

    /// Writes the ids of what it holds in these letters.
    pub fn id_case(self, id_case: IdCase) -> Self {
        Self { id_case, ..self }
    }

    /// Hands out policies with these line ends.
    pub fn line_ends(self, line_ends: LineEnds) -> Self {
        Self { line_ends, ..self }
    }

    /// The resource id that the service will have.
    pub fn id(&self) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.ApiManagement/service/{}",
            self.subscription, self.resource_group, self.name
        )
    }
}

/// A service as it stands.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) spec: ServiceSpec,
    pub(crate) content: Content,
    /// The provisioning state while no operation of ours runs.
    pub(crate) state: String,
    /// Whether the gateway answers: users, and the probes of Traffic Manager.
    pub(crate) gateway_up: bool,
    /// Where the gateway really listens, if it does.
    pub(crate) gateway_url: Option<String>,
    pub(super) created: OffsetDateTime,
    /// When the content came to be: long before the simulation, a little differently for every service, or at the
    /// end of the last restore.
    pub(crate) content_since: OffsetDateTime,
    pub(crate) changes: u64,
}

impl Service {
    pub(crate) fn new(mut spec: ServiceSpec, created: OffsetDateTime) -> Self {
        let content = std::mem::take(&mut spec.content);
        let age = Duration::hours(1_000) + Duration::minutes(spec.name.bytes().map(i64::from).sum());
        let state = "Succeeded".to_owned();
        let content_since = created - age;
        Self {
            id: spec.id(),
            spec,
            content,
            state,
            gateway_up: true,
            gateway_url: None,
            created,
            content_since,
            changes: 1,
        }
    }

    /// Becomes what `change` makes of it, but keeps its id and what it holds.
    pub(crate) fn configure(&mut self, change: impl FnOnce(ServiceSpec) -> ServiceSpec) {
        let (name, subscription) = (self.spec.name.clone(), self.spec.subscription.clone());
        let resource_group = self.spec.resource_group.clone();
        let changed = change(self.spec.clone());
        self.spec =
            ServiceSpec { name, subscription, resource_group, content: Content::default(), ..changed };
        self.changes += 1;
    }

    /// The region as operation ids and hostnames spell it: `westeurope`.
    pub(crate) fn region(&self) -> String {
        self.spec.location.to_lowercase().replace(' ', "")
    }

    /// The host that Azure gives to the gateway.
    pub(crate) fn gateway_host(&self) -> String {
        format!("{}.azure-api.net", self.spec.name)
    }

    /// The gateway's host in the service's own region.
    pub(crate) fn regional_host(&self) -> String {
        format!("{}-{}-01.regional.azure-api.net", self.spec.name, self.region())
    }

    /// Whether requests to `host` reach this gateway.
    pub(crate) fn answers_as(&self, host: &str) -> bool {
        // Every probe asks this of every service, and both hosts begin with the name: others are not even made.
        let name = &self.spec.name;
        host.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            && [self.gateway_host(), self.regional_host()].iter().any(|own| host.eq_ignore_ascii_case(own))
    }

    pub(crate) fn is(&self, name_or_id: &str) -> bool {
        self.spec.name.eq_ignore_ascii_case(name_or_id) || self.id.eq_ignore_ascii_case(name_or_id)
    }

    /// Whether the service answers requests for a collection (in lower case) with
    /// `MethodNotAllowedInPricingTier`. By itself it does so for what was seen in public: groups, gateways and
    /// tenant access in Consumption, gateways and tenant access in the second generation.
    pub(crate) fn lacks(&self, collection: &str) -> bool {
        let tier = self.spec.tier.to_lowercase();
        let lacking: &[&str] = match tier.as_str() {
            "consumption" => &["gateways", "groups", "tenant"],
            tier if tier.ends_with("v2") => &["gateways", "tenant"],
            _ => &[],
        };
        lacking.contains(&collection) || self.spec.refused.iter().any(|refused| refused == collection)
    }

    /// The system-assigned identity, if there is one.
    pub(crate) fn identity(&self) -> Option<Principal> {
        self.spec.system_assigned.then(|| Principal::named(&format!("service {}", self.spec.name)))
    }

    /// What Resource Manager shows as provisioning state, given whether an operation runs.
    pub(crate) fn shown_state(&self, busy: bool) -> &str {
        if busy { "Updating" } else { &self.state }
    }
}
