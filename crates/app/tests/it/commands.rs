//! The border of the phases: consent, canaries and cohorts, exports, mended records, interruptions, JSON.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Stdio, thread, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::scenario::{World, count};

fn person(id: usize, address: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"display_name\":\"Person {id}\",\"identities\":[{{\"kind\":\"local\",\"name\":\"email\",\"value\":\"{address}\"}}],\"password\":{{\"plaintext\":\"Pass!w0rd\"}}}}"
    )
}

fn people(count: usize) -> Vec<String> {
    (0..count).map(|id| person(id, &format!("person{id}@example.com"))).collect()
}

fn planned(count: usize, more: &str) -> World {
    let world = World::with_people(&people(count), more, "");
    world.extract_and_plan();
    world
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_sent() {
    let world = planned(2, "");
    for phase in ["apply", "undo", "purge", "verify --repair"] {
        let run = world.run(phase).exits(2);
        assert!(run.stderr.contains("error[E1012]"), "{phase}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{phase}");
    }
    assert_eq!(world.emulator.counter("creates"), 0);
    assert_eq!(count(&world.status(), "profile", "planned"), 2);
}

#[test]
fn apply_shows_its_plan_before_it_sends() {
    let world = planned(2, "");
    let run = world.run("apply --yes").exits(0);
    assert!(run.stderr.contains("This sends to"), "{}", run.stderr);
    assert!(run.stderr.contains("of these to be created  2"), "{}", run.stderr);
    assert!(run.stdout.contains("applied  2"), "{}", run.stdout);
}

#[test]
fn a_canary_without_a_number_has_as_many_accounts_as_configured() {
    let world = planned(6, "[apply]\ncanary = 2\n");
    let first = world.run("apply --yes --json --canary").exits(0).json();
    assert_eq!((first["applied"].as_u64(), first["left"].as_u64()), (Some(2), Some(4)));
    let second = world.run("apply --yes --json --canary 1").exits(0).json();
    assert_eq!((second["applied"].as_u64(), second["left"].as_u64()), (Some(1), Some(3)));
    let rest = world.run("apply --yes --json").exits(0).json();
    assert_eq!((rest["applied"].as_u64(), rest["left"].as_u64()), (Some(3), Some(0)));
    world.run("apply --canary 0").exits(2);
    world.run("apply --canary 1 --limit 1").exits(2);
}

#[test]
fn a_cohort_is_sent_alone_and_an_unknown_one_names_those_there_are() {
    let world = World::with_people(
        &[person(1, "a@pilot.example"), person(2, "b@example.com"), person(3, "c@pilot.example")],
        "[cohorts.pilots]\nwhere = [{ attribute = \"email\", ends_with = \"@pilot.example\" }]\n",
        "",
    );
    world.run("extract").exits(0);
    world.run("plan");
    let run = world.run("apply --yes --cohort pilot").exits(2);
    assert!(run.stderr.contains("error[E5014]") && run.stderr.contains("pilots"), "{}", run.stderr);
    let sent = world.run("apply --yes --json --cohort pilots").exits(0).json();
    assert_eq!(sent["applied"], 2);
}

#[test]
fn apply_can_be_run_until_it_is_done() {
    let world = planned(2, "");
    world.run("apply --yes").exits(0);
    let again = world.run("apply --yes").exits(0);
    assert_eq!(again.stdout, "Nothing is left to send.\n");
    assert_eq!(world.run("apply --yes --json").exits(0).json()["sent"], 0);
}

#[test]
fn phases_that_come_too_early_say_which_one_is_missing() {
    let world = World::with_people(&people(1), "", "");
    for (phase, code) in [("plan", "E4001"), ("status", "E4001"), ("apply --yes", "E4001"), ("export ids", "E4001")] {
        assert!(world.run(phase).exits(1).stderr.contains(code), "{phase}");
    }
    world.run("extract").exits(0);
    for (phase, code) in [("apply --yes", "E5002"), ("rehearse", "E5002")] {
        assert!(world.run(phase).exits(1).stderr.contains(code), "{phase}");
    }
    assert!(!world.folder.path().join("exports").exists(), "a failed export leaves nothing");
}

#[test]
fn an_export_is_a_file_of_its_own_that_others_cannot_read() {
    let world = planned(2, "");
    let first = world.run("export ids --json").exits(0).json();
    assert_eq!(first["rows"], 2);
    let path = world.folder.path().join(first["file"].as_str().unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let row: Value = serde_json::from_str(fs::read_to_string(&path).unwrap().lines().next().unwrap()).unwrap();
    assert_eq!(row["sign_in_name"], "person0@example.com");
    let second = world.run("export ids --json").exits(0).json();
    assert_ne!(first["file"], second["file"]);
    let run = world.run("export ids").exits(0);
    assert!(run.stdout.contains("2 rows") && run.stdout.contains("0600"), "{}", run.stdout);
    world.run("export ids --output mine.csv --format csv").exits(0);
    assert!(world.folder.read("mine.csv").starts_with("account,source_id,sign_in_name,target_id,"));
    assert!(world.run("export ids --output mine.csv").exits(1).stderr.contains("error[E1013]"));
    assert_eq!(world.run("export ids --output -").exits(0).stdout.lines().count(), 2);
    world.run("export ids --output - --json").exits(2);
}

#[test]
fn a_rejected_record_is_mended_and_fed_back() {
    let mut lines = people(2);
    lines.push("{\"id\":\"9\",\"display_name\":\"Broken\",\"identities\":[{\"kind\":\"local\",\"name\":\"email\",\"value\":\"broken@example.com\"}]".to_owned());
    let world = World::with_people(&lines, "", "");
    assert!(world.run("extract").exits(12).stderr.contains("warning[E5008]"));
    let file = world.run("export rejects --json").exits(0).json()["file"].as_str().unwrap().to_owned();
    let mut reject: Value = serde_json::from_str(world.folder.read(&file).trim()).unwrap();
    let again = world.run(&format!("extract --mended {file}")).exits(12);
    assert!(again.stdout.contains("still rejected: E3101 "), "{}", again.stdout);
    assert!(!again.stdout.contains("broken@example.com"), "{}", again.stdout);
    let raw = reject["raw"].as_str().unwrap().trim_end().to_owned() + "}";
    reject["raw"] = raw.into();
    world.folder.write("mended.jsonl", &reject.to_string());
    let run = world.run("extract --mended mended.jsonl").exits(0);
    assert!(run.stdout.contains("1 mended record is an account now"), "{}", run.stdout);
    let status = world.status();
    assert_eq!((status["accounts"].as_u64(), status["rejected"].as_u64()), (Some(3), Some(0)));
    world.folder.write("wrong.jsonl", "not what was written");
    assert!(world.run("extract --mended wrong.jsonl").exits(2).stderr.contains("wrong.jsonl line 1"));
}

#[test]
fn an_interrupted_apply_ends_in_good_order_and_goes_on() {
    let world = World::with_people(&people(40), "", "[[fault]]\nkind = \"latency\"\non = \"batch\"\ndelay_ms = 300\n");
    world.extract_and_plan();
    let mut child = world.command("apply --yes").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while world.emulator.counter("creates") == 0 {
        thread::sleep(Duration::from_millis(20));
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(count(&world.status(), "profile", "intended"), 0, "answers on their way were waited for");
    world.run("apply --yes").exits(0);
    assert_eq!(world.emulator.counter("creates"), 40);
    world.exactly_once(40);
}

#[test]
fn a_rehearsal_changes_nothing_here_and_nothing_there() {
    let world = planned(5, "");
    let (before, requests) = (world.status(), world.emulator.counter("writes"));
    let rehearsal = world.run("rehearse --json").exits(0).json();
    assert_eq!(rehearsal["apply"]["applied"], 5);
    assert_eq!(rehearsal["verify"]["equal"], 5);
    assert_eq!(world.status(), before);
    assert_eq!(world.emulator.counter("writes"), requests);
    let left: Vec<_> = fs::read_dir(world.folder.path().join(".sterna")).unwrap().flatten().collect();
    assert!(left.iter().all(|entry| !entry.file_name().to_string_lossy().contains("rehearsal")), "{left:?}");
}

/// A rehearsal in a process of its own that was killed once it had copied the ledger.
fn killed_rehearsal(world: &World) {
    let ledger = world.folder.path().join(".sterna");
    let scratch =
        || rehearsals(&ledger).into_iter().find(|name| ledger.join(name).join("emulator-client_secret").exists());
    let mut rehearsal = world.command("rehearse").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while scratch().is_none() {
        assert!(rehearsal.try_wait().unwrap().is_none(), "it ended before it could be killed");
        thread::sleep(Duration::from_millis(5));
    }
    let purge = world.run("purge --yes");
    assert!(purge.code != 0 && purge.stderr.contains("E4008"), "{}", purge.stderr);
    rehearsal.kill().unwrap();
    rehearsal.wait().unwrap();
    assert!(scratch().is_some());
}

fn rehearsals(ledger: &Path) -> Vec<String> {
    let names = fs::read_dir(ledger).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(".rehearsal-")).collect()
}

#[test]
fn what_a_killed_rehearsal_left_goes_with_the_next_one_or_with_a_purge() {
    // many enough that a rehearsal takes a while
    let world = planned(300, "[passwords]\nstrategy = \"reset\"\n");
    let ledger = world.folder.path().join(".sterna");
    killed_rehearsal(&world);
    world.run("rehearse").exits(0);
    assert_eq!(rehearsals(&ledger), Vec::<String>::new());
    killed_rehearsal(&world);
    fs::write(ledger.join("copied-by-hand"), "x").unwrap();
    let purge = world.run("purge --yes").exits(0);
    assert!(
        purge.stdout.contains("1 copy of the ledger") && purge.stdout.contains("copied-by-hand"),
        "{}",
        purge.stdout
    );
    assert_eq!(rehearsals(&ledger), Vec::<String>::new());
    let unknown = purge.stdout.lines().find(|line| line.starts_with("Not of the ledger")).unwrap();
    assert!(unknown.ends_with(": copied-by-hand."), "and nothing of its own: {unknown}");
}

#[test]
fn every_phase_gives_one_json_document() {
    let world = World::with_people(&people(2), "", "");
    for (phase, member) in [
        ("check", "findings"),
        ("extract", "sources"),
        ("plan", "planned"),
        ("rehearse", "verify"),
        ("apply --yes", "applied"),
        ("verify", "equal"),
        ("verify --repair --yes", "equal"),
        ("retry --yes", "plan"),
        ("status", "adds_up"),
        ("undo --yes", "removed"),
        ("export audit", "rows"),
        ("export audit --verify", "head"),
        ("purge --yes", "accounts"),
        ("status", "purged"),
        ("verify", "findings"),
    ] {
        let document = world.run(&format!("{phase} --json")).json();
        assert!(document.get(member).is_some(), "{phase}: {document}");
    }
}

#[test]
fn a_lost_key_is_told_and_no_new_one_is_made() {
    let world = planned(1, "");
    fs::rename(world.folder.path().join("sterna.key"), world.folder.path().join("elsewhere.key")).unwrap();
    for phase in ["extract", "plan", "apply --yes", "export ids"] {
        assert!(world.run(phase).exits(1).stderr.contains("error[E4003]"), "{phase}");
    }
    assert!(!world.folder.path().join("sterna.key").exists());
    world.run("status").exits(0);
    assert!(world.run("check").exits(10).stderr.contains("error[E4003]"));
}
