//! Addresses, tokens, scopes and budgets (wso2-scim.md 2.1, 2.2, 3.1).

use reqwest::Method;
use serde_json::{Value, json};

use super::{World, user};
use crate::support::{Got, read};

async fn token(world: &World, form: &[(&str, &str)]) -> Got {
    let ready = world.ready();
    let url = ready.token_url.as_ref().unwrap();
    let request =
        world.bare(Method::POST, url).basic_auth(ready.client_id.as_ref().unwrap(), ready.client_secret.as_ref());
    read(request.form(form).send().await.unwrap()).await
}

async fn with_scopes(world: &World, scopes: &str) -> String {
    let got = token(world, &[("grant_type", "client_credentials"), ("scope", scopes)]).await;
    assert_eq!(got.status, 200, "{:?}", got.body);
    got.body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_products_are_where_they_are_documented_to_be() {
    let server = World::server("").await;
    for path in ["/scim2", "/t/carbon.super/scim2", "/o/scim2", "/t/carbon.super/o/scim2"] {
        let url = format!("{}{path}/ServiceProviderConfig", server.root());
        assert_eq!(server.request(Method::GET, &url).send().await.unwrap().status(), 200, "{path}");
    }
    assert_eq!(server.ready().scim_url, Some(format!("{}/scim2", server.root())));
    let asgardeo = World::asgardeo("[product]\ntenant = \"shop\"").await;
    assert_eq!(asgardeo.ready().scim_url, Some(format!("{}/t/shop/scim2", asgardeo.root())));
    assert_eq!(asgardeo.ready().token_url, Some(format!("{}/t/shop/oauth2/token", asgardeo.root())));
    assert_eq!(asgardeo.ready().association_url, Some(format!("{}/t/shop/api/users/v1", asgardeo.root())));
    assert_eq!(asgardeo.ready().organization.as_deref(), Some("shop"));
    let url = format!("{}/scim2/Users", asgardeo.root());
    assert_eq!(asgardeo.request(Method::GET, &url).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn the_administrator_comes_in_by_name_at_identity_server_alone() {
    for (world, status) in [(World::server("").await, 200), (World::asgardeo("").await, 401)] {
        let request = world.bare(Method::GET, &world.scim("/Users")).basic_auth("admin", Some("admin"));
        assert_eq!(request.send().await.unwrap().status(), status);
        let request = world.bare(Method::GET, &world.scim("/Users")).bearer_auth("other");
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
}

#[tokio::test]
async fn a_token_has_the_scopes_it_asked_for_and_no_others() {
    let world = World::server("").await;
    let got = token(&world, &[("grant_type", "client_credentials"), ("scope", "internal_user_mgt_list other")]).await;
    assert_eq!((got.status.as_u16(), got.body["scope"].as_str()), (200, Some("internal_user_mgt_list")));
    let token = got.body["access_token"].as_str().unwrap().to_owned();
    let id = world.create(user("ana")).await.id();
    for (method, path, body, status) in [
        (Method::GET, "/Users".to_owned(), Value::Null, 200),
        (Method::GET, format!("/Users/{id}"), Value::Null, 403),
        (Method::POST, "/Users".to_owned(), user("bo"), 403),
        (Method::DELETE, format!("/Users/{id}"), Value::Null, 403),
        (Method::GET, "/Groups".to_owned(), Value::Null, 403),
        (Method::POST, "/Bulk".to_owned(), json!({}), 403),
        (Method::GET, "/ServiceProviderConfig".to_owned(), Value::Null, 200),
    ] {
        let request = world.bare(method.clone(), &world.scim(&path)).bearer_auth(&token).json(&body);
        assert_eq!(request.send().await.unwrap().status(), status, "{method} {path}");
    }
}

#[tokio::test]
async fn token_requests_are_refused_in_the_words_of_oauth() {
    let world = World::server("").await;
    for (form, status, error) in [
        (vec![("grant_type", "password")], 400, "unsupported_grant_type"),
        (vec![], 400, "invalid_request"),
        (
            vec![("grant_type", "organization_switch"), ("token", "x"), ("switching_organization", "y")],
            400,
            "invalid_grant",
        ),
    ] {
        let got = token(&world, &form).await;
        assert_eq!((got.status.as_u16(), got.body["error"].as_str()), (status, Some(error)), "{form:?}");
    }
    let url = world.ready().token_url.clone().unwrap();
    let request =
        world.bare(Method::POST, &url).basic_auth("x", Some("y")).form(&[("grant_type", "client_credentials")]);
    assert_eq!(read(request.send().await.unwrap()).await.body["error"], "invalid_client");
}

#[tokio::test]
async fn a_child_organisation_wants_a_token_of_its_own() {
    let world = World::asgardeo("[product]\norganizations = [\"org-1\"]").await;
    let root = with_scopes(&world, "internal_user_mgt_list").await;
    let form = [
        ("grant_type", "organization_switch"),
        ("token", root.as_str()),
        ("switching_organization", "org-1"),
        ("scope", "internal_org_user_mgt_list"),
    ];
    let child = token(&world, &form).await.body["access_token"].as_str().unwrap().to_owned();
    for (path, token, status) in [("o/scim2", &child, 200), ("o/scim2", &root, 403), ("scim2", &child, 403)] {
        let url = format!("{}/t/acme/{path}/Users", world.root());
        assert_eq!(world.bare(Method::GET, &url).bearer_auth(token).send().await.unwrap().status(), status, "{path}");
    }
}

#[tokio::test]
async fn a_minute_has_5_bulk_requests_and_200_others_in_asgardeo() {
    let world = World::asgardeo("retry_after = \"absent\"").await;
    let empty = json!({ "schemas": [], "Operations": [] });
    for _ in 0..5 {
        assert_eq!(world.post("/Bulk", empty.clone()).await.status, 200);
    }
    let refused = world.post("/Bulk", empty.clone()).await;
    assert_eq!((refused.status.as_u16(), refused.headers.get("retry-after")), (429, None));
    for _ in 0..200 {
        assert_eq!(world.get("/Users?count=0").await.status, 200);
    }
    assert_eq!(world.get("/Users?count=0").await.status, 429);
    let links = world.links(Method::GET, "/x/federated-associations", Value::Null).await;
    assert_eq!(links.status, 404, "the other interface has a budget of its own");
    let more = json!({ "bulk_per_minute": 10, "requests_per_minute": 1_000_000 });
    assert_eq!(world.control(Method::POST, "/rates", more).await.status, 200);
    assert_eq!(world.get("/Users?count=0").await.status, 200);
}

#[tokio::test]
async fn types_that_are_not_json_are_answered_406() {
    let world = World::server("").await;
    let url = world.scim("/Users");
    let body = user("ana").to_string();
    for (header, value, status) in [
        ("content-type", "text/plain", 406),
        ("x-nothing", "", 406),
        ("content-type", "application/json; charset=utf-8", 201),
    ] {
        let request = world.request(Method::POST, &url).header(header, value).body(body.clone());
        assert_eq!(request.send().await.unwrap().status(), status, "{header}: {value}");
    }
    for (accept, status) in [("text/html", 406), ("application/*", 200), ("application/scim+json", 200)] {
        assert_eq!(world.request(Method::GET, &url).header("accept", accept).send().await.unwrap().status(), status);
    }
    let world = World::server("[product]\nwithout_quirks = [\"wrong_type_406\"]").await;
    let request = world.request(Method::POST, &world.scim("/Users")).header("content-type", "text/plain").body(body);
    assert_eq!(request.send().await.unwrap().status(), 415);
}

#[tokio::test]
async fn what_the_product_says_of_itself() {
    let world = World::server("").await;
    let config = world.get("/ServiceProviderConfig").await.body;
    assert_eq!(config["bulk"], json!({ "supported": true, "maxOperations": 1_000, "maxPayloadSize": 1_048_576 }));
    assert_eq!((&config["sort"]["supported"], &config["etag"]["supported"]), (&json!(false), &json!(false)));
    assert_eq!((&config["filter"]["maxResults"], &config["meta"]), (&json!(200), &Value::Null));
    let types = world.get("/ResourceTypes").await.body;
    let user = &types["Resources"][0];
    assert_eq!(user["schemas"], "urn:ietf:params:scim:schemas:core:2.0:ResourceType");
    let extensions: Vec<&str> =
        user["schemaExtensions"].as_array().unwrap().iter().map(|entry| entry["schema"].as_str().unwrap()).collect();
    assert_eq!(
        extensions,
        ["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", super::SYSTEM, super::CUSTOM]
    );
    let schemas = world.get("/Schemas").await.body;
    let custom = schemas["Resources"].as_array().unwrap().iter().find(|schema| schema["id"] == super::CUSTOM).unwrap();
    assert_eq!(custom["attributes"][0]["name"], "is_migrated");
    let asgardeo = World::asgardeo("").await;
    assert_eq!(asgardeo.get("/ServiceProviderConfig").await.body["bulk"]["maxOperations"], 1_000);
}
