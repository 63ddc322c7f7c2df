//! Azure's own words, found in whatever an answer holds.

use azure_core::http::RawResponse;
use serde::Deserialize;

use crate::domain::vocabulary::AzureWords;

/// An error text longer than this says nothing more, and records have to hold it.
const LONGEST: usize = 2_000;

/// The envelope of Resource Manager's errors. Its other members come as null, as objects or not at all.
#[derive(Deserialize)]
struct Envelope {
    error: Option<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    code: Option<String>,
    message: Option<String>,
}

/// Status, code and message of an answer. A body that is no error envelope becomes the message itself.
pub(super) fn azure_words(answer: &RawResponse) -> AzureWords {
    let status = u16::from(answer.status());
    let body: &[u8] = answer.body();
    let detail = serde_json::from_slice::<Envelope>(body).ok().and_then(|envelope| envelope.error);
    let (code, message) = match detail {
        Some(Detail { code, message }) => (code.unwrap_or_default(), message.unwrap_or_default()),
        None => (String::new(), one_line(&String::from_utf8_lossy(body))),
    };
    AzureWords { status, code: bounded(code), message: bounded(message) }
}

/// The text without line breaks, bounded.
pub(super) fn one_line(text: &str) -> String {
    bounded(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn bounded(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
