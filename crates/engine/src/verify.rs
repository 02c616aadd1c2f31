//! Verify: reads every account back and compares it field by field with what was planned; `--repair` plans only the
//! differences, and never a password or the just-in-time flag.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;
use sterna_core::{
    account::Identity,
    code::{Code, Finding},
    hook::PasswordRules,
    ids::Ordinal,
    plan::{Action, Planned},
    port::{Difference, DifferenceSort, Held, Probe, Target},
    state::{CredentialEvent, ProfileEvent, ProfileState},
};
use sterna_ledger::{
    planning::{Decision, InCohort},
    sending::{Case, Outcome, Selection},
};

use crate::{
    apply::{ApplyInput, ApplyReport, run_apply},
    error::PhaseError,
    held::held,
    plan::{fill_inventory, recreate},
    run::Run,
    words::{agreeing, counted},
};

/// What verify found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VerifyReport {
    /// Accounts that are as planned.
    pub equal: u64,
    /// Of these, accounts in which the target normalised a value.
    pub acceptable: u64,
    /// Accounts that differ.
    pub differs: u64,
    /// Accounts that are no longer at the target.
    pub missing: u64,
    /// Accounts at the target under a key of ours that should not be there.
    pub unexpected: u64,
    /// Passwords that moved at sign-in since the last look.
    pub moved: u64,
    /// Passwords that were changed at the target by other than our answer since the last look: the old ones never count again.
    pub superseded: u64,
    /// Attributes that differ → accounts.
    pub attributes: BTreeMap<String, u64>,
    /// What has to be looked at.
    pub findings: Vec<Finding>,
    /// What the repair did, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<ApplyReport>,
}

/// What a difference of identities is called.
const IDENTITIES: &str = "identities";

/// How often `--repair` plans and sends what differs.
const ROUNDS: u32 = 2;

/// Accounts that are read back at a time.
const CHUNK: usize = 400;

/// States in which an account should be at the target.
pub(crate) const AT_TARGET: [ProfileState; 7] = [
    ProfileState::Applied,
    ProfileState::Adopted,
    ProfileState::Linked,
    ProfileState::Left,
    ProfileState::Verified,
    ProfileState::Differs,
    ProfileState::Missing,
];

/// Whether the tenant is searched for two objects with one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// Reads everything back and compares.
pub async fn verify(run: &Run, target: &Arc<dyn Target>, sweep: Sweep) -> Result<VerifyReport, PhaseError> {
    let _lock = run.ledger.lock("verify")?;
    run.lay_repairs_aside().await?;
    let worker = run.ledger.begin_run("verify", run.now()).await?;
    let report = compare_all(run, target, sweep).await?;
    let outcome = format!("{} equal, {} differ, {} missing", report.equal, report.differs, report.missing);
    run.ledger.end_run(worker, "verify", outcome, run.now()).await?;
    Ok(report)
}

/// Verifies, plans the differences anew, sends them, and verifies again.
pub async fn repair(run: &Run, input: &ApplyInput, sweep: Sweep) -> Result<VerifyReport, PhaseError> {
    let _lock = run.ledger.lock("verify --repair")?;
    run.lay_repairs_aside().await?;
    let worker = run.ledger.begin_run("verify --repair", run.now()).await?;
    let mut report = compare_all(run, &input.target, sweep).await?;
    let mut repaired: Option<ApplyReport> = None;
    // attributes and identities are two requests: an account in which both differ takes two rounds
    for _ in 0..ROUNDS {
        let planned =
            if report.differs + report.missing > 0 { plan_repair(run, &input.target).await? } else { HashSet::new() };
        if planned.is_empty() {
            break;
        }
        let round = run_apply(run, input, "repair", Some(planned)).await?;
        let stopped = round.stopped.is_some() || round.failed() > 0;
        run.lay_repairs_aside().await?;
        repaired = Some(repaired.map_or(round.clone(), |before| before.and(round)));
        report = compare_all(run, &input.target, sweep).await?;
        if stopped {
            break;
        }
    }
    report.repair = repaired;
    let outcome = format!("{} equal, {} differ, {} missing", report.equal, report.differs, report.missing);
    run.ledger.end_run(worker, "verify --repair", outcome, run.now()).await?;
    Ok(report)
}

/// Compares under a lock that the caller holds.
pub(crate) async fn compare_all(run: &Run, target: &Arc<dyn Target>, sweep: Sweep) -> Result<VerifyReport, PhaseError> {
    settle(run, target.as_ref()).await?;
    let status = sterna_ledger::status::read(run.ledger.folder())?;
    let total = AT_TARGET.iter().map(|state| status.profile(*state)).sum();
    run.progress.begin("reading back", total);
    let mut report = VerifyReport::default();
    let mut after = None;
    loop {
        run.check_stop()?;
        let selection = Selection { states: AT_TARGET.to_vec(), cohort: None, after, limit: CHUNK };
        let cases = run.ledger.cases(selection).await?;
        let Some(last) = cases.last() else { break };
        after = Some(last.ordinal);
        chunk(run, target.as_ref(), &cases, &mut report).await?;
        run.progress.add(cases.len() as u64);
    }
    if sweep == Sweep::Yes {
        sweep_for_doubles(run, target.as_ref(), &mut report).await?;
    }
    findings(&mut report);
    Ok(report)
}

/// What was sent last has to be visible before it is missed.
pub(crate) async fn settle(run: &Run, target: &dyn Target) -> Result<(), PhaseError> {
    let Some(last) = run.ledger.last_sent().await? else { return Ok(()) };
    let settling = target.descriptor().settling;
    let ago = Duration::from_millis(u64::try_from(run.now().0 - last.0).unwrap_or_default());
    if ago < settling {
        run.wait(settling.saturating_sub(ago), "what was sent last settles at the target").await?;
    }
    Ok(())
}

async fn chunk(run: &Run, target: &dyn Target, cases: &[Case], report: &mut VerifyReport) -> Result<(), PhaseError> {
    let with_id = cases.iter().zip(held(target, cases).await?).filter(|(case, _)| case.target.is_some());
    let outcomes = with_id.map(|(case, held)| {
        let judged = judge(target, case, held.as_ref(), report);
        // it may have got another id
        Outcome { target: held.map(|held| held.id).filter(|id| case.target.as_ref() != Some(id)), ..judged }
    });
    let outcomes = outcomes.collect();
    run.ledger.settle(outcomes, run.now()).await?;
    Ok(())
}

fn judge(target: &dyn Target, case: &Case, held: Option<&Held>, report: &mut VerifyReport) -> Outcome {
    let Some(held) = held else {
        report.missing += 1;
        let detail = Some("nobody is there with its id or its key".to_owned());
        return Outcome { code: Some(Code::E5017), detail, ..Outcome::step(case.ordinal, ProfileEvent::Miss) };
    };
    // the flag going from true to false is the password having moved, never a difference
    let credential = PasswordRules::default().step(case.standing.credential, held);
    report.moved += u64::from(credential == Some(CredentialEvent::FlagCleared));
    report.superseded += u64::from(credential == Some(CredentialEvent::ChangedElsewhere));
    let differences = differences(target, case, held);
    let differs = differences.iter().any(|difference| difference.sort == DifferenceSort::Differs);
    if !differs {
        report.equal += 1;
        report.acceptable += u64::from(!differences.is_empty());
        return Outcome { credential, ..Outcome::step(case.ordinal, ProfileEvent::Equal) };
    }
    report.differs += 1;
    let differing = differences.into_iter().filter(|difference| difference.sort == DifferenceSort::Differs);
    let names: Vec<String> = differing.map(|difference| difference.attribute).collect();
    for name in &names {
        *report.attributes.entry(name.clone()).or_default() += 1;
    }
    let detail = Some(names.join(", "));
    Outcome { credential, code: Some(Code::E5011), detail, ..Outcome::step(case.ordinal, ProfileEvent::Differ) }
}

/// What differs. An account that was there before ours is compared by its identities alone.
fn differences(target: &dyn Target, case: &Case, held: &Held) -> Vec<Difference> {
    let Some(planned) = &case.planned else { return Vec::new() };
    match case.origin {
        Some(Action::Create) => target.compare(&planned.draft, held),
        _ => linked_differences(planned, held),
    }
}

fn linked_differences(planned: &Planned, held: &Held) -> Vec<Difference> {
    let missing = missing(&planned.add, &held.identities);
    missing
        .iter()
        .map(|_| Difference {
            attribute: IDENTITIES.to_owned(),
            sort: DifferenceSort::Differs,
            planned: Value::Null,
            held: Value::Null,
        })
        .collect()
}

/// The identities of `wanted` that are not among `held`.
fn missing(wanted: &[Identity], held: &[Identity]) -> Vec<Identity> {
    let has = |wanted: &Identity| held.iter().any(|identity| identity.canonical() == wanted.canonical());
    wanted.iter().filter(|wanted| !has(wanted)).cloned().collect()
}

/// Reads everything that the target holds, and looks for two objects with one key and for ones that should not be there.
async fn sweep_for_doubles(run: &Run, target: &dyn Target, report: &mut VerifyReport) -> Result<(), PhaseError> {
    run.progress.begin("sweeping the target for doubles", target.descriptor().accounts.unwrap_or(0));
    run.ledger.clear_inventory().await?;
    match fill_inventory(run, target).await {
        Err(error) if error.code() == Code::E2010 => {
            run.ledger.clear_inventory().await?;
            let message = "what the target holds cannot be read as a whole: nobody looked for doubles";
            report.findings.push(Finding::warning(Code::E2010, message).hint(Code::E2010.mend()));
            return Ok(());
        }
        filled => filled?,
    };
    for double in run.ledger.doubled_keys().await? {
        let ids: Vec<&str> = double.iter().map(|id| id.0.as_str()).collect();
        let message = format!("{} objects carry one key: {}", ids.len(), ids.join(", "));
        report.findings.push(Finding::error(Code::E2107, message).hint(Code::E2107.mend()));
    }
    let states: Vec<ProfileState> =
        ProfileState::ALL.iter().copied().filter(|state| !AT_TARGET.contains(state) && !state.is_open()).collect();
    let mut after = None;
    loop {
        run.check_stop()?;
        let selection = Selection { states: states.clone(), cohort: None, after, limit: CHUNK };
        let cases = run.ledger.cases(selection).await?;
        let Some(last) = cases.last() else { return Ok(()) };
        after = Some(last.ordinal);
        let planned = cases.iter().filter_map(|case| case.planned.as_ref());
        let probes: Vec<Probe> =
            planned.map(|planned| Probe { key: planned.draft.key, identities: Vec::new() }).collect();
        let found = run.ledger.find_in_inventory(probes).await?;
        report.unexpected += found.iter().filter(|found| !found.by_key.is_empty()).count() as u64;
    }
}

fn findings(report: &mut VerifyReport) {
    let are =
        |number: u64, one: &str, many: &str| format!("{} {}", counted(number, "account"), agreeing(number, one, many));
    let unexpected =
        are(report.unexpected, "is at the target that should not be", "are at the target that should not be");
    for (count, finding) in [
        (report.differs, Finding::error(Code::E5011, are(report.differs, "differs", "differ"))),
        (report.missing, Finding::error(Code::E5017, are(report.missing, "is missing", "are missing"))),
        (report.unexpected, Finding::warning(Code::E2107, unexpected)),
    ] {
        if count > 0 {
            let hint = finding.code.mend();
            report.findings.push(finding.hint(hint));
        }
    }
}

/// Plans what differs and what is missing, and nothing else.
async fn plan_repair(run: &Run, target: &Arc<dyn Target>) -> Result<HashSet<Ordinal>, PhaseError> {
    let (mut after, mut planned) = (None, HashSet::new());
    loop {
        let states = vec![ProfileState::Differs, ProfileState::Missing];
        let cases = run.ledger.cases(Selection { states, cohort: None, after, limit: CHUNK }).await?;
        let Some(last) = cases.last() else { return Ok(planned) };
        after = Some(last.ordinal);
        let held = held(target.as_ref(), &cases).await?;
        let decisions = cases.iter().zip(&held);
        let decisions: Vec<Decision> =
            decisions.filter_map(|(case, held)| decision(target.as_ref(), case, held.as_ref())).collect();
        planned.extend(decisions.iter().map(|decision| decision.ordinal));
        run.ledger.decide(decisions, run.now()).await?;
    }
}

fn decision(target: &dyn Target, case: &Case, held: Option<&Held>) -> Option<Decision> {
    let planned = case.planned.as_ref()?;
    let (action, planned) = match (held, case.origin) {
        (None, Some(Action::Create)) => (Action::Create, Planned { existing: None, ..recreate(planned) }),
        // an account that was never ours is not made again
        (None, _) => return None,
        (Some(held), Some(Action::Create)) => {
            let changes = changes(&target.compare(&planned.draft, held));
            let planned = Planned { existing: Some(held.id.clone()), ..planned.clone() };
            let add = missing(&planned.draft.identities, &held.identities);
            match (changes.is_empty(), add.is_empty()) {
                (true, true) => return None,
                // identities are another request; where both differ, the next repair gives them back
                (false, _) => (Action::Update, Planned { changes, ..planned }),
                (true, false) => (Action::Link, Planned { had: held.identities.clone(), add, ..planned }),
            }
        }
        (Some(held), _) => {
            let existing = Some(held.id.clone());
            (Action::Link, Planned { had: held.identities.clone(), existing, ..planned.clone() })
        }
    };
    let ordinal: Ordinal = case.ordinal;
    let (event, action, planned) = (ProfileEvent::Plan, Some(action), Some(planned));
    Some(Decision { ordinal, from: case.standing, event, action, code: None, cohort: InCohort::Unchanged, planned })
}

/// The planned values of what differs. Identities are given back by a link, never by an update.
fn changes(differences: &[Difference]) -> BTreeMap<String, Value> {
    let is_change =
        |difference: &&Difference| difference.sort == DifferenceSort::Differs && difference.attribute != IDENTITIES;
    let differs = differences.iter().filter(is_change);
    differs.map(|difference| (difference.attribute.clone(), difference.planned.clone())).collect()
}
