//! Where users are led, and who leads them elsewhere.

use std::sync::Arc;

use super::World;
use crate::plan::{Route, SERVICES};

/// The name of an endpoint that is another profile.
const NESTED: &str = "nested";

impl World {
    pub(super) fn route(self: &Arc<Self>, route: Route, minutes: i64) {
        let name = |service: usize| SERVICES[service].0;
        let profile = self.cloud.traffic_manager();
        match route {
            Route::GatewayDown(of) => self.cloud.service(name(of)).gateway_down(),
            Route::EndpointOut(of) => profile.disable(name(of)),
            Route::Checking(of) => profile.force_status(name(of), Some("CheckingEndpoint")),
            Route::AlwaysServe(of) => profile.set_always_serve(name(of), Some(true)),
            Route::First(of) => profile.set_priority(name(of), 0),
            Route::ByPerformance => profile.set_method("Performance"),
            Route::ProfileOff => profile.set_enabled(false),
            Route::Nested => profile.add_nested(NESTED, 50),
            Route::Beside(of) => profile.set_priority(name(of), priority(0)),
            Route::NoneOnline => {
                SERVICES.iter().for_each(|(name, _)| profile.force_status(name, Some("Degraded")))
            }
            Route::Astray(of) => profile.set_target(name(of), "apis.contoso.example"),
        }
        self.later(minutes, move |world| world.route_back(route));
    }

    fn route_back(&self, route: Route) {
        let name = |service: usize| SERVICES[service].0;
        let profile = self.cloud.traffic_manager();
        match route {
            Route::GatewayDown(of) => self.cloud.service(name(of)).gateway_up(),
            Route::EndpointOut(of) => profile.enable(name(of)),
            Route::Checking(of) => profile.force_status(name(of), None),
            Route::AlwaysServe(of) => profile.set_always_serve(name(of), None),
            Route::First(of) | Route::Beside(of) => profile.set_priority(name(of), priority(of)),
            Route::NoneOnline => SERVICES.iter().for_each(|(name, _)| profile.force_status(name, None)),
            Route::ByPerformance => profile.set_method("Priority"),
            Route::ProfileOff => profile.set_enabled(true),
            Route::Nested => profile.remove(NESTED),
            Route::Astray(of) => profile.set_target(name(of), &host(of)),
        }
        self.note(|| format!("{route:?} is over"));
    }

    /// Users are led to the primary by the settings, and the others follow in their order.
    pub(super) fn route_to(&self, primary: usize) {
        let profile = self.cloud.traffic_manager();
        for (service, (name, _)) in SERVICES.iter().enumerate() {
            profile.set_priority(name, if service == primary { 1 } else { priority(service) + 1 });
        }
    }
}

/// What the endpoint of a service has at first.
fn priority(service: usize) -> u32 {
    u32::try_from(service).unwrap_or_default() + 1
}

fn host(service: usize) -> String {
    format!("{}.azure-api.net", SERVICES[service].0)
}
