//! The host stand-in, with a handler that does as it is told and the embedded storage.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admin;
mod answers;
mod blob_trigger;
mod process;
mod request;
mod run;
mod timer;
mod world;
