//! Who is the same person: at the target already, within a source, across sources, and across runs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{World, count, local, settle, social, stands};

const ISSUERS: &str = "[social.issuers]\n\"Google.com\" = \"google.com\"\n\"Facebook.com\" = \"facebook.com\"\n";

/// Somebody at the target, with identities as Graph writes them in TOML.
fn there(name: &str, identities: &str) -> String {
    format!(
        "[[user]]\npassword = \"0ld-Passw0rd\"\n[user.properties]\ndisplayName = \"{name}\"\nidentities = [{identities}]\n"
    )
}

fn email(name: &str) -> String {
    format!(
        "{{ signInType = \"emailAddress\", issuer = \"contoso.onmicrosoft.com\", issuerAssignedId = \"{name}@example.com\" }}, "
    )
}

fn google(subject: &str) -> String {
    format!("{{ signInType = \"federated\", issuer = \"google.com\", issuerAssignedId = \"{subject}\" }}, ")
}

/// A source's account with two social identities.
fn both(id: &str, google: &str, facebook: &str) -> String {
    let one = |issuer: &str, subject: &str| {
        format!("{{\"kind\":\"federated\",\"issuer\":\"{issuer}\",\"subject\":\"{subject}\"}}")
    };
    format!(
        "{{\"id\":\"{id}\",\"display_name\":\"Person {id}\",\"identities\":[{},{}]}}",
        one("Google.com", google),
        one("Facebook.com", facebook)
    )
}

/// The (issuer, id) pairs of a user, the generated principal name aside.
fn identities(user: &Value) -> Vec<(String, String)> {
    let all = user["identities"].as_array().unwrap().iter();
    let all = all.filter(|one| one["signInType"] != "userPrincipalName");
    all.map(|one| (one["issuer"].as_str().unwrap().to_owned(), one["issuerAssignedId"].as_str().unwrap().to_owned()))
        .collect()
}

fn has(user: &Value, issuer: &str, id: &str) -> bool {
    identities(user).contains(&(issuer.to_owned(), id.to_owned()))
}

/// A project that is extracted, and not planned.
fn extracted(people: &[String], more: &str, scenario: &str) -> World {
    let world = World::with_people(people, &format!("{ISSUERS}{more}"), scenario);
    world.run("extract").exits(0);
    world
}

#[test]
fn an_account_with_the_same_social_identity_is_adopted_without_a_write_and_undo_never_deletes_it() {
    let world = extracted(&[social("a", "Google.com", "g-1")], "", &there("Old Ana", &google("g-1")));
    let before = world.emulator.users();
    let plan = world.plan_json();
    assert_eq!(plan["actions"], json!({ "adopt": 1 }), "{plan:#}");
    world.run("apply --yes").exits(0);
    assert_eq!(world.emulator.users(), before, "adopting writes nothing");
    let status = world.status();
    stands(&status, "profile", &[("adopted", 1)]);
    stands(&status, "credential", &[("not_needed", 1)]);
    let undo = world.run("undo --yes --json").exits(0).json();
    assert_eq!((&undo["let_go"], &undo["removed"]), (&json!(1), &json!(0)), "{undo:#}");
    assert_eq!(world.emulator.users(), before, "undo leaves what was there before");
    stands(&world.status(), "profile", &[("undone", 1)]);
}

#[test]
fn the_same_holds_in_a_tenant_too_large_to_be_read_whole() {
    let scenario = format!("[tenant]\ngenerated_users = 2001\n{}", there("Old Ana", &google("g-1")));
    let people = [social("a", "Google.com", "g-1"), local("b")];
    let world = extracted(&people, "", &scenario);
    let plan = world.plan_json();
    assert_eq!(plan["actions"], json!({ "adopt": 1, "create": 1 }), "{plan:#}");
    world.run("apply --yes").exits(0);
    stands(&world.status(), "profile", &[("adopted", 1), ("applied", 1)]);
    assert_eq!(world.emulator.users().len(), 2003);
}

#[test]
fn matching_identities_can_be_held_for_a_decision_instead() {
    let more = "[matching]\nsame_identity = \"hold\"\n";
    let world = extracted(&[social("a", "Google.com", "g-1")], more, &there("Old Ana", &google("g-1")));
    let plan = world.plan();
    assert!(plan.stderr.contains("L4002"), "{}", plan.stderr);
    stands(&world.status(), "profile", &[("clash", 1)]);
}

#[test]
fn a_link_adds_the_missing_social_identity_and_undo_takes_exactly_that_away() {
    let seed = there("Old Ana", &(email("ana") + &google("g-1")));
    let world = extracted(&[both("a", "g-1", "f-1")], "", &seed);
    let before = world.emulator.user("Old Ana");
    let plan = world.plan_json();
    assert_eq!(plan["actions"], json!({ "link": 1 }), "{plan:#}");
    world.run("apply --yes").exits(0);
    let after = world.emulator.user("Old Ana");
    assert_eq!(identities(&after).len(), 3, "{after:#}");
    assert!(has(&after, "facebook.com", "f-1") && has(&after, "google.com", "g-1"), "{after:#}");
    assert_eq!(after["_password"], before["_password"], "a link never touches the password");
    assert_eq!(after["displayName"], before["displayName"]);
    stands(&world.status(), "profile", &[("linked", 1)]);
    world.run("verify").exits(0);
    let undo = world.run("undo --yes --json").exits(0).json();
    assert_eq!((&undo["unlinked"], &undo["removed"]), (&json!(1), &json!(0)), "{undo:#}");
    assert_eq!(identities(&world.emulator.user("Old Ana")), identities(&before));
}

#[test]
fn an_account_that_shares_only_an_address_is_a_clash_until_the_operator_accepts_it() {
    let world = extracted(&[local("ana"), local("bo")], "", &there("Old Ana", &email("ana")));
    let plan = world.plan();
    assert!(plan.stderr.contains("L4002"), "{}", plan.stderr);
    world.run("apply --yes").exits(0);
    let before = world.emulator.user("Old Ana");
    stands(&world.status(), "profile", &[("clash", 1), ("applied", 1)]);
    world.run("retry --yes").exits(12);
    stands(&world.status(), "profile", &[("clash", 1), ("applied", 1)]);
    let failures = world.run("export failures --output -").exits(0);
    let row: Value = serde_json::from_str(failures.stdout.trim()).unwrap();
    assert_eq!((&row["source_id"], &row["code"]), (&json!("ana"), &json!("L4002")));
    let account = row["account"].as_str().unwrap();
    world.run(&format!("retry --yes --adopt {account}")).exits(0);
    stands(&world.status(), "profile", &[("adopted", 1), ("applied", 1)]);
    assert_eq!(world.emulator.user("Old Ana"), before, "accepting writes nothing");
    world.run("undo --yes").exits(0);
    let left = world.emulator.users();
    assert_eq!(left, [before], "undo removes ours and leaves hers");
}

#[test]
fn accepting_an_account_that_does_not_clash_is_refused() {
    let world = extracted(&[local("ana")], "", &there("Old Ana", &email("ana")));
    world.plan();
    let retry = world.run("retry --yes --adopt p-0000000000").exits(2);
    assert!(retry.stderr.contains("do not clash"), "{}", retry.stderr);
    stands(&world.status(), "profile", &[("clash", 1)]);
}

#[test]
fn a_name_that_belongs_to_one_account_and_a_social_identity_that_belongs_to_another_are_a_clash() {
    let seeds = there("Old Ana", &google("g-1")) + &there("Other", &google("g-2"));
    let person = both("a", "g-1", "f-1").replace("Facebook.com", "Google.com").replace("f-1", "g-2");
    let world = extracted(&[person], "", &seeds);
    let before = world.emulator.users();
    world.plan();
    stands(&world.status(), "profile", &[("clash", 1)]);
    let retry = world.run("retry --yes --adopt").exits(12);
    assert!(retry.stdout.contains("E2105"), "{}", retry.stdout);
    assert_eq!(world.emulator.users(), before);
}

#[test]
fn two_records_of_one_source_with_one_sign_in_name_are_both_held() {
    let twin = local("b").replace("b@example.com", "A@Example.com");
    let world = extracted(&[local("a"), twin, local("c")], "", "");
    let plan = world.plan();
    assert!(plan.stdout.contains("L4001"), "{}", plan.stdout);
    world.run("apply --yes").exits(0);
    stands(&world.status(), "profile", &[("held", 2), ("applied", 1)]);
    assert_eq!(world.emulator.users().len(), 1);
}

#[test]
fn a_second_record_with_the_same_id_is_rejected_and_counted() {
    let again = local("a").replace("a@example.com", "other@example.com");
    let world = World::with_people(&[local("a"), again, local("c")], "", "");
    world.run("extract").exits(12);
    let status = world.status();
    assert_eq!((&status["accounts"], &status["rejected"]), (&json!(2), &json!(1)), "{status:#}");
    stands(&status, "profile", &[("seen", 2)]);
    let rejects = world.run("export rejects --output -").exits(0).stdout;
    assert!(rejects.contains("E3103"), "{rejects}");
}

const SHOP: &str = "[sources.shop]\nconnector = \"json-lines\"\npath = \"shop.jsonl\"\n";

#[test]
fn two_sources_with_the_same_ids_keep_their_people_apart_and_one_person_in_both_is_held() {
    let world = World::with_people(&[local("a"), local("b")], SHOP, "");
    let other = local("a").replace("a@example.com", "shop-a@example.com").replace("Person a", "Shopper a");
    let same = local("z").replace("z@example.com", "b@example.com");
    world.folder.write("shop.jsonl", &format!("{other}\n{same}\n"));
    world.run("extract").exits(0);
    world.plan();
    world.run("apply --yes").exits(0);
    stands(&world.status(), "profile", &[("applied", 2), ("held", 2)]);
    let (one, other) = (world.emulator.user("Person a"), world.emulator.user("Shopper a"));
    assert_ne!(one["mailNickname"], other["mailNickname"], "one id in two sources is two keys");
}

#[test]
fn an_issuer_that_is_not_listed_holds_its_accounts_and_apply_refuses_until_it_is_listed() {
    let people = [local("a"), social("b", "Twitter.com", "t-1")];
    let world = extracted(&people, "", "[[provider]]\nid = \"t\"\nname = \"Twitter\"\ntype = \"twitter.com\"\n");
    let plan = world.run("plan").exits(10);
    assert!(plan.stderr.contains("E5004") && plan.stderr.contains("Twitter.com"), "{}", plan.stderr);
    let apply = world.run("apply --yes").exits(10);
    assert!(apply.stderr.contains("E5004"), "{}", apply.stderr);
    assert_eq!(world.emulator.counter("writes"), 0, "nothing was sent");
    stands(&world.status(), "profile", &[("planned", 1), ("held", 1)]);
    world.reconfigure("[social.issuers]\n", "[social.issuers]\n\"twitter.com\" = \"twitter.com\"\n");
    world.reconfigure("settling_secs = 1\n", "settling_secs = 1\nproviders = [\"google.com\", \"twitter.com\"]\n");
    world.plan();
    world.run("apply --yes").exits(0);
    stands(&world.status(), "profile", &[("applied", 2)]);
    assert!(has(&world.emulator.user("Person b"), "twitter.com", "t-1"));
}

#[test]
fn an_excluded_issuer_leaves_out_who_has_nothing_else_and_costs_the_others_only_that_identity() {
    let mixed = local("c").replace(
        "\"identities\":[",
        "\"identities\":[{\"kind\":\"federated\",\"issuer\":\"Twitter.com\",\"subject\":\"t-2\"},",
    );
    let world = extracted(&[local("a"), social("b", "Twitter.com", "t-1"), mixed], "", "");
    world.run("plan").exits(10);
    world.reconfigure("[social.issuers]", "[social]\nexclude = [\"twitter.com\"]\n[social.issuers]");
    let plan = world.plan();
    assert!(plan.stdout.contains("L4005"), "the lost identity is named: {}", plan.stdout);
    world.run("apply --yes").exits(0);
    stands(&world.status(), "profile", &[("applied", 2), ("excluded", 1)]);
    assert_eq!(identities(&world.emulator.user("Person c")).len(), 1);
}

fn people(number: u32) -> Vec<String> {
    (0..number).map(|at| local(&format!("u{at}"))).collect()
}

#[test]
fn a_ledger_restored_from_before_the_apply_finds_its_accounts_by_key_and_doubles_nobody() {
    let world = extracted(&people(6), "", "");
    world.plan();
    let copy = world.copy_ledger();
    world.run("apply --yes").exits(0);
    let before = world.emulator.users();
    world.roll_back(&copy);
    stands(&world.status(), "profile", &[("planned", 6)]);
    world.run("apply --yes").exits(0);
    let status = world.exactly_once(6);
    stands(&status, "credential", &[("awaiting_sign_in", 6)]);
    assert_eq!(world.emulator.users(), before, "nothing was written over");
    world.run("verify").exits(0);
    let undo = world.run("undo --yes --json").exits(0).json();
    assert_eq!(undo["removed"], 6, "they are ours: {undo:#}");
}

#[test]
fn a_ledger_restored_from_before_the_plan_plans_its_own_accounts_as_made_already() {
    let world = extracted(&people(6), "", "");
    let copy = world.copy_ledger();
    world.plan();
    world.run("apply --yes --limit 4").exits(0);
    let before = world.emulator.counter("creates");
    settle();
    world.roll_back(&copy);
    world.plan();
    world.run("apply --yes").exits(0);
    world.exactly_once(6);
    assert_eq!(world.emulator.counter("creates"), before + 2);
    assert_eq!(world.emulator.counter("conflicts"), 0, "who is there already is not sent again");
}

/// Every account's key by its id at the source.
fn keys(world: &World) -> BTreeMap<String, String> {
    let rows = world.run("export ids --output -").exits(0).stdout;
    let rows = rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.map(|row| (text(&row, "source_id"), text(&row, "key"))).collect()
}

#[test]
fn a_renamed_source_keeps_its_keys_and_a_rename_that_is_not_told_is_refused() {
    let world = extracted(&people(6), "", "");
    world.plan();
    world.run("apply --yes --limit 3").exits(0);
    let before = keys(&world);
    world.reconfigure("[sources.legacy]", "[sources.crm]");
    let extract = world.run("extract");
    assert!(extract.code != 0 && extract.stderr.contains("E1011"), "{} {}", extract.code, extract.stderr);
    assert!(extract.stderr.contains("formerly"), "{}", extract.stderr);
    stands(&world.status(), "profile", &[("applied", 3), ("planned", 3)]);
    world.reconfigure("[sources.crm]\n", "[sources.crm]\nformerly = \"legacy\"\n");
    let extract = world.run("extract --json").exits(0).json();
    assert_eq!((&extract["sources"][0]["same"], &extract["sources"][0]["new"]), (&json!(6), &json!(0)));
    assert_eq!(keys(&world), before);
    world.plan();
    world.run("apply --yes").exits(0);
    world.exactly_once(6);
}

#[test]
fn somebody_who_takes_the_name_between_plan_and_apply_is_a_clash_and_not_overwritten() {
    let world = extracted(&people(5), "", &there("Somebody", &email("else")));
    world.plan();
    let taken = json!({ "identities": [{ "signInType": "emailAddress", "issuer": "contoso.onmicrosoft.com",
        "issuerAssignedId": "u2@example.com" }] });
    world.tamper("Somebody", &taken);
    let before = world.emulator.user("Somebody");
    let apply = world.run("apply --yes").exits(12);
    assert!(apply.stderr.contains("E5010") && apply.stdout.contains("clash"), "{} {}", apply.stdout, apply.stderr);
    stands(&world.status(), "profile", &[("applied", 4), ("clash", 1)]);
    assert_eq!(world.emulator.user("Somebody"), before);
    assert_eq!(world.emulator.users().len(), 5);
    world.run("retry --yes").exits(12);
    stands(&world.status(), "profile", &[("applied", 4), ("clash", 1)]);
}

#[test]
fn somebody_who_links_the_social_identity_between_plan_and_apply_is_compared_and_adopted() {
    let world = extracted(&[social("a", "Google.com", "g-1")], "", &there("Somebody", &email("else")));
    world.plan();
    let taken =
        json!({ "identities": [{ "signInType": "federated", "issuer": "google.com", "issuerAssignedId": "g-1" }] });
    world.tamper("Somebody", &taken);
    world.run("apply --yes").exits(0);
    stands(&world.status(), "profile", &[("adopted", 1)]);
    assert_eq!(world.emulator.users().len(), 1);
}

#[test]
fn identities_that_somebody_else_changed_between_plan_and_link_are_planned_anew_and_kept() {
    let world = extracted(&[both("a", "g-1", "f-1")], "", &there("Old Ana", &google("g-1")));
    world.plan();
    let mut changed = world.emulator.user("Old Ana")["identities"].as_array().unwrap().clone();
    changed.push(json!({ "signInType": "federated", "issuer": "mail", "issuerAssignedId": "ana@example.com" }));
    world.tamper("Old Ana", &json!({ "identities": changed }));
    let apply = world.run("apply --yes").exits(12);
    assert!(apply.stdout.contains("E2106"), "{}", apply.stdout);
    assert!(!has(&world.emulator.user("Old Ana"), "facebook.com", "f-1"), "nothing was sent on old knowledge");
    world.run("retry --yes").exits(0);
    let ana = world.emulator.user("Old Ana");
    assert_eq!(identities(&ana).len(), 3, "what somebody else added stays: {ana:#}");
    stands(&world.status(), "profile", &[("linked", 1)]);
}

#[test]
fn an_account_that_is_adopted_and_whose_address_changes_is_no_difference() {
    let world = extracted(&[social("a", "Google.com", "g-1")], "", &there("Old Ana", &google("g-1")));
    world.plan();
    world.run("apply --yes").exits(0);
    world.tamper("Old Ana", &json!({ "displayName": "Ana anew" }));
    world.run("verify").exits(0);
    assert_eq!(count(&world.status(), "profile", "verified"), 1);
}
