//! How many requests are let through: sliding windows, per client or per address (RFC 7644 leaves this to HTTP: 429 with
//! `Retry-After`).

use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;

use super::scenario::Route;
use crate::clock::Micros;
use crate::window::{Window, WindowLimit};

/// One limit, `[[quota]]` in a scenario file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which requests count. Default: any.
    #[serde(default)]
    pub on: Route,
    /// What is counted. Default: requests.
    #[serde(default)]
    pub unit: Unit,
    /// So many in any stretch of time of this length.
    pub count: u64,
    /// The length, in seconds.
    pub window_secs: u64,
    /// Whether each network address has a window of its own, or each client. Default: each client.
    #[serde(default)]
    pub per_address: bool,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// HTTP requests.
    #[default]
    Requests,
    /// Changes: a bulk request counts its operations, a single change one, a read nothing.
    Writes,
}

impl Rule {
    /// So many requests of these per minute and address.
    pub(crate) const fn per_minute(on: Route, count: u64) -> Self {
        Self { on, unit: Unit::Requests, count, window_secs: 60, per_address: true }
    }

    /// So many changes per second, measured over ten seconds.
    pub(crate) fn writes_per_second(rate: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the positive range")]
        let count = (rate * 10.0).round().clamp(1.0, 1e12) as u64;
        Self { on: Route::Any, unit: Unit::Writes, count, window_secs: 10, per_address: false }
    }
}

/// What a request costs.
#[derive(Debug, Clone)]
pub(crate) struct Cost {
    pub(crate) route: Route,
    pub(crate) writes: u64,
    pub(crate) client: String,
    pub(crate) address: String,
}

/// Windows of one rule at most: addresses and clients that are not known are no reason to run out of memory.
const MOST_WINDOWS: usize = 10_000;

/// The limits in force and what has been used of them.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    rules: Vec<Rule>,
    windows: Vec<HashMap<String, Window>>,
}

impl Throttle {
    pub(crate) fn new(rules: Vec<Rule>) -> Self {
        let windows = rules.iter().map(|_| HashMap::new()).collect();
        Self { rules, windows }
    }

    /// Lets a request through, or says after how long there is room. Refused requests cost nothing.
    pub(crate) fn admit(&mut self, cost: &Cost, now: Micros) -> Result<(), Micros> {
        let mut wait = 0;
        for (rule, windows) in self.rules.iter().zip(&mut self.windows) {
            let count = rule.costs(cost);
            if count > 0 {
                if windows.len() >= MOST_WINDOWS {
                    windows.clear();
                }
                let limit = WindowLimit { count: rule.count, window: Duration::from_secs(rule.window_secs.max(1)) };
                let window = windows.entry(rule.whose(cost)).or_insert_with(|| Window::new(limit));
                wait = wait.max(window.wait(count.min(rule.count), now));
            }
        }
        if wait > 0 {
            return Err(wait);
        }
        for (rule, windows) in self.rules.iter().zip(&mut self.windows) {
            if let Some(window) = windows.get_mut(&rule.whose(cost)) {
                window.take(rule.costs(cost), now);
            }
        }
        Ok(())
    }
}

impl Rule {
    fn costs(&self, cost: &Cost) -> u64 {
        let is_meant = self.on.covers(cost.route);
        match self.unit {
            _ if !is_meant => 0,
            Unit::Requests => 1,
            Unit::Writes => cost.writes,
        }
    }

    fn whose(&self, cost: &Cost) -> String {
        if self.per_address { cost.address.clone() } else { cost.client.clone() }
    }
}
