//! The way back after a failover: the failback by hand, and `resume`.

use apim_dr::domain::observation::WriteOnce;
use expect_test::expect;

use super::failing_over::{failed_over, primary};
use super::fixtures::*;
use super::story::Story;

#[test]
fn resume_unlatches_and_asks_for_a_backup() {
    let mut story = failed_over();
    story.reads("08:30", "contoso").resume().in_words().drive();
    story.check(expect![[r#"
        08:30 E Idle + contoso serves -> Idle, rest | failover.returned {served: contoso at 08:30, blind until 08:30}
        08:30 E Idle + resume -> Idle, rest | failover.resumed {backup wished: by E; failed over: -; resumed: 08:30}
              resumed: contoso is backed up anew, and that backup is the first to be restored by itself. What was changed on contoso-dr since 2026-03-10T08:03:00Z and is not in contoso is given up when that backup is restored into it
        08:30 E Idle + resumed -> Idle, look for contoso@08:30
    "#]]);
}

/// Two people say it a minute apart, the second to an instance whose clock is behind: what the first gave up stays so.
#[test]
fn a_second_resume_by_a_slow_clock_does_not_take_back_the_first() {
    let mut story = failed_over();
    story.reads("08:30", "contoso").resume();
    story.reads("08:29", "contoso").resume();
    story.check(expect![[r#"
        08:30 E Idle + contoso serves -> Idle, rest | failover.returned {served: contoso at 08:30, blind until 08:30}
        08:30 E Idle + resume -> Idle, rest | failover.resumed {backup wished: by E; failed over: -; resumed: 08:30}
        08:29 F Idle + contoso serves -> Idle, rest
        08:29 F Idle + resume -> Idle, rest | failover.resumed {backup wished: by F}
    "#]]);
}

#[test]
fn resume_names_everybody_whose_changes_are_given_up() {
    let mut story = failed_over().having(|story| {
        story.reads("08:09", "contoso-ap").reads("08:12", "contoso-dr").reads("08:15", "contoso-ap")
    });
    story.reads("08:20", "contoso").resume().in_words();
    story.check(expect![[r#"
        08:20 H Idle + contoso serves -> Idle, rest | failover.returned {served: contoso at 08:20, blind until 08:00}
        08:20 H Idle + resume -> Idle, rest | failover.resumed {backup wished: by H; failed over: -; resumed: 08:20}
              resumed: contoso is backed up anew, and that backup is the first to be restored by itself. What was changed on contoso-dr and contoso-ap since 2026-03-10T08:03:00Z and is not in contoso is given up when that backup is restored into it
    "#]]);
}

#[test]
fn resume_is_refused_while_a_secondary_serves() {
    let mut story = failed_over();
    story.resume().in_words();
    story.check(expect![[r#"
        08:03 D Idle + resume -> Idle, rest | wish.refused
              resume is refused, and nothing is kept of it: contoso-dr carries the traffic. Enable the endpoint of contoso first, and wait until it is Online
    "#]]);
}

#[test]
fn resume_is_refused_while_nobody_knows_who_serves() {
    let mut story = failed_over();
    story.reads_nothing("08:30").resume().in_words();
    story.no_live_check().resume().in_words();
    story.check(expect![[r#"
        08:30 E Idle + nobody knows who serves -> Idle, rest
        08:30 E Idle + resume -> Idle, rest | wish.refused
              resume is refused, and nothing is kept of it: which service carries the traffic is not known: the profile is disabled
        neither a profile nor LIVE_CHECK=off
        08:30 E Idle + resume -> Idle, rest | wish.refused
              resume is refused, and nothing is kept of it: nobody says which service carries the traffic: set TRAFFIC_MANAGER_ID or LIVE_CHECK=off
    "#]]);
}

#[test]
fn resume_is_refused_while_the_primary_is_being_restored() {
    let mut story = failed_over();
    story.restore_runs("09:00", manifest_of("contoso-dr", "08:10").by_hand());
    let mut story = story.having(|story| story.reads("09:01", "contoso"));
    story.resume().in_words();
    story.check(expect![[r#"
        09:01 F Running(op-1) + resume -> Running(op-1), rest | wish.refused
              resume is refused, and nothing is kept of it: contoso-dr-20260310T081000Z is being restored into it: wait for the end
    "#]]);
}

#[test]
fn resume_is_refused_while_what_the_primary_holds_is_unknown() {
    let mut story = failed_over().having(|story| {
        story.restore_runs("09:00", manifest_of("contoso-dr", "08:10").by_hand());
        story.tick("09:20").poll(ended_badly()).write(WriteOnce::Written).reads("09:30", "contoso")
    });
    story.resume().in_words();
    story.resume_even_if_unknown();
    story.check(expect![[r#"
        09:30 G Idle + resume -> Idle, rest | wish.refused
              resume is refused, and nothing is kept of it: what it holds since the restore of contoso-dr-20260310T081000Z is not known (Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written). Restore again, or look yourself and then say `apim-dr resume --even-if-unknown`
        09:30 G Idle + resume --even-if-unknown -> Idle, rest | failover.resumed {backup wished: by G; restore failures: -; failed over: -; resumed: 09:30}
    "#]]);
}

#[test]
fn resume_is_refused_in_a_dry_run() {
    let mut story = failed_over().having(|story| story.reads("08:30", "contoso"));
    story.set_dry_run(true).resume().in_words();
    story.check(expect![[r#"
        DRY_RUN=true
        08:30 E Idle + resume -> Idle, rest | wish.refused
              resume is refused, and nothing is kept of it: DRY_RUN is on
    "#]]);
}

#[test]
fn a_failback_restores_the_secondarys_backup_into_the_primary_by_hand() {
    let mut story = failed_over();
    story.offer("08:40", manifest_of("contoso-dr", "08:10").by_hand()).drive();
    story.look(finds("Succeeded")).look(finds("Succeeded")).answer(accepted("op-2"));
    story.tick("09:00").poll(ended()).write(WriteOnce::Written);
    story.reads("09:10", "contoso").in_words().resume();
    story.check(expect![[r#"
        08:40 E Idle + by hand contoso-dr@08:10 -> Idle, rest | restore.wished {wish: contoso-dr@08:10 by hand}
        08:40 E Idle + resumed -> Idle, look for contoso-dr@08:10
        08:40 E Idle + look Succeeded -> Requested(by E), look for contoso-dr@08:10 | restore.requested
        08:40 E Requested(by E) + look Succeeded -> Requested(by E), POST restore contoso-dr@08:10
        08:40 E Requested(by E) + 202 op-2 -> Running(op-2), rest | restore.accepted {ours: yes}
        09:00 F Running(op-2) + resumed -> Running(op-2), poll op-2
        09:00 F Running(op-2) + poll 200 -> Verifying, again | restore.ended
        09:00 F Verifying(by F) + compared -> Idle, write history/contoso/20260310T084000Z-restore.json | restore.unverified {holds: contoso-dr@08:10 unverified; wish: -; closed: unverified contoso-dr@08:10}
        09:00 F Idle + written -> Idle, rest {closed: -}
        09:10 G Idle + contoso serves -> Idle, rest | failover.returned {served: contoso at 09:10, blind until 09:10}
              traffic has returned to the primary contoso, which holds contoso-dr-20260310T081000Z: what was changed on contoso-dr after 2026-03-10T08:10:00Z is missing there. Then say `resume`
        09:10 G Idle + resume -> Idle, rest | failover.resumed {backup wished: by G; failed over: -; resumed: 09:10}
    "#]]);
}

#[test]
fn resume_drops_every_wish_into_the_primary() {
    let mut story = failed_over().having(|story| {
        story.offer("08:40", manifest_of("contoso-dr", "08:10").by_hand()).reads("08:41", "contoso")
    });
    story.resume();
    story.check(expect![[r#"
        08:41 F Idle + resume -> Idle, rest | failover.resumed {backup wished: by F; wish: -; failed over: -; resumed: 08:41}
    "#]]);
}

#[test]
fn a_run_that_is_open_at_resume_does_not_serve_its_wish() {
    let mut story = primary().having(|story| {
        story.reads("11T01:58", "contoso").backup_runs("11T02:00");
        story.reads("11T02:03", "contoso-dr").reads("11T02:05", "contoso")
    });
    story.resume();
    story.tick("11T02:20").poll(ended()).inspect(found()).write(WriteOnce::Written);
    story.check(expect![[r#"
        11T02:05 G Running(op-1) + resume -> Running(op-1), rest | failover.resumed {backup wished: by G; failed over: -; resumed: 11T02:05}
        11T02:20 H Running(op-1) + resumed -> Running(op-1), poll op-1
        11T02:20 H Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        11T02:20 H Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
        11T02:20 H Committing + written -> Idle, again | backup.verified {backups: contoso@02:00 contoso@11T02:00; last verified: contoso@11T02:00; covered: 11T02:00; aside: inventory after of contoso@11T02:00; closed: verified contoso@11t02:00}
        11T02:20 H Idle + resumed -> Idle, look for contoso@11T02:20
    "#]]);
}

#[test]
fn a_backup_stays_due_until_one_that_began_after_resume_is_proven() {
    let mut story = failed_over().having(|story| story.reads("08:30", "contoso").resume());
    story
        .drive()
        .look(finds("Succeeded"))
        .look(finds("Succeeded"))
        .answer(refused())
        .write(WriteOnce::Written);
    story.tick("08:34").tick("08:35");
    story.check(expect![[r#"
        08:30 E Idle + resumed -> Idle, look for contoso@08:30
        08:30 E Idle + look Succeeded -> Inventory, again
        08:30 E Inventory(read, by E) + joined -> Requested(by E), look for contoso@08:30 | inventory.taken backup.requested
        08:30 E Requested(by E) + look Succeeded -> Requested(by E), POST backup contoso@08:30
        08:30 E Requested(by E) + 400 InvalidParameters -> Idle, again | backup.failed {backup wished: -; backup failures: 1, again from 08:35; closed: failed contoso@08:30}
        08:30 E Idle + resumed -> Idle, write history/contoso/20260310T083000Z-backup.json
        08:30 E Idle + written -> Idle, rest {closed: -}
        08:34 F Idle + resumed -> Idle, rest
        08:35 G Idle + resumed -> Idle, look for contoso@08:35
    "#]]);
}

#[test]
fn what_resume_asked_for_does_not_lapse() {
    let mut story = failed_over().having(|story| story.reads("08:30", "contoso").resume());
    story.tick("11T08:30").look(finds("Updating"));
    story.check(expect![[r#"
        11T08:30 F Idle + resumed -> Idle, look for contoso@11T08:30
        11T08:30 F Idle + look Updating -> Idle, rest | backup.waiting {busy since: 11T08:30}
    "#]]);
}

#[test]
fn a_resume_that_another_invocation_brought_undoes_the_claim_and_drops_the_wish() {
    let mut story = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00")));
    story.drive().look(finds("Succeeded")).look(finds("Succeeded").resumed("02:30"));
    story.resumed_by_primary("02:30").tick("02:31");
    story.check(expect![[r#"
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded -> Requested(by A), look for contoso@02:00 | restore.requested
        02:30 A Requested(by A) + look Succeeded, resumed at 02:30 -> Idle, rest | restore.undone
        resumed at 02:30
        02:31 B Idle + resumed -> Idle, rest {wish: -}
    "#]]);
}

#[test]
fn a_wish_by_hand_outlives_resume() {
    let mut story = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00").by_hand()));
    story.resumed_by_primary("02:31").tick("02:32").look(finds("Succeeded")).look(finds("Succeeded"));
    story.check(expect![[r#"
        resumed at 02:31
        02:32 B Idle + resumed -> Idle, look for contoso@02:00
        02:32 B Idle + look Succeeded -> Requested(by B), look for contoso@02:00 | restore.requested
        02:32 B Requested(by B) + look Succeeded -> Requested(by B), POST restore contoso@02:00
    "#]]);
}
