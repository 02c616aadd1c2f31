//! The quota: 429 with `Retry-After`.

use reqwest::Method;
use serde_json::json;
use sterna_emulators::scim::Options;

use super::world::{World, bulk, post, user};

#[tokio::test]
async fn writes_beyond_the_quota_wait_and_reads_go_on() {
    let world = World::new("[[quota]]\nunit = \"writes\"\ncount = 2\nwindow_secs = 60").await;
    world.create(user("ana")).await;
    world.create(user("bo")).await;
    let got = world.post("/Users", user("cy")).await;
    assert_eq!(got.status.as_u16(), 429);
    let wait: u64 = got.header("retry-after").parse().unwrap();
    assert!((50..=60).contains(&wait), "{wait}");
    assert_eq!(world.get("/Users").await.names(), ["ana", "bo"]);
    assert_eq!(world.state().await["counters"]["throttled"], 1);
    world.control(Method::POST, "/quota", json!([])).await;
    world.create(user("cy")).await;
}

#[tokio::test]
async fn a_bulk_request_costs_its_operations_and_a_rule_may_count_requests_of_one_route() {
    let world = World::new("[[quota]]\nunit = \"writes\"\ncount = 3\nwindow_secs = 60").await;
    let two = |first: &str, second: &str| bulk(&[post("1", user(first)), post("2", user(second))]);
    assert_eq!(world.post("/Bulk", two("a", "b")).await.status.as_u16(), 200);
    assert_eq!(world.post("/Bulk", two("c", "d")).await.status.as_u16(), 429);
    world.create(user("c")).await;
    let world = World::new(
        "retry_after = \"http-date\"\n[[quota]]\non = \"bulk\"\ncount = 1\nwindow_secs = 60\nper_address = true",
    )
    .await;
    assert_eq!(world.post("/Bulk", two("a", "b")).await.status.as_u16(), 200);
    let got = world.post("/Bulk", two("c", "d")).await;
    assert!(got.status.as_u16() == 429 && got.header("retry-after").ends_with(" GMT"), "{:?}", got.headers);
    world.create(user("c")).await;
}

#[tokio::test]
async fn a_rehearsal_sets_the_rate_whatever_the_scenario_says() {
    let options = Options { writes_per_second: Some(0.5), show_passwords: false, ..Options::default() };
    let world = World::with(options).await;
    for number in 0..5 {
        world
            .create(json!({ "schemas": [super::world::USER], "userName": number.to_string(), "password": "Str0ng" }))
            .await;
    }
    assert_eq!(world.post("/Users", user("six")).await.status.as_u16(), 429);
    assert!(!world.state().await.to_string().contains("Str0ng"));
}
