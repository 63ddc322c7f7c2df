//! The knobs: each failure that a caller of Azure has to live with.

use apim_dr_sim::clock::Clock;
use apim_dr_sim::cloud::ServiceSpec;
use apim_dr_sim::journal::Outcome;
use apim_dr_sim::knobs::{Broken, Fault, Request};
use time::Duration;

use crate::world::{Answer, NEU, START, WEU, World, by_identity};

async fn back_up(world: &World) -> Answer {
    world.post(WEU, "backup", &by_identity("b")).await
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_be_planned_and_does_no_work() {
    let world = World::new();
    world.cloud.next(Request::Backup, Fault::status(429).retry_after(17));
    world.cloud.service(WEU).next(Request::Backup, Fault::error(400, "InvalidParameters", "CORS"));
    world.cloud.service(NEU).next(Request::Backup, Fault::status(503));
    let busy = back_up(&world).await;
    assert_eq!((busy.error(), busy.header("retry-after")), ((429, "TooManyRequests"), "17"));
    let refused = back_up(&world).await;
    assert_eq!((refused.error(), refused.message()), ((400, "InvalidParameters"), "CORS"));
    assert!(world.cloud.journal().operations().is_empty());
    assert_eq!(back_up(&world).await.status.as_u16(), 202);
    assert_eq!(world.cloud.faults_left(), 1, "the other service's fault still waits");
    let posts = world.cloud.journal().posts();
    let told: Vec<_> = posts.iter().map(|post| (post.status, post.faulted)).collect();
    assert_eq!(told, [(Some(429), true), (Some(400), true), (Some(202), false)]);
    assert_eq!(posts[1].code.as_deref(), Some("InvalidParameters"));
}

#[tokio::test(start_paused = true)]
async fn work_can_be_done_and_its_answer_lost_or_wrong() {
    let world = World::new();
    world.cloud.next(Request::Backup, Fault::work_then_status(500));
    assert_eq!(back_up(&world).await.error(), (500, "InternalServerError"));
    assert_eq!(world.cloud.journal().operations().len(), 1);
    world.advance(11);
    world.cloud.settle().await;
    world.cloud.next(Request::Backup, Fault::lose_reply());
    assert_eq!(back_up(&world).await.broken, Some(Broken::AfterTheWork));
    assert_eq!(world.cloud.journal().operations().len(), 2);
    world.cloud.next(Request::Service, Fault::refuse());
    assert_eq!(world.read(WEU, "").await.broken, Some(Broken::BeforeTheWork));
}

#[tokio::test(start_paused = true)]
async fn a_delay_takes_real_time() {
    let world = World::new();
    world.cloud.next(Request::Backup, Fault::status(429).and_delay(std::time::Duration::from_secs(25)));
    let before = tokio::time::Instant::now();
    assert_eq!(back_up(&world).await.status.as_u16(), 429);
    assert_eq!(before.elapsed().as_secs(), 25);
}

#[tokio::test(start_paused = true)]
async fn every_request_can_be_slow_in_simulated_time() {
    let world =
        World::by(Clock::of_runtime(START), |builder| builder.service(ServiceSpec::new(WEU, "West Europe")));
    world.cloud.set_latency(std::time::Duration::from_millis(50));
    for _ in 0..20 {
        assert_eq!(world.read(WEU, "").await.status.as_u16(), 200);
    }
    let asked = world.cloud.journal().of(Request::Service);
    assert_eq!(asked[0].at - START, Duration::milliseconds(50), "Azure sees a request once it has arrived");
    assert_eq!(asked[19].at - START, Duration::SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_location_can_be_absent_or_foreign() {
    let world = World::new();
    world.cloud.next(Request::Backup, Fault::without_location());
    let accepted = back_up(&world).await;
    assert_eq!((accepted.status.as_u16(), accepted.header("location")), (202, ""));
    world.advance(11);
    world.cloud.next(Request::Backup, Fault::location("https://elsewhere.example/result"));
    let accepted = back_up(&world).await;
    assert_eq!(
        (accepted.status.as_u16(), accepted.header("location")),
        (202, "https://elsewhere.example/result")
    );
    assert_eq!(world.cloud.journal().operations().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn polls_can_fail_while_the_operation_goes_on() {
    let world = World::new();
    let location = world.begin(WEU, "backup", "b").await;
    world.cloud.next(Request::Poll, Fault::status(500).times(2));
    world.cloud.next(Request::Poll, Fault::status(403));
    world.cloud.next(Request::Poll, Fault::status(200).body("not JSON"));
    world.advance(11);
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(world.get(&location).await.status.as_u16());
    }
    assert_eq!(statuses, [500, 500, 403, 200, 200]);
    world.cloud.service(WEU).forget_results();
    assert_eq!(world.get(&location).await.error(), (404, "ResourceNotFound"));
    let blob = world.storage().head("apim-backups", "b").await.unwrap();
    assert!(blob.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_result_can_be_forgotten_from_the_start() {
    let world = World::new();
    world.cloud.next(Request::Backup, Fault::forgotten());
    let location = world.begin(WEU, "backup", "b").await;
    assert_eq!(world.get(&location).await.status.as_u16(), 404);
    assert_eq!(world.cloud.service(WEU).state(), "Updating");
    world.advance(11);
    world.cloud.settle().await;
    assert_eq!(world.cloud.service(WEU).state(), "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn an_operation_can_take_its_time_or_for_ever() {
    let world = World::new();
    world.cloud.next(Request::Backup, Fault::lasts(Duration::hours(3)));
    let location = world.begin(WEU, "backup", "b").await;
    world.advance(179);
    assert_eq!(world.get(&location).await.status.as_u16(), 202);
    world.advance(1);
    assert_eq!(world.get(&location).await.status.as_u16(), 200);
    world.cloud.next(Request::Backup, Fault::never_ends());
    let location = world.begin(WEU, "backup", "c").await;
    world.cloud.clock().advance(Duration::days(3));
    assert_eq!(world.get(&location).await.status.as_u16(), 202);
    assert_eq!(back_up(&world).await.error(), (409, "ServiceLocked"));
    world.cloud.service(WEU).free();
    assert_eq!(world.get(&location).await.error(), (400, "BackupFailed"));
    assert_eq!(world.cloud.service(WEU).state(), "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn an_operation_can_fail_at_the_poll() {
    let world = World::new();
    world.cloud.next(Request::Backup, Fault::fails("BackupFailed", "disk full"));
    let location = world.begin(WEU, "backup", "b").await;
    world.advance(11);
    let failed = world.get(&location).await;
    assert_eq!((failed.error(), failed.message()), ((400, "BackupFailed"), "disk full"));
    assert!(failed.body["error"]["details"].is_null() && failed.body["error"]["innerError"].is_null());
    assert!(world.storage().list("apim-backups", "").await.is_err(), "nothing was written");
    let expected = Outcome::Failed { code: "BackupFailed".to_owned(), message: "disk full".to_owned() };
    assert_eq!(world.cloud.journal().operations()[0].outcome, expected);
}

#[tokio::test(start_paused = true)]
async fn a_restore_can_break_off_in_the_middle() {
    let world = World::new();
    world.back_up("b").await;
    world.cloud.next(Request::Restore, Fault::fails("RestoreFailed", "broken off").half_done());
    let location = world.begin(NEU, "restore", "b").await;
    world.advance(19);
    assert_eq!(world.get(&location).await.error(), (400, "RestoreFailed"));
    assert_eq!(world.cloud.service(NEU).state(), "Failed");
    let comparison = world.cloud.differences(WEU, NEU);
    let alike = comparison.counts.values().map(|count| count.alike).sum::<usize>();
    assert!(!comparison.is_alike() && alike > 20, "{comparison}");
    let again = world.begin(NEU, "restore", "b").await;
    world.advance(19);
    assert_eq!(world.get(&again).await.status.as_u16(), 200);
    assert_eq!(world.cloud.service(NEU).state(), "Succeeded");
    assert!(world.cloud.differences(WEU, NEU).is_alike());
}

#[tokio::test(start_paused = true)]
async fn a_blob_can_be_missing_empty_or_early() {
    let world = World::new();
    let length = async |world: &World| {
        let blob = world.storage().head("apim-backups", "b").await.unwrap_or_default();
        blob.map(|blob| blob.length)
    };
    let run = async |fault: Fault, minutes: i64| {
        world.cloud.next(Request::Backup, fault);
        let location = world.begin(WEU, "backup", "b").await;
        world.advance(minutes);
        world.get(&location).await.status.as_u16()
    };
    assert_eq!((run(Fault::blob_missing(), 11).await, length(&world).await), (200, None));
    assert_eq!((run(Fault::blob_empty(), 11).await, length(&world).await), (200, Some(0)));
    assert_eq!(run(Fault::blob_early(Duration::minutes(4)), 6).await, 202);
    assert_eq!(length(&world).await, Some(0));
    world.advance(1);
    world.cloud.settle().await;
    assert!(length(&world).await > Some(1_000), "written while the operation still runs");
    assert_eq!(world.cloud.service(WEU).state(), "Updating");
}

#[tokio::test(start_paused = true)]
async fn durations_can_be_set_for_all() {
    let world = World::new();
    world.cloud.set_durations(Duration::seconds(30), Duration::seconds(40));
    let location = world.begin(WEU, "backup", "b").await;
    world.advance(1);
    assert_eq!(world.get(&location).await.status.as_u16(), 200);
}

#[tokio::test(start_paused = true)]
async fn standing_faults_end_when_cleared() {
    let world = World::new();
    world.cloud.next(Request::Service, Fault::status(503).forever());
    for _ in 0..3 {
        assert_eq!(world.read(WEU, "").await.status.as_u16(), 503);
    }
    world.cloud.clear_faults();
    assert_eq!(world.read(WEU, "").await.status.as_u16(), 200);
}
