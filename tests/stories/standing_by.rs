//! What is read of a service at rest: the inventory after a backup, and now and then what a standby still holds.

use apim_dr::domain::inventory::Place;
use apim_dr::domain::observation::{Compare, ComparedStretch, StretchEnd, WriteOnce};
use apim_dr::domain::standby;
use apim_dr::domain::unprotected::Unprotected;
use expect_test::expect;

use super::fixtures::*;
use super::reading::{equal, interrupted, joined, some_differ, whole};
use super::story::Story;
use super::verifying::ends_late;

pub(crate) fn different(compare: &Compare) -> ComparedStretch {
    ComparedStretch { place: Place::End, unprotected: Some(Unprotected::default()), ..some_differ(compare) }
}

pub(crate) fn given_up(compare: &Compare) -> ComparedStretch {
    ComparedStretch {
        place: Place::Start,
        unprotected: None,
        end: StretchEnd::GivenUp("HTTP 403 AuthorizationFailed".into()),
        ..equal(compare)
    }
}

/// A backup is verified, and the service is about to be read once more.
fn verified() -> Story {
    Story::of_primary().reading_by_hand().having(|story| {
        story.backup_verified_by_hand("02:00", "02:20");
        story.read_services()
    })
}

/// The secondary holds a backup since 02:50, compared and equal.
fn standby() -> Story {
    Story::of_secondary()
        .having(|story| story.restore_held("02:30", "02:50", manifest("02:00").with_inventory()))
        .reading_by_hand()
}

#[test]
fn after_a_backup_another_inventory_is_taken_and_named_in_the_record() {
    let mut story = verified();
    story.take(whole()).join(joined("contoso-20260310T020000Z.inventory-after.json".into())).in_words();
    let after = story.record().backups[0].after.clone().expect("the inventory after it");
    assert_eq!(after.blob, "contoso-20260310T020000Z.inventory-after.json");
    story.check(expect![[r#"
        02:20 B Idle + read -> Idle, put together contoso-20260310T020000Z.inventory-after.json {aside: inventory after(read, by B) of contoso@02:00}
        02:20 B Idle + joined -> Idle, again | inventory.taken {aside: -}
        02:20 B Idle + resumed -> Idle, drop parts of contoso@02:00
              88 entities are written down after the backup as well
    "#]]);
}

#[test]
fn an_inventory_after_a_backup_delays_nothing_and_is_dropped_when_the_next_one_begins() {
    let mut story = verified();
    story.take(interrupted("backends", StretchEnd::Late));
    story.wish_backup("02:30").drive().look(finds("Succeeded"));
    story.check(expect![[r#"
        02:20 B Idle + read -> Idle, rest {aside: inventory after(after backends) of contoso@02:00}
        02:30 C Idle + a backup now -> Idle, rest | backup.wished {backup wished: by C}
        02:30 C Idle + resumed -> Idle, look for contoso@02:30
        02:30 C Idle + look Succeeded -> Inventory, again {aside: -}
        02:30 C Inventory + resumed -> Inventory, rest
    "#]]);
}

#[test]
fn an_inventory_after_a_backup_that_cannot_be_taken_is_given_up() {
    let mut story = verified();
    story
        .take(interrupted("backends", StretchEnd::GivenUp("HTTP 403 AuthorizationFailed".into())))
        .in_words();
    story.tick("02:21").read_services();
    story.check(expect![[r#"
        02:20 B Idle + read -> Idle, again | inventory.missing {aside: -}
        02:20 B Idle + resumed -> Idle, drop parts of contoso@02:00
              what changed while the backup ran will not be told apart: HTTP 403 AuthorizationFailed
        02:21 C Idle + resumed -> Idle, rest
        02:21 C Idle + resumed -> Idle, drop parts of contoso@02:00
    "#]]);
    let mut slow = verified();
    slow.take(interrupted("backends", StretchEnd::Late));
    slow.tick("02:50").read_services();
    slow.check(expect![[r#"
        02:20 B Idle + read -> Idle, rest {aside: inventory after(after backends) of contoso@02:00}
        02:50 C Idle + resumed -> Idle, rest
        02:50 C Idle + resumed -> Idle, again | inventory.missing {aside: -}
        02:50 C Idle + resumed -> Idle, drop parts of contoso@02:00
    "#]]);
    let mut dry = verified();
    dry.take(interrupted("backends", StretchEnd::Late)).set_dry_run(true).tick("02:21").read_services();
    dry.check(expect![[r#"
        02:20 B Idle + read -> Idle, rest {aside: inventory after(after backends) of contoso@02:00}
        DRY_RUN=true
        02:21 C Idle + resumed -> Idle, again {dry run: yes}
        02:21 C Idle + resumed -> Idle, rest
        02:21 C Idle + resumed -> Idle, rest
    "#]]);
}

#[test]
fn while_the_inventory_after_a_backup_is_being_taken_a_comparison_waits_for_it_but_not_for_ever() {
    let mut story = verified();
    story.take(interrupted("backends", StretchEnd::Interrupted("HTTP 429 TooManyRequests".into())));
    let waits = |story: &Story, began: &str, when: &str| {
        standby::takes_after(story.record(), &backup("contoso", began), at(when))
    };
    assert!(waits(&story, "02:00", "02:21") && waits(&story, "02:00", "02:49:59"));
    assert!(!waits(&story, "02:00", "02:50"), "by then it is given up, or the primary's record lies idle");
    assert!(!waits(&story, "01:00", "02:21"), "it is that of another backup");
    story.tick("02:22").read_services().take(whole());
    story.join(joined("contoso-20260310T020000Z.inventory-after.json".into()));
    assert!(!waits(&story, "02:00", "02:22"), "it is taken");
}

#[test]
fn a_standby_is_compared_again_after_six_hours_and_what_was_changed_by_hand_is_found() {
    let mut story = standby();
    story.tick("08:49").read_services();
    story.tick("08:50").read_services().compare_with(different).in_words();
    story.stands("08:51");
    story.tick("14:49").read_services();
    story.tick("14:50").read_services().compare_with(equal).in_words();
    story.stands("14:51");
    story.check(expect![[r#"
        08:49 C Idle + resumed -> Idle, rest
        08:49 C nothing is to be read
        08:50 D Idle + resumed -> Idle, rest
        08:50 D Idle + resumed -> Idle, again {aside: compared again}
        08:50 D Idle + resumed -> Idle, read and compare {aside: compared again(by D)}
        08:50 D Idle + compared -> Idle, again | standby.mismatched {holds: contoso@02:00 mismatched; aside: -}
        08:50 D Idle + resumed -> Idle, rest
              looked at again: compared and different: 5 equal, 1 missing (apis 1), 1 different (users 1), 1 changed while the backup ran (users 1)
        08:51 contoso-dr: nothing runs; holds contoso-20260310T020000Z, and differs from it: 5 equal, 1 missing (apis 1), 1 different (users 1), 1 changed while the backup ran (users 1)
        14:49 E Idle + resumed -> Idle, rest
        14:49 E nothing is to be read
        14:50 F Idle + resumed -> Idle, rest
        14:50 F Idle + resumed -> Idle, again {aside: compared again}
        14:50 F Idle + resumed -> Idle, read and compare {aside: compared again(by F)}
        14:50 F Idle + compared -> Idle, again | standby.compared {holds: contoso@02:00 verified; aside: -}
        14:50 F Idle + resumed -> Idle, rest
              looked at again: compared and equal: 0 equal
        14:51 contoso-dr: nothing runs; holds contoso-20260310T020000Z, compared and equal
    "#]]);
}

#[test]
fn what_cannot_be_compared_again_leaves_standing_what_was_found() {
    let mut story = standby();
    story.tick("08:50").read_services().compare_with(given_up).in_words();
    story.tick("08:51").read_services();
    story.check(expect![[r#"
        08:50 C Idle + resumed -> Idle, rest
        08:50 C Idle + resumed -> Idle, again {aside: compared again}
        08:50 C Idle + resumed -> Idle, read and compare {aside: compared again(by C)}
        08:50 C Idle + compared -> Idle, again | standby.compared {aside: -}
        08:50 C Idle + resumed -> Idle, rest
              looked at again: not compared: HTTP 403 AuthorizationFailed
        08:51 D Idle + resumed -> Idle, rest
        08:51 D nothing is to be read
    "#]]);
}

#[test]
fn a_service_that_serves_is_not_compared_with_what_was_restored_into_it() {
    let mut story = standby();
    story.serving("contoso-dr").tick("08:50").read_services();
    story.serving("contoso").tick("08:51").read_services();
    story.check(expect![[r#"
        contoso-dr carries the traffic
        08:50 C Idle + resumed -> Idle, rest
        08:50 C nothing is to be read
        contoso carries the traffic
        08:51 D Idle + resumed -> Idle, rest
        08:51 D Idle + resumed -> Idle, again {aside: compared again}
        08:51 D Idle + resumed -> Idle, read and compare {aside: compared again(by D)}
    "#]]);
}

/// What differs there may be what users did.
#[test]
fn while_nobody_knows_who_serves_a_comparison_waits_and_none_begins() {
    let mut story = standby();
    story.serving_unknown().tick("08:50").read_services();
    story.serving("contoso").tick("08:51").read_services().compare_with(ends_late);
    story.serving_unknown().tick("08:52").read_services();
    story.serving("contoso-dr").tick("08:53").read_services();
    story.check(expect![[r#"
        the profile does not say who serves
        08:50 C Idle + resumed -> Idle, rest
        08:50 C nothing is to be read
        contoso carries the traffic
        08:51 D Idle + resumed -> Idle, rest
        08:51 D Idle + resumed -> Idle, again {aside: compared again}
        08:51 D Idle + resumed -> Idle, read and compare {aside: compared again(by D)}
        08:51 D Idle + compared -> Idle, rest {aside: compared again(after backends)}
        the profile does not say who serves
        08:52 E Idle + resumed -> Idle, rest
        08:52 E Idle + resumed -> Idle, rest
        contoso-dr carries the traffic
        08:53 F Idle + resumed -> Idle, rest
        08:53 F Idle + resumed -> Idle, again {aside: -}
        08:53 F Idle + resumed -> Idle, rest
    "#]]);
}

/// What was read hours ago may have been changed since, and a dry run lets deadlines count anew.
#[test]
fn what_was_read_before_a_dry_run_is_read_anew_after_it() {
    let mut again = standby();
    again.tick("08:51").read_services().compare_with(ends_late);
    again.set_dry_run(true).serving_unknown().tick("08:52");
    again.serving("contoso").set_dry_run(false).tick("12:00").read_services().compare_with(ends_late);
    again.check(expect![[r#"
        08:51 C Idle + resumed -> Idle, rest
        08:51 C Idle + resumed -> Idle, again {aside: compared again}
        08:51 C Idle + resumed -> Idle, read and compare {aside: compared again(by C)}
        08:51 C Idle + compared -> Idle, rest {aside: compared again(after backends)}
        DRY_RUN=true
        the profile does not say who serves
        08:52 D Idle + resumed -> Idle, again {dry run: yes}
        08:52 D Idle + resumed -> Idle, rest
        contoso carries the traffic
        DRY_RUN=false
        12:00 E Idle + resumed -> Idle, again {aside: compared again; dry run: -; deadlines count from: 12:00}
        12:00 E Idle + resumed -> Idle, rest
        12:00 E Idle + resumed -> Idle, read and compare {aside: compared again(by E)}
        12:00 E Idle + compared -> Idle, rest {aside: compared again(after backends)}
    "#]]);
    let mut after = verified();
    after.take(interrupted("backends", StretchEnd::Late)).set_dry_run(true).tick("02:21");
    after.set_dry_run(false).tick("06:00");
    after.check(expect![[r#"
        02:20 B Idle + read -> Idle, rest {aside: inventory after(after backends) of contoso@02:00}
        DRY_RUN=true
        02:21 C Idle + resumed -> Idle, again {dry run: yes}
        02:21 C Idle + resumed -> Idle, rest
        DRY_RUN=false
        06:00 D Idle + resumed -> Idle, again {aside: inventory after of contoso@02:00; dry run: -; deadlines count from: 06:00}
        06:00 D Idle + resumed -> Idle, rest
    "#]]);
}

#[test]
fn what_users_changed_in_a_failover_is_no_news() {
    let mut story = standby();
    story.latched("contoso-dr", "08:00").serving("contoso").tick("08:50").read_services();
    story.check(expect![[r#"
        failed over to contoso-dr since 08:00
        contoso carries the traffic
        08:50 C Idle + resumed -> Idle, rest
        08:50 C nothing is to be read
    "#]]);
}

#[test]
fn nor_is_what_they_changed_on_one_that_served_before_another() {
    let mut story = standby();
    story.latched("contoso-dr contoso-ap", "08:00").serving("contoso-ap").tick("08:50").read_services();
    story.check(expect![[r#"
        failed over to contoso-dr contoso-ap since 08:00
        contoso-ap carries the traffic
        08:50 C Idle + resumed -> Idle, rest
        08:50 C nothing is to be read
    "#]]);
}

/// After a failback the primary is changed every day, as it should be.
#[test]
fn the_primary_is_not_compared_with_what_was_once_restored_into_it() {
    let mut story = standby();
    story.set_primary("contoso-dr").serving_unknown().tick("08:50").read_services();
    story.check(expect![[r#"
        APIM_PRIMARY_ID=…/contoso-dr
        the profile does not say who serves
        08:50 C Idle + resumed -> Idle, again | roles.changed {seen: 08:50; primary: contoso-dr}
        08:50 C Idle + resumed -> Idle, look for contoso-dr@08:50
        08:50 C nothing is to be read
    "#]]);
}

#[test]
fn a_restore_that_begins_drops_a_comparison_that_is_under_way() {
    let mut story = standby();
    story.tick("08:50").read_services();
    story.offer("08:51", manifest("08:30").with_inventory()).drive().look(finds("Succeeded"));
    // The comparison was of what is about to be overwritten.
    story.meanwhile("C", "08:51:30").compare_with(equal);
    story.check(expect![[r#"
        08:50 C Idle + resumed -> Idle, rest
        08:50 C Idle + resumed -> Idle, again {aside: compared again}
        08:50 C Idle + resumed -> Idle, read and compare {aside: compared again(by C)}
        08:51 D Idle + manifest contoso@08:30 -> Idle, rest | restore.wished {wish: contoso@08:30; seen: 08:30}
        08:51 D Idle + resumed -> Idle, look for contoso@08:30
        08:51 D Idle + look Succeeded -> Requested(by D), look for contoso@08:30 | restore.requested {aside: -}
        08:51:30 C Requested(by D) + compared (of a record that was changed since) -> Requested(by D), rest
    "#]]);
}

#[test]
fn after_a_restore_that_failed_it_is_compared_as_far_as_possible_and_stays_unknown() {
    let mut story = Story::of_secondary().reading_by_hand().having(|story| {
        story.restore_runs("02:30", manifest("02:00").with_inventory());
        story.tick("02:50").poll(ended_badly()).write(WriteOnce::Written)
    });
    story.tick("02:51").read_services().compare_with(equal).in_words();
    story.tick("02:52").read_services();
    story.stands("02:53");
    story.check(expect![[r#"
        02:51 C Idle + resumed -> Idle, rest
        02:51 C Idle + resumed -> Idle, again {aside: compared again}
        02:51 C Idle + resumed -> Idle, read and compare {aside: compared again(by C)}
        02:51 C Idle + compared -> Idle, again | standby.compared {aside: -}
        02:51 C Idle + resumed -> Idle, rest
              what it holds stays unknown; compared with contoso-20260310T020000Z as far as possible, compared and equal: 0 equal
        02:52 D Idle + resumed -> Idle, rest
        02:52 D nothing is to be read
        02:53 contoso-dr: nothing runs; what it holds is unknown: Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written; contoso-20260310T020000Z is to be restored; last failure at 2026-03-10T02:50:00Z: Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written
    "#]]);
}

#[test]
fn parts_that_nobody_needs_any_more_are_dropped_at_rest() {
    let mut story = verified();
    story.take(whole()).join(joined("contoso-20260310T020000Z.inventory-after.json".into()));
    story.parts_not_dropped();
    story.tick("02:21").read_services().parts_dropped();
    story.tick("02:22").read_services();
    story.check(expect![[r#"
        02:20 B Idle + read -> Idle, put together contoso-20260310T020000Z.inventory-after.json {aside: inventory after(read, by B) of contoso@02:00}
        02:20 B Idle + joined -> Idle, again | inventory.taken {aside: -}
        02:20 B Idle + resumed -> Idle, drop parts of contoso@02:00
        02:20 B Idle + no answer -> Idle, rest
        02:21 C Idle + resumed -> Idle, rest
        02:21 C Idle + resumed -> Idle, drop parts of contoso@02:00
        02:21 C Idle + dropped -> Idle, rest
        02:22 D Idle + resumed -> Idle, rest
        02:22 D nothing is to be read
    "#]]);
}
