//! Cursors (RFC 9865): each stands for a place in a list that was made when the walk began.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::clock::{Micros, micros};
use crate::scim::refusal::Refusal;
use crate::scim::store::Slot;

/// Cursors that are good at one time; the oldest goes first.
const MOST_CURSORS: usize = 2_000;

/// A place in a walk.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    pub(super) all: Arc<[Slot]>,
    pub(super) at: usize,
    /// The request that the walk began with.
    pub(super) query: String,
    pub(super) since: Micros,
}

/// The cursors that were given out.
#[derive(Debug, Default)]
pub(crate) struct Cursors(HashMap<String, Walk>);

impl Cursors {
    /// Lets every cursor be too old.
    pub(crate) fn expire(&mut self) {
        for walk in self.0.values_mut() {
            walk.since = 0;
        }
    }

    pub(super) fn add(&mut self, walk: Walk) -> String {
        if self.0.len() >= MOST_CURSORS {
            let oldest = self.0.iter().min_by_key(|(_, walk)| walk.since).map(|(cursor, _)| cursor.clone());
            oldest.and_then(|cursor| self.0.remove(&cursor));
        }
        let cursor = Uuid::new_v4().simple().to_string();
        self.0.insert(cursor.clone(), walk);
        cursor
    }

    /// The place of a cursor; refused when it is unknown or too old (RFC 9865 2.1).
    pub(super) fn find(&mut self, cursor: &str, now: Micros, timeout: Duration) -> Result<Walk, Refusal> {
        let invalid = || Refusal::bad("invalidCursor", "The cursor is not known; begin anew with an empty one.");
        let walk = self.0.get(cursor).ok_or_else(invalid)?;
        if walk.since + micros(timeout) < now {
            self.0.remove(cursor);
            return Err(Refusal::bad("expiredCursor", "The cursor is too old; begin anew with an empty one."));
        }
        Ok(walk.clone())
    }
}
