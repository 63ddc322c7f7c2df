//! What is asked for, and what comes of it at once.

use apim_dr_sim::journal::OperationKind;
use apim_dr_sim::knobs::{Fault, Request};

use crate::world::{NORTH, PRIMARY, World};

fn accepted(world: &World, kind: OperationKind) -> usize {
    world.cloud().journal().operations().iter().filter(|operation| operation.kind == kind).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_begun_and_a_second_one_is_not() {
    let world = World::new().await;
    world.run("backup").await.answered(0, &["contoso-west: backup contoso-west-20260302T0900"]);
    world.run("backup").await.answered(0, &["contoso-west-20260302T0900"]);
    assert_eq!(accepted(&world, OperationKind::Backup), 1);
    let answer = world.json_of("backup contoso-west").await;
    assert_eq!(answer["result"], "done");
    assert_eq!(answer["events"][0]["event"], "backup.already_running");
    assert_eq!(answer["services"][0]["service"], PRIMARY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secondary_is_backed_up_if_it_is_named() {
    let world = World::new().await;
    world
        .run("backup contoso-north")
        .await
        .answered(0, &["contoso-north: backup contoso-north-20260302T0900"]);
    world.run("backup fabrikam").await.failed(2, &["contoso-west, contoso-north", "not fabrikam"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_says_for_what_and_is_not_done() {
    let world = World::new().await;
    world.cloud().service(PRIMARY).set_state("Updating");
    world.run("backup").await.answered(3, &["waits: ", "Updating"]);
    assert_eq!(world.run("backup --json").await.json()["result"], "open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_azure_refuses_fails_with_its_words() {
    let world = World::new().await;
    world
        .cloud()
        .next(Request::Backup, Fault::error(400, "InvalidParameters", "The account is not reachable."));
    world.run("backup").await.failed(1, &["InvalidParameters", "The account is not reachable."]);
    world
        .cloud()
        .next(Request::Backup, Fault::error(400, "InvalidParameters", "The account is not reachable."));
    let answer = world.run("backup --json").await;
    assert_eq!((answer.code, &answer.json()["result"]), (1, &"failed".into()));
}

/// Without a terminal a restore is not begun but with a yes, and the question says what it would do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_undone_is_asked_first() {
    let world = World::new().await;
    let name = world.standby().await;
    let asked = ["contoso-north is overwritten with", &name, "2026-03-02 09:00 UTC", "--yes"];
    world.run(&format!("restore {name}")).await.failed(2, &asked);
    let asked = ["contoso-north is overwritten", "Nobody asks whether users are on it"];
    world.run(&format!("restore {name} --even-if-live")).await.failed(2, &asked);
    world.run("resume").await.failed(2, &["contoso-west is backed up anew", "--yes"]);
    assert_eq!(accepted(&world, OperationKind::Restore), 1, "the standby's own");
    assert!(world.record(NORTH).await.get("restoreWish").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_restore_is_answered_with_what_is_right() {
    let world = World::new().await;
    world
        .run("restore contoso-west-20260301T020000Z --yes")
        .await
        .failed(1, &["no backup of contoso-west at all"]);
    let name = world.standby().await;
    world.run("restore contoso-west-20260301T020000Z --yes").await.failed(1, &["The newest", &name]);
    world.run(&format!("restore {name} --into contoso-west --yes")).await.failed(2, &["into contoso-north"]);
    world.run(&format!("restore {name} --into fabrikam --yes")).await.failed(2, &["not fabrikam"]);
    world.run("restore fabrikam-20260301T020000Z --yes").await.failed(2, &["not fabrikam"]);
    world.run("restore latest --yes").await.failed(2, &["is no backup's name"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_is_held_back_says_why_can_insist_and_can_be_taken_back() {
    let mut world = World::new().await;
    let name = world.standby().await;
    world.set("LIVE_CHECK", "on");
    let deferred = world.run(&format!("restore {name} --yes --into contoso-north")).await;
    deferred.answered(3, &["contoso-north: waits: ", "TRAFFIC_MANAGER_ID"]);
    assert_eq!(world.record(NORTH).await["restoreWish"]["by"], "hand");

    world.run("withdraw contoso-north").await.answered(0, &[&name, "no longer to be restored"]);
    assert!(world.record(NORTH).await.get("restoreWish").is_none());
    world.run("withdraw").await.answered(0, &["nothing to take back"]);

    world.run(&format!("restore {name} --even-if-live --yes")).await.answered(0, &["restore of", "running"]);
    assert_eq!(accepted(&world, OperationKind::Restore), 2);
    world.run("withdraw").await.answered(0, &["cannot be stopped"]);
    world.assert_sound();
}

/// Two deployments may share a state container.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_deployment_wishes_for_is_not_taken_back() {
    let mut world = World::new().await;
    let name = world.standby().await;
    world.set("LIVE_CHECK", "on");
    world.run(&format!("restore {name} --yes")).await.answered(3, &["contoso-north: waits: "]);
    let wish = world.record(NORTH).await["restoreWish"].clone();
    for (setting, service) in [("APIM_PRIMARY_ID", "fabrikam"), ("APIM_SECONDARY_IDS", "fabrikam-dr")] {
        let id = world.record(NORTH).await["service"].as_str().unwrap().replace(NORTH, service);
        world.set(setting, &id);
    }
    world.run("withdraw").await;
    assert_eq!(world.record(NORTH).await["restoreWish"], wish);
}

/// A backup of a secondary goes into the primary: failing back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secondarys_backup_goes_into_the_primary() {
    let mut world = World::new().await;
    world.standby().await;
    world.run_while_time_passes("backup contoso-north --wait").await.answered(0, &["is verified"]);
    let name = world.record(NORTH).await["lastVerified"]["name"].as_str().unwrap().to_owned();
    world.set("LIVE_CHECK", "on");
    let said = world.run_while_time_passes(&format!("restore {name} --even-if-live --yes --wait")).await;
    said.answered(0, &["contoso-west: holds", &name]);
    world.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resume_asks_for_a_backup_that_begins_after_it() {
    let world = World::new().await;
    world.standby().await;
    world.run_while_time_passes("resume --yes --wait").await.answered(0, &["contoso-west", "is verified"]);
    assert_eq!(accepted(&world, OperationKind::Backup), 2);
    let restoring = world.cloud().service(PRIMARY);
    restoring.set_state("Succeeded");
    let mut elsewhere = world.settings.clone();
    elsewhere.insert("LIVE_CHECK".into(), "on".into());
    let refused = crate::world::run(crate::world::program("resume --yes", &elsewhere)).await;
    refused.failed(1, &["resume is refused", "TRAFFIC_MANAGER_ID"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moved_service_is_adopted() {
    let mut world = World::new().await;
    world.standby().await;
    let moved = world.settings["APIM_SECONDARY_IDS"].replace("resourceGroups/", "resourceGroups/new-");
    world.set("APIM_SECONDARY_IDS", &moved);
    let status = world.run("status").await;
    status.answered(0, &["ConfigurationSuspect"]);
    assert!(status.stderr.contains("apim-dr adopt"), "{status:?}");
    world.run("adopt contoso-north").await.answered(0, &["accepts", &moved]);
    world.run("adopt contoso-north").await.answered(0, &["nothing to adopt"]);
    assert_eq!(world.record(NORTH).await["service"], moved.as_str());
    assert_eq!(world.json_of("status").await["conditions"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_open_under_the_old_id_has_to_be_meant() {
    let mut world = World::new().await;
    world.run("backup").await.answered(0, &[]);
    let moved = world.settings["APIM_PRIMARY_ID"].replace("resourceGroups/", "resourceGroups/new-");
    world.set("APIM_PRIMARY_ID", &moved);
    world.run("adopt contoso-west").await.failed(1, &["is open since", "--yes"]);
    world.run("adopt contoso-west --yes").await.answered(0, &["accepts", &moved]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_takes_no_wish() {
    let mut world = World::new().await;
    let name = world.standby().await;
    world.set("DRY_RUN", "true");
    world.run("backup").await.failed(1, &["DRY_RUN is on"]);
    world.run(&format!("restore {name} --yes")).await.failed(1, &["DRY_RUN is on"]);
    world.run("resume --yes").await.failed(1, &["DRY_RUN is on"]);
    world.run("status").await.answered(0, &["dry run", "nothing is begun"]);
    world.run("tick").await.answered(0, &["done"]);
    assert_eq!(world.cloud().journal().operations().len(), 2, "the standby's own");
}
