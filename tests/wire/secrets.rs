//! No secret is written down in any spelling: neither as it is, nor in Base64, nor percent-encoded.

use apim_dr_sim::blobs::Fault as StorageFault;
use apim_dr_sim::journal::OperationKind;
use apim_dr_sim::knobs::{Fault, Request};
use axum::http::{Method, StatusCode};
use azure_core::base64;

use crate::setup::{Blobs, Setup};
use crate::world::{BACKUPS, NORTH, PRIMARY, STATE, World};

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
    let world = World::of(setup).await;
    let key = Secret::of("the storage account's key", &world.simulation.account().key);
    let client_secret = Secret::of("the client secret", &world.settings["AZURE_CLIENT_SECRET"]);
    a_troubled_cycle_keeps(&world, Request::Entra, vec![key, client_secret]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_identity_header_nor_token_is_written_down() {
    let world = World::of(Setup { blobs: Blobs::EmbeddedTls, ..Setup::default() }).await;
    let header = Secret::of("the identity header", &world.settings["IDENTITY_HEADER"]);
    a_troubled_cycle_keeps(&world, Request::Identity, vec![header]).await;
}

async fn a_troubled_cycle_keeps(world: &World, tokens: Request, mut secrets: Vec<Secret>) {
    plan_trouble(world, tokens);
    while world.accepted(PRIMARY, OperationKind::Backup).is_empty() {
        world.troubled_minutes(1).await;
    }
    let open = world.record(PRIMARY).await.to_string();
    world.until_held_by(&[NORTH]).await;
    assert_eq!(world.cloud().faults_left(), 0, "every fault was met");

    let urls = operations(world);
    assert!(urls.iter().any(|url| url.is_in(&open)), "the open record alone holds its operation's URL");
    secrets.extend(urls);
    secrets.push(any_token(world));
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
