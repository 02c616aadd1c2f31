//! What a plan says: how many accounts of each action, what is lost, why accounts are held, how long it takes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sterna_core::{
    code::{Code, Finding},
    ids::Ordinal,
    pace::Quota,
    plan::{Action, Loss, Password},
    port::Descriptor,
};

use super::decide::Verdict;

/// What a plan says.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PlanReport {
    /// The target.
    pub target: String,
    /// Accounts on which an action is decided.
    pub planned: u64,
    /// Of these, by action.
    pub actions: BTreeMap<&'static str, u64>,
    /// Accounts that cannot be moved until something is mended.
    pub held: u64,
    /// Accounts that meet somebody who is there already.
    pub clashes: u64,
    /// Accounts left out by rule.
    pub excluded: u64,
    /// Why accounts are held, clash or are excluded: code → accounts.
    pub reasons: BTreeMap<String, u64>,
    /// What the target will not hold: code, what, accounts.
    pub losses: Vec<LossCount>,
    /// How the passwords of the accounts to be created get there.
    pub passwords: Passwords,
    /// Issuers that are not listed → accounts.
    pub unlisted_issuers: BTreeMap<String, u64>,
    /// Accounts by cohort; the ones of none are not named.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cohorts: BTreeMap<String, u64>,
    /// How long apply is predicted to take, in seconds.
    pub predicted_secs: f64,
    /// How long reading the target's own accounts took, in seconds.
    pub inventory_secs: f64,
    /// What has to be looked at.
    pub findings: Vec<Finding>,
    #[serde(skip)]
    counts: BTreeMap<Loss, u64>,
    /// The accounts on which an action was decided, where the plan was for some states alone.
    #[serde(skip)]
    pub(crate) decided: Vec<Ordinal>,
}

/// One sort of loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossCount {
    /// Its code.
    pub code: String,
    /// The attribute or issuer.
    pub what: String,
    /// How many accounts.
    pub accounts: u64,
}

/// How passwords get there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Passwords {
    /// There is none.
    pub not_needed: u64,
    /// The held plaintext is set.
    pub set: u64,
    /// They move at the first sign-in.
    pub awaiting_sign_in: u64,
    /// The person has to reset it.
    pub reset_due: u64,
}

impl PlanReport {
    pub(super) fn new(target: &Descriptor) -> Self {
        Self { target: format!("{} ({})", target.name, target.kind), ..Self::default() }
    }

    pub(super) fn count(&mut self, verdict: &Verdict, unlisted: &[String], cohort: Option<&str>) {
        for issuer in unlisted {
            *self.unlisted_issuers.entry(issuer.clone()).or_default() += 1;
        }
        if let Some(cohort) = cohort {
            *self.cohorts.entry(cohort.to_owned()).or_default() += 1;
        }
        let code = match verdict {
            Verdict::Do(action, planned) => {
                self.planned += 1;
                *self.actions.entry(action.name()).or_default() += 1;
                if *action == Action::Create {
                    self.passwords.count(&planned.draft.password);
                }
                for loss in &planned.losses {
                    // hardly ever a new one: look before a copy is made
                    match self.counts.get_mut(loss) {
                        Some(accounts) => *accounts += 1,
                        None => drop(self.counts.insert(loss.clone(), 1)),
                    }
                }
                return;
            }
            Verdict::Hold(code) => {
                self.held += 1;
                code
            }
            Verdict::Clash(code, _) => {
                self.clashes += 1;
                code
            }
            Verdict::Exclude(code) => {
                self.excluded += 1;
                code
            }
        };
        *self.reasons.entry(code.to_string()).or_default() += 1;
    }

    /// Counts an account that its source left out.
    pub(super) fn left_out(&mut self, code: Code) {
        self.excluded += 1;
        *self.reasons.entry(code.to_string()).or_default() += 1;
    }

    pub(super) fn loss_counts(&mut self) -> BTreeMap<Loss, u64> {
        let row = |(loss, accounts): (&Loss, &u64)| LossCount {
            code: loss.code.to_string(),
            what: loss.what.clone(),
            accounts: *accounts,
        };
        self.losses = self.counts.iter().map(row).collect();
        self.counts.clone()
    }
}

impl Passwords {
    fn count(&mut self, password: &Password) {
        match password {
            Password::None => self.not_needed += 1,
            Password::FromRecord => self.set += 1,
            Password::AtSignIn => self.awaiting_sign_in += 1,
            Password::Reset => self.reset_due += 1,
        }
    }
}

/// How long so many writes take under a quota, in seconds: what leaves at once, then the rate.
#[expect(clippy::cast_precision_loss, reason = "counts of accounts are far below 2^52")]
pub fn predict(quota: &Quota, writes: u64) -> f64 {
    let burst = quota.rate() * quota.window.as_secs_f64() * sterna_core::pace::BURST;
    let rest = writes as f64 - burst;
    if rest <= 0.0 || quota.rate() <= 0.0 { 0.0 } else { rest / quota.rate() }
}
