//! The SharedKey scheme of Azure Storage: how a request becomes the string that an account key signs.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Method, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// The headers that stand in the string to sign by position, between the method and the `x-ms-` headers.
const POSITIONAL: [&str; 11] = [
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
];

/// The string to sign. `account` is the account's name; `uri` must be as it is sent, percent-encoded.
pub(crate) fn string_to_sign(account: &str, method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    let mut text = method.as_str().to_owned();
    for name in POSITIONAL {
        text.push('\n');
        text.push_str(positional(headers, name));
    }
    for (name, value) in microsoft_headers(headers) {
        text += &format!("\n{name}:{value}");
    }
    // An emulator's path begins with the account, so the account stands there twice.
    text += &format!("\n/{account}{}", uri.path());
    for (name, mut values) in query(uri) {
        values.sort();
        text += &format!("\n{name}:{}", values.join(","));
    }
    text
}

/// The `Authorization` header's value for `text`, or `None` when `key` is not base64.
pub(crate) fn authorization(account: &str, key: &str, text: &str) -> Option<String> {
    Some(format!("SharedKey {account}:{}", BASE64.encode(mac(key, text)?.finalize().into_bytes())))
}

/// Whether `signature` (base64) is what `key` makes of `text`. Takes the same time for every wrong one.
pub(crate) fn verifies(key: &str, text: &str, signature: &str) -> bool {
    match (mac(key, text), BASE64.decode(signature)) {
        (Some(mac), Ok(given)) => mac.verify_slice(&given).is_ok(),
        _ => false,
    }
}

fn mac(key: &str, text: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&BASE64.decode(key).ok()?).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}

/// A length of zero is signed as an empty string, and so is `Date` when `x-ms-date` is there.
fn positional<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match name {
        "content-length" if value == "0" => "",
        "date" if headers.contains_key("x-ms-date") => "",
        _ => value,
    }
}

fn microsoft_headers(headers: &HeaderMap) -> BTreeMap<&str, &str> {
    headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-ms-"))
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default().trim()))
        .collect()
}

/// The query's parameters: names in lower case, values decoded.
fn query(uri: &Uri) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in super::uri::query_pairs(uri) {
        found.entry(name.to_lowercase()).or_default().push(value);
    }
    found
}
