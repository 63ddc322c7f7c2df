//! What retention leaves alone, however old it is.

use apim_dr::domain::inventory::Counts;
use apim_dr::domain::record::{By, RestoreWish};
use apim_dr::domain::vocabulary::InvocationId;
use expect_test::expect;

use super::fixtures::*;
use super::pass::Keeper;
use super::story::Story;

#[test]
fn the_last_verified_and_the_newest_accepted_backup_stay_for_ever() {
    let mut keeper = Keeper::new().keeping(1).backups(&["01", "02", "03"]).with(|record| {
        // The newest two are suspicious, and the last verified one is older still.
        record.backups[1].accepted = false;
        record.backups[2].accepted = false;
        record.last_verified.as_mut().expect("a backup").name = backup("contoso", "02T02:00");
    });
    keeper.tick("20T00:00").tick("21T00:00").what_is_left();
    keeper.check(expect![[r#"
        20T00:00 resumed -> list Leftovers until 18T00:00
        20T00:00 12 old -> list Manifests until 19T00:00
        20T00:00 12 old -> delete contoso@03T02:00.manifest.json {backups: contoso@01T02:00 contoso@02T02:00}
        20T00:00 1 gone -> list History until 2025-03-19T00:00 | retention.deleted
        20T00:00 0 old -> list Partial until 18T00:02
        20T00:00 0 old -> rest {next pass: 21T00:00}
        21T00:00 resumed -> list Leftovers until 19T00:00
        21T00:00 11 old -> delete contoso@03T02:00.apimbackup contoso@03T02:00.inventory-after.json contoso@03T02:00.inventory.json
        21T00:00 3 gone -> list Manifests until 20T00:00 | retention.deleted
        21T00:00 8 old -> list History until 2025-03-20T00:00
        21T00:00 0 old -> list Partial until 19T00:02
        21T00:00 0 old -> rest {next pass: 22T00:00}
        left: contoso@01T02:00.* contoso@02T02:00.*
    "#]]);
}

/// A backup that was accepted by hand may have no inventory: by it the next hollow one would not be told.
#[test]
fn the_newest_accepted_backup_that_has_an_inventory_stays_as_the_measure_of_the_next_one() {
    let counts = Counts { apis: 10, products: 4, entities: 100 };
    let mut keeper = Keeper::new().keeping(1).backups(&["01", "02", "03"]).with(|record| {
        record.backups[0].counts = Some(counts);
        record.backups[1].counts = Some(counts);
    });
    keeper.tick("20T00:00").tick("21T00:00");
    assert_eq!(keeper.left(), "contoso@02T02:00.* contoso@03T02:00.*");
    assert_eq!(keeper.record.newest_measured(), Some((&backup("contoso", "02T02:00"), counts)));
    keeper.record.backups.last_mut().expect("the newest one").counts = Some(counts);
    keeper.tick("22T00:00").tick("23T00:00");
    assert_eq!(keeper.left(), "contoso@03T02:00.*", "it is the measure itself now");
}

fn wish_for(began: &str) -> RestoreWish {
    RestoreWish {
        id: InvocationId::from("W"),
        at: at(began),
        by: By::Automatic,
        even_if_live: false,
        source: manifest(began).source,
        deferred: None,
        waits_since: None,
        failures: None,
    }
}

#[test]
fn what_a_wish_anywhere_names_stays() {
    let mut keeper = Keeper::new().backups(&["01", "02", "30"]);
    keeper.needed_elsewhere(&["01T02:00"]).tick("30T12:00").needed_elsewhere(&[]).tick("31T12:00");
    keeper.check(expect![[r#"
        another record needs 01T02:00
        30T12:00 resumed -> list Leftovers until 01T12:00
        30T12:00 4 old -> list Manifests until 02T12:00
        30T12:00 8 old -> delete contoso@02T02:00.manifest.json {backups: contoso@01T02:00 contoso@30T02:00}
        30T12:00 1 gone -> list History until 2025-03-29T12:00 | retention.deleted
        30T12:00 0 old -> list Partial until 28T12:02
        30T12:00 0 old -> rest {next pass: 31T12:00}
        another record needs none
        31T12:00 resumed -> list Leftovers until 02T12:00
        31T12:00 7 old -> delete contoso@02T02:00.apimbackup contoso@02T02:00.inventory-after.json contoso@02T02:00.inventory.json
        31T12:00 3 gone -> list Manifests until 03T12:00 | retention.deleted
        31T12:00 4 old -> delete contoso@01T02:00.manifest.json {backups: contoso@30T02:00}
        31T12:00 1 gone -> list History until 2025-03-30T12:00 | retention.deleted
        31T12:00 0 old -> list Partial until 29T12:02
        31T12:00 0 old -> rest {next pass: 2026-04-01T12:00}
    "#]]);
}

#[test]
fn what_this_service_itself_wishes_for_restores_or_makes_stays() {
    let wished =
        Keeper::new().backups(&["01", "30"]).with(|record| record.restore_wish = Some(wish_for("01T02:00")));
    let restoring = Story::of_secondary().having(|story| story.restore_runs("02:30", manifest("01T02:00")));
    let restored = Keeper::new()
        .backups(&["01", "30"])
        .with(|record| record.operation = restoring.record().operation.clone());
    let making = Story::of_primary().having(|story| story.backup_runs("01T02:00"));
    let made = Keeper::new()
        .backups(&["01", "30"])
        .with(|record| record.operation = making.record().operation.clone());
    for mut keeper in [wished, restored, made] {
        keeper.tick("30T12:00").tick("31T12:00");
        assert_eq!(keeper.left(), "contoso@01T02:00.* contoso@30T02:00.*");
    }
}

/// The host may stand still for a month between a backup's claim and its manifest. Nothing else would keep it, if it is
/// suspicious.
#[test]
fn what_belongs_to_a_manifest_that_is_written_after_the_listing_stays() {
    let mut keeper = Keeper::new()
        .backups(&["01", "30"])
        .not_listed("contoso-20260301T020000Z.manifest.json")
        .with(|record| record.backups[0].accepted = false);
    keeper.tick("30T12:00");
    keeper.check(expect![[r#"
        30T12:00 resumed -> list Leftovers until 01T12:00
        30T12:00 3 old -> list Manifests until 02T12:00
        30T12:00 3 old -> list History until 2025-03-29T12:00 {backups: contoso@30T02:00}
        30T12:00 0 old -> list Partial until 28T12:02
        30T12:00 0 old -> rest {next pass: 31T12:00}
    "#]]);
}

#[test]
fn nothing_else_in_the_container_is_touched() {
    let mut keeper = Keeper::new().keeping(1);
    for name in [
        "contoso-dr-20260301T020000Z.apimbackup",
        "contoso-dr-20260301T020000Z.manifest.json",
        "contoso-2026-03-01-02-00.apimbackup",
        "contoso-20260301T020000Z",
        "contoso-20260301T020000Z.zip",
        "contoso-20260301T020000Z.apimbackup.copy",
        "contoso-20261301T020000Z.apimbackup",
        "contoso-20260301T020000z.apimbackup",
        "contoso-20260301T020000Z/contoso-20260301T020000Z.apimbackup",
        "contoso-notes.txt",
        "fabrikam-20260301T020000Z.apimbackup",
        "history/contoso/notes.txt",
        "history/contoso-dr/20240301T020000Z-backup.json",
        "partial/contoso-dr/20260301T020000Z",
    ] {
        keeper = keeper.blob(name);
    }
    keeper.tick("31T12:00");
    keeper.check(expect![[r#"
        31T12:00 resumed -> list Leftovers until 29T12:00
        31T12:00 0 old -> list Manifests until 30T12:00
        31T12:00 0 old -> list History until 2025-03-30T12:00
        31T12:00 0 old -> list Partial until 29T12:02
        31T12:00 0 old -> rest {next pass: 2026-04-01T12:00}
    "#]]);
}

#[test]
fn without_every_record_nothing_is_deleted() {
    let mut keeper = Keeper::new().backups(&["01", "30"]);
    keeper.records_unreadable(Some("the record services/contoso-dr.json: it has version 2"));
    keeper.tick("30T01:00").in_words().tick("30T01:30").records_unreadable(None).tick("30T02:00");
    keeper.check(expect![[r#"
        30T01:00 resumed -> list Leftovers until 01T01:00
        30T01:00 the record services/contoso-dr.json: it has version 2 -> rest | retention.postponed {next pass: 30T02:00}
              what has been kept for long enough stays for another hour: the record services/contoso-dr.json: it has version 2
        30T01:30 resumed -> rest
        30T02:00 resumed -> list Leftovers until 01T02:00
        30T02:00 4 old -> list Manifests until 02T02:00
        30T02:00 4 old -> delete contoso@01T02:00.manifest.json {backups: contoso@30T02:00}
        30T02:00 1 gone -> list History until 2025-03-29T02:00 | retention.deleted
        30T02:00 0 old -> list Partial until 28T02:02
        30T02:00 0 old -> rest {next pass: 31T02:00}
    "#]]);
}
