//! `sterna explain`: what a code means and how to mend it.

use serde::Serialize;
use sterna_core::{code::Code, settings::nearest};

use super::Session;
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    out::table::Table,
};

/// Arguments of `sterna explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The code, like E2104; all of them when left out
    code: Option<String>,
}

#[derive(Serialize)]
struct Entry {
    code: Code,
    title: &'static str,
    meaning: &'static str,
    mend: &'static str,
}

impl From<Code> for Entry {
    fn from(code: Code) -> Self {
        Self { code, title: code.title(), meaning: code.meaning(), mend: code.mend() }
    }
}

pub(super) fn run(args: &Args, session: &Session) -> Outcome {
    if let Some(text) = &args.code {
        return one(text, session);
    }
    all(session);
    Ok(Exit::Done)
}

fn one(text: &str, session: &Session) -> Outcome {
    let Some(code) = Code::parse(text) else {
        let failure = Failure::new(Code::E1001, format!("there is no code {}", text.escape_debug()));
        let near = nearest(text, Code::ALL.iter().map(|code| code.as_str()));
        let hint = near.map_or_else(
            || "`sterna explain` lists all codes".to_owned(),
            |near| format!("did you mean {near}? `sterna explain` lists all codes"),
        );
        return Err(failure.hint(hint));
    };
    let text = format!("{code}: {}\n\n{}\n\n{}", code.title(), code.meaning(), code.mend());
    session.out.result(&text, &Entry::from(code));
    Ok(Exit::Done)
}

fn all(session: &Session) {
    let entries: Vec<Entry> = Code::ALL.iter().copied().map(Entry::from).collect();
    let mut table = Table::default();
    for entry in &entries {
        table.texts([entry.code.as_str(), entry.title]);
    }
    session.out.result(&table.render(), &entries);
}
