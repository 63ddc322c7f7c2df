//! A failover: the latch, and what is backed up and restored meanwhile.

use apim_dr::domain::failover::{self, Inherited};
use apim_dr::domain::observation::WriteOnce;
use apim_dr::domain::record::Served;
use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

/// `contoso`, verified at 02:20, serving at 08:00 by the profile.
pub(super) fn primary() -> Story {
    Story::of_primary().having(|story| story.backup_verified("02:00", "02:20").reads("08:00", "contoso"))
}

pub(super) fn failed_over() -> Story {
    primary().having(|story| story.reads("08:03", "contoso-dr"))
}

#[test]
fn a_secondary_that_serves_closes_the_latch_at_once() {
    let mut story = primary();
    story.reads("08:03", "contoso-dr").in_words();
    story.reads("08:04", "contoso-dr");
    story.check(expect![[r#"
        08:03 D Idle + contoso-dr serves -> Idle, rest | failover.latched {failed over: to contoso-dr since 08:03; served: contoso-dr at 08:03, blind until 08:00}
              contoso-dr carries the traffic, not the primary contoso: until `resume` nothing is restored by itself, and the schedule backs up the service that serves
        08:04 E Idle + contoso-dr serves -> Idle, rest
    "#]]);
}

/// The primary holds a backup of the one that served last, and nothing of what was changed on the one before it.
#[test]
fn the_return_after_two_that_served_names_both() {
    let mut story = failed_over().having(|story| story.reads("08:09", "contoso-ap"));
    story.restore_runs("09:00", manifest_of("contoso-ap", "08:10").by_hand());
    let mut story = story.having(|story| story.tick("09:20").poll(ended()).write(WriteOnce::Written));
    story.reads("09:30", "contoso").in_words();
    story.check(expect![[r#"
        09:30 H Idle + contoso serves -> Idle, rest | failover.returned {served: contoso at 09:30, blind until 09:30}
              traffic has returned to the primary contoso. What was changed on contoso-dr and contoso-ap since 2026-03-10T08:03:00Z may be missing there: restore a backup of that into contoso by hand if you need it, then say `resume`
    "#]]);
}

#[test]
fn the_latch_stays_closed_when_traffic_returns_by_itself() {
    let mut story = failed_over();
    story.reads("08:30", "contoso").in_words();
    story.reads("08:31", "contoso");
    story.check(expect![[r#"
        08:30 E Idle + contoso serves -> Idle, rest | failover.returned {served: contoso at 08:30, blind until 08:30}
              traffic has returned to the primary contoso. What was changed on contoso-dr since 2026-03-10T08:03:00Z may be missing there: restore a backup of that into contoso by hand if you need it, then say `resume`
        08:31 F Idle + contoso serves -> Idle, rest
    "#]]);
}

#[test]
fn the_latch_names_the_secondary_that_served_last() {
    let mut story = failed_over();
    story.reads("08:09", "contoso-ap").reads("08:10", "contoso").reads("08:11", "contoso-ap");
    story.check(expect![[r#"
        08:09 E Idle + contoso-ap serves -> Idle, rest | failover.latched {failed over: to contoso-ap since 08:03, contoso-dr before; served: contoso-ap at 08:09, blind until 08:00}
        08:10 F Idle + contoso serves -> Idle, rest | failover.returned {served: contoso at 08:10, blind until 08:00}
        08:11 G Idle + contoso-ap serves -> Idle, rest | failover.latched {served: contoso-ap at 08:11, blind until 08:00}
    "#]]);
}

/// An invocation that cannot read the primary's record knows no more than one before the first read.
#[test]
fn what_nobody_remembers_nobody_has_watched() {
    let (reads_profile, now) = (true, at("08:10"));
    assert_eq!(failover::blind_until(None, reads_profile, now), Some(now));
    assert_eq!(failover::blind_until(None, false, now), None, "the settings say who serves");
    let watched =
        Served { by: service("contoso-dr").name(), read_at: at("08:05"), blind_until: Some(at("07:00")) };
    assert_eq!(failover::blind_until(Some(&watched), reads_profile, now), Some(at("07:00")));
    let later = at("08:16");
    assert_eq!(
        failover::blind_until(Some(&watched), reads_profile, later),
        Some(later),
        "nothing was read since"
    );
}

#[test]
fn a_profile_that_does_not_say_changes_nothing() {
    let mut story = primary();
    story.reads_nothing("08:01");
    story.check(expect![[r#"
        08:01 D Idle + nobody knows who serves -> Idle, rest
    "#]]);
}

#[test]
fn an_idle_read_is_written_down_every_three_minutes_only() {
    let mut story = primary();
    for minute in ["08:01", "08:02", "08:03", "08:04", "08:05", "08:06"] {
        story.reads(minute, "contoso");
    }
    story.check(expect![[r#"
        08:01 D Idle + contoso serves -> Idle, rest
        08:02 E Idle + contoso serves -> Idle, rest
        08:03 F Idle + contoso serves -> Idle, rest {served: contoso at 08:03, blind until 08:00}
        08:04 G Idle + contoso serves -> Idle, rest
        08:05 H Idle + contoso serves -> Idle, rest
        08:06 I Idle + contoso serves -> Idle, rest {served: contoso at 08:06, blind until 08:00}
    "#]]);
}

#[test]
fn ten_minutes_without_a_word_are_remembered() {
    let mut story = primary();
    story.reads("08:10", "contoso").reads_nothing("08:15").reads("08:20:01", "contoso");
    story.check(expect![[r#"
        08:10 D Idle + contoso serves -> Idle, rest {served: contoso at 08:10, blind until 08:00}
        08:15 E Idle + nobody knows who serves -> Idle, rest
        08:20:01 F Idle + contoso serves -> Idle, rest {served: contoso at 08:20:01, blind until 08:20:01}
    "#]]);
}

/// The settings may not have asked for it before: users may have been anywhere.
#[test]
fn before_the_first_read_nobody_watched() {
    let mut story = Story::of_primary().having(|story| story.backup_verified("02:00", "02:20"));
    story.reads_nothing("08:00").reads("08:01", "contoso");
    story.check(expect![[r#"
        08:00 C Idle + nobody knows who serves -> Idle, rest
        08:01 D Idle + contoso serves -> Idle, rest {served: contoso at 08:01, blind until 08:01}
    "#]]);
}

#[test]
fn while_failed_over_the_schedule_does_not_back_up_the_primary() {
    let mut story = failed_over();
    story.tick("11T02:00");
    story.reads_nothing("11T02:01").drive();
    story.check(expect![[r#"
        11T02:00 E Idle + resumed -> Idle, rest
        11T02:01 F Idle + nobody knows who serves -> Idle, rest
        11T02:01 F Idle + resumed -> Idle, rest
    "#]]);
}

#[test]
fn while_failed_over_and_back_the_schedule_backs_up_the_primary_again() {
    let mut story = failed_over();
    story.reads("11T02:00", "contoso").drive();
    story.check(expect![[r#"
        11T02:00 E Idle + contoso serves -> Idle, rest | failover.returned {served: contoso at 11T02:00, blind until 11T02:00}
        11T02:00 E Idle + resumed -> Idle, look for contoso@11T02:00
    "#]]);
}

#[test]
fn while_failed_over_an_automatic_restore_waits_and_one_by_hand_does_not() {
    let mut story = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00")));
    story.latched("contoso-ap", "02:25").drive();
    story.offer("02:31", manifest("02:00").by_hand()).drive();
    story.check(expect![[r#"
        failed over to contoso-ap since 02:25
        02:30 A Idle + resumed -> Idle, rest | restore.deferred {deferred: since 02:30: contoso-ap has carried the traffic since 2026-03-10T02:25:00Z, and what was changed there must not be lost: say `resume` when the primary is to be followed again}
        02:31 B Idle + by hand contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00 by hand; deferred: -}
        02:31 B Idle + resumed -> Idle, look for contoso@02:00
    "#]]);
}

#[test]
fn a_failover_that_another_invocation_saw_undoes_the_claim() {
    let mut story = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00")));
    story.drive().look(finds("Succeeded")).look(finds("Succeeded").failed_over("contoso-dr", "02:30"));
    story.check(expect![[r#"
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded -> Requested(by A), look for contoso@02:00 | restore.requested
        02:30 A Requested(by A) + look Succeeded, failed over to contoso-dr -> Idle, rest | restore.undone
    "#]]);
}

#[test]
fn a_failover_between_the_claim_and_its_look_undoes_the_claim() {
    let mut story = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00")));
    story.drive().look(finds("Succeeded")).look(finds("Succeeded").serving("contoso-dr"));
    story.tick("02:31").look(finds("Succeeded")).look(finds("Succeeded").serving_unknown());
    story.tick("02:32").look(finds("Succeeded").serving("contoso-ap"));
    story.check(expect![[r#"
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded -> Requested(by A), look for contoso@02:00 | restore.requested
        02:30 A Requested(by A) + look Succeeded, contoso-dr serves -> Idle, rest | restore.undone
        02:31 B Idle + resumed -> Idle, look for contoso@02:00
        02:31 B Idle + look Succeeded -> Requested(by B), look for contoso@02:00 | restore.requested
        02:31 B Requested(by B) + look Succeeded, who serves is unknown -> Idle, rest | restore.undone
        02:32 C Idle + resumed -> Idle, look for contoso@02:00
        02:32 C Idle + look Succeeded, contoso-ap serves -> Idle, rest | restore.deferred {deferred: since 02:32: contoso-ap carries the traffic, not the primary contoso}
    "#]]);
}

#[test]
fn even_if_live_passes_whoever_serves() {
    let offer = || manifest("02:00").by_hand().even_if_live();
    let mut story = Story::of_secondary().having(|story| story.serving("contoso-dr").offer("02:30", offer()));
    story.drive().look(finds("Succeeded")).look(finds("Succeeded").serving_unknown());
    story.check(expect![[r#"
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded -> Requested(by A), look for contoso@02:00 | restore.requested
        02:30 A Requested(by A) + look Succeeded, who serves is unknown -> Requested(by A), POST restore contoso@02:00
    "#]]);
}

#[test]
fn a_target_that_comes_to_serve_while_it_is_restored_is_told_once() {
    let mut story = Story::of_secondary().having(|story| story.restore_runs("02:30", manifest("02:00")));
    story.tick("02:31").poll(still_running());
    story.serving("contoso-dr").tick("02:32").in_words().poll(still_running());
    story.tick("02:33").poll(still_running());
    story.check(expect![[r#"
        02:31 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:31 B Running(op-1) + poll 202 -> Running(op-1, Updating seen), rest
        contoso-dr carries the traffic
        02:32 C Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1 | restore.under_traffic {under traffic: 02:32}
              contoso-dr carries the traffic while contoso-20260310T020000Z is being restored into it: until that ends, users may meet half of it
        02:32 C Running(op-1, Updating seen) + poll 202 -> Running(op-1, Updating seen), rest
        02:33 D Running(op-1, Updating seen) + resumed -> Running(op-1, Updating seen), poll op-1
        02:33 D Running(op-1, Updating seen) + poll 202 -> Running(op-1, Updating seen), rest
    "#]]);
}

#[test]
fn when_roles_change_the_latch_moves_to_the_new_primary() {
    let old = failed_over().having(|story| story.reads("08:30", "contoso"));
    let mut new = Story::of_service("contoso-ap");
    new.inherits("09:00", &old);
    new.check(expect![[r#"
        09:00 A Idle + the old primary's latch -> Idle, rest {failed over: to contoso-dr since 08:03; served: contoso at 08:30, blind until 08:30}
    "#]]);
}

#[test]
fn when_roles_change_to_the_service_that_serves_the_latch_is_gone() {
    let mut old = failed_over();
    let mut new = Story::of_secondary();
    new.inherits("09:00", &old);
    new.check(expect![[r#"
        09:00 A Idle + the old primary's latch -> Idle, rest {served: contoso-dr at 08:03, blind until 08:00}
    "#]]);
    old.hands_on("09:01", &new);
    old.check(expect![[r#"
        09:01 E Idle + the latch stands elsewhere -> Idle, rest {failed over: -; served: -}
    "#]]);
    assert!(Inherited::from([old.record()].into_iter()).is_empty());
}

/// What was changed on the other while it served would be gone with the new primary's next backup.
#[test]
fn when_roles_change_to_the_last_of_two_that_served_the_latch_stays_for_the_other() {
    let mut old = failed_over().having(|story| story.reads("08:09", "contoso-ap"));
    let mut new = Story::of_service("contoso-ap");
    new.inherits("09:00", &old);
    new.check(expect![[r#"
        09:00 A Idle + the old primary's latch -> Idle, rest {failed over: to contoso-dr since 08:03; served: contoso-ap at 08:09, blind until 08:00}
    "#]]);
    old.hands_on("09:01", &new);
    let mut third = Story::of_secondary();
    third.inherits("09:02", &new);
    third.check(expect![[r#"
        09:02 A Idle + the old primary's latch -> Idle, rest {served: contoso-ap at 08:09, blind until 08:00}
    "#]]);
}

/// The primary's record cannot be used for some minutes, and traffic is back before it can.
#[test]
fn a_secondary_that_serves_keeps_the_latch_while_the_primarys_record_cannot_be_used() {
    let mut secondary = Story::of_secondary();
    secondary.serves_beside("08:03").in_words().serves_beside("08:04");
    secondary.offer("08:05", manifest("08:01")).drive();
    secondary.check(expect![[r#"
        08:03 A Idle + it serves, and the primary's record cannot be used -> Idle, rest | failover.latched {failed over: to contoso-dr since 08:03}
              contoso-dr carries the traffic, not the primary contoso, whose record cannot be used: the record of contoso-dr keeps that until it can, and until `resume` nothing is restored by itself
        08:04 B Idle + it serves, and the primary's record cannot be used -> Idle, rest
        08:05 C Idle + manifest contoso@08:01 -> Idle, rest | restore.wished {wish: contoso@08:01; seen: 08:01}
        08:05 C Idle + resumed -> Idle, rest | restore.deferred {deferred: since 08:05: contoso-dr has carried the traffic since 2026-03-10T08:03:00Z, and what was changed there must not be lost: say `resume` when the primary is to be followed again}
    "#]]);
}

#[test]
fn what_a_secondary_keeps_is_taken_away_once_it_stands_in_the_primarys_record() {
    let mut secondary = Story::of_secondary().having(|story| story.serves_beside("08:03"));
    let mut primary = primary();
    secondary.hands_on("08:06", &primary);
    primary.inherits("08:06", &secondary);
    secondary.hands_on("08:07", &primary);
    primary.check(expect![[r#"
        08:06 D Idle + the old primary's latch -> Idle, rest {failed over: to contoso-dr since 08:03}
    "#]]);
    secondary.check(expect![[r#"
        08:06 B Idle + the latch stands elsewhere -> Idle, rest
        08:07 C Idle + the latch stands elsewhere -> Idle, rest {failed over: -}
    "#]]);
}

/// Another invocation saw it between the claim and the look, and could not use the primary's record.
#[test]
fn a_latch_that_the_target_keeps_undoes_the_claim() {
    let mut story = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00")));
    story.drive().look(finds("Succeeded"));
    story.serves_beside("02:30").meanwhile("A", "02:30").look(finds("Succeeded"));
    story.check(expect![[r#"
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded -> Requested(by A), look for contoso@02:00 | restore.requested
        02:30 B Requested(by A) + it serves, and the primary's record cannot be used -> Requested(by A), rest | failover.latched {failed over: to contoso-dr since 02:30}
        02:30 A Requested(by A) + look Succeeded -> Idle, rest | restore.undone
    "#]]);
}

#[test]
fn a_latch_that_another_kept_meanwhile_joins_the_primarys_own() {
    let mut ap = Story::of_service("contoso-ap");
    ap.serves_beside("08:09");
    let mut primary = failed_over();
    primary.inherits("08:12", &ap).reads("08:12", "contoso").resume().in_words();
    primary.check(expect![[r#"
        08:12 E Idle + the old primary's latch -> Idle, rest {failed over: to contoso-ap since 08:03, contoso-dr before}
        08:12 F Idle + contoso serves -> Idle, rest | failover.returned {served: contoso at 08:12, blind until 08:00}
        08:12 F Idle + resume -> Idle, rest | failover.resumed {backup wished: by F; failed over: -; resumed: 08:12}
              resumed: contoso is backed up anew, and that backup is the first to be restored by itself. What was changed on contoso-dr and contoso-ap since 2026-03-10T08:03:00Z and is not in contoso is given up when that backup is restored into it
    "#]]);
}
