//! What a request is answered, before it is written as HTTP or as an operation of a bulk answer.

use serde_json::Value;

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
    /// Content type of the body.
    pub(crate) content_type: &'static str,
    /// Address of the resource that was made or changed; a bulk answer has it as `location`.
    pub(crate) location: Option<String>,
    /// Entity tag of that resource; a bulk answer has it as `version`.
    pub(crate) version: Option<String>,
    /// The id of the resource that was made.
    pub(crate) made: Option<String>,
}

/// The content type of SCIM (RFC 7644 8.1).
pub(crate) const SCIM_JSON: &str = "application/scim+json";

impl Answer {
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: None,
            content_type: SCIM_JSON,
            location: None,
            version: None,
            made: None,
        }
    }

    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { body: Some(body), ..Self::empty(status) }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
