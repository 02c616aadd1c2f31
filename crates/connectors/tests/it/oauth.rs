//! The check `oauth-password`: what answers mean.

use std::{sync::Arc, time::Duration};

use sterna_connectors::{
    checks::{Guarded, Limits},
    oauth::answer::{Form, Reading, verdict},
};
use sterna_core::{
    legacy::{BreakerRules, LegacyCheck, Outage, Verdict},
    registry::CheckKind,
    settings::Values,
};

use crate::{
    http_check::ask,
    servers::{
        self, Server,
        proxy::{Mode, Proxy},
    },
};

const YES: Verdict = Verdict::Match { upgrade: false };
const UNREACHABLE: Verdict = Verdict::Unavailable(Outage::Unreachable);
const TIMED_OUT: Verdict = Verdict::Unavailable(Outage::TimedOut);
const NOT_UNDERSTOOD: Verdict = Verdict::Unavailable(Outage::NotUnderstood);

fn reading(form: Form) -> Reading {
    Reading { form, second_factor_counts: false, errors: vec![("Account disabled".into(), Verdict::Disabled)] }
}

fn azure(code: u32) -> Verdict {
    let body = format!(r#"{{"error":"invalid_grant","error_description":"AADSTS{code}: x","error_codes":[{code}]}}"#);
    verdict(&reading(Form::AzureDirectory), 400, body.as_bytes())
}

#[test]
fn numbers_of_azure_mean_what_the_table_says() {
    for (codes, expected) in [
        (&[50_126, 50_056, 50_064][..], Verdict::Mismatch),
        (&[50_034], Verdict::Unknown),
        (&[50_055, 50_135], Verdict::MatchButExpired),
        (&[50_053], Verdict::Locked),
        (&[50_057], Verdict::Disabled),
        (&[50_072, 50_074, 50_076, 50_079, 50_158], Verdict::Unavailable(Outage::SecondFactor)),
        (&[50_196], Verdict::Unavailable(Outage::Overloaded)),
        (&[1, 50_000, 90_033], NOT_UNDERSTOOD),
    ] {
        for code in codes {
            assert_eq!(azure(*code), expected, "{code}");
        }
    }
}

#[test]
fn answers_of_any_provider_mean_what_the_standard_says() {
    for (status, body, expected) in [
        (200, r#"{"access_token":"t"}"#, Verdict::Match { upgrade: false }),
        (200, r#"{"id_token":"t"}"#, Verdict::Match { upgrade: false }),
        (200, r#"{"access_token":""}"#, NOT_UNDERSTOOD),
        (200, "{}", NOT_UNDERSTOOD),
        (200, "<html>", NOT_UNDERSTOOD),
        (302, "", NOT_UNDERSTOOD),
        (503, r#"{"error":"invalid_grant"}"#, NOT_UNDERSTOOD),
        (429, "", Verdict::Unavailable(Outage::Overloaded)),
        (400, r#"{"error":"invalid_grant"}"#, Verdict::Mismatch),
        (400, r#"{"error":"invalid_grant","error_description":"Account disabled"}"#, Verdict::Disabled),
        (401, r#"{"error":"invalid_client"}"#, Verdict::Unavailable(Outage::Rejected)),
        (400, r#"{"error":"invalid_scope"}"#, Verdict::Unavailable(Outage::Rejected)),
    ] {
        assert_eq!(verdict(&reading(Form::Oidc), status, body.as_bytes()), expected, "{status} {body}");
    }
}

/// The person that the provider knows, and the password.
const PERSON: (&str, &str) = ("é+&b", "p &%+\"w");

/// A provider that nobody here wrote; nothing where it is not installed.
fn provider() -> Option<Server> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../counterparts/oidc");
    if !folder.join("node_modules").exists() {
        assert!(std::env::var_os("REQUIRE_COUNTERPARTS").is_none_or(|v| v != "1"), "run `make setup`");
        return None;
    }
    let port = servers::free_port();
    let mut node = std::process::Command::new("node");
    node.arg("server.mjs").current_dir(folder).env("PORT", port.to_string()).env("CLIENT_ID", "c");
    node.env("CLIENT_SECRET", "s+&%").env("USERS", serde_json::json!({ PERSON.0: PERSON.1 }).to_string());
    Some(Server::start(&mut node, port, tempfile::tempdir().unwrap()))
}

/// A check that asks at `port`, with this secret.
fn check(port: u16, secret: &str) -> Arc<dyn LegacyCheck> {
    let values = Values::default()
        .with("token_url", format!("http://127.0.0.1:{port}/token").into())
        .with("client_id", "c".into())
        .with("client_secret", serde_json::json!({"env": "X"}));
    let known = std::collections::BTreeMap::from([("X".to_owned(), secret.to_owned())]);
    sterna_connectors::oauth::Kind.open(&values, &crate::entra::world::context(known)).unwrap()
}

#[tokio::test]
async fn a_real_provider_tells_right_from_wrong_and_is_unreachable_when_stopped() {
    let Some(mut server) = provider() else { return };
    let right = check(server.port, "s+&%");
    assert_eq!(ask(&*right, PERSON.0, PERSON.1, 5_000).await, YES);
    assert_eq!(ask(&*right, PERSON.0, "other", 5_000).await, Verdict::Mismatch);
    for secret in ["s", "s ", "s+&%25"] {
        let wrong = check(server.port, secret);
        for password in [PERSON.1, "other"] {
            let verdict = ask(&*wrong, PERSON.0, password, 5_000).await;
            assert_eq!(verdict, Verdict::Unavailable(Outage::Rejected), "{secret}");
        }
    }
    server.signal("STOP");
    assert_eq!(ask(&*right, PERSON.0, "other", 200).await, TIMED_OUT);
    server.signal("CONT");
    server.kill();
    assert_eq!(ask(&*right, PERSON.0, "other", 5_000).await, UNREACHABLE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_breaks_anywhere_is_an_outage() {
    let Some(server) = provider() else { return };
    let proxy = Proxy::start(server.address()).await;
    let check = check(proxy.port, "s+&%");
    assert_eq!(ask(&*check, PERSON.0, PERSON.1, 5_000).await, YES);
    let before = proxy.answered();
    assert_eq!(ask(&*check, PERSON.0, "other", 5_000).await, Verdict::Mismatch);
    let answer = proxy.answered() - before;
    let cuts = (0..answer).step_by(29).chain([1, answer - 1]).map(Mode::CutAnswer);
    for mode in cuts.chain([0, 1, 60, 200].map(Mode::CutRequest)).chain([Mode::Refuse]) {
        proxy.set(mode);
        for password in [PERSON.1, "other"] {
            // an answer to the right password is longer
            assert_eq!(ask(&*check, PERSON.0, password, 5_000).await, UNREACHABLE, "{mode:?} of {answer}");
        }
    }
    proxy.set(Mode::CutAnswer(answer));
    assert_eq!(ask(&*check, PERSON.0, "other", 5_000).await, Verdict::Mismatch, "whole again");
    proxy.set(Mode::Delay(300));
    assert_eq!(ask(&*check, PERSON.0, "other", 150).await, TIMED_OUT);
    proxy.set(Mode::Delay(20));
    assert_eq!(ask(&*check, PERSON.0, PERSON.1, 5_000).await, YES);
    assert_eq!(ask(&*check, PERSON.0, "other", 5_000).await, Verdict::Mismatch);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_comes_and_goes_gives_no_wrong_verdict_and_the_breaker_opens_and_closes() {
    let Some(server) = provider() else { return };
    let proxy = Proxy::start(server.address()).await;
    let bare = check(proxy.port, "s+&%");
    for round in 0..60_u64 {
        // ends what is under way at another moment each time
        let flap = async {
            tokio::time::sleep(Duration::from_micros(round * 150)).await;
            proxy.set(Mode::Refuse);
            tokio::time::sleep(Duration::from_millis(2)).await;
            proxy.set(Mode::Pass);
        };
        let asked = async { (ask(&*bare, PERSON.0, PERSON.1, 2_000).await, ask(&*bare, PERSON.0, "x", 2_000).await) };
        let ((right, wrong), ()) = tokio::join!(asked, flap);
        assert!([YES, UNREACHABLE, TIMED_OUT].contains(&right), "{round}: {right:?}");
        assert!([Verdict::Mismatch, UNREACHABLE, TIMED_OUT].contains(&wrong), "{round}: {wrong:?}");
    }
    let rest = Duration::from_millis(200);
    let breaker = BreakerRules { failures: 2, rest, longest: rest };
    let limits = Limits { timeout: Duration::from_secs(2), concurrent: 4, waiting: 4, breaker, ..Limits::default() };
    let guarded = Guarded::new(bare, limits);
    assert_eq!(ask(&guarded, PERSON.0, "other", 5_000).await, Verdict::Mismatch);
    proxy.set(Mode::CutAnswer(40));
    for expected in [UNREACHABLE, UNREACHABLE, Verdict::Unavailable(Outage::Resting)] {
        assert_eq!(ask(&guarded, PERSON.0, "other", 5_000).await, expected);
    }
    assert!(guarded.is_resting());
    proxy.set(Mode::Pass);
    assert_eq!(ask(&guarded, PERSON.0, PERSON.1, 5_000).await, Verdict::Unavailable(Outage::Resting));
    tokio::time::sleep(rest + Duration::from_millis(50)).await;
    assert_eq!(ask(&guarded, PERSON.0, PERSON.1, 5_000).await, YES);
    assert!(!guarded.is_resting());
    assert_eq!(ask(&guarded, PERSON.0, "other", 5_000).await, Verdict::Mismatch);
}
