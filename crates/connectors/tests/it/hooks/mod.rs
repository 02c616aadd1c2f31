//! Hook dialects, through the registry and their settings as the service uses them: a request becomes a step, a decision
//! becomes an answer. Both are shown as one line, so that each protocol is a table.

mod auth0;
mod b2c_seamless;
mod callers;
mod cognito;
mod conformance;
mod fusionauth;
mod keycloak;
mod kratos;
mod legacy_sign_in;
mod okta;
mod scripts;

use std::{fmt::Write, sync::Arc};

use sterna_connectors::registry::HOOKS;
use sterna_core::{
    account::{Account, Contact, Factor, Identity},
    code::Finding,
    hook::{
        Call, Decision, Found, Headers, HookAnswer, HookDialect, HookKind, Material, Next, Peer, Person, Reply, Who,
    },
    ids::{AccountKey, SourceKey},
    secrecy::ExposeSecret,
    settings::{SecretRef, Values},
    time::Timestamp,
};
use uuid::Uuid;

use crate::files::values;

/// The bearer token that every dialect of these tests knows.
const TOKEN: &str = "a-token-of-many-characters";
/// The settings for it. A secret is called what it is.
const BEARER: &str = "bearer_token = { env = 'a-token-of-many-characters' }\n";
/// The password of every sample; no answer may have it.
const PASSWORD: &str = " old s\u{e9}cret ";
/// The present of these tests.
const NOW: &str = "2026-01-17T21:24:00Z";

fn kind(name: &str) -> &'static dyn HookKind {
    *HOOKS.iter().find(|kind| kind.kind() == name).unwrap()
}

/// What a kind is given: its needs by what the references in its settings are called.
fn material(kind: &dyn HookKind, values: &Values) -> Result<Material, Vec<Finding>> {
    let secrets = kind.needs(values)?.secrets.into_iter().map(|(name, reference)| match reference {
        SecretRef::Env(secret) => (name, secret.into()),
        other => panic!("{other:?}"),
    });
    Ok(Material { secrets: secrets.collect(), ..Material::default() })
}

/// Makes a dialect from settings as they are written.
fn try_open(kind: &dyn HookKind, settings: &str) -> Result<Arc<dyn HookDialect>, Vec<Finding>> {
    let values = values(kind.settings(), settings)?;
    kind.open(&values, &material(kind, &values)?)
}

/// The same for callers with the bearer token.
fn open(name: &str, settings: &str) -> Arc<dyn HookDialect> {
    try_open(kind(name), &format!("{BEARER}{settings}")).map_err(|findings| format!("{findings:?}")).unwrap()
}

/// A request, at first a proper one.
#[derive(Clone)]
struct Ask {
    method: &'static str,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    peer: Peer,
    body: Vec<u8>,
}

fn post(body: impl Into<Vec<u8>>) -> Ask {
    let headers = vec![
        ("Authorization".to_owned(), format!("Bearer {TOKEN}").into_bytes()),
        ("Content-Type".to_owned(), b"application/json; charset=utf-8".to_vec()),
    ];
    Ask { method: "POST", path: String::new(), headers, peer: Peer::default(), body: body.into() }
}

fn get(path: &str) -> Ask {
    post("").method("GET").path(path)
}

impl Ask {
    fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    fn from(mut self, address: &str) -> Self {
        self.peer.address = Some(address.parse().unwrap());
        self
    }

    /// Takes the header of that name away, then adds these values of it.
    fn header(mut self, name: &str, values: &[&str]) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.extend(values.iter().map(|value| (name.to_owned(), value.as_bytes().to_vec())));
        self
    }

    fn next(&self, dialect: &dyn HookDialect) -> Next {
        let headers = Headers::new(self.headers.clone());
        let now = Timestamp::parse(NOW).unwrap();
        let (path, body) = (self.path.as_str(), self.body.as_slice());
        dialect.next(&Call { method: self.method, path, query: None, headers: &headers, peer: self.peer, body, now })
    }

    /// The next step in a line.
    fn told(&self, dialect: &dyn HookDialect) -> String {
        told(&self.next(dialect))
    }
}

fn told(next: &Next) -> String {
    let who = |who: &Who| match who {
        Who::TargetId(id) => format!("target id <{}>", id.0),
        Who::SignInName(name) => format!("name <{name}>"),
        Who::SourceKey(key) => format!("source key <{key}>"),
    };
    match next {
        Next::Answer(answer) => format!("answer {}", said(answer)),
        Next::Refuse(why, answer) => format!("refuse {} {}", why.name(), said(answer)),
        Next::LookUp(query) => format!("look up {}", who(&query.who)),
        Next::Check(submission) | Next::Harvest(submission) => {
            let verb = if matches!(next, Next::Check(_)) { "check" } else { "harvest" };
            assert!(!submission.echo.contains(PASSWORD.trim()), "the echo has the password");
            let mut line = format!("{verb} {} <{}>", who(&submission.who), submission.password.expose_secret());
            if let Some(address) = submission.address {
                write!(line, " from {address}").unwrap();
            }
            if let Some(correlation) = &submission.correlation {
                write!(line, " as {correlation}").unwrap();
            }
            line
        }
        Next::FetchKeys | Next::Begin(_) | Next::Poll(_) | Next::Collect { .. } => "another step".to_owned(),
    }
}

/// What [`PASSWORD`] is in such a line.
fn checks(who: &str) -> String {
    format!("check {who} <{PASSWORD}>")
}

/// An answer in a line: status, headers, body.
fn said(answer: &HookAnswer) -> String {
    let headers = answer.headers.iter().map(|(name, value)| format!(" {name}={value}")).collect::<Vec<_>>().concat();
    let body = std::str::from_utf8(&answer.body).unwrap();
    assert_eq!(answer.content_type.is_some(), !body.is_empty());
    format!("{}{headers} {body}", answer.status).trim_end().to_owned()
}

/// A person with everything that a profile can have.
fn ana() -> Account {
    let mut account = Account::new(SourceKey::new("4711").unwrap());
    account.identities = vec![Identity::user_name("Ana"), Identity::email("ana@example.org")];
    let profile = &mut account.profile;
    profile.given_name = Some("Ana".into());
    profile.family_name = Some("Pérez".into());
    profile.preferred_language = Some("es".into());
    profile.emails = vec![Contact { value: "ana@example.org".into(), verified: Some(true), primary: true }];
    profile.phones = vec![Contact { value: "+34 600-000-000".into(), verified: None, primary: true }];
    profile.roles = vec!["editor".into()];
    profile.groups = vec!["staff".into()];
    profile.attributes.insert("plan".into(), "gold".into());
    account.factors = vec![
        Factor { kind: "totp".into(), value: Some("jbsw y3dp ehpk 3pxp".into()) },
        Factor { kind: "totp".into(), value: Some("not Base32: 0189".into()) },
        Factor { kind: "sms".into(), value: Some("+34600000000".into()) },
        Factor { kind: "webauthn".into(), value: None },
    ];
    account
}

/// Our key of the person.
const KEY: &str = "00000000-0000-5000-8000-000000004711";

fn person(account: &Account) -> Person<'_> {
    Person { account, target: None, key: AccountKey(Uuid::parse_str(KEY).unwrap()) }
}

/// The line of a decision about a person.
fn answered(dialect: &dyn HookDialect, decision: Decision, account: &Account, echo: &str) -> String {
    said(&dialect.answer(&Reply { decision, echo, person: decision.is_yes().then(|| person(account)) }))
}

/// The lines of every decision, in order, about [`ana`].
fn decisions(dialect: &dyn HookDialect, echo: &str) -> String {
    let lines = Decision::ALL
        .into_iter()
        .map(|decision| format!("{}: {}", decision.name(), answered(dialect, decision, &ana(), echo)));
    lines.collect::<Vec<_>>().join("\n")
}

/// The line of a look-up that found this person.
fn found(dialect: &dyn HookDialect, account: &Account, echo: &str) -> String {
    said(&dialect.looked_up(&Found::There(person(account)), echo))
}

/// What [`Next::Check`] or [`Next::LookUp`] keeps for the answer.
fn echo(ask: &Ask, dialect: &dyn HookDialect) -> String {
    match ask.next(dialect) {
        Next::Check(submission) => submission.echo,
        Next::LookUp(query) => query.echo,
        other => panic!("{}", told(&other)),
    }
}

/// The bodies that no JSON dialect takes, made of one that is right: each is refused without a word.
fn malformed_bodies_are_refused(dialect: &dyn HookDialect, right: &serde_json::Value, required: &[&[&str]]) {
    let text = right.to_string();
    let refused = |body: &[u8], what: &str| {
        assert_eq!(post(body).told(dialect), "refuse malformed 400", "{what}");
    };
    for body in ["", "null", "[]", "\"a\"", "{", "{}", &format!("{text} x"), &text[..text.len() - 1]] {
        refused(body.as_bytes(), body);
    }
    refused(b"{\"a\":\"\xff\"}", "not UTF-8");
    refused(text.replacen('"', "\"\\ud800", 1).as_bytes(), "half a surrogate pair");
    for path in required {
        for wrong in
            [serde_json::json!(7), serde_json::json!(null), serde_json::json!([PASSWORD]), "x".repeat(5_000).into()]
        {
            let mut body = right.clone();
            *body.pointer_mut(&format!("/{}", path.join("/"))).unwrap() = wrong.clone();
            let wrong = wrong.to_string();
            refused(body.to_string().as_bytes(), &format!("{path:?} {}", &wrong[..wrong.len().min(20)]));
        }
    }
    let more = text.replacen('{', "{\"more\":{\"of\":[\"it\"]},", 1);
    assert_eq!(post(more).told(dialect), post(text.clone()).told(dialect), "further members change nothing");
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let ask = post(text.clone()).header("content-type", &[kind]);
        assert_eq!(ask.told(dialect), "refuse malformed 400", "{kind}");
    }
}

/// Whoever asks for what is not there gets nothing, and a stranger does not even learn that.
fn other_addresses_are_not_there(dialect: &dyn HookDialect, right: &Ask) {
    for path in ["/x", "//", "/..", "/%2e%2e", "/login/x"] {
        let asked = right.clone().path(&format!("{}{path}", right.path));
        assert_eq!(asked.told(dialect), "answer 404", "{path}");
    }
    for method in ["GET", "PUT", "DELETE", "HEAD", "post"] {
        assert_eq!(right.clone().method(method).told(dialect), "answer 405 allow=POST", "{method}");
    }
    let stranger = right.clone().header("authorization", &[]);
    for ask in [
        stranger.clone(),
        stranger.clone().path("/x"),
        stranger.clone().method("GET"),
        Ask { body: Vec::new(), ..stranger },
    ] {
        assert_eq!(ask.told(dialect), "refuse unauthenticated 401");
    }
}
