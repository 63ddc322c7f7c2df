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
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::domain::inventory::Unit;

    /// `apis/a=1` is an API whose content is 1.
    fn entities(text: &str) -> Vec<Entity> {
        let entity = |word: &str| {
            let (path, content) = word.split_once('=').unwrap();
            let digest = ContentDigest::parse(&format!("{content:0>32}")).unwrap();
            Entity { path: path.to_owned(), digest }
        };
        text.split_whitespace().map(entity).collect()
    }

    fn streams(before: &str, after: Option<&str>, target: &str) -> Streams {
        let window = |text: &str| Window::whole(entities(text)).unwrap();
        Streams { target: window(target), before: window(before), after: after.map(window) }
    }

    fn compared(before: &str, after: Option<&str>, target: &str) -> String {
        let mut comparison = Comparison::default();
        let need = merge(&mut comparison, &mut streams(before, after, target), &Place::End, Blind::default());
        assert_eq!(need, Need::Nothing);
        told(&comparison)
    }

    fn told(comparison: &Comparison) -> String {
        let named = comparison.differences.iter();
        let named: Vec<_> =
            named.map(|difference| format!("{} {}", difference.kind.word(), difference.path)).collect();
        format!("{} | {} | {}", comparison.summary(), named.join(", "), comparison.changed.join(", "))
    }

    #[test]
    fn each_kind_of_difference_is_named_and_counted_by_type() {
        expect!["1 equal, 1 missing (apis 1), 1 extra (products 1), 2 different (apis 1, apis/operations 1) | different apis/c, missing apis/d, extra products/p, different apis/a/operations/o | "]
            .assert_eq(&compared(
                "apis/a=1 apis/c=1 apis/d=1 apis/a/operations/o=1",
                None,
                "apis/A=1 apis/c=2 products/p=1 apis/a/operations/o=2",
            ));
        expect!["2 equal |  | "].assert_eq(&compared("apis/a=1 users/u=2", None, "apis/a=1 users/U=2"));
    }

    #[test]
    fn what_changed_while_the_backup_ran_is_told_apart() {
        // Changed, made and deleted meanwhile; the target may hold either state.
        let before = "apis/changed=1 apis/deleted=1 apis/same=1";
        let after = "apis/changed=2 apis/made=1 apis/same=1";
        for target in [
            "apis/changed=1 apis/deleted=1 apis/same=1",
            "apis/changed=2 apis/made=1 apis/same=1",
            "apis/changed=2 apis/deleted=1 apis/made=1 apis/same=1",
        ] {
            expect![
                "1 equal, 3 changed while the backup ran (apis 3) |  | apis/changed, apis/deleted, apis/made"
            ]
            .assert_eq(&compared(before, Some(after), target));
        }
        expect!["0 equal, 1 missing (apis 1), 1 different (apis 1), 2 changed while the backup ran (apis 2) | different apis/changed, missing apis/same | apis/deleted, apis/made"]
            .assert_eq(&compared(before, Some(after), "apis/changed=3"));
    }

    #[test]
    fn what_was_not_read_on_a_side_is_not_compared() {
        let unread = |list: &str| [Unread { list: list.to_owned(), why: "x".to_owned(), not_in_tier: false }];
        let all = "apis/a=1 users/u=1 apis/a/operations/o=1 apis/a/policies/policy=1";
        let with = |blind: Blind<'_>, target: &str, after: Option<&str>| {
            let mut comparison = Comparison::default();
            merge(&mut comparison, &mut streams(all, after, target), &Place::End, blind);
            told(&comparison)
        };
        let (users, operations, policies) =
            (unread("users"), unread("APIS/A/operations"), unread("allPolicies"));
        let rest = "apis/a=1 apis/a/operations/o=1 apis/a/policies/policy=1";
        expect!["3 equal |  | "].assert_eq(&with(Blind { target: &users, ..Blind::default() }, rest, None));
        expect!["3 equal |  | "].assert_eq(&with(
            Blind { before: &operations, ..Blind::default() },
            "apis/a=1 users/u=1 apis/a/policies/policy=1",
            None,
        ));
        expect!["3 equal |  | "].assert_eq(&with(
            Blind { before: &policies, ..Blind::default() },
            "apis/a=1 users/u=1 apis/a/operations/o=1",
            None,
        ));
        expect!["4 equal |  | "].assert_eq(&with(
            Blind { after: &users, ..Blind::default() },
            all,
            Some("apis/a=1 apis/a/operations/o=1 apis/a/policies/policy=1"),
        ));
    }

    #[test]
    fn where_a_tier_has_no_such_list_nothing_is_there_and_that_is_known() {
        let none = [Unread { list: "gateways".to_owned(), why: "x".to_owned(), not_in_tier: true }];
        let with = |blind: Blind<'_>, before: &str, target: &str| {
            let mut comparison = Comparison::default();
            merge(&mut comparison, &mut streams(before, None, target), &Place::End, blind);
            told(&comparison)
        };
        let (here, there) =
            (Blind { target: &none, ..Blind::default() }, Blind { before: &none, ..Blind::default() });
        expect!["1 equal |  | "].assert_eq(&with(here, "apis/a=1", "apis/a=1"));
        expect!["1 equal, 1 missing (gateways 1) | missing gateways/g | "].assert_eq(&with(
            here,
            "apis/a=1 gateways/g=1",
            "apis/a=1",
        ));
        expect!["1 equal, 1 extra (gateways 1) | extra gateways/g | "].assert_eq(&with(
            there,
            "apis/a=1",
            "apis/a=1 gateways/g=1",
        ));
    }

    #[test]
    fn a_merge_goes_as_far_as_the_target_was_read_and_asks_for_more() {
        let mut comparison = Comparison::default();
        let mut streams = Streams {
            target: Window::whole(entities("apis/a=1 apis/b=1")).unwrap(),
            before: Window::unread(),
            after: Some(Window::unread()),
        };
        let place = Place::After(Unit::List("apis".to_owned()));
        let mut go_on = |streams: &mut Streams| merge(&mut comparison, streams, &place, Blind::default());
        assert_eq!(go_on(&mut streams), Need::Before);
        streams.before.push(entities("apis/a=1"), true).unwrap();
        assert_eq!(go_on(&mut streams), Need::After);
        if let Some(after) = &mut streams.after {
            after.push(entities("apis/a=1 apis/b=1 users/u=1"), false).unwrap();
        }
        assert_eq!(go_on(&mut streams), Need::Before);
        streams.before.push(entities("apis/b=1 products/p=1"), true).unwrap();
        assert_eq!(go_on(&mut streams), Need::Nothing);
        assert_eq!((streams.before.len(), streams.target.len()), (1, 0), "products were not read yet");
        expect!["2 equal |  | "].assert_eq(&told(&comparison));
    }

    #[test]
    fn what_is_beyond_the_bound_is_counted_only() {
        let many: String = (0..70).map(|index| format!("apis/{index}=1 ")).collect();
        let mut sorted: Vec<_> = many.split_whitespace().collect();
        sorted.sort_by_key(|word| word.split_once('=').map(|(path, _)| path.to_owned()));
        let mut comparison = Comparison::default();
        merge(&mut comparison, &mut streams(&sorted.join(" "), None, ""), &Place::End, Blind::default());
        assert_eq!((comparison.differences.len(), comparison.differing()), (NAMED, 70));
        assert!(Window::whole(entities("wikis/a=1")).is_err());
    }
}
