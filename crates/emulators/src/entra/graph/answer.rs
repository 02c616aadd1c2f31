//! What Graph answers, before it becomes an HTTP response or a part of a batch.

use serde_json::Value;

/// The content of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    None,
    Json(Value),
    /// `text/plain`: the only such answer is a count.
    Text(String),
}

/// An answer to one request.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content: Content,
}

impl Answer {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), content: Content::Json(body) }
    }

    pub(crate) fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), content: Content::None }
    }

    pub(crate) fn text(body: String) -> Self {
        Self { status: 200, headers: Vec::new(), content: Content::Text(body) }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
