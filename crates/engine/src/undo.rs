//! Undo: removes what this project made and takes back what it added, except where the owner has signed in since.
//!
//! Where sign-in activity cannot be known it counts as signed in, and the account is listed.

use std::{collections::HashSet, sync::Arc};

use serde::Serialize;
use sterna_core::{
    code::{Code, Finding},
    ids::Ordinal,
    plan::Action,
    port::{Activity, Answer, Held, Operation, Target, Write},
    state::{CredentialEvent, CredentialState, ProfileEvent, ProfileState},
};
use sterna_ledger::sending::{Case, Outcome, Selection};

use crate::{
    apply::lanes::Lanes,
    error::PhaseError,
    held::held,
    run::Run,
    verify::{AT_TARGET, settle},
    words::{agreeing, counted},
};

/// What undo did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UndoReport {
    /// Accounts that were removed.
    pub removed: u64,
    /// Accounts that were gone already.
    pub gone: u64,
    /// Accounts from which added identities were taken away.
    pub unlinked: u64,
    /// Accounts that were there before and are left as they are.
    pub let_go: u64,
    /// Accounts that are left because their owner has signed in since.
    pub signed_in: u64,
    /// Accounts that are left because nobody can tell whether their owner has signed in.
    pub unknown: u64,
    /// Accounts that the target would not let go.
    pub refused: u64,
    /// The accounts that are left, by pseudonym.
    pub left: Vec<String>,
    /// What has to be looked at.
    pub findings: Vec<Finding>,
}

/// Accounts that are worked on at a time.
const CHUNK: usize = 200;
/// How many accounts that are left are named in the report; the rest is counted.
const NAMED: usize = 1_000;
/// How often one chunk is sent again when it is turned away.
const ROUNDS: u32 = 200;

/// Takes back what was done.
pub async fn undo(run: &Run, target: &Arc<dyn Target>) -> Result<UndoReport, PhaseError> {
    let _lock = run.ledger.lock("undo")?;
    run.lay_repairs_aside().await?;
    let worker = run.ledger.begin_run("undo", run.now()).await?;
    let status = sterna_ledger::status::read(run.ledger.folder())?;
    let open = status.profile(ProfileState::Intended) + status.profile(ProfileState::InDoubt);
    if open > 0 {
        let message = format!(
            "the outcome of {} is unknown; run `sterna apply` first, it looks them up",
            counted(open, "request")
        );
        return Err(PhaseError::cannot(Code::E5016, message));
    }
    // what was sent a moment ago may not show yet, and would be taken for gone
    settle(run, target.as_ref()).await?;
    run.progress.begin("undoing", AT_TARGET.iter().map(|state| status.profile(*state)).sum());
    let mut undo = Undo {
        run,
        target: target.as_ref(),
        lanes: Lanes::after_earlier(run, &target.descriptor().quota).await?,
        again: HashSet::new(),
        report: UndoReport::default(),
    };
    let mut after = None;
    loop {
        run.check_stop()?;
        let selection = Selection { states: AT_TARGET.to_vec(), cohort: None, after, limit: CHUNK };
        let cases = run.ledger.cases(selection).await?;
        let Some(last) = cases.last() else { break };
        after = Some(last.ordinal);
        let count = cases.len() as u64;
        undo.chunk(cases).await?;
        run.progress.add(count);
    }
    let mut report = undo.report;
    if report.signed_in + report.unknown > 0 {
        let left = report.signed_in + report.unknown;
        let message = format!(
            "{} {} left: their owner has, or may have, signed in",
            counted(left, "account"),
            agreeing(left, "is", "are")
        );
        report.findings.push(Finding::warning(Code::E5013, message).hint(Code::E5013.mend()));
    }
    let outcome = format!("{} removed, {} left", report.removed, report.signed_in + report.unknown);
    run.ledger.end_run(worker, "undo", outcome, run.now()).await?;
    Ok(report)
}

struct Undo<'u> {
    run: &'u Run,
    target: &'u dyn Target,
    lanes: Lanes,
    /// Accounts of the chunk whose old password never comes back.
    again: HashSet<Ordinal>,
    report: UndoReport,
}

/// What is to happen to one account.
enum Step {
    Send(Operation),
    LetGo,
    Gone,
    Leave(Activity),
}

impl Undo<'_> {
    async fn chunk(&mut self, cases: Vec<Case>) -> Result<(), PhaseError> {
        let held = held(self.target, &cases).await?;
        let (mut writes, mut outcomes) = (Vec::new(), Vec::new());
        self.again = cases.iter().filter(|case| never_starts_over(case)).map(|case| case.ordinal).collect();
        for (case, there) in cases.into_iter().zip(&held) {
            match step(&case, there.as_ref()) {
                Step::Send(operation) => writes.push(Write { ordinal: case.ordinal, operation }),
                Step::LetGo => {
                    self.report.let_go += 1;
                    outcomes.push(self.undone(case.ordinal));
                }
                Step::Gone => {
                    self.report.gone += 1;
                    outcomes.push(if case.undoing { self.undone(case.ordinal) } else { vanished(&case) });
                }
                Step::Leave(activity) => self.leave(&case, activity),
            }
        }
        self.run.ledger.settle(outcomes, self.run.now()).await?;
        self.run.ledger.intend_undo(writes.iter().map(|write| write.ordinal).collect(), self.run.now()).await?;
        self.send(writes).await
    }

    fn undone(&self, ordinal: Ordinal) -> Outcome {
        let again = self.again.contains(&ordinal);
        undone(ordinal, if again { CredentialEvent::ChangedElsewhere } else { CredentialEvent::Removed })
    }

    fn leave(&mut self, case: &Case, activity: Activity) {
        match activity {
            Activity::Unknown => self.report.unknown += 1,
            Activity::Never | Activity::At(_) => self.report.signed_in += 1,
        }
        if self.report.left.len() < NAMED {
            self.report.left.push(self.run.ledger.pseudonym(case.ordinal).to_string());
        }
    }

    async fn send(&mut self, mut writes: Vec<Write>) -> Result<(), PhaseError> {
        let batch = self.target.descriptor().batch;
        let mut rounds = 0;
        while !writes.is_empty() {
            self.run.check_stop()?;
            let leave = match self.lanes.take(writes.len().min(batch)) {
                Ok(leave) => leave,
                Err((wait, _)) => {
                    self.run.wait(wait, "our share of the quota").await?;
                    continue;
                }
            };
            let now: Vec<Write> = writes.drain(..(leave.writes as usize).min(writes.len())).collect();
            let sent = self.target.apply(leave.lane, &now).await;
            let again = self.answers(now, sent.answers, leave.lane, sent.pressure).await?;
            rounds += u32::from(!again.is_empty());
            if rounds > ROUNDS {
                let message = "the target keeps turning removals away; run `sterna undo` again later";
                return Err(PhaseError::cannot(Code::E2013, message));
            }
            writes.extend(again);
        }
        Ok(())
    }

    async fn answers(
        &mut self,
        sent: Vec<Write>,
        answers: Vec<Answer>,
        lane: usize,
        pressure: Option<f64>,
    ) -> Result<Vec<Write>, PhaseError> {
        let (mut outcomes, mut again, mut throttled, mut longest) = (Vec::new(), Vec::new(), 0, None);
        let count = u32::try_from(sent.len()).unwrap_or(u32::MAX);
        let mut answers = answers.into_iter();
        for write in sent {
            match answers.next().unwrap_or(Answer::Silence { why: String::new() }) {
                Answer::Holds(_) => {
                    match write.operation {
                        Operation::Unlink { .. } => self.report.unlinked += 1,
                        _ => self.report.removed += 1,
                    }
                    outcomes.push(self.undone(write.ordinal));
                }
                Answer::Lacks => {
                    self.report.gone += 1;
                    outcomes.push(self.undone(write.ordinal));
                }
                Answer::Throttled { wait, .. } => {
                    throttled += 1;
                    longest = longest.max(wait);
                    again.push(write);
                }
                // removing twice does no harm: what went through the first time is then gone
                Answer::Silence { .. } => again.push(write),
                Answer::Clashes { .. } | Answer::Changed | Answer::Refuses { .. } => self.report.refused += 1,
                Answer::Stops { code, detail } => return Err(PhaseError::cannot(code, detail)),
            }
        }
        self.lanes.note(lane, count, throttled, longest, pressure);
        self.run.ledger.settle(outcomes, self.run.now()).await?;
        Ok(again)
    }
}

/// Removed or let go by us.
fn undone(ordinal: Ordinal, credential: CredentialEvent) -> Outcome {
    Outcome { credential: Some(credential), ..Outcome::step(ordinal, ProfileEvent::Undo) }
}

/// Somebody else removed it, and nobody can tell what its owner had done by then: its old password never comes back.
fn vanished(case: &Case) -> Outcome {
    use CredentialState::{AwaitingSignIn, Carried, ResetDue, Set};
    let had_ours = matches!(case.standing.credential, AwaitingSignIn | Carried | ResetDue | Set);
    undone(case.ordinal, if had_ours { CredentialEvent::ChangedElsewhere } else { CredentialEvent::Removed })
}

/// An account that was lost and made again: what it came from may have been signed in with.
fn never_starts_over(case: &Case) -> bool {
    let made_again = case.planned.as_ref().is_some_and(|planned| planned.again);
    made_again && case.standing.credential == CredentialState::ResetDue
}

fn step(case: &Case, held: Option<&Held>) -> Step {
    let Some(held) = held else { return Step::Gone };
    let id = held.id.clone();
    match case.origin {
        Some(Action::Create) => match activity(case, held) {
            Activity::Never => Step::Send(Operation::Remove { id }),
            other => Step::Leave(other),
        },
        Some(Action::Link) => match case.planned.as_ref().map(|planned| planned.add.clone()) {
            Some(remove) if !remove.is_empty() => Step::Send(Operation::Unlink { id, remove }),
            _ => Step::LetGo,
        },
        _ => Step::LetGo,
    }
}

/// Whether the owner has signed in: by the target's word, by the flag, by what the ledger knows.
fn activity(case: &Case, held: &Held) -> Activity {
    let by_ledger = matches!(
        case.standing.credential,
        CredentialState::Answered | CredentialState::Moved | CredentialState::Superseded
    );
    let by_flag = case.standing.credential == CredentialState::AwaitingSignIn && held.awaiting == Some(false);
    if by_ledger || by_flag {
        return Activity::At(sterna_core::time::Timestamp::default());
    }
    held.signed_in
}
