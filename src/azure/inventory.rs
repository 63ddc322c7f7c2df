//! Inventories in storage: parts while one is taken, put together at the end, and read in pieces when something is
//! compared with it.

use std::collections::VecDeque;

use super::blob::Place;
use super::store::Store;
use super::trouble::StorageTrouble;
use crate::domain::inventory::compare::Window;
use crate::domain::inventory::{Entity, Head, Line, close};
use crate::domain::observation::{Inventory, Joined, Take, WriteOnce};
use crate::domain::record::{Chunk, InventoryPlace, InventoryRef, OpenInventory, folder_of};
use crate::domain::vocabulary::{BackupName, Digest, Digesting, Etag, InvocationId};

/// The largest part. A stretch of a crawl is no larger, unless a single list is.
const LARGEST_PART: usize = 1 << 20;

/// The first line of an inventory, which holds what no backup carries and up to 100 ties, is shorter.
const LONGEST_HEAD: usize = 512 << 10;

/// How much of an inventory is read at a time.
const PIECE: usize = 256 << 10;

impl Store {
    /// Stores what a stretch has read. The parts' names are this invocation's alone; a part that is there already
    /// under one of them was written by a try that was thought to have failed.
    pub(super) async fn write_parts(
        &self,
        take: &Take,
        by: &InvocationId,
        entities: &[Entity],
    ) -> Result<Vec<Chunk>, String> {
        let (backup, mut chunks) = (&take.inventory.blob.backup, Vec::new());
        for text in parts(entities) {
            let number = take.taking.chunks.len() + chunks.len();
            let chunk = Chunk { by: by.clone(), number, length: text.len() };
            match self.write_history(&chunk.path(backup), &text).await {
                WriteOnce::Written | WriteOnce::Same => chunks.push(chunk),
                WriteOnce::Other => {
                    return Err(format!("a part of the inventory of {backup} is there already"));
                }
                WriteOnce::NoAnswer(why) => return Err(why),
            }
        }
        Ok(chunks)
    }

    /// Puts an inventory together of `head` and the parts.
    pub(super) async fn join(&self, take: &Take, head: &Head) -> Joined {
        match self.try_join(take, head).await {
            Ok(digest) => Joined::Stored(InventoryRef { blob: take.inventory.name(), digest }),
            Err(joined) => joined,
        }
    }

    async fn try_join(&self, take: &Take, head: &Head) -> Result<Digest, Joined> {
        let blob = take.inventory.name();
        let at = Place { container: &take.inventory.blob.container, blob: &blob };
        let (mut digesting, chunks) = (Digesting::default(), &take.taking.chunks);
        let mut blocks = Vec::new();
        let mut bytes = head.line().into_bytes();
        for (number, chunk) in chunks.iter().enumerate() {
            digesting.take(&bytes);
            blocks.push(self.blobs.stage(at, number, bytes).await.map_err(no_answer)?);
            bytes = self.read_part(&take.inventory, chunk).await?;
        }
        close(&mut bytes);
        digesting.take(&bytes);
        blocks.push(self.blobs.stage(at, chunks.len(), bytes).await.map_err(no_answer)?);
        let digest = digesting.end();
        match self.blobs.commit(at, blocks).await {
            Ok(()) => Ok(digest),
            Err(trouble) if trouble.is_conflict() || trouble.is_uncertain() => {
                self.find_stored(at, digest, trouble).await
            }
            Err(trouble) => Err(no_answer(trouble)),
        }
    }

    async fn read_part(&self, inventory: &Inventory, chunk: &Chunk) -> Result<Vec<u8>, Joined> {
        let path = chunk.path(&inventory.blob.backup);
        let read = self.blobs.read(self.in_state(&path), LARGEST_PART + PIECE).await.map_err(no_answer)?;
        match read.document {
            Some((bytes, _)) if bytes.len() == chunk.length => Ok(bytes),
            Some(_) => Err(Joined::Impossible(format!("the part {path} is not as it was written"))),
            None => Err(Joined::Impossible(format!("the part {path} is gone"))),
        }
    }

    /// A refusal, like silence, says nothing before the stored bytes are seen: the first try may have done it.
    async fn find_stored(
        &self,
        at: Place<'_>,
        digest: Digest,
        trouble: StorageTrouble,
    ) -> Result<Digest, Joined> {
        match self.digest_of(at).await.map_err(no_answer)? {
            Some((stored, _)) if stored == digest => Ok(digest),
            Some(_) => Err(Joined::Impossible(format!("another blob named {} is there already", at.blob))),
            None => Err(no_answer(trouble)),
        }
    }

    /// The digest of a stored blob and the version that has it; `None` if there is none.
    async fn digest_of(&self, at: Place<'_>) -> Result<Option<(Digest, Etag)>, StorageTrouble> {
        let Some(facts) = self.blobs.facts(at).await? else { return Ok(None) };
        let (mut digesting, mut offset) = (Digesting::default(), 0);
        while offset < facts.length {
            let bytes = self.blobs.read_range(at, &facts.etag, (offset, LARGEST_PART)).await?;
            digesting.take(&bytes);
            offset += bytes.len().max(1) as u64;
        }
        Ok(Some((digesting.end(), facts.etag)))
    }

    /// Opens an inventory to compare with. The inner error says why that can never be done.
    pub(super) async fn open(
        &self,
        at: &InventoryPlace,
        backup: &BackupName,
    ) -> Result<Result<(Head, OpenInventory), String>, StorageTrouble> {
        let place = Place { container: &at.container, blob: &at.inventory.blob };
        let etag = match self.digest_of(place).await? {
            Some((digest, etag)) if digest == at.inventory.digest => etag,
            Some(_) => {
                return Ok(Err(
                    "the backup's inventory is not the one that is named: its digest differs".into()
                ));
            }
            None => return Ok(Err("the backup's inventory is gone".into())),
        };
        let open = OpenInventory { blob: at.inventory.blob.clone(), etag, offset: 0 };
        Ok(match self.head_of(place, &open).await? {
            Ok((head, _)) if head.backup != *backup => {
                Err(format!("the backup's inventory is that of {}", head.backup))
            }
            Ok((head, offset)) => Ok((head, OpenInventory { offset, ..open })),
            Err(why) => Err(format!("the backup's inventory cannot be compared with: {why}")),
        })
    }

    /// Reads the first line of an inventory.
    pub(super) async fn head_of(
        &self,
        at: Place<'_>,
        open: &OpenInventory,
    ) -> Result<Result<(Head, u64), String>, StorageTrouble> {
        let bytes = self.blobs.read_range(at, &open.etag, (0, LONGEST_HEAD)).await?;
        Ok(Head::read(&bytes))
    }

    /// Deletes all parts of a backup's inventories.
    pub(super) async fn drop_parts(&self, backup: &BackupName) -> Result<(), StorageTrouble> {
        for path in self.list(&folder_of(backup)).await? {
            self.blobs.remove(self.in_state(&path)).await?;
        }
        Ok(())
    }
}

fn no_answer(trouble: StorageTrouble) -> Joined {
    Joined::NoAnswer(trouble.to_string())
}

/// The lines of `entities`, in texts of which each fits into a part.
fn parts(entities: &[Entity]) -> Vec<String> {
    let mut parts = Vec::new();
    let mut text = String::new();
    for line in entities.iter().map(Entity::line) {
        if text.len() + line.len() > LARGEST_PART {
            parts.push(std::mem::take(&mut text));
        }
        text.push_str(&line);
    }
    if !text.is_empty() {
        parts.push(text);
    }
    parts
}

/// An inventory that is being compared with, piece by piece.
pub(super) struct Reading<'a> {
    store: &'a Store,
    at: Place<'a>,
    open: OpenInventory,
    /// How long the lines are that were read and not compared yet, and some of those before them.
    lengths: VecDeque<u64>,
    /// Where the next piece begins.
    next: u64,
}

impl<'a> Reading<'a> {
    pub(super) fn of(store: &'a Store, at: Place<'a>, open: OpenInventory) -> Self {
        let next = open.offset;
        Self { store, at, open, lengths: VecDeque::new(), next }
    }

    /// Reads the next piece into `window`. The inner error says why it can never be compared with.
    pub(super) async fn fill(&mut self, window: &mut Window) -> Result<Result<(), String>, StorageTrouble> {
        let bytes = self.store.blobs.read_range(self.at, &self.open.etag, (self.next, PIECE)).await?;
        Ok(self.take(&bytes, window))
    }

    fn take(&mut self, bytes: &[u8], window: &mut Window) -> Result<(), String> {
        let mut entities = Vec::new();
        let mut more = true;
        for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
            let text = std::str::from_utf8(line).map_err(|error| format!("it is no text: {error}"))?;
            match Line::read(text)? {
                Line::Entity(entity) => entities.push(entity),
                Line::End => {
                    more = false;
                    break;
                }
            }
            self.lengths.push_back(line.len() as u64);
            self.next += line.len() as u64;
        }
        if more && entities.is_empty() {
            return Err("it has no end".to_owned());
        }
        window.push(entities, more)
    }

    /// The inventory, from the first of those entities on that were not compared.
    pub(super) fn rest(self, not_compared: usize) -> OpenInventory {
        let left: u64 = self.lengths.iter().rev().take(not_compared).sum();
        OpenInventory { offset: self.next - left, ..self.open }
    }
}
