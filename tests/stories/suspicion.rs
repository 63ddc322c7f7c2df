//! Backups that lost too much: a hollow service must not empty its standbys.

use apim_dr::domain::inventory::Counts;
use apim_dr::domain::observation::{StretchEnd, WriteOnce};
use expect_test::expect;

use super::fixtures::*;
use super::reading::{interrupted, joined, taking};
use super::story::Story;

fn counting(apis: u64, products: u64) -> Counts {
    Counts { apis, products, entities: 10 * apis + products }
}

/// A primary whose newest accepted backup counted 10 APIs and 4 products.
fn rich() -> Story {
    Story::of_primary().reading_by_hand().having(|story| counted(story, "", (10, 4)))
}

/// A backup of the night of this day, at 02:00, whose inventory counts so much.
fn counted<'a>(story: &'a mut Story, day: &str, (apis, products): (u64, u64)) -> &'a mut Story {
    let at = |time: &str| if day.is_empty() { time.to_owned() } else { format!("{day}T{time}") };
    story.tick(&at("02:00")).look(finds("Succeeded")).read_services();
    story.take(taking(counting(apis, products))).join(joined(format!("night-{day}.inventory.json")));
    proven(story, &at("02:20"))
}

fn proven<'a>(story: &'a mut Story, when: &str) -> &'a mut Story {
    story.look(finds("Succeeded")).answer(accepted("op-1"));
    story.tick(when).poll(ended()).inspect(found()).write(WriteOnce::Written).write(WriteOnce::Written)
}

fn without_inventory<'a>(story: &'a mut Story, day: &str) -> &'a mut Story {
    story.tick(&format!("{day}T02:00")).look(finds("Succeeded")).read_services();
    story.take(interrupted("apis", StretchEnd::GivenUp("HTTP 403 AuthorizationFailed".into())));
    proven(story, &format!("{day}T02:20"))
}

/// What the newest backup is, in two lines.
fn judged(happens: impl Fn(&mut Story)) -> String {
    let mut story = rich();
    happens(&mut story);
    let newest = story.record().backups.last().expect("a backup");
    let verdict = if newest.accepted { "accepted" } else { "not accepted" };
    format!("{verdict}\n{}", newest.suspicious.as_deref().unwrap_or("nothing is suspicious"))
}

/// What a backup is if a day later there is only so much left.
fn left(counts: (u64, u64)) -> String {
    judged(|story| {
        counted(story, "11", counts);
    })
}

#[test]
fn a_backup_that_lost_more_than_half_of_the_apis_is_proven_but_not_accepted() {
    let mut story = rich();
    counted(&mut story, "11", (4, 4)).in_words();
    story.check(expect![[r#"
        11T02:00 C Idle + resumed -> Idle, look for contoso@11T02:00
        11T02:00 C Idle + look Succeeded -> Inventory, again {aside: -}
        11T02:00 C Inventory + resumed -> Inventory, rest
        11T02:00 C Inventory + resumed -> Inventory(by C), read
        11T02:00 C Inventory(by C) + read -> Inventory(read, by C), put together contoso-20260311T020000Z.inventory.json
        11T02:00 C Inventory(read, by C) + joined -> Requested(by C), look for contoso@11T02:00 | inventory.taken backup.requested
        11T02:00 C Requested(by C) + look Succeeded -> Requested(by C), POST backup contoso@11T02:00
        11T02:00 C Requested(by C) + 202 op-1 -> Running(op-1), rest | backup.accepted
        11T02:20 D Running(op-1) + resumed -> Running(op-1), poll op-1
        11T02:20 D Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        11T02:20 D Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
        11T02:20 D Committing + written -> Idle, again | backup.suspicious {backups: contoso@02:00 contoso@11T02:00; covered: 11T02:00; aside: inventory after of contoso@11T02:00; closed: suspicious contoso@11t02:00}
        11T02:20 D Idle + resumed -> Idle, write history/contoso/20260311T020000Z-backup.json
        11T02:20 D Idle + written -> Idle, rest {closed: -}
              proven after 20 min; recovery point 2026-03-11T02:00:00Z. It is not restored by itself: more than half of the APIs are gone since contoso-20260310T020000Z (10 APIs and 4 products then, 4 APIs and 4 products now)
    "#]]);
}

#[test]
fn half_is_not_more_than_half() {
    expect![[r#"
        accepted
        nothing is suspicious"#]]
    .assert_eq(&left((5, 2)));
    expect![[r#"
        not accepted
        more than half of the products are gone since contoso-20260310T020000Z (10 APIs and 4 products then, 5 APIs and 1 product now)"#]].assert_eq(&left((5, 1)));
    expect![[r#"
        not accepted
        more than half of the APIs are gone since contoso-20260310T020000Z (10 APIs and 4 products then, 4 APIs and 4 products now)"#]].assert_eq(&left((4, 4)));
    expect![[r#"
        not accepted
        more than half of the APIs are gone since contoso-20260310T020000Z (10 APIs and 4 products then, 0 APIs and 0 products now)"#]].assert_eq(&left((0, 0)));
}

#[test]
fn a_primary_that_is_hollow_two_nights_running_does_not_become_the_measure() {
    let second = judged(|story| {
        counted(story, "11", (0, 0));
        counted(story, "12", (0, 0));
    });
    expect![[r#"
        not accepted
        more than half of the APIs are gone since contoso-20260310T020000Z (10 APIs and 4 products then, 0 APIs and 0 products now)"#]].assert_eq(&second);
}

#[test]
fn a_backup_without_an_inventory_is_suspicious_where_the_newest_accepted_one_has_one() {
    let second = judged(|story| {
        without_inventory(story, "11");
    });
    expect![[r#"
        not accepted
        it has no inventory, and contoso-20260310T020000Z, the newest accepted backup, has one"#]]
    .assert_eq(&second);
    let mut never = Story::of_primary().reading_by_hand();
    without_inventory(&mut never, "11");
    assert!(never.record().backups[0].accepted, "there is nothing to measure it by");
}

#[test]
fn a_secondary_that_has_no_backup_of_its_own_is_measured_by_the_primarys() {
    let first = |measure: Option<Counts>| {
        let mut story = Story::of_secondary().reading_by_hand();
        story.measured_by(measure).wish_backup("03:00").drive().look(finds("Succeeded")).read_services();
        story.take(taking(counting(4, 4))).join(joined("dr.inventory.json".into()));
        proven(&mut story, "03:20").in_words();
        story.record().backups[0].suspicious.clone()
    };
    expect!["more than half of the APIs are gone since the newest accepted backup of contoso (10 APIs and 4 products then, 4 APIs and 4 products now)"].assert_eq(&first(Some(counting(10, 4))).unwrap_or_default());
    assert_eq!(first(None), None);
}

#[test]
fn what_cannot_be_measured_now_is_judged_at_a_later_tick() {
    let mut story = Story::of_secondary().reading_by_hand().having(|story| {
        story.wish_backup("03:00").drive().look(finds("Succeeded")).read_services();
        story.take(taking(counting(4, 4))).join(joined("dr.inventory.json".into()));
        story.look(finds("Succeeded")).answer(accepted("op-1"))
    });
    story.primary_unread().tick("03:20").poll(ended()).inspect(found()).in_words();
    story.measured_by(Some(counting(10, 4))).tick("03:21").inspect(found());
    story.check(expect![[r#"
        03:20 B Running(op-1) + resumed -> Running(op-1), poll op-1
        03:20 B Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        03:20 B Proving + blob of 4096 bytes, ETag "0x1" -> Proving, stop
              Azure says that the backup ended; its blob is looked at
        03:21 C Proving + resumed -> Proving, inspect blob
        03:21 C Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
    "#]]);
}

#[test]
fn a_suspicious_backup_covers_its_occurrence_and_is_not_taken_again_at_every_tick() {
    let mut story = Story::of_secondary().reading_by_hand().scheduled("0 0 2 * * *").having(|story| {
        story.measured_by(Some(counting(10, 4)));
        counted(story, "11", (1, 1))
    });
    assert!(story.record().last_verified.is_none());
    story.tick("11T02:21").tick("11T12:00").tick("12T02:00");
    story.check(expect![[r#"
        11T02:21 C Idle + resumed -> Idle, rest
        11T12:00 D Idle + resumed -> Idle, rest
        12T02:00 E Idle + resumed -> Idle, look for contoso-dr@12T02:00
    "#]]);
}

#[test]
fn a_suspicious_backup_that_was_restored_by_hand_is_accepted_from_then_on() {
    let mut story = rich().having(|story| counted(story, "11", (1, 1)));
    story.others_hold("11T03:00", &["contoso-20260310T020000Z"]);
    story.others_hold("11T03:01", &["contoso-20260311T020000Z"]).in_words();
    story.others_hold("11T03:02", &["contoso-20260311T020000Z"]);
    counted(&mut story, "12", (1, 1));
    story.check(expect![[r#"
        11T03:00 E Idle + contoso@02:00 is held -> Idle, rest
        11T03:01 F Idle + contoso@11T02:00 is held -> Idle, rest | backup.accepted_by_hand
              it was restored by hand, and counts as accepted from now on
        11T03:02 G Idle + contoso@11T02:00 is held -> Idle, rest
        12T02:00 H Idle + resumed -> Idle, look for contoso@12T02:00
        12T02:00 H Idle + look Succeeded -> Inventory, again {aside: -}
        12T02:00 H Inventory + resumed -> Inventory, rest
        12T02:00 H Inventory + resumed -> Inventory(by H), read
        12T02:00 H Inventory(by H) + read -> Inventory(read, by H), put together contoso-20260312T020000Z.inventory.json
        12T02:00 H Inventory(read, by H) + joined -> Requested(by H), look for contoso@12T02:00 | inventory.taken backup.requested
        12T02:00 H Requested(by H) + look Succeeded -> Requested(by H), POST backup contoso@12T02:00
        12T02:00 H Requested(by H) + 202 op-1 -> Running(op-1), rest | backup.accepted
        12T02:20 I Running(op-1) + resumed -> Running(op-1), poll op-1
        12T02:20 I Running(op-1) + poll 200 -> Proving, inspect blob | backup.ended
        12T02:20 I Proving + blob of 4096 bytes, ETag "0x1" -> Committing, write manifest
        12T02:20 I Committing + written -> Idle, again | backup.verified {backups: contoso@02:00 contoso@11T02:00 contoso@12T02:00; last verified: contoso@12T02:00; covered: 12T02:00; aside: inventory after of contoso@12T02:00; closed: verified contoso@12t02:00}
        12T02:20 I Idle + resumed -> Idle, write history/contoso/20260312T020000Z-backup.json
        12T02:20 I Idle + written -> Idle, rest {closed: -}
    "#]]);
}

#[test]
fn the_manifest_says_why_before_it_is_written() {
    let mut story = rich();
    story.tick("11T02:00").look(finds("Succeeded")).read_services();
    story.take(taking(counting(1, 1))).join(joined("night.inventory.json".into()));
    story.look(finds("Succeeded")).answer(accepted("op-1"));
    story.tick("11T02:20").poll(ended()).inspect(found());
    let manifest: serde_json::Value = serde_json::from_str(&story.manifest()).expect("JSON");
    expect!["more than half of the APIs are gone since contoso-20260310T020000Z (10 APIs and 4 products then, 1 API and 1 product now)"].assert_eq(manifest["suspicious"].as_str().expect("a reason"));
    assert_eq!(manifest["inventory"]["blob"], "night.inventory.json");
}
