//! `$batch`: the envelope that carries up to 20 requests, and the answers in it (entra.md 5). Pure.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sterna_core::time::Timestamp;

use super::dto::{GraphError, object};
use crate::http::{exchange::Reply, retry};

/// One request in a batch.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Request {
    /// Its number in the batch, as text.
    id: String,
    method: &'static str,
    /// Relative to the API's root: `/users`.
    url: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

impl Request {
    /// A request that reads.
    pub(super) fn get(at: usize, url: impl Into<String>) -> Self {
        Self { id: at.to_string(), method: "GET", url: url.into(), headers: BTreeMap::new(), body: None }
    }

    /// A request with a body.
    pub(super) fn with_body(at: usize, method: &'static str, url: impl Into<String>, body: Value) -> Self {
        let headers = BTreeMap::from([("Content-Type", "application/json")]);
        Self { id: at.to_string(), method, url: url.into(), headers, body: Some(body) }
    }

    /// A request that removes.
    pub(super) fn delete(at: usize, url: impl Into<String>) -> Self {
        Self { method: "DELETE", ..Self::get(at, url) }
    }
}

/// The envelope.
#[derive(Serialize)]
pub(super) struct Envelope<'a> {
    /// What is asked.
    pub(super) requests: &'a [Request],
}

/// One answer of a batch, or of a single request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Item {
    /// The HTTP status.
    pub(super) status: u16,
    /// When to come back.
    pub(super) retry_after: Option<Duration>,
    /// The part of the quota that is used.
    pub(super) pressure: Option<f64>,
    /// The error, where the body is one.
    pub(super) error: Option<GraphError>,
    /// The body.
    pub(super) body: Value,
}

impl Item {
    /// The answer to a single request in the same form.
    pub(super) fn from_reply(reply: &Reply) -> Self {
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let error = if reply.status >= 400 { GraphError::read(&reply.body) } else { None };
        let pressure = reply.header("x-ms-throttle-limit-percentage").and_then(pressure);
        Self { status: reply.status, retry_after: reply.retry_after, pressure, error, body }
    }
}

/// Reads the early-warning header; only what can be a part of a quota is taken.
pub(super) fn pressure(value: &str) -> Option<f64> {
    value.trim().parse::<f64>().ok().filter(|part| (0.0..=100.0).contains(part))
}

#[derive(Deserialize)]
struct Responses {
    responses: Vec<Response>,
}

/// Members of one answer: `id`, `status`, `headers`, `body`.
type Response = Map<String, Value>;

/// Reads the answers of a batch of `count` requests into their order; `None` where one is missing or makes no sense.
///
/// The whole is `None` when the body is no batch answer at all.
pub(super) fn read(body: &[u8], count: usize, now: Timestamp) -> Option<Vec<Option<Item>>> {
    let responses: Responses = object(body).ok()?;
    let mut items: Vec<Option<Item>> = vec![None; count];
    let mut answers = vec![0_usize; count];
    for response in responses.responses {
        let Some(at) =
            response.get("id").and_then(number).and_then(|at| usize::try_from(at).ok()).filter(|at| *at < count)
        else {
            continue;
        };
        answers[at] += 1;
        items[at] = read_item(response, now);
    }
    // two answers to one request cannot both be right: neither is believed, be one of them unreadable
    for (item, _) in items.iter_mut().zip(answers).filter(|(_, answers)| *answers > 1) {
        *item = None;
    }
    Some(items)
}

fn read_item(mut response: Response, now: Timestamp) -> Option<Item> {
    let status = response.get("status").and_then(number).and_then(|status| u16::try_from(status).ok())?;
    let headers = match response.remove("headers") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(headers)) => headers,
        Some(_) => return None,
    };
    let header = |wanted: &str| {
        let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let retry_after = header("Retry-After").and_then(|value| retry::retry_after(&value, now));
    let pressure = header("x-ms-throttle-limit-percentage").and_then(|value| pressure(&value));
    let body = response.remove("body").unwrap_or_default();
    let error = body.get("error").filter(|_| status >= 400).cloned();
    let error = error.filter(Value::is_object).and_then(|error| serde_json::from_value(error).ok());
    Some(Item { status, retry_after, pressure, error, body })
}

/// Ids and statuses are numbers in some answers and texts in others.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(0);

    #[test]
    fn answers_come_in_any_order_and_header_names_in_any_case() {
        let body = br#"{"responses":[
            {"id":"1","status":429,"headers":{"retry-after":"2.128"},"body":{"error":{"code":"TooManyRequests"}}},
            {"id":"0","status":201,"headers":{"X-MS-Throttle-Limit-Percentage":"0.91"},"body":{"id":"u1"}}]}"#;
        let items = read(body, 3, NOW).unwrap();
        let first = items[0].as_ref().unwrap();
        assert_eq!((first.status, first.pressure), (201, Some(0.91)));
        let second = items[1].as_ref().unwrap();
        assert_eq!(second.retry_after, Some(Duration::from_millis(2_128)));
        assert_eq!(second.error.as_ref().unwrap().code, "TooManyRequests");
        assert_eq!(items[2], None, "an answer that is missing is missing, not an error");
    }

    #[test]
    fn what_makes_no_sense_is_not_believed() {
        let body = br#"{"responses":[{"id":"0","status":"soon"},{"id":"1","status":204},{"id":"1","status":404},{"id":"9","status":204}]}"#;
        assert_eq!(read(body, 2, NOW).unwrap(), [None, None]);
        let unreadable = br#"{"responses":[{"id":"0"},{"id":"0","status":204}]}"#;
        assert_eq!(read(unreadable, 1, NOW).unwrap(), [None], "the other answer may have said something else");
        assert_eq!(read(b"<html>", 2, NOW), None);
        assert_eq!(read(b"{}", 2, NOW), None);
    }

    #[test]
    fn a_request_has_a_content_type_only_with_a_body() {
        let write = |request: &Request| serde_json::to_value(request).unwrap();
        let get = write(&Request::get(0, "/users"));
        assert_eq!(get, serde_json::json!({"id": "0", "method": "GET", "url": "/users"}));
        let post = write(&Request::with_body(1, "POST", "/users", Value::from(1)));
        assert_eq!(post["headers"]["Content-Type"], "application/json");
    }
}
