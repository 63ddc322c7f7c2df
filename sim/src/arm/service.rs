//! The service itself: reading it, backup, restore, operation results.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, envelope, no_resource, unknown_route};
use super::{Call, entities};
use crate::cloud::{Access, Cloud, Found, NotAccepted, Order, Place};
use crate::journal::OperationKind;

const KIND: &str = "Microsoft.ApiManagement/service";

pub(super) fn answer(cloud: &Cloud, call: &Call, (id, rest): (&str, &[String])) -> Answer {
    let Some(resource) =
        cloud.read(id, |service, busy| service.resource(service.shown_state(busy), call.api_version()))
    else {
        let part = |index| id.split('/').nth(index).unwrap_or_default();
        return no_resource(KIND, part(8), part(4));
    };
    let rest: Vec<_> = rest.iter().map(String::as_str).collect();
    match (call.method.as_str(), rest.as_slice()) {
        ("GET", []) => Answer::ok(resource),
        ("GET", [results, operation]) if results.eq_ignore_ascii_case("operationresults") => {
            poll(cloud, call, (id, operation, resource))
        }
        ("POST", [action]) if action.eq_ignore_ascii_case("backup") => {
            begin(cloud, call, (id, OperationKind::Backup))
        }
        ("POST", [action]) if action.eq_ignore_ascii_case("restore") => {
            begin(cloud, call, (id, OperationKind::Restore))
        }
        ("POST", [path @ .., action]) => entities::secrets(cloud, call, (id, path, action)),
        ("GET" | "HEAD", path) => entities::answer(cloud, call, (id, path)),
        _ => unknown_route(call),
    }
}

fn poll(cloud: &Cloud, call: &Call, (id, operation, resource): (&str, &str, Value)) -> Answer {
    match cloud.poll(id, operation) {
        Found::Nothing => {
            Answer::error(StatusCode::NOT_FOUND, "ResourceNotFound", "Operation result not found.")
        }
        Found::Running => Answer::accepted(result_url(cloud, call, (id, operation))),
        Found::Succeeded => Answer::ok(resource),
        Found::Failed { code, message } => Answer::error(StatusCode::BAD_REQUEST, &code, &message),
    }
}

/// Where the result of an operation will be. The id is base64 and goes into the URL as it is.
fn result_url(cloud: &Cloud, call: &Call, (id, operation): (&str, &str)) -> String {
    let id = cloud.read(id, |service, _| service.id.clone()).unwrap_or_else(|| id.to_owned());
    format!("{}{id}/operationresults/{operation}?api-version={}", cloud.arm_endpoint(), call.api_version())
}

fn begin(cloud: &Cloud, call: &Call, (id, kind): (&str, OperationKind)) -> Answer {
    let place = match place(cloud, call, id) {
        Ok(place) => place,
        Err(refused) => return refused,
    };
    let by = call.caller.as_ref().map(|caller| caller.object_id.clone()).unwrap_or_default();
    let order = Order { kind, place, by, course: call.course.clone() };
    match cloud.accept(id, order) {
        Some(Ok(operation)) => Answer::accepted(result_url(cloud, call, (id, &operation))),
        Some(Err(NotAccepted::Locked(name))) => {
            let message = format!(
                "The API Service {name} is transitioning at this time. Please try the request again later."
            );
            Answer::error(StatusCode::CONFLICT, "ServiceLocked", &message)
        }
        Some(Err(NotAccepted::Tier(tier))) => entities::not_in_tier(&tier),
        None => unknown_route(call),
    }
}

/// Reads the body of a backup or restore: where the blob is, and how the service gets at it.
fn place(cloud: &Cloud, call: &Call, id: &str) -> Result<Place, Answer> {
    let body: Value =
        serde_json::from_slice(&call.body).map_err(|_| invalid("body", "The request body is not JSON."))?;
    let field = |name: &'static str| match &body[name] {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        _ => Err(invalid(name, &format!("The {name} field is required."))),
    };
    let (account, container, blob) =
        (field("storageAccount")?, field("containerName")?, field("backupName")?);
    if account.contains(['/', ':', '.']) {
        return Err(invalid(
            "storageAccount",
            "The name of the storage account is required, not its URL or id.",
        ));
    }
    if container != container.to_lowercase() {
        return Err(invalid("containerName", "The name of a container is lower case."));
    }
    let access = access(cloud, id, &body)?;
    if matches!(access, Access::Key(_)) {
        refuse_patch(cloud, &account)?;
    }
    Ok(Place { account, container, blob, access })
}

/// A backup by key does not get along with a rule for browsers that names PATCH. Code and message were seen in public.
fn refuse_patch(cloud: &Cloud, account: &str) -> Result<(), Answer> {
    let rules = cloud.account(account).map(|account| account.settings().cors.clone()).unwrap_or_default();
    let with_patch =
        |methods: &Vec<String>| methods.iter().any(|method| method.eq_ignore_ascii_case("PATCH"));
    let Some(rule) = rules.into_iter().find(|rule| with_patch(&rule.methods)) else { return Ok(()) };
    let message = format!(
        "Invalid parameter: Requested value '{}' was not found.\r\nParameter name: backupStorageAccount",
        rule.methods.join(",")
    );
    Err(Answer::error(StatusCode::BAD_REQUEST, "InvalidParameters", &message))
}

/// How the service is told to prove itself: by exactly one of the three ways.
fn access(cloud: &Cloud, id: &str, body: &Value) -> Result<Access, Answer> {
    let given = |name: &str| body[name].as_str().filter(|text| !text.is_empty());
    let kind = given("accessType").unwrap_or("AccessKey");
    match (kind, given("accessKey"), given("clientId")) {
        ("AccessKey", Some(key), None) => Ok(Access::Key(key.to_owned())),
        ("AccessKey", None, _) => Err(invalid("accessKey", "The accessKey field is required.")),
        ("SystemAssignedManagedIdentity", None, None) => {
            let identity = cloud.read(id, |service, _| service.identity()).flatten();
            let missing = || invalid("accessType", "The service has no system-assigned managed identity.");
            identity.map(Access::Identity).ok_or_else(missing)
        }
        ("UserAssignedManagedIdentity", None, Some(client)) => user_assigned(cloud, id, client),
        ("UserAssignedManagedIdentity", None, None) => {
            Err(invalid("clientId", "The clientId field is required."))
        }
        ("AccessKey" | "SystemAssignedManagedIdentity" | "UserAssignedManagedIdentity", ..) => {
            Err(invalid("accessType", "accessKey and clientId do not go with this accessType."))
        }
        _ => Err(invalid("accessType", &format!("'{kind}' is not an access type."))),
    }
}

fn user_assigned(cloud: &Cloud, id: &str, client: &str) -> Result<Access, Answer> {
    let find = |service: &crate::cloud::Service| {
        service.spec.user_assigned.iter().find(|user| user.client_id.eq_ignore_ascii_case(client)).cloned()
    };
    let found = cloud.read(id, |service, _| find(service)).flatten();
    found.map(Access::Identity).ok_or_else(|| {
        invalid(
            "clientId",
            &format!("No user-assigned managed identity of the service has client id '{client}'."),
        )
    })
}

/// The error of a field that can not be used.
fn invalid(field: &str, message: &str) -> Answer {
    let text = "One or more fields contain incorrect values:";
    let mut body = envelope("ValidationError", text);
    body["error"]["details"] = json!([{"code": "ValidationError", "target": field, "message": message}]);
    Answer::error(StatusCode::BAD_REQUEST, "ValidationError", text).with_body(body)
}
