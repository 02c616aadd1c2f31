//! `sterna purge`: destroys the data key, so that nothing personal in the ledger can ever be read again.

use sterna_engine::purge::{self, PurgeReport};
use sterna_ledger::{Ledger, Presence};

use super::Session;
use crate::{
    exit::Exit,
    failure::Outcome,
    opened::Opened,
    out::table::{add, counted, grouped},
};

/// Arguments of `sterna purge`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(super) async fn run(_args: &Args, session: &Session) -> Outcome {
    let opened = Opened::load(session)?;
    let folder = opened.ledger_folder();
    if Ledger::presence(&folder)? == Presence::Purged {
        let report = purge::end(&folder, opened.context.clock.now().wall).await?;
        return Ok(told(&report, session));
    }
    let run = opened.run(session, opened.ledger().await?);
    if !session.common.yes {
        session.out.ask("Destroy the data key? Nothing personal in the ledger can be read afterwards, by nobody.")?;
    }
    let report = purge::purge(&run).await?;
    Ok(told(&report, session))
}

fn told(report: &PurgeReport, session: &Session) -> Exit {
    let mut text =
        format!("The data key is destroyed: the records of {} are unreadable.", counted(report.accounts, "account"));
    if report.leftovers > 0 {
        let copies = if report.leftovers == 1 { "copy" } else { "copies" };
        add(
            &mut text,
            format_args!(
                "\nRemoved with it: {} {copies} of the ledger, left by rehearsals that were killed.",
                grouped(report.leftovers)
            ),
        );
    }
    if !report.unknown.is_empty() {
        let names: Vec<String> = report.unknown.iter().map(|name| name.escape_debug().to_string()).collect();
        add(&mut text, format_args!("\nNot of the ledger, and left in its folder: {}.", names.join(", ")));
    }
    add(&mut text, format_args!("\nOut of reach: {}.", report.out_of_reach));
    session.out.result(&text, report);
    Exit::Done
}
