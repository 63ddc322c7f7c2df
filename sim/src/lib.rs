//! A simulated Azure for `apim-dr`: Resource Manager with API Management, token endpoints, blob storage,
//! and a stand-in for the Azure Functions host. It shares no type with the handler: a misreading of Azure
//! must be made twice to pass.

pub mod blobs;
pub mod clock;
pub mod storage;
