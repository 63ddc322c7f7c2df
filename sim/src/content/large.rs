//! Services of any size, drawn from a seed: what an inventory has to get through.

use serde_json::{Value, json};

use super::sample::{at, policy, subscription, user};
use super::{Content, TIME};

const FIELDS: [&str; 12] = [
    "billing",
    "booking",
    "claims",
    "customers",
    "fleet",
    "inventory",
    "loyalty",
    "payments",
    "pricing",
    "returns",
    "tracking",
    "warehouse",
];

const THINGS: [&str; 10] = [
    "accounts",
    "batches",
    "contracts",
    "documents",
    "events",
    "invoices",
    "orders",
    "quotes",
    "reports",
    "vehicles",
];

/// What an operation does to a thing: its name, method and the rest of its template.
const VERBS: [(&str, &str, &str); 10] = [
    ("list", "GET", ""),
    ("create", "POST", ""),
    ("get", "GET", "/{id}"),
    ("replace", "PUT", "/{id}"),
    ("change", "PATCH", "/{id}"),
    ("delete", "DELETE", "/{id}"),
    ("list-history", "GET", "/{id}/history"),
    ("approve", "POST", "/{id}/approval"),
    ("export", "GET", "/{id}/export"),
    ("search", "POST", "/search"),
];

/// Numbers that follow from a seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        // SplitMix64: enough for content that only has to vary.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// How many there are of what the APIs share.
struct Shared {
    products: usize,
    backends: usize,
    named_values: usize,
    users: usize,
}

pub(super) fn large(apis: usize, seed: u64) -> Content {
    let shared = Shared {
        products: apis.div_ceil(20).max(2),
        backends: apis.div_ceil(8).max(2),
        named_values: apis.div_ceil(10).max(4),
        users: apis.div_ceil(5).clamp(4, 400),
    };
    let (mut content, mut draw) = (super::sample::built_in(), Draw(seed));
    named_values(&mut content, &shared);
    infrastructure(&mut content, &shared);
    people(&mut content, &shared);
    products(&mut content, &shared, &mut draw);
    for index in 0..apis {
        api(&mut content, &shared, (index, &mut draw));
    }
    subscriptions(&mut content, &shared, (apis / 2, &mut draw));
    content
}

fn named_values(content: &mut Content, shared: &Shared) {
    for index in 0..shared.named_values {
        let name = format!("value-{index:04}");
        let properties = match index % 5 {
            0 => json!({"displayName": name, "value": format!("k-{index:08x}"), "secret": true, "tags": []}),
            1 => json!({"displayName": name, "secret": true, "tags": [], "keyVault": {
                "secretIdentifier": format!("https://contoso-vault.vault.azure.net/secrets/{name}"),
                "identityClientId": null, "lastStatus": {"code": "Success", "timeStampUtc": TIME}}}),
            _ => json!({"displayName": name, "value": format!("https://settings.contoso.example/{index}"),
                        "secret": false, "tags": []}),
        };
        content.put(&format!("namedValues/{name}"), properties);
    }
}

fn infrastructure(content: &mut Content, shared: &Shared) {
    for index in 0..shared.backends {
        let field = FIELDS[index % FIELDS.len()];
        content.put(
            &format!("backends/backend-{index:04}"),
            json!({"title": field, "url": format!("https://{field}-{index}.contoso.example"), "protocol": "http",
                   "tls": {"validateCertificateChain": true, "validateCertificateName": true}}),
        );
    }
    for (name, element) in [
        (
            "correlation",
            "<set-header name=\"x-correlation-id\" exists-action=\"skip\"><value>@(context.RequestId.ToString())</value></set-header>",
        ),
        ("no-powered-by", "<set-header name=\"x-powered-by\" exists-action=\"delete\" />"),
    ] {
        let value = format!("<fragment>\r\n\t{element}\r\n</fragment>");
        content.put(&format!("policyFragments/{name}"), json!({"description": name, "value": value}));
    }
    let insights = json!({"loggerType": "applicationInsights", "isBuffered": true,
                          "credentials": {"instrumentationKey": "{{value-0000}}"}});
    content.put("loggers/appinsights", insights);
    content.put(
        "diagnostics/applicationinsights",
        json!({"alwaysLog": "allErrors", "loggerId": at("loggers/appinsights"),
               "sampling": {"samplingType": "fixed", "percentage": 20}}),
    );
}

fn people(content: &mut Content, shared: &Shared) {
    for field in FIELDS {
        let group = json!({"displayName": field, "description": format!("Works on {field}"), "builtIn": false,
                           "type": "custom"});
        content.put(&format!("groups/{field}"), group);
        content.put(&format!("tags/{field}"), json!({"displayName": field}));
    }
    for index in 0..shared.users {
        let (name, field) = (format!("user-{index:04}"), FIELDS[index % FIELDS.len()]);
        content.put(
            &format!("users/{name}"),
            user("User", &index.to_string(), &format!("{name}@contoso.example")),
        );
        let member = json!({"userId": at(&format!("users/{name}"))});
        content.put(&format!("groups/{field}/users/{name}"), member);
    }
}

fn products(content: &mut Content, shared: &Shared, draw: &mut Draw) {
    for index in 0..shared.products {
        let (path, field) = (format!("products/product-{index:04}"), FIELDS[index % FIELDS.len()]);
        content.put(
            &path,
            json!({"displayName": format!("{field} {index}"), "description": format!("The APIs around {field}"),
                   "terms": "", "subscriptionRequired": true, "approvalRequired": draw.chance(50),
                   "subscriptionsLimit": 10, "state": "published"}),
        );
        let calls = (1 + draw.below(100)) * 1_000;
        let quota = format!("<quota calls=\"{calls}\" renewal-period=\"604800\" />");
        content.put(&format!("{path}/policies/policy"), policy(&quota, ""));
        for group in ["developers", field] {
            let link = json!({"groupId": at(&format!("groups/{group}"))});
            content.put(&format!("{path}/groupLinks/{group}"), link);
        }
    }
}

fn api(content: &mut Content, shared: &Shared, (index, draw): (usize, &mut Draw)) {
    let (field, thing) = (FIELDS[draw.below(FIELDS.len())], THINGS[draw.below(THINGS.len())]);
    let name = format!("{field}-{thing}-{index:05}");
    let path = format!("apis/{name}");
    content.put(
        &path,
        json!({
            "displayName": format!("{field} {thing} {index}"), "apiRevision": "1", "subscriptionRequired": true,
            "description": format!("Reads and writes {thing} of {field}, for partners and for our own apps."),
            "serviceUrl": format!("https://{field}.contoso.example/{thing}"), "path": format!("{field}/{thing}/{index}"),
            "protocols": ["https"], "authenticationSettings": {"oAuth2": null, "openid": null},
            "subscriptionKeyParameterNames": {"header": "Ocp-Apim-Subscription-Key", "query": "subscription-key"},
            "isCurrent": true,
        }),
    );
    if draw.chance(85) {
        content.put(&format!("{path}/policies/policy"), api_policy(shared, draw));
    }
    if draw.chance(30) {
        content.put(&format!("{path}/schemas/components"), schemas(thing, draw));
    }
    for verb in &VERBS[..5 + draw.below(6)] {
        operation(content, (&path, thing), (verb, draw));
    }
    let first = draw.below(shared.products);
    let second = draw.chance(25).then(|| (first + 1) % shared.products);
    for product in std::iter::once(first).chain(second) {
        let link = format!("products/product-{product:04}/apiLinks/{name}");
        content.put(&link, json!({"apiId": at(&path)}));
    }
    if draw.chance(20) {
        content.put(&format!("tags/{field}/apiLinks/{name}"), json!({"apiId": at(&path)}));
    }
}

fn api_policy(shared: &Shared, draw: &mut Draw) -> Value {
    let (backend, value) = (draw.below(shared.backends), draw.below(shared.named_values));
    let inbound = format!(
        "<include-fragment fragment-id=\"correlation\" />\r\n\t\t<set-backend-service backend-id=\"backend-{backend:04}\" />\r\n\t\t<set-header name=\"x-api-key\" exists-action=\"override\">\r\n\t\t\t<value>{{{{value-{value:04}}}}}</value>\r\n\t\t</set-header>\r\n\t\t<choose>\r\n\t\t\t<when condition=\"@(context.Request.Headers.GetValueOrDefault(\"x-tenant\", \"\").Length > {})\">\r\n\t\t\t\t<return-response>\r\n\t\t\t\t\t<set-status code=\"400\" reason=\"Bad Request\" />\r\n\t\t\t\t</return-response>\r\n\t\t\t</when>\r\n\t\t</choose>",
        8 + draw.below(56)
    );
    policy(&inbound, "<include-fragment fragment-id=\"no-powered-by\" />")
}

fn operation(
    content: &mut Content,
    (api, thing): (&str, &str),
    ((name, method, template), draw): (&(&str, &str, &str), &mut Draw),
) {
    let path = format!("{api}/operations/{name}");
    let parameters: &[Value] = if template.contains("{id}") {
        &[json!({"name": "id", "type": "string", "required": true, "values": []})]
    } else {
        &[]
    };
    let response = json!({"statusCode": 200, "description": "Done", "headers": [], "representations": [
        {"contentType": "application/json", "schemaId": "components", "typeName": thing}]});
    content.put(
        &path,
        json!({
            "displayName": format!("{name} {thing}"), "method": method, "urlTemplate": format!("/{thing}{template}"),
            "templateParameters": parameters, "policies": null, "responses": [response],
            "description": format!("Answers within {} ms in {} of 100 cases; ask for less if you can.",
                                   100 + draw.below(900), 90 + draw.below(10)),
        }),
    );
    if draw.chance(5) {
        let calls = 1 + draw.below(500);
        let limit = format!(
            "<rate-limit-by-key calls=\"{calls}\" renewal-period=\"60\" counter-key=\"@(context.Subscription?.Id ?? \"none\")\" />"
        );
        content.put(&format!("{path}/policies/policy"), policy(&limit, ""));
    }
}

fn schemas(thing: &str, draw: &mut Draw) -> Value {
    let fields = 4 + draw.below(12);
    let field = |index: usize| (format!("field{index}"), json!({"type": "string", "maxLength": 10 + index}));
    let properties: serde_json::Map<_, _> = (0..fields).map(field).collect();
    let schema = json!({"type": "object", "required": ["field0"], "properties": properties});
    json!({"contentType": "application/vnd.oai.openapi.components+json",
           "document": {"components": {"schemas": {thing: schema}}}})
}

fn subscriptions(content: &mut Content, shared: &Shared, (count, draw): (usize, &mut Draw)) {
    for index in 0..count {
        let product = format!("products/product-{:04}", draw.below(shared.products));
        let owner = format!("users/user-{:04}", draw.below(shared.users));
        let properties = subscription(&format!("Subscription {index}"), &product, Some(&owner));
        content.put(&format!("subscriptions/subscription-{index:05}"), properties);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::compare;

    #[test]
    fn one_seed_draws_one_service() {
        assert!(compare(&large(20, 7), &large(20, 7)).is_alike());
        assert!(!compare(&large(20, 7), &large(20, 8)).is_alike());
    }

    #[test]
    fn every_api_has_operations_and_a_product() {
        let content = large(60, 1);
        assert_eq!(content.children("apis").count(), 60);
        let mut linked = Vec::new();
        for product in content.children("products") {
            let links = content.children(&format!("{}/apiLinks", product.path));
            linked.extend(links.map(|link| link.properties["apiId"].clone()));
        }
        for api in content.children("apis") {
            let operations = content.children(&format!("{}/operations", api.path)).count();
            assert!((5..=10).contains(&operations), "{operations}");
            assert!(linked.contains(&json!(at(&api.path))), "{}", api.path);
        }
    }

    #[test]
    fn five_thousand_apis_are_affordable() {
        let content = large(5_000, 1);
        let policies = content.entities().filter(|entity| entity.path.ends_with("/policies/policy")).count();
        assert!(content.entities().count() > 50_000);
        assert!((5_500..7_500).contains(&policies), "{policies}");
    }
}
