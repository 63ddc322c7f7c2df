//! The blob trigger: a scan finds versions without a receipt, a queue carries their events, and a call is
//! made for each until it succeeds or has been tried often enough.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use serde_json::{Map, Value, json};

use super::function::{BlobSource, BlobTrigger, Function, Trigger};
use super::invocation::{Invocation, Outcome};
use super::invoke::Call;
use super::memory::{InHand, Message, Receipt};
use super::record::{Event, Level};
use super::{Host, Inner, envelope};
use crate::storage::{ETag, Properties, StorageClient, StorageError};

/// An event that a test sends again, late, or for a version that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobEvent {
    /// The blob's name in the trigger's container.
    pub blob: String,
    /// The version that the event speaks of; `None`: the one that is there.
    pub etag: Option<ETag>,
}

impl Host {
    /// One pass of the poller: looks for new and changed blobs, and delivers what is queued, failed events
    /// again at once, until the queue is empty. Yields every try in the order in which they ended.
    pub async fn scan(&self) -> Vec<Invocation> {
        let mut tries = Vec::new();
        let polled = |trigger: &BlobTrigger| trigger.source == BlobSource::Scan;
        for (function, trigger) in self.inner.blob_functions().filter(|(_, trigger)| polled(trigger)) {
            match self.inner.poll(function, trigger).await {
                Ok(()) => {}
                Err(why) => {
                    let text = format!("The listener for function '{}' can not poll: {why}", function.name);
                    self.inner.record.host_line(Level::Error, text);
                }
            }
        }
        self.inner.deliver_all(&mut tries).await;
        tries
    }

    /// Delivers an event that no scan found: a duplicate, a late one, one for a version that was replaced.
    /// Receipts do not hold it up.
    pub async fn redeliver(&self, function: &str, event: BlobEvent) -> Vec<Invocation> {
        let found = self.inner.blob_functions().find(|(known, _)| known.name == function);
        let Some((known, trigger)) = found else {
            return vec![self.inner.not_invoked(function, "blob", "no such blob function is enabled")];
        };
        let etag = match event.etag {
            Some(etag) => Some(etag),
            None => self.inner.version(trigger, &trigger.pattern.container, &event.blob).await,
        };
        let Some(etag) = etag else {
            return vec![self.inner.not_invoked(function, "blob", "there is no such blob")];
        };
        let receipt = receipt(known, (&trigger.pattern.container, &event.blob), etag);
        self.inner.memory.enqueue(Message { receipt, tries: 0 });
        let mut tries = Vec::new();
        self.inner.deliver_all(&mut tries).await;
        tries
    }

    /// Delivers an event of the account, as a subscription without any filter does, to every blob function
    /// whose source is Event Grid. The blob may lie in any container and under any name.
    pub async fn notify(&self, container: &str, blob: &str) -> Vec<Invocation> {
        let mut tries = Vec::new();
        let subscribed = |trigger: &BlobTrigger| trigger.source == BlobSource::EventGrid;
        for (function, trigger) in self.inner.blob_functions().filter(|(_, trigger)| subscribed(trigger)) {
            match self.inner.version(trigger, container, blob).await {
                Some(etag) => {
                    let receipt = receipt(function, (container, blob), etag);
                    self.inner.memory.enqueue(Message { receipt, tries: 0 });
                }
                None => tries.push(self.inner.not_invoked(&function.name, "blob", "there is no such blob")),
            }
        }
        self.inner.deliver_all(&mut tries).await;
        tries
    }

    /// Lets the next events vanish after their receipts were written, as a faulty Storage extension of 2026
    /// did: their blobs are never heard of again.
    pub fn lose_events(&self, events: usize) {
        self.inner.memory.lose(events);
    }
}

/// What became of one try.
enum Try {
    Done(Invocation),
    Again(Invocation),
}

impl Inner {
    fn blob_functions(&self) -> impl Iterator<Item = (&Function, &BlobTrigger)> {
        let listening = self.app.functions.iter().filter(|_| self.app.no_listeners.is_none());
        listening.filter_map(|function| match &function.trigger {
            Ok(Trigger::Blob(trigger)) => Some((function, trigger)),
            _ => None,
        })
    }

    /// Queues an event for every version that fits and has no receipt.
    async fn poll(&self, function: &Function, trigger: &BlobTrigger) -> Result<(), String> {
        let storage = trigger.connection.open(&self.app.root).await?;
        let listed = match storage.list(&trigger.pattern.container, "").await {
            // A container that does not exist yet is no error.
            Err(error) if error.code() == "ContainerNotFound" => Vec::new(),
            listed => listed.map_err(|error| error.to_string())?,
        };
        for blob in listed.into_iter().filter(|blob| trigger.pattern.tokens(&blob.name).is_some()) {
            self.memory.notice(receipt(function, (&trigger.pattern.container, &blob.name), blob.etag));
        }
        Ok(())
    }

    async fn version(&self, trigger: &BlobTrigger, container: &str, blob: &str) -> Option<ETag> {
        let storage = trigger.connection.open(&self.app.root).await.ok()?;
        Some(storage.head(container, blob).await.ok()??.etag)
    }

    /// Empties the queue, several events at a time. An event that brings up another is followed by it.
    async fn deliver_all(self: &Arc<Self>, tries: &mut Vec<Invocation>) {
        let mut running = FuturesUnordered::new();
        loop {
            while let Some(event) = self.memory.dequeue() {
                running.push(self.deliver(event));
            }
            match running.next().await {
                Some(invocations) => tries.extend(invocations),
                None => return,
            }
        }
    }

    /// Tries one event until it succeeds, is dropped, or has failed too often.
    async fn deliver(self: &Arc<Self>, mut event: InHand) -> Vec<Invocation> {
        // The semaphore is never closed.
        let _turn = self.blob_calls.acquire().await;
        let mut tries = Vec::new();
        loop {
            match self.attempt(&mut event).await {
                Try::Done(invocation) => {
                    tries.push(invocation);
                    event.settle();
                    return tries;
                }
                Try::Again(invocation) => tries.push(invocation),
            }
            if event.message.tries >= self.app.blob_tries {
                let poisoned = self.memory.give_up(&event.message.receipt);
                self.record.tell(Event::Poisoned(poisoned));
                event.settle();
                return tries;
            }
        }
    }

    async fn attempt(self: &Arc<Self>, event: &mut InHand) -> Try {
        let Message { receipt, tries } = &mut event.message;
        *tries += 1;
        let cause = format!("blob {}/{}, try {tries}", receipt.container, receipt.blob);
        let dropped = |why: &str| Try::Done(self.not_invoked(&receipt.function, &cause, why));
        let Some((function, trigger)) =
            self.blob_functions().find(|(function, _)| function.name == receipt.function)
        else {
            return dropped("the function is not enabled");
        };
        let blob = match self.read(trigger, &receipt.container, &receipt.blob).await {
            Ok(Some(blob)) => blob,
            Ok(None) => return dropped("the blob is gone"),
            Err(why) => return Try::Again(self.failed(receipt, &cause, why)),
        };
        if trigger.source == BlobSource::Scan && blob.properties.etag != receipt.etag {
            // The version that is there now gets an event of its own, if it has had none.
            self.memory.notice(Receipt { etag: blob.properties.etag, ..receipt.clone() });
            return dropped("the event is stale: the blob has another version");
        }
        let invocation = self.invoke(blob_call(function, trigger, &blob, cause)).await;
        match invocation.outcome {
            Outcome::Failed { .. } => Try::Again(invocation),
            _ => Try::Done(invocation),
        }
    }

    /// A try that failed before the handler could be called.
    fn failed(&self, receipt: &Receipt, cause: &str, reason: String) -> Invocation {
        let mut invocation = self.not_invoked(&receipt.function, cause, reason.clone());
        invocation.outcome = Outcome::Failed { reason };
        invocation
    }

    async fn read(
        &self,
        trigger: &BlobTrigger,
        container: &str,
        name: &str,
    ) -> Result<Option<TriggerBlob>, String> {
        let storage = trigger.connection.open(&self.app.root).await?;
        let blob = TriggerBlob::read(&storage, container, name).await.map_err(|error| error.to_string())?;
        Ok(blob)
    }

    /// The call of a blob's function by hand. `input` names container and blob, and the path's pattern is
    /// not enforced.
    ///
    /// # Errors
    /// When there is no such blob: the failure is only in the log.
    pub(super) async fn manual_blob_call(
        &self,
        function: &Function,
        trigger: &BlobTrigger,
        input: &str,
    ) -> Result<Call, String> {
        let (container, name) = input.split_once('/').ok_or("the input names no container and blob")?;
        let blob = self.read(trigger, container, name).await?;
        let blob = blob.ok_or_else(|| format!("the blob {input} does not exist"))?;
        Ok(blob_call(function, trigger, &blob, "by hand".to_owned()))
    }
}

/// A blob as a trigger passes it.
struct TriggerBlob {
    container: String,
    name: String,
    properties: Properties,
    content: Vec<u8>,
}

impl TriggerBlob {
    async fn read(
        storage: &StorageClient,
        container: &str,
        name: &str,
    ) -> Result<Option<Self>, StorageError> {
        let found = storage.download(container, name).await?;
        Ok(found.map(|(properties, content)| Self {
            container: container.to_owned(),
            name: name.to_owned(),
            properties,
            content,
        }))
    }
}

fn receipt(function: &Function, (container, blob): (&str, &str), etag: ETag) -> Receipt {
    let (container, blob) = (container.to_owned(), blob.to_owned());
    Receipt { function: function.name.clone(), etag, container, blob }
}

fn blob_call(function: &Function, trigger: &BlobTrigger, blob: &TriggerBlob, cause: String) -> Call {
    let uri = trigger.connection.uri_of(&blob.container, &blob.name);
    let mut metadata = Map::from_iter([
        ("BlobTrigger".to_owned(), envelope::twice(&format!("{}/{}", blob.container, blob.name))),
        ("Uri".to_owned(), envelope::twice(&uri)),
        ("Properties".to_owned(), envelope::properties(&blob.properties)),
        ("Metadata".to_owned(), json!(blob.properties.metadata)),
    ]);
    let fits = (blob.container == trigger.pattern.container).then(|| trigger.pattern.tokens(&blob.name));
    let tokens: BTreeMap<_, _> = fits.flatten().unwrap_or_default();
    // A token overrides what is built in under the same name.
    metadata.extend(tokens.into_iter().map(|(token, value)| (token, envelope::twice(&value))));
    Call {
        function: function.name.clone(),
        cause,
        data: Map::from_iter([(trigger.binding.clone(), envelope::content(&blob.content))]),
        metadata: metadata.into_iter().collect::<Map<String, Value>>(),
    }
}
