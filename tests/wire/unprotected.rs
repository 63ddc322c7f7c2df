//! What no backup carries, and what it carries although it belongs to the primary: named after each restore, and no
//! mismatch.

use apim_dr_sim::cloud::Denial;
use expect_test::expect;
use serde_json::{Value, json};

use crate::world::{NORTH, PRIMARY, World};

/// A line for each topic, and one for each value that is tied to the primary.
async fn told(world: &World) -> String {
    let finding = world.record(NORTH).await["holds"]["finding"].clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let topics = finding["notProtected"].as_array().unwrap().iter().map(|topic| {
        assert!(!text(&topic["next"]).is_empty(), "what to do about it: {topic}");
        format!("{}: {}. {}", text(&topic["what"]), text(&topic["standing"]), text(&topic["detail"]))
    });
    let ties = finding["ties"].as_array().unwrap().iter().map(text);
    topics.chain(ties).map(|line| format!("{}\n", line.trim_end_matches([' ', '.']))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_restore_puts_right_is_named_with_what_to_do_about_it() {
    let world = World::new().await;
    world.cloud().service(PRIMARY).configure(|spec| {
        let tls = "Gateway.Security.Protocols.Tls10";
        let subnet =
            "/subscriptions/s/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets/a";
        spec.hostname("api.contoso.example")
            .authority("CN=Contoso Root", "Root")
            .custom_property(tls, "True")
            .virtual_network("Internal", subnet)
    });
    world.cloud().service(PRIMARY).edit(|content| {
        let url = "https://stock.westeurope.cloudapp.example/api";
        content.put("backends/stock", json!({"url": url, "protocol": "http"}));
        let (name, value) = ("self", "https://contoso-west.azure-api.net/orders");
        content.put("namedValues/self", json!({"displayName": name, "value": value, "secret": false}));
    });
    world.until_held_by(&[NORTH]).await;
    assert_eq!(world.record(NORTH).await["holds"]["compared"]["result"], "verified", "all that was carried");
    expect![[r#"
        custom hostnames and their certificates: differs. only on the source: Proxy api.contoso.example, certificate CN=api.contoso.example E1FF55F47E7FD574F7CABFFEF69BDF1E8B6668C7 until 2027-03-02T08:59:00Z by https://contoso-vault.vault.azure.net/secrets/gateway
        CA certificates: differs. only on the source: Root CN=Contoso Root B1D9919CC449A538B3A1278B12AC6678A21F03B7 until 2036-02-28T08:59:00Z
        managed identities: alike
        virtual network and private access: differs. only on the source: Internal network, subnet /subscriptions/s/resourcegroups/net/providers/microsoft.network/virtualnetworks/v/subnets/a
        protocol and cipher settings: differs. only on the source: Security.Protocols.Tls10=true. only on the target: Security.Protocols.Tls10=false
        Azure Monitor diagnostics: differs. only on the source: diagnostics/azuremonitor 376b3ab3; loggers/azuremonitor 798d20d7
        developer portal content: differs. only on the source: page Developer portal 2d3889c4
        credential-manager connections: differs. only on the source: carrier/authorizations/carrier (Connected)
        self-hosted gateways: differs. only on the source: warehouse/certificateAuthorities/carrier-client; warehouse/hostnameConfigurations/default
        backends/stock names the region West Europe
        namedValues/carrier-token is read from a key vault with the service's own identity, which is another one on the target
        namedValues/self names the host contoso-west.azure-api.net
    "#]].assert_eq(&told(&world).await);
    let event = world.told("standby.not_protected").remove(0);
    let ties = "3 values of the backed-up service itself or its region";
    assert!(event.message.contains("CA certificates") && event.message.contains(ties), "{event:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_read_for_that_is_never_called_alike() {
    let world = World::new().await;
    world
        .cloud()
        .deny(Denial::of("Microsoft.ApiManagement/service/contentTypes/contentItems/read").on(NORTH));
    for service in [PRIMARY, NORTH] {
        world.cloud().service(service).edit(|content| {
            for number in 0..30 {
                let provider = format!("authorizationProviders/provider-{number}");
                content.put(&provider, json!({"displayName": "Provider", "identityProvider": "aad"}));
            }
        });
    }
    world.until_held_by(&[NORTH]).await;
    let told = told(&world).await;
    let of = |topic: &str| told.lines().find(|line| line.starts_with(topic)).unwrap().to_owned();
    let portal = of("developer portal content");
    let unknown = "developer portal content: unknown. not read on the target: HTTP 403 AuthorizationFailed";
    assert!(portal.starts_with(unknown), "{portal}");
    expect!["credential-manager connections: unknown. not read on the source: there are 31, and those of 20 at most are read"].assert_eq(&of("credential-manager connections"));
}
