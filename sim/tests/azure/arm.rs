//! Backup and restore against what was recorded of the real service, and the errors that were seen of it.

use crate::world::{NEU, WEU, World, by_identity};
use apim_dr_sim::cloud::{CloudBuilder, Denial, ServiceSpec};
use apim_dr_sim::journal::Outcome;
use apim_dr_sim::storage::EMULATOR_KEY;
use apim_dr_sim::tokens::{Principal, TokenTime};
use base64::Engine as _;
use serde_json::{Value, json};
use time::Duration;

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test(start_paused = true)]
async fn an_accepted_backup_looks_as_recorded() {
    let world = World::new();
    let accepted = world.post(WEU, "backup", &by_identity("b")).await;
    assert_eq!((accepted.status.as_u16(), &accepted.body), (202, &Value::Null));
    assert_eq!(accepted.header("retry-after"), "60");
    assert_eq!(accepted.header("cache-control"), "no-cache");
    assert_eq!(accepted.header("pragma"), "no-cache");
    assert_eq!(accepted.header("expires"), "-1");
    assert_eq!(accepted.header("date"), "Mon, 01 Jun 2026 02:00:00 GMT");
    assert_eq!(accepted.header("x-ms-request-id"), accepted.header("x-ms-correlation-request-id"));
    assert_eq!(accepted.header("x-ms-ratelimit-remaining-subscription-writes"), "199");
    assert!(!accepted.headers.contains_key("azure-asyncoperation"));
    let location = accepted.header("location");
    let (before, id) = location.split_once("/operationresults/").unwrap();
    assert_eq!(before, format!("https://management.azure.com{}", world.cloud.service(WEU).id()));
    let id = id.strip_suffix("?api-version=2024-05-01").unwrap();
    let plain = base64::engine::general_purpose::STANDARD.decode(id).unwrap();
    let plain = String::from_utf8(plain).unwrap();
    let hex = plain.strip_prefix("westeurope:contoso-weu_Backup_").unwrap();
    assert!(hex.len() == 8 && hex.chars().all(|digit| digit.is_ascii_hexdigit()), "{hex}");
}

#[tokio::test(start_paused = true)]
async fn polls_look_as_recorded_and_end_with_the_service() {
    let world = World::new();
    let location = world.begin(WEU, "backup", "b").await;
    world.advance(1);
    let poll = world.get(&location).await;
    assert_eq!((poll.status.as_u16(), poll.header("location")), (202, location.as_str()));
    assert_eq!(poll.header("retry-after"), "60");
    assert!(poll.headers.contains_key("x-ms-ratelimit-remaining-subscription-reads"));
    world.advance(10);
    for _ in 0..2 {
        let ended = world.get(&location).await;
        assert_eq!(ended.status.as_u16(), 200);
        assert!(!ended.headers.contains_key("retry-after"));
        assert_eq!(ended.header("content-type"), "application/json; charset=utf-8");
        assert_eq!(ended.body["properties"]["provisioningState"], "Succeeded");
        assert_eq!(ended.body["properties"]["targetProvisioningState"], "");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_has_the_recorded_shape() {
    let world = World::new();
    let service = world.read(WEU, "").await.body;
    let top = [
        "etag",
        "id",
        "identity",
        "location",
        "name",
        "properties",
        "sku",
        "systemData",
        "tags",
        "type",
        "zones",
    ];
    assert_eq!(keys(&service), top);
    let properties = "additionalLocations apiVersionConstraint certificates createdAtUtc customProperties \
        developerPortalUrl gatewayRegionalUrl gatewayUrl hostnameConfigurations managementApiUrl natGatewayState \
        notificationSenderEmail outboundPublicIPAddresses platformVersion portalUrl privateEndpointConnections \
        privateIPAddresses provisioningState publicIPAddresses publicIpAddressId publicNetworkAccess publisherEmail \
        publisherName scmUrl targetProvisioningState virtualNetworkConfiguration virtualNetworkType";
    assert_eq!(keys(&service["properties"]), properties.split_whitespace().collect::<Vec<_>>());
    assert_eq!(service["sku"], json!({"name": "Standard", "capacity": 1}));
    assert_eq!(service["location"], "West Europe");
    let regional = &service["properties"]["gatewayRegionalUrl"];
    assert_eq!(regional, "https://contoso-weu-westeurope-01.regional.azure-api.net");
    assert_eq!(service["identity"]["type"], "SystemAssigned");
    let hostname = &service["properties"]["hostnameConfigurations"][0];
    assert_eq!(hostname["hostName"], "contoso-weu.azure-api.net");
    assert_eq!(keys(hostname).len(), 11);
}

#[tokio::test(start_paused = true)]
async fn a_restore_moves_content_and_nothing_else() {
    let spec = |name, location| ServiceSpec::new(name, location).hostname("api.contoso.example");
    let world = World::with(|builder| {
        builder
            .service(spec(WEU, "West Europe").with_sample())
            .service(spec(NEU, "North Europe").tag("side", "b"))
    });
    world.back_up("b").await;
    let before = world.read(NEU, "").await.body;
    let policy = world.read(WEU, "/apis/orders/policies/policy?format=rawxml").await.body;
    let location = world.begin(NEU, "restore", "b").await;
    assert_eq!(world.read(NEU, "").await.body["properties"]["provisioningState"], "Updating");
    assert_eq!(world.read(NEU, "/apis").await.body["count"], 0, "content changes at the end");
    world.advance(19);
    assert_eq!(world.get(&location).await.status.as_u16(), 200);
    assert!(world.cloud.differences(WEU, NEU).is_alike());
    let restored = world.read(NEU, "/apis/orders/policies/policy?format=rawxml").await.body;
    assert_eq!(restored["properties"], policy["properties"]);
    let product = world.read(NEU, "/products/partner/apiLinks/shipments").await.body;
    let api = format!("{}/apis/shipments", world.cloud.service(NEU).id());
    assert_eq!(product["properties"]["apiId"], api.as_str(), "ids are those of the target");
    let mut after = world.read(NEU, "").await.body;
    assert_ne!(after["etag"], before["etag"]);
    after["etag"] = before["etag"].clone();
    assert_eq!(after, before, "hostnames, identity, tags and tier stay");
    let home = world.cloud.service(NEU).content().get("contentTypes/page/contentItems/home").cloned();
    assert_eq!(home, None, "the developer portal does not come along");
}

#[tokio::test(start_paused = true)]
async fn changes_made_while_a_backup_runs_are_not_in_it() {
    let world = World::new();
    let location = world.begin(WEU, "backup", "b").await;
    world.cloud.service(WEU).remove("apis/orders");
    world.advance(11);
    world.get(&location).await;
    let restore = world.begin(WEU, "restore", "b").await;
    world.advance(19);
    world.get(&restore).await;
    assert_eq!(world.read(WEU, "/apis/orders").await.status.as_u16(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_second_operation_is_refused_while_one_runs() {
    let world = World::new();
    world.begin(WEU, "backup", "a").await;
    let second = world.post(WEU, "backup", &by_identity("b")).await;
    assert_eq!(second.error(), (409, "ServiceLocked"));
    let message =
        "The API Service contoso-weu is transitioning at this time. Please try the request again later.";
    assert_eq!(second.message(), message);
    let envelope =
        json!({"error": {"code": "ServiceLocked", "message": message, "details": null, "innerError": null}});
    assert_eq!(second.body, envelope);
    assert!(second.header("retry-after").is_empty());
    world.cloud.service(NEU).set_state("Updating");
    assert_eq!(world.post(NEU, "restore", &by_identity("a")).await.error().0, 409);
    assert!(world.cloud.journal().overlaps().is_empty());
    assert_eq!(world.cloud.journal().posts().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn without_the_lock_overlaps_are_seen() {
    let world = World::with(|builder| builder.without_lock().service(ServiceSpec::new(WEU, "West Europe")));
    world.begin(WEU, "backup", "a").await;
    world.begin(WEU, "backup", "b").await;
    let overlaps = world.cloud.journal().overlaps();
    assert_eq!(overlaps.len(), 1);
    assert_eq!((overlaps[0].0.backup.as_str(), overlaps[0].1.backup.as_str()), ("a", "b"));
}

async fn restore_error(world: &World, backup: &str) -> (u16, String, String) {
    let location = world.begin(NEU, "restore", backup).await;
    world.advance(19);
    let ended = world.get(&location).await;
    assert_eq!(world.read(NEU, "").await.body["properties"]["provisioningState"], "Succeeded");
    let (status, code) = ended.error();
    (status, code.to_owned(), ended.message().to_owned())
}

fn restore_failed(message: &str) -> (u16, String, String) {
    (400, "RestoreFailed".to_owned(), message.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_restore_fails_at_the_poll() {
    let world = World::new();
    world.back_up("b").await;
    world.cloud.service(NEU).set_tier("Premium", 2);
    let tiers = "Cannot restore: current SKU is 'Premium', backup SKU is 'Standard'";
    assert_eq!(restore_error(&world, "b").await, restore_failed(tiers));
    world.cloud.service(NEU).set_tier("Standard", 2);
    let missing = "Cannot restore: blob 'none' was not found in container 'apim-backups'";
    assert_eq!(restore_error(&world, "none").await, restore_failed(missing));
    let identity = world.cloud.service(NEU).identity().unwrap();
    world.cloud.deny_storage(&identity);
    let denied = "Cannot restore: the identity of the service may not use storage account 'devstoreaccount1'";
    assert_eq!(restore_error(&world, "b").await, restore_failed(denied));
    world.cloud.allow_storage(&identity);
    world.cloud.clock().advance(Duration::days(31));
    assert_eq!(restore_error(&world, "b").await, restore_failed("Cannot restore: backup expired"));
    assert_eq!(world.read(NEU, "/apis").await.body["count"], 0, "nothing was restored by any of them");
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_can_not_be_written_fails_at_the_poll() {
    let world = World::new();
    let mut body = by_identity("b");
    body["storageAccount"] = json!("elsewhere");
    let accepted = world.post(WEU, "backup", &body).await;
    world.advance(11);
    assert_eq!(world.get(accepted.header("location")).await.error(), (400, "BackupFailed"));
    let wrong_key = json!({"storageAccount": "devstoreaccount1", "containerName": "apim-backups", "backupName": "b",
                           "accessKey": "d3Jvbmc="});
    let accepted = world.post(WEU, "backup", &wrong_key).await;
    world.advance(11);
    assert_eq!(world.get(accepted.header("location")).await.error(), (400, "BackupFailed"));
    let outcomes = world.cloud.journal().operations().into_iter().map(|operation| operation.outcome);
    assert!(outcomes.into_iter().all(|outcome| matches!(outcome, Outcome::Failed { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_key_opens_storage_and_no_access_type_means_key() {
    let world = World::new();
    let body = json!({"storageAccount": "devstoreaccount1", "containerName": "apim-backups", "backupName": "b",
                      "accessKey": EMULATOR_KEY});
    let accepted = world.post(WEU, "backup", &body).await;
    assert_eq!(accepted.status.as_u16(), 202);
    world.advance(11);
    world.cloud.settle().await;
    let blob = world.storage().head("apim-backups", "b").await.unwrap().unwrap();
    assert!(blob.length > 1_000);
}

#[tokio::test(start_paused = true)]
async fn bodies_are_checked_before_anything_starts() {
    let user = Principal::named("shared identity");
    let world = World::with(|builder| {
        builder
            .service(ServiceSpec::new(WEU, "West Europe").user_assigned(user.clone()))
            .service(ServiceSpec::new(NEU, "North Europe").without_identity())
    });
    let target = async |service: &str, change: Value| {
        let mut body = by_identity("b");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = world.post(service, "backup", &body).await;
        answer.body["error"]["details"][0]["target"].as_str().unwrap_or("accepted").to_owned()
    };
    assert_eq!(target(WEU, json!({"storageAccount": ""})).await, "storageAccount");
    assert_eq!(
        target(WEU, json!({"storageAccount": "https://a.blob.core.windows.net"})).await,
        "storageAccount"
    );
    assert_eq!(target(WEU, json!({"containerName": null})).await, "containerName");
    assert_eq!(target(WEU, json!({"containerName": "apimBackups"})).await, "containerName");
    assert_eq!(target(WEU, json!({"backupName": 7})).await, "backupName");
    assert_eq!(target(WEU, json!({"accessType": "Magic"})).await, "accessType");
    assert_eq!(target(WEU, json!({"accessType": "AccessKey"})).await, "accessKey");
    assert_eq!(target(WEU, json!({"accessKey": "k"})).await, "accessType");
    assert_eq!(target(WEU, json!({"accessType": "UserAssignedManagedIdentity"})).await, "clientId");
    let by_user = |id: &str| json!({"accessType": "UserAssignedManagedIdentity", "clientId": id});
    assert_eq!(target(WEU, by_user(&user.object_id)).await, "clientId", "the object id is not the client id");
    assert_eq!(target(NEU, json!({})).await, "accessType", "no system-assigned identity");
    assert!(world.cloud.journal().operations().is_empty());
    assert_eq!(target(WEU, by_user(&user.client_id)).await, "accepted");
}

#[tokio::test(start_paused = true)]
async fn tiers_without_backup_refuse_at_once() {
    for tier in ["Consumption", "BasicV2", "StandardV2", "PremiumV2"] {
        let world =
            World::with(|builder| builder.service(ServiceSpec::new(WEU, "West Europe").tier(tier, 1)));
        let refused = world.post(WEU, "backup", &by_identity("b")).await;
        assert_eq!(refused.error(), (400, "MethodNotAllowedInPricingTier"), "{tier}");
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_are_checked() {
    let world = World::new();
    let path = format!("{}?api-version=2024-05-01", world.cloud.service(WEU).id());
    let ask = async |token: Option<String>| {
        let answer = world.send(("GET", &path), token.as_deref(), "").await;
        let (status, code) = answer.error();
        assert!(status == 200 || answer.header("www-authenticate").starts_with("Bearer "));
        (status, code.to_owned())
    };
    let refused = |code: &str| (401, code.to_owned());
    let directory = world.cloud.directory();
    assert_eq!(ask(None).await, refused("AuthenticationFailed"));
    assert_eq!(ask(Some("not.a.token".to_owned())).await, refused("InvalidAuthenticationToken"));
    let storage = directory.token(&world.caller, "https://storage.azure.com");
    assert_eq!(ask(Some(storage)).await, refused("InvalidAuthenticationTokenAudience"));
    directory.set_time(TokenTime::Simulated);
    let token = world.token();
    assert_eq!(ask(Some(token.clone())).await, (200, String::new()));
    world.cloud.clock().advance(Duration::hours(25));
    assert_eq!(ask(Some(token)).await, refused("ExpiredAuthenticationToken"));
    let codes: Vec<_> =
        world.cloud.journal().exchanges().into_iter().filter_map(|exchange| exchange.code).collect();
    assert_eq!(codes.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn roles_are_checked_for_each_action() {
    let world = World::new();
    world.cloud.deny(Denial::of("Microsoft.ApiManagement/service/restore/action").on(NEU).to(&world.caller));
    world.cloud.deny(Denial::of("Microsoft.ApiManagement/service/operationresults/*"));
    let location = world.begin(WEU, "backup", "b").await;
    let refused = world.post(NEU, "restore", &by_identity("b")).await;
    assert_eq!(refused.error(), (403, "AuthorizationFailed"));
    assert!(
        refused.message().contains("'Microsoft.ApiManagement/service/restore/action'"),
        "{}",
        refused.message()
    );
    assert_eq!(world.get(&location).await.error(), (403, "AuthorizationFailed"));
    world.advance(11);
    world.cloud.settle().await;
    assert!(
        world.storage().head("apim-backups", "b").await.unwrap().is_some(),
        "the backup goes on all the same"
    );
    world.cloud.allow_all();
    assert_eq!(world.get(&location).await.status.as_u16(), 200);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_said() {
    let world = World::new();
    let id = world.cloud.service(WEU).id();
    let other = id.replace(WEU, "contoso-xyz");
    let missing = world.get(&format!("{other}?api-version=2024-05-01")).await;
    assert_eq!(missing.error(), (404, "ResourceNotFound"));
    assert!(
        missing.message().contains("'Microsoft.ApiManagement/service/contoso-xyz'"),
        "{}",
        missing.message()
    );
    assert_eq!(world.get(&id).await.error(), (400, "MissingApiVersionParameter"));
    assert_eq!(
        world.get(&format!("{id}?api-version=2018-01-01")).await.error(),
        (400, "InvalidResourceType")
    );
    assert_eq!(world.read(WEU, "/operationresults/abc=").await.error().0, 404);
    let unknown = world.read(WEU, "/reports/byApi").await;
    assert_eq!(unknown.status.as_u16(), 501);
    assert!(unknown.message().contains("/reports/byApi"));
    assert_eq!(world.cloud.journal().unknown().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn paths_ignore_case_and_a_result_url_is_taken_word_for_word() {
    let world = World::new();
    let lower = world.cloud.service(WEU).id().to_lowercase();
    let service = world.get(&format!("{lower}?api-version=2024-05-01")).await;
    assert_eq!(service.body["id"], world.cloud.service(WEU).id().as_str());
    let location = world.begin(WEU, "backup", "b").await;
    assert_eq!(
        world.get(&location.replace("operationresults", "OperationResults")).await.status.as_u16(),
        202
    );
    let (before, id) = location.split_once("/operationresults/").unwrap();
    let encoded = format!("{before}/operationresults/{}", id.replacen('b', "%62", 1));
    assert_ne!(encoded, location);
    assert_eq!(world.get(&encoded).await.status.as_u16(), 404);
}

#[tokio::test(start_paused = true)]
async fn keys_of_the_storage_account_are_listed() {
    let world = World::new();
    let account = world.cloud.storage_account_id("devstoreaccount1").unwrap();
    let path = &format!("{account}/listKeys?api-version=2023-05-01");
    let keys = world.send(("POST", path), Some(&world.token()), "").await;
    assert_eq!(keys.status.as_u16(), 200);
    assert_eq!(keys.body["keys"][0]["keyName"], "key1");
    assert_eq!(keys.body["keys"][0]["value"], EMULATOR_KEY);
    world.cloud.deny(Denial::of("Microsoft.Storage/storageAccounts/listKeys/action"));
    assert_eq!(world.send(("POST", path), Some(&world.token()), "").await.error().0, 403);
    world.cloud.allow_all();
    let other = path.replace("devstoreaccount1", "other");
    assert_eq!(
        world.send(("POST", &other), Some(&world.token()), "").await.error(),
        (404, "ResourceNotFound")
    );
}

#[tokio::test(start_paused = true)]
async fn one_seed_answers_alike() {
    async fn trace() -> Vec<String> {
        let world = World::with(|builder: CloudBuilder| {
            builder.seed(42).service(ServiceSpec::new(WEU, "West Europe").with_sample())
        });
        let accepted = world.post(WEU, "backup", &by_identity("b")).await;
        let ids = ["location", "x-ms-request-id"].map(|name| accepted.header(name).to_owned());
        let service = world.read(WEU, "").await;
        [ids.as_slice(), &[service.body.to_string()]].concat()
    }
    assert_eq!(trace().await, trace().await);
}
