//! `legacy-sign-in`: applications on the old system hand over passwords.

use insta::assert_snapshot;
use serde_json::{Value, json};
use sterna_core::hook::Harvested;

use super::{PASSWORD, malformed_bodies_are_refused, open, other_addresses_are_not_there, post, said};

const KIND: &str = "legacy-sign-in";
/// A moment before the calls.
const ACCEPTED: &str = "2026-01-17T21:23:56Z";

fn sample() -> Value {
    json!({"user_name": "ana", "password": PASSWORD, "accepted_at": ACCEPTED})
}

#[expect(clippy::needless_pass_by_value, reason = "a table of literals")]
fn check(settings: &str, body: Value, expected: &str) {
    assert_eq!(post(body.to_string()).told(&*open(KIND, settings)), expected, "{body}");
}

#[test]
fn somebody_is_named_by_one_of_two_names() {
    let harvests = |who: &str| format!("harvest {who} <{PASSWORD}>");
    check("", sample(), &harvests("name <ana>"));
    let by = |who: Value| {
        let mut body = sample();
        body.as_object_mut().unwrap().remove("user_name");
        body.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
        body
    };
    check("", by(json!({"source_key": "4711"})), &harvests("source key <4711>"));
    for neither in
        [json!({"user_name": "ana", "source_key": "4711"}), json!({"user_name": ""}), json!({"source_key": 4711})]
    {
        check("", by(neither), "refuse malformed 400");
    }
    let dialect = open(KIND, "");
    malformed_bodies_are_refused(&*dialect, &sample(), &[&["user_name"], &["password"], &["accepted_at"]]);
    other_addresses_are_not_there(&*dialect, &post(sample().to_string()));
}

#[test]
fn a_password_that_was_accepted_long_ago_is_not_taken() {
    let accepted = |at: &str| json!({"user_name": "ana", "password": PASSWORD, "accepted_at": at});
    let (taken, too_old) = (format!("harvest name <ana> <{PASSWORD}>"), r#"refuse expired 409 {"status":"too_old"}"#);
    check("", accepted("2026-01-17T21:23:59.5Z"), &taken);
    check("", accepted("2026-01-17T22:15:00+01:00"), &taken);
    check("", accepted("2026-01-17T21:13:59Z"), too_old);
    check("", accepted("2026-01-17T21:28:00Z"), &taken);
    check("", accepted("2026-01-17T21:30:00Z"), "refuse malformed 400");
    check("", json!({"user_name": "ana", "password": PASSWORD}), "refuse malformed 400");
    check("max_age_secs = 60", accepted("2026-01-17T21:22:00Z"), too_old);
    check("", accepted("yesterday"), "refuse malformed 400");
    check("", json!({"user_name": "ana", "password": PASSWORD, "accepted_at": 1}), "refuse malformed 400");
}

#[test]
fn every_outcome_has_its_status() {
    use Harvested::{AlreadyMoved, NotThere, Stored, TooWeak, TryLater};
    let dialect = open(KIND, "");
    let lines = [Stored, AlreadyMoved, NotThere, TooWeak, TryLater].map(|outcome| said(&dialect.harvested(outcome)));
    assert_snapshot!(lines.join("\n"), @r#"
    200 {"status":"stored"}
    200 {"status":"already_moved"}
    404 {"status":"not_there"}
    422 {"status":"too_weak"}
    503 retry-after=30 {"status":"try_later"}
    "#);
    assert_eq!(said(&dialect.overloaded()), lines[4]);
    assert!(dialect.writes_credential());
}
