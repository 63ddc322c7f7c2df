//! The tables and the limits, over a transport in memory under paused time.

mod limits;
mod looks;
mod polls;
mod posts;
mod profiles;
mod script;
mod tokens;
mod wire;
