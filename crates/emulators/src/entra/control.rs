//! The state that tests look at, and the levers that they pull. Everything is under the random key of `state_url`; what
//! each address does is listed in the documentation of [`crate::entra`].

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use http::{Method, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sterna_wire::Request;

use super::directory::record::Life;
use super::directory::rules::shared;
use super::directory::seed::signed_in;
use super::directory::user::{Name, User};
use super::directory::{Directory, property};
use super::fault::Faults;
use super::front::{json_response, plain};
use super::scenario::{Fault, QuotaChange};
use super::service::Service;
use super::sign_in;
use crate::clock::graph_time;

/// Where the control side begins; the key follows.
pub(crate) const PREFIX: &str = "/_emulator/";

pub(crate) type Outcome = Result<Value, (u16, String)>;

/// Answers a request to the control side. `path` begins with the key.
pub(crate) async fn answer(service: &Arc<Service>, path: &str, request: Request) -> Response<Bytes> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let Some((key, rest)) = segments.split_first() else { return not_found() };
    if *key != service.state_key {
        return not_found();
    }
    if rest.is_empty() && request.method() == Method::GET {
        return state(service).await;
    }
    let outcome = match sign_in::levers::answer(service, request.method(), rest, request.body()).await {
        Some(outcome) => outcome,
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

/// The whole state. The users are collected under the lock and written without it, off the network's threads, one after
/// the other: a million of them are much text already.
async fn state(service: &Arc<Service>) -> Response<Bytes> {
    let service = Arc::clone(service);
    let written = tokio::task::spawn_blocking(move || {
        let lives: Vec<Life> = service.lock_directory().latest().cloned().collect();
        let users = lives.iter().filter_map(Life::live).map(|user| shown(&service, user));
        let deleted = lives.iter().filter_map(|life| match life {
            Life::Deleted(user, at) => {
                let mut entry = shown(&service, user);
                entry.insert("deletedDateTime".to_owned(), Value::from(graph_time(*at)));
                Some(entry)
            }
            Life::Live(_) | Life::Gone(_) => None,
        });
        let mut text = b"{\"users\":[".to_vec();
        write_all(&mut text, users);
        text.extend_from_slice(b"],\"deleted\":[");
        write_all(&mut text, deleted);
        text.extend_from_slice(format!("],\"counters\":{}}}", service.counters.value()).as_bytes());
        text
    });
    written.await.map_or_else(|_panicked| plain(500, &Value::Null), |text| json_response(200, text))
}

fn write_all(text: &mut Vec<u8>, entries: impl Iterator<Item = Map<String, Value>>) {
    for (at, entry) in entries.enumerate() {
        if at > 0 {
            text.push(b',');
        }
        // Writing a map with text keys to memory cannot fail.
        let _ = serde_json::to_writer(&mut *text, &entry);
    }
}

fn shown(service: &Service, user: &User) -> Map<String, Value> {
    let mut entry = user.everything();
    if service.show_passwords {
        entry.insert("_password".to_owned(), user.password.as_deref().map_or(Value::Null, Value::from));
    }
    entry
}

pub(crate) fn read<T: for<'de> Deserialize<'de>>(body: &Bytes) -> Result<T, (u16, String)> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| (400, error.to_string()))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SignIn {
    /// When; now without it.
    at: Option<Timestamp>,
    /// The flag property to clear, by its full or short name.
    flag: Option<String>,
    /// A new password, as the migration at sign-in sets it.
    password: Option<String>,
}

fn act(service: &Service, method: &Method, path: &[&str], body: &Bytes) -> Outcome {
    let now = service.clock.now();
    match (method.as_str(), path) {
        ("GET", ["counters"]) => Ok(service.counters.value()),
        ("POST", ["quota"]) => {
            let change: QuotaChange = read(body)?;
            let mut throttle = service.throttle.lock().unwrap_or_else(PoisonError::into_inner);
            let quota = throttle.change(&change, now.micros);
            let writes = quota.app_tenant_writes;
            Ok(json!({ "app_tenant_writes": writes.count, "window_secs": writes.window.as_secs() }))
        }
        ("GET", ["faults"]) => Ok(service.faults().report()),
        ("POST", ["faults"]) => set_faults(service, read(body)?),
        ("POST", ["tokens", "expire"]) => {
            service.tokens().expire_all(now);
            Ok(json!({}))
        }
        ("POST", ["delta", "expire"]) => {
            service.lock_directory().changes.expire();
            Ok(json!({}))
        }
        ("POST", ["users", id, "sign-in"]) => {
            let SignIn { at, flag, password } = read(body)?;
            edit(service, id, |directory, user| {
                let flag = flag.as_deref().map(|flag| find_flag(directory, flag)).transpose()?;
                let mut changed = signed_in(user, at.unwrap_or(now.wall), flag.as_ref());
                if let Some(password) = &password {
                    changed.set_password(password, now.wall);
                }
                Ok(Life::Live(Arc::new(changed)))
            })
        }
        ("PATCH", ["users", id]) => {
            let body: Map<String, Value> = read(body)?;
            edit(service, id, |directory, user| {
                patched(directory, user, body, now.wall).map(|user| Life::Live(Arc::new(user)))
            })
        }
        ("DELETE", ["users", id]) => edit(service, id, |_, user| Ok(Life::Deleted(Arc::clone(user), now.wall))),
        _ => Err((404, "there is no such lever".to_owned())),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFaults {
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    faults: Vec<Fault>,
}

fn set_faults(service: &Service, new: NewFaults) -> Outcome {
    for fault in &new.faults {
        fault.check().map_err(|message| (400, message))?;
    }
    let faults = Faults::new(new.seed, new.faults);
    service.lock_directory().keep_for(faults.oldest_read());
    *service.faults.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(faults);
    Ok(json!({}))
}

/// Changes a user behind everybody's back: no rules, no quota; reads show it after the read delay.
fn edit(
    service: &Service,
    id: &str,
    change: impl FnOnce(&Directory, &Arc<User>) -> Result<Life, (u16, String)>,
) -> Outcome {
    let now = service.clock.now();
    let mut directory = service.lock_directory();
    let missing = || (404, "no such user".to_owned());
    let slot = directory.slot(id).ok_or_else(missing)?;
    let user = directory.record(slot).and_then(|record| record.latest().live()).cloned().ok_or_else(missing)?;
    let life = change(&directory, &user)?;
    directory.replace(slot, life, now.micros);
    Ok(json!({}))
}

fn find_flag(directory: &Directory, name: &str) -> Result<Name, (u16, String)> {
    let named = |full: &Name| **full == *name || full.strip_suffix(name).is_some_and(|rest| rest.ends_with('_'));
    let found = directory.extensions.all().map(|extension| extension.name.clone()).find(named);
    found.ok_or_else(|| (400, format!("there is no extension property {name}")))
}

fn patched(directory: &Directory, user: &User, body: Map<String, Value>, at: Timestamp) -> Result<User, (u16, String)> {
    let mut user = user.clone();
    for (name, value) in body {
        match name.as_str() {
            "_password" => match value.as_str() {
                Some(password) => user.set_password(password, at),
                None => user.password = None,
            },
            "identities" => user.identities = Directory::identities(&value).map_err(|message| (400, message))?,
            _ => {
                let known = property::find(&name).map(|property| shared(property.name));
                let known = known.or_else(|| directory.extensions.find(&name).map(|extension| extension.name.clone()));
                user.set(&known.ok_or_else(|| (400, format!("a user has no property {name}")))?, value);
            }
        }
    }
    Ok(user)
}
