//! Embedded blob storage.

pub(crate) mod shared_key;
pub(crate) mod uri;
