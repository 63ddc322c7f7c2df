//! Who may do what, and where.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::settings::{IDENTITY, PRIMARY, PROFILE, SECONDARY, only, standby};

/// What the handler asks of a service, as Azure calls it. Azure publishes no name for `allPolicies`, which an
/// inventory reads, and refuses a role that names what it does not publish: hence the wildcard over reads.
const ON_A_SERVICE: [&str; 5] = [
    "Microsoft.ApiManagement/service/read",
    "Microsoft.ApiManagement/service/backup/action",
    "Microsoft.ApiManagement/service/restore/action",
    "Microsoft.ApiManagement/service/operationresults/read",
    "Microsoft.ApiManagement/service/*/read",
];

/// What the handler asks of the profile.
const ON_THE_PROFILE: [&str; 1] = ["Microsoft.Network/trafficManagerProfiles/read"];

/// What the handler asks of the storage account's resource, and only with `access-key`.
const FOR_THE_KEY: [&str; 1] = ["Microsoft.Storage/storageAccounts/listKeys/action"];

/// What the Functions host asks of a storage account's resource where it polls for blobs.
const FOR_POLLING: [&str; 2] = [
    "Microsoft.Storage/storageAccounts/blobServices/read",
    "Microsoft.Storage/storageAccounts/blobServices/write",
];

/// Azure's roles that are handed out, by the ends of their ids.
const BUILT_IN: [(&str, &str); 7] = [
    ("b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "Storage Blob Data Owner"),
    ("ba92f5b4-2d11-453d-a403-e96b0029c9fe", "Storage Blob Data Contributor"),
    ("974c5e8b-45b9-4653-ba55-5f855dd0fb88", "Storage Queue Data Contributor"),
    ("17d1049b-9a84-46fb-8f53-869881c3d3ab", "Storage Account Contributor"),
    ("81a9662b-bebf-436f-a333-f67b29880f12", "Storage Account Key Operator Service Role"),
    ("e022efe7-f5ba-4159-bbe4-b44f577e9b61", "API Management Service Operator Role"),
    ("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader"),
];

/// `who | on what | as what`, for every assignment.
fn rights(resources: &[Value]) -> BTreeSet<String> {
    let all =
        resources.iter().filter(|resource| resource["type"] == "Microsoft.Authorization/roleAssignments");
    let told: Vec<String> = all
        .map(|assignment| {
            let properties = &assignment["properties"];
            assert_eq!(properties["principalType"], "ServicePrincipal");
            let end = |value: &Value| value.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            let who = end(&properties["principalId"]);
            let who = if who.starts_with("apimdr-") { "the app".to_owned() } else { who };
            let scope = end(&assignment["scope"]);
            let scope = scope.split_at_checked(8).map_or(scope.as_str(), |(begin, _)| match begin {
                "apimdrfn" => "host account",
                "apimdrbk" => "backup account",
                _ => scope.as_str(),
            });
            let role = end(&properties["roleDefinitionId"]);
            format!("{who} | {scope} | {}", role_name(resources, &role))
        })
        .collect();
    let set: BTreeSet<String> = told.iter().cloned().collect();
    assert_eq!(set.len(), told.len(), "a right is given twice");
    set
}

fn role_name(resources: &[Value], id: &str) -> String {
    let custom = resources.iter().find(|resource| {
        resource["type"] == "Microsoft.Authorization/roleDefinitions" && resource["name"] == id
    });
    let built_in = BUILT_IN.iter().find(|(known, _)| *known == id).map(|(_, name)| (*name).to_owned());
    let custom = custom.map(|role| role["properties"]["permissions"][0]["actions"].to_string());
    custom.or(built_in).unwrap_or_else(|| panic!("there is no role {id}"))
}

fn set(rights: &[String]) -> BTreeSet<String> {
    rights.iter().cloned().collect()
}

#[test]
fn on_flex_everybody_may_do_what_it_has_to_and_where_it_has_to() {
    let rights = rights(&standby(&json!({ "trafficManagerId": PROFILE })));
    let (on_a_service, on_the_profile) = (json!(ON_A_SERVICE), json!(ON_THE_PROFILE));
    let expected = [
        "the app | host account | Storage Blob Data Owner".to_owned(),
        "the app | host account | Storage Queue Data Contributor".to_owned(),
        "the app | backup account | Storage Blob Data Owner".to_owned(),
        "the app | backup account | Storage Queue Data Contributor".to_owned(),
        "contoso-west | backup account | Storage Blob Data Contributor".to_owned(),
        "contoso-north | backup account | Storage Blob Data Contributor".to_owned(),
        format!("the app | contoso-west | {on_a_service}"),
        format!("the app | contoso-north | {on_a_service}"),
        format!("the app | contoso-apis | {on_the_profile}"),
    ];
    assert_eq!(rights, set(&expected));
}

#[test]
fn where_the_host_polls_it_may_switch_storage_logging_on_and_nothing_more() {
    let flex = rights(&standby(&json!({})));
    let consumption = rights(&standby(&json!({ "hosting": "LinuxConsumption" })));
    let more: BTreeSet<String> = consumption.difference(&flex).cloned().collect();
    let for_polling = json!(FOR_POLLING);
    let expected =
        ["host account", "backup account"].map(|account| format!("the app | {account} | {for_polling}"));
    assert_eq!(more, set(&expected));
}

#[test]
fn keys_are_looked_up_only_where_api_management_comes_in_by_key() {
    let by_key = rights(&standby(&json!({ "backupAccess": "access-key" })));
    let for_the_key = json!(FOR_THE_KEY);
    assert!(by_key.contains(&format!("the app | backup account | {for_the_key}")));
    assert!(!by_key.iter().any(|right| right.starts_with("contoso-")), "a service needs no right of its own");
    let others = rights(&standby(&json!({})));
    assert!(!others.iter().any(|right| right.contains("listKeys")));
}

#[test]
fn an_identity_that_the_services_share_gets_the_right_in_their_place() {
    let shared = rights(&standby(&json!({ "backupAccess": "user-assigned", "backupIdentityId": IDENTITY })));
    assert!(shared.contains("contoso-dr | backup account | Storage Blob Data Contributor"));
    assert!(!shared.iter().any(|right| right.starts_with("contoso-west")));
}

#[test]
fn azures_own_roles_can_be_used_in_place_of_custom_ones() {
    let resources = standby(&json!({
        "roles": "built-in", "hosting": "LinuxConsumption", "backupAccess": "access-key", "trafficManagerId": PROFILE,
    }));
    let made =
        resources.iter().filter(|resource| resource["type"] == "Microsoft.Authorization/roleDefinitions");
    assert_eq!(made.count(), 0);
    let rights = rights(&resources);
    for right in [
        "the app | contoso-west | API Management Service Operator Role",
        "the app | contoso-apis | Reader",
        "the app | host account | Storage Account Contributor",
        "the app | backup account | Storage Account Key Operator Service Role",
    ] {
        assert!(rights.contains(right), "{right} is not among {rights:#?}");
    }
}

#[test]
fn where_somebody_else_assigns_roles_nothing_outside_the_standby_is_touched() {
    let resources =
        standby(&json!({ "roles": "none", "hosting": "LinuxConsumption", "trafficManagerId": PROFILE }));
    assert!(resources.iter().all(|resource| resource.get("#group").is_none()));
    assert!(rights(&resources).iter().all(|right| right.contains("account")));
}

#[test]
fn a_right_is_given_in_the_subscription_and_group_of_what_it_is_about() {
    let resources = standby(&json!({ "trafficManagerId": PROFILE }));
    for id in [PRIMARY, SECONDARY, PROFILE] {
        let parts: Vec<&str> = id.split('/').collect();
        let group = json!([parts[2], parts[4]]);
        let inside: Vec<_> = resources
            .iter()
            .filter(|resource| resource["#group"] == group)
            .filter(|resource| resource["scope"].as_str().is_some_and(|scope| scope.ends_with(parts[8])))
            .collect();
        assert_eq!(inside.len(), 1, "{id}");
    }
}

#[test]
fn a_service_principal_gets_the_rights_on_services_and_profile_and_none_on_storage() {
    let rights = rights(&standby(&json!({
        "servicePrincipalClientId": "client", "servicePrincipalObjectId": "principal",
        "servicePrincipalSecretUri": "https://contoso.example.org/secrets/x", "trafficManagerId": PROFILE,
    })));
    let of_principal: Vec<&String> =
        rights.iter().filter(|right| right.starts_with("principal | ")).collect();
    assert_eq!(of_principal.len(), 3, "{of_principal:?}");
    assert!(of_principal.iter().all(|right| !right.contains("account")));
    assert!(!rights.iter().any(|right| right.starts_with("the app | contoso")));
}

#[test]
fn no_custom_role_can_change_a_service_but_by_backup_and_restore_or_read_its_secrets() {
    let resources = standby(&json!({}));
    let roles: Vec<&Value> = resources
        .iter()
        .filter(|resource| resource["type"] == "Microsoft.Authorization/roleDefinitions")
        .map(|role| &role["properties"])
        .collect();
    assert_eq!(roles.len(), 2, "one for each service");
    for role in roles {
        let actions = role["permissions"][0]["actions"].as_array().unwrap();
        let changing = actions.iter().filter(|action| !action.as_str().unwrap().ends_with("/read"));
        let changing: Vec<_> = changing.collect();
        assert_eq!(changing, [ON_A_SERVICE[1], ON_A_SERVICE[2]]);
        let withheld = &role["permissions"][0]["notActions"];
        assert_eq!(withheld, &json!(["Microsoft.ApiManagement/service/users/keys/read"]));
        assert_eq!(role["assignableScopes"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn accounts_are_open_to_nobody_without_a_name() {
    for hosting in ["FlexConsumption", "LinuxConsumption"] {
        let resources = standby(&json!({ "hosting": hosting }));
        let accounts: Vec<_> = resources
            .iter()
            .filter(|resource| resource["type"] == "Microsoft.Storage/storageAccounts")
            .map(|account| &account["properties"])
            .collect();
        assert_eq!(accounts.len(), 2);
        for account in accounts {
            assert_eq!(account["allowBlobPublicAccess"], false);
            assert_eq!(account["minimumTlsVersion"], "TLS1_2");
            assert_eq!(account["supportsHttpsTrafficOnly"], true);
        }
        let containers = resources
            .iter()
            .filter(|resource| resource["type"].as_str().unwrap().ends_with("blobServices/containers"));
        let containers: Vec<_> = containers.collect();
        assert_eq!(containers.len(), 3);
        assert!(containers.iter().all(|container| container["properties"]["publicAccess"] == "None"));
    }
}

/// The host writes its timer's status every minute: kept, that would be 43,000 versions a month.
#[test]
fn backups_and_records_can_be_had_back_and_the_hosts_own_blobs_cannot() {
    let resources = standby(&json!({}));
    let kept = |account: &str| {
        let services = resources
            .iter()
            .find(|one| {
                one["name"].as_str().unwrap().ends_with("/default")
                    && one["name"].as_str().unwrap().starts_with(account)
            })
            .unwrap();
        let properties = &services["properties"];
        (properties["isVersioningEnabled"] == true, properties["deleteRetentionPolicy"]["enabled"] == true)
    };
    assert_eq!(kept("apimdrbk"), (true, true));
    assert_eq!(kept("apimdrfn"), (false, false));
    let policy = only(&resources, "Microsoft.Storage/storageAccounts/managementPolicies");
    let actions = &policy["properties"]["policy"]["rules"][0]["definition"]["actions"];
    assert!(actions.get("baseBlob").is_none(), "only the handler's retention deletes what is current");
    assert!(actions["version"]["delete"]["daysAfterCreationGreaterThan"].is_u64());
}

#[test]
fn keys_open_an_account_only_where_the_plan_or_the_access_asks_for_it() {
    let by_key = |more: &Value| {
        let resources = standby(more);
        let of = |name: &str| {
            let account = resources.iter().find(|resource| {
                resource["type"] == "Microsoft.Storage/storageAccounts"
                    && resource["name"].as_str().unwrap().starts_with(name)
            });
            account.unwrap()["properties"]["allowSharedKeyAccess"].as_bool().unwrap()
        };
        (of("apimdrfn"), of("apimdrbk"))
    };
    assert_eq!(by_key(&json!({})), (false, false));
    assert_eq!(by_key(&json!({ "hosting": "LinuxConsumption" })), (true, false));
    assert_eq!(by_key(&json!({ "backupAccess": "access-key" })), (false, true));
}

#[test]
fn a_locked_account_is_closed_on_flex_with_a_subnet_and_refused_without() {
    let template = crate::template("standby");
    let deploy = |more: &Value| {
        let parameters = crate::settings::parameters(more);
        crate::deployment::Deployment::new(&template, &parameters).unwrap().resources()
    };
    let refused = deploy(&json!({ "hosting": "FlexConsumptionLockedStorage" })).unwrap_err();
    assert!(refused.contains("integrationSubnetId"), "{refused}");

    let subnet =
        "/subscriptions/1/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets/s";
    let locked = json!({ "hosting": "FlexConsumptionLockedStorage", "integrationSubnetId": subnet });
    let resources = deploy(&locked).unwrap();
    let site = only(&resources, "Microsoft.Web/sites");
    assert_eq!(site["properties"]["virtualNetworkSubnetId"], subnet);
    let accounts =
        resources.iter().filter(|resource| resource["type"] == "Microsoft.Storage/storageAccounts");
    for account in accounts {
        assert_eq!(account["properties"]["networkAcls"]["defaultAction"], "Deny");
    }
}

#[test]
fn half_a_service_principal_and_access_without_its_identity_are_refused() {
    let template = crate::template("standby");
    let refused = |more: &Value| {
        let parameters = crate::settings::parameters(more);
        crate::deployment::Deployment::new(&template, &parameters).unwrap().resources().unwrap_err()
    };
    let why = refused(&json!({ "backupAccess": "user-assigned" }));
    assert!(why.contains("backupIdentityId"), "{why}");
    let why = refused(&json!({ "servicePrincipalClientId": "client", "servicePrincipalSecretUri": "uri" }));
    assert!(why.contains("servicePrincipalObjectId"), "{why}");
    let why =
        refused(&json!({ "servicePrincipalClientId": "client", "servicePrincipalObjectId": "principal" }));
    assert!(why.contains("servicePrincipalSecretUri"), "{why}");
}
