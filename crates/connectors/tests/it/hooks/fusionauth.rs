//! `fusionauth-connector`: the samples of FusionAuth's documentation (jit-hooks.md 7).

use insta::assert_snapshot;
use serde_json::{Value, json};
use sterna_core::hook::Decision;

use super::{
    PASSWORD, ana, answered, checks, decisions, echo, malformed_bodies_are_refused, open,
    other_addresses_are_not_there, post,
};

const KIND: &str = "fusionauth-connector";

fn sample() -> Value {
    json!({
        "applicationId": "10000000-0000-0002-0000-000000000001",
        "loginId": "ana@example.org",
        "password": PASSWORD,
        "noJWT": false,
        "newDevice": false,
        "eventInfo": {"deviceName": "x", "deviceType": "BROWSER", "ipAddress": "203.0.113.7", "userAgent": "x"},
    })
}

#[test]
fn the_documented_request_is_read() {
    let dialect = open(KIND, "");
    let asked = checks("name <ana@example.org>");
    assert_eq!(post(sample().to_string()).told(&*dialect), format!("{asked} from 203.0.113.7"));
    let mut without = sample();
    without["eventInfo"] = json!(null);
    assert_eq!(post(without.to_string()).told(&*dialect), asked);
    malformed_bodies_are_refused(&*dialect, &sample(), &[&["loginId"], &["password"]]);
    other_addresses_are_not_there(&*dialect, &post(sample().to_string()));
}

#[test]
fn a_yes_is_a_user_and_all_else_shows_as_not_found() {
    let dialect = open(KIND, "attributes = { legacyId = 'key' }");
    assert_snapshot!(decisions(&*dialect, ""), @r#"
    accept: 200 {"user":{"active":true,"data":{"legacyId":"4711"},"email":"ana@example.org","firstName":"Ana","fullName":"Ana Pérez","id":"00000000-0000-5000-8000-000000004711","lastName":"Pérez","mobilePhone":"+34600000000","preferredLanguages":["es"],"username":"Ana","verified":true}}
    accept_and_change: 200 {"user":{"active":true,"data":{"legacyId":"4711"},"email":"ana@example.org","firstName":"Ana","fullName":"Ana Pérez","id":"00000000-0000-5000-8000-000000004711","lastName":"Pérez","mobilePhone":"+34600000000","passwordChangeRequired":true,"preferredLanguages":["es"],"username":"Ana","verified":true}}
    wrong: 404
    locked: 404
    disabled: 404
    try_later_outage: 503
    try_later_overloaded: 503
    try_later_limited: 503
    try_later_unsettled: 503
    "#);
    assert!(dialect.hands_over(Decision::AcceptAndChange));
}

#[test]
fn people_are_registered_for_the_application_only_where_the_settings_want_it() {
    let registered = |settings: &str, application: Value| {
        let dialect = open(KIND, settings);
        let mut body = sample();
        body["applicationId"] = application;
        let line = answered(&*dialect, Decision::Accept, &ana(), &echo(&post(body.to_string()), &*dialect));
        let user: Value = serde_json::from_str(&line[4..]).unwrap();
        user["user"]["registrations"].clone()
    };
    let id = json!("10000000-0000-0002-0000-000000000001");
    assert_eq!(registered("register = true", id.clone()), json!([{"applicationId": id, "roles": ["editor"]}]));
    assert_eq!(registered("", id), Value::Null);
    for wrong in [json!(null), json!("x"), json!(1)] {
        assert_eq!(registered("register = true", wrong), Value::Null);
    }
}
