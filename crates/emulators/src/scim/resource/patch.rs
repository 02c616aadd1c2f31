//! PATCH (RFC 7644 3.5.2): the operations of a request, each applied to a draft.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::draft::{Draft, linked};
use super::incoming::{self, Leniency};
use super::patch_path::PatchPath;
use super::patch_values::{Target, change};
use super::view::Viewer;
use crate::scim::filter::passes_inside;
use crate::scim::refusal::Refusal;
use crate::scim::schema::attribute::{Attribute, Mutability};
use crate::scim::schema::{Kind, PATCH_OP, Place};
use crate::scim::store::Slot;

/// Operations of one request at most.
const MOST_OPERATIONS: usize = 5_000;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Add,
    Replace,
    Remove,
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operation {
    pub(crate) verb: Verb,
    pub(crate) path: Option<String>,
    pub(crate) value: Option<Value>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    schemas: Vec<String>,
    #[serde(alias = "operations", rename = "Operations")]
    operations: Vec<RawOperation>,
}

#[derive(Deserialize)]
struct RawOperation {
    op: String,
    #[serde(default)]
    path: Option<String>,
    #[serde(default, deserialize_with = "given")]
    value: Option<Value>,
}

/// A value that is `null` is given, one that is left out is not.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Reads the body of a PATCH.
pub(crate) fn operations(body: Value, leniency: Leniency) -> Result<Vec<Operation>, Refusal> {
    let bad = |why: &str| Refusal::bad("invalidSyntax", format!("The body is no PATCH: {why}."));
    let body: Body = serde_json::from_value(body).map_err(|_error| bad("it needs schemas and Operations with op"))?;
    if !leniency.schemas && !body.schemas.iter().any(|urn| urn.eq_ignore_ascii_case(PATCH_OP)) {
        return Err(bad(&format!("schemas lacks {PATCH_OP}")));
    }
    if body.operations.is_empty() {
        return Err(bad("it has no operation"));
    }
    if body.operations.len() > MOST_OPERATIONS {
        return Err(Refusal::bad("tooMany", format!("A PATCH has at most {MOST_OPERATIONS} operations.")));
    }
    let read = |operation: RawOperation| {
        let verb = match operation.op.to_ascii_lowercase().as_str() {
            "add" => Verb::Add,
            "replace" => Verb::Replace,
            "remove" => Verb::Remove,
            _ => return Err(bad("op is add, replace or remove")),
        };
        Ok(Operation { verb, path: operation.path.filter(|path| !path.is_empty()), value: operation.value })
    };
    body.operations.into_iter().map(read).collect()
}

/// What patches are applied with.
pub(crate) struct Patcher<'p> {
    pub(crate) viewer: &'p Viewer<'p>,
    pub(crate) kind: Kind,
    pub(crate) leniency: Leniency,
}

impl Patcher<'_> {
    /// Applies one operation.
    pub(crate) fn apply(&self, operation: Operation, draft: &mut Draft) -> Result<(), Refusal> {
        let Operation { verb, path, value } = operation;
        if verb != Verb::Remove && value.is_none() {
            return Err(Refusal::bad("invalidValue", "An operation that adds or replaces needs a value."));
        }
        let value = value.unwrap_or(Value::Null);
        match path {
            Some(path) => self.at(verb, &path, value, draft),
            None if verb == Verb::Remove => Err(Refusal::bad("noTarget", "An operation that removes needs a path.")),
            None => {
                let Value::Object(members) = value else {
                    return Err(Refusal::bad("invalidValue", "Without a path the value has to be an object."));
                };
                self.members(verb, members, "", draft)
            }
        }
    }

    /// Applies the members of an object, each as an operation of its own.
    fn members(&self, verb: Verb, members: Map<String, Value>, prefix: &str, draft: &mut Draft) -> Result<(), Refusal> {
        for (name, value) in members {
            // which schemas a resource has follows from its attributes; clients send the list along
            if name.eq_ignore_ascii_case("schemas") {
                continue;
            }
            let is_known = self.viewer.store.catalogue.resolve(self.kind, &format!("{prefix}{name}")).is_some();
            if !is_known && self.leniency.unknown_attributes {
                continue;
            }
            self.at(verb, &format!("{prefix}{name}"), value, draft)?;
        }
        Ok(())
    }

    fn at(&self, verb: Verb, path: &str, value: Value, draft: &mut Draft) -> Result<(), Refusal> {
        let catalogue = &self.viewer.store.catalogue;
        let path = PatchPath::parse(catalogue, self.kind, path)?;
        let spot = match path.place {
            Place::Attribute(spot) => spot,
            Place::Extension(schema) if verb == Verb::Remove || value.is_null() => {
                draft.data.remove(&schema.id);
                return Ok(());
            }
            Place::Extension(schema) => {
                let Value::Object(members) = value else {
                    return Err(Refusal::bad("invalidValue", "The value of an extension has to be an object."));
                };
                return self.members(verb, members, &format!("{}:", schema.id), draft);
            }
        };
        writable(spot.attribute)?;
        if let Some(sub) = spot.sub {
            writable(sub)?;
        }
        if spot.extension.is_none()
            && let Some((number, _)) = catalogue.link(self.kind, &spot.attribute.name)
        {
            return self.link(verb, number, &path, value, draft);
        }
        let holder = match spot.extension {
            Some(urn) => {
                let holder = draft.data.entry(urn).or_insert_with(|| Value::Object(Map::new()));
                holder.as_object_mut().ok_or_else(|| Refusal::new(500, "An extension is stored as no object."))?
            }
            None => &mut draft.data,
        };
        let target = Target { attribute: spot.attribute, sub: spot.sub, filter: path.filter.as_ref() };
        let changed = change(verb, &target, value, holder, self.leniency);
        let is_empty = holder.is_empty();
        if let Some(urn) = spot.extension.filter(|_| is_empty) {
            draft.data.remove(urn);
        }
        changed
    }

    /// The same for an attribute that holds references.
    fn link(
        &self,
        verb: Verb,
        number: usize,
        path: &PatchPath<'_>,
        value: Value,
        draft: &mut Draft,
    ) -> Result<(), Refusal> {
        let Place::Attribute(spot) = path.place else { return Ok(()) };
        let fixed = || Refusal::bad("mutability", format!("The values of {} cannot be changed.", spot.attribute.name));
        if spot.sub.is_some() {
            return Err(fixed());
        }
        let Some(link) = draft.links.get_mut(number) else { return Ok(()) };
        let removed = match (&path.filter, verb) {
            (Some(_), Verb::Add | Verb::Replace) => return Err(fixed()),
            (Some(_), Verb::Remove) => self.matching(path, spot.attribute, link),
            (None, Verb::Remove) => link.as_ref().clone(),
            (None, Verb::Add | Verb::Replace) => {
                let elements = match value {
                    Value::Array(elements) => elements,
                    Value::Null => Vec::new(),
                    one => vec![one],
                };
                let elements = Value::Array(elements);
                let read = incoming::read(spot.attribute, elements, &spot.attribute.name, self.leniency)?;
                let elements = read.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                let slots = linked(self.viewer.store, self.kind, number, elements)?;
                if verb == Verb::Replace {
                    *link = Arc::new(slots);
                } else if !slots.is_subset(link) {
                    Arc::make_mut(link).extend(slots);
                }
                return Ok(());
            }
        };
        if !removed.is_empty() {
            Arc::make_mut(link).retain(|slot| !removed.contains(slot));
        }
        Ok(())
    }

    /// Which of the linked records pass the filter in the path.
    fn matching(&self, path: &PatchPath<'_>, attribute: &Attribute, link: &BTreeSet<Slot>) -> BTreeSet<Slot> {
        let Some(filter) = &path.filter else { return BTreeSet::new() };
        // the usual form names one id: no need to look at the others
        let wanted = filter.equalities();
        let wanted = wanted.iter().find(|(name, _)| name.eq_ignore_ascii_case("value")).and_then(|(_, id)| id.as_str());
        let candidates: Vec<Slot> = match wanted {
            Some(id) => self.viewer.store.slot(id).into_iter().filter(|slot| link.contains(slot)).collect(),
            None => link.iter().copied().collect(),
        };
        let passes = |slot: &Slot| {
            let member = self.viewer.member(attribute, *slot);
            member.is_some_and(|member| passes_inside(filter, &attribute.sub_attributes, &member))
        };
        candidates.into_iter().filter(passes).collect()
    }
}

/// Refuses what a client may not write.
fn writable(attribute: &Attribute) -> Result<(), Refusal> {
    if attribute.mutability == Mutability::ReadOnly {
        return Err(Refusal::bad("mutability", format!("{} is read-only.", attribute.name)));
    }
    Ok(())
}
