//! The command line: a process of its own that does one thing and ends.

use std::sync::Arc;

use apim_dr::arrival::Arrival;
use apim_dr::azure::Azure;
use apim_dr::clock::InvocationClock;
use apim_dr::config::Config;
use apim_dr::deployment::Deployment;
use apim_dr::domain::id::ServiceName;
use apim_dr::domain::record::By;
use apim_dr::domain::vocabulary::{Container, InvocationId, Timestamp};
use apim_dr::drive::Driver;
use apim_dr::health::Watch;
use apim_dr::invocation::{self, Start, Wish};

use super::World;
use super::call::{Call, Said};
use super::invoke::End;
use super::process::{Life, stopwatch};
use super::sent::BACKUPS;
use super::wire::Wire;
use crate::plan::{Line, SERVICES};

impl World {
    /// Which words these are now.
    pub(super) fn said(&self, line: Line) -> Said {
        match line {
            Line::Backup(of) => Said::Backup(of),
            Line::Restore { choice, into, even_if_live } => {
                Said::Restore { blob: self.chosen(choice).1, into, even_if_live }
            }
            Line::Withdraw(of) => Said::Withdraw(of),
            Line::Resume { even_if_unknown } => Said::Resume { even_if_unknown },
            Line::Tick => Said::Tick,
        }
    }

    /// Does what was said, and comes back with its end.
    pub(super) async fn run_line(self: &Arc<Self>, call: &Arc<Call>, said: &Said) -> End {
        let lookup = |name: &str| call.deployed.setting(&self.plan.setup, &self.tenant, name);
        let config = match Config::from_lookup(lookup) {
            Ok(config) => config,
            Err(problems) => return End::Failed(500, problems.to_string()),
        };
        let life = Life::default();
        let wire = Wire { world: Arc::downgrade(self), life: life.clone() };
        let azure = Azure::with_transport(&config, Arc::new(wire));
        let (deployment, watch) = (Deployment::of(&config), Watch::of(&config));
        let clock = InvocationClock::new(Timestamp::new(call.utc_now()), stopwatch());
        let driver = Driver::new(&azure, &deployment, InvocationId::from(call.id.as_str()), clock);
        let work = invocation::run(driver, &watch, (wish(said), Start::Hand));
        match life.during(Arc::clone(call).scope(work)).await {
            Some(Ok(ended)) => match &ended.failure {
                Some(why) => End::Failed(1, why.clone()),
                None => End::Succeeded(invocation::lines(&ended, Start::Hand).join("\n")),
            },
            Some(Err(why)) => End::Failed(1, why),
            None => End::Died,
        }
    }
}

fn wish(said: &Said) -> Wish {
    match said {
        Said::Backup(of) => Wish::Backup(of.map(name)),
        Said::Restore { blob, into, even_if_live } => Wish::Restore(Arrival {
            container: Container::from(BACKUPS),
            path: blob.clone(),
            by: By::Hand,
            into: into.map(name),
            even_if_live: *even_if_live,
        }),
        Said::Withdraw(of) => Wish::Withdraw(of.map(name)),
        Said::Resume { even_if_unknown } => Wish::Resume { even_if_unknown: *even_if_unknown },
        Said::Tick => Wish::None,
    }
}

fn name(service: usize) -> ServiceName {
    match ServiceName::parse(SERVICES[service].0) {
        Ok(name) => name,
        Err(_) => unreachable!("the services of these worlds have names"),
    }
}
