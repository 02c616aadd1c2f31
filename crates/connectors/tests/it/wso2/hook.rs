//! The hook `wso2-silent`: every call and every answer.

use std::{sync::Arc, time::Duration};

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sterna_connectors::registry::HOOKS;
use sterna_core::{
    hook::{
        Bar, Call, Collected, Decision, Headers, HookAnswer, HookDialect, HookKind, Material, Next, Peer, Progress,
        Refusal, Reply, Submission, Wait, Who,
    },
    ids::TargetId,
    settings::{Document, Values, check},
    time::Timestamp,
};

const TOKEN: &str = "a token of the script";
const START: &str = "/start-authentication";
const STATUS: &str = "/authentication-status";
const ORIGIN: &str = "https://login.example.com";

fn kind() -> &'static dyn HookKind {
    *HOOKS.iter().find(|kind| kind.kind() == "wso2-silent").unwrap()
}

fn hook(settings: &Value) -> Arc<dyn HookDialect> {
    let values = Values::default().with("bearer_token", json!({"env": "T"}));
    let values = settings.as_object().unwrap().iter().fold(values, |v, (name, value)| v.with(name, value.clone()));
    let needs = kind().needs(&values).unwrap();
    let secrets = needs.secrets.into_keys().map(|name| (name, TOKEN.into())).collect();
    kind().open(&values, &Material { secrets, ..Material::default() }).unwrap()
}

/// A call with its headers.
struct Request {
    method: &'static str,
    path: &'static str,
    query: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A POST as the script sends it.
    fn post(path: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![
            ("authorization", format!("Bearer {TOKEN}")),
            ("content-type", "application/json; charset=ISO-8859-1".to_owned()),
        ];
        Self { method: "POST", path, query: None, headers, body: body.into() }
    }

    /// A poll as a browser sends it.
    fn poll(query: Option<&'static str>, origin: Option<&str>) -> Self {
        let headers = origin.map(|origin| ("origin", origin.to_owned())).into_iter().collect();
        Self { method: "GET", path: STATUS, query, headers, body: Vec::new() }
    }

    fn with<T>(&self, then: impl FnOnce(&Call<'_>) -> T) -> T {
        let headers = Headers::new(self.headers.iter().map(|(name, value)| (*name, value.as_bytes())));
        then(&Call {
            method: self.method,
            path: self.path,
            query: self.query,
            headers: &headers,
            peer: Peer::default(),
            body: &self.body,
            now: Timestamp::default(),
        })
    }

    fn next(&self, hook: &dyn HookDialect) -> Next {
        self.with(|call| hook.next(call))
    }
}

fn ana() -> Vec<u8> {
    json!({"id": "4f1c", "username": "ana@example.org", "password": "old secret"}).to_string().into_bytes()
}

fn begun(next: Next) -> Submission {
    let Next::Begin(submission) = next else { panic!("not begun") };
    *submission
}

fn refused(next: Next) -> (Refusal, u16) {
    let Next::Refuse(refusal, answer) = next else { panic!("not refused") };
    assert!(answer.body.is_empty());
    (refusal, answer.status)
}

fn read(answer: &HookAnswer) -> (u16, Value) {
    assert_eq!(answer.content_type, Some("application/json"));
    assert!(answer.headers.contains(&("Cache-Control", "no-store".into())));
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn reply(decision: Decision) -> Reply<'static> {
    Reply { decision, echo: "", person: None }
}

#[test]
fn start_begins_a_check_of_the_targets_id_and_is_answered_at_once() {
    let hook = hook(&json!({}));
    let submission = begun(Request::post(START, ana()).next(&*hook));
    assert_eq!(submission.who, Who::TargetId(TargetId("4f1c".into())));
    assert_eq!(submission.password.expose_secret(), "old secret");
    assert_eq!(submission.login.as_deref(), Some("ana@example.org"));
    assert!(submission.correlation.is_none() && submission.once.is_none() && !submission.may_be_damaged);
    let received = json!({"message": "Received", "contextId": "0d2b"});
    assert_eq!(read(&hook.begun("0d2b")), (200, received));
    let limits = hook.limits();
    assert_eq!((limits.deadline, limits.background), (Duration::from_millis(800), Duration::from_secs(8)));
    assert!(!hook.writes_credential());
}

#[test]
fn a_password_is_taken_as_it_is() {
    let hook = hook(&json!({}));
    for password in [" a b ", "e\u{301}", "\u{e9}", "\u{1f600}", "a\u{0}b", ""] {
        let body = json!({"id": "1", "username": "a", "password": password}).to_string();
        assert_eq!(begun(Request::post(START, body).next(&*hook)).password.expose_secret(), password);
    }
}

#[test]
fn start_result_and_check_want_proof_of_who_calls_and_poll_wants_none() {
    let hook = hook(&json!({"one_call": true}));
    for path in [START, STATUS, "/check"] {
        for header in [None, Some("Bearer other"), Some("Basic OmE=")] {
            let mut request = Request::post(path, "not even JSON");
            request.headers.remove(0);
            request.headers.extend(header.map(|value| ("authorization", value.to_owned())));
            assert_eq!(refused(request.next(&*hook)), (Refusal::Unauthenticated, 401), "{path} {header:?}");
        }
    }
    assert!(matches!(Request::poll(Some("contextId=c"), None).next(&*hook), Next::Poll(context) if context == "c"));
}

#[test]
fn a_body_of_another_form_is_refused() {
    let hook = hook(&json!({"one_call": true}));
    let long = format!(r#"{{"id":"{}","username":"a","password":"p"}}"#, "x".repeat(2_000));
    let bodies = [
        "",
        "[]",
        "null",
        "{}",
        "{\"id\":\"1\"}",
        r#"{"id":"","username":"a","password":"p"}"#,
        r#"{"id":"1","username":"","password":"p"}"#,
        r#"{"id":"1","username":"a"}"#,
        r#"{"id":"1","username":"a","password":null}"#,
        r#"{"id":1,"username":"a","password":"p"}"#,
        r#"{"id":"1","username":"a","password":"p"} x"#,
        &long,
    ];
    for (path, body) in [START, "/check"].iter().flat_map(|path| bodies.map(|body| (*path, body))) {
        assert_eq!(refused(Request::post(path, body).next(&*hook)), (Refusal::Malformed, 400), "{body}");
    }
    for body in ["{}", r#"{"contextId":"c"}"#, r#"{"username":"a"}"#, r#"{"contextId":"","username":"a"}"#] {
        assert_eq!(refused(Request::post(STATUS, body).next(&*hook)), (Refusal::Malformed, 400), "{body}");
    }
    let mut form = Request::post(START, ana());
    form.headers[1].1 = "application/x-www-form-urlencoded".into();
    assert_eq!(refused(form.next(&*hook)), (Refusal::Malformed, 400));
}

#[test]
fn other_addresses_and_methods_are_not_there() {
    let hook = hook(&json!({}));
    for (method, path) in [
        ("POST", ""),
        ("POST", "/"),
        ("GET", START),
        ("PUT", STATUS),
        ("HEAD", STATUS),
        ("POST", "/check"),
        ("POST", "/start-authentication/"),
        ("OPTIONS", START),
    ] {
        let request = Request { method, ..Request::post(path, ana()) };
        let Next::Answer(answer) = request.next(&*hook) else { panic!("{method} {path}") };
        assert_eq!(answer, HookAnswer::empty(404));
    }
}

#[test]
fn bodies_that_are_no_utf8_are_latin1() {
    let body =
        [b"{\"id\":\"1\",\"username\":\"jos\xe9\",\"password\":\"p\xe4ss \xa7".as_slice(), b"\\u20ac\"}"].concat();
    for (latin1, damaged) in [(false, false), (true, true)] {
        let hook = hook(&json!({"latin1_bodies": latin1}));
        let submission = begun(Request::post(START, body.clone()).next(&*hook));
        assert_eq!(submission.login.as_deref(), Some("jos\u{e9}"));
        assert_eq!(submission.password.expose_secret(), "p\u{e4}ss \u{a7}\u{20ac}");
        assert_eq!(submission.may_be_damaged, damaged);
    }
    let result = Request::post(STATUS, b"{\"contextId\":\"c\",\"username\":\"jos\xe9\"}".as_slice());
    let next = result.next(&*hook(&json!({})));
    assert!(matches!(next, Next::Collect { login: Some(login), .. } if login == "jos\u{e9}"), "the same at both calls");
}

#[test]
fn only_a_caller_that_damages_passwords_gets_doubtful_ones_for_nothing() {
    for (password, doubtful) in [("plain", false), ("what?", true), ("p\u{e4}ss", true), ("\u{3bb}", true)] {
        let body = json!({"id": "1", "username": "jos\u{e9}", "password": password}).to_string();
        for (latin1, expected) in [(false, false), (true, doubtful)] {
            let hook = hook(&json!({"latin1_bodies": latin1}));
            let submission = begun(Request::post(START, body.clone()).next(&*hook));
            assert_eq!(submission.may_be_damaged, expected, "{password} {latin1}");
        }
    }
}

#[test]
fn poll_says_one_of_two_words_and_nothing_more() {
    let hook = hook(&json!({}));
    let poll = Request::poll(Some("contextId=a%2Db&_=17"), None);
    assert!(matches!(poll.next(&*hook), Next::Poll(context) if context == "a-b"));
    for (progress, word) in [(Progress::Pending, "PENDING"), (Progress::Complete, "COMPLETE")] {
        let answer = poll.with(|call| hook.polled(progress, call));
        assert_eq!(read(&answer), (200, json!({"status": word})));
        assert_eq!(answer.headers.len(), 1, "no origin is configured, so none is named");
    }
    for query in [None, Some(""), Some("contextId="), Some("contextid=c"), Some("contextId=a&contextId=b")] {
        assert_eq!(refused(Request::poll(query, None).next(&*hook)), (Refusal::Malformed, 400), "{query:?}");
    }
}

#[test]
fn listed_origins_may_read_the_poll_and_others_may_not() {
    let hook = hook(&json!({"allowed_origins": [ORIGIN, "http://localhost:9443"]}));
    for (origin, is_listed) in [
        (Some(ORIGIN), true),
        (Some("http://localhost:9443"), true),
        (Some("https://login.example.com.evil.example"), false),
        (Some("https://LOGIN.example.com"), false),
        (Some("http://login.example.com"), false),
        (Some("null"), false),
        (None, false),
    ] {
        let expected = is_listed.then(|| origin.unwrap().to_owned());
        let allowed = |answer: &HookAnswer| {
            assert!(answer.headers.contains(&("Vary", "Origin".into())));
            let header = answer.headers.iter().find(|(name, _)| *name == "Access-Control-Allow-Origin");
            header.map(|(_, value)| value.clone())
        };
        let poll = Request::poll(Some("contextId=c"), origin);
        assert_eq!(allowed(&poll.with(|call| hook.polled(Progress::Pending, call))), expected, "{origin:?}");
        let Next::Answer(preflight) = Request { method: "OPTIONS", ..Request::poll(None, origin) }.next(&*hook) else {
            panic!("{origin:?}")
        };
        assert_eq!((preflight.status, allowed(&preflight)), (204, expected.clone()));
        let methods = preflight.headers.contains(&("Access-Control-Allow-Methods", "GET".into()));
        assert_eq!(methods, is_listed);
        let Next::Refuse(_, answer) = Request::poll(None, origin).next(&*hook) else { panic!("{origin:?}") };
        assert_eq!(allowed(&answer), expected);
    }
}

#[test]
fn result_gives_the_context_and_the_name_and_unknown_ones_are_told() {
    let hook = hook(&json!({}));
    let body = json!({"contextId": "c", "username": "ana"}).to_string();
    let Next::Collect { context, login } = Request::post(STATUS, body).next(&*hook) else { panic!("not collected") };
    assert_eq!((context.as_str(), login.as_deref()), ("c", Some("ana")));
    assert_eq!(read(&hook.collected(&Collected::Unknown)), (400, json!({"message": "Invalid context id"})));
    let other = json!({"status": "FAIL", "message": "Invalid request"});
    assert_eq!(read(&hook.collected(&Collected::OtherLogin)), (200, other));
}

#[test]
fn every_decision_has_its_answer_and_only_the_text_tells_an_outage() {
    const LATER: &str = "Something went wrong. Please try again later.";
    const BARRED: &str = "This account cannot be used. Please contact support.";
    let yes = json!({"status": "SUCCESS", "message": "Authenticated successful"});
    let no = |message: &str| json!({"status": "FAIL", "message": message});
    let waits = [Wait::Outage, Wait::Overloaded, Wait::Limited, Wait::Unsettled].map(Decision::TryLater);
    let bars = [Bar::Locked, Bar::Disabled].map(Decision::Refuse);
    for (weak, due) in [("accept", yes.clone()), ("fail", no("Please reset your password."))] {
        let hook = hook(&json!({"weak_passwords": weak}));
        let fixed = [
            (Decision::Accept, yes.clone()),
            (Decision::AcceptAndChange, due),
            (Decision::Wrong, no("Invalid credentials")),
        ];
        let barred = bars.map(|decision| (decision, no(BARRED)));
        let later = waits.map(|decision| (decision, no(LATER)));
        for (decision, expected) in fixed.into_iter().chain(barred).chain(later) {
            assert_eq!(read(&hook.collected(&Collected::Decided(reply(decision)))), (200, expected.clone()));
            assert_eq!(read(&hook.answer(&reply(decision))), (200, expected.clone()), "{decision:?}");
            assert_eq!(hook.hands_over(decision), expected["status"] == "SUCCESS", "the script writes it on a yes");
        }
    }
    let own = hook(&json!({"refused_message": "Call us.", "try_later_message": "Later."}));
    assert_eq!(read(&own.answer(&reply(bars[0]))).1, no("Call us."));
    assert_eq!(read(&own.answer(&reply(waits[0]))).1, no("Later."));
}

#[test]
fn the_one_call_is_there_where_it_is_switched_on() {
    let on = hook(&json!({"one_call": true}));
    let Next::Check(submission) = Request::post("/check", ana()).next(&*on) else { panic!("not checked") };
    assert_eq!(submission.who, Who::TargetId(TargetId("4f1c".into())));
    let Next::Answer(answer) = Request::post("/check", ana()).next(&*hook(&json!({}))) else { panic!("it is there") };
    assert_eq!(answer.status, 404);
}

#[test]
fn settings_without_proof_or_with_a_wrong_origin_are_all_told() {
    let wrong = ["*", "https://login.example.com/", "login.example.com", "https://Login.example.com", "null"];
    let values = Values::default().with("allowed_origins", json!(wrong));
    let findings = kind().needs(&values).unwrap_err();
    assert_eq!(findings.len(), 1 + wrong.len(), "{findings:?}");
    assert_eq!(findings[2].hints, ["write \"https://login.example.com\""]);
    let right = Values::default().with("client_certificates", json!(["ab".repeat(32)]));
    assert!(kind().needs(&right).is_ok());
}

#[test]
fn the_sample_is_right_and_the_page_has_every_setting() {
    let document = Document { file: "sterna.toml".into(), text: kind().sample().into() };
    let table = document.parse().unwrap();
    let mut findings = Vec::new();
    let values = check(&document, table.get_ref(), table.span(), kind().settings(), "[hooks.x]", &mut findings);
    assert_eq!(findings, []);
    assert!(kind().needs(&values).is_ok());
    let page = include_str!("../../../../../docs/hooks/wso2-silent.md");
    for setting in kind().settings() {
        assert!(page.contains(&format!("`{}`", setting.name)), "{}", setting.name);
    }
}
