//! The check `http` from its settings to the bytes of its request, and from the bytes of an answer to a verdict.

mod responder;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use sterna_connectors::{http_check, oauth};
use sterna_core::{
    account::{Account, Identity},
    ids::SourceKey,
    legacy::{Attempt, LegacyCheck, Outage, Verdict},
    registry::CheckKind,
};
use sterna_emulators::entra::{Kind as EmulatorKind, Options};
use url::form_urlencoded;

use self::responder::{Request, Responder};
use crate::{
    files::{context, values},
    servers::{self, slapd::Certificate},
};

const YES: Verdict = Verdict::Match { upgrade: false };
const NOT_UNDERSTOOD: Verdict = Verdict::Unavailable(Outage::NotUnderstood);
const OVERLOADED: Verdict = Verdict::Unavailable(Outage::Overloaded);
const UNREACHABLE: Verdict = Verdict::Unavailable(Outage::Unreachable);
const TIMED_OUT: Verdict = Verdict::Unavailable(Outage::TimedOut);

/// What breaks out of its place where it is not encoded for it.
const HOSTILE: &[&str] = &[
    "plain",
    "\"},{\"a\":\"",
    "{login}",
    "{password|xml}",
    "a&b=c%00+d",
    "</x><Admin>'\"&amp;",
    "]]><!--",
    "two\r\nlines\tand\nmore",
    "\\\" é 🐦 \\",
    " ",
];

/// A name that looks like a placeholder and would end a field.
const LOGIN: &str = "ana\"&{password}<";

/// Opens a check of this kind.
pub(crate) fn open(kind: &dyn CheckKind, settings: &str) -> Arc<dyn LegacyCheck> {
    kind.open(&values(kind.settings(), settings).unwrap(), &context(".".as_ref()))
        .map_err(|findings| format!("{settings}: {findings:?}"))
        .unwrap()
}

/// Asks about a person with this user name.
pub(crate) async fn ask(check: &dyn LegacyCheck, login: &str, password: &str, millis: u64) -> Verdict {
    let mut account = Account::new(SourceKey::new("1").unwrap());
    account.identities.push(Identity::user_name(login));
    let password = password.into();
    let deadline = Instant::now() + Duration::from_millis(millis);
    check.check(&Attempt { account: &account, source: "s", password: &password, deadline }).await
}

/// The verdict of an answer, and the request that it is for.
async fn check(settings: &str, password: &str, answer: Vec<u8>) -> (Verdict, Request) {
    let responder = Responder::start(answer, Duration::ZERO).await;
    let url = format!("url = 'http://127.0.0.1:{}/login?from=sterna'\n", responder.port);
    let check = open(&http_check::Kind, &format!("{url}{settings}"));
    (ask(&*check, LOGIN, password, 5_000).await, responder.request().await)
}

fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}

fn json_body(request: &Request) -> String {
    let mut body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    let password = body["user"]["password"].take().as_str().unwrap().to_owned();
    assert_eq!(body, serde_json::json!({"user": {"name": LOGIN, "password": null}, "realm": "{ old }"}));
    password
}

fn form_body(request: &Request) -> String {
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(&request.body).into_owned().collect();
    assert_eq!(pairs.len(), 2, "{pairs:?}");
    assert_eq!(pairs.remove(1), ("user".to_owned(), LOGIN.to_owned()));
    pairs.remove(0).1
}

fn xml_body(request: &Request) -> String {
    let text = std::str::from_utf8(&request.body).unwrap();
    assert_eq!(text.matches(['<', '>']).count(), 12, "{text}");
    let inside = text.split_once("<p>").unwrap().1.split_once("</p>").unwrap().0;
    let user = text.split_once("<u>").unwrap().1.split_once("</u>").unwrap().0;
    assert_eq!(unescaped(user), LOGIN);
    unescaped(inside)
}

fn unescaped(text: &str) -> String {
    assert!(!text.contains(['\r', '\n', '\t']), "a reader would change these: {text}");
    let names = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#13;", "\r"), ("&#10;", "\n")];
    let text = names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
    text.replace("&#9;", "\t").replace("&amp;", "&")
}

fn json_template(request: &Request) -> String {
    let body: Vec<String> = serde_json::from_slice(&request.body).unwrap();
    body.into_iter().next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_password_arrives_as_it_is_and_changes_nothing_around_it() {
    type Body = (&'static str, &'static str, fn(&Request) -> String);
    let bodies: [Body; 4] = [
        (
            "fields = { 'user.name' = '{login}', 'user.password' = '{password}', realm = '{ old }' }",
            "application/json",
            json_body,
        ),
        (
            "body = 'form'\nfields = { pass = '{password}', user = '{login}' }",
            "application/x-www-form-urlencoded",
            form_body,
        ),
        (
            "body = 'text'\ntemplate = '<x><u>{login|xml}</u><p>{password|xml}</p></x>'",
            "text/xml; charset=utf-8",
            xml_body,
        ),
        (
            "body = 'text'\ncontent_type = 'application/x'\ntemplate = '[\"{password|json}\"]'",
            "application/x",
            json_template,
        ),
    ];
    for (settings, kind, read) in bodies {
        for password in HOSTILE {
            let (verdict, request) = check(settings, password, answer(200, "", "")).await;
            assert_eq!(verdict, YES, "{settings}");
            assert_eq!(request.line, "POST /login?from=sterna HTTP/1.1");
            assert_eq!(request.headers["content-type"], kind);
            assert_eq!(read(&request), *password, "{settings}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_secrets_and_headers_are_sent() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "k+&:{login}").unwrap();
    let settings = "method = 'PUT'\nbody = 'form'\nfields = { p = '{password}' }\nbasic_user = 'sterna'\n\
        basic_password = { file = 'SECRET' }\nheaders = { X-Realm = 'old' }\n\
        secret_headers = { X-Api-Key = { file = 'SECRET' } }\n\
        rules = [{ status = '204', verdict = 'match' }]";
    let settings = settings.replace("SECRET", secret.to_str().unwrap());
    let (verdict, request) = check(&settings, "p", answer(204, "", "")).await;
    assert_eq!(verdict, YES);
    assert_eq!(request.line, "PUT /login?from=sterna HTTP/1.1");
    let basic = STANDARD.encode("sterna:k+&:{login}");
    for (name, value) in
        [("x-realm", "old"), ("x-api-key", "k+&:{login}"), ("authorization", &format!("Basic {basic}"))]
    {
        assert_eq!(request.headers[name], value, "{name}");
    }
}

/// The answers of a JSON service, of a SOAP service, and what a header says.
const RULES: &str = "rules = [
  { status = '200', json = '/r/code', equals = '0', verdict = 'match' },
  { status = '200', json = '/r/code', equals = '1', verdict = 'mismatch' },
  { json = '/r/code', equals = 'old', verdict = 'match_but_expired' },
  { json = '/r/code', equals = 'true', verdict = 'disabled' },
  { json = '/r/gone', present = true, verdict = 'unknown' },
  { json = '/r/kept', present = false, header = 'x-kept', verdict = 'unknown' },
  { status = '2xx', contains = '<R>WRONG</R>', verdict = 'mismatch' },
  { status = '409', header = 'x-state', header_equals = 'locked', verdict = 'locked' },
  { status = '409', header = 'x-state', verdict = 'disabled' },
  { status = '4xx', contains = 'maintenance', verdict = 'unavailable' },
  { status = '503', contains = 'no such person', verdict = 'unknown' },
  { contains = 'wrong', verdict = 'mismatch' },
]";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_answer_means_what_its_rule_says() {
    for (rules, status, headers, body, expected) in [
        ("", 200, "", "", YES),
        ("", 204, "", "", YES),
        ("", 401, "", "", Verdict::Mismatch),
        ("", 404, "", "", NOT_UNDERSTOOD),
        ("", 423, "", "", Verdict::Locked),
        ("", 400, "", "", NOT_UNDERSTOOD),
        ("", 403, "", "", NOT_UNDERSTOOD),
        (RULES, 200, "", r#"{"r":{"code":0}}"#, YES),
        (RULES, 200, "", r#"{"r":{"code":"0"}}"#, YES),
        (RULES, 200, "", r#"{"r":{"code":1}}"#, Verdict::Mismatch),
        (RULES, 201, "", r#"{"r":{"code":0}}"#, NOT_UNDERSTOOD),
        (RULES, 200, "", r#"{"r":{"code":2}}"#, NOT_UNDERSTOOD),
        (RULES, 200, "", r#"{"r":{"code":[0]}}"#, NOT_UNDERSTOOD),
        (RULES, 200, "", r#"{"r":{"code":0}"#, NOT_UNDERSTOOD),
        (RULES, 200, "", "", NOT_UNDERSTOOD),
        (RULES, 422, "", r#"{"r":{"code":"old"}}"#, Verdict::MatchButExpired),
        (RULES, 200, "", r#"{"r":{"code":true}}"#, Verdict::Disabled),
        (RULES, 200, "", r#"{"r":{"gone":0}}"#, Verdict::Unknown),
        (RULES, 200, "", r#"{"r":{"gone":null}}"#, NOT_UNDERSTOOD),
        (RULES, 200, "X-Kept: 1\r\n", "{}", Verdict::Unknown),
        (RULES, 200, "X-Kept: 1\r\n", r#"{"r":{"kept":1}}"#, NOT_UNDERSTOOD),
        (RULES, 299, "", "<X><R>WRONG</R></X>", Verdict::Mismatch),
        (RULES, 400, "", "<X><R>WRONG</R></X>", NOT_UNDERSTOOD),
        (RULES, 409, "X-State: locked\r\n", "", Verdict::Locked),
        (RULES, 409, "X-State: off\r\n", "", Verdict::Disabled),
        (RULES, 409, "", "", NOT_UNDERSTOOD),
        (RULES, 400, "", "in maintenance: wrong", NOT_UNDERSTOOD),
        (RULES, 503, "", "no such person", Verdict::Unknown),
        (RULES, 401, "", "wrong", Verdict::Mismatch),
        (RULES, 401, "", "", NOT_UNDERSTOOD),
        // pages of something in between decide nothing
        ("", 302, "Location: /login\r\n", "", NOT_UNDERSTOOD),
        ("", 500, "", "", NOT_UNDERSTOOD),
        ("", 429, "", "", OVERLOADED),
        (RULES, 302, "Location: /wrong\r\n", "wrong", NOT_UNDERSTOOD),
        (RULES, 500, "", "wrong", NOT_UNDERSTOOD),
        (RULES, 502, "", r#"{"r":{"code":0}}"#, NOT_UNDERSTOOD),
        (RULES, 429, "", "wrong", OVERLOADED),
        (RULES, 429, "", "maintenance", OVERLOADED),
    ] {
        let settings = format!("fields = {{ p = '{{password}}' }}\n{rules}");
        let (verdict, _) = check(&settings, "p", answer(status, headers, body)).await;
        assert_eq!(verdict, expected, "{status} {headers} {body}, {} rules", rules.lines().count());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_whole_answer_is_an_outage() {
    let wrong = answer(401, "", "wrong");
    for (bytes, expected) in [
        (answer(401, "", &"wrong".repeat(14_000)), NOT_UNDERSTOOD),
        (b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(), NOT_UNDERSTOOD),
        (b"\0\xFF\xFEwrong\r\n\r\n".to_vec(), NOT_UNDERSTOOD),
        (Vec::new(), UNREACHABLE),
        (wrong[..20].to_vec(), UNREACHABLE),
        (wrong[..wrong.len() - 1].to_vec(), UNREACHABLE),
    ] {
        for rules in ["", RULES] {
            let settings = format!("fields = {{ p = '{{password}}' }}\n{rules}");
            let (verdict, _) = check(&settings, "p", bytes.clone()).await;
            assert_eq!(verdict, expected, "{}", bytes[..bytes.len().min(60)].escape_ascii());
        }
    }
    let settings = |port: u16| format!("url = 'http://127.0.0.1:{port}/'\nfields = {{ p = '{{password}}' }}");
    let late = Responder::start(wrong, Duration::from_millis(400)).await;
    let slow = open(&http_check::Kind, &settings(late.port));
    assert_eq!(ask(&*slow, LOGIN, "p", 150).await, TIMED_OUT);
    let nobody = open(&http_check::Kind, &settings(servers::free_port()));
    assert_eq!(ask(&*nobody, LOGIN, "p", 5_000).await, UNREACHABLE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_named_authority_is_trusted() {
    let mut options = Options::new(EmulatorKind::EntraExternalId);
    options.tls = true;
    let emulator = sterna_emulators::entra::start(options).await.unwrap();
    let ready = emulator.ready();
    let (root, ca_file) = (ready.login_url.as_deref().unwrap(), ready.ca_file.as_deref().unwrap());
    let other = tempfile::tempdir().unwrap();
    let other = Certificate::new(other.path()).ca_file;
    let kinds: [(&dyn CheckKind, String, Verdict); 2] = [
        // any answer of the application's is enough here
        (
            &http_check::Kind,
            format!("url = '{root}/nothing'\nfields = {{ p = '{{password}}' }}\nrules = [{{ verdict = 'locked' }}]"),
            Verdict::Locked,
        ),
        (
            &oauth::Kind,
            format!("form = 'azure-directory'\nlogin_url = '{root}'\ntenant = 'x'\nclient_id = 'c'"),
            Verdict::Unavailable(Outage::Rejected),
        ),
    ];
    for (kind, settings, expected) in kinds {
        let trusting = open(kind, &format!("ca_file = '{}'\n{settings}", ca_file.display()));
        assert_eq!(ask(&*trusting, LOGIN, "p", 5_000).await, expected, "{settings}");
        assert_eq!(trusting.preflight().await, []);
        for strange in [settings.clone(), format!("ca_file = '{}'\n{settings}", other.display())] {
            let strange = open(kind, &strange);
            assert_eq!(ask(&*strange, LOGIN, "p", 5_000).await, Verdict::Unavailable(Outage::Untrusted), "{settings}");
            assert_eq!(strange.preflight().await[0].code.as_str(), "E2301");
        }
    }
}
