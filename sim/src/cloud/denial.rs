//! What callers may not do.

use crate::tokens::Principal;

/// Something that a caller may not do, for [`Cloud::deny`].
#[derive(Clone, Debug)]
pub struct Denial {
    action: String,
    who: Option<String>,
    service: Option<String>,
}

impl Denial {
    /// Nobody may do `action`, for example `Microsoft.ApiManagement/service/operationresults/read`. A `*` at
    /// the end stands for the rest.
    pub fn of(action: &str) -> Self {
        Self { action: action.to_lowercase(), who: None, service: None }
    }

    /// Only this principal may not.
    pub fn to(self, principal: &Principal) -> Self {
        Self { who: Some(principal.object_id.clone()), ..self }
    }

    /// Only on this service, by its name.
    pub fn on(self, service: &str) -> Self {
        Self { service: Some(service.to_lowercase()), ..self }
    }

    pub(super) fn covers(&self, who: &Principal, action: &str, service: Option<&str>) -> bool {
        let action = action.to_lowercase();
        let of_action = match self.action.strip_suffix('*') {
            Some(prefix) => action.starts_with(prefix),
            None => action == self.action,
        };
        let of_caller = self.who.as_ref().is_none_or(|denied| *denied == who.object_id);
        let of_service = self
            .service
            .as_ref()
            .is_none_or(|denied| service.is_some_and(|name| name.eq_ignore_ascii_case(denied)));
        of_action && of_caller && of_service
    }
}
