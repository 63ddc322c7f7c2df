//! What it takes to read a large service: the time against what Resource Manager's limits leave at best, and the memory.

use std::path::Path;
use std::process::Command;

use apim_dr_sim::clock::Clock;
use apim_dr_sim::content::Content;
use apim_dr_sim::knobs::Request;
use apim_dr_sim::simulation::{Options, Simulation};
use serde_json::Value;
use time::macros::datetime;

use super::{memory, start_host};
use crate::seeds;
use crate::shell::Done;

/// APIs of the services that are read.
const SIZES: [usize; 3] = [100, 1_000, 5_000];

/// How much longer than at best it may take.
const AT_MOST: f64 = 1.1;

/// The largest service is read by the handler itself as well: for its memory alone, as fast as the simulator answers.
const LARGEST: usize = 5_000;

/// More than enough, where nothing is held back.
const MOST_TICKS: usize = 30;

/// Prints both. The time is virtual: the handler's own code, with each answer after 50 ms and the limits in place.
pub(super) async fn measure(handler: &Path) -> Done {
    let program = seeds::build()?;
    println!("\n{:<52} {:>10} {:>10}", "reading a service", "measured", "at most");
    for apis in SIZES {
        let read = read(&program, apis)?;
        let number = |name: &str| read[name].as_f64().unwrap_or_default();
        let (seconds, least) = (number("seconds"), number("least"));
        let what = format!("{apis} APIs, {} reads, {} ticks", read["reads"], read["ticks"]);
        println!("{what:<52} {seconds:>8.1} s {:>8.1} s", least * AT_MOST);
        println!("{:<52} {:>10} {:>10}", "  reads that were turned away", read["throttled"].to_string(), 0);
        println!("{:<52} {:>10.3} {AT_MOST:>10}", "  times what the limits leave at best", seconds / least);
    }
    let peak = peak(handler).await?;
    println!("{:<52} {peak:>7.1} MB {:>7} MB", format!("most memory while {LARGEST} APIs are read"), 24);
    Ok(())
}

fn read(program: &Path, apis: usize) -> Result<Value, String> {
    let output = Command::new(program).arg("--crawl").arg(apis.to_string()).output();
    let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// The most memory that the handler ever had in use while it took the inventory of a large service, in megabytes.
async fn peak(handler: &Path) -> Result<f64, String> {
    let clock = Clock::manual(datetime!(2026-03-02 08:58 UTC));
    let mut options = Options::new(clock.clone());
    options.throttles = false;
    options.services[0] = options.services[0].clone().with_content(Content::large(LARGEST, 1));
    let simulation = Simulation::start(options).await.map_err(|error| error.to_string())?;
    let host = start_host(handler, (&simulation, &clock)).await?;
    for _ in 0..MOST_TICKS {
        clock.advance(time::Duration::MINUTE);
        host.tick().await;
        if !simulation.cloud().journal().of(Request::Backup).is_empty() {
            let pid = host.handler_pid().ok_or("the handler does not run")?;
            let peak = memory(pid, "VmHWM:");
            host.stop().await;
            return peak;
        }
    }
    Err(format!("{LARGEST} APIs are not read after {MOST_TICKS} ticks"))
}
