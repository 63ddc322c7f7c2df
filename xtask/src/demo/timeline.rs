//! What a person follows: a line for each event, with its time and its service.

use apim_dr_sim::clock::Clock;
use apim_dr_sim::host::{Event, Level, Line};
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::format_description;

/// Events that say nothing to somebody who watches.
const LEFT_OUT: [&str; 3] = ["invocation.done", "request.refused", "restore.ignored"];

/// The heading of an act, with what it is about.
pub(super) fn act(title: &str, about: &str) {
    println!("\n== {title} ==\n{about}\n");
}

/// One line of somebody who is not the handler.
pub(super) fn say(clock: &Clock, who: &str, what: &str) {
    println!("{:<6} {who:<14} {what}", at(clock));
}

/// Shows what the host and its handler tell.
pub(super) fn show(clock: &Clock, event: &Event) {
    match event {
        Event::Line(line) if line.level > Level::Information => {}
        Event::Line(line) => {
            if let Some(line) = parse(line).filter(|line| !LEFT_OUT.contains(&text(line, "event"))) {
                let (service, event) = (text(&line, "service"), text(&line, "event"));
                println!("{:<6} {service:<14} {event:<20} {}", at(clock), told(&line));
            }
        }
        Event::Invoked(invocation) if invocation.function == "RestoreOnBlob" => {
            say(clock, "host", "delivers the manifest's blob event to RestoreOnBlob");
        }
        _ => {}
    }
}

/// What a condition says stands in the lines around it and in the status; its name is enough here.
fn told(line: &Value) -> &str {
    match text(line, "condition") {
        "" => text(line, "message"),
        condition => condition,
    }
}

/// The handler's own lines, which are JSON; what the host says is not.
pub(super) fn parse(line: &Line) -> Option<Value> {
    let value: Value = serde_json::from_str(&line.text).ok()?;
    value.get("event")?;
    Some(value)
}

pub(super) fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn at(clock: &Clock) -> String {
    let now: OffsetDateTime = clock.now();
    now.format(format_description!("[hour]:[minute]")).unwrap_or_default()
}
