//! When a backup is due: by schedule, because there has never been one, because somebody asks.

use apim_dr::domain::observation::WriteOnce;
use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

#[test]
fn the_first_backup_of_all_is_due_at_once() {
    let mut story = Story::of_primary();
    story.tick("13:37");
    story.check(expect![[r#"
        13:37 A Idle + resumed -> Idle, look for contoso@13:37
    "#]]);
}

#[test]
fn a_secondary_is_not_backed_up_by_itself() {
    let mut story = Story::of_secondary();
    story.tick("02:00");
    story.wish_backup("02:01").drive();
    story.check(expect![[r#"
        02:00 A Idle + resumed -> Idle, rest
        02:01 B Idle + a backup now -> Idle, rest | backup.wished {backup wished: by B}
        02:01 B Idle + resumed -> Idle, look for contoso-dr@02:01
    "#]]);
}

#[test]
fn an_occurrence_is_covered_by_a_backup_that_began_after_it() {
    let mut story = Story::of_primary().having(|story| story.backup_verified("02:00", "02:20"));
    story.tick("03:00");
    story.tick("11T01:59:59");
    story.tick("11T02:00");
    story.check(expect![[r#"
        03:00 C Idle + resumed -> Idle, rest
        11T01:59:59 D Idle + resumed -> Idle, rest
        11T02:00 E Idle + resumed -> Idle, look for contoso@11T02:00
    "#]]);
}

#[test]
fn a_wish_covers_the_occurrences_that_have_passed() {
    let mut story = Story::of_primary().having(|story| story.backup_verified("01:00", "01:20"));
    story.wish_backup("02:00").drive().look(finds("Succeeded"));
    story.look(finds("Succeeded")).answer(accepted("op-1"));
    story.tick("02:20").poll(ended()).inspect(found()).write(WriteOnce::Written).write(WriteOnce::Written);
    story.tick("02:21");
    story.check(expect![[r#"
        02:00 C Idle + a backup now -> Idle, rest | backup.wished {backup wished: by C}
        02:00 C Idle + resumed -> Idle, look for contoso@02:00
        02:00 C Idle + look Succeeded -> Inventory, again
        02:00 C Inventory(read, by C) + joined -> Requested(by C), look for contoso@02:00 | inventory.taken backup.requested
        02:00 C Requested(by C) + look Succeeded -> Requested(by C), POST backup contoso@02:00
        02:00 C Requested(by C) + 202 op-1 -> Running(op-1), rest | backup.accepted {backup wished: -}
        02:20 D Running(op-1) + resumed -> Running(op-1), poll op-1
        02:20 D Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        02:20 D Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
        02:20 D Committing + written -> Idle, again | backup.verified {backups: contoso@01:00 contoso@02:00; last verified: contoso@02:00; covered: 02:00; aside: inventory after of contoso@02:00; closed: verified contoso@02:00}
        02:20 D Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
        02:20 D Idle + written -> Idle, rest {closed: -}
        02:20 D Idle + joined -> Idle, again | inventory.taken {aside: -}
        02:21 E Idle + resumed -> Idle, rest
    "#]]);
}

#[test]
fn a_wish_starts_at_once_over_schedule_and_backoff() {
    let mut story = Story::of_primary().having(|story| {
        story.backup_verified("02:00", "02:20");
        story.wish_backup("03:00").drive().look(finds("Succeeded")).look(finds("Succeeded")).answer(refused())
    });
    story.wish_backup("03:01").in_words().drive().look(finds("Succeeded"));
    story.check(expect![[r#"
        03:01 D Idle + a backup now -> Idle, rest | backup.wished {backup wished: by D}
              a backup of contoso was asked for
        03:01 D Idle + resumed -> Idle, look for contoso@03:01
        03:01 D Idle + look Succeeded -> Inventory, again
        03:01 D Inventory(read, by D) + joined -> Requested(by D), look for contoso@03:01 | inventory.taken backup.requested
    "#]]);
}

#[test]
fn the_first_counted_attempt_spends_a_wish_and_nothing_else_does() {
    let mut story = Story::of_primary().having(|story| story.backup_verified("02:00", "02:20"));
    story.wish_backup("03:00").drive().look(finds("Updating"));
    story.tick("03:01").look(finds("Succeeded")).look(finds("Updating"));
    story.tick("03:02").look(finds("Succeeded")).look(finds("Succeeded")).answer(busy());
    story.tick("03:03").look(finds("Succeeded")).look(finds("Succeeded")).answer(refused());
    story.tick("03:08").write(WriteOnce::Written);
    story.check(expect![[r#"
        03:00 C Idle + a backup now -> Idle, rest | backup.wished {backup wished: by C}
        03:00 C Idle + resumed -> Idle, look for contoso@03:00
        03:00 C Idle + look Updating -> Idle, rest | backup.waiting {busy since: 03:00}
        03:01 D Idle + resumed -> Idle, look for contoso@03:01
        03:01 D Idle + look Succeeded -> Inventory, again
        03:01 D Inventory(read, by D) + joined -> Requested(by D), look for contoso@03:01 | inventory.taken backup.requested
        03:01 D Requested(by D) + look Updating -> Prepared, rest | backup.undone
        03:02 E Prepared + resumed -> Prepared, look for contoso@03:01
        03:02 E Prepared + look Succeeded -> Requested(by E), look for contoso@03:01 | backup.requested
        03:02 E Requested(by E) + look Succeeded -> Requested(by E), POST backup contoso@03:01
        03:02 E Requested(by E) + 409 ServiceLocked -> Prepared, rest | backup.busy
        03:03 F Prepared + resumed -> Prepared, look for contoso@03:01
        03:03 F Prepared + look Succeeded -> Requested(by F), look for contoso@03:01 | backup.requested
        03:03 F Requested(by F) + look Succeeded -> Requested(by F), POST backup contoso@03:01
        03:03 F Requested(by F) + 400 InvalidParameters -> Idle, again | backup.failed {backup wished: -; backup failures: 1, again from 03:08; busy since: -; closed: failed contoso@03:01}
        03:03 F Idle + resumed -> Idle, write history/contoso/20260310T030300Z-backup.json
        03:08 G Idle + resumed -> Idle, write history/contoso/20260310T030300Z-backup.json
        03:08 G Idle + written -> Idle, rest {closed: -}
    "#]]);
}

#[test]
fn an_accepted_backup_spends_the_wish() {
    let mut story = Story::of_primary().having(|story| story.wish_backup("02:00").drive());
    story.look(finds("Succeeded")).look(finds("Succeeded")).answer(accepted("op-1"));
    story.check(expect![[r#"
        02:00 A Idle + look Succeeded -> Inventory, again
        02:00 A Inventory(read, by A) + joined -> Requested(by A), look for contoso@02:00 | inventory.taken backup.requested
        02:00 A Requested(by A) + look Succeeded -> Requested(by A), POST backup contoso@02:00
        02:00 A Requested(by A) + 202 op-1 -> Running(op-1), rest | backup.accepted {backup wished: -}
    "#]]);
}

#[test]
fn while_a_run_is_open_there_is_no_second_one() {
    let mut story = Story::of_primary().having(|story| story.tick("02:00").look(finds("Succeeded")));
    story.wish_backup("02:01").in_words();
    story.meanwhile("A", "02:01:01").look(finds("Succeeded")).answer(accepted("op-1"));
    story.wish_backup("02:10").drive().poll(ended()).inspect(unreadable());
    story.wish_backup("02:11").drive().inspect(found());
    story.wish_backup("02:12").drive();
    story.check(expect![[r#"
        02:01 B Requested(by A) + a backup now -> Requested(by A), rest | backup.already_running
              contoso-20260310T020000Z is already under way; no second backup is begun beside it
        02:01:01 A Requested(by A) + look Succeeded -> Requested(by A), POST backup contoso@02:00
        02:01:01 A Requested(by A) + 202 op-1 -> Running(op-1), rest | backup.accepted
        02:10 C Running(op-1) + a backup now -> Running(op-1), rest | backup.already_running
        02:10 C Running(op-1) + resumed -> Running(op-1), poll op-1
        02:10 C Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        02:10 C Proving + blob: HTTP 403 AuthorizationFailure -> Proving, stop
        02:11 D Proving + a backup now -> Proving, rest | backup.already_running
        02:11 D Proving + resumed -> Proving, inspect blob
        02:11 D Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
        02:12 E Committing + a backup now -> Committing, rest | backup.already_running
        02:12 E Committing + resumed -> Committing, write manifest
    "#]]);
}

#[test]
fn a_wish_waits_for_a_restore_and_goes_before_the_next_one() {
    let mut story = Story::of_secondary().having(|story| story.restore_runs("02:30", manifest("02:00")));
    story.wish_backup("02:40").drive().poll(still_running());
    story.offer("02:45", manifest("02:40"));
    story.tick("02:50").poll(ended());
    story.check(expect![[r#"
        02:40 B Running(op-1) + a backup now -> Running(op-1), rest | backup.wished {backup wished: by B}
        02:40 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:40 B Running(op-1) + poll 202 -> Running(op-1, Updating seen), rest
        02:45 C Running(op-1, Updating seen) + manifest contoso@02:40 -> Running(op-1, Updating seen), rest | restore.wished {wish: contoso@02:40; seen: 02:40}
        02:50 D Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        02:50 D Running(op-1, Updating seen) + poll 200 -> Verifying, again | restore.ended
        02:50 D Verifying(by D) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; closed: unverified contoso@02:00}
    "#]]);
}

#[test]
fn a_wish_that_does_not_begin_within_an_hour_lapses() {
    let mut story = Story::of_primary().having(|story| story.backup_verified("02:00", "02:20"));
    story.wish_backup("03:00").drive().look(finds("Updating"));
    story.tick("03:59:59").look(finds("Updating"));
    story.tick("04:00").in_words();
    story.wish_backup("04:05").drive().look(finds("Succeeded"));
    story.check(expect![[r#"
        03:00 C Idle + a backup now -> Idle, rest | backup.wished {backup wished: by C}
        03:00 C Idle + resumed -> Idle, look for contoso@03:00
        03:00 C Idle + look Updating -> Idle, rest | backup.waiting {busy since: 03:00}
        03:59:59 D Idle + resumed -> Idle, look for contoso@03:59:59
        03:59:59 D Idle + look Updating -> Idle, rest | backup.waiting
        04:00 E Idle + resumed -> Idle, again | backup.lapsed {backup wished: -; backup failures: noted}
        04:00 E Idle + resumed -> Idle, rest {busy since: -}
              the backup asked for at 2026-03-10T03:00:00Z could not begin within an hour: ask again
        04:05 F Idle + a backup now -> Idle, rest | backup.wished {backup wished: by F}
        04:05 F Idle + resumed -> Idle, look for contoso@04:05
        04:05 F Idle + look Succeeded -> Inventory, again
        04:05 F Inventory(read, by F) + joined -> Requested(by F), look for contoso@04:05 | inventory.taken backup.requested
    "#]]);
}

#[test]
fn what_resume_asked_for_does_not_lapse_and_no_later_wish_makes_it() {
    let mut story = Story::of_primary().having(|story| {
        story.backup_verified("02:00", "02:20").resumed_at("03:00");
        story.wish_backup("03:30")
    });
    story.tick("05:00").look(finds("Updating"));
    story.check(expect![[r#"
        05:00 D Idle + resumed -> Idle, look for contoso@05:00
        05:00 D Idle + look Updating -> Idle, rest | backup.waiting {busy since: 05:00}
    "#]]);
}

#[test]
fn nothing_that_wants_to_begin_ends_being_busy() {
    let mut story = Story::of_primary().having(|story| story.backup_verified("02:00", "02:20"));
    story.wish_backup("03:00").drive().look(finds("Updating"));
    story.tick("04:00");
    story.check(expect![[r#"
        03:00 C Idle + a backup now -> Idle, rest | backup.wished {backup wished: by C}
        03:00 C Idle + resumed -> Idle, look for contoso@03:00
        03:00 C Idle + look Updating -> Idle, rest | backup.waiting {busy since: 03:00}
        04:00 D Idle + resumed -> Idle, again | backup.lapsed {backup wished: -; backup failures: noted}
        04:00 D Idle + resumed -> Idle, rest {busy since: -}
    "#]]);
}

#[test]
fn what_waits_for_something_else_is_not_kept_waiting_by_azure() {
    let mut story =
        Story::of_secondary().having(|story| story.restore_posts("02:30", manifest("02:00")).answer(busy()));
    story.serving_unknown().tick("02:31");
    story.serving("contoso").latched("contoso-ap", "02:32").tick("02:33");
    story.check(expect![[r#"
        the profile does not say who serves
        02:31 B Idle + resumed -> Idle, rest | restore.deferred {deferred: since 02:31: which service carries the traffic is not known: the profile is disabled}
        contoso carries the traffic
        failed over to contoso-ap since 02:32
        02:33 C Idle + resumed -> Idle, rest | restore.deferred {deferred: since 02:31: contoso-ap has carried the traffic since 2026-03-10T02:32:00Z, and what was changed there must not be lost: say `resume` when the primary is to be followed again; busy since: -}
    "#]]);
}

/// Azure called the service busy once. Since then it is free, and waits for another one to be restored.
#[test]
fn a_service_found_free_is_not_kept_waiting_by_azure() {
    let mut story =
        Story::of_secondary().having(|story| story.restore_posts("02:30", manifest("02:00")).answer(busy()));
    story.tick("02:31").look(finds("Succeeded").restoring("contoso-ap"));
    story.check(expect![[r#"
        02:31 B Idle + resumed -> Idle, look for contoso@02:00
        02:31 B Idle + look Succeeded, contoso-ap is being restored -> Idle, rest | restore.deferred {deferred: since 02:31: one service is restored at a time, and now it is contoso-ap; busy since: -}
    "#]]);
}

#[test]
fn a_wish_that_lapsed_during_the_look_begins_nothing() {
    let mut story = Story::of_primary().having(|story| {
        story.backup_verified("02:00", "02:20");
        story.wish_backup("03:00").drive()
    });
    story.tick("04:00");
    story.meanwhile("C", "04:00:01").look(finds("Succeeded"));
    story.check(expect![[r#"
        04:00 D Idle + resumed -> Idle, again | backup.lapsed {backup wished: -; backup failures: noted}
        04:00 D Idle + resumed -> Idle, rest
        04:00:01 C Idle + look Succeeded -> Idle, rest
    "#]]);
}
