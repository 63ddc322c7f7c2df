//! What the handler logs, taken up where a log would be written.

use std::cell::RefCell;
use std::fmt;
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::{Metadata, Subscriber, span};

use crate::world::call::Call;

/// One line of the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    /// The stable name of what happened.
    pub(crate) event: String,
    /// The call that it belongs to, by the host's id.
    pub(crate) invocation: String,
    pub(crate) service: String,
    pub(crate) message: String,
    /// Every field but these.
    pub(crate) others: String,
}

impl Line {
    /// As a transcript shows it.
    pub(crate) fn shown(&self) -> String {
        format!("{} | {} {}: {}", self.invocation, self.event, self.service, self.message)
    }

    /// The number of the call that it belongs to.
    pub(crate) fn call(&self) -> Option<u32> {
        Call::number_of(&self.invocation)
    }
}

thread_local! {
    static LINES: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

/// Forgets what was logged on this thread, and has everything taken up from now on.
pub(crate) fn begin() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // Only the first subscriber of a process counts, and this is the first.
        drop(tracing::subscriber::set_global_default(Capture));
        // A panic of the handler is an outcome that the observer sees; it needs no words on stderr.
        std::panic::set_hook(Box::new(|_| {}));
    });
    LINES.with_borrow_mut(Vec::clear);
}

/// What was logged on this thread since the last time.
pub(crate) fn take() -> Vec<Line> {
    LINES.with_borrow_mut(std::mem::take)
}

struct Capture;

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let own = metadata.target().split("::").next() == Some("apim_dr");
        metadata.is_event() && own && *metadata.level() <= tracing::Level::INFO
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        LINES.with_borrow_mut(|lines| lines.push(line));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl Line {
    fn take(&mut self, field: &Field, value: String) {
        match field.name() {
            "event" => self.event = value,
            "service" => self.service = value,
            "invocation" => self.invocation = value,
            "message" => self.message = value,
            _ => {
                self.others.push_str(&value);
                self.others.push('\n');
            }
        }
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, format!("{value:?}"));
    }
}
