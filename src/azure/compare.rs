//! A comparison, stretch by stretch: the target is read, and merged with pieces of the backup's inventories.

use super::blob::Place as BlobPlace;
use super::content::Content;
use super::crawl::{Crawl, Stretch};
use super::facts::Reality;
use super::inventory::Reading;
use super::{Azure, Scene, StorageTrouble};
use crate::domain::inventory::compare::{Blind, Comparison, Need, Streams, Window, merge};
use crate::domain::inventory::{Depth, Folding, Head, Place, Rank, Unit, Unread};
use crate::domain::observation::{Compare, ComparedStretch, StretchEnd};
use crate::domain::record::{Baseline, InventoryPlace, OpenInventory, Record, path_of};
use crate::domain::standby;
use crate::domain::unprotected::{self, Facts, Unprotected};

/// What is at hand of the inventories that a target is compared with.
struct Inventories {
    depth: Depth,
    before: Option<(Head, OpenInventory)>,
    after: Option<(Head, OpenInventory)>,
    /// Why there is none before the backup.
    absent: Option<String>,
}

impl Azure {
    /// Reads the target for one stretch, and compares that.
    pub(super) async fn compare(&self, scene: &Scene<'_>, compare: &Compare) -> ComparedStretch {
        let comparing = &compare.comparing;
        let mut compared = ComparedStretch {
            place: comparing.progress.place.clone(),
            baseline: comparing.baseline.clone(),
            found: comparing.found.clone(),
            lists: comparing.lists.clone(),
            lists_hidden: comparing.lists_hidden,
            unread: Vec::new(),
            unprotected: None,
            end: StretchEnd::Full,
        };
        if let Err(trouble) = self.compare_on(scene, compare, &mut compared).await {
            compared.end = StretchEnd::Interrupted(trouble.to_string());
        }
        compared
    }

    /// After trouble everything stands as it was before.
    async fn compare_on(
        &self,
        scene: &Scene<'_>,
        compare: &Compare,
        compared: &mut ComparedStretch,
    ) -> Result<(), StorageTrouble> {
        if compare.comparing.baseline == Baseline::Unopened
            && let Some(source) = self.source_of(compare).await?
            && standby::takes_after(&source, &compare.against.backup, scene.clock.now())
        {
            compared.end = StretchEnd::Interrupted(format!(
                "the inventory after {} is not finished yet: it tells apart what changed meanwhile",
                compare.against.backup
            ));
            return Ok(());
        }
        let inventories = self.inventories(compare).await?;
        let folding = self.folding(inventories.before.as_ref().map(|(head, _)| head));
        let content = self.content(scene);
        let reality = Reality { content: &content, folding: &folding };
        if !scene.clock.allows_crawl() {
            compared.end = StretchEnd::Late;
            return Ok(());
        }
        if compared.place == Place::End {
            compared.baseline = inventories.baseline();
            let service = reality.service().await;
            compared.unprotected = Some(unprotected(&inventories, reality.facts(&service).await));
            return Ok(());
        }
        let crawl = Crawl {
            content: self.content(scene),
            depth: inventories.depth,
            folding: &folding,
            memo: scene.memo,
        };
        let stretch = crawl.stretch(&compared.place).await;
        let mut lists = compared.lists.clone();
        let is_listed = |path: &str| matches!(Rank::of(path).as_ref().map(Rank::unit), Some(Unit::List(_)));
        stretch
            .entities
            .iter()
            .filter(|entity| is_listed(&entity.path))
            .for_each(|entity| lists.take(entity));
        let lists_hidden = compared.lists_hidden || stretch.unread.iter().any(Unread::hides_list);
        let (place, mut unread, end) = (stretch.place.clone(), stretch.unread.clone(), stretch.end.clone());
        if let Some((head, _)) = &inventories.before {
            unread.extend(head.unread.iter().cloned());
        }
        let mut found = compared.found.clone();
        let hidden: Vec<_> =
            compare.comparing.progress.unread.iter().chain(&stretch.unread).cloned().collect();
        let baseline = self.merge(compare, &inventories, (stretch, &hidden), &mut found).await?;
        *compared =
            ComparedStretch { place, baseline, found, lists, lists_hidden, unread, unprotected: None, end };
        Ok(())
    }

    async fn inventories(&self, compare: &Compare) -> Result<Inventories, StorageTrouble> {
        let absent =
            |why: String| Inventories { depth: Depth::Lists, before: None, after: None, absent: Some(why) };
        let Some(at) = &compare.against.inventory else {
            return Ok(absent("the backup has no inventory to compare with".to_owned()));
        };
        match &compare.comparing.baseline {
            Baseline::Absent { why } => Ok(absent(why.clone())),
            Baseline::Unopened => {
                self.open_both(compare, at).await.map(|opened| opened.unwrap_or_else(absent))
            }
            Baseline::Open { before, after, .. } => {
                let before = match self.read_head(at, before).await? {
                    Ok(before) => before,
                    Err(why) => return Ok(absent(why)),
                };
                let after = match after {
                    Some(after) => self.read_head(at, after).await?.ok(),
                    None => None,
                };
                Ok(Inventories { depth: before.0.depth, before: Some(before), after, absent: None })
            }
        }
    }

    async fn read_head(
        &self,
        at: &InventoryPlace,
        open: &OpenInventory,
    ) -> Result<Result<(Head, OpenInventory), String>, StorageTrouble> {
        let place = BlobPlace { container: &at.container, blob: &open.blob };
        let head = match self.store.head_of(place, open).await {
            Err(trouble) if trouble.is_conflict() || trouble.is_missing() => {
                return Ok(Err("the backup's inventory was changed while it was compared with".to_owned()));
            }
            head => head?,
        };
        Ok(head.map(|(head, _)| (head, open.clone())))
    }

    /// Opens the backup's inventory, and the one after it if there is one that can be used beside it.
    async fn open_both(
        &self,
        compare: &Compare,
        at: &InventoryPlace,
    ) -> Result<Result<Inventories, String>, StorageTrouble> {
        let backup = &compare.against.backup;
        let before = match self.store.open(at, backup).await? {
            Ok(before) => before,
            Err(why) => return Ok(Err(why)),
        };
        let after = match self.after(compare, at).await? {
            Some(at) => self.store.open(&at, backup).await?.ok(),
            None => None,
        };
        let after = after.filter(|(head, _)| head.depth == before.0.depth);
        Ok(Ok(Inventories { depth: before.0.depth, before: Some(before), after, absent: None }))
    }

    /// Where the inventory after the backup lies, by the record of the service that was backed up.
    async fn after(
        &self,
        compare: &Compare,
        at: &InventoryPlace,
    ) -> Result<Option<InventoryPlace>, StorageTrouble> {
        let backups = self.source_of(compare).await?.map(|record| record.backups).unwrap_or_default();
        let known = backups.into_iter().find(|known| known.name == compare.against.backup);
        let inventory = known.and_then(|known| known.after);
        Ok(inventory.map(|inventory| InventoryPlace { container: at.container.clone(), inventory }))
    }

    /// The record of the service that was backed up, if there is one that can be read.
    async fn source_of(&self, compare: &Compare) -> Result<Option<Record>, StorageTrouble> {
        let stored = self.store.load(&path_of(compare.against.backup.service())).await?;
        Ok(stored.document.and_then(|(bytes, _)| Record::parse(&bytes).ok()))
    }

    /// Merges a stretch with the pieces of the inventories that belong to it.
    async fn merge<'a>(
        &'a self,
        compare: &'a Compare,
        inventories: &'a Inventories,
        (stretch, unread): (Stretch, &[Unread]),
        found: &mut Comparison,
    ) -> Result<Baseline, StorageTrouble> {
        let (Some((head, before)), Some(at)) = (&inventories.before, &compare.against.inventory) else {
            return Ok(inventories.baseline());
        };
        let after = inventories.after.as_ref();
        let reading = |open: &'a OpenInventory| {
            Reading::of(&self.store, BlobPlace { container: &at.container, blob: &open.blob }, open.clone())
        };
        let (mut reading_before, mut reading_after) = (reading(before), after.map(|(_, open)| reading(open)));
        let blind = Blind {
            before: &head.unread,
            after: after.map_or(&[], |(head, _)| &head.unread),
            target: unread,
        };
        let mut streams = match Window::whole(stretch.entities) {
            Ok(target) => {
                Streams { target, before: Window::unread(), after: after.map(|_| Window::unread()) }
            }
            Err(why) => return Ok(Baseline::Absent { why }),
        };
        loop {
            let filled = match (merge(found, &mut streams, &stretch.place, blind), &mut streams.after) {
                (Need::Nothing, _) => break,
                (Need::Before, _) => reading_before.fill(&mut streams.before).await?,
                (Need::After, after) => match (&mut reading_after, after) {
                    (Some(reading), Some(window)) => reading.fill(window).await?,
                    _ => break,
                },
            };
            if let Err(why) = filled {
                return Ok(Baseline::Absent {
                    why: format!("the backup's inventory cannot be compared with: {why}"),
                });
            }
        }
        let left = streams.after.as_ref().map_or(0, Window::len);
        Ok(Baseline::Open {
            depth: head.depth,
            before: reading_before.rest(streams.before.len()),
            after: reading_after.map(|reading| reading.rest(left)),
        })
    }

    /// What is read of the service that an action is about.
    pub(super) fn content<'a>(&'a self, scene: &Scene<'a>) -> Content<'a> {
        Content { arm: &self.arm, service: scene.service, api_version: &self.api_version, clock: scene.clock }
    }

    /// The services whose ids are folded: those of the deployment, and the one that was backed up.
    pub(super) fn folding(&self, head: Option<&Head>) -> Folding {
        Folding::of(self.services.iter().chain(head.map(|head| &head.service)))
    }
}

impl Inventories {
    fn baseline(&self) -> Baseline {
        match (&self.before, &self.absent) {
            (Some((head, before)), _) => Baseline::Open {
                depth: head.depth,
                before: before.clone(),
                after: self.after.as_ref().map(|(_, after)| after.clone()),
            },
            (None, why) => Baseline::Absent { why: why.clone().unwrap_or_default() },
        }
    }
}

fn unprotected(inventories: &Inventories, target: Facts) -> Unprotected {
    match &inventories.before {
        Some((head, _)) => Unprotected {
            topics: unprotected::compare(&head.facts, &target),
            ties: unprotected::binding(&head.ties, &target),
        },
        None => Unprotected { topics: unprotected::compare(&Facts::default(), &target), ties: Vec::new() },
    }
}
