//! The names of backups, and times as they are stored.

use apim_dr::domain::record::{path_of, service_at};
use apim_dr::domain::vocabulary::{BackupName, Etag, Timestamp};
use expect_test::expect;

use super::fixtures::*;

#[test]
fn a_backups_name_tells_its_service_and_when_it_began() {
    let told: String = [
        "contoso-20260310T020000Z",
        "contoso-eu-20260310T020000Z",
        "contoso-20260310T020000Z-20260310T020001Z",
        "c-20000229T235959Z",
        "contoso-20260229T020000Z",
        "contoso-20260310T240000Z",
        "contoso-20260310T020060Z",
        "contoso-20261310T020000Z",
        "contoso-2026310T020000Z",
        "contoso-20260310T0200Z",
        "contoso-+20260310T020000Z",
        "contoso-20260310T020000",
        "contoso-20260310t020000z",
        "contoso-20260310T020000Z ",
        " contoso-20260310T020000Z",
        "contoso-20260310T020000Z.apimbackup",
        "Contoso-20260310T020000Z",
        "contoso--20260310T020000Z",
        "-20260310T020000Z",
        "20260310T020000Z",
        "9contoso-20260310T020000Z",
        "a/contoso-20260310T020000Z",
        "contoso-２０２６0310T020000Z",
        "çontoso-20260310T020000Z",
        "",
    ]
    .iter()
    .map(|text| match BackupName::parse(text) {
        Some(name) => format!("{text:?} is of {} and began {}\n", name.service(), name.began()),
        None => format!("{text:?} is no backup's name\n"),
    })
    .collect();
    expect![[r#"
        "contoso-20260310T020000Z" is of contoso and began 2026-03-10T02:00:00Z
        "contoso-eu-20260310T020000Z" is of contoso-eu and began 2026-03-10T02:00:00Z
        "contoso-20260310T020000Z-20260310T020001Z" is no backup's name
        "c-20000229T235959Z" is of c and began 2000-02-29T23:59:59Z
        "contoso-20260229T020000Z" is no backup's name
        "contoso-20260310T240000Z" is no backup's name
        "contoso-20260310T020060Z" is no backup's name
        "contoso-20261310T020000Z" is no backup's name
        "contoso-2026310T020000Z" is no backup's name
        "contoso-20260310T0200Z" is no backup's name
        "contoso-+20260310T020000Z" is no backup's name
        "contoso-20260310T020000" is no backup's name
        "contoso-20260310t020000z" is no backup's name
        "contoso-20260310T020000Z " is no backup's name
        " contoso-20260310T020000Z" is no backup's name
        "contoso-20260310T020000Z.apimbackup" is no backup's name
        "Contoso-20260310T020000Z" is no backup's name
        "contoso--20260310T020000Z" is no backup's name
        "-20260310T020000Z" is no backup's name
        "20260310T020000Z" is no backup's name
        "9contoso-20260310T020000Z" is no backup's name
        "a/contoso-20260310T020000Z" is no backup's name
        "contoso-２０２６0310T020000Z" is no backup's name
        "çontoso-20260310T020000Z" is no backup's name
        "" is no backup's name
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_manifests_name_is_its_backups_with_a_suffix() {
    for no_manifest in [
        "contoso-20260310T020000Z",
        "contoso-20260310T020000Z.apimbackup",
        "contoso-20260310T020000Z.inventory.json",
        "contoso-20260310T020000Z.MANIFEST.JSON",
        "contoso-20260310T020000Z.manifest.json.manifest.json",
        ".manifest.json",
        "old/contoso-20260310T020000Z.manifest.json",
    ] {
        assert_eq!(BackupName::of_manifest(no_manifest), None, "{no_manifest}");
    }
    let name = backup("contoso-eu", "02:00");
    assert_eq!(name.manifest(), "contoso-eu-20260310T020000Z.manifest.json");
    assert_eq!(name.blob(), "contoso-eu-20260310T020000Z.apimbackup");
    assert_eq!(BackupName::of_manifest(&name.manifest()), Some(name));
}

#[test]
fn the_next_second_of_a_name_goes_on_into_the_next_year() {
    let name = BackupName::parse("contoso-20261231T235959Z").expect("a name");
    assert_eq!(name.next_second().to_string(), "contoso-20270101T000000Z");
}

#[test]
fn a_time_is_stored_to_the_microsecond_and_in_utc() {
    let told: String = [
        "2026-03-10T02:00:00Z",
        "2026-03-10T02:00:00.123456Z",
        "2026-03-10T02:00:00.123456789Z",
        "2026-03-10T02:00:00.5+05:30",
        "2026-03-10t02:00:00z",
        "2026-03-10 02:00:00Z",
        "2026-03-10T02:00:00",
        "2026-02-29T02:00:00Z",
        "10 March 2026",
        "",
        "9999-12-31T23:59:59-01:00",
        "0000-01-01T00:00:00+01:00",
    ]
    .iter()
    .map(|text| match serde_json::from_value::<Timestamp>(serde_json::json!(text)) {
        Ok(moment) => {
            let stored = serde_json::to_string(&moment).expect("JSON");
            assert_eq!(serde_json::from_str::<Timestamp>(&stored).expect("a time"), moment, "{text}");
            format!("{text:?} is stored as {stored}\n")
        }
        Err(why) => format!("{why}\n"),
    })
    .collect();
    expect![[r#"
        "2026-03-10T02:00:00Z" is stored as "2026-03-10T02:00:00Z"
        "2026-03-10T02:00:00.123456Z" is stored as "2026-03-10T02:00:00.123456Z"
        "2026-03-10T02:00:00.123456789Z" is stored as "2026-03-10T02:00:00.123456Z"
        "2026-03-10T02:00:00.5+05:30" is stored as "2026-03-09T20:30:00.5Z"
        "2026-03-10t02:00:00z" is stored as "2026-03-10T02:00:00Z"
        "2026-03-10 02:00:00Z" is stored as "2026-03-10T02:00:00Z"
        `2026-03-10T02:00:00` is not an RFC 3339 time
        `2026-02-29T02:00:00Z` is not an RFC 3339 time
        `10 March 2026` is not an RFC 3339 time
        `` is not an RFC 3339 time
        `9999-12-31T23:59:59-01:00` is in no year of ours
        `0000-01-01T00:00:00+01:00` is in no year of ours
    "#]]
    .assert_eq(&told);
}

#[test]
fn an_etag_is_the_same_with_and_without_its_quotes() {
    let quoted = Etag::from("\"0x8D\"".to_owned());
    assert_eq!(quoted, Etag::from("0x8D".to_owned()));
    assert_eq!(quoted.quoted(), "\"0x8D\"");
}

#[test]
fn an_operations_url_is_stored_word_for_word_and_shown_nowhere() {
    let text = "https://management.azure.com/op?t=1&c=secret";
    let operation = apim_dr::domain::vocabulary::OperationUrl::new(text.into());
    assert_eq!(serde_json::to_value(&operation).expect("JSON"), text);
    assert!(!format!("{operation:?}").contains("secret"));
}

#[test]
fn a_records_place_tells_its_service() {
    let name = service("Contoso-EU").name();
    assert_eq!(path_of(&name), "services/contoso-eu.json");
    assert_eq!(service_at("services/contoso-eu.json"), Some(name));
    for elsewhere in ["services/contoso-eu", "contoso-eu.json", "services/a/b.json", "services/.json", ""] {
        assert_eq!(service_at(elsewhere), None, "{elsewhere}");
    }
}
