//! Throttling in its real window shape (`entra.md` 5).

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Got, World, create_item, local, options, social};

fn retry_after(got: &Got) -> f64 {
    got.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_throttled_request_is_answered_as_the_sample_and_says_the_truth() {
    let world = World::new("[quota]\nwrites_per_second = 2\nwindow_secs = 1").await;
    for name in ["a", "b"] {
        world.create(social(name)).await;
    }
    let got = world.post("/users", social("c")).await;
    assert_eq!(got.status, StatusCode::TOO_MANY_REQUESTS);
    let sample: serde_json::Value = serde_json::from_str(include_str!("../data/graph-throttling.json")).unwrap();
    let mut wanted = sample["sample429"]["body"].clone();
    for member in ["date", "request-id"] {
        wanted["error"]["innerError"][member] = got.body["error"]["innerError"][member].clone();
    }
    assert_eq!(got.body, wanted);
    let ready = world.emulator.ready();
    let scope = format!(
        "Tenant_Application/ReadWrite/{}/{}",
        ready.client_id.as_ref().unwrap(),
        ready.tenant_id.as_ref().unwrap()
    );
    assert_eq!(got.headers["x-ms-throttle-scope"], scope.as_str());
    assert_eq!(got.headers["x-ms-throttle-information"], "WriteLimitExceeded");
    let wait = retry_after(&got);
    assert!(got.headers["retry-after"].to_str().unwrap().contains('.') && (0.0..=1.0).contains(&wait), "{wait}");
    tokio::time::sleep(Duration::from_secs_f64(wait)).await;
    world.create(social("c")).await;
    assert_eq!(world.state().await["counters"]["throttled"], 1);
}

#[tokio::test]
async fn the_early_warning_comes_above_four_fifths() {
    let world = World::new("[quota]\napp_tenant_writes = 10").await;
    for number in 0..10 {
        let got = world.create(social(&number.to_string())).await;
        let warned = got.headers.get("x-ms-throttle-limit-percentage").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(warned.is_some(), number >= 8, "{number}: {warned:?}");
    }
}

#[tokio::test]
async fn every_answer_names_its_cost() {
    let world = World::new("[tenant]\ngenerated_users = 1").await;
    let cases = [
        ("/users", "2"),
        ("/users?$select=id", "1"),
        ("/users?$top=5", "1"),
        ("/users?$select=id&$top=5", "1"),
        ("/domains", "1"),
        ("/applications", "2"),
    ];
    for (path, units) in cases {
        assert_eq!(world.get(path).await.headers["x-ms-resource-unit"], units, "{path}");
    }
    assert_eq!(world.create(local("Ana")).await.headers["x-ms-resource-unit"], "1");
}

#[tokio::test]
async fn reads_use_resource_units_and_no_writes() {
    let world = World::new("[quota]\napp_tenant_units = 4").await;
    for _ in 0..2 {
        assert_eq!(world.get("/users").await.status, StatusCode::OK);
    }
    let got = world.get("/users").await;
    assert_eq!(
        (got.status, &got.headers["x-ms-throttle-information"]),
        (StatusCode::TOO_MANY_REQUESTS, &"ResourceUnitLimitExceeded".parse().unwrap())
    );
}

#[tokio::test]
async fn applications_have_shares_of_their_own_within_the_tenants() {
    let scenario = "[quota]\napp_tenant_writes = 2\ntenant_writes = 3\n\
        [[app]]\nclient_id = \"11111111-1111-4111-8111-111111111111\"\nclient_secret = \"one\"\n\
        [[app]]\nclient_id = \"22222222-2222-4222-8222-222222222222\"\nclient_secret = \"two\"\n";
    let mut world = World::with(options(scenario)).await;
    world.create(social("a")).await;
    world.create(social("b")).await;
    assert_eq!(world.post("/users", social("c")).await.status, StatusCode::TOO_MANY_REQUESTS);
    world.token = world.sign_in("22222222-2222-4222-8222-222222222222", "two").await;
    world.create(social("c")).await;
    let full = world.post("/users", social("d")).await;
    assert!(full.headers["x-ms-throttle-scope"].to_str().unwrap().starts_with("Tenant/Write/"));
}

#[tokio::test]
async fn the_quota_can_be_changed_while_requests_go_on() {
    let world = World::new("[quota]\napp_tenant_writes = 1").await;
    world.create(social("a")).await;
    assert_eq!(world.post("/users", social("b")).await.status, StatusCode::TOO_MANY_REQUESTS);
    let now = world.control(Method::POST, "/quota", json!({ "writes_per_second": 60 })).await;
    assert_eq!(now, json!({ "app_tenant_writes": 9000, "window_secs": 150 }));
    world.create(social("b")).await;
    world.control(Method::POST, "/quota", json!({ "app_tenant_writes": 2 })).await;
    assert_eq!(world.post("/users", social("c")).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_prefilled_window_lets_the_even_rate_through_and_no_burst() {
    let world = World::new("[quota]\nwrites_per_second = 40\nwindow_secs = 5\nprefilled = true").await;
    let (started, mut made, mut turn) = (Instant::now(), 0_u32, 0_usize);
    while started.elapsed() < Duration::from_secs(1) {
        let items = (0..5).map(|at| create_item(at, &social(&format!("{turn}-{at}")))).collect();
        let got = world.batch(items).await;
        made +=
            got.body["responses"].as_array().unwrap().iter().map(|one| u32::from(one["status"] == 201)).sum::<u32>();
        turn += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!((36..=46).contains(&made), "{made} in a second");
}

#[tokio::test]
async fn the_form_of_retry_after_is_a_switch() {
    for (form, is_right) in [
        ("seconds", (|text| text.parse::<u64>().is_ok()) as fn(&str) -> bool),
        ("http-date", |text| text.ends_with(" GMT") && text.len() == 29),
    ] {
        let world = World::new(&format!("[quota]\napp_tenant_writes = 1\n[switches]\nretry_after = \"{form}\"")).await;
        world.create(social("a")).await;
        let got = world.post("/users", social("b")).await;
        let text = got.headers["retry-after"].to_str().unwrap();
        assert!(is_right(text), "{text}");
    }
}
