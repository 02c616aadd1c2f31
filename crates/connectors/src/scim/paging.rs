//! Where a walk over a list stands: by index (RFC 7644 3.4.2.4) or by cursor (RFC 9865), and when it is over. Pure.
//!
//! Not every service keeps to what it was asked: some ignore `startIndex` and give the first page for ever, some ignore
//! `count`, some give a wrong `totalResults` (wso2-scim.md 2.8, counterparts.md).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sterna_core::port::Cursor;

use crate::http::encode;

/// A page, as it was answered.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Page {
    /// What is on it.
    pub(crate) resources: Vec<Value>,
    /// How many there are in all, where it says so.
    pub(crate) total: Option<u64>,
    /// Where the next page is, where the walk goes by cursor.
    pub(crate) next_cursor: Option<String>,
}

impl Page {
    /// Reads a list response; `None` when it is none. An empty list may leave out `Resources` (RFC 7644 3.4.2).
    pub(crate) fn read(mut body: Value) -> Option<Self> {
        let object = body.as_object_mut()?;
        let resources = object.remove("Resources").or_else(|| object.remove("resources"));
        // a number, or a text that holds one
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
        let total = object.get("totalResults").and_then(number);
        let resources = match resources {
            Some(Value::Array(list)) => list,
            None | Some(Value::Null) if total.is_some() => Vec::new(),
            _ => return None,
        };
        let next_cursor = object.get("nextCursor").and_then(Value::as_str).filter(|text| !text.is_empty());
        Some(Self { resources, total, next_cursor: next_cursor.map(str::to_owned) })
    }

    /// Whether there is more than this, by what it says of itself.
    pub(crate) fn is_part(&self) -> bool {
        match self.total {
            Some(total) => total > self.resources.len() as u64,
            None => self.next_cursor.is_some(),
        }
    }

    fn first_id(&self) -> Option<&str> {
        self.resources.first()?.get("id")?.as_str()
    }
}

/// Whether `totalResults` may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Totals {
    /// As far as nothing speaks against it.
    Believed,
    /// No: pages are asked for until one is empty (wso2-scim.md 2.8).
    Doubted,
}

/// Where a walk stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trail {
    place: Place,
    /// The first id of the page before.
    first: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Place {
    Index(u64),
    Cursor(String),
}

/// What comes after a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Another one.
    Next(Trail),
    /// Nothing.
    End,
    /// Nothing, and this page was the one before once more: everything was on that.
    EndedBefore,
    /// The same page again: the service does not page.
    Circle,
}

impl Trail {
    /// The beginning of a walk by index.
    pub(crate) fn by_index() -> Self {
        Self { place: Place::Index(1), first: None }
    }

    /// The beginning of a walk by cursor.
    pub(crate) fn by_cursor() -> Self {
        Self { place: Place::Cursor(String::new()), first: None }
    }

    /// Whether it goes by index, where people may move between pages.
    pub(crate) fn is_by_index(&self) -> bool {
        matches!(self.place, Place::Index(_))
    }

    /// Whether it goes by index and stands behind this many.
    pub(crate) fn is_behind(&self, all: u64) -> bool {
        matches!(self.place, Place::Index(index) if index > all)
    }

    /// The part of a query that asks for this page.
    pub(crate) fn query(&self, count: u64) -> String {
        match &self.place {
            Place::Index(index) => format!("startIndex={index}&count={count}"),
            Place::Cursor(cursor) => format!("cursor={}&count={count}", encode(cursor)),
        }
    }

    /// What comes after `page`, of which `count` were asked for.
    pub(crate) fn step(&self, page: &Page, count: u64, totals: Totals) -> Step {
        let Some(first) = page.first_id() else {
            // by cursor an empty page need not be the last one (RFC 9865 2.1)
            return match &page.next_cursor {
                Some(_) if matches!(self.place, Place::Cursor(_)) => self.next(page, self.first.clone()),
                _ => Step::End,
            };
        };
        let got = page.resources.len() as u64;
        if self.first.as_deref() == Some(first) {
            // a service that knows no pages gives everything each time; a full page says nothing of the rest, and one
            // that has a size of its own is everything only where nobody says that there are more
            let is_all = got != count && page.total.is_none_or(|total| total <= got);
            return if is_all { Step::EndedBefore } else { Step::Circle };
        }
        if let Place::Index(index) = self.place {
            let is_over = page.total.is_some_and(|total| index + got > total);
            // a total that is no more than a full first page may be the size of the page
            let is_suspect = index == 1 && got >= count && page.total.is_some_and(|total| total <= got);
            if is_over && !is_suspect && totals == Totals::Believed {
                return Step::End;
            }
        }
        self.next(page, Some(first.to_owned()))
    }

    fn next(&self, page: &Page, first: Option<String>) -> Step {
        let place = match (&self.place, &page.next_cursor) {
            (Place::Index(index), _) => Place::Index(index + page.resources.len() as u64),
            (Place::Cursor(_), None) => return Step::End,
            (Place::Cursor(before), Some(next)) if before == next => return Step::Circle,
            (Place::Cursor(_), Some(next)) => Place::Cursor(next.clone()),
        };
        Step::Next(Self { place, first })
    }

    /// The form in which it is kept between pages.
    pub(crate) fn to_cursor(&self) -> Option<Cursor> {
        serde_json::to_string(self).ok().map(Cursor)
    }

    /// Reads it back; `None` when it is none of ours.
    pub(crate) fn from_cursor(cursor: &Cursor) -> Option<Self> {
        serde_json::from_str(&cursor.0).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use serde_json::json;

    use super::*;

    fn page(ids: Range<u64>, total: Option<u64>) -> Page {
        let resources = ids.map(|id| json!({"id": format!("u{id}")})).collect();
        Page { resources, total, next_cursor: None }
    }

    /// Walks over a service until the end; how many it gave, and how many requests that took.
    fn walk(totals: Totals, service: impl Fn(u64, u64) -> Page) -> Result<(usize, usize), &'static str> {
        let (mut trail, mut got) = (Trail::by_index(), 0);
        for requests in 1..100 {
            let Place::Index(index) = trail.place else { return Err("a cursor") };
            assert_eq!(trail.query(10), format!("startIndex={index}&count=10"));
            let page = service(index, 10);
            match trail.step(&page, 10, totals) {
                Step::Next(next) => {
                    got += page.resources.len();
                    trail = Trail::from_cursor(&next.to_cursor().unwrap()).unwrap();
                }
                Step::End => return Ok((got + page.resources.len(), requests)),
                Step::EndedBefore => return Ok((got, requests)),
                Step::Circle => return Err("a circle"),
            }
        }
        Err("no end")
    }

    fn honest(all: u64) -> impl Fn(u64, u64) -> Page {
        move |index, count| page(index..(index + count).min(all + 1).max(index), Some(all))
    }

    #[test]
    fn an_honest_service_is_walked_over_once() {
        assert_eq!(walk(Totals::Believed, honest(0)), Ok((0, 1)));
        assert_eq!(walk(Totals::Believed, honest(7)), Ok((7, 1)));
        assert_eq!(walk(Totals::Believed, honest(25)), Ok((25, 3)));
        assert_eq!(walk(Totals::Believed, honest(20)), Ok((20, 2)));
        assert_eq!(walk(Totals::Doubted, honest(20)), Ok((20, 3)));
    }

    #[test]
    fn a_total_that_is_the_size_of_the_page_ends_nothing() {
        let service = |index, count| {
            let mut page = honest(25)(index, count);
            page.total = Some(page.resources.len() as u64);
            page
        };
        assert_eq!(walk(Totals::Doubted, service), Ok((25, 4)));
        // the first page is not believed; the second would be, so such services are to be doubted
        assert_eq!(walk(Totals::Believed, service), Ok((20, 2)));
        let without = |index, count| Page { total: None, ..honest(25)(index, count) };
        assert_eq!(walk(Totals::Believed, without), Ok((25, 4)));
    }

    #[test]
    fn a_service_with_smaller_pages_than_asked_for_is_walked_over() {
        assert_eq!(walk(Totals::Believed, |index, _| honest(25)(index, 4)), Ok((25, 7)));
    }

    #[test]
    fn a_service_that_ignores_where_to_start_is_noticed() {
        assert_eq!(walk(Totals::Believed, |_, count| honest(25)(1, count)), Err("a circle"));
        // everybody fits on one page
        assert_eq!(walk(Totals::Doubted, |_, count| honest(7)(1, count)), Ok((7, 2)));
        // and one that ignores the count as well has given everything
        let everything = |_, _| honest(25)(1, 25);
        assert_eq!(walk(Totals::Doubted, everything), Ok((25, 2)));
        assert_eq!(walk(Totals::Believed, everything), Ok((25, 2)));
        assert_eq!(walk(Totals::Doubted, |_, _| Page { total: None, ..honest(25)(1, 25) }), Ok((25, 2)));
    }

    #[test]
    fn pages_of_a_size_of_their_own_are_not_taken_for_everything() {
        // SCIMMY behind Express 5 gives the first 20 whatever it is asked for
        for size in [4, 20] {
            assert_eq!(walk(Totals::Believed, |_, _| honest(25)(1, size)), Err("a circle"), "{size}");
            assert_eq!(walk(Totals::Doubted, |_, _| honest(25)(1, size)), Err("a circle"), "{size}");
        }
        assert_eq!(walk(Totals::Doubted, |index, _| honest(50)(index, 20)), Ok((50, 4)));
        assert_eq!(walk(Totals::Believed, |index, _| honest(50)(index, 20)), Ok((50, 3)));
    }

    #[test]
    fn a_walk_by_cursor_ends_without_one_and_notices_its_own() {
        let trail = Trail::by_cursor();
        assert_eq!(trail.query(10), "cursor=&count=10");
        let with = |next: Option<&str>, ids| Page { next_cursor: next.map(str::to_owned), ..page(ids, None) };
        let Step::Next(second) = trail.step(&with(Some("a b"), 0..3), 10, Totals::Believed) else { panic!() };
        assert_eq!(second.query(10), "cursor=a%20b&count=10");
        assert_eq!(second.step(&with(Some("a b"), 3..6), 10, Totals::Believed), Step::Circle);
        assert_eq!(second.step(&with(None, 3..6), 10, Totals::Believed), Step::End);
        assert!(matches!(second.step(&with(Some("c"), 0..0), 10, Totals::Believed), Step::Next(_)));
    }

    #[test]
    fn list_responses_read_in_all_their_forms() {
        let empty = Page::read(json!({"totalResults": 0})).unwrap();
        assert_eq!((empty.resources.len(), empty.total), (0, Some(0)));
        let lower = Page::read(json!({"resources": [{"id": "u1"}], "nextCursor": "x"})).unwrap();
        assert_eq!((lower.resources.len(), lower.next_cursor.as_deref()), (1, Some("x")));
        assert_eq!(Page::read(json!({"totalResults": "7", "Resources": []})).unwrap().total, Some(7));
        assert_eq!(Page::read(json!({"Resources": {}})), None);
        assert_eq!(Page::read(json!({"id": "u1"})), None);
        assert_eq!(Page::read(json!([])), None);
    }
}
