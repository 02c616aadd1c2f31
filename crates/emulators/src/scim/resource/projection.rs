//! Which attributes an answer has: `attributes`, `excludedAttributes`, and what `returned` says (RFC 7644 3.9, RFC 7643 7).

use serde_json::{Map, Value};

use super::view::Parts;
use crate::scim::refusal::Refusal;
use crate::scim::schema::attribute::{Attribute, Returned};
use crate::scim::schema::{Catalogue, Kind, Place};

/// What the client wants to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Projection {
    only: Option<Vec<Wanted>>,
    without: Vec<Wanted>,
}

/// One name of the list: the extension it is in, the attribute, the sub-attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    extension: Option<String>,
    attribute: Option<String>,
    sub: Option<String>,
}

/// Names in one list.
const MOST_NAMES: usize = 200;

impl Projection {
    /// From the two lists, as the client wrote them. Names that the type does not have are left aside: the same list may
    /// be meant for several types.
    pub(crate) fn new(
        catalogue: &Catalogue,
        kind: Kind,
        attributes: &[String],
        excluded: &[String],
    ) -> Result<Self, Refusal> {
        if !attributes.is_empty() && !excluded.is_empty() {
            return Err(Refusal::bad("invalidValue", "attributes and excludedAttributes cannot be used together."));
        }
        if attributes.len() > MOST_NAMES || excluded.len() > MOST_NAMES {
            return Err(Refusal::bad("invalidValue", format!("At most {MOST_NAMES} attributes can be named.")));
        }
        let read = |names: &[String]| names.iter().filter_map(|name| wanted(catalogue, kind, name)).collect();
        let only = (!attributes.is_empty()).then(|| read(attributes));
        Ok(Self { only, without: read(excluded) })
    }

    /// Which of the costly parts have to be made.
    pub(crate) fn parts(&self, catalogue: &Catalogue, kind: Kind) -> Parts {
        let links = &catalogue.resource_type(kind).links;
        let back = catalogue.types().iter().flat_map(|other| &other.links).filter_map(|link| link.back.as_deref());
        let mut back = back.filter(|name| catalogue.attribute(kind, name).is_some());
        Parts {
            links: links.iter().any(|link| self.may_show(&link.attribute)),
            back: back.any(|name| self.may_show(name)),
        }
    }

    fn may_show(&self, attribute: &str) -> bool {
        let names = |wanted: &Wanted| wanted.extension.is_none() && wanted.attribute.as_deref() == Some(attribute);
        match &self.only {
            Some(only) => only.iter().any(names),
            None => !self.without.iter().any(|wanted| names(wanted) && wanted.sub.is_none()),
        }
    }

    /// Leaves of a view what is to be shown.
    pub(crate) fn apply(&self, catalogue: &Catalogue, kind: Kind, view: Map<String, Value>) -> Map<String, Value> {
        let mut shown = Map::new();
        for (name, value) in view {
            if let Some(schema) = catalogue.extension(kind, &name) {
                let Value::Object(members) = value else { continue };
                let of = |attribute: &str| schema.attributes.iter().find(|known| known.name == attribute);
                let members: Map<String, Value> = members
                    .into_iter()
                    .filter_map(|(name, value)| {
                        let value = self.shown(Some(&schema.id), of(&name)?, value)?;
                        Some((name, value))
                    })
                    .collect();
                if !members.is_empty() {
                    shown.insert(name, Value::Object(members));
                }
            } else if let Some(attribute) = catalogue.attribute(kind, &name)
                && let Some(value) = self.shown(None, attribute, value)
            {
                shown.insert(name, value);
            }
        }
        shown
    }

    fn shown(&self, extension: Option<&str>, attribute: &Attribute, value: Value) -> Option<Value> {
        let of = |wanted: &&Wanted| {
            wanted.extension.as_deref() == extension
                && wanted.attribute.as_deref().is_none_or(|name| name == attribute.name)
        };
        match attribute.returned {
            Returned::Never => return None,
            Returned::Always => return Some(value),
            Returned::Default | Returned::Request => {}
        }
        if let Some(only) = &self.only {
            let named: Vec<&Wanted> = only.iter().filter(of).collect();
            if named.is_empty() {
                return None;
            }
            if named.iter().any(|wanted| wanted.sub.is_none()) {
                return Some(without(attribute, value, &[]));
            }
            let subs: Vec<&str> = named.iter().filter_map(|wanted| wanted.sub.as_deref()).collect();
            return Some(only_subs(attribute, value, &subs));
        }
        let named: Vec<&Wanted> = self.without.iter().filter(of).collect();
        if attribute.returned == Returned::Request || named.iter().any(|wanted| wanted.sub.is_none()) {
            return None;
        }
        let subs: Vec<&str> = named.iter().filter_map(|wanted| wanted.sub.as_deref()).collect();
        Some(without(attribute, value, &subs))
    }
}

fn wanted(catalogue: &Catalogue, kind: Kind, name: &str) -> Option<Wanted> {
    match catalogue.resolve(kind, name.trim())? {
        Place::Extension(schema) => Some(Wanted { extension: Some(schema.id.clone()), attribute: None, sub: None }),
        Place::Attribute(spot) => Some(Wanted {
            extension: spot.extension.map(ToOwned::to_owned),
            attribute: Some(spot.attribute.name.clone()),
            sub: spot.sub.map(|sub| sub.name.clone()),
        }),
    }
}

fn each(value: Value, change: &dyn Fn(&mut Map<String, Value>)) -> Value {
    match value {
        Value::Array(elements) => Value::Array(elements.into_iter().map(|element| each(element, change)).collect()),
        Value::Object(mut members) => {
            change(&mut members);
            Value::Object(members)
        }
        other => other,
    }
}

/// Leaves these sub-attributes out, and those that are never returned.
fn without(attribute: &Attribute, value: Value, subs: &[&str]) -> Value {
    each(value, &|members| {
        members.retain(|name, _| match attribute.sub(name).map(|sub| sub.returned) {
            Some(Returned::Never) => false,
            Some(Returned::Always) => true,
            _ => !subs.contains(&name.as_str()),
        });
    })
}

fn only_subs(attribute: &Attribute, value: Value, subs: &[&str]) -> Value {
    each(value, &|members| {
        members.retain(|name, _| match attribute.sub(name).map(|sub| sub.returned) {
            Some(Returned::Never) => false,
            Some(Returned::Always) => true,
            _ => subs.contains(&name.as_str()),
        });
    })
}
