//! What a path means.

use axum::http::Method;

use crate::form::decoded;

/// What a request is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Entra's token endpoint.
    Entra { tenant: String },
    /// A resource.
    Resource(Target),
}

/// A resource, or an action on one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// An API Management service and what is below it.
    Service { id: String, name: String, rest: Vec<String> },
    /// The keys of a storage account.
    Keys { subscription: String, group: String, account: String },
}

impl Route {
    /// Reads a path; `None` if it is none of ours.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let raw: Vec<_> = path.trim_start_matches('/').split('/').collect();
        let lower: Vec<_> = raw.iter().map(|segment| segment.to_lowercase()).collect();
        let lower: Vec<_> = lower.iter().map(String::as_str).collect();
        match lower.as_slice() {
            [_, "oauth2", "v2.0", "token"] => Some(Self::Entra { tenant: raw[0].to_owned() }),
            [
                "subscriptions",
                _,
                "resourcegroups",
                _,
                "providers",
                "microsoft.apimanagement",
                "service",
                _,
                ..,
            ] => Some(Self::Resource(Target::service(&raw))),
            [
                "subscriptions",
                _,
                "resourcegroups",
                _,
                "providers",
                "microsoft.storage",
                "storageaccounts",
                _,
                "listkeys",
            ] => Some(Self::Resource(Target::Keys {
                subscription: decoded(raw[1]),
                group: decoded(raw[3]),
                account: decoded(raw[7]),
            })),
            _ => None,
        }
    }
}

impl Target {
    fn service(raw: &[&str]) -> Self {
        let id =
            format!("/{}", raw[..8].iter().map(|segment| decoded(segment)).collect::<Vec<_>>().join("/"));
        let rest: Vec<_> = raw[8..].iter().map(|segment| (*segment).to_owned()).collect();
        Self::Service { id, name: decoded(raw[7]), rest }
    }

    /// The name of the service, if it is one.
    pub(super) fn service_name(&self) -> Option<&str> {
        match self {
            Self::Service { name, .. } => Some(name),
            Self::Keys { .. } => None,
        }
    }

    /// The id of the subscription that it is in.
    pub(super) fn subscription(&self) -> &str {
        match self {
            Self::Service { id, .. } => id.split('/').nth(2).unwrap_or_default(),
            Self::Keys { subscription, .. } => subscription,
        }
    }

    /// What role assignments are made on.
    pub(super) fn scope(&self) -> String {
        match self {
            Self::Service { id, .. } => id.clone(),
            Self::Keys { group, account, .. } => {
                format!("/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{account}")
            }
        }
    }

    /// The action that a role must allow for this request.
    pub(super) fn action(&self, method: &Method) -> String {
        let Self::Service { rest, .. } = self else {
            return "Microsoft.Storage/storageAccounts/listKeys/action".to_owned();
        };
        let verb = if method == Method::POST { "action" } else { "read" };
        // Names stand between collections, except at the end of an action, which follows its entity.
        let mut kinds: Vec<_> = rest.iter().step_by(2).map(String::as_str).collect();
        if let (true, true, Some(last)) = (method == Method::POST, rest.len() > 1, rest.last()) {
            kinds = rest[..rest.len() - 1].iter().step_by(2).map(String::as_str).collect();
            kinds.push(last);
        }
        let kinds: String = kinds.iter().map(|kind| format!("/{kind}")).collect();
        format!("Microsoft.ApiManagement/service{kinds}/{verb}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str =
        "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ApiManagement/service/contoso";

    fn action(below: &str, method: Method) -> String {
        match Route::parse(&format!("{SERVICE}{below}")) {
            Some(Route::Resource(target)) => target.action(&method),
            other => panic!("{below}: {other:?}"),
        }
    }

    #[test]
    fn actions_are_those_of_role_definitions() {
        assert_eq!(action("", Method::GET), "Microsoft.ApiManagement/service/read");
        assert_eq!(action("/backup", Method::POST), "Microsoft.ApiManagement/service/backup/action");
        assert_eq!(
            action("/operationresults/x", Method::GET),
            "Microsoft.ApiManagement/service/operationresults/read"
        );
        assert_eq!(
            action("/apis/a/operations/o", Method::GET),
            "Microsoft.ApiManagement/service/apis/operations/read"
        );
        let secrets = action("/subscriptions/s/listSecrets", Method::POST);
        assert_eq!(secrets, "Microsoft.ApiManagement/service/subscriptions/listSecrets/action");
    }

    #[test]
    fn case_does_not_matter_and_strangers_are_told() {
        let lower = Route::parse(&SERVICE.to_lowercase());
        assert!(matches!(lower, Some(Route::Resource(Target::Service { name, .. })) if name == "contoso"));
        assert_eq!(Route::parse("/subscriptions/s/resourceGroups/rg"), None);
        assert_eq!(Route::parse("/t/oauth2/v2.0/token"), Some(Route::Entra { tenant: "t".to_owned() }));
    }
}
