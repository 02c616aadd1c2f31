//! A resource as a client sends it: checked against its schemas, with every name in its canonical spelling.

use serde_json::{Map, Value};

use crate::scim::refusal::Refusal;
use crate::scim::schema::attribute::{Attribute, Mutability, Type};
use crate::scim::schema::{Catalogue, Kind};

/// How strictly types are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Leniency {
    /// `"True"` and `"false"` are Booleans too.
    pub(crate) text_booleans: bool,
    /// Attributes that no schema has are left aside.
    pub(crate) unknown_attributes: bool,
    /// `schemas` may be absent, or lack an extension that is used.
    pub(crate) schemas: bool,
}

/// Objects and arrays within each other.
const MOST_VALUES: usize = 200_000;

/// Reads the body of a create or a replace. Read-only attributes are left aside (RFC 7644 3.3, 3.5.1), `null` and empty
/// arrays are the same as nothing (RFC 7643 2.5).
pub(crate) fn resource(
    catalogue: &Catalogue,
    kind: Kind,
    body: Value,
    leniency: Leniency,
) -> Result<Map<String, Value>, Refusal> {
    let Value::Object(members) = body else {
        return Err(Refusal::bad("invalidSyntax", "The body has to be a JSON object."));
    };
    let schemas = schemas(catalogue, kind, &members, leniency)?;
    let mut data = Map::new();
    for (name, value) in members {
        if name.eq_ignore_ascii_case("schemas") {
            continue;
        }
        if let Some(extension) = catalogue.extension(kind, &name) {
            let is_named = leniency.schemas || schemas.iter().any(|urn| urn.eq_ignore_ascii_case(&extension.id));
            if !is_named {
                return Err(Refusal::bad("invalidSyntax", format!("{name} is used but not named in schemas.")));
            }
            let value = object(&extension.attributes, value, &extension.id, leniency)?;
            if !value.is_empty() {
                set_once(&mut data, extension.id.clone(), Value::Object(value))?;
            }
            continue;
        }
        let Some(attribute) = catalogue.attribute(kind, &name) else {
            unknown(&name, leniency)?;
            continue;
        };
        if let Some(value) = read(attribute, value, &attribute.name, leniency)? {
            set_once(&mut data, attribute.name.clone(), value)?;
        }
    }
    Ok(data)
}

fn set_once(data: &mut Map<String, Value>, name: String, value: Value) -> Result<(), Refusal> {
    if data.contains_key(&name) {
        return Err(Refusal::bad("invalidSyntax", format!("{name} is there twice.")));
    }
    data.insert(name, value);
    Ok(())
}

fn unknown(name: &str, leniency: Leniency) -> Result<(), Refusal> {
    if leniency.unknown_attributes {
        return Ok(());
    }
    Err(Refusal::bad("invalidSyntax", format!("No schema has the attribute {}.", shown(name))))
}

/// A name that a client made up, cut to what belongs in a message.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(60).collect()
}

fn schemas(
    catalogue: &Catalogue,
    kind: Kind,
    members: &Map<String, Value>,
    leniency: Leniency,
) -> Result<Vec<String>, Refusal> {
    let found = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("schemas")).map(|(_, value)| value);
    let urns: Option<Vec<String>> = found
        .and_then(Value::as_array)
        .and_then(|urns| urns.iter().map(|urn| urn.as_str().map(ToOwned::to_owned)).collect());
    if leniency.schemas {
        return Ok(urns.unwrap_or_default());
    }
    let core = &catalogue.resource_type(kind).schema;
    let urns = urns.filter(|urns| !urns.is_empty());
    let urns = urns.ok_or_else(|| Refusal::bad("invalidSyntax", "schemas has to name the schemas of the resource."))?;
    if !urns.iter().any(|urn| urn.eq_ignore_ascii_case(core)) {
        return Err(Refusal::bad("invalidSyntax", format!("schemas lacks {core}.")));
    }
    let is_known = |urn: &&String| urn.eq_ignore_ascii_case(core) || catalogue.extension(kind, urn).is_some();
    match urns.iter().find(|urn| !is_known(urn)) {
        Some(urn) => Err(Refusal::bad("invalidSyntax", format!("{} is no schema of this resource.", shown(urn)))),
        None => Ok(urns),
    }
}

fn object(
    attributes: &[Attribute],
    value: Value,
    path: &str,
    leniency: Leniency,
) -> Result<Map<String, Value>, Refusal> {
    let members = match value {
        Value::Object(members) => members,
        Value::Null => return Ok(Map::new()),
        _ => return Err(invalid(path, "has to be an object")),
    };
    let mut data = Map::new();
    for (name, value) in members {
        let Some(attribute) = crate::scim::schema::attribute::find(attributes, &name) else {
            unknown(&format!("{path}.{name}"), leniency)?;
            continue;
        };
        if let Some(value) = read(attribute, value, &format!("{path}.{}", attribute.name), leniency)? {
            set_once(&mut data, attribute.name.clone(), value)?;
        }
    }
    Ok(data)
}

/// Reads the value of an attribute; `None` when there is nothing to store.
pub(crate) fn read(
    attribute: &Attribute,
    value: Value,
    path: &str,
    leniency: Leniency,
) -> Result<Option<Value>, Refusal> {
    if attribute.mutability == Mutability::ReadOnly || value.is_null() {
        return Ok(None);
    }
    if !attribute.multi_valued {
        return single(attribute, value, path, leniency);
    }
    let Value::Array(elements) = value else { return Err(invalid(path, "has to be an array")) };
    if elements.len() > MOST_VALUES {
        return Err(Refusal::bad("tooMany", format!("{path} has too many values.")));
    }
    let mut read = Vec::with_capacity(elements.len());
    for element in elements {
        if let Some(element) = single(attribute, element, path, leniency)? {
            read.push(element);
        }
    }
    one_primary(&read, path)?;
    Ok((!read.is_empty()).then_some(Value::Array(read)))
}

/// At most one value is the preferred one (RFC 7643 2.4).
pub(crate) fn one_primary(elements: &[Value], path: &str) -> Result<(), Refusal> {
    let primary = elements.iter().filter(|element| element["primary"] == true).count();
    if primary > 1 { Err(invalid(path, "has more than one primary value")) } else { Ok(()) }
}

/// Reads one value of an attribute.
pub(crate) fn single(
    attribute: &Attribute,
    value: Value,
    path: &str,
    leniency: Leniency,
) -> Result<Option<Value>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    let read = match attribute.kind {
        Type::Complex => {
            let members = object(&attribute.sub_attributes, value, path, leniency)?;
            return Ok((!members.is_empty()).then_some(Value::Object(members)));
        }
        Type::Boolean => boolean(&value, leniency).ok_or_else(|| invalid(path, "has to be true or false"))?,
        Type::Integer if value.is_i64() || value.is_u64() => value,
        Type::Integer => return Err(invalid(path, "has to be a whole number")),
        Type::Decimal if value.is_number() => value,
        Type::Decimal => return Err(invalid(path, "has to be a number")),
        Type::DateTime if is_time(&value) => value,
        Type::DateTime => return Err(invalid(path, "has to be a time such as 2026-05-01T10:00:00Z")),
        Type::Binary if is_base64(&value) => value,
        Type::Binary => return Err(invalid(path, "has to be in base64")),
        Type::String | Type::Reference if value.is_string() => value,
        Type::String | Type::Reference => return Err(invalid(path, "has to be a string")),
    };
    Ok(Some(read))
}

fn boolean(value: &Value, leniency: Leniency) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(value.clone()),
        Value::String(text) if leniency.text_booleans => match text.to_ascii_lowercase().as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        _ => None,
    }
}

fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok())
}

fn is_base64(value: &Value) -> bool {
    use base64::Engine as _;
    value.as_str().is_some_and(|text| base64::engine::general_purpose::STANDARD.decode(text).is_ok())
}

fn invalid(path: &str, why: &str) -> Refusal {
    Refusal::bad("invalidValue", format!("{path} {why}."))
}

/// Refuses a resource that lacks a required attribute or extension (RFC 7643 7, 6).
pub(crate) fn required(catalogue: &Catalogue, kind: Kind, data: &Map<String, Value>) -> Result<(), Refusal> {
    let missing = |path: &str| Refusal::bad("invalidValue", format!("{path} is required."));
    lacks(catalogue.core(kind), data).map_or(Ok(()), |name| Err(missing(&name)))?;
    for (schema, is_required) in catalogue.extensions(kind) {
        match data.get(&schema.id).and_then(Value::as_object) {
            Some(members) => {
                lacks(&schema.attributes, members)
                    .map_or(Ok(()), |name| Err(missing(&format!("{}:{name}", schema.id))))?;
            }
            None if is_required => return Err(missing(&schema.id)),
            None => {}
        }
    }
    Ok(())
}

/// The first required attribute that is not there. An empty text counts as nothing.
fn lacks(attributes: &[Attribute], data: &Map<String, Value>) -> Option<String> {
    for attribute in attributes.iter().filter(|attribute| attribute.mutability != Mutability::ReadOnly) {
        let value = data.get(&attribute.name);
        if attribute.required && value.is_none_or(|value| value.as_str() == Some("")) {
            return Some(attribute.name.clone());
        }
        let elements = match value {
            Some(Value::Array(elements)) => elements.iter().collect(),
            Some(other) => vec![other],
            None => Vec::new(),
        };
        for element in elements.iter().filter_map(|element| element.as_object()) {
            if let Some(name) = lacks(&attribute.sub_attributes, element) {
                return Some(format!("{}.{name}", attribute.name));
            }
        }
    }
    None
}
