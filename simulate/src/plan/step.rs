//! What people, the Functions host and Azure do in a world, and when.

use time::Duration;

use super::{Live, Outage, Realm, SERVICES, Setup};
use crate::draws::Draws;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Its address among the draws, and its name in a transcript.
    pub(crate) number: u32,
    /// When, counted from the beginning.
    pub(crate) at: Duration,
    /// The instance that the host calls, where it calls one.
    pub(crate) instance: usize,
    pub(crate) what: What,
}

/// What happens. Services are numbers in [`SERVICES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Tick,
    BackupByHand,
    ResumeByHand,
    RestoreByHand(Choice),
    /// An event of a blob that has had its own already, or is nobody's.
    Event(Choice),
    /// The host sends what cannot be parsed.
    Nonsense(u64),
    Stranger(Stranger),
    /// A stranger holds a lease on a blob for so many minutes.
    Lease(Choice, i64),
    /// Somebody spoils a record, and puts it back after so many minutes.
    Spoil(usize, Spoilt, i64),
    Edit(usize),
    /// For so many minutes nobody can tell who serves, and half-way somebody changes something on the service.
    EditUnwatched(usize, i64),
    /// The service loses most of what it held.
    Hollow(usize),
    /// Somebody else's change keeps the service for so many minutes.
    Block(usize, Blocked, i64),
    /// The service is moved to another tier for so many minutes.
    Tier(usize, i64),
    /// Azure forgets how the service's operations ended.
    Forget(usize),
    /// Azure's support ends an operation that never would.
    Free(usize),
    Settings(Change),
    /// An operation has ended that nobody has seen to end: for a while nobody can, nor tell who serves, and somebody changes
    /// something on the service; or Azure forgets how, and somebody else's change comes between two looks.
    Unseen,
    /// The first secondary becomes the primary, and somebody says `resume`, if nobody knows what it holds.
    Hasty,
    /// The host ends an instance's process.
    Kill,
    /// Every token issued so far becomes invalid.
    Revoke,
    /// For so long there is no answer.
    Outage(Outage, Duration),
    /// So many minutes in which polls and looks are forbidden.
    Deny(usize, i64),
    /// So many minutes in which nothing of what a service holds may be read.
    DenyContent(usize, i64),
    /// Users are led elsewhere for so many minutes.
    Route(Route, i64),
    /// Somebody uses the command line.
    Line(Line),
}

/// What leads users elsewhere, or leaves it open where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    GatewayDown(usize),
    EndpointOut(usize),
    Checking(usize),
    AlwaysServe(usize),
    /// The endpoint goes before all others.
    First(usize),
    ByPerformance,
    ProfileOff,
    Nested,
    /// The endpoint shares the first place with another.
    Beside(usize),
    NoneOnline,
    /// The endpoint leads to a host of nobody's.
    Astray(usize),
}

/// What somebody says on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Backup(Option<usize>),
    Restore { choice: Choice, into: Option<usize>, even_if_live: bool },
    Withdraw(Option<usize>),
    Resume { even_if_unknown: bool },
    Tick,
}

/// Which blob somebody means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The newest manifest of the primary by the settings.
    Newest,
    /// Any manifest that lies there, by this number.
    Any(u64),
    /// The oldest that lies there.
    Oldest,
    /// The backup itself, of the newest manifest.
    BackupOfNewest,
    /// The blob of the backup that runs now, or would be the next.
    BackupUnderWay,
    /// The record of a service.
    Record(usize),
    /// A manifest's name under which nothing lies.
    Missing,
    /// A blob of a stranger.
    Foreign,
}

/// What a stranger, or an attacker, writes into the backup container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stranger {
    /// A blob that has nothing to do with us.
    Blob,
    /// A manifest that no record names, with a backup beside it; so many days from now by what it says.
    Forged { days: i64 },
    /// The manifest of the backup that runs now.
    ManifestUnderWay,
    /// Other bytes in place of the newest backup.
    Tampered,
    /// Other bytes in place of the newest manifest.
    TamperedManifest,
    /// The newest backup is deleted.
    Deleted,
    /// A blob under the name of the backup that runs now.
    BackupUnderWay,
}

/// How a record is spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoilt {
    /// The first so many thousandths of it.
    Cut(u64),
    /// No JSON any more.
    Flipped(u64),
    /// A version that is not known.
    Newer,
    /// The record of another resource id.
    Foreign,
}

/// In what state somebody else's change leaves a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocked {
    Updating,
    Activating,
    Failed,
}

/// A change of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The next service becomes a secondary.
    Add,
    /// The last secondary is taken out.
    Remove,
    /// Primary and first secondary change places.
    Swap,
    DryRun,
    /// Whether anybody is asked who serves.
    Live(Live),
    Retention(i64),
    /// Whether inventories are deep, or of the lists alone.
    Depth,
}

/// What may happen in a world beside ticks: each is there or not, so that few things meet often.
const FEATURES: [Feature; 25] = [
    |_| What::BackupByHand,
    |_| What::ResumeByHand,
    |draws| What::RestoreByHand(choice(draws)),
    |draws| What::RestoreByHand(draws.pick(&[Choice::Newest, Choice::Oldest])),
    |draws| What::Event(choice(draws)),
    |draws| What::Nonsense(draws.below(u64::MAX)),
    |draws| What::Stranger(stranger(draws)),
    |draws| What::Lease(leased(draws), draws.pick(&[1, 10, 120])),
    |draws| What::Spoil(service(draws), spoilt(draws), draws.pick(&[5, 30, 600])),
    |draws| What::Edit(service(draws)),
    |_| What::Hollow(0),
    |draws| What::Block(service(draws), blocked(draws), draws.pick(&[2, 15, 300])),
    |draws| What::Tier(service(draws), draws.pick(&[5, 60, 1_500])),
    |draws| match draws.chance(500) {
        true => What::Forget(service(draws)),
        false => What::Free(service(draws)),
    },
    |draws| What::Settings(change(draws)),
    |_| What::Kill,
    |_| What::Revoke,
    |draws| What::Outage(outage(draws), Duration::minutes(draws.pick(&[3, 20, 200]))),
    |draws| What::Deny(service(draws), draws.pick(&[20, 200])),
    |draws| What::DenyContent(service(draws), draws.pick(&[10, 60, 400])),
    |draws| What::EditUnwatched(draws.pick(&[1, 1, 2, 3]), draws.pick(&[12, 40, 300])),
    |draws| What::Route(Route::GatewayDown(0), draws.pick(&[4, 30, 300])),
    |draws| What::Route(route(draws), draws.pick(&[2, 20, 200])),
    |draws| What::Line(said(draws)),
    |_| What::ResumeByHand,
];

type Feature = fn(&mut Draws) -> What;

fn service(draws: &mut Draws) -> usize {
    draws.pick(&[0, 0, 1, 1, 2, 3]) % SERVICES.len()
}

fn choice(draws: &mut Draws) -> Choice {
    let any = Choice::Any(draws.below(u64::MAX));
    draws.weighted(&[
        (4, Choice::Newest),
        (2, Choice::Oldest),
        (4, any),
        (1, Choice::BackupOfNewest),
        (1, Choice::Missing),
        (1, Choice::Foreign),
    ])
}

fn leased(draws: &mut Draws) -> Choice {
    let record = Choice::Record(service(draws));
    draws.weighted(&[(3, Choice::BackupUnderWay), (1, Choice::BackupOfNewest), (1, record)])
}

fn stranger(draws: &mut Draws) -> Stranger {
    let forged = Stranger::Forged { days: draws.pick(&[-40, -1, 0, 3]) };
    draws.weighted(&[
        (2, Stranger::Blob),
        (4, forged),
        (2, Stranger::ManifestUnderWay),
        (2, Stranger::Tampered),
        (1, Stranger::TamperedManifest),
        (1, Stranger::Deleted),
        (2, Stranger::BackupUnderWay),
    ])
}

fn spoilt(draws: &mut Draws) -> Spoilt {
    let (cut, flipped) = (Spoilt::Cut(draws.below(1000)), Spoilt::Flipped(draws.below(u64::MAX)));
    draws.pick(&[cut, flipped, Spoilt::Newer, Spoilt::Foreign])
}

fn blocked(draws: &mut Draws) -> Blocked {
    draws.pick(&[Blocked::Updating, Blocked::Updating, Blocked::Activating, Blocked::Failed])
}

fn change(draws: &mut Draws) -> Change {
    let live = Change::Live(draws.pick(&[Live::Off, Live::Unset, Live::Profile]));
    let retention = Change::Retention(draws.pick(&[1, 2, 28]));
    draws.weighted(&[
        (1, Change::Add),
        (1, Change::Remove),
        (1, Change::Swap),
        (2, Change::DryRun),
        (1, live),
        (1, retention),
        (1, Change::Depth),
    ])
}

fn route(draws: &mut Draws) -> Route {
    let of = service(draws);
    draws.pick(&[
        Route::GatewayDown(of),
        Route::EndpointOut(of),
        Route::EndpointOut(0),
        Route::Checking(of),
        Route::AlwaysServe(of),
        Route::First(of),
        Route::ByPerformance,
        Route::ProfileOff,
        Route::Nested,
        Route::Astray(of),
    ])
}

fn said(draws: &mut Draws) -> Line {
    let one = draws.chance(500).then(|| service(draws));
    let restore = Line::Restore { choice: choice(draws), into: one, even_if_live: draws.chance(300) };
    let resume = Line::Resume { even_if_unknown: draws.chance(500) };
    let lines =
        [(2, Line::Backup(one)), (4, restore), (3, Line::Withdraw(one)), (2, resume), (1, Line::Tick)];
    draws.weighted(&lines)
}

fn outage(draws: &mut Draws) -> Outage {
    let one = Outage::Service(service(draws));
    draws.pick(&[Outage::Of(Realm::Arm), Outage::Of(Realm::Storage), Outage::Of(Realm::Tokens), one])
}

/// The steps of a world, in the order of their times.
pub(super) fn drawn(seed: u64, setup: &Setup) -> Vec<Step> {
    let draws = &mut Draws::of(&[seed, 1]);
    let features: Vec<Feature> = FEATURES.into_iter().filter(|_| draws.chance(350)).collect();
    let ticks = tick_times(draws, setup.tick);
    let instances = setup.skews.len();
    let mut drawn: Vec<(Duration, What)> = Vec::new();
    for at in &ticks {
        drawn.push((*at, What::Tick));
        // Instances do not know of each other: some worlds call two at once.
        if draws.chance(30) {
            drawn.push((*at + Duration::milliseconds(draws.between(0, 3_000)), What::Tick));
        }
    }
    let most = draws.pick(&[3, 10, 25]);
    for _ in 0..draws.between(0, if features.is_empty() { 0 } else { most }) {
        let what = draws.pick(&features)(draws);
        // Much of what is worth seeing happens while an invocation is at work.
        let near = ticks[draws.index(ticks.len())];
        let after = if draws.chance(600) {
            Duration::milliseconds(draws.between(0, 4_000))
        } else {
            Duration::seconds(draws.between(0, setup.tick.whole_seconds()))
        };
        drawn.push((near + after, what));
    }
    drawn.extend(returned(&mut Draws::of(&[seed, 7]), (&ticks, setup.tick)));
    drawn.extend(chosen_twice(&mut Draws::of(&[seed, 8]), &ticks));
    drawn.extend(forgotten_failover(&mut Draws::of(&[seed, 9]), (&ticks, setup.tick)));
    drawn.extend(hasty(&mut Draws::of(&[seed, 10]), &ticks));
    drawn.extend(unseen(&mut Draws::of(&[seed, 13]), &ticks));
    drawn.extend(unmeasured(&mut Draws::of(&[seed, 14]), (&ticks, setup.tick)));
    drawn.extend(unreached(&mut Draws::of(&[seed, 6]), &ticks));
    drawn.sort_by_key(|(at, _)| *at);
    let step = |(number, (at, what))| Step { number, at, instance: draws.index(instances), what };
    (1u32..).zip(drawn).map(step).collect()
}

/// In some worlds one record is out of reach again and again while all others can be read, often for less than
/// an invocation takes: nothing may be taken for granted that only that record could have told.
fn unreached(draws: &mut Draws, ticks: &[Duration]) -> Vec<(Duration, What)> {
    let times = if draws.chance(200) { draws.between(1, 12) } else { 0 };
    let mut outage = || {
        let record = Outage::Record(draws.pick(&[0, 0, 0, 1, 2]));
        let before = ticks[draws.index(ticks.len())] - Duration::milliseconds(draws.between(1, 900));
        let seconds = draws.pick(&[2, 5, 10, 20, 60, 1_200]);
        (before, What::Outage(record, Duration::seconds(seconds)))
    };
    (0..times).map(|_| outage()).collect()
}

/// After days in which the app stood still, somebody wants an old backup, right when retention comes to it.
fn returned(draws: &mut Draws, (ticks, every): (&[Duration], Duration)) -> Vec<(Duration, What)> {
    let after_gaps = ticks.windows(2).filter(|pair| pair[1] - pair[0] > every).map(|pair| pair[1]);
    let after_gaps: Vec<_> = after_gaps.filter(|_| draws.chance(500)).collect();
    let story = |at: Duration| {
        let unknown = (at - Duration::milliseconds(600), What::Route(Route::ProfileOff, 60));
        [unknown, (at - Duration::milliseconds(300), What::RestoreByHand(Choice::Oldest))]
    };
    after_gaps.into_iter().flat_map(story).collect()
}

/// An older backup is chosen by hand, and then one that only looks like the newest.
fn chosen_twice(draws: &mut Draws, ticks: &[Duration]) -> Vec<(Duration, What)> {
    if !draws.chance(150) {
        return Vec::new();
    }
    let at = ticks[ticks.len() * 2 / 3 + draws.index(ticks.len() / 4 + 1)];
    let days = draws.pick(&[0, 3]);
    vec![
        (at + Duration::seconds(5), What::RestoreByHand(Choice::Oldest)),
        (at + Duration::seconds(40), What::Stranger(Stranger::Forged { days })),
        (at + Duration::seconds(50), What::RestoreByHand(Choice::Newest)),
    ]
}

/// Users were elsewhere for a while and are back, and then the record that remembers it is out of reach when calls begin,
/// and within reach again when they look.
fn forgotten_failover(draws: &mut Draws, (ticks, every): (&[Duration], Duration)) -> Vec<(Duration, What)> {
    if !draws.chance(150) || ticks.len() < 20 {
        return Vec::new();
    }
    let first = draws.index(ticks.len() / 4);
    let mut story = vec![
        (
            ticks[first] + Duration::seconds(3),
            What::Route(Route::First(1), (2 * every.whole_minutes()).max(3)),
        ),
        (ticks[first + 5] + Duration::seconds(3), What::BackupByHand),
    ];
    for tick in ticks.iter().skip(first + 6) {
        let seconds = draws.pick(&[7, 8, 9, 10]);
        let before = *tick - Duration::milliseconds(draws.between(1, 900));
        story.push((before, What::Outage(Outage::Record(0), Duration::seconds(seconds))));
    }
    story
}

/// Somebody makes a secondary the primary right when nobody knows what it holds, and says `resume`.
fn hasty(draws: &mut Draws, ticks: &[Duration]) -> Vec<(Duration, What)> {
    let worlds = draws.chance(150);
    ticks.iter().filter(|_| worlds).map(|at| (*at - Duration::milliseconds(500), What::Hasty)).collect()
}

/// What a restore has left is changed before anybody sees that it has ended, and while nobody watches.
fn unseen(draws: &mut Draws, ticks: &[Duration]) -> Vec<(Duration, What)> {
    if !draws.chance(150) {
        return Vec::new();
    }
    let before = |at: &Duration| (*at - Duration::milliseconds(400), What::Unseen);
    let asked = ticks.iter().step_by(15).map(|at| (*at + Duration::seconds(9), What::BackupByHand));
    ticks.iter().filter(|_| draws.chance(600)).map(before).chain(asked).collect()
}

/// A backup whose content could not be read is vouched for by hand, and then the app stands still until all that came
/// before it has been kept for long enough.
fn unmeasured(draws: &mut Draws, (ticks, every): (&[Duration], Duration)) -> Vec<(Duration, What)> {
    let gap = ticks.windows(2).position(|pair| pair[1] - pair[0] > every);
    let Some(last) = gap.filter(|last| draws.chance(600) && *last > 3) else { return Vec::new() };
    let half = ticks[last / 2];
    vec![
        (half + Duration::seconds(20), What::DenyContent(0, 20 * every.whole_minutes())),
        (half + Duration::seconds(30), What::BackupByHand),
        (ticks[last] - Duration::seconds(10), What::RestoreByHand(Choice::Newest)),
    ]
}

/// Ticks at the same distance, except where the app stands still for days.
fn tick_times(draws: &mut Draws, every: Duration) -> Vec<Duration> {
    let gap = draws.pick(&[0, 0, 0, 20]);
    let mut at = Duration::seconds(1);
    let mut times = Vec::new();
    for _ in 0..draws.between(10, 80) {
        times.push(at);
        at += every;
        if draws.chance(gap) {
            at += Duration::hours(draws.pick(&[3, 30, 200, 31 * 24]));
        }
    }
    times
}
