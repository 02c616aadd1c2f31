//! `cognito-user-migration`: the events of Cognito's documentation (jit-hooks.md 3), and the Lambda service's own form.

use insta::assert_snapshot;
use serde_json::{Value, json};
use sterna_core::hook::{Decision, Found, Wait};

use super::{
    Ask, PASSWORD, ana, answered, checks, decisions, echo, found, malformed_bodies_are_refused, open,
    other_addresses_are_not_there, post, said,
};

const KIND: &str = "cognito-user-migration";
const INVOCATIONS: &str = "/2015-03-31/functions/mig/invocations";
const LAMBDA: &str = "lambda_emulation = true";

/// The event of a sign-in as Cognito documents it.
pub(super) fn sample() -> Value {
    json!({
        "version": "1",
        "triggerSource": "UserMigration_Authentication",
        "region": "eu-west-1",
        "userPoolId": "eu-west-1_AbCdEf",
        "userName": "ana@example.org",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "1example"},
        "request": {"password": PASSWORD, "validationData": null, "clientMetadata": {}},
        "response": {
            "userAttributes": null, "forceAliasCreation": null, "finalUserStatus": null,
            "messageAction": null, "desiredDeliveryMediums": null, "enableSMSMFA": null,
        },
    })
}

fn forgot() -> Value {
    let mut event = sample();
    event["triggerSource"] = json!("UserMigration_ForgotPassword");
    event["request"].as_object_mut().unwrap().remove("password");
    event
}

/// What emulators send: no content type that says anything, no proof of ours.
fn invoke(event: &Value) -> Ask {
    post(event.to_string())
        .path(INVOCATIONS)
        .header("authorization", &["AWS4-HMAC-SHA256 Credential=local"])
        .header("content-type", &[])
}

#[test]
fn a_sign_in_is_a_check_and_a_forgotten_password_a_look_up() {
    let dialect = open(KIND, "");
    assert_eq!(post(sample().to_string()).told(&*dialect), checks("name <ana@example.org>"));
    assert_eq!(post(forgot().to_string()).told(&*dialect), "look up name <ana@example.org>");
    let mut other = sample();
    for trigger in [json!("PreSignUp_SignUp"), json!(""), json!(null), json!(1)] {
        other["triggerSource"] = trigger;
        assert_eq!(post(other.to_string()).told(&*dialect), "refuse malformed 400");
    }
    malformed_bodies_are_refused(&*dialect, &sample(), &[&["userName"], &["request", "password"], &["request"]]);
    other_addresses_are_not_there(&*dialect, &post(sample().to_string()));
}

#[test]
fn a_yes_is_the_response_of_the_event_and_no_reason_leaves_the_service() {
    let dialect = open(
        KIND,
        "attributes = { 'custom:legacy_id' = 'key', locale = 'preferred_language', 'custom:roles' = 'roles', zoneinfo = 'zone' }",
    );
    assert_snapshot!(decisions(&*dialect, &echo(&post(sample().to_string()), &*dialect)), @r#"
    accept: 200 {"desiredDeliveryMediums":["EMAIL"],"finalUserStatus":"CONFIRMED","forceAliasCreation":false,"messageAction":"SUPPRESS","userAttributes":{"custom:legacy_id":"4711","custom:roles":"editor","email":"ana@example.org","email_verified":"true","family_name":"Pérez","given_name":"Ana","locale":"es","phone_number":"+34600000000","phone_number_verified":"false"}}
    accept_and_change: 200 {"desiredDeliveryMediums":["EMAIL"],"finalUserStatus":"RESET_REQUIRED","forceAliasCreation":false,"messageAction":"SUPPRESS","userAttributes":{"custom:legacy_id":"4711","custom:roles":"editor","email":"ana@example.org","email_verified":"true","family_name":"Pérez","given_name":"Ana","locale":"es","phone_number":"+34600000000","phone_number_verified":"false"}}
    wrong: 401
    locked: 401
    disabled: 401
    try_later_outage: 503
    try_later_overloaded: 503
    try_later_limited: 503
    try_later_unsettled: 503
    "#);
    assert!(dialect.hands_over(Decision::AcceptAndChange) && dialect.hands_over(Decision::Accept));
    assert!(!dialect.hands_over(Decision::Wrong));
}

#[test]
fn every_value_of_an_attribute_is_a_text() {
    let dialect = open(KIND, "attributes = { 'custom:a' = 'active', 'custom:b' = 'app', 'custom:c' = 'count' }");
    let mut account = ana();
    account.profile.active = Some(true);
    account.profile.attributes.insert("app".into(), json!({"a": [1, 2]}));
    account.profile.attributes.insert("count".into(), json!(7));
    let line = answered(&*dialect, Decision::Accept, &account, "");
    let response: Value = serde_json::from_str(&line[4..]).unwrap();
    let attributes = response["userAttributes"].as_object().unwrap();
    assert!(attributes.values().all(Value::is_string), "{attributes:?}");
    assert_eq!(attributes["custom:b"], r#"{"a":[1,2]}"#);
}

#[test]
fn a_user_name_is_given_only_where_an_alias_of_it_was_typed() {
    let dialect = open(KIND, "username = 'user_name'");
    let check = |typed: &str, expected: Option<&str>| {
        let mut event = sample();
        event["userName"] = json!(typed);
        let line = answered(&*dialect, Decision::Accept, &ana(), &echo(&post(event.to_string()), &*dialect));
        let response: Value = serde_json::from_str(&line[4..]).unwrap();
        assert_eq!(response["userAttributes"]["username"].as_str(), expected, "{typed}");
    };
    check("ANA@example.org", Some("Ana"));
    check("+34600000000", Some("Ana"));
    check("ana", None);
    check("other@example.org", None);
}

#[test]
fn a_look_up_gives_only_people_whom_a_code_can_be_sent_to() {
    let dialect = open(KIND, "");
    assert_snapshot!(found(&*dialect, &ana(), ""), @r#"200 {"desiredDeliveryMediums":["EMAIL"],"finalUserStatus":"RESET_REQUIRED","forceAliasCreation":false,"messageAction":"SUPPRESS","userAttributes":{"email":"ana@example.org","email_verified":"true","family_name":"Pérez","given_name":"Ana","phone_number":"+34600000000","phone_number_verified":"false"}}"#);
    let mut unverified = ana();
    unverified.profile.emails[0].verified = None;
    assert_eq!(found(&*dialect, &unverified, ""), "404");
    assert!(found(&*open(KIND, "assume_verified = true"), &unverified, "").starts_with("200 "));
    unverified.profile.phones[0].verified = Some(true);
    assert!(found(&*dialect, &unverified, "").starts_with("200 "));
    assert_eq!(said(&dialect.looked_up(&Found::NotThere, "")), "404");
    assert_eq!(said(&dialect.looked_up(&Found::TryLater, "")), "503");
}

#[test]
fn a_function_can_be_invoked_only_from_this_machine_and_only_where_the_settings_want_it() {
    let emulation = open(KIND, LAMBDA);
    for here in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(invoke(&sample()).from(here).told(&*emulation), checks("name <ana@example.org>"));
        assert_eq!(invoke(&sample()).from(here).told(&*open(KIND, "")), "refuse unauthenticated 401");
    }
    let refused = |ask: Ask| assert_eq!(ask.told(&*emulation), "refuse unauthenticated 401");
    // whose address nobody knows is not on this machine
    assert_eq!(invoke(&sample()).peer.address, None);
    refused(invoke(&sample()));
    for elsewhere in ["192.0.2.1", "10.0.0.1", "0.0.0.0", "::", "2001:db8::1"] {
        refused(invoke(&sample()).from(elsewhere));
    }
    for path in [
        "",
        "/",
        "/2015-03-31/functions/mig",
        "/2015-03-31/functions//invocations",
        "/2015-03-31/functions/a/b/invocations",
    ] {
        refused(invoke(&sample()).from("127.0.0.1").path(path));
    }
    refused(invoke(&sample()).from("127.0.0.1").method("GET"));
    refused(invoke(&sample()).from("127.0.0.1").header("origin", &["https://example.com"]));
    refused(invoke(&sample()).from("127.0.0.1").header("origin", &["null", "null"]));
    // somebody with a proof is not let in by that way either
    let known = post(sample().to_string()).path(INVOCATIONS);
    assert_eq!(known.clone().from("192.0.2.1").told(&*emulation), "answer 404");
    assert_eq!(known.told(&*open(KIND, "")), "answer 404");
    assert_eq!(invoke(&json!({"userName": "ana"})).from("127.0.0.1").told(&*emulation), "refuse malformed 400");
}

#[test]
fn an_invoked_function_returns_the_event_or_throws() {
    let dialect = open(KIND, LAMBDA);
    let echoed = echo(&invoke(&sample()).from("::1"), &*dialect);
    let line = |decision| answered(&*dialect, decision, &ana(), &echoed);
    let lines = [line(Decision::Accept), line(Decision::Wrong), line(Decision::TryLater(Wait::Outage))];
    assert_snapshot!(lines.join("\n"), @r#"
    200 {"callerContext":{"awsSdkVersion":"aws-sdk-unknown-unknown","clientId":"1example"},"region":"eu-west-1","response":{"desiredDeliveryMediums":["EMAIL"],"finalUserStatus":"CONFIRMED","forceAliasCreation":false,"messageAction":"SUPPRESS","userAttributes":{"email":"ana@example.org","email_verified":"true","family_name":"Pérez","given_name":"Ana","phone_number":"+34600000000","phone_number_verified":"false"}},"triggerSource":"UserMigration_Authentication","userName":"ana@example.org","userPoolId":"eu-west-1_AbCdEf","version":"1"}
    200 x-amz-function-error=Unhandled {"errorMessage":"Bad credentials","errorType":"Error"}
    200 x-amz-function-error=Unhandled {"errorMessage":"Try again","errorType":"Error"}
    "#);
    let echoed = echo(&invoke(&forgot()).from("::1"), &*dialect);
    assert!(found(&*dialect, &ana(), &echoed).contains(r#""triggerSource":"UserMigration_ForgotPassword""#));
    assert_eq!(said(&dialect.looked_up(&Found::NotThere, &echoed)), lines[1]);
}
