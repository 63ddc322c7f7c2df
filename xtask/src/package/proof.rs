//! The proof of a package: unpacked into an empty folder, under the stand-in for the Functions host, with
//! nothing of this repository around it, it has to back up and to restore.

use std::collections::BTreeSet;
use std::fs;

use apim_dr_sim::clock::Clock;
use apim_dr_sim::host::{Host, HostOptions, Invocation, Outcome};
use apim_dr_sim::simulation::{Options, Simulation};
use apim_dr_sim::storage::StorageClient;
use time::macros::datetime;

use super::{Plan, archive};
use crate::demo::{LONGEST_ACT, holds_a_backup, services};
use crate::shell::{Done, at, built};

/// The containers of a deployment: a subscription to the account's events speaks of both.
const CONTAINERS: [&str; 2] = ["apim-backups", "apim-dr"];

/// Runs the main job from the package.
pub(super) fn main_job(plan: Plan, zip: &[u8]) -> Done {
    let folder = built("package-proof").join(plan.file().trim_end_matches(".zip"));
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| at(&folder, &error))?;
    }
    archive::unzip(zip, &folder)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let clock = Clock::manual(datetime!(2026-03-02 08:58 UTC));
        let options = Options::new(clock.clone());
        let simulation = Simulation::start(options).await.map_err(|error| error.to_string())?;
        let mut settings = simulation.settings();
        settings.insert("AzureWebJobsStorage".into(), simulation.account().connection_string());
        // Log lines as Azure gets them: the proof reads them.
        settings.insert("WEBSITE_INSTANCE_ID".into(), "proof".into());
        let host = Host::start(HostOptions::new(&folder, settings, clock.clone()));
        let host = host.await.map_err(|error| error.to_string())?;
        let done = standby(&host, &simulation, (plan, &clock)).await;
        host.stop().await;
        done
    })
}

/// Lets minutes pass until the standby holds what the primary holds.
async fn standby(host: &Host, simulation: &Simulation, (plan, clock): (Plan, &Clock)) -> Done {
    let (primary, secondary) = services(simulation)?;
    let storage = simulation.storage().map_err(|error| error.to_string())?;
    let mut events = Events::default();
    for _ in 0..LONGEST_ACT {
        clock.advance(time::Duration::MINUTE);
        let mut invocations = vec![host.tick().await];
        invocations.extend(match plan {
            Plan::Consumption | Plan::Windows => host.scan().await,
            Plan::Flex => events.deliver(host, &storage).await?,
        });
        invocations.iter().try_for_each(succeeded)?;
        if holds_a_backup(host, &secondary) {
            return alike(simulation, &primary, &secondary);
        }
    }
    Err(format!("nothing was restored in {LONGEST_ACT} simulated minutes"))
}

fn succeeded(invocation: &Invocation) -> Done {
    match &invocation.outcome {
        Outcome::Succeeded { .. } => Ok(()),
        other => Err(format!("{} ({}): {other:?}", invocation.function, invocation.cause)),
    }
}

/// One backup, one restore, and nothing that an event brought about beside them.
fn alike(simulation: &Simulation, primary: &str, secondary: &str) -> Done {
    let operations = simulation.cloud().journal().operations().len();
    if operations != 2 {
        return Err(format!("Azure took {operations} operations, not one backup and one restore"));
    }
    let comparison = simulation.cloud().differences(primary, secondary);
    if comparison.is_alike() { Ok(()) } else { Err(comparison.to_string()) }
}

/// What Event Grid tells: every new version of every blob, for nobody filters.
#[derive(Default)]
struct Events(BTreeSet<(&'static str, String, String)>);

impl Events {
    async fn deliver(&mut self, host: &Host, storage: &StorageClient) -> Result<Vec<Invocation>, String> {
        let mut invocations = Vec::new();
        for container in CONTAINERS {
            let blobs = storage.list(container, "").await.map_err(|error| error.to_string())?;
            for blob in blobs {
                if self.0.insert((container, blob.name.clone(), blob.etag.to_string())) {
                    invocations.extend(host.notify(container, &blob.name).await);
                }
            }
        }
        Ok(invocations)
    }
}
