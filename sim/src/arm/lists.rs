//! Lists of entities: those that are stored as such, and those that follow from links.

use serde_json::{Value, json};

use super::shown::{Format, shown, shown_as, with_ids};
use crate::content::{Content, Entity, SERVICE};

/// The types of entity that can be listed and read, in lower case.
const KNOWN: &[&str] = &[
    "allpolicies",
    "apis",
    "apis/diagnostics",
    "apis/operations",
    "apis/operations/policies",
    "apis/policies",
    "apis/products",
    "apis/releases",
    "apis/resolvers",
    "apis/revisions",
    "apis/schemas",
    "apis/tagdescriptions",
    "apis/tags",
    "apis/wikis",
    "apiversionsets",
    "authorizationproviders",
    "authorizationproviders/authorizations",
    "authorizationservers",
    "backends",
    "caches",
    "certificates",
    "diagnostics",
    "gateways",
    "gateways/apis",
    "gateways/certificateauthorities",
    "gateways/hostnameconfigurations",
    "groups",
    "groups/users",
    "identityproviders",
    "loggers",
    "namedvalues",
    "notifications",
    "openidconnectproviders",
    "policies",
    "policyfragments",
    "policyrestrictions",
    "products",
    "products/apilinks",
    "products/apis",
    "products/grouplinks",
    "products/groups",
    "products/policies",
    "products/subscriptions",
    "products/tags",
    "schemas",
    "subscriptions",
    "tags",
    "tags/apilinks",
    "tags/operationlinks",
    "tags/productlinks",
    "templates",
    "users",
    "users/groups",
    "users/subscriptions",
    "workspaces",
];

/// Whether the path (in lower case, below the service) is of a type that is answered.
pub(super) fn is_known(path: &[&str]) -> bool {
    let kind = path.iter().step_by(2).copied().collect::<Vec<_>>().join("/");
    KNOWN.contains(&kind.as_str())
}

/// The entries of the list at `path` (in lower case, below the service), in full.
pub(super) fn entries(service: &str, content: &Content, path: &[&str]) -> Vec<Value> {
    let plain = |entity: &Entity| shown(service, entity, Format::Xml);
    match path {
        ["apis"] => content.children("apis").filter(|api| is_current(api)).map(plain).collect(),
        ["allpolicies"] => all_policies(service, content),
        ["apis", api, "revisions"] => revisions(service, content, api),
        ["apis", api, "products"] => {
            linking(content, ("products", "apiLinks", "apiId"), &format!("apis/{api}")).map(plain).collect()
        }
        [holder @ ("apis" | "products"), name, "tags"] => {
            let (links, id) =
                if *holder == "apis" { ("apiLinks", "apiId") } else { ("productLinks", "productId") };
            linking(content, ("tags", links, id), &format!("{holder}/{name}")).map(plain).collect()
        }
        ["users", user, "groups"] => {
            linking(content, ("groups", "users", "userId"), &format!("users/{user}")).map(plain).collect()
        }
        [holder @ ("products" | "users"), name, "subscriptions"] => {
            let field = if *holder == "products" { "scope" } else { "ownerId" };
            let target = format!("{SERVICE}/{holder}/{name}");
            let of = |entity: &&Entity| points_at(entity, field, &target);
            content.children("subscriptions").filter(of).map(plain).collect()
        }
        ["products", name, "apis"] => {
            linked(service, content, (&format!("products/{name}"), "apiLinks", "apis"))
        }
        ["products", name, "groups"] => {
            linked(service, content, (&format!("products/{name}"), "groupLinks", "groups"))
        }
        ["groups", name, "users"] => linked(service, content, (&format!("groups/{name}"), "users", "users")),
        ["gateways", name, "apis"] => linked(service, content, (&format!("gateways/{name}"), "apis", "apis")),
        collection => content.children(&collection.join("/")).map(plain).collect(),
    }
}

/// Revisions that are not current are listed below their API only.
fn is_current(api: &Entity) -> bool {
    api.properties["isCurrent"] != false
}

/// The entities of `collection` one of whose links, kept under `links`, has `target` as its `field`.
fn linking<'a>(
    content: &'a Content,
    (collection, links, field): (&'a str, &'a str, &'a str),
    target: &str,
) -> impl Iterator<Item = &'a Entity> + use<'a> {
    let target = format!("{SERVICE}/{target}");
    content.children(collection).filter(move |entity| {
        let mut own = content.children(&format!("{}/{links}", entity.path));
        own.any(|link| points_at(link, field, &target))
    })
}

fn points_at(entity: &Entity, field: &str, target: &str) -> bool {
    entity.properties[field].as_str().is_some_and(|text| text.eq_ignore_ascii_case(target))
}

/// The entities of `kind` that the links of `holder` lead to, each shown below the holder.
fn linked(service: &str, content: &Content, (holder, links, kind): (&str, &str, &str)) -> Vec<Value> {
    let holder = content.get(holder).map_or(holder, |entity| &entity.path);
    let targets = content.children(&format!("{holder}/{links}")).filter_map(|link| {
        let id = ["apiId", "groupId", "userId"].iter().find_map(|field| link.properties[field].as_str())?;
        content.get(id.strip_prefix(SERVICE)?.trim_start_matches('/'))
    });
    targets
        .map(|entity| shown_as(service, entity, (&format!("{holder}/{kind}/{}", entity.name()), Format::Xml)))
        .collect()
}

/// Which policies there are, and no more: their content is read one by one.
fn all_policies(service: &str, content: &Content) -> Vec<Value> {
    let policies = content
        .entities()
        .filter(|entity| entity.path.ends_with("/policies/policy") || entity.path == "policies/policy");
    policies
        .map(|policy| {
            let reference = format!("{service}/{}", policy.path);
            json!({
                "id": reference,
                "type": "Microsoft.ApiManagement/service/allPolicies",
                "name": policy.path,
                "properties": {"referencePolicyId": reference, "complianceState": "Pending"},
            })
        })
        .collect()
}

fn revisions(service: &str, content: &Content, api: &str) -> Vec<Value> {
    let prefix = format!("{api};rev=");
    let of = |entity: &&Entity| {
        let name = entity.name().to_lowercase();
        name == api || name.starts_with(&prefix)
    };
    let revision = |entity: &Entity| {
        let number = entity.properties["apiRevision"].as_str().unwrap_or("1");
        let row = json!({
            "apiId": format!("{SERVICE}/apis/{api};rev={number}"), "apiRevision": number,
            "createdDateTime": "2026-01-12T08:30:00Z", "updatedDateTime": "2026-01-12T08:30:00Z",
            "description": entity.properties["apiRevisionDescription"],
            "isOnline": true, "isCurrent": is_current(entity),
        });
        with_ids(&row, service)
    };
    content.children("apis").filter(of).map(revision).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &[&str]) -> Vec<String> {
        let entries = entries("/id", &Content::sample(), path);
        entries.iter().map(|entry| entry["name"].as_str().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn links_show_from_both_ends() {
        assert_eq!(names(&["products", "partner", "apis"]), ["catalogue-v2", "shipments"]);
        assert_eq!(names(&["products", "partner", "apilinks"]), ["catalogue-v2", "shipments"]);
        assert_eq!(names(&["apis", "catalogue-v2", "products"]), ["partner", "retail"]);
        assert_eq!(names(&["products", "partner", "groups"]), ["partners"]);
        assert_eq!(names(&["products", "partner", "subscriptions"]), ["carrier", "reseller"]);
        assert_eq!(names(&["groups", "partners", "users"]), ["ilse", "noor"]);
        assert_eq!(names(&["users", "noor", "groups"]), ["partners"]);
        assert_eq!(names(&["users", "noor", "subscriptions"]), ["carrier"]);
        assert_eq!(names(&["apis", "orders", "tags"]), ["shop"]);
        assert_eq!(names(&["products", "retail", "tags"]), ["shop"]);
        assert_eq!(names(&["gateways", "warehouse", "apis"]), ["shipments"]);
    }

    #[test]
    fn revisions_are_listed_below_their_api_only() {
        let mut content = Content::sample();
        content.put("apis/orders;rev=2", json!({"apiRevision": "2", "isCurrent": false}));
        assert_eq!(entries("/id", &content, &["apis"]).len(), 3);
        let revisions = entries("/id", &content, &["apis", "orders", "revisions"]);
        assert_eq!(revisions.len(), 2);
        assert_eq!(revisions[1]["apiId"], "/id/apis/orders;rev=2");
        assert_eq!(revisions[1]["isCurrent"], false);
    }

    #[test]
    fn all_policies_name_every_policy() {
        let all = entries("/id", &Content::sample(), &["allpolicies"]);
        let ids: Vec<_> =
            all.iter().map(|row| row["properties"]["referencePolicyId"].as_str().unwrap()).collect();
        assert!(ids.contains(&"/id/policies/policy"));
        assert!(ids.contains(&"/id/apis/orders/operations/place-order/policies/policy"));
        assert_eq!(ids.len(), 5);
    }

    #[test]
    fn only_known_types_are_answered() {
        assert!(is_known(&["apis", "orders", "operations"]));
        assert!(is_known(&["apis", "orders", "operations", "get-order", "policies", "policy"]));
        assert!(!is_known(&["reports", "byapi"]));
    }
}
