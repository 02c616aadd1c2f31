//! `sterna plan`: decides what will happen to whom, and says it. Nothing is sent.

use std::collections::BTreeMap;

use sterna_core::code::Code;
use sterna_engine::plan::{self, PlanReport, Scope};

use super::Session;
use crate::{
    exit::Exit,
    failure::{Outcome, Trouble, worst},
    opened::Opened,
    out::{
        progress::duration,
        table::{Table, add, counted},
    },
};

/// Arguments of `sterna plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(super) async fn run(_args: &Args, session: &Session) -> Outcome {
    let opened = Opened::load(session)?;
    let run = opened.run(session, opened.ledger().await?);
    let input = opened.plan_input(opened.target().await?, Scope::default());
    let report = {
        let _watch = session.out.watch(&run.progress);
        plan::plan(&run, &input).await?
    };
    let troubles: Vec<Trouble> = report.findings.iter().cloned().map(Trouble::from).collect();
    session.out.result(&format!("{}\n\n{}", text(&report), next(&report)), &report);
    session.out.troubles(&troubles);
    Ok(Exit::of_findings(worst(&troubles)))
}

/// What the plan says, for people.
pub(super) fn text(report: &PlanReport) -> String {
    let mut text = format!("Plan for {}\n\n", report.target);
    let mut table = Table::default();
    for (action, accounts) in &report.actions {
        table.count(action, *accounts);
    }
    table.counts([("held", report.held), ("clash", report.clashes), ("excluded", report.excluded)]);
    text.push_str(&table.render());
    let passwords = report.passwords;
    let mut table = Table::default();
    let rows = [
        ("set at once from the source", passwords.set),
        ("move at the first sign-in", passwords.awaiting_sign_in),
        ("must be reset", passwords.reset_due),
        ("not needed", passwords.not_needed),
    ];
    table.counts(rows);
    section(&mut text, "Passwords of the accounts to be created", &table);
    section(&mut text, "Why accounts are held, clash or are left out", &reasons(&report.reasons));
    let mut table = Table::default();
    for loss in &report.losses {
        let title = Code::parse(&loss.code).map_or("", Code::title);
        table.count(&format!("{} {title}: {}", loss.code, loss.what), loss.accounts);
    }
    section(&mut text, "What the target will not hold", &table);
    let mut table = Table::default();
    for (cohort, accounts) in &report.cohorts {
        table.count(cohort, *accounts);
    }
    section(&mut text, "Cohorts", &table);
    text
}

/// What comes after a plan, for people.
fn next(report: &PlanReport) -> String {
    if report.planned == 0 {
        return "Nothing is planned: there is nothing to send.".to_owned();
    }
    format!(
        "{} planned; sending will take {}.\nNext: sterna rehearse, or sterna apply --canary",
        counted(report.planned, "account"),
        about(report.predicted_secs)
    )
}

/// Codes with their titles and how many accounts have them.
pub(super) fn reasons(reasons: &BTreeMap<String, u64>) -> Table {
    let mut table = Table::default();
    for (code, accounts) in reasons {
        let title = Code::parse(code).map_or("", Code::title);
        table.count(&format!("{code} {title}"), *accounts);
    }
    table
}

/// Adds a table under a heading, unless it is empty.
pub(super) fn section(text: &mut String, heading: &str, table: &Table) {
    if !table.is_empty() {
        add(text, format_args!("\n\n{heading}\n{}", table.render()));
    }
}

/// A predicted length of time.
pub(super) fn about(secs: f64) -> String {
    if secs < 1.0 {
        "less than a second, within what may leave at once".to_owned()
    } else {
        format!("about {}", duration(secs))
    }
}
