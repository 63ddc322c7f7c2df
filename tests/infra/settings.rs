//! The app settings that the template writes, read by the handler's own reader.

use std::collections::{BTreeMap, BTreeSet};

use apim_dr::config::{BackupAccess, Config, Credential, Presence, SETTINGS, StorageAccess};
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::{json as read, template};

pub(crate) const PRIMARY: &str = "/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/contoso-west/\
                                  providers/Microsoft.ApiManagement/service/contoso-west";
pub(crate) const SECONDARY: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-north/\
                                    providers/Microsoft.ApiManagement/service/contoso-north";
pub(crate) const PROFILE: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-north/\
                                  providers/Microsoft.Network/trafficmanagerprofiles/contoso-apis";
pub(crate) const IDENTITY: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-north/\
                                   providers/Microsoft.ManagedIdentity/userAssignedIdentities/contoso-dr";

/// What the Functions host reads and the handler does not.
const OF_THE_HOST: [&str; 10] = [
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_RUNTIME",
    "WEBSITE_MOUNT_ENABLED",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID",
];

/// What the handler reads and the template leaves out, and why.
const LEFT_OUT: [(&str, &str); 4] = [
    ("BackupStorage", "a connection string would beat the identity"),
    ("BackupStorage__clientId", "only a user-assigned identity has one"),
    ("SSL_CERT_FILE", "the Functions host reads it too, and an empty one would leave it without authorities"),
    ("AZURE_CLIENT_SECRET", "nobody has one but a service principal"),
];

/// The parameters that have to be given, and `more`.
pub(crate) fn parameters(more: &Value) -> Value {
    let mut parameters = json!({ "primaryId": PRIMARY, "secondaryIds": [SECONDARY] });
    let more = more.as_object().unwrap().clone();
    parameters.as_object_mut().unwrap().extend(more);
    parameters
}

/// What the template would make.
pub(crate) fn standby(more: &Value) -> Vec<Value> {
    let template = template("standby");
    let deployment = Deployment::new(&template, &parameters(more)).unwrap();
    deployment.resources().unwrap()
}

/// The one resource of a type.
pub(crate) fn only<'a>(resources: &'a [Value], kind: &str) -> &'a Value {
    let found: Vec<_> = resources.iter().filter(|resource| resource["type"] == kind).collect();
    let [one] = found.as_slice() else { panic!("{} of {kind}", found.len()) };
    one
}

fn settings(more: &Value) -> BTreeMap<String, String> {
    let resources = standby(more);
    let written = only(&resources, "Microsoft.Web/sites")["properties"]["siteConfig"]["appSettings"].clone();
    let written = written.as_array().unwrap().iter();
    let written: Vec<(String, String)> = written
        .map(|setting| {
            let text = |member: &str| setting[member].as_str().unwrap().to_owned();
            (text("name"), text("value"))
        })
        .collect();
    let settings: BTreeMap<_, _> = written.iter().cloned().collect();
    assert_eq!(settings.len(), written.len(), "a setting is written twice");
    settings
}

/// The configuration, as the handler would read it in Azure.
fn config(settings: &BTreeMap<String, String>) -> Config {
    let of_the_platform = |name: &str| match name {
        "IDENTITY_ENDPOINT" => Some("http://localhost:8081/msi/token".to_owned()),
        "IDENTITY_HEADER" => Some("header".to_owned()),
        "AZURE_CLIENT_SECRET" => {
            // Azure puts the secret where the reference to it stands.
            settings.get(name).filter(|value| value.starts_with('@')).map(|_| "secret".to_owned())
        }
        other => settings.get(other).cloned(),
    };
    Config::from_lookup(of_the_platform).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_handler_takes_what_the_template_writes_and_finds_nothing_doubtful() {
    let settings = settings(&json!({ "trafficManagerId": PROFILE }));
    let config = config(&settings);
    assert_eq!(config.doubts(), Vec::<String>::new());
    assert_eq!(config.primary.name().to_string(), "contoso-west");
    assert_eq!(config.secondaries.len(), 1);
    assert!(config.profile.is_some());
    assert_eq!(config.access, BackupAccess::SystemAssigned);
    let system_assigned = Credential::ManagedIdentity { client_id: None };
    assert_eq!(config.credential, system_assigned);
    assert_eq!(config.storage.access, StorageAccess::Identity(system_assigned));
    assert_eq!(config.cloud.arm.as_str(), "https://management.azure.com/");
    assert_eq!(config.backup_container.as_str(), "apim-backups");
}

#[test]
fn what_is_not_asked_for_is_as_the_handler_has_it_by_itself() {
    let settings = settings(&json!({}));
    for setting in SETTINGS {
        let Presence::Default(default) = setting.presence else { continue };
        let written = settings.get(setting.name).map_or(default, String::as_str);
        assert_eq!(written, default, "{}", setting.name);
    }
}

#[test]
fn every_setting_is_written_or_left_out_for_a_reason_and_no_other_is() {
    let flex = settings(&json!({ "appIdentityId": IDENTITY }));
    let consumption = settings(&json!({ "hosting": "LinuxConsumption" }));
    let written: BTreeSet<&str> = flex.keys().chain(consumption.keys()).map(String::as_str).collect();
    let read: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
    for setting in SETTINGS.iter().filter(|setting| setting.presence != Presence::Platform) {
        let left_out = LEFT_OUT.iter().any(|(name, _)| *name == setting.name);
        assert!(written.contains(setting.name) || left_out, "nobody writes {}", setting.name);
    }
    for name in written {
        assert!(read.contains(name) || OF_THE_HOST.contains(&name), "nobody reads {name}");
    }
    assert!(!flex.contains_key("BackupStorage") && !flex.contains_key("SSL_CERT_FILE"));
}

#[test]
fn every_setting_that_a_function_names_is_written() {
    let settings = settings(&json!({}));
    for function in ["BackupTimer/function.json", "RestoreOnBlob/function.json"] {
        let binding = read(function)["bindings"][0].clone();
        let texts = binding.as_object().unwrap().values().filter_map(Value::as_str);
        for name in texts.flat_map(|text| text.split('%').skip(1).step_by(2)) {
            assert!(settings.get(name).is_some_and(|value| !value.is_empty()), "{function}: %{name}%");
        }
        if let Some(connection) = binding["connection"].as_str() {
            for part in ["blobServiceUri", "queueServiceUri"] {
                assert!(settings.contains_key(&format!("{connection}__{part}")), "{connection}__{part}");
            }
        }
    }
}

#[test]
fn flex_consumption_gets_nothing_that_it_refuses() {
    let flex = settings(&json!({}));
    let of_consumption =
        ["FUNCTIONS_EXTENSION_VERSION", "FUNCTIONS_WORKER_RUNTIME", "WEBSITE_RUN_FROM_PACKAGE"];
    for name in of_consumption {
        assert!(!flex.contains_key(name), "{name}");
    }
    let resources = standby(&json!({}));
    let site = &only(&resources, "Microsoft.Web/sites")["properties"];
    assert_eq!((&site["reserved"], &site["siteConfig"]["ftpsState"]), (&Value::Null, &Value::Null));
    assert_eq!(site["functionAppConfig"]["runtime"], json!({ "name": "custom", "version": "1.0" }));

    let consumption = settings(&json!({ "hosting": "LinuxConsumption" }));
    assert_eq!(consumption["FUNCTIONS_WORKER_RUNTIME"], "custom");
    let package = &consumption["WEBSITE_RUN_FROM_PACKAGE"];
    assert!(package.ends_with("/packages/apim-dr-consumption-linux-x64.zip"), "{package}");
    assert_eq!(consumption["WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID"], "SystemAssigned");
}

#[test]
fn a_user_assigned_identity_reaches_everything() {
    let settings = settings(&json!({ "appIdentityId": IDENTITY, "hosting": "LinuxConsumption" }));
    let config = config(&settings);
    let identity = Credential::ManagedIdentity { client_id: Some("client-of-identity".to_owned()) };
    assert_eq!(config.credential, identity);
    assert_eq!(config.storage.access, StorageAccess::Identity(identity));
    assert_eq!(settings["AzureWebJobsStorage__clientId"], "client-of-identity");
    assert_eq!(settings["WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID"], IDENTITY);
}

#[test]
fn a_service_principal_acts_on_the_services_and_the_app_itself_on_storage() {
    let settings = settings(&json!({
        "servicePrincipalClientId": "client-of-principal",
        "servicePrincipalObjectId": "principal",
        "servicePrincipalSecretUri": "https://contoso.example.org/secrets/apim-dr",
    }));
    let reference = "@Microsoft.KeyVault(SecretUri=https://contoso.example.org/secrets/apim-dr)";
    assert_eq!(settings["AZURE_CLIENT_SECRET"], reference);
    let config = config(&settings);
    assert!(
        matches!(&config.credential, Credential::ClientSecret { client_id, .. } if client_id == "client-of-principal")
    );
    let of_the_app = StorageAccess::Identity(Credential::ManagedIdentity { client_id: None });
    assert_eq!(config.storage.access, of_the_app);
}

#[test]
fn api_management_reaches_storage_as_it_is_told() {
    let shared = settings(&json!({ "backupAccess": "user-assigned", "backupIdentityId": IDENTITY }));
    let client_id = "client-of-identity".to_owned();
    assert_eq!(config(&shared).access, BackupAccess::UserAssigned { client_id });

    let by_key = config(&settings(&json!({ "backupAccess": "access-key" })));
    assert_eq!(by_key.access, BackupAccess::AccessKey);
    assert!(by_key.storage_account_id.is_some(), "the handler has to look the key up somewhere");
}
