//! Times, ages and columns, as people read them.

use time::Duration;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::domain::vocabulary::Timestamp;

const CLOCK: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");

/// `2026-11-23 02:00 UTC`.
pub(super) fn clock(at: Timestamp) -> String {
    at.get().format(CLOCK).unwrap_or_default()
}

/// `12 min`, `7 h 41 min`, `3 d 4 h`.
pub(super) fn age(duration: Duration) -> String {
    let minutes = duration.whole_minutes().max(0);
    match (minutes / (24 * 60), minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// Rows with their columns below each other, two blanks between them; the last column is as wide as it likes.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_as_exact_as_they_need_to_be() {
        let told = [0, 59, 60, 61, 1439, 1440, 4565, -3].map(|minutes| age(Duration::minutes(minutes)));
        let expected =
            ["0 min", "59 min", "1 h 0 min", "1 h 1 min", "23 h 59 min", "1 d 0 h", "3 d 4 h", "0 min"];
        assert_eq!(told, expected);
    }

    #[test]
    fn columns_stand_below_each_other_and_nothing_trails() {
        let rows = [["a", "bb", ""], ["aaa", "b", "ü"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "a    bb\naaa  b   ü\n");
        assert_eq!(table(&[]), "");
    }
}
