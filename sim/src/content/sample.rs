//! The content that services begin with.
//!
//! The example is an online shop with three APIs. It has one of nearly everything that an API Management
//! service can hold, tied together by the references that real configurations have: policies at four scopes,
//! a fragment, secrets, backends, links.

use serde_json::{Value, json};

use super::{Content, SERVICE, TIME};
use crate::ids::guid_of;

const ORDERS: &str = include_str!("../../apis/orders.json");
const CATALOGUE: &str = include_str!("../../apis/catalogue.json");
const SHIPMENTS: &str = include_str!("../../apis/shipments.json");

const DEFAULT_POLICY: &str = "<policies>\r\n\t<inbound />\r\n\t<backend>\r\n\t\t<forward-request />\r\n\t</backend>\r\n\t<outbound />\r\n\t<on-error />\r\n</policies>";

/// The one place where the names of policies are made: every scope has a single one, `policy`.
pub(super) fn policy(inbound: &str, outbound: &str) -> Value {
    let value = format!(
        "<policies>\r\n\t<inbound>\r\n\t\t<base />\r\n\t\t{inbound}\r\n\t</inbound>\r\n\t<backend>\r\n\t\t<base />\r\n\t</backend>\r\n\t<outbound>\r\n\t\t<base />\r\n\t\t{outbound}\r\n\t</outbound>\r\n\t<on-error>\r\n\t\t<base />\r\n\t</on-error>\r\n</policies>"
    );
    json!({"value": value})
}

pub(super) fn at(path: &str) -> String {
    format!("{SERVICE}/{path}")
}

pub(super) fn built_in() -> Content {
    let mut content = Content::default();
    content.put("policies/policy", json!({"value": DEFAULT_POLICY}));
    for (group, about) in [
        ("administrators", "Administrators is a built-in group. Its members are managed by the system."),
        ("developers", "Developers is a built-in group of signed-in users of the portal."),
        ("guests", "Guests is a built-in group of visitors who have not signed in."),
    ] {
        let name = format!("{}{}", group[..1].to_uppercase(), &group[1..]);
        let properties =
            json!({"displayName": name, "description": about, "builtIn": true, "type": "system"});
        content.put(&format!("groups/{group}"), properties);
    }
    content.put("users/1", user("Administrator", "", "apim@contoso.example"));
    content.put("groups/administrators/users/1", json!({"userId": at("users/1")}));
    content.put("subscriptions/master", subscription("Built-in all-access subscription", "", None));
    notifications(&mut content);
    settings(&mut content);
    content
}

/// Settings that every service has, one by one, as the examples of the published API show them.
fn settings(content: &mut Content) {
    let off = json!({"enabled": false});
    content.put("tenant/access", off.clone());
    content.put("tenant/gitAccess", off.clone());
    content.put("portalsettings/signin", off.clone());
    content.put(
        "portalsettings/signup",
        json!({"enabled": true,
               "termsOfService": {"enabled": false, "consentRequired": false, "text": null}}),
    );
    content.put(
        "portalsettings/delegation",
        json!({"subscriptions": off, "userRegistration": off, "enabled": false}),
    );
    content.put(
        "settings/public",
        json!({"settings": {"CustomPortalSettings.UserRegistrationTerms": null,
                            "CustomPortalSettings.UserRegistrationTermsEnabled": "False",
                            "CustomPortalSettings.UserRegistrationTermsConsentRequired": "False",
                            "CustomPortalSettings.DelegationEnabled": "False",
                            "CustomPortalSettings.DelegationUrl": "",
                            "CustomPortalSettings.DelegatedSubscriptionEnabled": "False"}}),
    );
    content.put(
        "portalconfigs/default",
        json!({"enableBasicAuth": true, "signin": {"require": false},
               "signup": {"termsOfService": {"text": null, "requireConsent": false}},
               "delegation": {"delegateRegistration": false, "delegateSubscription": false, "delegationUrl": null,
                              "validationKey": null},
               "csp": {"mode": "disabled", "reportUri": [], "allowedSources": []}, "cors": {"allowedOrigins": []}}),
    );
}

fn notifications(content: &mut Content) {
    for (name, title) in [
        ("RequestPublisherNotificationMessage", "Subscription requests (requiring approval)"),
        ("NewIssuePublisherNotificationMessage", "New issue or comment"),
        ("QuotaLimitApproachingPublisherNotificationMessage", "Approaching subscription quota limit"),
    ] {
        let recipients = json!({"emails": [], "users": []});
        content.put(
            &format!("notifications/{name}"),
            json!({"title": title, "description": format!("Sent for: {title}."), "recipients": recipients}),
        );
    }
    let body = "<p>Dear $DevFirstName,</p><p>your subscription to $ProdName is active.</p>";
    content.put(
        "templates/PurchaseDeveloperNotificationMessage",
        json!({"subject": "Your subscription to $ProdName", "body": body, "title": "New subscription activated",
               "description": "Sent after a subscription was activated.", "isDefault": true,
               "parameters": [{"name": "DevFirstName", "title": "Developer first name"}]}),
    );
}

pub(super) fn sample() -> Content {
    let mut content = built_in();
    apis(&mut content);
    policies(&mut content);
    products(&mut content);
    people(&mut content);
    infrastructure(&mut content);
    access(&mut content);
    left_behind(&mut content);
    content
}

fn apis(content: &mut Content) {
    content.import("orders", "shop/orders", ORDERS);
    content.import("catalogue-v2", "shop/catalogue", CATALOGUE);
    content.import("shipments", "partners/shipments", SHIPMENTS);
    content.put(
        "apiVersionSets/catalogue",
        json!({"displayName": "Catalogue", "versioningScheme": "Segment", "description": "By path segment"}),
    );
    content.edit("apis/catalogue-v2", |api| {
        api["apiVersion"] = json!("v2");
        api["apiVersionSetId"] = json!(at("apiVersionSets/catalogue"));
    });
    let release = json!({"notes": "Invoices as PDF", "createdDateTime": TIME, "updatedDateTime": TIME});
    content.put("apis/orders/releases/r-2026-03", release);
    content.put(
        "apis/orders/diagnostics/applicationinsights",
        json!({"alwaysLog": "allErrors", "loggerId": at("loggers/appinsights"),
               "sampling": {"samplingType": "fixed", "percentage": 25}}),
    );
    let money = json!({"type": "object", "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}}});
    content.put(
        "schemas/money",
        json!({"description": "Amounts of money, everywhere alike", "schemaType": "json", "document": money}),
    );
}

fn policies(content: &mut Content) {
    let fragment = "<fragment>\r\n\t<set-header name=\"x-correlation-id\" exists-action=\"skip\">\r\n\t\t<value>@(context.RequestId.ToString(\"D\"))</value>\r\n\t</set-header>\r\n</fragment>";
    content.put(
        "policyFragments/correlation",
        json!({"description": "Gives every request an id", "value": fragment}),
    );
    content.put(
        "policies/policy",
        json!({"value": DEFAULT_POLICY.replace("<inbound />",
            "<inbound>\r\n\t\t<include-fragment fragment-id=\"correlation\" />\r\n\t</inbound>")}),
    );
    let backend = "<set-backend-service backend-id=\"orders\" />\r\n\t\t<set-header name=\"x-api-key\" exists-action=\"override\">\r\n\t\t\t<value>{{orders-backend-key}}</value>\r\n\t\t</set-header>";
    content.put(
        "apis/orders/policies/policy",
        policy(backend, "<set-header name=\"x-powered-by\" exists-action=\"delete\" />"),
    );
    content.put(
        "apis/orders/operations/place-order/policies/policy",
        policy(
            "<rate-limit-by-key calls=\"10\" renewal-period=\"60\" counter-key=\"@(context.Subscription?.Id ?? \"none\")\" />",
            "",
        ),
    );
    content.put(
        "apis/catalogue-v2/policies/policy",
        policy(
            "<cache-lookup vary-by-developer=\"false\" vary-by-developer-groups=\"false\" />",
            "<cache-store duration=\"300\" />",
        ),
    );
    content.put(
        "products/partner/policies/policy",
        policy(
            "<quota calls=\"100000\" renewal-period=\"604800\" />\r\n\t\t<validate-jwt header-name=\"Authorization\"><openid-config url=\"{{openid-configuration}}\" /></validate-jwt>",
            "",
        ),
    );
}

fn products(content: &mut Content) {
    for (name, display, approval) in [("retail", "Retail", false), ("partner", "Partner", true)] {
        content.put(
            &format!("products/{name}"),
            json!({"displayName": display, "description": format!("The APIs for {display}"), "terms": "",
                   "subscriptionRequired": true, "approvalRequired": approval, "subscriptionsLimit": 10,
                   "state": "published"}),
        );
    }
    for (product, api) in [
        ("retail", "orders"),
        ("retail", "catalogue-v2"),
        ("partner", "catalogue-v2"),
        ("partner", "shipments"),
    ] {
        content
            .put(&format!("products/{product}/apiLinks/{api}"), json!({"apiId": at(&format!("apis/{api}"))}));
    }
    for (product, group) in [("retail", "developers"), ("partner", "partners")] {
        content.put(
            &format!("products/{product}/groupLinks/{group}"),
            json!({"groupId": at(&format!("groups/{group}"))}),
        );
    }
    content.put("tags/shop", json!({"displayName": "shop"}));
    content.put("tags/shop/apiLinks/orders", json!({"apiId": at("apis/orders")}));
    content.put("tags/shop/productLinks/retail", json!({"productId": at("products/retail")}));
}

fn people(content: &mut Content) {
    let partners = json!({"displayName": "Partners", "description": "Carriers and resellers",
                          "builtIn": false, "type": "custom"});
    content.put("groups/partners", partners);
    content.put("users/noor", user("Noor", "Bakker", "noor@carrier.example"));
    content.put("users/ilse", user("Ilse", "Vogel", "ilse@reseller.example"));
    for name in ["noor", "ilse"] {
        let member = json!({"userId": at(&format!("users/{name}"))});
        content.put(&format!("groups/partners/users/{name}"), member);
    }
    content.put("subscriptions/web-shop", subscription("Web shop", "products/retail", None));
    content.put("subscriptions/carrier", subscription("Carrier", "products/partner", Some("users/noor")));
    content.put("subscriptions/reseller", subscription("Reseller", "products/partner", Some("users/ilse")));
}

pub(super) fn user(first: &str, last: &str, email: &str) -> Value {
    json!({"firstName": first, "lastName": last, "email": email, "state": "active", "note": "",
           "registrationDate": "2026-01-12T08:30:00Z", "identities": [{"provider": "Basic", "id": email}]})
}

/// A subscription with keys that are not secret: they are printed here.
pub(super) fn subscription(display: &str, scope: &str, owner: Option<&str>) -> Value {
    let key = |which: &str| format!("{}-{which}", display.to_lowercase().replace(' ', "-"));
    json!({"displayName": display, "scope": at(scope), "ownerId": owner.map(at), "state": "active",
           "createdDate": "2026-01-12T08:31:00Z", "allowTracing": false,
           "primaryKey": key("primary"), "secondaryKey": key("secondary")})
}

fn infrastructure(content: &mut Content) {
    for (name, value, secret) in [
        ("orders-backend-key", "k-7f31-orders", true),
        ("openid-configuration", "https://login.example/.well-known/openid-configuration", false),
        ("shipments-url", "https://shipments.shop.contoso.example", false),
    ] {
        let properties = json!({"displayName": name, "value": value, "secret": secret, "tags": ["shop"]});
        content.put(&format!("namedValues/{name}"), properties);
    }
    for name in ["orders", "shipments"] {
        content.put(
            &format!("backends/{name}"),
            json!({"title": name, "url": format!("https://{name}.shop.contoso.example"), "protocol": "http",
                   "tls": {"validateCertificateChain": true, "validateCertificateName": true}}),
        );
    }
    content.put(
        "namedValues/carrier-token",
        json!({"displayName": "carrier-token", "secret": true, "tags": [], "keyVault": {
            "secretIdentifier": "https://contoso-vault.vault.azure.net/secrets/carrier-token",
            "identityClientId": null, "lastStatus": {"code": "Success", "timeStampUtc": TIME}}}),
    );
    let insights = json!({"loggerType": "applicationInsights", "isBuffered": true,
                          "credentials": {"instrumentationKey": "{{appinsights-key}}"}});
    content.put("loggers/appinsights", insights);
    content.put(
        "namedValues/appinsights-key",
        json!({"displayName": "appinsights-key", "value": "0a1b2c3d", "secret": true}),
    );
    content.put(
        "diagnostics/applicationinsights",
        json!({"alwaysLog": "allErrors", "loggerId": at("loggers/appinsights"), "logClientIp": true,
               "sampling": {"samplingType": "fixed", "percentage": 100}}),
    );
    content.put(
        "caches/default",
        json!({"useFromLocation": "default", "description": "Shared answers",
               "connectionString": "{{cache-connection}}"}),
    );
    content.put(
        "gateways/warehouse",
        json!({"description": "Runs in the warehouse", "locationData": {"name": "Rotterdam"}}),
    );
    content.put("gateways/warehouse/apis/shipments", json!({"apiId": at("apis/shipments")}));
}

fn access(content: &mut Content) {
    content.put(
        "certificates/carrier-client",
        json!({"subject": "CN=carrier-client", "thumbprint": "5F1A0C2E7B9D4486A3310F5C2D7E8B9A01C4D6F2",
               "expirationDate": "2028-06-30T00:00:00Z", "data": "not for reading", "password": "not for reading"}),
    );
    content.put(
        "authorizationServers/shop",
        json!({"displayName": "Shop sign-in", "clientId": "portal", "clientSecret": "not for reading",
               "authorizationEndpoint": "https://login.example/authorize", "tokenEndpoint": "https://login.example/token",
               "clientRegistrationEndpoint": "https://login.example/apps", "grantTypes": ["authorizationCode"],
               "authorizationMethods": ["GET"], "bearerTokenSendingMethods": ["authorizationHeader"]}),
    );
    content.put(
        "openidConnectProviders/shop",
        json!({"displayName": "Shop", "metadataEndpoint": "https://login.example/.well-known/openid-configuration",
               "clientId": "portal", "clientSecret": "not for reading"}),
    );
    content.put(
        "identityProviders/aad",
        json!({"type": "aad", "clientId": "portal", "clientSecret": "not for reading",
               "allowedTenants": ["contoso.example"], "signinTenant": "contoso.example"}),
    );
    let oauth2 = json!({"grantTypes": {"clientCredentials": {"clientId": "carrier", "scopes": "track"}}});
    content.put(
        "authorizationProviders/carrier",
        json!({"displayName": "Carrier", "identityProvider": "oauth2", "oauth2": oauth2}),
    );
}

/// Entities that a backup leaves behind, so that a restore can be seen not to bring them.
fn left_behind(content: &mut Content) {
    content.put("loggers/azuremonitor", json!({"loggerType": "azureMonitor", "isBuffered": true}));
    content.put(
        "diagnostics/azuremonitor",
        json!({"loggerId": at("loggers/azuremonitor"), "sampling": {"samplingType": "fixed", "percentage": 100}}),
    );
    content.put(
        "contentTypes/page",
        json!({"name": "Page", "description": "A regular page", "version": "1.0.0",
               "schema": {"properties": {"en_us": {"type": "object"}}, "additionalProperties": false}}),
    );
    content.put(
        "contentTypes/page/contentItems/home",
        json!({"en_us": {"title": "Developer portal", "permalink": "/",
                         "documentId": "contentTypes/document/contentItems/home"}}),
    );
    content.put(
        "portalRevisions/20260112083000",
        json!({"description": "First publication", "statusDetails": null, "status": "completed", "isCurrent": true,
               "createdDateTime": TIME, "updatedDateTime": TIME}),
    );
    content.put(
        "gateways/warehouse/hostnameConfigurations/default",
        json!({"hostname": "*", "certificateId": at("certificates/carrier-client"),
               "negotiateClientCertificate": false}),
    );
    content.put("gateways/warehouse/certificateAuthorities/carrier-client", json!({"isTrusted": true}));
    content.put(
        "authorizationProviders/carrier/authorizations/carrier",
        json!({"authorizationType": "OAuth2", "oauth2grantType": "ClientCredentials",
               "parameters": {"clientId": "carrier"}, "status": "Connected"}),
    );
    let object = guid_of("carrier's access");
    content.put(
        &format!("authorizationProviders/carrier/authorizations/carrier/accessPolicies/{object}"),
        json!({"tenantId": guid_of("tenant"), "objectId": object}),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_to_an_entity() {
        let content = Content::sample();
        for entity in content.entities() {
            for target in references(&entity.properties) {
                assert!(content.get(&target).is_some(), "{} refers to {target}", entity.path);
            }
        }
    }

    fn references(value: &Value) -> Vec<String> {
        match value {
            Value::String(text) => {
                let path = text.strip_prefix(SERVICE).unwrap_or_default().trim_matches('/');
                if path.is_empty() { Vec::new() } else { vec![path.to_owned()] }
            }
            Value::Array(values) => values.iter().flat_map(references).collect(),
            Value::Object(members) => members.values().flat_map(references).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn the_example_holds_the_three_documents() {
        let content = Content::sample();
        let operations = |api: &str| content.children(&format!("apis/{api}/operations")).count();
        assert_eq!([operations("orders"), operations("catalogue-v2"), operations("shipments")], [6, 7, 4]);
    }
}
