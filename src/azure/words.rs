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

/// The length of a storage account's key, which is 64 bytes in Base64 (contract, section on `accessKey`).
const KEY: usize = 88;

/// The text without anything that looks like a storage account's key. An operation may repeat at its end the key that was
/// sent with its request, and that one need not be known here any more: another invocation sent it, or it was rotated.
fn without_keys(text: String) -> String {
    let is_of_a_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let keys = text.split(|c| !is_of_a_key(c)).filter_map(|word| {
        let end = word.find("==")? + 2;
        word.get(end.checked_sub(KEY)?..end)
    });
    let keys: Vec<_> = keys.map(str::to_owned).collect();
    keys.iter().fold(text, |text, key| text.replace(key.as_str(), "(the account's key)"))
}

fn bounded(text: String) -> String {
    // A key that is cut off would no longer look like one.
    let text = without_keys(text);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
