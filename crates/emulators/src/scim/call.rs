//! One request to the service, alone or as an operation of a bulk request.

use bytes::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::access::Caller;
use super::answer::Answer;
use super::refusal::Refusal;
use super::service::Service;
use crate::clock::{Micros, Now};

/// A request, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) method: Method,
    /// Path behind the base, percent-decoded, beginning with a slash: `/Users/4f1c`.
    pub(crate) path: String,
    /// The base that it came by, as an address: `http://127.0.0.1:port/scim/v2`.
    pub(crate) base: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether it is an operation of a bulk request.
    pub(crate) is_operation: bool,
}

impl Item {
    pub(crate) fn new(method: Method, base: String, address: &str, headers: HeaderMap, body: Bytes) -> Self {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
        Self { method, path, base, query, headers, body, is_operation: false }
    }

    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The value of a query parameter; names are compared without case, as many clients get it wrong.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether the decoded address or the body has this text.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.path.contains(text)
            || self.query.iter().any(|(_, value)| value.contains(text))
            || String::from_utf8_lossy(&self.body).contains(text)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(&self.body).map_err(|_error| {
            Refusal::bad("invalidSyntax", "The body is no JSON, or not of the form that is expected here.")
        })
    }
}

/// What faults do to a request that is carried out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    /// It sees the resources as they were so much earlier.
    pub(crate) stale: Micros,
    /// A page is followed by itself.
    pub(crate) repeat_page: bool,
    /// A list shows everybody.
    pub(crate) ignore_filter: bool,
    /// A create is carried out and answered 202 without a body.
    pub(crate) accepted: bool,
}

/// A request with everything that is needed to carry it out.
#[derive(Clone, Copy)]
pub(crate) struct Call<'s> {
    pub(crate) service: &'s Service,
    pub(crate) caller: &'s Caller,
    pub(crate) item: &'s Item,
    pub(crate) now: Now,
    pub(crate) effects: Effects,
}

/// An answer, or why there is none.
pub(crate) type Outcome = Result<Answer, Refusal>;
