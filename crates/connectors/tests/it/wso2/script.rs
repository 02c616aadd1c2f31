//! The script, run by node in a stand-in of the product's engine (`counterparts/wso2-script/run.mjs`).

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use sterna_connectors::wso2::script::{
    Auth, Flow, LoginNames, MIGRATED_CLAIM, Mistake, OnFailure, Options, PasswordRules, Product,
};

use crate::servers;

const URL: &str = "https://sterna.example.com/hooks/wso2";
const PASSWORD: &str = "old \"p\u{e4}ss\\word";

/// Identity Server with a bearer token and the published flow.
fn options() -> Options {
    Options {
        product: Product::IdentityServer,
        url: URL.into(),
        poll_url: None,
        auth: Auth::Bearer { token: "hookToken".into() },
        store: None,
        claim: MIGRATED_CLAIM.into(),
        names: LoginNames::Several,
        rules: PasswordRules::Skipped,
        flow: Flow::Wait { secs: 10, poll_secs: 2, on_failure: OnFailure::ToScript },
    }
}

/// Ana, who is there with a random password, and types her e-mail address and old one.
fn world(answers: &Value) -> Value {
    json!({
        "users": [{"name": "PRIMARY/ana", "id": "4f1c", "password": "random", "claims": {}}],
        "aliases": {"ana@example.org": "ana"},
        "typed": {"username": "ana@example.org", "password": PASSWORD},
        "secrets": ["hookToken"],
        "answers": answers,
        "page": "complete",
    })
}

fn received() -> Value {
    json!({"message": "Received", "contextId": "c-1"})
}

fn success() -> Value {
    json!({"status": "SUCCESS", "message": "Authenticated successful"})
}

fn fail(message: &str) -> Value {
    json!({"status": "FAIL", "message": message})
}

/// What happened.
struct Run(Value);

impl Run {
    /// Every event of a kind, without its name.
    fn all(&self, kind: &str) -> Vec<Value> {
        let events = self.0["trace"].as_array().unwrap().iter().map(|event| event.as_array().unwrap());
        events.filter(|event| event[0] == kind).map(|event| Value::from(&event[1..])).collect()
    }

    fn errors(&self) -> Vec<String> {
        self.all("error").iter().map(|event| event[1].as_str().unwrap().to_owned()).collect()
    }

    /// Whether the last step 1 was right and nothing followed it.
    fn is_signed_in(&self) -> bool {
        self.errors().is_empty() && self.all("step").last().is_some_and(|step| step[1] == "right")
    }

    fn migrated(&self) -> &Value {
        &self.0["users"][0]["claims"][MIGRATED_CLAIM]
    }
}

/// Runs the script in the world; nothing where node is missing.
fn run(options: &Options, world: &Value) -> Option<Run> {
    let node = servers::program(&["node"])?;
    let script = options.script().unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../counterparts/wso2-script");
    let mut command = Command::new(node);
    command.arg("run.mjs").current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let input = json!({"script": script, "world": world}).to_string();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let run = Run(serde_json::from_slice(&output.stdout).unwrap());
    assert_eq!(run.0["ended"], "done", "{:#}\n{script}", run.0);
    assert_eq!(run.all("unhandled"), [] as [Value; 0], "{:#}", run.0);
    let logs = run.all("log");
    assert!(logs.iter().all(|log| !log.to_string().contains("ana") && !log.to_string().contains("old")), "{logs:?}");
    Some(run)
}

#[test]
fn an_old_password_is_asked_about_stored_and_signed_in_with() {
    let Some(run) = run(&options(), &world(&json!([received(), success()]))) else { return };
    let auth = json!({"type": "bearer", "token": "value of hookToken"});
    let start = json!({"id": "4f1c", "username": "ana", "password": PASSWORD});
    let result = json!({"contextId": "c-1", "username": "ana"});
    let expected = [
        json!([format!("{URL}/start-authentication"), start, auth]),
        json!([format!("{URL}/authentication-status"), result, auth]),
    ];
    assert_eq!(run.all("post"), expected);
    let page = json!([{
        "timeout": "10", "pollingEndpoint": format!("{URL}/authentication-status"), "requestMethod": "GET",
        "requestData": "contextId=c-1", "pollingInterval": "2", "callbackOnFailure": true,
    }]);
    assert_eq!(run.all("wait"), [page]);
    assert_eq!(run.all("update"), [json!(["PRIMARY/ana", PASSWORD, true])]);
    assert_eq!(run.migrated(), "true");
    let again = json!([{"username": "ana@example.org", "password": PASSWORD}, "right"]);
    assert_eq!(run.all("step"), [json!(["typed", "wrong"]), again], "with the name that was typed");
    assert!(run.is_signed_in());
    assert_eq!(run.all("kept"), [json!([[]])], "no variable keeps the password");
}

#[test]
fn a_password_of_the_targets_own_asks_nobody() {
    let mut world = world(&json!([]));
    world["users"][0]["password"] = PASSWORD.into();
    let Some(run) = run(&options(), &world) else { return };
    assert!(run.is_signed_in());
    assert_eq!(run.all("find"), [] as [Value; 0]);
}

#[test]
fn nobody_is_asked_about_who_is_unknown_migrated_locked_or_has_typed_nothing() {
    let base = world(&json!([]));
    let change = |pointer: &str, value: Value| {
        let mut world = base.clone();
        *world.pointer_mut(pointer).unwrap() = value;
        world
    };
    let claim = |name: &str| change("/users/0/claims", json!({name: "true"}));
    let worlds = [
        change("/typed/username", "bo".into()),
        change("/users/0/name", "SECONDARY/ana".into()),
        change("/typed", Value::Null),
        change("/typed/password", "".into()),
        claim(MIGRATED_CLAIM),
        claim("http://wso2.org/claims/identity/accountLocked"),
        claim("http://wso2.org/claims/identity/accountDisabled"),
    ];
    for world in worlds {
        let Some(run) = run(&options(), &world) else { return };
        assert_eq!(run.errors(), ["Please check your username and password and try again."], "{world}");
        assert_eq!(run.all("post"), [] as [Value; 0]);
    }
}

#[test]
fn every_refusal_and_failure_ends_with_a_message_of_its_own_and_changes_nothing() {
    const WRONG: &str = "Please check your username and password and try again.";
    const LATER: &str = "Please try again in a few minutes.";
    for (answers, page, expected) in [
        (json!([received(), fail("Invalid credentials")]), "complete", WRONG),
        (json!([received(), fail("")]), "complete", WRONG),
        (
            json!([received(), fail("Something went wrong. Please try again later.")]),
            "complete",
            "Something went wrong. Please try again later.",
        ),
        (json!([fail("Please wait.")]), "complete", "Please wait."),
        (json!([{"message": "received", "contextId": "c"}]), "complete", LATER),
        (json!([{"message": "Received"}]), "complete", LATER),
        (json!([null]), "complete", LATER),
        (json!(["fail"]), "complete", LATER),
        (json!(["timeout"]), "complete", LATER),
        (json!([received()]), "timeout", LATER),
        (json!([received()]), "fail", LATER),
        (json!([received(), "fail"]), "complete", LATER),
        (json!([received(), "timeout"]), "complete", LATER),
        (json!([received(), {"status": "success"}]), "complete", LATER),
        (json!([received(), {}]), "complete", LATER),
    ] {
        let mut world = world(&answers);
        world["page"] = page.into();
        let Some(run) = run(&options(), &world) else { return };
        assert_eq!(run.errors(), [expected], "{answers} {page}");
        assert_eq!(run.all("update"), [] as [Value; 0], "{answers} {page}");
        assert_eq!(run.migrated(), &Value::Null);
        assert_eq!(run.all("kept"), [json!([[]])]);
    }
}

#[test]
fn a_password_that_cannot_be_stored_is_told_and_the_user_is_not_migrated() {
    let mut world = world(&json!([received(), success()]));
    world["storeFails"] = true.into();
    let Some(failed) = run(&options(), &world) else { return };
    assert_eq!(failed.errors(), ["It is right, but it does not meet the rules here. Please reset it."]);
    assert_eq!(failed.migrated(), &Value::Null);
    world["storeFails"] = false.into();
    world["typed"]["password"] = "short".into();
    let kept = Options { rules: PasswordRules::Kept, ..options() };
    let refused = run(&kept, &world).unwrap();
    assert_eq!(refused.all("update"), [json!(["PRIMARY/ana", "short", null])]);
    assert_eq!(refused.errors().len(), 1);
    let skipped = run(&options(), &world).unwrap();
    assert!(skipped.is_signed_in(), "past the rules it is taken");
}

#[test]
fn a_login_that_fails_after_the_password_was_stored_is_told() {
    let mut world = world(&json!([received(), success()]));
    world["users"][0]["barred"] = true.into();
    let Some(run) = run(&options(), &world) else { return };
    assert_eq!((run.errors(), run.migrated()), (vec!["Please try again.".to_owned()], &"true".into()));
}

#[test]
fn one_call_needs_no_page_and_no_context() {
    let one_call = Options { flow: Flow::OneCall, ..options() };
    let Some(yes) = run(&one_call, &world(&json!([success()]))) else { return };
    assert!(yes.is_signed_in());
    assert_eq!(yes.all("post")[0][0], format!("{URL}/check"));
    assert_eq!((yes.all("post").len(), yes.all("wait").len()), (1, 0));
    for answer in [json!(["timeout"]), json!(["fail"]), json!([fail("Invalid credentials")])] {
        let no = run(&one_call, &world(&answer)).unwrap();
        assert_eq!((no.errors().len(), no.all("update").len()), (1, 0), "{answer}");
    }
}

#[test]
fn callers_prove_who_they_are_in_the_words_of_the_code() {
    let token_endpoint = "https://api.asgardeo.io/t/acme/oauth2/token".to_owned();
    let choreo = |token_endpoint| Auth::Choreo { key: "k".into(), secret: "s".into(), token_endpoint };
    let aliases = json!({"consumerKeyAlias": "k", "consumerSecretAlias": "s"});
    let with_endpoint =
        json!({"consumerKeyAlias": "k", "consumerSecretAlias": "s", "asgardeoTokenEndpoint": token_endpoint});
    let credential = |scope: Option<String>| Auth::ClientCredential {
        key: "k".into(),
        secret: "s".into(),
        token_endpoint: token_endpoint.clone(),
        scope,
    };
    let named = |mut object: Value, members: &[(&str, &str)]| {
        for (name, value) in members {
            object[*name] = (*value).into();
        }
        object
    };
    let by_token = json!({
        "type": "clientcredential", "consumerKey": "value of k", "consumerSecret": "value of s",
        "tokenEndpoint": token_endpoint,
    });
    for (auth, expected) in [
        (choreo(None), aliases),
        (choreo(Some(token_endpoint.clone())), with_endpoint),
        (credential(None), by_token.clone()),
        (credential(Some("a b".into())), named(by_token, &[("scope", "a b")])),
        (
            Auth::ApiKey { key: "k".into(), header: "X-Api-Key".into() },
            json!({"type": "apikey", "apiKey": "value of k", "headerName": "X-Api-Key"}),
        ),
        (
            Auth::Basic { user: "k".into(), password: "s".into() },
            json!({"type": "basic", "username": "value of k", "password": "value of s"}),
        ),
    ] {
        let mut world = world(&json!([received(), success()]));
        world["secrets"] = json!(["k", "s"]);
        let Some(run) = run(&Options { auth, ..options() }, &world) else { return };
        assert!(run.is_signed_in());
        assert!(run.all("post").iter().all(|post| post[2] == expected), "{:?}", run.all("post"));
    }
}

#[test]
fn stores_names_addresses_and_waits_are_as_the_options_say() {
    let mut there = world(&json!([received(), success()]));
    there["users"][0]["name"] = "EU \"1\"..x/ana".into();
    there["typed"]["username"] = "ana".into();
    let options = Options {
        product: Product::Asgardeo,
        store: Some("EU \"1\"..x".into()),
        claim: "urn:own:moved".into(),
        url: "https://gateway.example.com/a/".into(),
        poll_url: Some("https://open.example.com/b".into()),
        names: LoginNames::UserName,
        flow: Flow::Wait { secs: 20, poll_secs: 1, on_failure: OnFailure::OwnPage },
        ..options()
    };
    let Some(done) = run(&options, &there) else { return };
    assert!(done.is_signed_in());
    assert_eq!(done.all("resolve"), [] as [Value; 0]);
    assert_eq!(done.all("claim"), [json!(["EU \"1\"..x/ana", "urn:own:moved", "true"])]);
    assert_eq!(done.all("post")[0][0], "https://gateway.example.com/a/start-authentication");
    let page = &done.all("wait")[0][0];
    assert_eq!(page["pollingEndpoint"], "https://open.example.com/b/authentication-status");
    assert_eq!((&page["timeout"], &page["pollingInterval"]), (&"20".into(), &"1".into()));
    there["page"] = "timeout".into();
    assert_eq!(run(&options, &there).unwrap().all("own page").len(), 1);
    let asgardeo = Options { store: None, ..options };
    assert!(asgardeo.script().unwrap().contains(r#"var userStore = "DEFAULT";"#));
}

#[test]
fn scripts_keep_to_the_language_that_every_version_takes() {
    let waits = [options().flow, Flow::OneCall];
    for flow in waits {
        let options = Options { claim: "urn:a..b".into(), store: Some("x...y".into()), flow, ..options() };
        let script = options.script().unwrap();
        assert!(!script.contains(".."), "Asgardeo refuses two full stops in a row");
        let words: Vec<&str> = script.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        for word in ["while", "let", "const", "class", "async", "import", "eval", "stringify", "warn"] {
            assert!(!words.contains(&word), "{word}");
        }
        let code: Vec<&str> = script.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        assert!(!code.iter().any(|line| line.contains("=>") || line.contains('`') || line.contains("for (")));
        assert!(script.is_ascii());
    }
}

#[test]
fn every_mistake_in_the_options_is_told_at_once() {
    let wrong = Options {
        url: "http://sterna.example.com".into(),
        poll_url: Some("https://x.example.com/?a".into()),
        auth: Auth::ApiKey { key: "a-b".into(), header: "a b".into() },
        store: Some("a/b".into()),
        claim: "moved".into(),
        flow: Flow::Wait { secs: 21, poll_secs: 2, on_failure: OnFailure::ToScript },
        ..options()
    };
    let expected = [
        Mistake::Url("http://sterna.example.com".into()),
        Mistake::Url("https://x.example.com/?a".into()),
        Mistake::Secret("a-b".into()),
        Mistake::Header("a b".into()),
        Mistake::Store("a/b".into()),
        Mistake::Claim("moved".into()),
        Mistake::Wait,
    ];
    assert_eq!(wrong.script().unwrap_err(), expected);
    let slow = Flow::Wait { secs: 5, poll_secs: 6, on_failure: OnFailure::ToScript };
    assert_eq!(Options { flow: slow, ..options() }.script().unwrap_err(), [Mistake::Wait]);
    let local = Options { url: "http://127.0.0.1:8080/hooks/wso2".into(), ..options() };
    assert!(local.script().is_ok(), "a test on one machine needs no TLS");
}
