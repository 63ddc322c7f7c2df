use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::*;

const PRIMARY: &str =
    "/subscriptions/0f3c/resourceGroups/rg/providers/Microsoft.ApiManagement/service/contoso-west";
const SECONDARY: &str =
    "/subscriptions/0f3c/resourceGroups/rg/providers/Microsoft.ApiManagement/service/contoso-north";
const ACCOUNT: &str =
    "/subscriptions/0f3c/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/apimdr";
const PROFILE: &str =
    "/subscriptions/0f3c/resourceGroups/rg/providers/Microsoft.Network/trafficManagerProfiles/tm";
const KEY: &str = "c2VjcmV0LWtleQ==";

/// Settings that work, by name; tests change them.
#[derive(Clone)]
struct Env(BTreeMap<&'static str, String>);

impl Env {
    fn good() -> Self {
        Self(BTreeMap::new())
            .with("BackupStorage", "UseDevelopmentStorage=true")
            .with("BACKUP_CONTAINER", "apim-backups")
            .with("APIM_PRIMARY_ID", PRIMARY)
            .with("APIM_SECONDARY_IDS", SECONDARY)
            .with("IDENTITY_ENDPOINT", "http://127.0.0.1:41741/msi/token")
            .with("IDENTITY_HEADER", "identity-header-secret")
    }

    fn with_storage_identity() -> Self {
        Self::good()
            .without("BackupStorage")
            .with("BackupStorage__blobServiceUri", "https://apimdr.blob.core.windows.net")
            .with("BackupStorage__queueServiceUri", "https://apimdr.queue.core.windows.net")
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.0.insert(name, value.to_owned());
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    fn read(&self) -> Result<Config, Problems> {
        Config::from_lookup(|name| self.0.get(name).cloned())
    }

    #[track_caller]
    fn config(&self) -> Config {
        self.read().unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// Checks that exactly one setting is at fault, and what is said of it.
    #[track_caller]
    fn refuses(&self, setting: &str, what: &str) {
        let problems = self.read().expect_err("nothing was refused");
        assert_eq!(problems.iter().count(), 1, "one problem expected: {problems}");
        let problems = problems.to_string();
        assert!(problems.starts_with(&format!("{setting} ")), "{setting}: {problems}");
        assert!(problems.contains(what), "{what:?} not in {problems:?}");
    }
}

#[test]
fn defaults_stand_where_nothing_is_set() {
    let config = Env::good().config();
    assert_eq!(config.backup_container.as_str(), "apim-backups");
    assert_eq!(config.state_container.as_str(), "apim-dr");
    assert_eq!(config.primary.to_string(), PRIMARY);
    assert_eq!(config.secondaries, [SECONDARY.parse().unwrap()]);
    assert_eq!(config.api_version, "2024-05-01");
    assert_eq!(config.schedule.to_string(), "0 0 2 * * *");
    assert_eq!(config.access, BackupAccess::SystemAssigned);
    assert_eq!((config.storage_account_id, config.profile), (None, None));
    assert_eq!(config.live_check, LiveCheck::On);
    assert_eq!(config.credential, Credential::ManagedIdentity { client_id: None });
    assert_eq!(config.cloud.arm.as_str(), "https://management.azure.com/");
    assert_eq!(config.cloud.authority.as_str(), "https://login.microsoftonline.com/");
    assert_eq!(config.cloud.arm_scope(), "https://management.azure.com/.default");
    assert_eq!((config.rpo_target, config.retention), (Duration::hours(26), Duration::days(28)));
    assert_eq!(config.inventory, Depth::Deep);
    assert_eq!((config.webhook, config.heartbeat_url), (None, None));
    assert!(!config.dry_run);
    assert!(config.authorities.is_none());
}

#[test]
fn every_setting_is_understood() {
    let config = Env::good()
        .with("STATE_CONTAINER", "records")
        .with("APIM_SECONDARY_IDS", &format!(" {SECONDARY} , {}, ", SECONDARY.replace("north", "east")))
        .with("APIM_API_VERSION", "2025-03-01-preview")
        .with("BACKUP_SCHEDULE", "30 1 * * SUN")
        .with("BACKUP_ACCESS", "user-assigned:6f0a-11")
        .with("TRAFFIC_MANAGER_ID", PROFILE)
        .with("LIVE_CHECK", "Off")
        .with("AZURE_CLOUD", "usgov")
        .with("ARM_ENDPOINT", "https://localhost:8443")
        .with("RPO_TARGET", "90m")
        .with("RETENTION_DAYS", "7")
        .with("INVENTORY", "lists")
        .with("ALERT_WEBHOOK_URL", "https://hooks.example.com/T0/secret-path")
        .with("ALERT_FORMAT", "slack")
        .with("HEARTBEAT_URL", "http://127.0.0.1:8080/ping")
        .with("DRY_RUN", "True")
        .config();
    assert_eq!(config.state_container.as_str(), "records");
    assert_eq!(
        config.secondaries.iter().map(|id| id.name().to_string()).collect::<Vec<_>>(),
        ["contoso-north", "contoso-east"]
    );
    assert_eq!(config.api_version, "2025-03-01-preview");
    assert_eq!(config.schedule.to_string(), "30 1 * * SUN");
    assert_eq!(config.access, BackupAccess::UserAssigned { client_id: "6f0a-11".to_owned() });
    assert_eq!(config.profile.unwrap().resource_name(), "tm");
    assert_eq!(config.live_check, LiveCheck::Off);
    assert_eq!(config.cloud.arm_scope(), "https://localhost:8443/.default");
    assert_eq!(config.cloud.authority.as_str(), "https://login.microsoftonline.us/");
    assert_eq!((config.rpo_target, config.retention), (Duration::minutes(90), Duration::days(7)));
    assert_eq!(config.inventory, Depth::Lists);
    let webhook = config.webhook.unwrap();
    assert_eq!(webhook.url.expose(), "https://hooks.example.com/T0/secret-path");
    assert_eq!(webhook.format, AlertFormat::Slack);
    assert_eq!(config.heartbeat_url.unwrap().expose(), "http://127.0.0.1:8080/ping");
    assert!(config.dry_run);
}

#[test]
fn an_empty_value_is_unset_and_blanks_do_not_count() {
    let blank = Env::good().with("STATE_CONTAINER", "").with("RPO_TARGET", "  ").with("DRY_RUN", " true\n");
    let config = blank.config();
    assert_eq!(config.state_container.as_str(), "apim-dr");
    assert_eq!(config.rpo_target, Duration::hours(26));
    assert!(config.dry_run);
    Env::good().with("BACKUP_CONTAINER", "").refuses("BACKUP_CONTAINER", "is not set: write the name");
}

#[test]
fn all_problems_are_reported_together() {
    let env = Env::good()
        .without("BackupStorage")
        .without("APIM_PRIMARY_ID")
        .without("IDENTITY_HEADER")
        .with("BACKUP_CONTAINER", "Backups")
        .with("APIM_SECONDARY_IDS", "contoso-north")
        .with("BACKUP_SCHEDULE", "daily")
        .with("AZURE_CLOUD", "moon")
        .with("TRAFFIC_MANAGER_ID", PRIMARY)
        .with("RETENTION_DAYS", "0")
        .with("ALERT_FORMAT", "pigeon")
        .with("SSL_CERT_FILE", "/nowhere/ca.pem");
    let problems = env.read().unwrap_err();
    let names: BTreeSet<_> = problems.iter().map(|problem| problem.setting).collect();
    let expected = [
        "ALERT_FORMAT",
        "APIM_PRIMARY_ID",
        "APIM_SECONDARY_IDS",
        "AZURE_CLOUD",
        "BACKUP_CONTAINER",
        "BACKUP_SCHEDULE",
        "BackupStorage",
        "IDENTITY_HEADER",
        "RETENTION_DAYS",
        "SSL_CERT_FILE",
        "TRAFFIC_MANAGER_ID",
    ];
    assert_eq!(names, BTreeSet::from(expected));
    let all_say_what_to_do = problems.iter().all(|problem| problem.what.contains("write"));
    assert!(all_say_what_to_do, "{problems}");
}

#[test]
fn single_values_are_refused_with_advice() {
    for (setting, value, what) in [
        ("BACKUP_CONTAINER", "ab", "3 to 63 lower-case letters"),
        ("BACKUP_CONTAINER", "-backups", "3 to 63 lower-case letters"),
        ("BACKUP_CONTAINER", "back--ups", "single hyphens"),
        ("BACKUP_CONTAINER", "$web", "3 to 63 lower-case letters"),
        ("STATE_CONTAINER", "apim-backups", "which is BACKUP_CONTAINER"),
        ("APIM_PRIMARY_ID", "contoso", "write /subscriptions/{subscription}"),
        ("APIM_SECONDARY_IDS", " , ", "separated by commas"),
        ("APIM_SECONDARY_IDS", PRIMARY, "holds the primary"),
        ("APIM_API_VERSION", "latest", "such as 2024-05-01"),
        ("APIM_API_VERSION", "2024-05-01&x=1", "such as 2024-05-01"),
        ("BACKUP_SCHEDULE", "0 0 25 * * *", "write a number from 0 to 23"),
        ("BACKUP_ACCESS", "key", "system-assigned, user-assigned:{client id} or access-key"),
        ("BACKUP_ACCESS", "user-assigned:", "user-assigned:{client id}"),
        ("BACKUP_ACCESS", "user-assigned", "user-assigned:{client id}"),
        ("BACKUP_STORAGE_ACCOUNT_ID", "apimdr", "Microsoft.Storage/storageAccounts"),
        ("TRAFFIC_MANAGER_ID", "tm", "Microsoft.Network/trafficManagerProfiles"),
        ("LIVE_CHECK", "maybe", "on, or off"),
        ("AZURE_CREDENTIAL", "default", "managed-identity, client-secret"),
        ("AZURE_CLIENT_ID", "not an id", "the client id"),
        ("ARM_ENDPOINT", "http://management.azure.com", "https address"),
        ("ARM_ENDPOINT", "https://management.azure.com/subscriptions", "without a path"),
        ("ARM_ENDPOINT", "https://management.azure.com?x=1", "without a path"),
        ("ARM_ENDPOINT", "management.azure.com", "https address"),
        ("AZURE_AUTHORITY_HOST", "https://me@login.microsoftonline.com", "https address"),
        ("RPO_TARGET", "26", "such as 26h"),
        ("RPO_TARGET", "0h", "such as 26h"),
        ("RPO_TARGET", "31d", "at most 30d"),
        ("RPO_TARGET", "1.5h", "such as 26h"),
        ("RPO_TARGET", "5 é", "such as 26h"),
        ("RETENTION_DAYS", "30", "from 1 to 29"),
        ("RETENTION_DAYS", "four weeks", "from 1 to 29"),
        ("INVENTORY", "all", "deep or lists"),
        ("ALERT_WEBHOOK_URL", "http://hooks.example.com/x", "https address"),
        ("HEARTBEAT_URL", "ping", "https address"),
        ("DRY_RUN", "perhaps", "true or false"),
    ] {
        Env::good().with(setting, value).refuses(setting, what);
    }
}

#[test]
fn services_are_told_apart_by_name() {
    let other_group = SECONDARY.replace("/rg/", "/rg-2/");
    let both = format!("{SECONDARY},{other_group}");
    Env::good()
        .with("APIM_SECONDARY_IDS", &both)
        .refuses("APIM_SECONDARY_IDS", "contoso-north under two ids");
    let twice = format!("{SECONDARY},{}", SECONDARY.to_uppercase());
    Env::good().with("APIM_SECONDARY_IDS", &twice).refuses("APIM_SECONDARY_IDS", "contoso-north twice");
    let twin = PRIMARY.replace("/rg/", "/rg-2/");
    Env::good().with("APIM_SECONDARY_IDS", &twin).refuses("APIM_SECONDARY_IDS", "contoso-west under two ids");
}

#[test]
fn connection_strings_are_read() {
    let full = format!("DefaultEndpointsProtocol=https;AccountName=apimdr;AccountKey={KEY}");
    for (text, account, endpoint) in [
        ("UseDevelopmentStorage=true", "devstoreaccount1", "http://127.0.0.1:10000/devstoreaccount1"),
        (
            "usedevelopmentstorage=True;DevelopmentStorageProxyUri=http://azurite:9999/x;",
            "devstoreaccount1",
            "http://azurite:10000/devstoreaccount1",
        ),
        (&full, "apimdr", "https://apimdr.blob.core.windows.net/"),
        (
            &format!("{full};EndpointSuffix=core.chinacloudapi.cn"),
            "apimdr",
            "https://apimdr.blob.core.chinacloudapi.cn/",
        ),
        (
            &format!("AccountName=apimdr;AccountKey={KEY};BlobEndpoint=http://127.0.0.1:21000/apimdr;"),
            "apimdr",
            "http://127.0.0.1:21000/apimdr",
        ),
    ] {
        let storage = Env::good().with("BackupStorage", text).config().storage;
        assert_eq!((storage.account.as_str(), storage.blob_endpoint.as_str()), (account, endpoint), "{text}");
    }
    let storage = Env::good().with("BackupStorage", &full).config().storage;
    assert_eq!(storage.access, StorageAccess::SharedKey(Secret::new(KEY)));
}

#[test]
fn bad_connection_strings_are_refused_without_repeating_them() {
    let sas =
        "BlobEndpoint=https://apimdr.blob.core.windows.net;SharedAccessSignature=sv=1&sig=c2VjcmV0LWtleQ==";
    for (text, what) in [
        (sas, "shared access signature"),
        ("c2VjcmV0LWtleQ", "is not a connection string"),
        ("AccountKey=c2VjcmV0LWtleQ==", "has no AccountName"),
        ("AccountName=c2VjcmV0LWtleQ==", "has no AccountKey"),
        ("AccountName=a;AccountKey=c2VjcmV0LWtleQ==!", "not Base64"),
        ("AccountName=a;AccountKey=c2VjcmV0LWtleQ==;AccountKey=c2VjcmV0LWtleQ==", "says something twice"),
        ("AccountName=a;AccountKey=c2VjcmV0LWtleQ==;BlobEndpoint=c2VjcmV0LWtleQ", "no usable blob endpoint"),
        ("AccountName=a b;AccountKey=c2VjcmV0LWtleQ==", "no usable blob endpoint"),
        ("UseDevelopmentStorage=false", "that is not true"),
        ("UseDevelopmentStorage=true;DevelopmentStorageProxyUri=azurite", "no http address"),
    ] {
        let env = Env::good().with("BackupStorage", text);
        env.refuses("BackupStorage", what);
        assert!(!env.read().unwrap_err().to_string().contains("c2VjcmV0"), "{text}");
    }
}

#[test]
fn storage_is_reached_with_an_identity() {
    let storage = Env::with_storage_identity().config().storage;
    assert_eq!(storage.account, "apimdr");
    assert_eq!(storage.blob_endpoint.as_str(), "https://apimdr.blob.core.windows.net/");
    let ambient = Credential::ManagedIdentity { client_id: None };
    assert_eq!(storage.access, StorageAccess::Identity(ambient));

    let own = Env::with_storage_identity()
        .with("BackupStorage__credential", "managedidentity")
        .with("BackupStorage__clientId", "6f0a-22")
        .with("AZURE_CREDENTIAL", "azure-cli")
        .config();
    let user_assigned = Credential::ManagedIdentity { client_id: Some("6f0a-22".to_owned()) };
    assert_eq!(own.storage.access, StorageAccess::Identity(user_assigned));
    assert_eq!(own.credential, Credential::AzureCli);

    let cli = Env::with_storage_identity().with("AZURE_CREDENTIAL", "azure-cli").config();
    assert_eq!(cli.storage.access, StorageAccess::Identity(Credential::AzureCli));
}

#[test]
fn the_exact_name_beats_the_prefix_form() {
    let both = Env::with_storage_identity().with("BackupStorage", "UseDevelopmentStorage=true").config();
    assert_eq!(both.storage.account, "devstoreaccount1");
}

#[test]
fn the_account_is_told_from_its_endpoint_or_from_its_id() {
    let at = |endpoint: &str| Env::with_storage_identity().with("BackupStorage__blobServiceUri", endpoint);
    let account = |env: Env| env.config().storage.account;
    assert_eq!(account(at("https://apimdr.z01.blob.storage.azure.net/")), "apimdr");
    assert_eq!(account(at("https://localhost:21000/devstoreaccount1")), "devstoreaccount1");
    let custom = at("https://blobs.contoso.com");
    custom.refuses("BACKUP_STORAGE_ACCOUNT_ID", "does not tell the account's name");
    assert_eq!(account(custom.with("BACKUP_STORAGE_ACCOUNT_ID", ACCOUNT)), "apimdr");
    Env::good()
        .with("BACKUP_STORAGE_ACCOUNT_ID", ACCOUNT)
        .refuses("BACKUP_STORAGE_ACCOUNT_ID", "BackupStorage is devstoreaccount1");
}

#[test]
fn storage_identity_settings_are_checked() {
    let env = Env::with_storage_identity;
    assert!(env().config().doubts().is_empty());
    let doubts = env().without("BackupStorage__queueServiceUri").config().doubts();
    assert!(doubts[0].contains("the Functions host disables RestoreOnBlob"), "{doubts:?}");
    env()
        .without("BackupStorage__blobServiceUri")
        .refuses("BackupStorage", "or set BackupStorage__blobServiceUri");
    env()
        .with("BackupStorage__blobServiceUri", "http://apimdr.blob.core.windows.net")
        .refuses("BackupStorage__blobServiceUri", "https address");
    env()
        .with("BackupStorage__blobServiceUri", "https://apimdr.blob.core.windows.net/?sig=c2VjcmV0")
        .refuses("BackupStorage__blobServiceUri", "without a query");
    env()
        .with("BackupStorage__credential", "clientsecret")
        .refuses("BackupStorage__credential", "managedidentity");
}

#[test]
fn access_by_key_needs_a_key_or_an_account_to_ask() {
    let by_key = |env: Env| env.with("BACKUP_ACCESS", "access-key");
    assert_eq!(by_key(Env::good()).config().access, BackupAccess::AccessKey);
    by_key(Env::with_storage_identity()).refuses("BACKUP_STORAGE_ACCOUNT_ID", "BACKUP_ACCESS is access-key");
    let with_id = by_key(Env::with_storage_identity()).with("BACKUP_STORAGE_ACCOUNT_ID", ACCOUNT).config();
    assert_eq!(with_id.storage_account_id.unwrap().resource_name(), "apimdr");
}

#[test]
fn credentials_bring_what_they_need() {
    let bare = Env::good().without("IDENTITY_ENDPOINT").without("IDENTITY_HEADER");
    let secret = bare
        .clone()
        .with("AZURE_CREDENTIAL", "client-secret")
        .with("AZURE_TENANT_ID", "contoso.onmicrosoft.com")
        .with("AZURE_CLIENT_ID", "6f0a-33")
        .with("AZURE_CLIENT_SECRET", "principal-secret");
    let Credential::ClientSecret { tenant, client_id, secret: hidden } = secret.config().credential else {
        panic!("not a client secret");
    };
    assert_eq!((tenant.as_str(), client_id.as_str()), ("contoso.onmicrosoft.com", "6f0a-33"));
    assert_eq!(hidden.expose(), "principal-secret");
    for name in ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"] {
        secret.clone().without(name).refuses(name, "AZURE_CREDENTIAL is client-secret: write the");
    }

    let federated = secret.without("AZURE_CLIENT_SECRET").with("AZURE_CREDENTIAL", "workload-identity");
    federated.refuses("AZURE_FEDERATED_TOKEN_FILE", "AZURE_CREDENTIAL is workload-identity");
    let federated = federated.with("AZURE_FEDERATED_TOKEN_FILE", "/var/run/token").config().credential;
    assert!(
        matches!(federated, Credential::WorkloadIdentity { token_file, .. } if token_file.ends_with("token"))
    );

    let user_assigned = Env::good().with("AZURE_CLIENT_ID", "6f0a-44").config().credential;
    assert_eq!(user_assigned, Credential::ManagedIdentity { client_id: Some("6f0a-44".to_owned()) });
    assert_eq!(bare.with("AZURE_CREDENTIAL", "azure-cli").config().credential, Credential::AzureCli);
}

#[test]
fn a_managed_identity_that_is_not_there_is_named_at_once() {
    for name in ["IDENTITY_ENDPOINT", "IDENTITY_HEADER"] {
        Env::good()
            .without(name)
            .refuses(name, "to be used: write client-secret, workload-identity or azure-cli");
    }
}

#[test]
fn a_secret_that_would_never_be_used_is_a_slip() {
    let stray = Env::good().with("AZURE_CLIENT_SECRET", "principal-secret");
    stray.refuses("AZURE_CREDENTIAL", "write client-secret to use the service principal");
    stray.with("AZURE_CREDENTIAL", "managed-identity").config();
}

#[test]
fn an_unresolved_key_vault_reference_is_named_as_one() {
    let reference = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s)";
    for setting in
        ["BackupStorage", "ALERT_WEBHOOK_URL", "BACKUP_CONTAINER", "AZURE_CLIENT_ID", "IDENTITY_HEADER"]
    {
        Env::good()
            .with(setting, reference)
            .refuses(setting, "Key Vault reference that Azure could not resolve");
    }
}

#[test]
fn certificates_are_read_from_a_file() {
    let directory = std::env::temp_dir().join(format!("apim-dr-config-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let (good, bad) = (directory.join("good.pem"), directory.join("bad.pem"));
    let pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    std::fs::write(&good, pem.repeat(2)).unwrap();
    std::fs::write(&bad, "no certificate").unwrap();
    let with = |path: &std::path::Path| Env::good().with("SSL_CERT_FILE", path.to_str().unwrap());
    assert_eq!(with(&good).config().authorities.unwrap().len(), 2);
    with(&bad).refuses("SSL_CERT_FILE", "holds no PEM certificate");
    with(&directory.join("none.pem")).refuses("SSL_CERT_FILE", "cannot be read");
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn no_secret_can_be_printed() {
    let secrets = Env::good()
        .with("BackupStorage", &format!("AccountName=apimdr;AccountKey={KEY}"))
        .with("AZURE_CREDENTIAL", "client-secret")
        .with("AZURE_TENANT_ID", "t")
        .with("AZURE_CLIENT_ID", "c")
        .with("AZURE_CLIENT_SECRET", "principal-secret")
        .with("ALERT_WEBHOOK_URL", "https://hooks.example.com/T0/secret-path")
        .with("HEARTBEAT_URL", "https://ping.example.com/secret-uuid");
    let shown = format!("{:#?} {}", secrets.config(), Secret::new("shown-secret"));
    for hidden in [KEY, "secret-path", "secret-uuid", "principal-secret", "shown-secret", "identity-header"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}

#[test]
fn every_setting_read_stands_in_the_table_once_and_every_one_there_is_read() {
    let asked = RefCell::new(BTreeSet::new());
    let ask = |env: &Env| {
        let lookup = |name: &str| {
            asked.borrow_mut().insert(name.to_owned());
            env.0.get(name).cloned()
        };
        let _ = Config::from_lookup(lookup);
    };
    ask(&Env::good());
    ask(&Env::with_storage_identity());
    for kind in ["client-secret", "workload-identity"] {
        let env = Env::good().with("AZURE_CREDENTIAL", kind);
        ask(&env.with("AZURE_TENANT_ID", "t").with("AZURE_CLIENT_ID", "c"));
    }
    let in_table: Vec<_> = SETTINGS.iter().map(|setting| setting.name.to_owned()).collect();
    let unique: BTreeSet<_> = in_table.iter().cloned().collect();
    assert_eq!(unique.len(), in_table.len(), "a name stands twice in the table");
    // Read by main, before there is a configuration.
    let at_start = [setting::PORT.name, setting::INSTANCE_ID.name].map(str::to_owned);
    let mut read = asked.into_inner();
    read.extend(at_start);
    assert_eq!(unique, read);
}

#[test]
fn every_default_is_valid_and_every_setting_has_advice() {
    for setting in SETTINGS {
        assert!(!setting.write.is_empty(), "{}", setting.name);
        if let Presence::Default(value) = setting.presence {
            Env::good().with(setting.name, value).config();
        }
    }
}
