//! Comparing: the target's entities are merged with the backup's inventory, and where there is one with the inventory
//! that was taken after the backup, all in the fixed order.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::lists::type_of;
use super::{ContentDigest, Entity, Place, Rank, Unread};

/// Differences that are kept by name; the others are counted.
pub const NAMED: usize = 50;

/// Changes on the primary that are kept by name; they are told, and alarm nobody.
const NAMED_CHANGES: usize = 20;

/// What a comparison has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    #[serde(default, skip_serializing_if = "Tallies::is_empty")]
    pub types: Tallies,
    /// The first of what differs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// The first of what changed on the backed-up service while the backup ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
}

/// How many entities of each type, such as `apis/operations`, compare how. Stored as a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Counted>", into = "Vec<Counted>")]
pub struct Tallies(BTreeMap<String, Tally>);

impl Tallies {
    /// Whether nothing was compared.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was counted of each type, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tally)> {
        self.0.iter().map(|(kind, tally)| (kind.as_str(), tally))
    }

    /// What is counted of one type.
    pub fn of(&mut self, kind: String) -> &mut Tally {
        self.0.entry(kind).or_default()
    }
}

/// How many entities of one type compare how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub equal: u64,
    /// In the backup's inventory alone.
    pub missing: u64,
    /// On the target alone.
    pub extra: u64,
    /// On both, with other content.
    pub different: u64,
    /// Changed on the backed-up service while the backup ran; the target holds what was there before or after.
    pub changed: u64,
}

/// A tally as it is stored: what there is none of is left out.
#[derive(Serialize, Deserialize)]
struct Counted {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "is_none")]
    equal: u64,
    #[serde(default, skip_serializing_if = "is_none")]
    missing: u64,
    #[serde(default, skip_serializing_if = "is_none")]
    extra: u64,
    #[serde(default, skip_serializing_if = "is_none")]
    different: u64,
    #[serde(default, skip_serializing_if = "is_none")]
    changed: u64,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

impl From<Vec<Counted>> for Tallies {
    fn from(counted: Vec<Counted>) -> Self {
        let tally = |Counted { kind, equal, missing, extra, different, changed }| {
            (kind, Tally { equal, missing, extra, different, changed })
        };
        Self(counted.into_iter().map(tally).collect())
    }
}

impl From<Tallies> for Vec<Counted> {
    fn from(tallies: Tallies) -> Self {
        let counted = |(kind, Tally { equal, missing, extra, different, changed })| Counted {
            kind,
            equal,
            missing,
            extra,
            different,
            changed,
        };
        tallies.0.into_iter().map(counted).collect()
    }
}

/// One entity that is not on the target as it was backed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    pub path: String,
    pub kind: Kind,
}

/// How an entity differs, seen from the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    Missing,
    Extra,
    Different,
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Different => "different",
        }
    }

    fn of(self, tally: &Tally) -> u64 {
        match self {
            Self::Missing => tally.missing,
            Self::Extra => tally.extra,
            Self::Different => tally.different,
        }
    }
}

/// One entity as it stands before the backup, after it, and on the target.
#[derive(Clone, Copy, Debug, Default)]
struct Sides {
    before: Option<ContentDigest>,
    after: Option<ContentDigest>,
    target: Option<ContentDigest>,
}

impl Comparison {
    /// Whether nothing differs of what was compared.
    pub fn is_equal(&self) -> bool {
        self.differing() == 0
    }

    /// How many entities differ, named or not.
    pub fn differing(&self) -> u64 {
        self.types.iter().map(|(_, tally)| tally.missing + tally.extra + tally.different).sum()
    }

    /// How many compare equal.
    pub fn equal(&self) -> u64 {
        self.types.iter().map(|(_, tally)| tally.equal).sum()
    }

    /// How many changed on the backed-up service while the backup ran.
    pub fn changed_meanwhile(&self) -> u64 {
        self.types.iter().map(|(_, tally)| tally.changed).sum()
    }

    /// Counts by type, in one line.
    pub fn summary(&self) -> String {
        let mut text = format!("{} equal", self.equal());
        for kind in [Kind::Missing, Kind::Extra, Kind::Different] {
            self.add(&mut text, kind.word(), |tally| kind.of(tally));
        }
        self.add(&mut text, "changed while the backup ran", |tally| tally.changed);
        text
    }

    fn add(&self, text: &mut String, word: &str, count: impl Fn(&Tally) -> u64) {
        let by_type: Vec<_> = self.types.iter().map(|(name, tally)| (name, count(tally))).collect();
        let total: u64 = by_type.iter().map(|(_, count)| count).sum();
        if total > 0 {
            let counted = by_type.iter().filter(|(_, count)| *count > 0);
            let counted: Vec<_> = counted.map(|(name, count)| format!("{name} {count}")).collect();
            // Writing to a string does not fail.
            let _ = write!(text, ", {total} {word} ({})", counted.join(", "));
        }
    }

    /// What changed on the backed-up service while the backup ran is told apart if the target holds one or the other
    /// of its two states. A third state is a difference: that the entity was being worked on does not explain it.
    fn note(&mut self, path: &str, sides: Sides) {
        let tally = self.types.of(type_of(path));
        let Sides { before, after, target } = sides;
        let kind = match (before, target) {
            _ if before != after && (target == before || target == after) => {
                tally.changed += 1;
                if self.changed.len() < NAMED_CHANGES {
                    self.changed.push(path.to_owned());
                }
                return;
            }
            _ if before == target => {
                tally.equal += 1;
                return;
            }
            (_, None) => Kind::Missing,
            (None, Some(_)) => Kind::Extra,
            (Some(_), Some(_)) => Kind::Different,
        };
        match kind {
            Kind::Missing => tally.missing += 1,
            Kind::Extra => tally.extra += 1,
            Kind::Different => tally.different += 1,
        }
        if self.differences.len() < NAMED {
            self.differences.push(Difference { path: path.to_owned(), kind });
        }
    }
}

/// What is at hand of one sorted stream.
#[derive(Debug, Default)]
pub struct Window {
    entities: VecDeque<(Rank, Entity)>,
    /// There is more of the stream than is at hand.
    more: bool,
}

impl Window {
    /// A stream of which nothing is at hand yet.
    pub fn unread() -> Self {
        Self { entities: VecDeque::new(), more: true }
    }

    /// A stream that ends with these.
    pub fn whole(entities: impl IntoIterator<Item = Entity>) -> Result<Self, String> {
        let mut window = Self::unread();
        window.push(entities, false)?;
        Ok(window)
    }

    /// Adds what comes next. The error names what no inventory of this layout holds.
    pub fn push(&mut self, entities: impl IntoIterator<Item = Entity>, more: bool) -> Result<(), String> {
        for entity in entities {
            let rank = Rank::of(&entity.path)
                .ok_or_else(|| format!("it holds {}, which is unknown", entity.path))?;
            self.entities.push_back((rank, entity));
        }
        self.more = more;
        Ok(())
    }

    /// How much is at hand.
    pub fn len(&self) -> usize {
        self.entities.len()
    }

    /// Whether nothing is at hand.
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    /// The paths at hand up to `place`, and whether the stream is over or beyond it.
    pub fn up_to(&self, place: &Place) -> (Vec<&str>, bool) {
        let within = self.entities.iter().take_while(|(rank, _)| place.is_past(rank.unit()));
        let paths: Vec<_> = within.map(|(_, entity)| entity.path.as_str()).collect();
        let is_over = !self.more || paths.len() < self.entities.len();
        (paths, is_over)
    }

    fn needs_more(&self) -> bool {
        self.more && self.entities.is_empty()
    }

    /// The next one, if the crawl is past it.
    fn head(&self, place: &Place) -> Option<&Rank> {
        self.entities.front().map(|(rank, _)| rank).filter(|rank| place.is_past(rank.unit()))
    }

    fn take(&mut self, rank: &Rank) -> Option<Entity> {
        match self.entities.front() {
            Some((front, _)) if front == rank => self.entities.pop_front().map(|(_, entity)| entity),
            _ => None,
        }
    }
}

/// The three streams of a comparison.
#[derive(Debug)]
pub struct Streams {
    pub target: Window,
    pub before: Window,
    /// Absent: whether anything changed while the backup ran is not known.
    pub after: Option<Window>,
}

/// What could not be read on the sides of a comparison.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blind<'a> {
    pub before: &'a [Unread],
    pub after: &'a [Unread],
    pub target: &'a [Unread],
}

impl Blind<'_> {
    fn hides(&self, path: &str) -> bool {
        self.before.iter().chain(self.target).any(|unread| unread.hides(path))
    }

    fn hides_after(&self, path: &str) -> bool {
        self.after.iter().any(|unread| unread.hides(path))
    }
}

/// What a merge has to be given before it can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It has come as far as the target was read.
    Nothing,
    Before,
    After,
}

/// Compares everything up to `place`, as far as the streams are at hand.
pub fn merge(comparison: &mut Comparison, streams: &mut Streams, place: &Place, blind: Blind<'_>) -> Need {
    loop {
        if streams.before.needs_more() {
            return Need::Before;
        }
        if streams.after.as_ref().is_some_and(Window::needs_more) {
            return Need::After;
        }
        let after = streams.after.as_ref().and_then(|after| after.head(place));
        let heads = [streams.target.head(place), streams.before.head(place), after];
        let Some(next) = heads.into_iter().flatten().min().cloned() else { return Need::Nothing };
        let target = streams.target.take(&next);
        let before = streams.before.take(&next);
        let after = match &mut streams.after {
            Some(after) => after.take(&next),
            None => before.clone(),
        };
        let Some(path) =
            [&target, &before, &after].into_iter().flatten().next().map(|entity| entity.path.clone())
        else {
            continue;
        };
        if blind.hides(&path) {
            continue;
        }
        let after = if blind.hides_after(&path) { &before } else { &after };
        let digest = |entity: &Option<Entity>| entity.as_ref().map(|entity| entity.digest);
        comparison
            .note(&path, Sides { before: digest(&before), after: digest(after), target: digest(&target) });
    }
}

#[cfg(test)]
mod tests;
