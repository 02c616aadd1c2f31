//! A bulk request, taken apart.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use serde::Deserialize;
use serde_json::Value;

use crate::scim::call::Item;
use crate::scim::refusal::Refusal;
use crate::scim::resource::incoming::Leniency;
use crate::scim::schema::BULK_REQUEST;

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    schemas: Vec<String>,
    #[serde(default, rename = "failOnErrors")]
    fail_on_errors: Option<u64>,
    #[serde(alias = "operations", rename = "Operations")]
    operations: Vec<RawPart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPart {
    method: String,
    path: String,
    #[serde(default)]
    bulk_id: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    data: Option<Value>,
}

/// A bulk request.
#[derive(Debug)]
pub(crate) struct BulkBody {
    /// Stop after so many errors; `None` never.
    pub(crate) fail_on_errors: Option<u64>,
    pub(crate) parts: Vec<Part>,
}

/// One operation of it.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) bulk_id: Option<String>,
    version: Option<String>,
    data: Option<Value>,
    /// Bulk ids that its path and data refer to.
    pub(crate) refers_to: BTreeSet<String>,
}

/// How a bulk id is referred to.
const PREFIX: &str = "bulkId:";

fn invalid(why: &str) -> Refusal {
    Refusal::bad("invalidSyntax", format!("The bulk request cannot be used: {why}."))
}

impl BulkBody {
    pub(crate) fn read(body: &Bytes, leniency: Leniency) -> Result<Self, Refusal> {
        let envelope: Envelope =
            serde_json::from_slice(body).map_err(|_error| invalid("it needs schemas and Operations"))?;
        let is_bulk = envelope.schemas.iter().any(|urn| urn.eq_ignore_ascii_case(BULK_REQUEST));
        if !is_bulk && !leniency.schemas {
            return Err(invalid(&format!("schemas lacks {BULK_REQUEST}")));
        }
        let parts = envelope.operations.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if parts.is_empty() {
            return Err(invalid("it has no operation"));
        }
        let mut known = BTreeSet::new();
        for bulk_id in parts.iter().filter_map(|part| part.bulk_id.as_deref()) {
            if !known.insert(bulk_id) {
                return Err(Refusal::bad("invalidValue", "A bulkId is there twice."));
            }
        }
        Ok(Self { fail_on_errors: envelope.fail_on_errors.filter(|most| *most > 0), parts })
    }
}

fn read(raw: RawPart) -> Result<Part, Refusal> {
    let RawPart { method, path, bulk_id, version, data } = raw;
    let method = match method.to_ascii_uppercase().as_str() {
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => return Err(invalid("a method is POST, PUT, PATCH or DELETE")),
    };
    let bulk_id = bulk_id.filter(|id| !id.is_empty());
    if method == Method::POST && bulk_id.is_none() {
        return Err(Refusal::bad("invalidValue", "A POST in a bulk request needs a bulkId."));
    }
    if method != Method::DELETE && data.is_none() {
        return Err(invalid("an operation lacks its data"));
    }
    if !path.starts_with('/') || path.contains("/Bulk") {
        return Err(Refusal::bad(
            "invalidPath",
            "A path in a bulk request begins with a slash, and leads to a resource.",
        ));
    }
    let mut refers_to = BTreeSet::new();
    let in_path = path.split('/').filter_map(|segment| segment.strip_prefix(PREFIX));
    refers_to.extend(in_path.map(ToOwned::to_owned));
    if let Some(data) = &data {
        collect(data, &mut refers_to);
    }
    Ok(Part { method, path, bulk_id, version, data, refers_to })
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => found.extend(text.strip_prefix(PREFIX).map(ToOwned::to_owned)),
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, found)),
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The last reference, in the order of the text.
fn last(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => text.strip_prefix(PREFIX),
        Value::Array(elements) => elements.iter().rev().find_map(last),
        Value::Object(members) => members.values().rev().find_map(last),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Leaves out values of lists that are still references.
fn leave_out(value: &mut Value) {
    match value {
        Value::Array(elements) => {
            elements.retain(|element| element.get("value").is_none_or(|value| last(value).is_none()));
            elements.iter_mut().for_each(leave_out);
        }
        Value::Object(members) => members.values_mut().for_each(leave_out),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn put_in(value: &mut Value, made: &HashMap<&str, String>) {
    match value {
        Value::String(text) => {
            if let Some(id) = text.strip_prefix(PREFIX).and_then(|bulk_id| made.get(bulk_id)) {
                *text = id.clone();
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| put_in(element, made)),
        Value::Object(members) => members.values_mut().for_each(|member| put_in(member, made)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Part {
    /// As a request of its own, with the ids that `made` has for the bulk ids it refers to; with `last_only` for the last of
    /// them alone.
    pub(crate) fn item(&self, outer: &Item, made: &HashMap<&str, String>, last_only: bool) -> Result<Item, Refusal> {
        if let Some(missing) = self.refers_to.iter().find(|bulk_id| !made.contains_key(bulk_id.as_str())) {
            let missing: String = missing.chars().take(60).collect();
            return Err(Refusal::typed(409, "invalidValue", format!("bulkId {missing} stands for no resource.")));
        }
        let segment = |segment: &str| {
            segment.strip_prefix(PREFIX).and_then(|bulk_id| made.get(bulk_id).cloned()).unwrap_or(segment.to_owned())
        };
        let path: Vec<String> = self.path.split('/').map(segment).collect();
        let mut data = self.data.clone();
        if let Some(data) = &mut data {
            let last = last(data).map(ToOwned::to_owned).filter(|_| last_only);
            if let Some((last, id)) = last.and_then(|last| made.get_key_value(last.as_str())) {
                put_in(data, &HashMap::from([(*last, id.clone())]));
                leave_out(data);
            }
            put_in(data, made);
        }
        let body = data.map(|data| serde_json::to_vec(&data).unwrap_or_default()).unwrap_or_default();
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static(crate::scim::answer::SCIM_JSON);
        headers.insert(http::header::CONTENT_TYPE, json);
        if let Some(version) = self.version.as_deref().and_then(|version| HeaderValue::from_str(version).ok()) {
            headers.insert(http::header::IF_MATCH, version);
        }
        let item = Item::new(self.method.clone(), outer.base.clone(), &path.join("/"), headers, body.into());
        Ok(Item { is_operation: true, ..item })
    }
}
