//! Alert rules are written against the events' names: the documentation lists them all, and no other.

use apim_dr::domain::event::{EventName, Level};
use expect_test::expect_file;

#[test]
fn the_documentation_lists_every_event() {
    expect_file!["../../docs/events.md"].assert_eq(&documentation());
}

fn documentation() -> String {
    let mut text = String::from(INTRODUCTION);
    for event in EventName::ALL {
        let level = match event.level() {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        };
        text += &format!("| `{}` | {level} | {} |\n", event.as_str(), event.meaning());
    }
    text
}

#[test]
fn no_two_events_have_the_same_name() {
    let mut names: Vec<_> = EventName::ALL.iter().map(|event| event.as_str()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn a_name_says_what_it_is_about_and_what_happened_in_lower_case() {
    for event in EventName::ALL {
        let name = event.as_str();
        let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(
            name.split_once('.').is_some_and(|(about, happened)| word(about) && word(happened)),
            "{name}"
        );
    }
}

const INTRODUCTION: &str = "\
# Events

One line of the log each. The names are stable: write alert rules against them. JSON lines when the host runs in Azure,
readable text elsewhere; each with the invocation's id, and with the service and the backup it is about, if there is one.
Events of the level `error` are written to stderr as well: somebody should look.

| name | level | meaning |
| --- | --- | --- |
";
