//! What a PATCH operation does to the values of one attribute (RFC 7644 3.5.2.1 to 3.5.2.3).

use serde_json::{Map, Value};

use super::incoming::{self, Leniency};
use super::patch::Verb;
use crate::scim::filter::{Filter, passes_inside};
use crate::scim::refusal::Refusal;
use crate::scim::schema::attribute::{Attribute, Mutability, Type};

/// Where an operation goes.
pub(super) struct Target<'t> {
    pub(super) attribute: &'t Attribute,
    pub(super) sub: Option<&'t Attribute>,
    pub(super) filter: Option<&'t Filter>,
}

fn no_target(attribute: &Attribute) -> Refusal {
    Refusal::bad("noTarget", format!("No value of {} is meant by the path.", attribute.name))
}

/// Applies an operation to the object that holds the attribute.
pub(super) fn change(
    verb: Verb,
    target: &Target<'_>,
    value: Value,
    holder: &mut Map<String, Value>,
    leniency: Leniency,
) -> Result<(), Refusal> {
    let Target { attribute, sub, filter } = *target;
    let is_removal = verb == Verb::Remove || (value.is_null() && verb == Verb::Replace);
    if is_removal {
        return remove(target, holder);
    }
    immutable(attribute, holder.get(&attribute.name), &value)?;
    match (sub, filter) {
        (None, None) if attribute.multi_valued => many(verb, attribute, value, holder, leniency),
        (None, None) => one(attribute, value, holder, leniency),
        (Some(sub), None) if !attribute.multi_valued => {
            let nested = holder.entry(&attribute.name).or_insert_with(|| Value::Object(Map::new()));
            let nested = nested.as_object_mut().ok_or_else(|| no_target(attribute))?;
            immutable(sub, nested.get(&sub.name), &value)?;
            one(sub, value, nested, leniency)
        }
        (sub, filter) => selected(verb, attribute, sub, filter, value, holder, leniency),
    }
}

/// An immutable attribute may be set once.
fn immutable(attribute: &Attribute, before: Option<&Value>, value: &Value) -> Result<(), Refusal> {
    let is_other = before.is_some_and(|before| before != value);
    if attribute.mutability == Mutability::Immutable && is_other {
        return Err(Refusal::bad("mutability", format!("{} cannot be changed.", attribute.name)));
    }
    Ok(())
}

/// Sets a single-valued attribute; the sub-attributes of a complex one that are not named stay.
fn one(
    attribute: &Attribute,
    value: Value,
    holder: &mut Map<String, Value>,
    leniency: Leniency,
) -> Result<(), Refusal> {
    let read = incoming::read(attribute, value, &attribute.name, leniency)?;
    match (read, holder.get_mut(&attribute.name)) {
        (Some(Value::Object(new)), Some(Value::Object(old))) if attribute.kind == Type::Complex => old.extend(new),
        (Some(value), _) => {
            holder.insert(attribute.name.clone(), value);
        }
        (None, _) => {}
    }
    Ok(())
}

/// Adds to, or replaces, all values.
fn many(
    verb: Verb,
    attribute: &Attribute,
    value: Value,
    holder: &mut Map<String, Value>,
    leniency: Leniency,
) -> Result<(), Refusal> {
    let value = if value.is_array() { value } else { Value::Array(vec![value]) };
    let read = incoming::read(attribute, value, &attribute.name, leniency)?;
    let Some(Value::Array(new)) = read else {
        if verb == Verb::Replace {
            holder.remove(&attribute.name);
        }
        return Ok(());
    };
    match holder.get_mut(&attribute.name).and_then(Value::as_array_mut).filter(|_| verb == Verb::Add) {
        Some(old) => {
            if new.iter().any(|element| element["primary"] == true) {
                no_longer_primary(old);
            }
            for element in new {
                if !old.contains(&element) {
                    old.push(element);
                }
            }
        }
        None => {
            holder.insert(attribute.name.clone(), Value::Array(new));
        }
    }
    Ok(())
}

/// A new primary value takes the mark from the others (RFC 7644 3.5.2).
fn no_longer_primary(elements: &mut [Value]) {
    for element in elements.iter_mut().filter(|element| element["primary"] == true) {
        element["primary"] = Value::Bool(false);
    }
}

/// Changes the values that a filter chooses (all without one), as a whole or in one sub-attribute.
fn selected(
    verb: Verb,
    attribute: &Attribute,
    sub: Option<&Attribute>,
    filter: Option<&Filter>,
    value: Value,
    holder: &mut Map<String, Value>,
    leniency: Leniency,
) -> Result<(), Refusal> {
    let elements = holder.get_mut(&attribute.name).and_then(Value::as_array_mut);
    let elements = elements.ok_or_else(|| no_target(attribute))?;
    let chosen: Vec<usize> = (0..elements.len()).filter(|at| is_chosen(attribute, filter, &elements[*at])).collect();
    if chosen.is_empty() {
        return Err(no_target(attribute));
    }
    let new = match sub {
        Some(sub) => incoming::read(sub, value, &format!("{}.{}", attribute.name, sub.name), leniency)?,
        None => incoming::single(attribute, value, &attribute.name, leniency)?,
    };
    let Some(new) = new else { return Ok(()) };
    let becomes_primary = match sub {
        Some(sub) => sub.name == "primary" && new == true,
        None => new["primary"] == true,
    };
    if becomes_primary {
        no_longer_primary(elements);
    }
    for at in chosen {
        match (sub, &mut elements[at]) {
            (Some(sub), Value::Object(members)) => {
                immutable(sub, members.get(&sub.name), &new)?;
                members.insert(sub.name.clone(), new.clone());
            }
            (None, Value::Object(members)) if verb == Verb::Add => {
                members.extend(new.as_object().cloned().unwrap_or_default());
            }
            (_, element) => *element = new.clone(),
        }
    }
    incoming::one_primary(elements, &attribute.name)
}

fn is_chosen(attribute: &Attribute, filter: Option<&Filter>, element: &Value) -> bool {
    filter.is_none_or(|filter| passes_inside(filter, &attribute.sub_attributes, element))
}

fn remove(target: &Target<'_>, holder: &mut Map<String, Value>) -> Result<(), Refusal> {
    let Target { attribute, sub, filter } = *target;
    let leaf = sub.unwrap_or(attribute);
    // RFC 7644 3.5.2.2: a required attribute that becomes unassigned is 400 mutability, as is an immutable one
    if (leaf.required && filter.is_none()) || leaf.mutability == Mutability::Immutable {
        return Err(Refusal::bad("mutability", format!("{} cannot be removed.", leaf.name)));
    }
    let Some(value) = holder.get_mut(&attribute.name) else { return Ok(()) };
    match (value, sub, filter) {
        (Value::Array(elements), Some(sub), filter) => {
            for element in elements.iter_mut().filter(|element| is_chosen(attribute, filter, element)) {
                if let Some(members) = element.as_object_mut() {
                    members.remove(&sub.name);
                }
            }
            elements.retain(|element| element.as_object().is_none_or(|members| !members.is_empty()));
        }
        (Value::Array(elements), None, Some(filter)) => {
            elements.retain(|element| !is_chosen(attribute, Some(filter), element));
        }
        (Value::Object(members), Some(sub), _) => {
            members.remove(&sub.name);
        }
        (value, _, _) => *value = Value::Null,
    }
    let is_empty = match holder.get(&attribute.name) {
        Some(Value::Array(elements)) => elements.is_empty(),
        Some(Value::Object(members)) => members.is_empty(),
        Some(Value::Null) => true,
        _ => false,
    };
    if is_empty {
        holder.remove(&attribute.name);
    }
    Ok(())
}
