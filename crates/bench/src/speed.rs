//! Part `speed`: extract and plan of made-up accounts from JSON Lines, time and memory, beside the bare way.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    Bench, baseline,
    emulator::Emulator,
    project::{Pace, Project},
    report::{Figure, Goal, Report},
};

/// Numbers of accounts.
const SIZES: &[(u64, &str)] = &[(10_000, "10 k"), (100_000, "100 k"), (1_000_000, "1 M")];
/// How much slower than the bare way it may be.
const RATIO: f64 = 3.0;
/// The most memory, in MiB.
const MEMORY: f64 = 300.0;
/// Seconds for extract and plan of a million.
const MILLION: f64 = 30.0;

/// Runs it.
pub(crate) fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let sizes = if bench.is_quick { &SIZES[..2] } else { SIZES };
    let mut smallest = None;
    for (accounts, name) in sizes {
        let peak = size(bench, report, *accounts, name, smallest)?;
        smallest = smallest.or(Some(peak));
    }
    Ok(())
}

/// Measures one size; the higher of both peaks.
fn size(bench: &Bench, report: &mut Report, accounts: u64, name: &str, smallest: Option<f64>) -> Result<f64> {
    let folder = Project::folder(bench, "speed")?;
    let pace = Pace { quota: 20.0, share: 0.9, window_secs: 150, concurrency: 4 };
    let emulator = Emulator::start(bench, &folder, pace.quota, pace.window_secs)?;
    let project = Project::make(bench, folder, accounts, &emulator.ready, pace)?;
    let store = project.path().join("bare.sqlite");
    let bare = baseline::run(bench, &project.path().join("accounts.jsonl"), &store)?;
    let (extract, _) = project.run(&["extract"])?;
    let (plan, said) = project.run(&["plan"])?;
    let planned = said.get("planned").and_then(Value::as_u64).context("the plan says how many are planned")?;
    anyhow::ensure!(planned == accounts, "{planned} of {accounts} accounts are planned");
    let inventory = said.get("inventory_secs").and_then(Value::as_f64).unwrap_or_default();
    let (status, _) = project.run(&["status"])?;
    let wall = extract.wall + plan.wall - inventory;
    let cpu = extract.cpu + plan.cpu;
    let count = f64::from(u32::try_from(accounts).unwrap_or(u32::MAX));

    let both = Figure::new(format!("{name}: extract + plan"), wall, "s").over(bare.wall);
    let both = if accounts >= 1_000_000 { both.goal(Goal::RatioAtMost(RATIO)) } else { both };
    report.add(both)?;
    if accounts >= 1_000_000 {
        report
            .add(Figure::new(format!("{name}: the same, against the clock"), wall, "s").goal(Goal::AtMost(MILLION)))?;
    }
    report.add(Figure::new(format!("{name}: extract"), extract.wall, "s").over(bare.wall))?;
    report.add(Figure::new(format!("{name}: plan without inventory"), plan.wall - inventory, "s").over(bare.wall))?;
    report.add(Figure::new(format!("{name}: inventory of an empty tenant"), inventory, "s"))?;
    report.add(Figure::new(format!("{name}: accounts a second"), count / wall, "/s").over(count / bare.wall))?;
    report.add(Figure::new(format!("{name}: processor time"), cpu, "s").over(bare.cpu))?;
    report.add(
        Figure::new(format!("{name}: memory of extract"), extract.peak, "MiB")
            .over(bare.peak)
            .goal(Goal::AtMost(MEMORY)),
    )?;
    report.add(
        Figure::new(format!("{name}: memory of plan"), plan.peak, "MiB").over(bare.peak).goal(Goal::AtMost(MEMORY)),
    )?;
    report.add(Figure::new(format!("{name}: status"), status.wall, "s"))?;
    let peak = extract.peak.max(plan.peak);
    if let Some(smallest) = smallest {
        report.add(Figure::new(format!("{name}: memory beside that of {}", SIZES[0].1), peak, "MiB").over(smallest))?;
    }
    Ok(peak)
}
