//! `POST /Bulk` in the product's own way (wso2-scim.md 2.11, by its rules' numbers).

use std::collections::{HashMap, HashSet};

use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Map, Value, json};

use super::incoming::operations;
use super::quirk;
use super::scopes::{Act, Area, allow_in_bulk};
use crate::scim::answer::{Answer, SCIM_JSON};
use crate::scim::call::{Call, Item, Outcome};
use crate::scim::quirk::Quirks;
use crate::scim::refusal::Refusal;
use crate::scim::schema::{BULK_RESPONSE, PATCH_OP};
use crate::scim::service::Trouble;

/// How a bulk id is referred to.
const REFERENCE: &str = "bulkId:";

/// One operation.
struct Part {
    kind: Area,
    method: String,
    path: String,
    bulk_id: String,
    data: Value,
}

/// A bulk request on its way.
pub(super) struct Bulk<'c, 's> {
    pub(super) call: &'c Call<'s>,
    pub(super) quirks: &'c Quirks,
    /// Below `/o/`.
    pub(super) is_child: bool,
    /// Ids of the users that were made, by their bulk ids.
    pub(super) made: HashMap<String, String>,
}

impl Bulk<'_, '_> {
    /// Carries it out and answers it.
    pub(super) fn run(&mut self, trouble: &mut Trouble) -> Outcome {
        let body: Value = match serde_json::from_slice(&self.call.item.body) {
            Ok(body) => body,
            Err(_malformed) if self.quirks.has(&quirk::BULK_MALFORMED_200) => return Ok(answer(&[])),
            Err(_malformed) => return Err(Refusal::bad("invalidSyntax", "The body is no JSON.")),
        };
        let (Some(parts), true) = (body["Operations"].as_array(), body["schemas"].is_array()) else {
            return Err(self.envelope());
        };
        let limit = self.call.service.limits.max_operations;
        if parts.len() > limit {
            let detail = format!(
                "The number of operations in the bulk request: {} exceeds the maximum total number of operations count: \
                 {limit}.",
                parts.len()
            );
            return Err(Refusal::new(413, detail));
        }
        let parts = self.parts(parts)?;
        let most_errors = body["failOnErrors"].as_u64().filter(|most| *most > 0).unwrap_or(u64::MAX);
        self.carry_out(parts, most_errors, trouble).map(|entries| answer(&entries))
    }

    /// Rule 1: a null pointer.
    fn envelope(&self) -> Refusal {
        if self.quirks.has(&quirk::BULK_ENVELOPE_500) {
            return Refusal::new(500, "Error in processing the bulk request.");
        }
        Refusal::bad("invalidSyntax", "A bulk request has schemas and Operations.")
    }

    /// Rules 3 and 4: which operations there are, by kinds (rule 5).
    fn parts(&self, operations: &[Value]) -> Result<Vec<Part>, Refusal> {
        let mut seen = HashSet::new();
        let mut parts = Vec::new();
        for operation in operations {
            let text = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
            let (method, path, bulk_id) = (text("method").to_ascii_uppercase(), text("path"), text("bulkId"));
            if method == "POST" && bulk_id.is_empty() {
                return Err(Refusal::bad("invalidValue", "Required attribute BULK_ID is missing in the request"));
            }
            if !bulk_id.is_empty() && !seen.insert(bulk_id.clone()) {
                return Err(Refusal::bad("invalidValue", format!("Duplicate bulkId found: {bulk_id}")));
            }
            let Some(kind) = kind(&path) else {
                if self.quirks.has(&quirk::BULK_DROPS_UNKNOWN) {
                    continue;
                }
                return Err(Refusal::bad("invalidPath", "The path of an operation leads nowhere."));
            };
            parts.push(Part { kind, method, path, bulk_id, data: operation["data"].clone() });
        }
        if self.quirks.has(&quirk::BULK_REORDERS) {
            parts.sort_by_key(|part| match part.kind {
                Area::Users | Area::Links | Area::LinksBulk => 0,
                Area::Groups => 1,
                Area::Roles => 2,
            });
        }
        Ok(parts)
    }

    /// Rules 8 and 9.
    fn carry_out(&mut self, parts: Vec<Part>, most_errors: u64, trouble: &mut Trouble) -> Result<Vec<Value>, Refusal> {
        let (mut entries, mut forbidden) = (Vec::with_capacity(parts.len()), Vec::new());
        let mut errors = 0;
        for part in parts {
            if !self.is_allowed(&part) {
                let refusal = "Operation is not permitted. You do not have permissions to make this request.";
                let answer = self.call.service.refused(&Refusal::new(403, refusal));
                // those of roles come after all others (2.2)
                if part.kind == Area::Roles { &mut forbidden } else { &mut entries }.push(self.entry(&part, answer));
                continue;
            }
            if errors >= most_errors {
                break;
            }
            let answer = match self.item(&part) {
                Ok(item) => self.call.operate(item, trouble),
                Err(refusal) if self.quirks.has(&quirk::BULK_ABORTS) => return Err(refusal),
                Err(refusal) => self.call.service.refused(&refusal),
            };
            // a 202 counts as an error
            errors += u64::from(![200, 201, 204].contains(&answer.status));
            if let Some(id) = answer.made.clone().filter(|_| part.kind == Area::Users && !part.bulk_id.is_empty()) {
                self.made.insert(part.bulk_id.clone(), id);
            }
            entries.push(self.entry(&part, answer));
        }
        entries.append(&mut forbidden);
        Ok(entries)
    }

    fn is_allowed(&self, part: &Part) -> bool {
        let act = match part.method.as_str() {
            "POST" => Act::Create,
            "DELETE" => Act::Delete,
            "GET" => Act::View,
            _ => Act::Update,
        };
        allow_in_bulk(self.call.caller, part.kind, act, self.is_child)
    }

    /// An operation as a request of its own. What cannot be prepared ends the whole request (rule 9).
    fn item(&self, part: &Part) -> Result<Item, Refusal> {
        let method = match part.method.as_str() {
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            "GET" => Method::GET,
            _ => return Err(Refusal::new(500, "The operation has a method that is not known.")),
        };
        let segments: Vec<&str> = part.path.split('/').collect();
        let (collection, id_at) = match part.kind {
            Area::Users | Area::Links | Area::LinksBulk => ("/Users", 2),
            Area::Groups => ("/Groups", 2),
            Area::Roles => ("/v2/Roles", 3),
        };
        let path = match method {
            Method::POST => collection.to_owned(),
            // rule 4: an index outside of the array
            _ => match segments.get(id_at).filter(|id| !id.is_empty()) {
                Some(id) => format!("{collection}/{id}"),
                None => return Err(Refusal::new(500, "The path of the operation has no id.")),
            },
        };
        let mut data = part.data.clone();
        let has_body = !matches!(method, Method::DELETE | Method::GET);
        if has_body && !data.is_object() {
            return Err(Refusal::bad("invalidSyntax", "The data of an operation is no object."));
        }
        if method == Method::PATCH && data["schemas"].is_null() {
            // rule 13
            data["schemas"] = json!([PATCH_OP]);
        }
        self.refer(part, &method, &mut data);
        let body = if has_body { data.to_string().into_bytes() } else { Vec::new() };
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(SCIM_JSON));
        let query = part.path.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default().to_owned();
        let base = self.call.item.base.clone();
        let item = Item::new(method, base, &format!("{path}{query}"), headers, body.into());
        Ok(Item { is_operation: true, ..item })
    }

    /// Rule 6: references to users that were made, as members of groups and users of roles only; of a PATCH in the first
    /// operation that adds or replaces some.
    fn refer(&self, part: &Part, method: &Method, data: &mut Value) {
        let attribute = match part.kind {
            _ if self.quirks.has(&quirk::BULK_REFERENCES_FAIL) => return,
            Area::Groups => "members",
            Area::Roles => "users",
            Area::Users | Area::Links | Area::LinksBulk => return,
        };
        if *method != Method::PATCH {
            self.put_ids(&mut data[attribute]);
            return;
        }
        for operation in operations(data) {
            let is_adding =
                operation.get("op").and_then(Value::as_str).is_some_and(|op| !op.eq_ignore_ascii_case("remove"));
            let is_meant = operation.get("path").and_then(Value::as_str) == Some(attribute);
            let value = operation.get_mut("value");
            if let Some(value) = value.filter(|_| is_adding) {
                let value = if is_meant { Some(value) } else { value.get_mut(attribute) };
                if let Some(value) = value {
                    self.put_ids(value);
                    return;
                }
            }
        }
    }

    fn put_ids(&self, members: &mut Value) {
        for member in members.as_array_mut().into_iter().flatten() {
            let id = member["value"]
                .as_str()
                .and_then(|value| value.strip_prefix(REFERENCE))
                .and_then(|id| self.made.get(id));
            if let Some(id) = id {
                member["value"] = Value::from(id.as_str());
            }
        }
    }

    /// Rule 2.
    fn entry(&self, part: &Part, answer: Answer) -> Value {
        let mut entry = Map::new();
        let mut set = |name: &str, value: Value| entry.insert(name.to_owned(), value);
        if let Some(location) = answer.location.filter(|_| answer.status < 400) {
            set("location", Value::from(location));
        }
        set("method", Value::from(part.method.as_str()));
        set("bulkId", Value::from(part.bulk_id.as_str()));
        let is_object = self.quirks.has(&quirk::BULK_STATUS_OBJECT);
        set("status", if is_object { json!({ "code": answer.status }) } else { json!(answer.status.to_string()) });
        let as_text = self.quirks.has(&quirk::BULK_RESPONSE_TEXT);
        if let Some(mut body) = answer.body.filter(|_| as_text || answer.status >= 400) {
            if answer.status >= 400 && self.quirks.has(&quirk::BULK_DETAIL_NULL) {
                body["detail"] = Value::Null;
            }
            set("response", if as_text { Value::from(body.to_string()) } else { body });
        }
        Value::Object(entry)
    }
}

/// Rule 4: what a path is for, by what is in it.
fn kind(path: &str) -> Option<Area> {
    if path.contains("/Users") {
        Some(Area::Users)
    } else if path.contains("/Groups") {
        Some(Area::Groups)
    } else if path.contains("/v2/Roles") {
        Some(Area::Roles)
    } else {
        None
    }
}

fn answer(entries: &[Value]) -> Answer {
    Answer::json(200, json!({ "schemas": [BULK_RESPONSE], "Operations": entries }))
}
