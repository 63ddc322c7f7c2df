//! Lists of content: their pages, and what ends them.

use serde_json::{Value, json};

use super::super::content::{Content, Outcome, Walk};
use super::super::{Memo, Scene};
use super::script::*;
use crate::domain::id::ServiceId;
use crate::domain::observation::StretchEnd;

/// Reads the list of APIs under `replies`: the names, what ended it, and the addresses below the list's own.
async fn read(
    replies: impl IntoIterator<Item = Reply>,
) -> (Result<(Vec<String>, Outcome), StretchEnd>, Vec<String>) {
    let script = Script::new(replies);
    let (azure, clock) = (azure(&script, &[]), clock());
    let service: ServiceId = PRIMARY.parse().unwrap();
    let scene = Scene { service: &service, clock: &clock, others: &[], memo: &Memo::default() };
    let content: Content<'_> = azure.content(&scene);
    let take = |entry: Value| Some(entry["name"].as_str()?.to_owned());
    let read = content.finish(Walk::of(&["apis"], 4), &take).await;
    let base = format!("https://arm.test{PRIMARY}/apis?api-version=2024-05-01");
    (read, script.sent().into_iter().map(|sent| sent.url.replace(&base, "")).collect())
}

fn page(names: &[&str], next: &Value) -> Reply {
    let entries: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
    body(200, json!({ "value": entries, "count": 9, "nextLink": next }).to_string())
}

fn link(query: &str) -> Value {
    json!(format!("https://arm.test{PRIMARY}/apis?api-version=2024-05-01{query}"))
}

fn too_large() -> Reply {
    body(200, "x".repeat((5 << 20) + 1))
}

fn whole(names: &[&str]) -> Result<(Vec<String>, Outcome), StretchEnd> {
    Ok((names.iter().map(|name| (*name).to_owned()).collect(), Outcome::Whole))
}

/// Why a list stays unread.
async fn unread(replies: impl IntoIterator<Item = Reply>) -> String {
    match read(replies).await.0 {
        Ok((_, Outcome::Unread { why, not_in_tier: false })) => why,
        other => panic!("it was read: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_goes_on_while_there_is_a_next_page() {
    let (names, asked) = read([page(&["a", "b"], &link("&$skip=2")), page(&["c"], &Value::Null)]).await;
    assert_eq!(names, whole(&["a", "b", "c"]));
    assert_eq!(asked, ["", "&$skip=2"]);
    assert_eq!(read([page(&["a"], &json!(""))]).await.0, whole(&["a"]));
    assert_eq!(read([body(200, r#"{"value":[{"name":"a"}]}"#)]).await.0, whole(&["a"]));
    assert_eq!(read([page(&[], &Value::Null)]).await.0, whole(&[]));
}

#[tokio::test(start_paused = true)]
async fn a_list_never_leads_elsewhere_and_never_in_a_circle() {
    let elsewhere = json!(format!("https://elsewhere.test{PRIMARY}/apis?$skip=1"));
    assert_eq!(unread([page(&["a"], &elsewhere)]).await, "its next page is not on ARM_ENDPOINT: not asked");
    let circle = [page(&["a"], &link("&$skip=1")), page(&["b"], &link("&$skip=1"))];
    assert_eq!(unread(circle).await, "its pages have no end");
    assert_eq!(unread([page(&["a", "b", "c", "d", "e"], &Value::Null)]).await, "it has more than 4 entries");
    assert_eq!(unread([body(200, r#"{"value":[{"id":7}]}"#)]).await, "one of its entries has no usable name");
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_asked_for_in_smaller_pages() {
    let replies = [
        page(&["a"], &link("&$skip=1")),
        too_large(),
        too_large(),
        page(&["b"], &link("&$top=1&$skip=2")),
        page(&["c"], &Value::Null),
    ];
    let (names, asked) = read(replies).await;
    assert_eq!(names, whole(&["a", "b", "c"]));
    assert_eq!(asked, ["", "&$skip=1", "&%24top=20&%24skip=1", "&%24top=1&%24skip=1", "&$top=1&$skip=2"]);
    let why = unread([too_large(), too_large(), too_large()]).await;
    assert_eq!(why, "one of its entries is larger than what is taken in");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_stays_leaves_the_list_unread_or_ends_the_crawl() {
    assert_eq!(unread([error(400, "InvalidParameters", "no")]).await, "HTTP 400 InvalidParameters: no");
    let (read_in_tier, _) = read([error(400, "MethodNotAllowedInPricingTier", "Method not allowed")]).await;
    assert!(matches!(read_in_tier, Ok((_, Outcome::Unread { not_in_tier: true, .. }))), "{read_in_tier:?}");
    assert_eq!(read([error(404, "ResourceNotFound", "gone")]).await.0, Ok((Vec::new(), Outcome::Gone)));
    assert_eq!(unread([error(404, "InvalidResourceType", "no")]).await, "HTTP 404 InvalidResourceType: no");
    assert_eq!(unread([body(404, "<html>")]).await, "HTTP 404: <html>", "which are not Azure's words");
    let long = unread([error(400, "InvalidParameters", &"x".repeat(1_000))]).await;
    assert!(long.ends_with("xx…") && long.chars().count() == 401, "{long}");
    let (refused, _) = read([error(403, "AuthorizationFailed", "no right")]).await;
    assert_eq!(refused, Err(StretchEnd::GivenUp("HTTP 403 AuthorizationFailed: no right".to_owned())));
}

/// What has no entries at all would be equal to any other list that has none.
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_list_is_no_empty_list() {
    for answer in ["{}", r#"{"error":{"code":"Oops"}}"#, r#"{"values":[]}"#] {
        assert_eq!(unread([body(200, answer)]).await, "an answer has no `value`: it is no list", "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_may_take_a_minute_and_a_half_of_reading_and_waiting_for_others_is_not_reading() {
    let two_pages = || Script::new([page(&["a"], &link("&$skip=1")), page(&["b"], &Value::Null)]);
    let read = async |waits: bool| {
        let (azure, clock) = (azure(&two_pages(), &[]), clock());
        let service: ServiceId = PRIMARY.parse().unwrap();
        let scene = Scene { service: &service, clock: &clock, others: &[], memo: &Memo::default() };
        let (content, mut walk) = (azure.content(&scene), Walk::of(&["apis"], 4));
        let take = |entry: Value| Some(entry["name"].as_str()?.to_owned());
        tokio::time::advance(std::time::Duration::from_secs(91)).await;
        if waits {
            walk.goes_on();
        }
        content.finish(walk, &take).await
    };
    assert_eq!(read(true).await, whole(&["a", "b"]));
    let why = "reading its first 1 entries took 90 s already".to_owned();
    assert_eq!(read(false).await, Ok((vec!["a".to_owned()], Outcome::Unread { why, not_in_tier: false })));
}

/// A crawl has many reads before it: it does not repeat one until nothing is left of the others' time.
#[tokio::test(start_paused = true)]
async fn what_may_pass_ends_the_stretch_and_not_the_crawl() {
    let (busy, asked) = read([error(429, "SubscriptionRequestsThrottled", "later")]).await;
    let later = "HTTP 429 SubscriptionRequestsThrottled: later".to_owned();
    assert_eq!((busy, asked.len()), (Err(StretchEnd::Interrupted(later)), 1));
    for reply in [status(500), status(503), Reply::Lost] {
        let (ended, asked) = read(vec![reply.clone(); 2]).await;
        assert!(matches!(ended, Err(StretchEnd::Interrupted(_))), "{reply:?} {ended:?}");
        assert_eq!(asked.len(), 2, "{reply:?}");
    }
    assert!(matches!(read([body(200, "[]")]).await.0, Err(StretchEnd::Interrupted(_))));
    assert!(matches!(read([status(401), status(401)]).await.0, Err(StretchEnd::NoToken(_))));
}

/// The doctor reads so.
#[tokio::test(start_paused = true)]
async fn what_is_no_list_is_not_an_empty_one() {
    for answer in ["{}", "[]", "null", "true", "\"x\"", r#"{"value":{}}"#] {
        let script = Script::new([body(200, answer)]);
        let read = azure(&script, &[]).read_list("/some/list", "2024-05-01").await;
        assert_eq!(
            read.map_err(|unread| unread.what),
            Err("the answer has no `value`: it is no list".to_owned())
        );
    }
}
