//! One API Management service: what Resource Manager tells of it, and the content behind that.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::content::Content;
use crate::ids::guid_of;
use crate::tokens::Principal;

/// The subscription of everything that is not placed elsewhere.
pub(super) const SUBSCRIPTION: &str = "11111111-1111-1111-1111-111111111111";

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
    pub(crate) hostnames: Vec<String>,
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
    pub fn hostname(mut self, name: &str) -> Self {
        self.hostnames.push(name.to_owned());
        self
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
    created: OffsetDateTime,
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
        Self { id: spec.id(), spec, content, state, created, content_since: created - age, changes: 1 }
    }

    /// The region as operation ids and hostnames spell it: `westeurope`.
    pub(crate) fn region(&self) -> String {
        self.spec.location.to_lowercase().replace(' ', "")
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

    /// The resource as Resource Manager shows it, in `state`.
    pub(crate) fn resource(&self, state: &str) -> Value {
        let etag = BASE64.encode(self.changes.to_be_bytes());
        let created = self.created.format(&Rfc3339).unwrap_or_default();
        let author = guid_of("administrator");
        json!({
            "id": self.id,
            "name": self.spec.name,
            "type": "Microsoft.ApiManagement/service",
            "tags": self.spec.tags,
            "location": self.spec.location,
            "etag": etag,
            "properties": self.properties(state, &created),
            "sku": {"name": self.spec.tier, "capacity": self.spec.capacity},
            "identity": self.identity_block(),
            "zones": null,
            "systemData": {
                "createdBy": author, "createdByType": "Application", "createdAt": created,
                "lastModifiedBy": author, "lastModifiedByType": "Application", "lastModifiedAt": created,
            },
        })
    }

    fn properties(&self, state: &str, created: &str) -> Value {
        let name = &self.spec.name;
        let address = if self.region().starts_with("west") { "20.50.2.41" } else { "20.82.9.113" };
        json!({
            "publisherEmail": "apim@contoso.example",
            "publisherName": "Contoso",
            "notificationSenderEmail": "apimgmt-noreply@mail.windowsazure.com",
            "provisioningState": state,
            "targetProvisioningState": "",
            "createdAtUtc": created,
            "gatewayUrl": format!("https://{name}.azure-api.net"),
            "gatewayRegionalUrl": format!("https://{name}-{}-01.regional.azure-api.net", self.region()),
            "portalUrl": format!("https://{name}.portal.azure-api.net"),
            "developerPortalUrl": format!("https://{name}.developer.azure-api.net"),
            "managementApiUrl": format!("https://{name}.management.azure-api.net"),
            "scmUrl": format!("https://{name}.scm.azure-api.net"),
            "hostnameConfigurations": self.hostname_configurations(),
            "publicIPAddresses": [address],
            "privateIPAddresses": null,
            "additionalLocations": null,
            "virtualNetworkConfiguration": null,
            "customProperties": custom_properties(),
            "virtualNetworkType": "None",
            "certificates": null,
            "natGatewayState": "Disabled",
            "outboundPublicIPAddresses": [address],
            "apiVersionConstraint": {"minApiVersion": "2019-01-01"},
            "publicIpAddressId": null,
            "publicNetworkAccess": "Enabled",
            "privateEndpointConnections": null,
            "platformVersion": "stv2",
        })
    }

    fn hostname_configurations(&self) -> Vec<Value> {
        let own = (format!("{}.azure-api.net", self.spec.name), "BuiltIn");
        let custom = self.spec.hostnames.iter().map(|name| (name.clone(), "KeyVault"));
        let all = std::iter::once(own).chain(custom);
        all.map(|(name, source)| {
            let vault = "https://contoso-vault.vault.azure.net/secrets/gateway";
            json!({
                "type": "Proxy", "hostName": name, "encodedCertificate": null,
                "keyVaultId": (source == "KeyVault").then_some(vault), "certificatePassword": null,
                "negotiateClientCertificate": false, "certificate": null,
                "defaultSslBinding": (source == "BuiltIn") == self.spec.hostnames.is_empty(),
                "identityClientId": null, "certificateSource": source, "certificateStatus": null,
            })
        })
        .collect()
    }

    fn identity_block(&self) -> Value {
        let users = self.spec.user_assigned.iter().map(|user| {
            let id = format!(
                "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{}",
                self.spec.subscription, self.spec.resource_group, user.client_id
            );
            (id, json!({"principalId": user.object_id, "clientId": user.client_id}))
        });
        let users: Map<String, Value> = users.collect();
        match (self.identity(), users.is_empty()) {
            (None, true) => Value::Null,
            (None, false) => json!({"type": "UserAssigned", "userAssignedIdentities": users}),
            (Some(own), none) => {
                let kind = if none { "SystemAssigned" } else { "SystemAssigned, UserAssigned" };
                let mut block =
                    json!({"type": kind, "principalId": own.object_id, "tenantId": guid_of("tenant")});
                if !none {
                    block["userAssignedIdentities"] = Value::Object(users);
                }
                block
            }
        }
    }
}

/// Protocols and ciphers, all off; a backup does not carry them.
fn custom_properties() -> Value {
    let names = [
        "Gateway.Security.Protocols.Tls10",
        "Gateway.Security.Protocols.Tls11",
        "Gateway.Security.Protocols.Ssl30",
        "Gateway.Security.Ciphers.TripleDes168",
        "Gateway.Security.Backend.Protocols.Tls10",
        "Gateway.Security.Backend.Protocols.Tls11",
        "Gateway.Security.Backend.Protocols.Ssl30",
        "Gateway.Protocols.Server.Http2",
    ];
    let off = |name: &str| (format!("Microsoft.WindowsAzure.ApiManagement.{name}"), json!("False"));
    Value::Object(names.into_iter().map(off).collect())
}
