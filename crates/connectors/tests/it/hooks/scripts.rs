//! The scripts that users copy into products, run by Node: what they send, our dialects read; what our dialects answer,
//! they make the right thing of.

use std::process::Command;

use insta::assert_snapshot;
use serde_json::{Value, json};
use sterna_core::hook::{Decision, Found, HookAnswer, HookDialect, Reply, Wait};

use super::{Ask, PASSWORD, TOKEN, ana, checks, open, person, post, told};
use crate::servers::{program, run};

/// Loads a script as its product does, answers its calls with the replies on the command line, one call each, and prints
/// what it sent and what came of it.
const HARNESS: &str = r"
import { readFileSync } from 'node:fs';
const [path, name, given, replies] = process.argv.slice(1);
class WrongUsernameOrPasswordError extends Error { constructor(id, text) { super(text); this.id = id; } }
class UnauthorizedError extends Error {}
const configuration = { STERNA_HOOK_URL: 'https://sterna.example/hooks/x', STERNA_HOOK_TOKEN: process.env.STERNA_HOOK_TOKEN };
const loaded = name === 'handler' ? (await import(path)).handler : new Function(
  'configuration', 'WrongUsernameOrPasswordError', 'UnauthorizedError', readFileSync(path, 'utf8') + `\nreturn ${name};`,
)(configuration, WrongUsernameOrPasswordError, UnauthorizedError);
const results = [];
for (const reply of JSON.parse(replies)) {
  let sent, calls = 0;
  globalThis.fetch = async (url, options) => {
    if (!options.signal || options.redirect !== 'error') throw new Error('unbounded');
    sent = { url, method: options.method, headers: options.headers, body: options.body };
    if (reply === null) throw new TypeError('fetch failed');
    return new Response(reply.status === 204 ? null : reply.body, { status: reply.status });
  };
  const parameters = structuredClone(JSON.parse(given));
  const failed = (error) => `${error.constructor.name}${error.id ? ' of ' + error.id : ''}: ${error.message}`;
  const outcome = name === 'handler'
    ? await loaded(...parameters).then((event) => event, failed)
    : await new Promise((resolve) => loaded(...parameters, (...of) => {
        calls += 1;
        setTimeout(() => resolve(calls > 1 ? 'called back twice' : of[0] ? failed(of[0]) : of[1] ?? 'nobody'), 0);
      }));
  results.push({ sent, outcome });
}
console.log(JSON.stringify(results));
";

/// Runs a function of a script once for each reply (`None` is a broken line); `None` where Node is not installed.
fn play(script: &str, name: &str, given: &Value, replies: &[Option<HookAnswer>]) -> Option<Vec<Value>> {
    let node = program(&["node"])?;
    let replies: Vec<Value> = replies
        .iter()
        .map(|reply| match reply {
            Some(answer) => json!({"status": answer.status, "body": String::from_utf8_lossy(&answer.body)}),
            None => Value::Null,
        })
        .collect();
    let script = format!("{}/../../docs/hooks/{script}", env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(node);
    command.args(["--input-type=module", "-e", HARNESS, "--", &script, name]);
    command.args([given.to_string(), Value::from(replies).to_string()]);
    command.env("STERNA_HOOK_TOKEN", TOKEN).env("STERNA_HOOK_URL", "https://sterna.example/hooks/x");
    let output = run(&mut command);
    Some(serde_json::from_str(&output).unwrap())
}

/// What a script sent, as the request of a dialect.
fn sent(result: &Value) -> Ask {
    let sent = &result["sent"];
    assert_eq!(sent["method"], "POST");
    let path = sent["url"].as_str().unwrap().strip_prefix("https://sterna.example/hooks/x").unwrap();
    let header = |name: &str| sent["headers"][name].as_str().unwrap().to_owned();
    post(sent["body"].as_str().unwrap())
        .path(path)
        .header("authorization", &[&header("authorization")])
        .header("content-type", &[&header("content-type")])
}

/// The answers to these decisions, then those that no dialect gives: two empty ones, a page of a proxy, another status, and
/// none at all.
fn replies(dialect: &dyn HookDialect, decisions: &[Decision]) -> Vec<Option<HookAnswer>> {
    let account = ana();
    let answers = decisions.iter().map(|decision| {
        let person = decision.is_yes().then(|| person(&account));
        Some(dialect.answer(&Reply { decision: *decision, echo: "", person }))
    });
    let page = HookAnswer { body: b"<html>Sign in</html>".to_vec(), ..HookAnswer::empty(200) };
    let nobody = HookAnswer::json(200, &json!({"user_id": null, "userAttributes": null}));
    let strange =
        [Some(nobody), Some(HookAnswer::json(200, &json!({}))), Some(page), Some(HookAnswer::empty(204)), None];
    answers.chain(strange).collect()
}

fn outcomes(results: &[Value]) -> String {
    let lines = results.iter().map(|result| match &result["outcome"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

const DECISIONS: &[Decision] = &[
    Decision::Accept,
    Decision::Wrong,
    Decision::Refuse(sterna_core::hook::Bar::Locked),
    Decision::TryLater(Wait::Outage),
];

#[test]
fn the_login_script_of_auth0_calls_back_once_and_tells_an_outage_from_a_wrong_password() {
    let dialect = open("auth0-custom-database", "mfa_factors = false");
    let given = json!(["ana@example.org", PASSWORD]);
    let Some(results) = play("auth0-login.js", "login", &given, &replies(&*dialect, DECISIONS)) else { return };
    assert_eq!(told(&sent(&results[0]).next(&*dialect)), checks("name <ana@example.org>"));
    assert_snapshot!(outcomes(&results), @r#"
    {"email":"ana@example.org","email_verified":true,"family_name":"Pérez","given_name":"Ana","name":"Ana Pérez","user_id":"00000000-0000-5000-8000-000000004711","username":"Ana"}
    WrongUsernameOrPasswordError of ana@example.org: Wrong e-mail or password.
    UnauthorizedError: You cannot sign in with this password now. Reset it, or ask for help.
    Error: Signing in is not possible at the moment. Try again later.
    Error: Signing in is not possible at the moment. Try again later.
    Error: Signing in is not possible at the moment. Try again later.
    Error: Signing in is not possible at the moment. Try again later.
    Error: Signing in is not possible at the moment. Try again later.
    Error: Signing in is not possible at the moment. Try again later.
    "#);
}

#[test]
fn the_get_user_script_of_auth0_calls_nobody_only_whom_nobody_is_to_move() {
    let dialect = open("auth0-custom-database", "mfa_factors = false");
    let account = ana();
    let found = [Found::There(person(&account)), Found::NotThere, Found::TryLater];
    let mut answers: Vec<_> = found.iter().map(|found| Some(dialect.looked_up(found, ""))).collect();
    answers.extend(replies(&*dialect, &[]));
    let Some(results) = play("auth0-get-user.js", "getUser", &json!(["ana@example.org"]), &answers) else { return };
    assert_eq!(told(&sent(&results[0]).next(&*dialect)), "look up name <ana@example.org>");
    assert_snapshot!(outcomes(&results), @r#"
    {"email":"ana@example.org","email_verified":true,"family_name":"Pérez","given_name":"Ana","name":"Ana Pérez","user_id":"00000000-0000-5000-8000-000000004711","username":"Ana"}
    nobody
    Error: Users cannot be looked up at the moment. Try again later.
    Error: Users cannot be looked up at the moment. Try again later.
    Error: Users cannot be looked up at the moment. Try again later.
    Error: Users cannot be looked up at the moment. Try again later.
    Error: Users cannot be looked up at the moment. Try again later.
    Error: Users cannot be looked up at the moment. Try again later.
    "#);
}

#[test]
fn the_function_of_cognito_returns_the_event_or_throws_one_text() {
    let dialect = open("cognito-user-migration", "");
    let event = super::cognito::sample();
    let answers = replies(&*dialect, DECISIONS);
    let Some(results) = play("cognito-lambda.mjs", "handler", &json!([event]), &answers) else { return };
    assert_eq!(told(&sent(&results[0]).next(&*dialect)), checks("name <ana@example.org>"));
    let filled = &results[0]["outcome"];
    assert_eq!(filled["request"], event["request"]);
    assert_eq!(filled["response"]["finalUserStatus"], "CONFIRMED");
    assert_eq!(filled["response"]["userAttributes"]["email"], "ana@example.org");
    assert_eq!(filled["response"]["enableSMSMFA"], Value::Null);
    let thrown = "Error: Could not sign in. Check what you typed, or try again later.";
    assert!(results[1..].iter().all(|result| result["outcome"] == thrown), "{}", outcomes(&results[1..]));
}
