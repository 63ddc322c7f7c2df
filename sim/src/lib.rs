//! A simulated Azure for `apim-dr`: Resource Manager with API Management, token endpoints, blob storage,
//! and a stand-in for the Azure Functions host. It shares no type with the handler: a misreading of Azure
//! must be made twice to pass.
//!
//! Where to begin:
//!
//! - [`simulation::Simulation::start`] brings everything up over real sockets, under TLS by an authority of
//!   its own, and yields the settings that a handler in another process needs.
//! - [`cloud::Cloud`] is the cloud itself: services with content, operations, storage accounts. Without
//!   sockets it is driven through [`cloud::Cloud::router`] (Resource Manager and Entra in one) and
//!   [`cloud::Cloud::identity_router`], under tokio's paused time if need be.
//! - [`traffic`] is Traffic Manager: it probes the gateways and moves users by itself.
//! - [`knobs`] plan what goes wrong, [`journal`] tells what happened, [`clock`] is the time.
//! - [`content`] is what services hold, compares two of them, and imports the documents under `sim/apis`.
//! - [`tokens`] is the tenant: identities, applications, the tokens that it issued.
//! - [`blobs`] is embedded blob storage, [`storage`] a client for that, Azurite and Azure.
//! - [`door`] is a gateway over a real socket, with its certificates.
//! - [`receiver`] takes alerts and heartbeats.
//! - [`host`] is the stand-in for the Functions host.
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use apim_dr_sim::clock::Clock;
//! use apim_dr_sim::knobs::{Fault, Request};
//! use apim_dr_sim::simulation::{Options, Simulation};
//!
//! let clock = Clock::manual(time::OffsetDateTime::now_utc());
//! let simulation = Simulation::start(Options::new(clock.clone())).await?;
//! let cloud = simulation.cloud();
//! cloud.next(Request::Backup, Fault::status(429).retry_after(17));
//! let settings = simulation.settings();
//! // … start a handler with these settings, let it tick, move the clock …
//! clock.advance(time::Duration::minutes(11));
//! cloud.settle().await;
//! println!("{}", cloud.differences("contoso-west", "contoso-north"));
//! assert!(cloud.journal().overlaps().is_empty());
//! # Ok(()) }
//! ```

mod arm;
pub mod blobs;
pub mod clock;
pub mod cloud;
pub mod content;
mod control;
pub mod door;
mod form;
pub mod host;
mod ids;
pub mod journal;
pub mod knobs;
pub mod receiver;
pub mod serve;
pub mod simulation;
pub mod storage;
pub mod tls;
pub mod tokens;
pub mod traffic;
