//! `sterna retry`: plans what was refused, clashed or was held anew, and sends what comes out.

use std::{collections::HashSet, sync::Arc};

use serde_json::json;
use sterna_core::{code::Code, ids::Ordinal, ids::Pseudonym, state::ProfileState};
use sterna_engine::{
    Run,
    apply::{ApplyInput, ApplyReport},
    plan::{Accepted, Scope},
    retry::{self, RETRIED},
};
use sterna_ledger::sending::Selection;

use super::{Session, apply, plan};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Trouble, worst},
    opened::Opened,
    out::table::counted,
};

/// Arguments of `sterna retry`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Accept clashes as the same person: all of them, or those named by `account` in `sterna export failures`
    #[arg(long, value_name = "ACCOUNT", num_args = 0.., value_parser = pseudonym)]
    adopt: Option<Vec<Pseudonym>>,
}

fn pseudonym(text: &str) -> Result<Pseudonym, &'static str> {
    text.parse().map_err(|()| "an account is named like p-0123456789")
}

pub(super) async fn run(args: &Args, session: &Session) -> Outcome {
    let opened = Opened::load(session)?;
    let run = opened.run(session, opened.ledger().await?);
    let status = sterna_ledger::status::read(&opened.ledger_folder())?;
    let count: u64 = RETRIED.iter().map(|state| status.profile(*state)).sum();
    if count == 0 {
        session.out.result("No account was refused, clashes or is held.", &json!({ "plan": null, "apply": null }));
        return Ok(Exit::Done);
    }
    let accepted = accepted(args.adopt.as_deref(), &run).await?;
    let target = opened.target().await?;
    if !session.common.yes {
        session.out.ask(&format!(
            "Plan anew {} that failed or are held, and send what comes out to {}?",
            counted(count, "account"),
            target.descriptor().name
        ))?;
    }
    let input = opened.plan_input(Arc::clone(&target), Scope { states: Vec::new(), accepted });
    let project = &opened.project;
    let sending = ApplyInput { target, cohort: None, limit: None, abort: project.abort, matching: project.matching };
    let report = {
        let _watch = session.out.watch(&run.progress);
        retry::retry(&run, input, &sending).await?
    };
    let applied = report.apply.as_ref().map_or_else(|| "Nothing came out to be sent.".to_owned(), apply::text);
    session.out.result(&format!("{}\n\n{applied}", plan::text(&report.plan)), &report);
    let troubles: Vec<Trouble> = report.plan.findings.iter().cloned().map(Trouble::from).collect();
    session.out.troubles(&troubles);
    // what was planned before is not retry's to send, and stays planned
    let others = status.profile(ProfileState::Planned);
    let of_these = |applied: &ApplyReport| ApplyReport { left: applied.left.saturating_sub(others), ..applied.clone() };
    let sent = report.apply.as_ref().map_or(Exit::Done, |applied| apply::exit(&of_these(applied), false, session));
    let still_open = report.plan.held + report.plan.clashes > 0;
    Ok(if still_open {
        Exit::Partly
    } else {
        sent.max(Exit::of_findings(worst(&troubles).filter(|_| sent != Exit::Done)))
    })
}

/// The accounts behind the pseudonyms that the operator names.
async fn accepted(adopt: Option<&[Pseudonym]>, run: &Run) -> Result<Accepted, Failure> {
    const CHUNK: usize = 1_000;
    let names: HashSet<Pseudonym> = match adopt {
        None => return Ok(Accepted::None),
        Some([]) => return Ok(Accepted::All),
        Some(names) => names.iter().copied().collect(),
    };
    let mut found: HashSet<Ordinal> = HashSet::new();
    let mut after = None;
    loop {
        let selection = Selection { states: RETRIED.to_vec(), cohort: None, after, limit: CHUNK };
        let cases = run.ledger.cases(selection).await?;
        let Some(last) = cases.last() else { break };
        after = Some(last.ordinal);
        let named =
            cases.iter().map(|case| case.ordinal).filter(|ordinal| names.contains(&run.ledger.pseudonym(*ordinal)));
        found.extend(named);
    }
    if found.len() < names.len() {
        let message = format!("{} of the named accounts do not clash", names.len() - found.len());
        return Err(
            Failure::new(Code::E1001, message).hint("take the names from `account` in `sterna export failures`")
        );
    }
    Ok(Accepted::These(found))
}
