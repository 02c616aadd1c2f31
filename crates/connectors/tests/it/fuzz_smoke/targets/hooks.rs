//! What callers send to hooks.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use sterna_connectors::{
    hooks::body::{NAME_BYTES, PASSWORD_BYTES},
    registry::HOOKS,
};
use sterna_core::{
    account::{Account, Identity},
    hook::{
        Call, Decision, Found, Headers, HookAnswer, HookDialect, HookKind, Material, Next, Peer, Person, Refusal,
        Reply, Who,
    },
    ids::{AccountKey, SourceKey},
    secrecy::ExposeSecret,
    settings::Values,
    time::Timestamp,
};

const TOKEN: &str = "a-token-of-many-characters";

/// Every dialect whose callers may give a token, with the form of Lambda where there is one.
static DIALECTS: LazyLock<Vec<Arc<dyn HookDialect>>> = LazyLock::new(|| {
    let values = Values::default().with("bearer_token", json!({"env": "TOKEN"})).with("lambda_emulation", json!(true));
    let values = values.with("answer", json!("jit-v2"));
    let material = Material { secrets: [("bearer_token".to_owned(), TOKEN.into())].into(), ..Material::default() };
    // the calls of WSO2 are several, one of them open to browsers, and have a property of their own
    let has_callers = |kind: &&&dyn HookKind| kind.settings().iter().any(|setting| setting.name == "bearer_token");
    let kinds = HOOKS.iter().filter(has_callers).filter(|kind| kind.kind() != "wso2-silent");
    kinds.filter_map(|kind| kind.open(&values, &material).ok()).collect()
});

/// A request, its method and path in the first line, to every hook: a stranger is refused; what is checked stands in the body
/// as it is, or in the path; all else is an error without a word; and no answer redirects.
pub(super) fn bodies(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let Ok(line) = std::str::from_utf8(&data[..end]) else { return };
    let (method, path) = line.split_once(' ').unwrap_or((line, ""));
    let body = data.get(end + 1..).unwrap_or_default();
    let bearer = format!("Bearer {TOKEN}");
    let known = Headers::new([("authorization", bearer.as_str()), ("content-type", "application/json")]);
    let stranger = Headers::new([("content-type", "application/json")]);
    let call = Call { method, path, query: None, headers: &known, peer: Peer::default(), body, now: Timestamp(0) };
    for dialect in DIALECTS.iter() {
        let refused = dialect.next(&Call { headers: &stranger, ..call });
        assert!(matches!(refused, Next::Refuse(Refusal::Unauthenticated, answer) if answer == HookAnswer::empty(401)));
        let here = Peer { address: Some([127, 0, 0, 1].into()), certificate: None };
        for (call, is_known) in [(call, true), (Call { headers: &stranger, peer: here, ..call }, false)] {
            let next = dialect.next(&call);
            assert!(is_known || path.ends_with("/invocations") || matches!(next, Next::Refuse(..)));
            step(&**dialect, next, body);
        }
        answers(&**dialect, &String::from_utf8_lossy(body));
    }
}

fn step(dialect: &dyn HookDialect, next: Next, body: &[u8]) {
    match next {
        Next::Check(submission) | Next::Harvest(submission) => {
            let Ok(read) = serde_json::from_slice::<Value>(body) else { panic!("this is no JSON") };
            let password = submission.password.expose_secret();
            assert!(password.len() <= PASSWORD_BYTES && has(&read, password));
            named(&submission.who);
            answers(dialect, &submission.echo);
        }
        Next::LookUp(query) => {
            named(&query.who);
            answers(dialect, &query.echo);
        }
        Next::Answer(answer) | Next::Refuse(_, answer) => {
            assert!((400..500).contains(&answer.status), "{answer:?}");
            assert!(answer.body.is_empty() || answer.body == br#"{"status":"too_old"}"#, "{answer:?}");
        }
        Next::FetchKeys | Next::Begin(_) | Next::Poll(_) | Next::Collect { .. } => {}
    }
}

/// Whether a text stands somewhere in a value.
fn has(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Array(list) => list.iter().any(|value| has(value, wanted)),
        Value::Object(members) => members.values().any(|value| has(value, wanted)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn named(who: &Who) {
    let (Who::SignInName(name) | Who::SourceKey(name)) = who else { return };
    assert!(!name.is_empty() && name.len() <= NAME_BYTES);
}

/// Every answer has a status that is no redirect, and a body that is JSON or none.
fn answers(dialect: &dyn HookDialect, echo: &str) {
    let ids = SourceKey::new("4711").zip(AccountKey::parse("00000000-0000-5000-8000-000000004711"));
    let Some((source_key, key)) = ids else { panic!("these are right") };
    let mut account = Account::new(source_key);
    account.identities = vec![Identity::email("ana@example.org")];
    let person = Person { account: &account, target: None, key };
    let decided = Decision::ALL
        .map(|decision| dialect.answer(&Reply { decision, echo, person: decision.is_yes().then_some(person) }));
    let found = [Found::There(person), Found::NotThere, Found::TryLater].map(|found| dialect.looked_up(&found, echo));
    for answer in decided.into_iter().chain(found) {
        assert!((200..600).contains(&answer.status) && !(300..400).contains(&answer.status), "{answer:?}");
        assert!(answer.body.is_empty() || serde_json::from_slice::<Value>(&answer.body).is_ok(), "{answer:?}");
    }
}
