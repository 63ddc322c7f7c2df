//! How findings are shown.

use std::fmt::Write as _;

use serde_json::json;

use super::{Finding, Verdict};

pub(super) fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    let width = findings.iter().map(|finding| finding.check.len()).max().unwrap_or_default();
    for Finding { check, about, verdict, fact, fix } in findings {
        let about = if about.is_empty() { String::new() } else { format!("{about}: ") };
        // A string takes whatever is written into it.
        let _ = writeln!(text, "{:<5} {check:<width$}  {about}{fact}", word(*verdict));
        if !fix.is_empty() {
            let _ = writeln!(text, "{:<5} {:<width$}  -> {fix}", "", "");
        }
    }
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let _ = writeln!(
        text,
        "\n{} good, {} to mend, {} doubtful, {} that cannot be seen from here",
        count(Verdict::Good),
        count(Verdict::Bad),
        count(Verdict::Doubt),
        count(Verdict::Unseen),
    );
    text
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "ok",
        Verdict::Doubt => "doubt",
        Verdict::Bad => "BAD",
        Verdict::Unseen => "?",
    }
}

pub(super) fn json(findings: &[Finding]) -> String {
    let healthy = findings.iter().all(|finding| finding.verdict != Verdict::Bad);
    format!("{:#}\n", json!({"healthy": healthy, "findings": findings}))
}
