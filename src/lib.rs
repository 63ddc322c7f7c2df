//! `apim-dr` keeps a verified standby of an Azure API Management service in another region.

pub mod azure;
pub mod clock;
pub mod config;
pub mod domain;
pub mod host;
pub mod log;
