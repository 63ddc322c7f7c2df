//! What a comparison found, as a table: by type, and then what differs by name.

use std::fmt::Write as _;

use serde_json::Value;

/// How entities compare, by the words of a record.
const KINDS: [&str; 4] = ["equal", "missing", "extra", "different"];

/// The table of what a record's service holds. Where something differs, types that are equal throughout are left out.
pub(super) fn table(record: &Value) -> Result<String, String> {
    let holds = &record["holds"];
    let comparison = &holds["finding"]["comparison"];
    let types = comparison["types"].as_array().ok_or_else(|| format!("nothing was compared: {holds}"))?;
    let mut table = format!("{:<24}{}\n", "type", row(KINDS.map(str::to_owned)));
    let differs = |tally: &&Value| KINDS[1..].iter().any(|kind| tally[kind].is_u64());
    let all_equal = !types.iter().any(|tally| differs(&tally));
    for tally in types.iter().filter(|tally| all_equal || differs(tally)) {
        let counts = KINDS.map(|kind| tally[kind].as_u64().unwrap_or_default().to_string());
        let _ = writeln!(table, "{:<24}{}", tally["type"].as_str().unwrap_or_default(), row(counts));
    }
    for difference in comparison["differences"].as_array().into_iter().flatten() {
        let word = |name: &str| difference[name].as_str().unwrap_or_default();
        let _ = writeln!(table, "{} is {}", word("path"), word("kind"));
    }
    Ok(table)
}

fn row(cells: [String; 4]) -> String {
    cells.iter().map(|cell| format!("{cell:>10}")).collect()
}
