//! Plan: decides one action per account, with every loss named, and sends nothing.
//!
//! [`decide`] is the pure part: facts in, decision out. This file walks the accounts, asks the inventory and adds up.

pub mod decide;
mod report;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Instant,
};

use sterna_core::{
    account::Account,
    code::{Code, Finding},
    cohort::Cohort,
    ids::{Ordinal, TargetId},
    mapping::{Mapper, Rules},
    plan::{Action, Drafted, Password, Planned, Strategy},
    port::{DraftRules, Found, Held, Needs, Probe, Target},
    state::{CredentialState, ProfileEvent, ProfileState},
};
use sterna_ledger::planning::{Decision, InCohort, Loaded};

pub use report::{PlanReport, predict};

use crate::{
    apply::promise,
    error::PhaseError,
    plan::decide::{Facts, Verdict},
    run::Run,
    words::{agreeing, counted},
};

/// What a plan is made from besides the ledger.
pub struct PlanInput {
    /// The target, connected.
    pub target: Arc<dyn Target>,
    /// The project's own mapping rules.
    pub mapping: Rules,
    /// Issuers as sources name them, in lower case → as the target names them.
    pub issuers: BTreeMap<String, String>,
    /// Issuers that are left out, in lower case.
    pub excluded_issuers: BTreeSet<String>,
    /// What to do where no plaintext is held.
    pub strategy: Strategy,
    /// The cohorts, in the file's order.
    pub cohorts: Vec<Cohort>,
    /// What counts as the same person at the target.
    pub matching: Matching,
    /// Whether a legacy check is configured, which a just-in-time plan needs at sign-in.
    pub has_legacy_check: bool,
    /// Which accounts are decided on.
    pub scope: Scope,
}

/// What counts as the same person at the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// An account with the same federated (issuer, subject).
    pub same_identity: OnMatch,
    /// An account with the same local sign-in name; the default is a clash.
    pub same_sign_in_name: OnMatch,
}

/// What to do with an account that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnMatch {
    /// Leave the decision to the operator.
    #[default]
    Hold,
    /// It is the same person.
    Adopt,
}

/// Which accounts a plan decides on.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Only accounts in these states; empty: every account on which nothing was sent, or came to nothing.
    pub states: Vec<ProfileState>,
    /// Accounts whose clash the operator has accepted as the same person.
    pub accepted: Accepted,
}

/// Clashes that the operator has accepted.
#[derive(Clone, Debug, Default)]
pub enum Accepted {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// These.
    These(HashSet<Ordinal>),
}

impl Accepted {
    fn holds(&self, ordinal: Ordinal) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::These(set) => set.contains(&ordinal),
        }
    }
}

/// How many accounts are decided on at a time.
const CHUNK: usize = 1_000;
/// How many of them are stored side by side: some are sealed while others are written, so that the writer never waits.
const WRITING: usize = 4;
/// Up to so many accounts are looked up one batch at a time instead of reading everything that the target holds.
const SMALL: u64 = 2_000;

/// Makes the plan.
///
/// # Errors
/// [`Code::E5015`] when a source has not been read to its end; errors of the ledger and the target.
pub async fn plan(run: &Run, input: &PlanInput) -> Result<PlanReport, PhaseError> {
    let _lock = run.ledger.lock("plan")?;
    run.ledger.relax(true);
    let worker = run.ledger.begin_run("plan", run.now()).await?;
    let report = make(run, input).await?;
    let outcome = format!("{} planned, {} held, {} excluded", report.planned, report.held, report.excluded);
    run.ledger.end_run(worker, "plan", outcome, run.now()).await?;
    Ok(report)
}

/// Makes the plan under a lock that the caller holds.
pub(crate) async fn make(run: &Run, input: &PlanInput) -> Result<PlanReport, PhaseError> {
    run.lay_repairs_aside().await?;
    let status = sterna_ledger::status::read(run.ledger.folder())?;
    if let Some(name) = status.unfinished_sources.first() {
        let message = format!("the source `{name}` has not been read to its end");
        return Err(PhaseError::cannot(Code::E5015, message));
    }
    promise::begin_cohorts(run, &input.cohorts, !input.scope.states.is_empty()).await?;
    let states = input.states();
    let todo: u64 = states.iter().map(|state| status.profile(*state)).sum();
    let mut report = PlanReport::new(input.target.descriptor());
    let began = Instant::now();
    let inventory = read_inventory(run, input, todo, &mut report).await?;
    report.inventory_secs = began.elapsed().as_secs_f64();
    run.progress.begin("planning", todo);
    let doubles = run.ledger.doubles().await?;
    walk(run, input, &states, &doubles, inventory, &mut report).await?;
    run.ledger.set_losses(report.loss_counts()).await?;
    finish(run, input, &mut report).await?;
    Ok(report)
}

impl PlanInput {
    fn states(&self) -> Vec<ProfileState> {
        if self.scope.states.is_empty() {
            return ProfileState::ALL
                .iter()
                .copied()
                .filter(|state| state.is_plannable() && *state != ProfileState::Gone)
                .collect();
        }
        self.scope.states.clone()
    }

    fn strategy_of(&self, cohort: Option<&Cohort>) -> Strategy {
        cohort.and_then(|cohort| cohort.strategy).unwrap_or(self.strategy)
    }
}

/// Where it is looked up who is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inventory {
    /// Nobody is there.
    Empty,
    /// In what was read of the target.
    Read,
    /// At the target itself, a batch at a time.
    AtTarget,
}

/// Reads what the target holds, once, unless the plan is small and the target is not.
async fn read_inventory(
    run: &Run,
    input: &PlanInput,
    todo: u64,
    report: &mut PlanReport,
) -> Result<Inventory, PhaseError> {
    run.ledger.clear_inventory().await?;
    let held = input.target.descriptor().accounts.unwrap_or(u64::MAX);
    if todo <= SMALL && held > SMALL {
        return Ok(Inventory::AtTarget);
    }
    run.progress.begin("reading what the target holds", input.target.descriptor().accounts.unwrap_or(0));
    let held = match fill_inventory(run, input.target.as_ref()).await {
        Err(error) if error.code() == Code::E2010 => {
            run.ledger.clear_inventory().await?;
            let message = "what the target holds cannot be read as a whole; accounts are looked up one by one";
            report.findings.push(Finding::warning(Code::E2010, message).hint(Code::E2010.mend()));
            return Ok(Inventory::AtTarget);
        }
        held => held?,
    };
    Ok(if held == 0 { Inventory::Empty } else { Inventory::Read })
}

/// Reads everything that the target holds into the ledger's inventory.
pub(crate) async fn fill_inventory(run: &Run, target: &dyn Target) -> Result<u64, PhaseError> {
    let (mut cursor, mut total) = (None, 0);
    loop {
        run.check_stop()?;
        let page = target.inventory(cursor.as_ref()).await?;
        total += page.held.len() as u64;
        run.progress.add(page.held.len() as u64);
        let mut items = page.held.into_iter().peekable();
        while items.peek().is_some() {
            run.ledger.add_inventory(items.by_ref().take(250).collect()).await?;
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(total);
        }
    }
}

async fn walk(
    run: &Run,
    input: &PlanInput,
    states: &[ProfileState],
    doubles: &HashSet<Ordinal>,
    inventory: Inventory,
    report: &mut PlanReport,
) -> Result<(), PhaseError> {
    let taken: BTreeSet<String> = input.mapping.takes().map(str::to_owned).collect();
    let planner = Planner { run, input, taken, doubles, inventory };
    let read = |after: Ordinal| {
        let (ledger, states) = (Arc::clone(&run.ledger), states.to_vec());
        tokio::spawn(async move { ledger.records(after, CHUNK, &states).await })
    };
    let mut next = read(Ordinal(0));
    let mut writing: VecDeque<tokio::task::JoinHandle<Result<(), sterna_ledger::LedgerError>>> = VecDeque::new();
    loop {
        run.check_stop()?;
        let chunk = next.await??;
        let Some(last) = chunk.last().map(|loaded| loaded.ordinal) else { break };
        next = read(last);
        let count = chunk.len() as u64;
        let decisions = planner.chunk(chunk, report).await?;
        if writing.len() >= WRITING
            && let Some(before) = writing.pop_front()
        {
            before.await??;
        }
        let (ledger, now) = (Arc::clone(&run.ledger), run.now());
        writing.push_back(tokio::spawn(async move { ledger.decide(decisions, now).await }));
        run.progress.add(count);
    }
    for last in writing {
        last.await??;
    }
    Ok(())
}

struct Planner<'p> {
    run: &'p Run,
    input: &'p PlanInput,
    taken: BTreeSet<String>,
    doubles: &'p HashSet<Ordinal>,
    inventory: Inventory,
}

/// An account on its way through the plan.
struct Candidate {
    loaded: Loaded,
    cohort: Option<usize>,
    left_out: Vec<String>,
    unlisted: Vec<String>,
    drafted: Drafted,
}

impl Planner<'_> {
    async fn chunk(&self, chunk: Vec<Loaded>, report: &mut PlanReport) -> Result<Vec<Decision>, PhaseError> {
        let candidates: Vec<Candidate> = chunk
            .into_iter()
            .filter_map(|loaded| {
                if let Some(by_source @ (Code::E3201 | Code::E3202)) = loaded.code {
                    report.left_out(by_source);
                    return None;
                }
                Some(self.candidate(loaded))
            })
            .collect();
        let found = self.find(&candidates).await?;
        let held = self.read_matches(&found).await?;
        let mut decisions = Vec::with_capacity(candidates.len());
        for (candidate, found) in candidates.into_iter().zip(found) {
            decisions.push(self.decision(candidate, &found, &held, report));
        }
        Ok(decisions)
    }

    /// Pure: what the target would hold for the account.
    fn candidate(&self, mut loaded: Loaded) -> Candidate {
        let key = self.run.ledger.account_key(loaded.source, &loaded.account.key);
        let (left_out, unlisted) = self.sort_issuers(&mut loaded.account);
        let cohort = self.input.cohorts.iter().position(|cohort| cohort.holds(&loaded.account, key));
        let rules = DraftRules {
            key,
            mapped: self.input.mapping.map(&loaded.account),
            strategy: self.input.strategy_of(cohort.and_then(|at| self.input.cohorts.get(at))),
            issuers: &self.input.issuers,
            taken: &self.taken,
        };
        let drafted = self.input.target.draft(&loaded.account, &rules);
        Candidate { loaded, cohort, left_out, unlisted, drafted }
    }

    /// Takes excluded issuers' identities out of the account, and names the issuers that nothing is said about.
    fn sort_issuers(&self, account: &mut Account) -> (Vec<String>, Vec<String>) {
        let (mut left_out, mut unlisted) = (Vec::new(), Vec::new());
        account.identities.retain(|identity| {
            let sterna_core::account::Identity::Federated { issuer, .. } = identity else { return true };
            let canonical = issuer.to_lowercase();
            if self.input.excluded_issuers.contains(&canonical) {
                left_out.push(issuer.clone());
                return false;
            }
            if !self.input.issuers.contains_key(&canonical) && !unlisted.contains(issuer) {
                unlisted.push(issuer.clone());
            }
            true
        });
        (left_out, unlisted)
    }

    async fn find(&self, candidates: &[Candidate]) -> Result<Vec<Found>, PhaseError> {
        if self.inventory == Inventory::Empty {
            return Ok(vec![Found::default(); candidates.len()]);
        }
        let probes: Vec<Probe> = candidates
            .iter()
            .map(|candidate| {
                let key = self.run.ledger.account_key(candidate.loaded.source, &candidate.loaded.account.key);
                let identities = match &candidate.drafted {
                    Drafted::Draft { draft, .. } => draft.identities.clone(),
                    Drafted::Hold(_) => Vec::new(),
                };
                Probe { key, identities }
            })
            .collect();
        if self.inventory == Inventory::Read {
            return Ok(self.run.ledger.find_in_inventory(probes).await?);
        }
        let mut found = Vec::with_capacity(probes.len());
        for batch in probes.chunks(200) {
            found.extend(self.input.target.find(batch).await?);
        }
        Ok(found)
    }

    /// Reads the accounts that matched by identity, a batch for the chunk.
    async fn read_matches(&self, found: &[Found]) -> Result<HashMap<TargetId, Held>, PhaseError> {
        let ids: BTreeSet<TargetId> =
            found.iter().flat_map(|found| found.by_identity.iter().map(|(_, id)| id.clone())).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<TargetId> = ids.into_iter().collect();
        let held = self.input.target.read_back(&ids).await?;
        Ok(ids.into_iter().zip(held).filter_map(|(id, held)| Some((id, held?))).collect())
    }

    fn decision(
        &self,
        candidate: Candidate,
        found: &Found,
        held: &HashMap<TargetId, Held>,
        report: &mut PlanReport,
    ) -> Decision {
        let Candidate { loaded, cohort, left_out, unlisted, drafted } = candidate;
        let facts = Facts {
            left_out: &left_out,
            unlisted: &unlisted,
            is_double: self.doubles.contains(&loaded.ordinal),
            was_local: loaded.account.is_local(),
            drafted,
            found,
            held,
            matching: self.input.matching,
            is_accepted: self.input.scope.accepted.holds(loaded.ordinal),
        };
        let verdict = decide::decide(facts);
        let name = cohort.and_then(|at| self.input.cohorts.get(at)).map(|cohort| cohort.name.as_str());
        report.count(&verdict, &unlisted, name);
        if matches!(verdict, Verdict::Do(..)) && !self.input.scope.states.is_empty() {
            report.decided.push(loaded.ordinal);
        }
        let cohort = cohort.and_then(|at| u32::try_from(at).ok()).map_or(InCohort::None, InCohort::Number);
        let (ordinal, from) = (loaded.ordinal, loaded.standing);
        match verdict {
            Verdict::Do(action, planned) => {
                let was_there = loaded.standing.credential != CredentialState::Dormant;
                let planned = if was_there { recreate(&planned) } else { *planned };
                let (event, planned) = (ProfileEvent::Plan, Some(planned));
                Decision { ordinal, from, event, action: Some(action), code: None, cohort, planned }
            }
            Verdict::Hold(code) => Decision {
                ordinal,
                from,
                event: ProfileEvent::Hold,
                action: None,
                code: Some(code),
                cohort,
                planned: None,
            },
            Verdict::Clash(code, planned) => {
                let planned = planned.map(|planned| *planned);
                Decision { ordinal, from, event: ProfileEvent::Clash, action: None, code: Some(code), cohort, planned }
            }
            Verdict::Exclude(code) => {
                let (event, action) = (ProfileEvent::Exclude, Some(Action::Exclude));
                Decision { ordinal, from, event, action, code: Some(code), cohort, planned: None }
            }
        }
    }
}

/// Adds what the plan as a whole has to say.
async fn finish(run: &Run, input: &PlanInput, report: &mut PlanReport) -> Result<(), PhaseError> {
    let work = run.ledger.workload(None).await?;
    let needs =
        Needs { creates: work.creates, links: work.links > 0, just_in_time: report.passwords.awaiting_sign_in > 0 };
    report.findings.extend(input.target.preflight(&needs).await);
    report.predicted_secs = predict(&input.target.descriptor().quota, work.creates + work.links);
    for (issuer, accounts) in &report.unlisted_issuers {
        let accounts = format!("{} {}", counted(*accounts, "account"), agreeing(*accounts, "has", "have"));
        let message = format!("{accounts} the issuer \"{issuer}\", which [social.issuers] does not list");
        report.findings.push(
            Finding::error(Code::E5004, message)
                .hint(format!("add `\"{issuer}\" = \"…\"` to [social.issuers], or \"{issuer}\" to [social] exclude")),
        );
    }
    if report.passwords.awaiting_sign_in > 0 && !input.has_legacy_check {
        let passwords = report.passwords.awaiting_sign_in;
        let are = agreeing(passwords, "is", "are");
        let passwords = counted(passwords, "password");
        let message = format!(
            "{passwords} {are} planned to move at sign-in, but no check and hook are configured to answer there"
        );
        report.findings.push(Finding::warning(Code::E5007, message).hint(Code::E5007.mend()));
    }
    for (code, count, one, many) in [
        (Code::E5009, report.held, "is held", "are held"),
        (Code::L4002, report.clashes, "meets somebody who is there already", "meet somebody who is there already"),
    ] {
        if count > 0 {
            let message = format!("{} {}", counted(count, "account"), agreeing(count, one, many));
            report.findings.push(Finding::warning(code, message).hint(code.mend()));
        }
    }
    promise::keep_target(run, input.target.descriptor()).await?;
    promise::keep_cohorts(run, &input.cohorts).await?;
    let summary = serde_json::to_string(&report).unwrap_or_default();
    run.ledger.set_document("plan_summary", summary).await?;
    Ok(())
}

/// The plan of an account that was at the target before: it is made again without its old password and without the
/// flag (design.md 6.2).
pub(crate) fn recreate(planned: &Planned) -> Planned {
    let mut again = Planned { again: true, ..planned.clone() };
    if again.draft.password != Password::None {
        again.draft.password = Password::Reset;
    }
    again
}

/// The credential state that a created account has.
pub(crate) fn credential_of(planned: &Planned) -> CredentialState {
    planned.draft.password.state_once_created()
}
