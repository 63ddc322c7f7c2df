//! What stands around the services: resource groups, storage accounts, and what the caller may do. The shapes are
//! those of the published examples.

use axum::http::StatusCode;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::answer::{Answer, no_resource};
use super::route::{Part, Target};
use crate::cloud::{Cloud, CorsRule, StorageAccount};
use crate::tokens::Principal;

/// `GET …/resourceGroups/{name}`
pub(super) fn group(cloud: &Cloud, target: &Target) -> Answer {
    let name = &target.group;
    let Some((name, location)) = cloud.group(name) else {
        let message = format!("Resource group '{name}' could not be found.");
        return Answer::arm_error(StatusCode::NOT_FOUND, "ResourceGroupNotFound", &message);
    };
    Answer::ok(json!({
        "id": format!("/subscriptions/{}/resourceGroups/{name}", target.subscription),
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
        "tags": {},
        "properties": {"provisioningState": "Succeeded"},
    }))
}

/// `GET {scope}/providers/Microsoft.Authorization/permissions`
pub(super) fn permissions(cloud: &Cloud, caller: &Principal, target: &Target) -> Answer {
    Answer::ok(json!({"value": cloud.permissions(caller, target.object()), "nextLink": null}))
}

/// A storage account, its blob service, or its keys.
pub(super) fn account(cloud: &Cloud, (group, name): (&str, &str), part: Part) -> Answer {
    let found = cloud.account(name).filter(|account| account.resource_group().eq_ignore_ascii_case(group));
    let Some(account) = found else {
        return no_resource("Microsoft.Storage/storageAccounts", name, group);
    };
    let now = cloud.clock().now().format(&Rfc3339).unwrap_or_default();
    Answer::ok(match part {
        Part::Itself => resource(&account, &now),
        Part::Keys => keys(&account, &now),
        Part::BlobService => blob_service(&account),
    })
}

fn keys(account: &StorageAccount, created: &str) -> Value {
    let key = |which: &str| json!({"creationTime": created, "keyName": which, "value": account.key(), "permissions": "FULL"});
    json!({"keys": [key("key1"), key("key2")]})
}

fn resource(account: &StorageAccount, created: &str) -> Value {
    let settings = account.settings();
    let encrypted = json!({"keyType": "Account", "enabled": true, "lastEnabledTime": created});
    json!({
        "sku": {"name": "Standard_LRS", "tier": "Standard"},
        "kind": "StorageV2",
        "id": account.id(),
        "name": account.name(),
        "type": "Microsoft.Storage/storageAccounts",
        "location": settings.location,
        "tags": {},
        "properties": {
            "keyCreationTime": {"key1": created, "key2": created},
            "allowBlobPublicAccess": settings.public_blobs,
            "allowSharedKeyAccess": settings.shared_key,
            "publicNetworkAccess": settings.public_network_access,
            "minimumTlsVersion": "TLS1_2",
            "networkAcls": {"bypass": "AzureServices", "virtualNetworkRules": [], "ipRules": [],
                            "defaultAction": settings.default_action},
            "supportsHttpsTrafficOnly": true,
            "encryption": {"services": {"file": encrypted, "blob": encrypted}, "keySource": "Microsoft.Storage"},
            "accessTier": "Hot",
            "provisioningState": "Succeeded",
            "creationTime": created,
            "primaryEndpoints": {"blob": format!("{}/", account.blob_endpoint())},
            "primaryLocation": settings.location,
            "statusOfPrimary": "available",
        },
    })
}

fn blob_service(account: &StorageAccount) -> Value {
    let settings = account.settings();
    let rules: Vec<_> = settings.cors.iter().map(cors_rule).collect();
    let kept = match settings.soft_delete_days {
        Some(days) => json!({"enabled": true, "days": days}),
        None => json!({"enabled": false}),
    };
    json!({
        "sku": {"name": "Standard_LRS", "tier": "Standard"},
        "id": format!("{}/blobServices/default", account.id()),
        "name": "default",
        "type": "Microsoft.Storage/storageAccounts/blobServices",
        "properties": {"cors": {"corsRules": rules}, "deleteRetentionPolicy": kept,
                       "isVersioningEnabled": settings.versioning},
    })
}

fn cors_rule(rule: &CorsRule) -> Value {
    json!({"allowedOrigins": rule.origins, "allowedMethods": rule.methods, "maxAgeInSeconds": 200,
           "exposedHeaders": ["*"], "allowedHeaders": ["*"]})
}
