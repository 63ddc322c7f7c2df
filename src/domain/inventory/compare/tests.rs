//! What a comparison finds, and whose change it calls it.

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
    let (users, operations, policies) = (unread("users"), unread("APIS/A/operations"), unread("allPolicies"));
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
