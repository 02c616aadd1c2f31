//! Runs a program to its end and tells what it took: wall-clock time, processor time, and the most memory it held.
//!
//! From `/proc`, so for Linux alone: a program that has ended keeps its processor time there until it is waited for.

use std::{
    fs,
    process::{self, Command},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How often the memory is looked at; the kernel keeps the peak, so that only the last moment can be missed.
const LOOK: Duration = Duration::from_millis(10);
/// How long any program may run.
const PATIENCE: Duration = Duration::from_mins(30);
/// The kernel tells processor time to programs in hundredths of a second on every architecture that Linux has now.
const TICKS: f64 = 100.0;

/// What running a program took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Took {
    /// Seconds.
    pub(crate) wall: f64,
    /// Processor seconds, of user and system.
    pub(crate) cpu: f64,
    /// The most memory it held, in MiB.
    pub(crate) peak: f64,
    /// Its exit code; -1 when a signal ended it.
    pub(crate) code: i32,
}

/// A program that runs.
pub(crate) struct Child {
    process: process::Child,
    began: Instant,
    took: Took,
}

impl Child {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let name = format!("{}", command.get_program().display());
        let child = command.spawn().with_context(|| format!("starting {name}"))?;
        Ok(Self { process: child, began: Instant::now(), took: Took::default() })
    }

    /// Its standard input, standard output.
    pub(crate) fn pipes(&mut self) -> (Option<process::ChildStdin>, Option<process::ChildStdout>) {
        (self.process.stdin.take(), self.process.stdout.take())
    }

    /// Processor seconds up to now.
    pub(crate) fn cpu(&self) -> f64 {
        stat(self.process.id()).map_or(self.took.cpu, |(_, cpu)| cpu)
    }

    /// The most memory it held up to now, in MiB.
    pub(crate) fn peak(&mut self) -> f64 {
        self.took.peak = peak(self.process.id()).unwrap_or_default().max(self.took.peak);
        self.took.peak
    }

    /// What it took, when it has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<Took>> {
        self.peak();
        let Some((state, cpu)) = stat(self.process.id()) else { bail!("a program has gone") };
        self.took.cpu = cpu;
        if state != 'Z' {
            return Ok(None);
        }
        self.took.wall = self.began.elapsed().as_secs_f64();
        self.took.code = self.process.wait().context("waiting for a program")?.code().unwrap_or(-1);
        Ok(Some(self.took))
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Result<Took> {
        while self.began.elapsed() < PATIENCE {
            if let Some(took) = self.ended()? {
                return Ok(took);
            }
            thread::sleep(LOOK);
        }
        drop(self.process.kill());
        bail!("a program did not end in time")
    }

    /// Asks it to stop, as an operator would.
    pub(crate) fn interrupt(&self) -> Result<()> {
        let id = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).context("a program has no number")?;
        kill_process(id, Signal::INT).context("interrupting a program")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if stat(self.process.id()).is_some_and(|(state, _)| state != 'Z')
            && self.process.try_wait().is_ok_and(|end| end.is_none())
        {
            drop(self.process.kill());
            drop(self.process.wait());
        }
    }
}

/// State and processor seconds of a process.
fn stat(id: u32) -> Option<(char, f64)> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // the name stands in brackets and may hold anything
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u32>().ok()).map(f64::from);
    Some((fields.first()?.chars().next()?, (ticks(11)? + ticks(12)?) / TICKS))
}

fn peak(id: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM"))?;
    let kib: u32 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(f64::from(kib) / 1_024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_took_is_told() {
        let script = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; exit 3";
        let took = Child::start(Command::new("sh").args(["-c", script])).unwrap().wait().unwrap();
        assert_eq!(took.code, 3);
        assert!(took.peak > 0.1 && took.peak < 100.0, "{took:?}");
        assert!(took.cpu > 0.0 && took.cpu <= took.wall + 0.1, "{took:?}");
    }
}
