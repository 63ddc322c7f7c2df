//! The SharedKey scheme of Azure Storage, which the SDK does not have: every try is signed with the
//! account's key.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::Secret;
use azure_core::hmac::hmac_sha256;
use azure_core::http::headers::AUTHORIZATION;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};
use azure_core::time::to_rfc7231;

use super::wall_clock;

/// The headers that stand in the string to sign by position. `Content-Length` and `Date` have places of
/// their own between them.
const BEFORE_LENGTH: [&str; 2] = ["content-encoding", "content-language"];
const BEFORE_DATE: [&str; 2] = ["content-md5", "content-type"];
const AFTER_DATE: [&str; 5] =
    ["if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range"];

/// Signs requests to one storage account.
pub(super) struct SharedKey {
    account: String,
    key: Secret,
}

impl SharedKey {
    /// `key` is in Base64, as Azure shows it.
    pub(super) fn new(account: &str, key: &str) -> Self {
        Self { account: account.to_owned(), key: Secret::new(key.to_owned()) }
    }

    fn string_to_sign(&self, request: &Request) -> String {
        let header =
            |name: &'static str| request.headers().get_optional_str(&name.into()).unwrap_or("").to_owned();
        let mut lines = vec![request.method().as_str().to_owned()];
        lines.extend(BEFORE_LENGTH.map(header));
        // A length of zero is signed as nothing, and so is the date, because `x-ms-date` is there.
        lines.push(
            request.body().len().filter(|length| *length > 0).map_or_else(String::new, |l| l.to_string()),
        );
        lines.extend(BEFORE_DATE.map(header));
        lines.push(String::new());
        lines.extend(AFTER_DATE.map(header));
        lines.extend(microsoft_headers(request));
        // An emulator's path begins with the account, so the account stands there twice.
        lines.push(format!("/{}{}", self.account, request.url().path()));
        lines.extend(query(request));
        lines.join("\n")
    }
}

impl std::fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedKey").field("account", &self.account).finish_non_exhaustive()
    }
}

fn microsoft_headers(request: &Request) -> Vec<String> {
    let mut lines: Vec<String> = request
        .headers()
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-ms-"))
        .map(|(name, value)| format!("{}:{}", name.as_str(), value.as_str().trim()))
        .collect();
    lines.sort();
    lines
}

fn query(request: &Request) -> Vec<String> {
    let mut parameters = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in request.url().query_pairs() {
        parameters.entry(name.to_lowercase()).or_default().push(value.into_owned());
    }
    let line = |(name, mut values): (String, Vec<String>)| {
        values.sort();
        format!("{name}:{}", values.join(","))
    };
    parameters.into_iter().map(line).collect()
}

#[async_trait]
impl Policy for SharedKey {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        request.insert_header("x-ms-date", to_rfc7231(&wall_clock()));
        let signature = hmac_sha256(&self.string_to_sign(request), &self.key)?;
        request.insert_header(AUTHORIZATION, format!("SharedKey {}:{signature}", self.account));
        next[0].send(context, request, &next[1..]).await
    }
}
