//! `sterna verify`: reads every account back and compares it with what was planned; `--repair` writes the differences.

use std::sync::Arc;

use sterna_core::code::{Code, Finding};
use sterna_engine::{
    apply::{ApplyInput, ApplyReport, Stopped},
    verify::{self, Sweep, VerifyReport},
};

use super::{Session, plan::section};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Trouble, worst},
    opened::Opened,
    out::table::{Table, add, counted},
};

/// Arguments of `sterna verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write what differs again, and make what is missing; never a password, never the just-in-time flag
    #[arg(long)]
    repair: bool,
    /// Do not search the whole target for two objects with one key
    #[arg(long)]
    no_sweep: bool,
}

pub(super) async fn run(args: &Args, session: &Session) -> Outcome {
    let opened = Opened::load(session)?;
    let run = opened.run(session, opened.ledger().await?);
    let target = opened.target().await?;
    let sweep = if args.no_sweep { Sweep::No } else { Sweep::Yes };
    if args.repair && !session.common.yes {
        session.out.ask(&format!("Write to {} what differs there?", target.descriptor().name))?;
    }
    let report = {
        let _watch = session.out.watch(&run.progress);
        if args.repair {
            let project = &opened.project;
            let target = Arc::clone(&target);
            let input =
                ApplyInput { target, cohort: None, limit: None, abort: project.abort, matching: project.matching };
            verify::repair(&run, &input, sweep).await?
        } else {
            verify::verify(&run, &target, sweep).await?
        }
    };
    let troubles: Vec<Trouble> = report.findings.iter().cloned().map(Trouble::from).collect();
    session.out.result(&text(&report), &report);
    session.out.troubles(&troubles);
    let found = Exit::of_findings(worst(&troubles));
    Ok(match &report.repair {
        Some(repair) => repaired(repair, session).max(found),
        None => found,
    })
}

/// How the sending of a repair exits.
fn repaired(repair: &ApplyReport, session: &Session) -> Exit {
    if let Some(Stopped { code, message }) = &repair.stopped {
        let failure = Failure::new(*code, format!("the repair ended before everything was sent: {message}"));
        return session.out.stopped(&failure.hint(code.mend()));
    }
    let mut troubles = Vec::new();
    if repair.failed() > 0 {
        let codes: Vec<&str> = repair.reasons.keys().map(String::as_str).collect();
        let message = format!("{} not carried out ({})", counted(repair.failed(), "repair"), codes.join(", "));
        let finding = Finding::warning(Code::E5010, message);
        troubles.push(Trouble::from(finding.hint("mend what the codes mean, then `sterna verify --repair` again")));
    }
    if repair.open > 0 {
        let message = format!("outcome still unknown of {}", counted(repair.open, "repair"));
        troubles.push(Trouble::from(Finding::warning(Code::E5016, message).hint(Code::E5016.mend())));
    }
    session.out.troubles(&troubles);
    if troubles.is_empty() { Exit::Done } else { Exit::Partly }
}

/// What verify found, for people.
pub(super) fn text(report: &VerifyReport) -> String {
    let mut table = Table::default();
    table.count("as planned", report.equal);
    let rows = [
        ("of these with values that the target normalised", report.acceptable),
        ("differ", report.differs),
        ("missing", report.missing),
        ("unexpected", report.unexpected),
        ("passwords moved at sign-in since the last look", report.moved),
        ("passwords changed there by their owners since then", report.superseded),
    ];
    table.counts(rows);
    let mut text = table.render();
    let mut attributes = Table::default();
    for (attribute, accounts) in &report.attributes {
        attributes.count(attribute, *accounts);
    }
    section(&mut text, "Attributes that differ", &attributes);
    if let Some(repair) = &report.repair {
        add(&mut text, format_args!("\n\nThe repair sent:\n{}", super::apply::text(repair)));
    }
    text
}
