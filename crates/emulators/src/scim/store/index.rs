//! Finding records by values: the unique attributes, and those that clients look up by.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::record::{Key, Slot};
use crate::scim::filter::{Filter, fold};
use crate::scim::schema::attribute::{Attribute, Returned, Uniqueness};
use crate::scim::schema::{Catalogue, Kind, Place};

/// An indexed path of one resource type.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    pub(crate) kind: Kind,
    /// As it is shown: `userName`, or with the URN before it.
    pub(crate) name: String,
    pub(crate) unique: bool,
    extension: Option<String>,
    attribute: Attribute,
    sub: Option<Attribute>,
}

/// All indexed paths and who has which value.
#[derive(Debug, Default)]
pub(crate) struct Index {
    paths: Vec<Path>,
    slots: HashMap<Key, Vec<Slot>>,
}

impl Index {
    pub(crate) fn new(catalogue: &Catalogue) -> Self {
        let mut paths = Vec::new();
        for (kind, resource_type) in catalogue.types().iter().enumerate() {
            let is_unique = |attribute: &&Attribute| {
                attribute.uniqueness != Uniqueness::None && attribute.returned != Returned::Never
            };
            let mut names: Vec<(String, bool)> =
                catalogue.core(kind).iter().filter(is_unique).map(|found| (found.name.clone(), true)).collect();
            for (schema, _) in catalogue.extensions(kind) {
                let unique = schema.attributes.iter().filter(is_unique);
                names.extend(unique.map(|found| (format!("{}:{}", schema.id, found.name), true)));
            }
            names.extend(resource_type.indexed.iter().map(|name| (name.clone(), false)));
            for (name, unique) in names {
                if let Some(path) = path(catalogue, kind, name, unique) {
                    paths.push(path);
                }
            }
        }
        Self { paths, slots: HashMap::new() }
    }

    /// The unique paths of a resource type, with their numbers.
    pub(crate) fn unique(&self, kind: Kind) -> impl Iterator<Item = (u16, &Path)> {
        self.numbered().filter(move |(_, path)| path.unique && path.kind == kind)
    }

    fn numbered(&self) -> impl Iterator<Item = (u16, &Path)> {
        (0_u16..).zip(&self.paths)
    }

    /// The keys of a resource.
    pub(crate) fn keys(&self, kind: Kind, data: &Map<String, Value>) -> Vec<Key> {
        let mut keys = Vec::new();
        for (number, path) in self.numbered().filter(|(_, path)| path.kind == kind) {
            for text in path.values(data) {
                let key = (number, text.into_boxed_str());
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        keys
    }

    pub(crate) fn add(&mut self, key: &Key, slot: Slot) {
        let slots = self.slots.entry(key.clone()).or_default();
        if !slots.contains(&slot) {
            slots.push(slot);
        }
    }

    pub(crate) fn remove(&mut self, key: &Key, slot: Slot) {
        if let Some(slots) = self.slots.get_mut(key) {
            slots.retain(|known| *known != slot);
            if slots.is_empty() {
                self.slots.remove(key);
            }
        }
    }

    pub(crate) fn slots(&self, key: &Key) -> &[Slot] {
        self.slots.get(key).map_or(&[], Vec::as_slice)
    }

    /// The records among which those that pass a filter are, when it wants an indexed path to equal something.
    pub(crate) fn candidates(&self, catalogue: &Catalogue, kind: Kind, filter: &Filter) -> Option<Vec<Slot>> {
        for (wanted, value) in filter.equalities() {
            let (Some(Place::Attribute(spot)), Some(text)) = (catalogue.resolve(kind, wanted), value.as_str()) else {
                continue;
            };
            let is = |path: &Path| {
                path.kind == kind
                    && path.extension.as_deref() == spot.extension
                    && path.attribute.name == spot.attribute.name
                    && path.value_sub() == spot.sub.map_or_else(|| value_of(spot.attribute), |sub| Some(&sub.name))
            };
            if let Some((number, path)) = self.numbered().find(|(_, path)| is(path)) {
                let mut slots = self.slots(&(number, fold(path.leaf(), text).into_boxed_str())).to_vec();
                slots.sort_unstable();
                return Some(slots);
            }
        }
        None
    }
}

/// What a complex attribute is compared by when no sub-attribute is named.
fn value_of(attribute: &Attribute) -> Option<&String> {
    attribute.sub("value").map(|value| &value.name)
}

fn path(catalogue: &Catalogue, kind: Kind, name: String, unique: bool) -> Option<Path> {
    let Some(Place::Attribute(spot)) = catalogue.resolve(kind, &name) else { return None };
    let (attribute, sub) = (spot.attribute.clone(), spot.sub.cloned());
    Some(Path { kind, unique, extension: spot.extension.map(ToOwned::to_owned), attribute, sub, name })
}

impl Path {
    fn value_sub(&self) -> Option<&String> {
        self.sub.as_ref().map_or_else(|| value_of(&self.attribute), |sub| Some(&sub.name))
    }

    fn leaf(&self) -> &Attribute {
        self.sub.as_ref().unwrap_or(&self.attribute)
    }

    /// The values of a resource, as they are compared.
    fn values(&self, data: &Map<String, Value>) -> Vec<String> {
        let holder = match &self.extension {
            Some(urn) => data.get(urn).and_then(Value::as_object),
            None => Some(data),
        };
        let value = holder.and_then(|holder| holder.get(&self.attribute.name));
        let elements = match value {
            Some(Value::Array(elements)) => elements.iter().collect(),
            Some(other) => vec![other],
            None => Vec::new(),
        };
        let text = |element: &Value| {
            let value = self.value_sub().map_or(Some(element), |sub| element.get(sub))?;
            value.as_str().map(|text| fold(self.leaf(), text))
        };
        elements.into_iter().filter_map(text).collect()
    }
}
