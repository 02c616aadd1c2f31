//! Retry: plans accounts that failed, clashed or were held anew, under the present configuration, and sends them.

use serde::Serialize;
use sterna_core::state::ProfileState;

use crate::{
    apply::{ApplyInput, ApplyReport, run_apply},
    error::PhaseError,
    plan::{PlanInput, PlanReport, Scope, make},
    run::Run,
};

/// What retry did.
#[derive(Clone, Debug, Serialize)]
pub struct RetryReport {
    /// What was planned anew.
    pub plan: PlanReport,
    /// What was sent; `None` when nothing came out planned.
    pub apply: Option<ApplyReport>,
}

/// States that are tried again.
pub const RETRIED: [ProfileState; 3] = [ProfileState::Refused, ProfileState::Clash, ProfileState::Held];

/// Plans anew and sends. `input.scope.accepted` says which clashes the operator accepts as the same person.
pub async fn retry(run: &Run, input: PlanInput, apply: &ApplyInput) -> Result<RetryReport, PhaseError> {
    let _lock = run.ledger.lock("retry")?;
    let scope = Scope { states: RETRIED.to_vec(), accepted: input.scope.accepted.clone() };
    let plan = make(run, &PlanInput { scope, ..input }).await?;
    if plan.decided.is_empty() {
        return Ok(RetryReport { plan, apply: None });
    }
    let only = plan.decided.iter().copied().collect();
    let applied = run_apply(run, apply, "retry", Some(only)).await?;
    Ok(RetryReport { plan, apply: Some(applied) })
}
