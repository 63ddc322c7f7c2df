//! Inventories: equal for equal contents however Azure tells them, and exact enough for a changed letter.

use apim_dr_sim::cloud::{Denial, IdCase, LineEnds};
use apim_dr_sim::content::Content;
use apim_dr_sim::knobs::{Fault, Request};
use serde_json::Value;

use crate::setup::Setup;
use crate::world::{BACKUPS, NORTH, PRIMARY, World, logs};

impl World {
    /// Takes a backup now and yields its name, once it is verified.
    pub(crate) async fn back_up_now(&self) -> String {
        let told = logs(&self.by_hand("BackupTimer", "").await);
        assert!(told.contains("backup.wished"), "{told}");
        self.until("backup.verified").await.backup
    }

    /// The lines of a backup's inventory that stand for entities, to the byte.
    async fn entities(&self, backup: &str) -> String {
        let bytes = self.storage.get(BACKUPS, &format!("{backup}.inventory.json")).await.unwrap().unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.split_once('\n').unwrap().1.to_owned()
    }

    /// What the comparison after the last restore found, by what it found.
    async fn found(&self, tally: &str) -> u64 {
        let record = self.record(NORTH).await;
        let types = record["holds"]["finding"]["comparison"]["types"].as_array().unwrap().clone();
        types.iter().filter_map(|of_type| of_type[tally].as_u64()).sum()
    }

    async fn compared(&self) -> Value {
        self.record(NORTH).await["holds"]["compared"].clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_content_yields_the_same_inventory_however_azure_tells_it() {
    let mut world = World::new().await;
    let first = world.until_held_by(&[NORTH]).await;
    let entities = world.entities(&first).await;
    assert!(entities.lines().count() > 60, "{entities}");
    // From here on nothing is restored: it is about inventories alone.
    world.restart_with(&[("LIVE_CHECK", "on")]).await;
    let (cloud, primary) = (world.cloud(), world.cloud().service(PRIMARY));
    let ways: [(&str, &dyn Fn()); 7] = [
        ("an entry a page", &|| cloud.set_page_size(1)),
        ("three entries a page", &|| cloud.set_page_size(3)),
        ("in another order", &|| cloud.shuffle_lists(Some(7))),
        ("in yet another order", &|| cloud.shuffle_lists(Some(8))),
        ("ids in lower case", &|| primary.set_id_case(IdCase::Lower)),
        ("ids in upper case", &|| primary.set_id_case(IdCase::Upper)),
        ("with carriage returns", &|| primary.set_line_ends(LineEnds::CrLf)),
    ];
    for (way, told) in ways {
        told();
        let backup = world.back_up_now().await;
        assert_eq!(world.entities(&backup).await, entities, "{way}");
    }
    // What was restored from it lies in another group, under another name, and is asked for as the primary.
    let [west, north] = [PRIMARY, NORTH].map(|service| world.cloud().service(service).id());
    world.restart_with(&[("APIM_PRIMARY_ID", &north), ("APIM_SECONDARY_IDS", &west)]).await;
    let backup = world.back_up_now().await;
    assert!(backup.starts_with(NORTH), "{backup}");
    assert_eq!(world.entities(&backup).await, entities, "under another name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_letter_in_the_policy_of_an_operation_is_seen() {
    let world = World::new().await;
    let first = world.until("backup.verified").await.backup;
    let path = "apis/orders/operations/place-order/policies/policy";
    world.cloud().service(PRIMARY).edit(|content| {
        let changed = content.edit(path, |policy| {
            let text = policy["value"].as_str().unwrap().replacen("</policies>", " </policies>", 1);
            policy["value"] = text.into();
        });
        assert!(changed, "there is such a policy");
    });
    let second = world.back_up_now().await;
    let (before, after) = (world.entities(&first).await, world.entities(&second).await);
    let differ: Vec<_> = before.lines().zip(after.lines()).filter(|(one, other)| one != other).collect();
    assert_eq!(differ.len(), 1, "{differ:?}");
    assert!(differ[0].0.contains(path) && differ[0].1.contains(path), "{differ:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_alone_are_compared_where_the_setting_says_so() {
    let world = World::of(Setup::default().setting("INVENTORY", "lists")).await;
    let name = world.until_held_by(&[NORTH]).await;
    let entities = world.entities(&name).await;
    assert!(entities.contains("\"apis/orders\"") && !entities.contains("apis/orders/"), "{entities}");
    assert_eq!(world.compared().await["result"], "verified");
    assert_eq!(world.record(NORTH).await["holds"]["finding"]["depth"], "lists");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crawl_that_is_interrupted_goes_on_where_it_was() {
    let world = World::of(Setup { throttles: false, ..Setup::default() }).await;
    world.cloud().service(PRIMARY).edit(|content| *content = Content::large(90, 1));
    world.cloud().service(NORTH).edit(|content| *content = Content::built_in());
    let nothing = std::time::Duration::ZERO;
    world.cloud().next(Request::Content, Fault::delay(nothing).times(200));
    world.cloud().next(Request::Content, Fault::error(429, "SubscriptionRequestsThrottled", "not so fast"));
    let told = world.until("inventory.interrupted").await;
    assert!(told.message.contains("HTTP 429 SubscriptionRequestsThrottled: not so fast"), "{told:?}");
    let read = world.cloud().journal().of(Request::Content).len();
    let name = world.until("inventory.taken").await.backup;
    let read_on = world.cloud().journal().of(Request::Content).len() - read;
    assert!(read_on < read, "{read} reads before the interruption, {read_on} after it");

    world.until_held_by(&[NORTH]).await;
    let inventory = world.json(BACKUPS, &format!("{name}.inventory.json")).await;
    assert_eq!(inventory["counts"]["apis"], 90);
    let operations = |path: &&String| path.contains("/operations/") && !path.contains("/policies/");
    let carried = world.cloud().service(PRIMARY).content().carried();
    let there_are = carried.iter().map(|entity| &entity.path).filter(operations).count();
    let entities = inventory["entities"].as_object().unwrap();
    assert_eq!(entities.keys().filter(operations).count(), there_are);
    assert_eq!(world.compared().await["result"], "verified");
    assert_eq!(world.found("equal").await, inventory["counts"]["entities"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_the_tier_does_not_have_is_named_and_hides_nothing_else() {
    let world = World::new().await;
    for service in [PRIMARY, NORTH] {
        world.cloud().service(service).refuse_collection("gateways");
    }
    let name = world.until_held_by(&[NORTH]).await;
    let inventory = world.json(BACKUPS, &format!("{name}.inventory.json")).await;
    assert_eq!(inventory["unread"][0]["list"], "gateways");
    assert!(inventory["unread"][0]["why"].as_str().unwrap().contains("MethodNotAllowedInPricingTier"));
    assert_eq!(world.compared().await["result"], "verified");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_read_content_backs_it_up_all_the_same() {
    let world = World::new().await;
    world.cloud().deny(Denial::of("Microsoft.ApiManagement/service/apis/read").on(PRIMARY));
    let name = world.until_held_by(&[NORTH]).await;
    let missing = world.told("inventory.missing").remove(0);
    assert!(missing.message.contains("HTTP 403 AuthorizationFailed"), "{missing:?}");
    let manifest = world.json(BACKUPS, &format!("{name}.manifest.json")).await;
    assert!(manifest.get("inventory").is_none());
    let compared = world.compared().await;
    assert_eq!(compared["result"], "unverified");
    assert_eq!(compared["why"], "the backup has no inventory to compare with");
    world.assert_alike(NORTH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_on_the_primary_while_the_backup_runs_is_told_apart() {
    let world = World::new().await;
    world.until("backup.accepted").await;
    let changed = "<policies><inbound><base /></inbound></policies>";
    world.cloud().service(PRIMARY).set_policy("apis/orders", changed);
    world.until_held_by(&[NORTH]).await;
    assert_eq!(world.compared().await["result"], "verified");
    assert_eq!(world.found("changed").await, 1);
    let comparison = world.record(NORTH).await["holds"]["finding"]["comparison"].clone();
    assert_eq!(comparison["changed"][0], "apis/orders/policies/policy");
}

/// Resource Manager turns the second inventory away for longer than the restore takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comparison_waits_for_the_inventory_after_the_backup() {
    let world = World::new().await;
    world.until("backup.accepted").await;
    world.cloud().service(PRIMARY).set_policy("apis/orders", "<policies><inbound /></policies>");
    let busy = Fault::error(429, "SubscriptionRequestsThrottled", "not so fast").forever();
    world.cloud().service(PRIMARY).next(Request::Content, busy);
    world.until("restore.ended").await;
    world.minutes(3).await;
    assert!(world.told("restore.mismatched").is_empty() && world.told("restore.verified").is_empty());
    let waits = world.told("inventory.interrupted");
    let waits = waits.iter().rfind(|told| told.service == NORTH).unwrap();
    assert!(waits.message.contains("is not finished yet"), "{waits:?}");

    world.cloud().clear_faults();
    world.until_held_by(&[NORTH]).await;
    assert_eq!(world.compared().await["result"], "verified");
    assert_eq!(world.found("changed").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inventory_that_was_written_over_is_not_compared_with() {
    let world = World::new().await;
    let name = world.until("backup.verified").await.backup;
    let blob = format!("{name}.inventory.json");
    let mut bytes = world.storage.get(BACKUPS, &blob).await.unwrap().unwrap().to_vec();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    world.storage.put(BACKUPS, &blob, bytes, &[]).await.unwrap();
    let told = world.until("restore.unverified").await;
    assert!(told.message.contains("its digest differs"), "{told:?}");
}
