//! A simulated Azure for `apim-dr`: Resource Manager with API Management, token endpoints, blob storage,
//! and a stand-in for the Azure Functions host. It shares no type with the handler: a misreading of Azure
//! must be made twice to pass.

mod arm;
pub mod blobs;
pub mod clock;
pub mod cloud;
pub mod content;
mod form;
pub mod host;
mod ids;
pub mod journal;
pub mod knobs;
pub mod serve;
pub mod simulation;
pub mod storage;
pub mod tls;
pub mod tokens;
