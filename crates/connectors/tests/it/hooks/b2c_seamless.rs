//! `b2c-seamless`: the contracts of the published samples (jit-hooks.md 9, entra.md 8).

use insta::assert_snapshot;
use serde_json::{Value, json};
use sterna_core::hook::{Decision, Found};

use super::{
    PASSWORD, ana, answered, checks, decisions, found, malformed_bodies_are_refused, open,
    other_addresses_are_not_there, post, said,
};

const KIND: &str = "b2c-seamless";

#[expect(clippy::needless_pass_by_value, reason = "a table of literals")]
fn check(settings: &str, body: Value, expected: &str) {
    assert_eq!(post(body.to_string()).told(&*open(KIND, settings)), expected, "{settings} {body}");
}

#[test]
fn the_requests_of_the_samples_are_read() {
    let by_mail = checks("name <ana@example.org>");
    check("", json!({"email": "ana@example.org", "password": PASSWORD}), &by_mail);
    check("", json!({"email": "ana@example.org", "password": PASSWORD, "mobile": "1"}), &by_mail);
    check("", json!({"signInName": "ana", "email": "ana@example.org", "password": PASSWORD}), &checks("name <ana>"));
    check("", json!({"signInName": "", "email": "ana@example.org", "password": PASSWORD}), &by_mail);
    let with_id = json!({"objectId": "7c0e", "signInName": "ana", "password": PASSWORD});
    check("", with_id, &checks("target id <7c0e>"));
}

#[test]
fn an_object_id_that_cannot_be_used_is_never_replaced_by_the_name() {
    for id in [json!(""), json!(null), json!(7), json!(["7c0e"]), json!({}), json!("x".repeat(10_000))] {
        check("", json!({"objectId": id, "signInName": "ana", "password": PASSWORD}), "refuse malformed 400");
        let reset = json!({"objectId": id, "signInName": "ana", "useInputPassword": true});
        check("answer = 'jit-v2'", reset, "refuse malformed 400");
    }
}

#[test]
fn the_object_id_can_be_demanded() {
    let settings = "require_object_id = true";
    check(settings, json!({"signInName": "ana", "password": PASSWORD}), "refuse malformed 400");
    check(settings, json!({"objectId": "7c0e", "password": PASSWORD}), &checks("target id <7c0e>"));
}

#[test]
fn claims_are_called_what_the_policy_calls_them() {
    let settings = "login_claim = 'user'\npassword_claim = 'secret'\nobject_id_claim = 'oid'";
    check(settings, json!({"user": "ana", "secret": PASSWORD}), &checks("name <ana>"));
    check(settings, json!({"oid": "7c0e", "user": "ana", "secret": PASSWORD}), &checks("target id <7c0e>"));
    check(settings, json!({"signInName": "ana", "secret": PASSWORD}), "refuse malformed 400");
    check(settings, json!({"user": "ana", "password": PASSWORD}), "refuse malformed 400");
    check("login_claim = 'email'", json!({"signInName": "ana", "password": PASSWORD}), "refuse malformed 400");
}

#[test]
fn what_is_no_such_request_is_refused() {
    let dialect = open(KIND, "");
    let sample = json!({"signInName": "ana", "password": PASSWORD});
    malformed_bodies_are_refused(&*dialect, &sample, &[&["signInName"], &["password"]]);
    other_addresses_are_not_there(&*dialect, &post(sample.to_string()));
}

#[test]
fn every_decision_is_answered_as_the_seamless_sample_does() {
    assert_snapshot!(decisions(&*open(KIND, ""), ""), @r#"
    accept: 200 {"migrationRequired":false,"tokenSuccess":true}
    accept_and_change: 409 {"status":409,"userMessage":"Your password has to be changed. Select 'Forgot your password?'.","version":"1.0.0"}
    wrong: 409 {"status":409,"userMessage":"Your password is incorrect.","version":"1.0.0"}
    locked: 409 {"status":409,"userMessage":"Your account is temporarily locked. Try again later.","version":"1.0.0"}
    disabled: 409 {"status":409,"userMessage":"Your account is disabled.","version":"1.0.0"}
    try_later_outage: 409 {"status":409,"userMessage":"We cannot sign you in right now. Try again later.","version":"1.0.0"}
    try_later_overloaded: 409 {"status":409,"userMessage":"We cannot sign you in right now. Try again later.","version":"1.0.0"}
    try_later_limited: 409 {"status":409,"userMessage":"We cannot sign you in right now. Try again later.","version":"1.0.0"}
    try_later_unsettled: 409 {"status":409,"userMessage":"We cannot sign you in right now. Try again later.","version":"1.0.0"}
    "#);
}

#[test]
fn texts_and_the_claim_about_a_change_are_the_settings() {
    let settings = "must_change_claim = 'mustChange'\nwhile_unavailable = 'error'\nwrong_text = 'no'\nlocked_text = 'locked'\ndisabled_text = 'off'";
    assert_snapshot!(decisions(&*open(KIND, settings), ""), @r#"
    accept: 200 {"migrationRequired":false,"mustChange":false,"tokenSuccess":true}
    accept_and_change: 200 {"migrationRequired":false,"mustChange":true,"tokenSuccess":true}
    wrong: 409 {"status":409,"userMessage":"no","version":"1.0.0"}
    locked: 409 {"status":409,"userMessage":"locked","version":"1.0.0"}
    disabled: 409 {"status":409,"userMessage":"off","version":"1.0.0"}
    try_later_outage: 503
    try_later_overloaded: 503
    try_later_limited: 503
    try_later_unsettled: 503
    "#);
}

#[test]
fn in_the_form_of_jit_migration_v2_the_directory_judges_what_is_not_to_be_moved() {
    let dialect = open(KIND, "answer = 'jit-v2'");
    assert_snapshot!(decisions(&*dialect, ""), @r#"
    accept: 200 {"displayName":"Ana Pérez","email":"ana@example.org","givenName":"Ana","needToMigrate":"local","status":200,"surName":"Pérez","userMessage":"","version":"1.0.0"}
    accept_and_change: 409 {"status":409,"userMessage":"Your password has to be changed. Select 'Forgot your password?'.","version":"1.0.0"}
    wrong: 200 {"needToMigrate":null,"status":200,"userMessage":"","version":"1.0.0"}
    locked: 409 {"status":409,"userMessage":"Your account is temporarily locked. Try again later.","version":"1.0.0"}
    disabled: 409 {"status":409,"userMessage":"Your account is disabled.","version":"1.0.0"}
    try_later_outage: 409 {"status":409,"userMessage":"We cannot sign you in right now. Try again later.","version":"1.0.0"}
    try_later_overloaded: 409 {"status":409,"userMessage":"We cannot sign you in right now. Try again later.","version":"1.0.0"}
    try_later_limited: 409 {"status":409,"userMessage":"We cannot sign you in right now. Try again later.","version":"1.0.0"}
    try_later_unsettled: 409 {"status":409,"userMessage":"We cannot sign you in right now. Try again later.","version":"1.0.0"}
    "#);
    assert!(!answered(&*dialect, Decision::Wrong, &ana(), "").contains("local"));
}

#[test]
fn a_reset_in_the_form_of_jit_migration_v2_is_a_look_up() {
    let reset = |flag: Value| json!({"signInName": "ana", "useInputPassword": flag});
    for flag in [json!(true), json!("true"), json!("True")] {
        check("answer = 'jit-v2'", reset(flag), "look up name <ana>");
    }
    for flag in [json!(false), json!("False"), json!("yes"), json!(1), json!(null)] {
        check("answer = 'jit-v2'", reset(flag), "refuse malformed 400");
    }
    check("", reset(json!(true)), "refuse malformed 400");
    let with_password = json!({"signInName": "ana", "password": PASSWORD, "useInputPassword": false});
    check("answer = 'jit-v2'", with_password, &checks("name <ana>"));
    let dialect = open(KIND, "answer = 'jit-v2'");
    let lines = [
        found(&*dialect, &ana(), ""),
        said(&dialect.looked_up(&Found::NotThere, "")),
        said(&dialect.looked_up(&Found::TryLater, "")),
    ];
    assert_snapshot!(lines.join("\n"), @r#"
    200 {"displayName":"Ana Pérez","email":"ana@example.org","givenName":"Ana","needToMigrate":"local","status":200,"surName":"Pérez","userMessage":"","version":"1.0.0"}
    200 {"needToMigrate":null,"status":200,"userMessage":"","version":"1.0.0"}
    409 {"status":409,"userMessage":"We cannot sign you in right now. Try again later.","version":"1.0.0"}
    "#);
}

#[test]
fn the_service_writes_only_where_the_settings_say_so() {
    assert!(!open(KIND, "").writes_credential());
    assert!(!open(KIND, "writes = 'policy'").writes_credential());
    assert!(open(KIND, "writes = 'service'").writes_credential());
}
