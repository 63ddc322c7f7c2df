//! The crawl: reads what a service holds, unit by unit in the fixed order, as far as it gets.
//!
//! Several units are being read at a time, and handed on in their order. Held at once are the entities of one stretch,
//! the first pages of a few lists, and the names of APIs, products and policies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{FutureExt as _, StreamExt as _, stream};
use serde_json::Value;
use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;

use super::content::{Content, Outcome, Walk};
use crate::clock::InvocationClock;
use crate::domain::inventory::lists::{ALL_POLICIES, APIS, POLICIES, POLICY, PRODUCTS, TOP, is_carried};
use crate::domain::inventory::{Depth, Entity, Folding, Place, Rank, Unit, Unread, digest_of};
use crate::domain::observation::StretchEnd;

/// Units that are read at a time. ARM answers within 0.3 s or so, and lets 25 reads a second pass.
const AT_ONCE: usize = 12;

/// After so much reading, in time or in bytes of entities, a stretch ends, so that what was read is saved.
const LONGEST_STRETCH: std::time::Duration = std::time::Duration::from_secs(20);
const LARGEST_STRETCH: usize = 1 << 20;

/// The largest top-level list that is compared. Its names and digests are held at once, some 20 MB.
const LARGEST_LIST: usize = 200_000;

/// The largest list below an API or a product that is compared; several are held at once.
const LARGEST_PART: usize = 10_000;

/// Azure's own names end at 256 characters.
const LONGEST_NAME: usize = 1_024;

/// What one stretch of a crawl has read.
#[derive(Debug)]
pub(super) struct Stretch {
    /// In the fixed order.
    pub(super) entities: Vec<Entity>,
    pub(super) unread: Vec<Unread>,
    /// How far the crawl has come with it.
    pub(super) place: Place,
    pub(super) end: StretchEnd,
}

/// A crawl of one service.
pub(super) struct Crawl<'a> {
    pub(super) content: Content<'a>,
    pub(super) depth: Depth,
    pub(super) folding: &'a Folding,
    pub(super) memo: &'a Memo,
}

/// What a drive remembers between two stretches of one crawl: the names by which the crawl goes on.
#[derive(Debug, Default)]
pub struct Memo(Mutex<Option<Arc<Names>>>);

/// The APIs and products of a service and the policies that belong to them, as they were listed.
#[derive(Debug, Default)]
struct Names {
    units: Vec<Owner>,
    unread: Vec<Unread>,
}

/// An API or a product with the policies that exist below it.
#[derive(Clone, Debug)]
struct Owner {
    unit: Unit,
    /// It stands in its list. Otherwise it is another revision of an API, of which the policies alone are read.
    listed: bool,
    policies: Vec<PolicyOf>,
}

/// A policy, by what it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum PolicyOf {
    Owner,
    Operation(String),
}

/// A unit as it was read.
#[derive(Debug)]
struct ReadUnit {
    unit: Unit,
    entities: Vec<Entity>,
    unread: Vec<Unread>,
}

/// How much more a stretch may take.
struct Budget<'a> {
    clock: &'a InvocationClock,
    began: Instant,
    bytes: AtomicUsize,
}

impl Budget<'_> {
    /// Whether one more unit may be begun. Those that were begun are finished: what was read is not thrown away.
    fn allows(&self) -> bool {
        self.clock.allows_crawl()
            && self.began.elapsed() < LONGEST_STRETCH
            && self.bytes.load(Ordering::Relaxed) < LARGEST_STRETCH
    }

    fn spend(&self, entities: &[Entity]) {
        let bytes = entities.iter().map(|entity| entity.line().len()).sum();
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Whose turn it is of those that are read at a time. Everybody is woken in the order in which they came to wait, so that
/// a simulation can be repeated.
#[derive(Default)]
struct Turn {
    done: AtomicUsize,
    passed_on: Notify,
}

impl Turn {
    fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }

    fn pass_on(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.passed_on.notify_waiters();
    }

    /// One task polls whoever waits and whoever passes the turn on, so nobody misses it between the look and the wait.
    async fn comes_to(&self, number: usize) {
        while self.done() != number {
            self.passed_on.notified().await;
        }
    }
}

impl Crawl<'_> {
    /// Reads on from `place`, for one stretch.
    pub(super) async fn stretch(&self, place: &Place) -> Stretch {
        let budget = Budget { clock: self.content.clock, began: Instant::now(), bytes: AtomicUsize::new(0) };
        let (entities, unread) = (Vec::new(), Vec::new());
        let mut stretch = Stretch { entities, unread, place: place.clone(), end: StretchEnd::Full };
        let end = self.go_on(&budget, &mut stretch).await;
        let late = stretch.place != Place::End && !self.content.clock.allows_crawl();
        stretch.end = end.err().unwrap_or(if late { StretchEnd::Late } else { StretchEnd::Full });
        stretch
    }

    async fn go_on(&self, budget: &Budget<'_>, stretch: &mut Stretch) -> Result<(), StretchEnd> {
        if !self.read_lists(budget, stretch).await? {
            return Ok(());
        }
        if self.depth == Depth::Deep && !self.read_below(budget, stretch).await? {
            return Ok(());
        }
        stretch.place = Place::End;
        Ok(())
    }

    /// Reads the top-level lists. True: to the last of them.
    async fn read_lists(&self, budget: &Budget<'_>, stretch: &mut Stretch) -> Result<bool, StretchEnd> {
        let lists = TOP.iter().map(|list| (*list).to_owned());
        let is_past = |list: &String| stretch.place.is_past(&Unit::List(list.clone()));
        let left: Vec<String> = lists.filter(|list| !is_past(list)).collect();
        let (count, turn) = (left.len(), Turn::default());
        let begun = left.into_iter().enumerate().take_while(|_| budget.allows());
        let reading = begun.map(|(number, list)| self.read_list(list, (number, &turn)).boxed());
        let mut read = stream::iter(reading).buffered(AT_ONCE);
        while let Some(unit) = read.next().await {
            add(budget, stretch, unit?);
            turn.pass_on();
        }
        Ok(turn.done() == count)
    }

    /// Reads a list: its first page beside others, what follows when those before it are done, so that one list alone
    /// is held as a whole.
    async fn read_list(&self, list: String, (number, turn): (usize, &Turn)) -> Result<ReadUnit, StretchEnd> {
        let (entities, unread) = (Vec::new(), Vec::new());
        let mut read = ReadUnit { unit: Unit::List(list.clone()), entities, unread };
        // The one policy at the top is fetched like all others, as it was written.
        if list == POLICIES {
            self.read_policy(&[], &mut read).await?;
            return Ok(read);
        }
        let mut walk = Walk::of(&[&list], LARGEST_LIST);
        self.content.step(&mut walk, &self.take(&[&list])).await?;
        // Whoever waits here is never waited for: the stream goes on polling all that it holds.
        turn.comes_to(number).await;
        walk.goes_on();
        let (entities, outcome) = self.content.finish(walk, &self.take(&[&list])).await?;
        match outcome {
            Outcome::Whole => read.entities = entities,
            Outcome::Gone => return Err(StretchEnd::GivenUp(format!("there is no list {list}"))),
            Outcome::Unread { why, .. } if list == APIS || list == PRODUCTS => {
                return Err(StretchEnd::GivenUp(format!("the list {list} cannot be read: {why}")));
            }
            Outcome::Unread { why, not_in_tier } => {
                read.unread.push(Unread { list, why, not_in_tier });
            }
        }
        Ok(read.sorted())
    }

    /// Reads what belongs to APIs and products. True: to the last of them.
    async fn read_below(&self, budget: &Budget<'_>, stretch: &mut Stretch) -> Result<bool, StretchEnd> {
        let names = self.names().await?;
        add_unread(stretch, names.unread.clone());
        let left: Vec<_> =
            names.units.iter().filter(|owner| !stretch.place.is_past(&owner.unit)).cloned().collect();
        let count = left.len();
        let begun =
            left.into_iter().take_while(|_| budget.allows()).map(|owner| self.read_owner(owner).boxed());
        let mut begun = stream::iter(begun).buffered(AT_ONCE);
        let mut done = 0;
        while let Some(unit) = begun.next().await {
            add(budget, stretch, unit?);
            done += 1;
        }
        Ok(done == count)
    }

    async fn read_owner(&self, owner: Owner) -> Result<ReadUnit, StretchEnd> {
        let (collection, name, lists): (_, _, &[&str]) = match &owner.unit {
            Unit::Product(name) => (PRODUCTS, name.clone(), &["apiLinks"]),
            Unit::Api(name) | Unit::List(name) => (APIS, name.clone(), &["operations", "schemas"]),
        };
        let mut read = ReadUnit { unit: owner.unit, entities: Vec::new(), unread: Vec::new() };
        for list in lists.iter().filter(|_| owner.listed) {
            self.read_part(&[collection, &name, list], &mut read).await?;
        }
        for policy in &owner.policies {
            match policy {
                PolicyOf::Owner => self.read_policy(&[collection, &name], &mut read).await?,
                PolicyOf::Operation(operation) => {
                    let operation = read.spelling_of(&name, operation);
                    self.read_policy(&[collection, &name, "operations", &operation], &mut read).await?;
                }
            }
        }
        Ok(read.sorted())
    }

    async fn read_part(&self, list: &[&str], read: &mut ReadUnit) -> Result<(), StretchEnd> {
        let walk = Walk::of(list, LARGEST_PART);
        let (entities, outcome) = self.content.finish(walk, &self.take(list)).await?;
        match outcome {
            Outcome::Whole => read.entities.extend(entities),
            // Its owner was deleted since it was listed.
            Outcome::Gone => {}
            Outcome::Unread { why, not_in_tier } => {
                read.unread.push(Unread { list: list.join("/"), why, not_in_tier });
            }
        }
        Ok(())
    }

    /// Reads the policy of `owner` as it was written.
    async fn read_policy(&self, owner: &[&str], read: &mut ReadUnit) -> Result<(), StretchEnd> {
        let segments: Vec<_> = owner.iter().copied().chain([POLICIES, POLICY]).collect();
        let mut url = self.content.url(&segments);
        url.query_pairs_mut().append_pair("format", "rawxml");
        let path = segments.join("/");
        match self.content.entity(url).await? {
            (Some(policy), _) => {
                let digest = digest_of(&path, &policy, self.folding);
                read.entities.push(Entity { path, digest });
            }
            (None, Outcome::Unread { why, not_in_tier }) => {
                read.unread.push(Unread { list: path, why, not_in_tier });
            }
            (None, _) => {}
        }
        Ok(())
    }

    /// Makes an entity of an entry of `list`.
    fn take(&self, list: &[&str]) -> impl Fn(Value) -> Option<Entity> + Sync + use<'_> {
        let (list, folding) = (list.join("/"), self.folding);
        move |entry| {
            let path = format!("{list}/{}", name_of(&entry)?);
            let digest = digest_of(&path, &entry, folding);
            Some(Entity { path, digest })
        }
    }

    /// The names by which the crawl goes on, listed once in a drive.
    async fn names(&self) -> Result<Arc<Names>, StretchEnd> {
        let mut memo = self.memo.0.lock().await;
        if let Some(names) = &*memo {
            return Ok(names.clone());
        }
        let (apis, products, policies) =
            tokio::join!(self.list_names(APIS), self.list_names(PRODUCTS), self.list_policies());
        let (policies, unread) = policies?;
        let names = Arc::new(Names { units: owners(apis?, products?, policies), unread });
        *memo = Some(names.clone());
        Ok(names)
    }

    async fn list_names(&self, list: &'static str) -> Result<Vec<String>, StretchEnd> {
        let take = |entry: Value| name_of(&entry).map(str::to_owned);
        match self.content.finish(Walk::of(&[list], LARGEST_LIST), &take).await? {
            (names, Outcome::Whole) => Ok(names),
            (_, Outcome::Gone) => Err(StretchEnd::GivenUp(format!("there is no list {list}"))),
            (_, Outcome::Unread { why, .. }) => {
                Err(StretchEnd::GivenUp(format!("the list {list} cannot be read: {why}")))
            }
        }
    }

    async fn list_policies(&self) -> Result<(Vec<(Unit, PolicyOf)>, Vec<Unread>), StretchEnd> {
        let take = |entry: Value| Some(policy_of(&entry));
        let (policies, outcome) = self.content.finish(Walk::of(&[ALL_POLICIES], LARGEST_LIST), &take).await?;
        let (why, not_in_tier) = match outcome {
            Outcome::Whole => return Ok((policies.into_iter().flatten().collect(), Vec::new())),
            Outcome::Gone => ("Azure does not list the policies of this service".to_owned(), false),
            Outcome::Unread { why, not_in_tier } => (why, not_in_tier),
        };
        Ok((Vec::new(), vec![Unread { list: ALL_POLICIES.to_owned(), why, not_in_tier }]))
    }
}

impl ReadUnit {
    /// In the fixed order, each entity once: while pages are being read an entry may move to the next one.
    fn sorted(mut self) -> Self {
        self.entities.retain(|entity| is_carried(&entity.path));
        self.entities.sort_by_cached_key(|entity| Rank::of(&entity.path));
        self.entities.dedup_by_key(|entity| Rank::of(&entity.path));
        self
    }

    /// An operation's name as its list spells it.
    fn spelling_of(&self, api: &str, operation: &str) -> String {
        let wanted = format!("{APIS}/{api}/operations/{operation}").to_lowercase();
        let listed = self.entities.iter().find(|entity| entity.path.to_lowercase() == wanted);
        let name = listed.and_then(|entity| entity.path.rsplit('/').next());
        name.unwrap_or(operation).to_owned()
    }
}

fn add(budget: &Budget<'_>, stretch: &mut Stretch, read: ReadUnit) {
    budget.spend(&read.entities);
    stretch.entities.extend(read.entities);
    add_unread(stretch, read.unread);
    stretch.place = Place::After(read.unit);
}

fn add_unread(stretch: &mut Stretch, unread: Vec<Unread>) {
    for unread in unread {
        if !stretch.unread.iter().any(|known| known.list == unread.list) {
            stretch.unread.push(unread);
        }
    }
}

/// The name of an entry, as Azure spells it. One that cannot be part of a path is none, nor is one that no record
/// should have to hold.
fn name_of(entry: &Value) -> Option<&str> {
    let name = entry["name"].as_str().or_else(|| entry["id"].as_str()?.rsplit('/').next())?;
    (!name.is_empty() && name.len() <= LONGEST_NAME && !name.contains('/')).then_some(name)
}

/// What a policy belongs to, by the id that it is listed with; `None` for those that an inventory does not cover, or
/// covers elsewhere.
fn policy_of(entry: &Value) -> Option<(Unit, PolicyOf)> {
    let reference = entry["properties"]["referencePolicyId"].as_str().or_else(|| entry["id"].as_str())?;
    let segments: Vec<_> = reference.trim_start_matches('/').split('/').collect();
    let below = match segments.iter().position(|segment| segment.eq_ignore_ascii_case("service")) {
        Some(service) => segments.get(service + 2..)?,
        None => &segments[..],
    };
    let is =
        |index: usize, word: &str| below.get(index).is_some_and(|segment| segment.eq_ignore_ascii_case(word));
    let owner = below.get(1).map(|name| (*name).to_owned());
    match below.len() {
        4 if is(0, APIS) && is(2, POLICIES) => Some((Unit::Api(owner?), PolicyOf::Owner)),
        4 if is(0, PRODUCTS) && is(2, POLICIES) => Some((Unit::Product(owner?), PolicyOf::Owner)),
        6 if is(0, APIS) && is(2, "operations") && is(4, POLICIES) => {
            Some((Unit::Api(owner?), PolicyOf::Operation(below[3].to_owned())))
        }
        _ => None,
    }
}

/// APIs and products in the fixed order, each with its policies, spelt as the lists spell them.
fn owners(apis: Vec<String>, products: Vec<String>, policies: Vec<(Unit, PolicyOf)>) -> Vec<Owner> {
    let mut by_owner: BTreeMap<Unit, Vec<PolicyOf>> = BTreeMap::new();
    for (owner, policy) in policies {
        let known = by_owner.entry(owner).or_default();
        if !known.contains(&policy) {
            known.push(policy);
        }
    }
    let listed: BTreeSet<_> =
        apis.into_iter().map(Unit::Api).chain(products.into_iter().map(Unit::Product)).collect();
    let mut owners: Vec<_> = listed
        .into_iter()
        .map(|unit| {
            let policies = by_owner.remove(&unit).unwrap_or_default();
            Owner { unit, listed: true, policies }
        })
        .collect();
    owners.extend(by_owner.into_iter().map(|(unit, policies)| Owner { unit, listed: false, policies }));
    owners.sort_by_cached_key(|owner| owner.unit.clone());
    owners
}
