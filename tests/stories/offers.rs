//! A manifest comes: ignored, refused, or kept as the target's wish. First match wins.

use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

#[test]
fn a_manifest_that_the_record_names_becomes_a_wish() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("02:00")).in_words().drive();
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00; seen: 02:00}
              to be restored into contoso-dr: its manifest arrived
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
    "#]]);
}

#[test]
fn a_manifest_that_no_record_names_is_ignored_but_passes_by_hand() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("02:00").not_in_the_record()).in_words();
    story.offer("02:31", manifest("02:00").not_in_the_record().by_hand());
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | configuration.suspect {suspect: 02:30}
              no record names contoso-20260310T020000Z.manifest.json with this digest: whoever can write the container does not thereby decide what is restored. Restore it by hand if you vouch for it
        02:31 B Idle + by hand contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00 by hand}
    "#]]);
}

#[test]
fn a_manifest_not_newer_than_seen_is_ignored_but_passes_by_hand() {
    let mut story = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00")));
    story.offer("02:31", manifest("02:00")).in_words();
    story.offer("02:32", manifest("01:00"));
    story.offer("02:33", manifest("02:00").by_hand());
    story.check(expect![[r#"
        02:31 B Idle + manifest contoso@02:00 -> Idle, rest | restore.ignored
              not newer than what was already taken up here
        02:32 C Idle + manifest contoso@01:00 -> Idle, rest | restore.ignored
        02:33 D Idle + by hand contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00 by hand}
    "#]]);
}

#[test]
fn what_the_target_holds_or_is_getting_is_ignored_but_passes_by_hand() {
    let mut story = Story::of_secondary().having(|story| {
        // By hand and not newer than another: `seen` says nothing of what is held.
        story.restore_runs("02:30", manifest("02:00").not_in_the_record().by_hand())
    });
    story.offer("02:31", manifest("02:00")).in_words();
    story.tick("02:40").poll(ended());
    story.offer("02:41", manifest("02:00")).in_words();
    story.offer("02:42", manifest("02:00").by_hand());
    story.check(expect![[r#"
        02:31 B Running(op-1) + manifest contoso@02:00 -> Running(op-1), rest | restore.ignored
              the service holds it already
        02:40 C Running(op-1) + resumed -> Running(op-1), poll op-1
        02:40 C Running(op-1) + poll 200 -> Verifying, again | restore.ended
        02:40 C Verifying(by C) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; wish: -; closed: unverified contoso@02:00}
        02:41 D Idle + manifest contoso@02:00 -> Idle, rest | restore.ignored
              the service holds it already
        02:42 E Idle + by hand contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00 by hand; seen: 02:00}
    "#]]);
}

#[test]
fn what_began_before_the_last_resume_is_ignored_but_passes_by_hand() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("02:00").resumed("02:00:01")).in_words();
    story.offer("02:31", manifest("02:00").resumed("02:00:01").by_hand());
    story.offer("02:41", manifest("02:10").resumed("02:10:00").by_hand());
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | restore.ignored
              it began before the last `resume`
        02:31 B Idle + by hand contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00 by hand; seen: 02:00}
        02:41 C Idle + by hand contoso@02:10 -> Idle, rest | restore.wished {wish: contoso@02:10 by hand; seen: 02:10}
    "#]]);
}

#[test]
fn a_backup_that_began_after_the_last_resume_passes() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("02:00").resumed("02:00"));
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00; seen: 02:00}
    "#]]);
}

#[test]
fn an_expired_backup_is_refused_to_everybody() {
    let mut story = Story::of_secondary();
    let old = || {
        let mut old = manifest("02:00");
        old.source.expires_at = at("02:30");
        old
    };
    story.offer("02:29:59", old()).offer("02:30", old().by_hand()).in_words();
    let mut other = Story::of_secondary();
    other.offer("02:30", old());
    story.check(expect![[r#"
        02:29:59 A Idle + manifest contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00; seen: 02:00}
        02:30 B Idle + by hand contoso@02:00 -> Idle, rest | restore.refused {restore failures: noted}
              contoso-20260310T020000Z is not restored: contoso-20260310T020000Z expired at 2026-03-10T02:30:00Z: API Management refuses a backup older than 30 days
    "#]]);
    other.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | restore.refused {restore failures: noted; refused: contoso@02:00}
    "#]]);
}

#[test]
fn a_backup_whose_blob_is_gone_or_another_is_refused_to_everybody() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("02:00").with_blob(missing())).in_words();
    story.offer("02:31", manifest("02:00").with_blob(missing()).by_hand());
    story.offer("02:32", manifest("02:00").with_blob(found_length(1))).in_words();
    story.offer("02:33", manifest("02:00").with_blob(found_etag("0x2")).by_hand());
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | restore.refused {restore failures: noted; refused: contoso@02:00}
              contoso-20260310T020000Z is not restored: the blob contoso-20260310T020000Z.apimbackup is gone
        02:31 B Idle + by hand contoso@02:00 -> Idle, rest | restore.refused
        02:32 C Idle + manifest contoso@02:00 -> Idle, rest | restore.refused
              contoso-20260310T020000Z is not restored: the blob contoso-20260310T020000Z.apimbackup is not the one that was proven: its length or ETag has changed since
        02:33 D Idle + by hand contoso@02:00 -> Idle, rest | restore.refused
    "#]]);
}

#[test]
fn a_blob_that_cannot_be_seen_lets_the_event_come_again() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("02:00").with_blob(unreadable()));
    story.offer("02:31", manifest("02:00").with_blob(unreadable()).by_hand());
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> to come again: the backup cannot be looked at: HTTP 403 AuthorizationFailure
        02:31 B Idle + by hand contoso@02:00 -> to come again: the backup cannot be looked at: HTTP 403 AuthorizationFailure
    "#]]);
}

#[test]
fn a_service_is_not_restored_from_its_own_backup() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest_of("contoso-dr", "02:00").by_hand()).in_words();
    story.check(expect![[r#"
        02:30 A Idle + by hand contoso-dr@02:00 -> Idle, rest | restore.refused {restore failures: noted}
              contoso-dr-20260310T020000Z is not restored: contoso-dr-20260310T020000Z is a backup of contoso-dr itself
    "#]]);
}

#[test]
fn a_suspicious_backup_is_refused_but_passes_by_hand() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("02:00").suspicious()).in_words();
    story.offer("02:31", manifest("02:00").suspicious().by_hand());
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | restore.refused {restore failures: noted}
              contoso-20260310T020000Z is not restored: the backup is suspicious: restore it by hand if it is what you want
        02:31 B Idle + by hand contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00 by hand; seen: 02:00}
    "#]]);
}

#[test]
fn among_automatic_wishes_the_newest_backup_wins() {
    let mut story = Story::of_secondary();
    story
        .offer("02:30", manifest("02:00"))
        .offer("02:50", manifest("02:40"))
        .offer("02:51", manifest("02:20"));
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00; seen: 02:00}
        02:50 B Idle + manifest contoso@02:40 -> Idle, rest | restore.wished {wish: contoso@02:40; seen: 02:40}
        02:51 C Idle + manifest contoso@02:20 -> Idle, rest | restore.ignored
    "#]]);
}

#[test]
fn a_wish_by_hand_replaces_an_automatic_one_and_only_a_later_one_by_hand_replaces_it() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("02:00"));
    story.offer("02:31", manifest("01:00").by_hand().though_newest_is("02:00"));
    story.offer("02:50", manifest("02:40")).in_words();
    story.offer("02:51", manifest("00:30").by_hand().though_newest_is("02:40"));
    story.check(expect![[r#"
        02:30 A Idle + manifest contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00; seen: 02:00}
        02:31 B Idle + by hand contoso@01:00 -> Idle, rest | restore.wished restore.pinned {wish: contoso@01:00 by hand; pin: contoso@01:00}
        02:50 C Idle + manifest contoso@02:40 -> Idle, rest | restore.ignored
              contoso-20260310T010000Z was asked for by hand, and that comes first
        02:51 D Idle + by hand contoso@00:30 -> Idle, rest | restore.wished restore.pinned {wish: contoso@00:30 by hand; pin: contoso@00:30}
    "#]]);
}

#[test]
fn what_is_refused_displaces_nothing() {
    let mut story = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00")));
    story.offer("02:50", manifest("02:40").with_blob(missing()));
    story.offer("02:51", manifest("02:40").with_blob(missing()).by_hand());
    story.check(expect![[r#"
        02:50 B Idle + manifest contoso@02:40 -> Idle, rest | restore.refused {restore failures: noted; refused: contoso@02:40}
        02:51 C Idle + by hand contoso@02:40 -> Idle, rest | restore.refused
    "#]]);
}

#[test]
fn a_wish_by_hand_may_say_even_if_live() {
    let mut story = Story::of_secondary();
    story.serving("contoso-dr");
    story.offer("02:30", manifest("02:00").by_hand().even_if_live()).drive();
    story.check(expect![[r#"
        contoso-dr carries the traffic
        02:30 A Idle + by hand contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00 by hand; seen: 02:00}
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
    "#]]);
}

#[test]
fn an_older_backup_chosen_by_hand_pins_and_the_newest_unpins() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("01:00").by_hand().though_newest_is("02:00")).in_words();
    story.offer("02:31", manifest("00:30").by_hand().though_newest_is("02:00"));
    story.offer("02:32", manifest("02:00").by_hand().not_in_the_record());
    story.offer("02:33", manifest("02:05").by_hand().suspicious());
    story.offer("02:34", manifest("02:00").by_hand()).in_words();
    story.offer("02:35", manifest("02:00").by_hand());
    story.check(expect![[r#"
        02:30 A Idle + by hand contoso@01:00 -> Idle, rest | restore.wished restore.pinned {wish: contoso@01:00 by hand; seen: 01:00; pin: contoso@01:00}
              to be restored into contoso-dr: asked for by hand
              a newer backup exists: nothing is restored by itself until the newest is chosen by hand
        02:31 B Idle + by hand contoso@00:30 -> Idle, rest | restore.wished restore.pinned {wish: contoso@00:30 by hand; pin: contoso@00:30}
        02:32 C Idle + by hand contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00 by hand}
        02:33 D Idle + by hand contoso@02:05 -> Idle, rest | restore.wished {wish: contoso@02:05 by hand; seen: 02:05}
        02:34 E Idle + by hand contoso@02:00 -> Idle, rest | restore.wished restore.unpinned {wish: contoso@02:00 by hand; pin: -}
              to be restored into contoso-dr: asked for by hand
              the newest backup was chosen by hand
        02:35 F Idle + by hand contoso@02:00 -> Idle, rest | restore.wished
    "#]]);
}

#[test]
fn a_backup_chosen_by_hand_pins_where_nobody_knows_which_is_the_newest() {
    let mut story = Story::of_secondary();
    story.offer("02:30", manifest("02:00").by_hand().whatever_the_newest_is()).in_words();
    story.offer("02:40", manifest("02:00").by_hand());
    story.check(expect![[r#"
        02:30 A Idle + by hand contoso@02:00 -> Idle, rest | restore.wished restore.pinned {wish: contoso@02:00 by hand; pin: contoso@02:00}
              to be restored into contoso-dr: asked for by hand
              whether a newer backup exists is not known, since the record that tells cannot be read: nothing is restored by itself until the newest is chosen by hand
        02:40 B Idle + by hand contoso@02:00 -> Idle, rest | restore.wished restore.unpinned {seen: 02:00; pin: -}
    "#]]);
}

#[test]
fn a_restore_into_the_primary_pins_nothing() {
    let mut story = Story::of_primary().having(|story| story.backup_verified("02:00", "02:20"));
    story.offer("02:30", manifest_of("contoso-dr", "01:00").by_hand().though_newest_is("02:00"));
    story.check(expect![[r#"
        02:30 C Idle + by hand contoso-dr@01:00 -> Idle, rest | restore.wished {wish: contoso-dr@01:00 by hand}
    "#]]);
}
