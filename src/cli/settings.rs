//! Where settings come from: the environment, then a `local.settings.json`. As with `func start`, what the environment
//! has set comes first, so that one setting can be tried without editing a file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use serde::Deserialize;
use serde_json::Value;

use super::answer::{Answer, Code};
use super::verbs::examined;
use crate::config::{Config, IDENTITY, Problems};
use crate::doctor;

/// Where `func start` finds its settings, and so where they most likely are.
const USUAL_FILE: &str = "local.settings.json";

/// A larger file is not one of settings.
const LARGEST_FILE: u64 = 1 << 20;

/// The settings, and which of them this process would have to be started with.
pub(super) struct Settings {
    config: Config,
    /// The address of the managed identity and its header, where a file alone has them.
    identity: Vec<(&'static str, String)>,
}

impl Settings {
    /// Reads `file`, if there is one, beside the environment.
    ///
    /// # Errors
    /// With all that is missing or wrong, each by its setting's name.
    pub(super) fn read(
        file: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Refusal> {
        let values = file.map(read).transpose().map_err(Refusal::File)?.unwrap_or_default();
        let set = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        let config = Config::from_lookup(|name| set(name).or_else(|| values.get(name).cloned()));
        let config =
            config.map_err(|problems| Refusal::Settings { problems, without_file: file.is_none() })?;
        let from_file = IDENTITY.into_iter().filter(|name| set(name).is_none());
        let from_file = from_file.filter_map(|name| Some((name, values.get(name)?.clone())));
        let identity = if config.asks_managed_identity() { from_file.collect() } else { Vec::new() };
        Ok(Self { config, identity })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// Azure's library takes a managed identity's address from the environment alone. So where a file has it, the program
    /// starts itself once more, with that in its environment and with the same `words`. None: there is no need.
    pub(super) fn start_again(&self, words: &[OsString]) -> Option<ExitCode> {
        if self.identity.is_empty() {
            return None;
        }
        let why = match std::env::current_exe() {
            Ok(program) => {
                let mut command = Command::new(program);
                match run(command.args(words).envs(self.identity.iter().cloned())) {
                    Ok(ended) => return Some(ended),
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        let text = format!(
            "the program cannot start itself with the managed identity's address in its environment: {why}"
        );
        Some(Answer::new(Code::Failed, text).give(false))
    }
}

/// Becomes the command.
#[cfg(unix)]
fn run(command: &mut Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

/// Runs the command to its end, and ends as it does.
#[cfg(not(unix))]
fn run(command: &mut Command) -> std::io::Result<ExitCode> {
    let status = command.status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Why there are no settings.
pub(super) enum Refusal {
    /// The file cannot be read.
    File(String),
    /// They are missing or wrong.
    Settings { problems: Problems, without_file: bool },
}

impl Refusal {
    /// All that is wrong, in a person's words.
    pub(super) fn text(&self) -> String {
        let (problems, without_file) = match self {
            Self::File(why) => return why.clone(),
            Self::Settings { problems, without_file } => (problems, *without_file),
        };
        let mut text = String::from("settings are missing or wrong:");
        for problem in problems.iter() {
            // A string takes whatever is written into it.
            let _ = write!(text, "\n  {problem}");
        }
        if without_file && Path::new(USUAL_FILE).exists() {
            let _ = write!(text, "\nThere is a {USUAL_FILE} here: --settings {USUAL_FILE} reads it");
        }
        text
    }

    /// The same as findings of the doctor.
    pub(super) fn examined(&self) -> Answer {
        match self {
            Self::File(why) => Answer::new(Code::Usage, why.clone()),
            Self::Settings { problems, .. } => {
                Answer { code: Code::Usage, ..examined(&doctor::of_problems(problems)) }
            }
        }
    }
}

/// What matters of a `local.settings.json`.
#[derive(Deserialize)]
struct File {
    #[serde(rename = "IsEncrypted", default)]
    is_encrypted: bool,
    #[serde(rename = "Values")]
    values: BTreeMap<String, Value>,
}

/// The settings in `path`.
///
/// # Errors
/// When it cannot be read. No value is repeated.
fn read(path: &Path) -> Result<BTreeMap<String, String>, String> {
    let refuse = |why: String| format!("--settings {}: {why}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| refuse(format!("it cannot be opened: {error}")))?;
    let read = file.take(LARGEST_FILE).read_to_string(&mut text);
    read.map_err(|error| refuse(format!("it cannot be read: {error}")))?;
    parse(&text).map_err(refuse)
}

fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    // serde's own words could repeat a value.
    let file: File = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
        format!(
            "it is no local.settings.json, which is a JSON object with an object Values in it (line {}, column {})",
            error.line(),
            error.column()
        )
    })?;
    if file.is_encrypted {
        return Err("its values are encrypted: run `func settings decrypt` first".to_owned());
    }
    file.values.into_iter().map(|(name, value)| Ok((name.clone(), text_of(&name, value)?))).collect()
}

fn text_of(name: &str, value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Null => Ok(String::new()),
        Value::Array(_) | Value::Object(_) => Err(format!("{name} in it is no text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_text() {
        let read = parse(
            "\u{feff}{ \"Values\": { \"A\": \"b\", \"DRY_RUN\": true, \"N\": 5, \"Empty\": null }, \"Host\": {} }",
        );
        let expected = [("A", "b"), ("DRY_RUN", "true"), ("N", "5"), ("Empty", "")];
        assert_eq!(read, Ok(expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into()));
    }

    #[test]
    fn what_is_no_file_of_settings_says_so_without_repeating_it() {
        for (text, told) in [
            ("", "line 1"),
            ("{ \"Values\": { \"KEY\": \"hush }", "line 1"),
            ("{ \"Values\": [\"hush\"] }", "Values"),
            ("{ \"KEY\": \"hush\" }", "Values"),
            ("{ \"IsEncrypted\": true, \"Values\": { \"KEY\": \"hush\" } }", "func settings decrypt"),
            ("{ \"Values\": { \"KEY\": { \"a\": \"hush\" } } }", "KEY"),
        ] {
            let why = parse(text).unwrap_err();
            assert!(why.contains(told) && !why.contains("hush"), "{text}: {why}");
        }
    }
}
