//! `kratos-password-migration`: the contract of Kratos' source (jit-hooks.md 6).

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{PASSWORD, checks, decisions, malformed_bodies_are_refused, open, other_addresses_are_not_there, post};

const KIND: &str = "kratos-password-migration";

fn sample() -> Value {
    json!({"identifier": "ana@example.org", "password": PASSWORD})
}

#[test]
fn the_default_body_is_read() {
    let dialect = open(KIND, "");
    assert_eq!(post(sample().to_string()).told(&*dialect), checks("name <ana@example.org>"));
    malformed_bodies_are_refused(&*dialect, &sample(), &[&["identifier"], &["password"]]);
    other_addresses_are_not_there(&*dialect, &post(sample().to_string()));
}

#[test]
fn an_outage_is_an_error_that_kratos_does_not_repeat() {
    assert_snapshot!(decisions(&*open(KIND, ""), ""), @r#"
    accept: 200 {"status":"password_match"}
    accept_and_change: 403
    wrong: 403
    locked: 403
    disabled: 403
    try_later_outage: 501
    try_later_overloaded: 501
    try_later_limited: 501
    try_later_unsettled: 501
    "#);
}
