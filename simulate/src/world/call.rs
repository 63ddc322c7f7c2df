//! One call of one function by the host: what is sent, and who is meant by it in everything that follows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request};
use serde_json::{Value, json};
use time::format_description::FormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use super::deployed::Deployed;
use super::sent::STORAGE;
use crate::plan::SERVICES;

/// As `sys.UtcNow` has it: always seven digits.
const UTC_NOW: &[FormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");

/// What a function is called with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    Tick,
    /// A person runs the timer with this input.
    Timer(&'static str),
    /// The event of a blob, by container and name.
    Event(String, String),
    /// A person runs the blob function for this blob.
    ByHand(String, String),
    /// What no host sends.
    Nonsense(Vec<u8>),
    /// The command line, in a process of its own.
    Line(Said),
}

/// What is said on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Backup(Option<usize>),
    Restore { blob: String, into: Option<usize>, even_if_live: bool },
    Withdraw(Option<usize>),
    Resume { even_if_unknown: bool },
    Tick,
}

impl Trigger {
    fn function(&self) -> &'static str {
        match self {
            Self::Tick | Self::Timer(_) => "BackupTimer",
            Self::Event(..) | Self::ByHand(..) | Self::Nonsense(_) => "RestoreOnBlob",
            Self::Line(_) => "",
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Tick => "tick".to_owned(),
            Self::Timer(input) => format!("BackupTimer by hand, input {input:?}"),
            Self::Event(container, blob) => format!("event of {container}/{blob}"),
            Self::ByHand(container, blob) => format!("RestoreOnBlob by hand, input {container}/{blob}"),
            Self::Nonsense(_) => "a payload that cannot be parsed".to_owned(),
            Self::Line(said) => format!("apim-dr {}", said.words()),
        }
    }

    /// Whether a person says `resume`, and whether even though nobody knows what the primary holds.
    pub(crate) fn resumes(&self) -> Option<bool> {
        match self {
            Self::Timer("resume") => Some(false),
            Self::Line(Said::Resume { even_if_unknown }) => Some(*even_if_unknown),
            _ => None,
        }
    }

    /// Whether a person wants it even into a service that serves.
    pub(crate) fn insists(&self) -> bool {
        matches!(self, Self::Line(Said::Restore { even_if_live: true, .. }))
    }

    /// The one service that a person wants it restored into.
    pub(crate) fn target(&self) -> Option<usize> {
        match self {
            Self::Line(Said::Restore { into, .. }) => *into,
            _ => None,
        }
    }

    /// The blob that a person asks to have restored.
    pub(crate) fn asks_for(&self) -> Option<&str> {
        match self {
            Self::ByHand(container, blob) if container == super::sent::BACKUPS => Some(blob),
            Self::Line(Said::Restore { blob, .. }) => Some(blob),
            _ => None,
        }
    }
}

impl Said {
    fn words(&self) -> String {
        let service = |service: &Option<usize>| service.map_or("", |service| SERVICES[service].0);
        match self {
            Self::Backup(of) => format!("backup {}", service(of)),
            Self::Restore { blob, into, even_if_live } => {
                let flag = if *even_if_live { " --even-if-live" } else { "" };
                format!("restore {blob} {}{flag}", service(into))
            }
            Self::Withdraw(of) => format!("withdraw {}", service(of)),
            Self::Resume { even_if_unknown: true } => "resume --even-if-unknown".to_owned(),
            Self::Resume { .. } => "resume".to_owned(),
            Self::Tick => "tick".to_owned(),
        }
    }
}

impl std::fmt::Display for Trigger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

/// A call under way.
#[derive(Debug)]
pub(crate) struct Call {
    /// Counts the calls of a world.
    pub(crate) number: u32,
    /// The id that the host gave it.
    pub(crate) id: String,
    /// The step that it belongs to, by which its requests' draws are addressed.
    pub(crate) step: u32,
    /// Distinguishes calls of one step.
    pub(crate) turn: u32,
    pub(crate) instance: usize,
    pub(crate) trigger: Trigger,
    /// The settings that its process was started with.
    pub(crate) deployed: Arc<Deployed>,
    /// When it began, by the world's clock.
    pub(crate) began: OffsetDateTime,
    /// By how much its instance's clock is off.
    pub(crate) skew: Duration,
    pub(crate) requests: AtomicU64,
}

tokio::task_local! {
    static CURRENT: Arc<Call>;
}

impl Call {
    /// The call in whose task this is asked.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// Does `work` as this call's.
    pub(crate) async fn scope<T>(self: Arc<Self>, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }

    /// The id of the call of this number.
    pub(crate) fn id_of(number: u32) -> String {
        format!("call-{number}")
    }

    /// The number of the call with this id.
    pub(crate) fn number_of(id: &str) -> Option<u32> {
        id.strip_prefix("call-")?.parse().ok()
    }

    /// The host's own time when it began.
    pub(crate) fn utc_now(&self) -> OffsetDateTime {
        self.began + self.skew
    }

    /// Which request of this call is made next.
    pub(crate) fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    /// `A7` is the seventh call, on the first instance.
    pub(crate) fn tag(&self) -> String {
        let letter = char::from(b'A' + u8::try_from(self.instance).unwrap_or_default());
        format!("{letter}{}", self.number)
    }

    /// What the host sends.
    pub(crate) fn request(&self, signed: bool) -> Request<Body> {
        let body = match &self.trigger {
            Trigger::Nonsense(bytes) => bytes.clone(),
            _ => self.envelope(signed).to_string().into_bytes(),
        };
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = Method::POST;
        if let Ok(uri) = format!("/{}", self.trigger.function()).parse() {
            *request.uri_mut() = uri;
        }
        if let Ok(id) = HeaderValue::try_from(&self.id) {
            request.headers_mut().insert("X-Azure-Functions-InvocationId", id);
        }
        request
    }

    fn envelope(&self, signed: bool) -> Value {
        let now = self.utc_now().format(UTC_NOW).unwrap_or_default();
        let sys = json!({ "MethodName": self.trigger.function(), "UtcNow": now, "RandGuid": self.id });
        let last = json!({ "Last": now, "Next": now, "LastUpdated": now });
        let timer = json!({ "timer": {
            "Schedule": { "AdjustForDST": true }, "ScheduleStatus": last, "IsPastDue": false,
        } });
        match &self.trigger {
            Trigger::Tick | Trigger::Nonsense(_) | Trigger::Line(_) => {
                json!({ "Data": timer, "Metadata": { "sys": sys } })
            }
            Trigger::Timer(input) => {
                json!({ "Data": timer, "Metadata": { "timer": twice(input), "sys": sys } })
            }
            Trigger::Event(container, blob) => {
                let uri = address(container, blob, signed);
                json!({ "Data": { "manifest": "e30=" }, "Metadata": { "Uri": twice(&uri), "sys": sys } })
            }
            Trigger::ByHand(container, blob) => {
                let (uri, input) = (address(container, blob, signed), format!("{container}/{blob}"));
                let metadata = json!({ "Uri": twice(&uri), "manifest": twice(&input), "sys": sys });
                json!({ "Data": { "manifest": "e30=" }, "Metadata": metadata })
            }
        }
    }
}

/// The host encodes a string a second time before it puts it into the body.
fn twice(text: &str) -> Value {
    Value::String(Value::String(text.to_owned()).to_string())
}

fn address(container: &str, blob: &str, signed: bool) -> String {
    let query = if signed { format!("?{}", crate::secrets::access_signature()) } else { String::new() };
    format!("{STORAGE}/{container}/{blob}{query}")
}
