//! After a restore: what the service holds is compared with the backup's inventory.

use apim_dr::domain::inventory::{Place, Unit, Unread};
use apim_dr::domain::observation::{Compare, ComparedStretch, StretchEnd, WriteOnce};
use apim_dr::domain::record::{Baseline, Holds};
use apim_dr::domain::unprotected::{NotProtected, Standing, Unprotected};
use expect_test::expect;

use super::fixtures::*;
use super::reading::{equal, some_differ};
use super::story::Story;

/// A restore of a backup that has an inventory has ended, and the service is about to be read.
fn verifying() -> Story {
    Story::of_secondary().reading_by_hand().having(|story| {
        story.restore_runs("02:30", manifest("02:00").with_inventory());
        story.tick("02:50").poll(ended()).read_services()
    })
}

fn all_but_users(compare: &Compare) -> ComparedStretch {
    let unread =
        Unread { list: "users".into(), why: "it has more than 200000 entries".into(), not_in_tier: false };
    ComparedStretch { unread: vec![unread], lists_hidden: true, ..equal(compare) }
}

fn all_but_users_of_the_source(compare: &Compare) -> ComparedStretch {
    ComparedStretch { lists_hidden: false, ..all_but_users(compare) }
}

fn all_that_the_tier_has(compare: &Compare) -> ComparedStretch {
    let unread = Unread { list: "gateways".into(), why: "HTTP 400".into(), not_in_tier: true };
    ComparedStretch { unread: vec![unread], ..equal(compare) }
}

pub(crate) fn ends_late(compare: &Compare) -> ComparedStretch {
    let place = Place::After(Unit::List("backends".into()));
    ComparedStretch { place, unprotected: None, end: StretchEnd::Late, ..equal(compare) }
}

fn refused(compare: &Compare) -> ComparedStretch {
    ComparedStretch { end: StretchEnd::GivenUp("HTTP 403 AuthorizationFailed".into()), ..ends_late(compare) }
}

fn different_in_the_end(compare: &Compare) -> ComparedStretch {
    ComparedStretch { place: Place::End, unprotected: Some(Unprotected::default()), ..some_differ(compare) }
}

fn of_another_layout(compare: &Compare) -> ComparedStretch {
    let why = "the backup's inventory cannot be compared with: it has version 1 and layout 2".into();
    ComparedStretch { baseline: Baseline::Absent { why }, ..equal(compare) }
}

fn not_all_alike(compare: &Compare) -> ComparedStretch {
    let topic = |what: &str, standing| NotProtected {
        what: what.into(),
        standing,
        detail: String::new(),
        next: String::new(),
    };
    let topics = vec![
        topic("CA certificates", Standing::None),
        topic("managed identities", Standing::Alike),
        topic("custom hostnames and their certificates", Standing::Differs),
        topic("virtual network and private access", Standing::Unknown),
    ];
    let ties = vec!["backends/orders names the region West Europe".into()];
    ComparedStretch { unprotected: Some(Unprotected { topics, ties }), ..equal(compare) }
}

#[test]
fn what_compares_equal_is_verified() {
    let mut story = verifying();
    story.compare_with(equal).in_words();
    story.check(expect![[r#"
        02:50 B Verifying(by B) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.verified {holds: contoso@02:00 verified; wish: -; closed: verified contoso@02:00}
              contoso-dr holds it after 20 min; compared and equal: 0 equal
    "#]]);
}

#[test]
fn what_differs_is_mismatched_and_counted_in_the_history() {
    let mut story = verifying();
    story.compare_with(some_differ).compare_with(different_in_the_end).in_words();
    let closed = serde_json::to_string(&story.record().unwritten_history[0].compared).expect("JSON");
    expect![[
        r#"[{"type":"apis","equal":2,"missing":1},{"type":"users","equal":3,"different":1,"changed":1}]"#
    ]]
    .assert_eq(&closed);
    story.check(expect![[r#"
        02:50 B Verifying(by B) + compared -> Verifying(after users, by B), read and compare
        02:50 B Verifying(after users, by B) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.mismatched {holds: contoso@02:00 mismatched; wish: -; closed: mismatched contoso@02:00}
              contoso-dr holds it after 20 min; compared and different: 5 equal, 1 missing (apis 1), 1 different (users 1), 1 changed while the backup ran (users 1)
    "#]]);
}

#[test]
fn it_is_compared_over_several_invocations_one_of_which_reads_at_a_time() {
    let mut story = verifying();
    story.tick("02:51").read_services();
    story.meanwhile("B", "02:51:50").compare_with(ends_late);
    story.tick("02:52").read_services().too_late();
    story.tick("02:53").read_services().compare_with(equal);
    story.check(expect![[r#"
        02:51 C Verifying(by B) + resumed -> Verifying(by B), rest
        02:51 C Verifying(by B) + resumed -> Verifying(by B), rest
        02:51:50 B Verifying(by B) + compared -> Verifying(after backends), rest
        02:52 D Verifying(after backends) + resumed -> Verifying(after backends), rest
        02:52 D Verifying(after backends) + resumed -> Verifying(after backends, by D), read and compare
        02:52 D Verifying(after backends, by D) + too late -> Verifying(after backends), rest
        02:53 E Verifying(after backends) + resumed -> Verifying(after backends), rest
        02:53 E Verifying(after backends) + resumed -> Verifying(after backends, by E), read and compare
        02:53 E Verifying(after backends, by E) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.verified {holds: contoso@02:00 verified; wish: -; closed: verified contoso@02:00}
    "#]]);
}

#[test]
fn what_cannot_be_compared_is_held_and_says_so() {
    for (found, told) in [
        (
            refused as fn(&Compare) -> ComparedStretch,
            expect![[r#"
            02:50 B Verifying(by B) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; wish: -; closed: unverified contoso@02:00}
                  contoso-dr holds it after 20 min; not compared: HTTP 403 AuthorizationFailed
        "#]],
        ),
        (
            of_another_layout,
            expect![[r#"
            02:50 B Verifying(by B) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; wish: -; closed: unverified contoso@02:00}
                  contoso-dr holds it after 20 min; not compared: the backup's inventory cannot be compared with: it has version 1 and layout 2
        "#]],
        ),
        (
            all_but_users,
            expect![[r#"
            02:50 B Verifying(by B) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; wish: -; closed: unverified contoso@02:00}
                  contoso-dr holds it after 20 min; not compared: these could not be read on both services: users (it has more than 200000 entries). The rest: 0 equal
        "#]],
        ),
        (
            all_that_the_tier_has,
            expect![[r#"
            02:50 B Verifying(by B) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.verified {holds: contoso@02:00 verified; wish: -; closed: verified contoso@02:00}
                  contoso-dr holds it after 20 min; compared and equal: 0 equal
        "#]],
        ),
    ] {
        let mut story = verifying();
        story.compare_with(found).in_words();
        told.assert_eq(&story.transcript());
    }
}

#[test]
fn after_half_an_hour_it_counts_as_not_compared() {
    let mut story = verifying();
    story.compare_with(some_differ).compare_with(ends_late);
    story.tick("03:19:59");
    story.tick("03:20").in_words();
    story.check(expect![[r#"
        02:50 B Verifying(by B) + compared -> Verifying(after users, by B), read and compare
        02:50 B Verifying(after users, by B) + compared -> Verifying(after backends), rest
        03:19:59 C Verifying(after backends) + resumed -> Verifying(after backends), rest
        03:20 D Verifying(after backends) + resumed -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; wish: -; closed: unverified contoso@02:00}
              contoso-dr holds it after 50 min; not compared: it could not be read to its end within 30 min
    "#]]);
}

#[test]
fn things_that_no_backup_carries_are_told_if_they_are_not_alike() {
    let mut story = verifying();
    story.compare_with(not_all_alike).in_words();
    story.check(expect![[r#"
        02:50 B Verifying(by B) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.verified standby.not_protected {holds: contoso@02:00 verified; wish: -; closed: verified contoso@02:00}
              contoso-dr holds it after 20 min; compared and equal: 0 equal
              no backup carries these, or makes them fit, and they are not alike: custom hostnames and their certificates, virtual network and private access, 1 value of the backed-up service itself or its region
    "#]]);
}

/// Whether the record knows the lists that the restore left.
fn lists_left(story: &Story) -> bool {
    match &story.record().holds {
        Holds::Backup(held) => held.lists.is_some(),
        Holds::Unknown { lists, .. } => lists.is_some(),
        Holds::Nothing => false,
    }
}

/// Users may have changed what was read: later it must not count as what the restore left.
#[test]
fn lists_that_differ_are_kept_only_if_somebody_was_known_to_serve_since_the_restore_began() {
    let compared = |prepare: fn(&mut Story) -> &mut Story, found: fn(&Compare) -> ComparedStretch| {
        let mut story = verifying();
        prepare(&mut story).compare_with(found);
        lists_left(&story)
    };
    let blind: fn(&mut Story) -> &mut Story = |story| story.nobody_watched_until("02:45");
    let unknown: fn(&mut Story) -> &mut Story = |story| story.serving_unknown();
    assert!(compared(|story| story, different_in_the_end));
    assert!(compared(|story| story, all_that_the_tier_has));
    assert!(compared(|story| story, all_but_users_of_the_source));
    assert!(
        !compared(|story| story, all_but_users),
        "nobody would see what is changed in a list that was not read"
    );
    assert!(compared(|story| story.nobody_watched_until("02:29"), different_in_the_end));
    for unwatched in [blind, unknown] {
        assert!(!compared(unwatched, different_in_the_end));
        assert!(compared(unwatched, equal), "what is equal to the backup is what the restore left");
    }
}

/// A restore that was seen `Updating` and ended without anybody seeing how, an hour later each time.
fn ended_unseen(story: &mut Story, hour: u32) -> &mut Story {
    let at = |minute: u32| format!("{hour:02}:{minute}");
    story.tick(&at(40)).poll(no_word()).look(finds("Updating"));
    story.tick(&at(50)).poll(no_word()).look(finds("Succeeded"));
    story.tick(&at(55)).poll(no_word()).look(finds("Succeeded")).read_services()
}

fn running() -> Story {
    Story::of_secondary()
        .reading_by_hand()
        .having(|story| story.restore_runs("02:30", manifest("02:00").with_inventory()))
}

#[test]
fn ended_unseen_it_is_held_if_it_compares_equal() {
    let mut story = running().having(|story| ended_unseen(story, 2));
    story.compare_with(equal).in_words();
    story.check(expect![[r#"
        02:55 D Verifying(by D) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.verified {holds: contoso@02:00 verified; wish: -; closed: verified contoso@02:00}
              contoso-dr holds it after 25 min; compared and equal: 0 equal
    "#]]);
}

/// Azure said that it runs for as long as it did, and forgot how it ended.
#[test]
fn ended_unseen_after_a_poll_that_said_it_runs_it_is_held_if_it_compares_equal() {
    let mut story = running().having(|story| {
        story.tick("02:40").poll(still_running());
        story.tick("02:50").poll(no_word()).look(finds("Succeeded"));
        story.tick("02:55").poll(no_word()).look(finds("Succeeded")).read_services()
    });
    story.compare_with(equal);
    story.check(expect![[r#"
        02:55 D Verifying(by D) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.verified {holds: contoso@02:00 verified; wish: -; closed: verified contoso@02:00}
    "#]]);
}

#[test]
fn ended_unseen_and_different_it_is_an_attempt_that_failed_and_the_second_time_mismatched() {
    let mut story = running().having(|story| ended_unseen(story, 2));
    story.compare_with(different_in_the_end).in_words().write(WriteOnce::Written);
    story.tick("03:30").look(finds("Succeeded")).look(finds("Succeeded")).answer(accepted("op-2"));
    ended_unseen(&mut story, 3).compare_with(different_in_the_end).in_words();
    story.check(expect![[r#"
        02:55 D Verifying(by D) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.failed {holds: unknown after contoso@02:00; attempts: 1, again from 03:00; restore failures: 1, again from 03:00; unseen ends: 1; closed: failed contoso@02:00}
              it ended and Azure no longer says how; compared and different: 5 equal, 1 missing (apis 1), 1 different (users 1), 1 changed while the backup ran (users 1). The next attempt comes at 2026-03-10T03:00:00Z
        02:55 D Idle + written -> Idle, rest {closed: -}
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
        03:55 H Verifying + resumed -> Verifying, rest
        03:55 H Verifying + resumed -> Verifying(by H), read and compare
        03:55 H Verifying(by H) + compared -> Idle, write history/contoso-dr/20260310T033000Z-restore.json | restore.mismatched {holds: contoso@02:00 mismatched; wish: -; attempts: -; restore failures: -; unseen ends: -; closed: mismatched contoso@02:00}
              contoso-dr holds it after 25 min; compared and different: 5 equal, 1 missing (apis 1), 1 different (users 1), 1 changed while the backup ran (users 1)
    "#]]);
}

#[test]
fn an_end_of_which_not_even_the_beginning_was_seen_is_not_compared() {
    let mut story = running();
    story.tick("02:50").poll(no_word()).look(finds("Succeeded"));
    story.tick("02:55").poll(no_word()).look(finds("Succeeded"));
    story.check(expect![[r#"
        02:50 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:50 B Running(op-1) + poll HTTP 404 -> Running(op-1), look
        02:50 B Running(op-1) + look Succeeded -> Running(op-1, free since 02:50), rest
        02:55 C Running(op-1, free since 02:50) + resumed -> Running(op-1, free since 02:50), poll op-1
        02:55 C Running(op-1, free since 02:50) + poll HTTP 404 -> Running(op-1, free since 02:50), look
        02:55 C Running(op-1, free since 02:50) + look Succeeded -> Verifying, again | restore.ended
        02:55 C Verifying + resumed -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.failed {holds: unknown after contoso@02:00; attempts: 1, again from 03:00; restore failures: 1, again from 03:00; closed: failed contoso@02:00}
    "#]]);
}

/// What was read hours ago may have been changed since, and a dry run lets deadlines count anew.
#[test]
fn what_was_read_before_a_dry_run_is_read_anew_after_it() {
    let mut story = verifying();
    story.compare_with(ends_late).set_dry_run(true).tick("02:51").set_dry_run(false).tick("12:00");
    story.check(expect![[r#"
        02:50 B Verifying(by B) + compared -> Verifying(after backends), rest
        DRY_RUN=true
        02:51 C Verifying(after backends) + resumed -> Verifying(after backends), again {dry run: yes}
        02:51 C Verifying(after backends) + resumed -> Verifying(after backends), rest
        DRY_RUN=false
        12:00 D Verifying(after backends) + resumed -> Verifying, again {dry run: -; deadlines count from: 12:00}
        12:00 D Verifying + resumed -> Verifying, rest
    "#]]);
}
