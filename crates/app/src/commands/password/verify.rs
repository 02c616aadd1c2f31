//! `sterna password verify`: whether a password belongs to a stored hash, for one or for a file of test accounts.
//!
//! The answer to one password and the answer to a line of a file are the same, made by `judge_line`.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sterna_core::{
    code::Code,
    password::{
        MAX_LINE, NotJudged,
        formats::{
            Bounds, all,
            bounds::{MAX_JSON, MAX_PASSWORD},
            find,
        },
        judge_line,
    },
    settings::nearest,
};
use zeroize::Zeroizing;

use super::{Broken, Ended, HashText, Input, Session, lines};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
};

/// What `sterna password verify` reads, answers and exits with.
pub(super) const EXITS: &str = "\
`verify` of one password: it is read from standard input, without one line end, and never given as an argument. \
Exit codes: 0 match; 1 mismatch, refused or unsupported, as the answer says; 2 wrong usage.

`verify` of a file: each line is {\"format\", \"password\", \"hash\"}, each answer a JSON line with `verdict` match (with \
\"upgrade\":true where the hash should be replaced), mismatch, refused or unsupported, in the order of the file. \
`settings` may hold values that the format needs beside the hash. Exit codes: 0 every line was judged; 12 lines that \
are no such JSON have an answer with `error`.";

/// Arguments of `sterna password verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXITS)]
pub(super) struct Args {
    /// The hash's format, a name that `sterna password identify` gives
    #[arg(long, value_name = "NAME", required_unless_present = "file")]
    format: Option<HashText>,
    /// The stored hash, in single quotes
    #[arg(value_name = "HASH", required_unless_present_any = ["file", "hash_file"])]
    hash: Option<HashText>,
    /// A file that holds the stored hash and nothing else
    #[arg(long, value_name = "FILE", conflicts_with = "hash")]
    hash_file: Option<PathBuf>,
    /// A file of test accounts in JSON Lines; answers a JSON line each
    #[arg(long, value_name = "FILE", conflicts_with_all = ["format", "hash", "hash_file"])]
    file: Option<PathBuf>,
    // a password among the arguments is not to be shown in an error
    #[arg(hide = true)]
    more: Vec<HashText>,
}

/// One test account, to be judged like a line of a file.
#[derive(Serialize)]
struct Account<'a> {
    format: &'a str,
    password: &'a str,
    hash: &'a str,
}

/// What of an answer decides the exit code, and is shown to people.
#[derive(Deserialize)]
struct Answer {
    verdict: String,
    #[serde(default)]
    upgrade: bool,
    reason: Option<String>,
}

pub(super) fn run(args: &Args, session: &Session) -> Outcome {
    if !args.more.is_empty() {
        return Err(super::too_many());
    }
    match (&args.file, &args.format) {
        (Some(file), _) => judge_file(&Input::File(file), session),
        (None, Some(format)) => one(format.0.as_str(), args, session),
        (None, None) => Err(usage("the format is missing")),
    }
}

fn usage(message: &'static str) -> Failure {
    Failure::new(Code::E1001, message)
}

fn one(format: &str, args: &Args, session: &Session) -> Outcome {
    if find(format).is_none() {
        // the name is not shown: a hash or a password could stand there by mistake
        let near = nearest(format, all().map(|format| format.name));
        let hint = near.map_or_else(
            || "`sterna password identify` says which format a hash has".to_owned(),
            |near| format!("did you mean {near}? `sterna password identify` says which format a hash has"),
        );
        return Err(usage("no format has the name that --format gives").hint(hint));
    }
    let hash = hash(args)?;
    let password = password()?;
    let line = line(&Account { format, password: password.as_str(), hash: hash.as_str() })
        .ok_or_else(|| usage("the hash and the password are too long"))?;
    let judged = judge_line(&line, &Bounds::OFFLINE).map_err(|error| {
        usage(match error {
            NotJudged::TooLong => "the hash and the password are too long",
            NotJudged::Malformed => "the hash or the password is no text",
        })
    })?;
    let unread = |error: serde_json::Error| Failure::new(Code::E1013, "the answer cannot be shown").caused_by(&error);
    let document: Value = serde_json::from_str(&judged).map_err(unread)?;
    let answer: Answer = serde_json::from_str(&judged).map_err(unread)?;
    session.out.result(&answer.text(), &document);
    Ok(if answer.verdict == "match" { Exit::Done } else { Exit::Failed })
}

/// The account as a line of JSON, in a buffer that does not grow and is wiped.
fn line(account: &Account<'_>) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(8 * (MAX_JSON + MAX_PASSWORD)));
    serde_json::to_writer(&mut *bytes, account).ok()?;
    String::from_utf8(std::mem::take(&mut *bytes)).ok().map(Zeroizing::new)
}

fn hash(args: &Args) -> Result<Zeroizing<String>, Failure> {
    let Some(path) = &args.hash_file else {
        return Ok(args.hash.as_ref().map(|hash| hash.0.clone()).unwrap_or_default());
    };
    let bytes = Input::File(path).whole(MAX_JSON)?.ok_or_else(|| usage("the file holds more than a hash"))?;
    text(&bytes).ok_or_else(|| usage("the hash is not UTF-8"))
}

fn password() -> Result<Zeroizing<String>, Failure> {
    let bytes = Input::Standard.whole(MAX_PASSWORD)?.ok_or_else(|| usage("the password is too long"))?;
    if bytes.is_empty() {
        return Err(usage("no password on standard input"));
    }
    if bytes.contains(&0) {
        return Err(usage("the password has a NUL"));
    }
    text(&bytes).ok_or_else(|| usage("the password is not UTF-8"))
}

fn text(bytes: &[u8]) -> Option<Zeroizing<String>> {
    std::str::from_utf8(bytes).ok().map(|text| Zeroizing::new(text.to_owned()))
}

impl Answer {
    fn text(&self) -> String {
        let Self { verdict, upgrade, reason } = self;
        match reason {
            Some(why) if *upgrade => format!("{verdict}, and the hash should be replaced: {why}"),
            Some(why) => format!("{verdict}: {why}"),
            None => verdict.clone(),
        }
    }
}

fn judge_file(input: &Input<'_>, session: &Session) -> Outcome {
    let file = input.open()?;
    let mut output = session.out.stream();
    let mut wrong: u64 = 0;
    let ended = lines(file, MAX_LINE, session, |line| {
        let answer = match line.map_or(Err(NotJudged::TooLong), |line| judge_line(line, &Bounds::OFFLINE)) {
            Ok(answer) => answer,
            Err(error) => {
                wrong += 1;
                json!({ "error": reason(line, error) }).to_string()
            }
        };
        writeln!(output, "{answer}")
    });
    let ended = match ended {
        Ok(ended) => output.flush().map(|()| ended).map_err(Broken::Writing),
        Err(broken) => Err(broken),
    };
    match ended {
        Ok(Ended::Stopped) => Ok(Exit::Interrupted),
        Ok(Ended::Whole) if wrong > 0 => Ok(Exit::Partly),
        Ok(Ended::Whole) => Ok(Exit::Done),
        // a reader that closes the pipe has read what it wanted
        Err(Broken::Writing(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(Broken::Writing(error)) => {
            Err(Failure::new(Code::E1013, "standard output cannot be written").caused_by(&error))
        }
        Err(Broken::Reading(error)) => Err(input.unreadable(&error)),
    }
}

fn reason(line: Option<&str>, error: NotJudged) -> String {
    line.map_or_else(|| "the line is too long, or not UTF-8".to_owned(), |_| error.to_string())
}
