//! When a check that fails is left alone: closed, open for a while, then probed by one attempt at a time.

use std::time::{Duration, Instant};

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerRules {
    /// So many failures in a row open it.
    pub failures: u32,
    /// How long it stays open before it is probed; doubles with each probe that fails, up to [`BreakerRules::longest`].
    pub rest: Duration,
    /// The longest rest.
    pub longest: Duration,
}

/// The state of one check: whether it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Breaker {
    rules: BreakerRules,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Instant,
        rest: Duration,
    },
    /// One attempt is under way to see; `until` is when it is given up for lost.
    HalfOpen {
        until: Instant,
        rest: Duration,
    },
}

/// Whether an attempt may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Leave {
    /// It may.
    Go,
    /// It may, and how it ends decides whether the others may.
    Probe,
    /// It may not.
    Rest,
}

impl Breaker {
    /// A closed one.
    pub fn new(rules: BreakerRules) -> Self {
        Self { rules, state: State::Closed { failures: 0 } }
    }

    /// Asks for leave. A probe that never reports back is given up after `patience`.
    pub fn ask(&mut self, now: Instant, patience: Duration) -> Leave {
        match self.state {
            State::Closed { .. } => Leave::Go,
            State::Open { until, .. } | State::HalfOpen { until, .. } if now < until => Leave::Rest,
            State::Open { rest, .. } | State::HalfOpen { rest, .. } => {
                self.state = State::HalfOpen { until: now + patience, rest };
                Leave::Probe
            }
        }
    }

    /// An attempt was answered, whatever the answer: the check works.
    pub fn answered(&mut self) {
        self.state = State::Closed { failures: 0 };
    }

    /// An attempt with `leave` got no answer, for a reason that is the check's own.
    pub fn failed(&mut self, leave: Leave, now: Instant) {
        self.state = match (self.state, leave) {
            (State::HalfOpen { rest, .. }, Leave::Probe) => {
                let rest = (rest * 2).min(self.rules.longest);
                State::Open { until: now + rest, rest }
            }
            (State::Closed { failures }, _) if failures + 1 >= self.rules.failures => {
                State::Open { until: now + self.rules.rest, rest: self.rules.rest }
            }
            (State::Closed { failures }, _) => State::Closed { failures: failures + 1 },
            // begun before it opened: says nothing new
            (other, _) => other,
        };
    }

    /// Something says that the check is not to be asked for a while, whatever it answers.
    pub fn trip(&mut self, now: Instant) {
        let rest = match self.state {
            State::Closed { .. } => self.rules.rest,
            State::Open { rest, .. } | State::HalfOpen { rest, .. } => (rest * 2).min(self.rules.longest),
        };
        self.state = State::Open { until: now + rest, rest };
    }

    /// A probe ended without telling anything of the check: the next attempt probes.
    pub fn undecided(&mut self, leave: Leave, now: Instant) {
        if let (State::HalfOpen { rest, .. }, Leave::Probe) = (self.state, leave) {
            self.state = State::Open { until: now, rest };
        }
    }

    /// Whether attempts are turned away at `now`.
    pub fn is_open(&self, now: Instant) -> bool {
        match self.state {
            State::Closed { .. } => false,
            State::Open { until, .. } | State::HalfOpen { until, .. } => now < until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker() -> Breaker {
        Breaker::new(BreakerRules { failures: 3, rest: 5 * SECOND, longest: 12 * SECOND })
    }

    fn opened(now: Instant) -> Breaker {
        let mut breaker = breaker();
        for _ in 0..3 {
            assert_eq!(breaker.ask(now, SECOND), Leave::Go);
            breaker.failed(Leave::Go, now);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_between_starts_the_count_anew() {
        let (mut breaker, now) = (breaker(), Instant::now());
        for _ in 0..10 {
            breaker.failed(Leave::Go, now);
            breaker.failed(Leave::Go, now);
            breaker.answered();
        }
        assert_eq!(breaker.ask(now, SECOND), Leave::Go);
        let mut breaker = opened(now);
        assert_eq!(breaker.ask(now + 4 * SECOND, SECOND), Leave::Rest);
        assert!(breaker.is_open(now));
    }

    #[test]
    fn one_attempt_probes_and_its_answer_closes_it() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + 5 * SECOND;
        assert_eq!(breaker.ask(later, SECOND), Leave::Probe);
        assert_eq!(breaker.ask(later, SECOND), Leave::Rest);
        breaker.answered();
        assert_eq!(breaker.ask(later, SECOND), Leave::Go);
    }

    #[test]
    fn a_probe_that_fails_makes_the_rest_longer_up_to_a_bound() {
        let mut now = Instant::now();
        let mut breaker = opened(now);
        for rest in [5, 10, 12, 12] {
            assert_eq!(breaker.ask(now + (rest - 1) * SECOND, SECOND), Leave::Rest);
            now += rest * SECOND;
            assert_eq!(breaker.ask(now, SECOND), Leave::Probe);
            breaker.failed(Leave::Probe, now);
        }
    }

    #[test]
    fn a_probe_that_is_lost_does_not_keep_it_open_for_ever_and_late_failures_do_not_count() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + 5 * SECOND;
        assert_eq!(breaker.ask(later, SECOND), Leave::Probe);
        breaker.failed(Leave::Go, later);
        assert_eq!(breaker.ask(later + SECOND, SECOND), Leave::Probe);
        breaker.undecided(Leave::Probe, later + SECOND);
        assert_eq!(breaker.ask(later + SECOND, SECOND), Leave::Probe);
    }
}
