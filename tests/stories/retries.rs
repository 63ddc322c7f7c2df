//! After a failure: 5 min, 15 min, 1 h, then every 6 h; the next occurrence or a wish at once.

use apim_dr::domain::observation::WriteOnce;
use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

#[test]
fn a_due_backup_is_tried_again_later_and_later() {
    let mut story = Story::of_primary().having(|story| fails(story, "02:00"));
    for (too_early, again) in [
        ("02:04:59", "02:05"),
        ("02:19:59", "02:20"),
        ("03:19:59", "03:20"),
        ("09:19:59", "09:20"),
        ("15:19:59", "15:20"),
    ] {
        story.tick(too_early);
        fails(&mut story, again);
    }
    story.check(expect![[r#"
        02:04:59 B Idle + resumed -> Idle, rest
        02:05 C Idle + resumed -> Idle, look for contoso@02:05
        02:05 C Idle + look Succeeded -> Inventory, again
        02:05 C Inventory(read, by C) + joined -> Requested(by C), look for contoso@02:05 | inventory.taken backup.requested
        02:05 C Requested(by C) + look Succeeded -> Requested(by C), POST backup contoso@02:05
        02:05 C Requested(by C) + 400 InvalidParameters -> Idle, again | backup.failed {backup failures: 2, again from 02:20; closed: failed contoso@02:05}
        02:05 C Idle + resumed -> Idle, write history/contoso/20260310T020500Z-backup.json
        02:05 C Idle + written -> Idle, rest {closed: -}
        02:19:59 D Idle + resumed -> Idle, rest
        02:20 E Idle + resumed -> Idle, look for contoso@02:20
        02:20 E Idle + look Succeeded -> Inventory, again
        02:20 E Inventory(read, by E) + joined -> Requested(by E), look for contoso@02:20 | inventory.taken backup.requested
        02:20 E Requested(by E) + look Succeeded -> Requested(by E), POST backup contoso@02:20
        02:20 E Requested(by E) + 400 InvalidParameters -> Idle, again | backup.failed {backup failures: 3, again from 03:20; closed: failed contoso@02:20}
        02:20 E Idle + resumed -> Idle, write history/contoso/20260310T022000Z-backup.json
        02:20 E Idle + written -> Idle, rest {closed: -}
        03:19:59 F Idle + resumed -> Idle, rest
        03:20 G Idle + resumed -> Idle, look for contoso@03:20
        03:20 G Idle + look Succeeded -> Inventory, again
        03:20 G Inventory(read, by G) + joined -> Requested(by G), look for contoso@03:20 | inventory.taken backup.requested
        03:20 G Requested(by G) + look Succeeded -> Requested(by G), POST backup contoso@03:20
        03:20 G Requested(by G) + 400 InvalidParameters -> Idle, again | backup.failed {backup failures: 4, again from 09:20; closed: failed contoso@03:20}
        03:20 G Idle + resumed -> Idle, write history/contoso/20260310T032000Z-backup.json
        03:20 G Idle + written -> Idle, rest {closed: -}
        09:19:59 H Idle + resumed -> Idle, rest
        09:20 I Idle + resumed -> Idle, look for contoso@09:20
        09:20 I Idle + look Succeeded -> Inventory, again
        09:20 I Inventory(read, by I) + joined -> Requested(by I), look for contoso@09:20 | inventory.taken backup.requested
        09:20 I Requested(by I) + look Succeeded -> Requested(by I), POST backup contoso@09:20
        09:20 I Requested(by I) + 400 InvalidParameters -> Idle, again | backup.failed {backup failures: 5, again from 15:20; closed: failed contoso@09:20}
        09:20 I Idle + resumed -> Idle, write history/contoso/20260310T092000Z-backup.json
        09:20 I Idle + written -> Idle, rest {closed: -}
        15:19:59 J Idle + resumed -> Idle, rest
        15:20 K Idle + resumed -> Idle, look for contoso@15:20
        15:20 K Idle + look Succeeded -> Inventory, again
        15:20 K Inventory(read, by K) + joined -> Requested(by K), look for contoso@15:20 | inventory.taken backup.requested
        15:20 K Requested(by K) + look Succeeded -> Requested(by K), POST backup contoso@15:20
        15:20 K Requested(by K) + 400 InvalidParameters -> Idle, again | backup.failed {backup failures: 6, again from 21:20; closed: failed contoso@15:20}
        15:20 K Idle + resumed -> Idle, write history/contoso/20260310T152000Z-backup.json
        15:20 K Idle + written -> Idle, rest {closed: -}
    "#]]);
}

fn fails<'a>(story: &'a mut Story, when: &str) -> &'a mut Story {
    story.backup_posts(when).answer(refused()).write(WriteOnce::Written)
}

#[test]
fn the_next_occurrence_is_tried_at_once() {
    let mut story = Story::of_primary().having(|story| {
        story.backup_verified("02:00", "02:20");
        for when in ["11T02:00", "11T02:05", "11T02:20", "11T03:20"] {
            fails(story, when);
        }
        story.tick("11T21:00").look(finds("Succeeded")).look(finds("Succeeded")).answer(refused())
    });
    story.tick("12T01:59").write(WriteOnce::Written);
    story.tick("12T02:00");
    story.check(expect![[r#"
        12T01:59 H Idle + resumed -> Idle, write history/contoso/20260311T210000Z-backup.json
        12T01:59 H Idle + written -> Idle, rest {closed: -}
        12T02:00 I Idle + resumed -> Idle, look for contoso@12T02:00
    "#]]);
}

#[test]
fn a_failure_that_is_no_longer_due_is_not_tried_again() {
    let mut story = Story::of_primary().having(|story| {
        story.backup_verified("02:00", "02:20");
        fails(story.wish_backup("03:00"), "03:00")
    });
    story.tick("03:05");
    story.tick("11T02:00");
    story.check(expect![[r#"
        03:05 E Idle + resumed -> Idle, rest
        11T02:00 F Idle + resumed -> Idle, look for contoso@11T02:00
    "#]]);
}

#[test]
fn a_verified_backup_forgets_the_failures() {
    let mut story = Story::of_primary().having(|story| fails(story, "02:00"));
    story.backup_verified("02:05", "02:20");
    story.check(expect![[r#"
        02:05 B Idle + resumed -> Idle, look for contoso@02:05
        02:05 B Idle + look Succeeded -> Inventory, again
        02:05 B Inventory(read, by B) + joined -> Requested(by B), look for contoso@02:05 | inventory.taken backup.requested
        02:05 B Requested(by B) + look Succeeded -> Requested(by B), POST backup contoso@02:05
        02:05 B Requested(by B) + 202 op-1 -> Running(op-1), rest | backup.accepted
        02:20 C Running(op-1) + resumed -> Running(op-1), poll op-1
        02:20 C Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        02:20 C Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
        02:20 C Committing + written -> Idle, again | backup.verified {backups: contoso@02:05; last verified: contoso@02:05; covered: 02:00; backup failures: -; aside: inventory after of contoso@02:05; closed: verified contoso@02:05}
        02:20 C Idle + resumed -> Idle, write history/contoso/20260310T020500Z-backup.json
        02:20 C Idle + written -> Idle, rest {closed: -}
        02:20 C Idle + joined -> Idle, again | inventory.taken {aside: -}
    "#]]);
}

#[test]
fn a_lapsed_wish_delays_nothing() {
    let mut story = Story::of_primary().having(|story| {
        story.backup_verified("02:00", "02:20");
        story.wish_backup("11T01:30").drive().look(finds("Updating"))
    });
    story.tick("11T02:30");
    story.check(expect![[r#"
        11T02:30 D Idle + resumed -> Idle, again | backup.lapsed {backup wished: -; backup failures: noted}
        11T02:30 D Idle + resumed -> Idle, look for contoso@11T02:30
    "#]]);
}

#[test]
fn a_restore_is_tried_again_later_and_later_but_a_newer_backup_at_once() {
    let mut story = Story::of_secondary()
        .having(|story| story.restore_posts("02:30", manifest("02:00")).answer(refused()));
    story.write(WriteOnce::Written);
    story.tick("02:34:59");
    story
        .tick("02:35")
        .look(finds("Succeeded"))
        .look(finds("Succeeded"))
        .answer(refused())
        .write(WriteOnce::Written);
    story.tick("02:49:59");
    story.offer("02:49:59", manifest("02:40")).drive();
    story.check(expect![[r#"
        02:30 A Idle + written -> Idle, rest {closed: -}
        02:34:59 B Idle + resumed -> Idle, rest
        02:35 C Idle + resumed -> Idle, look for contoso@02:00
        02:35 C Idle + look Succeeded -> Requested(by C), look for contoso@02:00 | restore.requested
        02:35 C Requested(by C) + look Succeeded -> Requested(by C), POST restore contoso@02:00
        02:35 C Requested(by C) + 400 InvalidParameters -> Idle, write history/contoso-dr/20260310T023500Z-restore.json | restore.failed {attempts: 2, again from 02:50; restore failures: 2, again from 02:50; closed: failed contoso@02:00}
        02:35 C Idle + written -> Idle, rest {closed: -}
        02:49:59 D Idle + resumed -> Idle, rest
        02:49:59 E Idle + manifest contoso@02:40 -> Idle, rest | restore.wished {wish: contoso@02:40; attempts: -; seen: 02:40}
        02:49:59 E Idle + resumed -> Idle, look for contoso@02:40
    "#]]);
}

#[test]
fn a_look_from_before_a_failure_does_not_bring_the_next_attempt_forward() {
    let mut story = Story::of_secondary()
        .having(|story| story.restore_posts("02:30", manifest("02:00")).answer(refused()));
    story.write(WriteOnce::Written);
    story.stray_look("02:31", for_restore("02:00"), finds("Succeeded"));
    story.stray_look("02:35", for_restore("02:00"), finds("Succeeded"));
    story.check(expect![[r#"
        02:30 A Idle + written -> Idle, rest {closed: -}
        02:31 B Idle + look Succeeded -> Idle, rest
        02:35 C Idle + look Succeeded -> Requested(by C), look for contoso@02:00 | restore.requested
    "#]]);
}

#[test]
fn a_wish_that_lapses_after_failures_does_not_put_the_next_attempt_off() {
    let mut story = Story::of_primary().having(|story| {
        fails(story, "02:00");
        fails(story, "02:05");
        fails(story, "02:20");
        story.wish_backup("02:21").drive().look(finds("Updating"))
    });
    story.tick("03:21");
    story.check(expect![[r#"
        03:21 E Idle + resumed -> Idle, again | backup.lapsed {backup wished: -}
        03:21 E Idle + resumed -> Idle, look for contoso@03:21
    "#]]);
}
