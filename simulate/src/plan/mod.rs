//! What is drawn of a world before it begins: how it is made, what the weather is like, and every step that
//! people, the Functions host and Azure take in it. What a single request meets is drawn when it is made.

use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::draws::Draws;

pub(crate) use rhythm::Rhythm;
pub(crate) use step::{Blocked, Change, Choice, Line, Route, Spoilt, Step, Stranger, What};
pub(crate) use weather::{Doing, Kind, Outage, Realm, Weather};

mod rhythm;
mod step;
mod weather;

/// The services of every world: the first is the primary at first, and all exist whether they are named in
/// the settings or not.
pub(crate) const SERVICES: [(&str, &str); 4] = [
    ("contoso-west", "West Europe"),
    ("contoso-north", "North Europe"),
    ("contoso-sweden", "Sweden Central"),
    ("contoso-france", "France Central"),
];

/// How it is found out who serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Live {
    /// `LIVE_CHECK=off`: the primary serves.
    Off,
    /// Neither a profile nor `off`.
    Unset,
    /// By the profile.
    Profile,
}

/// How a world is made.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) start: OffsetDateTime,
    pub(crate) tier: &'static str,
    /// How many secondaries the settings name at first.
    pub(crate) secondaries: usize,
    /// By how many seconds the clock of each instance is off.
    pub(crate) skews: Vec<i64>,
    /// What lies between two ticks.
    pub(crate) tick: Duration,
    pub(crate) rhythm: Rhythm,
    /// Storage is opened by key, not by identity.
    pub(crate) by_key: bool,
    /// API Management is handed the account's key.
    pub(crate) access_key: bool,
    /// Azure refuses a second operation on a service.
    pub(crate) locks: bool,
    /// Who is asked who serves, at first.
    pub(crate) live: Live,
    /// For how many days backups are kept.
    pub(crate) retention: i64,
    /// Inventories are deep at first, not of the lists alone.
    pub(crate) deep: bool,
    /// A service besides the primary that somebody has filled by hand before anything of ours came there.
    pub(crate) handmade: Option<usize>,
    /// Somebody takes alerts.
    pub(crate) alerts: bool,
    /// Endpoints lead to the services' regional hosts.
    pub(crate) regional: bool,
    /// How long tokens live.
    pub(crate) token: Duration,
    /// How long backups and restores take.
    pub(crate) lasts: (Duration, Duration),
    /// The longest that a request takes each way when nothing is wrong, in milliseconds.
    pub(crate) latency: i64,
    pub(crate) weather: Weather,
    /// No event ever comes, as where nobody subscribed to the account's events.
    pub(crate) deaf: bool,
}

/// What somebody lies in wait for, to act at that very moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ambush {
    Nobody,
    /// A claim of a restore was saved: users are led elsewhere before its request leaves.
    Claimed,
    /// A service was looked at for a restore: somebody wishes for something else before it is claimed.
    Looked,
    /// A claim of a restore was saved: somebody else changes the service, or says `resume`, or insists on that backup when
    /// nobody can tell any more who serves.
    Crossed,
    /// Azure has taken a request: the settings change, and others act by them, before its answer is heard.
    Posted,
}

/// A world before it begins.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) setup: Setup,
    pub(crate) ambush: Ambush,
    pub(crate) steps: Vec<Step>,
}

impl Plan {
    /// The plan of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut draws = Draws::of(&[seed, 0]);
        let setup = Setup::drawn(&mut draws);
        let steps = step::drawn(seed, &setup);
        let ambushes = [
            (6, Ambush::Nobody),
            (1, Ambush::Looked),
            (1, Ambush::Crossed),
            (1, Ambush::Claimed),
            (1, Ambush::Posted),
        ];
        let ambush = Draws::of(&[seed, 11]).weighted(&ambushes);
        Self { seed, setup, ambush, steps }
    }
}

impl Setup {
    fn drawn(draws: &mut Draws) -> Self {
        let instances = draws.between(2, 4);
        let skew = draws.pick(&[0, 30, 120, 120]);
        let minutes = draws.pick(&[1, 1, 2, 3, 5, 7, 10, 15]);
        let lasts = (draws.pick(&[1, 2, 5, 11, 25, 90]), draws.pick(&[1, 2, 4, 9, 19, 60]));
        Self {
            start: datetime!(2026-03-02 00:00 UTC) + Duration::seconds(draws.between(0, 40 * 86_400)),
            tier: draws.pick(&["Developer", "Basic", "Standard", "Premium"]),
            secondaries: draws.pick(&[1, 1, 2, 3]),
            skews: (0..instances).map(|_| draws.between(-skew, skew)).collect(),
            tick: Duration::minutes(minutes),
            rhythm: Rhythm::drawn(draws),
            by_key: draws.chance(500),
            access_key: draws.chance(300),
            locks: draws.chance(500),
            live: draws.pick(&[Live::Off, Live::Profile, Live::Profile]),
            retention: draws.pick(&[1, 1, 2, 28]),
            deep: draws.chance(700),
            handmade: draws.pick(&[None, None, None, None, None, Some(1), Some(1), Some(2)]),
            alerts: draws.chance(700),
            regional: draws.chance(300),
            token: Duration::minutes(draws.weighted(&[(1, 4), (3, 20), (3, 60)])),
            lasts: (Duration::minutes(lasts.0), Duration::minutes(lasts.1)),
            latency: draws.pick(&[5, 50, 400, 2_000]),
            weather: Weather::drawn(draws),
            deaf: draws.chance(100),
        }
    }
}
