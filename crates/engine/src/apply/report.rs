//! What apply did, and how it compares with what was predicted.

use std::collections::BTreeMap;

use serde::Serialize;
use sterna_core::{code::Code, state::ProfileEvent};
use sterna_ledger::sending::Outcome;

/// What apply did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ApplyReport {
    /// Accounts that were made.
    pub applied: u64,
    /// Of these, found by look-up after an answer was lost.
    pub after_unknown_outcome: u64,
    /// Accounts that were there already and are remembered.
    pub adopted: u64,
    /// Accounts that got identities.
    pub linked: u64,
    /// Accounts that the target refused.
    pub refused: u64,
    /// Accounts that met somebody who is there already.
    pub clashes: u64,
    /// Why: code → accounts.
    pub reasons: BTreeMap<String, u64>,
    /// Requests (items) that were sent.
    pub sent: u64,
    /// Of these, put off: turned away for the quota, or not sent because what may be under way was.
    pub throttled: u64,
    /// Requests whose outcome was unknown for a while.
    pub doubts: u64,
    /// How long it took, in seconds.
    pub took_secs: f64,
    /// How long it was predicted to take, in seconds.
    pub predicted_secs: f64,
    /// Accounts that are still planned.
    pub left: u64,
    /// Accounts whose outcome is still unknown.
    pub open: u64,
    /// What was made at the target besides accounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<String>,
    /// Why it ended before everything was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

/// Why apply ended before everything was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// What it is.
    pub code: Code,
    /// In words.
    pub message: String,
}

impl ApplyReport {
    /// Whether accounts failed.
    pub fn failed(&self) -> u64 {
        self.refused + self.clashes
    }

    /// Both runs together, as of the later one.
    pub(crate) fn and(self, later: Self) -> Self {
        let mut reasons = self.reasons;
        for (code, accounts) in later.reasons {
            *reasons.entry(code).or_default() += accounts;
        }
        Self {
            applied: self.applied + later.applied,
            after_unknown_outcome: self.after_unknown_outcome + later.after_unknown_outcome,
            adopted: self.adopted + later.adopted,
            linked: self.linked + later.linked,
            refused: self.refused + later.refused,
            clashes: self.clashes + later.clashes,
            reasons,
            sent: self.sent + later.sent,
            throttled: self.throttled + later.throttled,
            doubts: self.doubts + later.doubts,
            took_secs: self.took_secs + later.took_secs,
            predicted_secs: self.predicted_secs + later.predicted_secs,
            left: later.left,
            open: later.open,
            made: [self.made, later.made].concat(),
            stopped: later.stopped,
        }
    }

    pub(super) fn count(&mut self, outcome: &Outcome, after_doubt: bool) {
        match outcome.event {
            Some(ProfileEvent::Holds) => {
                self.applied += 1;
                self.after_unknown_outcome += u64::from(after_doubt);
            }
            Some(ProfileEvent::Adopt) => self.adopted += 1,
            Some(ProfileEvent::Link) => self.linked += 1,
            Some(ProfileEvent::Refuse) => self.refused += 1,
            Some(ProfileEvent::Clash) => self.clashes += 1,
            _ => return,
        }
        if matches!(outcome.event, Some(ProfileEvent::Refuse | ProfileEvent::Clash))
            && let Some(code) = outcome.code
        {
            *self.reasons.entry(code.to_string()).or_default() += 1;
        }
    }
}
