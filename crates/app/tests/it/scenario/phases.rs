//! What each phase owes its user: parts of a plan, stopping and going on, reading back, taking back, and exit codes.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::{World, count, extension, local, settle, social, stands};

fn people(number: u32) -> Vec<String> {
    (0..number).map(|at| local(&format!("u{at}"))).collect()
}

fn planned(number: u32, more: &str, scenario: &str) -> World {
    let world = World::with_people(&people(number), more, scenario);
    world.extract_and_plan();
    world
}

/// Slow answers, so that something can happen in between.
const SLOW: &str = "[[fault]]\nkind = \"latency\"\non = \"batch\"\nscope = \"envelope\"\ndelay_ms = 500\n";

/// An apply in a process of its own, under way: it has made at least one account.
fn under_way(world: &World) -> Child {
    let apply = world.command("apply --yes").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while world.emulator.counter("creates") == 0 {
        thread::sleep(Duration::from_millis(20));
    }
    apply
}

#[test]
fn a_limit_sends_so_many_and_leaves_the_rest_planned() {
    let world = planned(10, "", "");
    world.run("apply --yes --limit 3").exits(0);
    stands(&world.status(), "profile", &[("applied", 3), ("planned", 7)]);
    assert_eq!(world.emulator.counter("creates"), 3);
    world.run("apply --yes").exits(0);
    world.exactly_once(10);
}

#[test]
fn a_canary_sends_as_many_as_configured_or_as_told() {
    let world = planned(10, "[apply]\ncanary = 2\n", "");
    world.run("apply --yes --canary").exits(0);
    stands(&world.status(), "profile", &[("applied", 2), ("planned", 8)]);
    world.run("apply --yes --canary 1").exits(0);
    stands(&world.status(), "profile", &[("applied", 3), ("planned", 7)]);
    world.run("apply --yes --canary 0").exits(2);
    world.run("apply --yes --canary --limit 3").exits(2);
}

#[test]
fn a_cohort_is_sent_alone_and_one_that_nobody_named_is_refused() {
    let wave = "[cohorts.first]\nwhere = [{ attribute = \"display_name\", one_of = [\"Person u1\", \"Person u3\"] }]\n";
    let world = planned(6, wave, "");
    let apply = world.run("apply --yes --cohort second");
    assert!(apply.code == 2 || apply.code == 1, "{}", apply.code);
    assert!(apply.stderr.contains("E5014"), "{}", apply.stderr);
    world.run("apply --yes --cohort first").exits(0);
    stands(&world.status(), "profile", &[("applied", 2), ("planned", 4)]);
    world.emulator.user("Person u1");
    world.emulator.user("Person u3");
    world.run("apply --yes").exits(0);
    world.exactly_once(6);
}

#[test]
fn a_cohort_means_whom_the_plan_meant_or_the_plan_has_to_be_made_again() {
    let wave = |name: &str, person: &str| {
        format!("[cohorts.{name}]\nwhere = [{{ attribute = \"display_name\", equals = \"Person {person}\" }}]\n")
    };
    let (first, second) = (wave("first", "u1"), wave("second", "u2"));
    let world = planned(4, &format!("{first}{second}"), "");
    let planned_for = world.folder.read("sterna.toml");
    let swapped = planned_for.replace(&format!("{first}{second}"), &format!("{second}{first}"));
    let others = planned_for.replace("Person u1", "Person u3");
    let before = planned_for.replace(&first, &format!("{}{first}", wave("new", "u0")));
    for edited in [&swapped, &others, &before] {
        assert_ne!(edited, &planned_for);
        world.folder.write("sterna.toml", edited);
        let apply = world.run("apply --yes --cohort first").exits(10);
        assert!(apply.stderr.contains("E5003") && apply.stderr.contains("sterna plan"), "{}", apply.stderr);
        assert_eq!(world.emulator.users().len(), 0);
    }
    world.plan();
    world.run("apply --yes --cohort first").exits(0);
    assert_eq!(world.emulator.users().len(), 1);
    world.emulator.user("Person u1");
    // what comes after it is of no account to a cohort
    world.folder.write("sterna.toml", &before.replace("Person u2", "Person u3"));
    world.run("apply --yes --cohort first").exits(0);
    let apply = world.run("apply --yes --cohort second").exits(10);
    assert!(apply.stderr.contains("E5003"), "{}", apply.stderr);
    stands(&world.status(), "profile", &[("applied", 1), ("planned", 3)]);
}

#[test]
fn a_plan_that_names_what_is_configured_otherwise_now_is_refused() {
    let world = planned(2, "", "");
    let planned_for = world.folder.read("sterna.toml");
    for setting in [
        "legacy_id_attribute = \"someOtherId\"",
        "upn_domain = \"other.example.com\"",
        "flag_attribute = \"someOtherFlag\"",
        "extensions = { plan = \"String\" }",
        "email_sign_in = \"never\"",
        "disable_strong_password = true",
    ] {
        world.folder.write("sterna.toml", &planned_for.replace("settling_secs", &format!("{setting}\nsettling_secs")));
        let apply = world.run("apply --yes").exits(10);
        assert!(apply.stderr.contains("E5003"), "{setting}: {}", apply.stderr);
        assert_eq!(world.emulator.counter("writes"), 0, "{setting}");
    }
    world.folder.write("sterna.toml", &planned_for);
    world.run("apply --yes").exits(0);
    world.exactly_once(2);
}

#[test]
fn a_run_in_which_too_many_fail_stops_by_itself_and_leaves_the_rest_planned() {
    let refuse =
        "[[fault]]\nkind = \"error_5xx_before\"\non = \"create\"\nstatus = 400\ncode = \"Request_BadRequest\"\n";
    let world = planned(40, "[apply]\nabort_percent = 30\nabort_window = 10\n", refuse);
    let apply = world.run("apply --yes").exits(1);
    assert!(apply.stderr.contains("E5005"), "{}", apply.stderr);
    let status = world.status();
    let refused = count(&status, "profile", "refused");
    assert!((4..40).contains(&refused), "{status:#}");
    stands(&status, "profile", &[("refused", refused), ("planned", 40 - refused)]);
    world.emulator.control("/faults", &json!({}));
    world.run("apply --yes").exits(0);
    world.run("retry --yes").exits(0);
    world.exactly_once(40);
}

#[test]
fn a_retry_leaves_planned_what_was_not_sent_before_and_says_nothing_of_it() {
    let refuse =
        "[[fault]]\nkind = \"error_5xx_before\"\non = \"create\"\nstatus = 400\ncode = \"Request_BadRequest\"\n";
    let world = planned(3, "[passwords]\nstrategy = \"reset\"\n", refuse);
    world.run("apply --yes --limit 1").exits(12);
    world.emulator.control("/faults", &json!({}));
    let retry = world.run("retry --yes").exits(0);
    assert!(!retry.stderr.contains("E2106"), "{}", retry.stderr);
    assert!(!retry.stdout.contains("sterna rehearse"), "{}", retry.stdout);
    stands(&world.status(), "profile", &[("applied", 1), ("planned", 2)]);
    world.run("apply --yes").exits(0);
    let plan = world.run("plan").exits(0);
    assert!(plan.stdout.contains("nothing to send") && !plan.stdout.contains("Next:"), "{}", plan.stdout);
}

#[test]
fn a_repair_that_is_not_carried_out_says_so_and_exits_as_apply_does() {
    let world = planned(2, "[passwords]\nstrategy = \"reset\"\n", "");
    world.run("apply --yes").exits(0);
    world.tamper("Person u1", &json!({ "displayName": "Somebody" }));
    world.emulator.control(
        "/faults",
        &json!({ "faults": [{ "kind": "error_5xx_before", "on": "update", "status": 400, "code": "Request_BadRequest" }] }),
    );
    let repair = world.run("verify --repair --yes").exits(12);
    assert!(repair.stderr.contains("E5010") && repair.stderr.contains("1 repair not carried out"), "{}", repair.stderr);
    world.emulator.control("/faults", &json!({}));
    world.run("verify --repair --yes").exits(0);
}

#[test]
fn what_asks_first_sends_nothing_where_nobody_can_be_asked() {
    let world = planned(3, "", "");
    let apply = world.run("apply").exits(2);
    assert!(apply.stderr.contains("E1012") && apply.stderr.contains("--yes"), "{}", apply.stderr);
    assert_eq!(world.emulator.counter("writes"), 0, "not even an attribute is made");
    world.run("apply --yes").exits(0);
    for command in ["undo", "purge", "verify --repair"] {
        let asked = world.run(command).exits(2);
        assert!(asked.stderr.contains("E1012"), "{command}: {}", asked.stderr);
    }
    assert_eq!(world.emulator.users().len(), 3);
    stands(&world.status(), "profile", &[("applied", 3)]);
}

#[test]
fn a_second_changing_phase_is_refused_by_name_while_status_and_export_work() {
    let world = planned(12, "", SLOW);
    world.reconfigure("batch_size = 4", "batch_size = 2\nconcurrency = 1");
    let mut apply = under_way(&world);
    for command in ["plan", "verify", "apply --yes", "extract", "undo --yes"] {
        let second = world.run(command);
        assert_eq!(second.code, 1, "{command}: {}", second.stderr);
        assert!(second.stderr.contains("E4008") && second.stderr.contains("apply"), "{command}: {}", second.stderr);
    }
    stands_up(&world.status(), 12);
    world.run("export ids --output -").exits(0);
    assert!(apply.wait().unwrap().success());
    world.exactly_once(12);
}

fn stands_up(status: &Value, accounts: u64) {
    super::adds_up(status);
    assert_eq!(status["accounts"], accounts);
}

#[test]
fn an_interrupted_apply_ends_in_good_order_with_130_and_goes_on() {
    let world = planned(12, "", SLOW);
    world.reconfigure("batch_size = 4", "batch_size = 2\nconcurrency = 1");
    let mut apply = under_way(&world);
    Command::new("kill").args(["-INT", &apply.id().to_string()]).status().unwrap();
    assert_eq!(apply.wait().unwrap().code(), Some(130));
    let status = world.status();
    stands_up(&status, 12);
    assert_eq!(count(&status, "profile", "intended"), 0, "answers that were on their way are kept: {status:#}");
    assert!(count(&status, "profile", "planned") > 0, "{status:#}");
    world.run("apply --yes").exits(0);
    world.exactly_once(12);
    assert_eq!(world.emulator.counter("creates"), 12);
}

#[test]
fn attributes_that_a_killed_apply_made_are_known_as_made_by_the_next_one() {
    // the second run comes while the attributes still propagate, and after that
    for wait in [0, 2_000] {
        let world = planned(2, "", "extension_delay_ms = 1800");
        let mut apply = world.command("apply --yes").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while world.emulator.counter("writes") < 2 {
            thread::sleep(Duration::from_millis(10));
        }
        apply.kill().unwrap();
        apply.wait().unwrap();
        let entries = |what: &str| world.run("export audit --output -").exits(0).stdout.matches(what).count();
        assert_eq!((entries("about to make extension-property"), entries("\"made extension-property")), (2, 0));
        thread::sleep(Duration::from_millis(wait));
        let report = world.run("apply --yes --json").exits(0).json();
        assert_eq!(report["made"].as_array().unwrap().len(), 2, "{report:#}");
        assert_eq!((entries("about to make extension-property"), entries("\"made extension-property")), (2, 2));
        world.exactly_once(2);
        assert_eq!(world.emulator.counter("writes"), 2 + 2, "neither is made twice");
    }
}

#[test]
fn a_phase_that_was_killed_leaves_no_lock_behind() {
    let world = planned(12, "", SLOW);
    let mut apply = under_way(&world);
    apply.kill().unwrap();
    apply.wait().unwrap();
    world.run("apply --yes").exits(0);
    world.exactly_once(12);
}

#[test]
fn verify_tells_differences_from_missing_accounts_and_repair_writes_exactly_these() {
    let world = planned(6, "", "");
    world.run("apply --yes").exits(0);
    world.run("verify").exits(0);
    world.tamper("Person u0", &json!({ "displayName": "Person u0", "mail": "else@example.com" }));
    world.tamper("Person u1", &json!({ "accountEnabled": false }));
    world.delete("Person u2");
    let verify = world.run("verify --json").exits(10).json();
    assert_eq!((&verify["equal"], &verify["differs"], &verify["missing"]), (&json!(3), &json!(2), &json!(1)));
    assert_eq!(verify["attributes"], json!({ "mail": 1, "accountEnabled": 1 }), "{verify:#}");
    stands(&world.status(), "profile", &[("verified", 3), ("differs", 2), ("missing", 1)]);
    let secret = |name: &str| {
        let user = world.emulator.user(name);
        json!([user["_password"], extension(&user, "toBeMigrated")])
    };
    let before: Vec<Value> = ["Person u0", "Person u1"].map(secret).into();
    let writes = world.emulator.counter("writes");
    let repair = world.run("verify --repair --yes --json").exits(0).json();
    assert_eq!(repair["repair"]["sent"], 3, "{repair:#}");
    assert_eq!(world.emulator.counter("writes"), writes + 3, "and nothing else");
    assert_eq!(world.emulator.user("Person u0")["mail"], "u0@example.com");
    assert_eq!(world.emulator.user("Person u1")["accountEnabled"], true);
    assert_eq!(["Person u0", "Person u1"].map(secret).to_vec(), before, "a change has no credential");
    stands(&world.status(), "profile", &[("verified", 6)]);
}

#[test]
fn values_that_the_target_normalises_are_no_differences() {
    let world = planned(2, "", "");
    world.run("apply --yes").exits(0);
    world.tamper("Person u0", &json!({ "mail": "U0@EXAMPLE.com" }));
    let verify = world.run("verify --json").exits(0).json();
    assert_eq!((&verify["equal"], &verify["acceptable"]), (&json!(2), &json!(1)), "{verify:#}");
}

#[test]
fn repair_gives_back_a_social_identity_that_somebody_took_away() {
    let both = local("u9").replace(
        "\"identities\":[",
        "\"identities\":[{\"kind\":\"federated\",\"issuer\":\"google.com\",\"subject\":\"g-9\"},",
    );
    let issuers = "[social.issuers]\n\"google.com\" = \"google.com\"\n";
    let world = World::with_people(&[both], issuers, "");
    world.migrate();
    let user = world.emulator.user("Person u9");
    let all = user["identities"].as_array().unwrap();
    let rest: Vec<&Value> = all.iter().filter(|one| one["signInType"] != "federated").collect();
    world.tamper("Person u9", &json!({ "identities": rest }));
    world.run("verify").exits(10);
    world.run("verify --repair --yes").exits(0);
    let repaired = world.emulator.user("Person u9");
    assert_eq!(repaired["identities"].as_array().unwrap().len(), all.len(), "{repaired:#}");
    assert_eq!(repaired["_password"], user["_password"]);
    let undo = world.run("undo --yes --json").exits(0).json();
    assert_eq!(undo["removed"], 1, "it is still ours: {undo:#}");
}

#[test]
fn accounts_that_should_not_be_at_the_target_are_told_as_unexpected() {
    let world = planned(4, "", "");
    let copy = world.copy_ledger();
    world.run("apply --yes --limit 2").exits(0);
    settle();
    world.roll_back(&copy);
    let verify = world.run("verify --json").exits(11).json();
    assert_eq!(verify["unexpected"], 2, "{verify:#}");
    assert!(world.run("verify").exits(11).stderr.contains("E2107"));
}

#[test]
fn two_objects_with_one_key_are_an_error_of_the_sweep() {
    let seed = "[[user]]\n[user.properties]\ndisplayName = \"Double\"\nidentities = \
                [{ signInType = \"federated\", issuer = \"google.com\", issuerAssignedId = \"g\" }]\n";
    let world = planned(2, "", seed);
    world.run("apply --yes").exits(0);
    let key = world.emulator.user("Person u0")["mailNickname"].clone();
    let legacy = world.emulator.user("Person u0");
    let name = legacy.as_object().unwrap().keys().find(|name| name.ends_with("_sternaLegacyId")).unwrap();
    world.tamper("Double", &json!({ "mailNickname": key, name: key }));
    let verify = world.run("verify").exits(10);
    assert!(verify.stderr.contains("E2107"), "{}", verify.stderr);
    world.run("verify --no-sweep").exits(0);
}

#[test]
fn undo_counts_whoever_cannot_be_known_as_signed_in_and_lists_them() {
    let world = planned(3, "", "[switches]\nsign_in_activity = \"forbidden\"\n");
    world.run("apply --yes").exits(0);
    let undo = world.run("undo --yes --json").exits(11).json();
    assert_eq!((&undo["removed"], &undo["unknown"]), (&json!(0), &json!(3)), "{undo:#}");
    assert_eq!(undo["left"].as_array().unwrap().len(), 3);
    assert_eq!(world.emulator.users().len(), 3);
    let rows = world.run("export undo --output -").exits(0).stdout;
    assert_eq!(rows.lines().count(), 3);
}

#[test]
fn undo_removes_what_this_project_made_and_it_can_be_planned_again() {
    let world = planned(5, "", "");
    world.run("apply --yes").exits(0);
    settle();
    let undo = world.run("undo --yes --json").exits(0).json();
    assert_eq!(undo["removed"], 5, "{undo:#}");
    assert_eq!(world.emulator.users().len(), 0);
    stands(&world.status(), "profile", &[("undone", 5)]);
    stands(&world.status(), "credential", &[("dormant", 5)]);
    settle();
    world.plan();
    world.run("apply --yes").exits(0);
    world.exactly_once(5);
}

#[test]
fn a_held_account_is_sent_once_its_source_is_mended() {
    let bad = local("bad").replace("bad@example.com", "not an address");
    let world = World::with_people(&[local("a"), bad], "", "");
    world.run("extract").exits(0);
    let plan = world.plan();
    assert!(plan.stderr.contains("E5009"), "{}", plan.stderr);
    world.run("apply --yes").exits(0);
    stands(&world.status(), "profile", &[("applied", 1), ("held", 1)]);
    let held = world.run("export held --output -").exits(0).stdout;
    assert!(held.contains("\"L1004\""), "{held}");
    world.folder.write("people.jsonl", &[local("a"), local("bad")].join("\n"));
    world.run("extract").exits(0);
    world.plan();
    world.run("apply --yes").exits(0);
    world.exactly_once(2);
}

#[test]
fn purge_waits_for_the_last_first_sign_in_and_then_nothing_opens() {
    let world = planned(2, "", "");
    world.run("apply --yes").exits(0);
    let purge = world.run("purge --yes").exits(1);
    assert!(purge.stderr.contains("E5006"), "{}", purge.stderr);
    world.run("export ids --output -").exits(0);
    for name in ["Person u0", "Person u1"] {
        world.sign_in(name, &json!({ "flag": "toBeMigrated", "password": "N3w-Passw0rd" }));
    }
    world.run("verify").exits(0);
    let purge = world.run("purge --yes").exits(0);
    assert!(purge.stdout.contains("backups"), "what is out of its reach is said: {}", purge.stdout);
    for command in ["export ids --output -", "plan", "verify", "apply --yes", "undo --yes", "extract"] {
        let run = world.run(command);
        assert!(run.code == 1 && run.stderr.contains("E4009"), "{command}: {} {}", run.code, run.stderr);
    }
    let status = world.status();
    stands(&status, "credential", &[("moved", 2)]);
    assert_eq!(status["accounts"], 2, "counts are left");
}

#[test]
fn rejected_records_are_exported_mended_and_fed_back_with_right_sums_at_every_step() {
    let world = World::with_people(&[local("a"), "{\"id\": \"b\", broken".to_owned(), local("c")], "", "");
    let extract = world.run("extract").exits(12);
    assert!(extract.stderr.contains("E5008"), "{}", extract.stderr);
    let sums = |accounts: u64, rejected: u64| {
        let status = world.status();
        super::adds_up(&status);
        assert_eq!((&status["accounts"], &status["rejected"]), (&json!(accounts), &json!(rejected)), "{status:#}");
    };
    sums(2, 1);
    let export = world.run("export rejects --json").exits(0).json();
    let path = export["file"].as_str().unwrap();
    let path = world.folder.path().join(path);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(world.run("export rejects").exits(0).stdout.contains("0600"));
    let mut line: Value = serde_json::from_str(fs::read_to_string(&path).unwrap().trim()).unwrap();
    assert_eq!((&line["source"], &line["code"]), (&json!("legacy"), &json!("E3101")), "{line:#}");
    line["raw"] = json!("{\"id\": \"b\", still broken");
    world.folder.write("mended.jsonl", &line.to_string());
    world.run("extract --mended mended.jsonl").exits(12);
    sums(2, 1);
    line["raw"] = json!(local("b"));
    world.folder.write("mended.jsonl", &line.to_string());
    world.run("extract --mended mended.jsonl").exits(0);
    sums(3, 0);
    world.run("extract --mended mended.jsonl").exits(0);
    sums(3, 0);
    world.plan();
    world.run("apply --yes").exits(0);
    world.exactly_once(3);
}

#[test]
fn the_plans_prediction_and_what_it_really_took_are_both_told() {
    let world = World::with_people(&people(4), "", "");
    world.run("extract").exits(0);
    let plan = world.plan();
    assert!(plan.stdout.contains("sending will take"), "{}", plan.stdout);
    let apply = world.run("apply --yes").exits(0);
    assert!(apply.stderr.contains("writes a second it will take"), "{}", apply.stderr);
    assert!(apply.stdout.contains("It took") && apply.stdout.contains("predicted were"), "{}", apply.stdout);
}

#[test]
fn a_rehearsal_changes_neither_status_nor_target() {
    let people = [local("a"), social("b", "Google.com", "g-1"), local("c")];
    let world = World::with_people(&people, "[social.issuers]\n\"Google.com\" = \"google.com\"\n", "");
    world.extract_and_plan();
    let before = world.status();
    let rehearsal = world.run("rehearse --json").exits(0).json();
    assert_eq!((&rehearsal["apply"]["applied"], &rehearsal["verify"]["equal"]), (&json!(3), &json!(3)));
    assert_eq!(world.status(), before);
    assert_eq!(world.emulator.counter("writes"), 0);
    let left: Vec<_> = fs::read_dir(world.folder.path().join(".sterna")).unwrap().map(|one| one.unwrap()).collect();
    assert!(left.iter().all(|one| !one.file_name().to_string_lossy().contains("rehears")), "{left:?}");
    world.run("apply --yes").exits(0);
    world.exactly_once(3);
}

#[test]
fn applying_when_nothing_is_left_is_done_and_before_any_plan_it_is_not() {
    let world = World::with_people(&people(2), "", "");
    assert!(world.run("apply --yes").exits(1).stderr.contains("E4001"));
    world.run("extract").exits(0);
    assert!(world.run("apply --yes").exits(1).stderr.contains("E5002"));
    world.plan();
    world.run("apply --yes").exits(0);
    world.run("apply --yes").exits(0);
    world.exactly_once(2);
}
