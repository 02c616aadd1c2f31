//! Counting over a sliding time: how often something happened to each of many keys, in bounded memory.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    time::{Duration, Instant},
};

/// What is known of one key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    /// Failures, as they fade: the weight at `at`.
    weight: f64,
    at: Instant,
    /// Until when it has to wait; doubles with each failure past the limit.
    until: Option<Instant>,
    /// How often the limit was passed in a row.
    passed: u32,
}

/// Failures per key. One that is over loses weight evenly, so that `limit` failures have faded after the window.
#[derive(Debug)]
pub(super) struct Tallies<K> {
    known: HashMap<K, Tally>,
    most: usize,
}

/// How many failures are let through in which time, and how long is waited then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Allowance {
    /// Failures within the window.
    pub(super) failures: u32,
    /// The window.
    pub(super) window: Duration,
    /// The first wait; doubles with each failure from then on. Zero: only as long as the failures need to fade.
    pub(super) first_wait: Duration,
    /// The longest wait.
    pub(super) longest_wait: Duration,
}

/// After so long without a failure the waits begin with the first one again.
const QUIET: Duration = Duration::from_hours(24);

impl Allowance {
    /// Weights fade all the time, so the last failure is reached a little before its number.
    fn is_used_up(&self, weight: f64) -> bool {
        weight + 0.5 >= f64::from(self.failures)
    }
}

impl Tally {
    fn faded(&self, allowance: &Allowance, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        let per_sec = f64::from(allowance.failures) / allowance.window.as_secs_f64().max(0.001);
        (self.weight - passed * per_sec).max(0.0)
    }
}

impl<K: Eq + Hash + Copy> Tallies<K> {
    /// Tallies of at most `most` keys.
    pub(super) fn new(most: usize) -> Self {
        Self { known: HashMap::new(), most }
    }

    /// Whether the key has to wait at `now`.
    pub(super) fn must_wait(&self, key: &K, allowance: &Allowance, now: Instant) -> bool {
        let Some(tally) = self.known.get(key) else { return false };
        match tally.until {
            Some(until) if now < until => true,
            // with a wait of its own, one more try is allowed after it
            Some(_) if !allowance.first_wait.is_zero() => false,
            _ => allowance.is_used_up(tally.faded(allowance, now)),
        }
    }

    /// Whether the key has failed within the window.
    pub(super) fn has_failed(&self, key: &K, allowance: &Allowance, now: Instant) -> bool {
        self.known.get(key).is_some_and(|tally| tally.faded(allowance, now) > 0.0)
    }

    /// Counts a failure.
    pub(super) fn failed(&mut self, key: K, allowance: &Allowance, now: Instant) {
        self.make_room(allowance, now);
        let tally = match self.known.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Tally { weight: 0.0, at: now, until: None, passed: 0 }),
        };
        let faded = tally.faded(allowance, now);
        if now.saturating_duration_since(tally.at) >= QUIET {
            (tally.passed, tally.until) = (0, None);
        }
        tally.weight = (faded + 1.0).min(f64::from(allowance.failures) + 1.0);
        tally.at = now;
        let is_over = tally.passed > 0 || allowance.is_used_up(tally.weight);
        if is_over && !allowance.first_wait.is_zero() {
            let doubled = allowance.first_wait.saturating_mul(1 << tally.passed.min(20));
            tally.passed = tally.passed.saturating_add(1);
            tally.until = Some(now + doubled.min(allowance.longest_wait));
        }
    }

    /// Takes weight off: somebody there has shown to be honest.
    pub(super) fn relieve(&mut self, key: &K, by: f64, allowance: &Allowance, now: Instant) {
        if let Some(tally) = self.known.get_mut(key) {
            tally.weight = (tally.faded(allowance, now) - by).max(0.0);
            tally.at = now;
            // what was given back had begun the wait
            if tally.passed <= 1 && !allowance.is_used_up(tally.weight) {
                (tally.until, tally.passed) = (None, 0);
            } else if tally.passed > 1 {
                tally.passed -= 1;
                tally.until = None;
            }
        }
    }

    /// Forgets a key.
    pub(super) fn forget(&mut self, key: &K) {
        self.known.remove(key);
    }

    /// Drops what has faded; where nothing has, the lightest half goes, never the keys that wait.
    fn make_room(&mut self, allowance: &Allowance, now: Instant) {
        if self.known.len() < self.most {
            return;
        }
        let waits = |tally: &Tally| tally.until.is_some_and(|until| now < until);
        self.known.retain(|_, tally| waits(tally) || tally.faded(allowance, now) > 0.0);
        if self.known.len() < self.most {
            return;
        }
        let mut weights: Vec<f64> = self.known.values().map(|tally| tally.faded(allowance, now)).collect();
        let middle = weights.len() / 2;
        let (_, median, _) = weights.select_nth_unstable_by(middle, f64::total_cmp);
        let median = *median;
        let mut keep = self.most / 2;
        self.known.retain(|_, tally| {
            let stays = waits(tally) || (tally.faded(allowance, now) > median && keep > 0);
            keep = keep.saturating_sub(usize::from(stays));
            stays
        });
        if self.known.len() >= self.most {
            // all of them wait: an attack from that many keys; the newest cannot be told apart from it
            let mut keep = self.most / 2;
            self.known.retain(|_, _| {
                keep = keep.saturating_sub(1);
                keep > 0
            });
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);
    const TEN: Allowance = Allowance {
        failures: 10,
        window: Duration::from_mins(15),
        first_wait: MINUTE,
        longest_wait: Duration::from_mins(30),
    };

    #[test]
    fn after_the_limit_each_further_failure_doubles_the_wait() {
        let (mut tallies, start) = (Tallies::new(10), Instant::now());
        for _ in 0..9 {
            tallies.failed(1, &TEN, start);
            assert!(!tallies.must_wait(&1, &TEN, start));
        }
        tallies.failed(1, &TEN, start);
        assert!(tallies.must_wait(&1, &TEN, start + Duration::from_secs(59)));
        let mut now = start + MINUTE;
        for wait in [2, 4, 8] {
            assert!(!tallies.must_wait(&1, &TEN, now), "one more try after the wait");
            tallies.failed(1, &TEN, now);
            if wait < 8 {
                assert!(tallies.must_wait(&1, &TEN, now + MINUTE * (wait - 1)), "{wait}");
            }
            now += MINUTE * wait;
        }
    }

    #[test]
    fn failures_fade_and_success_takes_weight_off() {
        let (mut tallies, start) = (Tallies::new(10), Instant::now());
        let plain = Allowance { first_wait: Duration::ZERO, ..TEN };
        for _ in 0..10 {
            tallies.failed(1, &plain, start);
        }
        assert!(tallies.must_wait(&1, &plain, start));
        assert!(!tallies.must_wait(&1, &plain, start + Duration::from_secs(91)), "a tenth has faded");
        assert!(tallies.has_failed(&1, &plain, start + MINUTE * 10));
        assert!(!tallies.has_failed(&1, &plain, start + MINUTE * 15));
        tallies.relieve(&1, 5.0, &plain, start);
        assert!(!tallies.must_wait(&1, &plain, start));
    }

    #[test]
    fn memory_is_bounded_and_those_who_wait_are_kept() {
        let (mut tallies, start) = (Tallies::new(100), Instant::now());
        for _ in 0..12 {
            tallies.failed(1_000_000, &TEN, start);
        }
        for key in 0..10_000 {
            tallies.failed(key, &TEN, start);
            assert!(tallies.len() <= 100);
        }
        assert!(tallies.must_wait(&1_000_000, &TEN, start));
    }
}
