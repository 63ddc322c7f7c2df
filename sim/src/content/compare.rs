//! How two services' contents differ: what a demonstration shows and a test asserts.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::{Content, Entity};

/// How one entity differs from its counterpart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only the first service has it.
    Missing,
    /// Only the second service has it.
    Extra,
    /// Both have it, with other properties.
    Different,
}

/// One entity that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The entity's path below the service.
    pub path: String,
    /// How it differs, seen from the second service.
    pub kind: Kind,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Missing => "missing",
            Kind::Extra => "extra",
            Kind::Different => "different",
        };
        write!(out, "{kind}: {}", self.path)
    }
}

/// How many entities of one type the two services hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// The first service's entities of the type.
    pub first: usize,
    /// The second service's.
    pub second: usize,
    /// Those that are alike on both.
    pub alike: usize,
}

/// The comparison of two services; its `Display` is a table, one row for each type of entity.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Counts by type, for example `apis/operations`.
    pub counts: BTreeMap<String, Count>,
    /// Every entity that differs.
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// Whether everything that a backup carries is alike on both sides.
    pub fn is_alike(&self) -> bool {
        self.differences.is_empty()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:<32} {:>8} {:>9} {:>6}", "type", "primary", "secondary", "alike")?;
        for (kind, count) in &self.counts {
            writeln!(out, "{kind:<32} {:>8} {:>9} {:>6}", count.first, count.second, count.alike)?;
        }
        self.differences.iter().try_for_each(|difference| writeln!(out, "{difference}"))
    }
}

/// Compares what a backup carries of `first` and `second`.
pub fn compare(first: &Content, second: &Content) -> Comparison {
    let mut comparison = Comparison::default();
    for entity in first.entities().filter(|entity| entity.is_carried()) {
        let counterpart = second.get(&entity.path);
        let count = comparison.counts.entry(type_of(&entity.path)).or_default();
        count.first += 1;
        match counterpart {
            Some(other) if same(entity, other) => count.alike += 1,
            Some(_) => comparison.differences.push(difference(entity, Kind::Different)),
            None => comparison.differences.push(difference(entity, Kind::Missing)),
        }
    }
    for entity in second.entities().filter(|entity| entity.is_carried()) {
        comparison.counts.entry(type_of(&entity.path)).or_default().second += 1;
        if first.get(&entity.path).is_none() {
            comparison.differences.push(difference(entity, Kind::Extra));
        }
    }
    comparison.differences.sort_by(|a, b| a.path.cmp(&b.path));
    comparison
}

fn difference(entity: &Entity, kind: Kind) -> Difference {
    Difference { path: entity.path.clone(), kind }
}

fn same(entity: &Entity, other: &Entity) -> bool {
    normalised(&entity.properties) == normalised(&other.properties)
}

/// Policies come back with other line ends from some routes; that is no difference.
fn normalised(properties: &Value) -> Value {
    let mut properties = properties.clone();
    if let Some(Value::String(text)) = properties.get_mut("value") {
        *text = text.replace("\r\n", "\n");
    }
    properties
}

/// The type of the entity at `path`: its collections without the names between them.
pub(crate) fn type_of(path: &str) -> String {
    path.split('/').step_by(2).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_of_difference_is_found_and_counted() {
        let mut first = Content::default();
        first.put("apis/a", json!({"path": "a"}));
        first.put("apis/b", json!({"path": "b"}));
        first.put("policies/policy", json!({"value": "<policies>\r\n</policies>"}));
        let mut second = Content::default();
        second.put("apis/A", json!({"path": "changed"}));
        second.put("apis/c", json!({}));
        second.put("policies/policy", json!({"value": "<policies>\n</policies>"}));
        let comparison = compare(&first, &second);
        let lines: Vec<_> = comparison.differences.iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["different: apis/a", "missing: apis/b", "extra: apis/c"]);
        assert_eq!(comparison.counts["apis"], Count { first: 2, second: 2, alike: 0 });
        assert_eq!(comparison.counts["policies"], Count { first: 1, second: 1, alike: 1 });
        assert!(!comparison.is_alike());
    }

    #[test]
    fn the_portal_is_not_compared() {
        let mut first = Content::default();
        first.put("contentTypes/page/contentItems/home", json!({}));
        assert!(compare(&first, &Content::default()).is_alike());
    }
}
