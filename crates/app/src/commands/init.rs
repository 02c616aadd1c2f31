//! `sterna init`: writes a commented project to edit. It never writes over anything.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde_json::json;
use sterna_core::{
    code::Code,
    registry::{CheckKind, SourceKind, TargetKind},
    settings::nearest,
};

use super::Session;
use crate::{
    connectors::{self, Named},
    exit::Exit,
    failure::{Failure, Outcome},
    project::FILE,
};

/// Arguments of `sterna init`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder to make the project in
    dir: PathBuf,
    /// What accounts are read from, for example b2c-users-file
    #[arg(long, value_name = "KIND")]
    from: String,
    /// What accounts are written to, for example entra-external-id
    #[arg(long, value_name = "KIND")]
    to: String,
}

const IGNORED: &str =
    "# the ledger, the key that opens it, and exports: never commit them\n/.sterna/\n/exports/\n*.key\n";

pub(super) fn run(args: &Args, session: &Session) -> Outcome {
    let source = pick(&args.from, &connectors::sources(), "source")?;
    let target = pick(&args.to, &connectors::targets(), "target")?;
    let dir = &args.dir;
    fs::create_dir_all(dir)
        .map_err(|error| Failure::new(Code::E1013, format!("{} cannot be made", dir.display())).caused_by(&error))?;
    let file = dir.join(FILE);
    if !create(&file, &text(&name_of(dir), source, target))? {
        let failure = Failure::new(Code::E1010, format!("{} is there already", file.display()));
        return Err(failure.hint("init never writes over a project; choose another folder"));
    }
    let ignore = dir.join(".gitignore");
    if !create(&ignore, IGNORED)? {
        session
            .out
            .note(&format!("{} is there already: add `/.sterna/`, `/exports/` and `*.key` to it", ignore.display()));
    }
    let shown = file.display();
    let text = format!(
        "Wrote {shown}.\n\nNext:\n  1. edit {shown}: fill in the values that it asks for\n  2. sterna --project {} check",
        dir.display()
    );
    session.out.result(&text, &json!({ "project": dir, "file": file, "from": source.kind(), "to": target.kind() }));
    Ok(Exit::Done)
}

fn pick<K: ?Sized + Named>(name: &str, kinds: &[&'static K], what: &str) -> Result<&'static K, Failure> {
    if let Some(kind) = kinds.iter().find(|kind| kind.name() == name) {
        return Ok(kind);
    }
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    let failure = Failure::new(Code::E1009, format!("there is no {what} \"{}\"", name.escape_debug()));
    let failure = match nearest(name, names.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean {near}?")),
        None => failure,
    };
    Err(failure.hint(format!("kinds of {what}: {}", names.join(", "))))
}

/// The project's first name: the folder's.
fn name_of(dir: &Path) -> String {
    let full = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    full.file_name().map_or_else(|| "migration".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Makes a file; `false` when it is there already.
fn create(path: &Path, text: &str) -> Result<bool, Failure> {
    let made = fs::OpenOptions::new().write(true).create_new(true).open(path);
    match made.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Failure::new(Code::E1013, format!("{} cannot be written", path.display())).caused_by(&error)),
    }
}

/// The text of a new `sterna.toml`.
pub(crate) fn text(name: &str, source: &dyn SourceKind, target: &dyn TargetKind) -> String {
    let name = toml::Value::from(name);
    let (from, from_title, from_sample) =
        (source.kind(), source.title(), source.sample().trim_end().replace("sources.NAME", "sources.legacy"));
    let checks = connectors::checks().into_iter().map(CheckKind::kind).filter(|kind| *kind != "stored-hash");
    let checks = checks.collect::<Vec<_>>().join(", ");
    let (to, to_title, to_sample) = (target.kind(), target.title(), target.sample().trim_end());
    format!(
        r#"# A migration with Sterna. Fill in what is asked for, then run `sterna check`.
# Every setting is in docs/configuration.md; `sterna explain CODE` says what an error means.

[migration]
name = {name}

# {from_title}
[sources.legacy]
connector = "{from}"
{from_sample}

# {to_title}
[target]
connector = "{to}"
{to_sample}

[passwords]
# Where the source holds a password in plaintext it is set at once. For everybody else:
#   "just-in-time"  it moves at the person's first sign-in
#   "set"           nothing; who has no password must choose one
#   "reset"         everybody must choose a new one
strategy = "just-in-time"

# How an old password is checked where it is to move at the first sign-in: docs/legacy-checks.md. Try it with
# `sterna check --account ana@example.org`, the password on standard input.
# [checks.stored]
# connector = "stored-hash"          # or {checks}

[social.issuers]
# An issuer as the source names it = as the target names it. Accounts with an issuer that is not listed are held,
# and `sterna plan` names it.
# "Facebook.com" = "facebook.com"

[mapping]
# Only what differs from the default mapping: an attribute of the target = where it comes from.
# displayName = {{ from = ["given_name", "family_name"], join = " ", trim = true }}

# A wave of accounts, for `sterna apply --cohort pilots`.
# [cohorts.pilots]
# where = [{{ attribute = "email", ends_with = "@contoso.com" }}]
# percent = 10

# The key that opens the ledger. It is made by the first extract; keep a copy of it in a safe place.
# [ledger]
# key = {{ file = "sterna.key" }}
"#
    )
}
