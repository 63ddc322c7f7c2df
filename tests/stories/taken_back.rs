//! What the command line can say beside a backup and a restore: that a restore shall not be after all, and that a service
//! with another id is the same one.

use apim_dr::domain::adoption::adopt;
use apim_dr::domain::offer::withdraw;
use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

fn primary() -> Story {
    Story::of_primary().having(|story| story.backup_verified("02:00", "02:20"))
}

#[test]
fn a_withdrawn_wish_by_hand_gives_seen_back_and_the_newest_is_taken_up() {
    let mut story =
        Story::of_secondary().having(|story| story.restore_held("01:00", "01:30", manifest("00:30")));
    story.serving_unknown();
    story.offer("02:30", manifest("02:00").by_hand()).drive();
    story.wish("02:40", "withdraw", withdraw).in_words().drive();
    story.takes_up("02:41", &primary());
    story.check(expect![[r#"
        the profile does not say who serves
        02:30 C Idle + by hand contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00 by hand; seen: 02:00}
        02:30 C Idle + resumed -> Idle, rest | restore.deferred {deferred: since 02:30: which service carries the traffic is not known: the profile is disabled}
        02:40 D Idle + withdraw -> Idle, rest | restore.withdrawn {wish: -; deferred: -; seen: 00:30}
              contoso-20260310T020000Z is no longer to be restored into contoso-dr
        02:40 D Idle + resumed -> Idle, rest
        02:41 a tick takes up contoso@02:00
    "#]]);
}

#[test]
fn a_withdrawn_automatic_wish_is_not_taken_up_again() {
    let mut story =
        Story::of_secondary().having(|story| story.serving_unknown().offer("02:30", manifest("02:00")));
    story.wish("02:40", "withdraw", withdraw).in_words().drive();
    story.takes_up("02:41", &primary());
    story.check(expect![[r#"
        02:40 B Idle + withdraw -> Idle, rest | restore.withdrawn {wish: -}
              contoso-20260310T020000Z is no longer to be restored into contoso-dr
        02:40 B Idle + resumed -> Idle, rest
        02:41 a tick takes up nothing
    "#]]);
}

#[test]
fn what_azure_has_taken_is_followed_to_its_end_and_not_tried_again() {
    let mut story =
        Story::of_secondary().having(|story| story.restore_runs("02:30", manifest("02:00").by_hand()));
    story.wish("02:40", "withdraw", withdraw).in_words().drive().poll(ended_badly()).in_words();
    story.check(expect![[r#"
        02:40 B Running(op-1) + withdraw -> Running(op-1), rest | restore.withdrawn {wish: -; seen: -}
              contoso-20260310T020000Z is no longer to be restored into contoso-dr; what has begun of it cannot be stopped, and is followed to its end
        02:40 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:40 B Running(op-1) + poll 400 BackupRestoreFailed -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.failed {holds: unknown after contoso@02:00; restore failures: 1, again from 02:45; closed: failed contoso@02:00}
              Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written. It is no longer wished for
    "#]]);
}

#[test]
fn a_claim_that_was_not_posted_yet_is_undone() {
    let mut story = Story::of_secondary()
        .having(|story| story.offer("02:30", manifest("02:00").by_hand()).drive().look(finds("Succeeded")));
    story.wish("02:30:05", "withdraw", withdraw);
    story.meanwhile("A", "02:30:06").look(finds("Succeeded"));
    story.tick("02:31");
    story.check(expect![[r#"
        02:30:05 B Requested(by A) + withdraw -> Requested(by A), rest | restore.withdrawn {wish: -; seen: -}
        02:30:06 A Requested(by A) + look Succeeded -> Idle, rest | restore.undone
        02:31 C Idle + resumed -> Idle, rest
    "#]]);
}

#[test]
fn a_pin_stays_and_that_is_said() {
    let mut story = Story::of_secondary().having(|story| {
        story.serving_unknown();
        story.offer("02:30", manifest("01:00").by_hand().though_newest_is("02:00"))
    });
    story.wish("02:40", "withdraw", withdraw).in_words();
    story.check(expect![[r#"
        02:40 B Idle + withdraw -> Idle, rest | restore.withdrawn {wish: -; seen: -}
              contoso-20260310T010000Z is no longer to be restored into contoso-dr; contoso-dr stays pinned to contoso-20260310T010000Z: nothing is restored by itself until the newest backup is restored by hand
    "#]]);
}

#[test]
fn without_a_wish_nothing_is_taken_back_and_in_a_dry_run_neither() {
    let mut story = Story::of_secondary();
    story.wish("02:00", "withdraw", withdraw);
    story.serving_unknown().offer("02:30", manifest("02:00"));
    story.set_dry_run(true).wish("02:40", "withdraw", withdraw).in_words();
    story.check(expect![[r#"
        02:00 A Idle + withdraw -> Idle, rest
        the profile does not say who serves
        02:30 B Idle + manifest contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00; seen: 02:00}
        DRY_RUN=true
        02:40 C Idle + withdraw -> Idle, rest | wish.refused
              DRY_RUN is on: the wish for contoso-20260310T020000Z is not taken back
    "#]]);
}

fn moved(id: &str) -> apim_dr::domain::id::ServiceId {
    service(id).as_str().replace("resourceGroups/apis", "resourceGroups/moved").parse().expect("an id")
}

#[test]
fn a_moved_service_is_adopted_once() {
    let mut story = primary();
    story
        .wish("03:00", "adopt", |context, record| adopt(context, record, &moved("contoso"), false))
        .in_words();
    story.wish("03:01", "adopt", |context, record| adopt(context, record, &moved("contoso"), false));
    story.check(expect![[r#"
        03:00 C Idle + adopt -> Idle, rest | record.adopted
              the record accepts /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/moved/providers/Microsoft.ApiManagement/service/contoso in place of /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/apis/providers/Microsoft.ApiManagement/service/contoso
        03:01 D Idle + adopt -> Idle, rest
    "#]]);
}

#[test]
fn what_is_open_under_the_old_id_is_named_and_has_to_be_meant() {
    let mut story = Story::of_primary().having(|story| story.backup_runs("02:00"));
    let id = moved("contoso");
    story.wish("02:10", "adopt", |context, record| adopt(context, record, &id, false)).in_words();
    story.wish("02:11", "adopt all the same", |context, record| adopt(context, record, &id, true)).in_words();
    story.drive().poll(no_word()).look(finds("Updating"));
    story.check(expect![[r#"
        02:10 B Running(op-1) + adopt -> Running(op-1), rest | wish.refused
              the backup contoso-20260310T020000Z is open since 2026-03-10T02:00:00Z under the old id /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/apis/providers/Microsoft.ApiManagement/service/contoso, and will be judged by what is found under the new one: say `apim-dr adopt contoso --yes` if that is meant
        02:11 C Running(op-1) + adopt all the same -> Running(op-1), rest | record.adopted
              the record accepts /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/moved/providers/Microsoft.ApiManagement/service/contoso in place of /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/apis/providers/Microsoft.ApiManagement/service/contoso
        02:11 C Running(op-1) + resumed -> Running(op-1), poll op-1
        02:11 C Running(op-1) + poll HTTP 404 -> Running(op-1), look
        02:11 C Running(op-1) + look Updating -> Running(op-1, Updating seen), rest
    "#]]);
}

#[test]
fn a_dry_run_adopts_nothing() {
    let mut story = primary();
    story.set_dry_run(true);
    story
        .wish("03:00", "adopt", |context, record| adopt(context, record, &moved("contoso"), true))
        .in_words();
    story.check(expect![[r#"
        DRY_RUN=true
        03:00 C Idle + adopt -> Idle, rest | wish.refused
              DRY_RUN is on: the record keeps its id
    "#]]);
}
