//! Whether a resource passes a filter.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Filter, Op};
use crate::scim::schema::attribute::{Attribute, Type, find};
use crate::scim::schema::{Catalogue, Kind, Place, Spot};

/// Whether a whole resource (with `id`, `meta` and so on) passes. Unknown attributes have no value.
pub(crate) fn passes(filter: &Filter, catalogue: &Catalogue, kind: Kind, resource: &Map<String, Value>) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(|part| passes(part, catalogue, kind, resource)),
        Filter::Or(parts) => parts.iter().any(|part| passes(part, catalogue, kind, resource)),
        Filter::Not(part) => !passes(part, catalogue, kind, resource),
        Filter::Present(path) => match catalogue.resolve(kind, path) {
            Some(Place::Extension(schema)) => resource.get(&schema.id).is_some_and(is_present),
            Some(Place::Attribute(spot)) => values(&spot, resource).iter().any(|value| is_present(value)),
            None => false,
        },
        Filter::Compare(path, op, wanted) => match catalogue.resolve(kind, path) {
            Some(Place::Attribute(spot)) => {
                let leaf = spot.leaf();
                let value = leaf.sub("value").filter(|_| leaf.kind == Type::Complex).unwrap_or(leaf);
                holds(value, &values(&spot, resource), *op, wanted)
            }
            _ => *op == Op::Ne,
        },
        Filter::Each(path, part) => match catalogue.resolve(kind, path) {
            Some(Place::Attribute(spot)) => {
                let elements = values(&Spot { sub: None, ..spot }, resource);
                elements.iter().any(|element| passes_inside(part, &spot.attribute.sub_attributes, element))
            }
            _ => false,
        },
    }
}

/// Whether one value of a complex attribute passes what stands in `[…]`.
pub(crate) fn passes_inside(filter: &Filter, subs: &[Attribute], element: &Value) -> bool {
    let value_of = |path: &str| {
        let sub = find(subs, path)?;
        // the values of a simple attribute are their own `value`
        Some((sub, if element.is_object() { element.get(&sub.name) } else { Some(element) }))
    };
    match filter {
        Filter::And(parts) => parts.iter().all(|part| passes_inside(part, subs, element)),
        Filter::Or(parts) => parts.iter().any(|part| passes_inside(part, subs, element)),
        Filter::Not(part) => !passes_inside(part, subs, element),
        Filter::Present(path) => value_of(path).and_then(|(_, value)| value).is_some_and(is_present),
        Filter::Compare(path, op, wanted) => match value_of(path) {
            Some((sub, value)) => holds(sub, &value.into_iter().collect::<Vec<_>>(), *op, wanted),
            None => *op == Op::Ne,
        },
        Filter::Each(..) => false,
    }
}

fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => values.iter().any(is_present),
        Value::Object(members) => members.values().any(is_present),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// The values at a place, those of a multi-valued attribute one by one. A complex one without a sub-attribute gives its
/// objects.
pub(crate) fn values<'r>(spot: &Spot<'_>, resource: &'r Map<String, Value>) -> Vec<&'r Value> {
    let holder = match spot.extension {
        Some(urn) => resource.get(urn).and_then(Value::as_object),
        None => Some(resource),
    };
    let Some(value) = holder.and_then(|holder| holder.get(&spot.attribute.name)) else { return Vec::new() };
    let elements = match value {
        Value::Array(elements) => elements.iter().collect(),
        other => vec![other],
    };
    match spot.sub {
        Some(sub) => elements.into_iter().filter_map(|element| element.get(&sub.name)).collect(),
        None => elements,
    }
}

/// Whether one of the values compares so; with `ne`, whether none of them is equal.
fn holds(attribute: &Attribute, values: &[&Value], op: Op, wanted: &Value) -> bool {
    let of = |value: &&Value| compare(attribute, value.get("value").unwrap_or(value), op, wanted);
    match (op, wanted) {
        (Op::Eq, Value::Null) => !values.iter().any(|value| is_present(value)),
        (Op::Ne, Value::Null) => values.iter().any(|value| is_present(value)),
        (Op::Ne, _) => {
            !values.iter().any(|value| compare(attribute, value.get("value").unwrap_or(value), Op::Eq, wanted))
        }
        _ => values.iter().any(of),
    }
}

fn compare(attribute: &Attribute, value: &Value, op: Op, wanted: &Value) -> bool {
    if let (Value::String(value), Value::String(wanted)) = (value, wanted) {
        let (value, wanted) = (fold(attribute, value), fold(attribute, wanted));
        match op {
            Op::Co => return value.contains(&wanted),
            Op::Sw => return value.starts_with(&wanted),
            Op::Ew => return value.ends_with(&wanted),
            _ => {}
        }
    }
    let Some(order) = compare_values(attribute, value, wanted) else { return false };
    match op {
        Op::Eq => order == Ordering::Equal,
        Op::Ne => order != Ordering::Equal,
        Op::Gt => order == Ordering::Greater,
        Op::Ge => order != Ordering::Less,
        Op::Lt => order == Ordering::Less,
        Op::Le => order != Ordering::Greater,
        Op::Co | Op::Sw | Op::Ew => false,
    }
}

/// The order of two values of an attribute; `None` when they cannot be compared.
pub(crate) fn compare_values(attribute: &Attribute, one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        (Value::Number(one), Value::Number(other)) => one.as_f64()?.partial_cmp(&other.as_f64()?),
        (Value::String(one), Value::String(other)) if attribute.kind == Type::DateTime => {
            Some(one.parse::<Timestamp>().ok()?.cmp(&other.parse().ok()?))
        }
        (Value::String(one), Value::String(other)) => Some(fold(attribute, one).cmp(&fold(attribute, other))),
        _ => None,
    }
}

/// A text as it is compared: without case, unless the attribute has it.
pub(crate) fn fold(attribute: &Attribute, text: &str) -> String {
    if attribute.case_exact { text.to_owned() } else { text.to_lowercase() }
}
