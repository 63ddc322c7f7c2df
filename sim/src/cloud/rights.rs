//! What callers may do.
//!
//! To begin with everybody may do everything, and denials take away. Somebody who is given roles may do what these
//! allow, and nothing else.

use serde_json::{Value, json};

use crate::tokens::Principal;

/// Something that a caller may not do, for [`Cloud::deny`](super::Cloud::deny).
#[derive(Clone, Debug)]
pub struct Denial {
    action: String,
    who: Option<String>,
    service: Option<String>,
}

impl Denial {
    /// Nobody may do `action`, for example `Microsoft.ApiManagement/service/operationresults/read`. A `*` stands for
    /// anything.
    pub fn of(action: &str) -> Self {
        Self { action: action.to_owned(), who: None, service: None }
    }

    /// Only this principal may not.
    pub fn to(self, principal: &Principal) -> Self {
        Self { who: Some(principal.object_id.clone()), ..self }
    }

    /// Only on this service, by its name.
    pub fn on(self, service: &str) -> Self {
        Self { service: Some(service.to_owned()), ..self }
    }

    fn concerns(&self, who: &Principal, service: Option<&str>) -> bool {
        let of_caller = self.who.as_ref().is_none_or(|denied| *denied == who.object_id);
        let of_service = self
            .service
            .as_ref()
            .is_none_or(|denied| service.is_some_and(|name| name.eq_ignore_ascii_case(denied)));
        of_caller && of_service
    }
}

/// A role that somebody has at a scope and below, for [`Cloud::assign`](super::Cloud::assign): actions as role
/// definitions write them.
#[derive(Clone, Debug)]
pub struct Role {
    scope: String,
    actions: Vec<String>,
    not_actions: Vec<String>,
    data_actions: Vec<String>,
}

impl Role {
    /// A role at `scope`, the id of a resource, a resource group or a subscription. A `*` in an action stands for
    /// anything.
    pub fn new(scope: &str, actions: &[&str]) -> Self {
        let scope = scope.trim_end_matches('/').to_lowercase();
        Self { scope, actions: owned(actions), not_actions: Vec::new(), data_actions: Vec::new() }
    }

    /// Leaves these actions out.
    pub fn except(self, actions: &[&str]) -> Self {
        Self { not_actions: owned(actions), ..self }
    }

    /// Allows these actions on data. They are told to whoever asks, and not enforced.
    pub fn on_data(self, actions: &[&str]) -> Self {
        Self { data_actions: owned(actions), ..self }
    }

    fn covers(&self, id: &str) -> bool {
        let id = id.to_lowercase();
        id.strip_prefix(&self.scope).is_some_and(|below| below.is_empty() || below.starts_with('/'))
    }

    fn allows(&self, action: &str) -> bool {
        let among = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, action));
        among(&self.actions) && !among(&self.not_actions)
    }
}

fn owned(actions: &[&str]) -> Vec<String> {
    actions.iter().map(|action| (*action).to_owned()).collect()
}

/// On what something is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<'a> {
    /// The id of the resource.
    pub(crate) id: &'a str,
    /// The name of the service, if it is one.
    pub(crate) service: Option<&'a str>,
}

/// Denials and roles.
#[derive(Debug, Default)]
pub(crate) struct Rights {
    denials: Vec<Denial>,
    /// By the object id of who has them.
    roles: Vec<(String, Role)>,
}

impl Rights {
    pub(crate) fn deny(&mut self, denial: Denial) {
        self.denials.push(denial);
    }

    pub(crate) fn allow_all(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn assign(&mut self, who: &Principal, role: Role) {
        self.roles.push((who.object_id.clone(), role));
    }

    /// Whether `who` may do `action` there.
    pub(crate) fn allow(&self, who: &Principal, action: &str, on: Object<'_>) -> bool {
        let denied = self
            .denials
            .iter()
            .any(|denial| denial.concerns(who, on.service) && matches(&denial.action, action));
        let mut own = self.roles_of(who).peekable();
        let by_role = own.peek().is_none() || own.any(|role| role.covers(on.id) && role.allows(action));
        by_role && !denied
    }

    /// What `who` may do there, as Resource Manager tells it: an entry for each role.
    pub(crate) fn permissions(&self, who: &Principal, on: Object<'_>) -> Vec<Value> {
        let denied = self.denials.iter().filter(|denial| denial.concerns(who, on.service));
        let (no_data, not): (Vec<_>, Vec<_>) =
            denied.map(|denial| denial.action.clone()).partition(|action| action.contains("/blobs/"));
        let entry = |role: &Role| {
            let not_actions: Vec<_> = role.not_actions.iter().chain(&not).collect();
            json!({"actions": role.actions, "notActions": not_actions, "dataActions": role.data_actions,
                   "notDataActions": no_data})
        };
        if self.roles_of(who).next().is_none() {
            return vec![entry(&Role::new("", &["*"]).on_data(&["*"]))];
        }
        self.roles_of(who).filter(|role| role.covers(on.id)).map(entry).collect()
    }

    fn roles_of(&self, who: &Principal) -> impl Iterator<Item = &Role> {
        self.roles.iter().filter(|(holder, _)| *holder == who.object_id).map(|(_, role)| role)
    }
}

/// Whether an action is meant by a pattern in which `*` stands for anything.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_lowercase(), action.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| action.strip_prefix(first)) else { return false };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    match last {
        None => rest.is_empty(),
        Some(part) => action.ends_with(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_role_definitions() {
        assert!(matches("*", "Microsoft.Storage/storageAccounts/read"));
        assert!(matches("*/read", "microsoft.storage/storageAccounts/read"));
        assert!(matches(
            "Microsoft.ApiManagement/service/*/read",
            "Microsoft.ApiManagement/service/apis/operations/read"
        ));
        assert!(!matches("Microsoft.ApiManagement/service/*/read", "Microsoft.ApiManagement/service/read"));
        assert!(!matches("*/read", "Microsoft.ApiManagement/service/restore/action"));
        assert!(!matches(
            "Microsoft.ApiManagement/service/read",
            "Microsoft.ApiManagement/service/read/more"
        ));
    }

    #[test]
    fn who_has_roles_may_do_what_they_allow_where_they_are() {
        let (who, other) = (Principal::named("somebody"), Principal::named("another"));
        let mut rights = Rights::default();
        rights.assign(&who, Role::new("/subscriptions/S/g/one", &["a/*"]).except(&["a/delete"]));
        let allow = |who, action, id| rights.allow(who, action, Object { id, service: None });
        assert!(allow(&who, "a/read", "/subscriptions/s/G/one/below"));
        assert!(!allow(&who, "a/delete", "/subscriptions/s/g/one"));
        assert!(!allow(&who, "a/read", "/subscriptions/s/g/one-more"));
        assert!(allow(&other, "a/delete", "/anywhere"), "somebody without roles may do everything");
    }
}
