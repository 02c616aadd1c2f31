//! How many attempts are under way at once; who finds no place is shed at once, strangers first.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Places for attempts. A part of them is kept for addresses from which somebody has signed in before, so that a flood from
/// unknown ones cannot take them all.
#[derive(Debug)]
pub struct Places {
    taken: AtomicUsize,
    all: usize,
    for_strangers: usize,
}

/// One place; given back when dropped.
#[derive(Debug)]
pub struct Place<'a>(&'a AtomicUsize);

impl Places {
    /// `all` places, of which a quarter is not for strangers.
    pub fn new(all: usize) -> Self {
        Self { taken: AtomicUsize::new(0), all, for_strangers: (all - all / 4).max(1) }
    }

    /// Takes a place, if there is one for such a caller.
    pub fn take(&self, is_known: bool) -> Option<Place<'_>> {
        let most = if is_known { self.all } else { self.for_strangers };
        let room = |taken: usize| (taken < most).then_some(taken + 1);
        self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, room).ok()?;
        Some(Place(&self.taken))
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_take_all_places_and_places_come_back() {
        let places = Places::new(8);
        let strangers: Vec<_> = (0..6).map(|_| places.take(false).unwrap()).collect();
        assert!(places.take(false).is_none());
        let known: Vec<_> = (0..2).map(|_| places.take(true).unwrap()).collect();
        assert!(places.take(true).is_none());
        drop((strangers, known));
        assert_eq!(places.taken(), 0);
    }
}
