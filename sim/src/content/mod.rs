//! What an API Management service holds: its entities, as a tree addressed by resource path.
//!
//! Everything below a service is one of these, whatever its kind: `apis/orders`,
//! `apis/orders/operations/get-order`, `products/partner/apiLinks/orders`. A path is written as Azure writes
//! it and compared without regard to case, as Azure compares it. Properties are kept as they were put, secrets
//! included; what a read may show is decided where the answer is rendered.

mod compare;
mod large;
mod openapi;
mod policy;
mod sample;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use compare::{Comparison, Count, Difference, Kind, compare};
pub use policy::escape_expressions;

/// Stands for the id of the service that holds an entity. Properties that point at a sibling begin with it,
/// so that content moves between services as it does in a restore.
pub const SERVICE: &str = "{service}";

/// Stands for a time that is the service's own: when it last wrote, or refreshed, what it stands in.
pub const TIME: &str = "{time}";

/// Types that live in a service and are left behind by a backup: the developer portal and its settings, access to
/// the service itself, connections of the credential manager, what self-hosted gateways are configured with.
const NOT_CARRIED: [&str; 11] = [
    "authorizationproviders/authorizations",
    "authorizationproviders/authorizations/accesspolicies",
    "contenttypes",
    "contenttypes/contentitems",
    "gateways/certificateauthorities",
    "gateways/hostnameconfigurations",
    "portalconfigs",
    "portalrevisions",
    "portalsettings",
    "settings",
    "tenant",
];

/// Entities of carried types that are left behind all the same: the configuration of Azure Monitor.
const AZURE_MONITOR: [&str; 2] = ["loggers/azuremonitor", "diagnostics/azuremonitor"];

/// One entity of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// The path below the service, spelled as it was created.
    pub path: String,
    /// The entity's `properties`. Copies of the entity share them.
    pub properties: Arc<Value>,
    /// Changes with every write; Azure shows it as the ETag. It belongs to one service and is never restored.
    #[serde(skip)]
    pub version: u64,
}

impl Entity {
    /// The last segment of the path: Azure's `name`.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether a backup takes this entity along.
    pub fn is_carried(&self) -> bool {
        let path = self.path.to_lowercase();
        !NOT_CARRIED.contains(&compare::type_of(&path).as_str()) && !AZURE_MONITOR.contains(&path.as_str())
    }
}

/// All entities of one service, by lower-case path.
#[derive(Clone, Debug, Default)]
pub struct Content {
    entities: BTreeMap<String, Entity>,
    writes: u64,
}

impl Content {
    /// What Azure puts into a service when it creates it: the built-in groups, the administrator, the
    /// all-access subscription, the service policy, e-mail templates and notifications.
    pub fn built_in() -> Self {
        sample::built_in()
    }

    /// A worked example: three APIs imported from the OpenAPI documents under `sim/apis`, and everything that
    /// hangs together around them.
    pub fn sample() -> Self {
        sample::sample()
    }

    /// A service of `apis` APIs that hang together as real ones do, drawn from `seed`: operations, policies at
    /// all scopes, schemas, products with links, named values, backends, groups, users, subscriptions. Sizes are
    /// those of real services, and 5,000 APIs are affordable.
    pub fn large(apis: usize, seed: u64) -> Self {
        large::large(apis, seed)
    }

    /// Creates or replaces the entity at `path`.
    pub fn put(&mut self, path: &str, properties: Value) {
        self.write(path, Arc::new(properties));
    }

    /// Creates or replaces an entity as it was elsewhere.
    pub(crate) fn write(&mut self, path: &str, properties: Arc<Value>) {
        self.writes += 1;
        let entity = Entity { path: path.to_owned(), properties, version: self.writes };
        self.entities.insert(path.to_lowercase(), entity);
    }

    /// Changes the properties of the entity at `path`. False: there is none.
    pub fn edit(&mut self, path: &str, change: impl FnOnce(&mut Value)) -> bool {
        let Some(entity) = self.entities.get_mut(&path.to_lowercase()) else { return false };
        self.writes += 1;
        entity.version = self.writes;
        change(Arc::make_mut(&mut entity.properties));
        true
    }

    /// The entity at `path`.
    pub fn get(&self, path: &str) -> Option<&Entity> {
        self.entities.get(&path.to_lowercase())
    }

    /// Removes the entity at `path`, all below it, and the links that point at it. Returns how many went.
    pub fn remove(&mut self, path: &str) -> usize {
        let key = path.to_lowercase();
        let below = format!("{key}/");
        let target = format!("{SERVICE}/{key}");
        let before = self.entities.len();
        self.entities.retain(|at, entity| {
            *at != key && !at.starts_with(&below) && !links_to(&entity.properties, &target)
        });
        before - self.entities.len()
    }

    /// The entities directly in `collection`, for example `apis` or `apis/orders/operations`.
    pub fn children<'a>(&'a self, collection: &str) -> impl Iterator<Item = &'a Entity> + use<'a> {
        let prefix = format!("{}/", collection.to_lowercase());
        let mut range = self.entities.range(prefix.clone()..);
        std::iter::from_fn(move || {
            loop {
                let (key, entity) = range.next()?;
                let Some((child, _)) = key.strip_prefix(&prefix)?.split_once('/') else {
                    return Some(entity);
                };
                // What is below a child is passed over in one step: `0` is the character after the slash.
                range = self.entities.range(format!("{prefix}{child}0")..);
            }
        })
    }

    /// Every entity, in the order of their paths.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.entities.values()
    }

    /// What a backup takes along.
    pub fn carried(&self) -> Vec<Entity> {
        self.entities().filter(|entity| entity.is_carried()).cloned().collect()
    }

    /// Replaces everything that a backup carries by `entities`; what a backup leaves behind stays.
    pub fn restore(&mut self, entities: Vec<Entity>) {
        self.entities.retain(|_, entity| !entity.is_carried());
        for entity in entities {
            self.write(&entity.path, entity.properties);
        }
    }
}

/// Whether `properties` is that of a link (it has an id of the entity it joins) that leads to `target`.
fn links_to(properties: &Value, target: &str) -> bool {
    ["apiId", "productId", "groupId", "operationId"]
        .iter()
        .filter_map(|id| properties[id].as_str())
        .any(|id| id.eq_ignore_ascii_case(target))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(content: &Content) -> Vec<&str> {
        content.entities().map(|entity| entity.path.as_str()).collect()
    }

    #[test]
    fn paths_ignore_case_and_children_are_direct() {
        let mut content = Content::default();
        content.put("apis/Orders", json!({"path": "orders"}));
        content.put("apis/Orders/operations/get", json!({}));
        content.put("apis/orders-v2", json!({}));
        content.put("apis/orders0/operations/get", json!({}));
        content.put("apis/orders1", json!({}));
        assert_eq!(content.get("APIS/orders").map(Entity::name), Some("Orders"));
        let apis: Vec<_> = content.children("apis").map(Entity::name).collect();
        assert_eq!(apis, ["Orders", "orders-v2", "orders1"]);
        assert_eq!(content.children("Apis/orders/Operations").count(), 1);
    }

    #[test]
    fn removing_an_api_takes_its_children_and_links() {
        let mut content = Content::default();
        content.put("apis/orders", json!({}));
        content.put("apis/orders/operations/get", json!({}));
        content.put("apis/orders-v2", json!({}));
        content.put("products/p/apiLinks/l", json!({"apiId": "{service}/apis/Orders"}));
        assert_eq!(content.remove("apis/Orders"), 3);
        assert_eq!(paths(&content), ["apis/orders-v2"]);
    }

    #[test]
    fn a_restore_replaces_what_is_carried_and_leaves_the_rest() {
        let mut target = Content::default();
        target.put("apis/old", json!({}));
        target.put("contentTypes/page/contentItems/home", json!({"title": "portal of the target"}));
        target.restore(Content::sample().carried());
        assert!(target.get("apis/old").is_none());
        assert!(target.get("apis/orders").is_some());
        assert!(target.get("contentTypes/page/contentItems/home").is_some());
    }
}
