//! What Azure's answers to a POST mean, and what is posted.

use serde_json::{Value, json};
use time::Duration;

use super::script::*;
use crate::clock::InvocationClock;
use crate::domain::observation::{Action, Answer, Observation};
use crate::domain::vocabulary::{AzureWords, OperationUrl};

/// Posts a backup under `replies`; what was learned, and how many POSTs left.
async fn post(replies: impl IntoIterator<Item = Reply>) -> (Answer, usize) {
    let script = Script::new(replies);
    let observed = perform(&azure(&script, &[]), &Action::StartBackup(start(noon()))).await;
    let Observation::Answered { claim: under, answer } = observed else { panic!("{observed:?}") };
    assert_eq!(under, claim());
    (answer, script.sent().len())
}

fn words(status: u16, code: &str, message: &str) -> AzureWords {
    AzureWords { status, code: code.to_owned(), message: message.to_owned() }
}

fn accepted(location: Option<&str>) -> Answer {
    let operation = location.map(|location| OperationUrl::new(location.to_owned()));
    Answer::Accepted { operation, retry_after: None }
}

#[tokio::test(start_paused = true)]
async fn a_202_with_a_location_on_the_own_endpoint_is_kept_word_for_word() {
    let reply = Reply::Answer(202, vec![("location", LOCATION), ("retry-after", "60")], String::new());
    let operation = Some(OperationUrl::new(LOCATION.to_owned()));
    let retry_after = Some(Duration::seconds(60));
    assert_eq!(post([reply]).await, (Answer::Accepted { operation, retry_after }, 1));
}

#[tokio::test(start_paused = true)]
async fn a_location_elsewhere_is_not_kept() {
    for foreign in [
        "https://elsewhere.test/operationresults/1",
        "http://arm.test/operationresults/1",
        "https://arm.test:8443/operationresults/1",
        "https://arm.test@elsewhere.test/operationresults/1",
        "https://someone@arm.test/operationresults/1",
        "//elsewhere.test/operationresults/1",
        "https://arm.test.elsewhere.test/operationresults/1",
        "data:text/plain,1",
    ] {
        assert_eq!(post([with(202, "location", foreign)]).await, (accepted(None), 1), "{foreign}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_own_endpoint_may_be_spelt_with_its_port_or_left_out() {
    let with_port = "https://ARM.test:443/operationresults/1";
    assert_eq!(post([with(202, "location", with_port)]).await.0, accepted(Some(with_port)));
    let relative = with(202, "location", "/operationresults/1?api-version=2024-05-01");
    let whole = "https://arm.test/operationresults/1?api-version=2024-05-01";
    assert_eq!(post([relative]).await.0, accepted(Some(whole)));
}

#[tokio::test(start_paused = true)]
async fn a_200_or_a_202_without_location_runs_without_an_operation() {
    assert_eq!(post([status(202)]).await, (accepted(None), 1));
    assert_eq!(post([with(200, "location", LOCATION)]).await, (accepted(None), 1));
}

#[tokio::test(start_paused = true)]
async fn busy_answers_are_not_repeated() {
    let locked =
        "The API Service contoso-weu is transitioning at this time. Please try the request again later.";
    for code in [409, 429, 503] {
        let expected = Answer::Busy(words(code, "ServiceLocked", locked));
        assert_eq!(post([error(code, "ServiceLocked", locked)]).await, (expected, 1), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn other_client_errors_are_refusals_in_azures_own_words() {
    let said =
        "Invalid parameter: Requested value 'PATCH' was not found.\r\nParameter name: backupStorageAccount";
    for code in [400, 403, 404, 405, 410, 412, 422] {
        let expected = Answer::Refused(words(code, "InvalidParameters", said));
        assert_eq!(post([error(code, "InvalidParameters", said)]).await, (expected, 1), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_an_envelope_keeps_what_the_body_says() {
    let page = body(403, "<html>\n  <h1>Blocked</h1>\n</html>");
    let expected = words(403, "", "<html> <h1>Blocked</h1> </html>");
    assert_eq!(post([page]).await.0, Answer::Refused(expected));
    assert_eq!(post([body(400, "null")]).await.0, Answer::Refused(words(400, "", "null")));
    let long = post([body(400, "x".repeat(1 << 16))]).await.0;
    let Answer::Refused(long) = long else { panic!("{long:?}") };
    assert_eq!(long.message.chars().count(), 2_001);
}

#[tokio::test(start_paused = true)]
async fn answers_that_say_nothing_leave_the_claim_standing() {
    for reply in [status(408), status(500), status(502), status(504), status(301), status(204), Reply::Lost] {
        let (answer, sent) = post([reply.clone()]).await;
        assert!(matches!(answer, Answer::Unknown(_)), "{reply:?} {answer:?}");
        assert_eq!(sent, 1, "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_answer_names_the_requests_ids() {
    let headers = vec![("x-ms-request-id", "r-1"), ("x-ms-correlation-request-id", "c-1")];
    let (answer, _) = post([Reply::Answer(500, headers, String::new())]).await;
    assert_eq!(answer, Answer::Unknown("HTTP 500 (request r-1, correlation c-1)".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn silence_ends_after_thirty_seconds() {
    let script = Script::new([Reply::Silent]);
    let clock = clock();
    let observed = perform_at(&azure(&script, &[]), &clock, &Action::StartBackup(start(noon()))).await;
    let answer = Answer::Unknown("no answer within 30 s".to_owned());
    assert_eq!(observed, Observation::Answered { claim: claim(), answer });
    assert_eq!((clock.now() - noon()).whole_seconds(), 30);
    assert_eq!(script.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_401_leads_to_one_new_token() {
    let script = Script::new([status(401), with(202, "location", LOCATION)]);
    let observed = perform(&azure(&script, &[]), &Action::StartBackup(start(noon()))).await;
    assert_eq!(observed, Observation::Answered { claim: claim(), answer: accepted(Some(LOCATION)) });
    let tokens: Vec<_> = script.sent().into_iter().map(|sent| sent.token).collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_second_401_ends_it() {
    let (answer, sent) = post([status(401), error(401, "InvalidAuthenticationToken", "Expired.")]).await;
    let why = "Azure refused the token, and a new one as well: HTTP 401 InvalidAuthenticationToken: Expired.";
    assert_eq!((answer, sent), (Answer::NoToken(why.to_owned()), 2));
}

#[tokio::test(start_paused = true)]
async fn without_a_token_nothing_is_posted() {
    let script = Script::new([]);
    let description = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret.",
                          "error_codes":[7000215]}"#;
    script.refuse_tokens([body(401, description)]);
    let observed = perform(&azure(&script, &[]), &Action::StartBackup(start(noon()))).await;
    let why = "no token for https://arm.test from the service principal the-client: ClientSecretCredential \
               authentication failed. AADSTS7000215: Invalid client secret.";
    let answer = Answer::NoToken(why.to_owned());
    assert_eq!(observed, Observation::Answered { claim: claim(), answer });
    assert_eq!(script.sent(), []);
}

#[tokio::test(start_paused = true)]
async fn a_post_that_never_left_is_sent_again() {
    let (answer, sent) = post([Reply::Refused, Reply::Refused, with(202, "location", LOCATION)]).await;
    assert_eq!((answer, sent), (accepted(Some(LOCATION)), 3));
    let (answer, sent) = post(vec![Reply::Refused; 4]).await;
    assert_eq!((answer, sent), (Answer::Unknown("connection refused".to_owned()), 4));
}

#[tokio::test(start_paused = true)]
async fn a_409_after_the_transport_repeated_the_post_is_our_own_operation() {
    let locked = || error(409, "ServiceLocked", "transitioning");
    assert_eq!(post([Reply::Refused, locked()]).await, (accepted(None), 2));
    // A 401 was no sending that Azure could have taken.
    let busy = Answer::Busy(words(409, "ServiceLocked", "transitioning"));
    assert_eq!(post([status(401), locked()]).await, (busy, 2));
}

/// Posts by a clock that stands `after` its beginning, on looks taken `ago`.
async fn post_late(after: Duration, ago: Duration) -> (Observation, usize) {
    let script = Script::new([status(202)]);
    let clock = InvocationClock::new(noon(), std::sync::Arc::new(move || after));
    let looked_at = clock.now() + -ago;
    let observed = perform_at(&azure(&script, &[]), &clock, &Action::StartRestore(start(looked_at))).await;
    (observed, script.sent().len())
}

#[tokio::test(start_paused = true)]
async fn a_post_leaves_in_time_or_not_at_all() {
    let second = Duration::SECOND;
    let in_time = Observation::Answered { claim: claim(), answer: accepted(None) };
    assert_eq!(post_late(119 * second, 30 * second).await, (in_time, 1));
    assert_eq!(post_late(120 * second, second).await, (Observation::TooLate, 0));
    assert_eq!(post_late(10 * second, 30 * second + Duration::MICROSECOND).await, (Observation::TooLate, 0));
}

#[tokio::test(start_paused = true)]
async fn the_time_is_asked_again_before_a_repeated_post() {
    let script = Script::new([Reply::Refused, Reply::Refused]);
    let start = start(noon() + -Duration::seconds(29));
    let observed = perform(&azure(&script, &[]), &Action::StartBackup(start)).await;
    assert_eq!(observed, Observation::TooLate);
    // The second try left at half a second; the third would have at two.
    assert_eq!(script.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_time_is_asked_after_the_token_has_come() {
    let script = Script::new([]);
    script.refuse_tokens([Reply::Lost, Reply::Lost]);
    let start = start(noon() + -Duration::seconds(29));
    let observed = perform(&azure(&script, &[]), &Action::StartBackup(start)).await;
    assert_eq!((observed, script.sent().len()), (Observation::TooLate, 0));
}

/// What is posted under `settings`, after `replies` to other requests.
async fn posted(settings: &[(&str, &str)], replies: Vec<Reply>) -> (String, Value) {
    let script = Script::new(replies.into_iter().chain([status(202)]));
    perform(&azure(&script, settings), &Action::StartRestore(start(noon()))).await;
    let last = script.sent().pop().unwrap();
    (last.url, serde_json::from_str(&last.body).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_service_reaches_the_storage_by_exactly_one_way() {
    let (url, body) = posted(&[], vec![]).await;
    assert_eq!(url, format!("https://arm.test{PRIMARY}/restore?api-version=2024-05-01"));
    let mut expected = json!({
        "storageAccount": "devstoreaccount1",
        "containerName": "apim-backups",
        "backupName": "contoso-weu-20261123T120000Z.apimbackup",
        "accessType": "SystemAssignedManagedIdentity",
    });
    assert_eq!(body, expected);

    let (_, body) = posted(&[("BACKUP_ACCESS", "user-assigned:client-7")], vec![]).await;
    expected["accessType"] = "UserAssignedManagedIdentity".into();
    expected["clientId"] = "client-7".into();
    assert_eq!(body, expected);

    let (_, body) = posted(&[("BACKUP_ACCESS", "access-key")], vec![]).await;
    assert_eq!(body["accessType"], "AccessKey");
    assert!(body["accessKey"].as_str().is_some_and(|key| key.starts_with("Eby8vdM02x")), "{body}");
    assert_eq!(body.get("clientId"), None);
}

fn by_key() -> Vec<(&'static str, &'static str)> {
    BY_IDENTITY.into_iter().chain([("BACKUP_ACCESS", "access-key")]).collect()
}

#[tokio::test(start_paused = true)]
async fn a_key_that_no_setting_holds_is_looked_up() {
    let keys = r#"{"keys":[{"keyName":"key1","value":"a2V5","permissions":"FULL"},{"value":"b3RoZXI="}]}"#;
    let (_, sent) = posted(&by_key(), vec![status(503), body(200, keys)]).await;
    assert_eq!((&sent["storageAccount"], &sent["accessKey"]), (&"contosobackups".into(), &"a2V5".into()));
}

#[tokio::test(start_paused = true)]
async fn a_failed_look_up_is_never_an_unknown_post() {
    let busy = |status, code: &str, said: &str| Answer::Busy(words(status, code, said));
    let unseen = |status, why: &str| {
        busy(status, "", &format!("the storage account's key could not be looked up: {why}"))
    };
    let denied = words(403, "AuthorizationFailed", "no listKeys");
    let rows = [
        (vec![error(403, "AuthorizationFailed", "no listKeys")], Answer::Refused(denied)),
        (vec![error(429, "TooManyRequests", "slow"); 4], busy(429, "TooManyRequests", "slow")),
        (vec![status(500); 4], busy(500, "", "")),
        (vec![Reply::Lost; 4], unseen(0, "connection reset")),
        (vec![body(200, r#"{"keys":[]}"#)], unseen(200, "the answer holds none")),
    ];
    for (replies, expected) in rows {
        let script = Script::new(replies);
        let observed = perform(&azure(&script, &by_key()), &Action::StartBackup(start(noon()))).await;
        assert_eq!(observed, Observation::Answered { claim: claim(), answer: expected });
        let asked = script.sent();
        assert!(asked.iter().all(|sent| sent.url.ends_with("/listKeys?api-version=2023-05-01")), "{asked:?}");
    }
}
