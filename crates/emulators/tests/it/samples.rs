//! The error bodies, compared with the samples of the reference.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Got, World, local, social};

/// The sample of this situation.
fn sample(when: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../data/graph-error-samples.json")).unwrap();
    let samples = all["samples"].as_array().unwrap();
    samples.iter().find(|sample| sample["when"] == when).unwrap().clone()
}

/// An error body without what is new each time.
fn steady(mut body: Value) -> Value {
    for member in ["date", "request-id", "client-request-id"] {
        assert!(body["error"]["innerError"][member].is_string());
        body["error"]["innerError"][member] = json!("*");
    }
    body
}

fn check(when: &str, got: &Got, replaced: &[(&str, &str)]) {
    let sample = sample(when);
    assert_eq!(u64::from(got.status.as_u16()), sample["http"].as_u64().unwrap(), "{when}");
    let mut wanted = sample["body"].to_string();
    for (from, to) in replaced {
        wanted = wanted.replace(from, to);
    }
    assert_eq!(steady(got.body.clone()), steady(serde_json::from_str(&wanted).unwrap()), "{when}");
}

#[tokio::test]
async fn every_sample_of_the_reference_is_answered_to_the_letter() {
    let world = World::new("[tenant]\nobject_quota = 1").await;
    let mut first = local("Ana");
    first["userPrincipalName"] = json!("key@contoso.onmicrosoft.com");
    let id = world.create(first.clone()).await.id();
    world.control(Method::DELETE, &format!("/users/{id}"), json!({})).await;
    check("object quota full", &world.post("/users", first.clone()).await, &[]);
    check(
        "object missing",
        &world.get(&format!("/users/{id}")).await,
        &[("66666666-aaaa-4bbb-8ccc-dddddddddddd", &id)],
    );

    let world = World::new("").await;
    world.create(first.clone()).await;
    check("UPN or identity already used", &world.post("/users", first).await, &[]);
    check("identity already used (email)", &world.post("/users", local("Ana")).await, &[]);
    let mut weak = local("Bo");
    weak["passwordProfile"]["password"] = json!("weak");
    check("weak password", &world.post("/users", weak).await, &[]);
    let mut foreign = local("Bo");
    foreign["identities"][0]["issuer"] = json!("fabrikam.com");
    check("issuer of a local identity is not a tenant domain", &world.post("/users", foreign).await, &[]);
    let mut unverified = local("Bo");
    unverified["userPrincipalName"] = json!("bo@fabrikam.com");
    check("UPN domain not verified", &world.post("/users", unverified).await, &[]);
    let mut extension = local("Bo");
    extension["extension_00_toBeMigrated"] = json!(true);
    check(
        "extension property not registered or not replicated",
        &world.post("/users", extension).await,
        &[("<appid>", "00")],
    );
    world.control(Method::POST, "/tokens/expire", json!({})).await;
    check("token bad or expired", &world.get("/users").await, &[]);

    let world = World::new("[[app]]\nroles = []").await;
    check("permission missing", &world.post("/users", social("x")).await, &[]);
}

#[tokio::test]
async fn the_callers_own_request_id_comes_back() {
    let world = World::new("").await;
    let sent = world.request(Method::GET, "/users/nobody").header("client-request-id", "mine").send().await.unwrap();
    assert_eq!(sent.headers()["client-request-id"], "mine");
}
