//! The handler is killed, as the host kills it and as crashes do: at each of its writes, and during each kind
//! of request to Resource Manager. The host starts it again, and nothing is lost, and nothing done twice.

use std::future::ready;
use std::time::Duration;

use apim_dr_sim::clock::Clock;
use apim_dr_sim::journal::OperationKind;
use apim_dr_sim::knobs::{Fault, Request};
use apim_dr_sim::receiver::Receiver;
use apim_dr_sim::serve::{Server, listen, serve};
use futures::{StreamExt as _, stream};
use time::Duration as Span;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::gate::{Act, At, Gate, Order};
use crate::setup::{Blobs, Setup};
use crate::support::azurite::Azurite;
use crate::toll::{Kill, Place, Toll, Tolled};
use crate::world::{NORTH, PRIMARY, START, World, pause};

/// How many worlds are alive at a time: two cores are kept busy, and not more.
const AT_ONCE: usize = 4;

/// Operations that end while a lost claim is still too young to be taken over.
const SHORT: (Span, Span) = (Span::minutes(3), Span::minutes(4));

/// Operations that still run when it is old enough.
const LONG: (Span, Span) = (Span::minutes(12), Span::minutes(19));

/// The write that keeps Azure's answer to the POST of a backup, in the gate's words.
const BACKUP_ANSWER: &str = "contoso-west.json backup running";

/// The same of a restore.
const RESTORE_ANSWER: &str = "contoso-north.json restore running";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_each_write() {
    at_each_write(Act::KillBefore).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_each_write() {
    at_each_write(Act::KillAfter).await;
}

/// By the time that the claim is old enough to be taken over, the service is still `Updating`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_what_was_begun_still_runs() {
    let stories = [BACKUP_ANSWER, RESTORE_ANSWER].into_iter().flat_map(|words| {
        [Act::KillBefore, Act::KillAfter].map(|act| killed_at(At::One(words.to_owned(), 0), act, LONG))
    });
    stream::iter(stories).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn during_each_request_to_resource_manager() {
    let requests = [
        (Request::Identity, 0),
        (Request::Service, 0),
        (Request::Service, 1),
        (Request::Backup, 0),
        (Request::Poll, 0),
        (Request::Poll, 2),
        (Request::Restore, 0),
    ];
    let stories = requests.into_iter().map(|(request, earlier)| killed_during(request, earlier));
    stream::iter(stories).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

async fn at_each_write(act: Act) {
    let places = places_of_a_cycle().await;
    assert!(places.len() > 15, "a cycle has more writes than {places:?}");
    let stories = places.into_iter().map(|at| killed_at(at, act, SHORT));
    stream::iter(stories).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

/// What the handler writes in a cycle in which nothing happens to it.
async fn places_of_a_cycle() -> Vec<At> {
    let (gate, _orders) = Gate::open(None).await;
    let blobs = Blobs::At(gate.account.clone());
    let world = World::of(Setup { blobs, durations: SHORT, ..Setup::default() }).await;
    world.until_held_by(&[NORTH]).await;
    world.assert_one_cycle(&[NORTH]);
    gate.places()
}

async fn killed_at(at: At, act: Act, durations: (Span, Span)) {
    let answer_lost = act == Act::KillBefore && at == At::One(RESTORE_ANSWER.to_owned(), 0);
    let unproven = answer_lost && durations == SHORT;
    let story = format!("{act:?} at {at:?}");
    let (gate, mut orders) = Gate::open(Some((at, act))).await;
    let blobs = Blobs::At(gate.account.clone());
    let world = World::of(Setup { story, blobs, durations, locks: false, ..Setup::default() }).await;
    until_held_while(&world, kill_by_order(&world, &mut orders)).await;
    nothing_is_lost_or_doubled(&world, unproven).await;
    assert_eq!(world.restarts(), 1, "the handler was killed once: {}", world.story);
}

/// The request hangs, and the handler dies before Azure has looked at it. `earlier` ones of its kind pass.
async fn killed_during(request: Request, earlier: u32) {
    let story = format!("killed during {request:?}, after {earlier} others");
    let world = World::of(Setup { story, locks: false, ..Setup::default() }).await;
    if earlier > 0 {
        world.cloud().next(request, Fault::delay(Duration::ZERO).times(earlier));
    }
    world.cloud().next(request, Fault::delay(Duration::from_secs(3600)));
    let kill = async {
        while world.cloud().faults_left() > 0 {
            pause().await;
        }
        assert!(world.host.kill_handler().await);
    };
    until_held_while(&world, kill).await;
    nothing_is_lost_or_doubled(&world, false).await;
    assert_eq!(world.restarts(), 1, "the handler was killed once: {}", world.story);
}

/// The story goes on until the standby holds the backup, however soon `kill` has been at work beside it.
async fn until_held_while(world: &World, kill: impl Future<Output = ()>) {
    let kill_and_no_more = async {
        kill.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = world.until_held_by(&[NORTH]) => {}
        () = kill_and_no_more => {}
    }
}

/// The handler dies when it is ordered, if that ever is.
async fn kill_by_order(world: &World, orders: &mut UnboundedReceiver<Order>) {
    let done = orders.recv().await.unwrap();
    assert!(world.host.kill_handler().await);
    // Whoever ordered it may be gone by now, with the connection.
    let _ = done.send(());
}

/// One accepted backup, one accepted restore, all held. The one exception: when Azure took a restore, the handler died
/// before it could note that, and it was over before anybody saw it run, nothing proves it, and there is a second.
async fn nothing_is_lost_or_doubled(world: &World, unproven: bool) {
    world.minutes(3).await;
    assert!(world.restarts() <= 1, "the handler was killed once: {}", world.story);
    assert_eq!(world.accepted(PRIMARY, OperationKind::Backup).len(), 1, "one backup: {}", world.story);
    let restores = world.accepted(NORTH, OperationKind::Restore).len();
    assert_eq!(restores, if unproven { 2 } else { 1 }, "restores: {}", world.story);
    assert!(world.host.poison().is_empty(), "no event is given up: {}", world.story);
    world.assert_sound();
    world.assert_alike(NORTH);
}

/// Of those that are no writes of storage: tokens, looks, polls, requests, reads, heartbeats.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_and_after_each_kind_of_request() {
    let azurite = Azurite::http();
    let places = asked_in_a_cycle(&azurite).await.into_iter();
    let kinds = places.filter(|(words, earlier)| *earlier == 0 && !words.starts_with("PUT"));
    let kinds = kinds.collect::<Vec<_>>();
    assert!(kinds.len() > 12, "a cycle asks for more than {kinds:?}");
    let (_, missed) = at_each_request(&azurite, kinds).await;
    assert_eq!(missed, Vec::<Missed>::new(), "the handler was killed in each");
}

/// As many as there are in a cycle: for `cargo xtask prove kills`. How often is asked depends on how
/// long it takes until a write is an event, so that the last few of a kind may be missing from a story.
#[cfg(feature = "prove")]
#[expect(clippy::print_stdout, reason = "the number stands in docs/proof.md")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_and_after_each_request() {
    let azurite = Azurite::http();
    let places = asked_in_a_cycle(&azurite).await;
    assert!(places.len() > 70, "a cycle asks more often than {places:?}");
    let (stories, missed) = at_each_request(&azurite, places).await;
    println!("killed in {} of {stories} stories", stories - missed.len());
    assert!(missed.len() * 5 < stories, "of {stories} stories it was not killed in these: {missed:?}");
}

/// A story in which the handler did not come to the place where it was to be killed.
type Missed = (Place, Kill);

/// How many stories were told, and those of them in which the handler was not killed.
async fn at_each_request(azurite: &Azurite, places: Vec<Place>) -> (usize, Vec<Missed>) {
    let killed = |place: Place| {
        [Kill::Before, Kill::After].map(|kill| killed_at_request(azurite, place.clone(), kill))
    };
    let stories = places.into_iter().flat_map(killed).collect::<Vec<_>>();
    let told = stories.len();
    let missed = stream::iter(stories).buffer_unordered(AT_ONCE).filter_map(ready).collect().await;
    (told, missed)
}

/// A world with everything that the handler can be told to ask. What stands beside it lasts as long as it.
async fn world_behind(toll: &Toll, azurite: &Azurite, story: String) -> (World, (Server, Tolled)) {
    let receiver = Receiver::new(Clock::manual(START));
    let takes = serve(listen(0).await.unwrap(), toll.before(receiver.router()), None).unwrap();
    let url = |path: &str| format!("http://127.0.0.1:{}/{path}", takes.port());
    let tolled = toll.before_an_account(azurite).await;
    let blobs = Blobs::At(tolled.account.clone());
    let setup = Setup {
        story,
        blobs,
        durations: SHORT,
        locks: false,
        traffic_manager: true,
        between: Some(toll.between()),
        ..Setup::default()
    };
    let setup = setup.setting("ALERT_WEBHOOK_URL", url("alerts")).setting("HEARTBEAT_URL", url("beat"));
    (World::of(setup).await, (takes, tolled))
}

async fn asked_in_a_cycle(azurite: &Azurite) -> Vec<Place> {
    let (toll, _orders) = Toll::new(None);
    let (world, _beside) = world_behind(&toll, azurite, String::new()).await;
    world.until_held_by(&[NORTH]).await;
    world.assert_one_cycle(&[NORTH]);
    toll.places()
}

/// The story, if the handler did not come to that place.
async fn killed_at_request(azurite: &Azurite, place: Place, kill: Kill) -> Option<Missed> {
    // Azure took the restore, and nobody lives who could note that.
    let unproven = match kill {
        Kill::Before => place == (format!("PUT {RESTORE_ANSWER}"), 0),
        Kill::After => place.0.starts_with("POST restore"),
    };
    let story = format!("killed {kill:?} {place:?}");
    let (toll, mut orders) = Toll::new(Some((place.clone(), kill)));
    let (world, _beside) = world_behind(&toll, azurite, story).await;
    until_held_while(&world, kill_by_order(&world, &mut orders)).await;
    let killed = world.restarts() == 1;
    nothing_is_lost_or_doubled(&world, unproven && killed).await;
    (!killed).then_some((place, kill))
}
