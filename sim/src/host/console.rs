//! What the handler prints.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Child;
use tokio::task::JoinHandle;

use super::Inner;
use super::record::Level;

/// The category of the handler's lines. None of them is linked to an invocation.
const CATEGORY: &str = "Host.Function.Console";

/// How many error lines become the reason of the handler's end.
const LAST_ERRORS: usize = 3;

/// Lines that begin so are not the handler's to print: the host takes them for its own protocol.
const RESERVED: [&str; 2] = ["LanguageWorkerConsoleLog", "azfuncjsonlog:"];

/// Reads one handler's output until it ends.
pub(super) struct Console {
    readers: Vec<JoinHandle<()>>,
    errors: Arc<Mutex<VecDeque<String>>>,
}

impl Console {
    pub(super) fn attach(inner: &Arc<Inner>, child: &mut Child) -> Self {
        let errors = Arc::<Mutex<VecDeque<String>>>::default();
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(tokio::spawn(read_stdout(inner.clone(), stdout)));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(tokio::spawn(read_stderr(inner.clone(), stderr, errors.clone())));
        }
        Self { readers, errors }
    }

    /// Waits for the rest of the output of a handler that has ended, and yields its last error lines. A
    /// child of the handler's may hold the pipes open for ever, so the wait is short.
    pub(super) async fn finish(self) -> String {
        for reader in self.readers {
            let stop = reader.abort_handle();
            if tokio::time::timeout(Duration::from_millis(500), reader).await.is_err() {
                stop.abort();
            }
        }
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.iter().cloned().collect::<Vec<_>>().join("\n")
    }
}

async fn read_stdout(inner: Arc<Inner>, stdout: impl AsyncRead + Unpin) {
    let mut lines = BufReader::new(stdout);
    while let Some(text) = next_line(&mut lines).await {
        if RESERVED.iter().any(|prefix| text.starts_with(prefix)) {
            inner.record.host_line(Level::Warning, "The handler printed a line with a reserved prefix.");
        }
        inner.record.line(CATEGORY, Level::Information, text);
    }
}

async fn read_stderr(
    inner: Arc<Inner>,
    stderr: impl AsyncRead + Unpin,
    errors: Arc<Mutex<VecDeque<String>>>,
) {
    let mut lines = BufReader::new(stderr);
    while let Some(text) = next_line(&mut lines).await {
        let level = stderr_level(&text, inner.app.command.stderr_is_error);
        if level == Level::Error {
            let mut errors = errors.lock().unwrap_or_else(PoisonError::into_inner);
            errors.push_back(text.clone());
            let surplus = errors.len().saturating_sub(LAST_ERRORS);
            errors.drain(..surplus);
        }
        inner.record.line(CATEGORY, level, text);
    }
}

/// The next line, whatever bytes are in it.
async fn next_line(lines: &mut BufReader<impl AsyncRead + Unpin>) -> Option<String> {
    let mut bytes = Vec::new();
    match lines.read_until(b'\n', &mut bytes).await {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned()),
    }
}

/// The level of a line on stderr, by the words in it.
fn stderr_level(text: &str, all_is_error: bool) -> Level {
    let text = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match all_is_error {
        _ if has(&["warn"]) => Level::Warning,
        true => Level::Error,
        false if has(&["error", "fail", "severe", "unhandled exception"]) => Level::Error,
        false => Level::Information,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_on_stderr_make_the_level() {
        assert_eq!(stderr_level("a WARNing of failure", true), Level::Warning);
        assert_eq!(stderr_level("hello", true), Level::Error);
        assert_eq!(stderr_level("hello", false), Level::Information);
        assert_eq!(stderr_level("it Failed", false), Level::Error);
    }
}
