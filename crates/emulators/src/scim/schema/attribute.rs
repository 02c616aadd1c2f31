//! One attribute of a schema, with its characteristics (RFC 7643 2.2, 7). Read from and written as the JSON of `/Schemas`.

use serde::{Deserialize, Serialize};

/// The data type (RFC 7643 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Type {
    String,
    Boolean,
    Decimal,
    Integer,
    DateTime,
    Reference,
    Binary,
    Complex,
}

/// Who may change it, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Mutability {
    ReadOnly,
    ReadWrite,
    Immutable,
    WriteOnly,
}

/// When it is part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Returned {
    Always,
    Never,
    Default,
    Request,
}

/// Whether two resources may have the same value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Uniqueness {
    None,
    Server,
    Global,
}

/// An attribute or a sub-attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attribute {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: Type,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sub_attributes: Vec<Attribute>,
    #[serde(default)]
    pub(crate) multi_valued: bool,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) canonical_values: Vec<String>,
    #[serde(default)]
    pub(crate) case_exact: bool,
    #[serde(default = "read_write")]
    pub(crate) mutability: Mutability,
    #[serde(default = "by_default")]
    pub(crate) returned: Returned,
    #[serde(default = "not_unique")]
    pub(crate) uniqueness: Uniqueness,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) reference_types: Vec<String>,
}

fn read_write() -> Mutability {
    Mutability::ReadWrite
}

fn by_default() -> Returned {
    Returned::Default
}

fn not_unique() -> Uniqueness {
    Uniqueness::None
}

impl Attribute {
    /// A readable and writable attribute, as RFC 7643 2.2 has it when nothing is said.
    pub(crate) fn new(name: &str, kind: Type, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            sub_attributes: Vec::new(),
            multi_valued: false,
            description: description.to_owned(),
            required: false,
            canonical_values: Vec::new(),
            case_exact: matches!(kind, Type::Reference | Type::Binary),
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            reference_types: Vec::new(),
        }
    }

    pub(crate) fn string(name: &str, description: &str) -> Self {
        Self::new(name, Type::String, description)
    }

    pub(crate) fn boolean(name: &str, description: &str) -> Self {
        Self::new(name, Type::Boolean, description)
    }

    pub(crate) fn complex(name: &str, description: &str, sub_attributes: Vec<Self>) -> Self {
        Self { sub_attributes, ..Self::new(name, Type::Complex, description) }
    }

    /// A URI, or the address of a resource of these types.
    pub(crate) fn reference(name: &str, to: &[&str], description: &str) -> Self {
        let reference_types = to.iter().map(|&name| name.to_owned()).collect();
        Self { reference_types, ..Self::new(name, Type::Reference, description) }
    }

    pub(crate) fn multi(mut self) -> Self {
        self.multi_valued = true;
        self
    }

    pub(crate) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) fn exact(mut self) -> Self {
        self.case_exact = true;
        self
    }

    pub(crate) fn mutability(mut self, mutability: Mutability) -> Self {
        self.mutability = mutability;
        self
    }

    pub(crate) fn read_only(self) -> Self {
        self.mutability(Mutability::ReadOnly)
    }

    pub(crate) fn returned(mut self, returned: Returned) -> Self {
        self.returned = returned;
        self
    }

    pub(crate) fn unique(mut self) -> Self {
        self.uniqueness = Uniqueness::Server;
        self
    }

    pub(crate) fn canonical(mut self, values: &[&str]) -> Self {
        self.canonical_values = values.iter().map(|&value| value.to_owned()).collect();
        self
    }

    /// The sub-attribute of this name, whatever its case.
    pub(crate) fn sub(&self, name: &str) -> Option<&Self> {
        find(&self.sub_attributes, name)
    }
}

/// The attribute of this name; names are compared without case (RFC 7643 2.1).
pub(crate) fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}
