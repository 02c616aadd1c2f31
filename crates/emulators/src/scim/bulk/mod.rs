//! `POST /Bulk` (RFC 7644 3.7).

mod order;
mod parts;

use std::collections::HashMap;

use http::Method;
use serde_json::{Map, Value, json};

use self::order::order;
pub(crate) use self::parts::{BulkBody, Part};
use super::answer::Answer;
use super::call::{Call, Outcome};
use super::quirk;
use super::refusal::Refusal;
use super::schema::BULK_RESPONSE;
use super::service::Trouble;

impl Call<'_> {
    /// Carries out a bulk request.
    pub(crate) fn bulk(&self, trouble: &mut Trouble) -> Outcome {
        if !self.service.features.bulk || self.service.quirks().has(&quirk::BULK_501) {
            return Err(Refusal::new(501, "Bulk is not supported."));
        }
        if let Some(outcome) = self.service.profile.product.bulk(self, trouble) {
            return outcome;
        }
        let limits = self.service.limits;
        if limits.payload_is_kept && self.item.body.len() > limits.max_payload_bytes {
            return Err(too_large(&format!(
                "The size of the bulk operation exceeds the maxPayloadSize ({}).",
                limits.max_payload_bytes
            )));
        }
        let body = BulkBody::read(&self.item.body, self.leniency())?;
        if body.parts.len() > limits.max_operations {
            return Err(too_large(&format!(
                "The number of operations exceeds the maxOperations ({}).",
                limits.max_operations
            )));
        }
        Ok(self.run_parts(&body, trouble))
    }

    fn run_parts(&self, body: &BulkBody, trouble: &mut Trouble) -> Answer {
        let mut made: HashMap<&str, String> = HashMap::new();
        let mut entries: Vec<(usize, Value)> = Vec::with_capacity(body.parts.len());
        let mut errors = 0;
        for step in order(&body.parts) {
            let part = &body.parts[step.part];
            let answer = match step.blocked_by {
                Some(why) => self.service.refused(&Refusal::typed(409, "invalidValue", why)),
                None => self.run_part(part, &made, trouble),
            };
            if let (Some(bulk_id), Some(id)) = (&part.bulk_id, &answer.made) {
                made.insert(bulk_id, id.clone());
            }
            errors += u64::from(answer.status >= 400);
            entries.push((step.part, self.entry(part, answer)));
            if body.fail_on_errors.is_some_and(|most| errors >= most) {
                break;
            }
        }
        entries.sort_by_key(|(number, _)| *number);
        let operations: Vec<Value> = entries.into_iter().map(|(_, entry)| entry).collect();
        Answer::json(200, json!({ "schemas": [BULK_RESPONSE], "Operations": operations }))
    }

    fn run_part(&self, part: &Part, made: &HashMap<&str, String>, trouble: &mut Trouble) -> Answer {
        if part.method != Method::POST && self.service.quirks().has(&quirk::BULK_POSTS_ONLY) {
            return self.service.refused(&Refusal::not_found("such address"));
        }
        let last_only = self.service.quirks().has(&quirk::LAST_REFERENCE_ONLY);
        match part.item(self.item, made, last_only) {
            Ok(item) => self.operate(item, trouble),
            Err(refusal) => self.service.refused(&refusal),
        }
    }

    /// One operation of the answer (RFC 7644 3.7.3).
    fn entry(&self, part: &Part, answer: Answer) -> Value {
        let quirks = self.service.quirks();
        let mut entry = Map::new();
        let mut set = |name: &str, value: Value| entry.insert(name.to_owned(), value);
        set("method", Value::from(part.method.as_str()));
        if let Some(bulk_id) = &part.bulk_id {
            set("bulkId", Value::from(bulk_id.as_str()));
        }
        if let Some(location) = answer.location {
            set("location", Value::from(location));
        }
        if let Some(version) = answer.version {
            set("version", Value::from(version));
        }
        let is_number = quirks.has(&quirk::STATUS_AS_NUMBER);
        set("status", if is_number { json!(answer.status) } else { json!(answer.status.to_string()) });
        // the RFC wants it for failures, and leaves it open for the rest
        if answer.status >= 400 && !quirks.has(&quirk::BULK_WITHOUT_RESPONSE) {
            set("response", answer.body.unwrap_or(Value::Null));
        }
        Value::Object(entry)
    }
}

fn too_large(detail: &str) -> Refusal {
    Refusal::new(413, detail)
}
