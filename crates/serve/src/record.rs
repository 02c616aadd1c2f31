//! Recording attempts that were not accepted: gathered, and written a few times a second, so that a flood of guesses costs
//! one commit and not thousands. What was accepted is written before it is answered, elsewhere.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sterna_ledger::{Ledger, sign_in::AttemptRecord};

/// Records that wait at most; more are counted and left out.
const MOST: usize = 20_000;
/// From one writing to the next.
pub(crate) const EVERY: Duration = Duration::from_millis(250);
/// Records in one commit: a write lasts no longer than 20 ms.
const COMMIT: usize = 400;

/// What waits to be written.
#[derive(Default)]
pub(crate) struct Recorder {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    records: Vec<AttemptRecord>,
    left_out: u64,
}

impl Recorder {
    /// Takes a record.
    pub(crate) fn add(&self, record: AttemptRecord) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.records.len() < MOST {
            waiting.records.push(record);
        } else {
            waiting.left_out += 1;
        }
    }

    /// Writes what waits. What cannot be written now waits on.
    pub(crate) async fn write(&self, ledger: &Arc<Ledger>) {
        let taken = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if taken.left_out > 0 {
            tracing::warn!(attempts = taken.left_out, "More attempts came than could be recorded singly");
            metrics::counter!("sterna_attempts_unrecorded_total").increment(taken.left_out);
        }
        let mut rest = taken.records;
        while !rest.is_empty() {
            let later = rest.split_off(rest.len().min(COMMIT));
            if let Err(error) = ledger.record_attempts(rest.clone()).await {
                tracing::warn!(%error, "Attempts cannot be recorded now");
                rest.extend(later);
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let room = MOST.saturating_sub(waiting.records.len());
                waiting.left_out += u64::try_from(rest.len().saturating_sub(room)).unwrap_or(u64::MAX);
                waiting.records.extend(rest.into_iter().take(room));
                return;
            }
            rest = later;
        }
    }
}
