//! The log of changes that delta queries read.

use std::collections::VecDeque;

use super::index::Slot;
use crate::clock::Micros;

/// Changes that are kept. A delta link from before them has to start over.
const MAX_CHANGES: usize = 4_000_000;

/// The newest changes, each with its running number.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    log: VecDeque<(Micros, Slot)>,
    /// The running number of the first entry in `log`.
    first: u64,
}

impl Changes {
    /// Notes that reads show a change of `slot` from `from` on; `from` never goes back.
    pub(crate) fn note(&mut self, from: Micros, slot: Slot) {
        if self.log.len() == MAX_CHANGES {
            self.log.pop_front();
            self.first += 1;
        }
        self.log.push_back((from, slot));
    }

    /// The number of the first change that reads do not show at `at`.
    pub(crate) fn shown_until(&self, at: Micros) -> u64 {
        self.first + self.log.partition_point(|(from, _)| *from <= at) as u64
    }

    /// Users changed from number `since` up to `until`, each once; nothing when `since` is too old.
    pub(crate) fn between(&self, since: u64, until: u64) -> Option<Vec<Slot>> {
        let skip = usize::try_from(since.checked_sub(self.first)?).ok()?;
        let count = usize::try_from(until.saturating_sub(since)).ok()?;
        let mut slots: Vec<Slot> = self.log.iter().skip(skip).take(count).map(|(_, slot)| *slot).collect();
        slots.sort_unstable();
        slots.dedup();
        Some(slots)
    }

    /// Forgets everything noted so far, so that every older delta link has to start over.
    pub(crate) fn expire(&mut self) {
        self.first += self.log.len() as u64 + 1;
        self.log.clear();
    }
}
