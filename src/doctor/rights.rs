//! What the caller may do, as Resource Manager itself says: nothing is tried out.

use serde_json::Value;

use super::{Examination, Finding};
use crate::azure::Unread;
use crate::domain::id::ServiceId;

/// The version of the authorization provider's API.
const API_VERSION: &str = "2022-04-01";

/// What is done to every service: each may be backed up, the secondaries while they serve, and each restored, the primary
/// in a failback.
const ON_SERVICES: [&str; 5] = [
    "Microsoft.ApiManagement/service/read",
    "Microsoft.ApiManagement/service/backup/action",
    "Microsoft.ApiManagement/service/restore/action",
    "Microsoft.ApiManagement/service/operationresults/read",
    "Microsoft.ApiManagement/service/apis/read",
];

pub(super) async fn look(examination: &mut Examination<'_>) {
    let config = examination.config;
    for id in std::iter::once(&config.primary).chain(&config.secondaries) {
        let finding = on_service(examination, id).await;
        examination.note(finding);
    }
}

async fn on_service(examination: &Examination<'_>, id: &ServiceId) -> Finding {
    let path = format!("{id}/providers/Microsoft.Authorization/permissions");
    let name = id.name();
    let permissions = match examination.azure.read_list(&path, API_VERSION).await {
        Ok(permissions) => permissions,
        Err(Unread { what, .. }) => {
            return Finding::unseen(
                "rights",
                name.as_str(),
                &what,
                "the first backup and restore will show it",
            );
        }
    };
    let missing: Vec<_> = ON_SERVICES.into_iter().filter(|action| !allows(&permissions, action)).collect();
    match missing.as_slice() {
        [] => Finding::good(
            "rights",
            name.as_str(),
            "the caller may back up, restore, follow operations and read",
        ),
        missing => {
            let fact = format!("the caller may not {}", missing.join(", "));
            let fix = "assign the role of infra/, or API Management Service Operator Role and API Management Service Reader \
                       Role, on the service; a new assignment takes minutes";
            Finding::bad("rights", name.as_str(), &fact, fix)
        }
    }
}

/// Each entry is one role: what it allows, less what it leaves out.
fn allows(permissions: &[Value], action: &str) -> bool {
    permissions.iter().any(|role| among(&role["actions"], action) && !among(&role["notActions"], action))
}

fn among(patterns: &Value, action: &str) -> bool {
    let patterns = patterns.as_array().into_iter().flatten().filter_map(Value::as_str);
    let action = action.to_lowercase();
    patterns.map(str::to_lowercase).any(|pattern| fits(&pattern, &action))
}

/// A `*` stands for anything, slashes included.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(first) else { return false };
    (0..=text.len()).any(|at| text.is_char_boundary(at) && fits(rest, &text[at..]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_role_allows_what_it_names_less_what_it_leaves_out() {
        let reader = json!({"actions": ["Microsoft.ApiManagement/service/*/read"], "notActions": ["*/users/keys/read"]});
        let operator =
            json!({"actions": ["microsoft.apimanagement/service/backup/ACTION"], "notActions": []});
        let roles = [reader, operator];
        assert!(allows(&roles, "Microsoft.ApiManagement/service/apis/operations/read"));
        assert!(allows(&roles, "Microsoft.ApiManagement/service/backup/action"));
        assert!(!allows(&roles, "Microsoft.ApiManagement/service/users/keys/read"));
        assert!(!allows(&roles, "Microsoft.ApiManagement/service/restore/action"));
        assert!(!allows(&[], "Microsoft.ApiManagement/service/read"));
        assert!(allows(&[json!({"actions": ["*"]})], "anything/at/all"));
    }
}
