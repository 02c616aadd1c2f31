//! Part `jit`: sign-ins at the service, from genuine calls of Entra that are made before the clock runs, beside the
//! private-key decryption that each of them costs at least.
//!
//! `service.rs` is the service in a process of its own, `project.rs` its ledger, `calls.rs` makes the calls, `load.rs` sends
//! them. The caller is on the same processors: at the highest rates it takes a part of what the service could have.

mod calls;
mod load;
mod project;
mod service;
mod target;

use std::{hint::black_box, time::Duration};

use anyhow::{Context, Result, ensure};
use aws_lc_rs::rsa::OAEP_SHA1_MGF1SHA1;
use rustix::time::{ClockId, clock_gettime};

use self::{
    calls::{Caller, Typed},
    load::{Answer, Pace},
    service::Service,
};
use crate::{
    Bench,
    project::Project,
    report::{Figure, Goal, Report},
    sign_ins::runtime,
};

pub(crate) use service::child;

/// The most that the service itself may take, in milliseconds.
const OWN_SHARE_MS: f64 = 50.0;
/// The dialect's deadline, in milliseconds.
const DEADLINE_MS: f64 = 800.0;
/// The part of bare decryption's throughput that is to be reached.
const REACH: f64 = 0.7;
/// Connections of a caller at a set rate, at its full speed, and in a flood.
const CONNECTIONS: (usize, usize, usize) = (64, 64, 1_000);
/// The flood's rate, in capacities, and its length in seconds.
const FLOOD: (f64, f64) = (10.0, 5.0);

/// How much is measured.
struct Sizes {
    accounts: u32,
    secs: u32,
    closed: usize,
}

/// Runs it.
pub(crate) fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let sizes = if bench.is_quick {
        Sizes { accounts: 10_000, secs: 3, closed: 5_000 }
    } else {
        Sizes { accounts: 60_000, secs: 20, closed: 40_000 }
    };
    let folder = Project::folder(bench, "jit")?;
    runtime()?.block_on(project::fill(&folder, sizes.accounts))?;
    let mut caller = Caller::new(&folder, sizes.accounts)?;
    let mut service = Service::start(bench, &folder)?;
    for rate in [50, 200] {
        at_rate(report, &mut service, &mut caller, rate, sizes.secs)?;
    }
    let capacity = full_speed(report, &mut service, &mut caller, &sizes)?;
    flood(report, &mut service, &mut caller, capacity)?;
    report.add(Figure::new("the most memory in all", service.process.peak(), "MiB"))?;
    drop(service);
    std::fs::remove_dir_all(&folder).context("removing the ledger")
}

/// Answer times at a rate that the service can keep up with.
fn at_rate(report: &mut Report, service: &mut Service, caller: &mut Caller, rate: u32, secs: u32) -> Result<()> {
    let calls = caller.calls(usize::try_from(rate * secs)?, Typed::Right)?;
    let before = service.process.cpu();
    let pace = Pace::Open(f64::from(rate));
    let tally = load::run(service.address, calls, CONNECTIONS.0, pace, Duration::MAX)?;
    let cpu = service.process.cpu() - before;
    let figure = |what: &str, value: f64| Figure::new(format!("{rate}/s: {what}"), value, "ms");
    report.add(figure("p50", tally.percentile(50)))?;
    report.add(figure("p99", tally.percentile(99)).goal(Goal::AtMost(OWN_SHARE_MS)))?;
    report.add(figure("longest", tally.percentile(100)))?;
    let others = tally.all() - tally.of(Answer::Yes);
    report.add(Figure::new(format!("{rate}/s: not accepted"), others, "").goal(Goal::AtMost(0.0)))?;
    report.add(Figure::new(format!("{rate}/s: processors"), cpu / tally.secs, ""))?;
    report.add(Figure::new(format!("{rate}/s: memory"), service.process.peak(), "MiB"))
}

/// Throughput with right and with wrong passwords, beside bare decryption before and after; calls answered a second.
fn full_speed(report: &mut Report, service: &mut Service, caller: &mut Caller, sizes: &Sizes) -> Result<f64> {
    let mut bare = vec![decryptions(caller)?];
    let mut measured = Vec::new();
    for (typed, expected, name) in
        [(Typed::Right, Answer::Yes, "right passwords"), (Typed::Wrong, Answer::Wrong, "wrong passwords")]
    {
        let calls = caller.calls(sizes.closed, typed)?;
        let before = service.process.cpu();
        let most = Duration::from_secs(u64::from(sizes.secs));
        let tally = load::run(service.address, calls, CONNECTIONS.1, Pace::Closed, most)?;
        let cpu = service.process.cpu() - before;
        measured.push((name, expected, tally, cpu));
        bare.push(decryptions(caller)?);
    }
    let bare = bare.iter().sum::<f64>() / f64::from(u32::try_from(bare.len())?);
    report.add(Figure::new("bare RSA-2048 decryption (OAEP), a processor second", bare, ""))?;
    for (name, expected, tally, cpu) in &measured {
        let decided = tally.of(*expected);
        report.add(Figure::new(format!("{name}: a second"), decided / tally.secs, "/s"))?;
        report.add(Figure::new(format!("{name}: put off"), tally.all() - decided, ""))?;
        report.add(Figure::new(format!("{name}: p99 at full speed"), tally.percentile(99), "ms"))?;
        let figure = Figure::new(format!("{name}: a processor second"), decided / cpu, "").over(bare);
        report.add(figure.goal(Goal::RatioAtLeast(REACH)))?;
    }
    let right = measured.first().map(|(_, expected, tally, _)| tally.of(*expected) / tally.secs);
    right.context("right passwords were measured")
}

/// Ten times as many calls as can be answered with a decision: each is answered in time all the same.
fn flood(report: &mut Report, service: &mut Service, caller: &mut Caller, capacity: f64) -> Result<()> {
    let (times, secs) = FLOOD;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate of some ten thousand")]
    let calls = caller.calls((capacity * times * secs) as usize, Typed::Right)?;
    let pace = Pace::Open(capacity * times);
    let tally = load::run(service.address, calls, CONNECTIONS.2, pace, Duration::from_secs_f64(secs))?;
    let part = |answer: Answer| tally.of(answer) / tally.all() * 100.0;
    report.add(Figure::new("flood: offered, in capacities", tally.all() / tally.secs, "/s").over(capacity))?;
    report
        .add(Figure::new("flood: answered with a decision", tally.of(Answer::Yes) / tally.secs, "/s").over(capacity))?;
    report.add(Figure::new("flood: shed after reading", part(Answer::Later), "%"))?;
    report.add(Figure::new("flood: turned away unread", part(Answer::Shed), "%"))?;
    report.add(Figure::new("flood: not answered", tally.of(Answer::None), "").goal(Goal::AtMost(0.0)))?;
    report.add(Figure::new("flood: p99", tally.percentile(99), "ms"))?;
    report.add(Figure::new("flood: longest", tally.percentile(100), "ms").goal(Goal::AtMost(DEADLINE_MS)))
}

/// Bare decryptions of a wrapped key in a second of processor time, on one thread.
fn decryptions(caller: &Caller) -> Result<f64> {
    const COUNT: u32 = 4_000;
    let (key, wrapped) = caller.wrapped()?;
    let mut room = vec![0; key.min_output_size()];
    let began = thread_seconds();
    for _ in 0..COUNT {
        let plain = key.decrypt(&OAEP_SHA1_MGF1SHA1, &wrapped, &mut room, None).ok().context("decrypting")?;
        ensure!(black_box(plain).len() == 32, "another key was unwrapped");
    }
    Ok(f64::from(COUNT) / (thread_seconds() - began))
}

fn thread_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), nanos).as_secs_f64()
}
