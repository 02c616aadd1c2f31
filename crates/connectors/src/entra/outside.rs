//! What arrives from outside, as pure functions of bytes: what fuzzers call. Nothing else does.
//!
//! Each is the function that the connector itself reads with, without network and clock.

use std::{collections::HashSet, time::Duration};

use reqwest::header::HeaderMap;
use serde_json::value::RawValue;
use sterna_core::{
    ids::TargetId,
    port::{Answer, Cursor, Record},
    time::Timestamp,
};

use super::{
    answer::{Asked, classify, classify_outer},
    batch,
    dto::{List, object},
    graph,
    paging::Trail,
    record::record,
};
use crate::http::{
    exchange::Reply,
    retry,
    token::{Told, read_answer},
};

/// Reads a page of users: its records and its next link. `None` when it is no page.
pub fn users_page(body: &[u8]) -> Option<(Vec<Record>, Option<String>)> {
    let page: List<Box<RawValue>> = object(body).ok()?;
    let records = page.value.iter().map(|raw| user(raw.get().as_bytes())).collect();
    Some((records, page.next))
}

/// Reads one user.
pub fn user(raw: &[u8]) -> Record {
    record(raw, &HashSet::new())
}

/// Reads the answer to a batch of `count` creates, or of changes of the user `changed`: one answer each, in order.
/// `None` when the body is no batch answer.
pub fn batch_answers(body: &[u8], count: usize, changed: Option<&str>) -> Option<Vec<Answer>> {
    let id = TargetId(changed.unwrap_or_default().to_owned());
    let asked = if changed.is_some() { Asked::Update(&id) } else { Asked::Create };
    let items = batch::read(body, count, Timestamp(0))?;
    Some(items.iter().map(|item| classify(asked, item.as_ref())).collect())
}

/// Says what the answer to a whole batch means for one of its creates, when it is no batch answer.
pub fn outer_answer(status: u16, body: &[u8]) -> Answer {
    classify_outer(Asked::Create, &item(status, body))
}

/// Says what the answer to a create that was sent alone means.
pub fn single_answer(status: u16, body: &[u8]) -> Answer {
    classify(Asked::Create, Some(&item(status, body)))
}

fn item(status: u16, body: &[u8]) -> batch::Item {
    let reply = Reply { status, retry_after: None, date: None, headers: HeaderMap::new(), body: body.to_vec() };
    batch::Item::from_reply(&reply)
}

/// Reads a `Retry-After` value.
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    retry::retry_after(value, now)
}

/// Reads an early-warning value.
pub fn pressure(value: &str) -> Option<f64> {
    batch::pressure(value)
}

/// What an answer of the token endpoint says.
#[derive(Debug, PartialEq, Eq)]
pub enum Token {
    /// A token for so many seconds.
    Given(u64),
    /// Another try may help.
    Later,
    /// No.
    Refused,
}

/// Reads an answer of the token endpoint.
pub fn token(status: u16, body: &[u8]) -> Token {
    match read_answer(status, body) {
        Told::Given(given) => Token::Given(given.expires_in.unwrap_or_default()),
        Told::Later(_) => Token::Later,
        Told::Refused { .. } => Token::Refused,
    }
}

/// Follows next links below `root`, each by the cursor of the one before, until one leads elsewhere or was followed
/// already; how many were followed.
pub fn follow<'l>(root: &str, links: impl IntoIterator<Item = &'l str>) -> usize {
    let mut trail: Option<Trail> = None;
    let mut followed = 0;
    for link in links {
        if !graph::is_ours(root, link) {
            return followed;
        }
        let next = match trail.take() {
            None => Ok(Trail::start(link.to_owned())),
            Some(trail) => trail.step(link.to_owned()),
        };
        let Ok(next) = next else { return followed };
        trail = Trail::from_cursor(&next.to_cursor());
        followed += 1;
    }
    followed
}

/// Reads a cursor of the source and writes it again; `None` when it is none of ours.
pub fn cursor(text: &str) -> Option<Cursor> {
    Trail::from_cursor(&Cursor(text.to_owned())).map(|trail| trail.to_cursor())
}
