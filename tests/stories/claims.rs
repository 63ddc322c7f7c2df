//! Beginning an operation: the claim, the looks, the POST and its answer.

use apim_dr::domain::observation::WriteOnce;
use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

#[test]
fn a_backup_is_claimed_looked_at_again_and_posted() {
    let mut story = Story::of_primary();
    story.tick("02:00").look(finds("Succeeded")).at("02:00:01").look(finds("Failed")).at("02:00:02");
    story.answer(accepted("op-1"));
    story.check(expect![[r#"
        02:00 A Idle + resumed -> Idle, look for contoso@02:00
        02:00 A Idle + look Succeeded -> Inventory, again
        02:00 A Inventory(read, by A) + joined -> Requested(by A), look for contoso@02:00 | inventory.taken backup.requested
        02:00:01 A Requested(by A) + look Failed -> Requested(by A), POST backup contoso@02:00
        02:00:02 A Requested(by A) + 202 op-1 -> Running(op-1), rest | backup.accepted
    "#]]);
}

#[test]
fn a_service_that_is_updating_gets_no_claim() {
    let mut story = Story::of_primary();
    story.tick("02:00").look(finds("Updating")).in_words();
    story.tick("02:01").look(finds("Activating")).in_words();
    story.tick("02:02").look(finds_error(403, "AuthorizationFailed")).in_words();
    story.tick("02:03").look(finds_nothing()).in_words();
    story.tick("02:04").look(finds("Succeeded").blob(unreadable())).in_words();
    story.tick("02:05").look(has_no_token());
    story.check(expect![[r#"
        02:00 A Idle + resumed -> Idle, look for contoso@02:00
        02:00 A Idle + look Updating -> Idle, rest | backup.waiting {busy since: 02:00}
              the service is Updating, and only Succeeded or Failed can be backed up
        02:01 B Idle + resumed -> Idle, look for contoso@02:01
        02:01 B Idle + look Activating -> Idle, rest | backup.waiting
              the service is Activating, and only Succeeded or Failed can be backed up
        02:02 C Idle + resumed -> Idle, look for contoso@02:02
        02:02 C Idle + look HTTP 403 AuthorizationFailed: no look -> Idle, rest | backup.waiting
              the service cannot be looked at: HTTP 403 AuthorizationFailed: no look
        02:03 D Idle + resumed -> Idle, look for contoso@02:03
        02:03 D Idle + look timed out -> Idle, rest | backup.waiting
              the service cannot be looked at: timed out
        02:04 E Idle + resumed -> Idle, look for contoso@02:04
        02:04 E Idle + look Succeeded, blob: HTTP 403 AuthorizationFailure -> Idle, rest | backup.waiting
              whether the backup's name is free is not known: HTTP 403 AuthorizationFailure
        02:05 F Idle + resumed -> Idle, look for contoso@02:05
        02:05 F Idle + look no token: 401 -> Idle, stop
    "#]]);
}

#[test]
fn what_no_longer_holds_after_the_claim_undoes_it() {
    let mut story = Story::of_primary();
    story.tick("02:00").look(finds("Succeeded")).look(finds("Updating"));
    story.tick("02:01").look(finds("Succeeded")).look(finds_nothing());
    story.tick("02:02").look(finds("Succeeded")).look(finds("Succeeded").blob(found()));
    story.tick("02:03").look(finds("Succeeded")).look(finds("Succeeded").blob(unreadable()));
    story.tick("02:04").look(finds("Succeeded")).look(has_no_token());
    story.check(expect![[r#"
        02:00 A Idle + resumed -> Idle, look for contoso@02:00
        02:00 A Idle + look Succeeded -> Inventory, again
        02:00 A Inventory(read, by A) + joined -> Requested(by A), look for contoso@02:00 | inventory.taken backup.requested
        02:00 A Requested(by A) + look Updating -> Prepared, rest | backup.undone
        02:01 B Prepared + resumed -> Prepared, look for contoso@02:00
        02:01 B Prepared + look Succeeded -> Requested(by B), look for contoso@02:00 | backup.requested
        02:01 B Requested(by B) + look timed out -> Prepared, rest | backup.undone
        02:02 C Prepared + resumed -> Prepared, look for contoso@02:00
        02:02 C Prepared + look Succeeded -> Requested(by C), look for contoso@02:00 | backup.requested
        02:02 C Requested(by C) + look Succeeded, blob of 4096 bytes, ETag "0x1" -> Prepared, rest | backup.undone
        02:03 D Prepared + resumed -> Prepared, look for contoso@02:00
        02:03 D Prepared + look Succeeded -> Requested(by D), look for contoso@02:00 | backup.requested
        02:03 D Requested(by D) + look Succeeded, blob: HTTP 403 AuthorizationFailure -> Prepared, rest | backup.undone
        02:04 E Prepared + resumed -> Prepared, look for contoso@02:00
        02:04 E Prepared + look Succeeded -> Requested(by E), look for contoso@02:00 | backup.requested
        02:04 E Requested(by E) + look no token: 401 -> Prepared, stop | backup.undone
    "#]]);
}

#[test]
fn what_became_too_late_is_not_posted_and_the_claim_is_undone() {
    let mut story = Story::of_primary();
    story.tick("02:00").look(finds("Succeeded")).at("02:02").too_late();
    story.tick("02:03").look(finds("Succeeded")).look(finds("Succeeded")).at("02:03:31").too_late();
    story.tick("02:04").at("02:06").too_late();
    story.check(expect![[r#"
        02:00 A Idle + resumed -> Idle, look for contoso@02:00
        02:00 A Idle + look Succeeded -> Inventory, again
        02:00 A Inventory(read, by A) + joined -> Requested(by A), look for contoso@02:00 | inventory.taken backup.requested
        02:02 A Requested(by A) + too late -> Prepared, rest | backup.undone
        02:03 B Prepared + resumed -> Prepared, look for contoso@02:00
        02:03 B Prepared + look Succeeded -> Requested(by B), look for contoso@02:00 | backup.requested
        02:03 B Requested(by B) + look Succeeded -> Requested(by B), POST backup contoso@02:00
        02:03:31 B Requested(by B) + too late -> Prepared, rest | backup.undone
        02:04 C Prepared + resumed -> Prepared, look for contoso@02:00
        02:06 C Prepared + too late -> Prepared, rest
    "#]]);
}

#[test]
fn a_young_claim_is_left_to_its_writer() {
    let mut story = Story::of_primary().having(|story| story.tick("02:00").look(finds("Succeeded")));
    story.tick("02:01");
    story.tick("02:07:59");
    story.check(expect![[r#"
        02:01 B Requested(by A) + resumed -> Requested(by A), rest
        02:07:59 C Requested(by A) + resumed -> Requested(by A), rest
    "#]]);
}

#[test]
fn an_old_claim_without_a_look_stands_and_is_taken_over_again() {
    let mut story = Story::of_primary().having(|story| story.backup_posts("02:00").answer(unanswered()));
    story.tick("02:08").look(finds_nothing());
    story.tick("02:09");
    story.tick("02:16").look(finds("Activating"));
    story.tick("02:24").look(finds("Succeeded").blob(unreadable()));
    story.tick("02:32").look(has_no_token());
    story.tick("02:40").at("02:42").too_late();
    story.tick("02:47:59");
    story.tick("02:48").look(finds("Updating"));
    story.check(expect![[r#"
        02:08 B Requested(by A) + resumed -> Requested(taken over by B), look for contoso@02:00
        02:08 B Requested(taken over by B) + look timed out -> Requested(taken over by B), rest
        02:09 C Requested(taken over by B) + resumed -> Requested(taken over by B), rest
        02:16 D Requested(taken over by B) + resumed -> Requested(taken over by D), look for contoso@02:00
        02:16 D Requested(taken over by D) + look Activating -> Requested(taken over by D), rest
        02:24 E Requested(taken over by D) + resumed -> Requested(taken over by E), look for contoso@02:00
        02:24 E Requested(taken over by E) + look Succeeded, blob: HTTP 403 AuthorizationFailure -> Requested(taken over by E), rest
        02:32 F Requested(taken over by E) + resumed -> Requested(taken over by F), look for contoso@02:00
        02:32 F Requested(taken over by F) + look no token: 401 -> Requested(taken over by F), stop
        02:40 G Requested(taken over by F) + resumed -> Requested(taken over by G), look for contoso@02:00
        02:42 G Requested(taken over by G) + too late -> Requested(taken over by G), rest
        02:47:59 H Requested(taken over by G) + resumed -> Requested(taken over by G), rest
        02:48 I Requested(taken over by G) + resumed -> Requested(taken over by I), look for contoso@02:00
        02:48 I Requested(taken over by I) + look Updating -> Running(Updating seen), rest | backup.adopted
    "#]]);
}

#[test]
fn an_old_claim_on_an_updating_service_is_followed_without_an_operation() {
    let mut story = Story::of_primary().having(|story| story.backup_posts("02:00").answer(unanswered()));
    story.tick("02:08").look(finds("Updating")).in_words();
    story.tick("02:09").look(finds("Updating"));
    story.check(expect![[r#"
        02:08 B Requested(by A) + resumed -> Requested(taken over by B), look for contoso@02:00
        02:08 B Requested(taken over by B) + look Updating -> Running(Updating seen), rest | backup.adopted
              the writer of the claim is gone, and the service is Updating: taken for this backup
        02:09 C Running(Updating seen) + resumed -> Running(Updating seen), look
        02:09 C Running(Updating seen) + look Updating -> Running(Updating seen), rest
    "#]]);
}

#[test]
fn an_old_claim_whose_blob_exists_ended_unseen() {
    let mut story = Story::of_primary().having(|story| story.backup_posts("02:00").answer(unanswered()));
    story.tick("02:30").look(finds("Succeeded").blob(found())).inspect(found());
    story.tick("02:35").inspect(found());
    story.check(expect![[r#"
        02:30 B Requested(by A) + resumed -> Requested(taken over by B), look for contoso@02:00
        02:30 B Requested(taken over by B) + look Succeeded, blob of 4096 bytes, ETag "0x1" -> Proving, inspect blob | backup.ended
        02:30 B Proving + blob of 4096 bytes, ETag "0x1" -> Proving(seen 02:30), rest
        02:35 C Proving(seen 02:30) + resumed -> Proving(seen 02:30), inspect blob
        02:35 C Proving(seen 02:30) + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
    "#]]);
}

#[test]
fn an_old_claim_of_which_nothing_came_counts_as_an_attempt() {
    let mut story = Story::of_primary().having(|story| {
        story
            .wish_backup("03:00")
            .drive()
            .look(finds("Succeeded"))
            .look(finds("Succeeded"))
            .answer(unanswered())
    });
    story.tick("03:08").look(finds("Succeeded")).in_words();
    story.tick("03:13").look(finds("Succeeded"));
    story.check(expect![[r#"
        03:08 B Requested(by A) + resumed -> Requested(taken over by B), look for contoso@03:00
        03:08 B Requested(taken over by B) + look Succeeded -> Idle, again | backup.failed {backup wished: -; backup failures: 1, again from 03:13; closed: failed contoso@03:00}
        03:08 B Idle + resumed -> Idle, write history/contoso/20260310T030000Z-backup.json
              its writer was lost before Azure's answer was saved, and nothing came of it. While a backup is still due, the next attempt comes at 2026-03-10T03:13:00Z
        03:13 C Idle + resumed -> Idle, look for contoso@03:13
        03:13 C Idle + look Succeeded -> Inventory, again
        03:13 C Inventory(read, by C) + joined -> Requested(by C), look for contoso@03:13 | inventory.taken backup.requested
    "#]]);
}

#[test]
fn what_begins_again_takes_another_name_even_in_the_same_second() {
    let mut story =
        Story::of_primary().having(|story| story.wish_backup("02:00").drive().look(finds("Succeeded")));
    story.look(finds("Succeeded")).answer(refused()).write(WriteOnce::Written);
    story.wish_backup("02:00").drive().look(finds("Succeeded"));
    story.check(expect![[r#"
        02:00 A Requested(by A) + look Succeeded -> Requested(by A), POST backup contoso@02:00
        02:00 A Requested(by A) + 400 InvalidParameters -> Idle, again | backup.failed {backup wished: -; backup failures: 1, again from 02:05; closed: failed contoso@02:00}
        02:00 A Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
        02:00 A Idle + written -> Idle, rest {closed: -}
        02:00 B Idle + a backup now -> Idle, rest | backup.wished {backup wished: by B}
        02:00 B Idle + resumed -> Idle, look for contoso@02:00:01
        02:00 B Idle + look Succeeded -> Inventory, again
        02:00 B Inventory(read, by B) + joined -> Requested(by B), look for contoso@02:00:01 | inventory.taken backup.requested
    "#]]);
}

/// Nothing was begun under it, and its inventory is kept.
#[test]
fn what_was_only_claimed_begins_again_under_the_same_name() {
    let mut story = Story::of_primary().having(|story| story.backup_posts("02:00"));
    story.too_late();
    story.tick("02:00").look(finds("Succeeded"));
    story.check(expect![[r#"
        02:00 A Requested(by A) + too late -> Prepared, rest | backup.undone
        02:00 B Prepared + resumed -> Prepared, look for contoso@02:00
        02:00 B Prepared + look Succeeded -> Requested(by B), look for contoso@02:00 | backup.requested
    "#]]);
}

#[test]
fn a_name_in_use_takes_the_next_second() {
    let mut story = Story::of_primary();
    story.tick("02:00").look(finds("Succeeded").blob(found())).look(finds("Succeeded").blob(found_empty()));
    story.look(finds("Succeeded"));
    story.check(expect![[r#"
        02:00 A Idle + resumed -> Idle, look for contoso@02:00
        02:00 A Idle + look Succeeded, blob of 4096 bytes, ETag "0x1" -> Idle, look for contoso@02:00:01
        02:00 A Idle + look Succeeded, blob of 0 bytes, ETag "0x1" -> Idle, look for contoso@02:00:02
        02:00 A Idle + look Succeeded -> Inventory, again
        02:00 A Inventory(read, by A) + joined -> Requested(by A), look for contoso@02:00:02 | inventory.taken backup.requested
    "#]]);
}

#[test]
fn an_answer_is_taken_in_by_a_record_that_changed_meanwhile() {
    let mut story = Story::of_secondary().having(|story| story.restore_posts("02:30", manifest("02:00")));
    story.offer("02:31", manifest("02:10"));
    story.meanwhile("A", "02:31:10").answer(accepted("op-1"));
    story.check(expect![[r#"
        02:31 B Requested(by A) + manifest contoso@02:10 -> Requested(by A), rest | restore.wished {wish: contoso@02:10; seen: 02:10}
        02:31:10 A Requested(by A) + 202 op-1 -> Running(op-1), rest | restore.accepted {ours: yes}
    "#]]);
}

#[test]
fn an_answer_is_taken_in_although_the_roles_changed_meanwhile() {
    let mut story = Story::of_primary().having(|story| story.backup_posts("02:00"));
    story.set_primary("contoso-dr").answer(accepted("op-1"));
    story.tick("02:01").poll(still_running());
    story.check(expect![[r#"
        APIM_PRIMARY_ID=…/contoso-dr
        02:00 A Requested(by A) + 202 op-1 -> Running(op-1), rest | backup.accepted
        02:01 B Running(op-1) + resumed -> Running(op-1), again | roles.changed {seen: 02:01; primary: contoso-dr}
        02:01 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:01 B Running(op-1) + poll 202 -> Running(op-1, Updating seen), rest
    "#]]);
}

#[test]
fn an_answer_to_a_claim_that_was_taken_over_changes_nothing() {
    let mut story = Story::of_primary().having(|story| story.backup_posts("02:00"));
    story.tick("02:08");
    story.meanwhile("A", "02:08:01").answer(accepted("op-1"));
    story.check(expect![[r#"
        02:08 B Requested(by A) + resumed -> Requested(taken over by B), look for contoso@02:00
        02:08:01 A Requested(taken over by B) + 202 op-1 -> Requested(taken over by B), rest
    "#]]);
}

#[test]
fn an_answer_to_an_operation_that_was_adopted_changes_nothing() {
    let mut story = Story::of_primary().having(|story| story.backup_posts("02:00"));
    story.tick("02:08").look(finds("Updating"));
    story.meanwhile("A", "02:08:03").answer(refused());
    story.check(expect![[r#"
        02:08 B Requested(by A) + resumed -> Requested(taken over by B), look for contoso@02:00
        02:08 B Requested(taken over by B) + look Updating -> Running(Updating seen), rest | backup.adopted
        02:08:03 A Running(Updating seen) + 400 InvalidParameters -> Running(Updating seen), rest
    "#]]);
}

#[test]
fn an_answer_to_a_claim_that_is_gone_changes_nothing() {
    let mut story = Story::of_primary().having(|story| story.backup_posts("02:00"));
    story.tick("02:08").look(finds("Succeeded"));
    story.meanwhile("A", "02:08:03").answer(refused());
    story.check(expect![[r#"
        02:08 B Requested(by A) + resumed -> Requested(taken over by B), look for contoso@02:00
        02:08 B Requested(taken over by B) + look Succeeded -> Idle, again | backup.failed {backup failures: 1, again from 02:13; closed: failed contoso@02:00}
        02:08 B Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
        02:08:03 A Idle + 400 InvalidParameters -> Idle, rest
    "#]]);
}

#[test]
fn two_invocations_of_one_minute_begin_one_backup() {
    let mut story = Story::of_primary();
    story.tick("02:00");
    story.tick("02:00").look(finds("Succeeded"));
    story.meanwhile("A", "02:00:01").look(finds("Succeeded"));
    story.meanwhile("B", "02:00:02").look(finds("Succeeded"));
    story.check(expect![[r#"
        02:00 A Idle + resumed -> Idle, look for contoso@02:00
        02:00 B Idle + resumed -> Idle, look for contoso@02:00
        02:00 B Idle + look Succeeded -> Inventory, again
        02:00 B Inventory(read, by B) + joined -> Requested(by B), look for contoso@02:00 | inventory.taken backup.requested
        02:00:01 A Requested(by B) + look Succeeded (of a record that was changed since) -> Requested(by B), rest
        02:00:02 B Requested(by B) + look Succeeded -> Requested(by B), POST backup contoso@02:00
    "#]]);
}

#[test]
fn an_old_restore_claim_is_an_attempt_and_what_the_target_holds_is_unknown() {
    let mut story = Story::of_secondary()
        .having(|story| story.restore_posts("02:30", manifest("02:00")).answer(unanswered()));
    story.tick("02:37:59");
    story.tick("02:38").look(finds_nothing());
    story.tick("02:46").at("02:48").too_late();
    story.tick("02:54").look(has_no_token());
    story.tick("03:02").look(finds("Succeeded"));
    story.check(expect![[r#"
        02:37:59 B Requested(by A) + resumed -> Requested(by A), rest
        02:38 C Requested(by A) + resumed -> Requested(taken over by C), look
        02:38 C Requested(taken over by C) + look timed out -> Requested(taken over by C), rest
        02:46 D Requested(taken over by C) + resumed -> Requested(taken over by D), look
        02:48 D Requested(taken over by D) + too late -> Requested(taken over by D), rest
        02:54 E Requested(taken over by D) + resumed -> Requested(taken over by E), look
        02:54 E Requested(taken over by E) + look no token: 401 -> Requested(taken over by E), stop
        03:02 F Requested(taken over by E) + resumed -> Requested(taken over by F), look
        03:02 F Requested(taken over by F) + look Succeeded -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.failed {holds: unknown after contoso@02:00; attempts: 1, again from 03:07; restore failures: 1, again from 03:07; closed: failed contoso@02:00}
    "#]]);
}

#[test]
fn an_old_restore_claim_on_an_updating_service_is_followed() {
    let mut story = Story::of_secondary()
        .having(|story| story.restore_posts("02:30", manifest("02:00")).answer(unanswered()));
    story.tick("02:38").look(finds("Updating"));
    story.check(expect![[r#"
        02:38 B Requested(by A) + resumed -> Requested(taken over by B), look
        02:38 B Requested(taken over by B) + look Updating -> Running(Updating seen), rest | restore.adopted
    "#]]);
}

#[test]
fn a_restore_that_became_too_late_is_undone() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("02:00")).drive().look(finds("Succeeded")).at("02:32").too_late();
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00; seen: 02:00}
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded -> Requested(by A), look for contoso@02:00 | restore.requested
        02:32 A Requested(by A) + too late -> Idle, rest | restore.undone
    "#]]);
}

#[test]
fn a_closed_run_goes_into_the_history_once_each_even_when_a_race_is_lost() {
    let mut story = Story::of_primary().having(|story| {
        story.backup_runs("02:00").tick("02:20").poll(ended_badly());
        story.tick("02:25").look(finds("Succeeded")).look(finds("Succeeded")).answer(refused())
    });
    story.tick("02:26");
    story.tick("02:26").write(WriteOnce::Written);
    story.meanwhile("D", "02:26:01").write(WriteOnce::Same);
    story.check(expect![[r#"
        02:26 D Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
        02:26 E Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
        02:26 E Idle + written -> Idle, write history/contoso/20260310T022500Z-backup.json {closed: failed contoso@02:25}
        02:26:01 D Idle + there already (of a record that was changed since) -> Idle, write history/contoso/20260310T022500Z-backup.json
    "#]]);
}

#[test]
fn a_look_allows_a_post_to_the_claims_own_writer_alone() {
    let mut story = Story::of_primary().having(|story| story.tick("02:00").look(finds("Succeeded")));
    story.stray_look("02:01", for_backup("02:00"), finds("Succeeded"));
    story.check(expect![[r#"
        02:01 B Requested(by A) + look Succeeded -> Requested(by A), rest
    "#]]);
    let mut story = Story::of_secondary()
        .having(|story| story.offer("02:30", manifest("02:00")).drive().look(finds("Succeeded")));
    story.stray_look("02:31", for_restore("02:00"), finds("Succeeded"));
    story.check(expect![[r#"
        02:31 B Requested(by A) + look Succeeded -> Requested(by A), rest
    "#]]);
}

#[test]
fn only_a_free_service_shows_what_became_of_an_old_claim() {
    let mut story = Story::of_primary().having(|story| story.backup_posts("02:00").answer(unanswered()));
    story.tick("02:08").look(finds("Activating").blob(found()));
    story.tick("02:16").look(finds("Failed").blob(found()));
    story.check(expect![[r#"
        02:08 B Requested(by A) + resumed -> Requested(taken over by B), look for contoso@02:00
        02:08 B Requested(taken over by B) + look Activating, blob of 4096 bytes, ETag "0x1" -> Requested(taken over by B), rest
        02:16 C Requested(taken over by B) + resumed -> Requested(taken over by C), look for contoso@02:00
        02:16 C Requested(taken over by C) + look Failed, blob of 4096 bytes, ETag "0x1" -> Proving, inspect blob | backup.ended
    "#]]);
    let mut story = Story::of_secondary()
        .having(|story| story.restore_posts("02:30", manifest("02:00")).answer(unanswered()));
    story.tick("02:38").look(finds("Activating"));
    story.tick("02:46").look(finds("Failed"));
    story.check(expect![[r#"
        02:38 B Requested(by A) + resumed -> Requested(taken over by B), look
        02:38 B Requested(taken over by B) + look Activating -> Requested(taken over by B), rest
        02:46 C Requested(taken over by B) + resumed -> Requested(taken over by C), look
        02:46 C Requested(taken over by C) + look Failed -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.failed {holds: unknown after contoso@02:00; attempts: 1, again from 02:51; restore failures: 1, again from 02:51; closed: failed contoso@02:00}
    "#]]);
}

#[test]
fn an_answer_to_a_restore_claim_that_was_taken_over_changes_nothing() {
    let mut story = Story::of_secondary().having(|story| story.restore_posts("02:30", manifest("02:00")));
    story.tick("02:38");
    story.meanwhile("A", "02:38:01").answer(refused());
    story.check(expect![[r#"
        02:38 B Requested(by A) + resumed -> Requested(taken over by B), look
        02:38:01 A Requested(taken over by B) + 400 InvalidParameters -> Requested(taken over by B), rest
    "#]]);
}
