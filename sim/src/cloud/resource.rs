//! What Resource Manager tells of a service. The shape is that of a recorded answer, explicit nulls included.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::service::{Hostname, Service};
use crate::ids::guid_of;

/// The first version of the API that shows the release channel. That it is one of the previews is known, not which.
const SHOWS_RELEASE_CHANNEL: &str = "2025-03-01-preview";

const CUSTOM_PROPERTIES: [&str; 8] = [
    "Gateway.Security.Protocols.Tls10",
    "Gateway.Security.Protocols.Tls11",
    "Gateway.Security.Protocols.Ssl30",
    "Gateway.Security.Ciphers.TripleDes168",
    "Gateway.Security.Backend.Protocols.Tls10",
    "Gateway.Security.Backend.Protocols.Tls11",
    "Gateway.Security.Backend.Protocols.Ssl30",
    "Gateway.Protocols.Server.Http2",
];

/// Who made and changed every service.
static ADMINISTRATOR: LazyLock<String> = LazyLock::new(|| guid_of("administrator"));

impl Service {
    /// The resource as Resource Manager shows it, in `state`.
    pub(crate) fn resource(&self, state: &str, api_version: &str) -> Value {
        let etag = BASE64.encode(self.changes.to_be_bytes());
        let created = self.created.format(&Rfc3339).unwrap_or_default();
        let author = ADMINISTRATOR.as_str();
        json!({
            "id": self.id,
            "name": self.spec.name,
            "type": "Microsoft.ApiManagement/service",
            "tags": self.spec.tags,
            "location": self.spec.location,
            "etag": etag,
            "properties": self.properties(state, (&created, api_version)),
            "sku": {"name": self.spec.tier, "capacity": self.spec.capacity},
            "identity": self.identity_block(),
            "zones": null,
            "systemData": {
                "createdBy": author, "createdByType": "Application", "createdAt": created,
                "lastModifiedBy": author, "lastModifiedByType": "Application", "lastModifiedAt": created,
            },
        })
    }

    fn properties(&self, state: &str, (created, api_version): (&str, &str)) -> Value {
        let name = &self.spec.name;
        let address = if self.region().starts_with("west") { "20.50.2.41" } else { "20.82.9.113" };
        let network = self.spec.network.as_ref();
        let mut properties = json!({
            "publisherEmail": "apim@contoso.example",
            "publisherName": "Contoso",
            "notificationSenderEmail": "apimgmt-noreply@mail.windowsazure.com",
            "provisioningState": state,
            "targetProvisioningState": "",
            "createdAtUtc": created,
            "gatewayUrl": self.gateway_url.clone().unwrap_or_else(|| format!("https://{}", self.gateway_host())),
            "gatewayRegionalUrl": format!("https://{}", self.regional_host()),
            "portalUrl": format!("https://{name}.portal.azure-api.net"),
            "developerPortalUrl": format!("https://{name}.developer.azure-api.net"),
            "managementApiUrl": format!("https://{name}.management.azure-api.net"),
            "scmUrl": format!("https://{name}.scm.azure-api.net"),
            "hostnameConfigurations": self.hostname_configurations(),
            "publicIPAddresses": [address],
            "privateIPAddresses": null,
            "additionalLocations": some_or_null(self.additional_locations()),
            "virtualNetworkConfiguration": network.map(|(_, subnet)| json!({"subnetResourceId": subnet})),
            "customProperties": self.custom_properties(),
            "virtualNetworkType": network.map_or("None", |(kind, _)| kind),
            "certificates": some_or_null(self.authorities()),
            "natGatewayState": "Disabled",
            "outboundPublicIPAddresses": [address],
            "apiVersionConstraint": {"minApiVersion": self.spec.min_api_version},
            "publicIpAddressId": null,
            "publicNetworkAccess": "Enabled",
            "privateEndpointConnections": null,
            "platformVersion": "stv2",
        });
        if api_version >= SHOWS_RELEASE_CHANNEL {
            properties["releaseChannel"] = json!(self.spec.release_channel);
        }
        properties
    }

    /// The built-in hostname, and the custom ones; the last custom one of the gateway is what a client without SNI
    /// gets.
    fn hostname_configurations(&self) -> Vec<Value> {
        let default = self.spec.hostnames.iter().rfind(|hostname| hostname.kind == "Proxy");
        let own = json!({
            "type": "Proxy", "hostName": self.gateway_host(), "encodedCertificate": null,
            "keyVaultId": null, "certificatePassword": null, "negotiateClientCertificate": false,
            "certificate": null, "defaultSslBinding": default.is_none(), "identityClientId": null,
            "certificateSource": "BuiltIn", "certificateStatus": null,
        });
        let custom = self.spec.hostnames.iter().map(|hostname| {
            let is_default = default.is_some_and(|default| default.name == hostname.name);
            self.hostname_configuration(hostname, is_default)
        });
        std::iter::once(own).chain(custom).collect()
    }

    fn hostname_configuration(&self, hostname: &Hostname, is_default: bool) -> Value {
        let Hostname { name, kind, source, expiry } = hostname;
        let vault = "https://contoso-vault.vault.azure.net/secrets/gateway";
        let expiry = expiry.unwrap_or(self.created + Duration::days(365));
        json!({
            "type": kind, "hostName": name, "encodedCertificate": null,
            "keyVaultId": (source == "KeyVault").then_some(vault), "certificatePassword": null,
            "negotiateClientCertificate": false, "certificate": certificate(&format!("CN={name}"), expiry),
            "defaultSslBinding": is_default, "identityClientId": null, "certificateSource": source,
            "certificateStatus": null,
        })
    }

    fn authorities(&self) -> Vec<Value> {
        let expiry = self.created + Duration::days(3_650);
        let authorities = self.spec.authorities.iter().map(|(subject, store)| {
            json!({"encodedCertificate": null, "certificatePassword": null, "storeName": store,
                   "certificate": certificate(subject, expiry)})
        });
        authorities.collect()
    }

    fn additional_locations(&self) -> Vec<Value> {
        let name = &self.spec.name;
        let locations = self.spec.additional_locations.iter().map(|(location, capacity)| {
            let region = location.to_lowercase().replace(' ', "");
            json!({
                "location": location, "sku": {"name": self.spec.tier, "capacity": capacity}, "zones": null,
                "publicIPAddresses": ["20.90.1.7"], "privateIPAddresses": null, "publicIpAddressId": null,
                "virtualNetworkConfiguration": null, "natGatewayState": "Disabled",
                "gatewayRegionalUrl": format!("https://{name}-{region}-01.regional.azure-api.net"),
                "outboundPublicIPAddresses": ["20.90.1.7"], "disableGateway": false, "platformVersion": "stv2",
            })
        });
        locations.collect()
    }

    /// Protocols and ciphers, all off unless they were set; a backup does not carry them.
    fn custom_properties(&self) -> Value {
        let off = CUSTOM_PROPERTIES.iter().map(|name| ((*name).to_owned(), "False".to_owned()));
        let all = off.chain(self.spec.custom_properties.iter().cloned());
        let full = |(name, value)| (format!("Microsoft.WindowsAzure.ApiManagement.{name}"), json!(value));
        Value::Object(all.map(full).collect())
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

/// A list that Azure shows as null while it is empty.
fn some_or_null(values: Vec<Value>) -> Value {
    if values.is_empty() { Value::Null } else { Value::Array(values) }
}

fn certificate(subject: &str, expiry: OffsetDateTime) -> Value {
    let print = Sha256::digest(format!("{subject} {expiry}"));
    let thumbprint: String = print.iter().take(20).map(|byte| format!("{byte:02X}")).collect();
    json!({"expiry": expiry.format(&Rfc3339).unwrap_or_default(), "thumbprint": thumbprint, "subject": subject})
}
