//! The sign-in side through the control side: a script as it is exported, and a service that answers it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Response;
use reqwest::Method;
use serde_json::{Value, json};
use sterna_wire::{Handler, Limits, Listener, Reply, Request, Server};

use super::{CUSTOM, World, user, with};

const IDENTITY_SERVER: &str = include_str!("../../data/wso2/login-is.js");
const ASGARDEO: &str = include_str!("../../data/wso2/login-asgardeo.js");

/// A service that knows one password.
struct Legacy {
    password: &'static str,
    asked: Mutex<Vec<Value>>,
    /// Whether the last password was right.
    is_right: Mutex<bool>,
}

struct Endpoint(Arc<Legacy>);

impl Handler for Endpoint {
    async fn handle(&self, request: Request, _peer: SocketAddr) -> Reply {
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let answer = match (request.method().as_str(), request.uri().path().rsplit('/').next()) {
            ("POST", Some("start-authentication")) => {
                *self.0.is_right.lock().unwrap() = body["password"] == self.0.password;
                self.0.asked.lock().unwrap().push(body);
                json!({ "message": "Received", "contextId": "c-1" })
            }
            ("GET", _) => json!({ "status": "COMPLETE" }),
            _ if *self.0.is_right.lock().unwrap() => {
                json!({ "status": "SUCCESS", "message": "Authenticated successful" })
            }
            _ => json!({ "status": "FAIL", "message": "Invalid credentials" }),
        };
        let response =
            Response::builder().header("content-type", "application/json").header("access-control-allow-origin", "*");
        Reply::Send(response.body(Bytes::from(answer.to_string())).unwrap())
    }
}

async fn legacy(password: &'static str) -> (Arc<Legacy>, String, Server) {
    let legacy = Arc::new(Legacy { password, asked: Mutex::default(), is_right: Mutex::default() });
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None, Limits::default()).await.unwrap();
    let root = format!("http://{}", listener.address());
    let server = listener.serve(Arc::new(Endpoint(Arc::clone(&legacy))));
    (legacy, root, server)
}

async fn attach(world: &World, script: &str, root: &str) -> Value {
    let script = script.replace("https://sterna.example.com", root).replace("http://127.0.0.1:9", root);
    let secrets = json!({ "sternaToken": "t", "consumerKey": "k", "consumerSecret": "s" });
    let body = json!({ "script": script, "secrets": secrets });
    let got = world.control(Method::POST, "/silent-migration", body).await;
    assert_eq!(got.status, 200, "{:?}", got.body);
    got.body
}

async fn sign_in(world: &World, name: &str, password: &str) -> String {
    let got = world.control(Method::POST, "/sign-in", json!({ "username": name, "password": password })).await;
    got.body["outcome"].as_str().unwrap_or_else(|| panic!("{:?}", got.body)).to_owned()
}

#[tokio::test]
async fn a_password_moves_at_the_first_sign_in() {
    let (legacy, root, _server) = legacy("old").await;
    let world = World::server("").await;
    let mails = json!({ "emails": [{ "value": "ana@example.org" }] });
    let id = world.create(with("ana", &mails)).await.id();
    let report = attach(&world, IDENTITY_SERVER, &root).await;
    assert_eq!(
        (&report["flow"], &report["function"], &report["store"]),
        (&json!("wait"), &json!("httpPost"), &json!("PRIMARY"))
    );
    assert_eq!(sign_in(&world, "ana", "wrong").await, "refused");
    assert_eq!(sign_in(&world, "ana@example.org", "old").await, "moved");
    assert_eq!(legacy.asked.lock().unwrap()[1], json!({ "id": id, "username": "ana", "password": "old" }));
    let stored = world.stored("ana").await;
    assert_eq!((&stored["_password"], &stored[CUSTOM]["is_migrated"]), (&json!("old"), &json!("true")));
    assert_eq!(sign_in(&world, "ana", "old").await, "signed-in");
    assert_eq!(sign_in(&world, "ana", "wrong").await, "refused");
    assert_eq!(legacy.asked.lock().unwrap().len(), 2, "nobody is asked about who is migrated");
    assert_eq!(sign_in(&world, "nobody", "old").await, "refused");
}

#[tokio::test]
async fn asgardeo_looks_in_its_own_store_and_calls_by_call_choreo() {
    let (legacy, root, _server) = legacy("Old-Passw0rd").await;
    let world = World::asgardeo("").await;
    world.create(user("ana@example.org")).await;
    assert_eq!(attach(&world, ASGARDEO, &root).await["function"], "callChoreo");
    assert_eq!(sign_in(&world, "ana@example.org", "Old-Passw0rd").await, "moved");
    assert_eq!(legacy.asked.lock().unwrap()[0]["username"], "ana@example.org");
    assert_eq!(world.stored("DEFAULT/ana@example.org").await[CUSTOM]["is_migrated"], "true");
}

#[tokio::test]
async fn rules_are_skipped_by_the_fourth_argument_where_the_version_knows_it() {
    let (_legacy, root, _server) = legacy("old").await;
    let script = IDENTITY_SERVER.replace("skipPasswordValidation = true", "skipPasswordValidation = false");
    for (quirks, script, outcome) in [
        ("", script.as_str(), "error"),
        ("quirks = [\"ignores_skipped_rules\"]", IDENTITY_SERVER, "error"),
        ("", IDENTITY_SERVER, "moved"),
    ] {
        let world = World::server(quirks).await;
        world.create(user("ana")).await;
        attach(&world, script, &root).await;
        assert_eq!(sign_in(&world, "ana", "old").await, outcome, "{quirks}");
    }
}

#[tokio::test]
async fn locked_users_and_scripts_that_are_taken_away_ask_nobody() {
    let (legacy, root, _server) = legacy("old").await;
    let world = World::server("").await;
    let locked = json!({ "schemas": [super::USER, super::SYSTEM], super::SYSTEM: { "accountLocked": true } });
    world.create(with("ana", &locked)).await;
    world.create(user("bob")).await;
    attach(&world, IDENTITY_SERVER, &root).await;
    assert_eq!(sign_in(&world, "ana", "Str0ng-Passw0rd!").await, "refused");
    assert_eq!(sign_in(&world, "bob", "Str0ng-Passw0rd!").await, "signed-in");
    assert_eq!(world.control(Method::DELETE, "/silent-migration", json!({})).await.status, 200);
    assert_eq!(sign_in(&world, "bob", "old").await, "refused");
    assert!(legacy.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_script_that_is_not_understood_is_refused() {
    let world = World::server("").await;
    let got = world.control(Method::POST, "/silent-migration", json!({ "script": "var a = 1; alert(a);" })).await;
    assert_eq!(got.status, 400);
    assert!(got.body["error"].as_str().unwrap().contains("line 1"), "{:?}", got.body);
}
