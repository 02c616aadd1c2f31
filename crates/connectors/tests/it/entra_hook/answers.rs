//! Every decision has its answer, and what is no question is answered at once.

use std::time::Duration;

use serde_json::{Value, json};
use sterna_core::hook::{Bar, Decision, Found, HookAnswer, HookDialect, Next, Refusal, Reply, Wait};

use super::{NONCE, Request, SAMPLES, hook};

const WAITS: [Wait; 4] = [Wait::Outage, Wait::Overloaded, Wait::Limited, Wait::Unsettled];

fn answer(hook: &dyn HookDialect, decision: Decision) -> HookAnswer {
    hook.answer(&Reply { decision, echo: NONCE, person: None })
}

fn read(answer: &HookAnswer) -> Value {
    assert_eq!((answer.status, answer.content_type), (200, Some("application/json")));
    serde_json::from_slice(&answer.body).unwrap()
}

fn block(title: &str, message: &str) -> Value {
    let mut answer = SAMPLES["responses"]["Block"].clone();
    answer["data"]["actions"][0]["title"] = title.into();
    answer["data"]["actions"][0]["message"] = message.into();
    answer
}

#[test]
fn every_decision_has_its_action_and_the_nonce() {
    let hook = hook("");
    for (decision, name) in [
        (Decision::Accept, "MigratePassword"),
        (Decision::AcceptAndChange, "UpdatePassword"),
        (Decision::Wrong, "Retry"),
    ] {
        assert_eq!(read(&answer(&*hook, decision)), SAMPLES["responses"][name], "{decision:?}");
    }
    for bar in [Bar::Locked, Bar::Disabled] {
        let text = "This account cannot be used to sign in. Please contact support.";
        assert_eq!(read(&answer(&*hook, Decision::Refuse(bar))), block("Sign-in is not possible", text));
    }
    for wait in WAITS {
        let text = "Sign-in is not available for your account right now. Please try again in a few minutes.";
        assert_eq!(read(&answer(&*hook, Decision::TryLater(wait))), block("Please try again later", text));
    }
}

#[test]
fn the_texts_are_those_of_the_settings() {
    let hook = hook(
        "blocked_title = \"Gesperrt\"\nblocked_message = \"Ruf an \\\"uns\\\"\"\nlater_title = \"Sp\u{e4}ter\"\nlater_message = \"<b>\"",
    );
    assert_eq!(read(&answer(&*hook, Decision::Refuse(Bar::Locked))), block("Gesperrt", "Ruf an \"uns\""));
    assert_eq!(read(&answer(&*hook, Decision::TryLater(Wait::Outage))), block("Sp\u{e4}ter", "<b>"));
}

#[test]
fn an_outage_is_a_503_where_the_settings_say_so_and_nothing_else_is() {
    let hook = hook("outage_answer = \"status-503\"");
    for wait in WAITS {
        assert_eq!(answer(&*hook, Decision::TryLater(wait)), HookAnswer::empty(503));
    }
    for decision in [Decision::Accept, Decision::AcceptAndChange, Decision::Wrong, Decision::Refuse(Bar::Disabled)] {
        assert_eq!(answer(&*hook, decision).status, 200, "{decision:?}");
    }
    assert_eq!(hook.overloaded(), HookAnswer::empty(503));
}

#[test]
fn any_nonce_comes_back_as_it_was() {
    let hook = hook("");
    for nonce in ["a", "\u{1f600} \"\\\n\u{0}", &"x".repeat(9_000)] {
        let answer = hook.answer(&Reply { decision: Decision::Wrong, echo: nonce, person: None });
        assert_eq!(read(&answer)["data"]["nonce"], nonce);
    }
}

#[test]
fn only_a_yes_hands_the_password_over() {
    let hook = hook("");
    assert!(hook.hands_over(Decision::Accept) && !hook.hands_over(Decision::AcceptAndChange));
    assert!(!hook.writes_credential(), "Entra writes it and clears the flag");
    assert_eq!((hook.limits().body_bytes, hook.limits().deadline), (64 * 1024, Duration::from_millis(800)));
}

#[test]
fn a_get_is_a_health_check_and_other_methods_and_addresses_are_not_there() {
    let hook = hook("");
    let at = |method, path| {
        let nobody = Request { method, path, authorization: Vec::new(), ..Request::post(&json!({})) };
        let Next::Answer(answer) = nobody.next(&*hook) else { panic!("{method} {path}") };
        answer
    };
    for path in ["", "/"] {
        assert_eq!((at("GET", path), at("HEAD", path)), (HookAnswer::empty(200), HookAnswer::empty(200)));
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "post"] {
            assert_eq!(at(method, path), HookAnswer::empty(405).with("allow", "GET, POST"));
        }
    }
    for path in ["/x", "//", "/%2F", "/health"] {
        for method in ["GET", "POST", "PUT"] {
            assert_eq!(at(method, path), HookAnswer::empty(404), "{method} {path}");
        }
    }
}

#[test]
fn calls_that_this_event_does_not_have_are_not_there() {
    let hook = hook("");
    assert_eq!(hook.begun("c"), HookAnswer::empty(404));
    assert_eq!(hook.looked_up(&Found::NotThere, ""), HookAnswer::empty(404));
    assert_eq!(hook.refused(Refusal::Replayed), HookAnswer::empty(401));
}
