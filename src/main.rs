//! Start-up: listen where the Functions host connects, then settings, then clients. With words on the command line it is
//! the operator's program instead.
//!
//! The exit code is never 0 while the host may still call: it would not start the process again. Nor does
//! the process end over bad settings, because the host gives up after three such ends; it serves, and fails
//! each invocation by the settings' names.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;

use apim_dr::azure::Azure;
use apim_dr::cli;
use apim_dr::config::{Config, INSTANCE_ID, PORT, Problems};
use apim_dr::domain::event::{Event, EventName};
use apim_dr::handler;
use apim_dr::host::{self, Work};
use apim_dr::log::{self, Format};
use futures::FutureExt as _;
use tokio::net::TcpListener;
use tokio::sync::SetOnce;

/// The host kills after 5 min whatever a call does, and a call mostly waits for Azure: two threads are
/// enough, and cost less memory than one for every core.
const WORKERS: usize = 2;

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1).peekable();
    match (words.peek(), setting(PORT).filter(|port| !port.is_empty())) {
        (Some(_), _) => cli::run(words, setting),
        (None, Some(port)) => serve(&port),
        (None, None) => {
            let text = "in which the Functions host says where it connects to; `apim-dr --help` tells what else to do";
            complain(&format!("apim-dr: {PORT} is not set, {text}\n"), 2)
        }
    }
}

/// Ends with `code`. A closed stderr leaves nobody to tell.
fn complain(text: &str, code: u8) -> ExitCode {
    drop(std::io::stderr().write_all(text.as_bytes()));
    ExitCode::from(code)
}

#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
fn setting(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

fn serve(port: &str) -> ExitCode {
    let Ok(port) = port.parse() else {
        return complain(&format!("apim-dr: {PORT} is {port:?}, which is no port\n"), 2);
    };
    log::install(if setting(INSTANCE_ID).is_some() { Format::Json } else { Format::Text });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(listen(port)),
        Err(error) => format!("threads cannot be started: {error}"),
    };
    complain(&format!("apim-dr: {ended}\n"), 1)
}

/// Listens first: the host asks every 25 ms whether it may call, and what a call needs is ready later.
/// Comes back only with the reason why it cannot go on.
async fn listen(port: u16) -> String {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => listener,
        Err(error) => return format!("127.0.0.1:{port} ({PORT}) cannot be listened on: {error}"),
    };
    let slot = Arc::new(SetOnce::new());
    let server = tokio::spawn(host::serve(listener, once_there(&slot)));
    let started = format!("version {} listens on 127.0.0.1:{port}", env!("CARGO_PKG_VERSION"));
    log::process_event(&Event::new(EventName::HandlerStarted, started));
    let work = tokio::spawn(async { start_up() }).await;
    // A panic was logged where it happened; the slot is set only here.
    drop(slot.set(work.unwrap_or_else(|_| failing("the handler could not start: see its log".to_owned()))));
    match server.await {
        Ok(Err(error)) => format!("serving ended: {error}"),
        Ok(Ok(())) => "serving ended".to_owned(),
        Err(error) => format!("serving ended: {error}"),
    }
}

/// The work that stands in `slot`, awaited by the first calls.
fn once_there(slot: &Arc<SetOnce<Work>>) -> Work {
    let slot = Arc::clone(slot);
    Arc::new(move |invocation| {
        let slot = Arc::clone(&slot);
        async move { slot.wait().await(invocation).await }.boxed()
    })
}

/// Settings in, work out; bad settings in, work out that says so.
fn start_up() -> Work {
    match Config::from_lookup(setting) {
        Ok(config) => {
            doubt(&config);
            Azure::new(&config).map_or_else(failing, |azure| handler::work(&config, azure))
        }
        Err(problems) => refuse(&problems),
    }
}

/// Says once what is most likely not as it was meant.
fn doubt(config: &Config) {
    for doubt in config.doubts() {
        log::process_event(&Event::new(EventName::ConfigurationSuspect, doubt));
    }
}

/// Names every problem once on stderr, and again in each invocation.
fn refuse(problems: &Problems) -> Work {
    for problem in problems.iter() {
        log::process_event(&Event::new(EventName::SettingRefused, problem.to_string()));
    }
    failing(format!("settings are missing or wrong: {problems}"))
}

/// Work that fails every invocation for the same reason.
fn failing(why: String) -> Work {
    Arc::new(move |_| std::future::ready(Err(why.clone())).boxed())
}
