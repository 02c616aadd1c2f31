//! Microsoft Graph v1.0, as far as moving users needs it.
//!
//! [`dispatch`] finds the handler of a request. Authentication, throttling and faults happen before it, in
//! `service.rs`; a batch takes the same way for each of its items.

pub(crate) mod answer;
mod applications;
mod deleted;
mod delta;
pub(crate) mod filter;
pub(crate) mod item;
mod matching;
mod paging;
mod permission;
pub(crate) mod query;
mod roles;
pub(crate) mod tenant;
mod users;

use std::sync::{MutexGuard, PoisonError};

use http::Method;
use serde_json::{Map, Value};

pub(crate) use self::permission::ALL_ROLES;

use self::answer::Answer;
use self::item::Item;
use super::directory::Directory;
use super::login::Caller;
use super::refusal::Refusal;
use super::service::Service;
use crate::clock::{Micros, Now};

/// One request on its way, with everything its handler may need.
pub(crate) struct Call<'a> {
    pub(crate) service: &'a Service,
    pub(crate) caller: &'a Caller,
    pub(crate) item: &'a Item,
    pub(crate) now: Now,
    /// The instant whose state reads show: now, or earlier under a fault.
    pub(crate) seen_at: Micros,
    /// A fault: the link to the next page leads to this page.
    pub(crate) repeat_link: bool,
}

impl Call<'_> {
    pub(crate) fn directory(&self) -> MutexGuard<'_, Directory> {
        self.service.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body as an object; Graph wants it to be declared as JSON.
    pub(crate) fn body(&self) -> Result<Map<String, Value>, Refusal> {
        let declared = self.item.header("content-type").unwrap_or_default();
        if !declared.to_ascii_lowercase().starts_with("application/json") {
            return Err(Refusal::bad(
                "Write requests (excluding DELETE) must contain the Content-Type header declaration.",
            ));
        }
        if self.item.body.is_empty() {
            return Err(Refusal::bad("Empty Payload. JSON content expected."));
        }
        serde_json::from_slice(&self.item.body).map_err(|_error| Refusal::bad("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."))
    }

    /// Whether the caller asks for eventual consistency, which advanced queries need.
    pub(crate) fn is_eventual(&self) -> bool {
        self.item.header("consistencylevel").is_some_and(|level| level.eq_ignore_ascii_case("eventual"))
    }

    pub(crate) fn context(&self, of: &str) -> Value {
        Value::from(format!("{}/v1.0/$metadata#{of}", self.service.root()))
    }

    /// A short collection that fits one page.
    pub(crate) fn collection(&self, of: &str, entries: Vec<Value>) -> Answer {
        let members = [("@odata.context", self.context(of)), ("value", Value::Array(entries))];
        Answer::json(200, members.into_iter().collect())
    }

    /// A single object.
    pub(crate) fn entity(&self, status: u16, of: &str, mut entity: Value) -> Answer {
        entity["@odata.context"] = self.context(&format!("{of}/$entity"));
        Answer::json(status, entity)
    }
}

/// Answers one request.
pub(crate) fn dispatch(call: &Call<'_>) -> Result<Answer, Refusal> {
    let path = call.item.path();
    match path.as_slice() {
        ["users", rest @ ..] => users::dispatch(call, rest),
        ["directory", "deletedItems", rest @ ..] => deleted::dispatch(call, rest),
        ["applications", rest @ ..] => applications::dispatch(call, rest),
        ["servicePrincipals", rest @ ..] => applications::service_principals(call, rest),
        ["directoryObjects", "getAvailableExtensionProperties"] => applications::available_extensions(call),
        ["domains", rest @ ..] => tenant::domains(call, rest),
        ["organization", rest @ ..] => tenant::organization(call, rest),
        ["identity", "identityProviders", rest @ ..] => tenant::identity_providers(call, rest),
        ["directoryRoles", rest @ ..] => roles::dispatch(call, rest),
        [] => Err(Refusal::unknown_segment("")),
        [first, ..] => Err(Refusal::unknown_segment(first)),
    }
}

/// Refuses every method but GET.
fn only_get(call: &Call<'_>) -> Result<(), Refusal> {
    if call.item.method == Method::GET { Ok(()) } else { Err(Refusal::method_not_allowed()) }
}
