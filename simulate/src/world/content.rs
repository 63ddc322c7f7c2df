//! What the services hold: little, so that worlds are quick, but enough to tell services and edits apart.

use apim_dr_sim::content::Content;
use serde_json::json;

use crate::secrets;

/// How many APIs the primary begins with.
const APIS: usize = 4;

/// The primary holds a few APIs and a product; the others hold nothing of their own, but for one that somebody has
/// begun to fill by hand.
pub(super) fn of(service: usize, handmade: Option<usize>) -> Content {
    let mut content = Content::default();
    content.put("policies/policy", json!({ "value": "<policies><inbound /></policies>" }));
    if service == 0 {
        fill(&mut content);
    }
    if handmade == Some(service) {
        content.put("apis/by-hand", json!({ "displayName": "By hand", "path": "by-hand" }));
    }
    content
}

/// Puts the APIs back that [`hollow`] took away.
pub(super) fn fill(content: &mut Content) {
    for number in 0..APIS {
        let path = format!("apis/api-{number}");
        if content.get(&path).is_none() {
            content
                .put(&path, json!({ "displayName": format!("API {number}"), "path": format!("a{number}") }));
        }
    }
    // Resource Manager gives these out to whoever may read the service.
    let credentials = json!({ "header": { "x-key": [secrets::account_key()] } });
    let url = "https://billing.contoso.example";
    content.put("backends/billing", json!({ "url": url, "protocol": "http", "credentials": credentials }));
    content.put("products/partner", json!({ "displayName": "Partner", "state": "published" }));
}

/// Whether some of what [`fill`] puts there is missing.
pub(super) fn is_hollow(content: &Content) -> bool {
    let mut apis = (0..APIS).map(|number| format!("apis/api-{number}"));
    apis.any(|path| content.get(&path).is_none()) || content.get("products/partner").is_none()
}

/// Takes most of the APIs away.
pub(super) fn hollow(content: &mut Content, number: u32) {
    if number.is_multiple_of(3) {
        content.remove("products/partner");
        return;
    }
    for number in 1..APIS {
        content.remove(&format!("apis/api-{number}"));
    }
}

/// Somebody changes something, and never the same twice.
pub(super) fn edit(content: &mut Content, number: u32) {
    let name = format!("named-{}", number % 5);
    let path = format!("namedValues/{name}");
    content.put(&path, json!({ "displayName": name, "value": number.to_string(), "secret": false }));
    if number.is_multiple_of(4) {
        let display = format!("By hand, {number}");
        content.put("apis/by-hand", json!({ "displayName": display, "path": "by-hand" }));
    }
}
