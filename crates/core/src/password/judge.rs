//! Judging a file of test accounts, and counting what a file of hashes holds: the parts of `sterna password` that need
//! no file and no screen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::formats::{Bounds, Recognised, Refusal, Stored, Verdict, find, recognise};

/// Longest line that is judged, in bytes: a hash of 8 KiB and a password of 4 KiB, escaped.
pub const MAX_LINE: usize = 64 << 10;

/// A line that is not one to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotJudged {
    /// Longer than [`MAX_LINE`].
    #[error("the line is too long")]
    TooLong,
    /// No JSON object with the texts `format`, `password` and `hash`.
    #[error("the line is not JSON with the texts `format`, `password` and `hash`")]
    Malformed,
}

/// One test account.
#[derive(Deserialize)]
struct Line {
    format: String,
    password: String,
    hash: String,
    /// Values beside the hash that it needs, unless they are members of `hash` itself.
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.password.zeroize();
        self.hash.zeroize();
        self.settings.values_mut().for_each(Zeroize::zeroize);
    }
}

/// The answer to a line.
#[derive(Serialize)]
struct Judgement<'a> {
    format: &'a str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    upgrade: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Judges one line of `{"format", "password", "hash"}`: a line of JSON with `verdict` `match`, `mismatch`, `refused` or
/// `unsupported`, `"upgrade":true` for a match that should be re-hashed, and a `reason` that holds nothing secret.
///
/// # Errors
/// [`NotJudged`] when it is no such line.
pub fn judge_line(line: &str, bounds: &Bounds) -> Result<String, NotJudged> {
    if line.len() > MAX_LINE {
        return Err(NotJudged::TooLong);
    }
    let line: Line = serde_json::from_str(line).map_err(|_| NotJudged::Malformed)?;
    let verdict = judge(&line, bounds);
    let (word, upgrade, reason) = match verdict {
        Some(Verdict::Match { upgrade }) => ("match", upgrade.map(|_| true), upgrade.map(|why| why.name().to_owned())),
        Some(Verdict::Mismatch) => ("mismatch", None, None),
        Some(Verdict::Refused(refusal)) => ("refused", None, Some(refusal.to_string())),
        Some(Verdict::Unsupported) => ("unsupported", None, Some("a variant that is not computed".to_owned())),
        None => ("unsupported", None, Some("no format has this name".to_owned())),
    };
    // The name is echoed only where it is one of ours: anything could stand there.
    let format = find(&line.format).map_or("", |format| format.name);
    serde_json::to_string(&Judgement { format, verdict: word, upgrade, reason }).map_err(|_| NotJudged::Malformed)
}

/// The verdict, or none when the format has no known name.
fn judge(line: &Line, bounds: &Bounds) -> Option<Verdict> {
    let format = find(&line.format)?;
    Some(match Stored::parse_with(format, &line.hash, &line.settings, bounds) {
        Ok(stored) => stored.verify(line.password.as_bytes()),
        Err(refusal) => refusal.into(),
    })
}

/// What a file of hashes holds, by format and parameters. Its size is bounded; it holds no hash.
#[derive(Debug, Default)]
pub struct Tally {
    groups: BTreeMap<Group, Sum>,
    left_out: u64,
}

/// Hashes that take the same steps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Group {
    /// The likeliest format; empty when none is known.
    pub format: &'static str,
    /// Others that look the same.
    pub or: Vec<&'static str>,
    /// What the work depends on.
    pub parameters: String,
    /// Why they are not checked, if so.
    pub refused: Option<String>,
}

/// How many, and what it costs to check each once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// Seconds of one core, predicted.
    pub seconds: f64,
    /// The most memory that one takes, in bytes.
    pub memory: u64,
}

impl Tally {
    /// Most groups that are kept apart; more only counts [`Tally::left_out`].
    pub const MOST: usize = 1_000;

    /// Looks at one hash, as `format` or as what it looks like, and counts it.
    pub fn add(&mut self, text: &str, format: Option<&'static str>, bounds: &Bounds) {
        let recognised = match format.and_then(find) {
            Some(format) => Recognised::One(format),
            None => recognise(text),
        };
        let formats = recognised.formats();
        let Some((first, others)) = formats.split_first() else {
            return self
                .count(Group { format: "", or: Vec::new(), parameters: String::new(), refused: None }, Sum::one());
        };
        let stored = Stored::parse(first, text, bounds);
        let or = others.iter().map(|format| format.name).collect();
        let (parameters, refused) = match &stored {
            Ok(stored) => (stored.parameters(), None),
            Err(refusal) => (String::new(), Some(Refusal::to_string(refusal))),
        };
        let sum =
            stored.map_or(Sum::one(), |stored| Sum { seconds: stored.seconds(), memory: stored.memory(), count: 1 });
        self.count(Group { format: first.name, or, parameters, refused }, sum);
    }

    fn count(&mut self, group: Group, one: Sum) {
        if self.groups.len() >= Self::MOST && !self.groups.contains_key(&group) {
            self.left_out += 1;
            return;
        }
        let sum = self.groups.entry(group).or_default();
        sum.count += one.count;
        sum.seconds += one.seconds;
        sum.memory = sum.memory.max(one.memory);
    }

    /// The groups, by format.
    pub fn groups(&self) -> impl Iterator<Item = (&Group, &Sum)> {
        self.groups.iter()
    }

    /// How many were in no group because there were too many groups.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Seconds of one core to check all of them once.
    pub fn seconds(&self) -> f64 {
        self.groups.values().map(|sum| sum.seconds).sum()
    }
}

impl Sum {
    fn one() -> Self {
        Self { count: 1, seconds: 0.0, memory: 0 }
    }
}
