//! Bulk requests: packed within the service's limits, and answers matched by `bulkId` (RFC 7644 3.7, wso2-scim.md 2.11). Pure.

use std::{collections::HashMap, ops::Range};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{answer::Item, ids};

/// How much one request may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Most operations.
    pub(super) operations: usize,
    /// Most bytes of the body.
    pub(super) bytes: usize,
}

/// One operation.
///
/// Each has a `bulkId`, also where RFC 7644 asks for none: WSO2 echoes it, and answers in an order of its own
/// (wso2-scim.md 2.11, 5).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub(super) method: &'static str,
    /// Relative, with a leading slash (wso2-scim.md 2.11, 4).
    pub(super) path: String,
    /// Unique in its request.
    pub(super) bulk_id: String,
    /// The version that is to be changed (RFC 7644 3.7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Value>,
}

const HEAD: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":["#;
const TAIL: &str = "]}";

/// How operations of these lengths are spread over requests, in their order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Packed {
    /// Which go into one request each.
    pub(super) requests: Vec<Range<usize>>,
    /// Which are too long for any.
    pub(super) alone: Vec<usize>,
}

/// Spreads operations, each within [`Limits`]; `lengths` are those of their JSON in bytes.
pub(super) fn pack(lengths: &[usize], limits: Limits) -> Packed {
    let frame = HEAD.len() + TAIL.len();
    let mut packed = Packed { requests: Vec::new(), alone: Vec::new() };
    let (mut start, mut bytes) = (0, frame);
    for (at, length) in lengths.iter().enumerate() {
        let full = at - start >= limits.operations.max(1) || bytes + length + 1 > limits.bytes;
        if full && at > start {
            packed.requests.push(start..at);
            (start, bytes) = (at, frame);
        }
        if frame + length > limits.bytes {
            packed.alone.push(at);
            start = at + 1;
        } else {
            // the comma before it; the first has none, which leaves a byte to spare
            bytes += length + 1;
        }
    }
    if start < lengths.len() {
        packed.requests.push(start..lengths.len());
    }
    packed
}

/// The body of a request from the JSON of its operations.
pub(super) fn body<'o>(operations: impl Iterator<Item = &'o str>) -> String {
    let mut body = HEAD.to_owned();
    for (at, operation) in operations.enumerate() {
        if at > 0 {
            body.push(',');
        }
        body.push_str(operation);
    }
    body.push_str(TAIL);
    body
}

/// What an answer is matched by.
pub(super) struct Expected<'e> {
    /// The operation's `bulkId`.
    pub(super) bulk_id: &'e str,
    /// Its method.
    pub(super) method: &'e str,
    /// Its path.
    pub(super) path: &'e str,
}

/// Reads the answers to `expected`, in that order; `None` where one is missing: the service may stop early, drop an
/// operation, or leave out the rest (wso2-scim.md 2.11, 4 and 8).
///
/// The whole is `None` when the body is no bulk answer at all.
pub(super) fn read(body: &Value, expected: &[Expected<'_>]) -> Option<Vec<Option<Item>>> {
    let operations = body.get("Operations").or_else(|| body.get("operations"))?.as_array()?;
    let by_id: HashMap<&str, usize> = expected.iter().enumerate().map(|(at, one)| (one.bulk_id, at)).collect();
    let mut items: Vec<Option<Item>> = vec![None; expected.len()];
    let mut answers = vec![0_usize; expected.len()];
    for answer in operations.iter().filter_map(Value::as_object) {
        let id = answer.get("bulkId").and_then(Value::as_str).filter(|id| !id.is_empty());
        let at = match id {
            Some(id) => by_id.get(id).copied(),
            None => by_place(answer, expected),
        };
        let Some(at) = at else { continue };
        answers[at] += 1;
        items[at] = item(answer);
    }
    // two answers to one operation cannot both be right: neither is believed, be one of them unreadable
    for (item, _) in items.iter_mut().zip(answers).filter(|(_, answers)| *answers > 1) {
        *item = None;
    }
    Some(items)
}

/// Only creates must carry their `bulkId` (RFC 7644 3.7.3); anything else can be told by method and place.
fn by_place(answer: &Map<String, Value>, expected: &[Expected<'_>]) -> Option<usize> {
    let method = answer.get("method").and_then(Value::as_str)?;
    let location = answer.get("location").and_then(Value::as_str)?;
    let fits = |one: &Expected<'_>| {
        one.method != "POST" && one.method.eq_ignore_ascii_case(method) && location.ends_with(one.path)
    };
    let mut fitting = expected.iter().enumerate().filter(|(_, one)| fits(one));
    fitting.next().filter(|_| fitting.next().is_none()).map(|(at, _)| at)
}

fn item(answer: &Map<String, Value>) -> Option<Item> {
    let mut body = match answer.get("response") {
        None | Some(Value::Null) => Value::Null,
        // WSO2 writes the response as a text that holds JSON (wso2-scim.md 2.11, 2)
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(value) => value.clone(),
    };
    ids::as_texts(&mut body);
    let location = answer.get("location").and_then(Value::as_str).map(str::to_owned);
    Some(Item { status: status(answer.get("status")?)?, retry_after: None, location, body })
}

/// A status is a text (RFC 7644), a number, or an object with `code`, which is one of both (wso2-scim.md 2.11, 4.1).
fn status(value: &Value) -> Option<u16> {
    let value = value.get("code").unwrap_or(value);
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
    u16::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn packed(lengths: &[usize], operations: usize, bytes: usize) -> Packed {
        pack(lengths, Limits { operations, bytes })
    }

    #[test]
    fn requests_keep_to_the_number_of_operations() {
        assert_eq!(packed(&[10; 5], 2, 10_000).requests, [0..2, 2..4, 4..5]);
        assert!(packed(&[], 2, 10_000).requests.is_empty());
        assert_eq!(packed(&[10; 3], 2, 10_000).requests, [0..2, 2..3]);
    }

    #[test]
    fn requests_keep_to_the_bytes_of_the_body_to_the_last_one() {
        let operation = r#"{"x":1}"#;
        for count in 1..6 {
            let all = body(std::iter::repeat_n(operation, count));
            assert!(serde_json::from_str::<Value>(&all).is_ok());
            let lengths = vec![operation.len(); count];
            for limit in all.len() - 3..all.len() + 3 {
                let packed = packed(&lengths, 100, limit);
                for range in &packed.requests {
                    assert!(body(std::iter::repeat_n(operation, range.len())).len() <= limit);
                }
                let sent: usize = packed.requests.iter().map(ExactSizeIterator::len).sum();
                assert_eq!(sent + packed.alone.len(), count);
            }
        }
    }

    #[test]
    fn what_is_too_long_for_any_request_goes_alone() {
        let came = packed(&[10, 5_000, 10, 10], 100, 1_000);
        assert_eq!(came, Packed { requests: vec![0..1, 2..4], alone: vec![1] });
        assert_eq!(packed(&[5_000], 100, 1_000), Packed { requests: Vec::new(), alone: vec![0] });
    }

    const EXPECTED: [Expected<'static>; 3] = [
        Expected { bulk_id: "a", method: "POST", path: "/Users" },
        Expected { bulk_id: "b", method: "PATCH", path: "/Users/u2" },
        Expected { bulk_id: "c", method: "DELETE", path: "/Users/u3" },
    ];

    fn statuses(body: &Value) -> Option<Vec<Option<u16>>> {
        let items = read(body, &EXPECTED)?;
        Some(items.into_iter().map(|item| item.map(|item| item.status)).collect())
    }

    #[test]
    fn statuses_come_in_four_forms_and_answers_in_any_order() {
        let body = json!({"Operations": [
            {"bulkId": "c", "method": "DELETE", "status": 204},
            {"bulkId": "b", "method": "PATCH", "status": {"code": "200"}},
            {"bulkId": "a", "method": "POST", "status": {"code": 201}, "location": "https://h/Users/u1"}]});
        assert_eq!(statuses(&body), Some(vec![Some(201), Some(200), Some(204)]));
        let body = json!({"operations": [{"bulkId": "a", "method": "POST", "status": "409"}]});
        assert_eq!(statuses(&body), Some(vec![Some(409), None, None]), "the rest was left out");
    }

    #[test]
    fn a_response_is_an_object_or_a_text_that_holds_one() {
        for response in [json!({"id": "u1"}), json!("{\"id\":\"u1\"}")] {
            let body =
                json!({"Operations": [{"bulkId": "a", "method": "POST", "status": "201", "response": response}]});
            let items = read(&body, &EXPECTED).unwrap();
            assert_eq!(items[0].as_ref().unwrap().id().unwrap().0, "u1");
        }
    }

    #[test]
    fn answers_without_an_id_are_told_by_their_place_unless_that_is_not_clear() {
        let body = json!({"Operations": [
            {"method": "PATCH", "status": "200", "location": "https://h/scim/Users/u2"},
            {"method": "DELETE", "status": "204", "location": "https://h/scim/Users/u3", "bulkId": ""},
            {"method": "POST", "status": "201", "location": "https://h/scim/Users"}]});
        assert_eq!(statuses(&body), Some(vec![None, Some(200), Some(204)]));
    }

    #[test]
    fn what_makes_no_sense_is_not_believed() {
        let twice = json!({"Operations": [{"bulkId": "a", "status": "201"}, {"bulkId": "a", "status": "409"}]});
        assert_eq!(statuses(&twice), Some(vec![None, None, None]));
        let odd = json!({"Operations": [{"bulkId": "a", "status": "soon"}, {"bulkId": "z", "status": "201"}, 7]});
        assert_eq!(statuses(&odd), Some(vec![None, None, None]));
        assert_eq!(statuses(&json!({"Operations": {}})), None);
        assert_eq!(statuses(&json!([])), None);
        assert_eq!(statuses(&Value::Null), None);
    }

    #[test]
    fn an_operation_is_written_with_what_it_has() {
        let operation =
            Operation { method: "DELETE", path: "/Users/u1".into(), bulk_id: "a".into(), version: None, data: None };
        let text = serde_json::to_string(&operation).unwrap();
        assert_eq!(text, r#"{"method":"DELETE","path":"/Users/u1","bulkId":"a"}"#);
    }
}
