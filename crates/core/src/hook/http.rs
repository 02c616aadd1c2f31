//! Requests' headers and responses, without an HTTP library.

/// The headers of a request, in their order.
#[derive(Clone, Debug, Default)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// Headers from names, in any case, and values.
    pub fn new<N: Into<String>, V: Into<Vec<u8>>>(all: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(all.into_iter().map(|(name, value)| (name.into().to_ascii_lowercase(), value.into())).collect())
    }

    /// The value of a header that is there exactly once; one that is repeated counts as not there, since two readers could
    /// choose differently.
    pub fn one(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.0.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let first = values.next()?;
        values.next().is_none().then_some(first.1.as_slice())
    }

    /// Whether a header is there at all, also more than once.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// The value as text; `None` when it is not UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.one(name)?).ok()
    }

    /// Whether the body is said to be JSON.
    pub fn says_json(&self) -> bool {
        let Some(value) = self.text("content-type") else { return false };
        let essence = value.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
    }
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookAnswer {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`, where there is a body.
    pub content_type: Option<&'static str>,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HookAnswer {
    /// A response without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, content_type: None, headers: Vec::new(), body: Vec::new() }
    }

    /// A response with a JSON document.
    pub fn json(status: u16, value: &serde_json::Value) -> Self {
        let body = value.to_string().into_bytes();
        Self { status, content_type: Some("application/json"), headers: Vec::new(), body }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_without_case_and_a_repeated_one_counts_as_missing() {
        let headers = Headers::new([("Content-Type", "Application/JSON; charset=utf-8"), ("X-A", "1"), ("x-a", "2")]);
        assert!(headers.says_json());
        assert_eq!(headers.text("CONTENT-TYPE"), Some("Application/JSON; charset=utf-8"));
        assert_eq!(headers.one("x-a"), None);
        assert_eq!(headers.one("x-b"), None);
        assert!(headers.has("X-a") && !headers.has("x-b"));
        assert!(!Headers::new([("content-type", "application/json-patch")]).says_json());
    }
}
