//! The state that tests look at, and the levers that they pull. Everything is under the random key of `state_url`; what
//! each address does is listed in the documentation of [`crate::scim`].

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sterna_wire::Request;

use super::fault::Faults;
use super::product::ControlOutcome;
use super::quirk::Quirks;
use super::resource::draft::Draft;
use super::resource::view::{Parts, Viewer};
use super::scenario::{Fault, Rule};
use super::schema::Kind;
use super::service::Service;
use super::throttle::Throttle;

/// Where the control side begins; the key follows.
pub(crate) const PREFIX: &str = "/_emulator/";

/// Answers a request to the control side. `path` begins with the key.
pub(crate) async fn answer(service: &Arc<Service>, path: &str, request: &Request) -> Response<Bytes> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let Some((key, rest)) = segments.split_first() else { return not_found() };
    if *key != service.state_key {
        return not_found();
    }
    if rest.is_empty() && request.method() == Method::GET {
        let service = Arc::clone(service);
        // off the network's threads: a hundred thousand users are much text
        let state = tokio::task::spawn_blocking(move || state(&service)).await;
        return state.map_or_else(
            |_error| plain(500, &json!({ "error": "the state cannot be shown" })),
            |state| plain(200, &state),
        );
    }
    let lever = service.profile.product.lever(service, request.method(), rest, request.body());
    let outcome = match lever {
        Some(outcome) => outcome.await,
        None => act(service, request.method(), rest, request.body()),
    };
    match outcome {
        Ok(value) => plain(200, &value),
        Err((status, message)) => plain(status, &json!({ "error": message })),
    }
}

fn not_found() -> Response<Bytes> {
    plain(404, &json!({ "error": "not found" }))
}

fn plain(status: u16, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}

fn state(service: &Service) -> Value {
    let mut state = service.profile.product.state(service);
    let store = service.store();
    let viewer = Viewer { store: &store, base: "", features: service.features, numeric_ids: false, seen_at: u64::MAX };
    for (kind, resource_type) in service.profile.catalogue.types().iter().enumerate() {
        let shown = |slot: &u32| {
            let resource = store.latest(*slot)?;
            let mut view = viewer.view(*slot, resource, Parts { links: true, back: false });
            let password = view.remove("password").unwrap_or(Value::Null);
            if service.show_passwords && kind == 0 {
                view.insert("_password".to_owned(), password);
            }
            Some(Value::Object(view))
        };
        let name = resource_type.endpoint.rsplit('/').next().unwrap_or_default().to_lowercase();
        state.insert(name, store.all(kind).iter().filter_map(shown).collect());
    }
    drop(store);
    state.insert("counters".to_owned(), service.counters.value());
    state.insert("quirks".to_owned(), service.quirks().names().collect());
    Value::Object(state)
}

fn act(service: &Service, method: &Method, path: &[&str], body: &[u8]) -> ControlOutcome {
    match (method, path) {
        (&Method::GET, ["counters"]) => Ok(service.counters.value()),
        (&Method::GET, ["faults"]) => Ok(service.faults().report()),
        (&Method::POST, ["faults"]) => set_faults(service, read(body)?),
        (&Method::GET, ["quirks"]) => Ok(known_quirks(service)),
        (&Method::POST, ["quirks"]) => set_quirks(service, &read::<Vec<String>>(body)?),
        (&Method::POST, ["quota"]) => {
            let throttle = Throttle::new(read::<Vec<Rule>>(body)?);
            *service.throttle.lock().unwrap_or_else(PoisonError::into_inner) = throttle;
            Ok(json!({}))
        }
        (&Method::POST, ["tokens", "expire"]) => {
            service.access.expire();
            Ok(json!({}))
        }
        (&Method::POST, ["cursors", "expire"]) => {
            service.cursors().expire();
            Ok(json!({}))
        }
        (_, ["product", rest @ ..]) => {
            let answer = service.profile.product.control(service, method, rest, body);
            answer.unwrap_or_else(|| Err((404, "not found".to_owned())))
        }
        (&Method::PATCH | &Method::DELETE, [collection, id]) => {
            let change = if method == Method::DELETE { None } else { Some(read::<Map<String, Value>>(body)?) };
            edit(service, collection, id, change)
        }
        _ => Err((404, "not found".to_owned())),
    }
}

fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, (u16, String)> {
    serde_json::from_slice(body).map_err(|error| (400, error.to_string()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFaults {
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    faults: Vec<Fault>,
}

fn set_faults(service: &Service, new: NewFaults) -> ControlOutcome {
    for fault in &new.faults {
        fault.check().map_err(|message| (400, message))?;
    }
    let faults = Faults::new(new.seed, new.faults);
    service.store().delays.stale = faults.oldest_read();
    *service.faults.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(faults);
    Ok(json!({}))
}

fn known_quirks(service: &Service) -> Value {
    let on = service.quirks();
    let quirk = |quirk: &&super::Quirk| json!({ "name": quirk.name, "doc": quirk.doc, "on": on.has(quirk) });
    service.profile.quirks.iter().map(quirk).collect()
}

fn set_quirks(service: &Service, names: &[String]) -> ControlOutcome {
    let quirks = Quirks::new(&service.profile.quirks, names).map_err(|message| (400, message))?;
    *service.quirks.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(quirks);
    Ok(json!({}))
}

/// Changes or deletes a resource behind everybody's back: no rules, no quota; reads show it after the read delay. A member
/// that is `null` is removed.
fn edit(service: &Service, collection: &str, id: &str, change: Option<Map<String, Value>>) -> ControlOutcome {
    let missing = || (404, "no such resource".to_owned());
    let is = |known: &super::schema::ResourceType| {
        known.endpoint.rsplit('/').next().is_some_and(|name| name.eq_ignore_ascii_case(collection))
    };
    let kind: Kind = service.profile.catalogue.types().iter().position(is).ok_or_else(missing)?;
    let now = service.clock.now();
    let mut store = service.store();
    let slot = store.slot_of(kind, id).ok_or_else(missing)?;
    let before = store.latest(slot).cloned().ok_or_else(missing)?;
    let Some(change) = change else {
        store.write(slot, None, now.micros);
        return Ok(json!({}));
    };
    let Draft { mut data, links } = Draft::of(&before);
    for (name, value) in change {
        let name = if name == "_password" { "password".to_owned() } else { name };
        if value.is_null() {
            data.remove(&name);
        } else {
            data.insert(name, value);
        }
    }
    store.write(slot, Some(before.next(&data, links, now.wall)), now.micros);
    Ok(json!({}))
}
