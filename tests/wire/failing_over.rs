//! Traffic moves: what Traffic Manager does by itself, what is not restored meanwhile, and the way back.

use apim_dr_sim::cloud::Denial;
use apim_dr_sim::journal::OperationKind;
use serde_json::Value;

use crate::setup::Setup;
use crate::world::{NORTH, PRIMARY, SWEDEN, World, assert_succeeded, logs};

/// What somebody changed by hand on a secondary while it served.
const CHANGE: &str = "<policies><inbound><base /><!-- changed while it served --></inbound></policies>";

impl World {
    /// A deployment behind Traffic Manager whose secondaries hold the first backup.
    async fn routed(secondaries: &[&str]) -> Self {
        let world = Self::of(Setup::routed(secondaries.len())).await;
        world.until_held_by(secondaries).await;
        world
    }

    async fn until_serving(&self, service: &str) {
        for _ in 0..20 {
            self.minutes(1).await;
            if self.cloud().serving() == [service] {
                return;
            }
        }
        panic!("{service} does not come to serve: {:?}", self.cloud().serving());
    }

    /// The primary's gateway fails, and users are sent to the secondary.
    async fn fail_over(&self) {
        self.cloud().service(PRIMARY).gateway_down();
        self.until_serving(NORTH).await;
        self.minutes(1).await;
    }

    fn change_on(&self, service: &str) {
        self.cloud().service(service).set_policy("apis/orders", CHANGE);
    }

    fn has_change(&self, service: &str) -> bool {
        let content = self.cloud().service(service).content();
        content.get("apis/orders/policies/policy").is_some_and(|policy| policy.properties["value"] == CHANGE)
    }

    /// The record of a service of the primary's name that lies in another resource group.
    async fn namesake(&self) -> Value {
        let mut other = self.record(PRIMARY).await;
        let id = other["service"].as_str().unwrap().replace("/resourceGroups/", "/resourceGroups/old-");
        other["service"] = id.into();
        other
    }

    async fn latch(&self) -> Option<Value> {
        self.record(PRIMARY).await.get("failedOver").cloned()
    }

    fn restores(&self) -> usize {
        let operations = self.cloud().journal().operations().into_iter();
        operations.filter(|operation| operation.kind == OperationKind::Restore).count()
    }

    async fn say(&self, input: &str) -> String {
        let invocation = self.by_hand("BackupTimer", input).await;
        assert_succeeded(&invocation);
        logs(&invocation)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_short_outage_nothing_is_restored_until_somebody_says_resume() {
    let world = World::routed(&[NORTH]).await;
    let before = world.restores();
    world.fail_over().await;
    assert_eq!(world.latch().await.unwrap()["serving"], NORTH);
    world.change_on(NORTH);
    world.cloud().service(PRIMARY).gateway_up();
    world.until_serving(PRIMARY).await;
    assert_eq!(world.told("failover.returned").len(), 1);
    world.minutes(130).await;
    assert!(world.accepted(PRIMARY, OperationKind::Backup).len() >= 3, "the primary serves and is backed up");
    assert_eq!(world.restores(), before, "and nothing is restored");
    assert!(world.has_change(NORTH));
    let deferred = world.told("restore.deferred").pop().unwrap();
    assert!(deferred.message.contains("say `resume`"), "{deferred:?}");

    let said = world.say("resume").await;
    assert!(said.contains("failover.resumed") && said.contains("given up"), "{said}");
    world.until_held_by(&[NORTH]).await;
    assert!(!world.has_change(NORTH));
    assert!(world.latch().await.is_none());
    world.assert_alike(NORTH);
    world.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_that_outlasts_the_schedule_backs_up_the_service_that_serves() {
    let world = World::routed(&[NORTH]).await;
    let (backups, restores) = (world.accepted(PRIMARY, OperationKind::Backup).len(), world.restores());
    world.fail_over().await;
    world.change_on(NORTH);
    world.minutes(150).await;
    assert_eq!(world.accepted(PRIMARY, OperationKind::Backup).len(), backups, "never the other");
    let own = world.accepted(NORTH, OperationKind::Backup);
    assert!(own.len() >= 3 && own.iter().all(|backup| backup.backup.starts_with(NORTH)), "{own:?}");
    assert_eq!(world.restores(), restores);
    assert!(world.has_change(NORTH));
}

/// The runbook's way back, step by step.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failing_back_takes_what_was_changed_along() {
    let world = World::routed(&[NORTH]).await;
    world.fail_over().await;
    world.change_on(NORTH);
    world.cloud().traffic_manager().disable(PRIMARY);
    world.cloud().service(PRIMARY).gateway_up();
    world.minutes(5).await;
    assert_eq!(world.cloud().serving(), [NORTH], "the endpoint is disabled");

    assert!(world.say("now").await.contains("backup.wished"));
    let verified = world.until("backup.verified").await;
    assert_eq!(verified.service, NORTH);
    let blob = format!("apim-backups/{}.manifest.json", verified.backup);
    assert_succeeded(&world.by_hand("RestoreOnBlob", &blob).await);
    let refused = world.say("resume").await;
    assert!(refused.contains("resume is refused"), "{refused}");
    for _ in 0..30 {
        world.minutes(1).await;
    }
    assert!(world.has_change(PRIMARY), "restored by hand");

    world.cloud().traffic_manager().enable(PRIMARY);
    world.until_serving(PRIMARY).await;
    assert!(world.say("resume").await.contains("failover.resumed"));
    world.until_held_by(&[NORTH]).await;
    assert!(world.has_change(NORTH) && world.has_change(PRIMARY));
    world.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_endpoints_are_down_nothing_is_restored() {
    let world = World::routed(&[NORTH]).await;
    let before = world.restores();
    world.cloud().service(PRIMARY).gateway_down();
    world.cloud().service(NORTH).gateway_down();
    world.minutes(100).await;
    assert_eq!(world.restores(), before);
    let reason = world.told("restore.deferred").pop().unwrap().message;
    assert!(reason.contains("may send users to any of them") || reason.contains("say `resume`"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_who_disables_the_primarys_endpoint_fails_over() {
    let world = World::routed(&[NORTH]).await;
    world.cloud().traffic_manager().disable(PRIMARY);
    world.minutes(1).await;
    assert_eq!(world.latch().await.unwrap()["serving"], NORTH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_secondaries_neither_is_restored_while_one_serves() {
    let world = World::routed(&[NORTH, SWEDEN]).await;
    let before = world.restores();
    world.fail_over().await;
    world.cloud().service(NORTH).gateway_down();
    world.until_serving(SWEDEN).await;
    world.minutes(1).await;
    assert_eq!(world.latch().await.unwrap()["serving"], SWEDEN, "the latch names the one that served last");
    world.minutes(90).await;
    assert_eq!(world.restores(), before);
    assert!(!world.accepted(SWEDEN, OperationKind::Backup).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_profile_cannot_be_read_restores_wait_and_then_go_on() {
    let world = World::routed(&[NORTH]).await;
    let before = world.restores();
    world.cloud().deny(Denial::of("Microsoft.Network/trafficManagerProfiles/read"));
    world.minutes(90).await;
    assert_eq!(world.restores(), before);
    let told = world.told("restore.deferred");
    let reason = &told.last().unwrap().message;
    assert!(reason.contains("HTTP 403 AuthorizationFailed"), "{reason}");
    let same = told.iter().filter(|told| told.message == *reason).count();
    assert!(same <= 2 && told.len() == same, "a reason is told once for each wish: {told:?}");
    world.cloud().allow_all();
    world.until_held_by(&[NORTH]).await;
    assert!(world.latch().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swapped_roles_make_the_failover_permanent() {
    let mut world = World::routed(&[NORTH]).await;
    world.fail_over().await;
    world.change_on(NORTH);
    let ids = world.cloud().service_ids();
    world.restart_with(&[("APIM_PRIMARY_ID", &ids[1]), ("APIM_SECONDARY_IDS", &ids[0])]).await;
    world.minutes(2).await;
    assert!(world.record(NORTH).await.get("failedOver").is_none(), "it is the primary that serves");
    assert!(world.record(PRIMARY).await.get("failedOver").is_none());
    world.cloud().traffic_manager().set_priority(NORTH, 1);
    world.cloud().traffic_manager().set_priority(PRIMARY, 2);
    world.cloud().service(PRIMARY).gateway_up();
    world.minutes(120).await;
    assert!(world.has_change(PRIMARY), "the old primary follows the new one");
    world.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_swapped_to_the_service_that_does_not_serve_keep_the_latch() {
    let mut world = World::routed(&[NORTH, SWEDEN]).await;
    world.fail_over().await;
    let ids = world.cloud().service_ids();
    let secondaries = format!("{},{}", ids[0], ids[1]);
    world.restart_with(&[("APIM_PRIMARY_ID", &ids[2]), ("APIM_SECONDARY_IDS", &secondaries)]).await;
    world.minutes(2).await;
    assert_eq!(world.record(SWEDEN).await["failedOver"]["serving"], NORTH);
    assert!(world.record(PRIMARY).await.get("failedOver").is_none());
}

/// The service that users were led to is named no more, and the profile is silent: a backup now would be one of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_now_of_a_service_that_the_settings_no_longer_name_is_refused() {
    let mut world = World::routed(&[NORTH, SWEDEN]).await;
    world.fail_over().await;
    let ids = world.cloud().service_ids();
    world.restart_with(&[("APIM_SECONDARY_IDS", &ids[2])]).await;
    world.cloud().deny(Denial::of("Microsoft.Network/trafficManagerProfiles/read"));
    let told = logs(&world.by_hand("BackupTimer", "now").await);
    assert!(told.contains("wish.refused") && told.contains("the settings name it no longer"), "{told}");
    assert!(world.record(NORTH).await.get("backupWish").is_none());
}

/// The settings name the old primary no more, and its record cannot be used just when they come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_latch_outlasts_a_hand_over_that_fails_and_the_old_primary() {
    let mut world = World::routed(&[NORTH, SWEDEN]).await;
    world.fail_over().await;
    world.change_on(NORTH);
    world.cloud().traffic_manager().disable(NORTH);
    world.until_serving(SWEDEN).await;
    let (own, restores) = (world.record(PRIMARY).await, world.restores());
    world.write_record(PRIMARY, &serde_json::json!({"version": 99})).await;
    let ids = world.cloud().service_ids();
    world.restart_with(&[("APIM_PRIMARY_ID", &ids[2]), ("APIM_SECONDARY_IDS", &ids[1])]).await;
    world.minutes(90).await;
    assert!(!world.accepted(SWEDEN, OperationKind::Backup).is_empty(), "it is backed up all the same");
    assert_eq!((world.restores(), &world.record(NORTH).await["primary"]), (restores, &own["primary"]));
    let deferred = world.told("restore.deferred").pop().unwrap().message;
    assert!(deferred.contains("what the record of contoso-west says of a failover"), "{deferred}");

    world.write_record(PRIMARY, &own).await;
    world.minutes(1).await;
    assert_eq!(world.record(SWEDEN).await["failedOver"]["serving"], NORTH);
    assert_eq!(world.record(NORTH).await["primary"], SWEDEN);
    world.minutes(90).await;
    assert_eq!(world.restores(), restores);
    assert!(world.has_change(NORTH));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traffic_that_comes_to_a_service_in_the_middle_of_its_restore_is_told() {
    let world = World::routed(&[NORTH]).await;
    world.say("now").await;
    world.until("restore.accepted").await;
    world.cloud().traffic_manager().disable(PRIMARY);
    let told = world.until("restore.under_traffic").await;
    assert_eq!(told.service, NORTH);
    let raised = world.told("condition.raised");
    assert!(raised.iter().any(|raised| raised.message.starts_with("RestoreUnderTraffic")), "{raised:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_by_hand_means_the_service_that_serves() {
    let world = World::routed(&[NORTH]).await;
    world.say("now").await;
    assert_eq!(world.until("backup.verified").await.service, PRIMARY);
    world.fail_over().await;
    world.until("backup.verified").await;
    world.say("now").await;
    assert_eq!(world.until("backup.verified").await.service, NORTH);
}

/// Nobody can say whether it is latched: to succeed in silence would be to say that all is well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resume_fails_aloud_while_the_primarys_record_is_another_services() {
    let world = World::routed(&[NORTH]).await;
    let own = world.record(PRIMARY).await;
    world.write_record(PRIMARY, &world.namesake().await).await;
    assert!(world.by_hand("BackupTimer", "resume").await.outcome.is_failure());
    let why = world.told("invocation.failed").pop().unwrap().message;
    assert!(why.contains("contoso-west has no usable record"), "{why}");
    world.write_record(PRIMARY, &own).await;
    assert!(world.say("resume").await.contains("failover.resumed"));
}

/// Not by hand either: what it says is not known to be said of this primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_restored_while_the_primarys_record_is_another_services() {
    let world = World::routed(&[NORTH]).await;
    let (held, before) = (world.record(NORTH).await["holds"]["backup"].clone(), world.restores());
    world.write_record(PRIMARY, &world.namesake().await).await;
    let blob = format!("apim-backups/{}.manifest.json", held.as_str().unwrap());
    assert_succeeded(&world.by_hand("RestoreOnBlob", &blob).await);
    let deferred = world.told("restore.deferred").pop().unwrap();
    assert!(deferred.message.contains("/resourceGroups/old-"), "{deferred:?}");
    assert_eq!(world.restores(), before);
}

/// Its own record cannot be had for a few minutes, and traffic is back before it can: nobody may have forgotten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_is_kept_though_the_primarys_record_cannot_be_used() {
    let world = World::routed(&[NORTH]).await;
    let (own, before) = (world.record(PRIMARY).await, world.restores());
    world.write_record(PRIMARY, &world.namesake().await).await;
    world.fail_over().await;
    let kept = world.record(NORTH).await;
    assert_eq!(kept["failedOver"]["serving"], NORTH);
    world.change_on(NORTH);
    world.minutes(2).await;
    assert_eq!(world.record(NORTH).await["failedOver"], kept["failedOver"]);
    assert_eq!(world.told("failover.latched").len(), 1);

    world.cloud().service(PRIMARY).gateway_up();
    world.until_serving(PRIMARY).await;
    world.minutes(1).await;
    world.write_record(PRIMARY, &own).await;
    world.minutes(1).await;
    assert_eq!(world.latch().await.as_ref(), Some(&kept["failedOver"]));
    assert!(world.record(NORTH).await.get("failedOver").is_none());
    world.minutes(90).await;
    assert_eq!(world.restores(), before);
    assert!(world.has_change(NORTH));
    assert!(world.say("resume").await.contains("given up"));
    world.until_held_by(&[NORTH]).await;
}

/// The record of `fabrikam`, the primary of a deployment that shares the state container.
async fn of_another_deployment(world: &World) -> Value {
    let mut record = world.record(PRIMARY).await;
    record["service"] = record["service"].as_str().unwrap().replace(PRIMARY, "fabrikam").into();
    record["primary"] = "fabrikam".into();
    record
}

/// Two deployments that share a state container do not pull each other's records to and fro.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_of_another_deployment_is_left_where_it_is() {
    let world = World::routed(&[NORTH]).await;
    let mut other = of_another_deployment(&world).await;
    other["failedOver"] = serde_json::json!({"since": "2026-03-02T08:00:00Z", "serving": "fabrikam-dr"});
    world.write_record("fabrikam", &other).await;
    world.minutes(3).await;
    let after = world.record("fabrikam").await;
    assert_eq!((&after["primary"], &after["failedOver"]), (&other["primary"], &other["failedOver"]));
    assert!(world.latch().await.is_none());
}

/// Nor do they give up what the other is only preparing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_deployment_prepares_is_its_own() {
    let world = World::routed(&[NORTH]).await;
    let mut other = of_another_deployment(&world).await;
    let reading = serde_json::json!({
        "phase": "inventory",
        "since": "2026-03-02T08:59:00Z",
        "depth": "deep",
        "progress": {},
    });
    for phase in [serde_json::json!({"phase": "prepared"}), reading] {
        other["operation"] = serde_json::json!({
            "kind": "backup",
            "name": "fabrikam-20260302T085900Z",
            "container": "apim-backups",
            "startedAt": "2026-03-02T08:59:00Z",
            "storageAt": "2026-03-02T08:59:00Z",
            "tier": "Standard",
            "location": "West Europe",
            "phase": phase,
        });
        world.write_record("fabrikam", &other).await;
        world.minutes(3).await;
        assert_eq!(world.record("fabrikam").await["operation"], other["operation"], "{phase}");
    }
}
