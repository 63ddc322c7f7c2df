//! What the host makes of a handler's answer.

use reqwest::StatusCode;
use serde_json::Value;

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// The host's verdict.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Success, with the answer's `Logs`.
    Succeeded(Vec<String>),
    Failed(String),
    /// JSON `null`, and what is read as such: the host does not complete the invocation, and it hangs
    /// until its timeout.
    Hangs,
}

/// Judges an answer. Success is a 2xx with a JSON object; the body of anything else is dropped unread.
pub(super) fn judge(answer: &Answer) -> Verdict {
    if !answer.status.is_success() {
        let (code, reason) = (answer.status.as_u16(), answer.status.canonical_reason().unwrap_or_default());
        return Verdict::Failed(format!(
            "Response status code does not indicate success: {code} ({reason})."
        ));
    }
    if answer.body.is_empty() {
        return Verdict::Hangs;
    }
    let media_type = answer.content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    let is_json = matches!(media_type.as_str(), "application/json" | "text/json");
    match serde_json::from_slice::<Value>(&answer.body) {
        Ok(Value::Null) if is_json => Verdict::Hangs,
        Ok(Value::Object(members)) if is_json => match logs(&members) {
            Some(logs) => Verdict::Succeeded(logs),
            None => invalid(answer),
        },
        _ => invalid(answer),
    }
}

/// The `Logs`, by a name in any case; `None` when they are not strings.
fn logs(members: &serde_json::Map<String, Value>) -> Option<Vec<String>> {
    let named = |name: &String| name.eq_ignore_ascii_case("logs");
    match members.iter().find(|(name, _)| named(name)).map(|(_, value)| value) {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(lines)) => lines.iter().map(|line| line.as_str().map(str::to_owned)).collect(),
        Some(_) => None,
    }
}

fn invalid(answer: &Answer) -> Verdict {
    let body = String::from_utf8_lossy(&answer.body);
    let shown: String = body.chars().take(200).collect();
    Verdict::Failed(format!(
        "Invalid HttpResponseMessage: Content-Type {:?}, body {shown}",
        answer.content_type
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, content_type: &str, body: &str) -> Verdict {
        let status = StatusCode::from_u16(status).unwrap();
        judge(&Answer { status, content_type: content_type.to_owned(), body: body.as_bytes().to_vec() })
    }

    #[test]
    fn an_object_with_a_good_status_is_success() {
        assert_eq!(judged(200, "application/json", "{}"), Verdict::Succeeded(vec![]));
        assert_eq!(judged(202, "TEXT/JSON; charset=utf-8", "{}"), Verdict::Succeeded(vec![]));
        let logs = r#"{"outputs":{},"lOGS":["a","b"],"ReturnValue":null,"other":1}"#;
        assert_eq!(judged(200, "application/json", logs), Verdict::Succeeded(vec!["a".into(), "b".into()]));
    }

    #[test]
    fn nothing_hangs() {
        assert_eq!(judged(200, "application/json", "null"), Verdict::Hangs);
        assert_eq!(judged(200, "application/json", ""), Verdict::Hangs);
        assert_eq!(judged(204, "", ""), Verdict::Hangs);
    }

    #[test]
    fn everything_else_fails() {
        let status = "Response status code does not indicate success: 503 (Service Unavailable).";
        assert_eq!(judged(503, "application/json", "{}"), Verdict::Failed(status.to_owned()));
        let invalid = [
            ("application/json", "[]"),
            ("application/json", "\"ok\""),
            ("application/json", "ok"),
            ("text/plain", "{}"),
            ("text/plain", "null"),
            ("", "{}"),
            ("application/json", r#"{"Logs":[1]}"#),
            ("application/json", r#"{"Logs":"one"}"#),
        ];
        for (content_type, body) in invalid {
            assert!(matches!(judged(200, content_type, body), Verdict::Failed(_)), "{content_type} {body}");
        }
        assert!(matches!(judged(302, "application/json", "{}"), Verdict::Failed(_)));
    }
}
