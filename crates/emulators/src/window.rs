//! A sliding window in its real shape: so many in any stretch of time, however they are spread in it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::{Micros, micros};

/// A limit in its real shape: so many in any stretch of time of this length, however they are spread in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowLimit {
    /// How many (writes or resource units).
    pub count: u64,
    /// The length of the window.
    pub window: Duration,
}

impl WindowLimit {
    pub(crate) const fn new(count: u64, secs: u64) -> Self {
        Self { count, window: Duration::from_secs(secs) }
    }
}

/// Uses within one millisecond are kept as one, which bounds the list by the window's milliseconds.
const GRAIN: Micros = 1_000;

/// What was used within the last window.
#[derive(Debug)]
pub(crate) struct Window {
    span: Micros,
    limit: u64,
    /// (when, how much), the oldest first.
    uses: VecDeque<(Micros, u64)>,
    used: u64,
}

impl Window {
    pub(crate) fn new(limit: WindowLimit) -> Self {
        Self { span: micros(limit.window), limit: limit.count, uses: VecDeque::new(), used: 0 }
    }

    /// Changes the limit; what was used stays used.
    pub(crate) fn set(&mut self, limit: WindowLimit) {
        self.span = micros(limit.window);
        self.limit = limit.count;
    }

    /// Fills the window as if the whole limit had been used evenly until `now`.
    pub(crate) fn fill(&mut self, now: Micros) {
        self.uses.clear();
        self.used = 0;
        let grains = (self.span / GRAIN).max(1);
        for grain in 0..grains {
            let share = self.limit * (grain + 1) / grains - self.limit * grain / grains;
            if share > 0 {
                self.uses.push_back((now.saturating_sub(self.span - grain * GRAIN), share));
                self.used += share;
            }
        }
    }

    fn forget(&mut self, now: Micros) {
        while let Some((at, count)) = self.uses.front() {
            if *at + self.span > now {
                break;
            }
            self.used -= count;
            self.uses.pop_front();
        }
    }

    /// How long until `count` more fit; zero when they fit now.
    pub(crate) fn wait(&mut self, count: u64, now: Micros) -> Micros {
        self.forget(now);
        let Some(mut excess) = (self.used + count).checked_sub(self.limit).filter(|excess| *excess > 0) else {
            return 0;
        };
        for (at, used) in &self.uses {
            if *used >= excess {
                return (*at + self.span).saturating_sub(now);
            }
            excess -= used;
        }
        // More than the whole window allows: it never fits, so come back when the window is empty.
        self.span
    }

    pub(crate) fn take(&mut self, count: u64, now: Micros) {
        if count == 0 {
            return;
        }
        self.used += count;
        match self.uses.back_mut() {
            Some((at, used)) if *at / GRAIN == now / GRAIN => {
                *at = now;
                *used += count;
            }
            _ => self.uses.push_back((now, count)),
        }
    }

    /// The used share of the limit.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub(crate) fn share(&self) -> f64 {
        self.used as f64 / self.limit.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Micros = 1 << 40;

    fn ten_per_second() -> Window {
        Window::new(WindowLimit { count: 10, window: Duration::from_secs(1) })
    }

    #[test]
    fn a_burst_is_allowed_and_then_nothing_until_its_first_use_leaves_the_window() {
        let mut window = ten_per_second();
        for step in 0..10 {
            let now = START + step * 5_000;
            assert_eq!(window.wait(1, now), 0);
            window.take(1, now);
        }
        let now = START + 100_000;
        assert_eq!(window.wait(1, now), 900_000);
        assert_eq!(window.wait(2, now), 905_000);
        assert_eq!(window.wait(1, START + 1_000_000), 0);
    }

    #[test]
    fn a_filled_window_lets_the_even_rate_through() {
        let mut window = ten_per_second();
        window.fill(START);
        let mut passed = 0;
        for step in 0..2_000 {
            let now = START + step * 1_000;
            if window.wait(1, now) == 0 {
                window.take(1, now);
                passed += 1;
            }
        }
        assert!((19..=21).contains(&passed), "{passed}");
    }

    #[test]
    fn a_halved_limit_lets_nothing_through_until_the_excess_has_left() {
        let mut window = ten_per_second();
        (0..10).for_each(|step| window.take(1, START + step * 100_000));
        window.set(WindowLimit { count: 5, window: Duration::from_secs(1) });
        assert_eq!(window.wait(1, START + 950_000), 550_000);
    }
}
