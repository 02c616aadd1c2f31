//! A plan is a promise for one target and one configuration: what it was made for is kept with it, and nothing is sent
//! where the present differs from that. Start at [`same_target`].

use sterna_core::{code::Code, cohort::Cohort, port::Descriptor};

use crate::{error::PhaseError, run::Run};

/// The document with what the target said when the plan was made.
const TARGET: &str = "descriptor";
/// The document with the cohorts that the plan numbers.
const COHORTS: &str = "cohorts";

/// Keeps what the target says with the plan.
pub(crate) async fn keep_target(run: &Run, descriptor: &Descriptor) -> Result<(), PhaseError> {
    let text = serde_json::to_string(descriptor).unwrap_or_default();
    Ok(run.ledger.set_document(TARGET, text).await?)
}

/// What the target said when the plan was made; `None` where there is no plan.
///
/// # Errors
/// [`Code::E5003`] when another version of the program made it.
pub(crate) async fn planned_target(run: &Run) -> Result<Option<Descriptor>, PhaseError> {
    let Some(text) = run.ledger.document(TARGET).await? else { return Ok(None) };
    let read = serde_json::from_str(&text);
    read.map(Some).map_err(|_| PhaseError::cannot(Code::E5003, "the plan is of another version"))
}

/// Drafts name the target's domains and attributes, so another target, or the same one with other settings, is refused.
///
/// # Errors
/// [`Code::E5003`] names what is different.
pub(super) async fn same_target(run: &Run, now: &Descriptor) -> Result<(), PhaseError> {
    let Some(planned) = planned_target(run).await? else { return Ok(()) };
    let same = planned.kind == now.kind && planned.local_issuer == now.local_issuer && planned.flag == now.flag;
    if !same {
        let message =
            format!("the plan was made for {} ({}), not for {} ({})", planned.name, planned.kind, now.name, now.kind);
        return Err(PhaseError::cannot(Code::E5003, message));
    }
    let differs = |name: &&String| planned.fingerprint.get(*name) != now.fingerprint.get(*name);
    let names = planned.fingerprint.keys().chain(now.fingerprint.keys());
    match names.into_iter().find(differs) {
        None => Ok(()),
        Some(name) => {
            let message = format!("`{name}` of the target has changed since the plan was made");
            Err(PhaseError::cannot(Code::E5003, message))
        }
    }
}

/// Whether a plan for some accounts alone may go on numbering cohorts as the plan for all of them did, and that it is
/// not known any more what the numbers mean while a plan for all of them is being made for other cohorts.
///
/// # Errors
/// [`Code::E5003`] when it is a plan for some accounts and the cohorts have changed.
pub(crate) async fn begin_cohorts(run: &Run, cohorts: &[Cohort], is_part: bool) -> Result<(), PhaseError> {
    if planned_cohorts(run).await?.as_deref() == Some(cohorts) {
        return Ok(());
    }
    if is_part {
        return Err(PhaseError::cannot(Code::E5003, "the cohorts have changed since the plan was made"));
    }
    Ok(run.ledger.set_document(COHORTS, String::new()).await?)
}

/// Keeps the cohorts that a finished plan numbers.
pub(crate) async fn keep_cohorts(run: &Run, cohorts: &[Cohort]) -> Result<(), PhaseError> {
    let text = serde_json::to_string(cohorts).unwrap_or_default();
    Ok(run.ledger.set_document(COHORTS, text).await?)
}

/// The number that the plan gave to the cohort `name` of `cohorts`, which are the present ones.
///
/// An account belongs to the first cohort that holds it, so the ones before it have to be as they were too.
///
/// # Errors
/// [`Code::E5014`] when there is none of that name; [`Code::E5003`] when the plan was made for other cohorts.
pub async fn cohort(run: &Run, name: &str, cohorts: &[Cohort]) -> Result<u32, PhaseError> {
    let unknown = || PhaseError::cannot(Code::E5014, format!("there is no cohort \"{}\"", name.escape_debug()));
    let at = cohorts.iter().position(|cohort| cohort.name == name).ok_or_else(unknown)?;
    let planned = planned_cohorts(run).await?.unwrap_or_default();
    if planned.get(..=at) != cohorts.get(..=at) {
        let message = format!("the plan was made for other cohorts, or for another \"{}\"", name.escape_debug());
        return Err(PhaseError::cannot(Code::E5003, message));
    }
    u32::try_from(at).map_err(|_| unknown())
}

/// The cohorts that the plan numbers; `None` when there is no plan, or none that was made to its end.
async fn planned_cohorts(run: &Run) -> Result<Option<Vec<Cohort>>, PhaseError> {
    let text = run.ledger.document(COHORTS).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}
