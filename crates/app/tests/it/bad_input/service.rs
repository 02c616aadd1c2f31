//! A target that refuses: wrong secret, unknown tenant, missing rights, tokens that end, a second phase beside the first.

use std::{
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::scenario::{World, adds_up, count, local};

/// An application that may do only what the list says.
fn app(roles: &str) -> String {
    format!(
        "[[app]]\nclient_id = \"00001111-aaaa-4222-bbbb-3333cccc4444\"\nclient_secret = \"not-a-real-secret\"\nroles = [{roles}]\n"
    )
}

fn world(scenario: &str) -> World {
    let world = World::with_people(&["a", "b", "c"].map(local), "", scenario);
    world.run("extract").exits(0);
    world
}

/// The command ends with this code and an error of this code, and nobody left the ledger.
fn refused(world: &World, args: &str, exit: i32, code: &str, words: &str) {
    let run = world.run(args);
    let told = format!("{args}: {} {}{}", run.code, run.stdout, run.stderr);
    assert_eq!(run.code, exit, "{told}");
    assert!(run.stderr.contains(&format!("error[{code}]: ")) && run.stderr.contains(words), "{told}");
    assert!(run.stderr.contains("hint: ") && !told.contains("panicked") && !told.contains("example.com"), "{told}");
    let status = world.status();
    adds_up(&status);
    assert_eq!(status["accounts"], 3, "{args}: {status}");
}

fn planned(code: i32) -> bool {
    [0, 11].contains(&code)
}

#[test]
fn a_wrong_secret_is_told_without_it() {
    let world = world("");
    world.reconfigure("{ env = \"STERNA_TEST_CLIENT_SECRET\" }", "{ command = [\"echo\", \"hunter2\"] }");
    refused(&world, "plan", 1, "E2002", "invalid_client");
    refused(&world, "check", 10, "E2002", "invalid_client");
    assert!(!world.run("plan -vvv").stderr.contains("hunter2"));
}

#[test]
fn an_unknown_application_or_tenant_is_told() {
    let world = world("");
    let toml = world.folder.read("sterna.toml");
    let id = world.emulator.ready["client_id"].as_str().unwrap().to_owned();
    world.reconfigure(&id, "99999999-aaaa-4222-bbbb-3333cccc4444");
    refused(&world, "plan", 1, "E2002", "99999999");
    world.folder.write("sterna.toml", &toml);
    world.reconfigure("contoso.onmicrosoft.com", "fabrikam.onmicrosoft.com");
    refused(&world, "plan", 1, "E2002", "the login service refuses");
    world.folder.write("sterna.toml", &toml);
    assert!(planned(world.run("plan").code));
}

#[test]
fn missing_rights_are_told_before_anything_is_sent() {
    let readers = "\"User.Read.All\", \"Application.Read.All\", \"Domain.Read.All\", \"Organization.Read.All\"";
    let readers_only = world(&app(readers));
    refused(&readers_only, "check", 10, "E2104", "User.ReadWrite.All");
    refused(&readers_only, "plan", 10, "E2104", "User.ReadWrite.All");
    refused(&readers_only, "apply --yes", 10, "E2104", "User.ReadWrite.All");
    assert_eq!(readers_only.emulator.users().len(), 0);
    let nothing = world(&app(""));
    refused(&nothing, "plan", 1, "E2004", "");
}

#[test]
fn tokens_that_end_within_the_run_are_renewed() {
    let scenario = "token_lifetime_secs = 1\n[[fault]]\nkind = \"latency\"\non = \"batch\"\ndelay_ms = 700\n";
    let people: Vec<_> = (0..12).map(|number| local(&format!("p{number}"))).collect();
    let world = World::with_people(&people, "", scenario);
    world.reconfigure("batch_size = 4", "batch_size = 2\nconcurrency = 1");
    world.extract_and_plan();
    world.run("apply --yes").exits(0);
    world.exactly_once(12);
}

#[test]
fn a_login_service_that_fails_within_the_run_loses_nobody() {
    let scenario = "token_lifetime_secs = 1\n[[fault]]\nkind = \"error_5xx_before\"\non = \"token\"\nstatus = 503\nafter = 2\ntimes = 4\n";
    let world = world(scenario);
    let plan = world.run("plan");
    if !planned(plan.code) {
        assert!(plan.stderr.contains("error[E2001]"), "{}", plan.stderr);
    }
    let end = Instant::now() + Duration::from_secs(20);
    while !planned(world.run("plan").code) {
        assert!(Instant::now() < end, "the login service is back, and plan does not see it");
    }
    while world.run("apply --yes").code != 0 {
        adds_up(&world.status());
        assert!(Instant::now() < end, "the login service is back, and apply does not see it");
    }
    world.exactly_once(3);
}

/// A run of the program beside the test; ended when dropped.
struct Beside(Child);

impl Drop for Beside {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn while_apply_runs_a_second_changing_phase_is_refused_and_reading_goes_on() {
    let slow = "[[fault]]\nkind = \"latency\"\non = \"batch\"\ndelay_ms = 1500\n";
    let world = world(slow);
    assert!(planned(world.run("plan").code));
    let apply = world.command("apply --yes").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut apply = Beside(apply);
    let end = Instant::now() + Duration::from_secs(10);
    while count(&world.status(), "profile", "intended") == 0 {
        assert!(Instant::now() < end, "apply never began");
        thread::sleep(Duration::from_millis(20));
    }
    for second in ["extract", "plan", "apply --yes", "undo --yes", "purge --yes"] {
        refused(&world, second, 1, "E4008", "apply (process ");
    }
    world.run("export ids --output ids.jsonl").exits(0);
    assert!(apply.0.wait().unwrap().success());
    world.exactly_once(3);
}

#[test]
fn an_account_with_eleven_identities_is_told_and_not_sent() {
    let identities: Vec<_> = (0..11)
        .map(|number| format!(r#"{{"kind":"federated","issuer":"google.com","subject":"s{number}"}}"#))
        .collect();
    let many = format!(r#"{{"id":"many","display_name":"Many","identities":[{}]}}"#, identities.join(","));
    let world = World::with_people(&[many, local("b")], "[social.issuers]\n\"google.com\" = \"google.com\"\n", "");
    world.run("extract").exits(0);
    let plan = world.run("plan --json");
    assert!(plan.stdout.contains("L2007"), "{}{}", plan.stdout, plan.stderr);
    drop(world.run("apply --yes"));
    let status = world.status();
    adds_up(&status);
    assert_eq!(status["accounts"], 2);
    assert!(count(&status, "profile", "applied") >= 1 && count(&status, "profile", "refused") == 0, "{status}");
    assert!(
        world.emulator.users().iter().all(|user| user["identities"].as_array().unwrap().len() <= 11),
        "with its UPN"
    );
}
