//! A resource as the outside sees it: `schemas`, `id`, `meta` and what is linked, beside its own attributes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::clock::Micros;
use crate::scim::profile::Features;
use crate::scim::schema::Kind;
use crate::scim::schema::attribute::Attribute;
use crate::scim::store::{Resource, Slot, Store};

/// What stands encoded in a segment of a path (RFC 3986 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Which of the costly parts are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts {
    /// What the resource links to: `members`.
    pub(crate) links: bool,
    /// Where it is linked from: `groups`.
    pub(crate) back: bool,
}

/// What a view is made with.
#[derive(Clone, Copy)]
pub(crate) struct Viewer<'s> {
    pub(crate) store: &'s Store,
    /// `http://127.0.0.1:port/scim/v2`, or nothing for relative addresses.
    pub(crate) base: &'s str,
    pub(crate) features: Features,
    /// Whether ids that are numbers are shown as such.
    pub(crate) numeric_ids: bool,
    pub(crate) seen_at: Micros,
}

/// A time as RFC 7643 2.3.5 wants it.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The entity tag of a version (RFC 7644 3.14): weak, as it stands for what is meant and not for the bytes.
pub(crate) fn entity_tag(version: u64) -> String {
    format!("W/\"{version}\"")
}

impl Viewer<'_> {
    pub(crate) fn location(&self, kind: Kind, id: &str) -> String {
        let id = utf8_percent_encode(id, RESERVED);
        format!("{}{}/{id}", self.base, self.store.catalogue.resource_type(kind).endpoint)
    }

    fn id(&self, id: &str) -> Value {
        let number = id.parse::<u64>().ok().filter(|_| self.numeric_ids);
        number.map_or_else(|| Value::from(id), Value::from)
    }

    /// The whole resource.
    pub(crate) fn view(&self, slot: Slot, resource: &Resource, parts: Parts) -> Map<String, Value> {
        let kind = self.store.kind(slot);
        let catalogue = &self.store.catalogue;
        let id = self.store.id(slot);
        let mut view = resource.data();
        let extensions = catalogue.extensions(kind).map(|(schema, _)| &schema.id).filter(|id| view.contains_key(*id));
        let schemas: Vec<&String> = std::iter::once(&catalogue.resource_type(kind).schema).chain(extensions).collect();
        let schemas = json!(schemas);
        view.insert("schemas".to_owned(), schemas);
        view.insert("id".to_owned(), self.id(id));
        view.insert("meta".to_owned(), self.meta(kind, id, resource));
        if parts.links {
            self.add_links(kind, resource, &mut view);
        }
        if parts.back {
            self.add_back_links(kind, slot, &mut view);
        }
        view
    }

    fn meta(&self, kind: Kind, id: &str, resource: &Resource) -> Value {
        let mut meta = json!({
            "resourceType": self.store.catalogue.resource_type(kind).name,
            "created": time(resource.created),
            "lastModified": time(resource.modified),
            "location": self.location(kind, id),
        });
        if self.features.etag {
            meta["version"] = Value::from(entity_tag(resource.version));
        }
        meta
    }

    fn add_links(&self, kind: Kind, resource: &Resource, view: &mut Map<String, Value>) {
        let links = &self.store.catalogue.resource_type(kind).links;
        for (link, slots) in links.iter().zip(&resource.links) {
            let Some(attribute) = self.store.catalogue.attribute(kind, &link.attribute) else { continue };
            let members: Vec<Value> = slots.iter().filter_map(|slot| self.member(attribute, *slot)).collect();
            if !members.is_empty() {
                view.insert(link.attribute.clone(), Value::Array(members));
            }
        }
    }

    /// One value of a link.
    pub(crate) fn member(&self, attribute: &Attribute, slot: Slot) -> Option<Value> {
        let name = &self.store.catalogue.resource_type(self.store.kind(slot)).name;
        self.reference(attribute, slot, name)
    }

    /// A reference to a resource, with the sub-attributes that the attribute has.
    fn reference(&self, attribute: &Attribute, slot: Slot, kind_of: &str) -> Option<Value> {
        let kind = self.store.kind(slot);
        let resource = self.store.seen(slot, self.seen_at).or_else(|| self.store.latest(slot))?;
        let id = self.store.id(slot);
        let mut reference = json!({ "value": self.id(id) });
        if attribute.sub("$ref").is_some() {
            reference["$ref"] = Value::from(self.location(kind, id));
        }
        if attribute.sub("type").is_some() {
            reference["type"] = Value::from(kind_of);
        }
        if attribute.sub("display").is_some() {
            let mut data = resource.data();
            let name = ["displayName", "userName"].iter().find_map(|name| data.remove(*name));
            reference["display"] = name.unwrap_or_else(|| Value::from(id));
        }
        Some(reference)
    }

    fn add_back_links(&self, kind: Kind, slot: Slot, view: &mut Map<String, Value>) {
        let mut seen = BTreeSet::from([slot]);
        let mut level: Vec<Slot> = vec![slot];
        let mut is_direct = true;
        while !level.is_empty() {
            let mut above = Vec::new();
            for member in level {
                for (from, number) in self.store.linked_from(member) {
                    let link = self.store.catalogue.resource_type(self.store.kind(from)).links.get(number);
                    let Some(back) = link.and_then(|link| link.back.as_deref()) else { continue };
                    if seen.insert(from) {
                        self.add_back_link(kind, back, from, is_direct, view);
                        above.push(from);
                    }
                }
            }
            (level, is_direct) = (above, false);
        }
    }

    fn add_back_link(&self, kind: Kind, back: &str, from: Slot, is_direct: bool, view: &mut Map<String, Value>) {
        let Some(attribute) = self.store.catalogue.attribute(kind, back) else { return };
        let kind_of = if is_direct { "direct" } else { "indirect" };
        let Some(reference) = self.reference(attribute, from, kind_of) else { return };
        let shown = view.entry(back.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
        if let Some(shown) = shown.as_array_mut() {
            shown.push(reference);
        }
    }
}
