//! Whole sign-ins against a service that answers as a test wants.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use sterna_wire::{Handler, Limits, Listener, Reply, Request, Server};

use super::People;
use super::run::SignIn;
use super::settings::SilentMigration;
use super::token::Tokens;
use crate::wso2::script::Engine;

const IDENTITY_SERVER: &str = include_str!("../../../tests/data/wso2/login-is.js");
const ASGARDEO: &str = include_str!("../../../tests/data/wso2/login-asgardeo.js");
const ONE_CALL: &str = include_str!("../../../tests/data/wso2/one-call.js");
const FLAG: &str = "http://wso2.org/claims/is_migrated";
const ORIGIN: &str = "http://wso2.example";

/// What the service does next.
#[derive(Clone)]
enum Says {
    Json(u16, Value),
    /// Another content type.
    Text(&'static str),
    /// Nothing for longer than the caller waits.
    Nothing,
}

/// A service that answers from a list, and keeps what it was asked.
#[derive(Default)]
struct Service {
    says: Mutex<VecDeque<Says>>,
    asked: Mutex<Vec<(String, String, Vec<u8>)>>,
    /// The origin that its answers allow.
    allows: Mutex<Option<&'static str>>,
}

impl Service {
    fn asked(&self) -> Vec<(String, String, Vec<u8>)> {
        self.asked.lock().unwrap().clone()
    }

    /// The calls alone.
    fn calls(&self) -> Vec<String> {
        self.asked().into_iter().map(|(call, _, _)| call).collect()
    }

    fn body(&self, at: usize) -> Value {
        serde_json::from_slice(&self.asked()[at].2).unwrap()
    }
}

struct Endpoint(Arc<Service>);

impl Handler for Endpoint {
    async fn handle(&self, request: Request, _peer: SocketAddr) -> Reply {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let address = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        let call = format!("{} {}", request.method(), address.trim_start_matches("/hooks/wso2"));
        let proof = header("authorization").to_owned();
        self.0.asked.lock().unwrap().push((call, proof, request.body().to_vec()));
        let next = self.0.says.lock().unwrap().pop_front();
        let (status, kind, text) = match next {
            None => return Reply::Close,
            Some(Says::Nothing) => {
                tokio::time::sleep(Duration::from_secs(3)).await;
                return Reply::Close;
            }
            Some(Says::Text(text)) => (200, "text/plain", text.to_owned()),
            Some(Says::Json(status, body)) => (status, "application/json", body.to_string()),
        };
        let mut response = Response::builder().status(status).header("content-type", kind);
        if let Some(origin) = *self.0.allows.lock().unwrap() {
            response = response.header("access-control-allow-origin", origin);
        }
        Reply::Send(response.body(Bytes::from(text)).unwrap())
    }
}

/// One user, Ana, with a random password.
#[derive(Default)]
struct Ana {
    password: Mutex<String>,
    claims: Mutex<BTreeMap<String, String>>,
    refuses: bool,
    skipped: Mutex<Option<bool>>,
}

impl People for Ana {
    fn check(&self, typed: &str, password: &str) -> bool {
        ["ana", "ana@example.org"].contains(&typed) && *self.password.lock().unwrap() == password
    }

    fn resolve(&self, typed: &str) -> Option<String> {
        ["ana", "ana@example.org"].contains(&typed).then(|| "ana".to_owned())
    }

    fn find(&self, name: &str) -> Option<String> {
        ["PRIMARY/ana", "DEFAULT/ana"].contains(&name).then(|| "4f1c".to_owned())
    }

    fn claim(&self, _id: &str, uri: &str) -> Option<String> {
        self.claims.lock().unwrap().get(uri).cloned()
    }

    fn set_claim(&self, _id: &str, uri: &str, value: &str) {
        self.claims.lock().unwrap().insert(uri.to_owned(), value.to_owned());
    }

    fn update_password(&self, _id: &str, password: &str, skip_rules: bool) -> Result<(), String> {
        *self.skipped.lock().unwrap() = Some(skip_rules);
        if self.refuses {
            return Err("30003 - Credential is not valid".to_owned());
        }
        password.clone_into(&mut self.password.lock().unwrap());
        Ok(())
    }
}

struct World {
    service: Arc<Service>,
    setup: SilentMigration,
    tokens: Tokens,
    ana: Ana,
    _server: Server,
}

impl World {
    async fn new(script: &str, engine: Engine, says: Vec<Says>) -> Self {
        let service = Arc::new(Service::default());
        *service.says.lock().unwrap() = says.into();
        *service.allows.lock().unwrap() = Some("*");
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None, Limits::default()).await.unwrap();
        let root = format!("http://{}", listener.address());
        let server = listener.serve(Arc::new(Endpoint(Arc::clone(&service))));
        let script = script.replace("https://sterna.example.com", &root).replace("http://127.0.0.1:9", &root);
        let script = script.replace("https://gw", &root);
        let settings = json!({
            "script": script, "call_timeout_ms": 300, "second_ms": 40,
            "secrets": {"sternaToken": "t", "consumerKey": "k", "consumerSecret": "s"},
        });
        let setup = SilentMigration::new(serde_json::from_value(settings).unwrap(), engine).unwrap();
        let tokens = Tokens::issued_by(|key| format!("own-{key}"));
        Self { service, setup, tokens, ana: Ana::default(), _server: server }
    }

    async fn sign_in(&self, typed: &str, password: &str) -> (String, String, String) {
        let sign_in = SignIn { people: &self.ana, setup: Some(&self.setup), tokens: &self.tokens, origin: ORIGIN };
        let value = sign_in.run(typed, password).await.value();
        let text = |name: &str| value[name].as_str().unwrap().to_owned();
        (text("outcome"), text("message"), text("detail"))
    }
}

async fn identity_server(says: Vec<Says>) -> World {
    World::new(IDENTITY_SERVER, Engine::IdentityServer, says).await
}

fn received() -> Says {
    Says::Json(200, json!({ "message": "Received", "contextId": "c 1" }))
}

fn status(text: &str) -> Says {
    Says::Json(200, json!({ "status": text }))
}

#[tokio::test]
async fn the_five_calls_move_a_password() {
    let world = identity_server(vec![received(), status("PENDING"), status("COMPLETE"), status("SUCCESS")]).await;
    assert_eq!(world.sign_in("ana@example.org", "old pässword").await.0, "moved");
    let polled = "GET /authentication-status?contextId=c+1";
    let calls = ["POST /start-authentication", polled, polled, "POST /authentication-status"];
    assert_eq!(world.service.calls(), calls);
    assert_eq!(world.service.body(0), json!({ "id": "4f1c", "username": "ana", "password": "old pässword" }));
    assert_eq!(world.service.body(3), json!({ "contextId": "c 1", "username": "ana" }));
    let proofs: Vec<String> = world.service.asked().into_iter().map(|(_, proof, _)| proof).collect();
    assert_eq!(proofs, ["Bearer t", "", "", "Bearer t"], "the browser proves nothing");
    assert_eq!(world.ana.claim("", FLAG).as_deref(), Some("true"));
    assert_eq!(*world.ana.skipped.lock().unwrap(), Some(true));
    assert_eq!(world.sign_in("ana", "old pässword").await.0, "signed-in");
    assert_eq!(world.sign_in("ana", "other").await.0, "refused", "a moved password is the only one");
    assert_eq!(world.service.calls().len(), 4);
}

#[tokio::test]
async fn every_refusal_and_failure_says_what_happened() {
    let fail = |message: &str| Says::Json(200, json!({ "status": "FAIL", "message": message }));
    for (says, outcome, message, detail) in [
        (
            vec![received(), status("COMPLETE"), fail("Invalid credentials")],
            "refused",
            "Please check",
            "another password",
        ),
        (
            vec![received(), status("COMPLETE"), fail("Please call us.")],
            "refused",
            "Please call us.",
            "the service refuses",
        ),
        (
            vec![Says::Json(200, json!({ "message": "received", "contextId": "c" }))],
            "error",
            "Please try again in",
            "not understood",
        ),
        (vec![Says::Json(200, json!([1]))], "error", "Please try again in", "START: the answer is no JSON object"),
        (vec![Says::Json(401, json!({}))], "error", "Please try again in", "START: HTTP 401"),
        (vec![Says::Text("Received")], "error", "Please try again in", "not understood"),
        (vec![received(), status("DONE")], "error", "Please try again in", "POLL: the poll is answered with no status"),
        (
            vec![received(), Says::Json(404, json!({}))],
            "error",
            "Please try again in",
            "POLL: the poll is answered HTTP 404",
        ),
        (
            vec![received(), status("COMPLETE"), Says::Json(400, json!({}))],
            "error",
            "Please try again in",
            "RESULT: HTTP 400",
        ),
    ] {
        let world = identity_server(says).await;
        let ended = world.sign_in("ana", "old").await;
        assert_eq!(ended.0, outcome, "{ended:?}");
        assert!(ended.1.starts_with(message) && ended.2.contains(detail), "{ended:?}");
        assert_eq!(*world.ana.skipped.lock().unwrap(), None, "{ended:?}");
    }
}

#[tokio::test]
async fn http_post_repeats_5xx_and_timeouts_twice_and_nothing_else() {
    let broken = Says::Json(503, json!({}));
    let world =
        identity_server(vec![broken.clone(), broken.clone(), received(), status("COMPLETE"), status("SUCCESS")]).await;
    assert_eq!(world.sign_in("ana", "old").await.0, "moved");
    assert_eq!(world.service.calls().len(), 5);
    let world = identity_server(vec![broken.clone(), broken.clone(), broken, received()]).await;
    assert_eq!(world.sign_in("ana", "old").await.2, "START: HTTP 503");
    let world = identity_server(vec![Says::Nothing, Says::Nothing, Says::Nothing, received()]).await;
    assert_eq!(world.sign_in("ana", "old").await.2, "START: no answer within 300 ms");
    assert_eq!(world.service.calls().len(), 3);
}

#[tokio::test]
async fn the_wait_page_ends_after_its_time_and_keeps_to_its_origin() {
    let pending = vec![status("PENDING"); 20];
    let world = identity_server([vec![received()], pending].concat()).await;
    assert_eq!(world.sign_in("ana", "old").await.2, "POLL: not done in time");
    let polls = world.service.calls().len() - 1;
    assert!((2..=6).contains(&polls), "every 2 of 10 seconds: {polls}");
    let world = identity_server(vec![received(), status("COMPLETE")]).await;
    *world.service.allows.lock().unwrap() = Some("http://other.example");
    assert_eq!(
        world.sign_in("ana", "old").await.2,
        "POLL: the answer does not let a page of http://wso2.example read it"
    );
}

#[tokio::test]
async fn call_choreo_writes_latin_1_and_repeats_what_broke() {
    let says = vec![Says::Nothing, received(), status("COMPLETE"), status("SUCCESS")];
    let world = World::new(ASGARDEO, Engine::Asgardeo, says).await;
    assert_eq!(world.sign_in("ana", "ä\u{141}").await.0, "moved");
    let asked = world.service.asked();
    assert!(asked[1].2.windows(2).any(|part| part == b"\xe4?"), "{:?}", asked[1].2);
    assert_eq!(asked[1].1, "Bearer own-k");
    assert_eq!(world.ana.password.lock().unwrap().as_str(), "ä\u{141}", "what was typed is stored");
    let world = World::new(ASGARDEO, Engine::Asgardeo, vec![Says::Json(500, json!({})), received()]).await;
    assert_eq!(world.sign_in("ana", "old").await.2, "START: HTTP 500");
    let inactive = Says::Json(401, json!({ "code": "900901" }));
    let world = World::new(ASGARDEO, Engine::Asgardeo, vec![inactive.clone(), inactive]).await;
    assert_eq!(world.sign_in("ana", "old").await.2, "START: HTTP 401");
    assert_eq!(world.service.calls().len(), 2, "one new token");
}

#[tokio::test]
async fn a_token_by_client_credentials_is_used_again_while_it_is_a_jwt_that_lasts() {
    let token = |exp: i64| {
        use base64::Engine as _;
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json!({ "exp": exp }).to_string());
        Says::Json(200, json!({ "access_token": format!("e30.{claims}.x") }))
    };
    let wrong = Says::Json(200, json!({ "status": "FAIL" }));
    let says = vec![token(4_000_000_000), wrong.clone(), wrong.clone()];
    let world = World::new(ONE_CALL, Engine::IdentityServer, says).await;
    for _ in 0..2 {
        assert_eq!(world.sign_in("ana", "old").await.0, "refused");
    }
    assert_eq!(world.service.calls(), ["POST /token", "POST /check", "POST /check"]);
    let asked = world.service.asked();
    assert_eq!(
        (asked[0].1.as_str(), asked[0].2.as_slice()),
        ("Basic azpz", b"grant_type=client_credentials&scope=a+b".as_slice())
    );
    let world = World::new(ONE_CALL, Engine::IdentityServer, vec![token(1), wrong.clone(), token(1), wrong]).await;
    world.sign_in("ana", "old").await;
    world.sign_in("ana", "old").await;
    assert_eq!(world.service.calls(), ["POST /token", "POST /check", "POST /token", "POST /check"]);
}

#[tokio::test]
async fn a_password_that_cannot_be_stored_and_one_without_the_fourth_argument() {
    let mut world = World::new(
        ONE_CALL,
        Engine::IdentityServer,
        vec![Says::Json(200, json!({ "access_token": "t" })), status("SUCCESS")],
    )
    .await;
    world.ana.refuses = true;
    let ended = world.sign_in("ana", "old").await;
    assert!(ended.0 == "error" && ended.1.starts_with("It is right") && ended.2.contains("30003"), "{ended:?}");
    assert_eq!(*world.ana.skipped.lock().unwrap(), Some(false));
    assert_eq!(world.ana.claim("", FLAG), None);
}

#[tokio::test]
async fn nobody_is_asked_about_who_is_unknown_or_locked_or_where_there_is_no_script() {
    let world = identity_server(Vec::new()).await;
    for (typed, password) in [("bo", "old"), ("", "old"), ("ana", "")] {
        assert_eq!(world.sign_in(typed, password).await.0, "refused");
    }
    world.ana.set_claim("", "http://wso2.org/claims/identity/accountLocked", "true");
    assert_eq!(world.sign_in("ana", "old").await.2, "the user is migrated, locked or disabled");
    let sign_in = SignIn { people: &world.ana, setup: None, tokens: &world.tokens, origin: ORIGIN };
    assert_eq!(sign_in.run("ana", "old").await.value()["outcome"], "refused");
    assert!(world.service.calls().is_empty());
}

#[tokio::test]
async fn only_hosts_of_the_list_are_called() {
    let mut world = identity_server(vec![received()]).await;
    world.setup.allowed_domains = Some(vec!["example.com".to_owned()]);
    assert!(world.sign_in("ana", "old").await.2.contains("not in a domain"));
    assert!(world.service.calls().is_empty());
}
