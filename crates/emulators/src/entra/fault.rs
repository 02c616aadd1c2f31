//! Faults at work: which rule strikes which request.

use serde_json::{Value, json};

use super::scenario::{Fault, FaultKind, FaultScope, Operation};
use crate::clock::{Micros, from_millis};
use crate::strike::Tally;

/// The rules in force, with what they have seen.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    seed: u64,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    fault: Fault,
    /// Requests of its operation and text.
    tally: Tally,
}

/// What is to happen to one request.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Wait so long before looking at it.
    pub(crate) delay: Micros,
    /// Show a state so much older.
    pub(crate) stale: Micros,
    /// Let the next page's link lead to this page.
    pub(crate) repeat_link: bool,
    pub(crate) end: Option<End>,
}

/// How a request ends that does not end well.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// Carried out or not, then closed (or reset) without a reply.
    Silence { carry_out: bool, reset: bool },
    /// Closed without a reply, and carried out so much later.
    LateCommit(Micros),
    /// Answered with an error, carried out or not.
    Error { carry_out: bool, status: u16, code: String, retry_after: Option<String> },
}

impl Faults {
    pub(crate) fn new(seed: u64, faults: Vec<Fault>) -> Self {
        let rules = faults.into_iter().map(|fault| Rule { fault, tally: Tally::default() });
        Self { seed, rules: rules.collect() }
    }

    /// How much older than the read delay a stale read may be: what the directory has to keep.
    pub(crate) fn oldest_read(&self) -> Micros {
        let stale = self.rules.iter().filter(|rule| rule.fault.kind == FaultKind::StaleRead);
        stale.map(|rule| delay(&rule.fault)).max().unwrap_or(0)
    }

    /// Decides for one request. `scopes` is what the request is; a single request is both an item and an envelope.
    pub(crate) fn plan(
        &self,
        scopes: &[FaultScope],
        operations: &[Operation],
        contains: impl Fn(&str) -> bool,
    ) -> Plan {
        let mut plan = Plan::default();
        for (number, rule) in self.rules.iter().enumerate() {
            let fault = &rule.fault;
            let is_looked_at = scopes.contains(&fault.strikes())
                && (fault.on == Operation::Any || operations.contains(&fault.on))
                && fault.contains.as_deref().is_none_or(&contains);
            if is_looked_at && rule.tally.strikes(&fault.selector(), self.seed, number as u64) {
                plan.add(fault);
            }
        }
        plan
    }

    /// What each rule has seen and done, in the order of the scenario.
    pub(crate) fn report(&self) -> Value {
        let rule = |rule: &Rule| {
            json!({
                "kind": rule.fault.kind,
                "seen": rule.tally.seen(),
                "struck": rule.tally.struck(),
            })
        };
        self.rules.iter().map(rule).collect()
    }
}

fn delay(fault: &Fault) -> Micros {
    let default = match fault.kind {
        FaultKind::StaleRead => 5_000,
        _ => 1_000,
    };
    from_millis(fault.delay_ms.unwrap_or(default))
}

impl Plan {
    fn add(&mut self, fault: &Fault) {
        let silence = |carry_out, reset| Some(End::Silence { carry_out, reset });
        let end = match fault.kind {
            FaultKind::Latency => {
                self.delay += delay(fault);
                None
            }
            FaultKind::StaleRead => {
                self.stale = self.stale.max(delay(fault));
                None
            }
            FaultKind::RepeatNextLink => {
                self.repeat_link = true;
                None
            }
            FaultKind::LoseReply => silence(true, false),
            FaultKind::LoseRequest => silence(false, false),
            FaultKind::Reset => silence(fault.after_commit, true),
            FaultKind::LateCommit => Some(End::LateCommit(delay(fault))),
            FaultKind::Storm429 => Some(error(fault, false, 429, Some("1.5"))),
            FaultKind::Error5xxBefore => Some(error(fault, false, fault.status.unwrap_or(503), None)),
            FaultKind::Error5xxAfter => Some(error(fault, true, fault.status.unwrap_or(503), None)),
        };
        // The first rule that ends the request wins.
        self.end = self.end.take().or(end);
    }
}

fn error(fault: &Fault, carry_out: bool, status: u16, retry_after: Option<&str>) -> End {
    let usual = match status {
        429 => "TooManyRequests",
        500 => "Service_InternalServerError",
        503 => "serviceNotAvailable",
        409 | 412 => "Directory_ConcurrencyViolation",
        _ => "UnknownError",
    };
    let retry_after = fault.retry_after.as_deref().or(retry_after).filter(|text| !text.is_empty());
    End::Error {
        carry_out,
        status,
        code: fault.code.clone().unwrap_or_else(|| usual.to_owned()),
        retry_after: retry_after.map(ToOwned::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(rule: &str, requests: usize) -> Vec<usize> {
        let fault: Fault = toml::from_str(&format!("kind = \"lose_reply\"\n{rule}")).unwrap();
        let faults = Faults::new(7, vec![fault]);
        let struck =
            |_: &usize| faults.plan(&[FaultScope::Item], &[Operation::Create], |text| text == "Ana").end.is_some();
        (1..=requests).filter(struck).collect()
    }

    #[test]
    fn the_selectors_narrow_one_after_the_other() {
        assert_eq!(strikes("", 3), [1, 2, 3]);
        assert_eq!(strikes("after = 2", 4), [3, 4]);
        assert_eq!(strikes("first = 2", 4), [1, 2]);
        assert_eq!(strikes("every = 2\nafter = 1", 6), [3, 5]);
        assert_eq!(strikes("times = 2\nevery = 2", 9), [2, 4]);
        assert_eq!(strikes("match = \"Ana\"", 1), [1]);
        assert!(strikes("match = \"Bo\"", 5).is_empty());
        assert!(strikes("on = \"delete\"", 5).is_empty());
        assert!(strikes("scope = \"envelope\"", 5).is_empty());
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed_and_about_as_often_as_asked() {
        let hits = strikes("probability = 0.3", 1_000);
        assert_eq!(hits, strikes("probability = 0.3", 1_000));
        assert!((250..350).contains(&hits.len()), "{}", hits.len());
    }
}
