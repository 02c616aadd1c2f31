//! `okta-password-import`: the samples of Okta's reference (jit-hooks.md 2).

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{PASSWORD, checks, decisions, malformed_bodies_are_refused, open, other_addresses_are_not_there, post};

const KIND: &str = "okta-password-import";

/// The request as Okta documents it.
pub(super) fn sample() -> Value {
    json!({
        "eventId": "3o9jBzq1SmOGmmsDsqyyeQ",
        "eventTime": "2026-01-17T21:23:56.000Z",
        "eventType": "com.okta.user.credential.password.import",
        "eventTypeVersion": "1.0",
        "contentType": "application/json",
        "cloudEventVersion": "0.1",
        "source": "https://example.okta.com/api/v1/inlineHooks/cal2xd5phv9fsPLcF0g7",
        "data": {
            "context": {
                "request": {
                    "id": "XiIl6wn7005Rr@fjYqeC7A",
                    "method": "POST",
                    "url": {"value": "/api/v1/authn"},
                    "ipAddress": "203.0.113.7",
                },
                "credential": {"username": "ana@example.org", "password": PASSWORD},
            },
            "action": {"credential": "UNVERIFIED"},
        },
    })
}

fn check(change: impl FnOnce(&mut Value), expected: &str) {
    let mut body = sample();
    change(&mut body);
    assert_eq!(post(body.to_string()).told(&*open(KIND, "")), expected);
}

#[test]
fn the_documented_request_is_read() {
    let asked = checks("name <ana@example.org>");
    check(|_| {}, &format!("{asked} from 203.0.113.7 as 3o9jBzq1SmOGmmsDsqyyeQ"));
    check(
        |body| drop(body.as_object_mut().unwrap().remove("eventId")),
        &format!("{asked} from 203.0.113.7 as XiIl6wn7005Rr@fjYqeC7A"),
    );
    check(|body| body["data"]["context"]["request"] = json!("none"), &format!("{asked} as 3o9jBzq1SmOGmmsDsqyyeQ"));
    check(
        |body| body["data"]["context"]["request"]["ipAddress"] = json!("somewhere"),
        &format!("{asked} as 3o9jBzq1SmOGmmsDsqyyeQ"),
    );
}

#[test]
fn a_credential_counts_only_where_the_schema_has_it() {
    check(
        |body| {
            let credential = body["data"]["context"]["credential"].take();
            body["data"]["credential"] = credential;
        },
        "refuse malformed 400",
    );
    check(|body| body["eventType"] = json!("com.okta.oauth2.tokens.transform"), "refuse malformed 400");
}

#[test]
fn what_is_no_such_request_is_refused() {
    let dialect = open(KIND, "");
    let credential = |member| ["data", "context", "credential", member];
    malformed_bodies_are_refused(&*dialect, &sample(), &[&credential("username"), &credential("password")]);
    other_addresses_are_not_there(&*dialect, &post(sample().to_string()));
}

#[test]
fn every_decision_is_answered_as_documented() {
    assert_snapshot!(decisions(&*open(KIND, ""), ""), @r#"
    accept: 200 {"commands":[{"type":"com.okta.action.update","value":{"credential":"VERIFIED"}}]}
    accept_and_change: 200 {"commands":[{"type":"com.okta.action.update","value":{"credential":"UNVERIFIED"}}]}
    wrong: 200 {"commands":[{"type":"com.okta.action.update","value":{"credential":"UNVERIFIED"}}]}
    locked: 200 {"commands":[{"type":"com.okta.action.update","value":{"credential":"UNVERIFIED"}}]}
    disabled: 200 {"commands":[{"type":"com.okta.action.update","value":{"credential":"UNVERIFIED"}}]}
    try_later_outage: 503
    try_later_overloaded: 503
    try_later_limited: 503
    try_later_unsettled: 503
    "#);
}
