//! One function, from its `function.json`.

use serde::Deserialize;
use serde_json::Value;

use super::connection::Connection;
use super::cron::Schedule;
use super::pattern::Pattern;
use super::settings::Settings;

/// A function of the app.
pub(super) struct Function {
    /// The folder's name; the handler is called under it.
    pub(super) name: String,
    /// What starts it, or why the host will not run it.
    pub(super) trigger: Result<Trigger, String>,
}

pub(super) enum Trigger {
    Timer(TimerTrigger),
    Blob(BlobTrigger),
}

pub(super) struct TimerTrigger {
    pub(super) binding: String,
    pub(super) schedule: Schedule,
    /// Whether the host remembers when it ran.
    pub(super) monitored: bool,
}

pub(super) struct BlobTrigger {
    pub(super) binding: String,
    pub(super) pattern: Pattern,
    pub(super) connection: Connection,
    pub(super) source: BlobSource,
}

/// Who tells the host of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlobSource {
    /// The host's own poller, which knows what it has told already.
    Scan,
    /// A subscription to the account's events, which the host believes: neither the path's pattern nor a
    /// receipt nor the blob's version stands in the way of a call.
    EventGrid,
}

/// What a `function.json` may say. Members that change how the host behaves, and that the stand-in does
/// not act out, are listed so that they can be refused rather than overlooked.
#[derive(Deserialize)]
struct FunctionFile {
    bindings: Vec<Binding>,
    #[serde(default)]
    disabled: bool,
    retry: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Binding {
    r#type: String,
    name: String,
    schedule: Option<String>,
    use_monitor: Option<bool>,
    run_on_startup: Option<bool>,
    path: Option<String>,
    connection: Option<String>,
    source: Option<String>,
    properties: Option<Value>,
}

impl Function {
    /// Reads a `function.json`.
    ///
    /// # Errors
    /// When it is not one that the stand-in can act out. A trigger whose settings are missing is no error:
    /// the function is there, and disabled.
    pub(super) fn read(name: &str, text: &str, settings: &Settings) -> Result<Self, String> {
        let file: FunctionFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let [binding] = &file.bindings[..] else {
            return Err("the stand-in runs functions with one binding, the trigger".to_owned());
        };
        if file.retry.is_some() {
            return Err("the stand-in has no retry policies".to_owned());
        }
        let trigger = match binding.r#type.as_str() {
            "timerTrigger" => timer(binding, settings)?.map(Trigger::Timer),
            "blobTrigger" => blob(binding, settings)?.map(Trigger::Blob),
            other => return Err(format!("the stand-in has no {other}")),
        };
        let switch = settings.get(&format!("AzureWebJobs.{name}.Disabled")).unwrap_or_default();
        let switched_off = file.disabled || matches!(switch.to_lowercase().as_str(), "true" | "1");
        let trigger = if switched_off { Err("it is switched off".to_owned()) } else { trigger };
        Ok(Self { name: name.to_owned(), trigger })
    }
}

type Resolved<T> = Result<Result<T, String>, String>;

fn timer(binding: &Binding, settings: &Settings) -> Resolved<TimerTrigger> {
    let schedule = binding.schedule.as_deref().ok_or("a timerTrigger needs a schedule")?;
    if binding.run_on_startup == Some(true) {
        return Err("the stand-in does not run a timer on start-up by itself".to_owned());
    }
    let schedule = settings.expand(schedule).and_then(|schedule| Schedule::parse(&schedule));
    Ok(schedule.map(|schedule| TimerTrigger {
        binding: binding.name.clone(),
        monitored: binding.use_monitor.unwrap_or(true) && !schedule.is_sub_minute(),
        schedule,
    }))
}

fn blob(binding: &Binding, settings: &Settings) -> Resolved<BlobTrigger> {
    let path = binding.path.as_deref().ok_or("a blobTrigger needs a path")?;
    let source = match binding.source.as_deref() {
        None | Some("LogsAndContainerScan") => BlobSource::Scan,
        Some("EventGrid") => BlobSource::EventGrid,
        Some(other) => return Err(format!("a blobTrigger has no source {other}")),
    };
    if binding
        .properties
        .as_ref()
        .is_some_and(|properties| properties.get("supportsDeferredBinding").is_some())
    {
        return Err("the stand-in has no deferred binding".to_owned());
    }
    let connection = binding.connection.as_deref().unwrap_or("AzureWebJobsStorage");
    let pattern = settings.expand(path).and_then(|path| Pattern::parse(&path));
    let connection = settings.expand(connection).and_then(|name| Connection::find(&name, settings));
    Ok(pattern.and_then(|pattern| {
        Ok(BlobTrigger { binding: binding.name.clone(), pattern, connection: connection?, source })
    }))
}
