//! One JSON value, read strictly: no member twice, bounded depth, numbers by their literal text.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};
use sterna_core::code::Code;

/// How deep a record may be nested.
pub(super) const DEPTH: usize = 64;

/// What is said of a text with NUL in it: no system that Sterna knows can hold one.
pub(crate) const NUL: &str = "a text holds NUL (\\u0000)";

/// What is wrong with one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What sort of mistake.
    pub code: Code,
    /// What is wrong, in words for the operator; may quote the record.
    pub reason: String,
}

impl Mistake {
    /// A mistake of a sort.
    pub fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

impl From<serde_json::Error> for Mistake {
    fn from(error: serde_json::Error) -> Self {
        let reason = error.to_string();
        let code = match error.classify() {
            _ if reason.starts_with("duplicate field") => Code::E3109,
            _ if reason.starts_with("nested deeper") => Code::E3101,
            _ if reason.starts_with(NUL) => Code::E3106,
            serde_json::error::Category::Data => Code::E3108,
            _ => Code::E3101,
        };
        Self { code, reason }
    }
}

/// A JSON value whose numbers are still as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number, by its literal text.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// An object; no name comes twice.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// Reads one JSON value.
    ///
    /// # Errors
    /// E3101 when it is not JSON or nested too deep, E3109 when a member comes twice, E3106 when a text holds NUL.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let raw: &RawValue = serde_json::from_str(text)?;
        Self::from_raw(raw, DEPTH)
    }

    fn from_raw(raw: &RawValue, depth: usize) -> Result<Self, Mistake> {
        let text = raw.get();
        if depth == 0 {
            return Err(Mistake::new(Code::E3101, format!("nested deeper than {DEPTH} levels")));
        }
        match text.as_bytes().first() {
            Some(b'n') => Ok(Self::Null),
            Some(b't') => Ok(Self::Flag(true)),
            Some(b'f') => Ok(Self::Flag(false)),
            Some(b'"') => string(text).map(Self::Text),
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text)?;
                items.into_iter().map(|item| Self::from_raw(item, depth - 1)).collect::<Result<_, _>>().map(Self::List)
            }
            Some(b'{') => {
                let Members(members) = serde_json::from_str(text)?;
                if let Some(name) = twice(members.iter().map(|(name, _)| name.as_ref())) {
                    return Err(Mistake::new(Code::E3109, format!("the member `{name}` comes twice")));
                }
                let members = members.into_iter().map(|(name, raw)| {
                    without_nul(&name)?;
                    Ok((name.into_owned(), Self::from_raw(raw, depth - 1)?))
                });
                members.collect::<Result<_, _>>().map(Self::Object)
            }
            _ => Ok(Self::Number(text.to_owned())),
        }
    }

    /// The text of a text or the literal of a number, for ids that some exports write as numbers.
    pub fn literal(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            _ => None,
        }
    }

    /// The member of an object.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(known, _)| known == name).map(|(_, node)| node),
            _ => None,
        }
    }

    /// What it is, for messages.
    pub fn sort(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// The value in serde's form. A number that has no exact place there stays as its literal text.
    pub fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Flag(flag) => Value::Bool(flag),
            Self::Number(literal) => number(literal),
            Self::Text(text) => Value::String(text),
            Self::List(items) => items.into_iter().map(Self::into_value).collect(),
            Self::Object(members) => {
                Value::Object(members.into_iter().map(|(name, node)| (name, node.into_value())).collect::<Map<_, _>>())
            }
        }
    }
}

/// A name that comes twice.
pub(crate) fn twice<'n>(names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.windows(2).find_map(|pair| match pair {
        [first, second] if first == second => Some(*first),
        _ => None,
    })
}

/// A JSON value for [`sterna_core::account::Profile::attributes`], read as strictly as a [`Node`].
pub(crate) fn strict_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Node::from_raw(raw, DEPTH).map(Node::into_value).map_err(through_serde)
}

/// serde's errors carry no code: the beginning of the text is what `From<serde_json::Error>` tells them apart by.
pub(crate) fn through_serde<E: serde::de::Error>(mistake: Mistake) -> E {
    match mistake.code {
        Code::E3109 => E::custom(format!("duplicate field: {}", mistake.reason)),
        _ => E::custom(mistake.reason),
    }
}

fn number(literal: String) -> Value {
    match serde_json::from_str::<Value>(&literal) {
        Ok(value @ Value::Number(_)) if value.is_u64() || value.is_i64() || *value.to_string() == literal => value,
        _ => Value::String(literal),
    }
}

fn string(text: &str) -> Result<String, Mistake> {
    let text: String = serde_json::from_str(text)?;
    without_nul(&text)?;
    Ok(text)
}

fn without_nul(text: &str) -> Result<(), Mistake> {
    if text.contains('\0') { Err(Mistake::new(Code::E3106, NUL)) } else { Ok(()) }
}

struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    members.push((Cow::Owned(name), map.next_value::<&RawValue>()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &Result<Value, Code>) {
        assert_eq!(Node::parse(text).map(Node::into_value).map_err(|mistake| mistake.code), *expected, "{text}");
    }

    #[test]
    fn values_are_read_strictly_and_numbers_keep_every_digit() {
        check(r#"{"a":[1,-2.5,null,true,"x"]}"#, &Ok(serde_json::json!({"a": [1, -2.5, null, true, "x"]})));
        check("123456789012345678901234567890", &Ok("123456789012345678901234567890".into()));
        check("1.10", &Ok("1.10".into()));
        check(r#"{"a":1,"b":2,"a":3}"#, &Err(Code::E3109));
        check(r#"[{"x":{"a":1,"a":1}}]"#, &Err(Code::E3109));
        check(r#""\ud800""#, &Err(Code::E3101));
        check(r#""\u0000""#, &Err(Code::E3106));
        check("{\"a\":1", &Err(Code::E3101));
        check("[1,]", &Err(Code::E3101));
        check(&"[".repeat(200), &Err(Code::E3101));
        check(&format!("{}{}", "[".repeat(200), "]".repeat(200)), &Err(Code::E3101));
    }
}
