//! How long a wrong password takes, so that an unknown account takes as long.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Times that are kept.
const KEPT: usize = 128;
/// What is taken before any is known: about a bcrypt of cost 10, or a call to a directory next door.
const BEFORE: Duration = Duration::from_millis(80);

/// The last times of wrong passwords.
#[derive(Default)]
pub(crate) struct Timing(Mutex<Ring>);

#[derive(Default)]
struct Ring {
    times: Vec<Duration>,
    next: usize,
}

impl Timing {
    /// Notes how long a wrong password took, from the arrival of the call.
    pub(crate) fn note(&self, took: Duration) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.times.len() < KEPT {
            ring.times.push(took);
            return;
        }
        let at = ring.next;
        ring.times[at] = took;
        ring.next = (at + 1) % KEPT;
    }

    /// One of them by chance, so that not only the mean but the spread is alike. `chance` is a random number.
    pub(crate) fn sample(&self, chance: u64) -> Duration {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = u64::try_from(ring.times.len()).unwrap_or(u64::MAX);
        if count == 0 {
            return BEFORE;
        }
        let at = usize::try_from(chance % count).unwrap_or_default();
        ring.times.get(at).copied().unwrap_or(BEFORE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_from_the_last_times_and_memory_is_bounded() {
        let timing = Timing::default();
        assert_eq!(timing.sample(7), BEFORE);
        for millis in 0..1_000 {
            timing.note(Duration::from_millis(millis));
        }
        for chance in 0..200 {
            assert!(timing.sample(chance) >= Duration::from_millis(1_000 - 128));
        }
    }
}
