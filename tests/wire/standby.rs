//! What a standby holds: looked at again and again, and overwritten only where that is certain to harm nobody.

use apim_dr_sim::cloud::Denial;
use apim_dr_sim::content::Content;
use apim_dr_sim::journal::OperationKind;
use serde_json::json;
use time::Duration;

use crate::setup::Setup;
use crate::world::{BACKUPS, NORTH, PRIMARY, World, logs};

impl World {
    /// Lets hours pass in which nothing ticks, and a few minutes in which it does.
    async fn later(&self, hours: i64) {
        self.clock.advance(Duration::hours(hours));
        self.minutes(2).await;
    }

    async fn restore_by_hand(&self, backup: &str) -> String {
        logs(&self.by_hand("RestoreOnBlob", &format!("{BACKUPS}/{backup}.manifest.json")).await)
    }

    fn restored(&self) -> usize {
        self.accepted(NORTH, OperationKind::Restore).len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_moves_on_the_standby_is_found_named_and_classed() {
    let world = World::new().await;
    let name = world.until_held_by(&[NORTH]).await;
    let before = world.cloud().service(NORTH).content();
    world.cloud().service(NORTH).edit(|content| {
        content.put("apis/billing", json!({ "displayName": "Billing", "path": "billing" }));
        content.remove("products/retail");
        content.edit("apis/orders/operations/place-order/policies/policy", |policy| {
            policy["value"] = policy["value"].as_str().unwrap().replacen('<', " <", 1).into();
        });
    });
    world.minutes(2).await;
    assert!(world.told("standby.mismatched").is_empty(), "it is not looked at all the time");

    world.later(6).await;
    let told = world.told("standby.mismatched").pop().unwrap();
    assert_eq!((told.service.as_str(), &told.backup), (NORTH, &name));
    for part in ["missing (", "products 1", "1 different (apis/operations/policies 1)", "1 extra (apis 1)"] {
        assert!(told.message.contains(part), "{part} is not said: {told:?}");
    }
    let record = world.record(NORTH).await;
    assert_eq!(record["holds"]["compared"]["result"], "mismatched");
    let differences = record["holds"]["finding"]["comparison"]["differences"].as_array().unwrap().clone();
    for difference in [
        json!({"kind": "extra", "path": "apis/billing"}),
        json!({"kind": "missing", "path": "products/retail"}),
        json!({"kind": "different", "path": "apis/orders/operations/place-order/policies/policy"}),
    ] {
        assert!(differences.contains(&difference), "{difference} is not named: {differences:?}");
    }
    let raised = world.told("condition.raised");
    assert!(raised.iter().any(|told| told.message.starts_with("StandbyMismatched")), "{raised:?}");

    world.cloud().service(NORTH).edit(|content| *content = before);
    world.later(6).await;
    assert_eq!(world.record(NORTH).await["holds"]["compared"]["result"], "verified");
    let cleared = world.told("condition.cleared");
    assert!(cleared.iter().any(|told| told.message.starts_with("StandbyMismatched")), "{cleared:?}");
    assert_eq!(world.restored(), 1, "a comparison changes nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_lost_most_of_its_apis_does_not_empty_the_standby() {
    let world = World::new().await;
    let good = world.until_held_by(&[NORTH]).await;
    for api in ["apis/orders", "apis/catalogue-v2"] {
        world.cloud().service(PRIMARY).remove(api);
    }
    for night in 1..=2 {
        logs(&world.by_hand("BackupTimer", "").await);
        let told = world.until("backup.suspicious").await;
        assert!(told.message.contains("3 APIs and 2 products then, 1 API and"), "{told:?}");
        world.minutes(5).await;
        assert_eq!(world.record(NORTH).await["holds"]["backup"], good.as_str(), "night {night}");
    }
    assert_eq!(world.restored(), 1);
    assert_eq!(world.record(PRIMARY).await["lastVerified"]["name"], good.as_str());
    let raised = world.told("condition.raised");
    assert!(raised.iter().any(|told| told.message.starts_with("BackupSuspicious")), "{raised:?}");

    let suspicious = world.told("backup.suspicious").pop().unwrap().backup;
    let told = world.restore_by_hand(&suspicious).await;
    assert!(told.contains("restore.accepted"), "{told}");
    world.until("backup.accepted_by_hand").await;
    assert_eq!(world.record(NORTH).await["holds"]["backup"], suspicious.as_str());
    let next = world.back_up_now().await;
    assert_eq!(world.until_held_by(&[NORTH]).await, next, "what was accepted is the measure from now on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_holds_something_of_its_own_is_left_alone_until_somebody_says_so() {
    let world = World::new().await;
    world.cloud().service(NORTH).edit(|content| {
        content.put("apis/billing", json!({ "displayName": "Billing", "path": "billing" }));
        content.put("products/gold", json!({ "displayName": "Gold", "state": "published" }));
    });
    let name = world.until("backup.verified").await.backup;
    world.minutes(10).await;
    let deferred = world.record(NORTH).await["restoreWish"]["deferred"]["reason"].clone();
    let reason = deferred.as_str().unwrap();
    assert!(reason.contains("1 API and 1 product (apis/billing, products/gold)"), "{reason}");
    assert_eq!(world.restored(), 0);

    let told = world.restore_by_hand(&name).await;
    assert!(told.contains("restore.accepted"), "{told}");
    world.until_held_by(&[NORTH]).await;
    world.cloud().service(NORTH).edit(|content| {
        content.put("apis/billing", json!({ "displayName": "Billing", "path": "billing" }));
    });
    let next = world.back_up_now().await;
    assert_eq!(world.until_held_by(&[NORTH]).await, next, "what it holds is ours from then on");
    world.assert_alike(NORTH);
}

/// The settings name the empty service as the primary and production as its standby.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swapped_settings_do_not_overwrite_production() {
    let world = World::of(Setup::default().setting("BACKUP_SCHEDULE", "0 0 * * * *")).await;
    let production = world.cloud().service(PRIMARY).content();
    world.cloud().service(NORTH).edit(|content| *content = production);
    world.cloud().service(PRIMARY).edit(|content| *content = Content::built_in());
    let before = world.cloud().service(NORTH).content().carried();
    world.until("backup.verified").await;
    world.until("backup.verified").await;
    world.minutes(10).await;
    assert_eq!(world.restored(), 0);
    assert_eq!(world.cloud().service(NORTH).content().carried(), before);
    let deferred = world.record(NORTH).await["restoreWish"]["deferred"]["reason"].clone();
    assert!(deferred.as_str().unwrap().contains("3 APIs and 2 products (apis/"), "{deferred}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_content_cannot_be_looked_at_is_left_alone_before_the_first_restore() {
    let world = World::new().await;
    world.cloud().deny(Denial::of("Microsoft.ApiManagement/service/products/read").on(NORTH));
    world.until("backup.verified").await;
    world.minutes(5).await;
    let deferred = world.record(NORTH).await["restoreWish"]["deferred"]["reason"].clone();
    assert!(deferred.as_str().unwrap().contains("cannot be looked at"), "{deferred}");
    assert_eq!(world.told("restore.deferred").len(), 1, "the same reason is told once");
    world.cloud().allow_all();
    world.until_held_by(&[NORTH]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_while_nobody_could_tell_who_serves_is_not_overwritten_by_itself() {
    let world = World::of(Setup::routed(1)).await;
    world.until_held_by(&[NORTH]).await;
    world.cloud().deny(Denial::of("Microsoft.Network/trafficManagerProfiles/read"));
    world.minutes(12).await;
    world.cloud().service(NORTH).edit(|content| {
        content.put("users/new", json!({ "firstName": "New", "email": "new@contoso.example" }));
    });
    world.cloud().allow_all();
    world.minutes(1).await;
    world.back_up_now().await;
    world.minutes(5).await;
    let deferred = world.record(NORTH).await["restoreWish"]["deferred"]["reason"].clone();
    assert!(deferred.as_str().unwrap().contains("nobody could tell who carries the traffic"), "{deferred}");
    assert_eq!(world.restored(), 1);

    logs(&world.by_hand("BackupTimer", "resume").await);
    world.until_held_by(&[NORTH]).await;
    world.assert_alike(NORTH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_touched_while_nobody_could_tell_who_serves_is_restored_over() {
    let world = World::of(Setup::routed(1)).await;
    world.until_held_by(&[NORTH]).await;
    world.cloud().deny(Denial::of("Microsoft.Network/trafficManagerProfiles/read"));
    world.minutes(12).await;
    world.cloud().allow_all();
    world.minutes(1).await;
    let next = world.back_up_now().await;
    assert_eq!(world.until_held_by(&[NORTH]).await, next);
}
