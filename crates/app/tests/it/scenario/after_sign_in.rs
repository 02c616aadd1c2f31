//! After somebody has signed in at the target, nothing of ours brings an old password or the flag back.

use std::fs;

use serde_json::{Value, json};

use super::{World, extension, local, settle, stands};

const NEW: &str = "N3w-Passw0rd-of-hers";

/// A local account whose password the source holds in clear text.
fn with_plaintext(id: &str) -> String {
    local(id).replace("\"held-by-legacy\"", "{\"plaintext\":\"Pass!w0rd\"}")
}

/// What must not change: password and flag of one user, by object id.
fn credential(world: &World, name: &str) -> Value {
    let user = world.emulator.user(name);
    json!([user["id"], user["_password"], extension(&user, "toBeMigrated")])
}

/// Three accounts that wait for their first sign-in, and a fourth whose password was set; `Person a` then signs in.
fn signed_in() -> (World, Value) {
    let people = [local("a"), local("b"), local("c"), with_plaintext("d")];
    let world = World::with_people(&people, "", "");
    world.migrate();
    world.sign_in("Person a", &json!({ "flag": "toBeMigrated", "password": NEW }));
    let after = credential(&world, "Person a");
    assert_eq!((&after[1], &after[2]), (&json!(NEW), &json!(false)));
    (world, after)
}

/// Asserts that Person a's credential is untouched and nobody was made anew.
fn untouched(world: &World, before: &Value) {
    assert_eq!(credential(world, "Person a"), *before);
    assert_eq!(world.emulator.counter("creates"), 4);
}

#[test]
fn verify_counts_a_cleared_flag_as_moved_and_never_as_a_difference() {
    let (world, before) = signed_in();
    let verify = world.run("verify --json").exits(0).json();
    assert_eq!((&verify["moved"], &verify["equal"], &verify["differs"]), (&json!(1), &json!(4), &json!(0)));
    stands(&world.status(), "credential", &[("moved", 1), ("awaiting_sign_in", 2), ("set", 1)]);
    let again = world.run("verify --json").exits(0).json();
    assert_eq!((&again["moved"], &again["equal"]), (&json!(0), &json!(4)), "it is counted once");
    untouched(&world, &before);
}

#[test]
fn repair_mends_the_profile_and_leaves_password_and_flag_alone() {
    let (world, before) = signed_in();
    world.tamper("Person a", &json!({ "givenName": "Anything", "mail": null }));
    let repair = world.run("verify --repair --yes --json").exits(0).json();
    assert_eq!(repair["repair"]["sent"], 1, "{repair:#}");
    assert_eq!(world.emulator.user("Person a")["mail"], "a@example.com");
    untouched(&world, &before);
    stands(&world.status(), "credential", &[("moved", 1), ("awaiting_sign_in", 2), ("set", 1)]);
}

#[test]
fn a_retry_after_a_refused_repair_leaves_password_flag_and_credential_state_alone() {
    let (world, before) = signed_in();
    world.tamper("Person a", &json!({ "mail": null }));
    let refuse = json!({ "faults": [{ "kind": "error_5xx_before", "on": "update", "status": 400, "code": "Request_BadRequest" }] });
    world.emulator.control("/faults", &refuse);
    world.run("verify --repair --yes");
    stands(&world.status(), "profile", &[("verified", 3), ("refused", 1)]);
    world.emulator.control("/faults", &json!({}));
    world.run("retry --yes").exits(0);
    untouched(&world, &before);
    stands(&world.status(), "credential", &[("moved", 1), ("awaiting_sign_in", 2), ("set", 1)]);
    world.run("verify --repair --yes").exits(0);
    assert_eq!(world.emulator.user("Person a")["mail"], "a@example.com");
    untouched(&world, &before);
}

#[test]
fn planning_and_applying_again_sends_nothing() {
    let (world, before) = signed_in();
    let writes = world.emulator.counter("writes");
    world.plan();
    world.run("apply --yes").exits(0);
    world.run("retry --yes").exits(0);
    assert_eq!(world.emulator.counter("writes"), writes);
    untouched(&world, &before);
}

#[test]
fn a_source_that_says_something_else_now_changes_nothing_of_what_was_sent() {
    let (world, before) = signed_in();
    let anew = with_plaintext("a").replace("Pass!w0rd", "0ld-but-read-later");
    world.folder.write("people.jsonl", &[anew, local("b"), local("c"), with_plaintext("d")].join("\n"));
    let extract = world.run("extract --json").exits(0).json();
    assert_eq!(extract["sources"][0]["changed_after_apply"], 1, "{extract:#}");
    world.plan();
    world.run("apply --yes").exits(0);
    world.run("verify --repair --yes").exits(0);
    untouched(&world, &before);
}

#[test]
fn an_account_that_vanished_is_made_again_without_flag_and_without_any_old_password() {
    let (world, _) = signed_in();
    world.run("verify").exits(0);
    let old: Vec<Value> = ["Person a", "Person b", "Person d"].map(|name| credential(&world, name)).into();
    for name in ["Person a", "Person b", "Person d"] {
        world.delete(name);
    }
    let repair = world.run("verify --repair --yes --json").exits(0).json();
    assert_eq!(repair["repair"]["applied"], 3, "{repair:#}");
    for (name, old) in ["Person a", "Person b", "Person d"].into_iter().zip(old) {
        let new = credential(&world, name);
        assert_ne!(new[0], old[0], "{name} is a new object");
        assert_ne!(new[1], old[1], "{name}'s old password never comes back");
        let password = new[1].as_str().unwrap();
        assert!(password.len() >= 32 && password != NEW && password != "Pass!w0rd", "{name} gets one nobody knows");
        assert_eq!(new[2], Value::Null, "{name} has no flag");
    }
    stands(&world.status(), "credential", &[("reset_due", 3), ("awaiting_sign_in", 1)]);
    assert_eq!(world.emulator.counter("creates"), 7);
}

#[test]
fn a_ledger_rolled_back_to_before_the_apply_finds_the_account_and_leaves_its_new_password() {
    let world = World::with_people(&[local("a"), local("b"), local("c"), with_plaintext("d")], "", "");
    world.extract_and_plan();
    let copy = world.copy_ledger();
    world.run("apply --yes").exits(0);
    world.sign_in("Person a", &json!({ "flag": "toBeMigrated", "password": NEW }));
    let before = credential(&world, "Person a");
    world.roll_back(&copy);
    world.run("apply --yes").exits(0);
    untouched(&world, &before);
    let verify = world.run("verify --json").exits(0).json();
    assert_eq!(verify["moved"], 1, "{verify:#}");
    stands(&world.status(), "credential", &[("moved", 1), ("awaiting_sign_in", 2), ("set", 1)]);
    untouched(&world, &before);
}

#[test]
fn another_project_that_adopts_the_account_leaves_password_and_flag_alone() {
    let (world, before) = signed_in();
    settle();
    fs::remove_dir_all(world.folder.path().join(".sterna")).unwrap();
    fs::remove_file(world.folder.path().join("sterna.key")).unwrap();
    world.extract_and_plan();
    stands(&world.status(), "profile", &[("clash", 4)]);
    world.run("retry --yes --adopt").exits(0);
    stands(&world.status(), "profile", &[("adopted", 4)]);
    stands(&world.status(), "credential", &[("not_needed", 4)]);
    world.run("verify --repair --yes").exits(0);
    untouched(&world, &before);
    world.run("undo --yes").exits(0);
    untouched(&world, &before);
}

#[test]
fn undo_leaves_and_lists_who_has_signed_in_and_planning_anew_touches_nothing_of_theirs() {
    let (world, before) = signed_in();
    let undo = world.run("undo --yes --json").exits(11).json();
    assert_eq!((&undo["removed"], &undo["signed_in"]), (&json!(3), &json!(1)), "{undo:#}");
    let rows = world.run("export undo --output -").exits(0).stdout;
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let listed: Vec<&Value> = rows.iter().map(|row| &row["source_id"]).collect();
    assert_eq!(listed, [&json!("a")]);
    untouched(&world, &before);
    settle();
    world.plan();
    world.run("apply --yes").exits(0);
    assert_eq!(credential(&world, "Person a"), before);
    assert_eq!(world.emulator.counter("creates"), 7, "the three are made again, she is not");
}

#[test]
fn undo_of_an_account_that_vanished_after_its_sign_in_does_not_open_the_way_back_for_its_old_password() {
    let (world, _) = signed_in();
    world.run("verify").exits(0);
    world.delete("Person a");
    let undo = world.run("undo --yes --json").exits(0).json();
    assert_eq!((&undo["removed"], &undo["gone"]), (&json!(3), &json!(1)), "{undo:#}");
    settle();
    world.plan();
    world.run("apply --yes").exits(0);
    let anew = world.emulator.user("Person a");
    assert_eq!(extension(&anew, "toBeMigrated"), &Value::Null, "she has to reset it: {anew:#}");
    stands(&world.status(), "credential", &[("reset_due", 1), ("awaiting_sign_in", 2), ("set", 1)]);
}
