//! The table that people read and the JSON lines that scripts read. The only place of this program that prints.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use anyhow::{Context, Result};
use serde::Serialize;

/// One figure.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) what: String,
    /// How much.
    pub(crate) value: f64,
    /// Of what.
    pub(crate) unit: &'static str,
    /// The bare way's value in the same run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) baseline: Option<f64>,
    /// `value` over `baseline`, or over what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<f64>,
    /// What it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) goal: Option<Goal>,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    /// The value at most.
    AtMost(f64),
    /// The ratio at most.
    RatioAtMost(f64),
    /// The ratio at least.
    RatioAtLeast(f64),
}

impl Figure {
    /// A figure.
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { what: what.into(), value, unit, ..Self::default() }
    }

    /// Beside the bare way's value.
    pub(crate) fn over(mut self, baseline: f64) -> Self {
        self.baseline = Some(baseline);
        self.ratio = (baseline > 0.0).then(|| self.value / baseline);
        self
    }

    /// With what it should be.
    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    /// Whether it is as it should be.
    fn is_met(&self) -> Option<bool> {
        let ratio = self.ratio.unwrap_or(f64::NAN);
        Some(match self.goal? {
            Goal::AtMost(most) => self.value <= most,
            Goal::RatioAtMost(most) => ratio <= most,
            Goal::RatioAtLeast(least) => ratio >= least,
        })
    }
}

/// The figures of one part, written down as they come.
pub(crate) struct Report {
    figures: Vec<Figure>,
    file: File,
}

impl Report {
    /// Begins the part's file anew.
    pub(crate) fn begin(part: &str, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        let path = folder.join(format!("{part}.jsonl"));
        let file = File::create(&path).with_context(|| format!("writing {}", path.display()))?;
        Ok(Self { figures: Vec::new(), file })
    }

    /// Takes a figure.
    pub(crate) fn add(&mut self, figure: Figure) -> Result<()> {
        self.line(&figure)?;
        say(&format!("  {}: {} {}", figure.what, number(figure.value), figure.unit));
        self.figures.push(figure);
        Ok(())
    }

    /// Writes a line that is no figure of the table, such as a series.
    pub(crate) fn line(&mut self, line: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(line)?;
        writeln!(self.file, "{text}").context("writing a figure")
    }

    /// All figures in columns.
    pub(crate) fn table(&self) -> String {
        let head = ["", "figure", "baseline", "ratio", "goal", "met"].map(str::to_owned);
        let mut rows = vec![head];
        rows.extend(self.figures.iter().map(row));
        let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..6).map(width).collect();
        let line = |row: &[String; 6]| {
            let mut text = format!("{:<1$}", row[0], widths[0]);
            for (cell, width) in row.iter().zip(&widths).skip(1) {
                let padding = width - cell.chars().count() + 2;
                text.extend(std::iter::repeat_n(' ', padding));
                text.push_str(cell);
            }
            text.trim_end().to_owned()
        };
        let lines: Vec<String> = rows.iter().map(line).collect();
        format!("\n{}", lines.join("\n"))
    }
}

fn row(figure: &Figure) -> [String; 6] {
    let goal = match figure.goal {
        None => String::new(),
        Some(Goal::AtMost(most)) => format!("<= {} {}", number(most), figure.unit),
        Some(Goal::RatioAtMost(most)) => format!("ratio <= {}", number(most)),
        Some(Goal::RatioAtLeast(least)) => format!("ratio >= {}", number(least)),
    };
    let met = match figure.is_met() {
        None => "",
        Some(true) => "yes",
        Some(false) => "NO",
    };
    [
        figure.what.clone(),
        format!("{} {}", number(figure.value), figure.unit),
        figure.baseline.map(number).unwrap_or_default(),
        figure.ratio.map(|ratio| format!("{ratio:.3}")).unwrap_or_default(),
        goal,
        met.to_owned(),
    ]
}

fn number(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        ..0.1 => 4,
        ..10.0 => 2,
        ..1_000.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}

/// The machine: cores, memory, and how busy it is with others.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let (memory, load) = (read("/proc/meminfo"), read("/proc/loadavg"));
    let memory = memory.lines().next().and_then(|line| line.split_whitespace().nth(1)).unwrap_or("0");
    let memory = memory.parse::<u64>().unwrap_or_default() / 1_048_576;
    let cpu = read("/proc/cpuinfo");
    let cpu =
        cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("").trim_start_matches(['\t', ':', ' ']);
    format!("{cores} cores ({cpu}), {memory} GiB; load of the last minute {}", load.split(' ').next().unwrap_or(""))
}

/// Prints a line.
pub(crate) fn say(text: &str) {
    let mut out = io::stdout().lock();
    // a reader that has seen enough is no failure of the measurement
    drop(writeln!(out, "{text}").and_then(|()| out.flush()));
}

/// Prints a line on standard error.
pub(crate) fn complain(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_by_the_value_or_by_the_ratio() {
        let check = |figure: Figure, met: bool| assert_eq!(figure.is_met(), Some(met), "{figure:?}");
        check(Figure::new("a", 30.0, "s").goal(Goal::AtMost(30.0)), true);
        check(Figure::new("a", 30.1, "s").goal(Goal::AtMost(30.0)), false);
        check(Figure::new("a", 31.0, "s").over(10.0).goal(Goal::RatioAtMost(3.0)), false);
        check(Figure::new("a", 95.0, "/s").over(100.0).goal(Goal::RatioAtLeast(0.95)), true);
        check(Figure::new("a", 95.0, "/s").goal(Goal::RatioAtLeast(0.95)), false);
    }
}
