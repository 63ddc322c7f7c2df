//! What somebody has to know: each condition is raised by its fact, told once, and cleared when the fact is over.

use apim_dr::domain::health::CertificateLook;
use apim_dr::domain::observation::WriteOnce;
use apim_dr::domain::record::{EventLost, FailedOver, Failures, Served};
use apim_dr::domain::serving::Serving;
use apim_dr::domain::vocabulary::{InvocationId, Timestamp};
use expect_test::expect;
use time::Duration;

use super::fixtures::*;
use super::story::Story;
use super::watched::{Watched, held, verified};

#[test]
fn while_all_is_well_nothing_is_raised() {
    let mut watched = Watched::of(&[&verified(), &held()]);
    watched.judge("03:00");
    assert!(watched.raised().is_empty());
    watched.check(expect![""]);
}

#[test]
fn backup_missing_is_raised_by_the_age_of_the_last_verified_one() {
    let (mut primary, secondary) = (verified(), held());
    let mut watched = Watched::of(&[&primary, &secondary]);
    watched.judge("11T04:00").judge("11T04:00:01").judge("11T04:01");
    primary.backup_verified("11T04:02", "11T04:20");
    watched.now_of(&[&primary, &secondary]).judge("11T04:21");
    watched.check(expect![[r#"
        11T04:00:01 condition.raised BackupMissing: the last verified backup of contoso is contoso-20260310T020000Z, begun at 2026-03-10T02:00:00Z, which is longer ago than RPO_TARGET (26 h). See in the status what runs or waits; to ask for a backup now, run BackupTimer with any input or `apim-dr backup`
        11T04:21 condition.cleared BackupMissing is over; it was raised since 2026-03-11T04:00:00Z: the last verified backup of contoso is contoso-20260310T020000Z, begun at 2026-03-10T02:00:00Z, which is longer ago than RPO_TARGET (26 h)
    "#]]);
}

#[test]
fn backup_missing_is_raised_four_hours_after_the_first_tick_without_one() {
    let (primary, secondary) = (Story::of_primary(), Story::of_secondary());
    let mut watched = Watched::of(&[&primary, &secondary]);
    watched.judge("04:00").judge("04:01");
    watched.check(expect![[r#"
        04:01 condition.raised BackupMissing: contoso has no verified backup, and has been waiting for one since 2026-03-10T00:00:00Z. See in the status what runs or waits; to ask for a backup now, run BackupTimer with any input or `apim-dr backup`
    "#]]);
}

#[test]
fn backup_failing_is_raised_in_azures_words_until_one_is_verified() {
    let mut primary = verified();
    let mut watched = Watched::of(&[&primary, &held()]);
    primary.backup_posts("11T02:00").answer(refused()).write(WriteOnce::Written);
    watched.now_of(&[&primary, &held()]).judge("11T02:01");
    primary.backup_posts("11T02:05").answer(refused()).write(WriteOnce::Written);
    watched.now_of(&[&primary, &held()]).judge("11T02:06");
    primary.backup_verified("11T02:20", "11T02:40");
    watched.now_of(&[&primary, &held()]).judge("11T02:41");
    watched.check(expect![[r#"
        11T02:01 condition.raised BackupFailing: at 2026-03-11T02:00:00Z: Azure refused the backup: HTTP 400 InvalidParameters: the storage account is not reachable. Mend what Azure names; while a backup is due it is tried again by itself, or run BackupTimer with any input
        11T02:41 condition.cleared BackupFailing is over; it was raised since 2026-03-11T02:00:00Z: 2 attempts in a row failed, the last at 2026-03-11T02:05:00Z: Azure refused the backup: HTTP 400 InvalidParameters: the storage account is not reachable
    "#]]);
}

#[test]
fn a_backup_past_its_deadline_is_failing() {
    let mut primary = verified().having(|story| story.backup_runs("11T02:00"));
    primary.tick("11T06:00").poll(still_running()).look(finds("Updating"));
    let mut watched = Watched::of(&[&primary, &held()]);
    watched.change(|watched| watched.promise.rpo_target = Duration::hours(48)).judge("11T06:01");
    watched.check(expect![[r#"
        11T06:01 condition.raised BackupFailing: the backup contoso-20260311T020000Z has been under way since 2026-03-11T02:00:00Z and is past its deadline. A service that never leaves Updating can be freed by Azure support alone: open a request
    "#]]);
}

#[test]
fn backup_suspicious_is_raised_until_it_is_accepted_or_followed_by_a_good_one() {
    let mut watched = Watched::of(&[&verified(), &held()]);
    let counts = "it has 1 of 12 APIs and 1 of 3 products".to_owned();
    watched.change(|watched| {
        watched.records[0].backups[0].suspicious = Some(counts);
        watched.records[0].backups[0].accepted = false;
    });
    watched.judge("03:00").change(|watched| watched.records[0].backups[0].accepted = true).judge("03:01");
    watched.check(expect![[r#"
        03:00 condition.raised BackupSuspicious: contoso-20260310T020000Z: it has 1 of 12 APIs and 1 of 3 products. Look at the service. If it is as it should be, restore this backup by hand, which accepts it; if it is not, mend it: older backups stand
        03:01 condition.cleared BackupSuspicious is over; it was raised since 2026-03-10T02:20:00Z: contoso-20260310T020000Z: it has 1 of 12 APIs and 1 of 3 products
    "#]]);
}

#[test]
fn backup_expiring_is_raised_a_week_before() {
    let mut watched = Watched::of(&[&verified(), &held()]);
    watched.change(|watched| {
        watched.promise.rpo_target = Duration::days(60);
        watched.records[0].backups[0].started_at = at("01T02:00") + -Duration::days(10);
    });
    watched.judge("14T01:59").judge("14T02:00");
    watched.check(expect![[r#"
        14T02:00 condition.raised BackupExpiring: contoso-20260310T020000Z is the newest backup of contoso that may be restored, and API Management refuses it after 2026-03-21T02:00:00Z. Find out why there is no newer one: after that time there is nothing to restore
    "#]]);
}

#[test]
fn restore_failing_is_raised_until_one_is_held() {
    let mut secondary = Story::of_secondary().having(|story| story.restore_runs("02:21", manifest("02:00")));
    secondary.tick("02:40").poll(ended_badly()).write(WriteOnce::Written);
    let mut watched = Watched::of(&[&verified(), &secondary]);
    watched.judge("02:41");
    secondary.tick("02:50").look(finds("Succeeded")).look(finds("Succeeded")).answer(accepted("op-2"));
    secondary.tick("03:10").poll(ended()).write(WriteOnce::Written);
    watched.now_of(&[&verified(), &secondary]).judge("03:11");
    watched.check(expect![[r#"
        02:41 condition.raised RestoreFailing: at 2026-03-10T02:40:00Z: Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written. Mend what Azure names; it is tried again by itself
        02:41 condition.raised StandbyUnknown: what contoso-dr holds since the restore of contoso-20260310T020000Z is not known: Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written. Do not send traffic there before a restore has succeeded; the next one is tried by itself unless RestoreFailing or RestoreDeferred says otherwise
        03:11 condition.cleared RestoreFailing is over; it was raised since 2026-03-10T02:40:00Z: at 2026-03-10T02:40:00Z: Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written
        03:11 condition.cleared StandbyUnknown is over; it was raised since 2026-03-10T02:40:00Z: what contoso-dr holds since the restore of contoso-20260310T020000Z is not known: Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written
    "#]]);
}

/// After a failover the schedule leaves the secondary alone again, nothing is restored into the primary by itself, and a
/// primary hears of no events.
#[test]
fn what_nobody_tries_again_is_over_with_the_next_verified_backup() {
    let mut watched = Watched::of(&[&verified(), &held()]);
    let failed = |when: &str, what: &str| Some(Failures::noted(None, at(when), what.to_owned()));
    watched.change(|watched| {
        watched.records[0].restore_failures = failed("03:00", "it has expired");
        watched.records[1].backup_failures = failed("03:01", "the blob could not be written");
        let backup = backup("contoso", "02:00");
        watched.records[0].event_lost = Some(EventLost { at: at("03:00"), backup });
    });
    watched.judge("03:05");
    assert_eq!(watched.raised(), ["BackupFailing", "RestoreFailing"]);
    watched.change(|watched| {
        watched.records[0].last_verified.as_mut().unwrap().started_at = at("04:00");
    });
    watched.change(|watched| watched.situation.backed_up = service("contoso-dr").name()).judge("04:20");
    assert_eq!(
        watched.raised(),
        ["BackupMissing", "BackupFailing", "RestoreFailing"],
        "while the other serves"
    );
    watched.change(|watched| watched.situation.backed_up = service("contoso").name()).judge("04:21");
    assert!(watched.raised().is_empty());
    watched.change(|watched| {
        watched.records[0].backup_failures = failed("04:30", "the blob could not be written");
        watched.records[1].restore_failures = failed("03:30", "it has expired");
    });
    watched.judge("04:31");
    assert_eq!(watched.raised(), ["BackupFailing", "RestoreFailing"], "these are tried again by themselves");
}

#[test]
fn a_restore_past_its_deadline_is_failing() {
    let mut secondary = Story::of_secondary().having(|story| story.restore_runs("02:21", manifest("02:00")));
    secondary.tick("08:21").poll(still_running()).look(finds("Updating"));
    let mut watched = Watched::of(&[&verified(), &secondary]);
    watched.judge("08:22").check(expect![[r#"
        08:22 condition.raised RestoreFailing: the restore of contoso-20260310T020000Z has been under way since 2026-03-10T02:21:00Z and is past its deadline. A service that never leaves Updating can be freed by Azure support alone: open a request
    "#]]);
}

#[test]
fn restore_deferred_is_raised_after_an_hour_with_its_reason() {
    let mut secondary = Story::of_secondary().having(|story| story.offer("02:21", manifest("02:00")));
    secondary.drive().look(finds("Updating"));
    let mut watched = Watched::of(&[&verified(), &secondary]);
    watched.judge("03:20").judge("03:21");
    secondary.tick("03:22").look(finds("Succeeded"));
    watched.now_of(&[&verified(), &secondary]).judge("03:23");
    watched.check(expect![[r#"
        03:21 condition.warned RestoreDeferred: contoso-20260310T020000Z waits to be restored since 2026-03-10T02:21:00Z: the service is Updating by somebody else. The restore begins by itself when that no longer holds; `apim-dr withdraw` gives it up
        03:23 condition.cleared RestoreDeferred is over; it was raised since 2026-03-10T02:21:00Z: contoso-20260310T020000Z waits to be restored since 2026-03-10T02:21:00Z: the service is Updating by somebody else
    "#]]);
}

/// With a backup twice an hour none of them waits for long, and the standby grows old all the same.
#[test]
fn restore_deferred_is_raised_though_newer_backups_take_each_others_place() {
    let mut secondary = Story::of_secondary().having(|story| {
        story.offer("02:21", manifest("02:00")).drive().look(finds("Updating"));
        story.offer("02:51", manifest("02:30")).drive().look(finds("Updating"))
    });
    let mut watched = Watched::of(&[&verified(), &secondary]);
    watched.judge("03:20");
    secondary.offer("03:21", manifest("03:00")).drive().look(finds("Updating"));
    watched.now_of(&[&verified(), &secondary]).judge("03:21");
    secondary.offer("03:51", manifest("03:30").by_hand()).drive().look(finds("Updating"));
    watched.now_of(&[&verified(), &secondary]).judge("03:52");
    watched.check(expect![[r#"
        03:21 condition.warned RestoreDeferred: contoso-20260310T030000Z waits to be restored since 2026-03-10T02:21:00Z: the service is Updating by somebody else. The restore begins by itself when that no longer holds; `apim-dr withdraw` gives it up
        03:52 condition.cleared RestoreDeferred is over; it was raised since 2026-03-10T02:21:00Z: contoso-20260310T030000Z waits to be restored since 2026-03-10T02:21:00Z: the service is Updating by somebody else
    "#]]);
}

#[test]
fn restore_under_traffic_is_raised_while_it_runs() {
    let mut secondary = Story::of_secondary().having(|story| story.restore_runs("02:21", manifest("02:00")));
    secondary.serving("contoso-dr").tick("02:22").poll(still_running());
    let mut watched = Watched::of(&[&verified(), &secondary]);
    watched.judge("02:23");
    secondary.tick("02:40").poll(ended()).write(WriteOnce::Written);
    watched.now_of(&[&verified(), &secondary]).judge("02:41");
    watched.check(expect![[r#"
        02:23 condition.raised RestoreUnderTraffic: contoso-dr carries the traffic while contoso-20260310T020000Z is being restored into it. Users may meet half of it until the restore ends: move the traffic if another service can take it
        02:41 condition.cleared RestoreUnderTraffic is over; it was raised since 2026-03-10T02:22:00Z: contoso-dr carries the traffic while contoso-20260310T020000Z is being restored into it
    "#]]);
}

#[test]
fn restore_under_traffic_is_over_once_users_are_led_elsewhere_or_it_has_ended() {
    let mut secondary = Story::of_secondary().having(|story| story.restore_runs("02:21", manifest("02:00")));
    secondary.serving("contoso-dr").tick("02:22").poll(still_running());
    let mut watched = Watched::of(&[&verified(), &secondary]);
    watched.judge("02:23");
    secondary.serving_unknown().tick("02:24").poll(still_running());
    watched.now_of(&[&verified(), &secondary]).judge("02:24");
    assert_eq!(watched.raised(), ["RestoreUnderTraffic"]);
    secondary.serving("contoso").tick("02:25").poll(still_running());
    watched.now_of(&[&verified(), &secondary]).judge("02:25");
    assert!(watched.raised().is_empty());
    secondary.serving("contoso-dr").tick("02:26").poll(still_running());
    watched.now_of(&[&verified(), &secondary]).judge("02:26");
    assert_eq!(watched.raised(), ["RestoreUnderTraffic"]);
}

/// Nobody tries again what failed on a service that the settings no longer name.
#[test]
fn what_was_left_raises_nothing_once_all_is_over_there() {
    let mut left = Story::of_secondary().having(|story| {
        story.restore_runs("02:21", manifest("02:00"));
        story.tick("02:40").poll(ended_badly()).write(WriteOnce::Written)
    });
    let mut watched = Watched::of(&[&verified(), &left]);
    watched.judge("02:41");
    assert_eq!(watched.raised(), ["RestoreFailing", "StandbyUnknown"]);
    left.set_unconfigured().tick("02:42");
    watched.change(|watched| watched.secondaries.clear()).judge("02:43");
    assert!(watched.raised().is_empty());
    let mut open = Story::of_secondary().having(|story| {
        story.restore_runs("02:21", manifest("02:00"));
        story.tick("02:40").poll(ended_badly()).write(WriteOnce::Written);
        story.tick("02:46").look(finds("Succeeded")).look(finds("Succeeded")).answer(accepted("op-2"))
    });
    open.set_unconfigured().tick("08:45").poll(still_running());
    watched.now_of(&[&verified(), &open]).judge("08:45");
    assert!(watched.raised().is_empty(), "that it failed before says nothing of what runs");
    open.tick("08:46").poll(still_running()).look(finds("Updating"));
    watched.now_of(&[&verified(), &open]).judge("08:46");
    assert_eq!(watched.raised(), ["RestoreFailing"], "it is past its deadline");
}

#[test]
fn failed_over_says_whether_traffic_has_returned() {
    let mut watched = Watched::of(&[&verified(), &held()]);
    let latch = FailedOver { since: at("08:03"), serving: service("contoso-dr").name(), before: Vec::new() };
    watched.change(|watched| {
        watched.records[0].served =
            Some(Served { by: latch.serving.clone(), read_at: at("08:03"), blind_until: None });
        watched.situation.failed_over = Some(latch);
    });
    watched.judge("08:04");
    watched.change(|watched| {
        watched.records[0].served.as_mut().unwrap().by = service("contoso").name();
    });
    watched.judge("08:30");
    let fact = watched.health.raised[0].fact.clone();
    watched.change(|watched| watched.situation.failed_over = None).judge("09:00");
    watched.lines.push(fact);
    watched.check(expect![[r#"
        08:04 condition.raised FailedOver: contoso-dr has carried the traffic since 2026-03-10T08:03:00Z, not the primary contoso. When contoso is well: back up contoso-dr, restore that into contoso by hand, move the traffic back, and say `resume`
        09:00 condition.cleared FailedOver is over; it was raised since 2026-03-10T08:03:00Z: contoso-dr carried the traffic since 2026-03-10T08:03:00Z, and traffic has returned to the primary contoso by itself
        contoso-dr carried the traffic since 2026-03-10T08:03:00Z, and traffic has returned to the primary contoso by itself
    "#]]);
}

/// Failed over since 08:03; no backup of the service that serves was verified in 4 h.
pub(super) fn failed_over() -> Watched {
    let mut watched = Watched::of(&[&verified(), &held()]);
    watched.change(fail_over);
    watched
}

pub(super) fn fail_over(watched: &mut Watched) {
    watched.situation.failed_over = Some(latch("contoso-dr", "08:03"));
    watched.situation.backed_up = service("contoso-dr").name();
}

#[test]
fn while_failed_over_a_backup_is_missed_of_the_service_that_serves() {
    failed_over().judge("12:03").judge("12:04").check(expect![[r#"
        12:03 condition.raised FailedOver: contoso-dr has carried the traffic since 2026-03-10T08:03:00Z, not the primary contoso. When contoso is well: back up contoso-dr, restore that into contoso by hand, move the traffic back, and say `resume`
        12:04 condition.raised BackupMissing: contoso-dr has no verified backup, and has been waiting for one since 2026-03-10T08:03:00Z. See in the status what runs or waits; to ask for a backup now, run BackupTimer with any input or `apim-dr backup`
    "#]]);
}

/// Users were led to contoso-dr first, and what they changed there stands in no backup of another.
#[test]
fn who_served_before_another_in_a_failover_is_not_stale() {
    let mut watched = Watched::of(&[&verified(), &held()]);
    watched.change(|watched| {
        watched.promise.rpo_target = Duration::hours(10);
        watched.situation.failed_over = Some(latch("contoso-dr contoso-ap", "08:03"));
        watched.situation.backed_up = service("contoso-ap").name();
    });
    watched.judge("18:01");
    watched.check(expect![[r#"
        18:01 condition.raised FailedOver: contoso-dr and contoso-ap have carried the traffic since 2026-03-10T08:03:00Z, not the primary contoso. When contoso is well: back up contoso-ap, restore that into contoso by hand, move the traffic back, and say `resume`
        18:01 condition.raised ConfigurationSuspect: BACKUP_SCHEDULE leaves 24 h between two backups, and RPO_TARGET is 10 h: BackupMissing will be raised in between. Change the app's settings
    "#]]);
}

#[test]
fn standby_unknown_and_stale_are_told_apart() {
    let mut secondary = held();
    let mut watched = Watched::of(&[&verified(), &secondary]);
    watched.change(|watched| watched.promise.rpo_target = Duration::hours(10)).judge("18:00").judge("18:01");
    secondary.restore_runs("18:02", manifest("17:00"));
    secondary.tick("18:20").poll(ended_badly()).write(WriteOnce::Written);
    watched.now_of(&[&verified(), &secondary]).judge("18:21");
    watched.check(expect![[r#"
        18:00 condition.raised BackupMissing: the last verified backup of contoso is contoso-20260310T020000Z, begun at 2026-03-10T02:00:00Z, which is longer ago than RPO_TARGET (10 h). See in the status what runs or waits; to ask for a backup now, run BackupTimer with any input or `apim-dr backup`
        18:00 condition.raised ConfigurationSuspect: BACKUP_SCHEDULE leaves 24 h between two backups, and RPO_TARGET is 10 h: BackupMissing will be raised in between. Change the app's settings
        18:01 condition.raised StandbyStale: contoso-dr holds contoso-20260310T020000Z, begun at 2026-03-10T02:00:00Z, and a standby may be 16 h behind at most (RPO_TARGET and 6 h). BackupMissing, RestoreDeferred or RestoreFailing says why nothing newer has come
        18:21 condition.raised RestoreFailing: at 2026-03-10T18:20:00Z: Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written. Mend what Azure names; it is tried again by itself
        18:21 condition.raised StandbyUnknown: what contoso-dr holds since the restore of contoso-20260310T170000Z is not known: Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written. Do not send traffic there before a restore has succeeded; the next one is tried by itself unless RestoreFailing or RestoreDeferred says otherwise
        18:21 condition.cleared StandbyStale is over; it was raised since 2026-03-10T18:00:00Z: contoso-dr holds contoso-20260310T020000Z, begun at 2026-03-10T02:00:00Z, and a standby may be 16 h behind at most (RPO_TARGET and 6 h)
    "#]]);
}

#[test]
fn a_secondary_into_which_nothing_was_ever_restored_is_stale() {
    let mut watched = Watched::of(&[&verified(), &Story::of_secondary()]);
    watched.change(|watched| watched.promise.rpo_target = Duration::hours(10)).judge("16:00").judge("16:01");
    watched.check(expect![[r#"
        16:00 condition.raised BackupMissing: the last verified backup of contoso is contoso-20260310T020000Z, begun at 2026-03-10T02:00:00Z, which is longer ago than RPO_TARGET (10 h). See in the status what runs or waits; to ask for a backup now, run BackupTimer with any input or `apim-dr backup`
        16:00 condition.raised ConfigurationSuspect: BACKUP_SCHEDULE leaves 24 h between two backups, and RPO_TARGET is 10 h: BackupMissing will be raised in between. Change the app's settings
        16:01 condition.raised StandbyStale: nothing was ever restored into contoso-dr, and a standby may be 16 h behind at most (RPO_TARGET and 6 h). BackupMissing, RestoreDeferred or RestoreFailing says why nothing newer has come
    "#]]);
}

#[test]
fn standby_mismatched_says_what_differs() {
    let mut watched = Watched::of(&[&verified(), &held()]);
    watched.change(|watched| {
        let held = &mut watched.records[1].holds;
        let apim_dr::domain::record::Holds::Backup(held) = held else { panic!("it holds a backup") };
        held.compared = apim_dr::domain::record::Compared::Mismatched {
            summary: "1 missing (apis/orders), 2 different (policies)".into(),
        };
    });
    watched.judge("03:00").check(expect![[r#"
        03:00 condition.raised StandbyMismatched: contoso-dr holds contoso-20260310T020000Z, and differs from it: 1 missing (apis/orders), 2 different (policies). The status names what differs. If it was changed by hand there, change the primary instead; the next restore overwrites it
    "#]]);
}

#[test]
fn service_busy_is_raised_after_four_hours() {
    let mut primary = verified();
    primary.tick("11T02:00").look(finds("Updating"));
    let mut watched = Watched::of(&[&primary, &held()]);
    watched.change(|watched| watched.promise.rpo_target = Duration::hours(48));
    watched.judge("11T05:59").judge("11T06:00").check(expect![[r#"
        11T06:00 condition.warned ServiceBusy: Azure has been answering since 2026-03-11T02:00:00Z that contoso is busy, and nothing can begin. See in the activity log who changes the service; one that never leaves Updating can be freed by Azure support alone
    "#]]);
}

#[test]
fn heartbeat_slow_is_judged_by_ticks_alone() {
    let mut watched = Watched::of(&[&verified(), &held()]);
    watched.change(|watched| watched.last_run = Some(at("03:00"))).judge("03:05").judge("03:05:01");
    watched.change(|watched| watched.last_run = None).judge("03:05:30");
    assert_eq!(watched.raised(), ["HeartbeatSlow"], "an event knows nothing of the timer");
    watched.change(|watched| watched.last_run = Some(at("03:05"))).judge("03:06");
    watched.check(expect![[r#"
        03:05:01 condition.warned HeartbeatSlow: before this tick BackupTimer last ran at 2026-03-10T03:00:00Z, and it should run every minute. See that the app is not stopped, throttled or out of quota, and that its plan keeps the timer running
        03:06 condition.cleared HeartbeatSlow is over; it was raised since 2026-03-10T03:05:01Z: before this tick BackupTimer last ran at 2026-03-10T03:00:00Z, and it should run every minute
    "#]]);
}

#[test]
fn configuration_suspect_names_records_settings_and_manifests() {
    let mut watched = Watched::of(&[&verified(), &held()]);
    watched.change(|watched| {
        watched.situation.serving = Serving::NotConfigured;
        watched.promise.longest_gap = Duration::hours(48);
        watched.foreign.push((service("contoso").name(), "the record belongs to another id".into()));
    });
    watched.judge("03:00");
    let mut secondary = held();
    secondary.offer("03:01", manifest("03:00").not_in_the_record());
    watched.now_of(&[&verified(), &secondary]);
    watched.change(|watched| {
        watched.situation.serving = Serving::Service(service("contoso").name());
        watched.foreign.clear();
    });
    watched.judge("03:02");
    secondary.offer("11T02:21", manifest("11T02:00"));
    watched.now_of(&[&verified(), &secondary]).judge("11T02:22");
    watched.check(expect![[r#"
        03:00 condition.raised ConfigurationSuspect: nobody says which service carries the traffic, so nothing is restored by itself: set TRAFFIC_MANAGER_ID, or LIVE_CHECK=off if a restore may run without asking; and BACKUP_SCHEDULE leaves 48 h between two backups, and RPO_TARGET is 26 h: BackupMissing will be raised in between. Change the app's settings
        03:00 condition.raised ConfigurationSuspect: the record belongs to another id. A service belongs to one deployment: if it was moved, accept its new id with `apim-dr adopt`; otherwise give this deployment containers of its own
        03:02 condition.raised ConfigurationSuspect: at 2026-03-10T03:01:00Z: no record names contoso-20260310T030000Z.manifest.json with this digest: whoever can write the container does not thereby decide what is restored. Restore it by hand if you vouch for it. Find out who writes into BACKUP_CONTAINER beside this deployment. If you vouch for the backup, restore it by hand
        03:02 condition.cleared ConfigurationSuspect is over; it was raised since 2026-03-10T03:00:00Z: the record belongs to another id
        11T02:22 condition.cleared ConfigurationSuspect is over; it was raised since 2026-03-10T03:01:00Z: at 2026-03-10T03:01:00Z: no record names contoso-20260310T030000Z.manifest.json with this digest: whoever can write the container does not thereby decide what is restored. Restore it by hand if you vouch for it
    "#]]);
}

#[test]
fn events_lost_is_noted_until_one_comes_in_time() {
    let mut secondary = held();
    secondary.offer("03:04", manifest("03:00").brought_by_a_tick());
    let mut watched = Watched::of(&[&verified(), &secondary]);
    watched.judge("03:05");
    secondary.offer("04:01", manifest("04:00"));
    watched.now_of(&[&verified(), &secondary]).judge("04:02");
    watched.check(expect![[r#"
        03:05 condition.noted EventsLost: no event has led to the restore of contoso-20260310T030000Z into contoso-dr within 3 min, and a tick took it up at 2026-03-10T03:04:00Z. Nothing has to be done; if it happens with every backup, see that RestoreOnBlob is enabled and its trigger can reach the storage account's queues
        04:02 condition.cleared EventsLost is over; it was raised since 2026-03-10T03:04:00Z: no event has led to the restore of contoso-20260310T030000Z into contoso-dr within 3 min, and a tick took it up at 2026-03-10T03:04:00Z
    "#]]);
}

#[test]
fn standby_certificate_is_one_condition_for_all_hostnames_of_a_service() {
    let look = |host: &str, refused: Option<&str>, good_until: Option<Timestamp>| CertificateLook {
        service: service("contoso-dr").name(),
        host: host.into(),
        refused: refused.map(str::to_owned),
        good_until,
    };
    let mut watched = Watched::of(&[&verified(), &held()]);
    watched.change(|watched| {
        watched.certificates = vec![
            look("api.contoso.com", Some("the certificate is not valid for this name"), None),
            look("b2b.contoso.com", None, Some(at("20T00:00"))),
            look("ok.contoso.com", None, None),
        ];
    });
    watched.judge("03:00").change(|watched| watched.certificates.clear()).judge("11T03:00");
    watched.check(expect![[r#"
        03:00 condition.raised StandbyCertificate: the gateway of contoso-dr does not prove itself as api.contoso.com: the certificate is not valid for this name; the certificate of b2b.contoso.com on contoso-dr is good until 2026-03-20T00:00:00Z only. Traffic Manager's probes ignore certificates, so after a failover users would meet this: renew the certificate on the secondary
        11T03:00 condition.cleared StandbyCertificate is over; it was raised since 2026-03-10T03:00:00Z: the gateway of contoso-dr does not prove itself as api.contoso.com: the certificate is not valid for this name; the certificate of b2b.contoso.com on contoso-dr is good until 2026-03-20T00:00:00Z only
    "#]]);
}

#[test]
fn dry_run_is_noted_while_it_is_on() {
    let mut watched = Watched::of(&[&verified(), &held()]);
    watched.change(|watched| watched.promise.dry_run = true).judge("03:00");
    watched.change(|watched| watched.promise.dry_run = false).judge("03:01");
    watched.check(expect![[r#"
        03:00 condition.noted DryRun: DRY_RUN is on, and nothing is begun. Set DRY_RUN to false when backups and restores shall be made
        03:01 condition.cleared DryRun is over; it was raised since 2026-03-10T03:00:00Z: DRY_RUN is on, and nothing is begun
    "#]]);
}

#[test]
fn what_could_not_be_read_stays_raised() {
    let mut secondary = Story::of_secondary().having(|story| story.restore_runs("02:21", manifest("02:00")));
    secondary.tick("02:40").poll(ended_badly()).write(WriteOnce::Written);
    let mut watched = Watched::of(&[&verified(), &secondary]);
    watched.judge("02:41").unread("contoso-dr", "storage did not answer").judge("02:42");
    assert_eq!(watched.raised(), ["RestoreFailing", "StandbyUnknown"]);
}

#[test]
fn alerts_leave_in_order_one_deliverer_at_a_time_and_are_put_off_when_they_are_not_taken() {
    let mut watched = Watched::of(&[&verified(), &held()]);
    watched.change(|watched| watched.promise.dry_run = true).judge("03:00");
    watched.change(|watched| watched.promise.dry_run = false).judge("03:01");
    let (a, b) = (InvocationId::from("A"), InvocationId::from("B"));
    let health = &mut watched.health;
    health.begin_delivery(&a, at("03:01"));
    assert!(health.next_alert(&b, at("03:02")).is_none(), "A delivers");
    let first = health.next_alert(&a, at("03:02")).expect("one is due").clone();
    assert_eq!(first.title(), "DryRun raised");
    health.end_delivery(&[], Some(&first), (&a, at("03:02")));
    assert!(
        health.next_alert(&b, at("03:02:30")).is_none(),
        "it is put off for a minute, and nothing overtakes it"
    );
    let again = health.next_alert(&b, at("03:03")).expect("it is due again").clone();
    assert_eq!((again.title(), again.attempts, again.id()), (first.title(), 1, first.id()));
    health.end_delivery(&[again], None, (&b, at("03:03")));
    let second = health.next_alert(&b, at("03:03")).expect("the next one").clone();
    assert_eq!(second.title(), "DryRun cleared");
    assert_ne!(second.id(), first.id());
    health.begin_delivery(&b, at("03:03"));
    assert!(
        health.next_alert(&a, at("03:11")).is_some(),
        "a deliverer that is gone holds nothing up for long"
    );
}

/// A receiver that knows only some of what there is to say refuses the rest with every attempt.
#[test]
fn an_alert_that_is_refused_for_good_lets_those_of_other_conditions_pass() {
    let mut watched = Watched::of(&[&verified(), &held()]);
    watched.change(|watched| watched.promise.dry_run = true).judge("03:00");
    watched.change(|watched| watched.promise.dry_run = false).judge("03:01");
    watched.change(|watched| watched.last_run = Some(at("02:00"))).judge("03:02");
    let (a, health) = (InvocationId::from("A"), &mut watched.health);
    let mut refused = Vec::new();
    for when in ["03:02", "03:03", "03:08", "03:23"] {
        let next = health.next_alert(&a, at(when)).expect("the first one is due").clone();
        refused.push(next.title());
        health.end_delivery(&[], Some(&next), (&a, at(when)));
    }
    assert_eq!(refused, ["DryRun raised"; 4], "until then nothing overtakes it");
    let passing = health.next_alert(&a, at("03:24")).expect("another condition's").clone();
    assert_eq!(passing.title(), "HeartbeatSlow raised", "that it is over is not told before that it began");
    health.end_delivery(&[passing], None, (&a, at("03:24")));
    assert!(health.next_alert(&a, at("03:25")).is_none(), "the other is tried once an hour");
    assert_eq!(health.next_alert(&a, at("04:23")).expect("it is due again").title(), "DryRun raised");
}

#[test]
fn a_webhook_that_is_down_for_long_costs_the_oldest_alerts_only() {
    let mut watched = Watched::of(&[&verified(), &held()]);
    for round in 0..80 {
        watched.change(|watched| watched.promise.dry_run = round % 2 == 0).judge("03:00");
        watched.change(|watched| watched.last_run = Some(at(if round % 2 == 0 { "02:00" } else { "03:00" })));
    }
    assert_eq!(watched.health.outbox.len(), 100);
}
