//! Where a walk over all users stands, and whether it was whole. Pure.
//!
//! Pages by index show no snapshot: somebody who is removed moves everybody behind, and one of them falls between two pages
//! (RFC 7644 3.4.2.4). So a list whose total changed on the way, or that gave fewer than it said, is walked over once more;
//! people that were seen are passed over.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde::{Deserialize, Serialize};
use sterna_core::port::Cursor;

use crate::scim::{Page, Step, Totals, Trail};

/// Most walks over one list.
const WALKS: u32 = 3;

/// Most pages of one walk.
const PAGES: u64 = 10_000_000;

/// Most ids that are remembered; of more, doubles are noticed by whoever stores them.
const IDS: usize = 50_000_000;

/// Where a walk stands: what a cursor holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    trail: Trail,
    walk: u32,
    pages: u64,
    /// The total that the first page of this walk said.
    total: Option<u64>,
    /// Whether another page said another one.
    has_changed: bool,
    /// There is no further page: somebody is missing.
    short: Option<Short>,
}

/// What follows a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another page.
    Page(Mark),
    /// Nothing: all was read.
    End,
    /// The service does not page.
    Circle,
}

/// A list that gave fewer people than the service says that there are, walk after walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Short {
    /// How many came.
    pub(super) seen: u64,
    /// How many it says.
    pub(super) total: u64,
}

impl Mark {
    /// The beginning.
    pub(super) fn start(trail: Trail) -> Self {
        Self { trail, walk: 1, pages: 0, total: None, has_changed: false, short: None }
    }

    /// The part of a query that asks for the page.
    pub(super) fn query(&self, count: u64) -> String {
        self.trail.query(count)
    }

    /// What it means that the page is refused: where it is behind the last one, that there is nobody on it. A service that
    /// says no total may have other reasons, unless totals are known to mean nothing.
    pub(super) fn refused(&self, status: u16, totals: Totals) -> Option<Page> {
        let is_behind = match self.total {
            Some(total) => self.trail.is_behind(total),
            None => totals == Totals::Doubted && self.trail.is_behind(1),
        };
        let is_over = is_behind && matches!(status, 400 | 404 | 416);
        is_over.then(|| Page { total: self.total, ..Page::default() })
    }

    /// What comes after a page, of which `count` were asked for.
    pub(super) fn step(&self, page: &Page, count: u64) -> Step {
        self.trail.step(page, count, Totals::Doubted)
    }

    /// What follows the page that said this total; `seen` are all people that were read so far, where that is known.
    /// Walks are repeated where totals count.
    pub(super) fn next(&self, step: Step, total: Option<u64>, seen: Option<u64>, totals: Totals) -> Next {
        let has_changed = self.has_changed || (self.pages > 0 && total != self.total);
        let first = if self.pages == 0 { total } else { self.total };
        match step {
            Step::Circle => Next::Circle,
            Step::Next(_) if self.pages >= PAGES => Next::Circle,
            Step::Next(trail) => {
                let pages = self.pages + 1;
                Next::Page(Self { trail, walk: self.walk, pages, total: first, has_changed, short: None })
            }
            Step::End | Step::EndedBefore => {
                let counts = totals == Totals::Believed && self.trail.is_by_index();
                let Some((seen, total)) = seen.zip(total.or(first)).filter(|_| counts) else { return Next::End };
                // a total of a page is the size of that page with some services: it is smaller than what was read
                let is_short = total > seen;
                let may_be_short = has_changed && total >= seen;
                if (is_short || may_be_short) && self.walk < WALKS {
                    return Next::Page(Self { walk: self.walk + 1, ..Self::start(Trail::by_index()) });
                }
                // where people come and go all the time the last ones may be missing; else somebody is kept from us
                if is_short && !has_changed {
                    return Next::Page(Self { short: Some(Short { seen, total }), ..self.clone() });
                }
                Next::End
            }
        }
    }

    /// Set where the list is over and somebody is missing.
    pub(super) fn short(&self) -> Option<Short> {
        self.short
    }

    /// How much has been read.
    #[expect(clippy::cast_precision_loss, reason = "a progress bar needs no more than 52 bits")]
    pub(super) fn done(&self, seen: u64) -> Option<f64> {
        let total = self.total.filter(|total| *total > 0)?;
        Some((seen as f64 / total as f64).clamp(0.0, 1.0))
    }

    /// The form in which it is kept between pages.
    pub(super) fn to_cursor(&self) -> Option<Cursor> {
        serde_json::to_string(self).ok().map(Cursor)
    }

    /// Reads it back; `None` when it is none of ours.
    pub(super) fn from_cursor(cursor: &Cursor) -> Option<Self> {
        serde_json::from_str(&cursor.0).ok()
    }
}

/// People that were read, by their ids.
#[derive(Default)]
pub(super) struct Seen {
    ids: HashSet<u64>,
    /// Whether everything since the beginning is here.
    is_whole: bool,
}

impl Seen {
    /// Nobody yet, from the beginning on.
    pub(super) fn from_the_start() -> Self {
        Self { ids: HashSet::new(), is_whole: true }
    }

    /// Takes note of an id; whether it is new.
    pub(super) fn add(&mut self, id: &str) -> bool {
        if self.ids.len() >= IDS {
            self.is_whole = false;
            return true;
        }
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        self.ids.insert(hasher.finish())
    }

    /// How many there are, where all are known.
    pub(super) fn count(&self) -> Option<u64> {
        self.is_whole.then_some(self.ids.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(totals: &[u64], seen: u64, again: bool) {
        let mut mark = Mark::start(Trail::by_index());
        let (last, before) = totals.split_last().unwrap();
        for total in before {
            let Next::Page(next) = mark.next(Step::Next(Trail::by_index()), Some(*total), Some(0), Totals::Believed)
            else {
                panic!()
            };
            mark = Mark::from_cursor(&next.to_cursor().unwrap()).unwrap();
        }
        assert_eq!(mark.next(Step::End, Some(*last), Some(seen), Totals::Doubted), Next::End);
        let next = mark.next(Step::End, Some(*last), Some(seen), Totals::Believed);
        assert_eq!(next != Next::End, again, "{totals:?} {seen}");
    }

    #[test]
    fn a_list_that_changed_or_gave_too_few_is_walked_over_again() {
        check(&[10, 10, 10], 10, false);
        // somebody went: the total is what was read, and yet one is missing
        check(&[10, 9, 9], 9, true);
        check(&[10, 10, 10], 9, true);
        check(&[9, 10, 10], 10, true);
        // totals of pages alone say nothing
        check(&[4, 4, 2], 10, false);
        check(&[0], 0, false);
    }

    #[test]
    fn walks_end_whatever_the_service_says() {
        let end = |mark: &Mark, seen| mark.next(Step::End, Some(99), seen, Totals::Believed);
        let mut mark = Mark::start(Trail::by_index());
        for _ in 1..WALKS {
            let Next::Page(next) = end(&mark, Some(10)) else { panic!("another walk") };
            assert_eq!(next.short(), None);
            mark = next;
        }
        // 89 people are kept from us, which is no end; where people come and go some may be late
        let Next::Page(short) = end(&mark, Some(10)) else { panic!("an end") };
        assert_eq!(short.short(), Some(Short { seen: 10, total: 99 }));
        assert_eq!(end(&Mark { has_changed: true, ..mark }, Some(98)), Next::End);
        // what was not seen from the start, or goes by cursor, is walked over once
        assert_eq!(end(&Mark::start(Trail::by_index()), None), Next::End);
        assert_eq!(end(&Mark::start(Trail::by_cursor()), Some(10)), Next::End);
        let circle = Mark::start(Trail::by_index()).next(Step::Circle, None, None, Totals::Believed);
        assert_eq!(circle, Next::Circle);
    }
}
