//! Retention: what has been kept for long enough goes, once a day, and what is needed stays however old it is.

use apim_dr::domain::observation::Deletion;
use expect_test::expect;

use super::fixtures::*;
use super::pass::Keeper;

#[test]
fn a_manifest_goes_after_28_days_and_what_belonged_to_it_a_day_later() {
    let mut keeper = Keeper::new().backups(&["01", "02", "03", "30"]);
    keeper.tick("29T01:59:59").tick("29T02:00").in_words().tick("30T01:59").tick("30T02:00").in_words();
    keeper.what_is_left();
    keeper.check(expect![[r#"
        29T01:59:59 resumed -> list Leftovers until 2026-02-28T01:59:59
        29T01:59:59 0 old -> list Manifests until 01T01:59:59
        29T01:59:59 0 old -> list History until 2025-03-28T01:59:59
        29T01:59:59 0 old -> list Partial until 27T02:01:59
        29T01:59:59 0 old -> rest {next pass: 30T01:59:59}
        29T02:00 resumed -> rest
        30T01:59 resumed -> rest
        30T02:00 resumed -> list Leftovers until 01T02:00
        30T02:00 4 old -> list Manifests until 02T02:00
        30T02:00 8 old -> delete contoso@01T02:00.manifest.json contoso@02T02:00.manifest.json {backups: contoso@03T02:00 contoso@30T02:00}
        30T02:00 2 gone -> list History until 2025-03-29T02:00 | retention.deleted
        30T02:00 0 old -> list Partial until 28T02:02
        30T02:00 0 old -> rest {next pass: 31T02:00}
              deleted old manifests: contoso-20260301T020000Z.manifest.json, contoso-20260302T020000Z.manifest.json
        left: contoso@01T02:00.apimbackup contoso@01T02:00.inventory-after.json contoso@01T02:00.inventory.json contoso@02T02:00.apimbackup contoso@02T02:00.inventory-after.json contoso@02T02:00.inventory.json contoso@03T02:00.* contoso@30T02:00.*
    "#]]);
}

#[test]
fn between_two_passes_nothing_is_asked() {
    let mut keeper = Keeper::new();
    keeper.tick("01T23:59").tick("02T00:00").tick("02T00:01").tick("02T23:59").tick("03T00:00");
    keeper.check(expect![[r#"
        01T23:59 resumed -> rest
        02T00:00 resumed -> list Leftovers until 2026-02-01T00:00
        02T00:00 0 old -> list Manifests until 2026-02-02T00:00
        02T00:00 0 old -> list History until 2025-03-01T00:00
        02T00:00 0 old -> list Partial until 2026-02-28T00:02
        02T00:00 0 old -> rest {next pass: 03T00:00}
        02T00:01 resumed -> rest
        02T23:59 resumed -> rest
        03T00:00 resumed -> list Leftovers until 2026-02-02T00:00
        03T00:00 0 old -> list Manifests until 2026-02-03T00:00
        03T00:00 0 old -> list History until 2025-03-02T00:00
        03T00:00 0 old -> list Partial until 01T00:02
        03T00:00 0 old -> rest {next pass: 04T00:00}
    "#]]);
}

#[test]
fn what_never_got_a_manifest_goes_a_day_later_than_a_manifest_would() {
    let mut keeper = Keeper::new()
        .blob("contoso-20260301T020000Z.apimbackup")
        .blob("contoso-20260302T020000Z.inventory.json")
        .blob("contoso-20260303T020000Z.inventory-after.json");
    keeper.tick("30T01:59:59").tick("31T02:00").what_is_left();
    keeper.check(expect![[r#"
        30T01:59:59 resumed -> list Leftovers until 01T01:59:59
        30T01:59:59 0 old -> list Manifests until 02T01:59:59
        30T01:59:59 1 old -> list History until 2025-03-29T01:59:59
        30T01:59:59 0 old -> list Partial until 28T02:01:59
        30T01:59:59 0 old -> rest {next pass: 31T01:59:59}
        31T02:00 resumed -> list Leftovers until 02T02:00
        31T02:00 2 old -> delete contoso@01T02:00.apimbackup contoso@02T02:00.inventory.json
        31T02:00 2 gone -> list Manifests until 03T02:00 | retention.deleted
        31T02:00 1 old -> list History until 2025-03-30T02:00
        31T02:00 0 old -> list Partial until 29T02:02
        31T02:00 0 old -> rest {next pass: 2026-04-01T02:00}
        left: contoso@03T02:00.inventory-after.json
    "#]]);
}

#[test]
fn history_goes_after_a_year_and_what_is_left_of_an_inventory_after_two_days() {
    let mut keeper = Keeper::new()
        .blob("history/contoso/20250310T115959Z-backup.json")
        .blob("history/contoso/20250310T120000Z-restore.json")
        .blob("history/contoso/20260309T120000Z-restore.json")
        .blob_written("partial/contoso/contoso-20260309T020000Z/1", "09T11:00")
        .blob_written("partial/contoso/contoso-20260311T020000Z/1", "11T11:00");
    keeper.tick("11T12:00").in_words().tick("11T12:01").tick("12T12:00");
    keeper.what_is_left();
    keeper.check(expect![[r#"
        11T12:00 resumed -> list Leftovers until 2026-02-10T12:00
        11T12:00 0 old -> list Manifests until 2026-02-11T12:00
        11T12:00 0 old -> list History until 2025-03-10T12:00
        11T12:00 2 old -> delete history/contoso/20250310T115959Z-backup.json history/contoso/20250310T120000Z-restore.json
        11T12:00 2 gone -> list Partial until 09T12:02 | retention.deleted
        11T12:00 1 old -> delete partial/contoso/contoso-20260309T020000Z/1
        11T12:00 1 gone -> rest | retention.deleted {next pass: 12T12:00}
              deleted unfinished inventories: partial/contoso/contoso-20260309T020000Z/1
        11T12:01 resumed -> rest
        12T12:00 resumed -> list Leftovers until 2026-02-11T12:00
        12T12:00 0 old -> list Manifests until 2026-02-12T12:00
        12T12:00 0 old -> list History until 2025-03-11T12:00
        12T12:00 0 old -> list Partial until 12:02
        12T12:00 0 old -> rest {next pass: 13T12:00}
        left: history/contoso/20260309T120000Z-restore.json partial/contoso/contoso-20260311T020000Z/1
    "#]]);
}

#[test]
fn a_protected_blob_is_told_of_once_and_holds_up_no_other() {
    let policy = || Deletion::Protected("HTTP 409 BlobImmutableDueToPolicy".into());
    let mut keeper =
        Keeper::new().keeping(20).backups(&["01", "02", "03", "28"]).deletes_end("0301", policy());
    keeper.tick("29T12:00").in_words().tick("30T12:00").deletes_are_allowed().tick("31T12:00");
    keeper.what_is_left();
    keeper.check(expect![[r#"
        29T12:00 resumed -> list Leftovers until 08T12:00
        29T12:00 12 old -> list Manifests until 09T12:00
        29T12:00 12 old -> delete contoso@01T02:00.manifest.json contoso@02T02:00.manifest.json contoso@03T02:00.manifest.json {backups: contoso@28T02:00}
        29T12:00 1 protected, 2 gone -> list History until 2025-03-28T12:00 | retention.refused retention.deleted {refused delete: contoso@01T02:00.manifest.json}
        29T12:00 0 old -> list Partial until 27T12:02
        29T12:00 0 old -> rest {next pass: 30T12:00}
              HTTP 409 BlobImmutableDueToPolicy. It is tried again once a day, and holds nothing else up
              deleted old manifests: contoso-20260302T020000Z.manifest.json, contoso-20260303T020000Z.manifest.json
        30T12:00 resumed -> list Leftovers until 09T12:00
        30T12:00 10 old -> delete contoso@02T02:00.apimbackup contoso@02T02:00.inventory-after.json contoso@02T02:00.inventory.json contoso@03T02:00.apimbackup contoso@03T02:00.inventory-after.json contoso@03T02:00.inventory.json
        30T12:00 6 gone -> list Manifests until 12:00 | retention.deleted
        30T12:00 4 old -> delete contoso@01T02:00.manifest.json
        30T12:00 1 protected -> list History until 2025-03-29T12:00
        30T12:00 0 old -> list Partial until 28T12:02
        30T12:00 0 old -> rest {next pass: 31T12:00}
        31T12:00 resumed -> list Leftovers until 12:00
        31T12:00 4 old -> list Manifests until 11T12:00
        31T12:00 4 old -> delete contoso@01T02:00.manifest.json
        31T12:00 1 gone -> list History until 2025-03-30T12:00 | retention.deleted
        31T12:00 0 old -> list Partial until 29T12:02
        31T12:00 0 old -> rest {next pass: 2026-04-01T12:00; refused delete: -}
        left: contoso@01T02:00.apimbackup contoso@01T02:00.inventory-after.json contoso@01T02:00.inventory.json contoso@28T02:00.*
    "#]]);
}

#[test]
fn a_missing_right_is_told_of_once_and_tried_once_a_day() {
    let denied = Deletion::Forbidden("HTTP 403 AuthorizationPermissionMismatch".into());
    let mut keeper = Keeper::new().backups(&["01", "02", "03", "30"]).deletes_end("contoso", denied);
    keeper.tick("30T12:00").tick("30T12:01").tick("31T12:00").what_is_left();
    keeper.check(expect![[r#"
        30T12:00 resumed -> list Leftovers until 01T12:00
        30T12:00 4 old -> list Manifests until 02T12:00
        30T12:00 8 old -> delete contoso@01T02:00.manifest.json contoso@02T02:00.manifest.json {backups: contoso@03T02:00 contoso@30T02:00}
        30T12:00 1 forbidden -> list History until 2025-03-29T12:00 | retention.refused {refused delete: contoso@01T02:00.manifest.json}
        30T12:00 0 old -> list Partial until 28T12:02
        30T12:00 0 old -> rest {next pass: 31T12:00}
        30T12:01 resumed -> rest
        31T12:00 resumed -> list Leftovers until 02T12:00
        31T12:00 8 old -> list Manifests until 03T12:00
        31T12:00 12 old -> delete contoso@01T02:00.manifest.json contoso@02T02:00.manifest.json contoso@03T02:00.manifest.json {backups: contoso@30T02:00}
        31T12:00 1 forbidden -> list History until 2025-03-30T12:00
        31T12:00 0 old -> list Partial until 29T12:02
        31T12:00 0 old -> rest {next pass: 2026-04-01T12:00}
        left: contoso@01T02:00.* contoso@02T02:00.* contoso@03T02:00.* contoso@30T02:00.*
    "#]]);
}

#[test]
fn a_blob_that_was_written_since_it_was_listed_is_left_for_another_day() {
    let mut keeper = Keeper::new().backups(&["01", "02", "30"]).deletes_end("0301", Deletion::Changed);
    keeper.tick("30T01:00").deletes_are_allowed().tick("31T01:00");
    keeper.check(expect![[r#"
        30T01:00 resumed -> list Leftovers until 01T01:00
        30T01:00 0 old -> list Manifests until 02T01:00
        30T01:00 4 old -> delete contoso@01T02:00.manifest.json {backups: contoso@02T02:00 contoso@30T02:00}
        30T01:00 1 changed -> list History until 2025-03-29T01:00
        30T01:00 0 old -> list Partial until 28T01:02
        30T01:00 0 old -> rest {next pass: 31T01:00}
        31T01:00 resumed -> list Leftovers until 02T01:00
        31T01:00 4 old -> list Manifests until 03T01:00
        31T01:00 8 old -> delete contoso@01T02:00.manifest.json contoso@02T02:00.manifest.json {backups: contoso@30T02:00}
        31T01:00 2 gone -> list History until 2025-03-30T01:00 | retention.deleted
        31T01:00 0 old -> list Partial until 29T01:02
        31T01:00 0 old -> rest {next pass: 2026-04-01T01:00}
    "#]]);
}

#[test]
fn a_pass_that_was_cut_off_anywhere_lists_again_and_goes_on() {
    let mut keeper = Keeper::new().backups(&["01", "02", "03", "30"]);
    keeper.dies_before_the_delete("31T12:00").tick("31T12:01");
    // A backup that somebody wants meanwhile stays, though the record named it.
    let mut wanted = Keeper::new().backups(&["01", "30"]);
    wanted.dies_before_the_delete("31T12:00").needed_elsewhere(&["01T02:00"]).tick("31T12:01").what_is_left();
    keeper.check(expect![[r#"
        31T12:00 resumed -> list Leftovers until 02T12:00
        31T12:00 8 old -> list Manifests until 03T12:00
        31T12:00 12 old -> delete contoso@01T02:00.manifest.json contoso@02T02:00.manifest.json contoso@03T02:00.manifest.json {backups: contoso@30T02:00}
        killed
        31T12:01 resumed -> list Manifests until 03T12:01
        31T12:01 12 old -> delete contoso@01T02:00.manifest.json contoso@02T02:00.manifest.json contoso@03T02:00.manifest.json
        31T12:01 3 gone -> list History until 2025-03-30T12:01 | retention.deleted
        31T12:01 0 old -> list Partial until 29T12:03
        31T12:01 0 old -> rest {next pass: 2026-04-01T12:01}
    "#]]);
    wanted.check(expect![[r#"
        31T12:00 resumed -> list Leftovers until 02T12:00
        31T12:00 4 old -> list Manifests until 03T12:00
        31T12:00 4 old -> delete contoso@01T02:00.manifest.json {backups: contoso@30T02:00}
        killed
        another record needs 01T02:00
        31T12:01 resumed -> list Manifests until 03T12:01
        31T12:01 4 old -> list History until 2025-03-30T12:01
        31T12:01 0 old -> list Partial until 29T12:03
        31T12:01 0 old -> rest {next pass: 2026-04-01T12:01}
        left: contoso@01T02:00.* contoso@30T02:00.*
    "#]]);
}

#[test]
fn silence_postpones_the_pass_by_an_hour() {
    let silence = Deletion::NoAnswer("no answer: timed out".into());
    let mut keeper = Keeper::new().backups(&["01", "30"]).deletes_end("0301", silence);
    keeper.tick("30T01:00").in_words().tick("30T01:59").deletes_are_allowed().tick("30T02:00");
    keeper.check(expect![[r#"
        30T01:00 resumed -> list Leftovers until 01T01:00
        30T01:00 0 old -> list Manifests until 02T01:00
        30T01:00 4 old -> delete contoso@01T02:00.manifest.json {backups: contoso@30T02:00}
        30T01:00 1 no answer -> rest | retention.postponed {next pass: 30T02:00}
              what has been kept for long enough stays for another hour: no answer: timed out
        30T01:59 resumed -> rest
        30T02:00 resumed -> list Manifests until 02T02:00
        30T02:00 4 old -> delete contoso@01T02:00.manifest.json
        30T02:00 1 gone -> list History until 2025-03-29T02:00 | retention.deleted
        30T02:00 0 old -> list Partial until 28T02:02
        30T02:00 0 old -> rest {next pass: 31T02:00}
    "#]]);
}

#[test]
fn a_long_backlog_goes_in_many_saves_and_its_leftovers_another_day() {
    let names: Vec<_> = (0..60).map(|minute| format!("contoso-20260301T02{minute:02}00Z")).collect();
    let mut keeper = Keeper::new();
    for name in &names {
        keeper = keeper.blob(&format!("{name}.manifest.json")).blob(&format!("{name}.apimbackup"));
    }
    keeper.tick("30T12:00").tick("30T12:01").tick("31T12:00").what_is_left();
    keeper.check(expect![[r#"
        30T12:00 resumed -> list Leftovers until 01T12:00
        30T12:00 120 old -> list Manifests until 02T12:00
        30T12:00 120 old -> delete contoso@01T02:00.manifest.json … contoso@01T02:24.manifest.json (25)
        30T12:00 25 gone -> list Manifests until 02T12:00 | retention.deleted
        30T12:00 95 old -> delete contoso@01T02:25.manifest.json … contoso@01T02:49.manifest.json (25)
        30T12:00 25 gone -> list Manifests until 02T12:00 | retention.deleted
        30T12:00 70 old -> delete contoso@01T02:50.manifest.json … contoso@01T02:59.manifest.json (10)
        30T12:00 10 gone -> list History until 2025-03-29T12:00 | retention.deleted
        30T12:00 0 old -> list Partial until 28T12:02
        30T12:00 0 old -> rest {next pass: 31T12:00}
        30T12:01 resumed -> rest
        31T12:00 resumed -> list Leftovers until 02T12:00
        31T12:00 60 old -> delete contoso@01T02:00.apimbackup … contoso@01T02:24.apimbackup (25)
        31T12:00 25 gone -> list Leftovers until 02T12:00 | retention.deleted
        31T12:00 35 old -> delete contoso@01T02:25.apimbackup … contoso@01T02:49.apimbackup (25)
        31T12:00 25 gone -> list Leftovers until 02T12:00 | retention.deleted
        31T12:00 10 old -> delete contoso@01T02:50.apimbackup … contoso@01T02:59.apimbackup (10)
        31T12:00 10 gone -> list Manifests until 03T12:00 | retention.deleted
        31T12:00 0 old -> list History until 2025-03-30T12:00
        31T12:00 0 old -> list Partial until 29T12:02
        31T12:00 0 old -> rest {next pass: 2026-04-01T12:00}
        left: nothing
    "#]]);
}

#[test]
fn a_listing_that_was_cut_off_leaves_its_last_backup_alone() {
    let mut keeper = Keeper::new().backups(&["01", "02"]).listing_ends_after("0302T020000Z.apimbackup");
    keeper.record.backups.clear();
    keeper.record.last_verified = None;
    keeper = keeper.blob("contoso-20260228T020000Z.apimbackup");
    keeper.tick("31T12:00");
    keeper.check(expect![[r#"
        31T12:00 resumed -> list Leftovers until 02T12:00
        31T12:00 6 old, cut off -> delete contoso@2026-02-28T02:00.apimbackup
        31T12:00 1 gone -> list Manifests until 03T12:00 | retention.deleted
        31T12:00 5 old, cut off -> delete contoso@01T02:00.manifest.json
        31T12:00 1 gone -> list History until 2025-03-30T12:00 | retention.deleted
        31T12:00 0 old -> list Partial until 29T12:02
        31T12:00 0 old -> rest {next pass: 2026-04-01T12:00}
    "#]]);
}

#[test]
fn the_earlier_of_two_clocks_counts() {
    let mut keeper = Keeper::new().backups(&["01", "30"]);
    keeper.tick_by_two_clocks("31T12:00", at("28T12:00"));
    keeper.tick_by_two_clocks("28T12:01", at("31T12:00"));
    keeper.what_is_left();
    keeper.check(expect![[r#"
        31T12:00 resumed -> list Leftovers until 2026-02-27T12:00
        31T12:00 0 old -> list Manifests until 2026-02-28T12:00
        31T12:00 0 old -> list History until 2025-03-27T12:00
        31T12:00 0 old -> list Partial until 26T12:00
        31T12:00 0 old -> rest {next pass: 29T12:00}
        28T12:01 resumed -> rest
        left: contoso@01T02:00.* contoso@30T02:00.*
    "#]]);
}

#[test]
fn a_dry_run_tells_what_it_would_delete_once_a_day() {
    let mut keeper =
        Keeper::new().backups(&["01", "02", "30"]).blob("history/contoso/20240101T000000Z-backup.json");
    keeper.context.dry_run = true;
    keeper.tick("30T12:00").in_words().tick("30T12:01").what_is_left();
    keeper.check(expect![[r#"
        30T12:00 resumed -> list Leftovers until 01T12:00
        30T12:00 4 old -> list Manifests until 02T12:00
        30T12:00 8 old -> list History until 2025-03-29T12:00 | dry_run.would_act
        30T12:00 1 old -> list Partial until 28T12:02 | dry_run.would_act
        30T12:00 0 old -> rest {next pass: 31T12:00}
              would delete history of more than a year ago: history/contoso/20240101T000000Z-backup.json
        30T12:01 resumed -> rest
        left: contoso@01T02:00.* contoso@02T02:00.* contoso@30T02:00.* history/contoso/20240101T000000Z-backup.json
    "#]]);
}

#[test]
fn a_late_invocation_leaves_it_to_the_next() {
    let mut keeper = Keeper::new().backups(&["01", "30"]);
    keeper.too_late().tick("30T01:00").tick("30T01:01");
    keeper.check(expect![[r#"
        30T01:00 resumed -> list Leftovers until 01T01:00
        30T01:00 too late -> rest
        30T01:01 resumed -> list Leftovers until 01T01:01
        30T01:01 0 old -> list Manifests until 02T01:01
        30T01:01 4 old -> delete contoso@01T02:00.manifest.json {backups: contoso@30T02:00}
        30T01:01 1 gone -> list History until 2025-03-29T01:01 | retention.deleted
        30T01:01 0 old -> list Partial until 28T01:03
        30T01:01 0 old -> rest {next pass: 31T01:01}
    "#]]);
}
