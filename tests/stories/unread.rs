//! A record that cannot be read: what hangs on it is neither raised nor over, and somebody is told of the record itself.

use expect_test::expect;

use super::conditions::{fail_over, failed_over};
use super::fixtures::*;
use super::story::Story;
use super::watched::{Watched, held, verified};

const HICCUP: &str = "storage did not answer";

/// What an invocation begins with, and keeps where it cannot read the primary's record.
fn know_nothing(watched: &mut Watched) {
    watched.situation.failed_over = None;
    watched.situation.backed_up = service("contoso").name();
}

#[test]
fn without_the_primarys_record_nothing_is_over_that_hangs_on_who_is_backed_up() {
    let mut watched = failed_over();
    watched.judge("12:04");
    watched.change(know_nothing).unread("contoso", HICCUP).judge("12:05");
    assert_eq!(watched.raised(), ["FailedOver", "BackupMissing"]);
    watched.change(fail_over).read(&[&verified(), &held()]).judge("12:06");
    watched.check(expect![[r#"
        12:04 condition.raised FailedOver: contoso-dr has carried the traffic since 2026-03-10T08:03:00Z, not the primary contoso. When contoso is well: back up contoso-dr, restore that into contoso by hand, move the traffic back, and say `resume`
        12:04 condition.raised BackupMissing: contoso-dr has no verified backup, and has been waiting for one since 2026-03-10T08:03:00Z. See in the status what runs or waits; to ask for a backup now, run BackupTimer with any input or `apim-dr backup`
    "#]]);
}

#[test]
fn without_the_primarys_record_nothing_is_raised_for_the_service_that_serves() {
    let mut watched = failed_over();
    watched.judge("11T09:59");
    watched.change(know_nothing).unread("contoso", HICCUP).judge("11T10:01");
    assert_eq!(watched.raised(), ["FailedOver", "BackupMissing"], "it is no standby, and nobody knows");
    watched.change(fail_over).read(&[&verified(), &held()]).judge("11T10:02");
    assert_eq!(watched.raised(), ["FailedOver", "BackupMissing"]);
}

/// The record of the secondary that serves says so until the primary's can be used.
#[test]
fn that_somebody_else_serves_is_told_without_the_primarys_record() {
    let mut watched = failed_over();
    watched.unread("contoso", HICCUP).judge("08:04");
    assert_eq!(watched.raised(), ["FailedOver"]);
}

#[test]
fn what_is_wrong_with_a_secondary_alone_is_told_without_the_primarys_record() {
    let mut secondary = Story::of_secondary().having(|story| story.restore_runs("02:21", manifest("02:00")));
    secondary.tick("02:40").poll(ended_badly());
    let mut watched = Watched::of(&[&verified(), &secondary]);
    watched.unread("contoso", HICCUP).judge("02:41");
    assert_eq!(watched.raised(), ["RestoreFailing", "StandbyUnknown"]);
}

/// What was restored into a service that is neither the primary nor a secondary counts while people fail back.
#[test]
fn without_the_primarys_record_what_a_service_holds_that_the_settings_no_longer_name_stays_as_it_was() {
    let mut watched = failed_over();
    let mut left_over = held().record().clone();
    left_over.service = service("contoso-old");
    let apim_dr::domain::record::Holds::Backup(held) = &mut left_over.holds else { panic!("it holds one") };
    held.compared = apim_dr::domain::record::Compared::Mismatched { summary: "1 missing (apis 1)".into() };
    watched.change(|watched| watched.records.push(left_over)).judge("08:04");
    assert_eq!(watched.raised(), ["FailedOver", "StandbyMismatched"]);
    watched.change(know_nothing).unread("contoso", HICCUP).judge("08:05");
    assert_eq!(watched.raised(), ["FailedOver", "StandbyMismatched"]);
}

/// Whether its backup is due stands in the primary's record.
#[test]
fn without_the_primarys_record_a_service_stays_busy() {
    let mut secondary = Story::of_secondary().scheduled("0 0 2 * * *");
    secondary.tick("02:00").look(finds("Updating"));
    secondary.primary_unread().tick("05:59");
    assert_eq!(secondary.record().busy_since, Some(at("02:00")));
}

#[test]
fn a_record_that_cannot_be_read_is_told_after_five_minutes_until_it_is_read_again() {
    let why = "the record services/contoso-dr.json is left alone: it is not a record";
    let mut watched = Watched::of(&[&verified(), &held()]);
    watched.unread("contoso-dr", HICCUP).judge("03:00").judge("03:04");
    watched.read(&[&verified(), &held()]).judge("03:05").unread("contoso-dr", why).judge("03:06");
    assert!(watched.raised().is_empty(), "it was read in between");
    watched.judge("03:10").judge("03:11").judge("03:12").read(&[&verified(), &held()]).judge("03:20");
    watched.check(expect![[r#"
        03:11 condition.raised RecordUnreadable: the record of contoso-dr cannot be read since 2026-03-10T03:06:00Z: the record services/contoso-dr.json is left alone: it is not a record. Nothing is backed up or restored there until it can be: let the app reach its storage, run the version of apim-dr that wrote the record, or put the record right as the runbook says
        03:20 condition.cleared RecordUnreadable is over; it was raised since 2026-03-10T03:06:00Z: the record of contoso-dr cannot be read since 2026-03-10T03:06:00Z: the record services/contoso-dr.json is left alone: it is not a record
    "#]]);
}

#[test]
fn a_record_of_another_deployment_has_a_condition_of_its_own() {
    let mut watched = Watched::of(&[&verified(), &held()]);
    let what = "the record belongs to another id";
    watched.change(|watched| watched.foreign.push((service("contoso-dr").name(), what.into())));
    watched.unread("contoso-dr", what).judge("03:00").judge("03:10");
    assert_eq!(watched.raised(), ["ConfigurationSuspect"]);
}
