//! The Functions host's protocol over real sockets: every kind of call, in process and against the binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod calls;
mod client;
mod process;
mod server;
