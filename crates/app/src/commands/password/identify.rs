//! `sterna password identify`: which formats hashes have, with which parameters, and what checking them all costs.

use std::path::PathBuf;

use serde::Serialize;
use sterna_core::password::{
    Group, Sum, Tally,
    formats::{Bounds, bounds::MAX_JSON},
};

use super::{Broken, Ended, HashText, Input, Session, lines};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    out::{
        progress::duration,
        table::{Table, add, counted, grouped},
    },
};

/// Arguments of `sterna password identify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 every hash has a known format; 12 some have none, or are refused.")]
pub(super) struct Args {
    /// A stored hash; without it and without --file, one per line on standard input
    #[arg(value_name = "HASH", conflicts_with = "file")]
    hash: Option<HashText>,
    /// A file with one hash per line
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    // what a shell makes of a hash without quotes is not to be shown in an error
    #[arg(hide = true)]
    more: Vec<HashText>,
}

/// What was found.
#[derive(Serialize)]
struct Report<'t> {
    /// How many hashes there were.
    hashes: u64,
    /// How many have no known format.
    unknown: u64,
    /// How many have one and are refused all the same.
    refused: u64,
    /// How many lines are too long or not UTF-8.
    unreadable: u64,
    /// How many were not told apart because there were too many groups.
    left_out: u64,
    /// Seconds of one core to check each once.
    seconds: f64,
    groups: Vec<Row<'t>>,
}

#[derive(Serialize)]
struct Row<'t> {
    #[serde(flatten)]
    group: &'t Group,
    #[serde(flatten)]
    sum: &'t Sum,
}

pub(super) fn run(args: &Args, session: &Session) -> Outcome {
    if !args.more.is_empty() {
        return Err(super::too_many());
    }
    let mut tally = Tally::default();
    let mut unreadable = 0;
    let mut add_line = |line: Option<&str>| match line {
        Some(line) if line.trim().is_empty() => {}
        Some(line) => tally.add(line, None, &Bounds::OFFLINE),
        None => unreadable += 1,
    };
    let ended = match &args.hash {
        Some(hash) => {
            add_line(Some(hash.0.as_str()));
            Ended::Whole
        }
        None => read(&Input::of(args.file.as_ref()), session, add_line)?,
    };
    if ended == Ended::Stopped {
        return Ok(Exit::Interrupted);
    }
    let report = Report::of(&tally, unreadable);
    session.out.result(&text(&report), &report);
    Ok(if report.is_all_known() { Exit::Done } else { Exit::Partly })
}

fn read(input: &Input<'_>, session: &Session, mut each: impl FnMut(Option<&str>)) -> Result<Ended, Failure> {
    let line = |line: Option<&str>| {
        each(line);
        Ok(())
    };
    lines(input.open()?, MAX_JSON, session, line).map_err(|broken| match broken {
        Broken::Reading(error) | Broken::Writing(error) => input.unreadable(&error),
    })
}

impl<'t> Report<'t> {
    fn of(tally: &'t Tally, unreadable: u64) -> Self {
        let groups: Vec<Row<'t>> = tally.groups().map(|(group, sum)| Row { group, sum }).collect();
        let count =
            |which: fn(&Group) -> bool| groups.iter().filter(|row| which(row.group)).map(|row| row.sum.count).sum();
        Self {
            hashes: count(|_| true) + tally.left_out(),
            unknown: count(|group| group.format.is_empty()),
            refused: count(|group| group.refused.is_some()),
            unreadable,
            left_out: tally.left_out(),
            seconds: tally.seconds(),
            groups,
        }
    }

    fn is_all_known(&self) -> bool {
        self.hashes > 0 && self.unknown + self.refused + self.unreadable == 0
    }
}

fn text(report: &Report<'_>) -> String {
    let mut table = Table::default();
    for Row { group, sum } in &report.groups {
        let format = match (group.format, group.or.as_slice()) {
            ("", _) => "no known format".to_owned(),
            (format, []) => format.to_owned(),
            (format, others) => format!("{format}, or {}", others.join(", ")),
        };
        let work = match &group.refused {
            Some(why) => format!("refused: {why}"),
            None if group.format.is_empty() => String::new(),
            None => format!("{}, {} KiB", duration(sum.seconds), grouped(sum.memory.div_ceil(1 << 10))),
        };
        table.texts([grouped(sum.count).as_str(), &format, &group.parameters, &work]);
    }
    let mut text = table.render();
    if !table.is_empty() {
        text.push('\n');
    }
    let noun = if report.hashes == 1 { "hash" } else { "hashes" };
    let (number, work) = (grouped(report.hashes), duration(report.seconds));
    add(&mut text, format_args!("{number} {noun}, {work} of one core to check each once."));
    if report.left_out > 0 {
        add(&mut text, format_args!("\n{} in no row: there are too many rows.", grouped(report.left_out)));
    }
    if report.unreadable > 0 {
        add(&mut text, format_args!("\n{} too long, or not UTF-8.", counted(report.unreadable, "line")));
    }
    text
}
