//! The inventory before a backup: read over as many invocations as it takes, and never in a backup's way.

use apim_dr::domain::inventory::Unread;
use apim_dr::domain::observation::{Joined, StretchEnd, TakenStretch, WriteOnce};
use expect_test::expect;

use super::fixtures::*;
use super::reading::{after_list, interrupted, joined, whole};
use super::story::Story;

/// The first tick has found that a backup is due, and begins to read.
fn reading() -> Story {
    Story::of_primary()
        .reading_by_hand()
        .having(|story| story.tick("02:00").look(finds("Succeeded")).read_services())
}

/// Users are led elsewhere meanwhile: the schedule wants no backup of it any more, and a person still does.
#[test]
fn what_is_only_being_prepared_is_kept_for_whoever_asks_meanwhile() {
    let mut kept = reading();
    kept.wish_backup("02:01").unscheduled().tick("02:02");
    kept.check(expect![[r#"
        02:01 B Inventory(by A) + a backup now -> Inventory(by A), rest | backup.already_running {backup wished: by B}
        the schedule backs up another service
        02:02 C Inventory(by A) + resumed -> Inventory(by A), rest
    "#]]);
    let mut dropped = reading();
    dropped.unscheduled().tick("02:02");
    dropped.check(expect![[r#"
        the schedule backs up another service
        02:02 B Inventory(by A) + resumed -> Idle, again
        02:02 B Idle + resumed -> Idle, rest
    "#]]);
}

/// All of it is read and put together, and the backup is claimed.
fn taken(story: &mut Story) -> &mut Story {
    story.take(whole()).join(joined("contoso-20260310T020000Z.inventory.json".into()))
}

#[test]
fn a_backup_is_claimed_once_its_inventory_is_taken_and_that_is_its_recovery_point() {
    let mut story = Story::of_primary().reading_by_hand();
    story.tick("02:00").look(finds("Succeeded")).read_services();
    taken(story.at("02:01:30")).in_words();
    story.look(finds("Succeeded")).answer(accepted("op-1"));
    story.tick("02:11").poll(ended()).inspect(found()).write(WriteOnce::Written).in_words();
    story.check(expect![[r#"
        02:00 A Idle + resumed -> Idle, look for contoso@02:00
        02:00 A Idle + look Succeeded -> Inventory, again
        02:00 A Inventory + resumed -> Inventory, rest
        02:00 A Inventory + resumed -> Inventory(by A), read
        02:01:30 A Inventory(by A) + read -> Inventory(read, by A), put together contoso-20260310T020000Z.inventory.json
        02:01:30 A Inventory(read, by A) + joined -> Requested(by A), look for contoso@02:00 | inventory.taken backup.requested
              88 entities, 3 APIs and 2 products among them, are written down; the backup comes next
              backup of contoso claimed; it is looked at once more before the request
        02:01:30 A Requested(by A) + look Succeeded -> Requested(by A), POST backup contoso@02:00
        02:01:30 A Requested(by A) + 202 op-1 -> Running(op-1), rest | backup.accepted
        02:11 B Running(op-1) + resumed -> Running(op-1), poll op-1
        02:11 B Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        02:11 B Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
        02:11 B Committing + written -> Idle, again | backup.verified {backups: contoso@02:00; last verified: contoso@02:00; covered: 02:00; aside: inventory after of contoso@02:00; closed: verified contoso@02:00}
        02:11 B Idle + resumed -> Idle, write history/contoso/20260310T020130Z-backup.json
              proven after 9 min; recovery point 2026-03-10T02:01:30Z
    "#]]);
}

#[test]
fn an_inventory_is_read_over_several_invocations_one_of_which_reads_at_a_time() {
    let mut story = reading();
    story.at("02:00:20").take(after_list("backends"));
    story.tick("02:01").read_services();
    story.meanwhile("A", "02:01:50").take(interrupted("users", StretchEnd::Late));
    story.tick("02:02").read_services();
    taken(&mut story);
    story.check(expect![[r#"
        02:00:20 A Inventory(by A) + read -> Inventory(after backends, by A), read
        02:01 B Inventory(after backends, by A) + resumed -> Inventory(after backends, by A), rest
        02:01 B Inventory(after backends, by A) + resumed -> Inventory(after backends, by A), rest
        02:01:50 A Inventory(after backends, by A) + read -> Inventory(after users), rest
        02:02 C Inventory(after users) + resumed -> Inventory(after users), rest
        02:02 C Inventory(after users) + resumed -> Inventory(after users, by C), read
        02:02 C Inventory(after users, by C) + read -> Inventory(read, by C), put together contoso-20260310T020000Z.inventory.json
        02:02 C Inventory(read, by C) + joined -> Requested(by C), look for contoso@02:00 | inventory.taken backup.requested
    "#]]);
}

#[test]
fn whoever_has_not_said_for_five_minutes_that_he_reads_is_gone() {
    let mut story = reading();
    story.at("02:00:20").take(after_list("backends"));
    story.tick("02:05:19").read_services();
    story.tick("02:05:20").read_services();
    // The first one was only slow. What it brings says nothing of the record as it is now.
    story.meanwhile("A", "02:05:25").take(after_list("caches"));
    story.check(expect![[r#"
        02:00:20 A Inventory(by A) + read -> Inventory(after backends, by A), read
        02:05:19 B Inventory(after backends, by A) + resumed -> Inventory(after backends, by A), rest
        02:05:19 B Inventory(after backends, by A) + resumed -> Inventory(after backends, by A), rest
        02:05:20 C Inventory(after backends, by A) + resumed -> Inventory(after backends, by A), rest
        02:05:20 C Inventory(after backends, by A) + resumed -> Inventory(after backends, by C), read
        02:05:25 A Inventory(after backends, by C) + read (of a record that was changed since) -> Inventory(after backends, by C), rest
    "#]]);
}

#[test]
fn where_azure_wants_fewer_requests_a_later_tick_goes_on() {
    let mut story = reading();
    story
        .take(interrupted("backends", StretchEnd::Interrupted("HTTP 429 TooManyRequests".into())))
        .in_words();
    story.tick("02:01").read_services().take(whole());
    story.join(Joined::NoAnswer("storage timed out".into()));
    story.tick("02:02").read_services().join(joined("contoso-20260310T020000Z.inventory.json".into()));
    story.check(expect![[r#"
        02:00 A Inventory(by A) + read -> Inventory(after backends), rest | inventory.interrupted
              the inventory is read on at a later tick: HTTP 429 TooManyRequests
        02:01 B Inventory(after backends) + resumed -> Inventory(after backends), rest
        02:01 B Inventory(after backends) + resumed -> Inventory(after backends, by B), read
        02:01 B Inventory(after backends, by B) + read -> Inventory(read, by B), put together contoso-20260310T020000Z.inventory.json
        02:01 B Inventory(read, by B) + joined -> Inventory(read), rest | inventory.interrupted
        02:02 C Inventory(read) + resumed -> Inventory(read), rest
        02:02 C Inventory(read) + resumed -> Inventory(read, by C), put together contoso-20260310T020000Z.inventory.json
        02:02 C Inventory(read, by C) + joined -> Requested(by C), look for contoso@02:00 | inventory.taken backup.requested
    "#]]);
}

#[test]
fn what_cannot_be_read_does_not_hold_up_the_backup() {
    let mut refused = reading();
    refused
        .take(interrupted("backends", StretchEnd::GivenUp("HTTP 403 AuthorizationFailed".into())))
        .in_words();
    refused.look(finds("Succeeded")).answer(accepted("op-1"));
    refused.check(expect![[r#"
        02:00 A Inventory(by A) + read -> Requested(by A), look for contoso@02:00 | inventory.missing backup.requested
              the backup goes on without an inventory, and cannot be compared: HTTP 403 AuthorizationFailed
              backup of contoso claimed; it is looked at once more before the request
        02:00 A Requested(by A) + look Succeeded -> Requested(by A), POST backup contoso@02:00
        02:00 A Requested(by A) + 202 op-1 -> Running(op-1), rest | backup.accepted
    "#]]);
    let mut lost = reading();
    lost.take(whole()).join(Joined::Impossible("the part partial/… is gone".into()));
    lost.check(expect![[r#"
        02:00 A Inventory(by A) + read -> Inventory(read, by A), put together contoso-20260310T020000Z.inventory.json
        02:00 A Inventory(read, by A) + joined -> Requested(by A), look for contoso@02:00 | inventory.missing backup.requested
    "#]]);
    let unread = |index: u32| Unread {
        list: format!("apis/{index}/schemas"),
        why: "too large".into(),
        not_in_tier: false,
    };
    let mut hardly_read = reading();
    hardly_read.take(TakenStretch { unread: (0..101).map(unread).collect(), ..whole() }).in_words();
    hardly_read.check(expect![[r#"
        02:00 A Inventory(by A) + read -> Requested(by A), look for contoso@02:00 | inventory.missing backup.requested
              the backup goes on without an inventory, and cannot be compared: more than 100 lists cannot be read, such as apis/0/schemas: too large
              backup of contoso claimed; it is looked at once more before the request
    "#]]);
}

#[test]
fn an_inventory_that_takes_more_than_half_an_hour_is_given_up() {
    let mut story = reading();
    story.take(interrupted("backends", StretchEnd::Late));
    story.tick("02:29:59").read_services().take(interrupted("caches", StretchEnd::Late));
    story.tick("02:30").in_words();
    story.check(expect![[r#"
        02:00 A Inventory(by A) + read -> Inventory(after backends), rest
        02:29:59 B Inventory(after backends) + resumed -> Inventory(after backends), rest
        02:29:59 B Inventory(after backends) + resumed -> Inventory(after backends, by B), read
        02:29:59 B Inventory(after backends, by B) + read -> Inventory(after caches), rest
        02:30 C Inventory(after caches) + resumed -> Requested(by C), look for contoso@02:00 | inventory.missing backup.requested
              the backup goes on without an inventory, and cannot be compared: it could not be read to its end within 30 min
              backup of contoso claimed; it is looked at once more before the request
    "#]]);
}

#[test]
fn without_a_token_the_reader_steps_back_and_the_invocation_fails() {
    let mut story = reading();
    story.take(interrupted("backends", StretchEnd::NoToken("no token: 401".into())));
    story.tick("02:01").read_services().too_late();
    story.tick("02:02").read_services();
    story.check(expect![[r#"
        02:00 A Inventory(by A) + read -> Inventory(after backends), stop
        02:01 B Inventory(after backends) + resumed -> Inventory(after backends), rest
        02:01 B Inventory(after backends) + resumed -> Inventory(after backends, by B), read
        02:01 B Inventory(after backends, by B) + too late -> Inventory(after backends), rest
        02:02 C Inventory(after backends) + resumed -> Inventory(after backends), rest
        02:02 C Inventory(after backends) + resumed -> Inventory(after backends, by C), read
    "#]]);
}

#[test]
fn a_busy_hour_costs_an_inventory_every_half_hour_and_no_more() {
    let mut story = reading();
    taken(&mut story).look(finds("Updating"));
    story.tick("02:01").look(finds("Updating"));
    story.tick("02:29:59").look(finds("Succeeded")).look(finds("Succeeded")).answer(busy());
    story.tick("02:30").look(finds("Succeeded")).read_services();
    story.check(expect![[r#"
        02:00 A Inventory(by A) + read -> Inventory(read, by A), put together contoso-20260310T020000Z.inventory.json
        02:00 A Inventory(read, by A) + joined -> Requested(by A), look for contoso@02:00 | inventory.taken backup.requested
        02:00 A Requested(by A) + look Updating -> Prepared, rest | backup.undone
        02:01 B Prepared + resumed -> Prepared, look for contoso@02:00
        02:01 B Prepared + look Updating -> Prepared, rest | backup.waiting {busy since: 02:01}
        02:29:59 C Prepared + resumed -> Prepared, look for contoso@02:00
        02:29:59 C Prepared + look Succeeded -> Requested(by C), look for contoso@02:00 | backup.requested
        02:29:59 C Requested(by C) + look Succeeded -> Requested(by C), POST backup contoso@02:00
        02:29:59 C Requested(by C) + 409 ServiceLocked -> Prepared, rest | backup.busy
        02:30 D Prepared + resumed -> Idle, again
        02:30 D Idle + resumed -> Idle, look for contoso@02:30
        02:30 D Idle + look Succeeded -> Inventory, again
        02:30 D Inventory + resumed -> Inventory, rest
        02:30 D Inventory + resumed -> Inventory(by D), read
    "#]]);
}

#[test]
fn a_name_that_is_taken_while_the_backup_waits_is_given_up_with_its_inventory() {
    let mut story = reading();
    taken(&mut story).look(finds("Updating"));
    story.tick("02:01").look(finds("Succeeded").blob(found()));
    story.check(expect![[r#"
        02:00 A Inventory(by A) + read -> Inventory(read, by A), put together contoso-20260310T020000Z.inventory.json
        02:00 A Inventory(read, by A) + joined -> Requested(by A), look for contoso@02:00 | inventory.taken backup.requested
        02:00 A Requested(by A) + look Updating -> Prepared, rest | backup.undone
        02:01 B Prepared + resumed -> Prepared, look for contoso@02:00
        02:01 B Prepared + look Succeeded, blob of 4096 bytes, ETag "0x1" -> Idle, again
        02:01 B Idle + resumed -> Idle, look for contoso@02:01
    "#]]);
}

#[test]
fn a_wish_that_lapses_while_its_prepared_backup_is_looked_at_begins_nothing() {
    let mut story = Story::of_primary().reading_by_hand().having(|story| {
        story.backup_verified_by_hand("02:00", "02:20");
        story.wish_backup("03:00").drive().look(finds("Updating"));
        story.tick("03:50").look(finds("Succeeded")).read_services();
        taken(story).look(finds("Updating"));
        story.tick("03:59:50")
    });
    story.meanwhile("E", "04:00").look(finds("Succeeded"));
    story.check(expect![[r#"
        04:00 E Prepared + look Succeeded -> Idle, again
        04:00 E Idle + resumed -> Idle, again | backup.lapsed {backup wished: -; backup failures: noted}
        04:00 E Idle + resumed -> Idle, rest {busy since: -}
    "#]]);
}

#[test]
fn what_is_no_longer_due_is_dropped() {
    let mut lapsed = Story::of_primary().reading_by_hand().having(|story| {
        story.backup_verified_by_hand("02:00", "02:20");
        story.wish_backup("03:00").drive().look(finds("Succeeded")).read_services()
    });
    taken(&mut lapsed).look(finds("Updating"));
    lapsed.tick("04:00");
    lapsed.check(expect![[r#"
        03:00 C Inventory(by C) + read -> Inventory(read, by C), put together contoso-20260310T030000Z.inventory.json
        03:00 C Inventory(read, by C) + joined -> Requested(by C), look for contoso@03:00 | inventory.taken backup.requested
        03:00 C Requested(by C) + look Updating -> Prepared, rest | backup.undone
        04:00 D Prepared + resumed -> Idle, again
        04:00 D Idle + resumed -> Idle, again | backup.lapsed {backup wished: -; backup failures: noted}
        04:00 D Idle + resumed -> Idle, rest
    "#]]);
    let mut dry = reading();
    dry.set_dry_run(true).tick("02:01").look(finds("Succeeded"));
    dry.check(expect![[r#"
        DRY_RUN=true
        02:01 B Inventory(by A) + resumed -> Inventory(by A), again {dry run: yes}
        02:01 B Inventory(by A) + resumed -> Idle, again
        02:01 B Idle + resumed -> Idle, look for contoso@02:01
        02:01 B Idle + look Succeeded -> Idle, rest | dry_run.would_act
    "#]]);
    let mut left = reading();
    left.set_unconfigured().tick("02:01");
    left.check(expect![[r#"
        the settings no longer name this service
        02:01 B Inventory(by A) + resumed -> Idle, again
        02:01 B Idle + resumed -> Idle, rest
    "#]]);
}

#[test]
fn a_claim_of_a_version_that_took_no_inventories_is_undone_to_where_it_came_from() {
    let mut story = Story::of_primary().having(|story| story.backup_posts("02:00").never_prepared());
    story.answer(busy());
    story.check(expect![[r#"
        02:00 A Requested(by A) + 409 ServiceLocked -> Idle, rest | backup.busy {busy since: 02:00}
    "#]]);
}
