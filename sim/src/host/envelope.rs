//! The body of a call: `{"Data":{…},"Metadata":{…}}`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::FormatItem;
use time::macros::format_description;

use super::invocation::guid;
use super::invoke::Call;
use super::timer::TimerInfo;
use crate::storage::Properties;

/// As `sys.UtcNow` has it: always seven digits.
const UTC_NOW: &[FormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");

const SECONDS: &[FormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

/// The host encodes a string a second time before it puts it into the body.
pub(super) fn twice(text: &str) -> Value {
    Value::String(Value::String(text.to_owned()).to_string())
}

/// Puts the body together: adds `sys`, and drops metadata that never arrives, which is what is null and
/// what is named like a trigger.
pub(super) fn seal(call: &Call, now: OffsetDateTime) -> Vec<u8> {
    let arrives =
        |(name, value): &(&String, &Value)| !value.is_null() && !name.to_lowercase().ends_with("trigger");
    let kept = call.metadata.iter().filter(arrives);
    let mut metadata: Map<_, _> = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
    let sys = json!({ "MethodName": call.function, "UtcNow": utc_now(now), "RandGuid": guid() });
    metadata.insert("sys".to_owned(), sys);
    json!({ "Data": call.data, "Metadata": metadata }).to_string().into_bytes()
}

/// The value of a timer trigger.
pub(super) fn timer(info: &TimerInfo) -> Value {
    let status = info.status.as_ref().map(|status| {
        json!({
            "Last": local(status.last),
            "Next": local(Some(status.next)),
            "LastUpdated": local(status.last_updated),
        })
    });
    json!({ "Schedule": { "AdjustForDST": true }, "ScheduleStatus": status, "IsPastDue": info.is_past_due })
}

/// The value of a blob trigger: the content, whatever `dataType` says.
pub(super) fn content(bytes: &[u8]) -> Value {
    Value::String(BASE64.encode(bytes))
}

/// Members of a blob's `Properties` that a plain block blob has no value for.
const UNSET: [&str; 18] = [
    "ObjectReplicationDestinationPolicyId",
    "ObjectReplicationSourceProperties",
    "CopyStatusDescription",
    "CopyId",
    "CopyProgress",
    "CopySource",
    "BlobCopyStatus",
    "DestinationSnapshot",
    "ContentEncoding",
    "ContentDisposition",
    "ContentLanguage",
    "CacheControl",
    "EncryptionKeySha256",
    "EncryptionScope",
    "ArchiveStatus",
    "VersionId",
    "RehydratePriority",
    "ContentHash",
];

/// Members that are dates and have none.
const NEVER: [&str; 4] = ["CopyCompletedOn", "AccessTierChangedOn", "ExpiresOn", "LastAccessed"];

/// The `Properties` of a blob trigger. Enumerations are numbers, and an ETag has no members to show.
pub(super) fn properties(blob: &Properties) -> Value {
    let modified = local(Some(blob.last_modified));
    let Value::Object(known) = json!({
        "LastModified": modified, "CreatedOn": modified, "Metadata": blob.metadata, "BlobType": 0,
        "CopyStatus": 0, "IsIncrementalCopy": false, "LeaseDuration": 0,
        "LeaseState": i32::from(blob.leased), "LeaseStatus": i32::from(!blob.leased),
        "ContentLength": blob.length, "ContentType": blob.content_type, "ETag": {},
        "BlobSequenceNumber": 0, "AcceptRanges": "bytes", "BlobCommittedBlockCount": 0,
        "IsServerEncrypted": true, "AccessTier": "Hot", "AccessTierInferred": true,
        "IsLatestVersion": false, "TagCount": 0, "IsSealed": false,
        "ImmutabilityPolicy": { "ExpiresOn": null, "PolicyMode": null }, "HasLegalHold": false,
    }) else {
        unreachable!("an object was written down")
    };
    let unset = UNSET.iter().map(|name| ((*name).to_owned(), Value::Null));
    let never = NEVER.iter().map(|name| ((*name).to_owned(), local(None).into()));
    let mut properties: Map<_, _> = unset.chain(never).chain(known).collect();
    properties.extend(blob.content_md5.as_ref().map(|md5| ("ContentHash".to_owned(), md5.as_str().into())));
    Value::Object(properties)
}

fn utc_now(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC).format(UTC_NOW).unwrap_or_default()
}

/// A date with the host's offset, which in Azure is zero. The fraction loses its trailing zeros, and an
/// unset date is in the year 1.
fn local(at: Option<OffsetDateTime>) -> String {
    let Some(at) = at.map(|at| at.to_offset(time::UtcOffset::UTC)) else {
        return "0001-01-01T00:00:00+00:00".to_owned();
    };
    let ticks = format!(".{:07}", at.nanosecond() / 100);
    let fraction = ticks.trim_end_matches('0').trim_end_matches('.');
    format!("{}{fraction}+00:00", at.format(SECONDS).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn dates_are_written_as_the_host_writes_them() {
        let at = datetime!(2026-11-23 16:35:00.0022105 UTC);
        assert_eq!(utc_now(at), "2026-11-23T16:35:00.0022105Z");
        assert_eq!(utc_now(datetime!(2026-11-23 16:35 UTC)), "2026-11-23T16:35:00.0000000Z");
        assert_eq!(local(Some(at)), "2026-11-23T16:35:00.0022105+00:00");
        assert_eq!(local(Some(datetime!(2026-11-23 16:35:00.5 UTC))), "2026-11-23T16:35:00.5+00:00");
        assert_eq!(local(Some(datetime!(2026-11-23 18:35 +2))), "2026-11-23T16:35:00+00:00");
        assert_eq!(local(None), "0001-01-01T00:00:00+00:00");
    }

    #[test]
    fn strings_are_encoded_twice_and_what_never_arrives_is_dropped() {
        let metadata = json!({ "name": twice("a \"b\".json"), "BlobTrigger": "x", "nothing": null });
        let Value::Object(metadata) = metadata else { unreachable!("an object was written down") };
        let call = Call {
            function: "RestoreOnBlob".to_owned(),
            cause: String::new(),
            data: Map::from_iter([("manifest".to_owned(), content(b"{}"))]),
            metadata,
        };
        let body = seal(&call, datetime!(2026-03-01 02:00 UTC));
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["Data"]["manifest"], "e30=");
        assert_eq!(body["Metadata"]["name"], r#""a \"b\".json""#);
        assert_eq!(body["Metadata"]["sys"]["MethodName"], "RestoreOnBlob");
        let names: Vec<_> = body["Metadata"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["name", "sys"]);
    }
}
