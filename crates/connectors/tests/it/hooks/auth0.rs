//! `auth0-custom-database`: the contract between the two scripts and us (jit-hooks.md 4), and the scripts themselves.

use insta::assert_snapshot;
use serde_json::json;
use sterna_core::hook::{Decision, Found};

use super::{PASSWORD, ana, answered, checks, decisions, found, open, post, said};

const KIND: &str = "auth0-custom-database";

#[test]
fn each_script_has_its_address() {
    let dialect = open(KIND, "");
    let login = json!({"identifier": "ana@example.org", "password": PASSWORD}).to_string();
    let get_user = json!({"email": "ana@example.org"}).to_string();
    assert_eq!(post(login.clone()).path("/login").told(&*dialect), checks("name <ana@example.org>"));
    assert_eq!(post(get_user.clone()).path("/get-user").told(&*dialect), "look up name <ana@example.org>");
    for (path, body) in [("/login", &get_user), ("/get-user", &login)] {
        assert_eq!(post(body.clone()).path(path).told(&*dialect), "refuse malformed 400", "{path}");
    }
    for path in ["", "/", "/login/", "/Login", "/get-user/x", "/create"] {
        assert_eq!(post(login.clone()).path(path).told(&*dialect), "answer 404", "{path}");
    }
    for path in ["/login", "/get-user"] {
        assert_eq!(post(login.clone()).path(path).method("GET").told(&*dialect), "answer 405 allow=POST");
        let stranger = post(login.clone()).path(path).header("authorization", &[]);
        assert_eq!(stranger.told(&*dialect), "refuse unauthenticated 401");
        for wrong in
            ["", "{}", "[]", "null", r#"{"identifier":7,"email":7,"password":"x"}"#, r#"{"identifier":"","email":""}"#]
        {
            assert_eq!(post(wrong).path(path).told(&*dialect), "refuse malformed 400", "{path} {wrong}");
        }
        let form = post(login.clone()).path(path).header("content-type", &["text/plain"]);
        assert_eq!(form.told(&*dialect), "refuse malformed 400");
    }
    let long = json!({"identifier": "ana", "password": "x".repeat(5_000)}).to_string();
    assert_eq!(post(long).path("/login").told(&*dialect), "refuse malformed 400");
}

#[test]
fn a_yes_is_the_profile_and_nobody_learns_who_is_there_by_a_password() {
    let dialect = open(KIND, "mfa_factors = true\nattributes = { plan = 'plan', roles = 'roles' }");
    assert_snapshot!(decisions(&*dialect, ""), @r#"
    accept: 200 {"app_metadata":{"plan":"gold","roles":["editor"]},"email":"ana@example.org","email_verified":true,"family_name":"Pérez","given_name":"Ana","mfa_factors":[{"totp":{"secret":"JBSWY3DPEHPK3PXP"}},{"phone":{"value":"+34600000000"}}],"name":"Ana Pérez","user_id":"00000000-0000-5000-8000-000000004711","username":"Ana"}
    accept_and_change: 200 {"app_metadata":{"must_change_password":true,"plan":"gold","roles":["editor"]},"email":"ana@example.org","email_verified":true,"family_name":"Pérez","given_name":"Ana","mfa_factors":[{"totp":{"secret":"JBSWY3DPEHPK3PXP"}},{"phone":{"value":"+34600000000"}}],"name":"Ana Pérez","user_id":"00000000-0000-5000-8000-000000004711","username":"Ana"}
    wrong: 401
    locked: 423
    disabled: 423
    try_later_outage: 503
    try_later_overloaded: 503
    try_later_limited: 503
    try_later_unsettled: 503
    "#);
}

#[test]
fn both_scripts_get_the_same_profile() {
    let dialect = open(KIND, "attributes = { plan = 'plan' }");
    assert_eq!(answered(&*dialect, Decision::Accept, &ana(), ""), found(&*dialect, &ana(), ""));
    let mut due = ana();
    due.profile.must_change_password = true;
    assert_eq!(answered(&*dialect, Decision::AcceptAndChange, &due, ""), found(&*dialect, &due, ""));
    assert_eq!(said(&dialect.looked_up(&Found::NotThere, "")), "404");
    assert_eq!(said(&dialect.looked_up(&Found::TryLater, "")), "503");
}

#[test]
fn ids_factors_and_changes_are_the_settings() {
    let dialect = open(KIND, "user_id = 'source-key'\nmust_change = 'refuse'");
    let line = answered(&*dialect, Decision::Accept, &ana(), "");
    assert!(line.contains(r#""user_id":"4711""#) && !line.contains("mfa_factors"), "{line}");
    assert!(!found(&*dialect, &ana(), "").contains("JBSWY3DPEHPK3PXP"), "a look-up comes before any password");
    assert_eq!(answered(&*dialect, Decision::AcceptAndChange, &ana(), ""), "423");
    assert!(!dialect.hands_over(Decision::AcceptAndChange) && open(KIND, "").hands_over(Decision::AcceptAndChange));
}
