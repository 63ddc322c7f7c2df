//! What a host has seen and said, for those who ask later and for a watcher who wants it now.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::invocation::Invocation;
use super::memory::Poisoned;

/// The severity that the host gives a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// All of the handler's stdout, and the `Logs` of its answers.
    Information,
    /// A line on stderr that contains "warn".
    Warning,
    /// Any other line on stderr.
    Error,
}

/// One line of the host's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// `Host.Function.Console` for what the handler printed, `Function.<name>.User` for the `Logs` of an
    /// answer, `Host` for what the host itself has to say.
    pub category: String,
    /// The severity.
    pub level: Level,
    /// The line without its end.
    pub text: String,
}

/// Something that happened, told to a [`Watcher`].
#[derive(Clone, Debug)]
pub enum Event {
    /// A line was logged.
    Line(Line),
    /// The handler answers its first ping.
    HandlerReady {
        /// Its process id.
        pid: u32,
    },
    /// The handler ended, of itself or because it was killed.
    HandlerEnded {
        /// The exit code, or the signal, in words.
        how: String,
    },
    /// An invocation ended.
    Invoked(Invocation),
    /// A blob's event was given up.
    Poisoned(Poisoned),
    /// The host gave up; the text says why.
    ShutDown(String),
}

/// Is told of every event of a host, from the task in which it happens: it should be quick.
pub type Watcher = Arc<dyn Fn(&Event) + Send + Sync>;

pub(super) struct Record {
    watcher: Option<Watcher>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    lines: Vec<Line>,
    invocations: Vec<Invocation>,
}

impl Record {
    pub(super) fn new(watcher: Option<Watcher>) -> Self {
        Self { watcher, kept: Mutex::default() }
    }

    pub(super) fn line(&self, category: &str, level: Level, text: impl Into<String>) {
        let line = Line { category: category.to_owned(), level, text: text.into() };
        self.kept().lines.push(line.clone());
        self.tell(Event::Line(line));
    }

    /// A line of the host's own.
    pub(super) fn host_line(&self, level: Level, text: impl Into<String>) {
        self.line("Host", level, text);
    }

    pub(super) fn invocation(&self, invocation: &Invocation) {
        self.kept().invocations.push(invocation.clone());
        self.tell(Event::Invoked(invocation.clone()));
    }

    pub(super) fn tell(&self, event: Event) {
        if let Some(watcher) = &self.watcher {
            watcher(&event);
        }
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        self.kept().lines.clone()
    }

    pub(super) fn invocations(&self) -> Vec<Invocation> {
        self.kept().invocations.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
