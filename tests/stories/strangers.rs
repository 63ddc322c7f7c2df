//! What a target holds may stand in the way of a restore by itself: content that is nobody's of ours, and changes that
//! users may have made while nobody watched who serves.

use apim_dr::domain::observation::{Compare, ComparedStretch, WriteOnce};
use apim_dr::domain::offer::withdraw;
use expect_test::expect;

use super::fixtures::*;
use super::reading::equal;
use super::standing_by::{different, given_up};
use super::story::Story;

fn automatic() -> Story {
    Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00")))
}

/// A standby that holds a backup since 02:50, and for which a newer one has come.
fn standby() -> Story {
    Story::of_secondary().having(|story| {
        story.restore_held("02:30", "02:50", manifest("02:00").with_inventory());
        story.offer("09:00", manifest("08:30").with_inventory())
    })
}

#[test]
fn nothing_is_restored_by_itself_into_a_service_that_holds_somebody_elses() {
    let mut story = automatic();
    story.drive().look(finds("Succeeded").strangers(
        2,
        1,
        &["apis/billing", "apis/echo-api", "products/starter"],
    ));
    story.tick("02:31").look(finds("Succeeded").strangers(0, 1, &["products/starter"]));
    story.tick("02:32").look(finds("Succeeded").content_unreadable());
    story.tick("02:33").look(finds("Succeeded"));
    story.check(expect![[r#"
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded, 2 APIs and 1 products that the backup lacks -> Idle, rest | restore.deferred {deferred: since 02:30: nothing of ours was ever restored into contoso-dr, and it holds 2 APIs and 1 product (apis/billing, apis/echo-api, products/starter) that the backup lacks: if that may be overwritten, restore a backup by hand once}
        02:31 B Idle + resumed -> Idle, look for contoso@02:00
        02:31 B Idle + look Succeeded, 0 APIs and 1 products that the backup lacks -> Idle, rest | restore.deferred {deferred: since 02:30: nothing of ours was ever restored into contoso-dr, and it holds 1 product (products/starter) that the backup lacks: if that may be overwritten, restore a backup by hand once}
        02:32 C Idle + resumed -> Idle, look for contoso@02:00
        02:32 C Idle + look Succeeded, content: HTTP 403 AuthorizationFailed -> Idle, rest | restore.deferred {deferred: since 02:30: what contoso-dr holds cannot be looked at, and may be somebody else's: HTTP 403 AuthorizationFailed. If it may be overwritten all the same, restore a backup by hand}
        02:33 D Idle + resumed -> Idle, look for contoso@02:00
        02:33 D Idle + look Succeeded -> Requested(by D), look for contoso@02:00 | restore.requested {deferred: -}
    "#]]);
}

#[test]
fn it_is_asked_again_after_the_claim() {
    let mut story = automatic();
    story.drive().look(finds("Succeeded"));
    story.look(finds("Succeeded").strangers(1, 0, &["apis/billing"])).in_words();
    story.tick("02:31").look(finds("Succeeded")).look(finds("Succeeded").content_unreadable()).in_words();
    story.check(expect![[r#"
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded -> Requested(by A), look for contoso@02:00 | restore.requested
        02:30 A Requested(by A) + look Succeeded, 1 APIs and 0 products that the backup lacks -> Idle, rest | restore.undone
              the claim is undone, nothing is counted: nothing of ours was ever restored into contoso-dr, and it holds 1 API (apis/billing) that the backup lacks: if that may be overwritten, restore a backup by hand once
        02:31 B Idle + resumed -> Idle, look for contoso@02:00
        02:31 B Idle + look Succeeded -> Requested(by B), look for contoso@02:00 | restore.requested
        02:31 B Requested(by B) + look Succeeded, content: HTTP 403 AuthorizationFailed -> Idle, rest | restore.undone
              the claim is undone, nothing is counted: what contoso-dr holds cannot be looked at, and may be somebody else's: HTTP 403 AuthorizationFailed. If it may be overwritten all the same, restore a backup by hand
    "#]]);
}

#[test]
fn by_hand_it_passes() {
    let mut story = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00").by_hand()));
    story.drive().look(finds("Succeeded").strangers(1, 0, &["apis/billing"]));
    story.look(finds("Succeeded").content_unreadable()).answer(accepted("op-1"));
    story.check(expect![[r#"
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded, 1 APIs and 0 products that the backup lacks -> Requested(by A), look for contoso@02:00 | restore.requested
        02:30 A Requested(by A) + look Succeeded, content: HTTP 403 AuthorizationFailed -> Requested(by A), POST restore contoso@02:00
        02:30 A Requested(by A) + 202 op-1 -> Running(op-1), rest | restore.accepted {ours: yes}
    "#]]);
}

#[test]
fn once_azure_took_a_restore_what_the_service_holds_is_ours_even_if_the_restore_failed() {
    let mut story = automatic().having(|story| {
        story.drive().look(finds("Succeeded")).look(finds("Succeeded")).answer(accepted("op-1"));
        story.tick("02:40").poll(ended_badly()).write(WriteOnce::Written)
    });
    story.tick("02:45").look(finds("Succeeded").strangers(2, 1, &["apis/billing"]));
    story.check(expect![[r#"
        02:45 C Idle + resumed -> Idle, look for contoso@02:00
        02:45 C Idle + look Succeeded, 2 APIs and 1 products that the backup lacks -> Requested(by C), look for contoso@02:00 | restore.requested
    "#]]);
}

#[test]
fn a_record_that_says_what_the_service_holds_makes_it_ours_even_if_an_older_version_wrote_it() {
    let mut story = standby().having(|story| story.forgets_that_it_is_ours());
    story.tick("09:01").look(finds("Succeeded").strangers(2, 1, &["apis/billing"]));
    story.check(expect![[r#"
        09:01 D Idle + resumed -> Idle, look for contoso@08:30
        09:01 D Idle + look Succeeded, 2 APIs and 1 products that the backup lacks -> Requested(by D), look for contoso@08:30 | restore.requested
    "#]]);
}

#[test]
fn a_claim_that_came_to_nothing_makes_no_service_ours() {
    let mut story = automatic().having(|story| {
        story.drive().look(finds("Succeeded")).look(finds("Succeeded")).answer(unanswered());
        story.tick("02:38").look(finds("Succeeded")).write(WriteOnce::Written)
    });
    story.tick("02:43").look(finds("Succeeded").strangers(1, 0, &["apis/billing"]));
    story.check(expect![[r#"
        02:43 C Idle + resumed -> Idle, look for contoso@02:00
        02:43 C Idle + look Succeeded, 1 APIs and 0 products that the backup lacks -> Idle, rest | restore.deferred {deferred: since 02:43: nothing of ours was ever restored into contoso-dr, and it holds 1 API (apis/billing) that the backup lacks: if that may be overwritten, restore a backup by hand once}
    "#]]);
}

/// Whoever kept the service busy when the claim was old may have been somebody else.
#[test]
fn a_restore_that_was_only_taken_for_ours_makes_no_service_ours_either() {
    let mut story = automatic().reading_by_hand().having(|story| {
        story.drive().look(finds("Succeeded")).look(finds("Succeeded")).answer(unanswered());
        story.tick("02:38").look(finds("Updating"));
        story.tick("02:45").look(finds("Succeeded"));
        story.tick("02:50").look(finds("Succeeded")).read_services().compare_with(different);
        story.write(WriteOnce::Written)
    });
    story.tick("03:10").look(finds("Succeeded").strangers(1, 0, &["apis/billing"]));
    story.check(expect![[r#"
        03:10 E Idle + resumed -> Idle, look for contoso@02:00
        03:10 E Idle + look Succeeded, 1 APIs and 0 products that the backup lacks -> Idle, rest | restore.deferred {deferred: since 03:10: nothing of ours was ever restored into contoso-dr, and it holds 1 API (apis/billing) that the backup lacks: if that may be overwritten, restore a backup by hand once}
    "#]]);
}

#[test]
fn what_may_have_changed_while_nobody_watched_is_not_overwritten_by_itself() {
    let mut story = standby();
    story.nobody_watched_until("08:00").tick("09:00").look(finds("Succeeded").other_lists());
    story.tick("09:01").look(finds("Succeeded").content_unreadable());
    story.tick("09:02").look(finds("Succeeded")).look(finds("Succeeded").other_lists()).in_words();
    story.tick("09:03").look(finds("Succeeded")).look(finds("Succeeded")).answer(accepted("op-2"));
    story.check(expect![[r#"
        nobody could tell who serves until 08:00
        09:00 D Idle + resumed -> Idle, look for contoso@08:30
        09:00 D Idle + look Succeeded, other lists than after the restore -> Idle, rest | restore.deferred {deferred: since 09:00: up to 2026-03-10T08:00:00Z nobody could tell who carries the traffic, and contoso-dr has changed since contoso-20260310T020000Z was restored into it: users may have been there. If what is there now may be overwritten, restore a backup by hand or say `resume`}
        09:00 D Idle + compared -> Idle, again | standby.compared {aside: -}
        09:01 E Idle + resumed -> Idle, look for contoso@08:30
        09:01 E Idle + look Succeeded, content: HTTP 403 AuthorizationFailed -> Idle, rest | restore.deferred {deferred: since 09:00: what contoso-dr holds cannot be looked at, and may be somebody else's: HTTP 403 AuthorizationFailed. If it may be overwritten all the same, restore a backup by hand}
        09:02 F Idle + resumed -> Idle, look for contoso@08:30
        09:02 F Idle + look Succeeded -> Requested(by F), look for contoso@08:30 | restore.requested {deferred: -}
        09:02 F Requested(by F) + look Succeeded, other lists than after the restore -> Idle, rest | restore.undone
              the claim is undone, nothing is counted: up to 2026-03-10T08:00:00Z nobody could tell who carries the traffic, and contoso-dr has changed since contoso-20260310T020000Z was restored into it: users may have been there. If what is there now may be overwritten, restore a backup by hand or say `resume`
        09:03 G Idle + resumed -> Idle, look for contoso@08:30
        09:03 G Idle + look Succeeded -> Requested(by G), look for contoso@08:30 | restore.requested
        09:03 G Requested(by G) + look Succeeded -> Requested(by G), POST restore contoso@08:30
        09:03 G Requested(by G) + 202 op-2 -> Running(op-2), rest | restore.accepted
    "#]]);
}

#[test]
fn what_may_have_changed_is_not_overwritten_either_where_nobody_knows_whether_a_restore_ever_came() {
    let mut story = automatic().having(|story| {
        story.drive().look(finds("Succeeded")).look(finds("Succeeded")).answer(unanswered());
        story.tick("02:38").look(finds("Succeeded")).write(WriteOnce::Written)
    });
    story.nobody_watched_until("08:00").tick("09:00");
    story.look(finds("Succeeded").no_strangers_and_other_lists());
    story.tick("09:01").look(finds("Succeeded").strangers(0, 0, &[]));
    story.check(expect![[r#"
        nobody could tell who serves until 08:00
        09:00 C Idle + resumed -> Idle, look for contoso@02:00
        09:00 C Idle + look Succeeded, no strangers, other lists than after the restore -> Idle, rest | restore.deferred {deferred: since 09:00: up to 2026-03-10T08:00:00Z nobody could tell who carries the traffic, and contoso-dr may have changed (its lists were not read then) since contoso-20260310T020000Z was restored into it: users may have been there. If what is there now may be overwritten, restore a backup by hand or say `resume`}
        09:01 D Idle + resumed -> Idle, look for contoso@02:00
        09:01 D Idle + look Succeeded, 0 APIs and 0 products that the backup lacks -> Idle, rest | restore.deferred {deferred: since 09:00: what contoso-dr holds was not looked at}
    "#]]);
}

#[test]
fn what_may_have_changed_since_the_restore_began_counts_too_for_it_may_have_ended_long_before_that_was_seen()
{
    let mut story = standby();
    story.nobody_watched_until("02:49").tick("09:00").look(finds("Succeeded").other_lists()).in_words();
    story.check(expect![[r#"
        nobody could tell who serves until 02:49
        09:00 D Idle + resumed -> Idle, look for contoso@08:30
        09:00 D Idle + look Succeeded, other lists than after the restore -> Idle, rest | restore.deferred {deferred: since 09:00: up to 2026-03-10T02:49:00Z nobody could tell who carries the traffic, and contoso-dr has changed since contoso-20260310T020000Z was restored into it: users may have been there. If what is there now may be overwritten, restore a backup by hand or say `resume`}
        09:00 D Idle + compared -> Idle, again | standby.compared {aside: -}
              looked at again: compared and equal: 0 equal
    "#]]);
}

/// Somebody asks for it by hand, its writer is killed before Azure is asked, and he withdraws.
#[test]
fn a_restore_that_may_never_have_begun_does_not_make_up_for_what_nobody_watched_before_it() {
    let mut story = standby().having(|story| {
        story.offer("08:40", manifest("08:30").by_hand()).drive();
        story.look(finds("Succeeded")).look(finds("Succeeded")).answer(unanswered());
        story.tick("08:48").look(finds("Succeeded")).write(WriteOnce::Written);
        story.wish("08:49", "withdraw", withdraw)
    });
    story.nobody_watched_until("08:00").offer("09:00", manifest("08:55").with_inventory()).drive();
    story.look(finds("Succeeded").other_lists());
    story.check(expect![[r#"
        nobody could tell who serves until 08:00
        09:00 G Idle + manifest contoso@08:55 -> Idle, rest | restore.wished {wish: contoso@08:55; seen: 08:55}
        09:00 G Idle + resumed -> Idle, look for contoso@08:55
        09:00 G Idle + look Succeeded, other lists than after the restore -> Idle, rest | restore.deferred {deferred: since 09:00: up to 2026-03-10T08:00:00Z nobody could tell who carries the traffic, and contoso-dr may have changed (its lists were not read then) since contoso-20260310T083000Z was restored into it: users may have been there. If what is there now may be overwritten, restore a backup by hand or say `resume`}
    "#]]);
}

/// Something in between answered in Azure's place, and the service was never seen Updating.
#[test]
fn nor_does_one_that_nobody_ever_saw_run() {
    let mut story = standby().having(|story| {
        story.drive().look(finds("Succeeded")).look(finds("Succeeded")).answer(accepted("op-2"));
        story.tick("08:50").poll(no_word()).look(finds("Succeeded"));
        story.tick("08:55").poll(no_word()).look(finds("Succeeded")).write(WriteOnce::Written)
    });
    story.nobody_watched_until("08:00").offer("09:00", manifest("08:55").with_inventory()).drive();
    story.look(finds("Succeeded").other_lists());
    story.check(expect![[r#"
        nobody could tell who serves until 08:00
        09:00 F Idle + manifest contoso@08:55 -> Idle, rest | restore.wished {wish: contoso@08:55; attempts: -; seen: 08:55}
        09:00 F Idle + resumed -> Idle, look for contoso@08:55
        09:00 F Idle + look Succeeded, other lists than after the restore -> Idle, rest | restore.deferred {deferred: since 09:00: up to 2026-03-10T08:00:00Z nobody could tell who carries the traffic, and contoso-dr has changed since contoso-20260310T083000Z was restored into it: users may have been there. If what is there now may be overwritten, restore a backup by hand or say `resume`}
    "#]]);
}

#[test]
fn what_was_unwatched_before_the_restore_or_the_last_resume_says_nothing() {
    let mut before = standby();
    before.nobody_watched_until("02:30").tick("09:00").look(finds("Succeeded").other_lists());
    before.check(expect![[r#"
        nobody could tell who serves until 02:30
        09:00 D Idle + resumed -> Idle, look for contoso@08:30
        09:00 D Idle + look Succeeded, other lists than after the restore -> Requested(by D), look for contoso@08:30 | restore.requested
    "#]]);
    let mut resumed = standby();
    resumed.nobody_watched_until("08:00").resumed_since("08:10").tick("09:00");
    resumed.look(finds("Succeeded").other_lists());
    resumed.check(expect![[r#"
        nobody could tell who serves until 08:00
        resumed at 08:10
        09:00 D Idle + resumed -> Idle, look for contoso@08:30
        09:00 D Idle + look Succeeded, other lists than after the restore -> Requested(by D), look for contoso@08:30 | restore.requested
    "#]]);
}

#[test]
fn by_hand_it_passes_whatever_may_have_changed() {
    let mut story = Story::of_secondary()
        .having(|story| story.restore_held("02:30", "02:50", manifest("02:00").with_inventory()));
    story.nobody_watched_until("08:00").offer("09:00", manifest("08:30").by_hand()).drive();
    story.look(finds("Succeeded").other_lists()).look(finds("Succeeded").other_lists());
    story.check(expect![[r#"
        nobody could tell who serves until 08:00
        09:00 C Idle + by hand contoso@08:30 -> Idle, rest | restore.wished {wish: contoso@08:30 by hand; seen: 08:30}
        09:00 C Idle + resumed -> Idle, look for contoso@08:30
        09:00 C Idle + look Succeeded, other lists than after the restore -> Requested(by C), look for contoso@08:30 | restore.requested
        09:00 C Requested(by C) + look Succeeded, other lists than after the restore -> Requested(by C), POST restore contoso@08:30
    "#]]);
}

#[test]
fn where_the_lists_were_not_read_after_the_restore_it_counts_as_changed() {
    let mut story = Story::of_secondary().having(|story| {
        story.restore_runs("02:30", manifest("02:00"));
        story.tick("02:50").poll(ended_badly()).write(WriteOnce::Written)
    });
    story.nobody_watched_until("08:00").offer("09:00", manifest("08:30")).drive().look(finds("Succeeded"));
    story.check(expect![[r#"
        nobody could tell who serves until 08:00
        09:00 C Idle + manifest contoso@08:30 -> Idle, rest | restore.wished {wish: contoso@08:30; attempts: -; seen: 08:30}
        09:00 C Idle + resumed -> Idle, look for contoso@08:30
        09:00 C Idle + look Succeeded -> Idle, rest | restore.deferred {deferred: since 09:00: up to 2026-03-10T08:00:00Z nobody could tell who carries the traffic, and contoso-dr may have changed (its lists were not read then) since contoso-20260310T020000Z was restored into it: users may have been there. If what is there now may be overwritten, restore a backup by hand or say `resume`}
    "#]]);
}

/// The lists could not be read when the restore had ended, and a later comparison comes out like this.
fn compared_later(found: fn(&Compare) -> ComparedStretch) -> Story {
    let mut story = Story::of_secondary().reading_by_hand().having(|story| {
        story.restore_runs("02:30", manifest("02:00").with_inventory());
        story.tick("02:50").poll(ended()).read_services().compare_with(given_up);
        story.write(WriteOnce::Written)
    });
    story.nobody_watched_until("03:30").tick("03:49").read_services();
    story.tick("03:50").read_services().compare_with(found);
    story.offer("09:10", manifest("08:30")).drive().look(finds("Succeeded"));
    story
}

#[test]
fn lists_that_were_not_read_then_are_known_once_all_of_it_is_found_as_it_was_restored() {
    compared_later(equal).check(expect![[r#"
        nobody could tell who serves until 03:30
        03:49 C Idle + resumed -> Idle, rest
        03:49 C nothing is to be read
        03:50 D Idle + resumed -> Idle, rest
        03:50 D Idle + resumed -> Idle, again {aside: compared again}
        03:50 D Idle + resumed -> Idle, read and compare {aside: compared again(by D)}
        03:50 D Idle + compared -> Idle, again | standby.compared {holds: contoso@02:00 verified; aside: -}
        03:50 D Idle + resumed -> Idle, rest
        09:10 E Idle + manifest contoso@08:30 -> Idle, rest | restore.wished {wish: contoso@08:30; seen: 08:30}
        09:10 E Idle + resumed -> Idle, look for contoso@08:30
        09:10 E Idle + look Succeeded -> Requested(by E), look for contoso@08:30 | restore.requested
    "#]]);
    compared_later(different).check(expect![[r#"
        nobody could tell who serves until 03:30
        03:49 C Idle + resumed -> Idle, rest
        03:49 C nothing is to be read
        03:50 D Idle + resumed -> Idle, rest
        03:50 D Idle + resumed -> Idle, again {aside: compared again}
        03:50 D Idle + resumed -> Idle, read and compare {aside: compared again(by D)}
        03:50 D Idle + compared -> Idle, again | standby.mismatched {holds: contoso@02:00 mismatched; aside: -}
        03:50 D Idle + resumed -> Idle, rest
        09:10 E Idle + manifest contoso@08:30 -> Idle, rest | restore.wished {wish: contoso@08:30; seen: 08:30}
        09:10 E Idle + resumed -> Idle, look for contoso@08:30
        09:10 E Idle + look Succeeded -> Idle, rest | restore.deferred {deferred: since 09:10: up to 2026-03-10T03:30:00Z nobody could tell who carries the traffic, and contoso-dr may have changed (its lists were not read then) since contoso-20260310T020000Z was restored into it: users may have been there. If what is there now may be overwritten, restore a backup by hand or say `resume`}
    "#]]);
}
