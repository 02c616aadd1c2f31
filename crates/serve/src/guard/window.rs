//! Counting over a sliding time: how often something happened to each of many keys, in bounded memory.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

/// What is known of one key.
#[derive(Clone, Copy, Debug)]
struct Tally {
    /// Failures, as they fade: the weight at `at`.
    weight: f64,
    at: Instant,
    /// Until when it has to wait; doubles with each failure past the limit.
    until: Option<Instant>,
    /// How often the limit was passed in a row.
    passed: u32,
}

/// Failures per key. One that is over loses weight evenly, so that `failures` have faded after the window.
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
pub(crate) const QUIET: Duration = Duration::from_hours(24);

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

    /// Whether it has to be kept: somebody waits, or the waits have grown and have not been quiet for long enough.
    fn matters(&self, allowance: &Allowance, now: Instant) -> bool {
        let grown = self.passed > 0 && now.saturating_duration_since(self.at) < QUIET;
        grown || self.faded(allowance, now) > 0.0
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

    /// Whether the key has failed so often within the window.
    pub(super) fn has_failed(&self, key: &K, times: u32, allowance: &Allowance, now: Instant) -> bool {
        self.known.get(key).is_some_and(|tally| tally.faded(allowance, now) + 0.5 >= f64::from(times))
    }

    /// Counts a failure.
    pub(super) fn failed(&mut self, key: K, allowance: &Allowance, now: Instant) {
        if !self.known.contains_key(&key) {
            self.make_room(allowance, now);
        }
        let fresh = Tally { weight: 0.0, at: now, until: None, passed: 0 };
        let tally = self.known.entry(key).or_insert(fresh);
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

    /// Takes weight off: what was counted was no failure, or somebody there has shown to be honest.
    pub(super) fn relieve(&mut self, key: &K, by: f64, allowance: &Allowance, now: Instant) {
        if let Some(tally) = self.known.get_mut(key) {
            tally.weight = (tally.faded(allowance, now) - by).max(0.0);
            tally.at = tally.at.max(now);
            // what was given back had begun or lengthened the wait
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

    /// Drops what no longer matters; where everything does, the lightest half goes: keys that failed once or twice.
    fn make_room(&mut self, allowance: &Allowance, now: Instant) {
        if self.known.len() < self.most {
            return;
        }
        self.known.retain(|_, tally| tally.matters(allowance, now));
        if self.known.len() < self.most {
            return;
        }
        let heaviness = |tally: &Tally| f64::from(tally.passed) * 1_000.0 + tally.faded(allowance, now);
        let mut all: Vec<f64> = self.known.values().map(heaviness).collect();
        let middle = all.len() / 2;
        let (_, median, _) = all.select_nth_unstable_by(middle, f64::total_cmp);
        let median = *median;
        let mut keep = self.most / 2;
        self.known.retain(|_, tally| {
            let stays = heaviness(tally) > median && keep > 0;
            keep = keep.saturating_sub(usize::from(stays));
            stays
        });
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}

/// How many passwords were wrong and how many accepted of late, minute by minute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recent {
    minutes: [(u32, u32); MINUTES],
    /// The minute that the last entry is of.
    at: Instant,
    next: usize,
}

/// Minutes that are looked back.
const MINUTES: usize = 15;
const MINUTE: Duration = Duration::from_mins(1);

impl Recent {
    pub(super) fn new(now: Instant) -> Self {
        Self { minutes: [(0, 0); MINUTES], at: now, next: 0 }
    }

    fn turn(&mut self, now: Instant) {
        let mut turned = 0;
        while now.saturating_duration_since(self.at) >= MINUTE && turned < MINUTES {
            self.next = (self.next + 1) % MINUTES;
            self.minutes[self.next] = (0, 0);
            self.at += MINUTE;
            turned += 1;
        }
        if now.saturating_duration_since(self.at) >= MINUTE {
            self.at = now;
        }
    }

    pub(super) fn add(&mut self, wrong: u32, accepted: u32, now: Instant) {
        self.turn(now);
        let minute = &mut self.minutes[self.next];
        (minute.0, minute.1) = (minute.0.saturating_add(wrong), minute.1.saturating_add(accepted));
    }

    /// What was counted as wrong was not.
    pub(super) fn take_back(&mut self, now: Instant) {
        self.turn(now);
        let minute = &mut self.minutes[self.next];
        minute.0 = minute.0.saturating_sub(1);
    }

    /// Wrong and accepted ones of the last minutes.
    pub(super) fn sums(&mut self, now: Instant) -> (u32, u32) {
        self.turn(now);
        let add =
            |sum: (u32, u32), minute: &(u32, u32)| (sum.0.saturating_add(minute.0), sum.1.saturating_add(minute.1));
        self.minutes.iter().fold((0, 0), add)
    }

    /// Accepted ones in the best of the last minutes: a morning that has just begun has no average yet.
    pub(super) fn accepted_per_minute(&mut self, now: Instant) -> u32 {
        self.turn(now);
        self.minutes.iter().map(|minute| minute.1).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert!(tallies.must_wait(&1, &TEN, now + MINUTE * (wait - 1)), "{wait}");
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
        assert!(tallies.has_failed(&1, 3, &plain, start + MINUTE * 10));
        assert!(!tallies.has_failed(&1, 3, &plain, start + MINUTE * 12));
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

    #[test]
    fn one_key_alone_is_counted_too() {
        let (mut tallies, start) = (Tallies::new(1), Instant::now());
        for _ in 0..10 {
            tallies.failed((), &TEN, start);
        }
        assert!(tallies.must_wait(&(), &TEN, start));
    }

    #[test]
    fn what_happened_a_quarter_of_an_hour_ago_is_over() {
        let start = Instant::now();
        let mut recent = Recent::new(start);
        for minute in 0..20 {
            recent.add(2, 1, start + MINUTE * minute);
        }
        assert_eq!(recent.sums(start + MINUTE * 19), (30, 15));
        assert_eq!(recent.accepted_per_minute(start + MINUTE * 19), 1);
        assert_eq!(recent.sums(start + MINUTE * 100), (0, 0));
    }
}
