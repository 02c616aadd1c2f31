//! Pages of users: `$top`, `$filter`, `$select`, `@odata.nextLink` and `@odata.count` (`entra.md` 4.8).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::Call;
use super::filter::Filter;
use super::matching::{self, Consistency};
use crate::entra::directory::Directory;
use crate::entra::directory::index::Slot;
use crate::entra::directory::record::Life;
use crate::entra::directory::user::User;
use crate::entra::refusal::Refusal;

/// Options that a list of users knows.
pub(super) const LIST_OPTIONS: [&str; 5] = ["$select", "$top", "$filter", "$count", "$skiptoken"];

/// An opaque token that holds numbers. `kind` keeps a token from being used where it does not belong.
pub(super) fn token(kind: &str, numbers: &[u64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    URL_SAFE_NO_PAD.encode(format!("{kind}.{}", numbers.join(".")))
}

/// The numbers of a token.
pub(super) fn read_token<const N: usize>(kind: &str, text: &str) -> Option<[u64; N]> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let numbers = text.strip_prefix(kind)?.strip_prefix('.')?;
    let numbers: Vec<u64> = numbers.split('.').map(|number| number.parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

/// One page of slots and, when there are more, where the next one begins.
pub(super) struct Page {
    pub(super) slots: Vec<Slot>,
    pub(super) next: Option<u64>,
}

/// Collects a page of the slots from `from` on that `keep` wants. `narrowed` is a sorted list to choose from instead
/// of all users.
pub(super) fn page(
    directory: &Directory,
    narrowed: Option<&[Slot]>,
    from: u64,
    length: usize,
    keep: impl Fn(Slot) -> bool,
) -> Page {
    let end = Slot::try_from(directory.len()).unwrap_or(Slot::MAX);
    let from = Slot::try_from(from).unwrap_or(Slot::MAX);
    let mut found: Vec<Slot> = match narrowed {
        Some(slots) => slots.iter().copied().filter(|slot| *slot >= from && keep(*slot)).take(length + 1).collect(),
        None => (from..end).filter(|slot| keep(*slot)).take(length + 1).collect(),
    };
    let next = (found.len() > length).then(|| found.pop()).flatten().map(u64::from);
    Page { slots: found, next }
}

impl Call<'_> {
    /// The position that the `$skiptoken` of the request names.
    pub(super) fn skip(&self) -> Result<u64, Refusal> {
        let Some(text) = self.item.query.get("$skiptoken") else { return Ok(0) };
        let [from] = read_token("skip", text)
            .ok_or_else(|| Refusal::bad("Invalid value specified for query option '$skiptoken'."))?;
        Ok(from)
    }

    /// The URL of this request at another place: `option` is `$skiptoken` or `$deltatoken`.
    pub(super) fn link(&self, option: &str, value: &str) -> String {
        let path = self.item.segments.join("/");
        format!("{}/v1.0/{path}?{}", self.service.root(), self.item.query.with(option, value))
    }

    /// Adds the link to the next page. Under a fault a page that was itself reached by a link leads to itself.
    pub(super) fn add_next_link(&self, body: &mut Map<String, Value>, next: Option<u64>) {
        let repeated = self.item.query.get("$skiptoken").filter(|_| self.repeat_link);
        let link = match (repeated, next) {
            (Some(token), _) => Some(self.link("$skiptoken", token)),
            (None, Some(next)) => Some(self.link("$skiptoken", &token("skip", &[next]))),
            (None, None) => None,
        };
        if let Some(link) = link {
            body.insert("@odata.nextLink".to_owned(), Value::from(link));
        }
    }

    fn consistency(&self) -> Consistency {
        let counted = self.item.query.get("$count") == Some("true")
            || self.item.segments.last().is_some_and(|last| last == "$count");
        if self.is_eventual() && counted { Consistency::Eventual } else { Consistency::Session }
    }

    /// The filter of the request, allowed and with the users worth looking at.
    pub(super) fn filter(&self, directory: &Directory) -> Result<(Option<Filter>, Option<Vec<Slot>>), Refusal> {
        let Some(filter) = self.item.query.filter()? else { return Ok((None, None)) };
        matching::check(&filter, directory, self.consistency())?;
        let slots = matching::candidates(&filter, directory);
        Ok((Some(filter), slots))
    }
}

/// Which users a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Live,
    Deleted,
}

impl Shown {
    /// The user of a slot, if the list shows it at this instant.
    pub(super) fn user<'a>(self, directory: &'a Directory, slot: Slot, call: &Call<'_>) -> Option<&'a User> {
        match (self, directory.record(slot)?.seen(call.seen_at)?) {
            (Self::Live, Life::Live(user)) | (Self::Deleted, Life::Deleted(user, _)) => Some(user),
            _ => None,
        }
    }
}

/// A page of users as a body. `render` makes one entry.
pub(super) fn list(
    call: &Call<'_>,
    directory: &Directory,
    shown: Shown,
    render: impl Fn(Slot, &User) -> Map<String, Value>,
) -> Result<Value, Refusal> {
    let query = &call.item.query;
    query.only(&LIST_OPTIONS)?;
    let (filter, narrowed) = call.filter(directory)?;
    let wanted = |slot: Slot| {
        let user = shown.user(directory, slot, call)?;
        filter.as_ref().is_none_or(|filter| matching::matches(filter, user)).then_some(user)
    };
    let page = page(directory, narrowed.as_deref(), call.skip()?, query.page_length()?, |slot| wanted(slot).is_some());
    let entries =
        page.slots.iter().filter_map(|slot| Some(Value::Object(render(*slot, shown.user(directory, *slot, call)?))));
    let mut body = Map::new();
    let entries: Vec<Value> = entries.collect();
    body.insert("@odata.context".to_owned(), call.context("users"));
    if call.consistency() == Consistency::Eventual && !query.has("$skiptoken") {
        body.insert(
            "@odata.count".to_owned(),
            Value::from(count(directory, narrowed.as_deref(), |slot| wanted(slot).is_some())),
        );
    }
    call.add_next_link(&mut body, page.next);
    body.insert("value".to_owned(), Value::Array(entries));
    Ok(Value::Object(body))
}

/// How many users there are in all.
pub(super) fn count(directory: &Directory, narrowed: Option<&[Slot]>, keep: impl Fn(Slot) -> bool) -> usize {
    let end = Slot::try_from(directory.len()).unwrap_or(Slot::MAX);
    match narrowed {
        Some(slots) => slots.iter().filter(|slot| keep(**slot)).count(),
        None => (0..end).filter(|slot| keep(*slot)).count(),
    }
}
