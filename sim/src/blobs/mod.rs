//! Embedded blob storage: one account that answers as Azure Storage does, as far as the official SDK and
//! [`crate::storage`] ask. A call that it does not know is answered with 501 and named in the journal.
//!
//! It serves in process (an [`axum::Router`]) or on a port, over plain http or behind somebody's TLS.
//! `Date`, `Last-Modified`, ETags and leases follow its [`Clock`]; signatures are dated by the wall clock,
//! because those who sign know no other.

mod auth;
mod conditions;
mod containers;
mod faults;
mod guards;
mod leases;
mod listing;
mod peek;
mod reads;
mod reply;
mod request;
mod serve;
pub(crate) mod shared_key;
mod store;
pub(crate) mod uri;
mod writes;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::http::Method;

pub use faults::{Entry, Fault};
pub use guards::Guard;
pub use peek::Peeked;
pub use serve::{ConnectionLost, Serving};

use crate::clock::Clock;
use crate::storage::Account;

/// Decides whether a bearer token opens the account.
pub type BearerCheck = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// A storage account in memory. Clones are the same account.
#[derive(Clone)]
pub struct Blobs(Arc<Inner>);

struct Inner {
    account: Account,
    clock: Clock,
    bearer: Option<BearerCheck>,
    store: Mutex<store::Store>,
    faults: Mutex<faults::Faults>,
    guards: Mutex<guards::Guards>,
}

impl Blobs {
    /// An empty account that opens by its key, on the wall clock. The path of `account.endpoint` is what
    /// requests' paths begin with: `/devstoreaccount1` for an emulator, nothing for a host of its own.
    pub fn new(account: Account) -> Self {
        Self::with(account, Clock::running(1.0), None)
    }

    /// An empty account on a clock of the caller's, that opens by its key and by the tokens that `bearer`
    /// lets pass.
    pub fn with(account: Account, clock: Clock, bearer: Option<BearerCheck>) -> Self {
        let (store, faults, guards) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { account, clock, bearer, store, faults, guards }))
    }

    /// The account as it was given.
    pub fn account(&self) -> &Account {
        &self.0.account
    }

    /// The server as a service that needs no socket.
    pub fn router(&self) -> Router {
        Router::new().fallback(serve::answer).with_state(self.clone())
    }

    /// Lets the next `times` requests with this method, whose `container/blob` contains `name`, meet
    /// `fault`. Faults that match one request are used up in the order in which they were set.
    pub fn inject(&self, times: u32, method: &Method, name: &str, fault: Fault) {
        self.faults().inject(times, method, name, fault);
    }

    /// Guards every blob whose `container/blob` begins with `prefix` from now on: a container with a slash at its
    /// end, or a part of the names in it.
    pub fn guard(&self, prefix: &str, guard: Guard) {
        self.guards().stand(prefix, guard);
    }

    /// Lifts all guards.
    pub fn lift_guards(&self) {
        self.guards().lift();
    }

    /// Every request since the start or the last [`Blobs::clear_journal`], in the order of their answers.
    pub fn journal(&self) -> Vec<Entry> {
        self.faults().journal.clone()
    }

    /// How many requests the journal holds.
    pub fn requests(&self) -> usize {
        self.faults().journal.len()
    }

    /// Forgets the journal.
    pub fn clear_journal(&self) {
        self.faults().journal.clear();
    }

    fn store(&self) -> MutexGuard<'_, store::Store> {
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, faults::Faults> {
        self.0.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guards(&self) -> MutexGuard<'_, guards::Guards> {
        self.0.guards.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
