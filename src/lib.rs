//! `apim-dr` keeps a verified standby of an Azure API Management service in another region.

pub mod arrival;
pub mod azure;
pub mod cli;
pub mod clock;
pub mod config;
pub mod deployment;
pub mod doctor;
pub mod domain;
pub mod drive;
pub mod handler;
pub mod health;
pub mod host;
pub mod invocation;
pub mod log;
pub mod serving;
