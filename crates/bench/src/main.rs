//! `make bench`: quota, speed, memory and life side by side, each as a ratio to a bare baseline of the same run.
//!
//! It drives the released `sterna` binary that lies beside it as a user would, against emulators on loopback. Parts:
//! [`speed`], [`quota`], [`beside`], [`side`], [`hashes`], [`sql`], [`jit`], [`scim`]; without names all of them run. `QUICK=1` makes everything small, `SHARES`
//! picks the shares of the quota part. Figures go to standard output and to `bench/*.jsonl` in the target folder.

mod accounts;
mod baseline;
mod beside;
mod child;
mod emulator;
mod hashes;
mod jit;
mod project;
mod quota;
mod report;
mod scim;
mod series;
mod side;
mod sign_ins;
mod speed;
mod sql;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};

use report::{Report, say};

/// What every part is given.
pub(crate) struct Bench {
    /// The program under test.
    pub(crate) sterna: PathBuf,
    /// This program, which is also its own baseline and recorder of sign-ins.
    pub(crate) me: PathBuf,
    /// Where figures and temporary projects go.
    pub(crate) folder: PathBuf,
    /// Whether to run small, for trying out.
    pub(crate) is_quick: bool,
}

type Part = (&'static str, fn(&Bench, &mut Report) -> Result<()>);

const PARTS: &[Part] = &[
    ("speed", speed::run),
    ("quota", quota::run),
    ("beside", beside::run),
    ("side", side::run),
    ("hashes", hashes::run),
    ("sql", sql::run),
    ("jit", jit::run),
    ("scim", scim::run),
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(&format!("bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["as-baseline", file, store] => baseline::child(Path::new(file), Path::new(store)),
        ["as-jit-service", project] => jit::child(Path::new(project)),
        ["as-sign-ins", project, count] => sign_ins::child(Path::new(project), count.parse()?),
        parts => all(parts),
    }
}

fn all(names: &[&str]) -> Result<()> {
    let me = env::current_exe().context("where is this program?")?;
    let built = me.parent().context("this program has no folder")?;
    let target = built.parent().context("this program's folder has no parent")?;
    let bench = Bench {
        sterna: built.join("sterna"),
        folder: target.join("bench"),
        is_quick: env::var_os("QUICK").is_some_and(|value| !value.is_empty() && value != "0"),
        me,
    };
    if !bench.sterna.exists() {
        bail!("{} is not there: build it first, as `make bench` does", bench.sterna.display());
    }
    let unknown: Vec<&&str> = names.iter().filter(|name| PARTS.iter().all(|(known, _)| known != *name)).collect();
    if !unknown.is_empty() {
        bail!("there is no part {unknown:?}; parts: {:?}", PARTS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }
    say(&report::machine());
    for (name, part) in PARTS.iter().filter(|(name, _)| names.is_empty() || names.contains(name)) {
        say(&format!("\n== {name}{}", if bench.is_quick { " (quick)" } else { "" }));
        let mut report = Report::begin(name, &bench.folder)?;
        part(&bench, &mut report)?;
        say(&report.table());
    }
    Ok(())
}
