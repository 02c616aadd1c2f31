//! Bodies as the product takes them: texts without blanks at their ends, texts as Booleans (wso2-scim.md 2.4).

use serde_json::{Map, Value};

use crate::scim::schema::attribute::{Attribute, Type, find};
use crate::scim::schema::{Catalogue, Kind, Place};

/// What of it is in force.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    pub(crate) trims: bool,
    pub(crate) text_booleans: bool,
}

impl Habits {
    /// The body of a create or replace, or a value of a PATCH without a path.
    pub(crate) fn resource(self, catalogue: &Catalogue, kind: Kind, body: &mut Value) {
        if self.trims {
            trim(body);
        }
        let Some(members) = body.as_object_mut().filter(|_| self.text_booleans) else { return };
        for (name, value) in members {
            if let Some(extension) = catalogue.extension(kind, name) {
                booleans_of(&extension.attributes, value);
            } else if let Some(attribute) = catalogue.attribute(kind, name) {
                booleans(attribute, value);
            }
        }
    }

    /// The body of a PATCH.
    pub(crate) fn patch(self, catalogue: &Catalogue, kind: Kind, body: &mut Value) {
        for operation in operations(body) {
            let path = operation.get("path").and_then(Value::as_str).unwrap_or_default().to_owned();
            let Some(value) = operation.get_mut("value") else { continue };
            if path.is_empty() {
                self.resource(catalogue, kind, value);
                continue;
            }
            if self.trims {
                trim(value);
            }
            match catalogue.resolve(kind, &path) {
                Some(Place::Attribute(spot)) if self.text_booleans => booleans(spot.leaf(), value),
                Some(Place::Extension(extension)) if self.text_booleans => booleans_of(&extension.attributes, value),
                _ => {}
            }
        }
    }
}

/// The operations of a PATCH, whatever the case of their name.
pub(crate) fn operations(body: &mut Value) -> Vec<&mut Map<String, Value>> {
    let members = body.as_object_mut().into_iter().flatten();
    let found = members.filter(|(name, _)| name.eq_ignore_ascii_case("Operations")).map(|(_, value)| value);
    found.filter_map(Value::as_array_mut).flatten().filter_map(Value::as_object_mut).collect()
}

fn trim(value: &mut Value) {
    match value {
        Value::String(text) if text.trim().len() < text.len() => *text = text.trim().to_owned(),
        Value::Array(elements) => elements.iter_mut().for_each(trim),
        Value::Object(members) => members.values_mut().for_each(trim),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn booleans_of(attributes: &[Attribute], value: &mut Value) {
    for (name, value) in value.as_object_mut().into_iter().flatten() {
        if let Some(attribute) = find(attributes, name) {
            booleans(attribute, value);
        }
    }
}

fn booleans(attribute: &Attribute, value: &mut Value) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| booleans(attribute, element)),
        Value::Object(_) => booleans_of(&attribute.sub_attributes, value),
        Value::String(text) if attribute.kind == Type::Boolean => {
            *value = Value::from(text.eq_ignore_ascii_case("true"));
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::standard;

    #[test]
    fn texts_are_trimmed_and_may_be_booleans() {
        let habits = Habits { trims: true, text_booleans: true };
        let mut body = json!({
            "userName": " ana ", "password": "pass ", "active": "TRUE",
            "emails": [{ "value": " a@b ", "primary": "yes" }],
        });
        habits.resource(&standard(), 0, &mut body);
        let expected = json!({
            "userName": "ana", "password": "pass", "active": true, "emails": [{ "value": "a@b", "primary": false }],
        });
        assert_eq!(body, expected);
        let mut patch = json!({ "Operations": [
            { "op": "replace", "path": "active", "value": "false" },
            { "op": "replace", "path": "emails[type eq \"work\"].value", "value": " a " },
            { "op": "replace", "value": { "active": "true" } },
        ] });
        habits.patch(&standard(), 0, &mut patch);
        let values: Vec<&Value> = patch["Operations"].as_array().unwrap().iter().map(|entry| &entry["value"]).collect();
        assert_eq!(values, [&json!(false), &json!("a"), &json!({ "active": true })]);
    }

    #[test]
    fn what_is_turned_off_leaves_the_body_as_it_is() {
        let body = json!({ "userName": " ana ", "active": "true" });
        let mut same = body.clone();
        Habits { trims: false, text_booleans: false }.resource(&standard(), 0, &mut same);
        assert_eq!(same, body);
    }
}
