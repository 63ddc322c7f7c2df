//! One target restores at a time: the one that holds the oldest backup first.

use apim_dr::domain::observation::WriteOnce;
use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

#[test]
fn a_target_waits_while_another_is_being_restored() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("02:00")).drive().look(finds("Succeeded").restoring("contoso-ap"));
    story.tick("02:31").look(finds("Succeeded").others_unreadable());
    story.tick("02:32").look(finds("Succeeded"));
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00; seen: 02:00}
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded, contoso-ap is being restored -> Idle, rest | restore.deferred {deferred: since 02:30: one service is restored at a time, and now it is contoso-ap}
        02:31 B Idle + resumed -> Idle, look for contoso@02:00
        02:31 B Idle + look Succeeded, others: storage timed out -> Idle, rest | restore.deferred {deferred: since 02:30: whether another restore runs is not known: storage timed out}
        02:32 C Idle + resumed -> Idle, look for contoso@02:00
        02:32 C Idle + look Succeeded -> Requested(by C), look for contoso@02:00 | restore.requested {deferred: -}
    "#]]);
}

#[test]
fn a_claim_of_another_target_undoes_the_claim() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("02:00")).drive().look(finds("Succeeded"));
    story.look(finds("Succeeded").restoring("contoso-ap"));
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00; seen: 02:00}
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded -> Requested(by A), look for contoso@02:00 | restore.requested
        02:30 A Requested(by A) + look Succeeded, contoso-ap is being restored -> Idle, rest | restore.undone
    "#]]);
}

#[test]
fn a_target_holds_up_others_from_its_claim_to_its_end() {
    let mut story = Story::of_secondary();
    story.holds_up_others("02:29");
    story.offer("02:30", manifest("02:00")).holds_up_others("02:30");
    story.drive().look(finds("Succeeded")).holds_up_others("02:30");
    story.look(finds("Succeeded")).answer(accepted("op-1")).holds_up_others("02:30");
    story.tick("02:50").poll(ended()).holds_up_others("02:50");
    story.check(expect![[r#"
        02:29 holds up others: false
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00; seen: 02:00}
        02:30 holds up others: false
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded -> Requested(by A), look for contoso@02:00 | restore.requested
        02:30 holds up others: true
        02:30 A Requested(by A) + look Succeeded -> Requested(by A), POST restore contoso@02:00
        02:30 A Requested(by A) + 202 op-1 -> Running(op-1), rest | restore.accepted {ours: yes}
        02:30 holds up others: true
        02:50 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:50 B Running(op-1) + poll 200 -> Verifying, again | restore.ended
        02:50 B Verifying(by B) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; wish: -; closed: unverified contoso@02:00}
        02:50 holds up others: false
    "#]]);
}

/// Restores that take longer than the schedule's period would keep the others waiting for ever.
#[test]
fn a_target_whose_restore_has_just_ended_lets_the_others_go_first() {
    let mut story = Story::of_secondary().having(|story| story.restore_runs("02:30", manifest("02:00")));
    story.offer("02:40", manifest("02:30"));
    story.tick("02:50").poll(ended()).write(WriteOnce::Written);
    story.tick("02:51");
    story.check(expect![[r#"
        02:40 B Running(op-1) + manifest contoso@02:30 -> Running(op-1), rest | restore.wished {wish: contoso@02:30; seen: 02:30}
        02:50 C Running(op-1) + resumed -> Running(op-1), poll op-1
        02:50 C Running(op-1) + poll 200 -> Verifying, again | restore.ended
        02:50 C Verifying(by C) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; closed: unverified contoso@02:00}
        02:50 C Idle + written -> Idle, rest {closed: -}
        02:51 D Idle + resumed -> Idle, look for contoso@02:30
    "#]]);
}

#[test]
fn a_backup_holds_up_no_restore() {
    let mut story = Story::of_primary().having(|story| story.backup_runs("02:00"));
    story.holds_up_others("02:10");
    story.check(expect![[r#"
        02:10 holds up others: false
    "#]]);
}

#[test]
fn the_target_that_holds_nothing_known_goes_first_then_the_oldest() {
    let nothing = Story::of_secondary();
    let unknown = Story::of_secondary().having(|story| {
        story.restore_held("01:30", "01:50", manifest("01:00"));
        story.restore_runs("02:30", manifest("02:00")).tick("02:50").poll(ended_badly())
    });
    let old = Story::of_secondary().having(|story| story.restore_held("01:30", "01:50", manifest("01:00")));
    let new = Story::of_secondary().having(|story| story.restore_held("02:30", "02:50", manifest("02:00")));
    assert_eq!(nothing.turn(), unknown.turn());
    assert!(unknown.turn() < old.turn());
    assert!(old.turn() < new.turn());
}

/// Whoever vouches for a manifest by hand vouches for its content, not for the day it gives.
#[test]
fn a_target_that_holds_a_backup_dated_to_a_day_to_come_gets_its_turn_as_of_the_restore() {
    let held_at = |when: &str, of: &str| {
        let dated = manifest(of).by_hand().not_in_the_record();
        Story::of_secondary().having(|story| story.restore_held("01:30", when, dated))
    };
    let forged = held_at("01:50", "12T00:00");
    let newer = Story::of_secondary().having(|story| story.restore_held("02:30", "02:50", manifest("02:00")));
    assert!(forged.turn() < newer.turn());
    assert!(forged.turn() < held_at("01:51", "12T00:00").turn());
}

/// Driven after the others, it would end when they have been told to wait for it, and whoever comes next would
/// pass them by.
#[test]
fn a_target_that_is_being_restored_is_driven_before_all_that_wait() {
    let nothing = Story::of_secondary();
    let restoring = Story::of_secondary().having(|story| {
        story.restore_held("01:30", "01:50", manifest("01:00"));
        story.restore_runs("02:30", manifest("02:00"))
    });
    assert!(restoring.turn() < nothing.turn());
}

/// Whatever the others hold, a person's word lapses after four hours.
#[test]
fn a_target_that_a_person_waits_for_goes_before_those_that_wait_by_themselves() {
    let held = |when: &str, of: &str| {
        Story::of_secondary().having(|story| story.restore_held(when, "03:50", manifest(of)))
    };
    let asked = held("03:30", "03:00").having(|story| story.offer("04:00", manifest("02:00").by_hand()));
    let by_itself = held("01:30", "01:00").having(|story| story.offer("04:00", manifest("03:30")));
    assert!(asked.turn() < by_itself.turn());
    assert!(held("01:30", "01:00").turn() < held("03:30", "03:00").turn());
}
