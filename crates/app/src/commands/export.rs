//! `sterna export`: names accounts for the operator, in a file that its owner alone can read.
//!
//! `export/script.rs` is the one export that names nobody and needs no project; `export/handover/` packs whole accounts,
//! encrypted, for somebody else.

mod handover;
mod script;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::json;
use sterna_core::code::Code;
use sterna_engine::{
    Run,
    export::{self, What},
};

use sterna_ledger::audit::Entry;

use super::{Session, mended::Line};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    opened::Opened,
    out::table::counted,
};

/// Arguments of `sterna export`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, flatten_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    made: Option<Made>,
    /// What to export
    #[arg(required = true)]
    what: Option<Wanted>,
    /// In which form; rejects are always JSON lines
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    /// The file to write, never over another; `-` is standard output. Without it a new file in the project's exports/
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only check the chain of the audit log, and write nothing
    #[arg(long, conflicts_with_all = ["format", "output"])]
    verify: bool,
}

/// What is more than rows.
#[derive(Debug, clap::Subcommand)]
enum Made {
    /// Print the login script of WSO2 Identity Server or Asgardeo that asks the hook `wso2-silent`; needs no project
    Script(script::Args),
    /// Pack the accounts, encrypted to a public key, for whoever loads them into the target (docs/handover.md)
    Handover(handover::Args),
}

/// What can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Wanted {
    /// Every account's id at the source and at the target
    Ids,
    /// Accounts that were refused, clash, differ, are missing or in doubt, with the target's words
    Failures,
    /// Accounts that are held, with the reason
    Held,
    /// Accounts whose password moves at the first sign-in
    Waiting,
    /// Accounts that undo left at the target
    Undo,
    /// Records that could not be read, to be mended and fed back with `sterna extract --mended`
    Rejects,
    /// The audit log, whose chain is checked; it names nobody
    Audit,
}

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Comma-separated values with a header
    Csv,
    /// One JSON object per line
    Jsonl,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

pub(super) async fn run(args: &Args, session: &Session) -> Outcome {
    match (&args.made, args.what) {
        (Some(Made::Script(script)), _) => script::run(script, session),
        (Some(Made::Handover(args)), _) => handover::run(args, session).await,
        (None, Some(what)) => rows(what, args, session).await,
        // clap demands one of the two
        (None, None) => Err(Failure::new(Code::E1001, "nothing is said to be exported")),
    }
}

async fn rows(what: Wanted, args: &Args, session: &Session) -> Outcome {
    let opened = Opened::load(session)?;
    if what == Wanted::Rejects && args.format == Format::Csv {
        return Err(Failure::new(Code::E1001, "rejects are exported as JSON lines only, so that they can be fed back"));
    }
    if args.verify && what != Wanted::Audit {
        return Err(Failure::new(Code::E1001, "only the audit log has a chain that --verify can check"));
    }
    if what == Wanted::Audit {
        let entries = audit(&opened)?;
        if args.verify {
            return Ok(whole(&entries, session));
        }
        let mut sink = Sink::open(what, args, &opened, session)?;
        let written = entries.iter().try_for_each(|entry| sink.row(entry));
        return sink.end(written.map(|()| entries.len() as u64), "", session);
    }
    let run = opened.run(session, opened.ledger().await?);
    let mut sink = Sink::open(what, args, &opened, session)?;
    let written = match what {
        Wanted::Rejects => rejects(&run, &mut sink).await?,
        what => accounts(what, &run, &mut sink).await?,
    };
    sink.end(written, ": personal data; its owner alone can read it (mode 0600)", session)
}

async fn accounts(what: Wanted, run: &Run, sink: &mut Sink) -> Result<io::Result<u64>, Failure> {
    let what = match what {
        Wanted::Failures => What::Failures,
        Wanted::Held => What::Held,
        Wanted::Waiting => What::Waiting,
        Wanted::Undo => What::Undo,
        Wanted::Ids | Wanted::Rejects | Wanted::Audit => What::Ids,
    };
    Ok(export::export(run, what, |row| sink.row(row)).await?)
}

async fn rejects(run: &Run, sink: &mut Sink) -> Result<io::Result<u64>, Failure> {
    const CHUNK: usize = 100;
    let (mut after, mut count) = (0, 0);
    loop {
        let rejects = run.ledger.rejects(after, CHUNK).await?;
        let Some(last) = rejects.last() else { return Ok(Ok(count)) };
        after = last.id;
        for reject in &rejects {
            if let Err(error) = sink.row(&Line::of(reject)) {
                return Ok(Err(error));
            }
            count += 1;
        }
    }
}

fn audit(opened: &Opened) -> Result<Vec<Entry>, Failure> {
    let (entries, broken) = sterna_ledger::audit::read(&opened.ledger_folder())?;
    match broken {
        None => Ok(entries),
        Some(seq) => {
            let failure = Failure::new(Code::E4006, format!("the chain of the audit log breaks at entry {seq}"));
            Err(failure.hint("somebody changed the ledger; compare it with a backup"))
        }
    }
}

/// Tells that the chain is whole, and its last hash: who has noted that elsewhere sees whether its end was cut off.
fn whole(entries: &[Entry], session: &Session) -> Exit {
    let head = entries.last().map(|last| last.hash.as_str());
    let text = match head {
        Some(head) => {
            format!("The chain of {} is whole; the last hash is {head}.", counted(entries.len() as u64, "link"))
        }
        None => "The audit log is empty.".to_owned(),
    };
    session.out.result(&text, &json!({ "entries": entries.len(), "head": head }));
    Exit::Done
}

/// Where rows go.
struct Sink {
    path: Option<PathBuf>,
    rows: Rows,
}

enum Rows {
    Csv(Box<csv::Writer<Box<dyn Write>>>),
    Jsonl(Box<dyn Write>),
}

impl Sink {
    fn open(what: Wanted, args: &Args, opened: &Opened, session: &Session) -> Result<Self, Failure> {
        let path = match &args.output {
            Some(path) if path.as_os_str() == "-" => None,
            Some(path) => Some(path.clone()),
            None => Some(free_name(&opened.project.folder, what, args.format)?),
        };
        if path.is_none() && session.common.json {
            return Err(Failure::new(Code::E1001, "--json and `--output -` both want standard output"));
        }
        let writer: Box<dyn Write> = match &path {
            Some(path) => Box::new(BufWriter::new(create(path)?)),
            None => Box::new(session.out.stream()),
        };
        let rows = match args.format {
            Format::Csv => Rows::Csv(Box::new(csv::Writer::from_writer(writer))),
            Format::Jsonl => Rows::Jsonl(writer),
        };
        Ok(Self { path, rows })
    }

    fn row(&mut self, row: &impl Serialize) -> io::Result<()> {
        match &mut self.rows {
            Rows::Csv(writer) => writer.serialize(row).map_err(io::Error::other),
            Rows::Jsonl(writer) => {
                serde_json::to_writer(&mut *writer, row)?;
                writer.write_all(b"\n")
            }
        }
    }

    fn failure(&self, error: &io::Error) -> Failure {
        let name = self.path.as_ref().map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
        Failure::new(Code::E1013, format!("{name} cannot be written")).caused_by(error).hint(Code::E1013.mend())
    }

    /// Flushes, and tells where the rows are; `warning` says what is to be known about them.
    fn end(mut self, written: io::Result<u64>, warning: &str, session: &Session) -> Outcome {
        let flushed = written.and_then(|rows| {
            match &mut self.rows {
                Rows::Csv(writer) => writer.flush(),
                Rows::Jsonl(writer) => writer.flush(),
            }
            .map(|()| rows)
        });
        let rows = match flushed {
            Ok(rows) => rows,
            // a reader that closes the pipe has read what it wanted
            Err(error) if self.path.is_none() && error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Done),
            Err(error) => return Err(self.failure(&error)),
        };
        if let Some(path) = &self.path {
            let text = format!("Wrote {} to {}{warning}.", counted(rows, "row"), path.display());
            session.out.result(&text, &json!({ "file": path, "rows": rows }));
        }
        Ok(Exit::Done)
    }
}

/// A name in the project's `exports/` that nothing has yet.
fn free_name(project: &Path, what: Wanted, format: Format) -> Result<PathBuf, Failure> {
    let what = clap::ValueEnum::to_possible_value(&what);
    let name = what.as_ref().map_or("export", clap::builder::PossibleValue::get_name).to_owned();
    free_path(project, &name, format.ending())
}

/// A path in the project's `exports/`, which is made if need be, that nothing has yet.
fn free_path(project: &Path, name: &str, ending: &str) -> Result<PathBuf, Failure> {
    const TRIES: u32 = 10_000;
    let folder = project.join("exports");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|error| Failure::new(Code::E1013, format!("{} cannot be made", folder.display())).caused_by(&error))?;
    let names = (1..TRIES).map(|number| match number {
        1 => folder.join(format!("{name}.{ending}")),
        _ => folder.join(format!("{name}-{number}.{ending}")),
    });
    let mut free = names.filter(|path| !path.exists());
    free.next().ok_or_else(|| Failure::new(Code::E1013, format!("{} is full of exports", folder.display())))
}

fn create(path: &Path) -> Result<File, Failure> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.map_err(|error| {
        Failure::new(Code::E1013, format!("{} cannot be made", path.display()))
            .caused_by(&error)
            .hint("exports are never written over another file")
    })
}
