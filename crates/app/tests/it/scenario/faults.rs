//! Everything that can go wrong between us and the target, one scenario each: afterwards the sums add up, everybody is
//! at the target exactly once, and the exit code and the words are right.

use std::{thread, time::Duration};

use serde_json::{Value, json};

use super::{World, adds_up, count, local, social, stands};

const ISSUERS: &str = "[social.issuers]\n\"Google.com\" = \"google.com\"\n";
const PEOPLE: u64 = 10;

fn people(number: u64) -> Vec<String> {
    (0..number)
        .map(|at| {
            let id = format!("u{at}");
            if at % 4 == 3 { social(&id, "Google.com", &format!("sub-{at}")) } else { local(&id) }
        })
        .collect()
}

fn fault(rule: &str) -> String {
    format!("[[fault]]\n{}\n", rule.replace("; ", "\n"))
}

/// A planned project whose target has the fault.
fn planned(scenario: &str) -> World {
    let world = World::with_people(&people(PEOPLE), ISSUERS, scenario);
    world.extract_and_plan();
    world
}

/// Applies under a fault that one run overcomes. Gives what apply told.
fn overcome(rule: &str) -> (World, Value) {
    overcome_all(&fault(rule))
}

fn overcome_all(scenario: &str) -> (World, Value) {
    let world = planned(scenario);
    let report = world.run("apply --yes --json").exits(0).json();
    assert!(world.emulator.struck().iter().all(|struck| *struck > 0), "the fault never struck");
    world.exactly_once(PEOPLE);
    assert_eq!(world.emulator.counter("creates"), PEOPLE);
    assert_eq!((&report["applied"], &report["left"], &report["open"]), (&json!(PEOPLE), &json!(0), &json!(0)));
    world.emulator.control("/faults", &json!({}));
    world.run("verify").exits(0);
    stands(&world.status(), "profile", &[("verified", PEOPLE)]);
    (world, report)
}

fn number(report: &Value, name: &str) -> u64 {
    report[name].as_u64().unwrap_or_else(|| panic!("{name} in {report:#}"))
}

#[test]
fn an_account_whose_reply_is_lost_after_the_commit_is_looked_up_and_not_sent_again() {
    let (_, report) = overcome("kind = \"lose_reply\"; on = \"create\"; match = \"Person u2\"");
    assert!(number(&report, "after_unknown_outcome") >= 1, "{report:#}");
    assert_eq!(number(&report, "sent"), PEOPLE, "nothing is sent twice: {report:#}");
}

#[test]
fn a_whole_batch_whose_reply_is_lost_is_looked_up_and_not_sent_again() {
    let (_, report) = overcome("kind = \"lose_reply\"; on = \"batch\"; scope = \"envelope\"; times = 1");
    assert!(number(&report, "after_unknown_outcome") >= 2, "{report:#}");
    assert_eq!(number(&report, "sent"), PEOPLE, "{report:#}");
}

#[test]
fn a_request_that_never_arrived_is_sent_again_once_that_is_certain() {
    let (_, report) = overcome("kind = \"lose_request\"; on = \"create\"; scope = \"envelope\"; times = 2");
    assert_eq!(number(&report, "after_unknown_outcome"), 0, "{report:#}");
    assert!(number(&report, "sent") > PEOPLE, "{report:#}");
}

#[test]
fn a_commit_that_comes_after_the_connection_was_cut_is_found_and_not_doubled() {
    let late = "kind = \"late_commit\"; on = \"create\"; scope = \"envelope\"; times = 1; delay_ms = 500";
    let (_, report) = overcome(late);
    assert!(number(&report, "after_unknown_outcome") >= 1, "{report:#}");
    assert_eq!(number(&report, "sent"), PEOPLE, "{report:#}");
}

#[test]
fn a_reset_before_the_commit_is_sent_again() {
    let (_, report) = overcome("kind = \"reset\"; on = \"create\"; times = 2; scope = \"envelope\"");
    assert!(number(&report, "doubts") >= 1 && number(&report, "sent") > PEOPLE, "{report:#}");
}

#[test]
fn a_reset_after_the_commit_is_looked_up() {
    let (_, report) = overcome("kind = \"reset\"; on = \"create\"; times = 1; after_commit = true");
    assert!(number(&report, "after_unknown_outcome") >= 1, "{report:#}");
}

#[test]
fn a_storm_of_429_with_decimal_waits_is_waited_for_and_no_account_fails() {
    let (world, report) = overcome("kind = \"storm_429\"; on = \"create\"; first = 7; retry_after = \"0.35\"");
    assert_eq!(number(&report, "throttled"), 7, "{report:#}");
    assert_eq!(number(&report, "doubts"), 0, "a 429 leaves no doubt: {report:#}");
    assert!(world.emulator.counter("throttled") >= 7);
}

#[test]
fn a_429_of_the_whole_batch_is_waited_for_too() {
    let storm = "kind = \"storm_429\"; on = \"batch\"; scope = \"envelope\"; times = 3; retry_after = \"0.2\"";
    let (_, report) = overcome(storm);
    assert!(number(&report, "throttled") >= 3, "{report:#}");
}

#[test]
fn a_424_of_the_whole_batch_means_that_nothing_of_it_was_done() {
    let refused = "kind = \"error_5xx_before\"; on = \"batch\"; scope = \"envelope\"; times = 2; status = 424";
    let (_, report) = overcome(&format!("{refused}; code = \"FailedDependency\"; retry_after = \"0.2\""));
    assert_eq!(number(&report, "doubts"), 0, "{report:#}");
}

#[test]
fn a_batch_that_is_424_because_some_of_its_items_are_throttled_counts_item_by_item() {
    let (world, report) = overcome_all(&format!(
        "[switches]\nthrottled_batch_is_424 = true\n{}",
        fault("kind = \"storm_429\"; on = \"create\"; every = 3; times = 4; retry_after = \"0.2\"")
    ));
    assert_eq!(number(&report, "throttled"), 4, "{report:#}");
    assert_eq!(number(&report, "sent"), PEOPLE + 4, "only what was throttled goes out again: {report:#}");
    assert_eq!(world.emulator.counter("conflicts"), 0);
}

#[test]
fn a_quota_smaller_than_configured_makes_apply_slower_and_fails_nobody() {
    let world = planned("[quota]\napp_tenant_writes = 8\nwindow_secs = 2\n");
    // the pacer waits out the window that it is told of
    world.reconfigure("batch_size = 4", "batch_size = 4\nquota_window_secs = 2");
    let report = world.run("apply --yes --json").exits(0).json();
    assert!(number(&report, "throttled") > 0 && number(&report, "refused") == 0, "{report:#}");
    world.exactly_once(PEOPLE);
}

#[test]
fn a_503_with_a_wait_is_no_doubt_and_is_sent_again() {
    let busy = "kind = \"error_5xx_before\"; on = \"create\"; times = 3; retry_after = \"0.3\"";
    let (_, report) = overcome(busy);
    assert_eq!((number(&report, "doubts"), number(&report, "throttled")), (0, 3), "{report:#}");
}

#[test]
fn a_5xx_before_the_commit_is_looked_up_and_sent_again() {
    let (_, report) = overcome("kind = \"error_5xx_before\"; on = \"create\"; times = 3; status = 500");
    assert_eq!(number(&report, "doubts"), 3, "{report:#}");
    assert_eq!(number(&report, "after_unknown_outcome"), 0, "{report:#}");
}

#[test]
fn a_5xx_after_the_commit_is_looked_up_and_counted_once() {
    let (_, report) = overcome("kind = \"error_5xx_after\"; on = \"create\"; times = 3; status = 504");
    assert_eq!(number(&report, "after_unknown_outcome"), 3, "{report:#}");
    assert_eq!(number(&report, "sent"), PEOPLE, "{report:#}");
}

#[test]
fn answers_that_take_longer_than_the_request_may_are_looked_up() {
    let slow = "kind = \"latency\"; on = \"batch\"; scope = \"envelope\"; times = 1; delay_ms = 2400";
    let (_, report) = overcome(slow);
    assert!(number(&report, "after_unknown_outcome") >= 1, "{report:#}");
}

#[test]
fn slow_answers_are_only_slow() {
    let (_, report) = overcome("kind = \"latency\"; on = \"create\"; delay_ms = 120");
    assert_eq!(number(&report, "doubts"), 0, "{report:#}");
}

#[test]
fn reads_that_show_an_older_tenant_double_nobody_after_a_lost_reply() {
    let scenario = fault("kind = \"stale_read\"; delay_ms = 400")
        + &fault("kind = \"lose_reply\"; on = \"create\"; scope = \"envelope\"; times = 2");
    let (_, report) = overcome_all(&scenario);
    assert!(number(&report, "after_unknown_outcome") >= 2, "{report:#}");
}

#[test]
fn uniqueness_that_lags_doubles_nobody_after_lost_replies_and_late_commits() {
    let scenario = "lagging_uniqueness = true\n".to_owned()
        + &fault("kind = \"lose_reply\"; on = \"create\"; scope = \"envelope\"; times = 1")
        + &fault("kind = \"late_commit\"; on = \"create\"; scope = \"envelope\"; times = 1; delay_ms = 400");
    overcome_all(&scenario);
}

/// A tenant of more than one page.
const TWO_PAGES: &str = "[tenant]\ngenerated_users = 1100\n";

#[test]
fn a_next_link_that_repeats_in_the_targets_inventory_has_everybody_looked_up_one_by_one() {
    let circle = fault("kind = \"repeat_next_link\"; on = \"list\"; match = \"/users\"");
    let world = World::with_people(&people(PEOPLE), ISSUERS, &format!("{TWO_PAGES}{circle}"));
    world.run("extract").exits(0);
    let plan = world.run("plan").exits(11);
    assert!(plan.stderr.contains("E2010"), "{}", plan.stderr);
    stands(&world.status(), "profile", &[("planned", PEOPLE)]);
    world.emulator.control("/faults", &json!({}));
    world.run("apply --yes").exits(0);
    stands(&world.status(), "profile", &[("applied", PEOPLE)]);
    assert_eq!(world.emulator.users().len() as u64, 1100 + PEOPLE);
}

#[test]
fn a_next_link_that_repeats_in_verifys_sweep_says_that_nobody_looked_for_doubles() {
    let world = World::with_people(&people(PEOPLE), ISSUERS, TWO_PAGES);
    world.migrate();
    let circle = json!({ "faults": [{ "kind": "repeat_next_link", "on": "list", "match": "/users" }] });
    world.emulator.control("/faults", &circle);
    let verify = world.run("verify").exits(11);
    assert!(verify.stderr.contains("E2010"), "{}", verify.stderr);
    world.emulator.control("/faults", &json!({}));
    world.run("verify").exits(0);
    stands(&world.status(), "profile", &[("verified", PEOPLE)]);
}

#[test]
fn tokens_that_expire_mid_run_are_renewed_and_nobody_notices() {
    let tokens = fault("kind = \"latency\"; on = \"token\"; delay_ms = 1");
    let slow = fault("kind = \"latency\"; on = \"batch\"; scope = \"envelope\"; delay_ms = 300");
    let world = World::with_people(&people(24), ISSUERS, &format!("{tokens}{slow}"));
    world.reconfigure("batch_size = 4", "batch_size = 4\nconcurrency = 1");
    world.extract_and_plan();
    let apply = world.command("apply --yes --json").stdout(std::process::Stdio::piped()).spawn().unwrap();
    while world.emulator.counter("creates") < 4 {
        thread::sleep(Duration::from_millis(20));
    }
    let before = world.emulator.struck()[0];
    world.emulator.control("/tokens/expire", &Value::Null);
    let output = apply.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(world.emulator.struck()[0] > before, "another token was asked for");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((number(&report, "refused"), number(&report, "doubts")), (0, 0), "{report:#}");
    world.exactly_once(24);
}

#[test]
fn without_the_right_to_write_users_plan_and_apply_name_it_and_nothing_is_sent() {
    let scenario = "[[app]]\nroles = [\"User.Read.All\", \"Application.ReadWrite.All\", \"Domain.Read.All\", \
                    \"Organization.Read.All\", \"IdentityProvider.Read.All\"]\n";
    let world = World::with_people(&people(PEOPLE), ISSUERS, scenario);
    world.run("extract").exits(0);
    let plan = world.run("plan").exits(10);
    assert!(plan.stderr.contains("User.ReadWrite.All"), "{}", plan.stderr);
    let writes = world.emulator.counter("writes");
    let apply = world.run("apply --yes").exits(10);
    assert!(apply.stderr.contains("User.ReadWrite.All"), "{}", apply.stderr);
    assert_eq!(world.emulator.counter("writes"), writes, "nothing was sent");
    stands(&world.status(), "profile", &[("planned", PEOPLE)]);
}

/// Apply that is stopped by an answer to some creates, and goes on once that is mended.
fn stopped_and_resumed(status: u16, graph: &str, code: &str) {
    let rule =
        format!("kind = \"error_5xx_before\"; on = \"create\"; after = 4; status = {status}; code = \"{graph}\"");
    let world = planned(&fault(&rule));
    let apply = world.run("apply --yes").exits(1);
    assert!(apply.stderr.contains(code) && apply.stderr.contains(graph), "{}", apply.stderr);
    let status = world.status();
    adds_up(&status);
    let applied = count(&status, "profile", "applied");
    assert_eq!((applied, count(&status, "profile", "planned")), (4, PEOPLE - 4), "{status:#}");
    assert_eq!(world.emulator.users().len() as u64, applied);
    world.emulator.control("/faults", &json!({}));
    world.run("apply --yes").exits(0);
    world.exactly_once(PEOPLE);
    assert_eq!(world.emulator.counter("creates"), PEOPLE);
}

#[test]
fn a_full_tenant_leaves_the_rest_planned_and_apply_goes_on_later() {
    stopped_and_resumed(403, "Directory_QuotaExceeded", "E2006");
}

#[test]
fn a_right_that_is_taken_away_mid_run_leaves_the_rest_planned() {
    stopped_and_resumed(403, "Authorization_RequestDenied", "E2104");
}

#[test]
fn a_plan_larger_than_the_tenants_room_is_an_error_before_anything_is_sent() {
    let world = World::with_people(&people(PEOPLE), ISSUERS, "[tenant]\nobject_quota = 8\n");
    world.run("extract").exits(0);
    let plan = world.run("plan").exits(10);
    assert!(plan.stderr.contains("E2006") && plan.stderr.contains("room for"), "{}", plan.stderr);
    world.run("apply --yes").exits(10);
    assert_eq!(world.emulator.users().len(), 0);
    world.run("apply --yes --limit 4").exits(0);
    let status = world.status();
    stands(&status, "profile", &[("applied", 4), ("planned", PEOPLE - 4)]);
    assert_eq!(world.emulator.users().len(), 4);
}

#[test]
fn a_tenant_whose_room_cannot_be_read_is_found_full_on_the_way_and_the_rest_stays_planned() {
    let scenario = "[tenant]\nobject_quota = 8\n[[app]]\nroles = [\"User.ReadWrite.All\", \
                    \"Application.ReadWrite.All\", \"Domain.Read.All\", \"IdentityProvider.Read.All\", \
                    \"User.ManageIdentities.All\"]\n";
    let world = planned(scenario);
    let apply = world.run("apply --yes").exits(1);
    assert!(apply.stderr.contains("E2006"), "{}", apply.stderr);
    let status = world.status();
    adds_up(&status);
    let applied = count(&status, "profile", "applied");
    assert!(applied > 0 && applied + count(&status, "profile", "planned") == PEOPLE, "{status:#}");
    assert_eq!(world.emulator.users().len() as u64, applied);
}

#[test]
fn a_target_that_cannot_be_reached_is_said_and_the_plan_stays() {
    let world = planned("");
    let url = world.emulator.ready["graph_url"].to_string();
    world.reconfigure(&format!("graph_url = {url}"), "graph_url = \"http://127.0.0.1:9\"");
    let apply = world.run("apply --yes").exits(1);
    assert!(apply.stderr.contains("E2001"), "{}", apply.stderr);
    stands(&world.status(), "profile", &[("planned", PEOPLE)]);
    world.reconfigure("graph_url = \"http://127.0.0.1:9\"", &format!("graph_url = {url}"));
    world.run("apply --yes").exits(0);
    world.exactly_once(PEOPLE);
}

#[test]
fn an_account_that_the_target_refuses_costs_only_itself() {
    let refused = "kind = \"error_5xx_before\"; on = \"create\"; match = \"Person u2\"; status = 400";
    let world = planned(&fault(&format!("{refused}; code = \"Request_BadRequest\"")));
    let apply = world.run("apply --yes").exits(12);
    assert!(apply.stderr.contains("E5010"), "{}", apply.stderr);
    stands(&world.status(), "profile", &[("applied", PEOPLE - 1), ("refused", 1)]);
    world.emulator.control("/faults", &json!({}));
    world.run("retry --yes").exits(0);
    world.exactly_once(PEOPLE);
}

#[test]
fn a_request_that_is_carried_out_long_after_its_connection_broke_makes_nobody_twice() {
    // later than the settling time, though not than the request's last possible end and the settling time
    let fault = "lagging_uniqueness = true\n[[fault]]\nkind = \"late_commit\"\non = \"create\"\nmatch = \"Person u1\"\n\
                 times = 1\ndelay_ms = 1800\n";
    let world = World::with_people(&[local("u0"), local("u1"), local("u2")], "", fault);
    world.extract_and_plan();
    world.run("apply --yes").exits(0);
    world.exactly_once(3);
    world.run("verify").exits(0);
}

#[test]
fn an_account_whose_requests_are_never_answered_is_refused_in_the_end_and_holds_nobody_up() {
    let fault = "[[fault]]\nkind = \"error_5xx_before\"\non = \"create\"\nmatch = \"Person u1\"\nstatus = 500\n";
    let source = "[sources.legacy]\nconnector = \"json-lines\"\npath = \"people.jsonl\"\n";
    let target = "settling_secs = 0\nrequest_timeout_secs = 1\n";
    let world = World::of("entra-external-id", source, target, "", fault, "--read-delay-ms 50");
    world.folder.write("people.jsonl", &([local("u0"), local("u1"), local("u2")].join("\n") + "\n"));
    world.extract_and_plan();
    let apply = world.run("apply --yes").exits(12);
    assert!(apply.stdout.contains("E2108"), "{}", apply.stdout);
    stands(&world.status(), "profile", &[("applied", 2), ("refused", 1)]);
    world.emulator.control("/faults", &json!({}));
    world.run("retry --yes").exits(0);
    world.exactly_once(3);
}

#[test]
fn a_run_that_the_target_ends_prints_one_document_with_the_reason_in_it() {
    let fault = "[[fault]]\nkind = \"error_5xx_before\"\non = \"create\"\nmatch = \"Person u1\"\nstatus = 403\n\
                 code = \"Directory_QuotaExceeded\"\n";
    let world = World::with_people(&[local("u0"), local("u1")], "", fault);
    world.extract_and_plan();
    let report = world.run("apply --yes --json").exits(1).json();
    assert_eq!(report["stopped"]["code"], "E2006", "{report:#}");
    assert_eq!(count(&world.status(), "profile", "planned"), 1);
}
