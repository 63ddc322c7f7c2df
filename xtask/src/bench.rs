//! `cargo xtask bench`: the figures that the product promises, measured on this machine.

mod crawl;
mod load;

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use apim_dr_sim::clock::Clock;
use apim_dr_sim::host::{Host, HostOptions};
use apim_dr_sim::simulation::{Options, Simulation};
use time::macros::datetime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use self::load::{Called, Load};
use crate::chores;
use crate::shell::{Done, executable, root};

/// Enough for a median that one busy moment does not move.
const RUNS: usize = 20;

/// A full cycle in simulated minutes, with some idle ticks after it.
const CYCLE_MINUTES: usize = 45;

/// Measures the optimised binary and prints a table.
pub(crate) fn run() -> Done {
    chores::build()?;
    let handler = root().join(executable("apim-dr"));
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(measure(&handler))
}

async fn measure(handler: &Path) -> Done {
    let size = fs::metadata(handler).map_err(|error| error.to_string())?.len();
    let start = start_up(handler).await?;
    let cycle = full_cycle(handler).await?;
    println!("\n{:<52} {:>10} {:>10}", "figure", "measured", "at most");
    println!("{:<52} {:>7.1} ms {:>7} ms", "process start to first answer, median of 20", start, 15);
    println!("{:<52} {:>7.1} MB {:>7} MB", "resident memory after a full cycle", cycle.resident, 12);
    println!("{:<52} {:>7.2} MB {:>7} MB", "stripped binary", size as f64 / 1e6, 6);
    println!("{:<52} {:>10} {:>10}", "storage requests of an idle tick", cycle.storage_requests, 4);
    println!("{:<52} {:>10} {:>10}", "ARM requests of an idle tick", cycle.arm_requests, 0);
    print_load(&cycle);
    crawl::measure(handler).await
}

fn print_load(cycle: &Cycle) {
    let (ticks, backups) = (&cycle.idle_ticks, &cycle.whole_backups);
    let away = load::STORAGE_AWAY.as_millis();
    println!("\n{} idle ticks, 50 at once, storage {away} ms away:", load::CALLS);
    println!("{:<52} {:>8.2} s", "  all answered after", ticks.took.as_secs_f64());
    println!("{:<52} {:>7.0} ms", "  the slowest answer after", ticks.slowest.as_secs_f64() * 1e3);
    println!("{:<52} {:>7.1} MB", "  most resident memory meanwhile", ticks.peak);
    println!("{} bodies of {} MB at once:", load::BODIES, load::BODY_BYTES / 1_000_000);
    println!("{:<52} {:>8.2} s", "  all answered after", backups.took.as_secs_f64());
    println!("{:<52} {:>7.1} MB", "  most resident memory meanwhile", backups.peak);
}

/// Median time from spawning the handler to its first HTTP answer, in milliseconds.
async fn start_up(handler: &Path) -> Result<f64, String> {
    let mut times = Vec::new();
    // The first run reads the file from disk and does not count.
    for run in 0..=RUNS {
        let took = first_answer(handler).await?;
        if run > 0 {
            times.push(took.as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    Ok((times[RUNS / 2 - 1] + times[RUNS / 2]) / 2.0)
}

async fn first_answer(handler: &Path) -> Result<Duration, String> {
    let port = free_port()?;
    let began = Instant::now();
    let child = Command::new(handler)
        .env_clear()
        .envs(settings_for_start(port))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", handler.display()))?;
    let _killed_on_drop = Killed(child);
    while began.elapsed() < Duration::from_secs(10) {
        if answers(port).await {
            return Ok(began.elapsed());
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    Err("the handler did not answer within 10 s".into())
}

/// Settings that are complete, so that start-up does all of its work; nothing is asked of any server.
fn settings_for_start(port: u16) -> BTreeMap<&'static str, String> {
    let service = |name: &str| {
        let group = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/apim";
        format!("{group}/providers/Microsoft.ApiManagement/service/{name}")
    };
    BTreeMap::from([
        ("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string()),
        ("BackupStorage", "UseDevelopmentStorage=true".to_owned()),
        ("BACKUP_CONTAINER", "apim-backups".to_owned()),
        ("APIM_PRIMARY_ID", service("contoso-weu")),
        ("APIM_SECONDARY_IDS", service("contoso-neu")),
        ("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token".to_owned()),
        ("IDENTITY_HEADER", "bench".to_owned()),
    ])
}

async fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return false };
    let request = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    let mut answer = [0; 12];
    stream.write_all(request).await.is_ok() && stream.read_exact(&mut answer).await.is_ok()
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Nothing can be done about a process that cannot be killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Cycle {
    resident: f64,
    storage_requests: usize,
    arm_requests: usize,
    idle_ticks: Load,
    whole_backups: Load,
}

/// A backup and a restore under the host stand-in; then the memory, and what one idle tick asks for.
async fn full_cycle(handler: &Path) -> Result<Cycle, String> {
    let clock = Clock::manual(datetime!(2026-03-02 08:58 UTC));
    let simulation =
        Simulation::start(Options::new(clock.clone())).await.map_err(|error| error.to_string())?;
    let host = start_host(handler, (&simulation, &clock)).await?;
    for _ in 0..CYCLE_MINUTES {
        clock.advance(time::Duration::MINUTE);
        host.tick().await;
        host.scan().await;
    }
    let blobs = simulation.blobs().ok_or("the simulation has no embedded blobs")?;
    let (storage_before, arm_before) = (blobs.requests(), simulation.cloud().journal().exchanges().len());
    clock.advance(time::Duration::MINUTE);
    host.tick().await;
    let pid = host.handler_pid().ok_or("the handler does not run")?;
    let endpoint = simulation.account().endpoint.as_str();
    let called = Called { port: host.handler_port(), pid, clock: &clock, endpoint };
    let cycle = Cycle {
        resident: memory(pid, "VmRSS:")?,
        storage_requests: blobs.requests() - storage_before,
        arm_requests: simulation.cloud().journal().exchanges().len() - arm_before,
        whole_backups: called.whole_backups().await?,
        idle_ticks: called.idle_ticks(blobs).await?,
    };
    if simulation.cloud().journal().operations().len() != 2 {
        return Err("the cycle was not one backup and one restore: run `cargo xtask demo` to see it".into());
    }
    host.stop().await;
    Ok(cycle)
}

/// The host stand-in with this handler, in a simulation.
async fn start_host(handler: &Path, (simulation, clock): (&Simulation, &Clock)) -> Result<Host, String> {
    let mut settings = simulation.settings();
    settings.insert("AzureWebJobsStorage".into(), simulation.account().connection_string());
    let mut options = HostOptions::new(root(), settings, clock.clone());
    options.executable = Some(PathBuf::from(handler));
    Host::start(options).await.map_err(|error| error.to_string())
}

/// Memory of a process in megabytes, as Linux counts it: `VmRSS:` what is resident, `VmHWM:` the most that was.
fn memory(pid: u32, what: &str) -> Result<f64, String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).map_err(|error| error.to_string())?;
    let found = status.lines().find_map(|line| line.strip_prefix(what));
    let kilobytes = found.ok_or_else(|| format!("no {what}"))?.trim().trim_end_matches(" kB");
    let kilobytes: f64 = kilobytes.parse().map_err(|_| format!("{what} is no number"))?;
    Ok(kilobytes * 1024.0 / 1e6)
}
