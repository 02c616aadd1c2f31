//! Part `scim`: how fast accounts reach a real SCIM server by Bulk, beside a bare load generator that sends the very requests
//! which Sterna sent. Five rounds of each, one after the other in turn, each against a server that has just been started.
//!
//! `server.rs` is scim2-server in a process of its own, `recorder.rs` stands between the two once and keeps what is sent,
//! `generator.rs` sends that again.

mod generator;
mod recorder;
mod server;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use self::{recorder::Recorder, server::Server};
use crate::{
    Bench, accounts,
    child::Took,
    project::Project,
    report::{Figure, Goal, Report},
};

/// How many accounts go over.
const ACCOUNTS: (u64, u64) = (10_000, 2_000);
/// How many rounds of each.
const ROUNDS: usize = 5;
/// Users in one Bulk request.
const BATCH: u32 = 250;
/// Requests under way at once, of both.
const CONCURRENCY: u32 = 4;
/// The part of the bare generator's throughput that is to be reached.
const REACH: f64 = 0.95;

/// Runs it.
pub(crate) fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let accounts = if bench.is_quick { ACCOUNTS.1 } else { ACCOUNTS.0 };
    let folder = Project::folder(bench, "scim")?;
    // while recording, the recorder listens where the server does in the rounds: plan and requests hold for both
    let (port, behind) = (server::free_port()?, server::free_port()?);
    accounts::write(&folder.join("accounts.jsonl"), accounts)?;
    let server = Server::start(&folder, behind)?;
    let recorder = Recorder::start(port, behind)?;
    let project = Project::with(bench, folder.clone(), &settings(port))?.secret(server::TOKEN);
    project.run(&["extract"])?;
    project.run(&["plan"])?;
    let planned = Planned::keep(&folder)?;
    project.run(&["apply"])?;
    let requests = recorder.stop()?;
    drop(server);
    ensure!(!requests.is_empty(), "no Bulk request was sent");
    report.add(Figure::new("Bulk requests", count(requests.len()), ""))?;
    let (mut ours, mut bare, mut took) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let secs = generated(&folder, port, &requests, accounts)?;
        bare.push(per_second(accounts, secs));
        planned.restore(&folder)?;
        let (server, run) = applied(&project, &folder, port)?;
        ensure!(server.users()? == accounts, "the server does not hold everybody");
        ours.push(per_second(accounts, run.wall));
        took.push(run);
        report.line(&serde_json::json!({ "round": round, "bare": bare.last(), "sterna": ours.last() }))?;
    }
    let (bare, ours) = (median(bare), median(ours));
    report.add(Figure::new("bare generator, median of five rounds", bare, "users/s"))?;
    report.add(Figure::new("sterna apply, median", ours, "users/s").over(bare).goal(Goal::RatioAtLeast(REACH)))?;
    report.add(Figure::new("memory of apply", took.iter().map(|run| run.peak).fold(0.0, f64::max), "MiB"))?;
    report.add(Figure::new("processor time of apply", median(took.iter().map(|run| run.cpu).collect()), "s"))
}

/// The bare way: the recorded requests against a fresh server; seconds.
fn generated(folder: &Path, port: u16, requests: &[Vec<u8>], accounts: u64) -> Result<f64> {
    let server = Server::start(folder, port)?;
    let secs = generator::run(port, requests, CONCURRENCY)?;
    ensure!(server.users()? == accounts, "the generator did not make everybody");
    Ok(secs)
}

fn applied(project: &Project, folder: &Path, port: u16) -> Result<(Server, Took)> {
    let server = Server::start(folder, port)?;
    let (took, _said) = project.run(&["apply"])?;
    Ok((server, took))
}

/// The project's database as it was when the plan was made.
struct Planned(PathBuf);

impl Planned {
    fn keep(folder: &Path) -> Result<Self> {
        let kept = folder.join("planned");
        copy(&folder.join(".sterna"), &kept)?;
        Ok(Self(kept))
    }

    fn restore(&self, folder: &Path) -> Result<()> {
        let ledger = folder.join(".sterna");
        fs::remove_dir_all(&ledger).context("removing the used ledger")?;
        copy(&self.0, &ledger)
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name())).context("copying the ledger")?;
    }
    Ok(())
}

fn settings(port: u16) -> String {
    format!(
        r#"[migration]
name = "bench"

[sources.people]
connector = "json-lines"
path = "accounts.jsonl"

[target]
connector = "scim"
url = "http://127.0.0.1:{port}/v2"
token = {{ env = "STERNA_BENCH_SECRET" }}
batch_size = {BATCH}
concurrency = {CONCURRENCY}
writes_per_second = 100000

[social.issuers]
"facebook.com" = "facebook.com"

[passwords]
strategy = "reset"
"#
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn per_second(accounts: u64, secs: f64) -> f64 {
    accounts as f64 / secs
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}
