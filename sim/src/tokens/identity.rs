//! App Service's managed identity endpoint, `GET {IDENTITY_ENDPOINT}?resource=…&api-version=2019-08-01`.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::{Directory, Principal};
use crate::cloud::Cloud;
use crate::form::Form;
use crate::knobs;

/// The path that the endpoint is served under; App Service's is opaque as well.
pub const PATH: &str = "/msi/token";

/// The managed identity endpoint of the simulated function app, for plain HTTP on the machine itself.
pub fn identity_router(cloud: Cloud) -> Router {
    Router::new().fallback(answer).with_state(cloud)
}

async fn answer(State(cloud): State<Cloud>, request: Request) -> Response {
    let arrived = cloud.arrived(&request);
    let fault = cloud.meet(knobs::Request::Identity, None).await;
    let respond = || {
        let (who, (status, body)) = granted(cloud.directory(), &request);
        (who, json_response(status, &body))
    };
    cloud.conclude(arrived.of(knobs::Request::Identity, None), fault, respond)
}

type Granted = (Option<Principal>, (StatusCode, Value));

fn granted(directory: &Directory, request: &Request) -> Granted {
    match principal(directory, request) {
        Ok((principal, resource)) => {
            let issued = directory.issue(&principal, &resource, directory.lifetime());
            let body = json!({
                "access_token": issued.token,
                "expires_on": issued.expires.unix_timestamp().to_string(),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": principal.client_id,
            });
            (Some(principal), (StatusCode::OK, body))
        }
        Err((status, message)) => {
            (None, (status, json!({"statusCode": status.as_u16(), "message": message})))
        }
    }
}

/// The identity that is asked for, and the resource that the token is to be for.
fn principal(directory: &Directory, request: &Request) -> Result<(Principal, String), (StatusCode, String)> {
    let bad = |message: &str| (StatusCode::BAD_REQUEST, message.to_owned());
    if request.method() != Method::GET || request.uri().path() != PATH {
        return Err((StatusCode::NOT_FOUND, "no such endpoint".to_owned()));
    }
    let header = request.headers().get("x-identity-header").and_then(|value| value.to_str().ok());
    if header != Some(directory.identity_header()) {
        return Err((StatusCode::UNAUTHORIZED, "the identity header is missing or wrong".to_owned()));
    }
    let query = Form::parse(request.uri().query().unwrap_or_default());
    if query.get("api-version") != Some("2019-08-01") {
        return Err(bad("The api-version is missing or not supported."));
    }
    let resource = query.get("resource").ok_or_else(|| bad("A resource is required."))?;
    if !directory.knows_audience(resource) {
        return Err(bad(&format!("The resource principal named {resource} was not found in the tenant.")));
    }
    let principal = match query.get("client_id") {
        Some(id) => directory.user_assigned().into_iter().find(|found| found.client_id == id),
        None => directory.system_assigned(),
    };
    let missing =
        "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.";
    Ok((principal.ok_or_else(|| bad(missing))?, resource.to_owned()))
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}
