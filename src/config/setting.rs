//! The table of settings, and the reader that takes every value from it.

use std::fmt;

/// One app setting. The table of these is the only place where a setting's name and default stand.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The environment variable's name.
    pub name: &'static str,
    /// Whether it has to be set, and what counts when it is not.
    pub presence: Presence,
    /// What to write, as it completes the sentence "write …".
    pub write: &'static str,
}

/// What an unset setting means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing works without it.
    Required,
    /// This value counts.
    Default(&'static str),
    /// The feature that it belongs to is off, or another setting decides.
    Optional,
    /// The Functions platform sets it, not a person.
    Platform,
}

const fn setting(name: &'static str, presence: Presence, write: &'static str) -> Setting {
    Setting { name, presence, write }
}

macro_rules! settings {
    ($($constant:ident = $name:literal, $presence:expr, $write:literal;)*) => {
        $(pub(crate) const $constant: Setting = setting($name, $presence, $write);)*

        /// Every setting that this program reads, in the order in which the documentation lists them.
        pub const SETTINGS: &[Setting] = &[$($constant),*];
    };
}

use Presence::{Default, Optional, Platform, Required};

settings! {
    STORAGE = "BackupStorage", Required,
        "the connection string of the storage account for backups, or set BackupStorage__blobServiceUri and \
         BackupStorage__queueServiceUri to reach it with an identity";
    BLOB_SERVICE = "BackupStorage__blobServiceUri", Optional,
        "the blob endpoint of the storage account, such as https://{account}.blob.core.windows.net";
    QUEUE_SERVICE = "BackupStorage__queueServiceUri", Optional,
        "the queue endpoint of the same account, such as https://{account}.queue.core.windows.net";
    STORAGE_CREDENTIAL = "BackupStorage__credential", Optional,
        "managedidentity, or leave it out to use what AZURE_CREDENTIAL says";
    STORAGE_CLIENT_ID = "BackupStorage__clientId", Optional,
        "the client id of the user-assigned identity that reaches the storage account";
    BACKUP_CONTAINER = "BACKUP_CONTAINER", Required,
        "the name of the container for backups, such as apim-backups";
    STATE_CONTAINER = "STATE_CONTAINER", Default("apim-dr"),
        "the name of a second container, for records";
    PRIMARY_ID = "APIM_PRIMARY_ID", Required,
        "the resource id of the primary: /subscriptions/{subscription}/resourceGroups/{group}/providers/\
         Microsoft.ApiManagement/service/{name}";
    SECONDARY_IDS = "APIM_SECONDARY_IDS", Required,
        "the resource ids of the secondaries, separated by commas, in the order of their restores";
    API_VERSION = "APIM_API_VERSION", Default("2024-05-01"),
        "a version of the API Management API, such as 2024-05-01";
    SCHEDULE = "BACKUP_SCHEDULE", Default("0 0 2 * * *"),
        "an NCRONTAB expression in UTC, such as 0 0 2 * * * for 02:00 every day";
    ACCESS = "BACKUP_ACCESS", Default("system-assigned"),
        "system-assigned, user-assigned:{client id} or access-key: how API Management reaches the storage";
    STORAGE_ACCOUNT_ID = "BACKUP_STORAGE_ACCOUNT_ID", Optional,
        "the resource id of the storage account, where access-key has to look a key up or the account's name \
         cannot be told from its endpoint";
    PROFILE_ID = "TRAFFIC_MANAGER_ID", Optional,
        "the resource id of the Traffic Manager profile that routes to primary and secondaries";
    LIVE_CHECK = "LIVE_CHECK", Default("on"),
        "on, or off to restore without asking who carries the traffic";
    CREDENTIAL = "AZURE_CREDENTIAL", Default("managed-identity"),
        "managed-identity, client-secret, workload-identity or azure-cli";
    TENANT_ID = "AZURE_TENANT_ID", Optional,
        "the Entra tenant's id or domain";
    CLIENT_ID = "AZURE_CLIENT_ID", Optional,
        "the client id of the service principal or of the user-assigned identity";
    CLIENT_SECRET = "AZURE_CLIENT_SECRET", Optional,
        "the service principal's secret";
    CLOUD = "AZURE_CLOUD", Default("public"),
        "public, usgov or china";
    ARM_ENDPOINT = "ARM_ENDPOINT", Optional,
        "the https address of Azure Resource Manager without a path, such as https://management.azure.com";
    AUTHORITY_HOST = "AZURE_AUTHORITY_HOST", Optional,
        "the https address of Microsoft Entra without a path, such as https://login.microsoftonline.com";
    RPO_TARGET = "RPO_TARGET", Default("26h"),
        "how old the last verified backup may become, such as 26h, 90m or 2d, and at most 30d";
    RETENTION_DAYS = "RETENTION_DAYS", Default("28"),
        "a number of days from 1 to 29: Azure restores no backup older than 30 days";
    INVENTORY = "INVENTORY", Default("deep"),
        "deep or lists";
    WEBHOOK_URL = "ALERT_WEBHOOK_URL", Optional,
        "the https address that takes alerts";
    ALERT_FORMAT = "ALERT_FORMAT", Default("cloudevents"),
        "cloudevents, teams or slack";
    HEARTBEAT_URL = "HEARTBEAT_URL", Optional,
        "the https address to call after each tick that did its work";
    DRY_RUN = "DRY_RUN", Default("false"),
        "true or false";
    CERT_FILE = "SSL_CERT_FILE", Optional,
        "the path of a PEM file with the certificates of the authorities to trust";
    PORT = "FUNCTIONS_CUSTOMHANDLER_PORT", Platform,
        "the port that the Functions host connects to";
    IDENTITY_ENDPOINT = "IDENTITY_ENDPOINT", Platform,
        "client-secret, workload-identity or azure-cli into AZURE_CREDENTIAL, or give the app a managed \
         identity, whereupon Azure sets this";
    IDENTITY_HEADER = "IDENTITY_HEADER", Platform,
        "client-secret, workload-identity or azure-cli into AZURE_CREDENTIAL, or give the app a managed \
         identity, whereupon Azure sets this";
    TOKEN_FILE = "AZURE_FEDERATED_TOKEN_FILE", Platform,
        "the path of the federated token's file";
    INSTANCE_ID = "WEBSITE_INSTANCE_ID", Platform,
        "nothing: Azure sets it on every instance of an app";
}

/// What is wrong with one setting, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting's name.
    pub setting: &'static str,
    /// What is wrong. Never holds the value of a setting that is a secret.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.setting, self.what)
    }
}

/// Everything that is wrong with the settings, found in one reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The problems, one for each setting at fault.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Proof that a problem has been noted: only [`Reader::report`] makes one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported(());

/// Reads settings and collects what is wrong with them.
pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, problems: Vec::new() }
    }

    /// The setting's value, trimmed; an empty one is none. Defaults are not applied.
    pub(super) fn value(&mut self, setting: &Setting) -> Result<Option<String>, Reported> {
        let value = (self.lookup)(setting.name).map(|value| value.trim().to_owned());
        match value.filter(|value| !value.is_empty()) {
            Some(value) if value.starts_with("@Microsoft.KeyVault(") => Err(self.report(
                setting,
                "is a Key Vault reference that Azure could not resolve: let the app's identity read the \
                 secret (Key Vault Secrets User) and check the secret's address",
            )),
            value => Ok(value),
        }
    }

    /// The parsed value, or the parsed default, or none.
    pub(super) fn optional<T>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&Setting, &str) -> Result<T, String>,
    ) -> Result<Option<T>, Reported> {
        let value = match (self.value(setting)?, setting.presence) {
            (Some(value), _) => value,
            (None, Default(value)) => value.to_owned(),
            (None, _) => return Ok(None),
        };
        parse(setting, &value).map(Some).map_err(|why| self.report(setting, &why))
    }

    /// The parsed value or the parsed default. To have neither is a problem.
    pub(super) fn required<T>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&Setting, &str) -> Result<T, String>,
    ) -> Result<T, Reported> {
        match self.optional(setting, parse)? {
            Some(value) => Ok(value),
            None => Err(self.report_missing(setting, "")),
        }
    }

    /// Notes that a setting is missing; `why` says which other setting asks for it, if one does.
    pub(super) fn report_missing(&mut self, setting: &Setting, why: &str) -> Reported {
        self.report(setting, &format!("is not set{why}: write {}", setting.write))
    }

    /// Notes a problem, once for each setting.
    pub(super) fn report(&mut self, setting: &Setting, what: &str) -> Reported {
        if self.problems.iter().all(|problem| problem.setting != setting.name) {
            self.problems.push(Problem { setting: setting.name, what: what.to_owned() });
        }
        Reported(())
    }

    /// What was read, if nothing was wrong; else the problems in the order of the table.
    pub(super) fn finish<T>(mut self, read: Result<T, Reported>) -> Result<T, Problems> {
        match read {
            Ok(value) if self.problems.is_empty() => Ok(value),
            _ => {
                let place = |name: &str| SETTINGS.iter().position(|setting| setting.name == name);
                self.problems.sort_by_key(|problem| place(problem.setting));
                Err(Problems(self.problems))
            }
        }
    }
}
