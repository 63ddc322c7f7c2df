//! A stand-in for the Azure Functions host, version 4, as an app on the Consumption plan meets it.
//!
//! It starts a custom handler from `host.json` and every `function.json`, watches and restarts it, and
//! calls it as the host does: by the timer, by blobs that appear, by hand. What a row of the timer looks
//! like, what counts as success, how often a blob's event is tried and when the host gives up was read
//! from the host's source and seen on a running host. Time is a [`Clock`]: it writes `UtcNow`, schedules
//! the timer and spaces the handler's deaths; only timeouts are real.
//!
//! What the stand-in does not know (another trigger, a retry policy) it refuses at the start.

mod admin;
mod app;
mod blob_trigger;
mod connection;
mod console;
mod cron;
mod envelope;
mod function;
mod invocation;
mod invoke;
mod memory;
mod outcome;
mod pattern;
mod process;
mod record;
mod restarts;
mod run;
mod settings;
mod timer;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

pub use blob_trigger::BlobEvent;
pub use invocation::{Invocation, Outcome};
pub use memory::{Memory, Poisoned};
pub use record::{Event, Level, Line, Watcher};
pub use timer::TimerCase;

use crate::clock::Clock;
use app::App;
use process::{Handler, Order};
use record::Record;

/// What a host starts with.
pub struct HostOptions {
    /// The folder that holds `host.json` and the functions' folders.
    pub app_root: PathBuf,
    /// The app settings: the handler's environment, and what `%SETTING%` means. An empty value is unset.
    pub settings: BTreeMap<String, String>,
    /// The time that the host writes and schedules by.
    pub clock: Clock,
    /// Starts this instead of `customHandler.description.defaultExecutablePath`.
    pub executable: Option<PathBuf>,
    /// Stands in for `functionTimeout`, in real time.
    pub function_timeout: Option<Duration>,
    /// From an invocation's timeout to the handler's end.
    pub timeout_grace: Duration,
    /// Stands in for `customHandler.initializationTimeout`, in real time.
    pub initialization_timeout: Option<Duration>,
    /// How long an invocation waits for a handler that is not ready, before the host stops itself.
    pub patience: Duration,
    /// What outlives the host: timer status, receipts, queue. A clone handed to the next host makes it the
    /// same app, started again; a fresh one is an app with a new host id.
    pub memory: Memory,
    /// Is told of everything that happens, as it happens.
    pub watcher: Option<Watcher>,
}

impl HostOptions {
    /// The options of a host as Azure would start it, with nothing remembered.
    pub fn new(app_root: impl Into<PathBuf>, settings: BTreeMap<String, String>, clock: Clock) -> Self {
        Self {
            app_root: app_root.into(),
            settings,
            clock,
            executable: None,
            function_timeout: None,
            timeout_grace: Duration::from_secs(2),
            initialization_timeout: None,
            patience: Duration::from_secs(4 * 30),
            memory: Memory::default(),
            watcher: None,
        }
    }
}

/// Why a host did not start.
#[derive(Debug)]
pub struct StartError {
    /// The file at fault, or what else is.
    pub subject: String,
    /// What is wrong with it.
    pub reason: String,
}

impl StartError {
    fn new(subject: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self { subject: subject.into(), reason: reason.to_string() }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the host can not start: {}: {}", self.subject, self.reason)
    }
}

impl std::error::Error for StartError {}

/// Whether a host still works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It calls its functions, as far as they are enabled and the handler answers.
    Running,
    /// It gave up, or was stopped. The text says why, with the handler's last error lines.
    ShutDown(String),
}

/// A running host. Dropping it kills the handler, without a signal that it could catch.
pub struct Host {
    inner: Arc<Inner>,
    supervisor: JoinHandle<()>,
}

/// What a host's tasks share.
struct Inner {
    app: App,
    clock: Clock,
    memory: Memory,
    port: u16,
    http: reqwest::Client,
    timing: Timing,
    record: Record,
    handler: watch::Sender<Handler>,
    orders: mpsc::UnboundedSender<Order>,
    in_flight: watch::Sender<usize>,
    /// As many blob events are worked on at a time as the host would.
    blob_calls: Semaphore,
}

/// Durations in real time.
struct Timing {
    function_timeout: Duration,
    timeout_grace: Duration,
    initialization_timeout: Duration,
    patience: Duration,
}

impl Host {
    /// Reads the app, starts the handler and returns at once; invocations wait until it answers.
    ///
    /// # Errors
    /// When the app's files can not be used. A handler that can not be started is no error here: the host
    /// looks started, as the real one does.
    pub async fn start(options: HostOptions) -> Result<Self, StartError> {
        // Whoever installed a provider before is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let app = App::read(&options)?;
        let port = process::choose_port(app.port)?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| StartError::new("HTTP client", error))?;
        let timing = Timing {
            function_timeout: options.function_timeout.unwrap_or(app.function_timeout),
            timeout_grace: options.timeout_grace,
            initialization_timeout: options.initialization_timeout.unwrap_or(app.initialization_timeout),
            patience: options.patience,
        };
        let (orders, received) = mpsc::unbounded_channel();
        let inner = Arc::new(Inner {
            blob_calls: Semaphore::new(app.blob_parallelism),
            clock: options.clock,
            memory: options.memory,
            port,
            http,
            timing,
            record: Record::new(options.watcher),
            handler: watch::Sender::new(Handler::Starting),
            orders,
            in_flight: watch::Sender::new(0),
            app,
        });
        inner.memory.host_started();
        inner.report_disabled();
        let supervisor = tokio::spawn(process::supervise(inner.clone(), received));
        Ok(Self { inner, supervisor })
    }

    /// Waits until the handler answers. False: it will not, and [`Host::state`] or [`Host::lines`] say why.
    pub async fn ready(&self) -> bool {
        self.inner.await_handler().await.is_ok()
    }

    /// The port that the handler listens on, the same after every restart.
    pub fn handler_port(&self) -> u16 {
        self.inner.port
    }

    /// The process id of the handler, once it is ready and until it ends.
    pub fn handler_pid(&self) -> Option<u32> {
        match *self.inner.handler.borrow() {
            Handler::Ready(pid) => Some(pid),
            _ => None,
        }
    }

    /// Pings the handler once more, as the host's health checks may at any time. Any status means that it
    /// lives; `None` means that nobody answered.
    pub async fn ping(&self) -> Option<u16> {
        let response = self.inner.http.get(self.inner.ping_url()).send().await.ok()?;
        Some(response.status().as_u16())
    }

    /// Kills the handler with SIGKILL, as a crash would, and returns once it has ended. The host counts
    /// this as an error and starts another. False: there was none to kill.
    pub async fn kill_handler(&self) -> bool {
        let mut handler = self.inner.handler.subscribe();
        let killed = handler.borrow_and_update().clone();
        if !matches!(killed, Handler::Ready(_) | Handler::Starting) {
            return false;
        }
        let (done, ended) = tokio::sync::oneshot::channel();
        self.inner.orders.send(Order::Kill(done)).is_ok() && ended.await.is_ok()
    }

    /// Whether the host works.
    pub fn state(&self) -> State {
        match &*self.inner.handler.borrow() {
            Handler::ShutDown(reason) => State::ShutDown(reason.clone()),
            _ => State::Running,
        }
    }

    /// Every line so far: what the handler printed, and what the host had to say. The handler's lines come
    /// through a pipe, so the last ones of an invocation may arrive a moment after its end.
    pub fn lines(&self) -> Vec<Line> {
        self.inner.record.lines()
    }

    /// Every invocation that has ended, those by the admin API included.
    pub fn invocations(&self) -> Vec<Invocation> {
        self.inner.record.invocations()
    }

    /// The events that were given up after their last try.
    pub fn poison(&self) -> Vec<Poisoned> {
        self.inner.memory.poison()
    }

    /// The functions that the host does not run, and why.
    pub fn disabled(&self) -> Vec<(String, String)> {
        let functions = self.inner.app.functions.iter();
        let disabled = functions.filter_map(|function| Some((function, function.trigger.as_ref().err()?)));
        disabled.map(|(function, why)| (function.name.clone(), why.clone())).collect()
    }

    /// Stops the host: running invocations get up to ten seconds, then the handler is killed without a
    /// signal that it could catch.
    pub async fn stop(self) {
        self.inner.stop().await;
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.inner.handler.send_replace(Handler::ShutDown("the host was stopped".to_owned()));
        self.supervisor.abort();
    }
}

impl Inner {
    fn report_disabled(&self) {
        for function in &self.app.functions {
            if let Err(why) = &function.trigger {
                let name = &function.name;
                let text = format!("The '{name}' function failed indexing and will be disabled: {why}");
                self.record.host_line(Level::Error, text);
            }
        }
        if let Some(why) = &self.app.no_listeners {
            self.record.host_line(Level::Error, why.clone());
        }
    }

    fn ping_url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// How long a stopping host waits for running invocations.
    const DRAIN: Duration = Duration::from_secs(10);

    async fn stop(&self) {
        let mut in_flight = self.in_flight.subscribe();
        let idle = in_flight.wait_for(|count| *count == 0);
        let _ = tokio::time::timeout(Self::DRAIN, idle).await;
        let (done, ended) = tokio::sync::oneshot::channel();
        if self.orders.send(Order::Stop(done)).is_ok() {
            let _ = ended.await;
        }
    }
}
