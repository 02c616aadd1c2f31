//! How long a wrong password takes at each hook, so that an unknown account takes as long.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Times that are kept of each hook.
const KEPT: usize = 128;
/// What is taken before any is known: about a bcrypt of cost 10, or a call to a directory next door.
const BEFORE: Duration = Duration::from_millis(80);

/// The last times of wrong passwords, by hook: hooks may ask different old systems.
#[derive(Default)]
pub(crate) struct Timing(Mutex<BTreeMap<Arc<str>, Ring>>);

#[derive(Default)]
struct Ring {
    times: Vec<Duration>,
    next: usize,
}

impl Timing {
    /// Notes how long a wrong password took, from the arrival of the call.
    pub(crate) fn note(&self, hook: &Arc<str>, took: Duration) {
        let mut rings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ring = rings.entry(Arc::clone(hook)).or_default();
        if ring.times.len() < KEPT {
            ring.times.push(took);
            return;
        }
        let at = ring.next;
        ring.times[at] = took;
        ring.next = (at + 1) % KEPT;
    }

    /// One of them by chance, so that not only the mean but the spread is alike. `chance` is a random number.
    pub(crate) fn sample(&self, hook: &str, chance: u64) -> Duration {
        let rings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(ring) = rings.get(hook).filter(|ring| !ring.times.is_empty()) else { return BEFORE };
        let count = u64::try_from(ring.times.len()).unwrap_or(u64::MAX);
        let at = usize::try_from(chance % count).unwrap_or_default();
        ring.times.get(at).copied().unwrap_or(BEFORE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_from_the_last_times_of_the_same_hook_and_memory_is_bounded() {
        let (timing, fast, slow): (Timing, Arc<str>, Arc<str>) = (Timing::default(), "fast".into(), "slow".into());
        assert_eq!(timing.sample("fast", 7), BEFORE);
        for millis in 0..1_000 {
            timing.note(&slow, Duration::from_millis(millis));
        }
        timing.note(&fast, Duration::from_millis(1));
        for chance in 0..200 {
            assert!(timing.sample("slow", chance) >= Duration::from_millis(1_000 - 128));
            assert_eq!(timing.sample("fast", chance), Duration::from_millis(1));
        }
    }
}
