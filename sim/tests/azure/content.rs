//! Reading what a service holds: lists, pages, single entities, secrets, and the identity endpoint beside.

use apim_dr_sim::cloud::{CloudBuilder, IdCase, LineEnds, ServiceSpec};
use apim_dr_sim::content::Content;
use apim_dr_sim::tokens::IDENTITY_PATH;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower_service::Service as _;

use crate::world::{NEU, WEU, World};

fn names(list: &Value) -> Vec<&str> {
    list["value"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn every_list_that_a_comparison_reads_is_answered() {
    let world = World::new();
    let filled = "apis apis/orders/operations apis/orders/schemas apis/orders/policies apis/orders/releases \
        apis/orders/diagnostics apis/orders/revisions apis/orders/tags apis/orders/products \
        apis/orders/operations/place-order/policies policies allPolicies products products/partner/apis \
        products/partner/apiLinks products/partner/groups products/partner/groupLinks products/partner/policies \
        products/partner/subscriptions products/retail/tags subscriptions namedValues backends loggers diagnostics \
        tags tags/shop/apiLinks tags/shop/productLinks apiVersionSets schemas groups groups/partners/users users \
        users/noor/groups users/noor/subscriptions gateways gateways/warehouse/apis policyFragments certificates \
        caches authorizationServers openidConnectProviders identityProviders authorizationProviders templates \
        notifications authorizationProviders/carrier/authorizations gateways/warehouse/hostnameConfigurations \
        gateways/warehouse/certificateAuthorities users/noor/identities portalRevisions portalconfigs \
        portalsettings contentTypes contentTypes/page/contentItems settings tenant";
    for path in filled.split_whitespace() {
        let list = world.read(WEU, &format!("/{path}")).await;
        assert_eq!(list.status.as_u16(), 200, "{path}");
        let value = list.body["value"].as_array().unwrap();
        assert!(!value.is_empty(), "{path} is empty");
        assert!(list.body.get("count").is_none_or(|count| *count == value.len()), "{path}");
    }
    let empty = "workspaces apis/orders/resolvers apis/orders/tagDescriptions tags/shop/operationLinks \
        notifications/RequestPublisherNotificationMessage/recipientUsers apis/orders/operations/get-order/tags";
    for path in empty.split_whitespace() {
        let list = world.read(WEU, &format!("/{path}")).await;
        assert_eq!(list.body, json!({"value": [], "count": 0, "nextLink": ""}), "{path}");
    }
    assert!(world.cloud.journal().unknown().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_empty_service_has_the_built_in_only() {
    let world = World::new();
    for (path, expected) in [("apis", 0), ("products", 0), ("groups", 3), ("users", 1), ("subscriptions", 1)]
    {
        assert_eq!(world.read(NEU, &format!("/{path}")).await.body["count"], expected, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn lists_come_page_by_page() {
    let spec = || ServiceSpec::new(WEU, "West Europe").with_sample();
    let world = World::with(|builder: CloudBuilder| builder.page_size(3).service(spec()));
    let mut url = format!("{}/apis/orders/operations?api-version=2024-05-01", world.cloud.service(WEU).id());
    let mut seen = Vec::new();
    while !url.is_empty() {
        let page = world.get(&url).await.body;
        assert_eq!(page["count"], 6);
        seen.push(names(&page).len());
        page["nextLink"].as_str().unwrap().clone_into(&mut url);
        assert!(url.is_empty() || url.starts_with("https://management.azure.com/"), "{url}");
    }
    assert_eq!(seen, [3, 3]);
    let page = world.read(WEU, "/apis/orders/operations?$top=2&$skip=1").await.body;
    assert_eq!(names(&page), ["change-order", "get-invoice"]);
    assert!(page["nextLink"].as_str().unwrap().ends_with("&$top=2&$skip=3"), "{}", page["nextLink"]);
    assert_eq!(world.read(WEU, "/apis?$top=0").await.error(), (400, "ValidationError"));
    assert_eq!(world.read(WEU, "/apis?$skip=x").await.error(), (400, "ValidationError"));
}

// Section 4: `nextLink` is empty, null or absent at the end, and a count is not always there.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_list_is_not_always_said_alike() {
    let world = World::new();
    assert_eq!(world.read(WEU, "/apis").await.body["nextLink"], "");
    assert_eq!(world.read(WEU, "/subscriptions").await.body.get("nextLink"), Some(&Value::Null));
    assert!(world.read(WEU, "/caches").await.body.get("nextLink").is_none());
    let revisions = world.read(WEU, "/portalRevisions").await.body;
    assert_eq!(revisions.as_object().unwrap().keys().collect::<Vec<_>>(), ["value"]);
    let settings = world.read(WEU, "/portalsettings?$top=1").await.body;
    assert_eq!(names(&settings), ["delegation", "signin", "signup"], "a list without pages");
}

// Section 4: `$top` has no declared maximum, and the page is the service's choice.
#[tokio::test(start_paused = true)]
async fn pages_change_while_they_are_read() {
    let world = World::new();
    world.cloud.set_page_size(2);
    let first = world.read(WEU, "/apis/orders/operations").await.body;
    world.cloud.set_page_size(50);
    let rest = world.get(first["nextLink"].as_str().unwrap()).await.body;
    assert_eq!((names(&first).len(), names(&rest).len()), (2, 4));
    assert_eq!(rest["nextLink"], "");
}

#[tokio::test(start_paused = true)]
async fn an_order_is_not_promised_but_stays_from_page_to_page() {
    let world = World::new();
    let by_path = world.read(WEU, "/apis/orders/operations").await.body;
    world.cloud.shuffle_lists(Some(3));
    world.cloud.set_page_size(4);
    let first = world.read(WEU, "/apis/orders/operations").await.body;
    let rest = world.get(first["nextLink"].as_str().unwrap()).await.body;
    let mut shuffled = [names(&first), names(&rest)].concat();
    assert_ne!(shuffled, names(&by_path));
    shuffled.sort_unstable();
    assert_eq!(shuffled, names(&by_path));
}

// Section 4: ids compare without regard to case, CRLF is folded, timestamps are no difference.
#[tokio::test(start_paused = true)]
async fn services_spell_the_same_content_differently() {
    let spec = |name, location| ServiceSpec::new(name, location).with_sample();
    let other = spec(NEU, "North Europe").id_case(IdCase::Lower).line_ends(LineEnds::Lf);
    let world = World::with(|builder| builder.service(spec(WEU, "West Europe")).service(other));
    let link = "/products/partner/apiLinks/shipments";
    let expected = format!("{}/apis/shipments", world.cloud.service(NEU).id()).to_lowercase();
    assert_eq!(world.read(NEU, link).await.body["properties"]["apiId"], expected.as_str());
    let policy = async |service: &str| {
        let shown = world.read(service, "/apis/orders/policies/policy?format=rawxml").await.body;
        shown["properties"]["value"].as_str().unwrap().to_owned()
    };
    assert!(policy(WEU).await.contains("\r\n") && !policy(NEU).await.contains('\r'));
    let release = async |service: &str| {
        let shown = world.read(service, "/apis/orders/releases/r-2026-03").await.body;
        shown["properties"]["updatedDateTime"].as_str().unwrap().to_owned()
    };
    let before = release(NEU).await;
    assert_ne!(release(WEU).await, before);
    world.back_up("b").await;
    let location = world.begin(NEU, "restore", "b").await;
    world.advance(19);
    world.get(&location).await;
    assert!(release(NEU).await.as_str().starts_with("2026-06-01T02:30:"), "a restore writes everything anew");
    assert!(world.cloud.differences(WEU, NEU).is_alike());
}

// Seen in public (Azure/apiops 182, 561, 686; Azure/bicep 15575) for Consumption and the second generation.
#[tokio::test(start_paused = true)]
async fn tiers_lack_collections() {
    let tier = |name: &str, tier: &str| ServiceSpec::new(name, "West Europe").tier(tier, 1).with_sample();
    let world =
        World::with(|builder| builder.service(tier(WEU, "Consumption")).service(tier(NEU, "Standard")));
    let refused = world.read(WEU, "/groups").await;
    assert_eq!(refused.error(), (400, "MethodNotAllowedInPricingTier"));
    assert_eq!(refused.message(), "Method not allowed in Consumption pricing tier");
    assert_eq!(world.read(WEU, "/gateways/warehouse/apis").await.error().0, 400);
    assert_eq!(world.read(NEU, "/gateways").await.status.as_u16(), 200, "not known of Standard");
    world.cloud.service(NEU).refuse_collection("gateways");
    assert_eq!(world.read(NEU, "/gateways").await.message(), "Method not allowed in Standard pricing tier");
}

// Section 4: `/allPolicies` names what there is; the example of the published API shows the spelling.
#[tokio::test(start_paused = true)]
async fn all_policies_refer_to_policies_by_their_ids() {
    let world = World::new();
    let all = world.read(WEU, "/allPolicies").await.body;
    let id = world.cloud.service(WEU).id();
    let first = &all["value"][0];
    assert_eq!(first["type"], "Microsoft.ApiManagement/service/allpolicies");
    let policy = first["properties"]["referencePolicyId"].as_str().unwrap();
    assert_eq!(policy, format!("{id}/apis/catalogue-v2/policies/policy"));
    assert_eq!(
        world.get(&format!("{policy}?format=rawxml&api-version=2024-05-01")).await.status.as_u16(),
        200
    );
}

#[tokio::test(start_paused = true)]
async fn a_large_service_is_read_page_by_page() {
    let large = ServiceSpec::new(WEU, "West Europe").with_content(Content::large(1_000, 1));
    let world = World::with(|builder| builder.without_throttling().service(large));
    for (list, expected) in [("apis", 1_000), ("subscriptions", 501), ("products", 50)] {
        let mut url = format!("{}/{list}?api-version=2024-05-01", world.cloud.service(WEU).id());
        let mut seen = std::collections::BTreeSet::new();
        while !url.is_empty() {
            let page = world.get(&url).await.body;
            seen.extend(names(&page).into_iter().map(str::to_owned));
            page["nextLink"].as_str().unwrap_or_default().clone_into(&mut url);
        }
        assert_eq!(seen.len(), expected, "{list}");
    }
    assert_eq!(world.cloud.journal().reads(), 10 + 6 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_query_that_would_be_ignored_is_not_answered() {
    let world = World::new();
    assert_eq!(world.read(WEU, "/apis?$filter=name%20eq%20'x'").await.status.as_u16(), 501);
}

#[tokio::test(start_paused = true)]
async fn single_entities_have_an_etag_that_changes_with_them() {
    let world = World::new();
    let before = world.read(WEU, "/policies/policy?format=rawxml").await;
    assert_eq!(before.body["properties"]["format"], "rawxml");
    world.cloud.service(WEU).set_policy("", "<policies><inbound /></policies>");
    let after = world.read(WEU, "/policies/policy?format=rawxml").await;
    assert_eq!(after.body["properties"]["value"], "<policies><inbound /></policies>");
    assert_ne!(before.header("etag"), after.header("etag"));
    let path = format!("{}/policies/policy?api-version=2024-05-01", world.cloud.service(WEU).id());
    let head = world.send(("HEAD", &path), Some(&world.token()), "").await;
    assert_eq!((head.header("etag"), &head.body), (after.header("etag"), &Value::Null));
}

#[tokio::test(start_paused = true)]
async fn the_current_revision_goes_by_its_number_too() {
    let world = World::new();
    assert_eq!(world.read(WEU, "/apis/orders;rev=1").await.body["name"], "orders");
    let policy = world.read(WEU, "/apis/orders;rev=1/policies/policy").await;
    assert_eq!(policy.status.as_u16(), 200);
    assert_eq!(world.read(WEU, "/apis/orders;rev=2").await.error(), (404, "ResourceNotFound"));
}

#[tokio::test(start_paused = true)]
async fn entities_that_are_not_there_are_named_by_kind() {
    let world = World::new();
    let message = async |path: &str| world.read(WEU, path).await.message().to_owned();
    assert_eq!(message("/apis/none").await, "API not found.");
    assert_eq!(message("/apis/none/operations").await, "API not found.");
    assert_eq!(message("/apis/orders/operations/get-order/policies/policy").await, "Policy not found.");
    assert_eq!(message("/products/none").await, "Product not found.");
}

#[tokio::test(start_paused = true)]
async fn secrets_are_told_to_a_post_alone() {
    let world = World::new();
    let listed = world.read(WEU, "/namedValues").await.body.to_string();
    assert!(!listed.contains("k-7f31-orders"));
    let value = world.post(WEU, "namedValues/orders-backend-key/listValue", &Value::Null).await.body;
    assert_eq!(value, json!({"value": "k-7f31-orders"}));
    let keys = world.post(WEU, "subscriptions/carrier/listSecrets", &Value::Null).await.body;
    assert_eq!(keys, json!({"primaryKey": "carrier-primary", "secondaryKey": "carrier-secondary"}));
}

#[tokio::test(start_paused = true)]
async fn edits_by_hand_show_as_differences() {
    let sample = |name, location| ServiceSpec::new(name, location).with_sample();
    let world = World::with(|builder| {
        builder.service(sample(WEU, "West Europe")).service(sample(NEU, "North Europe"))
    });
    assert!(world.cloud.differences(WEU, NEU).is_alike());
    world.cloud.service(NEU).set_policy("products/partner", "<policies />");
    world.cloud.service(NEU).remove("apis/shipments");
    world.cloud.service(NEU).edit(|content| content.put("tags/new", json!({"displayName": "new"})));
    let comparison = world.cloud.differences(WEU, NEU);
    let lines: Vec<_> = comparison.differences.iter().map(ToString::to_string).collect();
    assert!(lines.contains(&"different: products/partner/policies/policy".to_owned()), "{lines:?}");
    assert!(lines.contains(&"missing: products/partner/apiLinks/shipments".to_owned()), "{lines:?}");
    assert!(lines.contains(&"extra: tags/new".to_owned()), "{lines:?}");
    let table = comparison.to_string();
    assert!(table.lines().any(|line| line.split_whitespace().eq(["apis", "3", "2", "2"])), "{table}");
}

async fn identity(world: &World, query: &str, header: &str) -> (u16, Value) {
    let request =
        Request::builder().uri(format!("{IDENTITY_PATH}?{query}")).header("x-identity-header", header);
    let mut router = world.cloud.identity_router();
    let response = router.call(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_identity_endpoint_answers_as_app_service_does() {
    let world = World::new();
    let directory = world.cloud.directory().clone();
    let secret = directory.identity_header().to_owned();
    let query = "resource=https%3A%2F%2Fmanagement.azure.com&api-version=2019-08-01";
    let (status, body) = identity(&world, query, &secret).await;
    assert_eq!(status, 200);
    let expires: i64 = body["expires_on"].as_str().unwrap().parse().unwrap();
    assert!(expires > time::OffsetDateTime::now_utc().unix_timestamp() + 3_600);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["client_id"], world.caller.client_id.as_str());
    let user = &directory.user_assigned()[0];
    let (_, body) = identity(&world, &format!("{query}&client_id={}", user.client_id), &secret).await;
    assert_eq!(body["client_id"], user.client_id.as_str());
    assert_eq!(identity(&world, query, "wrong").await.0, 401);
    assert_eq!(identity(&world, &format!("{query}&client_id=nobody"), &secret).await.0, 400);
    assert_eq!(identity(&world, &query.replace("2019-08-01", "2017-09-01"), &secret).await.0, 400);
    assert_eq!(identity(&world, &query.replace("management", "vault"), &secret).await.0, 400);
    directory.set_system_assigned(None);
    assert_eq!(identity(&world, query, &secret).await.0, 400);
}
