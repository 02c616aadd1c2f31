//! A resource while it is being changed: its attributes, and what it links to as record numbers.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::scim::refusal::Refusal;
use crate::scim::schema::Kind;
use crate::scim::store::{Resource, Slot, Store};

/// A set of records that a resource links to.
pub(crate) type Links = Vec<Arc<BTreeSet<Slot>>>;

/// Attributes and links, apart.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) data: Map<String, Value>,
    pub(crate) links: Links,
}

impl Draft {
    /// A body that was checked; the values of links are looked up.
    pub(crate) fn new(store: &Store, kind: Kind, mut data: Map<String, Value>) -> Result<Self, Refusal> {
        let names: Vec<String> =
            store.catalogue.resource_type(kind).links.iter().map(|link| link.attribute.clone()).collect();
        let mut links = Links::new();
        for (number, name) in names.iter().enumerate() {
            let elements = match data.remove(name) {
                Some(Value::Array(elements)) => elements,
                _ => Vec::new(),
            };
            links.push(Arc::new(linked(store, kind, number, &elements)?));
        }
        Ok(Self { data, links })
    }

    pub(crate) fn of(resource: &Resource) -> Self {
        Self { data: resource.data(), links: resource.links.clone() }
    }
}

/// The records that these values of a link lead to.
pub(crate) fn linked(store: &Store, kind: Kind, number: usize, elements: &[Value]) -> Result<BTreeSet<Slot>, Refusal> {
    let Some(link) = store.catalogue.resource_type(kind).links.get(number) else { return Ok(BTreeSet::new()) };
    let mut slots = BTreeSet::new();
    for element in elements {
        let id = element["value"].as_str();
        let id = id.ok_or_else(|| Refusal::bad("invalidValue", format!("{}.value is required.", link.attribute)))?;
        let slot = store.slot(id).filter(|slot| store.latest(*slot).is_some());
        let slot = slot.filter(|slot| link.to.contains(&store.catalogue.resource_type(store.kind(*slot)).name));
        let nobody =
            || Refusal::bad("invalidValue", format!("A value of {} is no resource of this service.", link.attribute));
        let slot = slot.ok_or_else(nobody)?;
        let name = &store.catalogue.resource_type(store.kind(slot)).name;
        if element["type"].as_str().is_some_and(|given| given != name) {
            return Err(Refusal::bad("invalidValue", format!("A value of {} has a wrong type.", link.attribute)));
        }
        slots.insert(slot);
    }
    Ok(slots)
}
