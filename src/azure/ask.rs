//! What a restore has to know of its target's content before it overwrites it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::blob::Place as BlobPlace;
use super::content::{Outcome, Walk};
use super::crawl::{Crawl, Memo};
use super::inventory::Reading;
use super::{Azure, Scene};
use crate::domain::inventory::compare::Window;
use crate::domain::inventory::lists::{APIS, PRODUCTS};
use crate::domain::inventory::{Chain, Depth, Place, Unit};
use crate::domain::observation::{Asking, BlobName, ContentLook, Strangers, StretchEnd};
use crate::domain::record::InventoryPlace;

/// A look must not be older than 30 s when it is used; what takes longer than this cannot be seen.
const LONGEST: Duration = Duration::from_secs(25);

/// Strangers that are named.
const NAMED: usize = 5;

impl Azure {
    /// Finds out what a restore asks of its target's content.
    pub(super) async fn ask(
        &self,
        scene: &Scene<'_>,
        (blob, asking): (&BlobName, &Asking),
    ) -> Option<Result<ContentLook, String>> {
        let answer = async {
            match asking {
                Asking::Nothing => None,
                Asking::Strangers(inventory) => {
                    Some(self.strangers(scene, blob, inventory.as_ref()).await.map(ContentLook::Strangers))
                }
                Asking::Lists => Some(self.lists(scene).await.map(ContentLook::Lists)),
                Asking::Both(inventory) => Some(self.both(scene, blob, inventory.as_ref()).await),
            }
        };
        let timed = tokio::time::timeout(LONGEST, answer).await;
        timed.unwrap_or_else(|_| Some(Err(format!("it took longer than {} s", LONGEST.as_secs()))))
    }

    /// The target's APIs and products that the backup's inventory lacks. One that cannot be trusted counts as empty.
    async fn strangers(
        &self,
        scene: &Scene<'_>,
        blob: &BlobName,
        inventory: Option<&InventoryPlace>,
    ) -> Result<Strangers, String> {
        let (apis, products) = tokio::join!(self.names(scene, APIS), self.names(scene, PRODUCTS));
        let mut names = apis?;
        names.extend(products?);
        if let Some(at) = inventory.filter(|_| !names.is_empty()) {
            self.take_known(blob, at, &mut names).await?;
        }
        let count = |list: &str| names.keys().filter(|path| path.starts_with(&format!("{list}/"))).count();
        let (apis, products) = (count(APIS), count(PRODUCTS));
        Ok(Strangers { apis, products, some: names.into_values().take(NAMED).collect() })
    }

    async fn both(
        &self,
        scene: &Scene<'_>,
        blob: &BlobName,
        inventory: Option<&InventoryPlace>,
    ) -> Result<ContentLook, String> {
        let (strangers, lists) = tokio::join!(self.strangers(scene, blob, inventory), self.lists(scene));
        Ok(ContentLook::Both(strangers?, lists?))
    }

    /// What stands in a list of the target, by lower-case path.
    async fn names(&self, scene: &Scene<'_>, list: &'static str) -> Result<BTreeMap<String, String>, String> {
        let take = |entry: serde_json::Value| Some(format!("{list}/{}", entry["name"].as_str()?));
        let read =
            self.content(scene).finish(Walk::of(&[list], usize::MAX), &take).await.map_err(in_words)?;
        match read {
            (paths, Outcome::Whole) => {
                Ok(paths.into_iter().map(|path| (path.to_lowercase(), path)).collect())
            }
            (_, Outcome::Gone) => Err(format!("there is no list {list}")),
            (_, Outcome::Unread { why, .. }) => Err(why),
        }
    }

    /// Takes out of `names` what stands in the backup's inventory, of which APIs and products come first.
    async fn take_known(
        &self,
        blob: &BlobName,
        at: &InventoryPlace,
        names: &mut BTreeMap<String, String>,
    ) -> Result<(), String> {
        let opened = self.store.open(at, &blob.backup).await.map_err(|trouble| trouble.to_string())?;
        let Ok((_, open)) = opened else { return Ok(()) };
        let place = BlobPlace { container: &at.container, blob: &at.inventory.blob };
        let mut reading = Reading::of(&self.store, place, open);
        let first_after = Place::After(Unit::List(PRODUCTS.to_owned()));
        loop {
            let mut window = Window::unread();
            let filled = reading.fill(&mut window).await.map_err(|trouble| trouble.to_string())?;
            let (known, is_over) = window.up_to(&first_after);
            known.iter().for_each(|path| drop(names.remove(&path.to_lowercase())));
            if filled.is_err() || is_over {
                return Ok(());
            }
        }
    }

    /// The digest of the target's top-level lists.
    async fn lists(&self, scene: &Scene<'_>) -> Result<crate::domain::vocabulary::Digest, String> {
        let (folding, memo) = (self.folding(None), Memo::default());
        let crawl =
            Crawl { content: self.content(scene), depth: Depth::Lists, folding: &folding, memo: &memo };
        let (mut chain, mut place) = (Chain::default(), Place::Start);
        while place != Place::End {
            let stretch = crawl.stretch(&place).await;
            if let Some(hidden) = stretch.unread.iter().find(|unread| unread.hides_list()) {
                return Err(format!("{} cannot be read: {}", hidden.list, hidden.why));
            }
            stretch.entities.iter().for_each(|entity| chain.take(entity));
            if stretch.end != StretchEnd::Full {
                return Err(in_words(stretch.end));
            }
            place = stretch.place;
        }
        Ok(chain.digest().clone())
    }
}

fn in_words(end: StretchEnd) -> String {
    match end {
        StretchEnd::Full | StretchEnd::Late => "there was no time left in this invocation".to_owned(),
        StretchEnd::Interrupted(why) | StretchEnd::GivenUp(why) | StretchEnd::NoToken(why) => why,
    }
}
