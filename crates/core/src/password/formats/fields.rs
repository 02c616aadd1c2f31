//! Hashes of several values: JSON members, or columns and settings put together.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use zeroize::Zeroize as _;

use super::{
    Refusal,
    bounds::{MAX_JSON, MAX_JSON_PARTS, MAX_TEXT},
    encoding::{Bytes, base64, hex, secret},
};

/// A JSON object of bounded size that is overwritten when dropped.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads an object; other JSON, or too much of it, is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let parts = text.bytes().filter(|byte| b"{[,".contains(byte)).take(MAX_JSON_PARTS + 1).count();
        let looks_like_one = text.trim_ascii_start().starts_with('{') && text.len() <= MAX_JSON;
        if !looks_like_one || parts > MAX_JSON_PARTS {
            return None;
        }
        serde_json::from_str(text).ok().map(Self)
    }

    fn value(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.get(*first)?, |value, name| value.get(*name))
    }

    /// A member's text.
    pub(super) fn text(&self, path: &[&str]) -> Option<&str> {
        self.value(path)?.as_str()
    }

    /// Whether there is such a member.
    pub(super) fn has(&self, path: &[&str]) -> bool {
        self.value(path).is_some_and(|value| !value.is_null())
    }

    /// A whole number, written as one or as text, alone or in a list of one.
    pub(super) fn number(&self, path: &[&str]) -> Option<u64> {
        let mut value = self.value(path)?;
        if let Value::Array(list) = value
            && let [only] = list.as_slice()
        {
            value = only;
        }
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }

    /// The first text of a list, or the text itself.
    pub(super) fn first_text(&self, path: &[&str]) -> Option<&str> {
        match self.value(path)? {
            Value::Array(list) => list.first()?.as_str(),
            value => value.as_str(),
        }
    }

    /// A member that is an object, or the text of one.
    pub(super) fn nested(&self, name: &str) -> Option<Self> {
        match self.0.get(name)? {
            Value::Object(map) => Some(Self(map.clone())),
            value => Self::read(value.as_str()?),
        }
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What is given of a stored hash.
pub(super) struct Given<'a> {
    /// The text, as stored.
    pub(super) text: &'a str,
    fields: Option<Fields>,
}

impl<'a> Given<'a> {
    /// Takes a text of bounded length; with `main`, as JSON or as that member's value.
    pub(super) fn new(text: &'a str, main: Option<&str>, settings: &BTreeMap<String, String>) -> Result<Self, Refusal> {
        let Some(main) = main else {
            return if text.len() > MAX_TEXT {
                Err(Refusal::TooLong("the hash"))
            } else {
                Ok(Self { text, fields: None })
            };
        };
        let length = text.len() + settings.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        if length > MAX_JSON || settings.len() > MAX_JSON_PARTS {
            return Err(Refusal::TooLong("the hash and what it needs"));
        }
        let mut fields = match Fields::read(text) {
            Some(fields) if fields.has(&[main]) => fields,
            None if text.trim_ascii_start().starts_with(['{', '[']) && settings.is_empty() => {
                return Err(Refusal::Malformed("the JSON"));
            }
            // The main member's own value, which may be JSON itself: a column beside others.
            _ => Fields(Map::from_iter([(main.to_owned(), Value::String(text.to_owned()))])),
        };
        for (name, value) in settings {
            fields.0.entry(name.clone()).or_insert_with(|| Value::String(value.clone()));
        }
        Ok(Self { text, fields: Some(fields) })
    }

    /// A text that stands for itself inside another format.
    pub(super) fn inner(text: &'a str) -> Self {
        Self { text, fields: None }
    }

    /// All members.
    pub(super) fn fields(&self) -> Result<&Fields, Refusal> {
        self.fields.as_ref().ok_or(Refusal::Malformed("the JSON"))
    }

    /// A member's text.
    pub(super) fn member(&self, path: &[&str], what: &'static str) -> Result<&str, Refusal> {
        self.fields()?.text(path).ok_or(Refusal::Missing(what))
    }

    /// A member's number.
    pub(super) fn number(&self, path: &[&str], what: &'static str) -> Result<u64, Refusal> {
        self.fields()?.number(path).ok_or(Refusal::Missing(what))
    }

    /// `{"value", "encoding"}` with encodings `hex`, `base64` and `utf8`, as Auth0 writes it; `path` is the value's.
    pub(super) fn encoded(&self, path: &[&str], fallback: &str, what: &'static str) -> Result<Bytes, Refusal> {
        let value = self.member(path, what)?;
        let (_, above) = path.split_last().ok_or(Refusal::Missing(what))?;
        let mut beside = above.to_vec();
        beside.push("encoding");
        match self.fields()?.text(&beside).unwrap_or(fallback) {
            "hex" => hex(value, what),
            "base64" => base64(value, what),
            "utf8" | "utf-8" => Ok(secret(value)),
            _ => Err(Refusal::Malformed("an encoding")),
        }
    }
}
