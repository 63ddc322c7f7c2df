//! Bad input: plain functions that feed one reader of the handler each, whatever the bytes are.
//!
//! A function panics if the handler does, or if what it made of the bytes cannot be right. They are run over a
//! corpus and what [`mutate`] makes of it by every test, for longer by `cargo xtask prove fuzz`, and by `cargo fuzz`
//! from `fuzz/libfuzzer` where a nightly toolchain is at hand.

mod answers;
mod corpus;
mod envelope;
pub mod mutate;
mod readers;

/// A reader and what it is fed with at first.
pub struct Target {
    /// Its name, as on a command line.
    pub name: &'static str,
    /// Feeds it.
    pub feed: fn(&[u8]),
    /// What it reads on good days.
    pub corpus: fn() -> Vec<Vec<u8>>,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "envelope", feed: envelope::timer_and_blob, corpus: corpus::envelopes },
    Target { name: "record", feed: readers::record, corpus: corpus::records },
    Target { name: "manifest", feed: readers::manifest, corpus: corpus::manifests },
    Target { name: "health", feed: readers::health, corpus: corpus::healths },
    Target {
        name: "connection-string",
        feed: readers::connection_string,
        corpus: corpus::connection_strings,
    },
    Target { name: "resource-id", feed: readers::resource_id, corpus: corpus::resource_ids },
    Target { name: "schedule", feed: readers::schedule, corpus: corpus::schedules },
    Target { name: "settings", feed: readers::settings, corpus: corpus::settings },
    Target { name: "blob-uri", feed: readers::blob_uri, corpus: corpus::blob_uris },
    Target { name: "profile", feed: readers::profile, corpus: corpus::profiles },
    Target { name: "poll", feed: answers::poll, corpus: corpus::answers },
    Target { name: "post", feed: answers::post, corpus: corpus::answers },
    Target { name: "look", feed: answers::look, corpus: corpus::answers },
    Target { name: "inventory-page", feed: answers::inventory_page, corpus: corpus::inventory_pages },
    Target { name: "storage", feed: answers::storage, corpus: corpus::answers },
];

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
