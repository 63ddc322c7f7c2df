//! The tables and the limits, over a transport in memory under paused time.

mod crawls;
mod limits;
mod lists;
mod looks;
mod pacing;
mod polls;
mod posts;
mod profiles;
mod script;
mod tokens;
mod wire;
