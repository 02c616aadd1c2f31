//! One value of a row, whatever the database.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::text::{Column, Given};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// NULL, or what stands for it (MySQL's zero dates).
    Null,
    /// A text, or anything by its text.
    Text(String),
    /// A whole number by its literal text.
    Number(String),
    /// A truth value.
    Flag(bool),
    /// A list of texts.
    Texts(Vec<String>),
    /// JSON.
    Json(Value),
    /// Bytes of a binary column.
    Bytes(Vec<u8>),
    /// A text that is none.
    Broken(Vec<u8>),
}

impl Cell {
    /// A text, or what is wrong with it.
    pub(super) fn text(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => Self::Text(text),
            Ok(text) => Self::Broken(text.into_bytes()),
            Err(error) => Self::Broken(error.into_bytes()),
        }
    }

    /// JSON by its text; a text where it is none.
    pub(super) fn json(text: String) -> Self {
        match serde_json::from_str(&text) {
            Ok(value) => Self::Json(value),
            Err(_) => Self::Text(text),
        }
    }

    /// About how much memory it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        16 + match self {
            Self::Null | Self::Flag(_) => 0,
            Self::Text(text) | Self::Number(text) => text.len(),
            Self::Texts(list) => list.iter().map(|text| text.len() + 24).sum(),
            Self::Json(value) => value.to_string().len() * 2,
            Self::Bytes(bytes) | Self::Broken(bytes) => bytes.len(),
        }
    }

    /// The text by which rows of side queries are found again.
    pub(crate) fn key(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The value as an account attribute takes it; `None` for NULL.
    ///
    /// # Errors
    /// When it is no text where one is wanted.
    pub(super) fn given(&self, column: &Column) -> Result<Option<Given<'_>>, ()> {
        let attribute = matches!(column, Column::Attribute(_));
        Ok(Some(match self {
            Self::Null => return Ok(None),
            Self::Broken(_) => return Err(()),
            Self::Text(text) => Given::Text(text),
            Self::Number(text) if attribute => serde_json::from_str(text).map_or(Given::Text(text), Given::Other),
            Self::Number(text) => Given::Text(text),
            Self::Flag(flag) => Given::Flag(*flag),
            Self::Texts(list) => Given::Texts(list.iter().map(String::as_str).collect()),
            Self::Json(Value::Null) => return Ok(None),
            Self::Json(Value::String(text)) => Given::Text(text),
            Self::Json(Value::Bool(flag)) => Given::Flag(*flag),
            Self::Json(Value::Array(list))
                if !attribute && list.iter().all(|item| item.is_string() || item.is_null()) =>
            {
                Given::Texts(list.iter().filter_map(Value::as_str).collect())
            }
            Self::Json(value) => Given::Other(value.clone()),
            Self::Bytes(bytes) if attribute => Given::Other(STANDARD.encode(bytes).into()),
            Self::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if !text.contains('\0') => Given::Text(text),
                _ => return Err(()),
            },
        }))
    }

    /// The value in the JSON form of a rejected row.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => text.as_str().into(),
            Self::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
            Self::Flag(flag) => (*flag).into(),
            Self::Texts(list) => list.as_slice().into(),
            Self::Json(value) => value.clone(),
            Self::Bytes(bytes) | Self::Broken(bytes) => String::from_utf8_lossy(bytes).into_owned().into(),
        }
    }

    /// The value of a mended row.
    pub(super) fn from_json(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Flag(*flag),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::text(text.clone().into_bytes()),
            Value::Array(list) if list.iter().all(Value::is_string) => {
                Self::Texts(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            other => Self::Json(other.clone()),
        }
    }
}

/// A row's values, in the order of the result's columns.
pub(crate) type Row = Vec<Cell>;

/// About how much memory a row takes, in bytes.
pub(super) fn size(row: &[Cell]) -> usize {
    24 + row.iter().map(Cell::size).sum::<usize>()
}
