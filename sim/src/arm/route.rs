//! What a path means.

use axum::http::Method;

use crate::cloud::Object;
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
pub(super) struct Target {
    pub(super) subscription: String,
    pub(super) group: String,
    /// The id of the resource that roles are assigned on.
    pub(super) id: String,
    pub(super) kind: Kind,
}

/// What sort of resource.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An API Management service and what is below it.
    Service { name: String, rest: Vec<String> },
    /// A resource group.
    Group,
    /// A storage account, or a part of it.
    Account { name: String, part: Part },
    /// What the caller may do on the resource.
    Permissions,
    /// A Traffic Manager profile, or one of its endpoints: the collection and the name.
    Profile { name: String, endpoint: Option<(String, String)> },
}

/// What of a storage account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Itself,
    Keys,
    BlobService,
}

impl Route {
    /// Reads a path; `None` if it is none of ours.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let raw: Vec<_> = path.trim_start_matches('/').split('/').collect();
        let lower: Vec<_> = raw.iter().map(|segment| segment.to_lowercase()).collect();
        let lower: Vec<_> = lower.iter().map(String::as_str).collect();
        match lower.as_slice() {
            [_, "oauth2", "v2.0", "token"] => Some(Self::Entra { tenant: raw[0].to_owned() }),
            ["subscriptions", _, "resourcegroups", _] => Some(Self::Resource(Target::new(&raw, Kind::Group))),
            [
                "subscriptions",
                _,
                "resourcegroups",
                _,
                ..,
                "providers",
                "microsoft.authorization",
                "permissions",
            ] => Some(Self::Resource(Target::new(&raw[..raw.len() - 3], Kind::Permissions))),
            ["subscriptions", _, "resourcegroups", _, "providers", provider, rest @ ..] => {
                let kind = Kind::parse((provider, rest), &raw[6..])?;
                Some(Self::Resource(Target::new(&raw[..8], kind)))
            }
            _ => None,
        }
    }
}

impl Kind {
    /// Reads what stands behind `providers/`: the provider's name and the rest in lower case, and the rest as it was
    /// sent.
    fn parse((provider, lower): (&str, &[&str]), raw: &[&str]) -> Option<Self> {
        match (provider, lower) {
            ("microsoft.apimanagement", ["service", _, ..]) => {
                let rest = raw[2..].iter().map(|segment| (*segment).to_owned()).collect();
                Some(Self::Service { name: decoded(raw[1]), rest })
            }
            ("microsoft.storage", ["storageaccounts", _, part @ ..]) => {
                let part = match part {
                    [] => Part::Itself,
                    ["listkeys"] => Part::Keys,
                    ["blobservices", "default"] => Part::BlobService,
                    _ => return None,
                };
                Some(Self::Account { name: decoded(raw[1]), part })
            }
            ("microsoft.network", ["trafficmanagerprofiles", _]) => {
                Some(Self::Profile { name: decoded(raw[1]), endpoint: None })
            }
            ("microsoft.network", ["trafficmanagerprofiles", _, _, _]) => {
                let endpoint = Some((decoded(raw[2]), decoded(raw[3])));
                Some(Self::Profile { name: decoded(raw[1]), endpoint })
            }
            _ => None,
        }
    }

    /// The namespace of the provider.
    pub(super) fn namespace(&self) -> &'static str {
        match self {
            Self::Service { .. } => "Microsoft.ApiManagement",
            Self::Account { .. } => "Microsoft.Storage",
            Self::Group => "Microsoft.Resources",
            Self::Permissions => "Microsoft.Authorization",
            Self::Profile { .. } => "Microsoft.Network",
        }
    }
}

impl Target {
    /// A target by the segments of its id, of which the second and the fourth are subscription and group.
    fn new(raw: &[&str], kind: Kind) -> Self {
        let segments: Vec<_> = raw.iter().map(|segment| decoded(segment)).collect();
        let id = format!("/{}", segments.join("/"));
        Self { subscription: segments[1].clone(), group: segments[3].clone(), id, kind }
    }

    /// The name of the service, if it is one, or if it is asked what may be done on one.
    pub(super) fn service_name(&self) -> Option<&str> {
        let segments: Vec<_> = self.id.split('/').collect();
        match (&self.kind, segments.as_slice()) {
            (Kind::Service { name, .. }, _) => Some(name),
            (Kind::Permissions, [.., kind, name]) if kind.eq_ignore_ascii_case("service") => Some(name),
            _ => None,
        }
    }

    /// What roles are looked up for.
    pub(super) fn object(&self) -> Object<'_> {
        Object { id: &self.id, service: self.service_name() }
    }

    /// The action that a role must allow for this request.
    pub(super) fn action(&self, method: &Method) -> String {
        match &self.kind {
            Kind::Service { rest, .. } => service_action(rest, method),
            Kind::Group => "Microsoft.Resources/subscriptions/resourceGroups/read".to_owned(),
            Kind::Permissions => "Microsoft.Authorization/permissions/read".to_owned(),
            Kind::Account { part, .. } => match part {
                Part::Itself => "Microsoft.Storage/storageAccounts/read".to_owned(),
                Part::Keys => "Microsoft.Storage/storageAccounts/listKeys/action".to_owned(),
                Part::BlobService => "Microsoft.Storage/storageAccounts/blobServices/read".to_owned(),
            },
            Kind::Profile { endpoint, .. } => {
                let below = endpoint.as_ref().map(|(collection, _)| format!("/{collection}"));
                let verb = if method == Method::GET { "read" } else { "write" };
                format!("Microsoft.Network/trafficManagerProfiles{}/{verb}", below.unwrap_or_default())
            }
        }
    }
}

fn service_action(rest: &[String], method: &Method) -> String {
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
        let profile =
            "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/trafficmanagerprofiles/tm";
        let profile = |below: &str, method| match Route::parse(&format!("{profile}{below}")) {
            Some(Route::Resource(target)) => target.action(&method),
            other => panic!("{below}: {other:?}"),
        };
        assert_eq!(profile("", Method::GET), "Microsoft.Network/trafficManagerProfiles/read");
        assert_eq!(
            profile("/externalEndpoints/e", Method::PATCH),
            "Microsoft.Network/trafficManagerProfiles/externalEndpoints/write"
        );
        let secrets = action("/subscriptions/s/listSecrets", Method::POST);
        assert_eq!(secrets, "Microsoft.ApiManagement/service/subscriptions/listSecrets/action");
    }

    #[test]
    fn permissions_are_asked_for_on_whatever_stands_before_them() {
        let on = |scope: &str| {
            let path = format!("{scope}/providers/Microsoft.Authorization/permissions");
            let Some(Route::Resource(target)) = Route::parse(&path) else { panic!("{path}") };
            assert_eq!(target.kind, Kind::Permissions);
            (target.id.clone(), target.service_name().map(str::to_owned))
        };
        assert_eq!(on(SERVICE), (SERVICE.to_owned(), Some("contoso".to_owned())));
        let group = "/subscriptions/s/resourceGroups/rg";
        assert_eq!(on(group), (group.to_owned(), None));
    }

    #[test]
    fn case_does_not_matter_and_strangers_are_told() {
        let lower = Route::parse(&SERVICE.to_lowercase());
        let Some(Route::Resource(target)) = lower else { panic!("{lower:?}") };
        assert_eq!((target.service_name(), target.group.as_str()), (Some("contoso"), "rg"));
        assert_eq!(target.id, SERVICE.to_lowercase());
        assert_eq!(Route::parse("/subscriptions/s/resourceGroups"), None);
        assert_eq!(
            Route::parse("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/app"),
            None
        );
        assert_eq!(Route::parse("/t/oauth2/v2.0/token"), Some(Route::Entra { tenant: "t".to_owned() }));
    }
}
