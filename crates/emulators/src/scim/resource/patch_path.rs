//! The path of a PATCH operation: `attribute`, `attribute.sub`, `attribute[filter]`, `attribute[filter].sub`, each perhaps
//! behind a URN, or an extension's URN alone (RFC 7644 3.5.2, 3.10).

use crate::scim::filter::{Filter, parse_within};
use crate::scim::refusal::Refusal;
use crate::scim::schema::{Catalogue, Kind, Place, Spot};

/// Bytes of a path.
const MOST_BYTES: usize = 4_096;

/// A path that was understood.
#[derive(Debug, Clone)]
pub(super) struct PatchPath<'c> {
    pub(super) place: Place<'c>,
    /// What stands in brackets.
    pub(super) filter: Option<Filter>,
}

fn invalid(why: &str) -> Refusal {
    Refusal::bad("invalidPath", format!("The path cannot be used: {why}."))
}

impl<'c> PatchPath<'c> {
    pub(super) fn parse(catalogue: &'c Catalogue, kind: Kind, text: &str) -> Result<Self, Refusal> {
        if text.len() > MOST_BYTES {
            return Err(invalid("it is too long"));
        }
        let resolve = |name: &str| catalogue.resolve(kind, name).ok_or_else(|| invalid("there is no such attribute"));
        let Some((name, rest)) = text.split_once('[') else {
            return Ok(Self { place: resolve(text)?, filter: None });
        };
        // a value in quotes may have brackets of its own; the last one ends the filter
        let (inside, rest) = rest.rsplit_once(']').ok_or_else(|| invalid("a bracket is not closed"))?;
        let Place::Attribute(spot) = resolve(name)? else { return Err(invalid("an extension has no values")) };
        if spot.sub.is_some() || !spot.attribute.multi_valued || spot.attribute.sub_attributes.is_empty() {
            return Err(invalid("brackets choose among the values of a multi-valued complex attribute"));
        }
        let filter = parse_within(inside)?;
        filter.check_inside(&spot.attribute.sub_attributes)?;
        let sub = match rest.strip_prefix('.') {
            Some(sub) => Some(spot.attribute.sub(sub).ok_or_else(|| invalid("there is no such sub-attribute"))?),
            None if rest.is_empty() => None,
            None => return Err(invalid("only a sub-attribute follows a bracket")),
        };
        Ok(Self { place: Place::Attribute(Spot { sub, ..spot }), filter: Some(filter) })
    }
}
