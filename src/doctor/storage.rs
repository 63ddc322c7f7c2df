//! The storage account: reachable, writable, and set up so that API Management can use it.

use serde_json::Value;

use super::{Examination, Finding};
use crate::azure::{StorageRight, StorageTrouble, Unread};
use crate::config::BackupAccess;
use crate::domain::id::StorageAccountId;

/// The version of the storage resource provider's API.
const API_VERSION: &str = "2023-05-01";

pub(super) async fn look(examination: &mut Examination<'_>) {
    data(examination).await;
    let finding = cors(examination).await;
    examination.note(finding);
    if examination.config.access != BackupAccess::AccessKey {
        let fact = "whether API Management's own identities may read and write the account cannot be seen with the \
                    caller's rights";
        let fix = "give each service's identity the role Storage Blob Data Contributor on the account; the first backup \
                   and restore show it";
        examination.note(Finding::unseen("storage roles", "", fact, fix));
    }
}

/// A server that does not answer is asked once: every further question would take as long.
async fn data(examination: &mut Examination<'_>) {
    let config = examination.config;
    for container in [&config.state_container, &config.backup_container] {
        for right in [StorageRight::Read, StorageRight::Write, StorageRight::Delete] {
            let tried = examination.azure.store().try_right(container, right).await;
            let trouble = tried.as_ref().err();
            let is_silent = trouble.is_some_and(|trouble| trouble.status.is_none());
            let is_missing = trouble.is_some_and(StorageTrouble::is_no_container);
            examination.note(tried_right(container.as_str(), right, tried));
            if is_silent {
                return;
            }
            if is_missing {
                break;
            }
        }
    }
}

fn tried_right(container: &str, right: StorageRight, tried: Result<(), StorageTrouble>) -> Finding {
    match tried {
        Ok(()) => Finding::good("storage", container, right.as_str()),
        Err(trouble) if trouble.is_no_container() => Finding::doubt(
            "storage",
            container,
            "the container is not there yet",
            "nothing: the first tick makes it",
        ),
        Err(trouble) => {
            let what = trouble.to_string();
            let (fact, fix) =
                what.rsplit_once("; ").unwrap_or((&what, "see the account's networking and roles"));
            Finding::bad("storage", container, fact, fix)
        }
    }
}

/// A rule that names PATCH makes every backup fail with `InvalidParameters` (contract: apim-arm, section 1), and the
/// article asks for none at all.
async fn cors(examination: &Examination<'_>) -> Finding {
    let Some(account) = &examination.config.storage_account_id else {
        let fix = "set BACKUP_STORAGE_ACCOUNT_ID to let this be looked at, or see Resource sharing (CORS) in the portal";
        return Finding::unseen("CORS", "", "whether the blob service has rules is not known", fix);
    };
    match examination.azure.read(&format!("{account}/blobServices/default"), API_VERSION).await {
        Ok(service) => judge(account, &service),
        Err(Unread { what, .. }) => {
            let fix = "let the caller read Microsoft.Storage/storageAccounts/blobServices/read there";
            Finding::unseen("CORS", account.resource_name(), &what, fix)
        }
    }
}

fn judge(account: &StorageAccountId, service: &Value) -> Finding {
    let rules = service["properties"]["cors"]["corsRules"].as_array().map_or(0, Vec::len);
    match rules {
        0 => Finding::good("CORS", account.resource_name(), "the blob service has no rule"),
        rules => {
            let fact = format!("the blob service has {rules} rules");
            let fix = "remove them: API Management cannot back up into an account with CORS rules";
            Finding::bad("CORS", account.resource_name(), &fact, fix)
        }
    }
}
