//! A handful of URLs by which a person makes things happen while the simulation runs: beside the managed identity
//! endpoint, over plain HTTP, on this machine only.
//!
//! ```text
//! GET  /control                                    how everything stands
//! POST /control/gateways/{service}/down | up       takes a gateway down, brings it up
//! POST /control/endpoints/{service}/disable | enable   takes an endpoint out of Traffic Manager, puts it in
//! ```

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};

use crate::cloud::Cloud;

type Answer = (StatusCode, String);

/// The control endpoint of `cloud`, and `others` for every other path.
pub(crate) fn beside(others: Router, cloud: Cloud) -> Router {
    let control = Router::new()
        .route("/control", get(show))
        .route("/control/gateways/{service}/{turn}", post(turn_gateway))
        .route("/control/endpoints/{service}/{turn}", post(turn_endpoint))
        .with_state(cloud);
    control.fallback_service(others)
}

async fn show(State(cloud): State<Cloud>) -> Answer {
    (StatusCode::OK, standing(&cloud))
}

async fn turn_gateway(State(cloud): State<Cloud>, Path((name, turn)): Path<(String, String)>) -> Answer {
    let Some(service) = known(&cloud, &name) else { return nothing("service", &name) };
    let service = cloud.service(&service);
    match turn.as_str() {
        "down" => service.gateway_down(),
        "up" => service.gateway_up(),
        _ => return nothing("way to turn a gateway", &turn),
    }
    (StatusCode::OK, standing(&cloud))
}

async fn turn_endpoint(State(cloud): State<Cloud>, Path((name, turn)): Path<(String, String)>) -> Answer {
    let Some(service) = known(&cloud, &name) else { return nothing("service", &name) };
    if cloud.profile_id().is_none() {
        return (StatusCode::NOT_FOUND, "there is no Traffic Manager in this simulation\n".to_owned());
    }
    match turn.as_str() {
        "disable" => cloud.traffic_manager().disable(&service),
        "enable" => cloud.traffic_manager().enable(&service),
        _ => return nothing("way to turn an endpoint", &turn),
    }
    (StatusCode::OK, standing(&cloud))
}

fn nothing(what: &str, name: &str) -> Answer {
    (StatusCode::NOT_FOUND, format!("there is no {what} {name}\n"))
}

/// The name of a service as the simulation writes it.
fn known(cloud: &Cloud, name: &str) -> Option<String> {
    let names = cloud.service_ids().into_iter().map(|id| cloud.service(&id).name());
    names.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// One line for each service, and one for the users.
fn standing(cloud: &Cloud) -> String {
    let mut text = String::new();
    for id in cloud.service_ids() {
        let service = cloud.service(&id);
        let (name, state) = (service.name(), service.state());
        let gateway = if service.is_gateway_up() { "up" } else { "down" };
        text += &format!("{name}: {state}, gateway {gateway}");
        if cloud.profile_id().is_some() {
            text += &format!(", endpoint {}", cloud.traffic_manager().status(&name));
        }
        text.push('\n');
    }
    let serving = cloud.serving();
    let who = if serving.is_empty() { "nobody".to_owned() } else { serving.join(" and ") };
    text + &format!("users are answered by {who}\n")
}
