//! Following an operation that Azure has taken: what an answer to a POST and to a poll means, and deadlines.

use apim_dr::domain::observation::WriteOnce;
use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

fn posting() -> Story {
    Story::of_primary().having(|story| story.backup_posts("02:00"))
}

fn running() -> Story {
    posting().having(|story| story.answer(accepted("op-1")))
}

fn restore_posting() -> Story {
    Story::of_secondary().having(|story| story.restore_posts("02:30", manifest("02:00")))
}

fn restore_running() -> Story {
    restore_posting().having(|story| story.answer(accepted("op-1")))
}

#[test]
fn the_post_202_with_a_location_is_polled() {
    let mut story = posting();
    story.answer(accepted("op-1"));
    story.tick("02:01");
    story.check(expect![[r#"
        02:00 A Requested(by A) + 202 op-1 -> Running(op-1), rest | backup.accepted
        02:01 B Running(op-1) + resumed -> Running(op-1), poll op-1
    "#]]);
}

#[test]
fn the_post_200_or_202_without_a_location_is_followed_by_the_services_state() {
    let mut story = posting();
    story.answer(accepted_without_operation()).in_words();
    story.tick("02:01").look(finds("Updating"));
    story.tick("02:15").look(finds("Succeeded"));
    story.tick("02:20").look(finds("Succeeded"));
    story.check(expect![[r#"
        02:00 A Requested(by A) + 202 without Location -> Running, rest | backup.accepted
              Azure took the backup without naming an operation of ours: the service's state is followed
        02:01 B Running + resumed -> Running, look
        02:01 B Running + look Updating -> Running(Updating seen), rest
        02:15 C Running(Updating seen) + resumed -> Running(Updating seen), look
        02:15 C Running(Updating seen) + look Succeeded -> Running(Updating seen, free since 02:15), rest
        02:20 D Running(Updating seen, free since 02:15) + resumed -> Running(Updating seen, free since 02:15), look
        02:20 D Running(Updating seen, free since 02:15) + look Succeeded -> Proving, inspect blob | backup.ended
    "#]]);
}

#[test]
fn the_post_409_429_503_is_undone_and_counts_nothing() {
    let mut story = posting();
    story.answer(busy()).in_words();
    story.tick("02:01").look(finds("Succeeded")).look(finds("Succeeded")).answer(busy());
    story.tick("02:02").look(finds("Succeeded")).look(finds("Succeeded")).answer(accepted("op-1"));
    story.check(expect![[r#"
        02:00 A Requested(by A) + 409 ServiceLocked -> Prepared, rest | backup.busy {busy since: 02:00}
              the claim is undone, nothing is counted: Azure is busy: HTTP 409 ServiceLocked: another operation runs
        02:01 B Prepared + resumed -> Prepared, look for contoso@02:00
        02:01 B Prepared + look Succeeded -> Requested(by B), look for contoso@02:00 | backup.requested
        02:01 B Requested(by B) + look Succeeded -> Requested(by B), POST backup contoso@02:00
        02:01 B Requested(by B) + 409 ServiceLocked -> Prepared, rest | backup.busy
        02:02 C Prepared + resumed -> Prepared, look for contoso@02:00
        02:02 C Prepared + look Succeeded -> Requested(by C), look for contoso@02:00 | backup.requested
        02:02 C Requested(by C) + look Succeeded -> Requested(by C), POST backup contoso@02:00
        02:02 C Requested(by C) + 202 op-1 -> Running(op-1), rest | backup.accepted {busy since: -}
    "#]]);
}

#[test]
fn the_post_refused_after_being_busy_is_no_longer_busy() {
    let mut story = posting();
    story.answer(busy());
    story.tick("02:01").look(finds("Succeeded")).look(finds("Succeeded")).answer(refused());
    story.check(expect![[r#"
        02:00 A Requested(by A) + 409 ServiceLocked -> Prepared, rest | backup.busy {busy since: 02:00}
        02:01 B Prepared + resumed -> Prepared, look for contoso@02:00
        02:01 B Prepared + look Succeeded -> Requested(by B), look for contoso@02:00 | backup.requested
        02:01 B Requested(by B) + look Succeeded -> Requested(by B), POST backup contoso@02:00
        02:01 B Requested(by B) + 400 InvalidParameters -> Idle, again | backup.failed {backup failures: 1, again from 02:06; busy since: -; closed: failed contoso@02:00}
        02:01 B Idle + resumed -> Idle, write history/contoso/20260310T020100Z-backup.json
    "#]]);
}

#[test]
fn the_post_401_after_a_new_token_is_undone_and_fails_the_invocation() {
    let mut story = posting();
    story.answer(unauthorised());
    story.tick("02:01");
    story.check(expect![[r#"
        02:00 A Requested(by A) + 401 twice -> Prepared, stop | backup.undone
        02:01 B Prepared + resumed -> Prepared, look for contoso@02:00
    "#]]);
}

#[test]
fn the_post_another_4xx_failed_in_azures_own_words() {
    let mut story = posting();
    story.answer(refused()).in_words();
    story.check(expect![[r#"
        02:00 A Requested(by A) + 400 InvalidParameters -> Idle, again | backup.failed {backup failures: 1, again from 02:05; closed: failed contoso@02:00}
        02:00 A Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
              Azure refused the backup: HTTP 400 InvalidParameters: the storage account is not reachable. While a backup is still due, the next attempt comes at 2026-03-10T02:05:00Z
    "#]]);
}

#[test]
fn the_post_without_an_answer_lets_the_claim_stand() {
    let mut story = posting();
    story.answer(unanswered()).in_words();
    story.tick("02:07");
    story.check(expect![[r#"
        02:00 A Requested(by A) + the connection was reset -> Requested(by A), rest | backup.unanswered
              no usable answer to the backup request (the connection was reset); the claim stands for 8 min
        02:07 B Requested(by A) + resumed -> Requested(by A), rest
    "#]]);
}

#[test]
fn the_restore_post_means_the_same() {
    let mut story = restore_posting();
    story.answer(busy());
    story.tick("02:31").look(finds("Succeeded")).look(finds("Succeeded")).answer(unauthorised());
    story.tick("02:32").look(finds("Succeeded")).look(finds("Succeeded")).answer(unanswered());
    story.tick("02:40").look(finds("Succeeded"));
    story
        .tick("02:45")
        .look(finds("Succeeded"))
        .look(finds("Succeeded"))
        .answer(accepted_without_operation());
    story.check(expect![[r#"
        02:30 A Requested(by A) + 409 ServiceLocked -> Idle, rest | restore.busy {busy since: 02:30}
        02:31 B Idle + resumed -> Idle, look for contoso@02:00
        02:31 B Idle + look Succeeded -> Requested(by B), look for contoso@02:00 | restore.requested
        02:31 B Requested(by B) + look Succeeded -> Requested(by B), POST restore contoso@02:00
        02:31 B Requested(by B) + 401 twice -> Idle, stop | restore.undone
        02:32 C Idle + resumed -> Idle, look for contoso@02:00
        02:32 C Idle + look Succeeded -> Requested(by C), look for contoso@02:00 | restore.requested
        02:32 C Requested(by C) + look Succeeded -> Requested(by C), POST restore contoso@02:00
        02:32 C Requested(by C) + the connection was reset -> Requested(by C), rest | restore.unanswered
        02:40 D Requested(by C) + resumed -> Requested(taken over by D), look
        02:40 D Requested(taken over by D) + look Succeeded -> Idle, write history/contoso-dr/20260310T023200Z-restore.json | restore.failed {holds: unknown after contoso@02:00; attempts: 1, again from 02:45; restore failures: 1, again from 02:45; closed: failed contoso@02:00}
        02:45 E Idle + resumed -> Idle, look for contoso@02:00
        02:45 E Idle + look Succeeded -> Requested(by E), look for contoso@02:00 | restore.requested
        02:45 E Requested(by E) + look Succeeded -> Requested(by E), POST restore contoso@02:00
        02:45 E Requested(by E) + 202 without Location -> Running, rest | restore.accepted {busy since: -}
    "#]]);
}

#[test]
fn the_restore_post_refused_after_being_busy_is_no_longer_busy_and_leaves_what_it_holds() {
    let mut story = Story::of_secondary().having(|story| {
        story.restore_held("01:30", "01:50", manifest("01:00"));
        story.restore_posts("02:30", manifest("02:00")).answer(busy())
    });
    story.tick("02:31").look(finds("Succeeded")).look(finds("Succeeded")).answer(refused()).in_words();
    story.check(expect![[r#"
        02:31 D Idle + resumed -> Idle, look for contoso@02:00
        02:31 D Idle + look Succeeded -> Requested(by D), look for contoso@02:00 | restore.requested
        02:31 D Requested(by D) + look Succeeded -> Requested(by D), POST restore contoso@02:00
        02:31 D Requested(by D) + 400 InvalidParameters -> Idle, write history/contoso-dr/20260310T023100Z-restore.json | restore.failed {attempts: 1, again from 02:36; restore failures: 1, again from 02:36; busy since: -; closed: failed contoso@02:00}
              Azure refused the restore: HTTP 400 InvalidParameters: the storage account is not reachable. The next attempt comes at 2026-03-10T02:36:00Z
    "#]]);
}

#[test]
fn the_poll_202_runs_on() {
    let mut story = running();
    story.tick("02:01").poll(still_running());
    story.tick("02:02").poll(still_running());
    story.check(expect![[r#"
        02:01 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:01 B Running(op-1) + poll 202 -> Running(op-1, Updating seen), rest
        02:02 C Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        02:02 C Running(op-1, Updating seen) + poll 202 -> Running(op-1, Updating seen), rest
    "#]]);
}

#[test]
fn retry_after_delays_the_next_poll_by_five_minutes_at_most() {
    let mut story = posting();
    story.answer(accepted_for("op-1", 1));
    story.tick("02:00:59");
    story.tick("02:01").poll(still_running_for(60));
    story.tick("02:01:01");
    story.tick("02:05:59");
    story.tick("02:06").poll(still_running());
    story.check(expect![[r#"
        02:00 A Requested(by A) + 202 op-1 -> Running(op-1, asked again from 02:01), rest | backup.accepted
        02:00:59 B Running(op-1, asked again from 02:01) + resumed -> Running(op-1, asked again from 02:01), rest
        02:01 C Running(op-1, asked again from 02:01) + resumed -> Running(op-1, asked again from 02:01), poll op-1
        02:01 C Running(op-1, asked again from 02:01) + poll 202 -> Running(op-1, Updating seen, asked again from 02:06), rest
        02:01:01 D Running(op-1, Updating seen, asked again from 02:06) + resumed -> Running(op-1, Updating seen, asked again from 02:06), rest
        02:05:59 E Running(op-1, Updating seen, asked again from 02:06) + resumed -> Running(op-1, Updating seen, asked again from 02:06), rest
        02:06 F Running(op-1, Updating seen, asked again from 02:06) + resumed -> Running(op-1, Updating seen, asked again from 02:06), poll op-1
        02:06 F Running(op-1, Updating seen, asked again from 02:06) + poll 202 -> Running(op-1, Updating seen), rest
    "#]]);
}

#[test]
fn a_wait_that_a_wrong_clock_wrote_is_not_waited_for() {
    let mut story =
        Story::of_primary().having(|story| story.backup_posts("12T02:00").answer(accepted_for("op-1", 5)));
    story.tick("02:00");
    story.check(expect![[r#"
        02:00 B Running(op-1, asked again from 12T02:05) + resumed -> Running(op-1, asked again from 12T02:05), poll op-1
    "#]]);
}

#[test]
fn the_poll_that_says_failed_is_believed_in_azures_own_words() {
    let mut story = running();
    story.tick("02:20").poll(ended_badly()).in_words();
    story.check(expect![[r#"
        02:20 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:20 B Running(op-1) + poll 400 BackupRestoreFailed -> Idle, again | backup.failed {backup failures: 1, again from 02:25; closed: failed contoso@02:00}
        02:20 B Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
              Azure says that the backup failed: HTTP 400 BackupRestoreFailed: the blob could not be written. While a backup is still due, the next attempt comes at 2026-03-10T02:25:00Z
    "#]]);
}

#[test]
fn the_poll_that_says_nothing_means_running_while_the_service_is_updating() {
    let mut story = running();
    story.tick("02:10").poll(no_word()).look(finds("Updating"));
    story.tick("02:11").poll(no_word()).look(finds_nothing());
    story.tick("02:12").poll(no_word()).look(finds_error(404, "ResourceNotFound"));
    story.tick("02:13").poll(no_word()).look(finds("Activating"));
    story.tick("02:14").poll(no_word()).look(has_no_token());
    story.check(expect![[r#"
        02:10 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:10 B Running(op-1) + poll HTTP 404 -> Running(op-1), look
        02:10 B Running(op-1) + look Updating -> Running(op-1, Updating seen), rest
        02:11 C Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        02:11 C Running(op-1, Updating seen) + poll HTTP 404 -> Running(op-1, Updating seen), look
        02:11 C Running(op-1, Updating seen) + look timed out -> Running(op-1, Updating seen), rest
        02:12 D Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        02:12 D Running(op-1, Updating seen) + poll HTTP 404 -> Running(op-1, Updating seen), look
        02:12 D Running(op-1, Updating seen) + look HTTP 404 ResourceNotFound: no look -> Running(op-1, Updating seen), rest
        02:13 E Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        02:13 E Running(op-1, Updating seen) + poll HTTP 404 -> Running(op-1, Updating seen), look
        02:13 E Running(op-1, Updating seen) + look Activating -> Running(op-1, Updating seen), rest
        02:14 F Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        02:14 F Running(op-1, Updating seen) + poll HTTP 404 -> Running(op-1, Updating seen), look
        02:14 F Running(op-1, Updating seen) + look no token: 401 -> Running(op-1, Updating seen), stop
    "#]]);
}

#[test]
fn two_looks_five_minutes_apart_end_it_unseen() {
    let mut story = running();
    story.tick("02:10").poll(no_word()).look(finds("Succeeded"));
    story.tick("02:14:59").poll(no_word()).look(finds("Succeeded"));
    story.tick("02:15").poll(no_word()).look(finds("Failed"));
    story.check(expect![[r#"
        02:10 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:10 B Running(op-1) + poll HTTP 404 -> Running(op-1), look
        02:10 B Running(op-1) + look Succeeded -> Running(op-1, free since 02:10), rest
        02:14:59 C Running(op-1, free since 02:10) + resumed -> Running(op-1, free since 02:10), poll op-1
        02:14:59 C Running(op-1, free since 02:10) + poll HTTP 404 -> Running(op-1, free since 02:10), look
        02:14:59 C Running(op-1, free since 02:10) + look Succeeded -> Running(op-1, free since 02:10), rest
        02:15 D Running(op-1, free since 02:10) + resumed -> Running(op-1, free since 02:10), poll op-1
        02:15 D Running(op-1, free since 02:10) + poll HTTP 404 -> Running(op-1, free since 02:10), look
        02:15 D Running(op-1, free since 02:10) + look Failed -> Proving, inspect blob | backup.ended
    "#]]);
}

#[test]
fn an_updating_service_or_a_202_between_the_two_looks_begins_them_anew() {
    let mut story = running();
    story.tick("02:10").poll(no_word()).look(finds("Succeeded"));
    story.tick("02:12").poll(no_word()).look(finds("Updating"));
    story.tick("02:16").poll(no_word()).look(finds("Succeeded"));
    story.tick("02:18").poll(still_running());
    story.tick("02:22").poll(no_word()).look(finds("Succeeded"));
    story.tick("02:26").poll(no_word()).look(finds("Succeeded"));
    story.tick("02:27").poll(no_word()).look(finds("Succeeded"));
    story.check(expect![[r#"
        02:10 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:10 B Running(op-1) + poll HTTP 404 -> Running(op-1), look
        02:10 B Running(op-1) + look Succeeded -> Running(op-1, free since 02:10), rest
        02:12 C Running(op-1, free since 02:10) + resumed -> Running(op-1, free since 02:10), poll op-1
        02:12 C Running(op-1, free since 02:10) + poll HTTP 404 -> Running(op-1, free since 02:10), look
        02:12 C Running(op-1, free since 02:10) + look Updating -> Running(op-1, Updating seen), rest
        02:16 D Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        02:16 D Running(op-1, Updating seen) + poll HTTP 404 -> Running(op-1, Updating seen), look
        02:16 D Running(op-1, Updating seen) + look Succeeded -> Running(op-1, Updating seen, free since 02:16), rest
        02:18 E Running(op-1, Updating seen, free since 02:16) + resumed -> Running(op-1, Updating seen, free since 02:16), poll op-1
        02:18 E Running(op-1, Updating seen, free since 02:16) + poll 202 -> Running(op-1, Updating seen), rest
        02:22 F Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        02:22 F Running(op-1, Updating seen) + poll HTTP 404 -> Running(op-1, Updating seen), look
        02:22 F Running(op-1, Updating seen) + look Succeeded -> Running(op-1, Updating seen, free since 02:22), rest
        02:26 G Running(op-1, Updating seen, free since 02:22) + resumed -> Running(op-1, Updating seen, free since 02:22), poll op-1
        02:26 G Running(op-1, Updating seen, free since 02:22) + poll HTTP 404 -> Running(op-1, Updating seen, free since 02:22), look
        02:26 G Running(op-1, Updating seen, free since 02:22) + look Succeeded -> Running(op-1, Updating seen, free since 02:22), rest
        02:27 H Running(op-1, Updating seen, free since 02:22) + resumed -> Running(op-1, Updating seen, free since 02:22), poll op-1
        02:27 H Running(op-1, Updating seen, free since 02:22) + poll HTTP 404 -> Running(op-1, Updating seen, free since 02:22), look
        02:27 H Running(op-1, Updating seen, free since 02:22) + look Succeeded -> Proving, inspect blob | backup.ended
    "#]]);
}

#[test]
fn an_operation_may_still_say_how_it_ended_after_it_said_nothing() {
    let mut story = running();
    story.tick("02:10").poll(no_word()).look(finds("Succeeded"));
    story.tick("02:11").poll(ended());
    story.check(expect![[r#"
        02:10 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:10 B Running(op-1) + poll HTTP 404 -> Running(op-1), look
        02:10 B Running(op-1) + look Succeeded -> Running(op-1, free since 02:10), rest
        02:11 C Running(op-1, free since 02:10) + resumed -> Running(op-1, free since 02:10), poll op-1
        02:11 C Running(op-1, free since 02:10) + poll 200 -> Proving, inspect blob | backup.ended
    "#]]);
}

#[test]
fn past_its_deadline_a_backup_raises_an_alarm_once_and_is_followed_while_updating() {
    let mut story = running();
    story.tick("05:59:59").poll(still_running());
    story.tick("06:00").poll(still_running()).look(finds("Updating")).in_words();
    story.tick("06:01").poll(no_word()).look(finds("Updating"));
    story.tick("06:02").poll(ended());
    story.check(expect![[r#"
        05:59:59 B Running(op-1) + resumed -> Running(op-1), poll op-1
        05:59:59 B Running(op-1) + poll 202 -> Running(op-1, Updating seen), rest
        06:00 C Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        06:00 C Running(op-1, Updating seen) + poll 202 -> Running(op-1, Updating seen), look
        06:00 C Running(op-1, Updating seen) + look Updating -> Running(op-1, Updating seen), rest | backup.overdue {overdue: yes}
              under way since 2026-03-10T02:00:00Z and past its deadline of 4 h; it is followed on. A service that never leaves Updating can be freed by Azure support alone: open a request
        06:01 D Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        06:01 D Running(op-1, Updating seen) + poll HTTP 404 -> Running(op-1, Updating seen), look
        06:01 D Running(op-1, Updating seen) + look Updating -> Running(op-1, Updating seen), rest
        06:02 E Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        06:02 E Running(op-1, Updating seen) + poll 200 -> Proving, inspect blob | backup.ended
    "#]]);
}

#[test]
fn a_deadline_is_judged_after_the_poll_and_the_look() {
    let mut story = running();
    story.tick("06:00").at("06:02").too_late();
    story.tick("06:03").poll(ended());
    story.check(expect![[r#"
        06:00 B Running(op-1) + resumed -> Running(op-1), poll op-1
        06:02 B Running(op-1) + too late -> Running(op-1), rest
        06:03 C Running(op-1) + resumed -> Running(op-1), poll op-1
        06:03 C Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
    "#]]);
}

#[test]
fn past_its_deadline_a_202_from_a_service_that_is_free_ends_unseen() {
    let mut story = running();
    story.tick("06:00").poll(still_running()).look(finds("Succeeded"));
    story.tick("06:03").poll(still_running()).look(finds("Succeeded"));
    story.tick("06:05").poll(still_running()).look(finds("Succeeded")).inspect(found());
    story.check(expect![[r#"
        06:00 B Running(op-1) + resumed -> Running(op-1), poll op-1
        06:00 B Running(op-1) + poll 202 -> Running(op-1), look
        06:00 B Running(op-1) + look Succeeded -> Running(op-1, free since 06:00), rest | backup.overdue {overdue: yes}
        06:03 C Running(op-1, free since 06:00) + resumed -> Running(op-1, free since 06:00), poll op-1
        06:03 C Running(op-1, free since 06:00) + poll 202 -> Running(op-1, free since 06:00), look
        06:03 C Running(op-1, free since 06:00) + look Succeeded -> Running(op-1, free since 06:00), rest
        06:05 D Running(op-1, free since 06:00) + resumed -> Running(op-1, free since 06:00), poll op-1
        06:05 D Running(op-1, free since 06:00) + poll 202 -> Running(op-1, free since 06:00), look
        06:05 D Running(op-1, free since 06:00) + look Succeeded -> Proving, inspect blob | backup.ended
        06:05 D Proving + blob of 4096 bytes, ETag "0x1" -> Proving(seen 06:05), rest
    "#]]);
}

#[test]
fn a_claim_a_proof_and_a_manifest_have_the_same_deadline() {
    let mut claim = posting().having(|story| story.answer(unanswered()));
    claim.tick("06:00").look(finds_error(404, "ResourceNotFound"));
    claim.tick("06:08").look(has_no_token());
    claim.check(expect![[r#"
        06:00 B Requested(by A) + resumed -> Requested(taken over by B), look for contoso@02:00
        06:00 B Requested(taken over by B) + look HTTP 404 ResourceNotFound: no look -> Requested(taken over by B), rest | backup.overdue {overdue: yes}
        06:08 C Requested(taken over by B) + resumed -> Requested(taken over by C), look for contoso@02:00
        06:08 C Requested(taken over by C) + look no token: 401 -> Requested(taken over by C), stop
    "#]]);
    let mut proof = running();
    proof.tick("05:50").poll(ended()).inspect(unreadable());
    proof.tick("06:00").inspect(unreadable());
    proof.tick("06:01").inspect(found()).write(WriteOnce::NoAnswer("timed out".into()));
    proof.check(expect![[r#"
        05:50 B Running(op-1) + resumed -> Running(op-1), poll op-1
        05:50 B Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        05:50 B Proving + blob: HTTP 403 AuthorizationFailure -> Proving, stop
        06:00 C Proving + resumed -> Proving, inspect blob
        06:00 C Proving + blob: HTTP 403 AuthorizationFailure -> Proving, stop | backup.overdue {overdue: yes}
        06:01 D Proving + resumed -> Proving, inspect blob
        06:01 D Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
        06:01 D Committing + no answer -> Committing, stop
    "#]]);
    let mut manifest = running();
    manifest.tick("05:50").poll(ended()).inspect(found());
    manifest.tick("06:00").write(WriteOnce::NoAnswer("timed out".into()));
    manifest.check(expect![[r#"
        05:50 B Running(op-1) + resumed -> Running(op-1), poll op-1
        05:50 B Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        05:50 B Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
        06:00 C Committing + resumed -> Committing, write manifest
        06:00 C Committing + no answer -> Committing, stop | backup.overdue {overdue: yes}
    "#]]);
}

#[test]
fn past_its_deadline_a_restore_raises_an_alarm_and_holds_up_no_other_target() {
    let mut story = restore_running();
    story.holds_up_others("08:29:59");
    story.tick("08:30").poll(still_running()).look(finds("Updating")).in_words();
    story.holds_up_others("08:31");
    story.tick("08:32").poll(still_running()).look(finds("Updating"));
    story.check(expect![[r#"
        08:29:59 holds up others: true
        08:30 B Running(op-1) + resumed -> Running(op-1), poll op-1
        08:30 B Running(op-1) + poll 202 -> Running(op-1), look
        08:30 B Running(op-1) + look Updating -> Running(op-1, Updating seen), rest | restore.overdue {overdue: yes}
              under way since 2026-03-10T02:30:00Z and past its deadline of 6 h; it is followed on and holds up no other service. A service that never leaves Updating can be freed by Azure support alone: open a request
        08:31 holds up others: false
        08:32 C Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        08:32 C Running(op-1, Updating seen) + poll 202 -> Running(op-1, Updating seen), look
        08:32 C Running(op-1, Updating seen) + look Updating -> Running(op-1, Updating seen), rest
    "#]]);
}

#[test]
fn a_restore_claim_that_cannot_be_looked_at_holds_up_others_until_its_deadline() {
    let mut story = restore_posting().having(|story| story.answer(unanswered()));
    story.tick("08:29").look(finds_nothing());
    story.holds_up_others("08:29");
    story.tick("08:37").look(finds_nothing());
    story.holds_up_others("08:37");
    story.check(expect![[r#"
        08:29 B Requested(by A) + resumed -> Requested(taken over by B), look
        08:29 B Requested(taken over by B) + look timed out -> Requested(taken over by B), rest
        08:29 holds up others: true
        08:37 C Requested(taken over by B) + resumed -> Requested(taken over by C), look
        08:37 C Requested(taken over by C) + look timed out -> Requested(taken over by C), rest | restore.overdue {overdue: yes}
        08:37 holds up others: false
    "#]]);
}
