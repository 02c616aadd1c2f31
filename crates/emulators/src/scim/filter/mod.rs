//! Filters (RFC 7644 3.4.2.2): the grammar, and whether a resource passes.
//!
//! Attribute names are resolved when a filter is checked against a resource type ([`Filter::check`]); what a resource
//! does not have never passes a comparison but `ne`.

mod eval;
mod lexer;
mod parse;

use serde_json::Value;

pub(crate) use eval::{compare_values, fold, passes, passes_inside, values};
pub(crate) use parse::{parse, parse_within};

use super::refusal::Refusal;
use super::schema::attribute::{Returned, Type};
use super::schema::{Catalogue, Kind, Place};

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Op {
    const NAMES: [(&'static str, Self); 9] = [
        ("eq", Self::Eq),
        ("ne", Self::Ne),
        ("co", Self::Co),
        ("sw", Self::Sw),
        ("ew", Self::Ew),
        ("gt", Self::Gt),
        ("ge", Self::Ge),
        ("lt", Self::Lt),
        ("le", Self::Le),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, op)| *op == self).map_or("", |(name, _)| name)
    }
}

/// A filter as it was written. Paths are texts as the client spelt them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Present(String),
    Compare(String, Op, Value),
    /// `path[filter]`: one value of the attribute passes the filter as a whole.
    Each(String, Box<Filter>),
}

impl Filter {
    /// Refuses what cannot be evaluated for a resource type: unknown attributes, comparisons that the type of the
    /// attribute does not have, and attributes that are never returned, which a filter would give away (RFC 7644 7.5.2).
    pub(crate) fn check(&self, catalogue: &Catalogue, kind: Kind) -> Result<(), Refusal> {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().try_for_each(|part| part.check(catalogue, kind)),
            Self::Not(part) => part.check(catalogue, kind),
            Self::Present(path) => match catalogue.resolve(kind, path) {
                Some(Place::Extension(_)) => Ok(()),
                _ => checked(catalogue, kind, path).map(drop),
            },
            Self::Compare(path, op, value) => {
                let spot = checked(catalogue, kind, path)?;
                let leaf = spot.leaf();
                let leaf = leaf.sub("value").filter(|_| leaf.kind == Type::Complex).unwrap_or(leaf);
                comparable(leaf.kind, *op, value).map_err(|why| invalid(&format!("{path}: {why}")))
            }
            Self::Each(path, part) => {
                let spot = checked(catalogue, kind, path)?;
                if spot.attribute.kind != Type::Complex {
                    return Err(invalid(&format!("{path} has no sub-attributes to filter by")));
                }
                part.check_inside(&spot.attribute.sub_attributes)
            }
        }
    }

    /// The same inside `[…]`, where names are those of sub-attributes.
    pub(crate) fn check_inside(&self, subs: &[super::schema::attribute::Attribute]) -> Result<(), Refusal> {
        let known = |path: &str| {
            let sub = super::schema::attribute::find(subs, path);
            sub.ok_or_else(|| invalid(&format!("there is no sub-attribute {path}")))
        };
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().try_for_each(|part| part.check_inside(subs)),
            Self::Not(part) => part.check_inside(subs),
            Self::Present(path) => known(path).map(drop),
            Self::Compare(path, op, value) => {
                comparable(known(path)?.kind, *op, value).map_err(|why| invalid(&format!("{path}: {why}")))
            }
            Self::Each(path, _) => Err(invalid(&format!("{path}: brackets do not nest"))),
        }
    }

    /// The value that the filter, or one of the parts that all have to hold, wants a path to equal.
    pub(crate) fn equalities(&self) -> Vec<(&str, &Value)> {
        match self {
            Self::And(parts) => parts.iter().flat_map(Self::equalities).collect(),
            Self::Compare(path, Op::Eq, value) => vec![(path, value)],
            _ => Vec::new(),
        }
    }

    /// Whether a name occurs among the paths, as a whole or before a dot.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        let is = |path: &str| {
            let path = path.rsplit(':').next().unwrap_or(path);
            path.split('.').next().is_some_and(|first| first.eq_ignore_ascii_case(name))
        };
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.mentions(name)),
            Self::Not(part) => part.mentions(name),
            Self::Present(path) | Self::Compare(path, ..) | Self::Each(path, _) => is(path),
        }
    }
}

fn checked<'c>(catalogue: &'c Catalogue, kind: Kind, path: &str) -> Result<super::schema::Spot<'c>, Refusal> {
    match catalogue.resolve(kind, path) {
        Some(Place::Attribute(spot)) if spot.leaf().returned != Returned::Never => Ok(spot),
        Some(Place::Attribute(_)) => Err(invalid(&format!("{path} is never returned, so it cannot be filtered by"))),
        Some(Place::Extension(_)) => Err(invalid(&format!("{path} is an extension, not an attribute"))),
        None => Err(invalid(&format!("there is no attribute {path}"))),
    }
}

/// Whether values of this type can be compared so (RFC 7644 3.4.2.2, the table of operators).
fn comparable(kind: Type, op: Op, value: &Value) -> Result<(), &'static str> {
    let is_order = matches!(op, Op::Gt | Op::Ge | Op::Lt | Op::Le);
    let is_text = matches!(op, Op::Co | Op::Sw | Op::Ew);
    let fits = match kind {
        Type::Boolean => value.is_boolean() || value.is_null(),
        Type::Integer | Type::Decimal => value.is_number() || value.is_null(),
        Type::Complex => false,
        Type::String | Type::DateTime | Type::Reference | Type::Binary => value.is_string() || value.is_null(),
    };
    match kind {
        Type::Boolean | Type::Binary if is_order => Err("values of this type have no order"),
        Type::Boolean | Type::Integer | Type::Decimal if is_text => Err("values of this type are no text"),
        _ if (is_order || is_text) && value.is_null() => Err("nothing is before, after or part of null"),
        Type::Complex => Err("a complex attribute is compared by a sub-attribute"),
        _ if !fits => Err("the value is not of the attribute's type"),
        _ => Ok(()),
    }
}

/// 400 `invalidFilter`.
pub(crate) fn invalid(why: &str) -> Refusal {
    Refusal::bad("invalidFilter", format!("The filter cannot be used: {why}."))
}
