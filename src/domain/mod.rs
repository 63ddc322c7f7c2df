//! The decisions, pure: no clock, no socket, no environment, no async.

pub mod adoption;
pub mod backup;
pub mod deadline;
pub mod decide;
pub mod decision;
pub mod event;
pub mod failover;
pub mod gate;
pub mod health;
pub mod id;
pub mod inventory;
pub mod manifest;
pub mod observation;
pub mod offer;
pub mod operation;
pub mod record;
pub mod restore;
pub mod retention;
pub mod schedule;
pub mod serving;
pub mod status;
pub mod summary;
pub mod take_up;
pub mod unprotected;
pub mod vocabulary;
