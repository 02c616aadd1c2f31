//! Settings as data: each connector and each table of `sterna.toml` is one slice of [`Setting`]s, which feeds the
//! checker, `sterna init` and `docs/configuration.md`.
//!
//! Checking collects *every* mistake with file, line, the offending text and the nearest right key ([`check`]); what
//! the program runs on ([`Values`]) can only be had from a table that is right.

mod check;
mod document;

use std::{collections::BTreeMap, path::PathBuf};

use secrecy::SecretString;
use serde_json::Value;

pub use check::{check, check_named, check_value, nearest};
pub use document::Document;

/// One setting of a table.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its key. Nouns, with their unit where they have one (`timeout_secs`).
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Whether it has to be there.
    pub need: Need,
    /// What it is for, in a sentence.
    pub doc: &'static str,
}

/// What values a setting takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any text that is not empty.
    Text,
    /// A path; relative ones are taken from the project folder.
    Path,
    /// An http or https URL.
    Url,
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds, both included.
    Integer(i64, i64),
    /// A number within bounds, both included.
    Number(f64, f64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A reference to a secret; a literal one is refused and never shown.
    Secret,
    /// A table of references to secrets with free keys.
    Secrets,
    /// A list of texts.
    Texts,
    /// A table of texts with free keys.
    TextTable,
    /// A table with these settings.
    Table(&'static [Setting]),
    /// A list of tables with these settings.
    Tables(&'static [Setting]),
    /// A table of mapping rules ([`crate::mapping`]): target attribute = rule.
    Rules,
}

/// Whether a setting has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It has to.
    Required,
    /// It may be left out.
    Optional,
    /// It may be left out, then it has this value (as written in TOML).
    Default(&'static str),
}

/// The values of one table, checked: types and bounds are right and required ones are there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(BTreeMap<String, Value>);

impl Values {
    pub(crate) fn insert(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// The same values with one changed, for a rehearsal against another place; JSON null counts as left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        match value {
            Value::Null => drop(self.0.remove(name)),
            value => self.insert(name, value),
        }
        self
    }

    /// The value as it stands; mostly for tables of free form.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A text, path, URL or choice.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A flag.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }

    /// A whole number that cannot be negative.
    pub fn count(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    /// A number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.as_f64()
    }

    /// A list of texts; empty when left out.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let list = self.0.get(name).and_then(Value::as_array);
        list.map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default()
    }

    /// A table of texts; empty when left out.
    pub fn text_table(&self, name: &str) -> BTreeMap<String, String> {
        let table = self.0.get(name).and_then(Value::as_object);
        table
            .map(|table| table.iter().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect())
            .unwrap_or_default()
    }

    /// A reference to a secret.
    pub fn secret(&self, name: &str) -> Option<SecretRef> {
        SecretRef::from_value(self.0.get(name)?)
    }

    /// A table of references to secrets; empty when left out.
    pub fn secrets(&self, name: &str) -> BTreeMap<String, SecretRef> {
        let table = self.0.get(name).and_then(Value::as_object);
        let members = table.into_iter().flatten();
        members.filter_map(|(name, value)| Some((name.clone(), SecretRef::from_value(value)?))).collect()
    }

    /// A sub-table.
    pub fn table(&self, name: &str) -> Option<Self> {
        let table = self.0.get(name)?.as_object()?;
        Some(Self(table.iter().map(|(key, value)| (key.clone(), value.clone())).collect()))
    }

    /// A list of sub-tables; empty when left out.
    pub fn tables(&self, name: &str) -> Vec<Self> {
        let list = self.0.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter()
            .filter_map(Value::as_object)
            .map(|table| Self(table.iter().map(|(key, value)| (key.clone(), value.clone())).collect()))
            .collect()
    }
}

/// Where a secret comes from. It is read when it is needed and not kept in configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file that its owner alone can read; a final line end is cut off.
    File(PathBuf),
    /// A program and its arguments, which prints the secret.
    Command(Vec<String>),
}

impl SecretRef {
    fn from_value(value: &Value) -> Option<Self> {
        let (name, value) = value.as_object()?.iter().next()?;
        match name.as_str() {
            "env" => Some(Self::Env(value.as_str()?.to_owned())),
            "file" => Some(Self::File(value.as_str()?.into())),
            "command" => {
                let words = value.as_array()?.iter().map(|word| word.as_str().map(str::to_owned));
                words.collect::<Option<Vec<_>>>().filter(|words| !words.is_empty()).map(Self::Command)
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for SecretRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Command(words) => write!(f, "the command {}", words.first().map_or("", String::as_str)),
        }
    }
}

/// Gives the secret behind a reference; the program's is in app, tests have their own.
pub trait Secrets: Send + Sync {
    /// Reads the secret.
    ///
    /// # Errors
    /// A [`crate::code::Finding`] with code E1008 that says why not and never shows the secret.
    fn reveal(&self, reference: &SecretRef) -> Result<SecretString, Box<crate::code::Finding>>;
}
