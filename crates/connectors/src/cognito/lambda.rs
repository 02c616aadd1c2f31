//! The Lambda service's own form, as local emulators of Cognito invoke a trigger: the event to a path that names a function,
//! the whole event back, failures as a header with status 200. It cannot carry a proof of ours: emulators sign with
//! whatever credentials they were given. So it is there only where the settings want it, and only for callers on this machine.

use serde_json::{Map, Value, json};
use sterna_core::hook::{Call, HookAnswer};

use super::{Outcome, Why};
use crate::hooks::body::Body;

/// Whether this machine invokes a function (Lambda API, operation `Invoke`). Pages in a browser on this machine can post
/// here too; browsers then say where the page is from, and no emulator does.
pub(super) fn is_invoked_here(call: &Call<'_>) -> bool {
    let function = call.path.strip_prefix("/2015-03-31/functions/").and_then(|rest| rest.strip_suffix("/invocations"));
    let is_named = function.is_some_and(|name| !name.is_empty() && !name.contains('/'));
    let is_here = call.peer.address.is_some_and(|address| address.to_canonical().is_loopback());
    is_named && is_here && call.method == "POST" && !call.headers.has("origin")
}

/// The event, to be sent back. Nobody needs its password again.
pub(super) fn without_password(body: &Body) -> Map<String, Value> {
    let mut event = Map::new();
    for name in ["version", "triggerSource", "region", "userPoolId", "userName", "callerContext"] {
        if let Some(value) = body.get(name) {
            event.insert(name.to_owned(), value.clone());
        }
    }
    event
}

/// The function's result: the event with its response, or an error as a function that throws has it.
pub(super) fn said(outcome: Outcome, mut event: Map<String, Value>) -> HookAnswer {
    let message = match outcome {
        Outcome::Filled(response) => {
            event.insert("response".to_owned(), response);
            return HookAnswer::json(200, &Value::Object(event));
        }
        Outcome::Refused(Why::Wrong | Why::NotThere) => "Bad credentials",
        Outcome::Refused(Why::TryLater) => "Try again",
    };
    HookAnswer::json(200, &json!({ "errorMessage": message, "errorType": "Error" }))
        .with("x-amz-function-error", "Unhandled")
}
