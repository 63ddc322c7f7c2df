//! Accepting operations, and completing those whose time has come.
//!
//! Nothing here runs by itself: time passes on the cloud's clock, and whatever has ended by then is completed
//! when the next request arrives or [`Cloud::settle`] is called, in the order in which it ended.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use time::OffsetDateTime;

use super::operation::{Failure, backup_bytes, read_backup};
use super::{Cloud, Operation, Order, State, storage};
use crate::content::Entity;
use crate::journal::{self, OperationKind, Outcome};
use crate::knobs::BlobFault;

/// Tiers that have no backup and restore: Consumption, and all of the second generation.
fn lacks_backup(tier: &str) -> bool {
    tier.eq_ignore_ascii_case("consumption") || tier.to_lowercase().ends_with("v2")
}

/// Why an operation was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotAccepted {
    /// The tier has neither backup nor restore.
    Tier(String),
    /// The service of this name is in transition.
    Locked(String),
}

/// How a poll finds an operation.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    Nothing,
    Running,
    Succeeded,
    Failed { code: String, message: String },
}

/// The next thing that must happen, by the number of the operation.
#[derive(Clone, Copy, Debug)]
enum Due {
    Blob(usize),
    End(usize),
}

impl Cloud {
    /// Completes every operation that has ended by the cloud's clock: blobs are written, content is restored. Makes
    /// up for Traffic Manager's probes.
    /// Every request does this first; a test that moves the clock and looks at the storage calls it.
    pub async fn settle(&self) {
        let _turn = self.0.settling.lock().await;
        self.advance_traffic();
        loop {
            let due = self.state().due(self.clock().now());
            match due {
                Some(Due::Blob(index)) => self.write_blob(index).await,
                Some(Due::End(index)) => self.end(index).await,
                None => return,
            }
        }
    }

    /// Accepts an operation on the service of this id, and returns the id of its result.
    pub(crate) fn accept(&self, id: &str, order: Order) -> Option<Result<String, NotAccepted>> {
        let now = self.clock().now();
        let mut state = self.state();
        let service = state.services.iter().find(|service| service.id.eq_ignore_ascii_case(id))?;
        if lacks_backup(&service.spec.tier) {
            return Some(Err(NotAccepted::Tier(service.spec.tier.clone())));
        }
        let in_transition = !matches!(service.state.as_str(), "Succeeded" | "Failed");
        if self.0.locks && (in_transition || state.is_busy(&service.id)) {
            return Some(Err(NotAccepted::Locked(service.spec.name.clone())));
        }
        let (word, name) = (order.kind.word(), &service.spec.name);
        let result = BASE64.encode(format!("{}:{name}_{word}_{}", service.region(), self.ids().short()));
        let backs_up = order.kind == OperationKind::Backup;
        let lasts = order.course.lasts.unwrap_or_else(|| state.usual_duration(order.kind));
        let operation = Operation {
            id: result.clone(),
            service: service.id.clone(),
            number: self.journal().begin(journal_entry(name, &order, now)),
            started: now,
            ends: (!order.course.never_ends).then_some(now + lasts),
            outcome: Outcome::Running,
            entities: if backs_up { service.content.carried() } else { Vec::new() },
            blob_written: order.course.blob == BlobFault::Missing,
            order,
        };
        state.operations.push(operation);
        Some(Ok(result))
    }

    /// How the operation behind a result URL stands.
    pub(crate) fn poll(&self, service: &str, result: &str) -> Found {
        let state = self.state();
        let mut own = state.operations.iter().filter(|known| known.service.eq_ignore_ascii_case(service));
        match own.find(|known| known.id == result && !known.order.course.forgotten) {
            None => Found::Nothing,
            Some(Operation { outcome: Outcome::Running, .. }) => Found::Running,
            Some(Operation { outcome: Outcome::Succeeded, .. }) => Found::Succeeded,
            Some(Operation { outcome: Outcome::Failed { code, message }, .. }) => {
                Found::Failed { code: code.clone(), message: message.clone() }
            }
        }
    }

    async fn write_blob(&self, index: usize) {
        let (operation, tier) = self.state().job(index);
        let bytes = match operation.order.course.blob {
            BlobFault::Empty => Vec::new(),
            _ => backup_bytes(&operation.service, &tier, operation.started, &operation.entities),
        };
        let written = self.put(&operation, bytes).await;
        let at = operation.blob_due().unwrap_or(operation.started);
        self.state().operations[index].blob_written = true;
        if let Err(failure) = written {
            self.conclude_operation(index, at, Err(failure));
        }
    }

    async fn end(&self, index: usize) {
        let (operation, tier) = self.state().job(index);
        let at = operation.ends.unwrap_or(operation.started);
        let result = match (&operation.order.course.fails, operation.order.kind) {
            (Some((code, message)), _) => Err(Failure { code: code.clone(), message: message.clone() }),
            (None, OperationKind::Backup) => Ok(Vec::new()),
            (None, OperationKind::Restore) => self.fetch(&operation, &tier).await,
        };
        if operation.order.course.half_done && operation.order.kind == OperationKind::Restore {
            self.restore_half(index, &operation, &tier).await;
        }
        self.conclude_operation(index, at, result);
    }

    /// Marks the operation as ended; what a restore read becomes the service's content.
    fn conclude_operation(&self, index: usize, at: OffsetDateTime, result: Result<Vec<Entity>, Failure>) {
        let mut state = self.state();
        let (id, kind) = (state.operations[index].service.clone(), state.operations[index].order.kind);
        let outcome = match result {
            Ok(entities) => {
                if let (OperationKind::Restore, Some(service)) = (kind, state.service_mut(&id)) {
                    service.content.restore(entities);
                    service.content_since = at;
                    "Succeeded".clone_into(&mut service.state);
                    service.changes += 1;
                }
                Outcome::Succeeded
            }
            Err(Failure { code, message }) => Outcome::Failed { code, message },
        };
        state.operations[index].outcome = outcome.clone();
        state.operations[index].entities = Vec::new();
        self.journal().end(state.operations[index].number, at, outcome);
    }

    /// What a restore that broke off in the middle leaves: every second entity is the backup's.
    async fn restore_half(&self, index: usize, operation: &Operation, tier: &str) {
        let entities = self.fetch(operation, tier).await.unwrap_or_default();
        let mut state = self.state();
        let id = state.operations[index].service.clone();
        let Some(service) = state.service_mut(&id) else { return };
        let half = entities.into_iter().step_by(2);
        half.for_each(|entity| service.content.write(&entity.path, entity.properties));
        "Failed".clone_into(&mut service.state);
        service.changes += 1;
    }

    async fn put(&self, operation: &Operation, bytes: Vec<u8>) -> Result<(), Failure> {
        let place = &operation.order.place;
        let client = self.storage_client(operation)?;
        let written = storage::write(&client, (&place.container, &place.blob), bytes).await;
        written.map_err(|error| Failure::of(OperationKind::Backup, &error.to_string()))
    }

    async fn fetch(&self, operation: &Operation, tier: &str) -> Result<Vec<Entity>, Failure> {
        let place = &operation.order.place;
        let failure = |why: &str| Failure::of(OperationKind::Restore, why);
        let client = self.storage_client(operation)?;
        let read = client.get(&place.container, &place.blob).await;
        let bytes = read.map_err(|error| failure(&error.to_string()))?;
        let missing =
            || failure(&format!("blob '{}' was not found in container '{}'", place.blob, place.container));
        read_backup(&bytes.ok_or_else(missing)?, tier, operation.started)
    }

    fn storage_client(&self, operation: &Operation) -> Result<crate::storage::StorageClient, Failure> {
        let place = &operation.order.place;
        let failure = |why: String| Failure::of(operation.order.kind, &why);
        let account = self
            .account(&place.account)
            .ok_or_else(|| failure(format!("storage account '{}' can not be reached", place.account)))?;
        account.client(&place.access, self.directory()).ok_or_else(|| {
            failure(format!("the identity of the service may not use storage account '{}'", place.account))
        })
    }
}

impl State {
    fn usual_duration(&self, kind: OperationKind) -> time::Duration {
        match kind {
            OperationKind::Backup => self.backup_lasts,
            OperationKind::Restore => self.restore_lasts,
        }
    }

    /// The earliest thing that is due by `now`; a blob comes before the end that it belongs to.
    fn due(&self, now: OffsetDateTime) -> Option<Due> {
        let running = self.operations.iter().enumerate().filter(|(_, operation)| operation.is_running());
        let due = running.filter_map(|(index, operation)| match (operation.blob_due(), operation.ends) {
            (Some(at), _) => Some((at, Due::Blob(index))),
            (None, Some(at)) => Some((at, Due::End(index))),
            (None, None) => None,
        });
        due.filter(|(at, _)| *at <= now).min_by_key(|(at, _)| *at).map(|(_, due)| due)
    }

    /// The operation of this number and the tier of its service.
    fn job(&self, index: usize) -> (Operation, String) {
        let operation = self.operations[index].clone();
        let service = self.services.iter().find(|service| service.id == operation.service);
        let tier = service.map(|service| service.spec.tier.clone()).unwrap_or_default();
        (operation, tier)
    }

    fn service_mut(&mut self, id: &str) -> Option<&mut super::Service> {
        self.services.iter_mut().find(|service| service.id == id)
    }
}

fn journal_entry(service: &str, order: &Order, now: OffsetDateTime) -> journal::Operation {
    journal::Operation {
        service: service.to_owned(),
        kind: order.kind,
        container: order.place.container.clone(),
        backup: order.place.blob.clone(),
        by: order.by.clone(),
        started: now,
        ended: None,
        outcome: Outcome::Running,
    }
}
