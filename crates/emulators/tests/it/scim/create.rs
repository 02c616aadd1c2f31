//! What a create takes, refuses and answers (RFC 7644 3.3).

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::world::{ENTERPRISE, USER, World, user};

#[tokio::test]
async fn a_user_is_made_with_an_id_an_address_and_a_version_and_without_its_password() {
    let world = World::new("").await;
    let body = json!({
        "schemas": [USER, ENTERPRISE],
        "USERNAME": "ana",
        "id": "mine",
        "meta": { "created": "2020-01-01T00:00:00Z" },
        "externalId": "k1",
        "password": "S3cret-for-Ana",
        "nickName": null,
        "phoneNumbers": [],
        "emails": [{ "value": "ana@example.org", "primary": true, "type": "work" }],
        ENTERPRISE: { "department": "Sales" },
    });
    let made = world.post("/Users", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_ne!(made.id(), "mine");
    assert_eq!(made.header("content-type"), "application/scim+json");
    assert_eq!(made.header("location"), world.url(&format!("/Users/{}", made.id())));
    assert_eq!(made.header("etag"), "W/\"1\"");
    let read = world.get(made.header("location")).await;
    assert_eq!(read.status, StatusCode::OK);
    assert_eq!(read.body, made.body);
    assert_eq!(read.body["schemas"], json!([USER, ENTERPRISE]));
    assert_eq!(read.body["userName"], "ana");
    assert_eq!(read.body[ENTERPRISE]["department"], "Sales");
    assert_eq!(read.body["meta"]["resourceType"], "User");
    for absent in ["password", "nickName", "phoneNumbers", "groups"] {
        assert_eq!(read.body[absent], Value::Null, "{absent}");
    }
    assert_eq!(world.state().await["users"][0]["_password"], "S3cret-for-Ana");
}

#[tokio::test]
async fn what_no_schema_allows_is_refused_with_its_reason() {
    let world = World::new("").await;
    world.create(user("taken")).await;
    let with = |name: &str, value: Value| {
        let mut body = user("bo");
        body[name] = value;
        body
    };
    let cases = [
        (json!([]), 400, "invalidSyntax"),
        (json!({ "userName": "bo" }), 400, "invalidSyntax"),
        (json!({ "schemas": [ENTERPRISE], "userName": "bo" }), 400, "invalidSyntax"),
        (json!({ "schemas": [USER, "urn:example:none"], "userName": "bo" }), 400, "invalidSyntax"),
        (json!({ "schemas": [USER] }), 400, "invalidValue"),
        (user(""), 400, "invalidValue"),
        (user("taken"), 409, "uniqueness"),
        (user("TAKEN"), 409, "uniqueness"),
        (with("username", json!("twice")), 400, "invalidSyntax"),
        (with("shoeSize", json!(43)), 400, "invalidSyntax"),
        (with("name", json!({ "firstName": "Bo" })), 400, "invalidSyntax"),
        (with("name", json!("Bo")), 400, "invalidValue"),
        (with("active", json!("False")), 400, "invalidValue"),
        (with("displayName", json!(7)), 400, "invalidValue"),
        (with("emails", json!({ "value": "bo@example.org" })), 400, "invalidValue"),
        (
            with("emails", json!([{ "value": "a", "primary": true }, { "value": "b", "primary": true }])),
            400,
            "invalidValue",
        ),
        (with("x509Certificates", json!([{ "value": "not base64!" }])), 400, "invalidValue"),
        (with(ENTERPRISE, json!({ "department": "Sales" })), 400, "invalidSyntax"),
    ];
    for (body, status, kind) in cases {
        let got = world.post("/Users", body.clone()).await;
        assert_eq!((got.status.as_u16(), got.kind()), (status, kind), "{body}: {}", got.body);
        assert_eq!(got.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(got.body["status"], status.to_string());
    }
    assert_eq!(world.state().await["users"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_body_that_is_no_json_and_a_wrong_content_type_are_told_apart() {
    let world = World::new("").await;
    for (kind, body, status) in
        [("application/scim+json", "{", 400), ("application/json; charset=utf-8", "{", 400), ("text/plain", "{}", 415)]
    {
        let sent = world.request(Method::POST, "/Users").header("content-type", kind).body(body).send().await.unwrap();
        assert_eq!(sent.status().as_u16(), status, "{kind}");
    }
}

#[tokio::test]
async fn an_answer_holds_what_was_asked_for_and_what_is_always_returned() {
    let world = World::new("").await;
    let body = json!({
        "schemas": [USER, ENTERPRISE],
        "userName": "ana",
        "name": { "givenName": "Ana", "familyName": "Ruiz" },
        "emails": [{ "value": "ana@example.org", "type": "work" }],
        ENTERPRISE: { "department": "Sales", "division": "South" },
    });
    let path = world.create(body).await;
    let keys = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    let department = format!("{ENTERPRISE}:department");
    for (parameter, value, expected) in [
        ("attributes", "userName", "id schemas userName"),
        ("attributes", "name.givenName, nothing", "id name schemas"),
        ("attributes", department.as_str(), &format!("id schemas {ENTERPRISE}")),
        ("attributes", "password", "id schemas"),
        ("excludedAttributes", "emails,meta,id,groups", &format!("id name schemas {ENTERPRISE} userName")),
        ("excludedAttributes", ENTERPRISE, "emails id meta name schemas userName"),
    ] {
        let got = world.list(&path, &[(parameter, value)]).await;
        assert_eq!(keys(&got.body), expected, "{parameter}={value}");
    }
    let got = world.list(&path, &[("attributes", "name.givenName")]).await;
    assert_eq!(got.body["name"], json!({ "givenName": "Ana" }));
    let got = world.list(&path, &[("excludedAttributes", "emails.type")]).await;
    assert_eq!(got.body["emails"], json!([{ "value": "ana@example.org" }]));
    let got = world.list(&path, &[("attributes", "id"), ("excludedAttributes", "name")]).await;
    assert_eq!((got.status.as_u16(), got.kind()), (400, "invalidValue"));
}
