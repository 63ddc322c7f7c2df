//! Which lists an inventory covers (contract: apim-arm, section 4).

/// The top-level lists, in their order. APIs and products come first: the gates of a restore read no further.
///
/// Left out is what a backup does not carry (the developer portal's content, credential-manager connections) and what
/// tells of use rather than of configuration.
pub const TOP: [&str; 22] = [
    APIS,
    PRODUCTS,
    "apiVersionSets",
    "authorizationServers",
    "backends",
    "caches",
    "certificates",
    "diagnostics",
    "gateways",
    "groups",
    "identityProviders",
    "loggers",
    "namedValues",
    "notifications",
    "openidConnectProviders",
    POLICIES,
    "policyFragments",
    "schemas",
    "subscriptions",
    "tags",
    "templates",
    "users",
];

pub const APIS: &str = "apis";
pub const PRODUCTS: &str = "products";

/// At each scope there is one policy at most, and it is called `policy`.
pub const POLICIES: &str = "policies";
pub const POLICY: &str = "policy";

/// Says which policies exist, and no more; each is then fetched as it was written.
pub const ALL_POLICIES: &str = "allPolicies";

/// What belongs to an API, in its order. The policies are fetched one by one.
pub const BELOW_APIS: [&str; 4] = ["operations", POLICIES, "operations/policies", "schemas"];

/// What belongs to a product, in its order.
pub const BELOW_PRODUCTS: [&str; 2] = ["apiLinks", POLICIES];

/// What stands in these lists and is left behind by a backup: the configuration of Azure Monitor.
const LEFT_BEHIND: [&str; 2] = ["loggers/azuremonitor", "diagnostics/azuremonitor"];

/// Whether a backup takes the entity at `path` along.
pub fn is_carried(path: &str) -> bool {
    !LEFT_BEHIND.iter().any(|left| left.eq_ignore_ascii_case(path))
}

/// The type of the entity at `path`: its collections without the names between them, such as `apis/operations`.
pub fn type_of(path: &str) -> String {
    path.split('/').step_by(2).collect::<Vec<_>>().join("/")
}
