//! All schemas and resource types of a service, and where a name in a request leads.

use std::sync::Arc;

use super::attribute::{Attribute, find};
use super::{Link, ResourceType, Schema, common};

/// The number of a resource type in its catalogue.
pub(crate) type Kind = usize;

/// What a service knows of its resources.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    schemas: Vec<Schema>,
    types: Vec<ResourceType>,
    common: Arc<[Attribute]>,
}

/// Where an attribute stands in a resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot<'c> {
    /// The extension whose object holds it; `None` for the resource itself.
    pub(crate) extension: Option<&'c str>,
    pub(crate) attribute: &'c Attribute,
    pub(crate) sub: Option<&'c Attribute>,
}

/// What a name leads to: an attribute, or an extension as a whole.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'c> {
    Attribute(Spot<'c>),
    Extension(&'c Schema),
}

impl<'c> Spot<'c> {
    /// The attribute that holds the value itself: of a multi-valued complex attribute without a sub-attribute, `value`
    /// (RFC 7644 3.4.2.2 compares these by their `value`).
    pub(crate) fn leaf(&self) -> &'c Attribute {
        self.sub.unwrap_or(self.attribute)
    }
}

impl Catalogue {
    pub(crate) fn new(schemas: Vec<Schema>, types: Vec<ResourceType>) -> Self {
        Self { schemas, types, common: common().into() }
    }

    /// The same, but attributes of this name are compared with their case.
    pub(crate) fn with_exact(&self, name: &str) -> Self {
        let mut exact = self.clone();
        let attributes = exact.schemas.iter_mut().flat_map(|schema| &mut schema.attributes);
        for attribute in attributes.filter(|attribute| attribute.name == name) {
            attribute.case_exact = true;
        }
        exact
    }

    pub(crate) fn types(&self) -> &[ResourceType] {
        &self.types
    }

    pub(crate) fn schemas(&self) -> &[Schema] {
        &self.schemas
    }

    pub(crate) fn resource_type(&self, kind: Kind) -> &ResourceType {
        &self.types[kind]
    }

    /// The resource type of this name.
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        self.types.iter().position(|known| known.name == name)
    }

    pub(crate) fn schema(&self, id: &str) -> Option<&Schema> {
        self.schemas.iter().find(|schema| schema.id.eq_ignore_ascii_case(id))
    }

    /// The core attributes of a resource type, without the common ones.
    pub(crate) fn core(&self, kind: Kind) -> &[Attribute] {
        self.schema(&self.types[kind].schema).map_or(&[], |schema| &schema.attributes)
    }

    /// The extensions of a resource type.
    pub(crate) fn extensions(&self, kind: Kind) -> impl Iterator<Item = (&Schema, bool)> {
        let extensions = self.types[kind].extensions.iter();
        extensions.filter_map(|(id, required)| Some((self.schema(id)?, *required)))
    }

    /// The extension of this URN, if resources of the type may have it.
    pub(crate) fn extension(&self, kind: Kind, urn: &str) -> Option<&Schema> {
        self.extensions(kind).map(|(schema, _)| schema).find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }

    /// A common or core attribute.
    pub(crate) fn attribute(&self, kind: Kind, name: &str) -> Option<&Attribute> {
        find(&self.common, name).or_else(|| find(self.core(kind), name))
    }

    /// The link of this attribute, with its number.
    pub(crate) fn link(&self, kind: Kind, attribute: &str) -> Option<(usize, &Link)> {
        self.types[kind].links.iter().enumerate().find(|(_, link)| link.attribute.eq_ignore_ascii_case(attribute))
    }

    /// Where `[urn:]name[.sub]` leads in resources of this type (RFC 7644 3.10).
    pub(crate) fn resolve(&self, kind: Kind, text: &str) -> Option<Place<'_>> {
        let schemas = std::iter::once(self.types[kind].schema.as_str())
            .chain(self.types[kind].extensions.iter().map(|(id, _)| id.as_str()));
        for id in schemas {
            // a URN has dots of its own, so it is taken off as a whole before the rest is parted at one
            let Some(rest) = strip_prefix(text, id) else { continue };
            let schema = self.schema(id)?;
            let is_core = schema.id == self.types[kind].schema;
            return match rest.strip_prefix(':') {
                Some(rest) if is_core => Self::spot(self.core(kind), None, rest).map(Place::Attribute),
                Some(rest) => Self::spot(&schema.attributes, Some(&schema.id), rest).map(Place::Attribute),
                None if rest.is_empty() && !is_core => Some(Place::Extension(schema)),
                None => None,
            };
        }
        let spot = Self::spot(self.core(kind), None, text).or_else(|| Self::spot(&self.common, None, text));
        spot.map(Place::Attribute)
    }

    fn spot<'c>(among: &'c [Attribute], extension: Option<&'c str>, text: &str) -> Option<Spot<'c>> {
        let (name, sub) = text.split_once('.').map_or((text, None), |(name, sub)| (name, Some(sub)));
        let attribute = find(among, name)?;
        let sub = match sub {
            Some(sub) => Some(attribute.sub(sub)?),
            None => None,
        };
        Some(Spot { extension, attribute, sub })
    }
}

/// [`str::strip_prefix`] without case.
fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::super::{ENTERPRISE, USER, standard};
    use super::*;

    fn led(text: &str) -> Option<String> {
        let catalogue = standard();
        Some(match catalogue.resolve(0, text)? {
            Place::Attribute(Spot { extension, attribute, sub }) => {
                let sub = sub.map(|sub| format!(".{}", sub.name)).unwrap_or_default();
                format!("{}|{}{sub}", extension.unwrap_or_default(), attribute.name)
            }
            Place::Extension(schema) => schema.name.clone(),
        })
    }

    #[test]
    fn names_lead_to_their_attribute_whatever_their_case_and_with_or_without_the_schema() {
        let cases = [
            ("userName", Some("|userName".to_owned())),
            ("USERNAME", Some("|userName".to_owned())),
            ("emails.value", Some("|emails.value".to_owned())),
            ("meta.lastmodified", Some("|meta.lastModified".to_owned())),
            (&format!("{USER}:name.familyName"), Some("|name.familyName".to_owned())),
            (&format!("{ENTERPRISE}:manager.value"), Some(format!("{ENTERPRISE}|manager.value"))),
            (&ENTERPRISE.to_uppercase(), Some("EnterpriseUser".to_owned())),
            ("department", None),
            ("name.nothing", None),
            (USER, None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(led(text), expected, "{text}");
        }
    }
}
