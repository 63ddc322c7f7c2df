//! What an invocation was started by, as the host tells it.

use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::blob_uri::BlobUri;
use super::envelope::Envelope;
use crate::domain::vocabulary::Timestamp;

/// The two functions, by the names of their folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// The timer: the heartbeat, and a backup by hand.
    BackupTimer,
    /// The blob trigger on manifests, and a restore by hand.
    RestoreOnBlob,
}

impl Function {
    /// The function that the host calls at this path. The host keeps the folder's spelling.
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "/BackupTimer" => Some(Self::BackupTimer),
            "/RestoreOnBlob" => Some(Self::RestoreOnBlob),
            _ => None,
        }
    }
}

/// What started an invocation.
///
/// Somebody started it by hand if its binding's name stands among the metadata: on a call of the admin
/// endpoint, which is what the portal uses, the host puts the input there, and on no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// `BackupTimer`.
    Timer {
        /// The input of a person, empty included; none on the host's own call.
        manual: Option<String>,
        /// When the timer last ran, as the host remembers it; none before the first run.
        last_run: Option<Timestamp>,
        /// There is no input, but the next occurrence lies ahead, as it never does on the host's own call:
        /// somebody may have called without any.
        looks_manual: bool,
    },
    /// `RestoreOnBlob`.
    Manifest {
        /// The blob that appeared, or that a person named.
        blob: BlobUri,
        /// The input of a person; none on the host's own call.
        manual: Option<String>,
    },
}

impl Trigger {
    /// Whether a person started the invocation.
    pub fn is_manual(&self) -> bool {
        match self {
            Self::Timer { manual, .. } | Self::Manifest { manual, .. } => manual.is_some(),
        }
    }
}

/// The host calls up to a second before an occurrence; what lies further ahead is another call's.
const AHEAD: Duration = Duration::seconds(2);

/// Reads the trigger of `function` and the host's clock. Fails with what is missing.
pub(super) fn read(function: Function, envelope: &Envelope) -> Result<(Trigger, Timestamp), String> {
    let now = utc_now(&envelope.metadata)?;
    let trigger = match function {
        Function::BackupTimer => timer(envelope, now),
        Function::RestoreOnBlob => manifest(&envelope.metadata)?,
    };
    Ok((trigger, now))
}

fn utc_now(metadata: &Map<String, Value>) -> Result<Timestamp, String> {
    let sys = metadata.get("sys").map(decoded);
    let text = sys.as_ref().and_then(|sys| text_of(sys.get("UtcNow")?));
    let moment = text.and_then(|text| moment(&text));
    moment.ok_or_else(|| "the host's envelope has no time in Metadata.sys.UtcNow".to_owned())
}

fn timer(envelope: &Envelope, now: Timestamp) -> Trigger {
    let info = envelope.data.get("timer").map(decoded);
    let status = info.as_ref().and_then(|info| info.get("ScheduleStatus"));
    let field = |name: &str| status.and_then(|status| moment(status.get(name)?.as_str()?));
    let manual = envelope.metadata.get("timer").and_then(text_of);
    let is_ahead = field("Next").is_some_and(|next| next - now > AHEAD);
    Trigger::Timer {
        looks_manual: manual.is_none() && is_ahead,
        manual,
        // An unset .NET time is the first moment of year 1.
        last_run: field("Last"),
    }
}

fn manifest(metadata: &Map<String, Value>) -> Result<Trigger, String> {
    let uri =
        metadata.get("Uri").and_then(text_of).ok_or("the host's envelope has no blob in Metadata.Uri")?;
    let blob = BlobUri::parse(&uri).ok_or("the blob's address in Metadata.Uri cannot be read")?;
    Ok(Trigger::Manifest { blob, manual: metadata.get("manifest").and_then(text_of) })
}

/// No clock of a host's is wrong by centuries: a time that no record can hold is none.
fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::sensible(OffsetDateTime::parse(text, &Rfc3339).ok()?)
}

/// The host encodes every string among the metadata as JSON twice, and leaves objects as they are.
fn decoded(value: &Value) -> Value {
    let inner = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    inner.unwrap_or_else(|| value.clone())
}

/// A string in either encoding. What decodes to anything but a string was a plain string that looks like it.
fn text_of(value: &Value) -> Option<String> {
    match decoded(value) {
        Value::String(text) => Some(text),
        Value::Null if value.is_null() => None,
        other => Some(value.as_str().map_or_else(|| other.to_string(), str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    fn envelope(body: Value) -> Envelope {
        Envelope::of(body.as_object().unwrap().clone()).unwrap()
    }

    fn sys() -> Value {
        json!({ "MethodName": "BackupTimer", "UtcNow": "2026-11-23T16:35:00.0022105Z", "RandGuid": "x" })
    }

    #[test]
    fn texts_are_read_in_either_encoding() {
        for (value, text) in [
            (json!("\"hello\""), Some("hello")),
            (json!("hello"), Some("hello")),
            (json!("\"\""), Some("")),
            (json!(""), Some("")),
            (json!("5"), Some("5")),
            (json!("\"5\""), Some("5")),
            (json!("null"), Some("null")),
            (json!("\"a \\\"b\\\"\""), Some("a \"b\"")),
            (json!({ "a": 1 }), Some("{\"a\":1}")),
            (Value::Null, None),
        ] {
            assert_eq!(text_of(&value).as_deref(), text, "{value}");
        }
    }

    #[test]
    fn the_time_is_the_hosts_own() {
        let read = |sys: Value| utc_now(json!({ "sys": sys }).as_object().unwrap());
        let expected = Timestamp::new(datetime!(2026-11-23 16:35:00.002210 UTC));
        assert_eq!(read(sys()), Ok(expected));
        assert_eq!(read(json!(sys().to_string())), Ok(expected), "sys encoded twice");
        assert_eq!(read(json!({ "UtcNow": "\"2026-11-23T17:35:00.0022105+01:00\"" })), Ok(expected));
        let of_no_year_of_ours =
            ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "1969-12-31T23:59:59Z"]
                .map(|text| json!({ "UtcNow": text }));
        let wrong = [json!({}), json!({ "UtcNow": "today" }), json!(null), json!({ "UtcNow": 5 })];
        for wrong in wrong.into_iter().chain(of_no_year_of_ours) {
            assert!(read(wrong.clone()).unwrap_err().contains("Metadata.sys.UtcNow"), "{wrong}");
        }
    }

    #[test]
    fn a_call_without_a_blob_is_refused() {
        let no_uri = envelope(json!({ "Metadata": { "sys": sys() } }));
        assert!(read(Function::RestoreOnBlob, &no_uri).unwrap_err().contains("Metadata.Uri"));
        let bad_uri = envelope(json!({ "Metadata": { "sys": sys(), "Uri": "\"secret?sig=s\"" } }));
        let error = read(Function::RestoreOnBlob, &bad_uri).unwrap_err();
        assert!(error.contains("cannot be read") && !error.contains("sig"), "{error}");
    }

    #[test]
    fn a_call_with_the_next_occurrence_ahead_only_looks_manual() {
        let looks = |next: &str, metadata: Value| {
            let status = json!({ "Last": "0001-01-01T00:00:00+00:00", "Next": next });
            let data = json!({ "timer": { "ScheduleStatus": status, "IsPastDue": false } });
            let (trigger, _) =
                read(Function::BackupTimer, &envelope(json!({ "Data": data, "Metadata": metadata })))
                    .unwrap();
            match trigger {
                Trigger::Timer { manual, last_run: None, looks_manual } => (manual, looks_manual),
                other => panic!("{other:?}"),
            }
        };
        let bare = json!({ "sys": sys() });
        assert_eq!(looks("2026-11-23T16:35:00+00:00", bare.clone()), (None, false));
        assert_eq!(looks("2026-11-23T16:35:01.9+00:00", bare.clone()), (None, false));
        assert_eq!(looks("2026-11-23T16:36:00+00:00", bare.clone()), (None, true));
        assert_eq!(looks("0001-01-01T00:00:00+00:00", bare), (None, false));
        let by_hand = json!({ "sys": sys(), "timer": "\"\"" });
        assert_eq!(looks("2026-11-23T16:36:00+00:00", by_hand), (Some(String::new()), false));
    }

    #[test]
    fn a_timer_without_status_is_an_ordinary_call() {
        let data = json!({ "timer": { "ScheduleStatus": null, "IsPastDue": false } });
        for data in [data, json!({}), Value::Null] {
            let body = envelope(json!({ "Data": data, "Metadata": { "sys": sys() } }));
            let (trigger, _) = read(Function::BackupTimer, &body).unwrap();
            let ordinary = Trigger::Timer { manual: None, last_run: None, looks_manual: false };
            assert_eq!(trigger, ordinary);
            assert!(!trigger.is_manual());
        }
    }
}
