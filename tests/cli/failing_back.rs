//! The runbook's way back after a failover, by somebody who has nothing but the command line.

use crate::world::{NORTH, PRIMARY, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_and_the_way_back() {
    let world = World::routed().await;
    let name = world.standby().await;
    world.run("status").await.answered(0, &["serves          contoso-west, the primary"]);

    world.cloud().service(PRIMARY).gateway_down();
    world.minutes(10).await;
    assert_eq!(world.cloud().serving(), [NORTH]);
    world.run("tick").await.answered(0, &["done; open: backup contoso-north-"]);
    let busy = world.run(&format!("restore {name} --yes")).await;
    busy.answered(3, &["contoso-north: waits: something else runs first: backup contoso-north-"]);
    world.run_while_time_passes("tick --wait").await.answered(0, &["nothing is open"]);
    let status = world.run("status").await;
    status.answered(
        0,
        &["serves          contoso-north, not the primary", "failed over     to contoso-north", "FailedOver"],
    );
    let held_back = world.run(&format!("restore {name} --yes")).await;
    held_back.answered(3, &["contoso-north: waits: contoso-north carries the traffic"]);
    world.run("withdraw").await.answered(0, &[&name]);
    world.run("resume --yes").await.failed(1, &["resume is refused", "contoso-north carries the traffic"]);

    world.cloud().service(NORTH).remove("apis/orders");
    world.cloud().traffic_manager().disable(PRIMARY);
    world.cloud().service(PRIMARY).gateway_up();
    world
        .run_while_time_passes("backup --wait")
        .await
        .answered(0, &["contoso-north: contoso-north-", "is verified"]);
    let own = world.record(NORTH).await["lastVerified"]["name"].as_str().unwrap().to_owned();
    let restored = world.run_while_time_passes(&format!("restore {own} --yes --wait")).await;
    restored.answered(0, &["contoso-west: holds", &own]);
    assert!(world.cloud().differences(PRIMARY, NORTH).is_alike(), "what was changed came along");

    world.cloud().traffic_manager().enable(PRIMARY);
    world.minutes(10).await;
    let status = world.run("status").await;
    status.answered(0, &["serves          contoso-west, the primary", "failed over     to contoso-north"]);
    world.run("resume").await.failed(2, &["What was changed on contoso-north since", "is given up", "--yes"]);
    world
        .run_while_time_passes("resume --yes --wait")
        .await
        .answered(0, &["contoso-west: contoso-west-", "is verified"]);
    world.run_while_time_passes("tick --wait").await.answered(0, &["nothing is open"]);
    let status = world.json_of("status").await;
    assert!(status.get("failedOver").is_none(), "{status}");
    assert!(world.cloud().differences(PRIMARY, NORTH).is_alike());
    world.assert_sound();
}
