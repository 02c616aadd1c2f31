//! `sterna apply`: shows what it is about to send, asks, and sends exactly what was planned.

use std::str::FromStr;

use sterna_core::{code::Code, port::Target, state::ProfileState};
use sterna_engine::{
    PhaseError, Run,
    apply::{self, ApplyInput, ApplyReport, Preview, Stopped},
};

use super::{
    Session,
    plan::{about, reasons, section},
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Trouble},
    opened::Opened,
    out::{
        progress::duration,
        table::{Table, add, counted, grouped},
    },
};

/// Arguments of `sterna apply`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Send only a few accounts first; without a number as many as [apply] canary says
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "configured", hide_default_value = true, conflicts_with = "limit")]
    canary: Option<Canary>,
    /// Send only the accounts of a cohort of the configuration
    #[arg(long, value_name = "NAME")]
    cohort: Option<String>,
    /// Send at most so many accounts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

/// How many accounts a canary has.
#[derive(Clone, Copy, Debug)]
enum Canary {
    /// As many as the configuration says.
    Configured,
    /// So many.
    Of(u64),
}

impl FromStr for Canary {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(0) => Err("a canary has at least one account"),
            Ok(accounts) => Ok(Self::Of(accounts)),
            Err(_) if text == "configured" => Ok(Self::Configured),
            Err(_) => Err("not a number of accounts"),
        }
    }
}

pub(super) async fn run(args: &Args, session: &Session) -> Outcome {
    let opened = Opened::load(session)?;
    let limit = match args.canary {
        Some(Canary::Configured) => Some(opened.project.canary),
        Some(Canary::Of(accounts)) => Some(accounts),
        None => args.limit,
    };
    let run = opened.run(session, opened.ledger().await?);
    let cohort = match &args.cohort {
        Some(name) => Some(opened.cohort(name, &run).await?),
        None => None,
    };
    let target = opened.target().await?;
    let input = ApplyInput { target, cohort, limit, abort: opened.project.abort, matching: opened.project.matching };
    let preview = match apply::preview(&run, &input).await {
        Err(error) if error.code() == Code::E5002 => return nothing_left(&opened, session, error),
        preview => preview?,
    };
    let findings: Vec<Trouble> = preview.findings.iter().cloned().map(Trouble::from).collect();
    session.out.troubles(&findings);
    session.out.note(&preview_text(&preview, input.target.as_ref(), limit));
    if !session.common.yes {
        session.out.ask("Send it?")?;
    }
    let report = send(&run, &input, session).await?;
    session.out.result(&text(&report), &report);
    Ok(exit(&report, args.cohort.is_some() || limit.is_some(), session))
}

/// Everything that was planned is sent already: that is done, and no failure, so that a script can run apply until it
/// is. Without any account that was ever planned it is one.
fn nothing_left(opened: &Opened, session: &Session, error: PhaseError) -> Outcome {
    let status = sterna_ledger::status::read(&opened.ledger_folder())?;
    let failed = status.profile(ProfileState::Refused) + status.profile(ProfileState::Clash);
    if status.target_accounts + failed == 0 {
        return Err(error.into());
    }
    let report = ApplyReport::default();
    session.out.result("Nothing is left to send.", &report);
    Ok(if failed > 0 { Exit::Partly } else { Exit::Done })
}

async fn send(run: &Run, input: &ApplyInput, session: &Session) -> Result<ApplyReport, Failure> {
    let _watch = session.out.watch(&run.progress);
    Ok(apply::apply(run, input).await?)
}

fn preview_text(preview: &Preview, target: &dyn Target, limit: Option<u64>) -> String {
    let descriptor = target.descriptor();
    let mut table = Table::default();
    let rows = [
        ("planned", preview.work.planned),
        ("of these to be created", preview.work.creates),
        ("of these to get identities", preview.work.links),
        ("to be looked up first, their outcome is unknown", preview.work.open),
        ("at most sent now", limit.unwrap_or(u64::MAX)),
    ];
    for (what, accounts) in rows.into_iter().filter(|(_, accounts)| *accounts > 0 && *accounts < u64::MAX) {
        table.count(what, accounts);
    }
    format!(
        "This sends to {} ({}):\n{}\nAt {:.1} writes a second it will take {}.",
        descriptor.name,
        descriptor.kind,
        table.render(),
        descriptor.quota.rate(),
        about(preview.predicted_secs)
    )
}

/// What became of the accounts.
pub(super) fn table(report: &ApplyReport) -> Table {
    let mut table = Table::default();
    let rows = [
        ("applied", report.applied),
        ("of these after an unknown outcome", report.after_unknown_outcome),
        ("adopted", report.adopted),
        ("linked", report.linked),
        ("refused", report.refused),
        ("clash", report.clashes),
        ("still planned", report.left),
        ("outcome still unknown", report.open),
    ];
    for (what, accounts) in rows.into_iter().filter(|(what, accounts)| *accounts > 0 || *what == "applied") {
        table.count(what, accounts);
    }
    table
}

/// What apply did, for people.
pub(super) fn text(report: &ApplyReport) -> String {
    let mut text = table(report).render();
    section(&mut text, "Why accounts were refused or clash", &reasons(&report.reasons));
    add(
        &mut text,
        format_args!(
            "\n\n{} sent, {} of them put off and sent again. It took {}; predicted were {}.",
            counted(report.sent, "request"),
            grouped(report.throttled),
            duration(report.took_secs),
            duration(report.predicted_secs)
        ),
    );
    for made in &report.made {
        add(&mut text, format_args!("\nmade at the target: {made}"));
    }
    text.push_str("\nNext: sterna verify");
    text
}

/// How apply exits: 0 only when nothing is intended or in doubt.
pub(super) fn exit(report: &ApplyReport, is_part: bool, session: &Session) -> Exit {
    if let Some(Stopped { code, message }) = &report.stopped {
        return session.out.stopped(&Failure::new(*code, message.clone()).hint(code.mend()));
    }
    let mut troubles = Vec::new();
    let mut warn = |code: Code, accounts: u64, what: &str| {
        if accounts > 0 {
            let finding = sterna_core::code::Finding::warning(code, format!("{} {what}", grouped(accounts)));
            troubles.push(Trouble::from(finding.hint(code.mend())));
        }
    };
    warn(Code::E5010, report.failed(), "accounts failed");
    warn(Code::E5016, report.open, "accounts have an unknown outcome");
    if !is_part {
        warn(Code::E2106, report.left, "accounts changed at the target and have to be planned anew");
    }
    session.out.troubles(&troubles);
    if troubles.is_empty() { Exit::Done } else { Exit::Partly }
}
