//! What a product does otherwise than the RFCs say, as hooks. Every hook has the RFCs' behaviour as its default.

use std::future::Future;
use std::pin::Pin;

use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::access::Caller;
use super::answer::Answer;
use super::call::{Call, Item, Outcome};
use super::list::ListQuery;
use super::refusal::Refusal;
use super::schema::{ERROR, Kind};
use super::service::{Service, Trouble};

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Create,
    Replace,
    Patch,
}

/// Where a resource is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// As the answer to a request for it, or to its change.
    Alone,
    /// In a list.
    Listed,
}

/// A product's own ways.
pub(crate) trait Product: Send + Sync {
    /// Whether [`Product::route`] answers a request that is under no base of SCIM, such as one to the interface for linked
    /// identities.
    fn has_route(&self, call: &Call<'_>) -> bool {
        let _ = call;
        false
    }

    /// Answers such a request. The caller is known already; `item.path` is the whole path, `item.base` is empty.
    fn route(&self, call: &Call<'_>) -> Outcome {
        let _ = call;
        Err(Refusal::not_found("such address"))
    }

    /// Looks at a SCIM request before anything else does: content types, scopes.
    fn admit(&self, call: &Call<'_>) -> Result<(), Refusal> {
        let _ = call;
        Ok(())
    }

    /// Changes the body of a create or replace as the client sent it, before it is checked against the schemas.
    fn incoming(&self, call: &Call<'_>, kind: Kind, change: Change, body: &mut Value) -> Result<(), Refusal> {
        let _ = (call, kind, change, body);
        Ok(())
    }

    /// Looks at, or changes, the attributes that are about to be stored, links left aside. `before` is what was stored. It
    /// comes after the schemas' checks and before the check for doubles. The store is locked: use `service` for settings
    /// only.
    fn before(
        &self,
        service: &Service,
        kind: Kind,
        change: Change,
        before: Option<&Map<String, Value>>,
        data: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        let _ = (service, kind, change, before, data);
        Ok(())
    }

    /// Changes the answer to a change that has been stored. `data` is what is stored now.
    fn after(&self, call: &Call<'_>, kind: Kind, change: Change, data: &Map<String, Value>, answer: &mut Answer) {
        let _ = (call, kind, change, data, answer);
    }

    /// Refuses a delete.
    fn before_delete(&self, service: &Service, kind: Kind, data: &Map<String, Value>) -> Result<(), Refusal> {
        let _ = (service, kind, data);
        Ok(())
    }

    /// Changes a resource as it is about to be shown; what the client asked for has been left already.
    fn show(&self, service: &Service, kind: Kind, shown: Shown, view: &mut Map<String, Value>) {
        let _ = (service, kind, shown, view);
    }

    /// Looks at a list or search request: refuses what the product cannot do, changes filter, page and so on.
    fn list(&self, call: &Call<'_>, kind: Option<Kind>, query: &mut ListQuery) -> Result<(), Refusal> {
        let _ = (call, kind, query);
        Ok(())
    }

    /// Changes the body of a list answer.
    fn listed(&self, call: &Call<'_>, kind: Option<Kind>, body: &mut Map<String, Value>) {
        let _ = (call, kind, body);
    }

    /// The refusal when a unique value is taken.
    fn conflict(&self, service: &Service, kind: Kind, attribute: &str, data: &Map<String, Value>) -> Refusal {
        let _ = (service, kind, data);
        Refusal::typed(409, "uniqueness", format!("Another resource has this {attribute} already."))
    }

    /// The body of a refusal (RFC 7644 3.12).
    fn error_body(&self, service: &Service, refusal: &Refusal) -> Value {
        let _ = service;
        let mut body =
            json!({ "schemas": [ERROR], "status": refusal.status.to_string(), "detail": refusal.detail.as_str() });
        if let Some(scim_type) = &refusal.scim_type {
            body["scimType"] = Value::from(scim_type.as_ref());
        }
        body
    }

    /// Answers a whole bulk request in the product's own way; `None` leaves it to the RFCs' way. [`Call::operate`] carries
    /// out one operation.
    fn bulk(&self, call: &Call<'_>, trouble: &mut Trouble) -> Option<Outcome> {
        let _ = (call, trouble);
        None
    }

    /// Changes an answer of the discovery endpoints.
    fn discovery(&self, call: &Call<'_>, item: &Item, body: &mut Value) {
        let _ = (call, item, body);
    }

    /// The answer to a request without the right to come in.
    fn unauthorized(&self) -> Refusal {
        Refusal::new(401, "The request has no token or password that is good here.")
            .with("WWW-Authenticate", "Bearer realm=\"scim\", Basic realm=\"scim\"")
    }

    /// Whether a caller that signs in with a name and a password is let in, beside the scenario's one. The store may be
    /// asked.
    fn basic(&self, service: &Service, username: &str, password: &str) -> Option<Caller> {
        let _ = (service, username, password);
        None
    }

    /// Answers a token request in the product's own way, such as one of a grant that is not `client_credentials`: a status
    /// and a body.
    fn token(
        &self,
        service: &Service,
        path: &str,
        headers: &HeaderMap,
        form: &[(String, String)],
    ) -> Option<(u16, Value)> {
        let _ = (service, path, headers, form);
        None
    }

    /// What the state has beside the resources.
    fn state(&self, service: &Service) -> Map<String, Value> {
        let _ = service;
        Map::new()
    }

    /// Acts on the control side, under `state_url` itself, with time to wait for somebody; before anything else does.
    fn lever<'a>(
        &'a self,
        service: &'a Service,
        method: &'a http::Method,
        path: &'a [&'a str],
        body: &'a [u8],
    ) -> Option<Pin<Box<dyn Future<Output = ControlOutcome> + Send + 'a>>> {
        let _ = (service, method, path, body);
        None
    }

    /// Acts on the control side, under `{state_url}/product/…`.
    fn control(&self, service: &Service, method: &http::Method, path: &[&str], body: &[u8]) -> Option<ControlOutcome> {
        let _ = (service, method, path, body);
        None
    }
}

/// An answer of the control side: JSON, or a status with a message.
pub(crate) type ControlOutcome = Result<Value, (u16, String)>;
