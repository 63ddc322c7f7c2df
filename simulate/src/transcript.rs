//! What happened in a world, short enough to be read: the lines that led to its end.

use std::collections::VecDeque;
use std::fmt;

use time::Duration;

/// A screen, less what stands above and below.
const LINES: usize = 42;

/// Longer lines are cut.
const COLUMNS: usize = 150;

/// The last lines of a world, or nothing if it is not to be kept.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    kept: Option<Kept>,
}

#[derive(Clone, Debug, Default)]
struct Kept {
    lines: VecDeque<String>,
    most: usize,
    dropped: usize,
}

impl Transcript {
    /// Keeps a screen.
    pub fn screen() -> Self {
        Self { kept: Some(Kept { most: LINES, ..Kept::default() }) }
    }

    /// Keeps every line.
    pub fn whole() -> Self {
        Self { kept: Some(Kept { most: usize::MAX, ..Kept::default() }) }
    }

    /// Every line that was kept.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.kept.iter().flat_map(|kept| kept.lines.iter().map(String::as_str))
    }

    pub(crate) fn note(&mut self, at: Duration, line: impl FnOnce() -> String) {
        let Some(kept) = &mut self.kept else { return };
        let seconds = at.whole_seconds();
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
        let time =
            format!("{days}d{hours:02}:{minutes:02}:{:02}.{:03}", seconds % 60, at.subsec_milliseconds());
        let text: String = line().replace(['\n', '\r'], " ").chars().take(COLUMNS).collect();
        kept.lines.push_back(format!("{time} {text}"));
        if kept.lines.len() > kept.most {
            kept.lines.pop_front();
            kept.dropped += 1;
        }
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(kept) = &self.kept else { return Ok(()) };
        if kept.dropped > 0 {
            writeln!(f, "… {} lines before", kept.dropped)?;
        }
        kept.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
