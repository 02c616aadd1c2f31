//! What the emulator counts.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use serde_json::{Value, json};

/// The counters of the state.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    writes: AtomicU64,
    creates: AtomicU64,
    conflicts: AtomicU64,
    throttled: AtomicU64,
    turns: AtomicUsize,
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

impl Counters {
    /// A request or an item of a batch arrived.
    pub(crate) fn arrived(&self, throttled: bool) {
        add(&self.requests, 1);
        add(&self.throttled, u64::from(throttled));
    }

    /// The quota let it through, as so many writes.
    pub(crate) fn admitted(&self, writes: u64) {
        add(&self.writes, writes);
    }

    pub(crate) fn created(&self) {
        add(&self.creates, 1);
    }

    pub(crate) fn conflicted(&self) {
        add(&self.conflicts, 1);
    }

    /// A number that is another one each time.
    pub(crate) fn turn(&self) -> usize {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn value(&self) -> Value {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        json!({
            "requests": read(&self.requests),
            "writes": read(&self.writes),
            "creates": read(&self.creates),
            "conflicts": read(&self.conflicts),
            "throttled": read(&self.throttled),
        })
    }
}
