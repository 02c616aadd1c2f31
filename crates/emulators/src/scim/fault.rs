//! Faults at work: which rule strikes which request, and what that means for it.

use serde_json::{Value, json};

use super::call::Effects;
use super::scenario::{Fault, FaultKind, Route};
use crate::clock::{Micros, from_millis};
use crate::strike::Tally;

/// The rules in force, with what they have seen.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    seed: u64,
    rules: Vec<(Fault, Tally)>,
}

/// What is to happen to one request.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Wait so long before looking at it.
    pub(crate) delay: Micros,
    pub(crate) effects: Effects,
    pub(crate) end: Option<End>,
}

/// How a request ends that does not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// Carried out or not, then closed (or reset) without a reply.
    Silence { carry_out: bool, reset: bool },
    /// Closed without a reply, and carried out so much later.
    LateCommit(Micros),
    /// Answered with an error, carried out or not.
    Error { carry_out: bool, status: u16, retry_after: Option<String> },
}

impl Faults {
    pub(crate) fn new(seed: u64, faults: Vec<Fault>) -> Self {
        Self { seed, rules: faults.into_iter().map(|fault| (fault, Tally::default())).collect() }
    }

    /// How much older than the read delay a stale read may be: what the store has to keep.
    pub(crate) fn oldest_read(&self) -> Micros {
        let stale = self.rules.iter().filter(|(fault, _)| fault.kind == FaultKind::StaleRead);
        stale.map(|(fault, _)| delay(fault)).max().unwrap_or(0)
    }

    /// Decides for one request.
    pub(crate) fn plan(&self, route: Route, contains: impl Fn(&str) -> bool) -> Plan {
        let mut plan = Plan::default();
        for (number, (fault, tally)) in self.rules.iter().enumerate() {
            let is_looked_at =
                fault.on.covers(route) && fault.kind.concerns(route) && fault.contains.as_deref().is_none_or(&contains);
            if is_looked_at && tally.strikes(&fault.selector(), self.seed, number as u64) {
                plan.add(fault);
            }
        }
        plan
    }

    /// What each rule has seen and done, in the order of the scenario.
    pub(crate) fn report(&self) -> Value {
        let rule = |(fault, tally): &(Fault, Tally)| json!({ "kind": fault.kind, "seen": tally.seen(), "struck": tally.struck() });
        self.rules.iter().map(rule).collect()
    }
}

impl FaultKind {
    /// Whether it can do anything to such a request: others are not counted.
    fn concerns(self, route: Route) -> bool {
        match self {
            Self::StaleRead => matches!(route, Route::Read | Route::List),
            Self::RepeatPage | Self::IgnoreFilter => route == Route::List,
            Self::Accepted202 => route == Route::Create,
            _ => true,
        }
    }
}

fn delay(fault: &Fault) -> Micros {
    let default = if fault.kind == FaultKind::StaleRead { 5_000 } else { 1_000 };
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
                self.effects.stale = self.effects.stale.max(delay(fault));
                None
            }
            FaultKind::RepeatPage => {
                self.effects.repeat_page = true;
                None
            }
            FaultKind::IgnoreFilter => {
                self.effects.ignore_filter = true;
                None
            }
            FaultKind::Accepted202 => {
                self.effects.accepted = true;
                None
            }
            FaultKind::LoseReply => silence(true, false),
            FaultKind::LoseRequest => silence(false, false),
            FaultKind::ResetBefore => silence(false, true),
            FaultKind::ResetAfter => silence(true, true),
            FaultKind::LateCommit => Some(End::LateCommit(delay(fault))),
            FaultKind::Storm429 => Some(error(fault, false, 429, Some("1"))),
            FaultKind::Error5xxBefore => Some(error(fault, false, fault.status.unwrap_or(503), None)),
            FaultKind::Error5xxAfter => Some(error(fault, true, fault.status.unwrap_or(503), None)),
        };
        // The first rule that ends the request wins.
        self.end = self.end.take().or(end);
    }
}

fn error(fault: &Fault, carry_out: bool, status: u16, retry_after: Option<&str>) -> End {
    let retry_after = fault.retry_after.as_deref().or(retry_after).filter(|text| !text.is_empty());
    End::Error { carry_out, status, retry_after: retry_after.map(ToOwned::to_owned) }
}
