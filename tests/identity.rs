//! Every kind of credential, as the running program uses it: tokens from the simulator's endpoints, Entra's
//! over TLS, for Resource Manager and for storage. Managed identities and the Azure CLI are found through
//! the environment, so the program runs in a process of its own.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use apim_dr_sim::clock::Clock;
use apim_dr_sim::knobs::{Fault, Request};
use apim_dr_sim::simulation::{Options, Simulation, Storage};
use apim_dr_sim::tokens::{Principal, STORAGE_AUDIENCE};

type Settings = BTreeMap<String, String>;

/// A simulated Azure whose storage opens by token alone.
async fn start() -> Simulation {
    let options = Options::new(Clock::running(1.0)).storage(Storage::EmbeddedTls);
    Simulation::start(options).await.expect("the simulator starts")
}

fn with(mut settings: Settings, more: &[(&str, &str)]) -> Settings {
    settings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    settings
}

/// The program, killed when it is dropped.
struct Handler {
    process: Child,
    port: u16,
}

impl Drop for Handler {
    fn drop(&mut self) {
        // It may have ended by itself; the test has failed by then.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Handler {
    fn start(settings: &Settings) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        drop(listener);
        let process = Command::new(env!("CARGO_BIN_EXE_apim-dr"))
            .env_clear()
            .envs(settings)
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        Self { process, port }
    }

    /// Asks for a backup by hand; what the call was answered.
    async fn back_up(&self) -> String {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let body = include_str!("fixtures/host/timer-by-hand.json");
        for _ in 0..200 {
            let call = client.post(format!("http://127.0.0.1:{}/BackupTimer", self.port)).body(body);
            match call.header("content-type", "application/json").send().await {
                Ok(answer) => return answer.text().await.expect("a whole answer"),
                Err(error) if error.is_connect() => pause().await,
                Err(error) => panic!("the call breaks: {error}"),
            }
        }
        panic!("the program does not listen");
    }
}

#[expect(clippy::disallowed_methods, reason = "the program needs a moment to listen")]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(25)).await;
}

/// Runs the program under `settings`: it has to back the primary up as `who`, records and all.
async fn backs_up_as(simulation: &Simulation, settings: &Settings, who: &Principal) {
    let answer = Handler::start(settings).back_up().await;
    let posts = simulation.cloud().journal().of(Request::Backup);
    let seen: Vec<_> = posts.iter().map(|post| (post.who.as_deref(), post.status)).collect();
    assert_eq!(seen, [(Some(who.object_id.as_str()), Some(202))], "{answer}");
    assert!(simulation.blobs().expect("embedded blobs").requests() > 0);
}

#[tokio::test]
async fn a_system_assigned_identity() {
    let simulation = start().await;
    let who = simulation.cloud().directory().system_assigned().expect("an identity");
    backs_up_as(&simulation, &by_managed_identity(&simulation), &who).await;
}

#[tokio::test]
async fn a_user_assigned_identity() {
    let simulation = start().await;
    let who = simulation.cloud().directory().user_assigned().remove(0);
    let settings = by_managed_identity(&simulation);
    backs_up_as(&simulation, &with(settings, &[("AZURE_CLIENT_ID", &who.client_id)]), &who).await;
}

#[tokio::test]
async fn a_client_secret() {
    let simulation = start().await;
    let who = simulation.cloud().directory().applications().remove(0).principal;
    backs_up_as(&simulation, &by_secret(&simulation), &who).await;
}

#[tokio::test]
async fn a_federated_token() {
    let simulation = start().await;
    let application = simulation.cloud().directory().applications().remove(0);
    let token = simulation.cloud().directory().workload_token(&application.subject);
    let directory = Directory::new("federated");
    let file = directory.write("token", &token);
    let settings = [("AZURE_CREDENTIAL", "workload-identity"), ("AZURE_FEDERATED_TOKEN_FILE", &file)];
    let settings = with(by_secret(&simulation), &settings);
    backs_up_as(&simulation, &settings, &application.principal).await;
}

#[tokio::test]
async fn whoever_is_signed_in_to_the_azure_cli() {
    let simulation = start().await;
    let who = simulation.cloud().directory().user_assigned().remove(0);
    let arm = simulation.cloud().arm_endpoint();
    let token = |audience: &str| simulation.cloud().directory().token(&who, audience);
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n  *'--scope {STORAGE_AUDIENCE}/.default'*) token={};;\n  \
         *'--scope {arm}/.default'*) token={};;\n  *) echo \"what is $*?\" >&2; exit 1;;\nesac\n\
         echo '{{\"accessToken\":\"'$token'\",\"expires_on\":4000000000,\"tokenType\":\"Bearer\"}}'\n",
        token(STORAGE_AUDIENCE),
        token(arm),
    );
    let directory = Directory::new("cli");
    let az = directory.write("az", &script);
    fs::set_permissions(az, fs::Permissions::from_mode(0o755)).expect("it can be run");
    let path = format!("{}:/usr/bin:/bin", directory.0.display());
    let settings = with(by_secret(&simulation), &[("AZURE_CREDENTIAL", "azure-cli"), ("PATH", &path)]);
    backs_up_as(&simulation, &settings, &who).await;
}

#[tokio::test]
async fn a_refused_secret_fails_the_invocation_and_is_not_shown() {
    let simulation = start().await;
    let settings = with(by_secret(&simulation), &[("AZURE_CLIENT_SECRET", "guessed-badly")]);
    let answer = Handler::start(&settings).back_up().await;
    assert!(answer.contains("AADSTS") && answer.contains("AZURE_CREDENTIAL"), "{answer}");
    assert!(!answer.contains("guessed-badly"), "{answer}");
    assert_eq!(
        simulation.cloud().journal().posts().iter().filter(|post| post.path.contains("/backup")).count(),
        0
    );
}

#[tokio::test]
async fn a_token_that_resource_manager_refuses_is_renewed_once() {
    let simulation = start().await;
    let who = simulation.cloud().directory().system_assigned().expect("an identity");
    simulation.cloud().next(Request::Service, Fault::status(401));
    backs_up_as(&simulation, &by_managed_identity(&simulation), &who).await;
    let identity = simulation.cloud().journal().of(Request::Identity);
    // One token for storage, one for Resource Manager, and one in place of the refused.
    assert_eq!(identity.len(), 3);
}

/// Managed identity, for Resource Manager and for storage.
fn by_managed_identity(simulation: &Simulation) -> Settings {
    with_queue(simulation.settings())
}

/// A service principal's secret, for both.
fn by_secret(simulation: &Simulation) -> Settings {
    with_queue(simulation.settings_by_secret())
}

/// The Functions host needs the queue endpoint, which the simulator does not have.
fn with_queue(settings: Settings) -> Settings {
    let blobs = settings["BackupStorage__blobServiceUri"].clone();
    with(settings, &[("BackupStorage__queueServiceUri", &blobs)])
}

/// Files of one test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("apim-dr-identity-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    fn write(&self, name: &str, content: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).expect("a file");
        path.display().to_string()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Files left behind are no reason to fail.
        drop(fs::remove_dir_all(&self.0));
    }
}
