//! Apply: sends exactly what was planned, at the configured share of the target's quota.
//!
//! The intent is durable before a request leaves; a lost answer is looked up after the settling time, counted from the
//! request's last possible end, and never sent again blindly (design.md 3, 6.1). [`resolve`] is the deciding part and
//! pure; [`sender::Sender`] keeps what is under way.

pub mod abort;
mod flight;
pub(crate) mod lanes;
pub mod promise;
mod report;
pub mod resolve;
mod sender;

use std::{collections::HashSet, sync::Arc, time::Instant};

use sterna_core::{
    code::Code,
    ids::Ordinal,
    port::{Needs, Target},
    state::ProfileState,
};
use sterna_ledger::sending::Workload;

pub use abort::AbortRule;
pub use report::{ApplyReport, Stopped};

use crate::{
    error::PhaseError,
    plan::{Matching, predict},
    run::{Run, has_errors},
};

/// What apply is told besides the ledger.
pub struct ApplyInput {
    /// The target, connected.
    pub target: Arc<dyn Target>,
    /// Only accounts of this cohort, by its number in the plan ([`promise::cohort`]).
    pub cohort: Option<u32>,
    /// At most so many accounts.
    pub limit: Option<u64>,
    /// When to stop by itself.
    pub abort: AbortRule,
    /// What counts as the same person, where somebody turns up between plan and apply.
    pub matching: Matching,
}

/// What apply would do, for the operator to agree to.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Preview {
    /// How many accounts are worked on.
    pub work: Workload,
    /// How long it is predicted to take, in seconds.
    pub predicted_secs: f64,
    /// What checks at the target found.
    pub findings: Vec<sterna_core::code::Finding>,
}

/// Tells what apply would do; sends nothing that changes.
pub async fn preview(run: &Run, input: &ApplyInput) -> Result<Preview, PhaseError> {
    let work = run.ledger.workload(input.cohort).await?;
    let status = sterna_ledger::status::read(run.ledger.folder())?;
    if status.reasons.contains_key(Code::L4003.as_str()) {
        return Err(PhaseError::cannot(
            Code::E5004,
            "accounts are held because their issuer is not listed; list or exclude it, and plan again",
        ));
    }
    if work.planned + work.open == 0 {
        return Err(PhaseError::cannot(Code::E5002, "nothing is planned"));
    }
    look_ahead(run, input, work).await
}

/// What checks at the target say of so much work.
async fn look_ahead(run: &Run, input: &ApplyInput, work: Workload) -> Result<Preview, PhaseError> {
    promise::same_target(run, input.target.descriptor()).await?;
    let limit = input.limit.unwrap_or(u64::MAX);
    let creates = work.creates.min(limit);
    let needs = Needs { creates, links: work.links > 0, just_in_time: input.target.descriptor().flag.is_some() };
    let predicted_secs = predict(&input.target.descriptor().quota, (work.creates + work.links).min(limit));
    let findings = input.target.preflight(&needs).await;
    Ok(Preview { work, predicted_secs, findings })
}

/// Sends what is planned.
///
/// # Errors
/// [`PhaseError::Findings`] when checks at the target found errors; nothing was sent then.
pub async fn apply(run: &Run, input: &ApplyInput) -> Result<ApplyReport, PhaseError> {
    let _lock = run.ledger.lock("apply")?;
    run.lay_repairs_aside().await?;
    run_apply(run, input, "apply", None).await
}

/// Apply under a lock that the caller holds; to `only` these accounts, where a repair or retry decided on them alone.
pub(crate) async fn run_apply(
    run: &Run,
    input: &ApplyInput,
    phase: &'static str,
    only: Option<HashSet<Ordinal>>,
) -> Result<ApplyReport, PhaseError> {
    run.ledger.relax(false);
    let preview = match &only {
        None => preview(run, input).await?,
        Some(only) => look_ahead(run, input, Workload { planned: only.len() as u64, ..Workload::default() }).await?,
    };
    if has_errors(&preview.findings) {
        return Err(PhaseError::Findings(preview.findings));
    }
    let worker = run.ledger.begin_run(phase, run.now()).await?;
    let names = prepare(run, input.target.as_ref()).await?;
    run.ledger.orphans_to_doubts(worker, run.now()).await?;
    let began = Instant::now();
    let part = only.as_ref().map_or(u64::MAX, |only| only.len() as u64).min(input.limit.unwrap_or(u64::MAX));
    let total = preview.work.planned.min(part) + preview.work.open;
    run.progress.begin("sending", total);
    let sender = sender::Sender::new(run, input, worker, only).await?;
    let (mut report, result) = sender.send_all().await;
    report.made = names;
    report.took_secs = began.elapsed().as_secs_f64();
    report.predicted_secs = preview.predicted_secs;
    let status = sterna_ledger::status::read(run.ledger.folder())?;
    report.left = status.profile(ProfileState::Planned);
    report.open = status.profile(ProfileState::Intended) + status.profile(ProfileState::InDoubt);
    let outcome = format!("{} applied, {} refused, {} left", report.applied, report.refused, report.left);
    run.ledger.end_run(worker, phase, outcome, run.now()).await?;
    result.map(|()| report)
}

/// Makes what every row depends on; what is about to be made is durable before it is asked for, as with accounts.
async fn prepare(run: &Run, target: &dyn Target) -> Result<Vec<String>, PhaseError> {
    run.ledger.intend_made(target.missing().await?, run.now()).await?;
    let made = target.prepare(&run.ledger.intended_made().await?).await?;
    let names = made.iter().map(|one| format!("{} {}", one.what, one.name)).collect();
    run.ledger.confirm_made(made, run.now()).await?;
    Ok(names)
}
