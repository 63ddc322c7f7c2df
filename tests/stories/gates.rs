//! What stands between a wish and the restore, at `Idle` and again after the claim.

use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

fn automatic() -> Story {
    Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00")))
}

fn by_hand() -> Story {
    Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00").by_hand()))
}

/// What is told alike of an automatic wish and of one by hand.
fn both(happens: impl Fn(&mut Story) -> &mut Story) -> Story {
    let [automatic, by_hand] = [automatic(), by_hand()].map(|mut story| {
        happens(&mut story);
        story
    });
    assert_eq!(automatic.transcript(), by_hand.transcript());
    automatic
}

#[test]
fn a_wish_that_passes_is_claimed_looked_at_again_and_posted() {
    let mut story = automatic();
    story.drive().look(finds("Succeeded")).at("02:30:05").look(finds("Failed")).at("02:30:06");
    story.answer(accepted("op-1"));
    story.check(expect![[r#"
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded -> Requested(by A), look for contoso@02:00 | restore.requested
        02:30:05 A Requested(by A) + look Failed -> Requested(by A), POST restore contoso@02:00
        02:30:06 A Requested(by A) + 202 op-1 -> Running(op-1), rest | restore.accepted {ours: yes}
    "#]]);
}

#[test]
fn nothing_is_restored_into_the_service_that_serves() {
    both(|story| story.serving("contoso-dr").drive()).check(expect![[r#"
            contoso-dr carries the traffic
            02:30 A Idle + resumed -> Idle, rest | restore.deferred {deferred: since 02:30: contoso-dr carries the traffic, and a restore would overwrite it}
        "#]]);
}

#[test]
fn nothing_is_restored_while_nobody_knows_who_serves() {
    let story = both(|story| story.serving_unknown().drive().no_live_check().drive());
    story.check(expect![[r#"
        the profile does not say who serves
        02:30 A Idle + resumed -> Idle, rest | restore.deferred {deferred: since 02:30: which service carries the traffic is not known: the profile is disabled}
        neither a profile nor LIVE_CHECK=off
        02:30 A Idle + resumed -> Idle, rest | restore.deferred {deferred: since 02:30: nobody says which service carries the traffic: set TRAFFIC_MANAGER_ID to the profile that routes to the services, or LIVE_CHECK=off if a restore may run without asking}
    "#]]);
}

#[test]
fn with_live_check_off_the_primary_serves_and_is_not_restored_into() {
    let mut story = Story::of_primary().having(|story| story.backup_verified("02:00", "02:20"));
    story.offer("03:00", manifest_of("contoso-dr", "02:30").by_hand()).drive();
    story.offer("03:01", manifest_of("contoso-dr", "02:30").by_hand().even_if_live()).drive();
    story.check(expect![[r#"
        03:00 C Idle + by hand contoso-dr@02:30 -> Idle, rest | restore.wished {wish: contoso-dr@02:30 by hand}
        03:00 C Idle + resumed -> Idle, rest | restore.deferred {deferred: since 03:00: contoso carries the traffic, and a restore would overwrite it}
        03:01 D Idle + by hand contoso-dr@02:30 -> Idle, rest | restore.wished {deferred: -}
        03:01 D Idle + resumed -> Idle, look for contoso-dr@02:30
    "#]]);
}

#[test]
fn a_pinned_target_waits_but_not_for_a_hand() {
    let mut story = Story::of_secondary().having(|story| {
        story.restore_held("01:50", "01:59", manifest("01:00").by_hand().though_newest_is("01:30"))
    });
    story.offer("02:30", manifest("02:00")).drive();
    story.offer("02:31", manifest("02:00").by_hand()).drive();
    story.check(expect![[r#"
        02:30 C Idle + manifest contoso@02:00 -> Idle, rest | restore.wished {wish: contoso@02:00; seen: 02:00}
        02:30 C Idle + resumed -> Idle, rest | restore.deferred {deferred: since 02:30: contoso-20260310T010000Z was chosen by hand at 2026-03-10T01:50:00Z, and was not known to be the newest: restore the newest by hand to go on}
        02:31 D Idle + by hand contoso@02:00 -> Idle, rest | restore.wished restore.unpinned {wish: contoso@02:00 by hand; deferred: -; pin: -}
        02:31 D Idle + resumed -> Idle, look for contoso@02:00
    "#]]);
}

#[test]
fn tiers_must_be_equal_and_have_a_restore() {
    let story = both(|story| {
        story.drive().look(finds("Succeeded").tier("Premium"));
        story.tick("02:31").look(finds("Succeeded").tier("StandardV2"));
        story.tick("02:32").look(finds("Succeeded").tier("standard"))
    });
    story.check(expect![[r#"
            02:30 A Idle + resumed -> Idle, look for contoso@02:00
            02:30 A Idle + look Succeeded, tier Premium -> Idle, rest | restore.deferred {deferred: since 02:30: the service's tier is Premium and the backup's is Standard: Azure restores between equal tiers only}
            02:31 B Idle + resumed -> Idle, look for contoso@02:00
            02:31 B Idle + look Succeeded, tier StandardV2 -> Idle, rest | restore.deferred {deferred: since 02:30: the tier StandardV2 has no restore}
            02:32 C Idle + resumed -> Idle, look for contoso@02:00
            02:32 C Idle + look Succeeded -> Requested(by C), look for contoso@02:00 | restore.requested {deferred: -}
        "#]]);
}

#[test]
fn the_target_must_be_free_and_seen() {
    let story = both(|story| {
        story.drive().look(finds("Updating"));
        story.tick("02:31").look(finds("Activating"));
        story.tick("02:32").look(finds_error(404, "ResourceNotFound"));
        story.tick("02:33").look(has_no_token());
        story.tick("02:34").look(finds("Succeeded").blob(unreadable()));
        story.tick("02:35").at("02:37").too_late()
    });
    story.check(expect![[r#"
            02:30 A Idle + resumed -> Idle, look for contoso@02:00
            02:30 A Idle + look Updating -> Idle, rest | restore.deferred {deferred: since 02:30: the service is Updating by somebody else}
            02:31 B Idle + resumed -> Idle, look for contoso@02:00
            02:31 B Idle + look Activating -> Idle, rest | restore.deferred {deferred: since 02:30: the service is Activating, and only Succeeded or Failed can be restored}
            02:32 C Idle + resumed -> Idle, look for contoso@02:00
            02:32 C Idle + look HTTP 404 ResourceNotFound: no look -> Idle, rest | restore.deferred {deferred: since 02:30: the service cannot be looked at: HTTP 404 ResourceNotFound: no look}
            02:33 D Idle + resumed -> Idle, look for contoso@02:00
            02:33 D Idle + look no token: 401 -> Idle, stop | restore.deferred {deferred: since 02:30: no token: 401}
            02:34 E Idle + resumed -> Idle, look for contoso@02:00
            02:34 E Idle + look Succeeded, blob: HTTP 403 AuthorizationFailure -> Idle, rest | restore.deferred {deferred: since 02:30: the backup cannot be looked at: HTTP 403 AuthorizationFailure}
            02:35 F Idle + resumed -> Idle, look for contoso@02:00
            02:37 F Idle + too late -> Idle, rest
        "#]]);
}

#[test]
fn a_reason_is_told_once_for_each_change() {
    let mut story = automatic();
    story.drive().look(finds("Updating"));
    story.tick("02:31").look(finds("Updating"));
    story.tick("02:32").look(finds("Activating"));
    story.tick("02:33").look(finds("Updating"));
    story.tick("02:34").look(has_no_token());
    story.tick("02:35").look(has_no_token());
    story.check(expect![[r#"
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Updating -> Idle, rest | restore.deferred {deferred: since 02:30: the service is Updating by somebody else}
        02:31 B Idle + resumed -> Idle, look for contoso@02:00
        02:31 B Idle + look Updating -> Idle, rest
        02:32 C Idle + resumed -> Idle, look for contoso@02:00
        02:32 C Idle + look Activating -> Idle, rest | restore.deferred {deferred: since 02:30: the service is Activating, and only Succeeded or Failed can be restored}
        02:33 D Idle + resumed -> Idle, look for contoso@02:00
        02:33 D Idle + look Updating -> Idle, rest | restore.deferred {deferred: since 02:30: the service is Updating by somebody else}
        02:34 E Idle + resumed -> Idle, look for contoso@02:00
        02:34 E Idle + look no token: 401 -> Idle, stop | restore.deferred {deferred: since 02:30: no token: 401}
        02:35 F Idle + resumed -> Idle, look for contoso@02:00
        02:35 F Idle + look no token: 401 -> Idle, stop
    "#]]);
}

#[test]
fn a_backup_that_is_gone_or_expired_meanwhile_is_refused() {
    let mut story = automatic();
    story.drive().look(finds("Updating").blob(missing())).in_words();
    story.check(expect![[r#"
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Updating, no blob -> Idle, again | restore.refused {wish: -; restore failures: noted}
        02:30 A Idle + resumed -> Idle, rest
              contoso-20260310T020000Z is not restored: the blob contoso-20260310T020000Z.apimbackup is gone
    "#]]);
    let mut story = Story::of_secondary().having(|story| {
        let mut old = manifest("02:00");
        old.source.expires_at = at("03:00");
        story.offer("02:30", old).drive().look(finds("Updating"))
    });
    story.tick("03:00").in_words();
    story.check(expect![[r#"
        03:00 B Idle + resumed -> Idle, again | restore.refused {wish: -; deferred: -; restore failures: noted}
        03:00 B Idle + resumed -> Idle, rest
              contoso-20260310T020000Z is not restored: contoso-20260310T020000Z expired at 2026-03-10T03:00:00Z: API Management refuses a backup older than 30 days
    "#]]);
}

#[test]
fn every_gate_is_asked_again_after_the_claim() {
    let mut story = automatic();
    story.drive().look(finds("Succeeded")).look(finds("Updating"));
    story.tick("02:31").look(finds("Succeeded")).look(finds("Succeeded").tier("Premium"));
    story.tick("02:32").look(finds("Succeeded")).look(finds("Succeeded").restoring("contoso-ap"));
    story.tick("02:33").look(finds("Succeeded")).look(finds_nothing());
    story.tick("02:34").look(finds("Succeeded")).serving("contoso-dr").look(finds("Succeeded"));
    story.serving("contoso").tick("02:35").look(finds("Succeeded")).look(has_no_token());
    story.tick("02:36").look(finds("Succeeded")).look(finds("Succeeded").blob(missing()));
    story.tick("02:37").look(finds("Succeeded").blob(missing()));
    story.check(expect![[r#"
        02:30 A Idle + resumed -> Idle, look for contoso@02:00
        02:30 A Idle + look Succeeded -> Requested(by A), look for contoso@02:00 | restore.requested
        02:30 A Requested(by A) + look Updating -> Idle, rest | restore.undone
        02:31 B Idle + resumed -> Idle, look for contoso@02:00
        02:31 B Idle + look Succeeded -> Requested(by B), look for contoso@02:00 | restore.requested
        02:31 B Requested(by B) + look Succeeded, tier Premium -> Idle, rest | restore.undone
        02:32 C Idle + resumed -> Idle, look for contoso@02:00
        02:32 C Idle + look Succeeded -> Requested(by C), look for contoso@02:00 | restore.requested
        02:32 C Requested(by C) + look Succeeded, contoso-ap is being restored -> Idle, rest | restore.undone
        02:33 D Idle + resumed -> Idle, look for contoso@02:00
        02:33 D Idle + look Succeeded -> Requested(by D), look for contoso@02:00 | restore.requested
        02:33 D Requested(by D) + look timed out -> Idle, rest | restore.undone
        02:34 E Idle + resumed -> Idle, look for contoso@02:00
        02:34 E Idle + look Succeeded -> Requested(by E), look for contoso@02:00 | restore.requested
        contoso-dr carries the traffic
        02:34 E Requested(by E) + look Succeeded -> Idle, rest | restore.undone
        contoso carries the traffic
        02:35 F Idle + resumed -> Idle, look for contoso@02:00
        02:35 F Idle + look Succeeded -> Requested(by F), look for contoso@02:00 | restore.requested
        02:35 F Requested(by F) + look no token: 401 -> Idle, stop | restore.undone
        02:36 G Idle + resumed -> Idle, look for contoso@02:00
        02:36 G Idle + look Succeeded -> Requested(by G), look for contoso@02:00 | restore.requested
        02:36 G Requested(by G) + look Succeeded, no blob -> Idle, rest | restore.undone
        02:37 H Idle + resumed -> Idle, look for contoso@02:00
        02:37 H Idle + look Succeeded, no blob -> Idle, again | restore.refused {wish: -; restore failures: noted}
        02:37 H Idle + resumed -> Idle, rest
    "#]]);
}

#[test]
fn a_wish_that_was_replaced_after_its_claim_is_not_posted() {
    let mut story = automatic().having(|story| story.drive().look(finds("Succeeded")));
    story.offer("02:31", manifest("02:10"));
    story.meanwhile("A", "02:31:01").look(finds("Succeeded"));
    story.check(expect![[r#"
        02:31 B Requested(by A) + manifest contoso@02:10 -> Requested(by A), rest | restore.wished {wish: contoso@02:10; seen: 02:10}
        02:31:01 A Requested(by A) + look Succeeded -> Idle, rest | restore.undone
    "#]]);
}

#[test]
fn a_look_for_a_wish_that_was_replaced_allows_nothing() {
    let mut story = automatic().having(|story| story.drive());
    story.offer("02:31", manifest("02:10"));
    story.meanwhile("A", "02:31:01").look(finds("Succeeded"));
    story.check(expect![[r#"
        02:31 B Idle + manifest contoso@02:10 -> Idle, rest | restore.wished {wish: contoso@02:10; seen: 02:10}
        02:31:01 A Idle + look Succeeded -> Idle, again
        02:31:01 A Idle + resumed -> Idle, look for contoso@02:10
    "#]]);
}

#[test]
fn a_wish_that_is_gone_when_the_look_is_back_begins_nothing() {
    let mut story = by_hand().having(|story| story.drive());
    story.tick("06:30");
    story.meanwhile("A", "06:30:01").look(finds("Succeeded"));
    story.check(expect![[r#"
        06:30 B Idle + resumed -> Idle, again | restore.lapsed {wish: -; seen: -; restore failures: noted}
        06:30 B Idle + resumed -> Idle, rest
        06:30:01 A Idle + look Succeeded -> Idle, rest
    "#]]);
}
