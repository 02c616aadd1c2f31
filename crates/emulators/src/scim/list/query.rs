//! What a list or search request asks for.

use serde_json::{Map, Value};

use crate::scim::call::Item;
use crate::scim::refusal::Refusal;
use crate::scim::resource::change::names;
use crate::scim::resource::incoming::Leniency;
use crate::scim::schema::SEARCH_REQUEST;

/// Where the page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Page {
    /// At this resource, 1 being the first.
    Index(usize),
    /// Where a page before it said; empty for the first.
    Cursor(String),
}

/// A list request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListQuery {
    pub(crate) filter: Option<String>,
    pub(crate) sort_by: Option<String>,
    pub(crate) is_descending: bool,
    pub(crate) page: Page,
    /// Resources of the page; a negative number counts as 0 (RFC 7644 3.4.2.4).
    pub(crate) count: Option<usize>,
    pub(crate) attributes: Vec<String>,
    pub(crate) excluded: Vec<String>,
}

fn wrong(name: &str) -> Refusal {
    Refusal::bad("invalidValue", format!("{name} has a value that cannot be used."))
}

impl ListQuery {
    /// From the parameters of a `GET`.
    pub(crate) fn from_parameters(item: &Item) -> Result<Self, Refusal> {
        let number = |name: &str| {
            let text = item.parameter(name);
            text.map(|text| text.trim().parse::<i64>().map_err(|_error| wrong(name))).transpose()
        };
        let text = |name: &str| item.parameter(name).map(ToOwned::to_owned);
        Self {
            filter: text("filter").filter(|filter| !filter.is_empty()),
            sort_by: text("sortBy").filter(|name| !name.is_empty()),
            is_descending: is_descending(item.parameter("sortOrder"))?,
            page: page(number("startIndex")?, text("cursor"))?,
            count: None,
            attributes: names(item.parameter("attributes")),
            excluded: names(item.parameter("excludedAttributes")),
        }
        .with_count(number("count")?)
    }

    /// From the body of a `.search`.
    pub(crate) fn from_body(body: Value, leniency: Leniency) -> Result<Self, Refusal> {
        let Value::Object(members) = body else {
            return Err(Refusal::bad("invalidSyntax", "The body has to be a JSON object."));
        };
        let is_search =
            members.get("schemas").and_then(Value::as_array).is_some_and(|urns| urns.contains(&SEARCH_REQUEST.into()));
        if !is_search && !leniency.schemas {
            return Err(Refusal::bad("invalidSyntax", format!("schemas lacks {SEARCH_REQUEST}.")));
        }
        Self {
            filter: text(&members, "filter")?,
            sort_by: text(&members, "sortBy")?,
            is_descending: is_descending(text(&members, "sortOrder")?.as_deref())?,
            page: page(number(&members, "startIndex")?, text(&members, "cursor")?)?,
            count: None,
            attributes: list(&members, "attributes")?,
            excluded: list(&members, "excludedAttributes")?,
        }
        .with_count(number(&members, "count")?)
    }

    fn with_count(mut self, count: Option<i64>) -> Result<Self, Refusal> {
        let is_cursor = matches!(self.page, Page::Cursor(_));
        if is_cursor && count.is_some_and(|count| count < 1) {
            return Err(Refusal::bad("invalidCount", "With a cursor count has to be 1 or more."));
        }
        self.count = count.map(|count| usize::try_from(count).unwrap_or(0));
        Ok(self)
    }

    /// What has to stay the same from page to page.
    pub(crate) fn fingerprint(&self) -> String {
        format!("{:?}|{:?}|{}", self.filter, self.sort_by, self.is_descending)
    }
}

fn is_descending(order: Option<&str>) -> Result<bool, Refusal> {
    match order {
        None | Some("" | "ascending") => Ok(false),
        Some("descending") => Ok(true),
        Some(_) => Err(wrong("sortOrder")),
    }
}

fn page(start: Option<i64>, cursor: Option<String>) -> Result<Page, Refusal> {
    match (start, cursor) {
        (Some(_), Some(_)) => Err(Refusal::bad("invalidCursor", "startIndex and cursor cannot be used together.")),
        (None, Some(cursor)) => Ok(Page::Cursor(cursor)),
        (start, None) => Ok(Page::Index(usize::try_from(start.unwrap_or(1)).unwrap_or(1).max(1))),
    }
}

/// A member of a body, whatever the case of its name.
fn member<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn text(members: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match member(members, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong(name)),
    }
}

fn number(members: &Map<String, Value>, name: &str) -> Result<Option<i64>, Refusal> {
    match member(members, name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or_else(|| wrong(name)),
    }
}

fn list(members: &Map<String, Value>, name: &str) -> Result<Vec<String>, Refusal> {
    match member(members, name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(names)) => names
            .iter()
            .map(|name| name.as_str().map(ToOwned::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| wrong(name)),
        Some(_) => Err(wrong(name)),
    }
}
