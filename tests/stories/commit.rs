//! The commit point: the manifest, named by the record before it exists.

use apim_dr::domain::observation::WriteOnce;
use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

fn proven_at_0211() -> Story {
    Story::of_primary()
        .having(|story| story.backup_runs("02:00").tick("02:11").poll(ended()).inspect(found()))
}

#[test]
fn a_written_manifest_makes_the_backup_verified() {
    let mut story = proven_at_0211();
    story.write(WriteOnce::Written).in_words();
    story.write(WriteOnce::Written);
    story.check(expect![[r#"
        02:11 B Committing + written -> Idle, again | backup.verified {backups: contoso@02:00; last verified: contoso@02:00; covered: 02:00; aside: inventory after of contoso@02:00; closed: verified contoso@02:00}
        02:11 B Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
              proven after 11 min; recovery point 2026-03-10T02:00:00Z
        02:11 B Idle + written -> Idle, rest {closed: -}
        02:11 B Idle + joined -> Idle, again | inventory.taken {aside: -}
    "#]]);
}

#[test]
fn committing_is_gone_on_with_by_any_invocation() {
    let mut story = proven_at_0211();
    story.write(WriteOnce::NoAnswer("timed out".into()));
    story.tick("02:12").at("02:14").too_late();
    story.tick("02:15").write(WriteOnce::Same);
    story.check(expect![[r#"
        02:11 B Committing + no answer -> Committing, stop
        02:12 C Committing + resumed -> Committing, write manifest
        02:14 C Committing + too late -> Committing, rest
        02:15 D Committing + resumed -> Committing, write manifest
        02:15 D Committing + there already -> Idle, again | backup.verified {backups: contoso@02:00; last verified: contoso@02:00; covered: 02:00; aside: inventory after of contoso@02:00; closed: verified contoso@02:00}
        02:15 D Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
    "#]]);
}

#[test]
fn other_bytes_under_the_manifests_name_are_a_failure_and_suspect() {
    let mut story = proven_at_0211();
    story.write(WriteOnce::Other).in_words();
    story.tick("02:16").look(finds("Succeeded"));
    story.check(expect![[r#"
        02:11 B Committing + other bytes there -> Idle, again | backup.failed configuration.suspect {backup failures: 1, again from 02:16; suspect: 02:11; closed: failed contoso@02:00}
        02:11 B Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
              another manifest named contoso-20260310T020000Z.manifest.json stands in the container already, as if another deployment wrote there. While a backup is still due, the next attempt comes at 2026-03-10T02:16:00Z
              another manifest named contoso-20260310T020000Z.manifest.json stands in the container already, as if another deployment wrote there
        02:16 C Idle + resumed -> Idle, look for contoso@02:16
        02:16 C Idle + look Succeeded -> Inventory, again
        02:16 C Inventory(read, by C) + joined -> Requested(by C), look for contoso@02:16 | inventory.taken backup.requested
    "#]]);
}

#[test]
fn the_record_vouches_for_the_manifest_before_it_exists_and_for_no_other_bytes() {
    let mut story = proven_at_0211();
    story.vouches_for("02:00", None).vouches_for("02:00", Some("forged")).vouches_for("02:01", None);
    story.write(WriteOnce::Written);
    story.vouches_for("02:00", None).vouches_for("02:00", Some("forged")).vouches_for("02:01", None);
    story.check(expect![[r#"
        Committing the record vouches for the manifest: 02:00
        Committing the record vouches for the manifest: no
        Committing the record vouches for the manifest: no
        02:11 B Committing + written -> Idle, again | backup.verified {backups: contoso@02:00; last verified: contoso@02:00; covered: 02:00; aside: inventory after of contoso@02:00; closed: verified contoso@02:00}
        02:11 B Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
        Idle the record vouches for the manifest: 02:00
        Idle the record vouches for the manifest: no
        Idle the record vouches for the manifest: no
    "#]]);
}

#[test]
fn before_it_is_proven_the_record_vouches_for_nothing() {
    let mut story = Story::of_primary().having(|story| story.backup_runs("02:00"));
    story.vouches_for("02:00", Some("forged"));
    story.check(expect![[r#"
        Running(op-1) the record vouches for the manifest: no
    "#]]);
}

#[test]
fn a_clock_that_was_wrong_does_not_move_the_last_verified_backup_backwards() {
    let mut story = Story::of_primary().having(|story| story.backup_verified("12T02:00", "12T02:20"));
    story
        .wish_backup("10:00")
        .drive()
        .look(finds("Succeeded"))
        .look(finds("Succeeded"))
        .answer(accepted("op-2"));
    story.tick("10:20").poll(ended()).inspect(found()).write(WriteOnce::Written);
    story.check(expect![[r#"
        10:00 C Idle + a backup now -> Idle, rest | backup.wished {backup wished: by C}
        10:00 C Idle + resumed -> Idle, look for contoso@10:00
        10:00 C Idle + look Succeeded -> Inventory, again
        10:00 C Inventory(read, by C) + joined -> Requested(by C), look for contoso@10:00 | inventory.taken backup.requested
        10:00 C Requested(by C) + look Succeeded -> Requested(by C), POST backup contoso@10:00
        10:00 C Requested(by C) + 202 op-2 -> Running(op-2), rest | backup.accepted {backup wished: -}
        10:20 D Running(op-2) + resumed -> Running(op-2), poll op-2
        10:20 D Running(op-2) + poll 200 -> Proving, inspect blob | backup.ended
        10:20 D Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
        10:20 D Committing + written -> Idle, again | backup.verified {backups: contoso@12T02:00 contoso@10:00; aside: inventory after of contoso@10:00; closed: verified contoso@10:00}
        10:20 D Idle + resumed -> Idle, write history/contoso/20260310T100000Z-backup.json
    "#]]);
}

#[test]
fn a_history_blob_that_gives_no_answer_is_written_later() {
    let mut story = proven_at_0211().having(|story| story.write(WriteOnce::Written));
    story.write(WriteOnce::NoAnswer("timed out".into()));
    story.tick("02:12").at("02:14").too_late();
    story.tick("02:15").write(WriteOnce::Other);
    story.tick("02:16");
    story.check(expect![[r#"
        02:11 B Idle + no answer -> Idle, rest
        02:11 B Idle + joined -> Idle, again | inventory.taken {aside: -}
        02:12 C Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
        02:14 C Idle + too late -> Idle, rest
        02:15 D Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
        02:15 D Idle + other bytes there -> Idle, rest {closed: -}
        02:16 E Idle + resumed -> Idle, rest
    "#]]);
}
