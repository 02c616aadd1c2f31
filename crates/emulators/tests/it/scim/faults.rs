//! Faults: what goes wrong, for whom, and what is left behind.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::world::{World, bulk, post, user};

/// A fault of this kind on everything of this route.
fn fault(kind: &str, on: &str, more: &str) -> String {
    format!("generated_users = 3\n[[fault]]\nkind = \"{kind}\"\non = \"{on}\"\n{more}")
}

async fn names(world: &World) -> Vec<String> {
    let state = world.state().await;
    let users = state["users"].as_array().unwrap().iter();
    users.filter_map(|one| one["userName"].as_str()).filter(|name| !name.contains('@')).map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn creates_end_as_the_table_says() {
    for (kind, answered, is_stored) in [
        ("lose_reply", None, true),
        ("lose_request", None, false),
        ("reset_before", None, false),
        ("reset_after", None, true),
        ("storm_429", Some(429), false),
        ("error_5xx_before", Some(503), false),
        ("error_5xx_after", Some(503), true),
        ("accepted_202", Some(202), true),
    ] {
        let world = World::new(&fault(kind, "create", "times = 1")).await;
        let got = world.try_send(Method::POST, "/Users", Some(user("ana"))).await;
        assert_eq!(got.as_ref().ok().map(|got| got.status.as_u16()), answered, "{kind}");
        assert_eq!(names(&world).await.len(), usize::from(is_stored), "{kind}");
        if let Ok(got) = got {
            assert_eq!(got.header("location"), "", "{kind}");
            assert_eq!(got.body.is_null(), kind == "accepted_202", "{kind}");
        }
        let report = world.control(Method::GET, "/faults", json!({})).await.body;
        assert_eq!(report, json!([{ "kind": kind, "seen": 1, "struck": 1 }]));
        world.create(user("bo")).await;
    }
}

#[tokio::test]
async fn a_late_commit_comes_after_the_connection_is_cut() {
    let world = World::new(&fault("late_commit", "create", "delay_ms = 300\ntimes = 1")).await;
    assert!(world.try_send(Method::POST, "/Users", Some(user("ana"))).await.is_err());
    assert!(names(&world).await.is_empty());
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(names(&world).await, ["ana"]);
}

#[tokio::test]
async fn a_fault_of_one_operation_is_that_operations_or_takes_the_whole_answer_along() {
    let world = World::new(&fault("error_5xx_after", "create", "match = \"bo\"\nstatus = 500")).await;
    let three = bulk(&[post("1", user("ana")), post("2", user("bo")), post("3", user("cy"))]);
    let got = world.post("/Bulk", three.clone()).await;
    let statuses: Vec<&Value> = got.body["Operations"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [&json!("201"), &json!("500"), &json!("201")]);
    assert_eq!(names(&world).await, ["ana", "bo", "cy"]);
    let world = World::new(&fault("lose_request", "create", "match = \"bo\"")).await;
    assert!(world.try_send(Method::POST, "/Bulk", Some(three.clone())).await.is_err());
    assert_eq!(names(&world).await, ["ana", "cy"]);
    let world = World::new(&fault("late_commit", "create", "match = \"bo\"\ndelay_ms = 200")).await;
    assert!(world.try_send(Method::POST, "/Bulk", Some(three.clone())).await.is_err());
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(names(&world).await, ["ana", "cy", "bo"]);
    let world = World::new(&fault("lose_request", "bulk", "")).await;
    assert!(world.try_send(Method::POST, "/Bulk", Some(three)).await.is_err());
    assert!(names(&world).await.is_empty());
}

#[tokio::test]
async fn lists_go_wrong_in_their_own_ways() {
    let world = World::new(&fault("ignore_filter", "list", "times = 1")).await;
    let filter = [("filter", "userName eq \"nobody\"")];
    assert_eq!(world.list("/Users", &filter).await.names().len(), 3);
    assert_eq!(world.list("/Users", &filter).await.names().len(), 0);
    let world = World::new(&fault("repeat_page", "list", "after = 1\ntimes = 1")).await;
    let page = async |start: &str| {
        let got = world.list("/Users", &[("startIndex", start), ("count", "1")]).await;
        got.names()[0].to_owned()
    };
    assert_eq!(page("1").await, "user0@example.org");
    assert_eq!(page("2").await, "user0@example.org");
    assert_eq!(page("2").await, "user1@example.org");
    let world = World::new(&fault("repeat_page", "list", "after = 1")).await;
    let first = world.list("/Users", &[("cursor", ""), ("count", "1")]).await;
    let cursor = first.body["nextCursor"].as_str().unwrap().to_owned();
    let again = world.list("/Users", &[("cursor", &cursor), ("count", "1")]).await;
    assert_eq!(again.body["nextCursor"], cursor.as_str());
}

#[tokio::test]
async fn a_stale_read_shows_what_was_and_a_read_delay_what_is_not_yet_known() {
    let world = World::new(&fault("stale_read", "read", "after = 1\ndelay_ms = 60000")).await;
    let path = world.create(user("ana")).await;
    assert_eq!(world.get(&path).await.status.as_u16(), 200);
    assert_eq!(world.get(&path).await.status.as_u16(), 404);
    let world = World::new("read_delay_ms = 400").await;
    let path = world.create(user("ana")).await;
    assert_eq!(world.get(&path).await.status.as_u16(), 404);
    assert_eq!(world.get("/Users").await.body["totalResults"], 0);
    let clash = world.post("/Users", user("ana")).await;
    assert_eq!(clash.status.as_u16(), 409);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.get(&path).await.status.as_u16(), 200);
    let world = World::new("read_delay_ms = 60000\nlagging_uniqueness = true").await;
    world.create(user("ana")).await;
    world.create(user("ana")).await;
}

#[tokio::test]
async fn discovery_and_tokens_go_wrong_too_and_latency_is_waited_for() {
    let world = World::new(&fault("error_5xx_before", "discovery", "status = 502\nretry_after = \"7\"")).await;
    let got = world.get("/ServiceProviderConfig").await;
    assert_eq!((got.status.as_u16(), got.header("retry-after")), (502, "7"));
    assert_eq!(world.get("/Users").await.status.as_u16(), 200);
    let world = World::new(&fault("lose_reply", "token", "times = 1")).await;
    let ready = world.emulator.ready();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", ready.client_id.as_deref().unwrap()),
        ("client_secret", ready.client_secret.as_deref().unwrap()),
    ];
    let ask = || world.http.post(ready.token_url.as_ref().unwrap()).form(&form).send();
    assert!(ask().await.is_err());
    assert_eq!(ask().await.unwrap().status().as_u16(), 200);
    let world = World::new(&fault("latency", "read", "delay_ms = 250")).await;
    let begun = Instant::now();
    world.get("/Users/nobody").await;
    assert!(begun.elapsed() >= Duration::from_millis(250));
}

#[tokio::test]
async fn faults_are_replaced_at_run_time_and_what_cannot_be_meant_is_refused() {
    let world = World::new("").await;
    let faults = json!({ "seed": 3, "faults": [{ "kind": "storm_429", "on": "any", "probability": 0.5 }] });
    world.control(Method::POST, "/faults", faults.clone()).await;
    let struck = async || {
        let mut struck = Vec::new();
        for _ in 0..20 {
            struck.push(world.get("/Users").await.status.as_u16() == 429);
        }
        struck
    };
    let first = struck().await;
    world.control(Method::POST, "/faults", faults).await;
    assert_eq!(first, struck().await, "the same seed strikes the same requests");
    assert!(first.contains(&true) && first.contains(&false));
    for wrong in [
        json!({ "kind": "latency", "every": 0 }),
        json!({ "kind": "none" }),
        json!({ "kind": "latency", "status": 200 }),
    ] {
        let got = world.control(Method::POST, "/faults", json!({ "faults": [wrong] })).await;
        assert_eq!(got.status.as_u16(), 400);
    }
}
