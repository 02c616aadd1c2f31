//! `POST /v1.0/$batch` (`entra.md` 5).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::fault::{End, Plan};
use super::graph::answer::{Answer, Content};
use super::graph::item::Item;
use super::login::Caller;
use super::refusal::Refusal;
use super::scenario::{FaultScope, Operation};
use super::service::{Outcome, Service};

/// Requests in one batch.
const MAX_ITEMS: usize = 20;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    requests: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
    /// Clients also send `depends_on`, which Graph ignores.
    #[serde(default, rename = "dependsOn")]
    depends_on: Option<Vec<String>>,
}

/// One request of a batch, taken apart.
pub(crate) struct Part {
    pub(crate) id: String,
    item: Item,
    depends_on: Vec<String>,
}

/// Takes a batch apart; a malformed one is refused as a whole.
pub(crate) fn read(body: &Bytes, headers: &HeaderMap) -> Result<Vec<Part>, Refusal> {
    // as text: members that are not read would else be allowed to be none
    let envelope = std::str::from_utf8(body).ok().and_then(|text| serde_json::from_str::<Envelope<'_>>(text).ok());
    let envelope = envelope.ok_or_else(|| Refusal::bad("Invalid batch payload format."))?;
    if envelope.requests.is_empty() {
        return Err(Refusal::bad("Number of batch request steps must be at least 1."));
    }
    if envelope.requests.len() > MAX_ITEMS {
        return Err(Refusal::bad(format!("Number of batch request steps exceeds the maximum value of {MAX_ITEMS}.")));
    }
    let mut parts: Vec<Part> = Vec::with_capacity(envelope.requests.len());
    for entry in envelope.requests {
        let part = read_entry(entry, body, headers)?;
        if parts.iter().any(|known| known.id.eq_ignore_ascii_case(&part.id)) {
            return Err(Refusal::bad(format!("Request Id '{}' is not unique.", part.id)));
        }
        let known = |id: &String| parts.iter().any(|earlier| earlier.id.eq_ignore_ascii_case(id));
        if !part.depends_on.iter().all(known) {
            return Err(Refusal::bad(format!(
                "Request '{}' depends on a request that does not come before it.",
                part.id
            )));
        }
        parts.push(part);
    }
    Ok(parts)
}

fn read_entry(entry: Entry<'_>, body: &Bytes, outer: &HeaderMap) -> Result<Part, Refusal> {
    let Entry { id, method, url, headers, body: content, depends_on } = entry;
    if id.is_empty() {
        return Err(Refusal::bad("Request Id is required and cannot be empty."));
    }
    if url.contains("://") || url.is_empty() {
        return Err(Refusal::bad(format!("Request '{id}' needs a relative url.")));
    }
    let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes())
        .map_err(|_error| Refusal::bad(format!("Request '{id}' has an invalid method.")))?;
    let headers = read_headers(&headers, outer);
    if content.is_some() && !headers.contains_key(http::header::CONTENT_TYPE) {
        return Err(Refusal::bad(
            "Write requests (excluding DELETE) must contain the Content-Type header declaration.",
        ));
    }
    let content = content.map(|raw| body.slice_ref(raw.get().as_bytes())).unwrap_or_default();
    let item = Item::new(method, &url, headers, content);
    Ok(Part { id, item, depends_on: depends_on.unwrap_or_default() })
}

/// The item's own headers, and the caller's id from the outer request.
fn read_headers(own: &HashMap<String, String>, outer: &HeaderMap) -> HeaderMap {
    let parsed = own.iter().filter_map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
    });
    let mut headers: HeaderMap = parsed.collect();
    if let Some(id) = outer.get("client-request-id").filter(|_| !headers.contains_key("client-request-id")) {
        headers.insert("client-request-id", id.clone());
    }
    headers
}

/// Runs a batch under the faults of its envelope.
pub(crate) async fn run(service: &Arc<Service>, caller: Arc<Caller>, parts: Vec<Part>, envelope: Item) -> Outcome {
    let mut operations: Vec<Operation> = parts.iter().map(|part| part.item.operation()).collect();
    operations.push(Operation::Batch);
    let Plan { delay, end, .. } =
        service.faults().plan(&[FaultScope::Envelope], &operations, |text| envelope.contains(text));
    if delay > 0 {
        tokio::time::sleep(Duration::from_micros(delay)).await;
    }
    match end {
        None => run_parts(service, &caller, parts).await,
        Some(End::Silence { carry_out, reset }) => {
            if carry_out {
                run_parts(service, &caller, parts).await;
            }
            Outcome::Silence(reset)
        }
        Some(End::LateCommit(later)) => {
            let service = Arc::clone(service);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_micros(later)).await;
                run_parts(&service, &caller, parts).await;
            });
            Outcome::Silence(false)
        }
        Some(End::Error { carry_out, status, code, retry_after }) => {
            if carry_out {
                run_parts(service, &caller, parts).await;
            } else {
                for _lost in &parts {
                    service.counters.arrived(status == 429);
                }
            }
            Outcome::Answer(service.injected(&envelope, status, &code, retry_after.as_deref()))
        }
    }
}

async fn run_parts(service: &Arc<Service>, caller: &Arc<Caller>, parts: Vec<Part>) -> Outcome {
    let mut statuses: Vec<(String, u16)> = Vec::with_capacity(parts.len());
    let mut responses = Vec::with_capacity(parts.len());
    let mut silence = None;
    for Part { id, item, depends_on } in parts {
        let failed = |parent: &String| {
            statuses.iter().any(|(known, status)| known.eq_ignore_ascii_case(parent) && *status >= 400)
        };
        let outcome = if depends_on.iter().any(failed) {
            Outcome::Answer(failed_dependency())
        } else {
            service.run(caller, item, &[FaultScope::Item]).await
        };
        match outcome {
            Outcome::Answer(answer) => {
                statuses.push((id.clone(), answer.status));
                responses.push(response(id, answer));
            }
            Outcome::Silence(reset) => {
                // The answer of the whole batch is lost with that of one item; the rest is carried out.
                silence = silence.max(Some(reset));
                statuses.push((id, 500));
            }
        }
    }
    if let Some(reset) = silence {
        return Outcome::Silence(reset);
    }
    let throttled = statuses.iter().any(|(_, status)| *status == 429);
    let status = if throttled && service.switches.throttled_batch_is_424 { 424 } else { 200 };
    Outcome::Answer(Answer::json(status, json!({ "responses": responses })))
}

fn failed_dependency() -> Answer {
    let body = json!({ "error": { "code": "FailedDependency", "message": "Failed Dependency" } });
    Answer::json(424, body)
}

fn response(id: String, answer: Answer) -> Value {
    let (content_type, body) = match answer.content {
        Content::None => (None, None),
        Content::Json(value) => (Some("application/json"), Some(value)),
        Content::Text(text) => (Some("text/plain"), Some(Value::from(URL_SAFE_NO_PAD.encode(text)))),
    };
    let mut headers = Map::new();
    if let Some(content_type) = content_type {
        headers.insert("Content-Type".to_owned(), Value::from(content_type));
    }
    headers.extend(answer.headers.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))));
    let mut response = Map::from_iter([
        ("id".to_owned(), Value::from(id)),
        ("status".to_owned(), Value::from(answer.status)),
        ("headers".to_owned(), Value::Object(headers)),
    ]);
    if let Some(body) = body {
        response.insert("body".to_owned(), body);
    }
    Value::Object(response)
}
