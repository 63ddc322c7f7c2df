//! What a host keeps in its storage account, and what therefore outlives it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::timer::Status;
use crate::storage::ETag;

/// The timers' status, the blobs' receipts and the queue of events. Clones are the same storage: hosts
/// that share it are instances of one app.
#[derive(Clone, Default)]
pub struct Memory(Arc<Shared>);

#[derive(Default)]
struct Shared {
    kept: Mutex<Kept>,
    /// The lock blob that lets one instance at a time run the timer.
    timer_lock: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Kept {
    timers: BTreeMap<String, Status>,
    receipts: BTreeSet<Receipt>,
    queue: VecDeque<Message>,
    poison: Vec<Poisoned>,
    /// How many of the next events vanish between receipt and queue.
    to_lose: usize,
}

/// A proof that an event was queued for a version of a blob.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Receipt {
    pub(super) function: String,
    pub(super) etag: ETag,
    pub(super) container: String,
    pub(super) blob: String,
}

/// An event on its way to a function.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) receipt: Receipt,
    /// How often it was tried.
    pub(super) tries: u32,
}

/// An event that somebody works on.
pub(super) struct InHand {
    memory: Memory,
    pub(super) message: Message,
    settled: bool,
}

impl InHand {
    /// The event is done with, one way or the other.
    pub(super) fn settle(mut self) {
        self.settled = true;
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        if !self.settled {
            self.memory.enqueue(self.message.clone());
        }
    }
}

/// An event that failed as often as it may, as it lies in `webjobs-blobtrigger-poison`, where nobody reads
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poisoned {
    /// `Type`, `FunctionId`, `BlobType`, `ContainerName`, `BlobName`, `ETag`.
    pub message: Value,
}

impl Poisoned {
    fn new(receipt: &Receipt) -> Self {
        Self {
            message: json!({
                "Type": "BlobTrigger",
                "FunctionId": format!("Host.Functions.{}", receipt.function),
                "BlobType": "BlockBlob",
                "ContainerName": receipt.container,
                "BlobName": receipt.blob,
                "ETag": receipt.etag.to_string(),
            }),
        }
    }

    /// The message as the queue holds it.
    pub fn base64(&self) -> String {
        BASE64.encode(self.message.to_string())
    }
}

impl Memory {
    /// The events that were given up.
    pub fn poison(&self) -> Vec<Poisoned> {
        self.kept().poison.clone()
    }

    /// A new host has not fired a timer yet, so it may find one past due.
    pub(super) fn host_started(&self) {
        for status in self.kept().timers.values_mut() {
            status.fired_since_start = false;
        }
    }

    pub(super) async fn timer_lock(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.timer_lock.lock().await
    }

    pub(super) fn timer(&self, function: &str) -> Option<Status> {
        self.kept().timers.get(function).cloned()
    }

    pub(super) fn set_timer(&self, function: &str, status: Status) {
        self.kept().timers.insert(function.to_owned(), status);
    }

    /// Queues an event for a version that has no receipt yet, and writes the receipt.
    pub(super) fn notice(&self, receipt: Receipt) {
        let kept = &mut *self.kept();
        if !kept.receipts.insert(receipt.clone()) {
            return;
        }
        if kept.to_lose > 0 {
            kept.to_lose -= 1;
            return;
        }
        kept.queue.push_back(Message { receipt, tries: 0 });
    }

    pub(super) fn lose(&self, events: usize) {
        self.kept().to_lose += events;
    }

    pub(super) fn enqueue(&self, message: Message) {
        self.kept().queue.push_back(message);
    }

    /// Takes the next event. It goes back into the queue unless it is settled, as when a host dies.
    pub(super) fn dequeue(&self) -> Option<InHand> {
        let message = self.kept().queue.pop_front()?;
        Some(InHand { memory: self.clone(), message, settled: false })
    }

    pub(super) fn give_up(&self, receipt: &Receipt) -> Poisoned {
        let poisoned = Poisoned::new(receipt);
        self.kept().poison.push(poisoned.clone());
        poisoned
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
