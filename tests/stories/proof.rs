//! What proves a backup once it has ended.

use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

fn running() -> Story {
    Story::of_primary().having(|story| story.backup_runs("02:00"))
}

/// The backup ended and Azure no longer says how.
fn ended_unseen() -> Story {
    running().having(|story| {
        story.tick("02:20").poll(no_word()).look(finds("Succeeded"));
        story.tick("02:25").poll(no_word()).look(finds("Succeeded"))
    })
}

#[test]
fn azures_word_and_a_blob_that_is_not_empty_prove_it() {
    let mut story = running();
    story.tick("02:11").poll(ended()).inspect(found());
    story.check(expect![[r#"
        02:11 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:11 B Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        02:11 B Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
    "#]]);
}

#[test]
fn azures_word_without_a_blob_is_a_failure() {
    let mut story = running();
    story.tick("02:11").poll(ended()).inspect(missing()).in_words();
    story.check(expect![[r#"
        02:11 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:11 B Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        02:11 B Proving + no blob -> Idle, again | backup.failed {backup failures: 1, again from 02:16; closed: failed contoso@02:00}
        02:11 B Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
              it ended, but there is no backup blob. While a backup is still due, the next attempt comes at 2026-03-10T02:16:00Z
    "#]]);
}

#[test]
fn azures_word_and_an_empty_blob_are_a_failure() {
    let mut story = running();
    story.tick("02:11").poll(ended()).inspect(found_empty()).in_words();
    story.check(expect![[r#"
        02:11 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:11 B Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        02:11 B Proving + blob of 0 bytes, ETag "0x1" -> Idle, again | backup.failed {backup failures: 1, again from 02:16; closed: failed contoso@02:00}
        02:11 B Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
              it ended, but the backup blob is empty. While a backup is still due, the next attempt comes at 2026-03-10T02:16:00Z
    "#]]);
}

#[test]
fn a_blob_that_cannot_be_seen_is_looked_at_again() {
    let mut story = running();
    story.tick("02:11").poll(ended()).inspect(unreadable());
    story.tick("02:12").at("02:14").too_late();
    story.tick("02:15").inspect(found());
    story.check(expect![[r#"
        02:11 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:11 B Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        02:11 B Proving + blob: HTTP 403 AuthorizationFailure -> Proving, stop
        02:12 C Proving + resumed -> Proving, inspect blob
        02:14 C Proving + too late -> Proving, rest
        02:15 D Proving + resumed -> Proving, inspect blob
        02:15 D Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
    "#]]);
}

#[test]
fn unseen_a_blob_proves_it_that_is_the_same_five_minutes_later() {
    let mut story = ended_unseen();
    story.inspect(found());
    story.tick("02:26").inspect(found());
    story.tick("02:29:59").inspect(unreadable());
    story.tick("02:30").inspect(found());
    story.check(expect![[r#"
        02:25 C Proving + blob of 4096 bytes, ETag "0x1" -> Proving(seen 02:25), rest
        02:26 D Proving(seen 02:25) + resumed -> Proving(seen 02:25), inspect blob
        02:26 D Proving(seen 02:25) + blob of 4096 bytes, ETag "0x1" -> Proving(seen 02:25), rest
        02:29:59 E Proving(seen 02:25) + resumed -> Proving(seen 02:25), inspect blob
        02:29:59 E Proving(seen 02:25) + blob: HTTP 403 AuthorizationFailure -> Proving(seen 02:25), stop
        02:30 F Proving(seen 02:25) + resumed -> Proving(seen 02:25), inspect blob
        02:30 F Proving(seen 02:25) + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
    "#]]);
}

#[test]
fn unseen_without_a_blob_it_failed() {
    let mut story = ended_unseen();
    story.inspect(missing()).in_words();
    story.check(expect![[r#"
        02:25 C Proving + no blob -> Idle, again | backup.failed {backup failures: 1, again from 02:30; closed: failed contoso@02:00}
        02:25 C Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
              it ended, but there is no backup blob. While a backup is still due, the next attempt comes at 2026-03-10T02:30:00Z
    "#]]);
}

#[test]
fn unseen_with_an_empty_blob_it_failed() {
    let mut story = ended_unseen();
    story.inspect(found_empty());
    story.check(expect![[r#"
        02:25 C Proving + blob of 0 bytes, ETag "0x1" -> Idle, again | backup.failed {backup failures: 1, again from 02:30; closed: failed contoso@02:00}
        02:25 C Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
    "#]]);
}

#[test]
fn unseen_with_a_leased_blob_it_failed() {
    let mut story = ended_unseen();
    story.inspect(found_leased()).in_words();
    story.check(expect![[r#"
        02:25 C Proving + blob of 4096 bytes, ETag "0x1", leased -> Idle, again | backup.failed {backup failures: 1, again from 02:30; closed: failed contoso@02:00}
        02:25 C Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
              it ended unseen, and somebody holds a lease on the backup blob. While a backup is still due, the next attempt comes at 2026-03-10T02:30:00Z
    "#]]);
}

#[test]
fn unseen_with_a_blob_older_than_the_request_it_failed() {
    // By the storage service's clock the request was saved at 02:02.
    let mut story = ended_unseen();
    story.inspect(found_written("02:01:59")).in_words();
    story.check(expect![[r#"
        02:25 C Proving + blob of 4096 bytes, ETag "0x1" -> Idle, again | backup.failed {backup failures: 1, again from 02:30; closed: failed contoso@02:00}
        02:25 C Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
              it ended unseen, and the backup blob is older than the request. While a backup is still due, the next attempt comes at 2026-03-10T02:30:00Z
    "#]]);
}

#[test]
fn unseen_with_a_blob_of_the_requests_own_second_it_may_be_proven() {
    let mut story = ended_unseen();
    story.inspect(found_written("02:02:00"));
    story.check(expect![[r#"
        02:25 C Proving + blob of 4096 bytes, ETag "0x1" -> Proving(seen 02:25), rest
    "#]]);
}

#[test]
fn unseen_with_a_blob_that_still_changes_it_failed() {
    let mut story = ended_unseen().having(|story| story.inspect(found()));
    story.tick("02:30").inspect(found_etag("0x2")).in_words();
    story.check(expect![[r#"
        02:30 D Proving(seen 02:25) + resumed -> Proving(seen 02:25), inspect blob
        02:30 D Proving(seen 02:25) + blob of 4096 bytes, ETag "0x2" -> Idle, again | backup.failed {backup failures: 1, again from 02:35; closed: failed contoso@02:00}
        02:30 D Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
              it ended unseen, and the backup blob was still changing. While a backup is still due, the next attempt comes at 2026-03-10T02:35:00Z
    "#]]);
    let mut story = ended_unseen().having(|story| story.inspect(found()));
    story.tick("02:30").inspect(found_length(4097)).in_words();
    story.check(expect![[r#"
        02:30 D Proving(seen 02:25) + resumed -> Proving(seen 02:25), inspect blob
        02:30 D Proving(seen 02:25) + blob of 4097 bytes, ETag "0x1" -> Idle, again | backup.failed {backup failures: 1, again from 02:35; closed: failed contoso@02:00}
        02:30 D Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
              it ended unseen, and the backup blob was still changing. While a backup is still due, the next attempt comes at 2026-03-10T02:35:00Z
    "#]]);
}

#[test]
fn unseen_the_second_look_asks_all_that_the_first_one_asked() {
    let mut story = ended_unseen().having(|story| story.inspect(found()));
    story.tick("02:30").inspect(found_leased());
    story.check(expect![[r#"
        02:30 D Proving(seen 02:25) + resumed -> Proving(seen 02:25), inspect blob
        02:30 D Proving(seen 02:25) + blob of 4096 bytes, ETag "0x1", leased -> Idle, again | backup.failed {backup failures: 1, again from 02:35; closed: failed contoso@02:00}
        02:30 D Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
    "#]]);
    let mut story = ended_unseen().having(|story| story.inspect(found()));
    story.tick("02:30").inspect(missing());
    story.check(expect![[r#"
        02:30 D Proving(seen 02:25) + resumed -> Proving(seen 02:25), inspect blob
        02:30 D Proving(seen 02:25) + no blob -> Idle, again | backup.failed {backup failures: 1, again from 02:35; closed: failed contoso@02:00}
        02:30 D Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
    "#]]);
}
