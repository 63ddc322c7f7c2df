//! Putting a cloud together.

use std::sync::{Arc, Mutex};

use time::Duration;

use super::buckets::Buckets;
use super::rights::Rights;
use super::{Cloud, Inner, Service, ServiceSpec, State, StorageAccount};
use crate::clock::Clock;
use crate::ids::Ids;
use crate::journal::Journal;
use crate::knobs::Faults;
use crate::tokens::Directory;
use crate::traffic::{ProfileSpec, Traffic};

/// Puts a [`Cloud`] together.
pub struct CloudBuilder {
    clock: Clock,
    seed: u64,
    arm_endpoint: String,
    identity_header: Option<String>,
    locks: bool,
    throttles: bool,
    page_size: usize,
    services: Vec<ServiceSpec>,
    accounts: Vec<StorageAccount>,
    profile: Option<ProfileSpec>,
}

impl CloudBuilder {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            seed: 1,
            arm_endpoint: "https://management.azure.com".to_owned(),
            identity_header: None,
            locks: true,
            throttles: true,
            page_size: 100,
            services: Vec::new(),
            accounts: Vec::new(),
            profile: None,
        }
    }

    /// Where Resource Manager is served, without a slash at the end: the beginning of every `Location` and
    /// `nextLink`, and the audience of its tokens.
    pub fn arm_endpoint(self, url: &str) -> Self {
        Self { arm_endpoint: url.trim_end_matches('/').to_owned(), ..self }
    }

    /// What the managed identity endpoint wants in `X-IDENTITY-HEADER`; drawn from the seed if not given.
    pub fn identity_header(self, secret: &str) -> Self {
        Self { identity_header: Some(secret.to_owned()), ..self }
    }

    /// The seed of all ids. Two clouds of one seed that are asked the same answer the same.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Adds a service.
    pub fn service(mut self, service: ServiceSpec) -> Self {
        self.services.push(service);
        self
    }

    /// Adds a storage account that services can be told to use.
    pub fn storage(mut self, account: StorageAccount) -> Self {
        self.accounts.push(account);
        self
    }

    /// Adds a Traffic Manager profile over all services, the first before the second.
    pub fn traffic_manager(self, profile: ProfileSpec) -> Self {
        Self { profile: Some(profile), ..self }
    }

    /// Accepts an operation although another one runs. Azure's `ServiceLocked` was seen on other calls than
    /// backup and restore: a careful caller does not count on it, and [`Journal::overlaps`] tells.
    pub fn without_lock(self) -> Self {
        Self { locks: false, ..self }
    }

    /// Lets everybody ask as much as they like. For tests whose clock stands still while they ask: a token
    /// bucket fills by the cloud's clock.
    pub fn without_throttling(self) -> Self {
        Self { throttles: false, ..self }
    }

    /// How many entries a list has at most before it goes on at its `nextLink`; 100 to begin with.
    pub fn page_size(self, page_size: usize) -> Self {
        Self { page_size, ..self }
    }

    /// Builds the cloud.
    pub fn build(self) -> Cloud {
        let (ids, journal) = (Ids::new(self.seed), Journal::default());
        let header = self.identity_header.unwrap_or_else(|| ids.guid());
        let directory = Directory::new(self.clock.clone(), ids.clone(), header);
        directory.add_audience(&self.arm_endpoint);
        let now = self.clock.now();
        let services: Vec<_> = self.services.into_iter().map(|spec| Service::new(spec, now)).collect();
        let state = State {
            traffic: Traffic::new(self.profile.as_ref(), &services, now),
            services,
            operations: Vec::new(),
            accounts: self.accounts,
            faults: Faults::default(),
            rights: Rights::default(),
            groups: Vec::new(),
            backup_lasts: Duration::minutes(11),
            restore_lasts: Duration::minutes(19),
            latency: std::time::Duration::ZERO,
            buckets: Buckets::default(),
            page_size: self.page_size.max(1),
            shuffled: None,
        };
        let cloud = Cloud(Arc::new(Inner {
            clock: self.clock,
            ids,
            journal,
            directory,
            arm_endpoint: self.arm_endpoint,
            locks: self.locks,
            throttles: self.throttles,
            state: Mutex::new(state),
            settling: tokio::sync::Mutex::new(()),
        }));
        cloud.advance_traffic();
        cloud
    }
}
