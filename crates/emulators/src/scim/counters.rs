//! What the emulator counts.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

/// The counters of the state.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Requests that reached the service, each operation of a bulk request for itself and the bulk request not at all.
    pub(crate) requests: Counter,
    /// Bulk requests.
    pub(crate) bulks: Counter,
    /// Changing requests and operations that the quota let through, whatever they were answered.
    pub(crate) writes: Counter,
    /// Resources really created.
    pub(crate) creates: Counter,
    /// Answers that say "exists already".
    pub(crate) conflicts: Counter,
    /// Answers 429, storms included.
    pub(crate) throttled: Counter,
    /// Tokens issued.
    pub(crate) tokens: Counter,
}

/// One of them.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(crate) fn value(&self) -> Value {
        let Self { requests, bulks, writes, creates, conflicts, throttled, tokens } = self;
        json!({
            "requests": requests.read(),
            "bulks": bulks.read(),
            "writes": writes.read(),
            "creates": creates.read(),
            "conflicts": conflicts.read(),
            "throttled": throttled.read(),
            "tokens": tokens.read(),
        })
    }
}
