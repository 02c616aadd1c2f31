//! What arrives from outside, as pure functions of bytes: what fuzzers call. Nothing else does.
//!
//! Each is the function that the connector itself reads with, without network and clock.

use serde_json::{Value, json};
use sterna_core::{
    ids::TargetId,
    port::{Answer, Cursor, Held},
    settings::Values,
};

use super::{
    answer::{Asked, Item, classify},
    bulk::{self, Expected},
    config::TargetConfig,
    dialect::Product,
    paging::{Page, Step, Totals, Trail},
    record::{self, Beside},
    schema::Schemas,
    shape::Shape,
};

/// Reads the answer to a bulk request of `count` creates, or removals of `removed`: one answer each, in order. `None` when
/// the body is no bulk answer.
pub fn bulk_answers(body: &[u8], count: usize, removed: Option<&str>) -> Option<Vec<Answer>> {
    let id = TargetId(removed.unwrap_or_default().to_owned());
    let (asked, method) = if removed.is_some() { (Asked::Remove(&id), "DELETE") } else { (Asked::Create, "POST") };
    let ids: Vec<String> = (0..count).map(|at| format!("o{at}")).collect();
    let expected: Vec<Expected<'_>> = ids.iter().map(|bulk_id| Expected { bulk_id, method, path: "/Users" }).collect();
    let items = bulk::read(&serde_json::from_slice(body).ok()?, &expected)?;
    Some(items.iter().map(|item| classify(asked, item.as_ref())).collect())
}

/// Says what the answer to a create that was sent alone means.
pub fn single_answer(status: u16, body: &[u8]) -> Answer {
    let body = serde_json::from_slice(body).unwrap_or_default();
    classify(Asked::Create, Some(&Item { status, body, ..Item::default() }))
}

/// What a page of a list comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Walked {
    /// It has so many resources, and there are more.
    More(usize, Cursor),
    /// It has so many resources, and is the last.
    Last(usize),
    /// It is the one before.
    Again,
}

/// Reads a page of a walk that stands at `cursor`; `None` when it is none, or the cursor is none of ours.
pub fn walk(body: &[u8], cursor: Option<&Cursor>, count: u64) -> Option<Walked> {
    let trail = match cursor {
        None => Trail::by_index(),
        Some(cursor) => Trail::from_cursor(cursor)?,
    };
    let page = Page::read(serde_json::from_slice(body).ok()?)?;
    let got = page.resources.len();
    Some(match trail.step(&page, count, Totals::Believed) {
        Step::Next(next) => Walked::More(got, next.to_cursor()?),
        Step::End => Walked::Last(got),
        Step::EndedBefore | Step::Circle => Walked::Again,
    })
}

/// Reads a user as a service of plain SCIM gives it, once as it stands and once as WSO2's; `None` when it is none.
pub fn user(body: &[u8], schemas: &[u8]) -> Option<[Held; 2]> {
    let user: Value = serde_json::from_slice(body).ok()?;
    let schemas: Vec<Value> = serde_json::from_slice(schemas).unwrap_or_default();
    let held = |product: Product| {
        let values = Values::default().with("url", "https://scim.example".into()).with("token", json!({ "env": "T" }));
        let config = TargetConfig::new(product, &values).ok()?;
        record::held(&Shape::new(&config, Schemas::read(&schemas, &schemas)), &user, Beside::default())
    };
    Some([held(Product::Scim)?, held(Product::Wso2Is)?])
}
