//! What Azure's answers to a poll mean.

use time::Duration;

use super::script::*;
use crate::domain::observation::{Action, Observation, Poll};
use crate::domain::vocabulary::{AzureWords, OperationUrl};

async fn poll(replies: impl IntoIterator<Item = Reply>) -> Poll {
    let script = Script::new(replies);
    let action = Action::Poll(OperationUrl::new(LOCATION.to_owned()));
    let observed = perform(&azure(&script, &[]), &action).await;
    assert!(script.sent().iter().all(|sent| sent.method == "GET" && sent.url == LOCATION));
    let Observation::Polled(poll) = observed else { panic!("{observed:?}") };
    poll
}

#[tokio::test(start_paused = true)]
async fn a_202_runs_and_a_200_has_ended() {
    let retry_after = Some(Duration::seconds(60));
    assert_eq!(poll([with(202, "retry-after", "60")]).await, Poll::Running { retry_after });
    assert_eq!(poll([status(202)]).await, Poll::Running { retry_after: None });
    assert_eq!(poll([body(200, r#"{"properties":{}}"#)]).await, Poll::Ended);
    assert_eq!(poll([body(200, "not json")]).await, Poll::Ended);
}

#[tokio::test(start_paused = true)]
async fn a_client_error_with_a_code_is_a_failure_in_azures_words() {
    let said = "Cannot restore: current SKU is 'StandardV2', backup SKU is 'Standard'";
    for code in [400, 405, 410, 422] {
        let words = AzureWords { status: code, code: "RestoreFailed".to_owned(), message: said.to_owned() };
        assert_eq!(poll([error(code, "RestoreFailed", said)]).await, Poll::Failed(words), "{code}");
    }
}

/// Another invocation sent it with the request, or it was rotated: here nobody knows it any more.
#[tokio::test(start_paused = true)]
async fn an_accounts_key_that_the_poll_repeats_is_not_kept() {
    let key = format!("{}+/{}Q==", "Ab0".repeat(20), "z9Y8".repeat(6).split_at(23).0);
    assert_eq!(key.len(), 88);
    for said in [format!("accessKey '{key}' is invalid"), format!("AccountKey={key}; no"), key.clone()] {
        for reply in [error(400, &key, &said), status(503), body(400, &said)] {
            let answer = format!("{:?}", poll(vec![reply; 4]).await);
            assert!(!answer.contains(&key[..40]), "{answer}");
        }
        let Poll::Failed(words) = poll([error(400, "RestoreFailed", &said)]).await else { panic!("{said}") };
        assert_eq!(words.message, said.replace(&key, "(the account's key)"));
    }
}

#[tokio::test(start_paused = true)]
async fn answers_about_the_asking_say_nothing_of_the_operation() {
    for code in [403, 404, 409, 412] {
        let answer = poll([error(code, "RestoreFailed", "said all the same")]).await;
        assert!(matches!(answer, Poll::Unknown(_)), "{code} {answer:?}");
    }
    for code in [408, 429, 500, 502, 503, 504] {
        let answer = poll(vec![error(code, "RestoreFailed", "said all the same"); 4]).await;
        assert!(matches!(answer, Poll::Unknown(_)), "{code} {answer:?}");
    }
    for reply in [status(401), error(401, "InvalidAuthenticationToken", "Expired.")] {
        let answer = poll(vec![reply; 2]).await;
        assert!(matches!(answer, Poll::Unknown(_)), "{answer:?}");
    }
    for reply in [status(400), body(400, "<html>"), error(400, "", "no code"), status(302), status(507)] {
        let answer = poll([reply.clone()]).await;
        assert!(matches!(answer, Poll::Unknown(_)), "{reply:?} {answer:?}");
    }
    assert!(matches!(poll(vec![Reply::Lost; 4]).await, Poll::Unknown(_)));
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_found_no_answer_is_asked_again_at_once() {
    assert_eq!(poll([Reply::Lost, status(502), status(200)]).await, Poll::Ended);
}

#[tokio::test(start_paused = true)]
async fn a_saved_url_elsewhere_is_not_asked() {
    let script = Script::new([]);
    let action = Action::Poll(OperationUrl::new("https://elsewhere.test/operationresults/1".to_owned()));
    let observed = perform(&azure(&script, &[]), &action).await;
    let Observation::Polled(Poll::Unknown(why)) = observed else { panic!("{observed:?}") };
    assert!(why.contains("ARM_ENDPOINT") && !why.contains("elsewhere"), "{why}");
    assert_eq!((script.sent().len(), script.tokens()), (0, 0));
}
