//! The handler's log, as the host takes it up.

use apim_dr_sim::host::{Level, Line};
use serde_json::Value;

/// One line of the handler's on stdout: an event.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) event: String,
    pub(crate) invocation: String,
    pub(crate) service: String,
    pub(crate) backup: String,
    pub(crate) message: String,
}

impl Logged {
    /// Reads a line of the JSON log; what the host itself says is none.
    fn read(line: &Line) -> Option<Self> {
        let value: Value = serde_json::from_str(&line.text).ok()?;
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        value.get("event")?;
        Some(Self {
            event: text("event"),
            invocation: text("invocation"),
            service: text("service"),
            backup: text("backup"),
            message: text("message"),
        })
    }
}

/// The events among `lines`, in order. What stands on stderr stands on stdout as well.
pub(crate) fn events(lines: &[Line]) -> Vec<Logged> {
    lines.iter().filter(|line| line.level == Level::Information).filter_map(Logged::read).collect()
}
