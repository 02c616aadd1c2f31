//! `/users/delta`: everything once, then what changed (`entra.md` 4.8).

use serde_json::{Map, Value};

use super::Call;
use super::answer::Answer;
use super::paging::{self, read_token, token};
use super::permission::READ_USERS;
use super::users::removed;
use crate::entra::directory::Directory;
use crate::entra::directory::index::Slot;
use crate::entra::directory::record::Life;
use crate::entra::refusal::Refusal;

const OPTIONS: [&str; 5] = ["$select", "$top", "$filter", "$skiptoken", "$deltatoken"];

/// Ids that a `$filter` of a delta query may name.
const MAX_IDS: usize = 50;

/// Where a delta query stands.
enum Round {
    /// The first round: all users, and the number of the change that the next round begins with.
    All { from: u64, then: u64 },
    /// A later round: the changes from `since` up to `until`, the page beginning at slot `from`.
    Changes { since: u64, until: u64, from: u64 },
}

pub(super) fn delta(call: &Call<'_>) -> Result<Answer, Refusal> {
    call.caller.needs(READ_USERS)?;
    let query = &call.item.query;
    query.only(&OPTIONS)?;
    let directory = call.directory();
    let select = call.select(&directory)?;
    let ids = ids(call, &directory)?;
    let length = query.page_length()?;
    let round = round(call, &directory)?;
    let (page, then, tokens): (_, u64, Box<dyn Fn(u64) -> String>) = match round {
        Round::All { from, then } => {
            let page = paging::page(&directory, ids.as_deref(), from, length, |slot| {
                directory.seen_live(slot, call.seen_at).is_some()
            });
            (page, then, Box::new(move |next| token("all", &[next, then])))
        }
        Round::Changes { since, until, from } => {
            let mut slots = directory.changes.between(since, until).ok_or_else(|| start_over(call))?;
            if let Some(ids) = &ids {
                slots.retain(|slot| ids.contains(slot));
            }
            let page = paging::page(&directory, Some(&slots), from, length, |_| true);
            (page, until, Box::new(move |next| token("changes", &[since, until, next])))
        }
    };
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), call.context("users"));
    let repeated = query.get("$skiptoken").filter(|_| call.repeat_link);
    let (name, link) = match (repeated, page.next) {
        (Some(same), _) => ("@odata.nextLink", call.link("$skiptoken", same)),
        (None, Some(next)) => ("@odata.nextLink", call.link("$skiptoken", &tokens(next))),
        (None, None) => ("@odata.deltaLink", call.link("$deltatoken", &token("delta", &[then]))),
    };
    body.insert(name.to_owned(), Value::from(link));
    let entries = page.slots.iter().filter_map(|slot| entry(call, &directory, *slot, select.as_deref()));
    body.insert("value".to_owned(), entries.map(Value::Object).collect());
    Ok(Answer::json(200, Value::Object(body)))
}

fn round(call: &Call<'_>, directory: &Directory) -> Result<Round, Refusal> {
    let query = &call.item.query;
    let shown = directory.changes.shown_until(call.seen_at);
    if let Some(text) = query.get("$deltatoken") {
        if text == "latest" {
            return Ok(Round::Changes { since: shown, until: shown, from: 0 });
        }
        let [since] = read_token("delta", text).ok_or_else(|| start_over(call))?;
        return Ok(Round::Changes { since, until: shown.max(since), from: 0 });
    }
    let Some(text) = query.get("$skiptoken") else { return Ok(Round::All { from: 0, then: shown }) };
    if let Some([from, then]) = read_token("all", text) {
        return Ok(Round::All { from, then });
    }
    let [since, until, from] = read_token("changes", text).ok_or_else(|| start_over(call))?;
    Ok(Round::Changes { since, until, from })
}

fn start_over(call: &Call<'_>) -> Refusal {
    Refusal::start_over(format!("{}/v1.0/users/delta?{}", call.service.root(), call.item.query.without_tokens()))
}

/// A `$filter` of a delta query: `id eq '…'`, joined by `or`, 50 at most.
fn ids(call: &Call<'_>, directory: &Directory) -> Result<Option<Vec<Slot>>, Refusal> {
    let Some(text) = call.item.query.get("$filter") else { return Ok(None) };
    let unsupported =
        || Refusal::unsupported_query("A delta query of users can be filtered by id only, with at most 50 of them.");
    let parts: Vec<&str> = text.split(" or ").collect();
    if parts.len() > MAX_IDS {
        return Err(unsupported());
    }
    let mut slots = Vec::new();
    for part in parts {
        let id = part.trim().strip_prefix("id eq '").and_then(|rest| rest.strip_suffix('\''));
        slots.extend(directory.slot(id.ok_or_else(unsupported)?));
    }
    slots.sort_unstable();
    Ok(Some(slots))
}

fn entry(call: &Call<'_>, directory: &Directory, slot: Slot, select: Option<&[String]>) -> Option<Map<String, Value>> {
    let record = directory.record(slot)?;
    Some(match record.seen(call.seen_at)? {
        Life::Live(user) => user.select(select),
        Life::Deleted(user, _) => removed(&user.id, "changed"),
        Life::Gone(id) => removed(id, "deleted"),
    })
}
