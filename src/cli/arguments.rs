//! What was typed, understood: a verb, what it is about, and how it shall be done.

use std::ffi::OsString;
use std::path::PathBuf;

use time::Duration;

use crate::domain::id::ServiceName;
use crate::domain::vocabulary::BackupName;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Status,
    Backup { service: Option<ServiceName> },
    Restore { backup: BackupName, into: Option<ServiceName>, even_if_live: bool },
    Withdraw { service: Option<ServiceName> },
    Resume { even_if_unknown: bool },
    Adopt { service: ServiceName },
    Tick,
    Doctor,
    History { service: Option<ServiceName>, last: usize },
}

/// A verb, and how it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) verb: Verb,
    /// A file with settings; the environment's come first.
    pub(super) settings: Option<PathBuf>,
    /// The answer is for a machine.
    pub(super) json: bool,
    /// Nothing is asked.
    pub(super) yes: bool,
    pub(super) wait: Option<Wait>,
}

/// How long to follow what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    ToTheEnd,
    For(Duration),
}

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    Help,
    Version,
    Call(Box<Call>),
}

/// How many runs `history` shows if nothing else is said.
const LAST: usize = 20;

/// The words of each verb, and the options that it takes beside those that all take.
const VERBS: [(&str, &[&str]); 9] = [
    ("status", &[]),
    ("backup", &["--wait"]),
    ("restore", &["--into", "--even-if-live", "--wait"]),
    ("withdraw", &[]),
    ("resume", &["--even-if-unknown", "--wait"]),
    ("adopt", &[]),
    ("tick", &["--wait"]),
    ("doctor", &[]),
    ("history", &["--last"]),
];

const FOR_ALL: [&str; 3] = ["--settings", "--json", "--yes"];

/// Understands `words`, those after the program's name. The error says what is wrong with them.
pub(super) fn parse(words: impl Iterator<Item = OsString>) -> Result<Typed, String> {
    let mut words = Words::new(words)?;
    let mut options = Options::default();
    let mut plain = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-h" | "--help" | "help" => return Ok(Typed::Help),
            "-V" | "--version" => return Ok(Typed::Version),
            option if option.starts_with('-') => options.take(option, &mut words)?,
            _ => plain.push(word),
        }
    }
    let mut plain = plain.into_iter();
    let verb = plain.next().ok_or("say what to do")?;
    let (verb, allowed) =
        VERBS.iter().find(|(name, _)| *name == verb).ok_or_else(|| format!("there is no verb {verb:?}"))?;
    let allowed = |option: &&String| FOR_ALL.contains(&option.as_str()) || allowed.contains(&option.as_str());
    if let Some(other) = options.given.iter().find(|option| !allowed(option)) {
        return Err(format!("{verb} has no option {other}"));
    }
    let parsed = verb_of(verb, plain.next(), &options)?;
    if let Some(more) = plain.next() {
        return Err(format!("{verb} does not know what {more:?} is for"));
    }
    Ok(Typed::Call(Box::new(Call {
        verb: parsed,
        settings: options.settings,
        json: options.json,
        yes: options.yes,
        wait: options.wait,
    })))
}

fn verb_of(verb: &str, about: Option<String>, options: &Options) -> Result<Verb, String> {
    let needs = |what: &str| format!("{verb} needs {what}");
    Ok(match verb {
        "status" | "tick" | "doctor" | "resume" if about.is_some() => {
            return Err(format!("{verb} does not know what {:?} is for", about.unwrap_or_default()));
        }
        "status" => Verb::Status,
        "tick" => Verb::Tick,
        "doctor" => Verb::Doctor,
        "resume" => Verb::Resume { even_if_unknown: options.even_if_unknown },
        "backup" => Verb::Backup { service: about.as_deref().map(service).transpose()? },
        "withdraw" => Verb::Withdraw { service: about.as_deref().map(service).transpose()? },
        "adopt" => Verb::Adopt { service: service(&about.ok_or_else(|| needs("a service's name"))?)? },
        "history" => {
            let last = options.last.unwrap_or(LAST);
            Verb::History { service: about.as_deref().map(service).transpose()?, last }
        }
        _ => Verb::Restore {
            backup: backup(&about.ok_or_else(|| needs("a backup's name: `apim-dr status` shows some"))?)?,
            into: options.into.clone(),
            even_if_live: options.even_if_live,
        },
    })
}

fn service(text: &str) -> Result<ServiceName, String> {
    ServiceName::parse(text).map_err(|error| error.to_string())
}

/// A backup by its name, or by a blob of it.
fn backup(text: &str) -> Result<BackupName, String> {
    let name = text.rsplit('/').next().unwrap_or(text);
    let name =
        name.strip_suffix(".manifest.json").or_else(|| name.strip_suffix(".apimbackup")).unwrap_or(name);
    BackupName::parse(name)
        .ok_or_else(|| format!("{text:?} is no backup's name: one is called {{service}}-yyyyMMddTHHmmssZ"))
}

/// Whole minutes, hours or days.
fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: u32 = text.strip_suffix(unit)?.parse().ok().filter(|number| *number > 0)?;
    match unit {
        'm' => Some(Duration::minutes(number.into())),
        'h' => Some(Duration::hours(number.into())),
        'd' => Some(Duration::days(number.into())),
        _ => None,
    }
}

#[derive(Default)]
struct Options {
    given: Vec<String>,
    settings: Option<PathBuf>,
    json: bool,
    yes: bool,
    wait: Option<Wait>,
    into: Option<ServiceName>,
    even_if_live: bool,
    even_if_unknown: bool,
    last: Option<usize>,
}

impl Options {
    fn take(&mut self, option: &str, words: &mut Words) -> Result<(), String> {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (option, None),
        };
        let value = Value { name, given: value, words };
        match name {
            "--json" => self.json = value.none()?,
            "--yes" => self.yes = value.none()?,
            "--even-if-live" => self.even_if_live = value.none()?,
            "--even-if-unknown" => self.even_if_unknown = value.none()?,
            "--settings" => self.settings = Some(value.some("a file")?.into()),
            "--into" => self.into = Some(service(&value.some("a service's name")?)?),
            "--last" => {
                let text = value.some("a number")?;
                let number = text.parse().ok().filter(|number| *number > 0);
                self.last = Some(number.ok_or_else(|| format!("--last is {text:?}, which is no number"))?);
            }
            "--wait" => {
                self.wait = Some(match value.given {
                    None => Wait::ToTheEnd,
                    Some(text) => Wait::For(duration(&text).ok_or_else(|| {
                        format!(
                            "--wait is {text:?}: write it alone, or a time such as --wait=90m or --wait=2h"
                        )
                    })?),
                });
            }
            _ => return Err(format!("there is no option {name}")),
        }
        self.given.push(name.to_owned());
        Ok(())
    }
}

/// What follows an option: after `=`, or as the next word.
struct Value<'a> {
    name: &'a str,
    given: Option<String>,
    words: &'a mut Words,
}

impl Value<'_> {
    fn none(self) -> Result<bool, String> {
        match self.given {
            None => Ok(true),
            Some(_) => Err(format!("{} takes no value", self.name)),
        }
    }

    fn some(self, what: &str) -> Result<String, String> {
        let value = self.given.or_else(|| self.words.next()).filter(|value| !value.is_empty());
        value.ok_or_else(|| format!("{} needs {what}", self.name))
    }
}

/// The words, all of which are text.
struct Words(std::vec::IntoIter<String>);

impl Words {
    fn new(words: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let words: Result<Vec<_>, _> = words.map(OsString::into_string).collect();
        let words = words.map_err(|word| format!("{word:?} is no readable text"))?;
        Ok(Self(words.into_iter()))
    }

    fn next(&mut self) -> Option<String> {
        self.0.next()
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn typed(line: &str) -> Result<Typed, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn call(line: &str) -> Call {
        match typed(line) {
            Ok(Typed::Call(call)) => *call,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn options_stand_anywhere_and_take_their_value_either_way() {
        let restore = "restore contoso-20260310T020000Z --into Contoso-DR --even-if-live --wait --json";
        let expected = call(restore);
        assert_eq!(expected.wait, Some(Wait::ToTheEnd));
        assert_eq!(
            expected.verb,
            Verb::Restore {
                backup: BackupName::parse("contoso-20260310T020000Z").unwrap(),
                into: Some(ServiceName::parse("contoso-dr").unwrap()),
                even_if_live: true,
            }
        );
        for other in [
            "--json --wait restore --into=contoso-dr --even-if-live contoso-20260310T020000Z",
            "restore --even-if-live apim-backups/contoso-20260310T020000Z.manifest.json --into contoso-dr --wait --json",
            "restore --even-if-live contoso-20260310T020000Z.apimbackup --into contoso-dr --wait --json",
        ] {
            assert_eq!(call(other), expected, "{other}");
        }
        let status = call("status --settings local.settings.json --yes");
        assert_eq!((status.settings, status.yes), (Some("local.settings.json".into()), true));
        assert_eq!(call("backup --wait=90m").wait, Some(Wait::For(Duration::minutes(90))));
        assert_eq!(call("history --last 5").verb, Verb::History { service: None, last: 5 });
        assert_eq!(typed("status --help"), Ok(Typed::Help));
        assert_eq!(typed("-V"), Ok(Typed::Version));
    }

    #[test]
    fn what_cannot_be_understood_says_why() {
        let told: String = [
            "",
            "stauts",
            "status contoso",
            "status --wait",
            "backup contoso contoso-dr",
            "backup -contoso",
            "backup contoso_dr",
            "backup --wait=soon",
            "backup --into contoso-dr",
            "restore",
            "restore contoso",
            "restore contoso-20260310T020000Z --into",
            "adopt",
            "resume --even-if-live",
            "history --last none",
            "status --json=yes",
            "status --settings",
            "--json",
        ]
        .iter()
        .map(|line| match typed(line) {
            Ok(typed) => format!("{line}: {typed:?}\n"),
            Err(why) => format!("{line}: {why}\n"),
        })
        .collect();
        expect![[r#"
            : say what to do
            stauts: there is no verb "stauts"
            status contoso: status does not know what "contoso" is for
            status --wait: status has no option --wait
            backup contoso contoso-dr: backup does not know what "contoso-dr" is for
            backup -contoso: there is no option -contoso
            backup contoso_dr: "contoso_dr" is not the name of an API Management service: write 1 to 50 letters, digits and hyphens, beginning with a letter and not ending with a hyphen
            backup --wait=soon: --wait is "soon": write it alone, or a time such as --wait=90m or --wait=2h
            backup --into contoso-dr: backup has no option --into
            restore: restore needs a backup's name: `apim-dr status` shows some
            restore contoso: "contoso" is no backup's name: one is called {service}-yyyyMMddTHHmmssZ
            restore contoso-20260310T020000Z --into: --into needs a service's name
            adopt: adopt needs a service's name
            resume --even-if-live: resume has no option --even-if-live
            history --last none: --last is "none", which is no number
            status --json=yes: --json takes no value
            status --settings: --settings needs a file
            --json: say what to do
        "#]].assert_eq(&told);
    }
}
