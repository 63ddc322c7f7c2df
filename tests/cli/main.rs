//! The operator's command line, as a process of its own, against a simulated Azure. There is no Functions host in these
//! stories but where one is started.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asking;
mod failing_back;
mod looking;
mod settings;
mod trouble;
mod waiting;
mod world;
