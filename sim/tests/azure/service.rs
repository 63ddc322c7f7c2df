//! What a service is, beside what it holds: sections 2 and 4 of the contract name what no backup carries.

use apim_dr_sim::cloud::{Hostname, ServiceSpec};
use serde_json::{Value, json};
use time::Duration;

use crate::world::{NEU, START, WEU, World};

fn dressed() -> ServiceSpec {
    let subnet =
        "/subscriptions/s/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/apim";
    ServiceSpec::new(WEU, "West Europe")
        .tier("Premium", 2)
        .custom_hostname(Hostname::gateway("api.contoso.example").expires(START + Duration::days(20)))
        .custom_hostname(Hostname::gateway("portal.contoso.example").of("DeveloperPortal").from("Custom"))
        .authority("CN=Contoso Root", "Root")
        .virtual_network("External", subnet)
        .custom_property("Gateway.Security.Protocols.Tls10", "True")
        .additional_location("Sweden Central", 1)
}

// The published example of GET service, and its definitions HostnameConfiguration, CertificateInformation,
// CertificateConfiguration, AdditionalLocation, VirtualNetworkConfiguration.
#[tokio::test(start_paused = true)]
async fn everything_that_no_backup_carries_is_shown() {
    let world = World::with(|builder| builder.service(dressed()));
    let properties = world.read(WEU, "").await.body["properties"].take();
    let hostnames = properties["hostnameConfigurations"].as_array().unwrap();
    let told: Vec<_> = hostnames
        .iter()
        .map(|host| ["type", "hostName", "certificateSource"].map(|name| host[name].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ["Proxy", "contoso-weu.azure-api.net", "BuiltIn"],
            ["Proxy", "api.contoso.example", "KeyVault"],
            ["DeveloperPortal", "portal.contoso.example", "Custom"],
        ]
    );
    let certificate = &hostnames[1]["certificate"];
    assert_eq!(certificate["expiry"], "2026-06-21T02:00:00Z");
    assert_eq!(certificate["subject"], "CN=api.contoso.example");
    assert_eq!(certificate["thumbprint"].as_str().unwrap().len(), 40);
    let defaults: Vec<_> = hostnames.iter().map(|host| host["defaultSslBinding"] == true).collect();
    assert_eq!(defaults, [false, true, false]);
    assert_eq!(properties["certificates"][0]["storeName"], "Root");
    assert_eq!(properties["certificates"][0]["certificate"]["subject"], "CN=Contoso Root");
    assert_eq!(properties["virtualNetworkType"], "External");
    let subnet = properties["virtualNetworkConfiguration"]["subnetResourceId"].as_str().unwrap();
    assert!(subnet.ends_with("/subnets/apim"));
    let tls10 = "Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls10";
    assert_eq!(properties["customProperties"][tls10], "True");
    let location = &properties["additionalLocations"][0];
    assert_eq!(location["sku"], json!({"name": "Premium", "capacity": 1}));
    let regional = "https://contoso-weu-swedencentral-01.regional.azure-api.net";
    assert_eq!(location["gatewayRegionalUrl"], regional);
}

#[tokio::test(start_paused = true)]
async fn a_service_is_changed_without_touching_what_it_holds() {
    let world = World::new();
    let before = world.read(WEU, "").await.body;
    assert_eq!(before["properties"]["certificates"], Value::Null);
    let service = world.cloud.service(WEU);
    service.configure(|spec| spec.hostname("api.contoso.example").tier("Basic", 1).without_identity());
    let after = world.read(WEU, "").await.body;
    assert_eq!((&after["id"], &after["sku"]["name"]), (&before["id"], &json!("Basic")));
    assert_eq!(after["identity"], Value::Null);
    assert_eq!(after["properties"]["hostnameConfigurations"][1]["hostName"], "api.contoso.example");
    assert_ne!(after["etag"], before["etag"]);
    assert_eq!(world.read(WEU, "/apis").await.body["count"], 3);
    service.configure(|spec| spec.without_hostname("API.contoso.example"));
    let hostnames = world.read(WEU, "").await.body["properties"]["hostnameConfigurations"].take();
    assert_eq!(hostnames.as_array().unwrap().len(), 1);
}

// Section 1: a service may set `apiVersionConstraint.minApiVersion`. Code and words are public
// (microsoft/vscode-apimanagement 373), and that reading the service itself goes on.
#[tokio::test(start_paused = true)]
async fn a_lowest_version_of_the_api_is_enforced_below_the_service() {
    let lowest = ServiceSpec::new(WEU, "West Europe").min_api_version("2024-06-01-preview");
    let world = World::with(|builder| builder.service(lowest));
    let service = world.read(WEU, "").await;
    assert_eq!(service.body["properties"]["apiVersionConstraint"]["minApiVersion"], "2024-06-01-preview");
    let refused = world.read(WEU, "/apis").await;
    assert_eq!(refused.error(), (400, "MissingOrIncorrectVersionParameter"));
    assert!(refused.message().contains("Supported versions: 2024-06-01-preview,"), "{}", refused.message());
    let id = world.cloud.service(WEU).id();
    let newer = world.get(&format!("{id}/apis?api-version=2025-03-01-preview")).await;
    assert_eq!(newer.status.as_u16(), 200);
}

#[tokio::test(start_paused = true)]
async fn previews_of_the_api_show_the_release_channel() {
    let world = World::new();
    world.cloud.service(NEU).configure(|spec| spec.release_channel("Preview"));
    let channel = async |service: &str, version: &str| {
        let url = format!("{}?api-version={version}", world.cloud.service(service).id());
        world.get(&url).await.body["properties"]["releaseChannel"].take()
    };
    assert_eq!(channel(NEU, "2025-03-01-preview").await, "Preview");
    assert_eq!(channel(WEU, "2025-03-01-preview").await, "Default");
    assert_eq!(channel(NEU, "2024-05-01").await, Value::Null);
}
