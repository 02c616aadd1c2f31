//! The query options of a request.

use url::form_urlencoded;

use super::filter::Filter;
use crate::entra::directory::extension::Extensions;
use crate::entra::directory::property;
use crate::entra::refusal::Refusal;

/// Entries of a page when `$top` is not given, and at most (`entra.md` 4.8).
const DEFAULT_TOP: usize = 100;
const MAX_TOP: usize = 999;

/// The query of a URL, decoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// `$top` as a number, whether or not it is allowed.
    pub(crate) fn top(&self) -> Option<usize> {
        self.get("$top")?.parse().ok()
    }

    /// The page length: `$top` from 1 to 999, 100 without it.
    pub(crate) fn page_length(&self) -> Result<usize, Refusal> {
        let Some(text) = self.get("$top") else { return Ok(DEFAULT_TOP) };
        match text.parse() {
            Ok(top @ 1..=MAX_TOP) => Ok(top),
            _ => Err(Refusal::unsupported_query(format!(
                "Invalid page size specified: '{text}'. Must be between 1 and 999 inclusive."
            ))),
        }
    }

    /// `$filter`, parsed.
    pub(crate) fn filter(&self) -> Result<Option<Filter>, Refusal> {
        self.get("$filter").map(Filter::parse).transpose()
    }

    /// `$select` as a list of known properties.
    pub(crate) fn select(&self, extensions: &Extensions) -> Result<Option<Vec<String>>, Refusal> {
        let Some(text) = self.get("$select") else { return Ok(None) };
        let names: Vec<String> =
            text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        let unknown = |name: &&String| property::find(name).is_none() && extensions.find(name).is_none();
        match names.iter().find(unknown) {
            None => Ok(Some(names)),
            Some(name) => Err(Refusal::bad(format!(
                "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type 'microsoft.graph.user'."
            ))),
        }
    }

    /// Refuses options that are not in `known`: a strict service must not ignore what it does not understand.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        match self.0.iter().find(|(name, _)| name.starts_with('$') && !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => {
                Err(Refusal::unsupported_query(format!("The query option '{name}' is not supported here.")))
            }
        }
    }

    /// The query again, without the place where it was.
    pub(crate) fn without_tokens(&self) -> String {
        let kept = self.0.iter().filter(|(name, _)| !["$skiptoken", "$deltatoken"].contains(&name.as_str()));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish().replace("%24", "$")
    }

    /// The query from the start, with a token added.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        let start = self.without_tokens();
        let separator = if start.is_empty() { "" } else { "&" };
        format!("{start}{separator}{name}={}", form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>())
    }
}
