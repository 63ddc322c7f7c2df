//! Taking an inventory: what a stretch of the crawl has read becomes parts in storage, and the parts become a document.

use super::crawl::Crawl;
use super::facts::Reality;
use super::{Azure, Scene};
use crate::domain::inventory::lists::{APIS, PRODUCTS};
use crate::domain::inventory::{Counts, Entity, Head, LAYOUT, VERSION};
use crate::domain::observation::{Joined, StretchEnd, Take, TakenStretch};
use crate::domain::vocabulary::InvocationId;

impl Azure {
    /// Reads the service for one stretch, and stores that.
    pub(super) async fn take(&self, scene: &Scene<'_>, take: &Take) -> TakenStretch {
        let (taking, folding) = (&take.taking, self.folding(None));
        let crawl =
            Crawl { content: self.content(scene), depth: taking.depth, folding: &folding, memo: scene.memo };
        let stretch = crawl.stretch(&taking.progress.place).await;
        let by = taking
            .progress
            .reader
            .as_ref()
            .map_or_else(|| InvocationId::from(""), |reader| reader.by.clone());
        match self.store.write_parts(take, &by, &stretch.entities).await {
            Ok(chunks) => TakenStretch {
                place: stretch.place,
                chunks,
                counts: count(&stretch.entities),
                unread: stretch.unread,
                end: stretch.end,
            },
            Err(why) => TakenStretch {
                place: taking.progress.place.clone(),
                chunks: Vec::new(),
                counts: Counts::default(),
                unread: Vec::new(),
                end: StretchEnd::Interrupted(why),
            },
        }
    }

    pub(super) async fn join(&self, scene: &Scene<'_>, take: &Take) -> Joined {
        if !scene.clock.allows_crawl() {
            return Joined::NoAnswer("there was no time left to put the inventory together".to_owned());
        }
        let (taking, folding, content) = (&take.taking, self.folding(None), self.content(scene));
        let reality = Reality { content: &content, folding: &folding };
        let service = reality.service().await;
        let (facts, ties) = tokio::join!(reality.facts(&service), reality.ties(&service));
        let head = Head {
            version: VERSION,
            layout: LAYOUT,
            service: scene.service.clone(),
            backup: take.inventory.blob.backup.clone(),
            depth: taking.depth,
            taken_at: taking.since,
            counts: taking.counts,
            unread: taking.progress.unread.clone(),
            facts,
            ties,
            writer: env!("CARGO_PKG_VERSION").to_owned(),
        };
        self.store.join(take, &head).await
    }
}

fn count(entities: &[Entity]) -> Counts {
    let in_list = |list: &str| {
        let is_in = |entity: &&Entity| entity.path.rsplit_once('/').is_some_and(|(parent, _)| parent == list);
        entities.iter().filter(is_in).count() as u64
    };
    Counts { apis: in_list(APIS), products: in_list(PRODUCTS), entities: entities.len() as u64 }
}
