//! The handler's process: started, pinged until it answers, watched, restarted or given up.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};

use super::console::Console;
use super::invocation::guid;
use super::record::{Event, Level};
use super::restarts::Restarts;
use super::{App, Inner, StartError};

/// What the host knows of its handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Handler {
    /// Started or about to be; it has not answered yet.
    Starting,
    /// It answers; this is its process id.
    Ready(u32),
    /// It exited with 0. The host takes that for an orderly end: it starts no other, and does not notice
    /// that nobody listens.
    Gone,
    /// The process could not be started. The host does not try again.
    Unstartable,
    /// The host gave up, and why.
    ShutDown(String),
}

/// What somebody wants of the supervisor. The sender is told when the process has ended.
pub(super) enum Order {
    /// SIGKILL, as from outside: an error like any other.
    Kill(oneshot::Sender<()>),
    /// SIGKILL by the host itself, if this process still runs: restarted, not counted.
    KillTimedOut(u32),
    /// SIGKILL and no other handler.
    Stop(oneshot::Sender<()>),
}

/// How one handler process ended.
enum End {
    /// Restarted, counted; the text is the reason.
    Error(String),
    /// Restarted, not counted.
    Uncounted,
    Zero,
    Unstartable,
    Stopped,
}

/// Variables that a process needs to run at all. The rest of this machine's environment stays out, so that
/// a run here is the same as a run elsewhere; in Azure the host's own variables come along.
const INHERITED: [&str; 7] = ["PATH", "HOME", "TMPDIR", "TZ", "LANG", "RUST_BACKTRACE", "LLVM_PROFILE_FILE"];

/// How often the host pings a handler that does not answer yet.
const PING: Duration = Duration::from_millis(25);

/// Ports that no outgoing connection of this machine takes by itself.
const PORTS: std::ops::Range<u64> = 20_000..32_000;

/// The port that the handler is told: the app's own, or a random one.
pub(super) fn choose_port(asked: Option<u16>) -> Result<u16, StartError> {
    if let Some(port) = asked {
        return Ok(port);
    }
    let random = || std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), 0);
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let candidates = (0..100).map(|_| PORTS.start + random() % (PORTS.end - PORTS.start));
    let mut free = candidates.filter_map(|port| u16::try_from(port).ok()).filter(free);
    free.next().ok_or_else(|| StartError::new("handler port", "no free port among a hundred"))
}

/// Keeps a handler running until it is not worth it any more.
pub(super) async fn supervise(inner: Arc<Inner>, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut restarts = Restarts::default();
    while inner.set_handler(Handler::Starting) {
        match run(&inner, &mut orders).await {
            End::Uncounted => {}
            End::Zero => return inner.let_rest(Handler::Gone, orders).await,
            End::Unstartable => return inner.let_rest(Handler::Unstartable, orders).await,
            End::Stopped => return,
            End::Error(why) => {
                inner.record.host_line(Level::Error, why.clone());
                if restarts.exceeded_by_error(inner.clock.now()) {
                    let over = "Exceeded http worker restart retry count. Shutting down Functions Host";
                    inner.record.host_line(Level::Error, over);
                    return inner.shut_down(format!("{over}: {why}"));
                }
            }
        }
    }
}

/// Runs one handler process from its start to its end.
async fn run(inner: &Arc<Inner>, orders: &mut mpsc::UnboundedReceiver<Order>) -> End {
    let mut child = match spawn(inner) {
        Ok(child) => child,
        Err(error) => return unstartable(inner, &error),
    };
    let pid = child.id().unwrap_or_default();
    let console = Console::attach(inner, &mut child);
    let ending = watch(inner, &mut child, orders).await;
    match ending {
        Ending::Stopped(_) => inner.set_handler(Handler::ShutDown("the host was stopped".to_owned())),
        _ => inner.set_handler(Handler::Starting),
    };
    let _ = child.kill().await;
    let errors = console.finish().await;
    let how = match &ending {
        Ending::Exited(status) => describe(*status),
        Ending::NeverReady => "no answer in time".to_owned(),
        Ending::TimedOut => "killed after a timeout".to_owned(),
        Ending::Stopped(_) => "killed by the stopping host".to_owned(),
    };
    inner.record.tell(Event::HandlerEnded { how: how.clone() });
    match ending {
        Ending::Exited(status) if status.code() == Some(200) => End::Uncounted,
        Ending::Exited(status) if status.success() => End::Zero,
        Ending::Exited(_) => End::Error(format!("Worker process with pid {pid} ended: {how}. {errors}")),
        Ending::TimedOut => End::Uncounted,
        Ending::NeverReady => {
            // A handler that never answered is replaced after a little over its time.
            tokio::time::sleep(inner.timing.initialization_timeout * 2 / 15).await;
            End::Error(format!("Initializing HttpWorker timed out. {errors}"))
        }
        Ending::Stopped(done) => {
            let _ = done.send(());
            End::Stopped
        }
    }
}

/// Why nobody watches a process any more.
enum Ending {
    Exited(ExitStatus),
    NeverReady,
    TimedOut,
    Stopped(oneshot::Sender<()>),
}

async fn watch(inner: &Arc<Inner>, child: &mut Child, orders: &mut mpsc::UnboundedReceiver<Order>) -> Ending {
    let pid = child.id().unwrap_or_default();
    let mut ready = false;
    let mut readiness = std::pin::pin!(answers(inner));
    let mut told: Option<oneshot::Sender<()>> = None;
    loop {
        tokio::select! {
            status = child.wait() => {
                inner.set_handler(Handler::Starting);
                let _ = told.map(|told| told.send(()));
                return status.map_or(Ending::NeverReady, Ending::Exited);
            }
            answered = &mut readiness, if !ready => {
                if !answered {
                    return Ending::NeverReady;
                }
                ready = true;
                inner.set_handler(Handler::Ready(pid));
                inner.record.tell(Event::HandlerReady { pid });
            }
            order = orders.recv() => match order {
                Some(Order::Kill(done)) => {
                    let _ = child.start_kill();
                    told = Some(done);
                }
                Some(Order::KillTimedOut(late)) if late == pid => return Ending::TimedOut,
                Some(Order::KillTimedOut(_)) => {}
                Some(Order::Stop(done)) => return Ending::Stopped(done),
                None => return Ending::Stopped(oneshot::channel().0),
            },
        }
    }
}

/// Pings until there is an HTTP answer, whatever its status. False: the time is over.
async fn answers(inner: &Inner) -> bool {
    let url = inner.ping_url();
    let pinging = async {
        while inner.http.get(&url).send().await.is_err() {
            tokio::time::sleep(PING).await;
        }
    };
    tokio::time::timeout(inner.timing.initialization_timeout, pinging).await.is_ok()
}

fn spawn(inner: &Inner) -> std::io::Result<Child> {
    let App { command, root, .. } = &inner.app;
    let port = inner.port.to_string();
    let id = guid();
    let given = [
        ("FUNCTIONS_CUSTOMHANDLER_PORT", port.as_str()),
        ("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", &id),
        ("FUNCTIONS_HTTPWORKER_PORT", &port),
        ("FUNCTIONS_HTTPWORKER_ID", &id),
    ];
    let inherited = INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    Command::new(&command.executable)
        .args(&command.arguments)
        .current_dir(&command.directory)
        .env_clear()
        .envs(inherited)
        .envs(&command.environment)
        .envs(given)
        .env("FUNCTIONS_APP_ROOT_PATH", root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

fn unstartable(inner: &Inner, error: &std::io::Error) -> End {
    let file = inner.app.command.executable.display();
    let text = format!("Failed to start Worker Channel. Process fileName: {file}: {error}");
    inner.record.host_line(Level::Error, text);
    End::Unstartable
}

/// An exit code, or the signal as a shell would count it.
fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("exit code {} (signal {signal})", 128 + signal);
    }
    format!("exit code {}", status.code().unwrap_or(-1))
}

impl Inner {
    /// There will be no handler any more, but the host goes on; it can still be told to stop.
    async fn let_rest(&self, state: Handler, mut orders: mpsc::UnboundedReceiver<Order>) {
        self.set_handler(state);
        while let Some(order) = orders.recv().await {
            if let Order::Stop(done) = order {
                self.set_handler(Handler::ShutDown("the host was stopped".to_owned()));
                let _ = done.send(());
                return;
            }
        }
    }

    /// Notes what became of the handler. False: the host has shut down, and that is final.
    fn set_handler(&self, state: Handler) -> bool {
        self.handler.send_if_modified(|current| match current {
            Handler::ShutDown(_) => false,
            _ => {
                *current = state;
                true
            }
        })
    }

    fn shut_down(&self, why: String) {
        self.record.tell(Event::ShutDown(why.clone()));
        self.set_handler(Handler::ShutDown(why));
    }

    /// Waits for a handler that can be called, which includes one that is silently gone.
    ///
    /// # Errors
    /// The reason, when the host has shut down, or has waited so long that it now does.
    pub(super) async fn await_handler(&self) -> Result<Option<u32>, String> {
        let mut handler = self.handler.subscribe();
        let settled = handler
            .wait_for(|state| matches!(state, Handler::Ready(_) | Handler::Gone | Handler::ShutDown(_)));
        let waited = tokio::time::timeout(self.timing.patience, settled).await;
        let state = waited.ok().and_then(Result::ok).map(|state| state.clone());
        match state {
            Some(Handler::Ready(pid)) => Ok(Some(pid)),
            Some(Handler::ShutDown(why)) => Err(why),
            Some(_) => Ok(None),
            None => {
                let why = "the handler did not become ready".to_owned();
                self.shut_down(why.clone());
                Err(why)
            }
        }
    }
}
