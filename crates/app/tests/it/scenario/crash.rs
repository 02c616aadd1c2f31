//! `kill -9` at any instant, with faults at the target: nobody is lost, nobody is doubled, nothing stays unexplained.
//!
//! 50 seeds in `make test`; `make soak` runs `STERNA_SOAK_RUNS` of them, prints each seed, and goes on where it stopped
//! (`STERNA_SOAK_STATE` names the file of the seeds that are done).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    io::Write,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use super::{World, adds_up, count, local, social};

const ACCOUNTS: usize = 20;
/// Runs side by side: they wait most of the time.
const SIDE_BY_SIDE: usize = 6;

/// A small generator, so that a seed is a run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.roll(of.len() as u64)).unwrap()]
    }
}

/// Faults of one run: up to three, of every kind, in envelopes and items.
fn scenario(seed: u64, dice: &mut Dice) -> String {
    let lagging = dice.roll(2) == 1;
    let mut text = format!("seed = {seed}\nlagging_uniqueness = {lagging}\n");
    // answers take a while, so that kills fall between intent and answer
    let delay = 150 + dice.roll(350);
    writeln!(text, "[[fault]]\nkind = \"latency\"\non = \"batch\"\ndelay_ms = {delay}").unwrap();
    let kinds = [
        "lose_reply",
        "lose_request",
        "late_commit",
        "reset",
        "storm_429",
        "error_5xx_before",
        "error_5xx_after",
        "stale_read",
    ];
    for _ in 0..dice.roll(4) {
        let kind = dice.pick(&kinds);
        let on = if kind == "stale_read" { "list" } else { dice.pick(&["create", "batch", "create"]) };
        let extra = match kind {
            "late_commit" => "delay_ms = 400\n",
            "stale_read" => "delay_ms = 300\n",
            "reset" if dice.roll(2) == 1 => "after_commit = true\n",
            "storm_429" => "retry_after = \"0.3\"\n",
            _ => "",
        };
        let times = 1 + dice.roll(3);
        let tenths = 2 + dice.roll(8);
        let head = format!("[[fault]]\nkind = \"{kind}\"\non = \"{on}\"");
        write!(text, "{head}\nprobability = 0.{tenths}\ntimes = {times}\n{extra}").unwrap();
    }
    text
}

fn people() -> Vec<String> {
    (0..ACCOUNTS)
        .map(|at| {
            let id = format!("u{at}");
            if at % 4 == 3 { social(&id, "Google.com", &format!("sub-{at}")) } else { local(&id) }
        })
        .collect()
}

/// One run; how many kills fell between intent and answer.
fn survive(seed: u64) -> u64 {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let scenario = scenario(seed, &mut dice);
    let issuers = "[social.issuers]\n\"Google.com\" = \"google.com\"\n";
    let world = World::with_people(&people(), issuers, &scenario);
    world.extract_and_plan();
    let mut between = 0;
    for _ in 0..=dice.roll(3) {
        let quiet = || std::process::Stdio::null();
        let mut apply = world.command("apply --yes").stdout(quiet()).stderr(quiet()).spawn().unwrap();
        thread::sleep(Duration::from_millis(250 + dice.roll(1_000)));
        drop(apply.kill());
        apply.wait().unwrap();
        let status = world.status();
        adds_up(&status);
        between += u64::from(count(&status, "profile", "intended") > 0);
    }
    let end = world.run("apply --yes");
    // everything may have been applied before the last kill: then there is nothing left to plan for
    assert!(end.code == 0 || end.stderr.contains("E5002"), "seed {seed}: {} {}\n{scenario}", end.stdout, end.stderr);
    check(&world, seed, &scenario);
    between
}

fn check(world: &World, seed: u64, scenario: &str) {
    let status = world.status();
    adds_up(&status);
    let told = format!("seed {seed}\n{scenario}\n{status:#}");
    assert_eq!(status["accounts"], ACCOUNTS, "{told}");
    assert_eq!(count(&status, "profile", "applied"), ACCOUNTS as u64, "{told}");
    let users = world.emulator.users();
    let names: Vec<&str> = users.iter().filter_map(|user| user["displayName"].as_str()).collect();
    let unique: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!((names.len(), unique.len()), (ACCOUNTS, ACCOUNTS), "every account exactly once: {names:?}\n{told}");
    let mut keys: BTreeMap<&str, u32> = BTreeMap::new();
    for user in &users {
        *keys.entry(user["mailNickname"].as_str().unwrap()).or_default() += 1;
    }
    assert!(keys.len() == ACCOUNTS && keys.values().all(|count| *count == 1), "{keys:?}\n{told}");
}

/// Runs seeds side by side; the number of kills between intent and answer.
fn run_all(seeds: Vec<u64>, done: impl Fn(u64) + Sync) -> u64 {
    let (queue, between) = (Mutex::new(seeds.into_iter()), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let Some(seed) = queue.lock().unwrap().next() else { return };
                    between.fetch_add(survive(seed), Ordering::Relaxed);
                    done(seed);
                }
            });
        }
    });
    between.into_inner()
}

#[test]
fn kills_and_faults_lose_nobody_and_double_nobody() {
    let (first, runs) = (7_000, 50);
    let between = run_all((first..first + runs).collect(), |_| {});
    println!("{runs} runs of {ACCOUNTS} accounts; {between} kills fell between intent and answer");
    assert!(between >= 10, "only {between} kills fell between intent and answer");
}

/// The long mode of `make soak`; without its variable it has nothing to do.
#[test]
fn soak() {
    let Ok(runs) = std::env::var("STERNA_SOAK_RUNS") else { return };
    let first: u64 = std::env::var("STERNA_SOAK_SEED").map_or(1, |seed| seed.parse().unwrap());
    let state = std::env::var("STERNA_SOAK_STATE").unwrap();
    let known: BTreeSet<u64> =
        fs::read_to_string(&state).unwrap_or_default().lines().filter_map(|line| line.parse().ok()).collect();
    let seeds = (first..first + runs.parse::<u64>().unwrap()).filter(|seed| !known.contains(seed)).collect();
    let file = Mutex::new(fs::OpenOptions::new().create(true).append(true).open(&state).unwrap());
    let between = run_all(seeds, |seed| {
        println!("seed {seed} survived");
        writeln!(file.lock().unwrap(), "{seed}").unwrap();
    });
    println!("{between} kills fell between intent and answer");
}
