//! The simulated Azure against what is known of the real one.

#![expect(clippy::unwrap_used, reason = "a helper that fails should end its test")]

mod arm;
mod content;
mod doors;
mod faults;
mod program;
mod receivers;
mod service;
mod sockets;
mod surroundings;
mod throttling;
mod traffic;
mod world;
