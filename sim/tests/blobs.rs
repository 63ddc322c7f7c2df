//! The embedded storage, asked over a real socket by a client that signs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use apim_dr_sim::blobs::{Blobs, Fault, Guard, Serving};
use apim_dr_sim::clock::Clock;
use apim_dr_sim::storage::{Access, Account, Answer, Call, ETag, StorageClient, StorageError};
use axum::http::{Method, StatusCode};
use time::Duration;
use time::macros::datetime;

const BOX: &str = "apim-backups";

struct Storage {
    blobs: Blobs,
    client: StorageClient,
    clock: Clock,
    _serving: Serving,
}

async fn storage() -> Storage {
    let clock = Clock::manual(datetime!(2026-03-01 02:00 UTC));
    let check = std::sync::Arc::new(|token: &str| token == "good-token");
    let blobs = Blobs::with(Account::emulator(0), clock.clone(), Some(check));
    let serving = blobs.serve(0).await.unwrap();
    let client = client(&serving.account, Access::Key);
    client.create_container(BOX).await.unwrap();
    Storage { blobs, client, clock, _serving: serving }
}

fn client(account: &Account, access: Access) -> StorageClient {
    let _ = rustls::crypto::ring::default_provider().install_default();
    StorageClient::new(account.clone(), access, reqwest::Client::new())
}

fn refusal<T: std::fmt::Debug>(result: Result<T, StorageError>) -> (u16, String) {
    match result {
        Err(StorageError::Refused { status, code }) => (status.as_u16(), code),
        other => panic!("expected a refusal, not {other:?}"),
    }
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

impl Storage {
    async fn call(&self, method: Method, blob: &str, headers: &[(&str, &str)]) -> Answer {
        let call = Call::new(method, &format!("{BOX}/{blob}"));
        let call = headers.iter().fold(call, |call, (name, value)| call.header(name, value));
        self.client.send(call).await.unwrap()
    }

    async fn lease(&self, blob: &str, headers: &[(&str, &str)]) -> Answer {
        let call = Call::new(Method::PUT, &format!("{BOX}/{blob}")).query("comp", "lease");
        let call =
            headers.iter().fold(call, |call, (name, value)| call.header(&format!("x-ms-{name}"), value));
        self.client.send(call).await.unwrap()
    }
}

#[tokio::test]
async fn a_blob_comes_back_as_it_was_written() {
    let storage = storage().await;
    let etag =
        storage.client.put(BOX, "a b/ü+%.json", b"{}".to_vec(), &[("service", "contoso")]).await.unwrap();

    let (properties, content) = storage.client.download(BOX, "a b/ü+%.json").await.unwrap().unwrap();
    assert_eq!(content, b"{}");
    assert_eq!(properties.etag, etag);
    assert_eq!(properties.length, 2);
    assert_eq!(properties.last_modified, datetime!(2026-03-01 02:00 UTC));
    assert_eq!(properties.content_md5.as_deref(), Some("mZFLkyvTelC5g8XnyQrpOw=="));
    assert_eq!(properties.metadata["service"], "contoso");
    assert_eq!(storage.client.head(BOX, "a b/ü+%.json").await.unwrap(), Some(properties));

    assert!(storage.client.delete(BOX, "a b/ü+%.json").await.unwrap());
    assert!(!storage.client.delete(BOX, "a b/ü+%.json").await.unwrap());
    assert_eq!(storage.client.get(BOX, "a b/ü+%.json").await.unwrap(), None);
}

#[tokio::test]
async fn every_answer_has_its_version_request_id_and_date() {
    let storage = storage().await;
    let answer = storage.call(Method::HEAD, "none", &[]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(header(&answer, "x-ms-error-code"), "BlobNotFound");
    assert_eq!(header(&answer, "x-ms-version"), "2023-11-03");
    assert_eq!(header(&answer, "date"), "Sun, 01 Mar 2026 02:00:00 GMT");
    assert_eq!(header(&answer, "x-ms-request-id").len(), 36);
    let answer = storage.call(Method::GET, "none", &[]).await;
    let body = String::from_utf8(answer.body).unwrap();
    assert!(body.contains("<Error><Code>BlobNotFound</Code><Message>"), "{body}");
}

#[tokio::test]
async fn containers_exist_once_and_their_names_are_checked() {
    let storage = storage().await;
    assert!(!storage.client.create_container(BOX).await.unwrap());
    assert!(storage.client.create_container("apim-dr").await.unwrap());
    let bad = storage.client.create_container("Apim_DR").await;
    assert_eq!(refusal(bad), (400, "InvalidResourceName".to_owned()));
    let into_nothing = storage.client.put("nowhere", "a", Vec::new(), &[]).await;
    assert_eq!(refusal(into_nothing), (404, "ContainerNotFound".to_owned()));

    let on = |method| Call::new(method, "apim-dr").query("restype", "container");
    assert_eq!(storage.client.send(on(Method::GET)).await.unwrap().status, 200);
    assert_eq!(storage.client.send(on(Method::DELETE)).await.unwrap().status, 202);
    assert_eq!(storage.client.send(on(Method::GET)).await.unwrap().status, 404);
}

#[tokio::test]
async fn conditions_decide_who_writes() {
    let storage = storage().await;
    let client = &storage.client;
    let first = client.put_if_none_match(BOX, "record", b"1".to_vec()).await.unwrap();
    let again = client.put_if_none_match(BOX, "record", b"x".to_vec()).await;
    assert_eq!(refusal(again), (409, "BlobAlreadyExists".to_owned()));

    let second = client.put_if_match(BOX, "record", b"2".to_vec(), &first).await.unwrap();
    assert_ne!(first, second, "the clock stands still, and yet the version moves");
    let stale = client.put_if_match(BOX, "record", b"x".to_vec(), &first).await;
    assert_eq!(refusal(stale), (412, "ConditionNotMet".to_owned()));
    let on_nothing = client.put_if_match(BOX, "other", b"x".to_vec(), &first).await;
    assert_eq!(refusal(on_nothing), (412, "ConditionNotMet".to_owned()));

    let unquoted = storage.call(Method::GET, "record", &[("if-match", second.as_str())]).await;
    assert_eq!(unquoted.body, b"2");
    let known = storage.call(Method::GET, "record", &[("if-none-match", &second.to_string())]).await;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
    let deleted = storage.call(Method::DELETE, "record", &[("if-match", &first.to_string())]).await;
    assert_eq!(deleted.status, 412);
}

#[tokio::test]
async fn metadata_is_replaced_and_makes_a_new_version() {
    let storage = storage().await;
    let first = storage.client.put(BOX, "m", b"1".to_vec(), &[("old", "1")]).await.unwrap();
    let second = storage.client.set_metadata(BOX, "m", &[("new", "2")]).await.unwrap();
    assert_ne!(first, second);
    let (properties, content) = storage.client.download(BOX, "m").await.unwrap().unwrap();
    assert_eq!(content, b"1");
    assert_eq!(properties.metadata.into_iter().collect::<Vec<_>>(), [("new".to_owned(), "2".to_owned())]);
}

#[tokio::test]
async fn a_list_is_complete_ordered_and_can_be_paged() {
    let storage = storage().await;
    let names = ["a", "b/1", "b/2", "b/<&>\u{1}", "c"];
    for name in names.iter().rev() {
        storage.client.put(BOX, name, b"12".to_vec(), &[("k", "v")]).await.unwrap();
    }
    let listed = storage.client.list(BOX, "b/").await.unwrap();
    assert_eq!(listed.iter().map(|blob| &*blob.name).collect::<Vec<_>>(), ["b/1", "b/2", "b/<&>\u{1}"]);
    let head = storage.client.head(BOX, "b/1").await.unwrap().unwrap();
    assert_eq!((&listed[0].etag, listed[0].length), (&head.etag, 2));
    assert_eq!(listed[0].last_modified, head.last_modified);

    let call = || Call::new(Method::GET, BOX).query("restype", "container").query("comp", "list");
    let page = storage.client.send(call().query("maxresults", "2").query("delimiter", "/")).await.unwrap();
    let page = String::from_utf8(page.body).unwrap();
    assert!(
        page.contains("<Name>a</Name>") && page.contains("<BlobPrefix><Name>b/</Name></BlobPrefix>"),
        "{page}"
    );
    let marker = page.split("<NextMarker>").nth(1).unwrap().split('<').next().unwrap();
    let rest = call().query("marker", marker).query("delimiter", "/").query("include", "metadata");
    let rest = String::from_utf8(storage.client.send(rest).await.unwrap().body).unwrap();
    assert!(rest.contains("<Name>c</Name>") && !rest.contains("b/"), "{rest}");
    assert!(rest.contains("<Metadata><k>v</k></Metadata>"), "{rest}");
    assert!(rest.contains("<NextMarker></NextMarker>"), "{rest}");
    assert!(!rest.contains(&head.etag.to_string()), "listed ETags have no quotes");
}

#[tokio::test]
async fn long_lists_arrive_whole() {
    let storage = storage().await;
    for number in 0..7 {
        storage.client.put(BOX, &format!("n{number}"), Vec::new(), &[]).await.unwrap();
    }
    let call = |marker: &str| {
        let call = Call::new(Method::GET, BOX).query("restype", "container").query("comp", "list");
        call.query("maxresults", "3").query("marker", marker)
    };
    let (mut marker, mut sizes) = (String::new(), Vec::new());
    loop {
        let page = String::from_utf8(storage.client.send(call(&marker)).await.unwrap().body).unwrap();
        sizes.push(page.matches("<Blob>").count());
        marker = page.split("<NextMarker>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        if marker.is_empty() {
            break;
        }
    }
    assert_eq!(sizes, [3, 3, 1]);
}

#[tokio::test]
async fn a_range_says_which_part_of_what_it_is() {
    let storage = storage().await;
    storage.client.put(BOX, "r", b"0123456789".to_vec(), &[]).await.unwrap();
    let part = storage.call(Method::GET, "r", &[("x-ms-range", "bytes=2-4")]).await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &b"234"[..]));
    assert_eq!(header(&part, "content-range"), "bytes 2-4/10");
    assert_eq!(header(&part, "content-length"), "3");
    let rest = storage.call(Method::GET, "r", &[("range", "bytes=8-4194303")]).await;
    assert_eq!((header(&rest, "content-range"), &rest.body[..]), ("bytes 8-9/10", &b"89"[..]));
    let past = storage.call(Method::GET, "r", &[("range", "bytes=10-")]).await;
    assert_eq!((past.status.as_u16(), header(&past, "x-ms-error-code")), (416, "InvalidRange"));
    storage.client.put(BOX, "empty", Vec::new(), &[]).await.unwrap();
    let nothing = storage.call(Method::GET, "empty", &[("range", "bytes=0-9")]).await;
    assert_eq!(nothing.status, 416, "an empty blob has no range");
    assert_eq!(storage.client.get(BOX, "empty").await.unwrap(), Some(Vec::new()));
}

#[tokio::test]
async fn blocks_become_a_blob_when_they_are_committed() {
    let storage = storage().await;
    let block = |id: &str, text: &str| {
        let call = Call::new(Method::PUT, &format!("{BOX}/big")).query("comp", "block");
        call.query("blockid", id).body(text.as_bytes().to_vec())
    };
    for (id, text) in [("MDE=", "one,"), ("MDI=", "two,")] {
        assert_eq!(storage.client.send(block(id, text)).await.unwrap().status, 201);
    }
    assert_eq!(storage.client.get(BOX, "big").await.unwrap(), None, "not committed yet");
    let commit = |list: &str| {
        let call = Call::new(Method::PUT, &format!("{BOX}/big")).query("comp", "blocklist");
        call.header("x-ms-blob-content-type", "text/plain").body(list.as_bytes().to_vec())
    };
    let list = "<BlockList><Latest>MDI=</Latest><Uncommitted>MDE=</Uncommitted></BlockList>";
    assert_eq!(storage.client.send(commit(list)).await.unwrap().status, 201);
    let (properties, content) = storage.client.download(BOX, "big").await.unwrap().unwrap();
    assert_eq!((&content[..], &*properties.content_type), (&b"two,one,"[..], "text/plain"));

    let unknown = commit("<BlockList><Uncommitted>MDE=</Uncommitted></BlockList>");
    let unknown = storage.client.send(unknown).await.unwrap();
    assert_eq!(header(&unknown, "x-ms-error-code"), "InvalidBlockList");
    let kept = commit("<BlockList><Committed>MDE=</Committed></BlockList>");
    assert_eq!(storage.client.send(kept).await.unwrap().status, 201);
    assert_eq!(storage.client.get(BOX, "big").await.unwrap().unwrap(), b"one,");
}

#[tokio::test]
async fn what_is_committed_create_only_never_replaces_anything() {
    let storage = storage().await;
    let put = |query: &[(&str, &str)], body: &str| {
        let call = Call::new(Method::PUT, &format!("{BOX}/manifest")).body(body.as_bytes().to_vec());
        query.iter().fold(call, |call, (name, value)| call.query(name, value))
    };
    let block = || put(&[("comp", "block"), ("blockid", "MDE=")], "first");
    let list = || put(&[("comp", "blocklist")], "<BlockList><Uncommitted>MDE=</Uncommitted></BlockList>");
    let create = || list().header("if-none-match", "*");
    assert_eq!(storage.client.send(block()).await.unwrap().status, 201);
    assert!(storage.client.list(BOX, "").await.unwrap().is_empty(), "uncommitted blocks are no blob");
    assert!(!storage.client.delete(BOX, "manifest").await.unwrap());
    assert_eq!(storage.client.send(create()).await.unwrap().status, 201);
    let etag = storage.client.head(BOX, "manifest").await.unwrap().unwrap().etag;
    let again = storage.client.send(block()).await.unwrap();
    assert_eq!(again.status, 201, "staging is never refused by a condition");
    let refused = storage.client.send(create()).await.unwrap();
    assert_eq!((refused.status.as_u16(), header(&refused, "x-ms-error-code")), (409, "BlobAlreadyExists"));
    let kept = storage.client.head(BOX, "manifest").await.unwrap().unwrap();
    assert_eq!(kept.etag, etag, "neither blocks nor a refused commit make a new version");
    let stale = storage.client.send(list().header("if-match", "\"0x1\"")).await.unwrap();
    assert_eq!((stale.status.as_u16(), header(&stale, "x-ms-error-code")), (412, "ConditionNotMet"));
    let matching = list().header("if-match", &etag.to_string());
    assert_eq!(storage.client.send(matching).await.unwrap().status, 201);
    let forgotten = storage.client.send(list()).await.unwrap();
    assert_eq!(header(&forgotten, "x-ms-error-code"), "InvalidBlockList", "a commit spends what was staged");
}

#[tokio::test]
async fn a_list_tells_when_a_blob_was_created_and_when_it_was_changed() {
    let storage = storage().await;
    storage.client.put(BOX, "a", b"1".to_vec(), &[]).await.unwrap();
    storage.clock.advance(Duration::days(3));
    storage.client.put(BOX, "a", b"2".to_vec(), &[]).await.unwrap();
    let listed = &storage.client.list(BOX, "").await.unwrap()[0];
    assert_eq!(listed.created, datetime!(2026-03-01 02:00 UTC));
    assert_eq!(listed.last_modified, datetime!(2026-03-04 02:00 UTC));
}

#[tokio::test]
async fn guards_stand_until_they_are_lifted() {
    let storage = storage().await;
    let client = &storage.client;
    for name in ["kept/1", "kept/2", "other"] {
        client.put(BOX, name, b"1".to_vec(), &[]).await.unwrap();
    }
    storage.blobs.guard(&format!("{BOX}/"), Guard::NoRightToDelete);
    for _ in 0..3 {
        let refused = refusal(client.delete(BOX, "other").await);
        assert_eq!(refused, (403, "AuthorizationPermissionMismatch".to_owned()));
    }
    client.put(BOX, "other", b"2".to_vec(), &[]).await.unwrap();
    storage.blobs.lift_guards();
    storage.blobs.guard(&format!("{BOX}/kept/"), Guard::Immutable);
    let immutable = (409, "BlobImmutableDueToPolicy".to_owned());
    assert_eq!(refusal(client.delete(BOX, "kept/1").await), immutable);
    assert_eq!(refusal(client.put(BOX, "kept/1", b"2".to_vec(), &[]).await), immutable);
    assert_eq!(refusal(client.set_metadata(BOX, "kept/1", &[]).await), immutable);
    client.put(BOX, "kept/3", b"1".to_vec(), &[]).await.unwrap();
    assert!(client.delete(BOX, "other").await.unwrap());
    let container = Call::new(Method::GET, BOX).query("restype", "container");
    let container = client.send(container).await.unwrap();
    assert_eq!(header(&container, "x-ms-has-immutability-policy"), "true");
    assert_eq!(client.get(BOX, "kept/1").await.unwrap().unwrap(), b"1");
}

const MINE: &str = "11111111-1111-1111-1111-111111111111";
const THEIRS: &str = "22222222-2222-2222-2222-222222222222";

#[tokio::test]
async fn a_lease_keeps_others_from_writing() {
    let storage = storage().await;
    storage.client.put(BOX, "l", b"1".to_vec(), &[]).await.unwrap();
    storage.client.acquire_lease(BOX, "l", MINE).await.unwrap();
    assert!(storage.client.head(BOX, "l").await.unwrap().unwrap().leased);

    let without = storage.client.put(BOX, "l", b"x".to_vec(), &[]).await;
    assert_eq!(refusal(without), (412, "LeaseIdMissing".to_owned()));
    assert_eq!(refusal(storage.client.delete(BOX, "l").await), (412, "LeaseIdMissing".to_owned()));
    let theirs = [("x-ms-blob-type", "BlockBlob"), ("x-ms-lease-id", THEIRS)];
    let theirs = storage.call(Method::PUT, "l", &theirs).await;
    assert_eq!(header(&theirs, "x-ms-error-code"), "LeaseIdMismatchWithBlobOperation");
    let taken = storage.client.acquire_lease(BOX, "l", THEIRS).await;
    assert_eq!(refusal(taken), (409, "LeaseAlreadyPresent".to_owned()));
    storage.client.acquire_lease(BOX, "l", MINE).await.unwrap();
    let mine = [("x-ms-blob-type", "BlockBlob"), ("x-ms-lease-id", MINE)];
    assert_eq!(storage.call(Method::PUT, "l", &mine).await.status, 201);

    storage.client.release_lease(BOX, "l", MINE).await.unwrap();
    let late = storage.call(Method::PUT, "l", &mine).await;
    assert_eq!(header(&late, "x-ms-error-code"), "LeaseNotPresentWithBlobOperation");
    storage.client.put(BOX, "l", b"2".to_vec(), &[]).await.unwrap();
}

#[tokio::test]
async fn a_lease_ends_by_the_clock_and_can_be_renewed_until_somebody_writes() {
    let storage = storage().await;
    storage.client.put(BOX, "l", b"1".to_vec(), &[]).await.unwrap();
    let acquire = |id| [("lease-action", "acquire"), ("lease-duration", "15"), ("proposed-lease-id", id)];
    let renew = [("lease-action", "renew"), ("lease-id", MINE)];
    assert_eq!(storage.lease("l", &acquire(MINE)).await.status, 201);
    storage.clock.advance(Duration::seconds(14));
    assert_eq!(storage.lease("l", &renew).await.status, 200);
    storage.clock.advance(Duration::seconds(15));
    let expired = storage.call(Method::HEAD, "l", &[]).await;
    assert_eq!(header(&expired, "x-ms-lease-state"), "expired");
    assert_eq!(storage.lease("l", &renew).await.status, 200, "nobody wrote meanwhile");
    storage.clock.advance(Duration::seconds(15));
    storage.client.put(BOX, "l", b"2".to_vec(), &[]).await.unwrap();
    let lost = storage.lease("l", &renew).await;
    assert_eq!(header(&lost, "x-ms-error-code"), "LeaseIdMismatchWithLeaseOperation");
    assert_eq!(storage.lease("l", &acquire(THEIRS)).await.status, 201);
}

#[tokio::test]
async fn a_lease_can_be_broken_and_changed() {
    let storage = storage().await;
    storage.client.put(BOX, "l", b"1".to_vec(), &[]).await.unwrap();
    let none = storage.lease("l", &[("lease-action", "break")]).await;
    assert_eq!(header(&none, "x-ms-error-code"), "LeaseNotPresentWithLeaseOperation");
    storage.client.acquire_lease(BOX, "l", MINE).await.unwrap();
    let change = [("lease-action", "change"), ("lease-id", MINE), ("proposed-lease-id", THEIRS)];
    assert_eq!(header(&storage.lease("l", &change).await, "x-ms-lease-id"), THEIRS);

    let broken = storage.lease("l", &[("lease-action", "break"), ("lease-break-period", "10")]).await;
    assert_eq!((broken.status.as_u16(), header(&broken, "x-ms-lease-time")), (202, "10"));
    assert_eq!(refusal(storage.client.put(BOX, "l", Vec::new(), &[]).await).1, "LeaseIdMissing");
    let early = storage.client.acquire_lease(BOX, "l", MINE).await;
    assert_eq!(refusal(early).1, "LeaseAlreadyPresent");
    let again = storage.client.acquire_lease(BOX, "l", THEIRS).await;
    assert_eq!(refusal(again).1, "LeaseIsBreakingAndCannotBeAcquired");
    storage.clock.advance(Duration::seconds(10));
    let renewed = storage.lease("l", &[("lease-action", "renew"), ("lease-id", THEIRS)]).await;
    assert_eq!(header(&renewed, "x-ms-error-code"), "LeaseIsBrokenAndCannotBeRenewed");
    storage.client.acquire_lease(BOX, "l", MINE).await.unwrap();
    let at_once = storage.lease("l", &[("lease-action", "break")]).await;
    assert_eq!(header(&at_once, "x-ms-lease-time"), "0", "an endless lease breaks at once");
    let bad = storage.lease("l", &[("lease-action", "acquire"), ("lease-duration", "90")]).await;
    assert_eq!(bad.status, 400);
}

#[tokio::test]
async fn only_the_key_or_a_good_token_opens_the_account() {
    let storage = storage().await;
    let account = storage.client.account().clone();
    let with = |access, key: &str| client(&Account { key: key.to_owned(), ..account.clone() }, access);
    let wrong_key = with(Access::Key, "d3Jvbmc=").get(BOX, "a").await;
    assert_eq!(refusal(wrong_key), (403, "AuthenticationFailed".to_owned()));
    let good = with(Access::Bearer("good-token".to_owned()), "").get(BOX, "a").await;
    assert_eq!(good.unwrap(), None);
    let bad = with(Access::Bearer("bad-token".to_owned()), "").get(BOX, "a").await;
    assert_eq!(refusal(bad), (401, "InvalidAuthenticationInfo".to_owned()));
    let url = format!("{}/{BOX}/a", account.endpoint);
    assert_eq!(reqwest::get(url).await.unwrap().status(), 401);
}

#[tokio::test]
async fn an_unknown_call_fails_loudly() {
    let storage = storage().await;
    let call = Call::new(Method::PUT, &format!("{BOX}/a")).header("x-ms-blob-type", "PageBlob");
    let answer = storage.client.send(call).await.unwrap();
    assert_eq!((answer.status.as_u16(), header(&answer, "x-ms-error-code")), (501, "NotImplemented"));
    assert_eq!(storage.blobs.journal().last().unwrap().status, 501);
}

#[tokio::test]
async fn faults_meet_the_next_requests_that_match() {
    let storage = storage().await;
    let put = |text: &str| storage.client.put(BOX, "record.json", text.as_bytes().to_vec(), &[]);
    let busy = Fault::Refuse(StatusCode::SERVICE_UNAVAILABLE, "ServerBusy");
    storage.blobs.inject(1, &Method::PUT, "record", busy);
    storage.client.put(BOX, "other", Vec::new(), &[]).await.unwrap();
    assert_eq!(refusal(put("1").await), (503, "ServerBusy".to_owned()));

    storage.blobs.inject(1, &Method::PUT, "record", Fault::DropReply);
    assert!(matches!(put("2").await, Err(StorageError::Transport(_))));
    assert_eq!(storage.client.get(BOX, "record.json").await.unwrap().unwrap(), b"2", "done all the same");

    storage.blobs.inject(1, &Method::PUT, "record", Fault::DropRequest);
    assert!(matches!(put("3").await, Err(StorageError::Transport(_))));
    assert_eq!(storage.client.get(BOX, "record.json").await.unwrap().unwrap(), b"2", "never done");

    let slow = std::time::Duration::from_millis(50);
    storage.blobs.inject(1, &Method::GET, "", Fault::Delay(slow));
    let begun = std::time::Instant::now();
    storage.client.get(BOX, "record.json").await.unwrap();
    assert!(begun.elapsed() >= slow);
}

#[tokio::test]
async fn a_broken_connection_is_one_without_sockets_too() {
    let blobs = Blobs::new(Account::emulator(0));
    let client = StorageClient::in_process(blobs.account().clone(), Access::Key, blobs.router());
    client.create_container(BOX).await.unwrap();
    blobs.inject(1, &Method::PUT, "a", Fault::DropReply);
    let lost = client.put(BOX, "a", b"1".to_vec(), &[]).await;
    assert!(matches!(lost, Err(StorageError::Transport(_))), "{lost:?}");
    assert_eq!(client.get(BOX, "a").await.unwrap().unwrap(), b"1", "done all the same");
}

#[tokio::test]
async fn the_journal_holds_every_request() {
    let storage = storage().await;
    storage.blobs.clear_journal();
    storage.client.put(BOX, "a", Vec::new(), &[]).await.unwrap();
    storage.client.acquire_lease(BOX, "a", MINE).await.unwrap();
    let journal = storage.blobs.journal();
    let lines: Vec<_> = journal
        .iter()
        .map(|entry| format!("{} {} {} {}", entry.method, entry.name, entry.comp, entry.status.as_u16()))
        .collect();
    assert_eq!(lines, ["PUT apim-backups/a  201", "PUT apim-backups/a lease 201"]);
    assert_eq!(storage.blobs.requests(), 2);
}

#[test]
fn an_etag_compares_without_its_quotes() {
    assert_eq!(ETag::new("\"0x8D\""), ETag::new("0x8D"));
    assert_eq!(ETag::new("0x8D").to_string(), "\"0x8D\"");
}
