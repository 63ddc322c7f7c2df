//! Reading what a service holds: single entities, lists page by page, and the two POSTs that show secrets.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::answer::{Answer, unknown_route};
use super::lists::{Habits, rows, shuffle};
use super::shown::{Format, Look, etag};
use super::{API_VERSIONS, Call};
use crate::cloud::{Cloud, Service};
use crate::content::{Content, Entity};
use crate::form::decoded;

/// Query parameters that mean something here; another one would be ignored in silence, so it is refused.
const QUERY: [&str; 4] = ["api-version", "$top", "$skip", "format"];

/// `GET` or `HEAD` of a list or of one entity below the service of this id.
pub(super) fn answer(cloud: &Cloud, call: &Call, (id, path): (&str, &[&str])) -> Answer {
    let known = |name: &str| QUERY.iter().any(|known| known.eq_ignore_ascii_case(name));
    if call.query.names().any(|name| !known(name)) {
        return unknown_route(call);
    }
    let path: Vec<_> = path.iter().map(|segment| decoded(segment).to_lowercase()).collect();
    let lists = cloud.lists();
    let answer = cloud.read(id, |service, _| match path.len() % 2 {
        _ if call.api_version() < service.spec.min_api_version.as_str() => too_old(service),
        _ if service.lacks(&path[0]) => not_in_tier(&service.spec.tier),
        0 => entity(call, service, &path.join("/")),
        _ => list(call, service, (&path, &lists)),
    });
    answer.unwrap_or_else(|| unknown_route(call))
}

/// What was seen of services with a lowest version: code and message are public, and that the service itself can be
/// read all the same.
fn too_old(service: &Service) -> Answer {
    let lowest = service.spec.min_api_version.as_str();
    let taken: Vec<_> = API_VERSIONS.into_iter().filter(|version| *version >= lowest).collect();
    let message = format!(
        "API version query parameter is not specified or was specified incorrectly.  Supported versions: {}  Example query param format: api-version=SupportedVersion",
        taken.join(",")
    );
    Answer::error(StatusCode::BAD_REQUEST, "MissingOrIncorrectVersionParameter", &message)
}

/// What was seen of tiers that lack a collection: the same 400 for its lists and for what is in them.
pub(super) fn not_in_tier(tier: &str) -> Answer {
    let message = format!("Method not allowed in {tier} pricing tier");
    Answer::error(StatusCode::BAD_REQUEST, "MethodNotAllowedInPricingTier", &message)
}

fn entity(call: &Call, service: &Service, path: &str) -> Answer {
    let Some(entity) = find(&service.content, path) else { return not_found(path) };
    let raw = call.query.get("format").is_some_and(|format| format.eq_ignore_ascii_case("rawxml"));
    let answer = if call.method == Method::HEAD {
        Answer::empty()
    } else {
        Answer::ok(Look::of(service).shown(entity, if raw { Format::RawXml } else { Format::Xml }))
    };
    answer.header("etag", etag(entity))
}

/// Finds an entity; the current revision of an API goes by its number as well.
fn find<'a>(content: &'a Content, path: &str) -> Option<&'a Entity> {
    let by_revision = || {
        let (before, after) = path.split_once(";rev=")?;
        let (number, below) = after.split_once('/').unwrap_or((after, ""));
        let current = content.get(before)?;
        let joined = format!("{before}/{below}");
        (current.properties["apiRevision"] == number).then(|| content.get(joined.trim_end_matches('/')))?
    };
    content.get(path).or_else(by_revision)
}

fn not_found(path: &str) -> Answer {
    let collection = path.split('/').step_by(2).last().unwrap_or_default();
    let kind = collection.strip_suffix("ies").map(|stem| format!("{stem}y"));
    let kind = kind.unwrap_or_else(|| collection.trim_end_matches('s').to_owned());
    let kind = if kind == "api" { "API".to_owned() } else { kind[..1].to_uppercase() + &kind[1..] };
    Answer::error(StatusCode::NOT_FOUND, "ResourceNotFound", &format!("{kind} not found."))
}

/// How the cloud hands out lists.
pub(crate) struct Lists {
    pub(crate) arm_endpoint: String,
    pub(crate) page_size: usize,
    /// The seed of their order; `None`: by path.
    pub(crate) shuffled: Option<u64>,
}

fn list(call: &Call, service: &Service, (path, lists): (&[String], &Lists)) -> Answer {
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    let holder = path[..path.len() - 1].join("/");
    if !holder.is_empty() && find(&service.content, &holder).is_none() {
        return not_found(&holder);
    }
    let mut all = rows(&service.content, &path);
    if let Some(seed) = lists.shuffled {
        shuffle(&mut all, seed);
    }
    let habits = Habits::of(&path);
    let size = if habits.paged { lists.page_size } else { all.len().max(1) };
    let Some(page) = Page::wanted(call, (habits.paged, size)) else {
        let text = "$top must be at least 1, $skip at least 0.";
        return Answer::error(StatusCode::BAD_REQUEST, "ValidationError", text);
    };
    let look = Look::of(service);
    let shown: Vec<_> = all.iter().skip(page.skip).take(page.top).map(|row| row.shown(&look)).collect();
    let mut body = json!({"value": shown});
    if habits.counted {
        body["count"] = json!(all.len());
    }
    if let Some(next) = page.next_link(call, &lists.arm_endpoint, all.len()).or(habits.end) {
        body["nextLink"] = next;
    }
    Answer::ok(body)
}

/// The part of a list that is wanted.
struct Page {
    skip: usize,
    top: usize,
    /// What the caller asked for, to be repeated in the link.
    asked: Option<usize>,
}

impl Page {
    /// Reads `$top` and `$skip`; `None` if they make no sense. A list without pages comes all at once.
    fn wanted(call: &Call, (paged, size): (bool, usize)) -> Option<Self> {
        let number =
            |name: &str| call.query.get(name).map(|text| text.parse::<usize>().ok()).unwrap_or(Some(0));
        let (skip, top) = (number("$skip")?, number("$top")?);
        if call.query.get("$top").is_some() && top == 0 {
            return None;
        }
        if !paged {
            return Some(Self { skip: 0, top: size, asked: None });
        }
        let asked = (top > 0).then_some(top);
        Some(Self { skip, top: asked.unwrap_or(usize::MAX).min(size), asked })
    }

    /// The URL of the next page, if there is one.
    fn next_link(&self, call: &Call, arm_endpoint: &str, length: usize) -> Option<Value> {
        let next = self.skip.saturating_add(self.top);
        let top = self.asked.map(|top| format!("&$top={top}")).unwrap_or_default();
        let link = || {
            let (path, version) = (&call.path, call.api_version());
            json!(format!("{arm_endpoint}{path}?api-version={version}{top}&$skip={next}"))
        };
        (next < length).then(link)
    }
}

/// `POST …/subscriptions/{sid}/listSecrets` and `POST …/namedValues/{id}/listValue`
pub(super) fn secrets(cloud: &Cloud, call: &Call, (id, path, action): (&str, &[&str], &str)) -> Answer {
    let members: &[&str] =
        match (path.first().map(|kind| kind.to_lowercase()).as_deref(), action.to_lowercase().as_str()) {
            (Some("subscriptions"), "listsecrets") => &["primaryKey", "secondaryKey"],
            (Some("namedvalues"), "listvalue") => &["value"],
            _ => return unknown_route(call),
        };
    let path = path.join("/");
    let found =
        cloud.read(id, |service, _| service.content.get(&path).map(|entity| entity.properties.clone()));
    let Some(properties) = found.flatten() else { return not_found(&path) };
    let secrets = members.iter().map(|name| ((*name).to_owned(), properties[name].clone()));
    Answer::ok(Value::Object(secrets.collect()))
}
