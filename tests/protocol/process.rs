//! The real binary: how it starts, what it writes, what it holds in memory, how it ends.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::calls::fixture;
use crate::client::Client;

const BINARY: &str = env!("CARGO_BIN_EXE_apim-dr");

/// A running handler; killed as the host does it.
struct Process {
    child: Child,
    address: SocketAddr,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn command(settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(BINARY);
    command.env_clear().envs(settings.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Process {
    #[expect(clippy::disallowed_methods, reason = "a test waits for another process")]
    fn start(settings: &[(&str, &str)]) -> Self {
        let port = free_port();
        let child = command(settings).env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string()).spawn().unwrap();
        // Made first, so that the process is killed if it never listens.
        let process = Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)) };
        for _ in 0..400 {
            if TcpStream::connect(process.address).is_ok() {
                return process;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("the handler did not listen within 10 s");
    }

    fn client(&self) -> Client {
        Client::connect(self.address)
    }

    /// A figure of `/proc/{pid}/status`, in KiB.
    fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Kills the process and gives what it wrote on stdout and stderr.
    fn kill(mut self) -> (Vec<String>, Vec<String>) {
        self.child.kill().unwrap();
        let (stdout, stderr) = (lines(self.child.stdout.take()), lines(self.child.stderr.take()));
        (stdout, stderr)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(pipe: Option<impl std::io::Read>) -> Vec<String> {
    BufReader::new(pipe.unwrap()).lines().map(Result::unwrap).collect()
}

/// Runs the binary to its own end.
fn run(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    command(settings).args(arguments).output().unwrap()
}

#[test]
fn bad_settings_fail_each_invocation_by_name_and_do_not_end_the_process() {
    let settings = [
        ("BACKUP_CONTAINER", "Backups"),
        ("AZURE_CREDENTIAL", "azure-cli"),
        ("AZURE_CLIENT_SECRET", "hidden"),
    ];
    let process = Process::start(&settings);
    let mut client = process.client();
    assert_eq!(client.get("/").status, 200);
    let bodies = [("/BackupTimer", "timer-scheduled"), ("/RestoreOnBlob", "manifest")];
    for (path, name) in bodies {
        let answer = client.post(path, [fixture(name).as_bytes()]);
        assert_eq!(answer.status, 500);
        for setting in ["BackupStorage", "BACKUP_CONTAINER", "APIM_PRIMARY_ID", "APIM_SECONDARY_IDS"] {
            assert!(answer.reason().contains(setting), "{setting}: {}", answer.reason());
        }
    }
    assert_eq!(client.get("/").status, 200, "the process goes on");
    let (stdout, stderr) = process.kill();
    let refused = |lines: &[String]| lines.iter().filter(|line| line.contains("setting.refused")).count();
    assert_eq!((refused(&stdout), refused(&stderr)), (4, 4), "{stderr:#?}");
    let failed = |line: &&String| line.contains("invocation.failed") && line.contains("invocation=");
    assert_eq!(stdout.iter().filter(failed).count(), bodies.len(), "{stdout:#?}");
    assert!(!stdout.concat().contains("hidden") && !stderr.concat().contains("hidden"));
}

#[test]
fn an_instance_in_azure_writes_json_and_anything_else_text() {
    let hosted = Process::start(&[("WEBSITE_INSTANCE_ID", "i-1")]);
    let body = fixture("timer-scheduled");
    let mut client = hosted.client();
    client.begin("POST", "/BackupTimer", "X-Azure-Functions-InvocationId: call-1\r\n");
    client.chunk(body.as_bytes());
    assert_eq!(client.end().status, 500);
    let (stdout, stderr) = hosted.kill();
    let lines: Vec<Value> = stdout.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["event"], &lines[0]["level"]), (&"handler.started".into(), &"INFO".into()));
    let failed = lines.last().unwrap();
    assert_eq!((&failed["event"], &failed["level"]), (&"invocation.failed".into(), &"ERROR".into()));
    assert_eq!(failed["invocation"], "call-1");
    assert!(failed["message"].as_str().unwrap().contains("BackupStorage"));
    assert_eq!(stderr.last(), stdout.last(), "an error is repeated on stderr, where the host sees it as one");

    let (stdout, _) = Process::start(&[]).kill();
    assert!(stdout[0].starts_with("INFO handler.started: version "), "{stdout:#?}");
}

#[test]
fn a_body_of_300_mb_passes_in_constant_memory() {
    const BLOCK: usize = 1024 * 1024;
    let mut process = Process::start(&[]);
    let log = drain(&mut process.child);
    let mut client = process.client();
    // A first call brings in all the code that the second needs.
    assert_eq!(client.post("/RestoreOnBlob", [fixture("manifest").as_bytes()]).status, 500);
    let before = process.memory("VmHWM:");

    let body = fixture("manifest");
    let (head, tail) = body.split_once("eyJ2ZXJzaW9uIjoxfQ==").unwrap();
    let block = vec![b'Q'; BLOCK];
    client.begin("POST", "/RestoreOnBlob", "X-Azure-Functions-InvocationId: large\r\n");
    client.chunk(head.as_bytes());
    for _ in 0..300 {
        client.chunk(&block);
    }
    client.chunk(tail.as_bytes());
    let answer = client.end();

    assert_eq!(answer.status, 500);
    assert!(
        answer.reason().contains("settings are missing"),
        "the envelope was understood: {}",
        answer.reason()
    );
    let grown = process.memory("VmHWM:") - before;
    assert!(grown < 4 * 1024, "resident memory grew by {grown} KiB");
    drop(process);
    log.join().unwrap();
}

#[test]
fn a_closed_stdout_stops_nothing() {
    let mut process = Process::start(&[]);
    drop(process.child.stdout.take());
    drop(process.child.stderr.take());
    let mut client = process.client();
    for _ in 0..3 {
        assert_eq!(client.post("/BackupTimer", [fixture("timer-scheduled").as_bytes()]).status, 500);
    }
    assert!(process.child.try_wait().unwrap().is_none());
}

/// Keeps reading what the process writes, so that a full pipe never holds it up.
fn drain(child: &mut Child) -> JoinHandle<()> {
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    std::thread::spawn(move || {
        let _ = stdout.read_to_end(&mut Vec::new());
        let _ = stderr.read_to_end(&mut Vec::new());
    })
}

#[test]
fn a_port_in_use_ends_the_process_with_the_reason() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run(&[], &[("FUNCTIONS_CUSTOMHANDLER_PORT", &port)]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains(&format!("127.0.0.1:{port} (FUNCTIONS_CUSTOMHANDLER_PORT)")), "{stderr}");
}

#[test]
fn without_a_port_there_is_usage_and_no_exit_code_0() {
    for (arguments, settings, what) in [
        (&[][..], &[][..], "FUNCTIONS_CUSTOMHANDLER_PORT is not set"),
        (&[], &[("FUNCTIONS_CUSTOMHANDLER_PORT", "")], "is not set"),
        (&[], &[("FUNCTIONS_CUSTOMHANDLER_PORT", "70000")], "which is no port"),
        (&["--serve"], &[("FUNCTIONS_CUSTOMHANDLER_PORT", "7071")], "there is no option --serve"),
    ] {
        let output = run(arguments, settings);
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(what), "{stderr}");
    }
}

#[test]
fn help_and_version_are_told() {
    let version = run(&["--version"], &[]);
    assert!(version.status.success());
    assert_eq!(
        String::from_utf8(version.stdout).unwrap(),
        format!("apim-dr {}\n", env!("CARGO_PKG_VERSION"))
    );
    let help = run(&["--help"], &[]);
    assert!(help.status.success());
    assert!(String::from_utf8(help.stdout).unwrap().contains("usage: apim-dr"));
}
