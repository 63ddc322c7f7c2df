//! Azure Resource Manager, as far as disaster recovery of API Management sees it, and Entra's token endpoint
//! beside it.
//!
//! Paths are matched without regard to case. A request that no route answers gets 501 and is noted in the
//! journal as unknown: silence would hide a misunderstanding.

mod answer;
mod entities;
mod lists;
mod route;
mod service;
mod shown;
mod surroundings;
mod traffic;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{Method, StatusCode};
use axum::response::Response;

use crate::cloud::{Cloud, Counted};
use crate::form::Form;
use crate::knobs::{self, Course};
use crate::tokens::{Principal, Refusal};

pub(crate) use answer::envelope;
use answer::{Answer, respond};
pub(crate) use entities::Lists;
use route::{Kind, Part, Route, Target};

/// No request that belongs here is larger.
const LONGEST_BODY: usize = 1 << 20;

/// The versions of Microsoft.ApiManagement that are answered: the stable ones since managed identity came to
/// backups, and the previews that tools pin.
const API_VERSIONS: [&str; 11] = [
    "2021-08-01",
    "2022-08-01",
    "2023-03-01-preview",
    "2023-05-01-preview",
    "2023-09-01-preview",
    "2024-05-01",
    "2024-06-01-preview",
    "2024-10-01-preview",
    "2025-03-01-preview",
    "2025-09-01-preview",
    "2026-09-01-preview",
];

const STORAGE_API_VERSIONS: [&str; 5] =
    ["2022-05-01", "2022-09-01", "2023-01-01", "2023-05-01", "2024-01-01"];

const RESOURCES_API_VERSIONS: [&str; 4] = ["2021-04-01", "2022-09-01", "2023-07-01", "2024-03-01"];

const AUTHORIZATION_API_VERSIONS: [&str; 3] = ["2015-07-01", "2018-07-01", "2022-04-01"];

const TRAFFIC_API_VERSIONS: [&str; 4] = ["2018-04-01", "2018-08-01", "2022-04-01", "2026-09-01"];

pub(crate) fn router(cloud: Cloud) -> Router {
    Router::new().fallback(answer).with_state(cloud)
}

/// One request to Resource Manager, read.
pub(crate) struct Call {
    method: Method,
    path: String,
    query: Form,
    body: Vec<u8>,
    caller: Result<Principal, Refusal>,
    /// What an operation that this request begins does out of the ordinary.
    course: Course,
}

impl Call {
    /// The version that the caller asked for; it comes back in the URLs of the answer.
    fn api_version(&self) -> &str {
        self.query.get("api-version").unwrap_or_default()
    }

    /// Which of the caller's token buckets the request is taken out of.
    fn counted(&self) -> Counted {
        if matches!(self.method, Method::GET | Method::HEAD) { Counted::Reads } else { Counted::Writes }
    }
}

async fn answer(State(cloud): State<Cloud>, request: Request) -> Response {
    travel(cloud.latency()).await;
    cloud.settle().await;
    let arrived = cloud.arrived(&request);
    let mut call = read(&cloud, request).await;
    let route = Route::parse(&call.path);
    let Some((kind, service)) = route.as_ref().and_then(|route| route.kind(&call.method)) else {
        let response = respond(&cloud, answer::unknown_route(&call));
        cloud.note_unknown(arrived, &response);
        return response;
    };
    let fault = cloud.meet(kind, service.as_deref()).await;
    call.course = fault.as_ref().map(|fault| fault.course.clone()).unwrap_or_default();
    let work = || {
        let who = call.caller.clone().ok();
        match route.as_ref() {
            Some(Route::Entra { tenant }) => entra(&cloud, tenant, &call),
            Some(Route::Resource(target)) => (who, respond(&cloud, managed(&cloud, &call, target))),
            None => (who, respond(&cloud, answer::unknown_route(&call))),
        }
    };
    cloud.conclude(arrived.of(kind, service.as_deref()), fault, work)
}

async fn travel(latency: std::time::Duration) {
    // Under paused time even a sleep of nothing may move the clock.
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
}

async fn read(cloud: &Cloud, request: Request) -> Call {
    let (parts, body) = request.into_parts();
    let authorization = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let caller = cloud.directory().verify(authorization, &[cloud.arm_endpoint()]);
    Call {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: Form::parse(parts.uri.query().unwrap_or_default()),
        body: to_bytes(body, LONGEST_BODY).await.map(Vec::from).unwrap_or_default(),
        caller,
        course: Course::default(),
    }
}

fn entra(cloud: &Cloud, tenant: &str, call: &Call) -> (Option<Principal>, Response) {
    let form = Form::parse(&String::from_utf8_lossy(&call.body));
    let (who, status, body) = cloud.directory().entra(tenant, &form);
    (who, answer::plain_json(status, &body))
}

/// Knows the caller and counts the request before anything else is looked at.
fn managed(cloud: &Cloud, call: &Call, target: &Target) -> Answer {
    let caller = match &call.caller {
        Ok(caller) => caller,
        Err(refusal) => return answer::unauthenticated(refusal),
    };
    let counted = call.counted();
    match cloud.count(caller, &target.subscription, counted) {
        Ok(remaining) => provided(cloud, call, (caller, target)).remaining(counted, remaining),
        Err(throttled) => answer::throttled((caller, &target.subscription), counted, throttled),
    }
}

/// Checks what Resource Manager checks for every resource, then lets the provider answer.
fn provided(cloud: &Cloud, call: &Call, (caller, target): (&Principal, &Target)) -> Answer {
    let versions = target.kind.api_versions();
    if call.api_version().is_empty() {
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        return Answer::error(StatusCode::BAD_REQUEST, "MissingApiVersionParameter", message);
    }
    if !versions.contains(&call.api_version()) {
        return answer::unsupported_version(target, call.api_version(), versions);
    }
    let action = target.action(&call.method);
    if !cloud.allows(caller, &action, target.object()) {
        return answer::forbidden(caller, &action, &target.id);
    }
    match &target.kind {
        Kind::Service { rest, .. } => service::answer(cloud, call, (&target.id, rest)),
        Kind::Account { name, part } => surroundings::account(cloud, (&target.group, name), *part),
        Kind::Group => surroundings::group(cloud, target),
        Kind::Permissions => surroundings::permissions(cloud, caller, target),
        Kind::Profile { name, endpoint } => {
            traffic::answer(cloud, call, (&target.group, name, endpoint.as_ref()))
        }
    }
}

impl Kind {
    fn api_versions(&self) -> &'static [&'static str] {
        match self {
            Self::Service { .. } => &API_VERSIONS,
            Self::Account { .. } => &STORAGE_API_VERSIONS,
            Self::Group => &RESOURCES_API_VERSIONS,
            Self::Permissions => &AUTHORIZATION_API_VERSIONS,
            Self::Profile { .. } => &TRAFFIC_API_VERSIONS,
        }
    }
}

impl Route {
    /// What kind of request this is, and the service that it is about; `None` if nobody answers it.
    fn kind(&self, method: &Method) -> Option<(knobs::Request, Option<String>)> {
        use knobs::Request as Asked;
        let target = match self {
            Self::Entra { .. } => return (method == Method::POST).then_some((Asked::Entra, None)),
            Self::Resource(target) => target,
        };
        let (name, rest) = match (&target.kind, method.as_str()) {
            (Kind::Service { name, rest }, _) => (name, rest),
            (Kind::Account { part: Part::Keys, .. }, "POST") => return Some((Asked::ListKeys, None)),
            (Kind::Account { part: Part::Itself, .. }, "GET") => return Some((Asked::StorageAccount, None)),
            (Kind::Account { part: Part::BlobService, .. }, "GET") => {
                return Some((Asked::BlobService, None));
            }
            (Kind::Group, "GET") => return Some((Asked::Group, None)),
            (Kind::Permissions, "GET") => {
                return Some((Asked::Permissions, target.service_name().map(str::to_owned)));
            }
            (Kind::Profile { endpoint: None, .. }, "GET") => return Some((Asked::Profile, None)),
            (Kind::Profile { endpoint: Some(_), .. }, "GET" | "PATCH") => {
                return Some((Asked::Endpoint, None));
            }
            _ => return None,
        };
        let rest: Vec<_> = rest.iter().map(|segment| segment.to_lowercase()).collect();
        let rest: Vec<_> = rest.iter().map(String::as_str).collect();
        let kind = match (method.as_str(), rest.as_slice()) {
            ("GET", []) => Asked::Service,
            ("POST", ["backup"]) => Asked::Backup,
            ("POST", ["restore"]) => Asked::Restore,
            ("GET", ["operationresults", _]) => Asked::Poll,
            ("POST", [.., "listsecrets" | "listvalue"]) => Asked::Secrets,
            ("GET" | "HEAD", rest) if lists::is_known(rest) => Asked::Content,
            _ => return None,
        };
        Some((kind, Some(name.clone())))
    }
}
