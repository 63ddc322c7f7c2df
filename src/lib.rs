//! `apim-dr` keeps a verified standby of an Azure API Management service in another region.

pub mod config;
pub mod domain;
