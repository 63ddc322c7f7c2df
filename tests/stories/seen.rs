//! `seen`, and the tick that makes up for an event that never came.

use apim_dr::domain::observation::WriteOnce;
use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

fn primary() -> Story {
    Story::of_primary().having(|story| story.backup_verified("02:00", "02:20"))
}

#[test]
fn a_tick_takes_up_what_no_event_brought_within_three_minutes() {
    let mut story = Story::of_secondary();
    story.takes_up("02:22:59", &primary()).takes_up("02:23", &primary());
    story.offer("02:23", manifest("02:00"));
    story.takes_up("02:24", &primary());
    story.check(expect![[r#"
        02:22:59 a tick takes up nothing
        02:23 a tick takes up contoso@02:00
        02:23 A Idle + manifest contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00; seen: 02:00}
        02:24 a tick takes up nothing
    "#]]);
}

#[test]
fn a_tick_takes_up_the_newest_only() {
    let primary = primary().having(|story| story.backup_verified("11T02:00", "11T02:20"));
    let mut story = Story::of_secondary();
    story.takes_up("11T02:30", &primary);
    story.offer("11T02:30", manifest("11T02:00"));
    story.takes_up("11T02:31", &primary);
    story.check(expect![[r#"
        11T02:30 a tick takes up contoso@11T02:00
        11T02:30 A Idle + manifest contoso@11T02:00 -> Idle, rest | restore.wished {wish: contoso@11T02:00; seen: 11T02:00}
        11T02:31 a tick takes up nothing
    "#]]);
}

/// A person has restored a suspicious backup into another secondary, and that accepts it for all.
#[test]
fn a_tick_takes_up_what_was_refused_as_suspicious_and_accepted_since() {
    let mut story = Story::of_secondary();
    story.offer("02:21", manifest("02:00").suspicious());
    story.takes_up("02:40", &primary());
    story.check(expect![[r#"
        02:21 A Idle + manifest contoso@02:00 -> Idle, rest | restore.refused {restore failures: noted}
        02:40 a tick takes up contoso@02:00
    "#]]);
}

#[test]
fn a_tick_finds_nothing_where_nothing_was_ever_proven() {
    let mut story = Story::of_secondary();
    story.takes_up("02:30", &Story::of_primary());
    story.check(expect![[r#"
        02:30 a tick takes up nothing
    "#]]);
}

#[test]
fn a_tick_does_not_take_up_what_was_refused() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("02:00").with_blob(missing()));
    story.takes_up("02:31", &primary());
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | restore.refused {restore failures: noted; refused: contoso@02:00}
        02:31 a tick takes up nothing
    "#]]);
}

#[test]
fn a_tick_leaves_a_wish_by_hand_alone() {
    let mut story = Story::of_secondary();
    story.offer("02:22", manifest("01:00").by_hand().not_in_the_record());
    story.takes_up("02:30", &primary());
    story.check(expect![[r#"
        02:22 A Idle + by hand contoso@01:00 -> Idle, rest | restore.wished {wish: contoso@01:00 by hand}
        02:30 a tick takes up nothing
    "#]]);
}

#[test]
fn a_tick_takes_up_for_a_pinned_target_what_then_waits() {
    let mut story = Story::of_secondary().having(|story| {
        story.restore_held("02:10", "02:25", manifest("01:00").by_hand().though_newest_is("02:00"))
    });
    story.takes_up("02:30", &primary());
    story.offer("02:30", manifest("02:00")).drive();
    story.takes_up("02:31", &primary());
    story.check(expect![[r#"
        02:30 a tick takes up contoso@02:00
        02:30 C Idle + manifest contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00; seen: 02:00}
        02:30 C Idle + resumed -> Idle, rest | restore.deferred {deferred: since 02:30: contoso-20260310T010000Z was chosen by hand at 2026-03-10T02:10:00Z, and was not known to be the newest: restore the newest by hand to go on}
        02:31 a tick takes up nothing
    "#]]);
}

#[test]
fn a_tick_does_not_take_up_what_is_held_or_being_restored() {
    let mut story = Story::of_secondary()
        .having(|story| story.restore_runs("02:21", manifest("02:00").by_hand().not_in_the_record()));
    story.takes_up("02:30", &primary());
    story.tick("02:40").poll(ended());
    story.takes_up("02:41", &primary());
    story.check(expect![[r#"
        02:30 a tick takes up nothing
        02:40 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:40 B Running(op-1) + poll 200 -> Verifying, again | restore.ended
        02:40 B Verifying(by B) + compared -> Idle, write history/contoso-dr/20260310T022100Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; wish: -; closed: unverified contoso@02:00}
        02:41 a tick takes up nothing
    "#]]);
}

#[test]
fn a_tick_does_not_take_up_what_began_before_the_last_resume() {
    let resumed = primary().having(|story| story.resumed_at("02:10"));
    let mut story = Story::of_secondary();
    story.takes_up("02:30", &resumed);
    story.check(expect![[r#"
        02:30 a tick takes up nothing
    "#]]);
}

#[test]
fn seen_is_moved_by_wishes_of_the_primarys_manifests_alone() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("02:00").not_in_the_record());
    story.offer("02:31", manifest("02:00").suspicious());
    story.offer("02:32", manifest("02:00").with_blob(missing()));
    story.offer("02:33", manifest("01:00").by_hand().not_in_the_record());
    story.offer("02:34", manifest("02:00"));
    story.offer("02:35", manifest("01:30").by_hand().though_newest_is("02:00"));
    story.offer("02:36", manifest("01:00").by_hand().though_newest_is("02:00"));
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | configuration.suspect {suspect: 02:30}
        02:31 B Idle + manifest contoso@02:00 -> Idle, rest | restore.refused {restore failures: noted}
        02:32 C Idle + manifest contoso@02:00 -> Idle, rest | restore.refused {refused: contoso@02:00}
        02:33 D Idle + by hand contoso@01:00 -> Idle, rest | restore.wished {wish: contoso@01:00 by hand}
        02:34 E Idle + manifest contoso@02:00 -> Idle, rest | restore.ignored
        02:35 F Idle + by hand contoso@01:30 -> Idle, rest | restore.wished restore.pinned {wish: contoso@01:30 by hand; seen: 01:30; pin: contoso@01:30}
        02:36 G Idle + by hand contoso@01:00 -> Idle, rest | restore.wished restore.pinned {wish: contoso@01:00 by hand; pin: contoso@01:00}
    "#]]);
    let mut primary = Story::of_primary();
    primary.offer("02:34", manifest_of("contoso-dr", "02:00").by_hand());
    primary.check(expect![[r#"
        02:34 A Idle + by hand contoso-dr@02:00 -> Idle, rest | restore.wished {wish: contoso-dr@02:00 by hand}
    "#]]);
}

#[test]
fn seen_is_what_the_record_says_of_the_backup_and_not_the_manifest() {
    let mut story = Story::of_secondary();
    let mut manifest = manifest("02:00");
    manifest.source.started_at = at("31T00:00");
    story.offer("02:30", manifest);
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00; seen: 02:00}
    "#]]);
}

#[test]
fn a_wish_by_hand_that_lapses_gives_seen_back_to_what_is_held() {
    let mut story = Story::of_secondary().having(|story| {
        story.restore_held("01:30", "01:50", manifest("01:00"));
        story.serving("contoso-dr");
        story.offer("02:30", manifest("02:00").by_hand()).drive()
    });
    story.tick("06:29:59");
    story.tick("06:30").in_words();
    story.takes_up("06:31", &primary());
    story.check(expect![[r#"
        06:29:59 D Idle + resumed -> Idle, rest
        06:30 E Idle + resumed -> Idle, again | restore.lapsed {wish: -; deferred: -; seen: 01:00; restore failures: noted}
        06:30 E Idle + resumed -> Idle, rest
              contoso-20260310T020000Z was asked for by hand at 2026-03-10T02:30:00Z and not restored within 4 h: ask again
        06:31 a tick takes up contoso@02:00
    "#]]);
}

#[test]
fn a_wish_by_hand_that_lapses_where_nothing_is_held_gives_seen_back_to_nothing() {
    let mut story = Story::of_secondary().having(|story| {
        story.serving("contoso-dr");
        story.offer("02:30", manifest("02:00").by_hand()).drive()
    });
    story.tick("06:30");
    story.takes_up("06:31", &primary());
    story.check(expect![[r#"
        06:30 B Idle + resumed -> Idle, again | restore.lapsed {wish: -; deferred: -; seen: -; restore failures: noted}
        06:30 B Idle + resumed -> Idle, rest
        06:31 a tick takes up contoso@02:00
    "#]]);
}

#[test]
fn a_wish_by_hand_that_is_refused_at_its_gate_gives_seen_back() {
    let mut story = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00").by_hand()));
    story.drive().look(finds("Succeeded").blob(missing())).in_words();
    story.check(expect![[r#"
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded, no blob -> Idle, again | restore.refused {wish: -; seen: -; restore failures: noted}
        02:30 A Idle + resumed -> Idle, rest
              contoso-20260310T020000Z is not restored: the blob contoso-20260310T020000Z.apimbackup is gone
    "#]]);
}

#[test]
fn seen_is_given_back_to_no_day_that_was_still_to_come() {
    let forged = || manifest("12T00:00").by_hand().not_in_the_record();
    let mut story = Story::of_secondary().having(|story| {
        story.restore_held("01:30", "01:50", forged());
        story.offer("02:30", forged())
    });
    story.drive().look(finds("Succeeded").blob(missing()));
    story.takes_up("02:31", &primary());
    story.check(expect![[r#"
        02:30 C Idle + resumed -> Idle, look for contoso@12T00:00
        02:30 C Idle + look Succeeded, no blob -> Idle, again | restore.refused {wish: -; seen: 01:50; restore failures: noted}
        02:30 C Idle + resumed -> Idle, rest
        02:31 a tick takes up contoso@02:00
    "#]]);
}

#[test]
fn an_automatic_wish_does_not_lapse_and_keeps_seen_when_refused() {
    let mut story = Story::of_secondary().having(|story| {
        story.serving("contoso-dr");
        story.offer("02:30", manifest("02:00")).drive()
    });
    story.tick("09:00").serving("contoso");
    story.tick("09:01").look(finds("Succeeded").blob(found_etag("0x2")));
    story.takes_up("09:02", &primary());
    story.check(expect![[r#"
        09:00 B Idle + resumed -> Idle, rest
        contoso carries the traffic
        09:01 C Idle + resumed -> Idle, look for contoso@02:00
        09:01 C Idle + look Succeeded, blob of 4096 bytes, ETag "0x2" -> Idle, again | restore.refused {wish: -; deferred: -; restore failures: noted}
        09:01 C Idle + resumed -> Idle, rest
        09:02 a tick takes up nothing
    "#]]);
}

#[test]
fn three_minutes_count_from_what_the_manifest_says_and_not_from_when_it_was_written() {
    let primary = Story::of_primary().having(|story| {
        story.backup_runs("02:00").tick("02:11").poll(ended()).inspect(found());
        story.tick("02:30").write(WriteOnce::Written)
    });
    let mut story = Story::of_secondary();
    story.takes_up("02:30", &primary);
    story.check(expect![[r#"
        02:30 a tick takes up contoso@02:00
    "#]]);
}

#[test]
fn a_tick_takes_up_what_began_in_the_very_moment_of_the_last_resume() {
    let resumed = primary().having(|story| story.resumed_at("02:00"));
    let mut story = Story::of_secondary();
    story.takes_up("02:30", &resumed);
    story.check(expect![[r#"
        02:30 a tick takes up contoso@02:00
    "#]]);
}
