//! The settings change under open operations.

use apim_dr::domain::observation::WriteOnce;
use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

#[test]
fn when_roles_change_automatic_wishes_are_dropped_and_seen_becomes_now() {
    let mut story = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00")));
    story.set_primary("contoso-dr");
    story.tick("02:31").in_words();
    story.check(expect![[r#"
        APIM_PRIMARY_ID=…/contoso-dr
        02:31 B Idle + resumed -> Idle, again | roles.changed {wish: -; seen: 02:31; primary: contoso-dr}
        02:31 B Idle + resumed -> Idle, look for contoso-dr@02:31
              the primary was contoso and is contoso-dr now; automatic wishes are dropped
    "#]]);
}

#[test]
fn when_roles_change_a_wish_by_hand_stands() {
    let mut story = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00").by_hand()));
    story.set_primary("contoso-ap");
    story.tick("02:31");
    story.check(expect![[r#"
        APIM_PRIMARY_ID=…/contoso-ap
        02:31 B Idle + resumed -> Idle, again | roles.changed {seen: 02:31; primary: contoso-ap}
        02:31 B Idle + resumed -> Idle, look for contoso@02:00
    "#]]);
}

/// Nobody would look into the old primary's record any more, and a failover may be latched there.
#[test]
fn no_role_is_turned_before_the_latch_has_been_handed_over() {
    let mut story = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00")));
    story.set_primary("contoso-ap").set_handed_over(false);
    story.tick("02:31").offer("02:32", manifest_of("contoso-ap", "02:20")).drive();
    story.set_handed_over(true).tick("02:33");
    story.check(expect![[r#"
        APIM_PRIMARY_ID=…/contoso-ap
        the latch stands in the primary's record: false
        02:31 B Idle + resumed -> Idle, rest | restore.deferred {deferred: since 02:31: the primary was contoso and is contoso-ap now, and what the record of contoso says of a failover does not stand in that of contoso-ap yet: one of the two cannot be used}
        02:32 C Idle + manifest contoso-ap@02:20 -> Idle, rest | restore.wished {wish: contoso-ap@02:20; deferred: -}
        02:32 C Idle + resumed -> Idle, rest | restore.deferred {deferred: since 02:31: the primary was contoso and is contoso-ap now, and what the record of contoso says of a failover does not stand in that of contoso-ap yet: one of the two cannot be used}
        the latch stands in the primary's record: true
        02:33 D Idle + resumed -> Idle, again | roles.changed {wish: -; deferred: -; seen: 02:33; primary: contoso-ap}
        02:33 D Idle + resumed -> Idle, rest
    "#]]);
}

#[test]
fn before_the_latch_has_been_handed_over_the_new_primary_is_backed_up() {
    let mut story = Story::of_secondary();
    story.set_primary("contoso-dr").set_handed_over(false);
    story.tick("02:31").look(finds("Succeeded")).look(finds("Succeeded")).answer(accepted("op-1"));
    story.check(expect![[r#"
        APIM_PRIMARY_ID=…/contoso-dr
        the latch stands in the primary's record: false
        02:31 A Idle + resumed -> Idle, look for contoso-dr@02:31
        02:31 A Idle + look Succeeded -> Inventory, again
        02:31 A Inventory(read, by A) + joined -> Requested(by A), look for contoso-dr@02:31 | inventory.taken backup.requested
        02:31 A Requested(by A) + look Succeeded -> Requested(by A), POST backup contoso-dr@02:31
        02:31 A Requested(by A) + 202 op-1 -> Running(op-1), rest | backup.accepted
    "#]]);
}

#[test]
fn when_roles_change_an_open_backup_is_driven_to_its_end() {
    let mut story = Story::of_primary().having(|story| story.backup_runs("02:00"));
    story.set_primary("contoso-dr");
    story.tick("02:20").poll(ended()).inspect(found()).write(WriteOnce::Written).write(WriteOnce::Written);
    story.tick("11T02:00");
    story.check(expect![[r#"
        APIM_PRIMARY_ID=…/contoso-dr
        02:20 B Running(op-1) + resumed -> Running(op-1), again | roles.changed {seen: 02:20; primary: contoso-dr}
        02:20 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:20 B Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        02:20 B Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
        02:20 B Committing + written -> Idle, again | backup.verified {backups: contoso@02:00; last verified: contoso@02:00; covered: 02:00; aside: inventory after of contoso@02:00; closed: verified contoso@02:00}
        02:20 B Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
        02:20 B Idle + written -> Idle, rest {closed: -}
        02:20 B Idle + joined -> Idle, again | inventory.taken {aside: -}
        11T02:00 C Idle + resumed -> Idle, rest
    "#]]);
}

/// While the old primary's record could not be read, nobody turned this one's role, and then the settings were put back.
#[test]
fn a_wish_for_a_backup_of_whoever_was_the_primary_for_a_while_is_over() {
    let mut story = Story::of_secondary();
    story.set_primary("contoso-ap").set_handed_over(false);
    story.offer("02:30", manifest_of("contoso-ap", "02:00")).drive();
    story.set_primary("contoso").set_handed_over(true).tick("02:31");
    story.check(expect![[r#"
        APIM_PRIMARY_ID=…/contoso-ap
        the latch stands in the primary's record: false
        02:30 A Idle + manifest contoso-ap@02:00 -> Idle, rest | restore.wished {wish: contoso-ap@02:00}
        02:30 A Idle + resumed -> Idle, rest | restore.deferred {deferred: since 02:30: the primary was contoso and is contoso-ap now, and what the record of contoso says of a failover does not stand in that of contoso-ap yet: one of the two cannot be used}
        APIM_PRIMARY_ID=…/contoso
        the latch stands in the primary's record: true
        02:31 B Idle + resumed -> Idle, rest {wish: -; deferred: -}
    "#]]);
    let mut raced = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00")).drive());
    raced
        .set_primary("contoso-ap")
        .set_handed_over(false)
        .offer("02:30:01", manifest_of("contoso-ap", "02:10"));
    raced.set_primary("contoso").set_handed_over(true);
    raced.meanwhile("A", "02:30:02").drive().in_words();
    raced.check(expect![[r#"
        APIM_PRIMARY_ID=…/contoso-ap
        the latch stands in the primary's record: false
        02:30:01 B Idle + manifest contoso-ap@02:10 -> Idle, rest | restore.wished {wish: contoso-ap@02:10}
        APIM_PRIMARY_ID=…/contoso
        the latch stands in the primary's record: true
        02:30:02 A Idle + resumed -> Idle, rest {wish: -}
              to be restored into contoso-dr: its manifest arrived
    "#]]);
}

#[test]
fn a_service_that_is_no_longer_configured_is_driven_to_its_end_and_begins_nothing() {
    let mut story = Story::of_secondary().having(|story| {
        story.restore_runs("02:30", manifest("02:00"));
        story.offer("02:45", manifest("02:40"));
        story.wish_backup("02:46")
    });
    story.set_unconfigured();
    story.tick("02:50").poll(ended()).write(WriteOnce::Written);
    story.tick("02:51");
    story.check(expect![[r#"
        the settings no longer name this service
        02:50 D Running(op-1) + resumed -> Running(op-1), poll op-1
        02:50 D Running(op-1) + poll 200 -> Verifying, again | restore.ended
        02:50 D Verifying(by D) + compared -> Idle, write history/contoso-dr/20260310T023000Z-restore.json | restore.unverified {holds: contoso@02:00 unverified; closed: unverified contoso@02:00}
        02:50 D Idle + written -> Idle, rest {closed: -}
        02:51 E Idle + resumed -> Idle, rest
    "#]]);
}

/// It may be another deployment's, with a primary of its own.
#[test]
fn what_the_settings_do_not_name_takes_neither_their_roles_nor_their_dry_run() {
    let mut story = Story::of_secondary().having(|story| story.offer("02:30", manifest("02:00")));
    story.set_primary("fabrikam").set_unconfigured().set_dry_run(true).tick("02:31");
    story.check(expect![[r#"
        APIM_PRIMARY_ID=…/fabrikam
        the settings no longer name this service
        DRY_RUN=true
        02:31 B Idle + resumed -> Idle, rest
    "#]]);
}

#[test]
fn a_backup_of_a_service_that_is_no_longer_configured_gets_its_manifest() {
    let mut story = Story::of_primary().having(|story| story.backup_runs("02:00"));
    story.set_unconfigured();
    story.tick("02:20").poll(ended()).inspect(found()).write(WriteOnce::Written).write(WriteOnce::Written);
    story.tick("11T02:00");
    story.check(expect![[r#"
        the settings no longer name this service
        02:20 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:20 B Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        02:20 B Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
        02:20 B Committing + written -> Idle, again | backup.verified {backups: contoso@02:00; last verified: contoso@02:00; covered: 02:00; aside: inventory after of contoso@02:00; closed: verified contoso@02:00}
        02:20 B Idle + resumed -> Idle, write history/contoso/20260310T020000Z-backup.json
        02:20 B Idle + written -> Idle, rest {closed: -}
        11T02:00 C Idle + resumed -> Idle, rest
    "#]]);
}
