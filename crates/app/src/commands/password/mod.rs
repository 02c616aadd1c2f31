//! `sterna password`: which format a stored hash has, and whether a password belongs to it. Needs no project.
//!
//! `identify.rs` and `verify.rs` are the two commands; here is what both read with. Neither a hash nor a password is ever
//! printed, nor part of an error.

mod identify;
mod verify;

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use sterna_connectors::text::{Encoding, Line, Reader, next_line};
use sterna_core::code::Code;
use zeroize::Zeroizing;

use super::Session;
use crate::failure::{Failure, Outcome};

/// Arguments of `sterna password`.
#[derive(Debug, clap::Args)]
// the page of commands shows this one, with both below it
#[command(flatten_help = true, after_help = verify::EXITS)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say which format hashes have, their parameters, and how long checking them all takes
    Identify(identify::Args),
    /// Check the password on standard input against a stored hash, or a file of test accounts
    Verify(verify::Args),
}

pub(super) fn run(args: &Args, session: &Session) -> Outcome {
    match &args.what {
        What::Identify(args) => identify::run(args, session),
        What::Verify(args) => verify::run(args, session),
    }
}

/// A stored hash as an argument. Does not print, and is wiped.
#[derive(Clone)]
struct HashText(Zeroizing<String>);

impl From<String> for HashText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for HashText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashText")
    }
}

/// More arguments than there are places for. They are not shown: a hash or a password may be among them.
fn too_many() -> Failure {
    Failure::new(Code::E1001, "there are more arguments than one hash")
        .hint("put the hash in single quotes; a password goes to standard input, never among the arguments")
}

/// Hands every line, without its end, to `each`; none when the line is longer than `limit` bytes or not UTF-8. Stops
/// early when `each` breaks off or somebody asked the program to end.
fn lines(
    input: impl Read,
    limit: usize,
    session: &Session,
    mut each: impl FnMut(Option<&str>) -> io::Result<()>,
) -> Result<Ended, Broken> {
    let mut reader = Reader::new(input, Encoding::Utf8, 0, 1);
    while !session.stop.is_wanted() {
        match next_line(&mut reader, limit).map_err(Broken::Reading)? {
            Line::Whole { text, whole } => {
                let line = reader.held().get(..text).and_then(|line| std::str::from_utf8(line).ok());
                // what Windows programs begin a file with
                let line =
                    line.map(|line| if reader.offset() == 0 { line.trim_start_matches('\u{feff}') } else { line });
                each(line).map_err(Broken::Writing)?;
                reader.take(whole);
            }
            Line::TooLong(head) => {
                drop(Zeroizing::new(head));
                each(None).map_err(Broken::Writing)?;
            }
            Line::End => return Ok(Ended::Whole),
        }
    }
    Ok(Ended::Stopped)
}

/// How reading lines ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// With the last line.
    Whole,
    /// Because somebody asked the program to end.
    Stopped,
}

/// Which side of [`lines`] failed.
enum Broken {
    Reading(io::Error),
    Writing(io::Error),
}

/// Where hashes come from.
pub(super) enum Input<'a> {
    File(&'a Path),
    Standard,
}

impl<'a> Input<'a> {
    fn of(path: Option<&'a PathBuf>) -> Self {
        path.map_or(Self::Standard, |path| Self::File(path))
    }

    fn open(&self) -> Result<Box<dyn Read>, Failure> {
        match self {
            Self::Standard => Ok(Box::new(io::stdin())),
            Self::File(path) => Ok(Box::new(File::open(path).map_err(|error| self.unreadable(&error))?)),
        }
    }

    fn unreadable(&self, error: &io::Error) -> Failure {
        let name = match self {
            Self::Standard => "standard input".to_owned(),
            Self::File(path) => path.display().to_string(),
        };
        Failure::new(Code::E3001, format!("{name} cannot be read")).caused_by(error).hint(Code::E3001.mend())
    }

    /// All of it without one line end; none when it is longer than `limit` bytes.
    pub(super) fn whole(&self, limit: usize) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        let most = limit + 2;
        // as large as it can become, so that nothing is left behind by growing
        let mut bytes = Zeroizing::new(Vec::with_capacity(most + 1));
        let read = self.open()?.take(most as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| self.unreadable(&error))?;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        Ok((bytes.len() <= limit).then_some(bytes))
    }
}
