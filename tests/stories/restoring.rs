//! How a restore ends, and what the service then holds.

use apim_dr::domain::observation::WriteOnce;
use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

fn running() -> Story {
    Story::of_secondary().having(|story| story.restore_runs("02:30", manifest("02:00")))
}

/// The restore ends without anybody seeing how; `Updating` was seen after the POST, or was not.
fn ends_unseen<'a>(story: &'a mut Story, updating_seen: bool, hour: &str) -> &'a mut Story {
    if updating_seen {
        story.tick(&format!("{hour}:40")).poll(no_word()).look(finds("Updating"));
    }
    story.tick(&format!("{hour}:50")).poll(no_word()).look(finds("Succeeded"));
    story.tick(&format!("{hour}:55")).poll(no_word()).look(finds("Succeeded"))
}

#[test]
fn azures_word_is_enough_to_hold_a_backup_that_cannot_be_compared() {
    let mut story = running();
    story.tick("02:50").poll(ended()).in_words().write(WriteOnce::Written);
    story.check(expect![[r#"
        02:50 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:50 B Running(op-1) + poll 200 -> Verifying, again | restore.ended
        02:50 B Verifying(by B) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; wish: -; closed: unverified contoso@02:00}
              contoso-dr holds it after 20 min; not compared: the backup has no inventory to compare with
        02:50 B Idle + written -> Idle, rest {closed: -}
    "#]]);
}

#[test]
fn an_accepted_restore_that_failed_leaves_it_unknown_what_is_held() {
    let mut story = Story::of_secondary().having(|story| {
        story.restore_held("01:30", "01:50", manifest("01:00"));
        story.restore_runs("02:30", manifest("02:00"))
    });
    story.tick("02:50").poll(ended_badly()).in_words();
    story.check(expect![[r#"
        02:50 D Running(op-1) + resumed -> Running(op-1), poll op-1
        02:50 D Running(op-1) + poll 400 BackupRestoreFailed -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.failed {holds: unknown after contoso@02:00; attempts: 1, again from 02:55; restore failures: 1, again from 02:55; closed: failed contoso@02:00}
              Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written. The next attempt comes at 2026-03-10T02:55:00Z
    "#]]);
}

#[test]
fn a_held_backup_forgets_the_failures_before_it() {
    let mut story =
        running().having(|story| story.tick("02:40").poll(ended_badly()).write(WriteOnce::Written));
    story.tick("02:45").look(finds("Succeeded")).look(finds("Succeeded")).answer(accepted("op-2"));
    story.tick("03:05").poll(ended());
    story.check(expect![[r#"
        02:45 C Idle + resumed -> Idle, look for contoso@02:00
        02:45 C Idle + look Succeeded -> Requested(by C), look for contoso@02:00 | restore.requested
        02:45 C Requested(by C) + look Succeeded -> Requested(by C), POST restore contoso@02:00
        02:45 C Requested(by C) + 202 op-2 -> Running(op-2), rest | restore.accepted
        03:05 D Running(op-2) + resumed -> Running(op-2), poll op-2
        03:05 D Running(op-2) + poll 200 -> Verifying, again | restore.ended
        03:05 D Verifying(by D) + compared -> Idle, write history/contoso-dr/20260310T024500Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; wish: -; attempts: -; restore failures: -; closed: unverified contoso@02:00}
    "#]]);
}

#[test]
fn ended_unseen_the_first_time_it_is_an_attempt_that_failed() {
    let mut story = running();
    ends_unseen(&mut story, true, "02").in_words();
    story.check(expect![[r#"
        02:40 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:40 B Running(op-1) + poll HTTP 404 -> Running(op-1), look
        02:40 B Running(op-1) + look Updating -> Running(op-1, Updating seen), rest
        02:50 C Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        02:50 C Running(op-1, Updating seen) + poll HTTP 404 -> Running(op-1, Updating seen), look
        02:50 C Running(op-1, Updating seen) + look Succeeded -> Running(op-1, Updating seen, free since 02:50), rest
        02:55 D Running(op-1, Updating seen, free since 02:50) + resumed -> Running(op-1, Updating seen, free since 02:50), poll op-1
        02:55 D Running(op-1, Updating seen, free since 02:50) + poll HTTP 404 -> Running(op-1, Updating seen, free since 02:50), look
        02:55 D Running(op-1, Updating seen, free since 02:50) + look Succeeded -> Verifying, again | restore.ended
        02:55 D Verifying(by D) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.failed {holds: unknown after contoso@02:00; attempts: 1, again from 03:00; restore failures: 1, again from 03:00; unseen ends: 1; closed: failed contoso@02:00}
              it ended and Azure no longer says how; not compared: the backup has no inventory to compare with. The next attempt comes at 2026-03-10T03:00:00Z
    "#]]);
}

#[test]
fn ended_unseen_the_second_time_it_is_held_but_not_verified() {
    let mut story = running().having(|story| ends_unseen(story, true, "02").write(WriteOnce::Written));
    story.tick("03:30").look(finds("Succeeded")).look(finds("Succeeded")).answer(accepted("op-2"));
    ends_unseen(&mut story, true, "03").in_words();
    story.check(expect![[r#"
        03:30 E Idle + resumed -> Idle, look for contoso@02:00
        03:30 E Idle + look Succeeded -> Requested(by E), look for contoso@02:00 | restore.requested
        03:30 E Requested(by E) + look Succeeded -> Requested(by E), POST restore contoso@02:00
        03:30 E Requested(by E) + 202 op-2 -> Running(op-2), rest | restore.accepted
        03:40 F Running(op-2) + resumed -> Running(op-2), poll op-2
        03:40 F Running(op-2) + poll HTTP 404 -> Running(op-2), look
        03:40 F Running(op-2) + look Updating -> Running(op-2, Updating seen), rest
        03:50 G Running(op-2, Updating seen) + resumed -> Running(op-2, Updating seen), poll op-2
        03:50 G Running(op-2, Updating seen) + poll HTTP 404 -> Running(op-2, Updating seen), look
        03:50 G Running(op-2, Updating seen) + look Succeeded -> Running(op-2, Updating seen, free since 03:50), rest
        03:55 H Running(op-2, Updating seen, free since 03:50) + resumed -> Running(op-2, Updating seen, free since 03:50), poll op-2
        03:55 H Running(op-2, Updating seen, free since 03:50) + poll HTTP 404 -> Running(op-2, Updating seen, free since 03:50), look
        03:55 H Running(op-2, Updating seen, free since 03:50) + look Succeeded -> Verifying, again | restore.ended
        03:55 H Verifying(by H) + compared -> Idle, write history/contoso-dr/20260310T033000Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; wish: -; attempts: -; restore failures: -; unseen ends: -; closed: unverified contoso@02:00}
              contoso-dr holds it after 25 min; not compared: it ended unseen twice after the service had been Updating, and the backup has no inventory to compare with
    "#]]);
}

#[test]
fn an_end_without_updating_seen_does_not_count_as_the_second_one() {
    let mut story = running().having(|story| ends_unseen(story, true, "02").write(WriteOnce::Written));
    story.tick("03:30").look(finds("Succeeded")).look(finds("Succeeded")).answer(accepted("op-2"));
    ends_unseen(&mut story, false, "03").in_words();
    story.check(expect![[r#"
        03:30 E Idle + resumed -> Idle, look for contoso@02:00
        03:30 E Idle + look Succeeded -> Requested(by E), look for contoso@02:00 | restore.requested
        03:30 E Requested(by E) + look Succeeded -> Requested(by E), POST restore contoso@02:00
        03:30 E Requested(by E) + 202 op-2 -> Running(op-2), rest | restore.accepted
        03:50 F Running(op-2) + resumed -> Running(op-2), poll op-2
        03:50 F Running(op-2) + poll HTTP 404 -> Running(op-2), look
        03:50 F Running(op-2) + look Succeeded -> Running(op-2, free since 03:50), rest
        03:55 G Running(op-2, free since 03:50) + resumed -> Running(op-2, free since 03:50), poll op-2
        03:55 G Running(op-2, free since 03:50) + poll HTTP 404 -> Running(op-2, free since 03:50), look
        03:55 G Running(op-2, free since 03:50) + look Succeeded -> Verifying, again | restore.ended
        03:55 G Verifying + resumed -> Idle, write history/contoso-dr/20260310T033000Z-restore.json | restore.failed {attempts: 2, again from 04:10; restore failures: 2, again from 04:10; closed: failed contoso@02:00}
              it ended and Azure no longer says how; the service was never seen Updating after the request. The next attempt comes at 2026-03-10T04:10:00Z
    "#]]);
}

#[test]
fn an_unseen_end_of_another_backup_counts_for_itself() {
    let mut story = running().having(|story| ends_unseen(story, true, "02").write(WriteOnce::Written));
    story.restore_runs("03:30", manifest("03:00"));
    ends_unseen(&mut story, true, "03");
    story.check(expect![[r#"
        03:30 E Idle + manifest contoso@03:00 -> Idle, rest | restore.wished {wish: contoso@03:00; attempts: -; seen: 03:00}
        03:30 E Idle + resumed -> Idle, look for contoso@03:00
        03:30 E Idle + look Succeeded -> Requested(by E), look for contoso@03:00 | restore.requested
        03:30 E Requested(by E) + look Succeeded -> Requested(by E), POST restore contoso@03:00
        03:30 E Requested(by E) + 202 op-1 -> Running(op-1), rest | restore.accepted
        03:40 F Running(op-1) + resumed -> Running(op-1), poll op-1
        03:40 F Running(op-1) + poll HTTP 404 -> Running(op-1), look
        03:40 F Running(op-1) + look Updating -> Running(op-1, Updating seen), rest
        03:50 G Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        03:50 G Running(op-1, Updating seen) + poll HTTP 404 -> Running(op-1, Updating seen), look
        03:50 G Running(op-1, Updating seen) + look Succeeded -> Running(op-1, Updating seen, free since 03:50), rest
        03:55 H Running(op-1, Updating seen, free since 03:50) + resumed -> Running(op-1, Updating seen, free since 03:50), poll op-1
        03:55 H Running(op-1, Updating seen, free since 03:50) + poll HTTP 404 -> Running(op-1, Updating seen, free since 03:50), look
        03:55 H Running(op-1, Updating seen, free since 03:50) + look Succeeded -> Verifying, again | restore.ended
        03:55 H Verifying(by H) + compared -> Idle, write history/contoso-dr/20260310T033000Z-restore.json | restore.failed {holds: unknown after contoso@03:00; attempts: 1, again from 04:00; restore failures: 2, again from 04:10; closed: failed contoso@03:00}
    "#]]);
}

#[test]
fn a_newer_wish_waits_for_the_open_restore_and_then_begins() {
    let mut story = running();
    story.offer("02:45", manifest("02:40"));
    story.tick("02:50").poll(ended());
    story.check(expect![[r#"
        02:45 B Running(op-1) + manifest contoso@02:40 -> Running(op-1), rest | restore.wished {wish: contoso@02:40; seen: 02:40}
        02:50 C Running(op-1) + resumed -> Running(op-1), poll op-1
        02:50 C Running(op-1) + poll 200 -> Verifying, again | restore.ended
        02:50 C Verifying(by C) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; closed: unverified contoso@02:00}
    "#]]);
}

#[test]
fn a_failed_attempt_of_a_wish_that_was_replaced_is_not_tried_again() {
    let mut story = running();
    story.offer("02:45", manifest("02:40"));
    story.tick("02:50").poll(ended_badly()).in_words();
    story.check(expect![[r#"
        02:45 B Running(op-1) + manifest contoso@02:40 -> Running(op-1), rest | restore.wished {wish: contoso@02:40; seen: 02:40}
        02:50 C Running(op-1) + resumed -> Running(op-1), poll op-1
        02:50 C Running(op-1) + poll 400 BackupRestoreFailed -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.failed {holds: unknown after contoso@02:00; restore failures: 1, again from 02:55; closed: failed contoso@02:00}
              Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written. It is no longer wished for
    "#]]);
}

#[test]
fn a_wish_by_hand_is_tried_again_until_it_lapses_and_an_open_attempt_ends_first() {
    let mut story = Story::of_secondary();
    story.restore_posts("02:30", manifest("02:00").by_hand()).answer(refused()).write(WriteOnce::Written);
    for again in ["02:35", "02:50", "03:50"] {
        story.tick(again).look(finds("Succeeded")).look(finds("Succeeded")).answer(refused());
        story.write(WriteOnce::Written);
    }
    story.tick("06:29");
    story.tick("06:30").in_words();
    story.check(expect![[r#"
        02:30 A Idle + by hand contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00 by hand; seen: 02:00}
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded -> Requested(by A), look for contoso@02:00 | restore.requested
        02:30 A Requested(by A) + look Succeeded -> Requested(by A), POST restore contoso@02:00
        02:30 A Requested(by A) + 400 InvalidParameters -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.failed {attempts: 1, again from 02:35; restore failures: 1, again from 02:35; closed: failed contoso@02:00}
        02:30 A Idle + written -> Idle, rest {closed: -}
        02:35 B Idle + resumed -> Idle, look for contoso@02:00
        02:35 B Idle + look Succeeded -> Requested(by B), look for contoso@02:00 | restore.requested
        02:35 B Requested(by B) + look Succeeded -> Requested(by B), POST restore contoso@02:00
        02:35 B Requested(by B) + 400 InvalidParameters -> Idle, write history/contoso-dr/20260310T023500Z-restore.json | restore.failed {attempts: 2, again from 02:50; restore failures: 2, again from 02:50; closed: failed contoso@02:00}
        02:35 B Idle + written -> Idle, rest {closed: -}
        02:50 C Idle + resumed -> Idle, look for contoso@02:00
        02:50 C Idle + look Succeeded -> Requested(by C), look for contoso@02:00 | restore.requested
        02:50 C Requested(by C) + look Succeeded -> Requested(by C), POST restore contoso@02:00
        02:50 C Requested(by C) + 400 InvalidParameters -> Idle, write history/contoso-dr/20260310T025000Z-restore.json | restore.failed {attempts: 3, again from 03:50; restore failures: 3, again from 03:50; closed: failed contoso@02:00}
        02:50 C Idle + written -> Idle, rest {closed: -}
        03:50 D Idle + resumed -> Idle, look for contoso@02:00
        03:50 D Idle + look Succeeded -> Requested(by D), look for contoso@02:00 | restore.requested
        03:50 D Requested(by D) + look Succeeded -> Requested(by D), POST restore contoso@02:00
        03:50 D Requested(by D) + 400 InvalidParameters -> Idle, write history/contoso-dr/20260310T035000Z-restore.json | restore.failed {attempts: 4, again from 09:50; restore failures: 4, again from 09:50; closed: failed contoso@02:00}
        03:50 D Idle + written -> Idle, rest {closed: -}
        06:29 E Idle + resumed -> Idle, rest
        06:30 F Idle + resumed -> Idle, again | restore.lapsed {wish: -; attempts: -; seen: -}
        06:30 F Idle + resumed -> Idle, rest
              contoso-20260310T020000Z was asked for by hand at 2026-03-10T02:30:00Z and not restored within 4 h: ask again
    "#]]);
    let mut open =
        Story::of_secondary().having(|story| story.restore_runs("02:30", manifest("02:00").by_hand()));
    open.tick("06:30").poll(still_running());
    open.tick("06:40").poll(ended());
    open.check(expect![[r#"
        06:30 B Running(op-1) + resumed -> Running(op-1), poll op-1
        06:30 B Running(op-1) + poll 202 -> Running(op-1, Updating seen), rest
        06:40 C Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        06:40 C Running(op-1, Updating seen) + poll 200 -> Verifying, again | restore.ended
        06:40 C Verifying(by C) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; wish: -; closed: unverified contoso@02:00}
    "#]]);
}

#[test]
fn a_restore_into_the_primary_is_attempted_once() {
    let failing_back = || {
        Story::of_primary().having(|story| {
            story.backup_verified("02:00", "02:20");
            story.serving("contoso-dr");
            story.restore_posts("03:00", manifest_of("contoso-dr", "02:50").by_hand())
        })
    };
    let mut refusing = failing_back();
    refusing.answer(refused()).in_words();
    refusing.check(expect![[r#"
        03:00 C Requested(by C) + 400 InvalidParameters -> Idle, write history/contoso/20260310T030000Z-restore.json | restore.failed {wish: -; restore failures: 1, again from 03:05; closed: failed contoso-dr@02:50}
              Azure refused the restore: HTTP 400 InvalidParameters: the storage account is not reachable. A restore into the primary is attempted once: look, then ask again by hand
    "#]]);
    let mut failing = failing_back();
    failing.answer(accepted("op-1")).tick("03:20").poll(ended_badly());
    failing.check(expect![[r#"
        03:00 C Requested(by C) + 202 op-1 -> Running(op-1), rest | restore.accepted {ours: yes}
        03:20 D Running(op-1) + resumed -> Running(op-1), poll op-1
        03:20 D Running(op-1) + poll 400 BackupRestoreFailed -> Idle, write history/contoso/20260310T030000Z-restore.json | restore.failed {holds: unknown after contoso-dr@02:50; wish: -; restore failures: 1, again from 03:25; closed: failed contoso-dr@02:50}
    "#]]);
    let mut lost = failing_back();
    lost.answer(unanswered()).tick("03:08").look(finds("Succeeded"));
    lost.check(expect![[r#"
        03:00 C Requested(by C) + the connection was reset -> Requested(by C), rest | restore.unanswered
        03:08 D Requested(by C) + resumed -> Requested(taken over by D), look
        03:08 D Requested(taken over by D) + look Succeeded -> Idle, write history/contoso/20260310T030000Z-restore.json | restore.failed {holds: unknown after contoso-dr@02:50; wish: -; restore failures: 1, again from 03:13; closed: failed contoso-dr@02:50}
    "#]]);
    let mut only_busy = failing_back();
    only_busy.answer(busy()).tick("03:01");
    only_busy.check(expect![[r#"
        03:00 C Requested(by C) + 409 ServiceLocked -> Idle, rest | restore.busy {busy since: 03:00}
        03:01 D Idle + resumed -> Idle, look for contoso-dr@02:50
    "#]]);
}
