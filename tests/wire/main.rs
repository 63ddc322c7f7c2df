//! The wire: the real program under the stand-in for the Functions host, against a simulated Azure over TLS.
//! Each test is a story of a deployment, and time passes as the story needs it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod alerts;
mod answers;
mod by_hand;
mod events;
mod failing_over;
mod front_door;
mod gate;
mod idle;
mod inventories;
mod kills;
mod late_events;
mod log;
mod main_job;
mod polls;
mod posts;
mod retention;
mod secrets;
mod settings;
mod setup;
mod stalest_first;
mod standby;
mod storage_trouble;
mod toll;
mod trouble;
mod two_hosts;
mod unprotected;
mod world;
