//! The rule that stops a run whose error rate says that something is wrong (design.md 6.6).

use std::collections::VecDeque;

/// When to stop: more than `percent` of the last `window` accounts failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AbortRule {
    /// Failures in per cent of the window.
    pub percent: f64,
    /// How many accounts the window has.
    pub window: usize,
}

impl Default for AbortRule {
    fn default() -> Self {
        Self { percent: 5.0, window: 1_000 }
    }
}

/// The outcomes of the last accounts.
#[derive(Debug)]
pub struct Recent {
    rule: AbortRule,
    outcomes: VecDeque<bool>,
    failures: usize,
}

impl Recent {
    /// Nothing has happened yet.
    pub fn new(rule: AbortRule) -> Self {
        Self { rule, outcomes: VecDeque::new(), failures: 0 }
    }

    /// Takes note of one account; `true` when the run has to stop.
    ///
    /// The bound is counted against the whole window, so that a short run is not stopped by its first failure.
    pub fn note(&mut self, failed: bool) -> bool {
        self.outcomes.push_back(failed);
        self.failures += usize::from(failed);
        if self.outcomes.len() > self.rule.window {
            self.failures -= usize::from(self.outcomes.pop_front() == Some(true));
        }
        #[expect(clippy::cast_precision_loss, reason = "windows are some thousands")]
        let most = self.rule.window as f64 * self.rule.percent / 100.0;
        #[expect(clippy::cast_precision_loss, reason = "windows are some thousands")]
        let failures = self.failures as f64;
        failures > most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_five_per_cent_of_the_last_thousand_stops_a_run() {
        let mut recent = Recent::new(AbortRule::default());
        let stops = (0..2_000).map(|at| recent.note(at % 20 == 0)).filter(|stop| *stop).count();
        assert_eq!(stops, 0, "exactly five per cent is not more");
        let stopped = (0..1_000).position(|_| recent.note(true));
        assert_eq!(stopped, Some(1), "the window slides: the first one more replaces a failure that leaves");
    }

    #[test]
    fn a_short_run_is_not_stopped_by_its_first_failures() {
        let mut recent = Recent::new(AbortRule::default());
        assert!((0..50).all(|_| !recent.note(true)));
        assert!(recent.note(true));
    }
}
