//! The fixed order: all top-level lists, then what belongs to the APIs in the order of their names, then what belongs
//! to the products.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::lists::{APIS, BELOW_APIS, BELOW_PRODUCTS, PRODUCTS, TOP, type_of};

/// Names are compared without regard to case, as Azure compares them.
pub(super) fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// What is read as a whole, and either stands in an inventory completely or not yet.
#[derive(Clone, Debug)]
pub enum Unit {
    /// A top-level list.
    List(String),
    /// What belongs to this API.
    Api(String),
    /// What belongs to this product.
    Product(String),
}

impl Unit {
    fn sort_key(&self) -> (usize, usize, String) {
        match self {
            // A list of another layout would come last; the layout is asked before any of this is.
            Self::List(name) => {
                (0, TOP.iter().position(|list| list == name).unwrap_or(TOP.len()), String::new())
            }
            Self::Api(name) => (1, 0, folded(name)),
            Self::Product(name) => (2, 0, folded(name)),
        }
    }
}

impl PartialEq for Unit {
    fn eq(&self, other: &Self) -> bool {
        self.sort_key() == other.sort_key()
    }
}

impl Eq for Unit {}

impl PartialOrd for Unit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Unit {
    fn cmp(&self, other: &Self) -> Ordering {
        self.sort_key().cmp(&other.sort_key())
    }
}

/// How far a crawl has come: every unit up to there has been read. Stored as text, such as `api orders`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Place {
    #[default]
    Start,
    After(Unit),
    End,
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        match place {
            Place::Start => "start".to_owned(),
            Place::After(Unit::List(name)) => format!("list {name}"),
            Place::After(Unit::Api(name)) => format!("api {name}"),
            Place::After(Unit::Product(name)) => format!("product {name}"),
            Place::End => "end".to_owned(),
        }
    }
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let named = text.split_once(' ').map(|(kind, name)| (kind, name.to_owned()));
        match (text.as_str(), named) {
            ("start", _) => Ok(Self::Start),
            ("end", _) => Ok(Self::End),
            (_, Some(("list", name))) => Ok(Self::After(Unit::List(name))),
            (_, Some(("api", name))) => Ok(Self::After(Unit::Api(name))),
            (_, Some(("product", name))) => Ok(Self::After(Unit::Product(name))),
            _ => Err(format!("`{text}` is no place in an inventory")),
        }
    }
}

impl Place {
    /// Whether `unit` has been read.
    pub fn is_past(&self, unit: &Unit) -> bool {
        match self {
            Self::Start => false,
            Self::After(last) => unit <= last,
            Self::End => true,
        }
    }
}

/// Where an entity stands in the fixed order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    unit: Unit,
    /// Which of the unit's lists it is in.
    list: usize,
    /// The names below the unit.
    names: String,
}

impl Rank {
    /// The rank of the entity at `path`; `None` if no inventory of this layout holds such a thing.
    pub fn of(path: &str) -> Option<Self> {
        let segments: Vec<_> = path.split('/').collect();
        if segments.len() % 2 == 1 || segments.iter().any(|segment| segment.is_empty()) {
            return None;
        }
        let (unit, below): (fn(String) -> Unit, &[&str]) = match segments[..] {
            [list, name] => {
                let list = TOP.into_iter().find(|known| *known == list)?;
                return Some(Self { unit: Unit::List(list.to_owned()), list: 0, names: folded(name) });
            }
            [APIS, ..] => (Unit::Api, &BELOW_APIS),
            [PRODUCTS, ..] => (Unit::Product, &BELOW_PRODUCTS),
            _ => return None,
        };
        let kind = type_of(&segments[2..].join("/"));
        let list = below.iter().position(|known| *known == kind)?;
        let names: Vec<_> = segments[3..].iter().step_by(2).map(|name| folded(name)).collect();
        Some(Self { unit: unit(segments[1].to_owned()), list, names: names.join("/") })
    }

    /// The unit that the entity is read with.
    pub fn unit(&self) -> &Unit {
        &self.unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_ordered_by_list_then_by_owner_whatever_their_case() {
        let sorted = [
            "apis/Orders",
            "apis/shipments",
            "products/partner",
            "backends/a",
            "backends/B",
            "backends/c",
            "users/1",
            "apis/orders/operations/get",
            "apis/ORDERS/operations/Place",
            "apis/orders/policies/policy",
            "apis/orders/operations/get/policies/policy",
            "apis/orders/schemas/a",
            "apis/Shipments/operations/a",
            "products/partner/apiLinks/orders",
            "products/partner/policies/policy",
            "products/retail/apiLinks/orders",
        ];
        let mut ranks: Vec<_> = sorted.iter().map(|path| Rank::of(path).expect(path)).collect();
        let expected = ranks.clone();
        ranks.reverse();
        ranks.sort();
        assert_eq!(ranks, expected);
    }

    #[test]
    fn what_no_inventory_holds_has_no_rank() {
        for path in
            ["", "apis", "apis/", "/apis/a", "apis/a/operations", "apis/a/wikis/b", "Apis/a", "apis//b/c"]
        {
            assert_eq!(Rank::of(path), None, "{path}");
        }
    }

    #[test]
    fn a_place_is_past_what_was_read() {
        let api = |name: &str| Unit::Api(name.to_owned());
        let place = Place::After(api("Orders"));
        assert!(place.is_past(&api("orders")) && place.is_past(&api("catalogue")));
        assert!(place.is_past(&Unit::List("users".to_owned())));
        assert!(!place.is_past(&api("shipments")) && !place.is_past(&Unit::Product("a".to_owned())));
        assert!(!Place::Start.is_past(&Unit::List("apis".to_owned())));
        assert!(Place::End.is_past(&Unit::Product("zzz".to_owned())));
    }
}
