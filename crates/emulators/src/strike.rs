//! Which requests a fault strikes: the same selectors for every emulator.

use std::sync::atomic::{AtomicU64, Ordering};

/// The selectors of one fault, applied one after the other.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Selector {
    /// Leaves the first so many requests alone.
    pub(crate) after: u64,
    /// Of those that follow, strikes only among the first so many.
    pub(crate) first: Option<u64>,
    /// Of those, only every so-manieth.
    pub(crate) every: Option<u64>,
    /// Of those, each with this probability.
    pub(crate) probability: Option<f64>,
    /// Ends after so many strikes.
    pub(crate) times: Option<u64>,
}

impl Selector {
    /// Says what cannot be meant.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.probability.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return Err("the probability of a fault is from 0 to 1".to_owned());
        }
        if self.every == Some(0) {
            return Err("`every = 0` of a fault would never strike; 1 strikes each time".to_owned());
        }
        Ok(())
    }
}

/// What one fault has seen and done.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    seen: AtomicU64,
    struck: AtomicU64,
}

impl Tally {
    /// Requests that were looked at.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }

    /// Requests that were struck.
    pub(crate) fn struck(&self) -> u64 {
        self.struck.load(Ordering::Relaxed)
    }

    /// Looks at one more request. `number` is the fault's among all.
    pub(crate) fn strikes(&self, selector: &Selector, seed: u64, number: u64) -> bool {
        let number_seen = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        let Some(turn) = number_seen.checked_sub(selector.after).filter(|turn| *turn > 0) else { return false };
        let chosen = selector.first.is_none_or(|first| turn <= first)
            && selector.every.is_none_or(|every| turn % every == 0)
            && selector.probability.is_none_or(|share| chance(seed, number, number_seen) < share);
        if !chosen {
            return false;
        }
        let times = selector.times.unwrap_or(u64::MAX);
        let more = |struck: u64| (struck < times).then_some(struck + 1);
        self.struck.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }
}

/// A number from 0 to 1 that depends on nothing but its arguments (`SplitMix64`).
fn chance(seed: u64, rule: u64, request: u64) -> f64 {
    let mut state = seed ^ rule.wrapping_mul(0xA24B_AED4_963E_E407) ^ request.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^= state >> 31;
    f64::from(u32::try_from(state >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
