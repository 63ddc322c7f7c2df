//! What a doctor reads around the services: sections 2, 3, 8 and 8a of the contract, in the shapes of the published
//! examples.

use apim_dr_sim::cloud::{CorsRule, Denial, Role};
use apim_dr_sim::knobs::{Fault, Request};
use apim_dr_sim::storage::EMULATOR_KEY;
use apim_dr_sim::tokens::Principal;
use serde_json::{Value, json};

use crate::world::{Answer, NEU, WEU, World, by_identity};

impl World {
    fn account(&self) -> String {
        self.cloud.storage_account_id("devstoreaccount1").unwrap()
    }

    async fn may(&self, scope: &str) -> Value {
        let url = format!("{scope}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01");
        self.get(&url).await.body
    }

    async fn ask(&self, id: &str, version: &str) -> Answer {
        self.get(&format!("{id}?api-version={version}")).await
    }
}

// StorageAccountGetProperties.json
#[tokio::test(start_paused = true)]
async fn a_storage_account_tells_where_it_is_and_how_it_is_reached() {
    let world = World::new();
    let account = world.ask(&world.account(), "2023-05-01").await.body;
    assert_eq!(account["type"], "Microsoft.Storage/storageAccounts");
    assert_eq!((&account["location"], &account["kind"]), (&json!("northeurope"), &json!("StorageV2")));
    assert_eq!(account["properties"]["allowSharedKeyAccess"], true);
    assert_eq!(account["properties"]["networkAcls"]["defaultAction"], "Allow");
    assert!(!account.to_string().contains(EMULATOR_KEY));
    world.cloud.configure_storage("devstoreaccount1", |settings| {
        settings.location = "westeurope".to_owned();
        settings.default_action = "Deny".to_owned();
    });
    let account = world.ask(&world.account(), "2023-05-01").await.body;
    assert_eq!(account["location"], "westeurope");
    assert_eq!(account["properties"]["networkAcls"]["defaultAction"], "Deny");
    let other = world.account().replace("devstoreaccount1", "other");
    assert_eq!(world.ask(&other, "2023-05-01").await.error(), (404, "ResourceNotFound"));
}

// BlobServicesGet.json; section 1: a rule that names PATCH makes a backup by key fail at once (azure-powershell 23411).
#[tokio::test(start_paused = true)]
async fn rules_for_browsers_are_shown_and_can_break_a_backup_by_key() {
    let world = World::new();
    let service = format!("{}/blobServices/default", world.account());
    let before = world.ask(&service, "2023-05-01").await.body;
    assert_eq!(before["name"], "default");
    assert_eq!(before["properties"]["cors"], json!({"corsRules": []}));
    assert_eq!(before["properties"]["deleteRetentionPolicy"], json!({"enabled": true, "days": 7}));
    let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"].map(str::to_owned).to_vec();
    let rule = CorsRule { origins: vec!["*".to_owned()], methods };
    world.cloud.configure_storage("devstoreaccount1", |settings| settings.cors.push(rule));
    let after = world.ask(&service, "2023-05-01").await.body;
    assert_eq!(after["properties"]["cors"]["corsRules"][0]["allowedMethods"][6], "PATCH");
    let mut by_key = by_identity("b");
    by_key["accessType"] = json!("AccessKey");
    by_key["accessKey"] = json!(EMULATOR_KEY);
    let refused = world.post(WEU, "backup", &by_key).await;
    assert_eq!(refused.error(), (400, "InvalidParameters"));
    let message = "Invalid parameter: Requested value 'GET,HEAD,POST,PUT,DELETE,OPTIONS,PATCH' was not found.\r\nParameter name: backupStorageAccount";
    assert_eq!(refused.message(), message);
    assert_eq!(
        world.post(WEU, "backup", &by_identity("b")).await.status.as_u16(),
        202,
        "by identity it works"
    );
}

// Section 8a: a group's writes go through its own region.
#[tokio::test(start_paused = true)]
async fn a_group_has_a_region_of_its_own() {
    let world = World::new();
    let subscription = world.account().split('/').nth(2).unwrap().to_owned();
    let group = |name: &str| format!("/subscriptions/{subscription}/resourceGroups/{name}");
    world.cloud.set_group_location("contoso-apim", "westeurope");
    let shown = world.ask(&group("CONTOSO-apim"), "2021-04-01").await.body;
    assert_eq!((&shown["name"], &shown["location"]), (&json!("contoso-apim"), &json!("westeurope")));
    assert_eq!(shown["type"], "Microsoft.Resources/resourceGroups");
    assert_eq!(world.ask(&group("contoso-storage"), "2021-04-01").await.body["location"], "northeurope");
    let missing = world.ask(&group("nowhere"), "2021-04-01").await;
    assert_eq!(missing.error(), (404, "ResourceGroupNotFound"));
    assert_eq!(missing.message(), "Resource group 'nowhere' could not be found.");
}

// Permissions_ListForResource of Microsoft.Authorization 2022-04-01.
#[tokio::test(start_paused = true)]
async fn callers_are_told_what_they_may_do() {
    let world = World::new();
    let (west, north) = (world.cloud.service(WEU).id(), world.cloud.service(NEU).id());
    let all = json!({"actions": ["*"], "notActions": [], "dataActions": ["*"], "notDataActions": []});
    assert_eq!(world.may(&west).await, json!({"value": [all], "nextLink": null}));
    let restore = "Microsoft.ApiManagement/service/restore/action";
    world.cloud.deny(Denial::of(restore).on(NEU));
    assert_eq!(world.may(&north).await["value"][0]["notActions"], json!([restore]));
    assert_eq!(world.may(&west).await["value"][0], all);
    let write = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write";
    world.cloud.deny(Denial::of(write).to(&Principal::named("somebody else")));
    world.cloud.deny(Denial::of(write).to(&world.caller));
    assert_eq!(world.may(&world.account()).await["value"][0]["notDataActions"], json!([write]));
}

// Section 3: the actions of a custom role, and no more.
#[tokio::test(start_paused = true)]
async fn somebody_with_roles_may_do_what_they_allow() {
    let world = World::new();
    let (west, north) = (world.cloud.service(WEU).id(), world.cloud.service(NEU).id());
    let read = "Microsoft.ApiManagement/service/read";
    let primary =
        [read, "Microsoft.ApiManagement/service/backup/action", "Microsoft.Authorization/permissions/read"];
    world.cloud.assign(&world.caller, Role::new(&west, &primary));
    let everything = ["Microsoft.ApiManagement/service/*/read", "Microsoft.Authorization/permissions/read"];
    world.cloud.assign(&world.caller, Role::new(&north, &everything).except(&["*/users/read"]));
    let location = world.begin(WEU, "backup", "b").await;
    let polled = world.get(&location).await;
    assert_eq!(polled.error(), (403, "AuthorizationFailed"));
    assert!(polled.message().contains("'Microsoft.ApiManagement/service/operationresults/read'"));
    assert_eq!(world.read(WEU, "/apis").await.error().0, 403);
    assert_eq!(world.read(NEU, "/apis").await.status.as_u16(), 200);
    assert_eq!(world.read(NEU, "/users").await.error().0, 403);
    assert_eq!(world.read(NEU, "").await.error().0, 403, "a wildcard stands for something below the service");
    assert_eq!(world.may(&west).await["value"][0]["actions"], json!(primary));
    assert_eq!(world.may(&north).await["value"][0]["notActions"], json!(["*/users/read"]));
}

#[tokio::test(start_paused = true)]
async fn what_a_doctor_reads_can_fail_like_anything_else() {
    let world = World::new();
    for request in [Request::StorageAccount, Request::BlobService, Request::Group, Request::Permissions] {
        world.cloud.next(request, Fault::status(500));
    }
    let account = world.account();
    let (group, _) = account.split_once("/providers/").unwrap();
    assert_eq!(world.ask(&account, "2023-05-01").await.status.as_u16(), 500);
    assert_eq!(
        world.ask(&format!("{account}/blobServices/default"), "2023-05-01").await.status.as_u16(),
        500
    );
    assert_eq!(world.ask(group, "2021-04-01").await.status.as_u16(), 500);
    let permissions = format!("{account}/providers/Microsoft.Authorization/permissions");
    assert_eq!(world.ask(&permissions, "2022-04-01").await.status.as_u16(), 500);
    assert_eq!(world.cloud.faults_left(), 0);
}
