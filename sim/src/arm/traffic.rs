//! Traffic Manager by Resource Manager: reading the profile, reading and changing an endpoint. All of it is done at
//! once.

use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::Call;
use super::answer::{Answer, no_resource};
use crate::cloud::Cloud;
use crate::traffic::{Endpoint, Profile};

const KIND: &str = "Microsoft.Network/trafficManagerProfiles";

/// Answers for the profile `name` of a group, or for one of its endpoints.
pub(super) fn answer(
    cloud: &Cloud,
    call: &Call,
    (group, name, endpoint): (&str, &str, Option<&(String, String)>),
) -> Answer {
    let now = cloud.clock().now();
    let missing = || no_resource(KIND, name, group);
    let answer = cloud.change_profile(|profile| {
        let is_meant =
            profile.name.eq_ignore_ascii_case(name) && profile.resource_group.eq_ignore_ascii_case(group);
        match (is_meant, endpoint) {
            (false, _) => missing(),
            (true, None) => Answer::ok(profile.resource()),
            (true, Some(endpoint)) => endpoint_answer(call, profile, (endpoint, now)),
        }
    });
    answer.unwrap_or_else(missing)
}

fn endpoint_answer(
    call: &Call,
    profile: &mut Profile,
    ((collection, name), now): (&(String, String), time::OffsetDateTime),
) -> Answer {
    let is_meant = |endpoint: &Endpoint| {
        endpoint.name.eq_ignore_ascii_case(name)
            && endpoint.kind.collection().eq_ignore_ascii_case(collection)
    };
    let Some(index) = profile.endpoints.iter().position(is_meant) else {
        return no_resource(&format!("{KIND}/{}/{collection}", profile.name), name, &profile.resource_group);
    };
    if call.method == Method::PATCH {
        let changed = changed(profile, index, &call.body);
        match changed {
            Ok(mut changed) => {
                if changed.has_to_be_checked_after(&profile.endpoints[index]) {
                    changed.check_anew(now, profile.probing);
                }
                profile.endpoints[index] = changed;
            }
            Err(why) => return Answer::arm_error(StatusCode::BAD_REQUEST, "BadRequest", &why),
        }
    }
    Answer::ok(profile.endpoint_resource(&profile.endpoints[index]))
}

/// The endpoint as the body of a PATCH wants it; what the body leaves out stays.
fn changed(profile: &Profile, index: usize, body: &[u8]) -> Result<Endpoint, String> {
    let body: Value =
        serde_json::from_slice(body).map_err(|_| "The request content was invalid.".to_owned())?;
    let properties = &body["properties"];
    let mut endpoint = profile.endpoints[index].clone();
    if let Some(enabled) = switch(properties, "endpointStatus")? {
        endpoint.enabled = enabled;
    }
    if let Some(always) = switch(properties, "alwaysServe")? {
        endpoint.always_serve = Some(always);
    }
    if let Some(target) = properties["target"].as_str() {
        target.clone_into(&mut endpoint.target);
    }
    if let Some(weight) = properties["weight"].as_i64() {
        endpoint.weight = weight;
    }
    if let Some(priority) = properties["priority"].as_i64() {
        let others = profile.endpoints.iter().enumerate().filter(|(other, _)| *other != index);
        if others.map(|(_, other)| other.priority).any(|taken| taken == priority) {
            return Err(format!("The priority '{priority}' is used by another endpoint of the profile."));
        }
        endpoint.priority = priority;
    }
    Ok(endpoint)
}

/// Reads a member that is `Enabled` or `Disabled`, or not there.
fn switch(properties: &Value, name: &str) -> Result<Option<bool>, String> {
    match properties[name].as_str() {
        None => Ok(None),
        Some(word) if word.eq_ignore_ascii_case("enabled") => Ok(Some(true)),
        Some(word) if word.eq_ignore_ascii_case("disabled") => Ok(Some(false)),
        Some(word) => Err(format!("'{word}' is not a valid value for {name}.")),
    }
}
