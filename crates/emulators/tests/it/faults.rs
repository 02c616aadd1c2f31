//! Every fault, seen from the client's side.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sterna_emulators::entra::Scenario;

use crate::support::{World, create_item, local, social};

fn fault(rest: &str) -> String {
    format!("[[fault]]\n{rest}\n")
}

async fn world(rest: &str) -> World {
    World::new(&fault(rest)).await
}

/// Whether a create of this user gets any answer.
async fn is_answered(world: &World, name: &str) -> bool {
    world.request(Method::POST, "/users").json(&social(name)).send().await.is_ok()
}

async fn users(world: &World) -> Vec<String> {
    let state = world.state().await;
    state["users"].as_array().unwrap().iter().map(|user| user["displayName"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_lost_reply_leaves_the_user_there() {
    let world = world("kind = \"lose_reply\"\non = \"create\"\nmatch = \"Ana\"\ntimes = 1").await;
    assert!(is_answered(&world, "Bo").await);
    assert!(!is_answered(&world, "Ana").await);
    assert_eq!(users(&world).await, ["Bo", "Ana"]);
    assert_eq!(world.post("/users", social("Ana")).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_lost_request_leaves_nothing() {
    let world = world("kind = \"lose_request\"\non = \"create\"\ntimes = 1").await;
    assert!(!is_answered(&world, "Ana").await);
    assert!(users(&world).await.is_empty());
    assert!(is_answered(&world, "Ana").await);
}

#[tokio::test]
async fn a_late_commit_comes_after_the_connection_is_gone() {
    let world = world("kind = \"late_commit\"\non = \"create\"\ndelay_ms = 300\ntimes = 1").await;
    assert!(!is_answered(&world, "Ana").await);
    assert!(users(&world).await.is_empty());
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(users(&world).await, ["Ana"]);
}

#[tokio::test]
async fn a_reset_is_a_reset_before_or_after_the_commit() {
    for (after, held) in [("false", 0), ("true", 1)] {
        let world = world(&format!("kind = \"reset\"\non = \"create\"\nafter_commit = {after}")).await;
        let error = world.request(Method::POST, "/users").json(&social("Ana")).send().await.unwrap_err();
        assert!(format!("{error:?}").contains("ConnectionReset"), "{error:?}");
        assert_eq!(users(&world).await.len(), held);
    }
}

#[tokio::test]
async fn a_storm_answers_429_with_the_retry_after_it_is_given() {
    let world = world("kind = \"storm_429\"\non = \"create\"\nfirst = 2\nretry_after = \"0.249\"").await;
    let got = world.post("/users", social("Ana")).await;
    assert_eq!((got.status, &got.headers["retry-after"]), (StatusCode::TOO_MANY_REQUESTS, &"0.249".parse().unwrap()));
    let got = world.batch(vec![create_item(1, &social("Ana")), create_item(2, &social("Bo"))]).await;
    assert_eq!(got.body["responses"][0]["status"], 429);
    assert_eq!(got.body["responses"][1]["status"], 201);
    assert_eq!(world.state().await["counters"]["throttled"], 2);
}

#[tokio::test]
async fn a_server_error_comes_before_or_after_the_commit() {
    let before = world("kind = \"error_5xx_before\"\non = \"create\"\nstatus = 504\nretry_after = \"3\"").await;
    let got = before.post("/users", social("Ana")).await;
    assert_eq!(
        (got.status, got.code(), &got.headers["retry-after"]),
        (StatusCode::GATEWAY_TIMEOUT, "UnknownError", &"3".parse().unwrap())
    );
    assert!(users(&before).await.is_empty());
    let after = world("kind = \"error_5xx_after\"\non = \"create\"\nstatus = 500").await;
    assert_eq!(after.post("/users", social("Ana")).await.code(), "Service_InternalServerError");
    assert_eq!(users(&after).await, ["Ana"]);
}

#[tokio::test]
async fn latency_delays_the_answer() {
    let world = world("kind = \"latency\"\non = \"read\"\ndelay_ms = 200").await;
    let id = world.create(social("Ana")).await.id();
    let started = Instant::now();
    world.get(&format!("/users/{id}")).await;
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_stale_read_shows_what_was_before() {
    let world = world("kind = \"stale_read\"\non = \"read\"\ndelay_ms = 60000\nevery = 2").await;
    let id = world.create(social("Ana")).await.id();
    let path = format!("/users/{id}");
    assert_eq!(world.get(&path).await.status, StatusCode::OK);
    assert_eq!(world.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_repeated_link_leads_to_its_own_page() {
    let world =
        World::new(&format!("{}[tenant]\ngenerated_users = 9", fault("kind = \"repeat_next_link\"\non = \"list\"")))
            .await;
    let first = world.get("/users?$top=3&$select=id").await;
    let link = first.body["@odata.nextLink"].as_str().unwrap();
    let second = world.get(link).await;
    assert_eq!(second.body["@odata.nextLink"], link);
    assert_eq!(world.get(link).await.body, second.body);
}

#[tokio::test]
async fn losing_one_item_loses_the_answer_of_its_batch_while_the_others_are_carried_out() {
    for (kind, held) in [("lose_reply", 3), ("lose_request", 2)] {
        let world = world(&format!("kind = \"{kind}\"\non = \"create\"\nmatch = \"Bo\"")).await;
        let items: Vec<Value> =
            ["Ana", "Bo", "Cy"].iter().enumerate().map(|(at, name)| create_item(at, &social(name))).collect();
        let sent = world.request(Method::POST, "/$batch").json(&json!({ "requests": items })).send().await;
        assert!(sent.is_err());
        assert_eq!(users(&world).await.len(), held, "{kind}");
    }
}

#[tokio::test]
async fn an_envelope_fault_strikes_the_batch_as_a_whole() {
    for (kind, held) in
        [("lose_request", 0), ("lose_reply", 2), ("error_5xx_before", 0), ("error_5xx_after", 2), ("storm_429", 0)]
    {
        let world = world(&format!("kind = \"{kind}\"\non = \"batch\"\ntimes = 1")).await;
        let items = vec![create_item(0, &social("Ana")), create_item(1, &social("Bo"))];
        let sent = world.request(Method::POST, "/$batch").json(&json!({ "requests": items })).send().await;
        assert!(sent.is_ok_and(|answer| answer.status().is_success()).eq(&false));
        assert_eq!(users(&world).await.len(), held, "{kind}");
    }
}

#[tokio::test]
async fn the_token_endpoint_can_fail_too() {
    let world = World::new("").await;
    world
        .control(
            Method::POST,
            "/faults",
            json!({ "faults": [{ "kind": "error_5xx_before", "on": "token", "times": 1 }] }),
        )
        .await;
    let ready = world.emulator.ready().clone();
    let (id, secret) = (ready.client_id.unwrap(), ready.client_secret.unwrap());
    let got = world.token_request(&[("client_id", &id), ("client_secret", &secret)]).await;
    assert_eq!((got.status, &got.body["error"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("temporarily_unavailable")));
    world.sign_in(&id, &secret).await;
    let report = world.control(Method::GET, "/faults", json!({})).await;
    assert_eq!(report, json!([{ "kind": "error_5xx_before", "seen": 2, "struck": 1 }]));
}

#[tokio::test]
async fn the_same_seed_strikes_the_same_requests() {
    let scenario = format!("seed = 11\n{}", fault("kind = \"error_5xx_before\"\non = \"create\"\nprobability = 0.5"));
    let mut runs = Vec::new();
    for _ in 0..2 {
        let world = World::new(&scenario).await;
        let mut statuses = Vec::new();
        for number in 0..20 {
            statuses.push(world.post("/users", local(&format!("user{number}"))).await.status);
        }
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&StatusCode::CREATED) && runs[0].contains(&StatusCode::SERVICE_UNAVAILABLE));
}

#[test]
fn a_scenario_that_cannot_be_meant_is_an_error() {
    let cases = [
        "[[fault]]\nkind = \"lose_replies\"",
        "[[fault]]\nkind = \"lose_reply\"\nwhen = \"always\"",
        "[[fault]]\nkind = \"lose_reply\"\nprobability = 2",
        "[[fault]]\nkind = \"lose_reply\"\nevery = 0",
        "[[fault]]\nkind = \"error_5xx_before\"\nstatus = 200",
        "read_delay = 5",
        "[quota]\nwrites = 5",
        "[tenant]\nsize = \"xl\"",
        "[switches]\nunheard_of = true",
    ];
    for text in cases {
        assert!(Scenario::parse(text).is_err(), "{text}");
    }
}
