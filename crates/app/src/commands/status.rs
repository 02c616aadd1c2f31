//! `sterna status`: one table, every account in exactly one state, and whether the sums add up. It needs no key.

use sterna_core::state::{CredentialState, ProfileState};
use sterna_ledger::status::{Status, read};

use super::Session;
use crate::{
    exit::Exit,
    failure::Outcome,
    opened::Opened,
    out::table::{Table, add, grouped},
};

/// Arguments of `sterna status`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(super) fn run(_args: &Args, session: &Session) -> Outcome {
    let opened = Opened::load(session)?;
    let status = read(&opened.ledger_folder())?;
    session.out.result(&text(&opened.project.name, &status), &status);
    Ok(if status.adds_up { Exit::Done } else { Exit::Failed })
}

/// The table for people; states that no account is in are left out.
pub(crate) fn text(name: &str, status: &Status) -> String {
    let mut text = format!(
        "{name}: {} records read = {} accounts + {} rejected\n",
        grouped(status.accounts + status.rejected),
        grouped(status.accounts),
        grouped(status.rejected)
    );
    let profiles = ProfileState::ALL.iter().map(|state| (state.name(), status.profile(*state)));
    let credentials = CredentialState::ALL.iter().map(|state| (state.name(), status.credential(*state)));
    text.push_str(&block("\nprofile\n", profiles, status.accounts));
    text.push_str(&block("\n\ncredential\n", credentials, status.accounts));
    add(&mut text, format_args!("\n\nat the target: {}\n", grouped(status.target_accounts)));
    for source in &status.unfinished_sources {
        add(&mut text, format_args!("the source {source} has not been read to its end\n"));
    }
    if status.purged {
        text.push_str("purged: the data key is destroyed, counts are all that is left\n");
    }
    text.push_str(if status.adds_up { "the sums add up" } else { "THE SUMS DO NOT ADD UP" });
    text
}

fn block(heading: &str, counts: impl Iterator<Item = (&'static str, u64)>, total: u64) -> String {
    let mut table = Table::default();
    for (name, count) in counts.filter(|(_, count)| *count > 0) {
        table.count(&name.replace('_', " "), count);
    }
    table.count("together", total);
    format!("{heading}{}", table.render())
}
