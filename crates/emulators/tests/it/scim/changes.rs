//! Replace, delete, and versions (RFC 7644 3.5.1, 3.6, 3.14).

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::world::{USER, World, patch, read, user};

#[tokio::test]
async fn a_replace_clears_what_it_does_not_name_and_keeps_the_password_and_the_id() {
    let world = World::new("").await;
    let body = json!({ "schemas": [USER], "userName": "ana", "password": "First-1", "nickName": "An", "title": "Dr" });
    let path = world.create(body).await;
    let id = path.strip_prefix("/Users/").unwrap();
    let got = world.put(&path, json!({ "schemas": [USER], "id": "other", "userName": "ana2", "title": "Prof" })).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.body);
    assert_eq!((got.id().as_str(), got.body["userName"].as_str()), (id, Some("ana2")));
    assert_eq!((&got.body["nickName"], &got.body["title"]), (&Value::Null, &json!("Prof")));
    let state = world.state().await;
    assert_eq!(state["users"][0]["_password"], "First-1");
    world.create(user("bo")).await;
    let clash = world.put(&path, user("BO")).await;
    assert_eq!((clash.status.as_u16(), clash.kind()), (409, "uniqueness"));
    assert_eq!(world.put("/Users/nobody", user("x")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_deleted_user_is_gone_and_its_name_is_free() {
    let world = World::new("").await;
    let path = world.create(user("ana")).await;
    let gone = world.delete(&path).await;
    assert_eq!((gone.status.as_u16(), gone.body), (204, Value::Null));
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(world.send(method, &path, None).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(world.get("/Users").await.body["totalResults"], 0);
    world.create(user("ana")).await;
}

#[tokio::test]
async fn a_change_goes_through_only_at_the_version_that_it_was_meant_for() {
    let world = World::new("").await;
    let path = world.create(user("ana")).await;
    let change = patch(json!([{ "op": "add", "path": "title", "value": "Dr" }]));
    let conditional = async |method: Method, header: &str, tag: &str, body: Option<Value>| {
        let mut request = world.request(method, &path).header(header, tag);
        if let Some(body) = body {
            request = request.header("content-type", "application/scim+json").body(body.to_string());
        }
        read(request.send().await.unwrap()).await.unwrap()
    };
    let stale = conditional(Method::PATCH, "if-match", "W/\"7\"", Some(change.clone())).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let fresh = conditional(Method::PATCH, "if-match", "W/\"7\", W/\"1\"", Some(change.clone())).await;
    assert_eq!((fresh.status.as_u16(), fresh.header("etag")), (200, "W/\"2\""));
    let same = conditional(Method::PATCH, "if-match", "*", Some(change)).await;
    assert_eq!(same.header("etag"), "W/\"2\"", "what changes nothing makes no version");
    let known = conditional(Method::GET, "if-none-match", "W/\"2\"", None).await;
    assert_eq!((known.status.as_u16(), known.body), (304, Value::Null));
    let other = conditional(Method::GET, "if-none-match", "W/\"1\"", None).await;
    assert_eq!(other.status, StatusCode::OK);
    let stale = conditional(Method::DELETE, "if-match", "W/\"1\"", None).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let gone = conditional(Method::DELETE, "if-match", "W/\"2\"", None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_service_without_versions_says_none_and_heeds_none() {
    let world = World::new("[features]\netag = false").await;
    let path = world.create(user("ana")).await;
    let got = world.get(&path).await;
    assert_eq!((got.header("etag"), &got.body["meta"]["version"]), ("", &Value::Null));
    let request = world.request(Method::DELETE, &path).header("if-match", "W/\"7\"");
    assert_eq!(request.send().await.unwrap().status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn methods_and_addresses_that_do_not_exist_are_refused() {
    let world = World::new("").await;
    let path = world.create(user("ana")).await;
    for (method, path, status, allow) in [
        (Method::PUT, "/Users", 405, "GET, POST"),
        (Method::POST, path.as_str(), 405, "GET, PUT, PATCH, DELETE"),
        (Method::GET, "/Bulk", 405, "POST"),
        (Method::POST, "/Schemas", 405, "GET"),
        (Method::GET, "/Me", 501, ""),
        (Method::GET, "/Nothing", 404, ""),
        (Method::GET, "/Users/a/b", 404, ""),
    ] {
        let got = world.send(method, path, None).await;
        assert_eq!((got.status.as_u16(), got.header("allow")), (status, allow), "{path}");
    }
}
