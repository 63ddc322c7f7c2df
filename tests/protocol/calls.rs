//! Every kind of call that the Functions host makes, and what is answered.

use apim_dr::domain::vocabulary::Timestamp;
use apim_dr::host::Trigger;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::client::Client;
use crate::server::{Seen, Server};

/// A body as the host sends it.
pub(crate) fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/host/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn at(text: &str) -> Timestamp {
    Timestamp::new(OffsetDateTime::parse(text, &Rfc3339).unwrap())
}

/// Posts a fixture and gives what the work saw.
#[track_caller]
fn call(function: &str, name: &str) -> Seen {
    let (server, seen) = Server::recording();
    let answer = server.client().post(&format!("/{function}"), [fixture(name).as_bytes()]);
    answer.assert_completes_the_call();
    assert_eq!(answer.status, 200, "{name}: {answer:?}");
    seen.try_recv().unwrap()
}

/// The trigger of a `BackupTimer` call, as (input, last run, looks manual).
#[track_caller]
fn timer(name: &str) -> (Option<String>, Option<Timestamp>, bool) {
    match call("BackupTimer", name).trigger {
        Trigger::Timer { manual, last_run, looks_manual } => (manual, last_run, looks_manual),
        other => panic!("{name}: {other:?}"),
    }
}

/// The trigger of a `RestoreOnBlob` call, as (container and blob, input).
#[track_caller]
fn manifest(name: &str, endpoint: &str) -> (Option<(String, String)>, Option<String>) {
    let seen = call("RestoreOnBlob", name);
    assert!(!format!("{seen:?}").contains("sig="), "a signature was kept");
    let Trigger::Manifest { blob, manual } = seen.trigger else { panic!("{name}: {seen:?}") };
    let blob = blob.within(&endpoint.parse().unwrap());
    (blob.map(|(container, path)| (container.to_string(), path)), manual)
}

#[test]
fn the_timer_on_its_schedule_is_a_tick() {
    let last = Some(at("2026-11-24T01:59:00.003112Z"));
    assert_eq!(timer("timer-scheduled"), (None, last, false));
    assert_eq!(timer("timer-early"), (None, last, false));
    assert_eq!(timer("timer-overrun"), (None, Some(at("2026-11-24T01:58:00.003112Z")), false));
    assert_eq!(timer("timer-past-due"), (None, Some(at("2026-11-23T22:14:00.002001Z")), false));
}

#[test]
fn the_first_tick_knows_no_earlier_one() {
    assert_eq!(timer("timer-first"), (None, None, false));
    assert_eq!(timer("timer-unmonitored"), (None, None, false));
}

#[test]
fn the_timer_by_hand_is_told_by_its_input() {
    let last = Some(at("2026-11-24T02:00:00.004187Z"));
    assert_eq!(timer("timer-by-hand"), (Some("before the upgrade".to_owned()), last, false));
    assert_eq!(timer("timer-by-hand-empty"), (Some(String::new()), last, false));
}

#[test]
fn a_run_by_hand_without_input_is_a_tick_and_the_person_is_told() {
    assert_eq!(timer("timer-by-hand-without-input").0, None);
    let server = Server::doing(|_| Ok(vec!["after".to_owned()]));
    let body = fixture("timer-by-hand-without-input");
    let answer = server.client().post("/BackupTimer", [body.as_bytes()]);
    let logs = answer.body["Logs"].as_array().unwrap();
    assert!(logs[0].as_str().unwrap().contains("run BackupTimer with any input"), "{logs:?}");
    assert_eq!(logs[1], "after");
}

#[test]
fn a_manifest_is_found_whatever_its_properties_look_like() {
    let azure = "https://apimdr.blob.core.windows.net/";
    let expected = ("apim-backups".to_owned(), "contoso-west-20261124T020000Z.manifest.json".to_owned());
    for name in ["manifest", "manifest-signed-uri", "manifest-properties-as-strings"] {
        assert_eq!(manifest(name, azure), (Some(expected.clone()), None), "{name}");
    }
    let emulator = "http://127.0.0.1:10000/devstoreaccount1";
    assert_eq!(manifest("manifest-older-extension", emulator), (Some(expected.clone()), None));
    let input = "apim-backups/contoso-west-20261124T020000Z.manifest.json".to_owned();
    assert_eq!(manifest("manifest-by-hand", azure), (Some(expected), Some(input)));
}

#[test]
fn an_event_outside_the_pattern_keeps_its_own_path() {
    let (blob, manual) = manifest("manifest-other-path", "https://apimdr.blob.core.windows.net/");
    assert_eq!(blob, Some(("apim-backups".to_owned(), "notes/read me é.txt".to_owned())));
    assert_eq!(manual, None);
}

#[test]
fn the_invocation_has_the_hosts_id_and_the_hosts_time() {
    let (server, seen) = Server::recording();
    let body = fixture("timer-scheduled");
    let ids = [
        ("8f6d2b7e-1f0c-4c43-9a59-7f0d8a9e1c11", true),
        ("an id with blanks", false),
        ("", false),
        (&"x".repeat(65), false),
    ];
    for (id, is_kept) in ids {
        let mut client = server.client();
        client.begin("POST", "/BackupTimer", &format!("X-Azure-Functions-InvocationId: {id}\r\n"));
        client.chunk(body.as_bytes());
        assert_eq!(client.end().status, 200);
        let seen = seen.try_recv().unwrap();
        assert_eq!(seen.id == id, is_kept, "{id:?} became {:?}", seen.id);
        assert!(seen.id.len() >= 32 && seen.id.len() <= 64, "{:?}", seen.id);
        let since = seen.now - at("2026-11-24T02:00:00.004187Z");
        assert!(!since.is_negative() && since.whole_seconds() < 60, "{since}");
    }
}

#[test]
fn where_the_chunks_fall_changes_nothing() {
    let (server, seen) = Server::recording();
    let (mut client, body) = (server.client(), fixture("manifest-by-hand"));
    let body = body.as_bytes();
    let whole = client.post("/RestoreOnBlob", [body]);
    assert_eq!(whole.status, 200);
    let expected = format!("{:?}", seen.try_recv().unwrap().trigger);
    for cut in 1..body.len() {
        let answer = client.post("/RestoreOnBlob", [&body[..cut], &body[cut..]]);
        assert_eq!(answer.status, 200, "cut at {cut}: {answer:?}");
        assert_eq!(format!("{:?}", seen.try_recv().unwrap().trigger), expected, "cut at {cut}");
    }
    assert_eq!(client.post("/RestoreOnBlob", body.chunks(1)).status, 200);
    assert_eq!(format!("{:?}", seen.try_recv().unwrap().trigger), expected);
}

#[test]
fn a_body_with_a_length_is_read_as_well() {
    let (server, seen) = Server::recording();
    let (mut client, body) = (server.client(), fixture("timer-by-hand"));
    let head = format!("POST /BackupTimer HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len());
    client.send(head.as_bytes());
    client.send(body.as_bytes());
    assert_eq!(client.answer().status, 200);
    assert!(seen.try_recv().unwrap().trigger.is_manual());
}

#[test]
fn nothing_is_answered_before_the_body_has_ended() {
    let server = Server::doing(|_| Err("no storage".to_owned()));
    for (method, path, status) in [
        ("POST", "/BackupTimer", 500),
        ("POST", "/Unknown", 404),
        ("PUT", "/BackupTimer", 404),
        ("POST", "/", 404),
    ] {
        let mut client = server.client();
        let body = fixture("timer-scheduled");
        let (most, rest) = body.as_bytes().split_at(body.len() - 2);
        client.begin(method, path, "");
        client.chunk(most);
        assert!(!client.has_answer(), "{method} {path} answered too early");
        client.chunk(rest);
        let answer = client.end();
        answer.assert_completes_the_call();
        assert_eq!(answer.status, status, "{method} {path}");
        // The connection goes on: the body did not get in the way of the next call.
        assert_eq!(client.get("/").status, 200);
    }
}

#[test]
fn a_success_has_outputs_logs_and_a_return_value() {
    let server = Server::doing(|_| Ok(vec!["backup requested".to_owned(), "second line".to_owned()]));
    let body = fixture("timer-by-hand");
    let answer = server.client().post("/BackupTimer", [body.as_bytes()]);
    let expected = serde_json::json!({
        "Outputs": {}, "Logs": ["backup requested", "second line"], "ReturnValue": null
    });
    assert_eq!((answer.status, &answer.body), (200, &expected));
    answer.assert_completes_the_call();
}

#[test]
fn logs_are_bounded() {
    let server = Server::doing(|_| Ok(vec!["é".repeat(10_000); 1_000]));
    let answer = server.client().post("/BackupTimer", [fixture("timer-by-hand").as_bytes()]);
    let logs = answer.body["Logs"].as_array().unwrap();
    assert_eq!(logs.len(), 200);
    assert!(logs.iter().all(|line| line.as_str().unwrap().chars().count() == 2_000));
}

#[test]
fn a_failure_says_why() {
    let server = Server::doing(|_| Err("storage does not answer".to_owned()));
    let answer = server.client().post("/BackupTimer", [fixture("timer-scheduled").as_bytes()]);
    assert_eq!((answer.status, answer.reason()), (500, "storage does not answer"));
}

#[test]
fn a_body_that_cannot_be_understood_fails_the_call_and_reaches_no_work() {
    let (server, seen) = Server::recording();
    let mut client = server.client();
    for (function, body, why) in [
        ("BackupTimer", "", "not the host's envelope"),
        ("BackupTimer", "null", "not the host's envelope"),
        ("BackupTimer", "{\"Data\":{}", "not the host's envelope"),
        ("BackupTimer", "{\"Data\":{}}", "no Metadata"),
        ("BackupTimer", "{\"Metadata\":{}}", "no time"),
        ("RestoreOnBlob", "{\"Metadata\":{\"sys\":{\"UtcNow\":\"2026-11-24T02:00:00Z\"}}}", "no blob"),
    ] {
        let answer = client.post(&format!("/{function}"), [body.as_bytes()]);
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.reason().contains(why), "{body}: {}", answer.reason());
    }
    assert!(seen.try_recv().is_err());
}

#[test]
fn a_panic_costs_one_invocation() {
    let server = Server::doing(|invocation| match invocation.trigger.is_manual() {
        true => panic!("a defect in the work"),
        false => Ok(Vec::new()),
    });
    let mut client = server.client();
    let failed = client.post("/BackupTimer", [fixture("timer-by-hand").as_bytes()]);
    assert_eq!(failed.status, 500);
    assert!(failed.reason().contains("panicked") && failed.reason().contains("a defect in the work"));
    assert_eq!(client.post("/BackupTimer", [fixture("timer-scheduled").as_bytes()]).status, 200);
}

#[test]
fn the_readiness_question_is_answered_at_once() {
    let (server, seen) = Server::recording();
    let mut client = server.client();
    for _ in 0..3 {
        let answer = client.get("/");
        answer.assert_completes_the_call();
        assert_eq!((answer.status, &answer.body["name"]), (200, &"apim-dr".into()));
    }
    assert!(seen.try_recv().is_err(), "the question did something");
}

#[test]
fn other_paths_do_not_exist() {
    let server = Server::doing(|_| Ok(Vec::new()));
    let mut client: Client = server.client();
    for path in ["/backuptimer", "/BackupTimer/", "/admin/functions/BackupTimer", "/api/BackupTimer"] {
        let answer = client.post(path, [fixture("timer-scheduled").as_bytes()]);
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.reason().contains("POST /BackupTimer"), "{}", answer.reason());
    }
    assert_eq!(client.get("/BackupTimer").status, 404);
}
