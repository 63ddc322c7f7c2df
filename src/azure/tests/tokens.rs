//! Tokens: fetched once, renewed once, by however many ask.

use super::script::*;
use crate::domain::observation::{Action, Looking};

const LOOK: Action = Action::Look(Looking::Service);

#[tokio::test(start_paused = true)]
async fn a_token_is_fetched_once_for_all() {
    let script = Script::new(vec![status(404); 20]);
    let azure = azure(&script, &[]);
    futures::future::join_all((0..20).map(|_| perform(&azure, &LOOK))).await;
    assert_eq!((script.sent().len(), script.tokens()), (20, 1));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once_for_all() {
    let script = Script::new(vec![status(404); 20]);
    script.revoke("Bearer token-1");
    let azure = azure(&script, &[]);
    futures::future::join_all((0..20).map(|_| perform(&azure, &LOOK))).await;
    assert_eq!((script.sent().len(), script.tokens()), (40, 2));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_soon_is_renewed_and_used_while_it_cannot_be() {
    let short = r#"{"token_type":"Bearer","expires_in":200,"access_token":"short"}"#;
    let script = Script::new(vec![status(404); 5]);
    script.refuse_tokens([body(200, short), body(400, "{}")]);
    let azure = azure(&script, &[]);
    for pause in [0, 10, 1, 9, 0] {
        tokio::time::advance(std::time::Duration::from_secs(pause)).await;
        perform(&azure, &LOOK).await;
    }
    let tokens: Vec<_> = script.sent().into_iter().map(|sent| sent.token).collect();
    let short = "Bearer short";
    assert_eq!(tokens, [short, short, short, "Bearer token-3", "Bearer token-3"]);
}

/// As the platform gives it out again and again.
#[tokio::test(start_paused = true)]
async fn a_token_that_expires_soon_is_not_asked_for_before_each_of_many_requests() {
    let short = r#"{"token_type":"Bearer","expires_in":200,"access_token":"short"}"#;
    let script = Script::new(vec![status(404); 20]);
    script.refuse_tokens(vec![body(200, short); 2]);
    let azure = azure(&script, &[]);
    for _ in 0..20 {
        tokio::time::advance(std::time::Duration::from_millis(900)).await;
        perform(&azure, &LOOK).await;
    }
    assert_eq!((script.sent().len(), script.tokens()), (20, 2));
}

#[tokio::test(start_paused = true)]
async fn a_token_request_is_repeated_and_bounded() {
    let script = Script::new([status(404)]);
    script.refuse_tokens([Reply::Lost, status(503)]);
    perform(&azure(&script, &[]), &LOOK).await;
    assert_eq!((script.sent()[0].milliseconds, script.tokens()), (2_000, 3));

    let script = Script::new([]);
    script.refuse_tokens([Reply::Silent]);
    let clock = clock();
    perform_at(&azure(&script, &[]), &clock, &LOOK).await;
    assert_eq!((clock.now() - noon()).whole_seconds(), 30);
}

#[tokio::test(start_paused = true)]
async fn who_has_waited_while_another_asked_in_vain_does_not_ask_once_more() {
    let script = Script::new([]);
    script.refuse_tokens([Reply::Silent]);
    let (azure, clock) = (azure(&script, &[]), clock());
    futures::future::join_all((0..20).map(|_| perform_at(&azure, &clock, &LOOK))).await;
    assert_eq!((script.sent().len(), script.tokens()), (0, 1));
    assert_eq!((clock.now() - noon()).whole_seconds(), 30);
}

/// Else whatever asks next would wait as long as the one before it.
#[tokio::test(start_paused = true)]
async fn a_renewal_that_takes_long_and_fails_is_not_tried_again_at_once() {
    let short = r#"{"token_type":"Bearer","expires_in":200,"access_token":"short"}"#;
    let script = Script::new(vec![status(404); 3]);
    script.refuse_tokens([body(200, short), Reply::Silent]);
    let azure = azure(&script, &[]);
    for pause in [0, 10, 9] {
        tokio::time::advance(std::time::Duration::from_secs(pause)).await;
        perform(&azure, &LOOK).await;
    }
    assert_eq!((script.sent().len(), script.tokens()), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn what_is_said_of_a_token_request_does_not_repeat_the_secret() {
    let script = Script::new([]);
    script.refuse_tokens([body(
        401,
        r#"{"error":"invalid_client","error_description":"the-secret is wrong"}"#,
    )]);
    let seen = format!("{:?}", perform(&azure(&script, &[]), &LOOK).await);
    assert!(seen.contains("is wrong") && !seen.contains("the-secret"), "{seen}");
}

#[test]
fn a_token_is_never_sent_over_http() {
    let settings = [("ARM_ENDPOINT", "http://arm.test")];
    let lookup = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned());
    let problems = crate::config::Config::from_lookup(lookup).unwrap_err().to_string();
    assert!(problems.contains("ARM_ENDPOINT"), "{problems}");
}
