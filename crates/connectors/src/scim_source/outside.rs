//! What arrives from outside, as pure functions of bytes: what fuzzers call. Nothing else does.

use serde_json::Value;
use sterna_core::{port::Record, settings::Values};

use super::{
    config::SourceConfig,
    names::Names,
    record::{Beside, record},
    walk::Mark,
};
use crate::scim::Page;

/// Reads a page of users of a service with stores: a record for each. `None` when it is no page.
pub fn users_page(body: &[u8]) -> Option<Vec<Record>> {
    let page = Page::read(serde_json::from_slice::<Value>(body).ok()?)?;
    let values = Values::default().with("url", "https://id.example.org".into());
    let config = SourceConfig { strips_store: true, ..SourceConfig::plain(&values).ok()? };
    let names = Names::default();
    Some(page.resources.iter().map(|user| record(&config, &names, user, Beside::default())).collect())
}

/// Reads where a walk stands, and writes it again. `None` when it is none.
pub fn mark(text: &str) -> Option<String> {
    let cursor = sterna_core::port::Cursor(text.to_owned());
    Mark::from_cursor(&cursor)?.to_cursor().map(|cursor| cursor.0)
}
