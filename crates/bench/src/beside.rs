//! Part `beside`: a bulk apply while another process records sign-ins in the same ledger.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use sterna_core::state::CredentialState;

use crate::{
    Bench,
    child::Child,
    emulator::Emulator,
    project::{Pace, Project},
    report::{Figure, Goal, Report},
    sign_ins::{self, Recorded},
};

/// Accounts that are there already, for the sign-ins.
const THERE: u64 = 8_000;
/// Milliseconds that one of a hundred records may take.
const P99: f64 = 50.0;

/// Runs it, once as fast as it goes and once at a steady 1,000 writes a second.
pub(crate) fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let accounts = if bench.is_quick { 10_000 } else { 50_000 };
    for (name, quota) in [("unpaced", 90_000.0), ("1,000 writes/s", 1_000.0)] {
        side_by_side(bench, report, accounts, name, quota)?;
    }
    Ok(())
}

fn side_by_side(bench: &Bench, report: &mut Report, accounts: u64, name: &str, quota: f64) -> Result<()> {
    let folder = Project::folder(bench, "beside")?;
    let emulator = Emulator::start(bench, &folder, quota * 1.2, 150)?;
    let pace = Pace { quota, share: 1.0, window_secs: 150, concurrency: 16 };
    let project = Project::make(bench, folder, THERE + accounts, &emulator.ready, pace)?;
    project.run(&["extract"])?;
    project.run(&["plan"])?;
    project.run(&["apply", "--limit", &THERE.to_string()])?;
    let alone = recorder(bench, &project, if bench.is_quick { 100 } else { 500 })?.finish()?;

    let recorder = recorder(bench, &project, THERE)?;
    thread::sleep(Duration::from_secs(1));
    let (apply, said) = project.run(&["apply"])?;
    let beside = recorder.finish()?;
    let applied = said.get("applied").and_then(Value::as_u64).unwrap_or_default();
    ensure!(applied == accounts, "{applied} of {accounts} accounts were applied: {said}");

    let figure = |what: &str, value: f64, unit| Figure::new(format!("{name}: {what}"), value, unit);
    let each = f64::from(u32::try_from(accounts).unwrap_or(u32::MAX));
    report.add(figure("accounts applied", each / apply.wall, "/s"))?;
    report.add(figure("sign-ins recorded meanwhile", f64::from(beside.count), ""))?;
    report.add(figure("p50", beside.p50, "ms").over(alone.p50))?;
    report.add(figure("p99", beside.p99, "ms").over(alone.p99).goal(Goal::AtMost(P99)))?;
    report.add(figure("longest", beside.max, "ms").over(alone.max))?;
    report.add(figure("processor time of apply", apply.cpu, "s"))?;

    let found = sign_ins::found(project.path(), CredentialState::Answered)?;
    // the recorder begins with the same accounts each time: what was recorded alone is recorded once more
    let expected = u64::from(beside.count.max(alone.count));
    let (_, status) = project.run(&["status"])?;
    let adds_up = status.get("adds_up").and_then(Value::as_bool) == Some(true);
    ensure!(adds_up, "status does not add up: {status}");
    let made = emulator.counters()?.creates;
    ensure!(made == THERE + accounts, "the target holds {made} of {} accounts", THERE + accounts);
    let lost = expected.abs_diff(found);
    report.add(figure("sign-ins lost", f64::from(u32::try_from(lost).unwrap_or(u32::MAX)), "").goal(Goal::AtMost(0.0)))
}

/// A process that records sign-ins until its standard input ends.
struct Recorder {
    child: Child,
    limit: u64,
}

fn recorder(bench: &Bench, project: &Project, limit: u64) -> Result<Recorder> {
    let mut command = Command::new(&bench.me);
    command.arg("as-sign-ins").arg(project.path()).arg(limit.to_string());
    let child = Child::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
    Ok(Recorder { child, limit })
}

impl Recorder {
    fn finish(mut self) -> Result<Recorded> {
        let (input, Some(out)) = self.child.pipes() else { bail!("the recorder has no standard output") };
        if self.limit == THERE {
            drop(input); // which ends it; a shorter run ends by itself
            return read(out);
        }
        let recorded = read(out);
        drop(input);
        recorded
    }
}

fn read(out: impl Read) -> Result<Recorded> {
    let mut line = String::new();
    BufReader::new(out.take(1 << 16)).read_line(&mut line).context("waiting for the recorder")?;
    serde_json::from_str(&line).context("what the recorder says")
}
