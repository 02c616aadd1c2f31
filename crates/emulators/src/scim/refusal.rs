//! A request that is refused (RFC 7644 3.12).

use std::borrow::Cow;

/// Status, kind and words of a refusal. How it is written is the product's matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// `scimType`
    pub(crate) scim_type: Option<Cow<'static, str>>,
    pub(crate) detail: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: u16, detail: impl Into<String>) -> Self {
        Self { status, scim_type: None, detail: detail.into(), headers: Vec::new() }
    }

    /// With a `scimType`.
    pub(crate) fn typed(status: u16, scim_type: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { scim_type: Some(scim_type.into()), ..Self::new(status, detail) }
    }

    /// 400 with a `scimType`.
    pub(crate) fn bad(scim_type: &'static str, detail: impl Into<String>) -> Self {
        Self::typed(400, scim_type, detail)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(404, format!("There is no {what}."))
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
