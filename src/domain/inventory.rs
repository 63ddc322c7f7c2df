//! What a service holds, boiled down to names and digests: taken before a backup, kept beside it, and compared with
//! what came out of a restore.
//!
//! Everything here is in one fixed order ([`Rank`]), whatever order Azure lists things in: so a comparison is a merge
//! of streams, and neither side of it has to be held as a whole.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::vocabulary::counted;

pub use content::{Folding, digest_of};
pub use document::{Chain, Head, Line, VERSION, close};
pub use order::{Place, Rank, Unit};

pub mod compare;
mod content;
mod document;
pub mod lists;
mod order;

/// The layout of inventories: which lists there are, in what order, and how content is boiled down. Inventories of
/// different layouts cannot be compared.
pub const LAYOUT: u32 = 1;

/// How much of a service an inventory covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Depth {
    /// The top-level lists, operations, policies, schemas and product links.
    Deep,
    /// The top-level lists alone.
    Lists,
}

/// One thing that a service holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// Its path below the service, as Azure spells the names in it; compared without regard to case.
    pub path: String,
    /// Of its normalised content.
    pub digest: ContentDigest,
}

/// The first half of the SHA-256 of an entity's normalised content. 128 bits tell any two contents apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentDigest([u8; 16]);

impl ContentDigest {
    /// Reads 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        if text.len() != 2 * bytes.len() || !text.is_ascii() {
            return None;
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How much a service holds; a backup that lost more than half of its APIs or products is suspicious.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    pub apis: u64,
    pub products: u64,
    /// Of every type together.
    pub entities: u64,
}

impl Counts {
    /// What suspicion goes by: `2 APIs and 1 product`.
    pub fn in_words(&self) -> String {
        format!("{} and {}", counted(self.apis, "API"), counted(self.products, "product"))
    }
}

/// A list, or a single policy, that could not be read: nothing below it is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unread {
    /// Its path below the service; `allPolicies` stands for every policy of an API, operation or product.
    pub list: String,
    /// In Azure's words where there are any.
    pub why: String,
    /// The tier does not have it: there is nothing that could be compared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_in_tier: bool,
}

impl Unread {
    /// Whether a top-level list, or the one policy that stands for one, could not be read and may hold something: what
    /// is digested without it would not show a change there.
    pub fn hides_list(&self) -> bool {
        let list = self.list.strip_suffix("/policy").unwrap_or(&self.list);
        !self.not_in_tier && lists::TOP.contains(&list)
    }

    /// Whether the entity at `path` cannot be compared for that. Where the tier has no such list it is known that
    /// nothing is there.
    pub fn hides(&self, path: &str) -> bool {
        !self.not_in_tier && self.covers(path)
    }

    /// Whether the entity at `path` belongs to what was not read.
    fn covers(&self, path: &str) -> bool {
        if self.list == lists::ALL_POLICIES {
            return lists::type_of(path).strip_suffix("/policies").is_some_and(|owner| !owner.is_empty());
        }
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        order::folded(&self.list) == order::folded(parent) || order::folded(&self.list) == order::folded(path)
    }
}
