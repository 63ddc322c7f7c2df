//! How long a request may take, how often it is tried, and how large its answer may be.

use super::script::*;
use crate::domain::observation::{Action, Looking, NoLook, Observation};

/// Looks at the service under `replies`: how it ended, and when each try left, in milliseconds.
async fn look(replies: impl IntoIterator<Item = Reply>) -> (Result<(), NoLook>, Vec<u128>) {
    let script = Script::new(replies);
    let observed = perform(&azure(&script, &[]), &Action::Look(Looking::Service)).await;
    let Observation::Looked(looks) = observed else { panic!("{observed:?}") };
    (looks.service.map(drop), script.sent().into_iter().map(|sent| sent.milliseconds).collect())
}

fn answered(status: u16) -> Result<(), NoLook> {
    let words = crate::domain::vocabulary::AzureWords { status, code: String::new(), message: String::new() };
    Err(NoLook::Answer(words))
}

#[tokio::test(start_paused = true)]
async fn a_read_is_tried_four_times() {
    for status_code in [408, 429, 500, 502, 503, 504] {
        let (ended, tries) = look(vec![status(status_code); 4]).await;
        assert_eq!((ended, tries), (answered(status_code), vec![0, 500, 2_000, 6_500]));
    }
    let (ended, tries) = look(vec![Reply::Refused; 4]).await;
    assert_eq!((ended, tries.len()), (Err(NoLook::NoAnswer("connection refused".to_owned())), 4));
}

#[tokio::test(start_paused = true)]
async fn other_answers_are_not_tried_again() {
    for status_code in [400, 403, 404, 409, 412, 501, 507] {
        assert_eq!(look([status(status_code)]).await, (answered(status_code), vec![0]));
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_up_to_twenty_seconds() {
    let (ended, tries) =
        look([with(429, "retry-after", "7"), with(503, "retry-after", "20"), status(404)]).await;
    assert_eq!((ended, tries), (answered(404), vec![0, 7_000, 27_000]));
    assert_eq!(look([with(429, "retry-after", "21")]).await, (answered(429), vec![0]));
    assert_eq!(look([with(503, "retry-after", "3600")]).await, (answered(503), vec![0]));
    let (_, tries) = look([with(503, "retry-after", "soon"), status(404)]).await;
    assert_eq!(tries, [0, 500]);
    let past = with(429, "retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(look([past, status(404)]).await.1, [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn all_tries_together_end_within_forty_five_seconds() {
    let script = Script::new([Reply::Silent, Reply::Silent]);
    let clock = clock();
    let observed = perform_at(&azure(&script, &[]), &clock, &Action::Look(Looking::Service)).await;
    let Observation::Looked(looks) = observed else { panic!("{observed:?}") };
    assert_eq!(looks.service, Err(NoLook::NoAnswer("no answer within 45 s, all tries together".to_owned())));
    assert_eq!((clock.now() - noon()).whole_seconds(), 45);
    let twenty = || with(503, "retry-after", "20");
    assert_eq!(look([twenty(), twenty(), twenty()]).await, (answered(503), vec![0, 20_000, 40_000]));
}

#[tokio::test(start_paused = true)]
async fn an_answer_larger_than_five_mebibytes_is_not_taken_in() {
    let (ended, _) = look([body(200, "x".repeat((5 << 20) + 1))]).await;
    assert_eq!(ended, Err(NoLook::NoAnswer("the answer is larger than what is taken in".to_owned())));
}
