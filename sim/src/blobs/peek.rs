//! What lies in the account, for those who check it: no request, no journal, no fault.

use axum::body::Bytes;

use super::Blobs;

/// A blob as it lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeked {
    /// Its content.
    pub content: Bytes,
    /// Its version, without quotes.
    pub etag: String,
}

impl Blobs {
    /// A blob, if there is one.
    pub fn peek(&self, container: &str, blob: &str) -> Option<Peeked> {
        let store = self.store();
        let blob = store.containers.get(container)?.blobs.get(blob)?;
        Some(Peeked { content: blob.content.clone(), etag: blob.stamp.etag.clone() })
    }

    /// The names of all blobs of a container that begin with `prefix`, in order.
    pub fn names(&self, container: &str, prefix: &str) -> Vec<String> {
        let store = self.store();
        let Some(container) = store.containers.get(container) else { return Vec::new() };
        let from = container.blobs.range(prefix.to_owned()..);
        from.map(|(name, _)| name).take_while(|name| name.starts_with(prefix)).cloned().collect()
    }
}
