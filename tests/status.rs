//! The status as its readers get it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "status/pages.rs"]
mod pages;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

#[test]
fn the_page_repeats_no_markup_of_others() {
    let page = pages::troubled().page();
    assert!(page.contains("&lt;script&gt;alert('x')&lt;/script&gt;&amp;&quot;InvalidParameters&quot;"));
    assert_eq!(page.matches("<script>").count(), 1, "its own");
}

#[test]
fn the_page_lets_its_own_script_run_and_loads_nothing() {
    let page = pages::well().page();
    let (_, rest) = page.split_once("<script>").unwrap();
    let (script, _) = rest.split_once("</script>").unwrap();
    let allowed = format!("script-src 'sha256-{}'", BASE64.encode(Sha256::digest(script)));
    assert!(page.contains(&allowed), "write {allowed} into the policy");
    for reference in ["http:", "https:", "src=", "url(", "@import"] {
        assert!(!page.contains(reference), "{reference}");
    }
}

#[test]
fn the_page_says_until_when_it_can_be_believed() {
    let page = pages::well().page();
    assert!(page.contains(
        "As of <time>10 Mar 2026 09:30 UTC</time>. After <time>10 Mar 2026 10:00 UTC</time> do not"
    ));
}

#[test]
fn the_verdict_follows_the_worst_condition() {
    let title =
        |page: String| page.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0.to_owned();
    assert_eq!(title(pages::well().page()), "contoso-west: all is well");
    assert_eq!(title(pages::troubled().page()), "contoso-west: somebody has to look");
}

#[test]
fn a_record_that_cannot_be_read_is_shown_and_all_is_not_well_before_it_is_raised() {
    let status = pages::unread();
    assert_eq!((status.verdict(), status.conditions.len()), ("a record cannot be read", 0));
    let page = status.page();
    assert!(page.contains("<header class=\"warning\">"));
    assert!(page.contains("<h2>contoso-sweden <span class=\"role\">secondary</span></h2>"));
    assert!(page.contains("services/contoso-sweden.json is left alone: it is not a record: &lt;eof&gt;"));
    let json: Value = serde_json::from_str(&status.text()).unwrap();
    assert_eq!(
        (&json["unread"][0]["name"], &json["unread"][0]["role"]),
        (&json!("contoso-sweden"), &json!("secondary"))
    );
    assert!(json["unread"][0]["why"].as_str().unwrap().contains("it is not a record"));
}

#[test]
fn a_new_deployment_says_what_has_not_happened_yet() {
    let page = pages::new().page();
    assert!(page.contains("<dt>Last verified backup</dt><dd>none; the target is 26 h</dd>"));
    assert!(page.contains("<dt>Holds</dt><dd>nothing was ever restored</dd>"));
    assert!(!page.contains("<svg"), "there is nothing to draw");
}

#[test]
fn the_json_says_what_the_page_says() {
    let status: Value = serde_json::from_str(&pages::troubled().text()).unwrap();
    assert_eq!(status["asOf"], "2026-03-10T09:30:00Z");
    assert_eq!(status["believedUntil"], "2026-03-10T10:00:00Z");
    assert_eq!(status["serving"]["service"], Value::Null);
    assert_eq!(status["failedOver"]["serving"], "contoso-north");
    assert_eq!(status["lastVerified"]["name"], "contoso-west-20260310T023000Z");
    let roles: Vec<_> =
        status["services"].as_array().unwrap().iter().map(|service| &service["role"]).collect();
    assert_eq!(roles, [&json!("primary"), &json!("secondary"), &json!("secondary")]);
    let raised: Vec<_> = status["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|raised| raised["condition"].as_str().unwrap())
        .collect();
    for condition in
        ["FailedOver", "BackupFailing", "StandbyMismatched", "StandbyUnknown", "StandbyCertificate", "DryRun"]
    {
        assert!(raised.contains(&condition), "{condition} in {raised:?}");
    }
    assert_eq!(raised.last(), Some(&"DryRun"), "the worst come first");
}

#[test]
fn the_same_facts_at_another_time_are_the_same_text() {
    let (mut now, mut later) = (pages::well(), pages::well());
    later.as_of = later.believed_until;
    assert_ne!(now.text(), later.text());
    assert_eq!(now.text_without_time(), later.text_without_time());
    now.dry_run = true;
    assert_ne!(now.text_without_time(), later.text_without_time());
}
