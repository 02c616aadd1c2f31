//! Next links, followed without trust: a link that comes a second time ends in an error, however long the circle.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sterna_core::port::Cursor;

/// How many links before are remembered exactly.
const RECENT: usize = 16;

/// Where paging stands: the next link, and what is needed to notice a circle.
///
/// Small circles are noticed by the digests of the last links; larger ones by an anchor that moves at every power of
/// two (Brent's method), so that it takes no memory however many pages there are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Trail {
    /// The link to follow.
    pub(super) link: String,
    recent: Vec<String>,
    anchor: String,
    pages: u64,
}

/// The same link came twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the same next link came twice")]
pub(super) struct Circle;

impl Trail {
    /// A trail that begins at `link`.
    pub(super) fn start(link: String) -> Self {
        let mark = mark(&link);
        Self { link, recent: vec![mark.clone()], anchor: mark, pages: 1 }
    }

    /// Goes on to `next`.
    ///
    /// # Errors
    /// [`Circle`] when it was followed before.
    pub(super) fn step(mut self, next: String) -> Result<Self, Circle> {
        let mark = mark(&next);
        if mark == self.anchor || self.recent.contains(&mark) {
            return Err(Circle);
        }
        self.pages += 1;
        if self.pages.is_power_of_two() {
            self.anchor.clone_from(&mark);
        }
        self.recent.push(mark);
        if self.recent.len() > RECENT {
            self.recent.remove(0);
        }
        self.link = next;
        Ok(self)
    }

    /// How many pages have been begun.
    pub(super) fn pages(&self) -> u64 {
        self.pages
    }

    /// The trail as a cursor.
    pub(super) fn to_cursor(&self) -> Cursor {
        Cursor(serde_json::to_string(self).unwrap_or_default())
    }

    /// The trail that a cursor holds; `None` when it is not one of ours.
    pub(super) fn from_cursor(cursor: &Cursor) -> Option<Self> {
        serde_json::from_str(&cursor.0).ok()
    }
}

fn mark(link: &str) -> String {
    let digest = digest::digest(&digest::SHA256, link.as_bytes());
    URL_SAFE_NO_PAD.encode(&digest.as_ref()[..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many pages of a circle of `length` that is entered after `before` pages are read until it is noticed.
    fn noticed_after(before: u64, length: u64) -> u64 {
        let link = |page: u64| if page < before { page } else { before + (page - before) % length };
        let mut trail = Trail::start(link(0).to_string());
        for page in 1..100_000 {
            match trail.clone().step(link(page).to_string()) {
                Ok(next) => trail = Trail::from_cursor(&next.to_cursor()).unwrap(),
                Err(Circle) => return page - before,
            }
        }
        panic!("never noticed")
    }

    #[test]
    fn the_same_link_twice_is_noticed_at_once_and_small_circles_after_one_round() {
        assert_eq!(noticed_after(0, 1), 1);
        assert_eq!(noticed_after(1_000, 1), 1);
        assert_eq!(noticed_after(1_000, 16), 16);
    }

    #[test]
    fn any_circle_is_noticed_within_a_bound() {
        for (before, length) in [(0, 100), (1_000, 100), (3, 5_000)] {
            let pages = noticed_after(before, length);
            assert!(pages <= 2 * (before + length) + length, "{pages} for {before}+{length}");
        }
    }

    #[test]
    fn a_long_straight_way_is_no_circle_and_the_cursor_stays_small() {
        let mut trail = Trail::start("0".into());
        for page in 1..10_000 {
            trail = trail.step(page.to_string()).unwrap();
        }
        assert!(trail.to_cursor().0.len() < 600);
    }
}
