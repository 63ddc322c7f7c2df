//! No secret is written down in any spelling: neither as it is, nor in Base64, nor percent-encoded.

use std::net::Ipv4Addr;

use apim_dr_sim::blobs::Fault as StorageFault;
use apim_dr_sim::clock::Clock;
use apim_dr_sim::journal::OperationKind;
use apim_dr_sim::knobs::{Fault, Request};
use apim_dr_sim::receiver::{Listening, Receiver};
use apim_dr_sim::simulation::Between;
use axum::http::{Method, StatusCode};
use axum::middleware::map_response;
use axum::response::Response;
use azure_core::base64;
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::setup::{Blobs, Setup};
use crate::world::{BACKUPS, NORTH, PRIMARY, START, STATE, World};

/// A secret and every spelling in which it could slip out.
struct Secret {
    what: &'static str,
    spellings: Vec<String>,
}

impl Secret {
    fn of(what: &'static str, secret: &str) -> Self {
        assert!(secret.len() >= 8, "{what} is too short to be told from other text");
        let mut spellings = vec![secret.to_owned(), percent_encoded(secret)];
        for place in 0..3 {
            let encoded = within_base64(secret, place);
            spellings.push(encoded.replace('+', "-").replace('/', "_"));
            spellings.push(percent_encoded(&encoded));
            spellings.push(encoded);
        }
        Self { what, spellings }
    }

    fn is_in(&self, text: &str) -> bool {
        self.spellings.iter().any(|spelling| text.contains(spelling))
    }
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// What the Base64 of any longer text holds, if `secret` stands in that text so many bytes after a multiple
/// of three: the characters that no neighbour has a part in.
fn within_base64(secret: &str, place: usize) -> String {
    let encoded = base64::encode(format!("{}{secret}", &"   "[..place]));
    let whole = (place + secret.len()) / 3 * 4;
    encoded[(place * 8).div_ceil(6)..whole].to_owned()
}

#[test]
fn every_spelling_of_a_secret_is_found() {
    let key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    let secret = Secret::of("the key", key);
    for before in ["", "a", "ab", "abc"] {
        let text = format!("{before}{key};and more");
        assert!(secret.is_in(&text) && secret.is_in(&percent_encoded(&text)));
        let encoded = base64::encode(&text);
        assert!(secret.is_in(&encoded), "{before:?} in front of it");
        assert!(secret.is_in(&percent_encoded(&encoded)), "{before:?} in front of it");
    }
    assert!(!secret.is_in("Eby8vdM02xNOcqFlqUwJPLlm"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_key_nor_client_secret_is_written_down() {
    let setup = Setup { by_secret: true, ..Setup::default() }.setting("BACKUP_ACCESS", "access-key");
    let told = Told::new().await;
    let world = World::of(told.by(setup)).await;
    let key = Secret::of("the storage account's key", &world.simulation.account().key);
    let client_secret = Secret::of("the client secret", &world.settings["AZURE_CLIENT_SECRET"]);
    a_troubled_cycle_keeps((&world, &told), Request::Entra, vec![key, client_secret]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_identity_header_nor_token_is_written_down() {
    let told = Told::new().await;
    let world = World::of(told.by(Setup { blobs: Blobs::EmbeddedTls, ..Setup::default() })).await;
    let header = Secret::of("the identity header", &world.settings["IDENTITY_HEADER"]);
    a_troubled_cycle_keeps((&world, &told), Request::Identity, vec![header]).await;
}

/// Part of the webhook's URL.
const WEBHOOK: &str = "webhook/L8dYq2ZpVt";

/// Part of the heartbeat's URL.
const HEARTBEAT: &str = "heartbeat/Gw4nXc7RsK";

/// The signature in the URL of every operation.
const SIGNATURE: &str = "Q1m+U5x/J9vEbT3h";

/// The signature in the address of a blob.
const SHARED_ACCESS: &str = "Hn6+Ky0/Dz8PfA2s";

/// Who takes alerts and heartbeats at URLs that are secrets. It stops listening when it is dropped.
struct Told {
    receiver: Receiver,
    listening: Listening,
}

impl Told {
    async fn new() -> Self {
        let receiver = Receiver::new(Clock::manual(START));
        let listening = receiver.listen(0, None).await.unwrap();
        Self { receiver, listening }
    }

    /// The setup of a world that tells this one, and whose operations have signed URLs.
    fn by(&self, setup: Setup) -> Setup {
        let signed = Between::new(|router| router.layer(map_response(sign)));
        Setup { between: Some(signed), ..setup }
            .setting("ALERT_WEBHOOK_URL", self.listening.url(&format!("/{WEBHOOK}")))
            .setting("HEARTBEAT_URL", self.listening.url(&format!("/{HEARTBEAT}")))
    }

    /// Refused in words that repeat the URL, and not answered at all.
    fn plan_trouble(&self) {
        let echo = |url: &str| Fault::status(403).body(&format!("{{\"error\": \"no such hook: {url}\"}}"));
        self.receiver.next(echo(HEARTBEAT));
        self.receiver.next(Fault::lose_reply());
        self.receiver.next(echo(WEBHOOK).times(2));
        self.receiver.next(Fault::lose_reply().times(2));
    }
}

async fn sign(mut response: Response) -> Response {
    if let Some(location) = response.headers().get("location") {
        let signed = format!("{}&t=1&s={}", location.to_str().unwrap(), percent_encoded(SIGNATURE));
        response.headers_mut().insert("location", signed.parse().unwrap());
    }
    response
}

/// An event whose blob's address carries a signature, once at an address, and once at none.
async fn signed_events(world: &World, backup: &str) {
    let signature = percent_encoded(SHARED_ACCESS);
    let now = world.clock.now().format(&Rfc3339).unwrap();
    let account = world.simulation.account();
    for (endpoint, status) in [(account.endpoint.as_str(), "200"), ("nowhere", "400")] {
        let uri = format!("{endpoint}/{BACKUPS}/{backup}.manifest.json?sp=r&sig={signature}");
        let metadata = json!({"Uri": format!("\"{uri}\""), "sys": {"UtcNow": now}});
        let body = json!({"Data": {"manifest": ""}, "Metadata": metadata}).to_string();
        let answer = invoke(world.host.handler_port(), "RestoreOnBlob", &body).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(!Secret::of("the signature", SHARED_ACCESS).is_in(&answer), "{answer}");
    }
}

/// Calls a function as the host does, and reads the answer to its end.
async fn invoke(port: u16, function: &str, body: &str) -> String {
    let mut handler = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    let head = format!(
        "POST /{function} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    handler.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    handler.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn a_troubled_cycle_keeps((world, told): (&World, &Told), tokens: Request, mut secrets: Vec<Secret>) {
    plan_trouble(world, tokens);
    told.plan_trouble();
    while world.accepted(PRIMARY, OperationKind::Backup).is_empty() {
        world.troubled_minutes(1).await;
    }
    let open = world.record(PRIMARY).await.to_string();
    assert!(Secret::of("the signature", SIGNATURE).is_in(&open), "the URL is kept while it is needed");
    let held = world.until_held_by(&[NORTH]).await;
    signed_events(world, &held).await;
    world.minutes(20).await;
    assert_eq!(world.cloud().faults_left(), 0, "every fault was met");
    let refused = told.receiver.deliveries().into_iter().filter(|delivery| delivery.status != Some(200));
    assert_eq!(refused.count(), 6, "every fault was met");
    assert!(told.receiver.deliveries().iter().any(|delivery| delivery.method == "POST"), "an alert was sent");

    let urls = operations(world);
    assert!(urls.iter().any(|url| url.is_in(&open)), "the open record alone holds its operation's URL");
    secrets.extend(urls);
    secrets.push(any_token(world));
    let entered = [
        ("a part of the webhook's URL", WEBHOOK),
        ("a part of the heartbeat's URL", HEARTBEAT),
        ("the signature of an operation's URL", SIGNATURE),
        ("the signature of a blob's address", SHARED_ACCESS),
    ];
    secrets.extend(entered.map(|(what, secret)| Secret::of(what, secret)));
    for (place, text) in written_down(world).await {
        for secret in &secrets {
            assert!(!secret.is_in(&text), "{} stands in {place}: {text}", secret.what);
        }
    }
}

/// Each kind of request goes wrong in some way before it goes well.
fn plan_trouble(world: &World, tokens: Request) {
    let cloud = world.cloud();
    cloud.next(tokens, Fault::error(400, "invalid_request", "The request is not valid."));
    cloud.next(Request::Service, Fault::status(401).times(2));
    cloud.next(Request::Backup, Fault::status(401).times(2));
    // Azure repeats in its words what it was sent.
    let echo = format!("Invalid parameter: accessKey '{}'", world.simulation.account().key);
    cloud.next(Request::Backup, Fault::error(400, "InvalidParameters", &echo));
    cloud.next(Request::Poll, Fault::status(403));
    cloud.next(Request::Poll, Fault::status(400).body("not json"));
    cloud.next(Request::Restore, Fault::status(500));
    cloud.next(Request::Restore, Fault::fails("RestoreFailed", "Cannot restore: backup is corrupt"));
    let blobs = world.simulation.blobs().unwrap();
    let refuse = StorageFault::Refuse(StatusCode::FORBIDDEN, "AuthenticationFailed");
    blobs.inject(1, &Method::GET, "services/contoso-west.json", refuse.clone());
    blobs.inject(1, &Method::PUT, "services/contoso-west.json", StorageFault::DropReply);
    blobs.inject(1, &Method::PUT, ".manifest.json", refuse);
}

/// The last segment of the URL of every operation that was polled.
fn operations(world: &World) -> Vec<Secret> {
    let polls = world.cloud().journal().of(Request::Poll);
    let ids = polls.iter().filter_map(|poll| poll.path.rsplit('/').next());
    ids.map(|id| Secret::of("the id of an operation's URL", id)).collect()
}

/// How every token begins that the simulated Entra issues: all have the same first part.
fn any_token(world: &World) -> Secret {
    let directory = world.cloud().directory();
    let somebody = directory.system_assigned().unwrap();
    let token = directory.token(&somebody, world.cloud().arm_endpoint());
    Secret::of("a token", token.split('.').next().unwrap())
}

/// Everything that the handler wrote: the log, the records, the history, the manifests.
async fn written_down(world: &World) -> Vec<(String, String)> {
    let lines = world.host.lines().into_iter();
    let mut texts: Vec<_> = lines.map(|line| (format!("the log, {}", line.category), line.text)).collect();
    assert!(texts.len() > 20, "there is a log: {texts:?}");
    for (container, kinds) in [
        (STATE, &["services/", "history/", "health/", "status/"][..]),
        (BACKUPS, &["contoso-west", "contoso-north"][..]),
    ] {
        for name in world.blobs(container, "").await {
            assert!(kinds.iter().any(|kind| name.starts_with(kind)), "{name} is nothing that is known");
            let bytes = world.storage.get(container, &name).await.unwrap().unwrap();
            if !name.ends_with(".apimbackup") {
                texts.push((name, String::from_utf8(bytes).unwrap()));
            }
        }
    }
    texts
}
