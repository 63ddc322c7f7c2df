//! A dry run: nothing is sent, written or claimed; each tick tells the one thing that it would do.

use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

#[test]
fn a_due_backup_is_told_and_not_claimed() {
    let mut story = Story::of_primary();
    story.set_dry_run(true).tick("02:00").look(finds("Succeeded")).in_words();
    story.tick("02:01").look(finds("Succeeded"));
    story.set_dry_run(false).tick("02:02").look(finds("Succeeded"));
    story.check(expect![[r#"
        DRY_RUN=true
        02:00 A Idle + resumed -> Idle, again {dry run: yes}
        02:00 A Idle + resumed -> Idle, look for contoso@02:00
        02:00 A Idle + look Succeeded -> Idle, rest | dry_run.would_act
              would begin the backup contoso-20260310T020000Z
        02:01 B Idle + resumed -> Idle, look for contoso@02:01
        02:01 B Idle + look Succeeded -> Idle, rest | dry_run.would_act
        DRY_RUN=false
        02:02 C Idle + resumed -> Idle, again {dry run: -; deadlines count from: 02:02}
        02:02 C Idle + resumed -> Idle, look for contoso@02:02
        02:02 C Idle + look Succeeded -> Inventory, again
        02:02 C Inventory(read, by C) + joined -> Requested(by C), look for contoso@02:02 | inventory.taken backup.requested
    "#]]);
}

#[test]
fn a_wished_restore_is_told_and_not_claimed() {
    let mut story = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00")));
    story.set_dry_run(true).tick("02:31").look(finds("Succeeded")).in_words();
    story.check(expect![[r#"
        DRY_RUN=true
        02:31 B Idle + resumed -> Idle, again {dry run: yes}
        02:31 B Idle + resumed -> Idle, look for contoso@02:00
        02:31 B Idle + look Succeeded -> Idle, rest | dry_run.would_act
              would restore contoso-20260310T020000Z into contoso-dr
    "#]]);
}

#[test]
fn a_manifest_is_not_taken_as_a_wish() {
    let mut story = Story::of_secondary();
    story.set_dry_run(true).offer("02:30", manifest("02:00")).in_words();
    story.offer("02:31", manifest("02:00").by_hand());
    story.check(expect![[r#"
        DRY_RUN=true
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | wish.refused
              DRY_RUN is on: contoso-20260310T020000Z was not taken as a wish
        02:31 B Idle + by hand contoso@02:00 -> Idle, rest | wish.refused
    "#]]);
}

#[test]
fn an_open_backup_is_followed_and_its_manifest_is_not_written() {
    let mut story = Story::of_primary().having(|story| story.backup_runs("02:00"));
    story.set_dry_run(true).tick("02:20").poll(ended()).inspect(found()).in_words();
    story.tick("02:21").in_words();
    story.set_dry_run(false).tick("02:22");
    story.check(expect![[r#"
        DRY_RUN=true
        02:20 B Running(op-1) + resumed -> Running(op-1), again {dry run: yes}
        02:20 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:20 B Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        02:20 B Proving + blob of 4096 bytes, ETag "0x1" -> Committing, rest | dry_run.would_act
              would write contoso-20260310T020000Z.manifest.json
        02:21 C Committing + resumed -> Committing, rest | dry_run.would_act
              would write contoso-20260310T020000Z.manifest.json
        DRY_RUN=false
        02:22 D Committing + resumed -> Committing, again {dry run: -; deadlines count from: 02:22}
        02:22 D Committing + resumed -> Committing, write manifest
    "#]]);
}

#[test]
fn an_old_claim_is_taken_over_and_not_posted_again() {
    let mut story = Story::of_primary().having(|story| story.backup_posts("02:00").answer(unanswered()));
    story.set_dry_run(true).tick("02:08").look(finds("Succeeded"));
    story.check(expect![[r#"
        DRY_RUN=true
        02:08 B Requested(by A) + resumed -> Requested(by A), again {dry run: yes}
        02:08 B Requested(by A) + resumed -> Requested(taken over by B), look for contoso@02:00
        02:08 B Requested(taken over by B) + look Succeeded -> Idle, again | backup.failed {backup failures: 1, again from 02:13; closed: failed contoso@02:00}
        02:08 B Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
    "#]]);
}

#[test]
fn deadlines_begin_anew_when_it_is_switched_off() {
    let mut story = Story::of_primary().having(|story| story.backup_runs("02:00"));
    story.set_dry_run(true).tick("06:00").poll(still_running()).look(finds("Updating"));
    story.set_dry_run(false).tick("08:00").poll(still_running());
    story.tick("11:59").poll(still_running());
    story.tick("12:00").poll(still_running()).look(finds("Updating"));
    story.check(expect![[r#"
        DRY_RUN=true
        06:00 B Running(op-1) + resumed -> Running(op-1), again {dry run: yes}
        06:00 B Running(op-1) + resumed -> Running(op-1), poll op-1
        06:00 B Running(op-1) + poll 202 -> Running(op-1), look
        06:00 B Running(op-1) + look Updating -> Running(op-1, Updating seen), rest | backup.overdue {overdue: yes}
        DRY_RUN=false
        08:00 C Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), again {overdue: -; dry run: -; deadlines count from: 08:00}
        08:00 C Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        08:00 C Running(op-1, Updating seen) + poll 202 -> Running(op-1, Updating seen), rest
        11:59 D Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        11:59 D Running(op-1, Updating seen) + poll 202 -> Running(op-1, Updating seen), rest
        12:00 E Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        12:00 E Running(op-1, Updating seen) + poll 202 -> Running(op-1, Updating seen), look
        12:00 E Running(op-1, Updating seen) + look Updating -> Running(op-1, Updating seen), rest | backup.overdue {overdue: yes}
    "#]]);
}

#[test]
fn a_wish_for_a_backup_has_its_whole_time_after_it_and_one_for_a_restore_lapses_as_ever() {
    let mut story = Story::of_secondary().having(|story| {
        story.wish_backup("02:00");
        story.offer("02:30", manifest("02:00").by_hand())
    });
    story.set_dry_run(true).tick("06:29").look(finds("Succeeded"));
    story.tick("06:30").look(finds("Succeeded"));
    story.set_dry_run(false).tick("10:00").look(finds("Updating"));
    story.tick("10:59").look(finds("Updating"));
    story.tick("11:00");
    story.check(expect![[r#"
        DRY_RUN=true
        06:29 C Idle + resumed -> Idle, again {dry run: yes}
        06:29 C Idle + resumed -> Idle, look for contoso-dr@06:29
        06:29 C Idle + look Succeeded -> Idle, rest | dry_run.would_act
        06:30 D Idle + resumed -> Idle, again | restore.lapsed {wish: -; seen: -; restore failures: noted}
        06:30 D Idle + resumed -> Idle, look for contoso-dr@06:30
        06:30 D Idle + look Succeeded -> Idle, rest | dry_run.would_act
        DRY_RUN=false
        10:00 E Idle + resumed -> Idle, again {dry run: -; deadlines count from: 10:00}
        10:00 E Idle + resumed -> Idle, look for contoso-dr@10:00
        10:00 E Idle + look Updating -> Idle, rest | backup.waiting {busy since: 10:00}
        10:59 F Idle + resumed -> Idle, look for contoso-dr@10:59
        10:59 F Idle + look Updating -> Idle, rest | backup.waiting
        11:00 G Idle + resumed -> Idle, again | backup.lapsed {backup wished: -; backup failures: noted}
        11:00 G Idle + resumed -> Idle, rest {busy since: -}
    "#]]);
}
