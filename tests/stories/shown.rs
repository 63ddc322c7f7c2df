//! What `apim-dr status` and `apim-dr history` show of the records.

use apim_dr::cli::{history, status};
use apim_dr::domain::decision::Situation;
use apim_dr::domain::health::{self, Health, Unjudged, View};
use apim_dr::domain::inventory::Unread;
use apim_dr::domain::observation::{Compare, ComparedStretch, WriteOnce};
use apim_dr::domain::record::{ClosedRun, FailedOver, Record, RunKind, RunOutcome};
use apim_dr::domain::serving::Serving;
use apim_dr::domain::status::Status;
use apim_dr::domain::unprotected::{self, Facts, Found, Unprotected};
use apim_dr::domain::vocabulary::InvocationId;
use expect_test::expect;

use super::fixtures::*;
use super::standing_by::different;
use super::story::Story;
use super::watched::{promise, situation};

/// The status at `when`, as text; `contoso` serves, but where the situation says something else.
fn shown(
    when: &str,
    stories: &[&Story],
    change: impl FnOnce(&mut Situation),
    written: Option<&str>,
) -> String {
    shown_without(&[], when, stories, (change, written))
}

/// The same, where these records cannot be read.
fn shown_without(
    unread: &[(&str, &str)],
    when: &str,
    stories: &[&Story],
    (change, written): (impl FnOnce(&mut Situation), Option<&str>),
) -> String {
    let primary = service("contoso").name();
    let records: Vec<Record> = stories.iter().map(|story| story.record().clone()).collect();
    let mut situation = situation();
    change(&mut situation);
    let mut health = Health::new(primary.clone(), InvocationId::from("-"));
    let unread: Vec<_> = unread.iter().map(|(name, why)| (service(name).name(), (*why).to_owned())).collect();
    health.note_unread(&unread, at(when));
    let view = View {
        primary: &primary,
        records: records.iter().collect(),
        unread: &health.unread.clone(),
        secondaries: vec![service("contoso-dr").name()],
        situation: &situation,
        promise: &promise(),
        foreign: &[],
        last_run: None,
        certificates: &[],
    };
    health.judge(health::conditions(&view, at(when)), &Unjudged::of(&view), (false, at(when)));
    let ids = [service("contoso"), service("contoso-dr")];
    let status = Status::of(&view, &ids, (&health.raised, Some(at("11T02:00"))), at(when));
    let never_driven = records.iter().filter(|record| record.writer == InvocationId::from("-"));
    let never_driven = never_driven.map(|record| record.service.name()).collect();
    status::text(&status, &status::Beside { written: written.map(at), never_driven })
}

#[test]
fn a_deployment_that_is_well() {
    let primary = Story::of_primary().having(|story| story.backup_verified("02:00", "02:20"));
    let standby =
        Story::of_secondary().having(|story| story.restore_held("02:20", "02:50", manifest("02:00")));
    expect![[r#"
        contoso and its standby at 2026-03-10 09:41 UTC: the standby is kept up, and not proven

        serves          contoso, the primary
        recovery point  2026-03-10 02:00 UTC, 7 h 41 min ago, within the target of 26 h
        next backup     2026-03-11 02:00 UTC
        heartbeat       last sign of it 1 min ago

        contoso, primary
          verified      contoso-20260310T020000Z, 7 h 41 min old; 1 kept
          now           nothing runs

        contoso-dr, secondary
          holds         contoso-20260310T020000Z, 7 h 41 min old, not compared: the backup has no inventory to compare with
          now           nothing runs
    "#]].assert_eq(&shown("09:41", &[&primary, &standby], |_| {}, Some("09:40")));
}

#[test]
fn a_deployment_that_was_never_driven() {
    expect![[r#"
        contoso and its standby at 2026-03-10 09:41 UTC: somebody has to look

        serves          contoso, the primary
        recovery point  none: no backup was ever verified; the target is 26 h
        next backup     at the next tick, since there has never been one
        heartbeat       no sign of it yet: look at the Functions app; `apim-dr tick` does its work meanwhile

        contoso, primary
          now           nothing runs
          never driven  the first tick makes its record

        contoso-dr, secondary
          holds         nothing was ever restored
          now           nothing runs
          never driven  the first tick makes its record

        raised
          BackupMissing (contoso), since 2026-03-10 04:00 UTC
            contoso has no verified backup, and has been waiting for one since 2026-03-10T00:00:00Z
            Next: See in the status what runs or waits; to ask for a backup now, run BackupTimer with any input or `apim-dr backup`
    "#]].assert_eq(&shown("09:41", &[&Story::of_primary(), &Story::of_secondary()], |_| {}, None));
}

#[test]
fn a_secondary_whose_record_cannot_be_read() {
    let primary = Story::of_primary().having(|story| story.backup_verified("02:00", "02:20"));
    let why = "the record services/contoso-dr.json is left alone: it is not a record: EOF while parsing";
    let unread = [("contoso-dr", why)];
    expect![[r#"
        contoso and its standby at 2026-03-10 09:41 UTC: a record cannot be read

        serves          contoso, the primary
        recovery point  2026-03-10 02:00 UTC, 7 h 41 min ago, within the target of 26 h
        next backup     2026-03-11 02:00 UTC
        heartbeat       last sign of it 1 min ago

        contoso-dr, secondary
          not known     its record cannot be read since 2026-03-10 09:41 UTC: the record services/contoso-dr.json is left alone: it is not a record: EOF while parsing

        contoso, primary
          verified      contoso-20260310T020000Z, 7 h 41 min old; 1 kept
          now           nothing runs
    "#]].assert_eq(&shown_without(&unread, "09:41", &[&primary], (|_| {}, Some("09:40"))));
}

#[test]
fn a_primary_whose_record_cannot_be_read() {
    let standby =
        Story::of_secondary().having(|story| story.restore_held("02:20", "02:50", manifest("02:00")));
    let unread = [("contoso", "no answer")];
    expect![[r#"
        contoso and its standby at 2026-03-10 09:41 UTC: a record cannot be read

        serves          contoso, the primary
        failed over     not known: the record that says so cannot be read
        recovery point  not known: the record of contoso cannot be read; the target is 26 h
        next backup     2026-03-11 02:00 UTC
        heartbeat       last sign of it 1 min ago

        contoso, primary
          not known     its record cannot be read since 2026-03-10 09:41 UTC: no answer

        contoso-dr, secondary
          holds         contoso-20260310T020000Z, 7 h 41 min old, not compared: the backup has no inventory to compare with
          now           nothing runs
    "#]].assert_eq(&shown_without(&unread, "09:41", &[&standby], (|_| {}, Some("09:40"))));
}

/// Not equal, with one thing that no backup carries, and one that belongs to the primary.
fn far_from_equal(compare: &Compare) -> ComparedStretch {
    let hostnames =
        Found::these(["Proxy api.contoso.example, certificate CN=api 0A1B until 2027-01-01".into()]);
    let source =
        Facts { hostnames: Some(hostnames), authorities: Some(Found::these([])), ..Facts::default() };
    let target = Facts {
        hostnames: Some(Found::these([])),
        authorities: source.authorities.clone(),
        ..Facts::default()
    };
    let ties = vec!["backends/billing names West Europe".to_owned()];
    let unread =
        Unread { list: "users".into(), why: "HTTP 400 InvalidParameters: no".into(), not_in_tier: false };
    let topics = unprotected::compare(&source, &target).into_iter().take(2).collect();
    ComparedStretch {
        unprotected: Some(Unprotected { topics, ties }),
        unread: vec![unread],
        ..different(compare)
    }
}

#[test]
fn what_differs_and_what_no_restore_puts_right_is_shown_by_name() {
    let standby = Story::of_secondary().reading_by_hand().having(|story| {
        story.restore_runs("02:30", manifest("02:00").with_inventory());
        story.tick("02:50").poll(ended()).read_services().compare_with(far_from_equal);
        story.write(WriteOnce::Written)
    });
    let shown = shown("09:41", &[&Story::of_primary(), &standby], |_| {}, Some("09:40"));
    let (_, card) = shown.split_once("contoso-dr, secondary").expect("its card");
    expect![[r#"

          holds         contoso-20260310T020000Z, 7 h 41 min old, and differs from it: 5 equal, 1 missing (apis 1), 1 different (users 1), 1 changed while the backup ran (users 1)
          differs       apis/orders is missing
                        users/noor is different
          changed       users/ilse changed on the primary while the backup ran
          not compared  users: HTTP 400 InvalidParameters: no
          not protected custom hostnames and their certificates: only on the source: Proxy api.contoso.example, certificate CN=api 0A1B until 2027-01-01. Next: give the standby the same hostnames and certificates: without them users meet a TLS error or a 404
          not its own   backends/billing names West Europe
          now           nothing runs

        raised
          BackupMissing (contoso), since 2026-03-10 04:00 UTC
            contoso has no verified backup, and has been waiting for one since 2026-03-10T00:00:00Z
            Next: See in the status what runs or waits; to ask for a backup now, run BackupTimer with any input or `apim-dr backup`
          StandbyMismatched (contoso-dr), since 2026-03-10 02:50 UTC
            contoso-dr holds contoso-20260310T020000Z, and differs from it: 5 equal, 1 missing (apis 1), 1 different (users 1), 1 changed while the backup ran (users 1)
            Next: The status names what differs. If it was changed by hand there, change the primary instead; the next restore overwrites it
    "#]].assert_eq(card);
}

#[test]
fn a_deployment_in_which_everything_needs_somebody() {
    let primary = Story::of_primary().having(|story| {
        story.backup_verified("02:00", "02:20");
        story
            .wish_backup("03:00")
            .drive()
            .look(finds("Succeeded"))
            .look(finds("Succeeded"))
            .answer(refused());
        story.wish_backup("08:59")
    });
    let standby = Story::of_secondary().having(|story| {
        story.restore_runs("02:30", manifest("02:00")).tick("02:50").poll(ended_badly());
        story.serving_unknown();
        story.offer("08:00", manifest("01:00").by_hand().though_newest_is("02:00")).drive()
    });
    let failed_over = |situation: &mut Situation| {
        situation.serving = Serving::Unknown("no enabled endpoint is Online".into());
        situation.failed_over = Some(FailedOver {
            since: at("07:30"),
            serving: service("contoso-dr").name(),
            before: Vec::new(),
        });
    };
    expect![[r#"
        contoso and its standby at 2026-03-11 09:41 UTC: the heartbeat has stopped

        serves          not known: no enabled endpoint is Online
        failed over     to contoso-dr since 2026-03-10 07:30 UTC; nothing is restored by itself until `resume`
        recovery point  2026-03-10 02:00 UTC, 1 d 7 h ago, older than the target of 26 h
        next backup     2026-03-11 02:00 UTC
        heartbeat       stopped: the last sign of it is 1 d 1 h old; look at the Functions app; `apim-dr tick` does its work meanwhile

        contoso, primary
          verified      contoso-20260310T020000Z, 1 d 7 h old; 1 kept
          now           nothing runs
          asked for     a backup, at 2026-03-10 08:59 UTC
          failed        backup, at 2026-03-10 03:00 UTC after 1 attempt: Azure refused the backup: HTTP 400 InvalidParameters: the storage account is not reachable

        contoso-dr, secondary
          holds         unknown: Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written
          now           nothing runs
          waits         contoso-20260310T010000Z, asked for by hand, waits since 2026-03-10 08:00 UTC: which service carries the traffic is not known: the profile is disabled
          pinned        to contoso-20260310T010000Z since 2026-03-10 08:00 UTC: restore the newest by hand to end that
          failed        restore, at 2026-03-10 02:50 UTC after 1 attempt: Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written

        raised
          FailedOver (contoso), since 2026-03-10 07:30 UTC
            contoso-dr has carried the traffic since 2026-03-10T07:30:00Z, not the primary contoso
            Next: When contoso is well: back up contoso-dr, restore that into contoso by hand, move the traffic back, and say `resume`
          BackupMissing (contoso), since 2026-03-11 04:00 UTC
            the last verified backup of contoso is contoso-20260310T020000Z, begun at 2026-03-10T02:00:00Z, which is longer ago than RPO_TARGET (26 h)
            Next: BackupFailing says what goes wrong
          BackupFailing (contoso), since 2026-03-10 03:00 UTC
            at 2026-03-10T03:00:00Z: Azure refused the backup: HTTP 400 InvalidParameters: the storage account is not reachable
            Next: Mend what Azure names; while a backup is due it is tried again by itself, or run BackupTimer with any input
          RestoreFailing (contoso-dr), since 2026-03-10 02:50 UTC
            at 2026-03-10T02:50:00Z: Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written
            Next: Mend what Azure names; it is tried again by itself
          StandbyUnknown (contoso-dr), since 2026-03-10 02:50 UTC
            what contoso-dr holds since the restore of contoso-20260310T020000Z is not known: Azure says that the restore failed: HTTP 400 BackupRestoreFailed: the blob could not be written
            Next: Do not send traffic there before a restore has succeeded; the next one is tried by itself unless RestoreFailing or RestoreDeferred says otherwise
          RestoreDeferred (contoso-dr), since 2026-03-10 08:00 UTC
            contoso-20260310T010000Z waits to be restored since 2026-03-10T08:00:00Z: which service carries the traffic is not known: the profile is disabled
            Next: The restore begins by itself when that no longer holds; `apim-dr withdraw` gives it up
    "#]].assert_eq(&shown("11T09:41", &[&primary, &standby], failed_over, Some("08:00")));
}

#[test]
fn runs_are_shown_in_columns() {
    let run = |kind, began: &str, ended: &str, outcome, what: &str| ClosedRun {
        version: 1,
        service: service(if kind == RunKind::Backup { "contoso" } else { "contoso-dr" }).name(),
        kind,
        backup: backup("contoso", "02:00"),
        started_at: at(began),
        ended_at: at(ended),
        outcome,
        what: what.into(),
        compared: Default::default(),
    };
    let runs = [
        run(RunKind::Backup, "02:00", "02:11", RunOutcome::Verified, "proven after 11 min"),
        run(RunKind::Restore, "02:12", "03:31", RunOutcome::Unverified, "the backup has no inventory"),
        run(RunKind::Restore, "04:00", "04:01", RunOutcome::Failed, "HTTP 400 InvalidParameters: no"),
        run(RunKind::Restore, "05:00", "05:20", RunOutcome::Mismatched, "1 API is missing"),
    ];
    expect![[r#"
        BEGAN                 TOOK        SERVICE     WHAT     OUTCOME       BACKUP
        2026-03-10 02:00 UTC  11 min      contoso     backup   verified      contoso-20260310T020000Z
        2026-03-10 02:12 UTC  1 h 19 min  contoso-dr  restore  not compared  contoso-20260310T020000Z  the backup has no inventory
        2026-03-10 04:00 UTC  1 min       contoso-dr  restore  failed        contoso-20260310T020000Z  HTTP 400 InvalidParameters: no
        2026-03-10 05:00 UTC  20 min      contoso-dr  restore  differs       contoso-20260310T020000Z  1 API is missing
    "#]].assert_eq(&history::text(&runs));
    expect![["nothing was backed up or restored yet\n"]].assert_eq(&history::text(&[]));
}
