//! What Resource Manager's answers mean: the two tables, and what a look takes out of a service.

use azure_core::http::RawResponse;
use azure_core::http::headers::HeaderName;
use serde::Deserialize;

use super::arm::{Arm, NoReply, Posted};
use super::request_ids::id_note;
use super::retry::retry_after;
use super::words::azure_words;
use crate::domain::observation::{Answer, NoLook, Poll, ServiceLook};
use crate::domain::serving::{Gateways, Profile, Serving};
use crate::domain::vocabulary::{AzureWords, OperationUrl, ServiceState, Tier};

const LOCATION: HeaderName = HeaderName::from_static("location");

/// What the answer to a POST means. First match wins.
pub(super) fn to_post(arm: &Arm, reply: Result<Posted, NoReply>) -> Option<Answer> {
    let Posted { answer, repeated } = match reply {
        Ok(posted) => posted,
        Err(NoReply::TooLate) => return None,
        Err(NoReply::NoToken(why)) => return Some(Answer::NoToken(why)),
        Err(no_reply) => return Some(Answer::Unknown(silence(no_reply))),
    };
    Some(match u16::from(answer.status()) {
        202 => Answer::Accepted {
            operation: operation(arm, &answer),
            retry_after: retry_after(answer.headers()),
        },
        200 => Answer::Accepted { operation: None, retry_after: None },
        // The first sending was thought not to have left. It had: what runs is ours.
        409 if repeated => Answer::Accepted { operation: None, retry_after: None },
        409 | 429 | 503 => Answer::Busy(azure_words(&answer)),
        401 => Answer::NoToken(refused_token(&answer)),
        408 => Answer::Unknown(describe(&answer)),
        400..=499 => Answer::Refused(azure_words(&answer)),
        _ => Answer::Unknown(describe(&answer)),
    })
}

/// Where the operation reports, word for word, if that is on this Resource Manager.
fn operation(arm: &Arm, answer: &RawResponse) -> Option<OperationUrl> {
    let location = answer.headers().get_optional_str(&LOCATION)?;
    let url = arm.own_url(location)?;
    let whole = if location.starts_with('/') { url.to_string() } else { location.to_owned() };
    Some(OperationUrl::new(whole))
}

/// What the answer to a poll means. First match wins.
pub(super) fn to_poll(reply: Result<RawResponse, NoReply>) -> Poll {
    let answer = match reply {
        Ok(answer) => answer,
        Err(no_reply) => return Poll::Unknown(silence(no_reply)),
    };
    match u16::from(answer.status()) {
        202 => Poll::Running { retry_after: retry_after(answer.headers()) },
        200 => Poll::Ended,
        401 | 403 | 404 | 408 | 409 | 412 | 429 => Poll::Unknown(describe(&answer)),
        400..=499 => match azure_words(&answer) {
            AzureWords { code, .. } if code.is_empty() => Poll::Unknown(describe(&answer)),
            words => Poll::Failed(words),
        },
        _ => Poll::Unknown(describe(&answer)),
    }
}

/// The members of an API Management service that a look takes in. The state alone makes a look; a service
/// without a tier is one whose tier fits no backup.
#[derive(Deserialize)]
struct Service {
    #[serde(default)]
    location: String,
    #[serde(default)]
    sku: Sku,
    properties: Properties,
}

#[derive(Default, Deserialize)]
struct Sku {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    provisioning_state: String,
}

/// What was seen of a service.
pub(super) fn to_look(reply: Result<RawResponse, NoReply>) -> Result<ServiceLook, NoLook> {
    let answer = match reply {
        Ok(answer) => answer,
        Err(NoReply::NoToken(why)) => return Err(NoLook::NoToken(why)),
        Err(no_reply) => return Err(NoLook::NoAnswer(silence(no_reply))),
    };
    match u16::from(answer.status()) {
        200 => {}
        401 => return Err(NoLook::NoToken(refused_token(&answer))),
        _ => return Err(NoLook::Answer(azure_words(&answer))),
    }
    let service: Service = serde_json::from_slice(answer.body()).map_err(|error| {
        let ids = id_note(answer.headers());
        NoLook::NoAnswer(format!("the answer is not a service with a provisioningState: {error}{ids}"))
    })?;
    Ok(ServiceLook {
        state: ServiceState::parse(&service.properties.provisioning_state),
        tier: Tier::new(service.sku.name),
        location: service.location,
    })
}

/// Who serves, by the answer with a Traffic Manager profile.
pub(super) fn to_serving(reply: Result<RawResponse, NoReply>, gateways: &Gateways) -> Serving {
    let read = match reply {
        Ok(answer) if u16::from(answer.status()) == 200 => Profile::parse(answer.body()),
        Ok(answer) => Err(azure_words(&answer).to_string()),
        Err(no_reply) => Err(silence(no_reply)),
    };
    match read {
        Ok(profile) => profile.serving(gateways),
        Err(why) => Serving::Unknown(format!("the profile in TRAFFIC_MANAGER_ID cannot be read: {why}")),
    }
}

/// Where a key of a storage account stands in the answer to `listKeys`.
#[derive(Deserialize)]
struct Keys {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    value: String,
}

/// The first key of a storage account, or what its absence means for the POST that needs it: nothing was
/// sent, so nothing is unknown.
pub(super) fn to_key(reply: Result<RawResponse, NoReply>) -> Result<String, Answer> {
    let busy = |status, why: String| {
        let message = format!("the storage account's key could not be looked up: {why}");
        Answer::Busy(AzureWords { status, code: String::new(), message })
    };
    let answer = match reply {
        Ok(answer) => answer,
        Err(NoReply::NoToken(why)) => return Err(Answer::NoToken(why)),
        Err(no_reply) => return Err(busy(0, silence(no_reply))),
    };
    match u16::from(answer.status()) {
        200 => {}
        401 => return Err(Answer::NoToken(refused_token(&answer))),
        408 | 409 | 429 => return Err(Answer::Busy(azure_words(&answer))),
        400..=499 => return Err(Answer::Refused(azure_words(&answer))),
        _ => return Err(Answer::Busy(azure_words(&answer))),
    }
    let keys: Option<Keys> = serde_json::from_slice(answer.body()).ok();
    let first = keys.and_then(|Keys { keys }| keys.into_iter().next());
    first.map(|key| key.value).ok_or_else(|| busy(200, "the answer holds none".to_owned()))
}

pub(super) fn silence(no_reply: NoReply) -> String {
    match no_reply {
        NoReply::NoToken(why) | NoReply::Silence(why) => why,
        NoReply::TooLate => "it was too late to ask".to_owned(),
        NoReply::TooLarge => "the answer is larger than what is taken in".to_owned(),
    }
}

pub(super) fn refused_token(answer: &RawResponse) -> String {
    format!("Azure refused the token, and a new one as well: {}", azure_words(answer))
}

/// Azure's words with the ids by which its support finds the request.
pub(super) fn describe(answer: &RawResponse) -> String {
    format!("{}{}", azure_words(answer), id_note(answer.headers()))
}
