//! `$batch` (`entra.md` 5).

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{World, create_item, local, social};

fn statuses(body: &Value) -> Vec<u64> {
    body["responses"].as_array().unwrap().iter().map(|one| one["status"].as_u64().unwrap()).collect()
}

fn get_item(id: &str, url: &str) -> Value {
    json!({ "id": id, "method": "GET", "url": url })
}

#[tokio::test]
async fn twenty_creates_are_answered_each_for_itself() {
    let world = World::new("").await;
    let mut items: Vec<Value> = (0..19).map(|at| create_item(at, &local(&format!("user{at}")))).collect();
    items.push(create_item(19, &local("user0")));
    let got = world.batch(items).await;
    assert_eq!(got.status, StatusCode::OK);
    let mut wanted = vec![201; 19];
    wanted.push(400);
    assert_eq!(statuses(&got.body), wanted);
    let last = &got.body["responses"][19];
    assert_eq!(last["body"]["error"]["details"][0]["target"], "proxyAddresses");
    assert_eq!(got.body["responses"][0]["headers"]["x-ms-resource-unit"], "1");
    let counters = world.state().await["counters"].clone();
    assert_eq!(counters, json!({ "requests": 20, "writes": 20, "creates": 19, "conflicts": 1, "throttled": 0 }));
}

#[tokio::test]
async fn a_malformed_batch_is_refused_as_a_whole() {
    let world = World::new("").await;
    let ok = get_item("1", "/users");
    let cases = [
        ("no items", json!({ "requests": [] })),
        ("not a batch", json!({ "request": [] })),
        (
            "twenty-one items",
            json!({ "requests": (0..21).map(|at| get_item(&at.to_string(), "/users")).collect::<Vec<_>>() }),
        ),
        ("ids that differ in case only", json!({ "requests": [get_item("a", "/users"), get_item("A", "/users")] })),
        ("no id", json!({ "requests": [{ "method": "GET", "url": "/users" }] })),
        ("absolute url", json!({ "requests": [get_item("1", "https://graph.microsoft.com/v1.0/users")] })),
        (
            "body without content type",
            json!({ "requests": [{ "id": "1", "method": "POST", "url": "/users", "body": {} }] }),
        ),
        (
            "depends on what is not there",
            json!({ "requests": [{ "id": "1", "method": "GET", "url": "/users", "dependsOn": ["9"] }, ok] }),
        ),
    ];
    for (what, body) in cases {
        let got = world.post("/$batch", body).await;
        assert_eq!((got.status, got.code()), (StatusCode::BAD_REQUEST, "Request_BadRequest"), "{what}");
    }
    assert_eq!(world.get("/$batch").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_failure_of_a_parent_fails_its_children() {
    let world = World::new("").await;
    world.create(social("x")).await;
    let mut child = create_item(1, &social("y"));
    child["dependsOn"] = json!(["0"]);
    let mut free = create_item(2, &social("z"));
    free["depends_on"] = json!([]);
    let got = world.batch(vec![create_item(0, &social("x")), child, free]).await;
    assert_eq!(statuses(&got.body), [400, 424, 201]);
}

#[tokio::test]
async fn answers_without_a_body_and_plain_text_keep_their_form() {
    let world = World::new("").await;
    let id = world.create(social("x")).await.id();
    let count =
        json!({ "id": "1", "method": "GET", "url": "/users/$count", "headers": { "consistencylevel": "eventual" } });
    let delete = json!({ "id": "2", "method": "DELETE", "url": format!("users/{id}") });
    let got = world.batch(vec![count, delete]).await;
    assert_eq!(got.body["responses"][0]["body"], "MQ");
    assert_eq!(statuses(&got.body), [200, 204]);
    assert!(got.body["responses"][1].get("body").is_none());
}

#[tokio::test]
async fn each_item_is_throttled_for_itself_with_its_own_headers() {
    let quota = "[quota]\napp_tenant_writes = 2";
    let world = World::new(quota).await;
    let items = |from: usize| (from..from + 4).map(|at| create_item(at, &social(&at.to_string()))).collect::<Vec<_>>();
    let got = world.batch(items(0)).await;
    assert_eq!((got.status, statuses(&got.body)), (StatusCode::OK, vec![201, 201, 429, 429]));
    let headers: Vec<&String> = got.body["responses"].as_array().unwrap()[2..]
        .iter()
        .map(|one| {
            one["headers"].as_object().unwrap().keys().find(|name| name.eq_ignore_ascii_case("retry-after")).unwrap()
        })
        .collect();
    assert_ne!(headers[0], headers[1], "the case of the name varies");
    let switched = World::new(&format!("{quota}\n[switches]\nthrottled_batch_is_424 = true")).await;
    assert_eq!(switched.batch(items(0)).await.status, StatusCode::FAILED_DEPENDENCY);
}
