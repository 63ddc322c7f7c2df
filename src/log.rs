//! The log: one line for each event on stdout, where the Functions host takes it up; one more on stderr
//! when somebody should look. The command line has its answer on stdout, and every event on stderr.
//!
//! On an instance of an app the lines are JSON, elsewhere text. They carry no time, because the host stamps
//! each as it comes, and they carry the invocation, because the host cannot tell whose a line is. Only this
//! crate's own events are written: the libraries below see tokens and signed addresses.

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;
use std::sync::Mutex;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Metadata, Subscriber};

use crate::domain::event::{Event, EventName, Level};
use crate::domain::id::ServiceName;
use crate::domain::vocabulary::InvocationId;

/// Writes one event of an invocation.
pub fn event(invocation: &InvocationId, service: Option<&ServiceName>, event: &Event) {
    write(Some(invocation), service, event);
}

/// Writes one event of the process, which belongs to no invocation.
pub fn process_event(event: &Event) {
    write(None, None, event);
}

fn write(invocation: Option<&InvocationId>, service: Option<&ServiceName>, event: &Event) {
    let name = event.name.as_str();
    let invocation = invocation.map(tracing::field::display);
    let service = service.map(tracing::field::display);
    let backup = event.backup.as_ref().map(tracing::field::display);
    let condition = event.condition.map(|condition| condition.as_str());
    let text = event.text.as_str();
    match event.name.level() {
        Level::Info => tracing::info!(event = name, invocation, service, backup, condition, "{text}"),
        Level::Warning => tracing::warn!(event = name, invocation, service, backup, condition, "{text}"),
        Level::Error => tracing::error!(event = name, invocation, service, backup, condition, "{text}"),
    }
}

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people: `LEVEL event name=value: message`.
    Text,
    /// For queries: an object per line.
    Json,
    /// For a person at a terminal, on stderr: `event service: message`, each line once.
    Terminal,
}

/// Writes events from now on, and panics as one line each. Only the first call has an effect.
pub fn install(format: Format) {
    if tracing::subscriber::set_global_default(Lines { format, said: Mutex::default() }).is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            let text = format!("{} at {place}", panic_message(panic.payload()));
            process_event(&Event::new(EventName::HandlerPanicked, text));
        }));
    }
}

/// What a panic said, cut short.
pub fn panic_message(payload: &(dyn Any + Send)) -> String {
    let message = payload.downcast_ref::<&str>().copied();
    let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    message.unwrap_or("no message").chars().take(500).collect()
}

/// Longer messages are cut: a line is for reading.
const LONGEST_VALUE: usize = 4_000;

/// Turns events into lines. There are no spans: an event carries all that belongs to it.
struct Lines {
    format: Format,
    /// What stands on a person's terminal already: an invocation after the other says the same while something waits.
    said: Mutex<BTreeSet<String>>,
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let own = metadata.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"));
        metadata.is_event() && own && *metadata.level() <= tracing::Level::INFO
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = *event.metadata().level();
        if self.format == Format::Terminal {
            // What was refused is the answer to what was typed.
            if fields.is(EventName::WishRefused) {
                return;
            }
            let line = fields.line(level, self.format);
            let mut said = self.said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if said.insert(line.clone()) {
                drop(std::io::stderr().lock().write_all(line.as_bytes()));
            }
            return;
        }
        let line = fields.line(level, self.format);
        // A log that cannot be written is no reason to stop the work, nor is there anywhere to say so.
        drop(std::io::stdout().lock().write_all(line.as_bytes()));
        if level == tracing::Level::ERROR {
            drop(std::io::stderr().lock().write_all(line.as_bytes()));
        }
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The fields of one event, in the order in which they were given; the message apart.
#[derive(Default)]
struct Fields {
    named: Vec<(&'static str, String)>,
    message: String,
}

impl Fields {
    fn is(&self, event: EventName) -> bool {
        self.named.iter().any(|(name, value)| *name == "event" && value == event.as_str())
    }

    fn line(self, level: tracing::Level, format: Format) -> String {
        match format {
            Format::Text => self.text(level),
            Format::Json => self.json(level),
            Format::Terminal => self.terminal(level),
        }
    }

    fn text(self, level: tracing::Level) -> String {
        let mut line = level.to_string();
        for (name, value) in self.named {
            line.push(' ');
            if name != "event" {
                line.push_str(name);
                line.push('=');
            }
            line.push_str(&value);
        }
        line.push_str(": ");
        line.push_str(&self.message);
        one_line(&line)
    }

    fn terminal(self, level: tracing::Level) -> String {
        let named =
            |wanted: &str| self.named.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        let mut line = match level {
            tracing::Level::ERROR => String::from("error: "),
            tracing::Level::WARN => String::from("warning: "),
            _ => String::new(),
        };
        line.push_str(named("event").map_or("", String::as_str));
        if let Some(service) = named("service") {
            line.push(' ');
            line.push_str(service);
        }
        line.push_str(": ");
        line.push_str(&self.message);
        one_line(&line)
    }

    fn json(self, level: tracing::Level) -> String {
        let mut object = Map::new();
        object.insert("level".to_owned(), Value::String(level.to_string()));
        for (name, value) in self.named {
            object.insert(name.to_owned(), Value::String(value));
        }
        object.insert("message".to_owned(), Value::String(self.message));
        format!("{}\n", Value::Object(object))
    }

    fn take(&mut self, field: &Field, value: String) {
        let value: String = value.chars().take(LONGEST_VALUE).collect();
        match field.name() {
            "message" => self.message = value,
            name => self.named.push((name, value)),
        }
    }
}

fn one_line(text: &str) -> String {
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.push('\n');
    line
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Fields {
        let named = vec![
            ("event", "backup.requested".to_owned()),
            ("invocation", "call-1".to_owned()),
            ("service", "contoso".to_owned()),
        ];
        Fields { named, message: "two\nlines and a \"quote\"".to_owned() }
    }

    #[test]
    fn a_line_of_text_is_one_line() {
        assert_eq!(
            fields().line(tracing::Level::INFO, Format::Text),
            "INFO backup.requested invocation=call-1 service=contoso: two lines and a \"quote\"\n"
        );
    }

    #[test]
    fn a_line_for_a_terminal_is_short() {
        let told = "backup.requested contoso: two lines and a \"quote\"\n";
        assert_eq!(fields().line(tracing::Level::INFO, Format::Terminal), told);
        assert_eq!(fields().line(tracing::Level::ERROR, Format::Terminal), format!("error: {told}"));
    }

    #[test]
    fn a_line_of_json_is_one_object() {
        let line = fields().line(tracing::Level::ERROR, Format::Json);
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(
            serde_json::from_str::<Value>(&line).unwrap(),
            serde_json::json!({
                "level": "ERROR", "event": "backup.requested", "invocation": "call-1", "service": "contoso",
                "message": "two\nlines and a \"quote\"",
            })
        );
    }
}
