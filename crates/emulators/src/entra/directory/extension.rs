//! Extension properties: registration, the time until they can be written, and their values (`entra.md` 3.1).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::user::Name;
use crate::clock::Micros;
use crate::entra::refusal::Refusal;

/// The types an extension property can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataType {
    Binary,
    Boolean,
    DateTime,
    Integer,
    LargeInteger,
    String,
}

const DATA_TYPES: [(&str, DataType); 6] = [
    ("Binary", DataType::Binary),
    ("Boolean", DataType::Boolean),
    ("DateTime", DataType::DateTime),
    ("Integer", DataType::Integer),
    ("LargeInteger", DataType::LargeInteger),
    ("String", DataType::String),
];

impl DataType {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        DATA_TYPES.iter().find(|(name, _)| *name == text).map(|(_, kind)| *kind)
    }

    pub(crate) fn name(self) -> &'static str {
        DATA_TYPES.iter().find(|(_, kind)| *kind == self).map_or("String", |(name, _)| name)
    }

    /// Whether `value` fits; `text_limit` is the limit of a String in characters.
    pub(crate) fn fits(self, value: &Value, text_limit: usize) -> bool {
        match self {
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            Self::LargeInteger => value.as_i64().is_some(),
            Self::String => value.as_str().is_some_and(|text| text.chars().count() <= text_limit),
            Self::DateTime => value.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok()),
            Self::Binary => {
                value.as_str().and_then(|text| STANDARD.decode(text).ok()).is_some_and(|bytes| bytes.len() <= 256)
            }
        }
    }
}

/// A registered extension property.
#[derive(Debug, Clone)]
pub(crate) struct Extension {
    pub(crate) id: String,
    /// `extension_{app id without hyphens}_{name}`
    pub(crate) name: Name,
    pub(crate) data_type: DataType,
    pub(crate) app_object_id: String,
    pub(crate) app_name: String,
    /// From when on it can be written and shows as available.
    pub(crate) available_from: Micros,
}

impl Extension {
    pub(crate) fn value(&self) -> Value {
        json!({
            "id": self.id,
            "deletedDateTime": Value::Null,
            "appDisplayName": self.app_name,
            "dataType": self.data_type.name(),
            "isMultiValued": false,
            "isSyncedFromOnPremises": false,
            "name": &*self.name,
            "targetObjects": ["User"],
        })
    }
}

/// All registered extension properties of the tenant: few, so a list.
#[derive(Debug, Default)]
pub(crate) struct Extensions(Vec<Extension>);

impl Extensions {
    /// The property of this name; like all names, compared exactly.
    pub(crate) fn find(&self, name: &str) -> Option<&Extension> {
        self.0.iter().find(|extension| &*extension.name == name)
    }

    /// The property of this name when it can be written already.
    pub(crate) fn available(&self, name: &str, now: Micros) -> Option<&Extension> {
        self.find(name).filter(|extension| extension.available_from <= now)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Extension> {
        self.0.iter()
    }

    pub(crate) fn add(&mut self, new: Extension) -> Result<Value, Refusal> {
        if self.find(&new.name).is_some() {
            return Err(Refusal::invalid("name", format!("An extension property exists with the name {}.", new.name)));
        }
        let value = new.value();
        self.0.push(new);
        Ok(value)
    }

    pub(crate) fn remove(&mut self, app_object_id: &str, id: &str) -> Option<Extension> {
        let at = self.0.iter().position(|one| one.id == id && one.app_object_id == app_object_id)?;
        Some(self.0.remove(at))
    }
}

/// The full name of an extension property.
pub(crate) fn full_name(app_id: &str, name: &str) -> Name {
    Arc::from(format!("extension_{}_{name}", app_id.replace('-', "")))
}
