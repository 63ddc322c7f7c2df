//! Lists of entities: those that are stored as such, and those that follow from links.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Value, json};

use super::shown::{Format, Look};
use crate::content::{Content, Entity, SERVICE, TIME};

/// The types of entity that can be listed and read, in lower case.
const KNOWN: &[&str] = &[
    "allpolicies",
    "apis",
    "apis/diagnostics",
    "apis/operations",
    "apis/operations/policies",
    "apis/operations/tags",
    "apis/policies",
    "apis/products",
    "apis/releases",
    "apis/resolvers",
    "apis/resolvers/policies",
    "apis/revisions",
    "apis/schemas",
    "apis/tagdescriptions",
    "apis/tags",
    "apis/wikis",
    "apiversionsets",
    "authorizationproviders",
    "authorizationproviders/authorizations",
    "authorizationproviders/authorizations/accesspolicies",
    "authorizationservers",
    "backends",
    "caches",
    "certificates",
    "contenttypes",
    "contenttypes/contentitems",
    "diagnostics",
    "documentations",
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
    "notifications/recipientemails",
    "notifications/recipientusers",
    "openidconnectproviders",
    "policies",
    "policyfragments",
    "policyrestrictions",
    "portalconfigs",
    "portalrevisions",
    "portalsettings",
    "products",
    "products/apilinks",
    "products/apis",
    "products/grouplinks",
    "products/groups",
    "products/policies",
    "products/subscriptions",
    "products/tags",
    "products/wikis",
    "schemas",
    "settings",
    "subscriptions",
    "tags",
    "tags/apilinks",
    "tags/operationlinks",
    "tags/productlinks",
    "templates",
    "tenant",
    "users",
    "users/groups",
    "users/identities",
    "users/subscriptions",
    "workspaces",
];

/// Lists whose published examples have no `count`.
const UNCOUNTED: [&str; 15] = [
    "allpolicies",
    "apis/wikis",
    "authorizationproviders",
    "authorizationproviders/authorizations",
    "authorizationproviders/authorizations/accesspolicies",
    "authorizationservers",
    "contenttypes",
    "contenttypes/contentitems",
    "documentations",
    "gateways/certificateauthorities",
    "gateways/hostnameconfigurations",
    "policyrestrictions",
    "portalconfigs",
    "portalrevisions",
    "settings",
];

/// Lists whose published examples have no `nextLink` at their end.
const UNLINKED: [&str; 6] = [
    "caches",
    "contenttypes",
    "contenttypes/contentitems",
    "diagnostics",
    "portalrevisions",
    "portalsettings",
];

/// Lists that end with a `nextLink` of null here. Azure's do so now and then; which ones is not published.
const NULL_LINKED: [&str; 2] = ["certificates", "subscriptions"];

/// Lists that have no pages.
const WHOLE: [&str; 3] = ["notifications/recipientemails", "notifications/recipientusers", "portalsettings"];

/// Whether the path (in lower case, below the service) is of a type that is answered.
pub(super) fn is_known(path: &[&str]) -> bool {
    KNOWN.contains(&kind_of(path).as_str())
}

fn kind_of(path: &[&str]) -> String {
    path.iter().step_by(2).copied().collect::<Vec<_>>().join("/")
}

/// What is particular to a list, beside its entries.
pub(super) struct Habits {
    pub(super) counted: bool,
    pub(super) paged: bool,
    /// What `nextLink` is at the end; `None`: it is left out.
    pub(super) end: Option<Value>,
}

impl Habits {
    pub(super) fn of(path: &[&str]) -> Self {
        let kind = kind_of(path);
        let among = |kinds: &[&str]| kinds.contains(&kind.as_str());
        let end = if among(&NULL_LINKED) { Value::Null } else { json!("") };
        Self {
            counted: !among(&UNCOUNTED),
            paged: !among(&WHOLE) && kind.rsplit('/').next() != Some("policies"),
            end: (!among(&UNLINKED)).then_some(end),
        }
    }
}

/// One entry of a list, before it is shown: long lists are shown page by page.
pub(super) enum Row<'a> {
    /// An entity under its own path.
    Own(&'a Entity),
    /// An entity under the path of what links to it.
    Linked(&'a Entity, String),
    /// That there is such a policy, and no more.
    Policy(&'a Entity),
    /// A revision of an API.
    Revision(&'a Entity),
    /// What is part of another entity.
    Part(Value),
}

impl Row<'_> {
    pub(super) fn shown(&self, look: &Look) -> Value {
        match self {
            Self::Own(entity) => look.shown(entity, Format::Xml),
            Self::Linked(entity, path) => look.shown_as(entity, (path, Format::Xml)),
            Self::Policy(policy) => policy_row(look, policy),
            Self::Revision(api) => look.rendered(&revision_row(api), api.version),
            Self::Part(value) => value.clone(),
        }
    }

    /// Where the entry stands when the list is shuffled by `seed`.
    fn place(&self, seed: u64) -> u64 {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        match self {
            Self::Own(entity) | Self::Linked(entity, _) | Self::Policy(entity) | Self::Revision(entity) => {
                entity.path.to_lowercase().hash(&mut hasher);
            }
            Self::Part(value) => value.to_string().hash(&mut hasher),
        }
        hasher.finish()
    }
}

/// Puts the entries of a list in an order that nobody could guess and that stays from page to page.
pub(super) fn shuffle(rows: &mut [Row<'_>], seed: u64) {
    rows.sort_by_cached_key(|row| row.place(seed));
}

/// The entries of the list at `path` (in lower case, below the service).
pub(super) fn rows<'a>(content: &'a Content, path: &[&str]) -> Vec<Row<'a>> {
    match path {
        ["apis"] => content.children("apis").filter(|api| is_current(api)).map(Row::Own).collect(),
        ["allpolicies"] => content.entities().filter(|entity| is_policy(entity)).map(Row::Policy).collect(),
        ["apis", api, "revisions"] => revisions(content, api),
        ["apis", api, "products"] => {
            linking(content, ("products", "apiLinks", "apiId"), &format!("apis/{api}"))
        }
        ["apis", api, "operations", operation, "tags"] => {
            let target = format!("apis/{api}/operations/{operation}");
            linking(content, ("tags", "operationLinks", "operationId"), &target)
        }
        ["apis", name, "tags"] => linking(content, ("tags", "apiLinks", "apiId"), &format!("apis/{name}")),
        ["products", name, "tags"] => {
            linking(content, ("tags", "productLinks", "productId"), &format!("products/{name}"))
        }
        ["users", user, "groups"] => {
            linking(content, ("groups", "users", "userId"), &format!("users/{user}"))
        }
        ["users", user, "identities"] => identities(content, user),
        [holder @ ("products" | "users"), name, "subscriptions"] => {
            let field = if *holder == "products" { "scope" } else { "ownerId" };
            let target = format!("{SERVICE}/{holder}/{name}");
            let of = |entity: &&Entity| points_at(entity, field, &target);
            content.children("subscriptions").filter(of).map(Row::Own).collect()
        }
        ["products", name, "apis"] => linked(content, (&format!("products/{name}"), "apiLinks", "apis")),
        ["products", name, "groups"] => {
            linked(content, (&format!("products/{name}"), "groupLinks", "groups"))
        }
        ["groups", name, "users"] => linked(content, (&format!("groups/{name}"), "users", "users")),
        ["gateways", name, "apis"] => linked(content, (&format!("gateways/{name}"), "apis", "apis")),
        collection => content.children(&collection.join("/")).map(Row::Own).collect(),
    }
}

/// Revisions that are not current are listed below their API only.
fn is_current(api: &Entity) -> bool {
    api.properties["isCurrent"] != false
}

fn is_policy(entity: &Entity) -> bool {
    entity.path.ends_with("/policies/policy") || entity.path == "policies/policy"
}

/// The entities of `collection` one of whose links, kept under `links`, has `target` as its `field`.
fn linking<'a>(
    content: &'a Content,
    (collection, links, field): (&str, &str, &str),
    target: &str,
) -> Vec<Row<'a>> {
    let target = format!("{SERVICE}/{target}");
    let links_to_it = |entity: &&Entity| {
        let mut own = content.children(&format!("{}/{links}", entity.path));
        own.any(|link| points_at(link, field, &target))
    };
    content.children(collection).filter(links_to_it).map(Row::Own).collect()
}

fn points_at(entity: &Entity, field: &str, target: &str) -> bool {
    entity.properties[field].as_str().is_some_and(|text| text.eq_ignore_ascii_case(target))
}

/// The entities of `kind` that the links of `holder` lead to, each shown below the holder.
fn linked<'a>(content: &'a Content, (holder, links, kind): (&str, &str, &str)) -> Vec<Row<'a>> {
    let holder = content.get(holder).map_or(holder, |entity| &entity.path);
    let targets = content.children(&format!("{holder}/{links}")).filter_map(|link| {
        let id = ["apiId", "groupId", "userId"].iter().find_map(|field| link.properties[field].as_str())?;
        content.get(id.strip_prefix(SERVICE)?.trim_start_matches('/'))
    });
    targets.map(|entity| Row::Linked(entity, format!("{holder}/{kind}/{}", entity.name()))).collect()
}

/// The name of an entry says nothing, as in the published example; what matters is what it refers to.
fn policy_row(look: &Look, policy: &Entity) -> Value {
    let name = policy.path.replace('/', "_");
    json!({
        "id": look.id(&format!("allpolicies/{name}")),
        "type": "Microsoft.ApiManagement/service/allpolicies",
        "name": name,
        "properties": {"referencePolicyId": look.id(&policy.path), "complianceState": "Compliant"},
    })
}

fn revisions<'a>(content: &'a Content, api: &str) -> Vec<Row<'a>> {
    let prefix = format!("{api};rev=");
    let of = |entity: &&Entity| {
        let name = entity.name().to_lowercase();
        name == api || name.starts_with(&prefix)
    };
    content.children("apis").filter(of).map(Row::Revision).collect()
}

fn revision_row(api: &Entity) -> Value {
    let number = api.properties["apiRevision"].as_str().unwrap_or("1");
    let name = api.name().split(';').next().unwrap_or_default();
    json!({
        "apiId": format!("{SERVICE}/apis/{name};rev={number}"), "apiRevision": number,
        "createdDateTime": TIME, "updatedDateTime": TIME,
        "description": api.properties["apiRevisionDescription"],
        "isOnline": true, "isCurrent": is_current(api),
    })
}

fn identities<'a>(content: &'a Content, user: &str) -> Vec<Row<'a>> {
    let user = content.get(&format!("users/{user}"));
    let identities = user.and_then(|user| user.properties["identities"].as_array()).into_iter().flatten();
    identities.cloned().map(Row::Part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(content: &Content, path: &[&str]) -> Vec<Value> {
        let look = Look::plain("/id");
        rows(content, path).iter().map(|row| row.shown(&look)).collect()
    }

    fn names(path: &[&str]) -> Vec<String> {
        let shown = shown(&Content::sample(), path);
        shown.iter().map(|entry| entry["name"].as_str().unwrap_or_default().to_owned()).collect()
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
        assert_eq!(rows(&content, &["apis"]).len(), 3);
        let revisions = shown(&content, &["apis", "orders", "revisions"]);
        assert_eq!(revisions.len(), 2);
        assert_eq!(revisions[1]["apiId"], "/id/apis/orders;rev=2");
        assert_eq!(revisions[1]["isCurrent"], false);
    }

    #[test]
    fn all_policies_name_every_policy() {
        let all = shown(&Content::sample(), &["allpolicies"]);
        let ids: Vec<_> =
            all.iter().map(|row| row["properties"]["referencePolicyId"].as_str().unwrap()).collect();
        assert!(ids.contains(&"/id/policies/policy"));
        assert!(ids.contains(&"/id/apis/orders/operations/place-order/policies/policy"));
        assert_eq!(ids.len(), 5);
    }

    #[test]
    fn a_shuffled_list_has_the_same_entries_in_one_order_of_many() {
        let content = Content::sample();
        let order = |seed: u64| {
            let mut rows = rows(&content, &["apis", "orders", "operations"]);
            shuffle(&mut rows, seed);
            rows.iter().map(|row| row.shown(&Look::plain("/id"))["name"].to_string()).collect::<Vec<_>>()
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
        let sorted = |mut names: Vec<String>| (names.sort(), names).1;
        assert_eq!(sorted(order(1)), sorted(order(2)));
    }

    #[test]
    fn only_known_types_are_answered() {
        assert!(is_known(&["apis", "orders", "operations"]));
        assert!(is_known(&["apis", "orders", "operations", "get-order", "policies", "policy"]));
        assert!(!is_known(&["reports", "byapi"]));
    }
}
