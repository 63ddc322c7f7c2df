//! Seeded simulation: the real handler, its SDK clients included, in worlds in which everything goes wrong that
//! a seed has drawn, and an observer that watches for what must never happen.
//!
//! - `plan`: what is drawn of a world before it begins.
//! - `world`: the simulated Azure, the instances of the handler, and what the host and people do.
//! - `observer`: the promises, one by one, checked after every request.
//! - [`crawl`]: how fast a large service is read, with nothing in the way but Resource Manager's limits.
//! - [`range`]: many worlds on all cores. [`seed`]: one, and what of it a violation needs.

pub mod crawl;
mod draws;
mod lines;
mod observer;
mod plan;
pub mod range;
mod secrets;
pub mod seed;
mod tally;
mod transcript;
mod world;

pub use observer::{Checks, Invariant, Violation};
pub use tally::Tally;
pub use transcript::Transcript;
