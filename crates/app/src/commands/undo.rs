//! `sterna undo`: removes what this project made and takes back what it added, except where the owner has signed in.

use sterna_engine::undo::{self, UndoReport};

use super::Session;
use crate::{
    exit::Exit,
    failure::{Outcome, Trouble, worst},
    opened::Opened,
    out::table::{Table, add},
};

/// Arguments of `sterna undo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(super) async fn run(_args: &Args, session: &Session) -> Outcome {
    let opened = Opened::load(session)?;
    let run = opened.run(session, opened.ledger().await?);
    let target = opened.target().await?;
    if !session.common.yes {
        let name = &target.descriptor().name;
        session.out.ask(&format!(
            "Remove from {name} every account that this project made, unless its owner has signed in?"
        ))?;
    }
    let report = {
        let _watch = session.out.watch(&run.progress);
        undo::undo(&run, &target).await?
    };
    let troubles: Vec<Trouble> = report.findings.iter().cloned().map(Trouble::from).collect();
    session.out.result(&text(&report), &report);
    session.out.troubles(&troubles);
    Ok(if report.refused > 0 { Exit::Partly } else { Exit::of_findings(worst(&troubles)) })
}

fn text(report: &UndoReport) -> String {
    let mut table = Table::default();
    table.count("removed", report.removed);
    let rows = [
        ("gone already", report.gone),
        ("identities taken away again", report.unlinked),
        ("there before, left as they are", report.let_go),
        ("left, their owner has signed in", report.signed_in),
        ("left, nobody can tell whether their owner has signed in", report.unknown),
        ("refused by the target", report.refused),
    ];
    table.counts(rows);
    let mut text = table.render();
    if !report.left.is_empty() {
        add(
            &mut text,
            format_args!("\n\nLeft, by pseudonym (sterna export undo names them): {}", report.left.join(" ")),
        );
    }
    text
}
