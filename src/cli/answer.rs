//! What a call comes to: an exit code, a text for a person, a document for a machine.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::{Value, json};

/// What scripts can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Code {
    /// Done, or asked for and begun.
    Done,
    /// Asked for, and not over.
    Open,
    /// Failed or refused.
    Failed,
    /// Wrong words or settings.
    Usage,
}

impl Code {
    fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Open => 3,
        }
    }

    /// The word for it in documents.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Open => "open",
            Self::Failed => "failed",
            Self::Usage => "usage",
        }
    }
}

/// What is printed on stdout, and how the program ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) code: Code,
    pub(super) text: String,
    /// What the document says beside `result` and `text`; a document of its own if it is no object of those.
    pub(super) document: Document,
}

/// The shape of a machine's answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Document {
    /// Members beside `result` and `text`.
    Members(Vec<(&'static str, Value)>),
    /// All of it, as JSON.
    Whole(String),
}

impl Answer {
    /// An answer that is all said with one sentence.
    pub(super) fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), document: Document::Members(Vec::new()) }
    }

    /// A document of its own.
    pub(super) fn whole(code: Code, text: String, document: String) -> Self {
        Self { code, text, document: Document::Whole(document) }
    }

    /// Prints it, and yields the exit code. That something failed is said on stderr, where people look for it; a stdout
    /// that nobody reads any more changes nothing.
    pub(super) fn give(&self, as_json: bool) -> ExitCode {
        let is_sentence = matches!(self.document, Document::Members(_));
        let failed = is_sentence && matches!(self.code, Code::Failed | Code::Usage);
        if failed {
            complain(&format!("apim-dr: {}\n", self.text));
        }
        let text = match (as_json, failed) {
            (true, _) => self.json(),
            (false, true) => String::new(),
            (false, false) => self.text.clone(),
        };
        let ended = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        match print(&format!("{text}{ended}")) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                complain(&format!("apim-dr: the answer cannot be written: {error}\n"));
                ExitCode::from(Code::Failed.number())
            }
            _ => ExitCode::from(self.code.number()),
        }
    }

    fn json(&self) -> String {
        let members = match &self.document {
            Document::Whole(document) => return document.clone(),
            Document::Members(members) => members,
        };
        let mut document = json!({ "result": self.code.word(), "text": self.text });
        for (name, value) in members {
            document[*name] = value.clone();
        }
        serde_json::to_string_pretty(&document).unwrap_or_default()
    }
}

/// Writes to stdout.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes to stderr. A closed one leaves nobody to tell.
pub(super) fn complain(text: &str) {
    drop(io::stderr().lock().write_all(text.as_bytes()));
}
