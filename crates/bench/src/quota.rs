//! Part `quota`: how much of its share of the target's quota apply uses, counted in items by the emulator, and how soon
//! it is back at the share when the quota is halved or doubled while it runs.
//!
//! The emulator counts as the service does: so many in *any* window (150 s), which lets a burst through at first. So the
//! figures begin after the burst, and each is of one whole window. The quota changes when a window has been filled:
//! before that the target gives no sign by which anybody could know.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::{
    Bench,
    child::{Child, Took},
    emulator::Emulator,
    project::{Pace, Project},
    report::{Figure, Goal, Report, say},
    series::{Sample, Series},
};

/// The part of the quota that is used; the rest is left to live sign-up. It is the default of the setting.
const SHARE: f64 = 0.9;
/// The part of a window that apply lets go at once (`sterna_core::pace::BURST`).
const BURST: f64 = sterna_core::pace::BURST;
/// How often the counters are read.
const POLL: Duration = Duration::from_millis(500);
/// The part of the share that has to be used, and the part of the items that may be turned away.
const USED: f64 = 0.95;
const REFUSED: f64 = 0.005;

/// What happens to the quota in the middle of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Halved,
    Doubled,
}

impl Change {
    fn factor(self) -> f64 {
        match self {
            Self::Halved => 0.5,
            Self::Doubled => 2.0,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Halved => "halved",
            Self::Doubled => "doubled",
        }
    }
}

/// One run of apply.
#[derive(Clone, Copy, Debug)]
struct Trial {
    share: f64,
    change: Change,
    window: u32,
}

/// What goes side by side, and then what needs the machine for itself. 5,000 is not doubled: that would be a test of the
/// machine.
fn trials(bench: &Bench) -> Vec<Vec<Trial>> {
    let window = if bench.is_quick { 15 } else { 150 };
    let trial = |share: f64, change: Change| Trial { share, change, window };
    let both = |share: f64| [trial(share, Change::Halved), trial(share, Change::Doubled)];
    let groups =
        vec![[both(5.0), both(20.0), both(60.0), both(1_000.0)].concat(), vec![trial(5_000.0, Change::Halved)]];
    let Ok(wanted) = std::env::var("SHARES") else { return groups };
    let wanted: Vec<f64> = wanted.split(',').filter_map(|share| share.trim().parse().ok()).collect();
    let keep = |group: Vec<Trial>| group.into_iter().filter(|trial| wanted.contains(&trial.share)).collect();
    groups.into_iter().map(keep).filter(|group: &Vec<Trial>| !group.is_empty()).collect()
}

/// Runs it.
pub(crate) fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    for group in trials(bench) {
        let prepared = group.iter().map(|trial| Prepared::new(bench, *trial)).collect::<Result<Vec<_>>>()?;
        let results: Vec<Result<Measured>> = thread::scope(|scope| {
            let handles: Vec<_> = prepared.iter().map(|one| scope.spawn(|| one.measure())).collect();
            handles
                .into_iter()
                .map(|handle| handle.join().unwrap_or_else(|_| bail!("a measurement panicked")))
                .collect()
        });
        for measured in results {
            measured?.tell(report)?;
        }
    }
    Ok(())
}

/// A project that is ready to be applied, and its target.
struct Prepared {
    trial: Trial,
    // the project's folder is removed after the emulator has ended
    emulator: Emulator,
    project: Project,
}

impl Prepared {
    fn new(bench: &Bench, trial: Trial) -> Result<Self> {
        let Trial { share, change, window } = trial;
        let quota = share / SHARE;
        let folder = Project::folder(bench, &format!("quota-{share}-{}", change.name()))?;
        let emulator = Emulator::start(bench, &folder, quota, window)?;
        let concurrency = if share >= 1_000.0 { 16 } else { 4 };
        let pace = Pace { quota, share: SHARE, window_secs: window, concurrency };
        // a burst, a window before the change and two after it, each with what may leave at once
        let window = f64::from(window);
        let seconds = (1.0 + 2.0 * BURST) * window + 15.0 + change.factor() * ((2.0 + 2.0 * BURST) * window + 15.0);
        let accounts = whole(share * seconds * 1.1) + 1_000;
        say(&format!("  preparing {accounts} accounts for a share of {share} writes/s, to be {}", change.name()));
        let project = Project::make(bench, folder, accounts, &emulator.ready, pace)?;
        project.run(&["extract"])?;
        project.run(&["plan"])?;
        Ok(Self { trial, emulator, project })
    }

    fn measure(&self) -> Result<Measured> {
        let Trial { share, change, window } = self.trial;
        let window = f64::from(window);
        let mut watch = Watch {
            apply: self.project.start(&["apply"])?,
            emulator: &self.emulator,
            began: Instant::now(),
            series: Series::default(),
        };
        let started = watch.until(window, |sample| sample.accepted > 0)?;
        let burst = whole(share * BURST * window);
        let calm = watch.until(started + window / 2.0, |sample| sample.accepted >= burst)? + 2.0;
        let changed = watch.until(calm + window, |_| false)?;
        self.emulator.change_quota(share / SHARE * change.factor())?;
        let ended = watch.until(changed + 2.0 * window, |_| false)?;
        watch.apply.interrupt()?;
        let Watch { apply, series, .. } = watch;
        let took = apply.wait()?;
        Ok(Measured { trial: self.trial, series, calm, changed, ended, took })
    }
}

/// Looks at a run while it goes.
struct Watch<'w> {
    apply: Child,
    emulator: &'w Emulator,
    began: Instant,
    series: Series,
}

impl Watch<'_> {
    /// Samples until `end` (seconds since the start) or until `done`; when that was.
    fn until(&mut self, end: f64, done: impl Fn(&Sample) -> bool) -> Result<f64> {
        loop {
            let counters = self.emulator.counters()?;
            let sample = Sample {
                at: self.began.elapsed().as_secs_f64(),
                accepted: counters.creates,
                throttled: counters.throttled,
                cpu: self.apply.cpu(),
                emulator_cpu: self.emulator.child.cpu(),
            };
            self.series.0.push(sample);
            if sample.at >= end || done(&sample) {
                return Ok(sample.at);
            }
            if let Some(took) = self.apply.ended()? {
                bail!("apply ended too early, with {}", took.code);
            }
            thread::sleep(POLL);
        }
    }
}

/// What came of a run.
struct Measured {
    trial: Trial,
    series: Series,
    calm: f64,
    changed: f64,
    ended: f64,
    took: Took,
}

#[derive(Serialize)]
struct Line<'l> {
    share: f64,
    change: &'static str,
    changed_at: f64,
    series: &'l Series,
}

impl Measured {
    fn tell(&self, report: &mut Report) -> Result<()> {
        let Self { trial: Trial { share, change, window, .. }, series, calm, changed, ended, took } = self;
        report.line(&Line { share: *share, change: change.name(), changed_at: *changed, series })?;
        let steady = series.stretch(*calm, *changed);
        let name = |what: &str| format!("share {share}/s: {what}");
        report.add(Figure::new(name("used"), steady.rate, "/s").over(*share).goal(Goal::RatioAtLeast(USED)))?;
        report.add(
            Figure::new(name("items turned away"), steady.refused * 100.0, "%").goal(Goal::AtMost(REFUSED * 100.0)),
        )?;
        report.add(Figure::new(name("processors of sterna"), steady.cpu, ""))?;
        report.add(Figure::new(name("processors of the emulator"), steady.emulator_cpu, ""))?;
        report.add(Figure::new(name("memory of apply"), took.peak, "MiB"))?;
        let (window, new) = (f64::from(*window), share * change.factor());
        let name = |what: &str| format!("share {share}/s, {}: {what}", change.name());
        let between = series.stretch(*changed, changed + window);
        let after = series.stretch(changed + window, *ended);
        report.add(
            Figure::new(name("used after one window"), after.rate, "/s").over(new).goal(Goal::RatioAtLeast(USED)),
        )?;
        let reached = series.reached(*changed, window / 5.0, USED * new);
        let reached = reached.context("the new share was never reached").unwrap_or(f64::INFINITY);
        report.add(Figure::new(name("the new share begins after"), reached, "s").goal(Goal::AtMost(window)))?;
        report.add(Figure::new(name("items turned away in that window"), between.throttled, "items"))?;
        report.add(
            Figure::new(name("the same afterwards"), after.refused * 100.0, "%").goal(Goal::AtMost(REFUSED * 100.0)),
        )
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers of accounts, clamped first")]
fn whole(number: f64) -> u64 {
    number.clamp(0.0, 1e9) as u64
}
