//! `sterna extract`: reads the sources into the ledger, or takes mended records in place of rejected ones.

use std::path::PathBuf;

use sterna_core::{
    account::UNKNOWN_FORMAT,
    code::{Code, Finding},
    password::formats,
    state::ProfileState,
};
use sterna_engine::extract::{self, ExtractReport, MendReport, SourceReport};
use sterna_ledger::status::{Status, read};

use super::{Session, mended};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Trouble},
    opened::Opened,
    out::table::{counted, grouped},
};

/// Arguments of `sterna extract`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Begin anew instead of going on where an interrupted extract stopped
    #[arg(long)]
    from_start: bool,
    /// Take mended records from a file that `sterna export rejects` wrote
    #[arg(long, value_name = "FILE", conflicts_with = "from_start")]
    mended: Option<PathBuf>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Outcome {
    let opened = Opened::load(session)?;
    let feeds = opened.feeds()?;
    if let Some(path) = &args.mended {
        let records = mended::read(path)?;
        let run = opened.run(session, opened.ledger().await?);
        let report = extract::mend(&run, feeds, records).await?;
        session.out.result(&mended_text(&report), &report);
        return exit(&opened, session);
    }
    let run = opened.run(session, opened.ledger_or_new(session).await?);
    let report = {
        let _watch = session.out.watch(&run.progress);
        extract::extract(&run, feeds, args.from_start).await?
    };
    let status = read(&opened.ledger_folder())?;
    session.out.result(&text(&report, &status), &report);
    session.out.troubles(&report.sources.iter().filter_map(hashes_not_fixed).collect::<Vec<_>>());
    exit(&opened, session)
}

/// What there is to say of hashes that nobody can check as they are.
fn hashes_not_fixed(source: &SourceReport) -> Option<Trouble> {
    let known = |name: &str| name != UNKNOWN_FORMAT && formats::find(name).is_some();
    let count: u64 = source.hash_formats.iter().filter(|(name, _)| !known(name)).map(|(_, count)| count).sum();
    if count == 0 {
        return None;
    }
    let (noun, verb) = if count == 1 { ("hash", "has") } else { ("hashes", "have") };
    let text = format!("{}: {} password {noun} {verb} no fixed format", source.source, grouped(count));
    Some(Finding::warning(Code::E5019, text).hint(Code::E5019.mend()).into())
}

fn exit(opened: &Opened, session: &Session) -> Outcome {
    let status = read(&opened.ledger_folder())?;
    if status.rejected == 0 {
        return Ok(Exit::Done);
    }
    let message = format!("{} could not be read", counted(status.rejected, "record"));
    let finding = Finding::warning(Code::E5008, message).hint(Code::E5008.mend());
    session.out.troubles(&[Trouble::from(finding)]);
    Ok(Exit::Partly)
}

fn text(report: &ExtractReport, status: &Status) -> String {
    let mut lines = Vec::new();
    for source in &report.sources {
        let counts = [
            (source.new, "new"),
            (source.changed, "changed"),
            (source.same, "as before"),
            (
                source.changed_after_apply,
                "changed after they were sent, and left as they were sent, but for passwords that wait for a sign-in",
            ),
            (source.rejected, "rejected"),
            (source.gone, "gone"),
        ];
        let told: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", grouped(*count)))
            .collect();
        let told = if told.is_empty() { "nothing there".to_owned() } else { told.join(", ") };
        let again = if source.begun_again {
            " (begun anew: it changed since the interrupted reading, or was a snapshot that ended with it)"
        } else {
            ""
        };
        lines.push(format!("{}: {told}{again}", source.source));
        let formats: Vec<String> =
            source.hash_formats.iter().map(|(name, count)| format!("{} {name}", grouped(*count))).collect();
        if !formats.is_empty() {
            lines.push(format!("  password hashes: {}", formats.join(", ")));
        }
    }
    let seen = status.profile(ProfileState::Seen);
    lines.push(format!("In the ledger: {}, {} to be planned.", counted(status.accounts, "account"), grouped(seen)));
    lines.push("Next: sterna plan".to_owned());
    lines.join("\n")
}

fn mended_text(report: &MendReport) -> String {
    let are = if report.taken == 1 { "is an account" } else { "are accounts" };
    let mut lines = vec![format!("{} {are} now.", counted(report.taken, "mended record"))];
    let still = |(id, code): &(i64, Code)| format!("record {id} is still rejected: {code} {}", code.meaning());
    lines.extend(report.still_rejected.iter().map(still));
    lines.extend(report.unknown.iter().map(|id| format!("record {id} is not rejected any more, or never was")));
    lines.join("\n")
}

impl From<mended::Unreadable> for Failure {
    fn from(unreadable: mended::Unreadable) -> Self {
        let mended::Unreadable { path, line, why } = unreadable;
        let place = line.map_or_else(String::new, |line| format!(" line {line}"));
        Self::new(Code::E1001, format!("{}{place} cannot be taken: {why}", path.display()))
    }
}
