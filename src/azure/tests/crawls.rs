//! A crawl: what is asked for, and how.

use serde_json::json;

use super::super::crawl::{Crawl, Stretch};
use super::super::{Memo, Scene};
use super::script::*;
use crate::domain::id::ServiceId;
use crate::domain::inventory::lists::TOP;
use crate::domain::inventory::{Depth, Folding, Place, Unit};
use crate::domain::observation::StretchEnd;

/// Crawls a service whose lists are empty, but that names this policy among all policies. After the lists come the
/// names of APIs and products, all policies, and this one.
async fn crawl(depth: Depth, policy: &str) -> (Stretch, Vec<Sent>) {
    crawl_with(depth, replies(policy)).await
}

fn replies(policy: &str) -> Vec<Reply> {
    let nothing = body(200, r#"{"value":[]}"#);
    let id = format!("{PRIMARY}/{policy}");
    let listed = json!({ "value": [{ "id": "x", "properties": { "referencePolicyId": id } }] });
    let fetched = json!({ "name": "policy", "properties": { "format": "rawxml", "value": "<policies />" } });
    let mut replies = vec![nothing; TOP.len() + 2];
    replies.extend([body(200, listed.to_string()), body(200, fetched.to_string())]);
    replies
}

async fn crawl_with(depth: Depth, replies: Vec<Reply>) -> (Stretch, Vec<Sent>) {
    let script = Script::new(replies);
    let (azure, clock) = (azure(&script, &[]), clock());
    let service: ServiceId = PRIMARY.parse().unwrap();
    let (folding, memo) = (Folding::of([&service]), Memo::default());
    let scene = Scene { service: &service, clock: &clock, others: &[], memo: &memo };
    let crawl = Crawl { content: azure.content(&scene), depth, folding: &folding, memo: &memo };
    let stretch = crawl.stretch(&Place::Start).await;
    (stretch, script.sent())
}

/// What was asked below the service, without the version.
fn asked(sent: &[Sent]) -> Vec<String> {
    let base = format!("https://arm.test{PRIMARY}/");
    sent.iter().map(|sent| sent.url.replace(&base, "").replace("?api-version=2024-05-01", "")).collect()
}

#[tokio::test(start_paused = true)]
async fn lists_alone_ask_for_each_list_once_and_for_the_policy_at_the_top_as_it_was_written() {
    let (stretch, sent) = crawl(Depth::Lists, "policies/policy").await;
    assert_eq!((stretch.place, stretch.end), (Place::End, StretchEnd::Full));
    let written = |list: &&str| match *list {
        "policies" => "policies/policy&format=rawxml".to_owned(),
        list => list.to_owned(),
    };
    assert_eq!(asked(&sent), TOP.iter().map(written).collect::<Vec<_>>());
    assert!(sent.iter().all(|sent| sent.method == "GET"), "nothing is posted, not even for a secret");
}

#[tokio::test(start_paused = true)]
async fn only_the_policies_that_exist_are_fetched_and_as_they_were_written() {
    for policy in [
        "apis/orders/operations/place-order/policies/policy",
        "apis/orders;rev=2/policies/policy",
        "products/retail/policies/policy",
    ] {
        let (stretch, sent) = crawl(Depth::Deep, policy).await;
        assert_eq!((&stretch.place, &stretch.end), (&Place::End, &StretchEnd::Full), "{stretch:?}");
        assert_eq!(
            asked(&sent)[TOP.len()..],
            ["apis", "products", "allPolicies", &format!("{policy}&format=rawxml")]
        );
        assert_eq!(stretch.entities.last().unwrap().path, policy);
    }
    let (_, sent) = crawl(Depth::Deep, "policies/policy").await;
    assert_eq!(sent.len(), TOP.len() + 3, "the one at the top was read with the lists");
}

/// Names stand in records and in lines of an inventory.
#[tokio::test(start_paused = true)]
async fn a_name_that_is_too_long_or_no_part_of_a_path_is_none() {
    for name in ["x".repeat(1_025), "a/b".to_owned(), String::new()] {
        let mut replies = replies("policies/policy");
        replies[0] = body(200, json!({ "value": [{ "name": name }] }).to_string());
        let (stretch, _) = crawl_with(Depth::Lists, replies).await;
        let why = "the list apis cannot be read: one of its entries has no usable name".to_owned();
        assert_eq!((stretch.place, stretch.end), (Place::Start, StretchEnd::GivenUp(why)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_top_level_list_that_is_not_there_or_may_not_be_read_ends_the_crawl_where_it_was() {
    let read_before = Place::After(Unit::List(TOP[5].to_owned()));
    for (refusal, why) in [
        (error(404, "ResourceNotFound", "gone"), format!("there is no list {}", TOP[6])),
        (error(403, "AuthorizationFailed", "no right"), "HTTP 403 AuthorizationFailed: no right".to_owned()),
    ] {
        let mut replies = replies("policies/policy");
        replies[6] = refusal;
        let (stretch, _) = crawl_with(Depth::Lists, replies).await;
        assert_eq!((stretch.place, stretch.end), (read_before.clone(), StretchEnd::GivenUp(why)));
    }
    let mut replies = replies("policies/policy");
    replies[6] = error(400, "InvalidParameters", "no");
    let (stretch, _) = crawl_with(Depth::Lists, replies).await;
    assert_eq!((stretch.place, stretch.end, stretch.unread.len()), (Place::End, StretchEnd::Full, 1));
}
